package simulate

import (
	"errors"
	"math"
	"testing"
)

// with returns a run with other ports.
func with(r Run, ports int) Run {
	site := Site{Ports: make([]Port, ports)}
	for i := range site.Ports {
		site.Ports[i].Module = -1
	}
	r.Scenario.Site = site
	return r
}

func TestMorePortsNeverMakeItWorse(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		s := NewStream(seed, 0, 99)
		rate, cv := 1+8*s.Float(), 0.3+s.Float()
		draw := func(s *Stream, _ int) Wish { return Wish{Dwell: 0.5 * s.Gamma(cv*cv)} }
		patience := math.Inf(1)
		if seed%2 == 1 {
			patience = 0.3 * s.Float()
		}
		base := plain(1, rate, draw, patience, 26*Week)
		base.Seed = seed
		base.Demand.DayVariance = 0.1
		least := int(rate/2) + 1
		var wait, lost float64 = math.Inf(1), math.Inf(1)
		for ports := least; ports < least+5; ports++ {
			all := replicate(t, with(base, ports), 1).Total()
			// Everybody waiting, this holds for each path; with losses for the mean,
			// for which half a year stands here.
			if w := all.WaitSum; patience > 1 && w > wait+1e-9 {
				t.Errorf("seed %d: %d ports make drivers wait %g h, one less %g h", seed, ports, w, wait)
			}
			if all.Lost > lost {
				t.Errorf("seed %d: %d ports lose %g drivers, one less %g", seed, ports, all.Lost, lost)
			}
			wait, lost = all.WaitSum, all.Lost
		}
	}
}

func TestScenariosSeeTheSameDrivers(t *testing.T) {
	t.Parallel()
	r := mixed(Equal, 0)
	r.Scenario.Failure = Failure{}
	r.MostGrowth = 2
	arrived := func(r Run) float64 { return replicate(t, r, 3).Total().Arrived }
	base := arrived(r)
	other := r
	other.Scenario.Site.CapW, other.Scenario.Behaviour.Patience = 40e3, 1
	if got := arrived(other); got != base {
		t.Errorf("another cap brings %g drivers instead of %g", got, base)
	}
	grown := r
	grown.Scenario.Growth = 1.5
	if got := arrived(grown); math.Abs(got/base-1.5) > 0.05 {
		t.Errorf("a growth of 1.5 brings %.3f times the drivers", got/base)
	}
	moved := r
	for h := range Week {
		moved.Scenario.Window.Hours[h] = h%24 >= 17 && h%24 < 20
	}
	moved.Scenario.Window.Move = 0.5
	before, after := replicate(t, r, 3), replicate(t, moved, 3)
	in, out := before.Over(&moved.Scenario.Window.Hours), after.Over(&moved.Scenario.Window.Hours)
	if share := out.Arrived / in.Arrived; math.Abs(share-0.5) > 0.05 {
		t.Errorf("a price that half of the drivers avoid leaves %.3f of them", share)
	}
	if d := math.Abs(after.Total().Arrived - before.Total().Arrived); d > 10 {
		t.Errorf("a price loses %g drivers instead of moving them", d)
	}
	same, again := replicate(t, r, 3), replicate(t, r, 3)
	if same.Balance != again.Balance || same.ByHour != again.ByHour {
		t.Error("the same seed tells another story")
	}
}

func TestIntervalsHoldWhatTheyPromise(t *testing.T) {
	t.Parallel()
	const experiments, replications = 2000, 20
	theory := 0.2061069 // Erlang B of 3 erlang at 4 ports
	r := plain(4, 6, exponential(0.5), 0, 60)
	r.WarmUp = 12
	covered := 0
	lost, arrived := make([]float64, replications), make([]float64, replications)
	for e := range experiments {
		for k := range replications {
			all := replicate(t, r, uint64(e*replications+k)).Total()
			lost[k], arrived[k] = all.Lost, all.Arrived
		}
		if i := RatioOf(lost, arrived); i.Low <= theory && theory <= i.High {
			covered++
		}
	}
	if share := float64(covered) / experiments; math.Abs(share-0.95) > 0.02 {
		t.Errorf("intervals of 95 %% cover the theory in %.1f %% of %d experiments", 100*share, experiments)
	}
}

func TestStudent(t *testing.T) {
	for n, want := range map[int]float64{1: 12.7062, 2: 4.3027, 3: 3.1824, 5: 2.5706, 10: 2.2281, 29: 2.0452, 100: 1.9840} {
		if got := StudentT(n); math.Abs(got-want) > 0.004 {
			t.Errorf("97.5 %% of %d degrees: %g, tables say %g", n, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	good := plain(2, 3, exponential(0.5), 0.1, 100)
	for what, spoil := range map[string]func(*Run){
		"no port":            func(r *Run) { r.Scenario.Site.Ports = nil },
		"no time":            func(r *Run) { r.Hours = 0 },
		"a rate that is NaN": func(r *Run) { r.Demand.Classes[0].Rate[5] = math.NaN() },
		"too many arrivals":  func(r *Run) { r.Demand.Classes[0].Rate[5] = 1e5 },
		"negative patience":  func(r *Run) { r.Scenario.Behaviour.Patience = -1 },
		"growth beyond most": func(r *Run) { r.Scenario.Growth, r.MostGrowth = 2, 1 },
		"no such module":     func(r *Run) { r.Scenario.Site.Ports[0].Module = 0 },
	} {
		r := good
		r.Demand.Classes = append([]Class(nil), good.Demand.Classes...)
		r.Scenario.Site.Ports = append([]Port(nil), good.Scenario.Site.Ports...)
		spoil(&r)
		if _, err := r.Replicate(1); err == nil {
			t.Errorf("%s is not refused", what)
		}
	}
	good.Stop = func() bool { return true }
	if _, err := good.Replicate(1); !errors.Is(err, ErrStopped) {
		t.Errorf("a stopped run says %v", err)
	}
}
