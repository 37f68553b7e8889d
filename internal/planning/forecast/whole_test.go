package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Who stays for hours makes whole numbers: there the middle is one, and errs less. Where they
// don't, or where a number between errs less, nothing changes.
func TestWholeNumbersAreSaidWhereTheyErrLess(t *testing.T) {
	const n, h, from = 10 * week, 24, week
	r := rand.New(rand.NewPCG(2, 9))
	for name, x := range map[string]struct {
		come  func(i int) float64
		say   float64
		whole bool
	}{
		"a car in four hours of ten":  {func(int) float64 { return number(r.Float64() < 0.4) }, 0.4, true},
		"two or three cars":           {func(int) float64 { return 2 + number(r.Float64() < 0.7) }, 2.7, true},
		"parts of hours":              {func(int) float64 { return 0.4 * r.Float64() }, 0.2, false},
		"whole, but seldom the right": {func(i int) float64 { return 5 + float64(i/week%2) }, 4.4, false},
	} {
		s := &Series{}
		mid := make([]float64, n)
		for i := range n {
			s.Y = append(s.Y, x.come(i))
			mid[i] = x.say
		}
		mid[n-1] = math.NaN()
		out := whole(s, mid, h, from, n)
		if !math.IsNaN(out[n-1]) {
			t.Errorf("%s: %v was said where nothing was", name, out[n-1])
		}
		last := out[n-2]
		if x.whole && last != math.Round(x.say) || !x.whole && last != x.say {
			t.Errorf("%s: %v is said of %v", name, last, x.say)
		}
	}
}

// What is said of an hour is learned from hours that were over when it was said.
func TestWholeNumbersKnowNothingOfWhatCameLater(t *testing.T) {
	const n, h, from, at = 6 * week, 24, week, 4*week + 30
	r := rand.New(rand.NewPCG(7, 1))
	s, changed := &Series{}, &Series{}
	mid := make([]float64, n)
	for i := range n {
		y := number(r.Float64() < 0.4)
		s.Y, mid[i] = append(s.Y, y), 0.4
		if i > at-h {
			y = 0.41
		}
		changed.Y = append(changed.Y, y)
	}
	a, b := whole(s, mid, h, from, n), whole(changed, mid, h, from, n)
	for i := range at + 1 {
		if a[i] != b[i] {
			t.Fatalf("hour %d: %v, and %v had another future come", i, a[i], b[i])
		}
	}
	if a[at] != 0 || b[n-1] != 0.4 {
		t.Errorf("%v and %v: the other future changes nothing at all", a[at], b[n-1])
	}
}
