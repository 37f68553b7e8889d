package ocppj

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendCall writes a CALL. The payload is JSON and not looked at; nothing
// stands for an empty object.
func AppendCall(dst []byte, id, action string, payload []byte) []byte {
	return appendRequest(dst, Call, id, action, payload)
}

// AppendSend writes a SEND, the message of 2.1 that gets no answer.
func AppendSend(dst []byte, id, action string, payload []byte) []byte {
	return appendRequest(dst, Send, id, action, payload)
}

func appendRequest(dst []byte, t Type, id, action string, payload []byte) []byte {
	dst = append(dst, '[', '0'+byte(t), ',')
	dst = AppendString(dst, id)
	dst = append(dst, ',')
	dst = AppendString(dst, action)
	dst = append(dst, ',')
	return append(appendObject(dst, payload), ']')
}

// AppendResultHead writes a CALLRESULT up to its payload; the caller appends
// the payload and the closing bracket. It saves the hot path a copy. RawID is
// Frame.RawID.
func AppendResultHead(dst, rawID []byte) []byte {
	return append(appendID(append(dst, '[', '0'+byte(CallResult), ','), rawID), ',')
}

// AppendResult writes a CALLRESULT.
func AppendResult(dst, rawID, payload []byte) []byte {
	return append(appendObject(AppendResultHead(dst, rawID), payload), ']')
}

// AppendError writes a CALLERROR. Details are JSON of an object, or nothing. The
// description is cut to the 255 characters that OCPP allows.
func AppendError(dst, rawID []byte, code ErrorCode, description string, details []byte) []byte {
	return appendError(dst, CallError, rawID, code, description, details)
}

// AppendResultError writes a CALLRESULTERROR, with which 2.1 says that an
// answer could not be understood.
func AppendResultError(dst, rawID []byte, code ErrorCode, description string, details []byte) []byte {
	return appendError(dst, CallResultError, rawID, code, description, details)
}

func appendError(dst []byte, t Type, rawID []byte, code ErrorCode, description string, details []byte) []byte {
	dst = append(dst, '[', '0'+byte(t), ',')
	dst = appendID(dst, rawID)
	dst = append(dst, ',')
	dst = AppendString(dst, string(code))
	dst = append(dst, ',')
	dst = AppendString(dst, Clip(description, 255))
	dst = append(dst, ',')
	return append(appendObject(dst, details), ']')
}

func appendID(dst, rawID []byte) []byte {
	if len(rawID) == 0 {
		return append(dst, `"`+UnreadableID+`"`...)
	}
	return append(dst, rawID...)
}

func appendObject(dst, payload []byte) []byte {
	if len(payload) == 0 {
		return append(dst, '{', '}')
	}
	return append(dst, payload...)
}

// RawID is the JSON of an id, for those who have only its text.
func RawID(id string) []byte { return AppendString(nil, id) }

// AppendString writes s as a JSON string. What is no UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, s[from:i]...)
			dst = appendEscaped(dst, c)
			from = i + 1
		}
		i++
	}
	return append(append(dst, s[from:]...), '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}

// AppendInt writes a whole number.
func AppendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// Clip cuts s to at most n characters.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// AppendFloat writes a finite number, in digits rather than with an exponent; of
// what is not finite JSON has no form, so it becomes 0.
func AppendFloat(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

// AppendTime writes a date-time in UTC with milliseconds, which is as fine as
// stations are known to read.
func AppendTime(dst []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z"), '"')
}
