package contrast

import "math"

// z is the quantile of the normal distribution for 95 % on both sides.
const z = 1.959963984540054

// Estimate is a figure with the bounds of its 95 % interval. NaN: nothing is known.
type Estimate struct{ Value, Low, High float64 }

var unknown = Estimate{math.NaN(), math.NaN(), math.NaN()}

// wilson is a share of n observations (E. B. Wilson, J. Am. Stat. Assoc. 22 (1927),
// 209-212). n need not be whole: of a share that varies between 0 and 1 from one
// observation to the next no more is known than of one that is 0 or 1, so the bounds are
// rather too wide than too narrow.
func wilson(share, n float64) Estimate {
	if !(n > 0) {
		return unknown
	}
	middle := share + z*z/(2*n)
	half := z * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	return Estimate{share, max(0, (middle-half)/scale), min(1, (middle+half)/scale)}
}

// exactMost is up to which count bounds are found by adding up; above it the cube root
// of Wilson and Hilferty is right to five digits.
const exactMost = 2000

// garwood is a rate: so many events in so much time (F. Garwood, Fiducial limits for the
// Poisson distribution, Biometrika 28 (1936), 437-442).
func garwood(events int, exposure float64) Estimate {
	if !(exposure > 0) {
		return unknown
	}
	k := float64(events)
	e := Estimate{Value: k / exposure}
	if events > exactMost {
		bound := func(k, z float64) float64 { return k * math.Pow(1-1/(9*k)+z/(3*math.Sqrt(k)), 3) }
		e.Low, e.High = bound(k, -z)/exposure, bound(k+1, z)/exposure
		return e
	}
	const tail = 0.025
	most := k + 10*math.Sqrt(k) + 20
	if events > 0 {
		e.Low = where(most, func(x float64) bool { return 1-atMost(events-1, x) < tail }) / exposure
	}
	e.High = where(most, func(x float64) bool { return atMost(events, x) > tail }) / exposure
	return e
}

// where finds up to where something holds, between zero and most.
func where(most float64, holds func(float64) bool) float64 {
	low, high := 0.0, most
	for range 80 {
		if x := (low + high) / 2; holds(x) {
			low = x
		} else {
			high = x
		}
	}
	return (low + high) / 2
}

// atMost is the odds that a Poisson variable of mean x is at most k.
func atMost(k int, x float64) float64 {
	if x <= 0 {
		return 1
	}
	gamma, _ := math.Lgamma(float64(k + 1))
	term := math.Exp(float64(k)*math.Log(x) - x - gamma)
	sum := term
	for i := k; i > 0; i-- {
		term *= float64(i) / x
		sum += term
		if float64(i) < x && term < sum*1e-16 {
			break
		}
	}
	return min(1, sum)
}

// minus is the difference of two figures that were found apart from each other, with the
// bounds that theirs lead to: for shares method 10 of R. G. Newcombe, Statist. Med. 17
// (1998), 873-890; for anything with bounds G. Y. Zou and A. Donner, Statist. Med. 27
// (2008), 1693-1702.
func minus(a, b Estimate) Estimate {
	d := a.Value - b.Value
	return Estimate{d, d - math.Hypot(a.Value-a.Low, b.High-b.Value), d + math.Hypot(a.High-a.Value, b.Value-b.Low)}
}
