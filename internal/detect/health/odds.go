package health

import "math"

// betaBelow is the probability that a value of the beta distribution (a, b) is
// below x: the regularised incomplete beta function, by its continued fraction.
func betaBelow(a, b, x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2):
		return 1 - betaBelow(b, a, 1-x)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log(1-x))
	const tiny = 1e-300
	floor := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/floor(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m <= 300; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / floor(1+even*d)
		c = floor(1 + even/c)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / floor(1+odd*d)
		c = floor(1 + odd/c)
		h *= d * c
		if math.Abs(d*c-1) < 1e-10 {
			break
		}
	}
	return front * h / a
}

// worseBy is the one-sided probability that a share as high as bad of n comes
// about by chance where before of m is usual (test of two proportions, pooled).
func worseBy(bad, n, before, m float64) float64 {
	if n <= 0 || m <= 0 {
		return 1
	}
	pool := (bad + before) / (n + m)
	spread := math.Sqrt(pool * (1 - pool) * (1/n + 1/m))
	if spread == 0 {
		return 1
	}
	return 0.5 * math.Erfc((bad/n-before/m)/spread/math.Sqrt2)
}
