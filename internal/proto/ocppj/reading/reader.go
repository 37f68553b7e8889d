// Package reading takes values out of payloads the way stations really write
// them: a number where a string belongs, null for nothing, a clock at 1970. It
// always returns the best value it can make, and remembers as a quirk what it
// had to forgive, so that no station is refused and no sloppiness is forgotten.
//
// It is what the decoders of 1.6 and of 2.x have in common, meter values
// included.
package reading

import (
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// Need says whether the specification requires a field.
type Need bool

// Required fields that are absent are a quirk; Optional ones are not.
const (
	Required Need = true
	Optional Need = false
)

// maxQuirks bounds what is remembered of one message.
const maxQuirks = 32

// Time is a point in time as a device told it.
type Time struct {
	// At is zero if there was none or it could not be read.
	At time.Time
	// Raw is the text the device sent, if it was not in the specified form.
	Raw string
}

// clockBorn is before any OCPP 1.6 station existed. A device that tells an
// earlier time has not yet learnt it.
func clockBorn() time.Time { return time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC) }

// maxElements bounds how many elements of all lists of one message are read. An
// empty element takes three bytes in a frame and a hundred times that when it is
// decoded.
const maxElements = 1 << 16

// Reader reads fields and collects quirks. The zero value is ready. Paths are
// JSON pointers with * for an index; their last step is the name of the field.
type Reader struct {
	quirks []ocppj.Quirk
	// base stands before all paths, for shapes that occur in several places.
	base string
	read int // elements of lists so far
}

// Quirks is what had to be forgiven so far, each kind once.
func (r *Reader) Quirks() []ocppj.Quirk { return r.quirks }

// Under puts path before all paths until Back is given what it returns.
func (r *Reader) Under(path string) (before string) {
	before = r.base
	r.base += path
	return before
}

// Back ends what Under began.
func (r *Reader) Back(before string) { r.base = before }

// Quirk records a quirk, unless the same was recorded before.
func (r *Reader) Quirk(code, path, detail string) {
	if len(r.quirks) == maxQuirks {
		return
	}
	path = r.base + path
	for _, q := range r.quirks {
		if q.Code == code && q.Path == path {
			return
		}
	}
	r.quirks = append(r.quirks, ocppj.Quirk{Code: code, Path: path, Detail: detail})
}

// Field finds the field that path ends with.
func Field(obj jsondoc.Node, path string) jsondoc.Node {
	return obj.Get(path[strings.LastIndexByte(path, '/')+1:])
}

// judge records what a fit means and says whether there is a value.
func (r *Reader) judge(n jsondoc.Node, fit jsondoc.Fit, path string, need Need) bool {
	switch fit {
	case jsondoc.Exact:
		return true
	case jsondoc.Coerced:
		r.Quirk(ocppj.QuirkWrongType, path, "given as "+n.Kind().String())
		return true
	case jsondoc.Unreadable:
		r.Quirk(ocppj.QuirkUnreadable, path, "unreadable "+n.Kind().String())
	case jsondoc.NullValue:
		if need {
			r.Quirk(ocppj.QuirkMissing, path, "is null")
		} else {
			r.Quirk(ocppj.QuirkNull, path, "is null")
		}
	case jsondoc.Absent:
		if need {
			r.Quirk(ocppj.QuirkMissing, path, "is absent")
		}
	}
	return false
}

// Text reads a text of any length.
func (r *Reader) Text(obj jsondoc.Node, path string, need Need) string {
	n := Field(obj, path)
	s, fit := n.String()
	r.judge(n, fit, path, need)
	return s
}

// Word reads a text that comes from a list; the words of OCPP cost no memory.
func (r *Reader) Word(obj jsondoc.Node, path string, need Need) string {
	n := Field(obj, path)
	if n.Kind() == jsondoc.String {
		return intern(n.Text())
	}
	s, fit := n.String()
	r.judge(n, fit, path, need)
	return s
}

// Int reads a whole number.
func (r *Reader) Int(obj jsondoc.Node, path string, need Need) int64 {
	n := Field(obj, path)
	v, fit := n.Int()
	r.judge(n, fit, path, need)
	return v
}

// OptInt reads a whole number that may be absent.
func (r *Reader) OptInt(obj jsondoc.Node, path string) *int64 {
	n := Field(obj, path)
	v, fit := n.Int()
	if !r.judge(n, fit, path, Optional) {
		return nil
	}
	return &v
}

// Float reads a number.
func (r *Reader) Float(obj jsondoc.Node, path string, need Need) float64 {
	n := Field(obj, path)
	v, fit := n.Float()
	r.judge(n, fit, path, need)
	return v
}

// OptFloat reads a number that may be absent.
func (r *Reader) OptFloat(obj jsondoc.Node, path string) *float64 {
	n := Field(obj, path)
	v, fit := n.Float()
	if !r.judge(n, fit, path, Optional) {
		return nil
	}
	return &v
}

// Bool reads a truth value; absent is false.
func (r *Reader) Bool(obj jsondoc.Node, path string, need Need) bool {
	n := Field(obj, path)
	v, fit := n.Bool()
	r.judge(n, fit, path, need)
	return v
}

// OptBool reads a truth value that may be absent.
func (r *Reader) OptBool(obj jsondoc.Node, path string) *bool {
	n := Field(obj, path)
	v, fit := n.Bool()
	if !r.judge(n, fit, path, Optional) {
		return nil
	}
	return &v
}

// Time reads a date-time. One that cannot be read stays as text.
func (r *Reader) Time(obj jsondoc.Node, path string, need Need) Time {
	return r.timeOf(Field(obj, path), path, need)
}

func (r *Reader) timeOf(n jsondoc.Node, path string, need Need) Time {
	at, fit := n.Time()
	switch fit {
	case jsondoc.Absent, jsondoc.NullValue:
		r.judge(n, fit, path, need)
		return Time{}
	case jsondoc.Unreadable:
		r.Quirk(ocppj.QuirkBadTime, path, "is no date-time")
		raw, _ := n.String()
		return Time{Raw: clip(raw)}
	case jsondoc.Coerced:
		r.Quirk(ocppj.QuirkTimeForm, path, "is not in the form of RFC 3339")
	case jsondoc.Zoneless:
		r.Quirk(ocppj.QuirkNoZone, path, "has no time zone")
	}
	if at.Before(clockBorn()) {
		r.Quirk(ocppj.QuirkClockUnset, path, fmt.Sprintf("the year %d", at.Year()))
	}
	t := Time{At: at}
	if fit != jsondoc.Exact {
		t.Raw = clip(string(n.Text()))
	}
	return t
}

// clip bounds text that is kept only to show what a device sent.
func clip(s string) string {
	const keep = 64
	if len(s) <= keep {
		return s
	}
	return strings.ToValidUTF8(s[:keep], "")
}

// Object finds an object; anything else counts as an empty one.
func (r *Reader) Object(obj jsondoc.Node, path string, need Need) jsondoc.Node {
	n := Field(obj, path)
	switch n.Kind() {
	case jsondoc.Object:
		return n
	case jsondoc.None:
		r.judge(n, jsondoc.Absent, path, need)
	case jsondoc.Null:
		r.judge(n, jsondoc.NullValue, path, need)
	default:
		r.judge(n, jsondoc.Unreadable, path, need)
	}
	return jsondoc.Node{}
}

// List finds an array and calls each with its elements. A value that stands
// there alone counts as an array of one, for some stations save the brackets.
func (r *Reader) List(obj jsondoc.Node, path string, need Need, each func(jsondoc.Node)) {
	n, many := r.list(obj, path, need)
	if !many {
		if n.Exists() {
			each(n)
		}
		return
	}
	for e := range n.All() {
		if !r.take(path) {
			return
		}
		each(e)
	}
}

// take counts an element and says whether it is still to be read.
func (r *Reader) take(path string) bool {
	if r.read == maxElements {
		r.Quirk(ocppj.QuirkItems, path, "more elements than are read")
		return false
	}
	r.read++
	return true
}

func (r *Reader) list(obj jsondoc.Node, path string, need Need) (n jsondoc.Node, many bool) {
	n = Field(obj, path)
	switch n.Kind() {
	case jsondoc.Array:
		return n, true
	case jsondoc.None:
		r.judge(n, jsondoc.Absent, path, need)
		return jsondoc.Node{}, false
	case jsondoc.Null:
		r.judge(n, jsondoc.NullValue, path, need)
		return jsondoc.Node{}, false
	default:
		r.Quirk(ocppj.QuirkWrongType, path, "one "+n.Kind().String()+" without array")
		return n, false
	}
}

// Texts reads an array of texts; what is none is left out.
func (r *Reader) Texts(obj jsondoc.Node, path string, need Need) []string {
	var all []string
	r.List(obj, path, need, func(n jsondoc.Node) {
		s, fit := n.String()
		if r.judge(n, fit, path+"/*", Optional) {
			all = append(all, s)
		}
	})
	return all
}

// JSON is a copy of the source of a field.
func (r *Reader) JSON(obj jsondoc.Node, path string, need Need) []byte {
	n := Field(obj, path)
	switch {
	case n.Kind() == jsondoc.None:
		r.judge(n, jsondoc.Absent, path, need)
		return nil
	case n.Kind() == jsondoc.Null:
		r.judge(n, jsondoc.NullValue, path, need)
		return nil
	}
	return append([]byte(nil), n.Raw()...)
}
