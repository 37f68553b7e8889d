// Package week tells the times of a week by the clock of a place, such as Friday
// from 22:00 to 06:00.
//
// Quiet hours, calendars of those on call, maintenance windows, the arming of
// sites and the schedules of doors mean the same by it, on the two days a year on
// which the clock is changed too.
package week

import (
	"fmt"
	"strings"
	"time"
)

// MinutesOfDay is the end of a day, 24:00.
const MinutesOfDay = 24 * 60

// Days are days of the week.
type Days uint8

// Every is all seven.
const Every Days = 1<<7 - 1

// On collects days.
func On(days ...time.Weekday) Days {
	var d Days
	for _, x := range days {
		d |= 1 << x
	}
	return d
}

// Has reports whether a day is among them.
func (d Days) Has(day time.Weekday) bool { return d&(1<<day) != 0 }

// Day reads the name of a day, of which its first letters are enough: two at
// least.
func Day(text string) (time.Weekday, bool) {
	if len(text) < 2 {
		return 0, false
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.HasPrefix(strings.ToLower(d.String()), text) {
			return d, true
		}
	}
	return 0, false
}

// Span is a time of some days, in minutes of the day. One that ends at or before
// its begin goes into the next day and belongs to the one it begins on.
type Span struct {
	Days     Days
	From, To int
}

// Valid reports whether it has days and times of a day.
func (s Span) Valid() bool {
	return s.Days != 0 && s.Days <= Every && s.From >= 0 && s.From < MinutesOfDay && s.To >= 0 && s.To <= MinutesOfDay
}

// Minute reads a time of the day like 22:00 as minutes; 24:00 is the end of a day.
func Minute(text string) (minute int, ok bool) {
	if len(text) != 5 || text[2] != ':' {
		return 0, false
	}
	for _, i := range [...]int{0, 1, 3, 4} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	h, m := int(text[0]-'0')*10+int(text[1]-'0'), int(text[3]-'0')*10+int(text[4]-'0')
	return h*60 + m, m < 60 && (h < 24 || h == 24 && m == 0)
}

// Clock is how a minute of the day is written.
func Clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// Shown reports whether a clock that shows this day and minute is within the span.
func (s Span) Shown(day time.Weekday, minute int) bool {
	if s.To > s.From {
		return s.Days.Has(day) && minute >= s.From && minute < s.To
	}
	return s.Days.Has(day) && minute >= s.From || s.Days.Has((day+6)%7) && minute < s.To
}

// Begun returns when the span that begins on a day of a place begins and ends; ok
// says that there is one.
func (s Span) Begun(y int, m time.Month, d int, place *time.Location) (from, to time.Time, ok bool) {
	if !s.Days.Has(time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Weekday()) {
		return from, to, false
	}
	from = Wall(y, m, d, s.From, place)
	if s.To <= s.From {
		d++
	}
	return from, Wall(y, m, d, s.To, place), true
}

// Until returns when the span that t lies in ends; zero if it lies in none.
func (s Span) Until(t time.Time, place *time.Location) time.Time {
	y, m, d := t.In(place).Date()
	for _, day := range [...]int{d, d - 1} {
		if from, to, ok := s.Begun(y, m, day, place); ok && !t.Before(from) && t.Before(to) {
			return to
		}
	}
	return time.Time{}
}

// Around reports whether t lies in one of some spans, and the next time at which
// one of them begins or ends; zero if there are none.
func Around(spans []Span, t time.Time, place *time.Location) (within bool, next time.Time) {
	y, m, d := t.In(place).Date()
	for _, s := range spans {
		for day := -1; day <= 8; day++ { // yesterday's may still run
			from, to, ok := s.Begun(y, m, d+day, place)
			if !ok {
				continue
			}
			within = within || !t.Before(from) && t.Before(to)
			for _, x := range [...]time.Time{from, to} {
				if x.After(t) && (next.IsZero() || x.Before(next)) {
					next = x
				}
			}
		}
	}
	return within, next
}

// Wall is when the clock of a place shows a minute of a day. Of one that comes
// twice, as the clock is put back, it is the first; one that never comes, as the
// clock is put forward, is as late as it would have been.
func Wall(y int, m time.Month, d, minute int, place *time.Location) time.Time {
	t := time.Date(y, m, d, minute/60, minute%60, 0, 0, place)
	_, before := t.Add(-24 * time.Hour).Zone()
	first := time.Date(y, m, d, minute/60, minute%60, 0, 0, time.UTC).Add(-time.Duration(before) * time.Second).In(place)
	if first.Before(t) && first.Hour() == t.Hour() && first.Minute() == t.Minute() {
		return first
	}
	return t
}
