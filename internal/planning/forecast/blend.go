package forecast

import "math"

// fadeRegret is how much an hour's lesson counts an hour later: half after a
// month.
const fadeRegret = 0.999

// blend weighs the models hour by hour, each by how much better than the blend
// it has been: polynomially weighted averages with a rate of its own for each
// model (ML-Poly of Gaillard, Stoltz and van Erven 2014), on the slope of the
// absolute error, which aims at the median. What it says of t is learned from
// hours up to t-h. A model that is as good as never better gets no weight, so
// one simple model may win alone.
func blend(s *Series, f *said, h, from, n int) (out []float64, weights [][Models]float64) {
	out, weights = make([]float64, n), make([][Models]float64, n)
	var regret, second [Models]float64
	for t := range out {
		out[t] = math.NaN()
	}
	for t := from; t < n; t++ {
		if o := t - h; o >= from && !math.IsNaN(value(s.Y, o)) && !math.IsNaN(out[o]) && !hit(out[o], s.Y[o]) {
			slope := 1.0
			if out[o] < s.Y[o] {
				slope = -1
			}
			for m := range Models {
				if v := f[m][o]; !math.IsNaN(v) {
					r := slope * (out[o] - v)
					regret[m] = regret[m]*fadeRegret + r
					second[m] = second[m]*fadeRegret + r*r
				}
			}
		}
		w, sum := &weights[t], 0.0
		for m := range Models {
			if !math.IsNaN(f[m][t]) && regret[m] > 0 {
				w[m] = regret[m] / (1e-9 + second[m])
				sum += w[m]
			}
		}
		if sum == 0 { // nothing learned yet: all alike, but for the crudest
			for m := WeekMean; m < Model(Models); m++ {
				if !math.IsNaN(f[m][t]) {
					w[m] = 1
					sum++
				}
			}
		}
		if sum == 0 {
			continue
		}
		v := 0.0
		for m := range Models {
			if w[m] > 0 {
				w[m] /= sum
				v += w[m] * f[m][t]
			}
		}
		out[t] = v
	}
	return out, weights
}

// hit says that a forecast was right: nothing is learned of a difference that is
// only one of rounding.
func hit(said, came float64) bool { return math.Abs(said-came) <= 1e-12*(1+math.Abs(came)) }
