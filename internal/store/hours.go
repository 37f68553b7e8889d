package store

import (
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/week"
)

// Hours are times of the week on the clock of a place. From after To goes over
// midnight and belongs to the day it begins on; equal ones are the whole day.
type Hours struct {
	Days     []string `json:"days" required:"false" doc:"mon to sun; none: every day" maxItems:"7"`
	From     string   `json:"from" doc:"such as 22:00" maxLength:"5"`
	To       string   `json:"to" doc:"such as 06:00" maxLength:"5"`
	TimeZone string   `json:"timeZone" doc:"such as Europe/Berlin" maxLength:"64"`
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

// timeOfDay reads a time at which something begins or ends; midnight is 00:00.
func timeOfDay(field, text string) (int, error) {
	minute, ok := week.Minute(text)
	if !ok || minute == week.MinutesOfDay {
		return 0, &InvalidError{field, fmt.Sprintf("%q is not a time of the day like 22:00", text)}
	}
	return minute, nil
}

// span reads the hours; field is where they stand.
func (h *Hours) span(field string) (week.Span, error) {
	var out week.Span
	for i, name := range h.Days {
		d, ok := week.Day(name)
		if !ok || len(name) != 3 {
			return out, &InvalidError{fmt.Sprintf("%s.days[%d]", field, i), "must be mon, tue, wed, thu, fri, sat or sun"}
		}
		out.Days |= week.On(d)
	}
	if len(h.Days) == 0 {
		out.Days = week.Every
	}
	var err error
	if out.From, err = timeOfDay(field+".from", h.From); err != nil {
		return out, err
	}
	out.To, err = timeOfDay(field+".to", h.To)
	return out, err
}

func (h *Hours) validate(field string) error {
	if _, err := h.span(field); err != nil {
		return err
	}
	if _, err := zone(h.TimeZone); err != nil {
		return &InvalidError{field + ".timeZone", err.Error()}
	}
	return nil
}

// Until returns when the hours that t lies in end; zero if it lies in none.
func (h *Hours) Until(t time.Time) time.Time {
	loc, err := zone(h.TimeZone)
	if err != nil {
		return time.Time{}
	}
	span, err := h.span("")
	if err != nil {
		return time.Time{}
	}
	return span.Until(t, loc)
}
