package queue

import (
	"errors"
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, most float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > most {
		t.Errorf("%s is %.8g, wanted %.8g", what, got, want)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Published tables: Erlang B to four digits; Erlang C beside the closed form.
func TestTables(t *testing.T) {
	for _, c := range []struct {
		load  float64
		ports int
		want  float64
	}{{1, 1, 0.5}, {1, 2, 0.2}, {3, 4, 0.20611}, {10, 10, 0.21458}, {4.4612, 10, 0.01}, {84.064, 100, 0.01}} {
		near(t, "Erlang B", must[float64](t)(ErlangB(c.load, c.ports)), c.want, 2e-5)
	}
	w := must[Waiting](t)(ErlangC(2, 0.5, 2)) // one erlang at two ports
	near(t, "P(wait)", w.Wait, 1.0/3, 1e-12)
	near(t, "mean wait", w.Mean, 1.0/6, 1e-12) // ten minutes
	near(t, "P95", w.Quantile(0.95)*60, 56.9, 0.05)
	w = must[Waiting](t)(ErlangC(8, 0.5, 5))
	near(t, "mean of 8 cars an hour at 5 ports, min", w.Mean*60, 16.6, 0.05)
	near(t, "its P95, min", w.Quantile(0.95)*60, 72, 0.2)
}

func TestEachFormulaHoldsTheOthersAtItsEdge(t *testing.T) {
	b := must[float64](t)(ErlangB(3.6, 4))
	full := must[Waiting](t)(Limited(7.2, 0.5, 4, 4))
	near(t, "no room to wait loses as Erlang B", full.Lost, b, 1e-12)
	wide := must[Waiting](t)(Limited(6, 0.5, 4, 2000))
	c := must[Waiting](t)(ErlangC(6, 0.5, 4))
	near(t, "much room waits as Erlang C", wide.Wait, c.Wait, 1e-9)
	near(t, "and as long", wide.Mean, c.Mean, 1e-9)
	near(t, "and as long in the tail", wide.Longer(0.7), c.Longer(0.7), 1e-9)
	calm := must[Waiting](t)(Impatient(6, 0.5, 1e5, 4))
	near(t, "much patience waits as Erlang C", calm.Wait, c.Wait, 1e-3)
	near(t, "and as long", calm.Mean, c.Mean, 2e-3)
	hasty := must[Waiting](t)(Impatient(7.2, 0.5, 1e-6, 4))
	near(t, "no patience loses as Erlang B", hasty.Lost, b, 1e-4)
	one := must[float64](t)(PollaczekKhinchine(1.2, 0.5, 1))
	near(t, "M/G/1 with exponential sessions is M/M/1", one, must[Waiting](t)(ErlangC(1.2, 0.5, 1)).Mean, 1e-12)
	near(t, "M/G/c at one port is M/G/1", must[Waiting](t)(General(1.2, 0.5, 0.6, 1)).Mean,
		must[float64](t)(PollaczekKhinchine(1.2, 0.5, 0.6)), 1e-12)
}

// The tail of Erlang A at zero is P(wait); its integral is the mean time in the
// queue over all arrivals: lost share times patience (a driver leaves at rate
// 1/patience while waiting).
func TestPatienceIsOneStory(t *testing.T) {
	for _, c := range []struct{ rate, patience float64 }{{7.2, 1.0 / 6}, {10, 0.5}, {3, 0.1}} {
		w := must[Waiting](t)(Impatient(c.rate, 0.5, c.patience, 4))
		near(t, "P(wait > 0)", w.Longer(0), w.Wait, 1e-9)
		sum, step := 0.0, 0.002
		for x := 0.0; x < 6*c.patience+2; x += step {
			sum += step * (w.Longer(x) + w.Longer(x+step)) / 2
		}
		near(t, "mean time in the queue", sum, w.Lost*c.patience, 2e-4)
	}
	// The same as a birth and death process, state by state.
	for ports := 4; ports <= 5; ports++ {
		p, total, left := 1.0, 1.0, 0.0
		for n := 1; n < 400; n++ {
			p *= 7.2 / (2*math.Min(float64(n), float64(ports)) + 6*math.Max(0, float64(n-ports)))
			total += p
			left += p * 6 * math.Max(0, float64(n-ports))
		}
		near(t, "share that leaves", must[Waiting](t)(Impatient(7.2, 0.5, 1.0/6, ports)).Lost, left/total/7.2, 1e-12)
	}
}

// M/D/1 at a load of a half: P(wait = 0) is a half, P(wait <= t) within the first
// session is (1-load)·exp(load·t).
func TestEqualSessions(t *testing.T) {
	w := must[Waiting](t)(FixedSessions(1, 0.5))
	near(t, "P(wait > 0)", w.Longer(0), 0.5, 1e-9)
	near(t, "P(wait > a quarter)", w.Longer(0.25), 1-0.5*math.Exp(0.25), 1e-9)
	near(t, "mean", w.Mean, 0.25, 1e-12)
	for _, load := range []float64{0.3, 0.8, 0.95} {
		w := must[Waiting](t)(FixedSessions(load, 1))
		sum, step := 0.0, 0.005
		for x := 0.0; x < 40/(1-load); x += step {
			sum += step * (w.Longer(x) + w.Longer(x+step)) / 2
		}
		near(t, "the integral of the tail is the mean", sum, w.Mean, 0.002*w.Mean+0.001)
	}
}

func TestLargeSitesStayStable(t *testing.T) {
	b := must[float64](t)(ErlangB(9000, 10000))
	if b < 0 || b > 1e-20 {
		t.Errorf("Erlang B at 9000 of 10000: %g", b)
	}
	w := must[Waiting](t)(Impatient(19000, 0.5, 0.25, 9400))
	if w.Lost < 0.005 || w.Lost > 0.03 {
		t.Errorf("Erlang A at 9500 erlang and 9400 ports loses %g", w.Lost)
	}
	l := must[Waiting](t)(Limited(30, 0.5, 4, 5000))
	near(t, "an overloaded site with room loses what is above its ports", l.Lost, 1-4/15.0, 1e-9)
}

func TestWhatIsOutsideIsRefused(t *testing.T) {
	for what, ask := range map[string]func() error{
		"no port":              func() error { _, err := ErlangB(1, 0); return err },
		"a load that is NaN":   func() error { _, err := ErlangB(math.NaN(), 1); return err },
		"a load of all ports":  func() error { _, err := ErlangC(4, 0.5, 2); return err },
		"wild sessions":        func() error { _, err := General(1, 0.5, 1.5, 2); return err },
		"nearly all the time":  func() error { _, err := General(3.9, 0.5, 0.5, 2); return err },
		"one port overrun":     func() error { _, err := PollaczekKhinchine(2, 0.5, 1); return err },
		"negative arrivals":    func() error { _, err := ErlangC(-1, 0.5, 2); return err },
		"sessions of no time":  func() error { _, err := ErlangC(1, 0, 2); return err },
		"less room than ports": func() error { _, err := Limited(1, 0.5, 4, 3); return err },
		"no patience at all":   func() error { _, err := Impatient(1, 0.5, 0, 4); return err },
	} {
		if err := ask(); !errors.Is(err, ErrRange) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzFormulas(f *testing.F) {
	f.Add(6.0, 0.5, 0.2, uint8(4), uint8(3))
	f.Add(0.0, 0.5, 1e9, uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, rate, session, patience float64, ports, room uint8) {
		if rate*session > 300 || patience > 1e3*session || patience < 1e-4*session {
			return
		}
		for _, ask := range []func() (Waiting, error){
			func() (Waiting, error) { return ErlangC(rate, session, int(ports)) },
			func() (Waiting, error) { return Impatient(rate, session, patience, int(ports)) },
			func() (Waiting, error) { return Limited(rate, session, int(ports), int(ports)+int(room)) },
		} {
			w, err := ask()
			if err != nil {
				continue
			}
			for _, v := range []float64{w.Wait, w.Lost, w.Utilisation, w.Longer(session)} {
				if math.IsNaN(v) || v < -1e-9 || v > 1+1e-9 {
					t.Errorf("a share of %g: %+v", v, w)
				}
			}
		}
	})
}
