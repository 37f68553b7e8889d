package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// hidden is what a site of known demand showed, over seeds.
type hidden struct {
	Ports    int     `json:"ports"`
	Patience float64 `json:"patienceMinutes"`
	PerDay   float64 `json:"driversPerDay"`
	Hidden   float64 `json:"hiddenPercent"`
	Bias     float64 `json:"biasPercent"`  // mean over seeds
	Worst    float64 `json:"worstPercent"` // of one seed
	Naive    float64 `json:"naivePercent"` // of counting sessions
}

const (
	seeds = 10
	weeks = 26
)

func (res *result) uncover(to io.Writer) error {
	fmt.Fprintf(to, "\n## Demand that full sites hide\n\n%d weeks of simulated sites, %d seeds each, days that differ by a variance of 0.03; bar: 5 %% where 10 to 40 %% are hidden.\n\n| ports | drivers a day | patience, min | hidden, %% | estimate off, %% | worst seed, %% | sessions off, %% | |\n|---|---|---|---|---|---|---|---|\n", weeks, seeds)
	for _, patience := range []float64{0, 10, 30} {
		for _, c := range []struct {
			ports  int
			perDay float64
		}{{1, 7}, {1, 14}, {2, 26}, {2, 40}, {3, 45}, {4, 80}, {4, 100}, {6, 130}, {8, 170}, {8, 220}} {
			x := hidden{Ports: c.ports, PerDay: c.perDay, Patience: patience}
			for seed := range uint64(seeds) {
				in, rate, err := secret(c.ports, c.perDay, patience/60, seed)
				if err != nil {
					return err
				}
				seen := float64(len(in.Sessions)) / weeks
				off := 100 * (demand.New(in).PerWeek/rate - 1)
				x.Bias += off / seeds
				x.Hidden += 100 * (1 - seen/rate) / seeds
				x.Naive += 100 * (seen/rate - 1) / seeds
				if math.Abs(off) > math.Abs(x.Worst) {
					x.Worst = off
				}
			}
			res.Hidden = append(res.Hidden, x)
			note := "outside 10-40 %"
			if x.Hidden >= 10 && x.Hidden <= 40 {
				note = verdict(math.Abs(x.Bias) <= 5)
			}
			fmt.Fprintf(to, "| %d | %.0f | %.0f | %.1f | %+.1f | %+.1f | %+.1f | %s |\n", x.Ports, x.PerDay, x.Patience, x.Hidden, x.Bias, x.Worst, x.Naive, note)
		}
	}
	return nil
}

// secret plays a site of which the demand is known.
func secret(ports int, perDay, patience float64, seed uint64) (demand.Input, float64, error) {
	c := simulate.Class{Draw: func(s *simulate.Stream, _ int) simulate.Wish { return simulate.Wish{Dwell: 0.05 + 0.6*s.Gamma(0.5)} }}
	rate := 0.0
	for h := range demand.Week {
		day := math.Max(0, math.Sin(math.Pi*float64(h%24-6)/16))
		if h/24 > 4 {
			day *= 0.6
		}
		c.Rate[h] = perDay * (0.004 + day/10.2)
		rate += c.Rate[h]
	}
	begin := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	at := func(h float64) time.Time { return begin.Add(time.Duration(h * float64(time.Hour))) }
	in := demand.Input{Zone: time.UTC, From: begin, To: at(weeks * demand.Week)}
	site := simulate.Site{Ports: make([]simulate.Port, ports)}
	for i := range site.Ports {
		site.Ports[i].Module = -1
		in.Ports = append(in.Ports, demand.Port{Station: fmt.Sprint(i), EVSE: 1})
	}
	_, err := simulate.Run{
		Demand: simulate.Demand{Classes: []simulate.Class{c}, DayVariance: 0.03}, Hours: weeks * demand.Week, Seed: 100 + seed,
		Scenario: simulate.Scenario{Site: site, Behaviour: simulate.Behaviour{Patience: patience}},
		Each: func(v simulate.Stay) {
			in.Sessions = append(in.Sessions, rollup.Session{Station: fmt.Sprint(v.Port), EVSE: 1, Start: at(v.Start), End: at(v.End), EnergyWh: math.NaN()})
		},
	}.Replicate(1)
	for h := range weeks * demand.Week {
		in.Points = append(in.Points, rollup.Point{From: at(float64(h)), Ports: ports})
	}
	return in, rate, err
}
