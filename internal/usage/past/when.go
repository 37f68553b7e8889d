package past

import (
	"strconv"
	"strings"
	"time"
)

// stamp is a time as it is written: its date may be read in two ways.
type stamp struct {
	year int16
	p, q uint8 // the two numbers beside the year, in the order in which they stand
	form dateForm
	set  bool
	// timed says that there is a time of day.
	timed  bool
	offset bool
	minute int16 // of the offset
	ms     int32 // of the day
}

type dateForm uint8

const (
	noDate    dateForm = iota
	yearFirst          // 2018-05-06
	yearLast           // 05/06/2018
	dotted             // 05.06.2018
	certain            // a month by name, a number of seconds: p is the month
)

// ambiguous reports whether the date can be read in two ways.
func (s stamp) ambiguous() bool {
	return s.form != certain && s.form != noDate && s.p <= 12 && s.q <= 12 && s.p != s.q
}

// naive is the time as the clock on the wall showed it, in seconds of a calendar
// without a zone. swap takes the second number as the month, where that can be.
func (s stamp) naive(swap bool) int64 {
	month, day := s.p, s.q
	if s.form != certain && (swap && s.q <= 12 || s.p > 12) {
		month, day = s.q, s.p
	}
	return days(int(s.year), int(month), int(day))*86400 + int64(s.ms/1000)
}

// days counts from 1970-01-01.
func days(y, m, d int) int64 {
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// parseStamp reads a date with or without a time, or a time as seconds.
func parseStamp(s string) (stamp, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 80 {
		return stamp{}, false
	}
	if c := s[0]; c >= '0' && c <= '9' {
		if digits(s) == len(s) || strings.Trim(s, "0123456789.") == "" && strings.Count(s, ".") == 1 {
			return parseSerial(s)
		}
		if x, rest, ok := parseNumbers(s); ok {
			return parseClock(x, rest)
		}
	}
	return parseNamed(s)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// parseSerial reads seconds or milliseconds of Unix time, digits without marks and the
// days that spreadsheets count.
func parseSerial(s string) (stamp, bool) {
	whole, _, fraction := strings.Cut(s, ".")
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return stamp{}, false
	}
	switch n := len(whole); {
	case n == 8 && !fraction: // 20180506
		return dateOnly(s[:4], s[4:6], s[6:], yearFirst)
	case n == 14 && !fraction:
		x, ok := dateOnly(s[:4], s[4:6], s[6:8], yearFirst)
		if !ok {
			return stamp{}, false
		}
		return parseClock(x, s[8:10]+":"+s[10:12]+":"+s[12:])
	case n == 10 || n == 9:
		return stampOf(time.UnixMilli(int64(v*1000)).UTC(), true), true
	case n == 13:
		return stampOf(time.UnixMilli(int64(v)).UTC(), true), true
	case n == 5 && v >= 25569 && v < 73000:
		ms := int64(v*86400000+0.5) / 1000 * 1000
		x := stampOf(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(ms)*time.Millisecond), false)
		x.timed = x.timed && fraction
		return x, true
	}
	return stamp{}, false
}

func stampOf(t time.Time, offset bool) stamp {
	return stamp{
		year: int16(t.Year()), p: uint8(t.Month()), q: uint8(t.Day()), form: certain, set: true, timed: true, offset: offset,
		ms: int32(t.Sub(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)) / time.Millisecond),
	}
}

// parseNumbers reads a date of three numbers and returns what stands behind it.
func parseNumbers(s string) (stamp, string, bool) {
	a := digits(s)
	if a == 0 || a > 4 || a == 3 || a >= len(s) {
		return stamp{}, "", false
	}
	sep := s[a]
	if sep != '-' && sep != '/' && sep != '.' {
		return stamp{}, "", false
	}
	b := digits(s[a+1:])
	if b == 0 || b > 2 || a+1+b >= len(s) || s[a+1+b] != sep {
		return stamp{}, "", false
	}
	tail := s[a+b+2:]
	c := digits(tail)
	if c == 0 || c > 4 || c == 3 {
		return stamp{}, "", false
	}
	first, second, third, rest := s[:a], s[a+1:a+1+b], tail[:c], tail[c:]
	form := yearLast
	if sep == '.' {
		form = dotted
	}
	if a == 4 {
		if c == 4 {
			return stamp{}, "", false
		}
		x, ok := dateOnly(first, second, third, yearFirst)
		return x, rest, ok
	}
	if a > 2 {
		return stamp{}, "", false
	}
	x, ok := dateOnly(third, first, second, form)
	return x, rest, ok
}

func dateOnly(year, p, q string, form dateForm) (stamp, bool) {
	y, err1 := strconv.Atoi(year)
	m, err2 := strconv.Atoi(p)
	d, err3 := strconv.Atoi(q)
	if len(year) == 2 {
		y += 2000
	}
	x := stamp{year: int16(y), p: uint8(m), q: uint8(d), form: form, set: true}
	if err1 != nil || err2 != nil || err3 != nil || y < 1900 || y > 2200 || m < 1 || d < 1 || m > 31 || d > 31 || m > 12 && d > 12 {
		return stamp{}, false
	}
	month, day := m, d
	if m > 12 {
		month, day = d, m
	}
	if time.Date(y, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() != day { // the 31st of a shorter month
		if month, day = day, month; month > 12 || time.Date(y, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() != day {
			return stamp{}, false
		}
	}
	return x, true
}

// parseClock reads the time behind a date.
func parseClock(day stamp, rest string) (x stamp, ok bool) {
	x = day
	rest = strings.TrimLeft(rest, " T,t")
	if rest == "" {
		return x, true
	}
	defer func() {
		if ok && x.offset && x.form == yearFirst && x.p <= 12 {
			x.form = certain // a program wrote it that knows what it does
		}
	}()
	ms, tail, ok := clockOf(rest)
	if !ok {
		return stamp{}, false
	}
	x.ms, x.timed = ms, true
	x, ok = parseOffset(x, strings.TrimSpace(tail))
	return x, ok
}

// clockOf reads 9:05, 09:05:07.123, 9:05 pm. 24:00 is the end of the day.
func clockOf(s string) (ms int32, rest string, ok bool) {
	var part [3]int
	n := 0
	rest = s
	for n < 3 {
		d := digits(rest)
		if d == 0 || d > 2 {
			return 0, "", false
		}
		part[n], _ = strconv.Atoi(rest[:d])
		rest = rest[d:]
		if n++; rest == "" || rest[0] != ':' && !(rest[0] == '.' && n < 2) || n == 3 {
			break
		}
		rest = rest[1:]
	}
	if n < 2 || part[0] > 24 || part[1] > 59 || part[2] > 60 || part[0] == 24 && part[1]+part[2] > 0 {
		return 0, "", false
	}
	fraction := 0
	if n == 3 && len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') && digits(rest[1:]) > 0 {
		d := digits(rest[1:])
		f, err := strconv.ParseFloat("0."+rest[1:1+d], 64)
		if err != nil {
			return 0, "", false
		}
		fraction, rest = int(f*1000+0.5), rest[1+d:]
	}
	half := strings.ToLower(strings.TrimLeft(rest, " "))
	for _, word := range []string{"a.m.", "p.m.", "am", "pm"} {
		if !strings.HasPrefix(half, word) {
			continue
		}
		if part[0] > 12 || part[0] == 0 {
			return 0, "", false
		}
		part[0] %= 12
		if word[0] == 'p' {
			part[0] += 12
		}
		rest = half[len(word):]
		break
	}
	return int32(((part[0]*60+part[1])*60+part[2])*1000 + fraction), rest, true
}

// parseOffset reads what says how far from UTC the time is.
func parseOffset(x stamp, s string) (stamp, bool) {
	if i := strings.IndexByte(s, '('); i >= 0 { // a name of the zone in words
		s = strings.TrimSpace(s[:i])
	}
	if s == "" || strings.EqualFold(s, "uhr") || s == "h" {
		return x, true
	}
	for _, utc := range []string{"UTC", "GMT", "Z", "z"} {
		if s == utc {
			x.offset = true
			return x, true
		}
		if len(utc) == 3 && strings.HasPrefix(s, utc) {
			s = s[3:]
			break
		}
	}
	if s[0] != '+' && s[0] != '-' {
		return stamp{}, false
	}
	number := strings.ReplaceAll(s[1:], ":", "")
	if digits(number) != len(number) || len(number) != 2 && len(number) != 4 {
		return stamp{}, false
	}
	v, err := strconv.Atoi(number)
	if err != nil {
		return stamp{}, false
	}
	if len(number) == 2 {
		v *= 100
	}
	if v/100 > 14 || v%100 > 59 {
		return stamp{}, false
	}
	x.minute = int16(v/100*60 + v%100)
	if s[0] == '-' {
		x.minute = -x.minute
	}
	x.offset = true
	return x, true
}

// months are the beginnings of their names in the languages that files come in.
var months = map[string]uint8{
	"jan": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "mrz": 3, "maa": 3, "apr": 4, "avr": 4, "may": 5, "mai": 5, "mei": 5, "mag": 5,
	"jun": 6, "juin": 6, "giu": 6, "jul": 7, "juil": 7, "lug": 7, "aug": 8, "aoû": 8, "aou": 8, "ago": 8, "sep": 9, "set": 9, "oct": 10, "okt": 10, "ott": 10,
	"nov": 11, "dec": 12, "dez": 12, "déc": 12, "des": 12, "dic": 12,
}

func monthOf(word string) (uint8, bool) {
	runes := []rune(strings.ToLower(word))
	for _, n := range []int{4, 3} {
		if len(runes) >= n {
			if m, ok := months[string(runes[:n])]; ok {
				return m, true
			}
		}
	}
	return 0, false
}

// parseNamed reads a date whose month is a word: 25 Apr 2018 11:08, Fri Apr 14 2017
// 00:49:24 GMT+0200, Wed, 25 Apr 2018 11:08:04 GMT.
func parseNamed(s string) (stamp, bool) {
	x := stamp{form: certain, set: true}
	rest := s
	for range 8 {
		rest = strings.TrimLeft(rest, " ,-/")
		if rest == "" {
			break
		}
		if x.year != 0 && x.p != 0 && x.q != 0 {
			if parsed, ok := validNamed(x); ok {
				return parseClock(parsed, rest)
			}
			return stamp{}, false
		}
		if n := digits(rest); n > 0 {
			v, err := strconv.Atoi(rest[:min(n, 5)])
			switch {
			case err != nil || n == 3 || n > 4:
				return stamp{}, false
			case n == 4:
				x.year = int16(v)
			case x.q == 0 && v >= 1 && v <= 31:
				x.q = uint8(v)
			case x.year == 0 && x.p != 0: // 25-Apr-18
				x.year = int16(2000 + v)
			default:
				return stamp{}, false
			}
			rest = strings.TrimPrefix(rest[n:], ".")
			continue
		}
		end := strings.IndexAny(rest, " ,-/0123456789")
		word := rest
		if end >= 0 {
			word = rest[:end]
		}
		if m, ok := monthOf(word); ok && x.p == 0 && word != "" {
			x.p = m
		} else if x.p != 0 {
			return stamp{}, false
		}
		rest = rest[len(word):]
		if word == "" {
			return stamp{}, false
		}
	}
	return validNamed(x)
}

func validNamed(x stamp) (stamp, bool) {
	if x.year < 1900 || x.year > 2200 || x.p == 0 || x.q == 0 {
		return stamp{}, false
	}
	t := time.Date(int(x.year), time.Month(x.p), int(x.q), 0, 0, 0, 0, time.UTC)
	return x, t.Day() == int(x.q)
}

// parseTimeOfDay reads a cell that holds a time only.
func parseTimeOfDay(s string) (ms int32, ok bool) {
	ms, rest, ok := clockOf(strings.TrimSpace(s))
	return ms, ok && strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "Uhr")) == ""
}
