package main

import (
	"fmt"
	"io"
	"math"

	"github.com/chargewatch/chargewatch/internal/planning/queue"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

// theory is one figure of a simulation of two million arrivals beside its
// closed form.
type theory struct {
	Case      string  `json:"case"`
	Figure    string  `json:"figure"`
	Theory    float64 `json:"theory"`
	Simulated float64 `json:"simulated"`
	Apart     float64 `json:"apart"`
	Bar       float64 `json:"bar"`
	Share     bool    `json:"share"` // apart in absolute terms; else relative
}

const (
	arrivals = 2e6
	// Waits at many ports come in clusters: of one run of so many arrivals they have a
	// standard error of up to two per cent at 18 ports, so that some are averaged.
	runs = 4
)

// steady is a site at which arrivals stay the same.
func steady(ports int, rate float64, draw func(*simulate.Stream, int) simulate.Wish, patience float64, seed uint64) (*simulate.Outcome, error) {
	c := simulate.Class{Draw: draw}
	for h := range simulate.Week {
		c.Rate[h] = rate
	}
	site := simulate.Site{Ports: make([]simulate.Port, ports)}
	for i := range site.Ports {
		site.Ports[i].Module = -1
	}
	return simulate.Run{
		Demand: simulate.Demand{Classes: []simulate.Class{c}}, Hours: arrivals / rate, WarmUp: 200, Late: 5.0 / 60, Seed: seed,
		Scenario: simulate.Scenario{Site: site, Behaviour: simulate.Behaviour{Patience: patience}},
	}.Replicate(1)
}

// lasting draws sessions of half an hour in the mean with a coefficient of
// variation.
func lasting(variation float64) func(*simulate.Stream, int) simulate.Wish {
	return func(s *simulate.Stream, _ int) simulate.Wish {
		return simulate.Wish{Dwell: 0.5 * s.Gamma(variation*variation)}
	}
}

func (res *result) add(to io.Writer, x theory) {
	x.Apart = math.Abs(x.Simulated - x.Theory)
	if !x.Share && x.Theory != 0 {
		x.Apart /= x.Theory
	}
	res.Theory = append(res.Theory, x)
	unit := ""
	if !x.Share {
		unit = " rel."
	}
	fmt.Fprintf(to, "| %s | %s | %.5g | %.5g | %.4f%s | %.4g%s | %s |\n", x.Case, x.Figure, x.Theory, x.Simulated, x.Apart, unit, x.Bar, unit, verdict(x.Apart <= x.Bar))
}

func verdict(kept bool) string {
	if kept {
		return "kept"
	}
	return "MISSED"
}

func (res *result) compare(to io.Writer) error {
	fmt.Fprintf(to, "\n## Simulation beside closed forms\n\nTwo million arrivals each, sessions of 30 min; Erlang C: the mean of %d such runs.\n\n| case | figure | theory | simulated | apart | bar | |\n|---|---|---|---|---|---|---|\n", runs)
	const session = 0.5
	exponential := func(s *simulate.Stream, _ int) simulate.Wish { return simulate.Wish{Dwell: session * s.Exp()} }
	for i, c := range []struct {
		ports int
		load  float64
	}{{2, 0.5}, {4, 0.6}, {4, 0.8}, {8, 0.7}, {18, 0.8}} {
		name, rate := fmt.Sprintf("Erlang C, %d ports at %.1f", c.ports, c.load), c.load*float64(c.ports)/session
		w, err := queue.ErlangC(rate, session, c.ports)
		if err != nil {
			return err
		}
		var wait, mean, q, worst float64
		for run := range uint64(runs) {
			out, err := steady(c.ports, rate, exponential, math.Inf(1), uint64(i)+100*run)
			if err != nil {
				return err
			}
			all := out.Total()
			wait += all.Waited / all.Arrived / runs
			mean += 60 * all.WaitSum / all.Started / runs
			q += 60 * simulate.WaitQuantile(0.95, out) / runs
			worst = max(worst, math.Abs(all.WaitSum/all.Started/w.Mean-1))
			if run == 0 {
				res.exact(to, name, out)
			}
		}
		res.add(to, theory{Case: name, Figure: "P(wait)", Theory: w.Wait, Simulated: wait, Bar: 0.005, Share: true})
		res.add(to, theory{Case: name, Figure: fmt.Sprintf("mean wait, min (one run off by up to %.1f %%)", 100*worst), Theory: 60 * w.Mean, Simulated: mean, Bar: 0.03})
		res.add(to, theory{Case: name, Figure: "P95, min", Theory: 60 * w.Quantile(0.95), Simulated: q, Bar: 0.03})
	}
	for i, variation := range []float64{0.3, 0.7, 1, 1.5} {
		name := fmt.Sprintf("Erlang B, 4 ports, 3 erlang, variation %.1f", variation)
		lost, err := queue.ErlangB(3, 4)
		if err != nil {
			return err
		}
		out, err := steady(4, 6, lasting(variation), 0, uint64(10+i))
		if err != nil {
			return err
		}
		all := out.Total()
		res.add(to, theory{Case: name, Figure: "lost", Theory: lost, Simulated: all.Lost / all.Arrived, Bar: 0.002, Share: true})
		res.exact(to, name, out)
	}
	for i, ports := range []int{4, 5} {
		name := fmt.Sprintf("Erlang A, %d ports, 3.6 erlang, patience 10 min", ports)
		w, err := queue.Impatient(7.2, session, 1.0/6, ports)
		if err != nil {
			return err
		}
		out, err := steady(ports, 7.2, exponential, 1.0/6, uint64(20+i))
		if err != nil {
			return err
		}
		all := out.Total()
		res.add(to, theory{Case: name, Figure: "P(wait)", Theory: w.Wait, Simulated: all.Waited / all.Arrived, Bar: 0.005, Share: true})
		res.add(to, theory{Case: name, Figure: "lost", Theory: w.Lost, Simulated: all.Lost / all.Arrived, Bar: 0.005, Share: true})
		res.add(to, theory{Case: name, Figure: "mean wait of those served, min", Theory: 60 * w.Mean, Simulated: 60 * all.WaitSum / all.Started, Bar: 0.03})
		res.exact(to, name, out)
	}
	fixed, err := queue.FixedSessions(1.6, session)
	if err != nil {
		return err
	}
	out, err := steady(1, 1.6, func(*simulate.Stream, int) simulate.Wish { return simulate.Wish{Dwell: session} }, math.Inf(1), 30)
	if err != nil {
		return err
	}
	all := out.Total()
	res.add(to, theory{Case: "M/D/1 at 0.8", Figure: "mean wait, min", Theory: 60 * fixed.Mean, Simulated: 60 * all.WaitSum / all.Started, Bar: 0.03})
	res.add(to, theory{Case: "M/D/1 at 0.8", Figure: "P95, min", Theory: 60 * fixed.Quantile(0.95), Simulated: 60 * simulate.WaitQuantile(0.95, out), Bar: 0.03})
	mean, err := queue.PollaczekKhinchine(1.4, session, 1.4)
	if err != nil {
		return err
	}
	if out, err = steady(1, 1.4, lasting(1.4), math.Inf(1), 31); err != nil {
		return err
	}
	all = out.Total()
	res.add(to, theory{Case: "M/G/1 at 0.7, variation 1.4", Figure: "mean wait, min", Theory: 60 * mean, Simulated: 60 * all.WaitSum / all.Started, Bar: 0.03})
	return nil
}

// exact are laws that hold in every run, whatever is drawn.
func (res *result) exact(to io.Writer, name string, out *simulate.Outcome) {
	b := out.Balance
	res.add(to, theory{Case: name, Figure: "Little: queue over time, h", Theory: b.WaitSum, Simulated: b.QueueSum, Bar: 1e-9})
	res.add(to, theory{Case: name, Figure: "came = began + left + wait", Theory: float64(b.Arrived), Simulated: float64(b.Started + b.Lost + b.Waiting), Bar: 0, Share: true})
}
