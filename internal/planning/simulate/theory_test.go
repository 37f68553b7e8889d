package simulate

import (
	"fmt"
	"math"
	"testing"

	"github.com/chargewatch/chargewatch/internal/planning/queue"
)

// plain is a site with the same arrivals at all times.
func plain(ports int, rate float64, draw func(*Stream, int) Wish, patience, hours float64) Run {
	var c Class
	for h := range Week {
		c.Rate[h] = rate
	}
	c.Draw = draw
	site := Site{Ports: make([]Port, ports)}
	for i := range site.Ports {
		site.Ports[i].Module = -1
	}
	return Run{
		Demand: Demand{Classes: []Class{c}}, Hours: hours, WarmUp: 200, Late: 5.0 / 60, Seed: 7,
		Scenario: Scenario{Site: site, Behaviour: Behaviour{Patience: patience}},
	}
}

func exponential(mean float64) func(*Stream, int) Wish {
	return func(s *Stream, _ int) Wish { return Wish{Dwell: mean * s.Exp()} }
}

func near(t *testing.T, what string, got, want, most float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > most {
		t.Errorf("%s: simulated %.5f, theory %.5f, more than %.5f apart", what, got, want, most)
	}
}

func replicate(t testing.TB, r Run, n uint64) *Outcome {
	t.Helper()
	out, err := r.Replicate(n)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, out)
	return out
}

// balanced checks what must be exact in every run.
func balanced(t testing.TB, o *Outcome) {
	t.Helper()
	b := o.Balance
	if b.Arrived != b.Started+b.Lost+b.Waiting || b.Started != b.Left+b.Plugged {
		t.Errorf("cars are lost: %+v", b)
	}
	same := func(what string, x, y float64) {
		t.Helper()
		if math.Abs(x-y) > 1e-9*math.Max(1, math.Max(math.Abs(x), math.Abs(y))) {
			t.Errorf("%s: %.12g is not %.12g", what, x, y)
		}
	}
	same("queue over time and by driver (Little)", b.QueueSum, b.WaitSum)
	same("ports over time and by driver (Little)", b.BusySum, b.PluggedSum)
	same("energy at the connection and in cars", b.MeteredWh, b.DeliveredWh+b.OnBoardWh)
	same("energy wanted and what became of it", b.WantedWh, b.DeliveredWh+b.UnservedWh+b.OnBoardWh+b.OwedWh)
}

func TestEverybodyWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ports int
		load  float64
	}{{2, 0.5}, {4, 0.6}, {4, 0.8}, {18, 0.8}} {
		t.Run(fmt.Sprintf("%d ports at %.1f", c.ports, c.load), func(t *testing.T) {
			rate := c.load * float64(c.ports) / 0.5
			out := replicate(t, plain(c.ports, rate, exponential(0.5), math.Inf(1), 2e6/rate), 1)
			want, err := queue.ErlangC(rate, 0.5, c.ports)
			if err != nil {
				t.Fatal(err)
			}
			all := out.Total()
			near(t, "P(wait)", all.Waited/all.Arrived, want.Wait, 0.005)
			near(t, "mean wait", all.WaitSum/all.Started, want.Mean, 0.03*want.Mean)
			q := want.Quantile(0.95)
			near(t, "P95", WaitQuantile(0.95, out), q, 0.03*q)
			near(t, "P(wait > 5 min)", all.Late/all.Arrived, want.Longer(5.0/60), 0.005)
			near(t, "busy share", all.Busy/all.Hours/float64(c.ports), want.Utilisation, 0.005)
		})
	}
}

func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	want, err := queue.ErlangB(3, 4)
	if err != nil {
		t.Fatal(err)
	}
	fixed := func(*Stream, int) Wish { return Wish{Dwell: 0.5} }
	wild := func(s *Stream, _ int) Wish { // mean 0.5, variation 1.4
		if s.Float() < 0.2 {
			return Wish{Dwell: 1.2 * s.Exp()}
		}
		return Wish{Dwell: 0.325 * s.Exp()}
	}
	for name, draw := range map[string]func(*Stream, int) Wish{"exponential": exponential(0.5), "equal": fixed, "wild": wild} {
		t.Run(name, func(t *testing.T) {
			all := replicate(t, plain(4, 6, draw, 0, 1e6/6.0), 2).Total()
			near(t, "lost", all.Lost/all.Arrived, want, 0.002)
			near(t, "all busy", all.AllBusy/all.Hours, want, 0.003)
		})
	}
}

func TestDriversLosePatience(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ports              int
		rate, mean, patien float64
	}{{4, 7.2, 0.5, 1.0 / 6}, {5, 7.2, 0.5, 1.0 / 6}, {2, 8, 0.5, 0.5}} {
		t.Run(fmt.Sprintf("%d ports", c.ports), func(t *testing.T) {
			all := replicate(t, plain(c.ports, c.rate, exponential(c.mean), c.patien, 1e6/c.rate), 3).Total()
			want, err := queue.Impatient(c.rate, c.mean, c.patien, c.ports)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "P(wait)", all.Waited/all.Arrived, want.Wait, 0.005)
			near(t, "lost", all.Lost/all.Arrived, want.Lost, 0.004)
			near(t, "mean wait", all.WaitSum/all.Started, want.Mean, 0.03*want.Mean)
			near(t, "P(wait > 5 min)", all.Late/all.Arrived, want.Longer(5.0/60), 0.005)
		})
	}
}

func TestOnePort(t *testing.T) {
	t.Parallel()
	fixed, err := queue.FixedSessions(1.6, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	out := replicate(t, plain(1, 1.6, func(*Stream, int) Wish { return Wish{Dwell: 0.5} }, math.Inf(1), 1.2e6), 4)
	all := out.Total()
	near(t, "M/D/1 mean", all.WaitSum/all.Started, fixed.Mean, 0.03*fixed.Mean)
	near(t, "M/D/1 P95", WaitQuantile(0.95, out), fixed.Quantile(0.95), 0.03*fixed.Quantile(0.95))
	near(t, "M/D/1 late", all.Late/all.Arrived, fixed.Longer(5.0/60), 0.005)
	// Two equally likely lengths: mean 0.5, variation 0.6.
	mean, err := queue.PollaczekKhinchine(1.4, 0.5, 0.6)
	if err != nil {
		t.Fatal(err)
	}
	two := func(s *Stream, _ int) Wish {
		if s.Float() < 0.5 {
			return Wish{Dwell: 0.2}
		}
		return Wish{Dwell: 0.8}
	}
	all = replicate(t, plain(1, 1.4, two, math.Inf(1), 1.2e6), 5).Total()
	near(t, "M/G/1 mean", all.WaitSum/all.Started, mean, 0.03*mean)
}

func TestRoomForFew(t *testing.T) {
	t.Parallel()
	r := plain(3, 7, exponential(0.5), math.Inf(1), 1e6/7.0)
	r.Scenario.Behaviour.Room = 2
	all := replicate(t, r, 6).Total()
	want, err := queue.Limited(7, 0.5, 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "lost", all.Lost/all.Arrived, want.Lost, 0.003)
	near(t, "mean wait", all.WaitSum/all.Started, want.Mean, 0.02*want.Mean)
	near(t, "P(wait > 5 min)", (all.Late)/all.Arrived, want.Longer(5.0/60), 0.005)
}

func BenchmarkMillionArrivals(b *testing.B) {
	for b.Loop() {
		replicate(b, plain(4, 6, exponential(0.5), 0.25, 1e6/6.0), 1)
	}
}
