// Package ocppj frames and unframes OCPP-J messages of 1.6, 2.0.1 and 2.1.
//
// It knows the envelope only: what kind of message a frame is, its id, its
// action, where the payload lies. What a payload must look like is in spec, what
// it means to us in v16 and v2. There are no sockets here, no state between two
// frames and no opinion on whom to serve.
//
// Reading is tolerant, for a station cannot be repaired by refusing it: an id
// that is a number or too long, a null payload, elements too many or bytes after
// the frame are kept and reported as Quirks. A frame that really cannot be
// understood comes back as a *FrameError, which knows the answer the version
// wants. Writing is strict: what the builders make is valid if the payload is.
package ocppj

// Version is a protocol version.
type Version uint8

// The versions. The zero Version is none of them.
const (
	V16 Version = iota + 1
	V201
	V21
)

// Versions are all versions, oldest first.
func Versions() []Version { return []Version{V16, V201, V21} }

// String is the name of the WebSocket subprotocol.
func (v Version) String() string {
	switch v {
	case V16:
		return "ocpp1.6"
	case V201:
		return "ocpp2.0.1"
	case V21:
		return "ocpp2.1"
	default:
		return "no version"
	}
}

// VersionOf finds the version of a WebSocket subprotocol.
func VersionOf(subprotocol string) (Version, bool) {
	for _, v := range Versions() {
		if v.String() == subprotocol {
			return v, true
		}
	}
	return 0, false
}

// Type is the message type number of a frame.
type Type uint8

// The message types. The last two exist in 2.1 only.
const (
	Call            Type = 2
	CallResult      Type = 3
	CallError       Type = 4
	CallResultError Type = 5
	Send            Type = 6
)

func (t Type) String() string {
	switch t {
	case Call:
		return "CALL"
	case CallResult:
		return "CALLRESULT"
	case CallError:
		return "CALLERROR"
	case CallResultError:
		return "CALLRESULTERROR"
	case Send:
		return "SEND"
	default:
		return "unknown message type"
	}
}

// in says whether the version has that message type.
func (t Type) in(v Version) bool {
	return t >= Call && t <= CallError || v == V21 && (t == CallResultError || t == Send)
}

// Quirk is one way in which a message strays from the specification and was
// read nevertheless. Code and Path together name a kind of quirk, so array
// indexes stand as *, and both come from a small set; Detail is for people.
type Quirk struct {
	Code   string
	Path   string
	Detail string
}

// String is the name under which a quirk is counted: "tooLong:/model".
func (q Quirk) String() string { return q.Code + ":" + q.Path }

// The codes that framing, check and decoders share, so that what two of them
// see is counted once.
const (
	QuirkMissing      = "missing"      // a required field is absent or null
	QuirkUnknownField = "unknownField" // a field the specification does not have
	QuirkWrongType    = "wrongType"    // another JSON type than specified
	QuirkTooLong      = "tooLong"      // a text above its maximum length
	QuirkUnknownEnum  = "unknownEnum"  // a word the list does not have
	QuirkOutOfRange   = "outOfRange"   // a number outside its range or step
	QuirkItems        = "itemCount"    // too few or too many elements
	QuirkBadTime      = "badTime"      // a date-time that cannot be read
	QuirkTimeForm     = "timeForm"     // a date-time in another form, but readable
	QuirkNoZone       = "noZone"       // a date-time without zone, read as UTC
	QuirkClockUnset   = "clockUnset"   // a date-time before OCPP existed
	QuirkNull         = "null"         // null for an optional field
	QuirkBadURI       = "badURI"       // an address that is none
	QuirkUnreadable   = "unreadable"   // a value from which nothing can be made
	QuirkNegativeID   = "negativeID"   // a transaction id below zero
	QuirkNotUTF8      = "notUTF8"      // bytes that are no UTF-8, replaced
	QuirkMessageID    = "messageID"    // an id that is no string of 1 to 36 characters
	QuirkFrame        = "frame"        // an envelope with elements missing or too many
	QuirkTrailing     = "trailing"     // bytes after the frame
)
