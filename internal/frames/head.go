package frames

import "bytes"

// maxName bounds what Head takes for an id or an action.
const maxName = 64

// Head reads the front of an OCPP-J frame: its type by name, its message id,
// and for a CALL or SEND the action. What is not there or not readable is empty.
func Head(data []byte) (kind, id, about string) {
	rest, ok := after(data, '[')
	if !ok || len(rest) == 0 {
		return "", "", ""
	}
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if len(rest) == 0 {
		return "", "", ""
	}
	number := rest[0]
	if rest, ok = after(rest[1:], ','); !ok {
		return "", "", ""
	}
	switch number {
	case '2':
		kind = "CALL"
	case '3':
		kind = "CALLRESULT"
	case '4':
		kind = "CALLERROR"
	case '5':
		kind = "CALLRESULTERROR"
	case '6':
		kind = "SEND"
	default:
		return "", "", ""
	}
	id, rest = quoted(rest)
	if number == '2' || number == '6' {
		if rest, ok = after(rest, ','); ok {
			about, _ = quoted(rest)
		}
	}
	return kind, id, about
}

func action(data []byte) string {
	_, _, about := Head(data)
	return about
}

func after(data []byte, c byte) ([]byte, bool) {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 || data[0] != c {
		return nil, false
	}
	return data[1:], true
}

// quoted reads a string without escapes.
func quoted(data []byte) (text string, rest []byte) {
	data, ok := after(data, '"')
	if !ok {
		return "", nil
	}
	end := bytes.IndexByte(data, '"')
	if end < 0 || end > maxName || bytes.IndexByte(data[:end], '\\') >= 0 {
		return "", nil
	}
	return string(data[:end]), data[end+1:]
}
