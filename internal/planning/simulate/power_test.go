package simulate

import (
	"fmt"
	"math"
	"testing"
)

// mixed is a busy site that shares all there is to share: a triple and two more
// ports behind one connection.
func mixed(rule Rule, cap float64) Run {
	var fast, slow Class
	for h := range Week {
		fast.Rate[h], slow.Rate[h] = 2+float64(h%24)/8, 0.7
	}
	fast.Kind, slow.Kind = DC, AC
	fast.Stretch = 0.5
	fast.Draw = func(s *Stream, _ int) Wish {
		w := Wish{Energy: 5000 + 30000*s.Float(), Power: 30000 + 90000*s.Float()}
		w.Dwell = w.Energy/w.Power*1.02 + 0.1*s.Exp()
		return w
	}
	slow.Draw = func(s *Stream, _ int) Wish {
		w := Wish{Energy: 20000 * s.Float(), Power: 11000}
		w.Dwell = w.Energy/w.Power + 3*s.Exp()
		return w
	}
	return Run{
		Demand: Demand{Classes: []Class{fast, slow}, DayVariance: 0.05, HourVariance: 0.1},
		Hours:  8 * 7 * 24, WarmUp: 24, Late: 5.0 / 60, Seed: 11,
		Scenario: Scenario{
			Site: Site{
				Ports:   []Port{{DC, 50000, 0}, {DC, 50000, 0}, {AC, 22000, 1}, {DC, 150000, 1}, {AC, 11000, -1}},
				Modules: []Module{{Cars: 1, PowerW: 50000}, {Cars: 2, PowerW: 160000}}, CapW: cap, Rule: rule,
			},
			Behaviour: Behaviour{Patience: 0.2, Leave: 0.1},
			Overstay:  Overstay{After: 0.25, Obey: 0.5},
			Failure:   Failure{Between: 200, Repair: 6},
		},
	}
}

func TestSharedPower(t *testing.T) {
	t.Parallel()
	for rule, name := range map[Rule]string{Equal: "equal", First: "first", Laxity: "laxity"} {
		for _, cap := range []float64{0, 60e3, 120e3} {
			t.Run(fmt.Sprintf("%s under %.0f kW", name, cap/1000), func(t *testing.T) {
				for rep := range uint64(5) {
					out := replicate(t, mixed(rule, cap), rep)
					if cap > 0 && out.MostW > cap*(1+1e-12) {
						t.Errorf("the site took %.3f W through a connection of %.0f", out.MostW, cap)
					}
					if out.PeakW > out.MostW*(1+1e-9) || out.MostW > 50e3+160e3+11e3 {
						t.Errorf("a quarter hour of %.0f W where no instant had more than %.0f", out.PeakW, out.MostW)
					}
					if out.Balance.Interrupted == 0 || out.Total().Lost == 0 {
						t.Error("nothing failed and nobody left: the test does not test")
					}
				}
			})
		}
	}
}

func TestACarAlone(t *testing.T) {
	t.Parallel()
	r := plain(1, 0.01, func(*Stream, int) Wish { return Wish{Energy: 22000, Power: 22000, Dwell: 0.1} }, math.Inf(1), 5000)
	r.Demand.Classes[0].Stretch = math.Inf(1)
	for _, c := range []struct {
		what       string
		cap, hours float64
	}{{"by its own power", 0, 1}, {"by a wide connection", 50000, 1}, {"by a narrow connection", 5500, 4}} {
		t.Run(c.what, func(t *testing.T) {
			r := r
			r.Scenario.Site.CapW = c.cap
			b := replicate(t, r, 1).Balance
			if got := b.BusySum / float64(b.Started); b.Waiting == 0 && b.Plugged == 0 && math.Abs(got-c.hours) > 1e-9 {
				t.Errorf("a session lasts %g h, wanted energy over power: %g h", got, c.hours)
			}
		})
	}
}

// A quarter hour is computed apart from the simulation: sessions of equal power
// that never meet have a peak of that power when they last half an hour.
func TestPeakOfAQuarter(t *testing.T) {
	t.Parallel()
	r := plain(1, 0.05, func(*Stream, int) Wish { return Wish{Energy: 11000, Power: 22000, Dwell: 0.5} }, 0, 2000)
	out := replicate(t, r, 1)
	if math.Abs(out.PeakW-22000) > 1e-6 || out.MostW != 22000 {
		t.Errorf("peak %g W, most %g W; wanted 22000", out.PeakW, out.MostW)
	}
	short := plain(1, 0.01, func(*Stream, int) Wish { return Wish{Energy: 11000, Power: 110000, Dwell: 0.1} }, 0, 3000)
	if out := replicate(t, short, 1); out.PeakW > 44000+1e-6 || out.PeakW < 22000 {
		t.Errorf("six minutes of 110 kW make a quarter hour of 22 to 44 kW, not %g W", out.PeakW)
	}
}

func TestPowerOfSixModulesIsThatOfOne(t *testing.T) {
	t.Parallel()
	// What a cap leaves to the two cars of First is known: 40 of 50 kW, then the rest.
	wish := []Wish{{Energy: 40000, Power: 40000, Dwell: 0.1}, {Energy: 40000, Power: 40000, Dwell: 0.1}}
	n := 0
	r := plain(2, 0.2, func(*Stream, int) Wish { n++; return wish[n%2] }, math.Inf(1), 4000)
	r.Demand.Classes[0].Stretch = math.Inf(1)
	r.Scenario.Site.CapW, r.Scenario.Site.Rule = 50000, First
	out := replicate(t, r, 1)
	if out.Balance.UnservedWh != 0 {
		t.Error("who waits for energy leaves without")
	}
	if out.MostW != 50000 {
		t.Errorf("two cars took %g W of 50 kW", out.MostW)
	}
	if out.Stretch <= 0 {
		t.Error("sharing cost nobody any time")
	}
}
