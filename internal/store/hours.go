package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hours are times of the week on the clock of a place. From after To goes over
// midnight and belongs to the day it begins on; equal ones are the whole day.
type Hours struct {
	Days     []string `json:"days" required:"false" doc:"mon to sun; none: every day" maxItems:"7"`
	From     string   `json:"from" doc:"such as 22:00" maxLength:"5"`
	To       string   `json:"to" doc:"such as 06:00" maxLength:"5"`
	TimeZone string   `json:"timeZone" doc:"such as Europe/Berlin" maxLength:"64"`
}

func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// clock reads 22:00 as minutes of the day.
func clock(text string) (int, error) {
	h, m, ok := strings.Cut(text, ":")
	hours, err1 := strconv.Atoi(h)
	minutes, err2 := strconv.Atoi(m)
	if !ok || len(h) != 2 || len(m) != 2 || err1 != nil || err2 != nil || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, fmt.Errorf("%q is not a time of the day like 22:00", text)
	}
	return hours*60 + minutes, nil
}

// zone loads a place's clock.
func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone like Europe/Berlin", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone like Europe/Berlin", name)
	}
	return loc, nil
}

func (h *Hours) validate(field string) error {
	for i, d := range h.Days {
		if !slices.Contains(weekdays(), d) {
			return &InvalidError{fmt.Sprintf("%s.days[%d]", field, i), "must be mon, tue, wed, thu, fri, sat or sun"}
		}
	}
	if _, err := clock(h.From); err != nil {
		return &InvalidError{field + ".from", err.Error()}
	}
	if _, err := clock(h.To); err != nil {
		return &InvalidError{field + ".to", err.Error()}
	}
	if _, err := zone(h.TimeZone); err != nil {
		return &InvalidError{field + ".timeZone", err.Error()}
	}
	return nil
}

// wall is when the clock of a place shows a time of the day. Of one that comes
// twice, as the clock is put back, it is the first; one that never comes, as the
// clock is put forward, is as late as it would have been.
func wall(y int, m time.Month, d, minutes int, loc *time.Location) time.Time {
	t := time.Date(y, m, d, minutes/60, minutes%60, 0, 0, loc)
	_, before := t.Add(-24 * time.Hour).Zone()
	first := time.Date(y, m, d, minutes/60, minutes%60, 0, 0, time.UTC).Add(-time.Duration(before) * time.Second).In(loc)
	if first.Before(t) && first.Hour() == t.Hour() && first.Minute() == t.Minute() {
		return first
	}
	return t
}

// span returns the hours that begin on the day of t.
func (h *Hours) span(t time.Time, loc *time.Location) (from, to time.Time, ok bool) {
	local := t.In(loc)
	if len(h.Days) > 0 && !slices.Contains(h.Days, weekdays()[local.Weekday()]) {
		return from, to, false
	}
	begin, err1 := clock(h.From)
	end, err2 := clock(h.To)
	if err1 != nil || err2 != nil {
		return from, to, false
	}
	y, m, d := local.Date()
	from = wall(y, m, d, begin, loc)
	if end <= begin {
		d++
	}
	to = wall(y, m, d, end, loc)
	return from, to, true
}

// Until returns when the hours that t lies in end; zero if it lies in none.
func (h *Hours) Until(t time.Time) time.Time {
	loc, err := zone(h.TimeZone)
	if err != nil {
		return time.Time{}
	}
	for _, day := range []time.Time{t, t.In(loc).AddDate(0, 0, -1)} {
		if from, to, ok := h.span(day, loc); ok && !t.Before(from) && t.Before(to) {
			return to
		}
	}
	return time.Time{}
}
