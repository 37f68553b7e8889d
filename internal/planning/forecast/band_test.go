package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The band keeps its errors in order as it moves on; to sort those of each hour anew says
// the same.
func TestTheBandIsThatOfSortedErrors(t *testing.T) {
	const n, from = 20 * week, 3*week + 5
	r := rand.New(rand.NewPCG(3, 5))
	for _, h := range []int{1, 2, 23, 24, 25, 72, 168} {
		for _, most := range []float64{0, 9} {
			s := drawn(t, n, uint64(h))
			s.Most = most
			mid := make([]float64, n)
			for i := range mid {
				mid[i] = max(0, s.Y[i]+r.NormFloat64())
				if i < from+week || r.Float64() < 0.02 {
					mid[i] = math.NaN()
				}
				if r.Float64() < 0.03 || i > 9*week && i < 10*week {
					s.Y[i] = math.NaN()
				}
				if i%7 == 0 { // the same error again and again
					mid[i] = math.Round(mid[i])
					s.Y[i] = math.Round(s.Y[i])
				}
			}
			c := s.calendar(n)
			low, high := band(s, c, mid, mid, h, from, n)
			wantLow, wantHigh := bandBySorting(s, c, mid, h, from, n)
			bands := 0
			for i := range n {
				if !same(low[i], wantLow[i]) || !same(high[i], wantHigh[i]) {
					t.Fatalf("%d h ahead, hour %d: %v to %v, want %v to %v", h, i, low[i], high[i], wantLow[i], wantHigh[i])
				}
				if !math.IsNaN(low[i]) {
					bands++
				}
			}
			if bands < n/3 {
				t.Errorf("%d h ahead: only %d bands", h, bands)
			}
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// bandBySorting is band as it was first written.
func bandBySorting(s *Series, c *calendar, mid []float64, h, from, n int) (low, high []float64) {
	low, high = make([]float64, n), make([]float64, n)
	wrong := make([]float64, n)
	for t := range n {
		low[t], high[t], wrong[t] = math.NaN(), math.NaN(), math.NaN()
		if t >= from {
			wrong[t] = value(s.Y, t) - mid[t]
		}
	}
	level := newLevel(h, n)
	pool := make([]float64, 0, bandDays*3)
	newest := (h + day - 1) / day * day
	for t := from; t < n; t++ {
		o := t - h
		if o >= from {
			y := value(s.Y, o)
			level.learn(o, y < low[o] || y > high[o], !math.IsNaN(y) && !math.IsNaN(low[o]))
		}
		misses := level.of
		if math.IsNaN(mid[t]) {
			continue
		}
		pool = pool[:0]
		for d := range bandDays {
			for i := t - newest - d*day - 1; i <= t-newest-d*day+1; i++ {
				if i >= from && i <= o && c.weekend(i) == c.weekend(t) && !math.IsNaN(wrong[i]) {
					pool = append(pool, wrong[i])
				}
			}
		}
		if len(pool) < bandLeast {
			continue
		}
		slices.Sort(pool)
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

// A series that grows wilder by the week is missed too often by bands of its past errors: the
// level is steered until as many are missed as shall be.
func TestTheLevelIsSteeredByTheLastWeeks(t *testing.T) {
	const n, from = 40 * week, 2 * week
	for _, h := range []int{1, 24} {
		r := rand.New(rand.NewPCG(6, uint64(h)))
		s := drawn(t, n, 5)
		mid := make([]float64, n)
		for i := range mid {
			mid[i] = 1000
			s.Y[i] = mid[i] + r.NormFloat64()*math.Exp(float64(i)/(6*week))
		}
		low, high := band(s, s.calendar(n), mid, mid, h, from, n)
		for last := 16 * week; last+4*week <= n; last += 4 * week {
			in := 0.0
			for i := last; i < last+4*week; i++ {
				in += number(s.Y[i] >= low[i] && s.Y[i] <= high[i]) / (4 * week)
			}
			if math.Abs(in-Covers) > 0.03 {
				t.Errorf("%d h ahead, the four weeks from hour %d: %.3f held", h, last, in)
			}
		}
	}
}
