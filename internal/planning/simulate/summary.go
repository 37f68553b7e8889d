package simulate

import "math"

// Interval is a mean over replications with its 95 % confidence interval.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Scale multiplies all of it.
func (i Interval) Scale(by float64) Interval {
	out := Interval{i.Mean * by, i.Low * by, i.High * by}
	if by < 0 {
		out.Low, out.High = out.High, out.Low
	}
	return out
}

// MeanOf is the mean of one number of each replication.
func MeanOf(values []float64) Interval {
	n := float64(len(values))
	mean := 0.0
	for _, v := range values {
		mean += v / n
	}
	spread := 0.0
	for _, v := range values {
		spread += (v - mean) * (v - mean)
	}
	half := math.Inf(1)
	if n > 1 {
		half = StudentT(len(values)-1) * math.Sqrt(spread/(n-1)/n)
	}
	return Interval{mean, mean - half, mean + half}
}

// RatioOf is the ratio of two sums over replications, such as waits over
// drivers, with the interval of a ratio estimate (delta method). Replications
// in which nothing happened add nothing; without any it is zero.
func RatioOf(over, under []float64) Interval {
	var up, down float64
	for i := range over {
		up += over[i]
		down += under[i]
	}
	if down == 0 {
		return Interval{}
	}
	n, r := float64(len(over)), up/down
	spread := 0.0
	for i := range over {
		d := over[i] - r*under[i]
		spread += d * d
	}
	half := math.Inf(1)
	if n > 1 {
		half = StudentT(len(over)-1) * math.Sqrt(spread/(n-1)/n) / (down / n)
	}
	return Interval{r, r - half, r + half}
}

// StudentT is the 97.5 % quantile of Student's distribution: exact at one and two
// degrees of freedom, above by Hill's expansion (1970), within 0.1 %.
func StudentT(degrees int) float64 {
	const z = 1.959963984540054
	n := float64(degrees)
	switch {
	case degrees < 1:
		return math.Inf(1)
	case degrees == 1:
		return 12.706204736432095
	case degrees == 2:
		return 4.302652729911275
	}
	z3, z5, z7 := z*z*z, z*z*z*z*z, z*z*z*z*z*z*z
	z9 := z7 * z * z
	return z + (z3+z)/(4*n) + (5*z5+16*z3+3*z)/(96*n*n) + (3*z7+19*z5+17*z3-15*z)/(384*n*n*n) +
		(79*z9+776*z7+1482*z5-1920*z3-945*z)/(92160*n*n*n*n)
}
