package jsondoc

import (
	"bytes"
	"hash/maphash"
	"unicode/utf16"
	"unicode/utf8"
)

// name is where the name of a member lies.
type name struct {
	start, end uint32
	decoded    bool
}

func (d *Doc) syntax(p int, reason string) error {
	return &SyntaxError{Offset: p, Reason: reason}
}

func (d *Doc) space(p int) int {
	for p < len(d.src) {
		switch d.src[p] {
		case ' ', '\t', '\n', '\r':
			p++
		default:
			return p
		}
	}
	return p
}

func (d *Doc) push(k Kind, start, end int, key name) int32 {
	n := node{start: uint32(start), end: uint32(end), kstart: key.start, kend: key.end, kind: k}
	if key.decoded {
		n.flags = flagKeyDecoded
	}
	d.nodes = append(d.nodes, n)
	return int32(len(d.nodes) - 1)
}

// value reads the value that starts at p and returns the position after it.
// Depth is the number of containers around it.
func (d *Doc) value(p, depth int, key name) (int, error) {
	if p >= len(d.src) {
		return p, d.syntax(p, "value expected, text ends")
	}
	if len(d.nodes) == MaxNodes {
		return p, ErrTooLarge
	}
	switch c := d.src[p]; {
	case c == '"':
		text, next, err := d.text(p)
		if err != nil {
			return next, err
		}
		i := d.push(String, p, next, key)
		if text.decoded {
			n := &d.nodes[i]
			n.flags |= flagDecoded
			n.next, n.count = int32(text.start), int32(text.end-text.start)
		}
		return next, nil
	case c == '{':
		return d.object(p, depth, key)
	case c == '[':
		return d.array(p, depth, key)
	case c == '-' || c-'0' <= 9:
		next, err := d.number(p)
		if err == nil {
			d.push(Number, p, next, key)
		}
		return next, err
	case c == 't':
		return d.literal(p, "true", Bool, key)
	case c == 'f':
		return d.literal(p, "false", Bool, key)
	case c == 'n':
		return d.literal(p, "null", Null, key)
	default:
		return p, d.syntax(p, "value expected")
	}
}

func (d *Doc) literal(p int, want string, k Kind, key name) (int, error) {
	end := p + len(want)
	if end > len(d.src) || string(d.src[p:end]) != want {
		return p, d.syntax(p, "value expected")
	}
	d.push(k, p, end, key)
	return end, nil
}

func (d *Doc) array(p, depth int, key name) (int, error) {
	if depth == MaxDepth {
		return p, ErrTooDeep
	}
	at := d.push(Array, p, p, key)
	count := int32(0)
	var err error
	p = d.space(p + 1)
	if p < len(d.src) && d.src[p] == ']' {
		return d.close(at, p+1, 0), nil
	}
	for {
		if p, err = d.value(p, depth+1, name{}); err != nil {
			return d.close(at, p, count), err
		}
		count++
		p = d.space(p)
		if p >= len(d.src) {
			return d.close(at, p, count), d.syntax(p, "array does not end")
		}
		switch d.src[p] {
		case ',':
			p = d.space(p + 1)
		case ']':
			return d.close(at, p+1, count), nil
		default:
			return d.close(at, p, count), d.syntax(p, "comma or end of array expected")
		}
	}
}

func (d *Doc) object(p, depth int, key name) (int, error) {
	if depth == MaxDepth {
		return p, ErrTooDeep
	}
	at := d.push(Object, p, p, key)
	count := int32(0)
	p = d.space(p + 1)
	if p < len(d.src) && d.src[p] == '}' {
		return d.close(at, p+1, 0), nil
	}
	for {
		if p >= len(d.src) || d.src[p] != '"' {
			return d.close(at, p, count), d.syntax(p, "name of a member expected")
		}
		member, next, err := d.text(p)
		if err != nil {
			return d.close(at, next, count), err
		}
		p = d.space(next)
		if p >= len(d.src) || d.src[p] != ':' {
			return d.close(at, p, count), d.syntax(p, "colon expected")
		}
		if p, err = d.value(d.space(p+1), depth+1, member); err != nil {
			return d.close(at, p, count), err
		}
		count++
		p = d.space(p)
		if p >= len(d.src) {
			return d.close(at, p, count), d.syntax(p, "object does not end")
		}
		switch d.src[p] {
		case ',':
			p = d.space(p + 1)
		case '}':
			p = d.close(at, p+1, count)
			if d.duplicate(at) {
				return p, ErrDuplicateKey
			}
			return p, nil
		default:
			return d.close(at, p, count), d.syntax(p, "comma or end of object expected")
		}
	}
}

// close finishes a container, also one that broke off: the list of nodes stays
// walkable whatever happened.
func (d *Doc) close(at int32, end int, count int32) int {
	n := &d.nodes[at]
	n.end, n.next, n.count = uint32(end), int32(len(d.nodes)), count
	return end
}

// fewKeys is the size up to which comparing each with each is faster than
// hashing.
const fewKeys = 16

// duplicate looks for two members of one name. It runs when the object is
// complete, so one table serves all of them, and its cost is linear in the
// members with a hash that nobody outside can predict.
func (d *Doc) duplicate(at int32) bool {
	count := int(d.nodes[at].count)
	switch {
	case count < 2:
		return false
	case count > fewKeys:
		return d.duplicateHashed(at)
	}
	var keys [fewKeys][]byte
	i := at + 1
	for k := range count {
		n := &d.nodes[i]
		key := d.keyOf(n)
		for _, other := range keys[:k] {
			if len(other) == len(key) && bytes.Equal(other, key) {
				return true
			}
		}
		keys[k] = key
		i = d.after(i)
	}
	return false
}

func (d *Doc) duplicateHashed(at int32) bool {
	if !d.seeded {
		d.seed, d.seeded = maphash.MakeSeed(), true
	}
	count := int(d.nodes[at].count)
	size := 64
	for size < 2*count {
		size *= 2
	}
	if cap(d.slots) < size {
		d.slots = make([]int32, size)
	}
	slots := d.slots[:size]
	clear(slots)
	i := at + 1
	for range count {
		key := d.keyOf(&d.nodes[i])
		h := int(maphash.Bytes(d.seed, key)) & (size - 1)
		for slots[h] != 0 {
			if bytes.Equal(d.keyOf(&d.nodes[slots[h]]), key) {
				return true
			}
			h = (h + 1) & (size - 1)
		}
		slots[h] = i
		i = d.after(i)
	}
	return false
}

func (d *Doc) keyOf(n *node) []byte {
	if n.flags&flagKeyDecoded != 0 {
		return d.decoded[n.kstart:n.kend]
	}
	return d.src[n.kstart:n.kend]
}

// after is the index of the next sibling of node i.
func (d *Doc) after(i int32) int32 {
	if n := &d.nodes[i]; n.kind >= Array {
		return n.next
	}
	return i + 1
}

// text reads the string that opens at p.
func (d *Doc) text(p int) (name, int, error) {
	start := p + 1
	escaped, high := false, false
	for i := start; i < len(d.src); i++ {
		switch c := d.src[i]; {
		case c == '"':
			if escaped || high && !utf8.Valid(d.src[start:i]) {
				return d.decode(start, i)
			}
			return name{start: uint32(start), end: uint32(i)}, i + 1, nil
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return name{}, i, d.syntax(i, "control character in a string")
		case c >= utf8.RuneSelf:
			high = true
		}
	}
	return name{}, len(d.src), d.syntax(len(d.src), "string does not end")
}

// decode writes the text between start and end, which has escapes or broken
// UTF-8, to d.decoded.
func (d *Doc) decode(start, end int) (name, int, error) {
	at := uint32(len(d.decoded))
	broken := false
	for i := start; i < end; {
		c := d.src[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(d.src[i:end])
			broken = broken || r == utf8.RuneError && size == 1
			d.decoded = utf8.AppendRune(d.decoded, r)
			i += size
			continue
		}
		if c != '\\' {
			d.decoded = append(d.decoded, c)
			i++
			continue
		}
		c = d.src[i+1] // a string cannot end behind a backslash
		if c != 'u' {
			b, ok := unescape(c)
			if !ok {
				return name{}, i, d.syntax(i, "unknown escape in a string")
			}
			d.decoded = append(d.decoded, b)
			i += 2
			continue
		}
		r, ok := hex4(d.src[i+2 : end])
		if !ok {
			return name{}, i, d.syntax(i, "four hexadecimal digits expected")
		}
		i += 6
		if utf16.IsSurrogate(r) {
			low, ok := rune(0), false
			if i+6 <= end && d.src[i] == '\\' && d.src[i+1] == 'u' {
				low, ok = hex4(d.src[i+2 : end])
			}
			if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
				i += 6
			} else {
				r, broken = utf8.RuneError, true
			}
		}
		d.decoded = utf8.AppendRune(d.decoded, r)
	}
	if broken {
		d.replaced++
	}
	return name{start: at, end: uint32(len(d.decoded)), decoded: true}, end + 1, nil
}

func unescape(c byte) (byte, bool) {
	switch c {
	case '"', '\\', '/':
		return c, true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c-'a' <= 5:
			c -= 'a' - 10
		case c-'A' <= 5:
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number returns the position after the number that starts at p.
func (d *Doc) number(p int) (int, error) {
	start := p
	if d.src[p] == '-' {
		p++
	}
	switch digits := d.digits(p); {
	case digits == p:
		return start, d.syntax(p, "digit expected")
	case d.src[p] == '0' && digits > p+1:
		return start, d.syntax(p, "number with leading zero")
	default:
		p = digits
	}
	if p < len(d.src) && d.src[p] == '.' {
		digits := d.digits(p + 1)
		if digits == p+1 {
			return start, d.syntax(p, "digit expected")
		}
		p = digits
	}
	if p < len(d.src) && d.src[p]|0x20 == 'e' {
		p++
		if p < len(d.src) && (d.src[p] == '+' || d.src[p] == '-') {
			p++
		}
		digits := d.digits(p)
		if digits == p {
			return start, d.syntax(p, "digit expected")
		}
		p = digits
	}
	return p, nil
}

func (d *Doc) digits(p int) int {
	for p < len(d.src) && d.src[p]-'0' <= 9 {
		p++
	}
	return p
}
