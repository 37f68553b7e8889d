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
	zone    *time.Location
	all     hazard
	some    bool // any was learned
	classes map[string]*hazards
}

// hazards are those of a class of port: of all stays, and by the part of the day
// they began in, nil where none did.
type hazards struct {
	all   hazard
	parts [departureParts]*hazard
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
	last       [departureBins]float64 // stays that did not go on to the next bin
	sum        [departureBins + 1]float64
}

func (x *hazard) add(last int, minutes float64, gone bool) {
	x.last[last]++
	x.risk[last] += minutes - binFrom(last)
	if gone {
		x.gone[last]++
	}
}

func (x *hazard) finish(prior *hazard) {
	passed := 0.0 // stays that went on to later bins
	for bin := departureBins - 1; bin >= 0; bin-- {
		x.risk[bin] += passed * (binFrom(bin+1) - binFrom(bin))
		passed += x.last[bin]
	}
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
	d := &Departures{zone: zone, classes: make(map[string]*hazards)}
	var class *hazards
	var name string
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
		minutes := min(end.Sub(s.From).Minutes(), longestStay-1)
		last := binOf(minutes)
		d.some = true
		d.all.add(last, minutes, gone)
		if class == nil || s.Class != name {
			name = s.Class
			if class = d.classes[name]; class == nil {
				class = &hazards{}
				d.classes[name] = class
			}
		}
		class.all.add(last, minutes, gone)
		part := &class.parts[d.part(s.From)]
		if *part == nil {
			*part = &hazard{}
		}
		(*part).add(last, minutes, gone)
	}
	d.all.finish(nil)
	for name, class := range d.classes {
		if name == "" {
			class.all = d.all
		} else {
			class.all.finish(&d.all)
		}
		for _, x := range class.parts {
			if x != nil {
				x.finish(&class.all)
			}
		}
	}
	return d
}

func (d *Departures) part(t time.Time) int {
	return t.In(d.zone).Hour() * departureParts / day
}

func (d *Departures) of(s *Stay) *hazard {
	class := d.classes[s.Class]
	if class == nil {
		if d.some {
			return &d.all
		}
		return nil
	}
	if x := class.parts[d.part(s.From)]; x != nil {
		return x
	}
	return &class.all
}

// Stays is the probability that a car that is there at now is there at then.
func (d *Departures) Stays(s *Stay, now, then time.Time) float64 {
	return d.of(s).stays(now.Sub(s.From).Minutes(), then.Sub(s.From).Minutes())
}

// stays is the probability that who has been there for so many minutes is there when
// it is so many.
func (x *hazard) stays(now, then float64) float64 {
	if x == nil {
		return math.Exp((now - then) / unknownStay)
	}
	return math.Exp(x.upTo(now) - x.upTo(then))
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
	type car struct {
		*Stay
		hazard *hazard
	}
	first, end := 0, 0
	var there []car
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
			for i := range there {
				there[i].hazard = d.of(there[i].Stay)
			}
		}
		for end < len(stays) && stays[end].From.Before(now) {
			there = append(there, car{&stays[end], d.of(&stays[end])})
			end++
		}
		there = slices.DeleteFunc(there, func(x car) bool {
			return !x.To.IsZero() && !x.To.After(now) || now.Sub(x.From) > longestStay*time.Minute
		})
		out[t] = 0
		for _, x := range there {
			been := now.Sub(x.From).Minutes()
			then := been + float64(h-1)*60 // when t begins
			out[t] += x.Weight * (x.hazard.stays(been, then+10) + x.hazard.stays(been, then+30) + x.hazard.stays(been, then+50)) / 3
		}
	}
	return out
}

// learnStays is how far back departures are learned from.
const learnStays = 13 * 7 * 24 * time.Hour
