package forecast

import (
	"math"
	"slices"
)

// Covers is the share of hours that bands are meant to hold.
const Covers = 0.8

// bandRate is that of the correction of the level. Errors of a day ahead are
// known a day late and come in runs: answering them fast would swing.
func bandRate(h int) float64 {
	if h < day {
		return 0.02
	}
	return 0.01
}

const (
	bandDays  = 42 // whose errors make a band
	bandLeast = 20 // errors, below which there is no band
)

// band is the range in which eight hours of ten came: the quantiles of the
// errors that such forecasts made at this hour of the day, an hour earlier or
// later counting alike, on days of this kind in the last six weeks (split
// conformal), at a level that gives way after each miss and tightens after each
// hit (adaptive conformal inference of Gibbs and Candès 2021). Errors are those
// of the rehearsal, never of the fit. Where a band ends at zero or at the most
// there can be, nothing can miss beyond it, and the other side takes the rest.
func band(s *Series, c *calendar, mid []float64, h, from, n int) (low, high []float64) {
	low, high = make([]float64, n), make([]float64, n)
	wrong := make([]float64, n)
	for t := range n {
		low[t], high[t], wrong[t] = math.NaN(), math.NaN(), math.NaN()
		if t >= from {
			wrong[t] = value(s.Y, t) - mid[t]
		}
	}
	misses, rate := 1-Covers, bandRate(h)
	var pools [day][2]pool
	newest := (h + day - 1) / day * day
	for t := from; t < n; t++ {
		o := t - h
		if y := value(s.Y, o); o >= from && !math.IsNaN(y) && !math.IsNaN(low[o]) {
			missed := number(y < low[o] || y > high[o])
			misses = max(0.02, min(0.6, misses+rate*(1-Covers-missed)))
		}
		if math.IsNaN(mid[t]) {
			continue
		}
		weekend := c.weekend(t)
		p := &pools[t%day][int(number(weekend))]
		p.move(t, max(from, t-newest-(bandDays-1)*day-1), min(t-newest+1, o)+1, func(i int) (float64, bool) {
			return wrong[i], c.weekend(i) == weekend && !math.IsNaN(wrong[i])
		})
		pool := p.sorted
		if len(pool) < bandLeast {
			continue
		}
		lo, hi := mid[t]+quantile(pool, misses/2), mid[t]+quantile(pool, 1-misses/2)
		switch {
		case lo <= 0:
			lo, hi = 0, mid[t]+quantile(pool, 1-misses)
		case s.Most > 0 && hi >= s.Most:
			lo, hi = mid[t]+quantile(pool, misses), s.Most
		}
		low[t], high[t] = min(within(lo, s.Most), mid[t]), max(within(hi, s.Most), mid[t])
	}
	return low, high
}

// pool holds the errors of a range of hours in order. What comes and goes as the range
// moves on is little, so that nothing has to be sorted.
type pool struct {
	sorted     []float64
	begin, end int // the range
}

// move has the pool hold the errors of another range, which begins and ends no
// earlier: of its hours those that are at the hour of the day of t, give or take
// one.
func (p *pool) move(t, begin, end int, of func(i int) (float64, bool)) {
	for i := alike(p.begin, t); i < min(begin, p.end); i = alike(i+1, t) {
		if v, ok := of(i); ok {
			at, _ := slices.BinarySearch(p.sorted, v)
			p.sorted = slices.Delete(p.sorted, at, at+1)
		}
	}
	for i := alike(max(begin, p.end), t); i < end; i = alike(i+1, t) {
		if v, ok := of(i); ok {
			at, _ := slices.BinarySearch(p.sorted, v)
			p.sorted = slices.Insert(p.sorted, at, v)
		}
	}
	p.begin, p.end = begin, max(end, begin)
}

// alike is the first hour from i on that is at the hour of the day of t, give or
// take one.
func alike(i, t int) int {
	if past := ((i-t+1)%day + day) % day; past > 2 {
		i += day - past
	}
	return i
}

// quantile of sorted values, between neighbours.
func quantile(sorted []float64, q float64) float64 {
	x := q*float64(len(sorted)+1) - 1
	i := int(math.Floor(x))
	switch {
	case i < 0:
		return sorted[0]
	case i >= len(sorted)-1:
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}
