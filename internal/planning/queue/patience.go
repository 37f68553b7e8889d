package queue

import "math"

// Impatient is a site where drivers wait, each as long as an exponential
// patience lasts, and then drive on (M/M/c+M, Erlang A; Palm 1957, Garnett,
// Mandelbaum and Reiman 2002). It has a balance at every load.
//
// Mean is over those served; Longer counts, as Wait does, whoever finds all
// ports busy and is still waiting or was served after t.
func Impatient(rate, session, patience float64, ports int) (Waiting, error) {
	load, err := offered(rate, session, ports)
	if err != nil {
		return Waiting{}, err
	}
	if err := positive("a patience", patience); err != nil {
		return Waiting{}, err
	}
	if rate == 0 {
		return Waiting{tail: func(float64) float64 { return 0 }}, nil
	}
	c, leave := float64(ports), 1/patience
	serve := c / session

	// Weights of states c, c+1, … relative to that of all ports busy and none
	// waiting, and of all states below, from 1/B = sum of p(n)/p(c), n <= c.
	below := 1 / erlangB(load, ports)
	total, wait := below-1, 0.0
	var lost, servedWait, weight float64 = 0, 0, 1
	stages := 0.0   // mean wait of a served car that found j waiting
	var p []float64 // weight of j waiting
	for j := 0; ; j++ {
		if j > 0 {
			weight *= rate / (serve + float64(j)*leave)
		}
		stages += 1 / (serve + float64(j+1)*leave)
		total += weight
		wait += weight
		served := serve / (serve + float64(j+1)*leave)
		lost += weight * (1 - served)
		servedWait += weight * served * stages
		p = append(p, weight)
		if weight < 1e-14*total && float64(j)*leave+serve > rate {
			break
		}
		if j > 2_000_000 {
			return Waiting{}, refuse("a patience of %g beside sessions of %g", patience, session)
		}
	}
	for j := range p {
		p[j] /= total
	}
	share := lost / total
	return Waiting{
		Wait: wait / total, Lost: share, Utilisation: load * (1 - share) / c,
		Mean: servedWait / total / (1 - share),
		tail: func(t float64) float64 { return stillWaiting(p, serve, leave, t) },
	}, nil
}

// stillWaiting is the share of arrivals whose wait is longer than t, served or
// not: patience and the offered wait both exceed t. The offered wait behind j
// cars is the time in which a pure death chain loses j+1 of j+1 cars, one at
// rate serve + i·leave with i left behind the first; found by uniformisation.
func stillWaiting(p []float64, serve, leave, t float64) float64 {
	if t == 0 {
		s := 0.0
		for _, v := range p {
			s += v
		}
		return s
	}
	n := len(p)
	state := append([]float64(nil), p...) // state[i]: i cars before the one we follow
	rate := serve + float64(n)*leave
	steps := rate * t
	// Poisson weights around steps; states only fall, so that a few dozen
	// standard deviations hold all of them.
	sum, logWeight := 0.0, -steps
	last := int(steps + 12*math.Sqrt(steps) + 40)
	for k := 0; ; k++ {
		if k > 0 {
			logWeight += math.Log(steps / float64(k))
		}
		alive := 0.0
		for _, v := range state {
			alive += v
		}
		sum += math.Exp(logWeight) * alive
		if k >= last || alive == 0 {
			break
		}
		for i := range n {
			out := (serve + float64(i)*leave) / rate
			in := 0.0
			if i+1 < n {
				in = state[i+1] * (serve + float64(i+1)*leave) / rate
			}
			state[i] = state[i]*(1-out) + in
		}
	}
	return sum * math.Exp(-leave*t)
}

// Limited is a site with room for a number of cars, those charging included;
// who finds it full drives on (M/M/c/K). Mean is over those served.
func Limited(rate, session float64, ports, room int) (Waiting, error) {
	load, err := offered(rate, session, ports)
	switch {
	case err != nil:
		return Waiting{}, err
	case room < ports || room > MostPorts:
		return Waiting{}, refuse("room for %d cars at %d ports", room, ports)
	}
	if rate == 0 {
		return Waiting{tail: func(float64) float64 { return 0 }}, nil
	}
	c := float64(ports)
	below := 1 / erlangB(load, ports)
	total, weight, waiting := below, 1.0, 0.0
	var p []float64 // weights of arrivals that find j waiting and still have room
	for j := range room - ports {
		p = append(p, weight)
		weight *= load / c
		total += weight
		waiting += float64(j+1) * weight
		if total > 1e290 { // only the shares count
			total, weight, waiting = total*1e-290, weight*1e-290, waiting*1e-290
			for i := range p {
				p[i] *= 1e-290
			}
		}
	}
	lost := weight / total
	wait := 0.0
	for j := range p {
		p[j] /= total
		wait += p[j]
	}
	serve := c / session
	return Waiting{
		Wait: wait, Lost: lost, Utilisation: load * (1 - lost) / c,
		Mean: waiting / total / (rate * (1 - lost)),
		tail: func(t float64) float64 {
			// Behind j cars the wait is Erlang distributed with j+1 stages.
			x, within, sum, logTerm := serve*t, 0.0, 0.0, -serve*t
			for j, v := range p {
				within += math.Exp(logTerm)
				sum += v * within
				logTerm += math.Log(x / float64(j+1))
			}
			return sum
		},
	}, nil
}
