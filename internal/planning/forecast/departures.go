package forecast

import (
	"math"
	"slices"
	"time"
)

// Stay is a car plugged in.
type Stay struct {
	From time.Time
	To   time.Time // zero: it is still there
	// Class tells ports whose cars stay differently, such as AC and DC.
	Class string
	// Weight is what it is of the quantity while it is there: 1 for busy ports, kW
	// for energy.
	Weight float64
}

// Departures says how long a car that has been plugged in for so long will stay:
// the hazard of leaving, minute by minute since it came, by class of port and
// time of day of its coming, learned from ended stays and from those that go on.
type Departures struct {
	zone  *time.Location
	cells map[departureKey]*hazard
}

type departureKey struct {
	class string
	part  int // of the day; -1: all
}

// Cells that saw few departures lean towards those of the whole class with the
// weight of so many.
const priorDepartures = 8

const (
	departureParts = 8
	departureBins  = 24 + 40 + 60
	longestStay    = 72 * 60 // minutes
)

// binOf is the bin of a time since the coming, in minutes, and its bounds.
func binOf(minutes float64) int {
	switch {
	case minutes < 120:
		return int(minutes / 5)
	case minutes < 720:
		return 24 + int((minutes-120)/15)
	case minutes < 4320:
		return 64 + int((minutes-720)/60)
	}
	return departureBins - 1
}

func binFrom(bin int) float64 {
	switch {
	case bin < 24:
		return 5 * float64(bin)
	case bin < 64:
		return 120 + 15*float64(bin-24)
	}
	return 720 + 60*float64(bin-64)
}

// hazard holds departures and minutes at risk, then the sum of the hazard up to
// the start of each bin.
type hazard struct {
	gone, risk [departureBins]float64
	sum        [departureBins + 1]float64
}

func (x *hazard) add(minutes float64, gone bool) {
	minutes = min(minutes, longestStay-1)
	last := binOf(minutes)
	for bin := range last {
		x.risk[bin] += binFrom(bin+1) - binFrom(bin)
	}
	x.risk[last] += minutes - binFrom(last)
	if gone {
		x.gone[last]++
	}
}

func (x *hazard) finish(prior *hazard) {
	for bin := range departureBins {
		gone, risk := x.gone[bin], x.risk[bin]
		if prior != nil && prior.gone[bin] > 0 && prior.risk[bin] > 0 {
			gone += priorDepartures
			risk += priorDepartures * prior.risk[bin] / prior.gone[bin]
		} else if prior != nil {
			gone, risk = prior.gone[bin], prior.risk[bin]
		}
		rate := 1.0 / longestStay
		if gone > 0 {
			rate = min(gone/risk, 1) // all leave where nobody stayed on
		}
		x.sum[bin+1] = x.sum[bin] + rate*(binFrom(bin+1)-binFrom(bin))
	}
}

func (x *hazard) upTo(minutes float64) float64 {
	minutes = max(0, min(minutes, longestStay-1))
	bin := binOf(minutes)
	width := binFrom(bin+1) - binFrom(bin)
	return x.sum[bin] + (x.sum[bin+1]-x.sum[bin])*(minutes-binFrom(bin))/width
}

// LearnDepartures reads the stays that were known at now; what came later is not
// looked at, and who left later counts as still there.
func LearnDepartures(stays []Stay, now time.Time, zone *time.Location) *Departures {
	d := &Departures{zone: zone, cells: make(map[departureKey]*hazard)}
	for i := range stays {
		s := &stays[i]
		if !s.From.Before(now) {
			continue
		}
		gone := !s.To.IsZero() && !s.To.After(now)
		end := now
		if gone {
			end = s.To
		}
		minutes := end.Sub(s.From).Minutes()
		for _, key := range [...]departureKey{{s.Class, d.part(s.From)}, {s.Class, -1}, {"", -1}} {
			x := d.cells[key]
			if x == nil {
				x = &hazard{}
				d.cells[key] = x
			}
			x.add(minutes, gone)
			if s.Class == "" && key.part == -1 {
				break
			}
		}
	}
	all := d.cells[departureKey{"", -1}]
	if all != nil {
		all.finish(nil)
	}
	for key, x := range d.cells {
		if key.part == -1 && key.class != "" {
			x.finish(all)
		}
	}
	for key, x := range d.cells {
		if key.part >= 0 {
			x.finish(d.cells[departureKey{key.class, -1}])
		}
	}
	return d
}

func (d *Departures) part(t time.Time) int {
	return t.In(d.zone).Hour() * departureParts / day
}

func (d *Departures) of(s *Stay) *hazard {
	for _, key := range [...]departureKey{{s.Class, d.part(s.From)}, {s.Class, -1}, {"", -1}} {
		if x := d.cells[key]; x != nil {
			return x
		}
	}
	return nil
}

// Stays is the probability that a car that is there at now is there at then.
func (d *Departures) Stays(s *Stay, now, then time.Time) float64 {
	x := d.of(s)
	if x == nil {
		return math.Exp(-then.Sub(now).Minutes() / unknownStay)
	}
	a := x.upTo(now.Sub(s.From).Minutes())
	return math.Exp(a - x.upTo(then.Sub(s.From).Minutes()))
}

// unknownStay is how long cars stay where none has been seen to leave, minutes.
const unknownStay = 120

// weeks are the departures learned at some hours of a series: one horizon learns
// what another has learned.
type weeks map[int]*Departures

// staying is, for each hour t, how much of the quantity those make who were there
// when t-h+1 began. What is known of departures is learned each week from what
// was known then.
func staying(s *Series, n, h int, known weeks) []float64 {
	if len(s.Stays) == 0 {
		return nil
	}
	stays := slices.SortedFunc(slices.Values(s.Stays), func(a, b Stay) int { return a.From.Compare(b.From) })
	out := make([]float64, n)
	var d *Departures
	first, end := 0, 0
	var there []*Stay
	for t := range out {
		out[t] = math.NaN()
		o := t - h + 1
		if o < 0 || o > len(s.Y) {
			continue
		}
		now := s.Start.Add(time.Duration(o) * time.Hour)
		if d == nil || o%week == 0 {
			if d = known[o]; d == nil {
				d = LearnDepartures(stays[first:], now, s.zone())
				known[o] = d
			}
			for first < end && stays[first].From.Before(now.Add(-learnStays)) {
				first++
			}
		}
		for end < len(stays) && stays[end].From.Before(now) {
			there = append(there, &stays[end])
			end++
		}
		there = slices.DeleteFunc(there, func(x *Stay) bool {
			return !x.To.IsZero() && !x.To.After(now) || now.Sub(x.From) > longestStay*time.Minute
		})
		out[t] = 0
		from := s.Start.Add(time.Duration(t) * time.Hour)
		for _, x := range there {
			a := d.Stays(x, now, from.Add(10*time.Minute))
			b := d.Stays(x, now, from.Add(30*time.Minute))
			c := d.Stays(x, now, from.Add(50*time.Minute))
			out[t] += x.Weight * (a + b + c) / 3
		}
	}
	return out
}

// learnStays is how far back departures are learned from.
const learnStays = 13 * 7 * 24 * time.Hour
