package expand

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

func monday() time.Time { return time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) }

// busy is a site of fast ports as an operator would have its history.
func busy(t testing.TB, ports int, perDay float64, weeks int) Site {
	t.Helper()
	var c simulate.Class
	for h := range demand.Week {
		c.Rate[h] = perDay / 10.3 * math.Max(0.02, math.Sin(math.Pi*float64(h%24-6)/16))
	}
	c.Kind = simulate.DC
	c.Draw = func(s *simulate.Stream, _ int) simulate.Wish {
		e := 8000 + 30000*s.Float()
		return simulate.Wish{Dwell: e/60000 + 0.15*s.Exp(), Energy: e, Power: 60000}
	}
	in := demand.Input{Zone: time.UTC, From: monday(), To: monday().AddDate(0, 0, 7*weeks)}
	site := simulate.Site{}
	for i := range ports {
		site.Ports = append(site.Ports, simulate.Port{Kind: simulate.DC, PowerW: 75000, Module: -1})
		in.Ports = append(in.Ports, demand.Port{Station: fmt.Sprintf("S%d", i), EVSE: 1, Kind: simulate.DC, PowerW: 75000})
	}
	at := func(h float64) time.Time { return monday().Add(time.Duration(h * float64(time.Hour))) }
	run := simulate.Run{
		Demand: simulate.Demand{Classes: []simulate.Class{c}}, Hours: float64(weeks * demand.Week), Seed: 1,
		Scenario: simulate.Scenario{Site: site, Behaviour: simulate.Behaviour{Patience: 0.15}},
		Each: func(v simulate.Stay) {
			in.Sessions = append(in.Sessions, rollup.Session{Station: fmt.Sprintf("S%d", v.Port), EVSE: 1, Start: at(v.Start), End: at(v.End), EnergyWh: v.EnergyWh, PeakW: 60000})
		},
	}
	if _, err := run.Replicate(1); err != nil {
		t.Fatal(err)
	}
	for h := range weeks * demand.Week {
		in.Points = append(in.Points, rollup.Point{From: at(float64(h)), Ports: ports})
	}
	return Site{Input: in, Now: in.To}
}

func ask(t testing.TB, q *Question, s Site) *Result {
	t.Helper()
	if faults := q.Check(); len(faults) > 0 {
		t.Fatalf("the question is refused: %v", faults)
	}
	r, err := New(*q, s, 5).Run(func(done, total int) bool {
		if done > total {
			t.Errorf("%d of %d", done, total)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("a result cannot be written down: %v", err)
	}
	return r
}

func TestABusySite(t *testing.T) {
	t.Parallel()
	grow := 10.0
	q := Question{Site: "s", Assumptions: Assumptions{PricePerKWh: 0.59, CostPerKWh: 0.25, CostPerPort: 40000, DemandCharge: 8, GrowthPercent: &grow}}
	r := ask(t, &q, busy(t, 2, 55, 20))
	if !r.Enough || len(r.Outcomes) != 10 {
		t.Fatalf("enough %v, %d scenarios", r.Enough, len(r.Outcomes))
	}
	for i := 1; i < 5; i++ {
		o, was := r.Outcomes[i], r.Outcomes[i-1]
		if o.WaitMinutes.Mean > was.WaitMinutes.Mean || o.LostPerWeek.Mean > was.LostPerWeek.Mean || o.BrokenPercent.Mean > was.BrokenPercent.Mean {
			t.Errorf("%d ports are worse than one less: %+v", o.Ports, o)
		}
		if o.MoreServed == nil || o.MoreServed.Mean < 0 || o.Payback == nil || o.Payback.Months == nil || *o.Payback.Low > *o.Payback.Months {
			t.Errorf("%d ports bring %+v, pay %+v", o.Ports, o.MoreServed, o.Payback)
		}
		if rest := o.ServedPerWeek.Mean + o.LostPerWeek.Mean - r.Outcomes[0].ServedPerWeek.Mean - r.Outcomes[0].LostPerWeek.Mean; math.Abs(rest) > 1 {
			t.Errorf("%d ports see %.1f other drivers", o.Ports, rest)
		}
	}
	if r.Recommended == nil || r.Kept || !r.Trigger.Now {
		t.Fatalf("55 drivers a day at two ports: recommended %v, kept %v, trigger %+v", r.Recommended, r.Kept, r.Trigger)
	}
	if n := r.Outcomes[*r.Recommended].Scenario.AddPorts; n < 1 || n > 4 {
		t.Errorf("%d ports are recommended", n)
	}
	for l, want := range map[Language]string{English: "Add %d port", German: "%d Ladepunkt"} {
		s := r.Say(&q, l)
		if !strings.Contains(s, fmt.Sprintf(want, r.Outcomes[*r.Recommended].Scenario.AddPorts)) || strings.Contains(s, "%!") {
			t.Errorf("%s: %s", l, s)
		}
		t.Log(s)
	}
	// The formula beneath the sliders tells the same of the busiest hours.
	site := busy(t, 2, 55, 20)
	k := NewQuick(site)
	for n := range 3 {
		a := k.Answer(Ask{AddPorts: n, PatienceMinutes: 10, PromiseMinutes: 5})
		if sim := r.Outcomes[n].BrokenPercent.Mean; !a.InRange || math.Abs(a.BrokenPercent-sim) > 6 {
			t.Errorf("%d more ports: the formula lets %.1f %% down (%+v), the simulation %.1f %%", n, a.BrokenPercent, a.Why, sim)
		}
	}
	rank := k.Rank("s")
	if rank.AddPorts == nil || *rank.AddPorts < 1 || rank.LostPerWeek < 10 || rank.AllBusyHours < 5 {
		t.Errorf("rank %+v", rank)
	}
}

func TestACalmSite(t *testing.T) {
	t.Parallel()
	grow := 10.0
	q := Question{Site: "s", Assumptions: Assumptions{GrowthPercent: &grow}}
	r := ask(t, &q, busy(t, 5, 30, 12))
	if !r.Kept || r.Recommended == nil || *r.Recommended != 5 || r.Trigger.Now {
		t.Errorf("a calm site: kept %v, recommended %v, trigger %+v", r.Kept, r.Recommended, r.Trigger)
	}
	for _, l := range []Language{English, German} {
		if s := r.Say(&q, l); !strings.Contains(s, "10 %") {
			t.Error(s)
		} else {
			t.Log(s)
		}
	}
	if r.Outcomes[0].Revenue != nil || r.Outcomes[1].Payback != nil {
		t.Error("money without a price")
	}
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	narrow := 60.0
	q := Question{Site: "s", Assumptions: Assumptions{PricePerKWh: 0.5}, Scenarios: []Scenario{
		{Name: "narrow", CapKW: &narrow}, {Name: "fewer", AddPorts: -1}, {Name: "stronger", AllKW: 150},
		{Name: "rule", Overstay: &Overstay{AfterMinutes: 1, ObeyPercent: 100}},
		{Name: "price", Window: &Window{FromHour: 10, ToHour: 16, PricePerKWh: 1, MovePercent: 60}},
		{Name: "failing", Outage: &Outage{BetweenDays: 5, RepairHours: 24}}, {Name: "more", GrowthPercent: 30},
		{Name: "more and one", GrowthPercent: 30, AddPorts: 1, Against: "more"},
	}}
	r := ask(t, &q, busy(t, 3, 60, 12))
	of := func(name string) Outcome {
		i := slices.IndexFunc(r.Outcomes, func(o Outcome) bool { return o.Scenario.Name == name })
		if i < 0 {
			t.Fatalf("no outcome %q", name)
		}
		return r.Outcomes[i]
	}
	base := r.Outcomes[0]
	worse := func(name string) {
		if o := of(name); o.BrokenPercent.Mean <= base.BrokenPercent.Mean {
			t.Errorf("%s lets %.2f %% down, without it %.2f", name, o.BrokenPercent.Mean, base.BrokenPercent.Mean)
		}
	}
	worse("narrow")
	worse("fewer")
	worse("failing")
	worse("more")
	if o := of("narrow"); o.PeakKW.High > 60.0001 || base.PeakKW.Mean < 60 {
		t.Errorf("a cap of 60 kW gives a peak of %+v, without %+v", o.PeakKW, base.PeakKW)
	}
	for _, name := range []string{"stronger", "rule"} {
		if o := of(name); o.BrokenPercent.Mean >= base.BrokenPercent.Mean {
			t.Errorf("%s lets %.2f %% down, without it %.2f", name, o.BrokenPercent.Mean, base.BrokenPercent.Mean)
		}
	}
	if o := of("price"); o.Revenue.Mean <= base.Revenue.Mean*0.9 {
		t.Errorf("a price window earns %+v, before %+v", o.Revenue, base.Revenue)
	}
	if o := of("more and one"); r.Outcomes[o.Against].Scenario.Name != "more" || o.MoreServed.Mean <= 0 {
		t.Errorf("compared with %q: %+v", r.Outcomes[o.Against].Scenario.Name, o.MoreServed)
	}
	for _, o := range r.Outcomes {
		for _, l := range []Language{English, German} {
			o.Scenario.Name = ""
			if s := o.Scenario.Title(l); s == "" || strings.Contains(s, "%!") {
				t.Errorf("title %q", s)
			}
		}
	}
}

func TestTooLittle(t *testing.T) {
	t.Parallel()
	r := ask(t, &Question{Site: "s"}, busy(t, 2, 20, 1))
	if r.Enough || r.Needs.Days != 14 || len(r.Outcomes) != 0 {
		t.Errorf("a week is enough: %+v", r.Needs)
	}
	if s := r.Say(&Question{}, English); s != "Not enough data yet: needs 14 more observed days." {
		t.Error(s)
	}
	if s := r.Say(&Question{}, German); !strings.Contains(s, "14 Tage") {
		t.Error(s)
	}
	nothing := ask(t, &Question{Site: "s"}, Site{Now: monday(), Input: demand.Input{From: monday(), To: monday().AddDate(0, 1, 0)}})
	if nothing.Enough || nothing.Needs.Sessions != demand.LeastSessions {
		t.Errorf("an empty site: %+v", nothing.Needs)
	}
}

func TestStatusOnly(t *testing.T) {
	t.Parallel()
	s := busy(t, 2, 40, 12)
	for i := range s.Input.Sessions {
		s.Input.Sessions[i].EnergyWh, s.Input.Sessions[i].PeakW = math.NaN(), 0
	}
	q := Question{Site: "s", Assumptions: Assumptions{PricePerKWh: 0.5, CostPerPort: 1}}
	r := ask(t, &q, s)
	if !r.Enough || r.Demand.MeanKWh != nil || r.Outcomes[1].Revenue != nil || !slices.Contains(r.Notes, "energyUnknown") {
		t.Errorf("energies that nobody knows: %+v %v", r.Demand.MeanKWh, r.Notes)
	}
	if s := r.Say(&q, English); strings.Contains(s, "kWh") || strings.Contains(s, "kW") {
		t.Error(s)
	}
}

func TestStopped(t *testing.T) {
	q := Question{Site: "s"}
	q.Check()
	n := 0
	_, err := New(q, busy(t, 2, 40, 6), 1).Run(func(int, int) bool { n++; return n < 10 })
	if !errors.Is(err, simulate.ErrStopped) {
		t.Errorf("a plan that is stopped says %v", err)
	}
}

func TestQuestionsThatCannotBe(t *testing.T) {
	for path, q := range map[string]Question{
		"assumptions.costPerKwh":     {Assumptions: Assumptions{PricePerKWh: 0.2, CostPerKWh: 0.3}},
		"scenarios":                  {Scenarios: make([]Scenario, MostScenarios+1)},
		"scenarios[0].window.toHour": {Scenarios: []Scenario{{Window: &Window{FromHour: 9, ToHour: 9}}}},
		"scenarios[0].against":       {Scenarios: []Scenario{{Against: "x"}}},
		"scenarios[1].name":          {Scenarios: []Scenario{{Name: "x"}, {Name: "x"}}},
	} {
		if faults := q.Check(); len(faults) != 1 || faults[0].Path != path {
			t.Errorf("%s: %v", path, faults)
		}
	}
}
