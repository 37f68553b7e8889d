package forecast

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// drawn is a series with a day, a week, noise and a memory.
func drawn(t testing.TB, hours int, seed uint64) *Series {
	r := rand.New(rand.NewPCG(seed, 7))
	s := &Series{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Zone: berlin(t)}
	memory := 0.0
	for i := range hours {
		memory = 0.7*memory + r.NormFloat64()
		level := 6 + 4*math.Sin(2*math.Pi*float64(i-8)/24)
		if i/24%7 >= 5 {
			level *= 0.6
		}
		s.Y = append(s.Y, max(0, level+memory))
		s.Late = append(s.Late, max(0, level+memory+0.2*r.NormFloat64()))
		if r.Float64() < 0.5 {
			from := s.Start.Add(time.Duration(i)*time.Hour + time.Duration(r.IntN(60))*time.Minute)
			s.Stays = append(s.Stays, Stay{From: from, To: from.Add(time.Duration(r.ExpFloat64()*100) * time.Minute), Weight: 1})
		}
	}
	return s
}

func TestAForecastKnowsNothingOfWhatCameLater(t *testing.T) {
	const n, from = 12 * week, 4 * week
	for _, h := range []int{1, 3, 24, 72, 168} {
		for _, at := range []int{7 * week, 9*week + 31, 11*week + 100} {
			whole := drawn(t, n, 1)
			changed := drawn(t, n, 1)
			for i := at - h + 1; i < n; i++ {
				changed.Y[i], changed.Late[i] = 50, 50
			}
			now := whole.Start.Add(time.Duration(at-h+1) * time.Hour)
			for i := range changed.Stays {
				s := &changed.Stays[i]
				if s.From.Before(now) && s.To.After(now) {
					s.To = time.Time{}
				}
			}
			a := newPast(whole, n).run(n, h, from)
			b := newPast(changed, n).run(n, h, from)
			for m := range Models {
				if a.said[m][at] != b.said[m][at] {
					t.Errorf("%d hours ahead, %s said %g of hour %d, and %g had another future come", h, Model(m).Name(), a.said[m][at], at, b.said[m][at])
				}
			}
			if a.mid[at] != b.mid[at] || a.low[at] != b.low[at] || a.high[at] != b.high[at] {
				t.Errorf("%d hours ahead, the band of hour %d depends on what came", h, at)
			}
		}
	}
}

func TestWhatWasNotObservedIsNotZero(t *testing.T) {
	s := drawn(t, 12*week, 2)
	for i := range s.Y {
		s.Y[i] += 10
		s.Late[i] += 10
		if i > 5*week && i%week < 30 || i > 8*week && i < 9*week {
			s.Y[i], s.Late[i] = math.NaN(), math.NaN()
		}
	}
	s.Stays = nil
	f, err := Make(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range f.Hours {
		if !(x.Low > 5 && x.Low <= x.Mid && x.Mid <= x.High && x.High < 30) {
			t.Errorf("%v: %g to %g, middle %g, of a series between 10 and 25", x.At, x.Low, x.High, x.Mid)
		}
	}
}

func TestAWeekThatRepeatsIsForecastExactly(t *testing.T) {
	s := &Series{Start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Zone: berlin(t)}
	// The clock changes on 29 March: the week repeats by the clock on the wall.
	wall := func(i int) float64 {
		at := s.Start.Add(time.Duration(i) * time.Hour).In(s.Zone)
		return float64(3 + (int(at.Weekday())*24+at.Hour())%11)
	}
	for i := range 10 * week {
		s.Y = append(s.Y, wall(i))
	}
	f, err := Make(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Hours) != Horizon || !f.Hours[0].At.Equal(s.Start.Add(10*week*time.Hour)) {
		t.Fatalf("%d hours from %v", len(f.Hours), f.Hours[0].At)
	}
	for i, x := range f.Hours {
		if want := wall(10*week + i); math.Abs(x.Mid-want) > 0.3 {
			t.Errorf("%d hours ahead: %g, not %g", i+1, x.Mid, want)
		}
	}
	for _, score := range f.Scores {
		if score.MAE > 0.3 {
			t.Errorf("%d hours ahead the error is said to be %g", score.Ahead, score.MAE)
		}
	}
}

func TestTooLittleIsSaidWithWhatIsMissing(t *testing.T) {
	for weeks, want := range map[int]string{
		0: "not enough data: needs 4 more weeks",
		1: "not enough data: needs 3 more weeks",
		3: "not enough data: needs 1 more week",
		4: "",
		5: "",
	} {
		_, err := Make(drawn(t, weeks*week, 3))
		var little *TooLittleError
		if errors.As(err, &little) != (want != "") || err != nil && err.Error() != want {
			t.Errorf("%d weeks: %v, not %q", weeks, err, want)
		}
	}
	s := drawn(t, 20*week, 3)
	for i := 13 * week; i < len(s.Y); i++ {
		s.Y[i] = math.NaN()
	}
	if _, err := Make(s); err == nil || err.Error() != "not enough data: needs 3 more weeks" {
		t.Errorf("seven weeks unobserved: %v", err)
	}
}

func TestBandsHoldWhatTheySay(t *testing.T) {
	for _, seed := range []uint64{4, 5, 6} {
		s := drawn(t, 26*week, seed)
		s.Stays = nil
		for _, h := range []int{1, 24} {
			r := Rehearse(s, h, 8*week, 14*week)
			if c := r.Score.Covered; c < 0.77 || c > 0.83 {
				t.Errorf("seed %d, %d hours ahead: the band holds %.3f", seed, h, c)
			}
		}
	}
}

func TestTheBlendIsAsGoodAsTheBest(t *testing.T) {
	for name, make := range map[string]func(i int, r *rand.Rand, before float64) float64{
		"a walk at random, of which only the last value tells": func(_ int, r *rand.Rand, before float64) float64 {
			return max(0, before+r.NormFloat64())
		},
		"noise about a week": func(i int, r *rand.Rand, _ float64) float64 {
			return 10 + 5*math.Sin(2*math.Pi*float64(i)/24) + r.NormFloat64()
		},
		"nothing but now and then one": func(_ int, r *rand.Rand, _ float64) float64 {
			return number(r.Float64() < 0.05)
		},
		"two levels, a month each": func(i int, r *rand.Rand, _ float64) float64 {
			return 5 + 5*float64(i/(4*week)%2) + 0.3*r.NormFloat64()
		},
	} {
		r := rand.New(rand.NewPCG(8, 8))
		s := &Series{Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)}
		y := 30.0
		for i := range 20 * week {
			y = make(i, r, y)
			s.Y = append(s.Y, y)
		}
		for _, h := range []int{1, 24} {
			score := Rehearse(s, h, 8*week, 12*week).Score
			best := math.Inf(1)
			for _, v := range score.Of {
				best = min(best, v)
			}
			// After a change of level it has to find out again who is good.
			if score.MAE > 1.15*best+1e-3 {
				t.Errorf("%s, %d hours ahead: errs by %.4f, the best model by %.4f", name, h, score.MAE, best)
			}
		}
	}
}

func TestADayOffIsKnown(t *testing.T) {
	s := drawn(t, 20*week, 9)
	off := func(y int, m time.Month, d int) bool { return d == 3 || d == 17 }
	s.DayOff = off
	s.Stays = nil
	for i := range s.Y {
		if off(s.Start.Add(time.Duration(i) * time.Hour).In(s.Zone).Date()) {
			s.Y[i] *= 0.2
			s.Late[i] *= 0.2
		}
	}
	plain := *s
	plain.DayOff = nil
	wrong := func(s *Series) (sum float64) {
		r := Rehearse(s, 24, 4*week, 8*week)
		for i := 8 * week; i < len(s.Y); i++ {
			if off(s.Start.Add(time.Duration(i) * time.Hour).In(s.Zone).Date()) {
				sum += math.Abs(r.Mid[i] - s.Y[i])
			}
		}
		return sum
	}
	if with, without := wrong(s), wrong(&plain); with > 0.8*without {
		t.Errorf("knowing of days off the error on them is %.1f, without %.1f", with, without)
	}
}

func TestNormalEquationsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const p = 9
	truth := make([]float64, p)
	for i := range truth {
		truth[i] = r.NormFloat64()
	}
	one, left, right := newNormal(p), newNormal(p), newNormal(p)
	for i := range 1001 {
		x := make([]float64, p)
		x[0] = 1
		for j := 1; j < p; j++ {
			x[j] = r.NormFloat64()
		}
		y := dot(x, truth)
		one.add(x, y, 1)
		if i%3 == 0 {
			left.add(x, y, 1)
		} else {
			right.add(x, y, 1)
		}
	}
	left.join(right)
	a, b := one.solve(0), left.solve(0)
	for i := range truth {
		if math.Abs(a[i]-truth[i]) > 1e-4 || math.Abs(a[i]-b[i]) > 1e-9 {
			t.Errorf("coefficient %d: %g and %g, not %g", i, a[i], b[i], truth[i])
		}
	}
	if b := newNormal(p).solve(1); b != nil {
		t.Errorf("nothing was fitted to %v", b)
	}
}
