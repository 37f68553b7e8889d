package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Rows are summed several at a time; one at a time says the same.
func TestSumsAreThoseOfSingleRows(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 4))
	for _, p := range []int{1, 2, 3, departureWidth, 55, 56} {
		for _, rows := range []int{1, 3, 4, 37, 200} {
			m := newNormal(p)
			xx, xy := make([]float64, p*p), make([]float64, p)
			for k := range rows {
				x := make([]float64, p)
				for i := range x {
					if (i/2+k/5)%3 != 0 { // whole stretches of nothing, as those of workdays on a weekend
						x[i] = r.NormFloat64()
					}
				}
				y, w := r.NormFloat64(), r.Float64()
				m.add(x, y, w)
				for i := range p {
					xy[i] += w * x[i] * y
					for j := i; j < p; j++ {
						xx[i*p+j] += w * x[i] * x[j]
					}
				}
			}
			m.flush()
			for i := range p {
				if math.Abs(m.xy[i]-xy[i]) > 1e-12*float64(rows) {
					t.Fatalf("%d columns, %d rows: xy[%d] is %v, want %v", p, rows, i, m.xy[i], xy[i])
				}
				for j := i; j < p; j++ {
					if math.Abs(m.xx[i*p+j]-xx[i*p+j]) > 1e-12*float64(rows) {
						t.Fatalf("%d columns, %d rows: xx[%d,%d] is %v, want %v", p, rows, i, j, m.xx[i*p+j], xx[i*p+j])
					}
				}
			}
		}
	}
}
