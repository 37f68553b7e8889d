package demand

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

var begin = [...]int{2026, 1, 5} // a Monday

func monday() time.Time {
	return time.Date(begin[0], time.Month(begin[1]), begin[2], 0, 0, 0, 0, time.UTC)
}

// site plays a site of which the demand is known, and tells what an operator
// would have of it.
func site(t testing.TB, ports int, perDay, patience float64, weeks int, seed uint64) (Input, [Week]float64) {
	t.Helper()
	var c simulate.Class
	for h := range Week {
		day := math.Max(0, math.Sin(math.Pi*float64(h%24-6)/16))
		if h/24 > 4 {
			day *= 0.6
		}
		c.Rate[h] = perDay * (0.004 + day/10.2)
	}
	c.Draw = func(s *simulate.Stream, _ int) simulate.Wish {
		d := 0.6 * s.Gamma(0.5)
		return simulate.Wish{Dwell: d + 0.05, Energy: 20000 * d, Power: 22000}
	}
	s := simulate.Site{Ports: make([]simulate.Port, ports)}
	in := Input{Zone: time.UTC, From: monday(), To: monday().AddDate(0, 0, 7*weeks)}
	for i := range s.Ports {
		s.Ports[i].Module = -1
		in.Ports = append(in.Ports, Port{Station: fmt.Sprintf("S%d", i), EVSE: 1, PowerW: 22000})
	}
	at := func(h float64) time.Time { return monday().Add(time.Duration(h * float64(time.Hour))) }
	run := simulate.Run{
		Demand: simulate.Demand{Classes: []simulate.Class{c}, DayVariance: 0.03},
		Hours:  float64(weeks * Week), Seed: seed,
		Scenario: simulate.Scenario{Site: s, Behaviour: simulate.Behaviour{Patience: patience}},
		Each: func(v simulate.Stay) {
			in.Sessions = append(in.Sessions, rollup.Session{Station: fmt.Sprintf("S%d", v.Port), EVSE: 1, Start: at(v.Start), End: at(v.End), EnergyWh: v.EnergyWh})
		},
	}
	if _, err := run.Replicate(1); err != nil {
		t.Fatal(err)
	}
	for h := range weeks * Week {
		in.Points = append(in.Points, rollup.Point{From: at(float64(h)), Ports: ports})
	}
	return in, c.Rate
}

func sum(of [Week]float64) (s float64) {
	for _, v := range of {
		s += v
	}
	return s
}

// Demand that a full site hid is found again, whether drivers leave at once or
// wait a while (bar: 5 % at 10 to 40 % hidden).
func TestHiddenDemand(t *testing.T) {
	t.Parallel()
	hidden := 0
	for _, patience := range []float64{0, 0.15} {
		for _, c := range []struct {
			ports  int
			perDay float64
		}{{1, 9}, {1, 16}, {2, 30}, {2, 48}, {4, 80}, {4, 110}, {8, 180}, {8, 230}} {
			t.Run(fmt.Sprintf("%d ports, %.0f drivers a day, patience %.2f h", c.ports, c.perDay, patience), func(t *testing.T) {
				in, rate := site(t, c.ports, c.perDay, patience, 26, 5)
				e := New(in)
				true := sum(rate)
				naive := float64(len(in.Sessions)) / 26
				lost := 1 - naive/true
				if lost > 0.1 && lost < 0.4 {
					hidden++
				}
				if bias := e.PerWeek/true - 1; math.Abs(bias) > 0.05 {
					t.Errorf("%.1f drivers a week estimated, %.1f came, %.1f charged: off by %.1f %%", e.PerWeek, true, naive, 100*bias)
				}
				if math.Abs(e.Censored-lost) > 0.05 {
					t.Errorf("%.3f of the drivers are said to find no port, %.3f did not charge", e.Censored, lost)
				}
			})
		}
	}
	if hidden < 8 {
		t.Errorf("only %d sites hide 10 to 40 %% of their demand: the test does not test", hidden)
	}
}

func TestIntervalsOfRates(t *testing.T) {
	t.Parallel()
	in, rate := site(t, 8, 40, 0, 20, 3)
	e := New(in)
	in80 := 0
	for h := range Week {
		if e.Rates[0].Low[h] <= rate[h] && rate[h] <= e.Rates[0].High[h] {
			in80++
		}
	}
	if share := float64(in80) / Week; share < 0.72 {
		t.Errorf("intervals of 80 %% hold %.0f %% of the rates", 100*share)
	}
	if e.Censored > 0.03 {
		t.Errorf("a site that is never full hides %.3f of its demand", e.Censored)
	}
	if e.DayVariance < 0.01 || e.DayVariance > 0.06 {
		t.Errorf("days differ by %.3f beyond chance, made with 0.03", e.DayVariance)
	}
}

func TestTimeThatNobodySawIsNoLowDemand(t *testing.T) {
	t.Parallel()
	in, _ := site(t, 3, 20, 0, 12, 4)
	whole := New(in).PerWeek
	gap := in
	gap.Points, gap.Sessions = nil, nil
	from, to := in.From.AddDate(0, 0, 21), in.From.AddDate(0, 0, 42)
	dark := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
	for _, p := range in.Points {
		if dark(p.From) {
			p.Unobserved = 3 * 3600
		}
		gap.Points = append(gap.Points, p)
	}
	for _, s := range in.Sessions {
		if !dark(s.Start) {
			gap.Sessions = append(gap.Sessions, s)
		}
	}
	e := New(gap)
	if r := e.PerWeek / whole; r < 0.9 || r > 1.1 {
		t.Errorf("three weeks that nobody saw change the demand by %.2f", r)
	}
	if e.Days > 9*7+1 {
		t.Errorf("%.1f days are said to be observed of 63", e.Days)
	}
	if days, sessions := e.Enough(); days != 0 || sessions != 0 {
		t.Errorf("nine weeks are not enough: %d days, %d sessions", days, sessions)
	}
	if days, sessions := New(Input{From: in.From, To: in.To, Ports: in.Ports}).Enough(); days != LeastDays || sessions != LeastSessions {
		t.Error("nothing is enough")
	}
}

func TestPortsOfAStationThatShareAModule(t *testing.T) {
	var sessions []rollup.Session
	for i := range 300 {
		start := monday().Add(time.Duration(i) * 2 * time.Hour)
		// One of two DC plugs after the other, the AC socket beside them.
		sessions = append(sessions,
			rollup.Session{Station: "T", EVSE: 1 + i%2, Start: start, End: start.Add(30 * time.Minute), EnergyWh: 20000},
			rollup.Session{Station: "T", EVSE: 3, Start: start, End: start.Add(70 * time.Minute), EnergyWh: 20000})
	}
	ports := Ports(nil, sessions)
	if len(ports) != 3 || ports[0].Kind != simulate.DC || ports[2].Kind != simulate.AC {
		t.Fatalf("ports: %+v", ports)
	}
	if ports[0].Shared == "" || ports[0].Shared != ports[1].Shared || ports[0].Serves != 1 || ports[2].Shared != "" {
		t.Errorf("the DC plugs share a module and the socket does not: %+v", ports)
	}
	if ports[0].PowerW != 50000 || ports[2].PowerW != 22000 {
		t.Errorf("powers: %+v", ports)
	}
	known := Ports([]Known{{Station: "T", EVSE: 1, PowerW: 150000, DC: true}}, sessions)
	if known[0].Assumed || known[0].PowerW != 150000 || !known[1].Assumed {
		t.Errorf("a layout is not believed: %+v", known)
	}
}

func TestTrend(t *testing.T) {
	t.Parallel()
	in, _ := site(t, 6, 60, 0, 40, 8)
	// Thin out the past, so that demand grows by three per cent a month.
	s := simulate.NewStream(9, 0, 0)
	kept := in.Sessions[:0:0]
	for _, v := range in.Sessions {
		if s.Float() < math.Exp(0.03*(v.Start.Sub(in.To).Hours()/730)) {
			kept = append(kept, v)
		}
	}
	in.Sessions = kept
	e := New(in)
	if e.Trend.Months < 8 || e.Trend.Slope < 0.02 || e.Trend.Slope > 0.04 {
		t.Errorf("growth of three per cent a month reads %+v", e.Trend)
	}
	w := e.Trend.Reach(1.2, 60, 1)
	if !(w.Early <= w.Middle && w.Middle <= w.Late) || w.Middle < 4 || w.Middle > 12 {
		t.Errorf("twenty per cent more are reached after %+v months", w)
	}
	if w := (Trend{Slope: -0.01, Error: 0.001}).Reach(1.2, 60, 1); !math.IsInf(w.Early, 1) {
		t.Errorf("a shrinking site grows by a fifth after %+v months", w)
	}
	if w := (Trend{Slope: 0.01}).Reach(0.9, 60, 1); w.Late != 0 {
		t.Errorf("what is passed already is reached after %+v months", w)
	}
	if f := Given(0.12, in.To).Factor(12); f < 1.09 || f > 1.12 {
		t.Errorf("a growth of 12 %% a year is %.3f after one", f)
	}
}
