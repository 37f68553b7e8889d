package expand

import (
	"cmp"
	"math"
	"slices"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

// busiest is how many hours of the week the promise is about.
const busiest = 12

// Hours that drivers stay longer for energy that a connection still owes.
const patientDC = 0.5

// uses is the share of added power that cars make use of: many could not take
// more, or not for long.
const uses = 0.6

// layout makes the simulated site of its ports.
func layout(ports []demand.Port) simulate.Site {
	var s simulate.Site
	modules := make(map[string]int)
	for _, p := range ports {
		at := -1
		if p.Shared != "" {
			var ok bool
			if at, ok = modules[p.Shared]; !ok {
				at = len(s.Modules)
				modules[p.Shared] = at
				s.Modules = append(s.Modules, simulate.Module{Cars: p.Serves})
			}
		}
		s.Ports = append(s.Ports, simulate.Port{Kind: p.Kind, PowerW: p.PowerW, Module: at})
	}
	return s
}

// serves is how many cars of a kind can charge at once.
func serves(s *simulate.Site, kind simulate.Kind) int {
	n := 0
	in := make([]int, len(s.Modules))
	for _, p := range s.Ports {
		switch {
		case p.Kind != kind:
		case p.Module < 0:
			n++
		case in[p.Module] < s.Modules[p.Module].Cars:
			in[p.Module]++
			n++
		}
	}
	return n
}

// usualPower is the power that most ports of a kind have, the higher of two.
func usualPower(s *simulate.Site, kind simulate.Kind) float64 {
	count := make(map[float64]int)
	best := 0.0
	for _, p := range s.Ports {
		if p.Kind == kind {
			count[p.PowerW]++
		}
	}
	for w, n := range count {
		if b := count[best]; n > b || n == b && w > best {
			best = w
		}
	}
	return best
}

// classes are the drivers of an estimate.
func classes(e *demand.Estimate) []simulate.Class {
	var out []simulate.Class
	for i, r := range e.Rates {
		if e.Wishes[i].Empty() {
			continue
		}
		c := simulate.Class{Kind: r.Kind, Rate: r.PerHour, Draw: e.Wishes[i].Draw}
		if r.Kind == simulate.DC {
			c.Stretch = patientDC
		}
		out = append(out, c)
	}
	return out
}

// presence is how many cars of each hour's arrivals would be there, with ports
// without end: arrivals and those of hours before that have not left.
func presence(r *demand.Rate, mean float64) [demand.Week]float64 {
	var out [demand.Week]float64
	for h := range demand.Week {
		stay, sum := 1.0, 0.0
		fade := math.Exp(-1 / math.Max(mean, 0.05))
		for back := range min(demand.Week, 96) {
			sum += r.PerHour[(h-back+demand.Week)%demand.Week] * stay * mean * (1 - fade)
			stay *= fade
		}
		out[h] = sum
	}
	return out
}

// busyHours are the hours in which the ports have most to do, over all kinds in
// cars for each that can be served.
func busyHours(e *demand.Estimate, s *simulate.Site) (of [demand.Week]bool) {
	var load [demand.Week]float64
	for i := range e.Rates {
		n := serves(s, e.Rates[i].Kind)
		if n == 0 || e.Wishes[i].Empty() {
			continue
		}
		p := presence(&e.Rates[i], e.Wishes[i].Mean.Dwell)
		for h := range load {
			load[h] = max(load[h], p[h]/float64(n))
		}
	}
	order := make([]int, demand.Week)
	for h := range order {
		order[h] = h
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(load[b], load[a]) })
	for _, h := range order[:busiest] {
		of[h] = true
	}
	return of
}

// pressed is the kind with most cars for each that can be served at its busiest.
func pressed(e *demand.Estimate, s *simulate.Site) simulate.Kind {
	best, kind := -1.0, simulate.AC
	for i := range e.Rates {
		if e.Wishes[i].Empty() {
			continue
		}
		p := presence(&e.Rates[i], e.Wishes[i].Mean.Dwell)
		n := float64(serves(s, e.Rates[i].Kind))
		// Few ports break at a lower load each: what is over in standard deviations.
		m := slices.Max(p[:])
		if v := (m - n) / math.Sqrt(m+0.01); best == -1 || v > best {
			best, kind = v, e.Rates[i].Kind
		}
	}
	return kind
}

// faster changes what cars of a kind do at ports of another power: they take
// part of what is added; at DC ports they leave earlier by what that saves, at
// AC ports they park as long as before.
func faster(c simulate.Class, before, after float64) simulate.Class {
	if before <= 0 || after <= 0 {
		return c
	}
	ratio := after / before
	draw := c.Draw
	c.Draw = func(s *simulate.Stream, hour int) simulate.Wish {
		w := draw(s, hour)
		if w.Energy <= 0 || w.Power <= 0 {
			return w
		}
		power := min(w.Power, after)
		if ratio > 1 {
			power = w.Power * (1 + uses*(ratio-1))
		}
		if c.Kind == simulate.DC {
			w.Dwell = max(0.02, w.Dwell-w.Energy/w.Power+w.Energy/power)
		}
		w.Power = power
		return w
	}
	return c
}

func rule(name string) simulate.Rule {
	switch name {
	case "first":
		return simulate.First
	case "laxity":
		return simulate.Laxity
	}
	return simulate.Equal
}
