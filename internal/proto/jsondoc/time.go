package jsondoc

import (
	"slices"
	"time"
)

// ParseTime reads a date-time of RFC 3339. Lower-case t and z are Exact. A time
// without zone is taken as UTC and reported as Zoneless. A blank instead of the
// T, an hour of one digit, a zone without colon or minutes, a comma before the
// fraction and missing seconds are Coerced. Days that do not exist are Unreadable.
func ParseTime(b []byte) (time.Time, Fit) {
	f := Exact
	if t := trim(b); len(t) != len(b) {
		b, f = t, Coerced
	}
	if len(b) >= 15 && b[12] == ':' { // 2006-01-02T9:04
		b, f = slices.Insert(slices.Clone(b), 11, '0'), Coerced
	}
	// 2006-01-02T15:04
	if len(b) < 16 || b[4] != '-' || b[7] != '-' || b[13] != ':' {
		return time.Time{}, Unreadable
	}
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return time.Time{}, Unreadable
	}
	switch b[10] {
	case 'T', 't':
	case ' ':
		f = Coerced
	default:
		return time.Time{}, Unreadable
	}
	b = b[16:]
	second, nanos := 0, 0
	if len(b) >= 3 && b[0] == ':' {
		var ok bool
		if second, ok = digits(b[1:3]); !ok {
			return time.Time{}, Unreadable
		}
		b = b[3:]
		if len(b) > 1 && (b[0] == '.' || b[0] == ',') && b[1]-'0' <= 9 {
			if b[0] == ',' {
				f = Coerced
			}
			nanos, b = fraction(b[1:])
		}
	} else {
		f = Coerced
	}
	offset := 0
	switch {
	case len(b) == 0:
		f = min(f, Zoneless)
	case len(b) == 1 && b[0]|0x20 == 'z':
	default:
		var ok, colon bool
		if offset, colon, ok = zone(b); !ok {
			return time.Time{}, Unreadable
		}
		if !colon {
			f = Coerced
		}
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, Unreadable
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if offset != 0 {
		t = t.Add(-time.Duration(offset) * time.Second)
	}
	return t, f
}

func digits(b []byte) (int, bool) {
	v := 0
	for _, c := range b {
		if c -= '0'; c > 9 {
			return 0, false
		}
		v = v*10 + int(c)
	}
	return v, true
}

// fraction reads the digits at the start of b as a fraction of a second; what
// is finer than a nanosecond is cut off.
func fraction(b []byte) (nanos int, rest []byte) {
	scale := 100_000_000
	for len(b) > 0 && b[0]-'0' <= 9 {
		nanos += int(b[0]-'0') * scale
		scale /= 10
		b = b[1:]
	}
	return nanos, b
}

// zone reads +hh:mm, +hhmm or +hh as seconds east of UTC.
func zone(b []byte) (seconds int, colon, ok bool) {
	sign := 1
	switch b[0] {
	case '+':
	case '-':
		sign = -1
	default:
		return 0, false, false
	}
	b = b[1:]
	if len(b) == 5 && b[2] == ':' {
		colon = true
		b = []byte{b[0], b[1], b[3], b[4]}
	}
	if len(b) != 2 && len(b) != 4 {
		return 0, false, false
	}
	hours, ok := digits(b[:2])
	minutes := 0
	if ok && len(b) == 4 {
		minutes, ok = digits(b[2:])
	}
	if !ok || hours > 23 || minutes > 59 {
		return 0, false, false
	}
	return sign * (hours*3600 + minutes*60), colon, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
