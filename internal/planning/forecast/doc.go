// Package forecast says how much a site will be used in the coming hours and
// days, how sure that is, and how good such forecasts of this site have been.
//
// It promises never to know the future: a forecast of an hour, h hours ahead, is
// made of nothing that was measured later than h hours before, be it today or in
// the rehearsal of the past weeks that weighs the models and measures their
// error. What was not observed is not zero: it is left out of fits, figures and
// bands alike. Simple models stay in the race, since on many sites nothing beats
// them, and every forecast is published beside their errors.
package forecast

import (
	"math"
	"time"
)

// Hours of a day and of a week.
const (
	day  = 24
	week = 168
)

// Series is one quantity of one site, hour by hour.
type Series struct {
	Start time.Time // of the first hour, UTC, a whole hour
	// Y are the hours; NaN was not observed.
	Y []float64
	// Late is the same quantity in the last quarter of each hour, in the unit of Y:
	// what tells most of the hour that follows. Nil or NaN: not known.
	Late []float64
	// Stays are those who brought the quantity about, by their coming. They say how
	// much of it will go on. May be empty.
	Stays []Stay
	Zone  *time.Location
	// DayOff says of a local date whether people stay at home; nil: never.
	DayOff func(year int, month time.Month, day int) bool
	// Most bounds the quantity, as ports bound busy ports; zero: nothing does.
	Most float64
}

type dayKind uint8

// A day is as usual, off, the first after a day off, or between one and a weekend.
const (
	usual dayKind = iota
	dayOff
	dayAfter
	bridge
)

// calendar is what the clock on the wall says of each hour, those to come
// included.
type calendar struct {
	hour  []int // of the week, 0 is Monday 00:00
	shift []int // offset of the zone, hours
	kind  []dayKind
	round [day][2]float64 // sine and cosine of the hour of the day
}

func (s *Series) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}

func (s *Series) calendar(n int) *calendar {
	c := &calendar{hour: make([]int, n), shift: make([]int, n), kind: make([]dayKind, n)}
	for hour := range c.round {
		c.round[hour][0], c.round[hour][1] = math.Sincos(2 * math.Pi * float64(hour) / day)
	}
	off := func(t time.Time) bool { return s.DayOff != nil && s.DayOff(t.Date()) }
	zone := s.zone()
	date, kind := -1, usual
	for i := range n {
		t := s.Start.Add(time.Duration(i) * time.Hour).In(zone)
		weekday := (int(t.Weekday()) + 6) % 7
		_, seconds := t.Zone()
		c.hour[i] = weekday*day + t.Hour()
		c.shift[i] = int(math.Round(float64(seconds) / 3600))
		if t.YearDay() != date {
			date, kind = t.YearDay(), usual
			before, after := t.AddDate(0, 0, -1), t.AddDate(0, 0, 1)
			switch {
			case off(t):
				kind = dayOff
			case weekday == 4 && off(before), weekday == 0 && off(after):
				kind = bridge
			case weekday < 5 && off(before):
				kind = dayAfter
			}
		}
		c.kind[i] = kind
	}
	return c
}

// back is the hour at which the clock on the wall showed what it shows at t, so
// many hours before; a change of the clock between moves it. It is never later
// than t-h: where that moved it there, it is the one of a day before.
func (c *calendar) back(t, hours, h int) int {
	i := t - hours
	if i < 0 {
		return i
	}
	i += c.shift[t] - c.shift[i]
	if i > t-h {
		i -= day
	}
	return i
}

func (c *calendar) weekend(t int) bool { return c.hour[t] >= 5*day }

// value is y at i, NaN outside.
func value(y []float64, i int) float64 {
	if i < 0 || i >= len(y) {
		return math.NaN()
	}
	return y[i]
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
