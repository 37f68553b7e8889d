// Package pattern tells when, how much and how well places are used, from the
// quarter hours that usage/rollup counts.
//
// Shares have one of two denominators and say which: operative time, in which a
// port was observed and neither faulted nor out of service, and calendar time,
// which is all of it. Hours of the day and days of the week are those of a
// place, so a day has 23, 24 or 25 of them. What is not known is NaN, never
// zero.
package pattern

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Measure is what a map of the week shows.
type Measure string

// The measures.
const (
	Occupied Measure = "occupied" // share of operative time with a car plugged in
	Charging Measure = "charging" // share of operative time in which power flows
	Energy   Measure = "energy"   // Wh in an hour
	Starts   Measure = "starts"   // sessions that begin in an hour
	AllBusy  Measure = "allBusy"  // share of the time in which any port is operative, and none of them free
)

// Hours of a week; the first is that after midnight on Monday.
const hoursOfWeek = 7 * 24

// tally adds up cells.
type tally struct {
	rollup.Cell
	open    int64   // ms of places in which any port was operative
	allBusy int64   // of these, in which none of them was free
	hours   float64 // ms of time, as far as ports were observed
}

func (t *tally) add(g *rollup.Grid, i int) {
	c := &g.Cells[i]
	calendar := int64(0)
	for s, ms := range c.Millis {
		t.Millis[s] += ms
		calendar += ms
	}
	t.Starts += c.Starts
	t.MilliWh += c.MilliWh
	if calendar == 0 {
		return
	}
	t.hours += float64(g.Counted[i]) * (1 - float64(c.Millis[rollup.Unobserved])/float64(calendar))
	t.open += g.Open[i]
	t.allBusy += g.AllBusy[i]
}

func (t *tally) calendar() (ms int64) {
	for _, x := range t.Millis {
		ms += x
	}
	return ms
}

func (t *tally) operative() int64 {
	return t.calendar() - t.Millis[rollup.Unobserved] - t.Millis[rollup.Faulted] - t.Millis[rollup.Unavailable]
}

func (t *tally) observed() int64 { return t.calendar() - t.Millis[rollup.Unobserved] }

// value is the measure of what was added, NaN if that tells nothing of it.
func (t *tally) value(m Measure) float64 {
	const hour = float64(time.Hour / time.Millisecond)
	switch m {
	case Occupied:
		return ratio(float64(t.Occupied()), float64(t.operative()))
	case Charging:
		return ratio(float64(t.Millis[rollup.Charging]), float64(t.operative()))
	case Energy:
		return ratio(float64(t.MilliWh)/1000, t.hours/hour)
	case Starts:
		return ratio(float64(t.Starts), t.hours/hour)
	case AllBusy:
		return ratio(float64(t.allBusy), float64(t.open))
	}
	return math.NaN()
}

func ratio(part, of float64) float64 {
	if of <= 0 {
		return math.NaN()
	}
	return part / of
}

// clock tells hours of the day and days of the week of a place. It asks the zone
// once an hour.
type clock struct {
	zone    *time.Location
	until   time.Time
	hour    int
	weekday int // 0 is Monday
	week    int // days from 1970 to its Monday, by the calendar of the place
}

func (c *clock) at(t time.Time) {
	if t.Before(c.until) {
		return
	}
	l := t.In(c.zone)
	c.hour, c.weekday = l.Hour(), (int(l.Weekday())+6)%7
	day := int(time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86_400)
	c.week = day - c.weekday
	// Zones change at quarter hours.
	c.until = t.Truncate(rollup.CellLength).Add(rollup.CellLength)
}

// HourOfWeek is one cell of a map of the week.
type HourOfWeek struct {
	Weekday int // 1 is Monday
	Hour    int
	Value   float64 // NaN: not known
	Weeks   int     // in which it was observed
}

// Week is the map of a week.
func Week(g *rollup.Grid, zone *time.Location, m Measure) []HourOfWeek {
	sums, weeks := weekly(g, zone)
	out := make([]HourOfWeek, hoursOfWeek)
	for h := range out {
		out[h] = HourOfWeek{Weekday: h/24 + 1, Hour: h % 24, Value: sums[h].value(m), Weeks: len(weeks[h])}
	}
	return out
}

// weekly adds up the hours of the week, together and by week.
func weekly(g *rollup.Grid, zone *time.Location) ([]tally, []map[int]*tally) {
	sums, weeks := make([]tally, hoursOfWeek), make([]map[int]*tally, hoursOfWeek)
	c := clock{zone: zone}
	for i := range g.Cells {
		if g.Counted[i] == 0 {
			continue
		}
		c.at(g.At(i))
		h := c.weekday*24 + c.hour
		sums[h].add(g, i)
		if weeks[h] == nil {
			weeks[h] = make(map[int]*tally)
		}
		w := weeks[h][c.week]
		if w == nil {
			w = new(tally)
			weeks[h][c.week] = w
		}
		w.add(g, i)
	}
	for h := range weeks {
		for k, w := range weeks[h] {
			if w.observed() == 0 {
				delete(weeks[h], k)
			}
		}
	}
	return sums, weeks
}

// Observed is for how long ports were observed, in days of the place: two ports
// for a day make one.
func Observed(g *rollup.Grid) time.Duration {
	var t tally
	for i := range g.Cells {
		t.add(g, i)
	}
	return time.Duration(t.hours) * time.Millisecond
}
