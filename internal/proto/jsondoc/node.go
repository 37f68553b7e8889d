package jsondoc

import (
	"iter"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Fit says how well a value fitted what an accessor asked for.
type Fit uint8

// The fits, from worst to best. From Coerced on, the value can be used.
const (
	Absent     Fit = iota // no such member
	NullValue             // the member is null
	Unreadable            // a value from which nothing can be made
	Coerced               // read, but it had another JSON kind or form
	Zoneless              // a time without zone, taken as UTC
	Exact
)

// OK says whether a usable value came back.
func (f Fit) OK() bool { return f >= Coerced }

// Given says whether there was a value at all; null counts as not given.
func (f Fit) Given() bool { return f >= Unreadable }

// Node is one value of a Doc. The zero Node stands for a value that is not
// there; all methods accept it.
type Node struct {
	d *Doc
	i int32
}

// Exists says whether the value is there, null included.
func (n Node) Exists() bool { return n.d != nil }

// Kind is the kind of the value.
func (n Node) Kind() Kind {
	if n.d == nil {
		return None
	}
	return n.d.nodes[n.i].kind
}

// Len is the number of elements or members; 0 for a scalar.
func (n Node) Len() int {
	if n.Kind() < Array {
		return 0
	}
	return int(n.d.nodes[n.i].count)
}

// Raw is the source of the value, not a copy.
func (n Node) Raw() []byte {
	if n.d == nil {
		return nil
	}
	e := &n.d.nodes[n.i]
	return n.d.src[e.start:e.end:e.end]
}

// Key is the name under which the value stands in its object, not a copy.
func (n Node) Key() []byte {
	if n.d == nil {
		return nil
	}
	return n.d.keyOf(&n.d.nodes[n.i])
}

// Text is the text of a string without quotes and escapes, or the source of any
// other scalar; not a copy, and not to be changed.
func (n Node) Text() []byte {
	if n.d == nil {
		return nil
	}
	e := &n.d.nodes[n.i]
	switch {
	case e.kind >= Array:
		return nil
	case e.kind != String:
		return n.d.src[e.start:e.end:e.end]
	case e.flags&flagDecoded != 0:
		return n.d.decoded[e.next : e.next+e.count : e.next+e.count]
	default:
		return n.d.src[e.start+1 : e.end-1 : e.end-1]
	}
}

// Get is the member of that name; nothing if there is none or n is no object.
func (n Node) Get(key string) Node {
	if n.Kind() != Object {
		return Node{}
	}
	d := n.d
	end := d.nodes[n.i].next
	for i := n.i + 1; i < end; i = d.after(i) {
		if string(d.keyOf(&d.nodes[i])) == key {
			return Node{d, i}
		}
	}
	return Node{}
}

// First is the first element or member, nothing if there is none.
func (n Node) First() Node {
	if n.Len() == 0 {
		return Node{}
	}
	return Node{n.d, n.i + 1}
}

// All walks the elements of an array or the members of an object.
func (n Node) All() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.Kind() < Array {
			return
		}
		d := n.d
		end := d.nodes[n.i].next
		for i := n.i + 1; i < end; i = d.after(i) {
			if !yield(Node{d, i}) {
				return
			}
		}
	}
}

// fit sorts out what no accessor can read.
func (n Node) fit() Fit {
	switch n.Kind() {
	case None:
		return Absent
	case Null:
		return NullValue
	case Array, Object:
		return Unreadable
	default:
		return Exact
	}
}

// String is a copy of the text of a string; of a number or boolean its source,
// as Coerced.
func (n Node) String() (string, Fit) {
	f := n.fit()
	if f != Exact {
		return "", f
	}
	if n.Kind() != String {
		f = Coerced
	}
	return string(n.Text()), f
}

// Int is a whole number. A number in a string, and a fraction (rounded), are
// Coerced; what does not fit 64 bits is Unreadable.
func (n Node) Int() (int64, Fit) {
	f := n.fit()
	if f != Exact {
		return 0, f
	}
	text := n.Text()
	switch n.Kind() {
	case Bool:
		return 0, Unreadable
	case String:
		text, f = trim(text), Coerced
	}
	if v, ok := parseInt(text); ok {
		return v, f
	}
	v, ok := parseFloat(text)
	if !ok || math.Abs(v) >= 1<<63 {
		return 0, Unreadable
	}
	if r := math.Round(v); r != v {
		return int64(r), Coerced
	}
	return int64(v), f
}

// Float is a finite number. A number in a string is Coerced.
func (n Node) Float() (float64, Fit) {
	f := n.fit()
	if f != Exact {
		return 0, f
	}
	text := n.Text()
	switch n.Kind() {
	case Bool:
		return 0, Unreadable
	case String:
		text, f = trim(text), Coerced
	}
	v, ok := parseFloat(text)
	if !ok {
		return 0, Unreadable
	}
	return v, f
}

// Bool is a truth value. The words in a string, and 0 and 1, are Coerced.
func (n Node) Bool() (bool, Fit) {
	f := n.fit()
	if f != Exact {
		return false, f
	}
	if n.Kind() != Bool {
		f = Coerced
	}
	switch string(n.Text()) {
	case "true", "True", "TRUE", "1":
		return true, f
	case "false", "False", "FALSE", "0":
		return false, f
	}
	return false, Unreadable
}

// Time is a point in time; see ParseTime for what is read.
func (n Node) Time() (time.Time, Fit) {
	f := n.fit()
	if f != Exact {
		return time.Time{}, f
	}
	if n.Kind() != String {
		return time.Time{}, Unreadable
	}
	return ParseTime(n.Text())
}

// RuneCount is the length of the text in characters, as limits count it.
func (n Node) RuneCount() int { return utf8.RuneCount(n.Text()) }

func trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

func parseInt(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var v int64
	for _, c := range b {
		if c -= '0'; c > 9 {
			return 0, false
		}
		v = v*10 + int64(c)
	}
	if neg {
		v = -v
	}
	return v, true
}

// ParseFloat reads a decimal number of the kind JSON knows, also with a leading
// plus or zeros. The number must be finite.
func ParseFloat(b []byte) (float64, bool) { return parseFloat(trim(b)) }

// parseFloat reads short decimals exactly and without garbage: up to 15 digits
// and a power of ten below 10^22 are both exact, so their quotient is rounded
// once. The rest goes to strconv.
func parseFloat(b []byte) (float64, bool) {
	mantissa, digits, fraction := int64(0), 0, 0
	dot, neg := false, false
	for i, c := range b {
		switch {
		case c-'0' <= 9:
			mantissa = mantissa*10 + int64(c-'0')
			digits++
			if dot {
				fraction++
			}
			if digits > 15 {
				return slowFloat(b)
			}
		case c == '-' && i == 0:
			neg = true
		case c == '.' && !dot && digits > 0:
			dot = true
		default:
			return slowFloat(b)
		}
	}
	if digits == 0 || dot && fraction == 0 {
		return slowFloat(b)
	}
	v := float64(mantissa)
	if fraction > 0 {
		v /= pow10(fraction)
	}
	if neg {
		v = -v
	}
	return v, true
}

func pow10(n int) float64 {
	p := 1.0
	for range n {
		p *= 10
	}
	return p
}

func slowFloat(b []byte) (float64, bool) {
	for _, c := range b {
		// strconv also reads hexadecimal, underscores, Inf and NaN.
		if c-'0' > 9 && c != '-' && c != '+' && c != '.' && c|0x20 != 'e' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil
}
