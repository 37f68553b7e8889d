package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Only sums by hour of the week are kept of the clock's columns; whole rows, added one by
// one, sum to the same.
func TestColumnsOfTheClockSumAsWholeRowsDo(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 4))
	k := newClock()
	const other = 5
	const p = clockWidth + other
	gathered, got, want := newClocked(k, other), newNormal(p), newNormal(p)
	for round := range 3 {
		for i := range 40 + 300*round {
			hour := (i*5 + round) % week
			z := make([]float64, other)
			for j := range z {
				z[j] = r.NormFloat64()
			}
			y, weight := r.NormFloat64(), 1+r.Float64()
			gathered.add(hour, z, y, weight)
			want.add(wholeRow(k, hour, z), y, weight)
		}
		gathered.spread(got)
		gathered.spread(got) // nothing more to add
		want.flush()
		if math.Abs(got.n-want.n) > 1e-9 {
			t.Fatalf("%v rows, want %v", got.n, want.n)
		}
		for i := range p {
			if math.Abs(got.xy[i]-want.xy[i]) > 1e-9 {
				t.Fatalf("column %d with the target: %v, want %v", i, got.xy[i], want.xy[i])
			}
			for j := i; j < p; j++ {
				if math.Abs(got.xx[i*p+j]-want.xx[i*p+j]) > 1e-9 {
					t.Fatalf("columns %d and %d: %v, want %v", i, j, got.xx[i*p+j], want.xx[i*p+j])
				}
			}
		}
	}
	var f fitted
	b := got.solve(1)
	f.take(k, b)
	for hour := range week {
		z := []float64{1, -2, 3, 0.5, 0}
		if a, b := f.says(hour, z), dot(wholeRow(k, hour, z), b); math.Abs(a-b) > 1e-12 {
			t.Errorf("hour %d: %v, want %v", hour, a, b)
		}
	}
}

func wholeRow(k *clock, hour int, z []float64) []float64 {
	row := make([]float64, clockWidth, clockWidth+len(z))
	copy(row, k.slow[hour][:])
	copy(row[fastAt(hour):], k.fast[hour%day][:])
	return append(row, z...)
}

// The regressions say what fits of whole rows, each week solved anew, say.
func TestRegressionsSayWhatFitsOfWholeRowsSay(t *testing.T) {
	const n, from = 14 * week, 4*week + 7
	for _, h := range []int{1, 24, 168} {
		s := drawn(t, n, uint64(30+h))
		for i := range s.Y {
			if i%97 < 3 {
				s.Y[i], s.Late[i] = math.NaN(), math.NaN()
			}
		}
		p := newPast(s, n)
		var stay []float64
		if h == 1 {
			stay = staying(s, n, h, make(weeks))
		}
		got := p.rehearse(n, h, from, stay)
		want := regressionsOfWholeRows(s, newDesign(p.habits.at(h, stay)), n, from)
		said := 0
		for m := range want {
			for i := from; i < n; i++ {
				a, b := got[int(Regression)+m][i], within(want[m][i], s.Most)
				if math.IsNaN(a) != math.IsNaN(b) || math.Abs(a-b) > 1e-9 {
					t.Fatalf("%d h ahead, %s, hour %d: %v, want %v", h, Model(int(Regression)+m).Name(), i, a, b)
				}
				if !math.IsNaN(a) {
					said++
				}
			}
		}
		if said < 2*(n-from) {
			t.Errorf("%d h ahead: only %d said", h, said)
		}
	}
}

// regressionsOfWholeRows is regressions as they were first written.
func regressionsOfWholeRows(s *Series, d *design, n, from int) (out [3][]float64) {
	k := newClock()
	p := clockWidth + d.other
	for m := range out {
		out[m] = make([]float64, n)
		for i := range out[m] {
			out[m][i] = math.NaN()
		}
	}
	all, recent, median := newNormal(p), newNormal(p), newNormal(p)
	var by [3][]float64
	row := func(i int) ([]float64, bool) {
		z, ok := d.row(i, nil)
		return wholeRow(k, d.cal.hour[i], z), ok
	}
	sum, seen, next := 0.0, 0.0, 0
	for i := from; i < n; i++ {
		if (i-from)%week == 0 {
			recent.fade(fadeRecent)
			for ; next <= i-d.h && next < len(s.Y); next++ {
				x, ok := row(next)
				if !ok || math.IsNaN(s.Y[next]) {
					continue
				}
				all.add(x, s.Y[next], 1)
				recent.add(x, s.Y[next], 1)
				weight := 1.0
				if by[2] != nil {
					off := math.Abs(s.Y[next] - dot(x, by[2]))
					sum += off
					seen++
					weight = sum / seen / max(off, 0.3*sum/seen, 1e-9)
				}
				median.add(x, s.Y[next], weight)
			}
			by = [3][]float64{all.solve(shrink), recent.solve(shrinkRecent), median.solve(shrink)}
			median.fade(fadeMedian)
		}
		if x, ok := row(i); ok {
			for m, b := range by {
				if b != nil {
					out[m][i] = dot(x, b)
				}
			}
		}
	}
	return out
}
