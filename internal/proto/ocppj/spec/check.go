package spec

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// CodeUnknownAction is the code of the one fault that a message of an action
// the version does not have gets.
const CodeUnknownAction = "unknownAction"

// maxFaults bounds what is said about one message.
const maxFaults = 32

// maxName bounds how much of a name that nobody knows is repeated.
const maxName = 64

// Fault is one way in which a message breaks its specification.
type Fault struct {
	// Code is one of the Quirk codes of package ocppj, or CodeUnknownAction.
	Code string
	// Path is a JSON pointer into the payload.
	Path string
	// Message says the fault for people. It repeats no text of the payload but
	// words that stand where a list has others.
	Message string
}

func (f Fault) String() string { return f.Path + ": " + f.Message }

// Quirk is the fault as it is counted when a station made it: indexes as *.
func (f Fault) Quirk() ocppj.Quirk {
	path := f.Path
	if strings.ContainsAny(path, "0123456789") {
		steps := strings.Split(path, "/")
		for i, s := range steps {
			if s != "" && strings.Trim(s, "0123456789") == "" {
				steps[i] = "*"
			}
		}
		path = strings.Join(steps, "/")
	}
	return ocppj.Quirk{Code: f.Code, Path: path, Detail: f.Message}
}

// CheckRequest finds the faults of a request. A payload that is nothing or null
// counts as empty.
func (t *Table) CheckRequest(v ocppj.Version, action string, payload jsondoc.Node) []Fault {
	m := t.messages(v)[action]
	if m == nil {
		return unknown(v, action)
	}
	return check(m.request, payload)
}

// CheckResponse finds the faults of the response to an action.
func (t *Table) CheckResponse(v ocppj.Version, action string, payload jsondoc.Node) []Fault {
	m := t.messages(v)[action]
	if m == nil || m.response == nil {
		return unknown(v, action)
	}
	return check(m.response, payload)
}

func unknown(v ocppj.Version, action string) []Fault {
	return []Fault{{CodeUnknownAction, "", fmt.Sprintf("%s has no %.64q", v, action)}}
}

func check(s *shape, payload jsondoc.Node) []Fault {
	var c checker
	if payload.Kind() <= jsondoc.Null {
		c.missing(s, 0)
		return c.faults
	}
	t := typ{kind: kindObject, object: s}
	c.value(&t, payload)
	return c.faults
}

// checker walks a payload. The path is kept as steps and written out only for a
// fault, so a message without faults allocates nothing.
type checker struct {
	faults []Fault
	steps  [jsondoc.MaxDepth + 1]step
	depth  int
}

type step struct {
	key   []byte // nothing for an element
	index int
}

func (c *checker) fault(code, format string, args ...any) {
	if len(c.faults) == maxFaults {
		return
	}
	c.faults = append(c.faults, Fault{code, c.path(), fmt.Sprintf(format, args...)})
}

func (c *checker) path() string {
	var b []byte
	for _, s := range c.steps[:c.depth] {
		b = append(b, '/')
		if s.key == nil {
			b = strconv.AppendInt(b, int64(s.index), 10)
			continue
		}
		for _, ch := range s.key {
			switch ch {
			case '~':
				b = append(b, '~', '0')
			case '/':
				b = append(b, '~', '1')
			default:
				b = append(b, ch)
			}
		}
	}
	return string(b)
}

func (c *checker) value(t *typ, n jsondoc.Node) {
	k := n.Kind()
	switch t.kind {
	case kindAny:
	case kindObject:
		if c.is(k, jsondoc.Object) {
			c.object(t.object, n)
		}
	case kindArray:
		if c.is(k, jsondoc.Array) {
			c.array(t, n)
		}
	case kindText:
		if c.is(k, jsondoc.String) && t.max > 0 && len(n.Text()) > t.max {
			if length := n.RuneCount(); length > t.max {
				c.fault(ocppj.QuirkTooLong, "has %d characters, at most %d are allowed", length, t.max)
			}
		}
	case kindEnum:
		if c.is(k, jsondoc.String) && !t.words[string(n.Text())] {
			c.fault(ocppj.QuirkUnknownEnum, "%.64q is none of %s", n.Text(), t.list)
		}
	case kindTime:
		if c.is(k, jsondoc.String) {
			c.time(n)
		}
	case kindURI:
		if c.is(k, jsondoc.String) && !isURI(n.Text()) {
			c.fault(ocppj.QuirkBadURI, "is no URI")
		}
	case kindBool:
		c.is(k, jsondoc.Bool)
	case kindInt, kindNumber:
		if c.is(k, jsondoc.Number) {
			c.number(t, n)
		}
	}
}

func (c *checker) is(got, want jsondoc.Kind) bool {
	if got == want {
		return true
	}
	if got == jsondoc.Null {
		c.fault(ocppj.QuirkNull, "is null, %s %s is needed", article(want), want)
		return false
	}
	c.fault(ocppj.QuirkWrongType, "is %s %s, %s %s is needed", article(got), got, article(want), want)
	return false
}

func article(k jsondoc.Kind) string {
	if k == jsondoc.Array || k == jsondoc.Object {
		return "an"
	}
	return "a"
}

func (c *checker) object(s *shape, n jsondoc.Node) {
	var seen uint64
	next := 0
	at := c.depth
	c.depth++
	for m := range n.All() {
		key := m.Key()
		c.steps[at] = step{key: key}
		i := s.find(key, next)
		if i < 0 {
			if !s.open {
				c.steps[at].key = key[:min(len(key), maxName)]
				c.fault(ocppj.QuirkUnknownField, "is no field of %s", s.name)
			}
			continue
		}
		seen |= 1 << i
		next = i + 1
		c.value(&s.fields[i].typ, m)
	}
	c.depth = at
	if s.need&^seen != 0 {
		c.missing(s, seen)
	}
}

func (c *checker) missing(s *shape, seen uint64) {
	at := c.depth
	c.depth++
	for lack := s.need &^ seen; lack != 0; lack &= lack - 1 {
		c.steps[at] = step{key: []byte(s.fields[bits.TrailingZeros64(lack)].name)}
		c.fault(ocppj.QuirkMissing, "is required")
	}
	c.depth = at
}

func (c *checker) array(t *typ, n jsondoc.Node) {
	switch l := n.Len(); {
	case l < t.min:
		c.fault(ocppj.QuirkItems, "has %d elements, at least %d are needed", l, t.min)
	case t.max > 0 && l > t.max:
		c.fault(ocppj.QuirkItems, "has %d elements, at most %d are allowed", l, t.max)
	}
	at := c.depth
	c.depth++
	i := 0
	for e := range n.All() {
		c.steps[at] = step{index: i}
		c.value(t.element, e)
		i++
	}
	c.depth = at
}

func (c *checker) time(n jsondoc.Node) {
	switch _, fit := n.Time(); fit {
	case jsondoc.Exact:
	case jsondoc.Zoneless:
		c.fault(ocppj.QuirkNoZone, "has no time zone")
	case jsondoc.Coerced:
		c.fault(ocppj.QuirkTimeForm, "is no date-time in the form of RFC 3339")
	default:
		c.fault(ocppj.QuirkBadTime, "is no date-time")
	}
}

func (c *checker) number(t *typ, n jsondoc.Node) {
	if t.kind == kindInt {
		switch _, fit := n.Int(); fit {
		case jsondoc.Exact:
		case jsondoc.Unreadable:
			c.fault(ocppj.QuirkOutOfRange, "does not fit 64 bits")
			return
		default:
			c.fault(ocppj.QuirkWrongType, "has a fraction, a whole number is needed")
			return
		}
	}
	if t.low == nil && t.top == nil && !t.step {
		return
	}
	v, fit := n.Float()
	switch {
	case !fit.OK():
		c.fault(ocppj.QuirkOutOfRange, "is too large")
	case t.low != nil && v < *t.low:
		c.fault(ocppj.QuirkOutOfRange, "is below %v", *t.low)
	case t.top != nil && v > *t.top:
		c.fault(ocppj.QuirkOutOfRange, "is above %v", *t.top)
	case t.step && !oneDecimal(v):
		c.fault(ocppj.QuirkOutOfRange, "has more than one decimal")
	}
}

func oneDecimal(v float64) bool {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	_, decimals, _ := strings.Cut(text, ".")
	return len(decimals) <= 1
}

// isURI says whether b is an absolute URI: a scheme, something after it, and
// only characters that RFC 3986 has.
func isURI(b []byte) bool {
	colon := false
	for i, c := range b {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !colon {
			switch {
			case letter, i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
			case c == ':' && i > 0 && i+1 < len(b):
				colon = true
			default:
				return false
			}
			continue
		}
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	return colon
}

// Quirks joins what the check and the decoder found in one message, each kind
// once. What the decoder had to forgive comes first.
func Quirks(faults []Fault, more []ocppj.Quirk) []ocppj.Quirk {
	all := slices.Clip(more)
	for _, f := range faults {
		q := f.Quirk()
		if !slices.ContainsFunc(all, func(o ocppj.Quirk) bool { return o.Code == q.Code && o.Path == q.Path }) {
			all = append(all, q)
		}
	}
	return all
}
