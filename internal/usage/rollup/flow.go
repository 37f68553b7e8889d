package rollup

import (
	"math"
	"slices"
	"time"
)

// flow says when power flowed in a stay: as it was measured, else as the port
// said, else as it must have been with the power that the port has.
func (f *folder) flow(p *profile) []piece {
	if p.to == p.from {
		return nil
	}
	if !p.Imported {
		if pieces := f.measured(p); pieces != nil {
			return pieces
		}
		if pieces := f.told(p); pieces != nil {
			return pieces
		}
	}
	return f.assumed(p)
}

// measured cuts a stay by its curve. Where the curve has a hole the port's word
// counts, with the mean of what was measured.
func (f *folder) measured(p *profile) []piece {
	step, first := f.Curve.Step.Milliseconds(), f.Curve.From.UnixMilli()
	if step <= 0 || len(f.Curve.W) == 0 {
		return nil
	}
	value := func(k int64) float64 {
		if k < 0 || k >= int64(len(f.Curve.W)) {
			return math.NaN()
		}
		return f.Curve.W[k]
	}
	from, to := floorDiv(p.from-first, step), floorDiv(p.to-1-first, step)
	sum, n := 0.0, 0
	known := false
	for k := from; k <= to; k++ {
		if w := value(k); !math.IsNaN(w) {
			known = true
			if w >= flowing {
				sum += w
				n++
			}
		}
	}
	if !known {
		return nil
	}
	mean := 0.0
	if n > 0 {
		mean = sum / float64(n)
	}
	words := cursor{points: f.States}
	var out []piece
	for k := from; k <= to; k++ {
		at := max(p.from, first+k*step)
		x := piece{from: at, to: min(p.to, first+(k+1)*step)}
		words.at(at)
		if w := value(k); !math.IsNaN(w) {
			x.w, x.measured, x.charging = max(0, w), true, w >= flowing
		} else if words.state == charges {
			x.w, x.charging = mean, true
		}
		out = append(out, x)
	}
	return out
}

const charges = "Charging"

// told cuts a stay by what the port said, nil if it did not say that it charged.
func (f *folder) told(p *profile) []piece {
	words := cursor{points: f.States}
	words.at(p.from)
	var out []piece
	charging := false
	for at := p.from; at < p.to; {
		next := p.to
		if len(words.points) > 0 {
			next = min(next, words.points[0].ValidFrom.UnixMilli())
		}
		x := piece{from: at, to: next}
		if words.state == charges {
			x.w, x.charging, charging = 1, true, true
		}
		out = append(out, x)
		at = next
		words.at(at)
	}
	if !charging && (!words.heard || p.EnergyWh > 0) {
		return nil
	}
	return out
}

// assumed lets a car charge from the moment it was plugged in, evenly, until its
// known end of charging, or as long as its energy takes at full power.
func (f *folder) assumed(p *profile) []piece {
	until := p.to
	power := p.PeakW
	if power <= 0 {
		power = f.RatedW
	}
	switch {
	case !p.ChargingEnd.IsZero():
		until = p.ChargingEnd.UnixMilli()
	case p.EnergyWh == 0:
		until = p.from
	case p.EnergyWh > 0 && power > 0:
		until = p.from + int64(p.EnergyWh/power*float64(time.Hour/time.Millisecond))
	}
	until = min(max(until, p.from), p.to)
	var out []piece
	if until > p.from {
		out = append(out, piece{from: p.from, to: until, w: 1, charging: true})
	}
	if until < p.to {
		out = append(out, piece{from: until, to: p.to})
	}
	return out
}

// days makes the empty days of the span.
func (f *folder) days() []PortDay {
	var out []PortDay
	for at := f.from; at < f.until; at += dayMillis {
		out = append(out, PortDay{Begin: time.UnixMilli(at).UTC(), Until: int32(min(f.until-at, dayMillis))})
	}
	return out
}

const (
	dayMillis  = int64(Day / time.Millisecond)
	cellMillis = int64(CellLength / time.Millisecond)
)

// mark says what a port did between two times.
func mark(days []PortDay, first, from, to int64, s State) {
	for from < to {
		k := (from - first) / dayMillis
		start := first + k*dayMillis
		end := min(to, start+dayMillis)
		d := &days[k]
		if n := len(d.Runs); n == 0 || d.Runs[n-1].State != s {
			d.Runs = append(d.Runs, Run{From: int32(from - start), State: s})
		}
		from = end
	}
}

// spread puts the energy of a stay into cells. Each cell gets the difference of
// two rounded sums, so that together they are the whole, and what lies in one
// day does not depend on which days are counted.
func (p *profile) spread(days []PortDay, first, until int64) {
	total := milliWh(p.EnergyWh)
	if total <= 0 {
		return
	}
	put := func(at, mwh int64) {
		if mwh != 0 && at >= first && at < until {
			days[(at-first)/dayMillis].MilliWh[(at-first)%dayMillis/cellMillis] += mwh
		}
	}
	pieces, weight := p.pieces, 0.0
	for _, x := range pieces {
		weight += x.w * float64(x.to-x.from)
	}
	if weight <= 0 {
		if p.to == p.from {
			put(p.from, total)
			return
		}
		pieces = []piece{{from: p.from, to: p.to, w: 1}}
		weight = float64(p.to - p.from)
	}
	given, before := int64(0), 0.0
	for i := range pieces {
		x := &pieces[i]
		for at := x.from; at < x.to; {
			end := min(x.to, (floorDiv(at, cellMillis)+1)*cellMillis)
			sum := before + x.w*float64(end-x.from)
			share := total
			if sum < weight {
				share = min(total, int64(math.Round(float64(total)*(sum/weight))))
			}
			share = max(share, given)
			put(at, share-given)
			given, at = share, end
		}
		before += x.w * float64(x.to-x.from)
	}
}

func milliWh(wh float64) int64 {
	if math.IsNaN(wh) || wh <= 0 || wh > 1e12 {
		return 0
	}
	return int64(math.Round(wh * 1000))
}

// note enters a stay on the day it began.
func (f *folder) note(days []PortDay, p *profile) {
	if p.from < f.from || p.from >= f.until {
		return
	}
	s := Visit{Stay: p.Stay}
	s.End = time.UnixMilli(p.to).UTC()
	s.Start = time.UnixMilli(p.from).UTC()
	for _, x := range slices.Backward(p.pieces) {
		s.Measured = s.Measured || x.measured
	}
	if s.ChargingEnd.IsZero() && !p.Imported {
		s.ChargingEnd = f.lastCharge(p)
	}
	d := &days[(p.from-f.from)/dayMillis]
	d.Visits = append(d.Visits, s)
}

// lastCharge is when power flowed last, zero if that is an assumption.
func (f *folder) lastCharge(p *profile) time.Time {
	measured := slices.ContainsFunc(p.pieces, func(x piece) bool { return x.measured })
	if !measured && f.told(p) == nil {
		return time.Time{}
	}
	for _, x := range slices.Backward(p.pieces) {
		if x.charging {
			return time.UnixMilli(x.to).UTC()
		}
	}
	return time.UnixMilli(p.from).UTC()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
