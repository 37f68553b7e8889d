package queue

import "math"

// ErlangB is the share of arrivals that find every port busy where nobody
// waits (M/G/c/c). It holds for sessions of any distribution.
//
// The recursion 1/B(n) = 1 + n/load · 1/B(n-1) (Jagerman 1974) has no
// cancellation; it is run on B itself, which does not overflow.
func ErlangB(load float64, ports int) (float64, error) {
	if err := check(load, ports); err != nil {
		return 0, err
	}
	return erlangB(load, ports), nil
}

func erlangB(load float64, ports int) float64 {
	b := 1.0
	for n := 1; n <= ports; n++ {
		b = load * b / (float64(n) + load*b)
	}
	return b
}

// Waiting describes waits at a site in balance.
type Waiting struct {
	Wait        float64 // share of arrivals that wait
	Mean        float64 // mean wait over all arrivals
	Lost        float64 // share of arrivals that leave without a session
	Utilisation float64 // busy share of a port
	tail        func(t float64) float64
}

// Longer is the share of arrivals that wait longer than t.
func (w Waiting) Longer(t float64) float64 {
	if t <= 0 && w.Wait == 0 {
		return 0
	}
	return w.tail(math.Max(0, t))
}

// Quantile is the wait that a share p of arrivals does not exceed, 0 where
// that many do not wait at all.
func (w Waiting) Quantile(p float64) float64 {
	if w.Longer(0) <= 1-p {
		return 0
	}
	low, high := 0.0, math.Max(w.Mean, 1e-9)
	for w.Longer(high) > 1-p {
		high *= 2
	}
	for range 100 {
		if mid := (low + high) / 2; w.Longer(mid) > 1-p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// ErlangC is a site where everybody waits (M/M/c, first come first served):
// arrivals a unit of time, mean session, ports. A load of all ports or more has
// no balance and is refused.
func ErlangC(rate, session float64, ports int) (Waiting, error) {
	load, err := offered(rate, session, ports)
	if err != nil {
		return Waiting{}, err
	}
	c := float64(ports)
	if load >= c {
		return Waiting{}, refuse("%g erlang on %d ports: the queue grows without end", load, ports)
	}
	b := erlangB(load, ports)
	wait := c * b / (c - load*(1-b))
	drain := (c - load) / session // rate at which the offered wait ends
	return Waiting{
		Wait: wait, Mean: wait / drain, Utilisation: load / c,
		tail: func(t float64) float64 { return wait * math.Exp(-drain*t) },
	}, nil
}

func offered(rate, session float64, ports int) (float64, error) {
	if math.IsNaN(rate) || rate < 0 {
		return 0, refuse("%g arrivals", rate)
	}
	if err := positive("a mean session", session); err != nil {
		return 0, err
	}
	return rate * session, check(rate*session, ports)
}

// MostVariation and MostBusy bound where General is within about five per
// cent of a simulation.
const (
	MostVariation = 1.1
	MostBusy      = 0.95
)

// General is the approximation for sessions of any distribution (M/G/c; Lee and
// Longton 1959): waits of M/M/c times (1 + variation²)/2. It is exact in the mean
// at one port. At a coefficient of variation above MostVariation it is too dark
// by ten per cent and more, so that it is refused there.
func General(rate, session, variation float64, ports int) (Waiting, error) {
	w, err := ErlangC(rate, session, ports)
	switch {
	case err != nil:
		return Waiting{}, err
	case math.IsNaN(variation) || variation < 0 || variation > MostVariation:
		return Waiting{}, refuse("sessions that vary by %g of their mean", variation)
	case w.Utilisation > MostBusy:
		return Waiting{}, refuse("ports that are busy %.0f %% of the time", 100*w.Utilisation)
	}
	if ports == 1 && variation == 0 {
		return FixedSessions(rate, session)
	}
	stretch := (1 + variation*variation) / 2
	wait, mean := w.Wait, w.Mean*stretch
	w.Mean = mean
	w.tail = func(t float64) float64 { return wait * math.Exp(-t*wait/mean) }
	return w, nil
}

// PollaczekKhinchine is the mean wait at one port for sessions of any
// distribution (M/G/1): exact.
func PollaczekKhinchine(rate, session, variation float64) (float64, error) {
	load, err := offered(rate, session, 1)
	switch {
	case err != nil:
		return 0, err
	case math.IsNaN(variation) || variation < 0 || math.IsInf(variation, 0):
		return 0, refuse("sessions that vary by %g of their mean", variation)
	case load >= 1:
		return 0, refuse("%g erlang on one port: the queue grows without end", load)
	}
	return rate * session * session * (1 + variation*variation) / 2 / (1 - load), nil
}
