package forecast

import "math"

// fadeWhole is how much an hour counts of what was learned of whole numbers an hour
// later: half after a month.
const fadeWhole = 0.999

// whole says whole numbers where that has been the better way to say it: where cars
// stay for hours, ports are busy for whole hours, and a middle between none and one
// is what seldom comes. It is only for series of which most hours that are not zero
// are whole; what it says of t is learned from hours up to t-h.
func whole(s *Series, mid []float64, h, from, n int) []float64 {
	out := make([]float64, n)
	better, balance := 0.0, 0.0
	for t := range out {
		out[t] = mid[t]
		o := t - h
		if y := value(s.Y, o); y > 0 {
			balance *= fadeWhole
			if y == math.Round(y) {
				balance++
			} else {
				balance--
			}
		}
		if t < from || math.IsNaN(mid[t]) {
			continue
		}
		if y := value(s.Y, o); o >= from && !math.IsNaN(y) && !math.IsNaN(mid[o]) {
			better = better*fadeWhole + math.Abs(y-mid[o]) - math.Abs(y-math.Round(mid[o]))
		}
		if balance > 0 && better > 0 {
			out[t] = within(math.Round(mid[t]), s.Most)
		}
	}
	return out
}
