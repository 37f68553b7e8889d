package ocppj

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
)

// MaxIDLength is how long a message id may be by the specification.
const MaxIDLength = 36

// keptIDLength is how long an id may be for us: it is kept, echoed and logged.
const keptIDLength = 255

// maxActionLength bounds what is repeated of an action nobody knows.
const maxActionLength = 64

// UnreadableID is the id with which 2.x answers a frame whose id it cannot read.
const UnreadableID = "-1"

// Frame is one message. Payload, Details and RawID point into the parsed
// document and live as long as it.
type Frame struct {
	Type Type
	// ID is the text of the message id, for matching.
	ID string
	// RawID is the id as it stood in the frame, for echoing it: a station that
	// numbers its messages expects the number back.
	RawID []byte
	// Action is set for CALL and SEND.
	Action string
	// Payload is set for CALL, CALLRESULT and SEND; nothing if it was null or
	// left out, which reads like an empty object.
	Payload jsondoc.Node
	// Code, Description and Details are set for CALLERROR and CALLRESULTERROR.
	Code        ErrorCode
	Description string
	Details     jsondoc.Node
	// Quirks are the faults of the envelope that were tolerated.
	Quirks []Quirk
}

// FrameError says that a frame cannot be understood, and what to do about it.
type FrameError struct {
	// Code and Reason describe the fault to whom it may concern.
	Code   ErrorCode
	Reason string
	// Answer says whether the version wants a CALLERROR; otherwise the frame
	// is only counted and kept in quarantine. A fault in an answer never gets
	// an answer.
	Answer bool
	// Type, ID and Action are what could be read. The id is "-1" where 2.x
	// wants that, and empty if there was none.
	Type   Type
	ID     string
	Action string
	// RawID is what to echo, see Frame.
	RawID []byte
	Err   error
}

func (e *FrameError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("ocppj: %s: %v", e.Reason, e.Err)
	}
	return "ocppj: " + e.Reason
}

func (e *FrameError) Unwrap() error { return e.Err }

// AppendAnswer writes the CALLERROR that answers the frame, if Answer is set.
func (e *FrameError) AppendAnswer(dst []byte) []byte {
	return AppendError(dst, e.RawID, e.Code, e.Reason, nil)
}

// Parse reads a frame with the help of d, which the result points into. The
// error is always a *FrameError.
func Parse(d *jsondoc.Doc, v Version, frame []byte) (Frame, error) {
	err := d.Parse(frame)
	var f Frame
	if err != nil && !errors.Is(err, jsondoc.ErrTrailing) {
		return f, broken(d, v, err)
	}
	root := d.Root()
	if root.Kind() != jsondoc.Array {
		return f, refuse(v, "a message is a JSON array", nil)
	}
	if err != nil {
		f.quirk(QuirkTrailing, "", fmt.Sprintf("%d bytes after the frame", len(d.Trailing())))
	}
	if d.Replaced() > 0 {
		f.quirk(QuirkNotUTF8, "", "text that is no UTF-8")
	}
	var el [5]jsondoc.Node
	n := 0
	for e := range root.All() {
		if n == len(el) {
			break
		}
		el[n] = e
		n++
	}
	t, fit := el[0].Int()
	switch {
	case !fit.OK():
		return f, refuse(v, "the message type is no number", nil)
	case t < 0 || t > 255 || !Type(t).in(v):
		return f, unknownType(v, t, el[1])
	}
	if fit != jsondoc.Exact {
		f.quirk(QuirkFrame, "/0", "message type is a "+el[0].Kind().String())
	}
	f.Type = Type(t)
	if err := f.readID(v, el[1]); err != nil {
		return f, err
	}
	switch f.Type {
	case Call, Send:
		return f.readCall(v, el[2], el[3], root.Len())
	case CallResult:
		f.readPayload(el[2], "/2")
		f.length(3, root.Len())
		return f, nil
	default:
		f.readError(el[2], el[3], el[4], root.Len())
		return f, nil
	}
}

func (f *Frame) quirk(code, path, detail string) {
	f.Quirks = append(f.Quirks, Quirk{code, path, detail})
}

func (f *Frame) readID(v Version, n jsondoc.Node) error {
	switch n.Kind() {
	case jsondoc.String:
		f.RawID = n.Raw()
		// A copy even of what has no escapes: the id outlives the frame.
		f.ID = string(n.Text())
		if !utf8.Valid(f.RawID) {
			// Echoed as it is it would make a text frame that is none.
			f.RawID = RawID(f.ID)
		}
		if c := n.RuneCount(); c == 0 || c > MaxIDLength {
			f.quirk(QuirkMessageID, "/1", fmt.Sprintf("id of %d characters", c))
		}
	case jsondoc.Number:
		f.RawID, f.ID = n.Raw(), string(n.Raw())
		f.quirk(QuirkMessageID, "/1", "id is a number")
	}
	if f.ID != "" && len(f.ID) <= keptIDLength {
		return nil
	}
	e := refuse(v, "the message id is not readable", nil)
	e.Type = f.Type
	e.Answer = e.Answer && f.Type == Call
	return e
}

func (f Frame) readCall(v Version, action, payload jsondoc.Node, length int) (Frame, error) {
	fail := func(reason string) (Frame, error) {
		return f, &FrameError{
			Code: v.FrameCode(), Reason: reason, Answer: f.Type == Call,
			Type: f.Type, ID: f.ID, RawID: f.RawID, Action: f.Action,
		}
	}
	if action.Kind() != jsondoc.String || len(action.Text()) == 0 {
		return fail("the action is not readable")
	}
	f.Action = string(truncate(action.Text(), maxActionLength))
	f.readPayload(payload, "/3")
	if k := payload.Kind(); k > jsondoc.Null && k != jsondoc.Object {
		return fail("the payload is no object")
	}
	f.length(4, length)
	return f, nil
}

// readPayload takes null, nothing and (in an answer) any other value that is no
// object for an empty object: what a station answered is not worth losing the
// answer.
func (f *Frame) readPayload(n jsondoc.Node, path string) {
	switch n.Kind() {
	case jsondoc.Object:
		f.Payload = n
	case jsondoc.None:
		f.quirk(QuirkFrame, path, "no payload")
	case jsondoc.Null:
		f.quirk(QuirkNull, path, "payload is null")
	default:
		f.quirk(QuirkFrame, path, "payload is a "+n.Kind().String())
	}
}

func (f *Frame) readError(code, description, details jsondoc.Node, length int) {
	text, _ := code.String()
	f.Code = ErrorCode(Clip(text, maxActionLength))
	if f.Code == "" {
		f.quirk(QuirkFrame, "/2", "no error code")
	}
	text, _ = description.String()
	f.Description = Clip(text, 255)
	f.Details = details
	f.length(5, length)
}

func (f *Frame) length(want, got int) {
	if got > want {
		f.quirk(QuirkFrame, "", fmt.Sprintf("%d elements instead of %d", got, want))
	} else if got < want && (f.Type == CallError || f.Type == CallResultError) {
		f.quirk(QuirkFrame, "", fmt.Sprintf("%d elements instead of %d", got, want))
	}
}

// broken makes the error of a frame that is no JSON, or JSON we refuse, from
// what was read before it broke off.
func broken(d *jsondoc.Doc, v Version, err error) *FrameError {
	reason := "the frame is no JSON"
	switch {
	case errors.Is(err, jsondoc.ErrTooDeep):
		reason = fmt.Sprintf("arrays and objects nest deeper than %d", jsondoc.MaxDepth)
	case errors.Is(err, jsondoc.ErrTooLarge):
		reason = "the frame has too many values"
	case errors.Is(err, jsondoc.ErrDuplicateKey):
		reason = "an object has two members of the same name"
	}
	e := refuse(v, reason, err)
	root := d.Root()
	if root.Kind() != jsondoc.Array || root.Len() == 0 {
		return e
	}
	var el [3]jsondoc.Node
	n := 0
	for c := range root.All() {
		if n == min(len(el), root.Len()) {
			break
		}
		el[n] = c
		n++
	}
	t, fit := el[0].Int()
	if !fit.OK() || t < 0 || t > 255 {
		return e
	}
	e.Type = Type(t)
	if e.Type != Call {
		// An answer or a SEND is never answered, and of an unknown type nobody
		// knows.
		e.Answer = false
		return e
	}
	var f Frame
	if f.readID(v, el[1]) != nil {
		return e
	}
	e.ID, e.RawID, e.Answer = f.ID, f.RawID, true
	e.Code = v.FormatCode()
	if el[2].Kind() == jsondoc.String {
		e.Action = string(truncate(el[2].Text(), maxActionLength))
	}
	return e
}

// refuse is the error of a frame of which not even the id is known: 2.x answers
// with the id -1, 1.6 has no answer.
func refuse(v Version, reason string, err error) *FrameError {
	e := &FrameError{Code: v.FrameCode(), Reason: reason, Err: err}
	if v != V16 {
		e.Answer, e.ID, e.RawID = true, UnreadableID, []byte(`"`+UnreadableID+`"`)
	}
	return e
}

func unknownType(v Version, t int64, id jsondoc.Node) *FrameError {
	e := refuse(v, fmt.Sprintf("message type %d is not known", t), nil)
	e.Code = MessageTypeNotSupported
	if t >= 0 && t <= 255 {
		e.Type = Type(t)
	}
	e.Answer = v == V201
	var f Frame
	if f.readID(v, id) == nil {
		e.ID, e.RawID = f.ID, f.RawID
	}
	return e
}

// truncate cuts b to at most n bytes without splitting a character.
func truncate(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return bytes.Clone(b[:n])
}
