package queue

import "math"

// FixedSessions is one port at which all sessions last the same (M/D/1).
//
// Waits follow Franx (2001): for (k-1)·D <= t < k·D a finite sum of positive
// terms over the distribution of cars in the system, instead of Erlang's
// alternating series, which loses all digits at high loads.
func FixedSessions(rate, session float64) (Waiting, error) {
	mean, err := PollaczekKhinchine(rate, session, 0)
	if err != nil {
		return Waiting{}, err
	}
	load := rate * session
	if load == 0 {
		return Waiting{tail: func(float64) float64 { return 0 }}, nil
	}
	if load > 0.99 {
		return Waiting{}, refuse("%g erlang on one port with equal sessions", load)
	}
	most := fixedStates(load)
	atMost := fixedSystem(load, most)
	return Waiting{
		Wait: load, Mean: mean, Utilisation: load,
		tail: func(t float64) float64 { return 1 - fixedWithin(t, rate, session, atMost) },
	}, nil
}

// fixedStates is how many cars in the system are worth counting: the tail falls
// at least like exp(-2(1-load)n).
func fixedStates(load float64) int {
	return int(math.Min(5000, 40+20/(1-load)))
}

// fixedSystem returns P(at most n cars in the system) of M/D/1 at departures,
// which is that of all times. p(n+1) follows from the balance of an embedded
// chain in Ramaswami's form, in which all terms are positive.
func fixedSystem(load float64, most int) []float64 {
	arrivals := make([]float64, most+2) // P(k arrivals in a session)
	arrivals[0] = math.Exp(-load)
	for k := 1; k < len(arrivals); k++ {
		arrivals[k] = arrivals[k-1] * load / float64(k)
	}
	more := make([]float64, most+2) // P(more than k arrivals)
	for k := most; k >= 0; k-- {
		more[k] = more[k+1] + arrivals[k+1]
	}
	p := make([]float64, most+1)
	p[0] = 1 - load
	for n := 1; n <= most; n++ {
		s := p[0] * more[n-1]
		for j := 1; j < n; j++ {
			s += p[j] * more[n-j]
		}
		p[n] = s / arrivals[0]
	}
	for n := 1; n <= most; n++ {
		p[n] += p[n-1]
	}
	return p
}

// fixedWithin is P(wait <= t).
func fixedWithin(t, rate, session float64, atMost []float64) float64 {
	k := int(math.Floor(t/session)) + 1
	x := rate * (float64(k)*session - t)
	term, sum := math.Exp(-x), 0.0
	for j := range k {
		if n := k - j; n < len(atMost) {
			sum += term * atMost[n]
		} else {
			sum += term
		}
		term *= x / float64(j+1)
	}
	return math.Min(1, sum)
}
