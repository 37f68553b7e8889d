package ocppj

// ErrorCode is the code of a CALLERROR or CALLRESULTERROR.
type ErrorCode string

// The codes. FormationViolation and OccurenceConstraintViolation are how 1.6
// spells FormatViolation and OccurrenceConstraintViolation; its errata forbid to
// correct them. Use the methods of Version to get the right one.
const (
	NotImplemented                ErrorCode = "NotImplemented"
	NotSupported                  ErrorCode = "NotSupported"
	InternalError                 ErrorCode = "InternalError"
	ProtocolError                 ErrorCode = "ProtocolError"
	SecurityError                 ErrorCode = "SecurityError"
	FormationViolation            ErrorCode = "FormationViolation"
	FormatViolation               ErrorCode = "FormatViolation"
	PropertyConstraintViolation   ErrorCode = "PropertyConstraintViolation"
	OccurenceConstraintViolation  ErrorCode = "OccurenceConstraintViolation"
	OccurrenceConstraintViolation ErrorCode = "OccurrenceConstraintViolation"
	TypeConstraintViolation       ErrorCode = "TypeConstraintViolation"
	GenericError                  ErrorCode = "GenericError"
	MessageTypeNotSupported       ErrorCode = "MessageTypeNotSupported"
	RPCFrameworkError             ErrorCode = "RpcFrameworkError"
)

// FormatCode is the code for a payload that is no JSON or breaks the syntax of
// its action.
func (v Version) FormatCode() ErrorCode {
	if v == V16 {
		return FormationViolation
	}
	return FormatViolation
}

// OccurrenceCode is the code for a field too few or too many.
func (v Version) OccurrenceCode() ErrorCode {
	if v == V16 {
		return OccurenceConstraintViolation
	}
	return OccurrenceConstraintViolation
}

// FrameCode is the code for a frame that is no OCPP-J message.
func (v Version) FrameCode() ErrorCode {
	if v == V16 {
		return FormationViolation
	}
	return RPCFrameworkError
}

// Has says whether the version defines the code.
func (v Version) Has(c ErrorCode) bool {
	switch c {
	case NotImplemented, NotSupported, InternalError, ProtocolError, SecurityError,
		PropertyConstraintViolation, TypeConstraintViolation, GenericError:
		return v != 0
	case FormationViolation, OccurenceConstraintViolation:
		return v == V16
	case FormatViolation, OccurrenceConstraintViolation, MessageTypeNotSupported, RPCFrameworkError:
		return v == V201 || v == V21
	default:
		return false
	}
}
