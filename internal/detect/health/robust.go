package health

import (
	"math"
	"slices"
)

// median of values, which it sorts; NaN of none.
func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile is the value below which a share of the values lies, by linear
// interpolation (definition 7 of Hyndman and Fan 1996). It sorts the values.
func quantile(v []float64, share float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	at := share * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// spread estimates the standard deviation by the median distance from the
// median (Hampel 1974), which a few odd values do not move. It sorts the values.
func spread(v []float64) float64 {
	m := median(v)
	d := make([]float64, len(v))
	for i := range v {
		d[i] = math.Abs(v[i] - m)
	}
	return 1.4826 * median(d)
}

// senSlope is the median of the slopes of all pairs (Sen 1968), per step.
func senSlope(v []float64) float64 {
	var slopes []float64
	for i := range v {
		for j := i + 1; j < len(v); j++ {
			slopes = append(slopes, (v[j]-v[i])/float64(j-i))
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	return median(slopes)
}

// few keeps a spread-out choice of at most 32 values of a stream: when it is
// full it drops every second one and from then on takes half as many.
type few struct {
	V     []float32 `json:"v,omitempty"`
	Every int       `json:"every,omitempty"`
	Skip  int       `json:"skip,omitempty"`
}

const fewValues = 32

func (f *few) add(v float64) {
	if f.Skip > 0 {
		f.Skip--
		return
	}
	if f.V == nil {
		f.V, f.Every = make([]float32, 0, fewValues), 1
	}
	if len(f.V) == fewValues {
		for i := range fewValues / 2 {
			f.V[i] = f.V[2*i]
		}
		f.V = f.V[:fewValues/2]
		f.Every *= 2
	}
	f.V = append(f.V, float32(v))
	f.Skip = f.Every - 1
}

func (f *few) values() []float64 {
	out := make([]float64, len(f.V))
	for i, v := range f.V {
		out[i] = float64(v)
	}
	return out
}
