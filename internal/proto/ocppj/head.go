package ocppj

import (
	"bytes"
	"encoding/json"
)

// Head reads the type and the id of a message and nothing behind them: what a
// relay must know before it passes a frame on. It is as tolerant as Parse where a
// message could be an answer; what it cannot read it leaves to others.
func Head(frame []byte) (t Type, id string, ok bool) {
	rest := trim(frame)
	if len(rest) == 0 || rest[0] != '[' {
		return 0, "", false
	}
	number, rest, ok := token(trim(rest[1:]))
	if !ok {
		return 0, "", false
	}
	number = bytes.Trim(number, `"`)
	if len(number) != 1 || number[0] < '0' || number[0] > '9' {
		return 0, "", false
	}
	text, _, ok := token(rest)
	if !ok || len(text) == 0 {
		return 0, "", false
	}
	if text[0] == '"' {
		if id, ok = unquoted(text); !ok {
			return 0, "", false
		}
	} else {
		id = string(text)
	}
	if id == "" || len(id) > keptIDLength {
		return 0, "", false
	}
	return Type(number[0] - '0'), id, true
}

// token takes a number or a string and the comma behind it.
func token(b []byte) (text, rest []byte, ok bool) {
	n := 0
	if len(b) > 0 && b[0] == '"' {
		for n = 1; n < len(b) && b[n] != '"'; n++ {
			if b[n] == '\\' {
				n++
			}
		}
		if n >= len(b) {
			return nil, nil, false
		}
		n++
	} else {
		for n < len(b) && (b[n] >= '0' && b[n] <= '9' || b[n] == '-' || b[n] == '+' || b[n] == '.' || b[n] == 'e' || b[n] == 'E') {
			n++
		}
	}
	text, rest = b[:n], trim(b[n:])
	if len(text) == 0 || len(rest) == 0 || rest[0] != ',' {
		return nil, nil, false
	}
	return text, trim(rest[1:]), true
}

func unquoted(text []byte) (string, bool) {
	inner := text[1 : len(text)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return "", false
	}
	return s, true
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}
