package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// garage draws stays at ports that people come to at an even rate; who finds none
// free goes away.
func garage(seed uint64, ports int, perHour, meanMinutes float64, from, to time.Time) []Stay {
	r := rand.New(rand.NewPCG(seed, 3))
	busy := make([]time.Time, ports)
	var out []Stay
	for at := from; at.Before(to); {
		at = at.Add(time.Duration(r.ExpFloat64() / perHour * float64(time.Hour)))
		for i := range busy {
			if !busy[i].After(at) {
				busy[i] = at.Add(time.Duration(r.ExpFloat64() * meanMinutes * float64(time.Minute)))
				out = append(out, Stay{From: at, To: busy[i], Weight: 1})
				break
			}
		}
	}
	return out
}

func TestDeparturesAreLearnedFromThoseWhoStayToo(t *testing.T) {
	from := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	now := from.AddDate(0, 0, 60)
	stays := garage(1, 50, 20, 90, from, now)
	d := LearnDepartures(stays, now, time.UTC)
	for _, minutes := range []float64{15, 60, 180} {
		s := Stay{From: now.Add(-40 * time.Minute)}
		want := math.Exp(-minutes / 90)
		if got := d.Stays(&s, now, now.Add(time.Duration(minutes)*time.Minute)); math.Abs(got-want) > 0.03 {
			t.Errorf("stays %g more minutes: %.3f, not %.3f", minutes, got, want)
		}
	}
	// Those of the future are not looked at.
	later := append([]Stay(nil), stays...)
	for i := range later {
		if later[i].To.After(now) {
			later[i].To = now.Add(1000 * time.Hour)
		}
	}
	a, b := LearnDepartures(stays, now, time.UTC), LearnDepartures(later, now, time.UTC)
	s := Stay{From: now.Add(-time.Hour)}
	if a.Stays(&s, now, now.Add(time.Hour)) != b.Stays(&s, now, now.Add(time.Hour)) {
		t.Error("when cars will leave changes what is known now")
	}
	if p := LearnDepartures(nil, now, time.UTC).Stays(&s, now, now.Add(time.Hour)); p <= 0 || p >= 1 {
		t.Errorf("of no stays at all: %g", p)
	}
}

func TestOddsOfAFreePortComeTrue(t *testing.T) {
	from := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	learn, end := from.AddDate(0, 0, 56), from.AddDate(0, 0, 120)
	for name, c := range map[string]struct {
		ports         int
		rate, minutes float64
		skill         float64 // at 15 minutes
	}{
		"one port, long stays":     {1, 0.4, 120, 0.6},
		"four ports, short stays":  {4, 6, 30, 0.05},
		"two ports, hardly anyone": {2, 0.2, 60, 0.2},
	} {
		stays := garage(5, c.ports, c.rate, c.minutes, from, end)
		m := LearnPorts(stays, nil, c.ports, from, learn, time.UTC)
		for _, ahead := range Aheads() {
			brier, usual, said, came, n := 0.0, 0.0, 0.0, 0.0, 0.0
			for at := learn; at.Before(end.Add(-time.Hour)); at = at.Add(20 * time.Minute) {
				there := present(stays, at)
				for i := range there {
					there[i].To = time.Time{}
				}
				p, free := m.Free(there, 0, at, ahead), number(count(stays, at.Add(ahead)) < c.ports)
				u := m.Usual(at.Add(ahead))
				brier, usual = brier+(p-free)*(p-free), usual+(u-free)*(u-free)
				said, came, n = said+p, came+free, n+1
			}
			if math.Abs(said-came)/n > 0.02 {
				t.Errorf("%s, %v ahead: %.3f said, %.3f came", name, ahead, said/n, came/n)
			}
			skill := 1 - brier/usual
			if ahead == 15*time.Minute && skill < c.skill || skill < -0.02 {
				t.Errorf("%s, %v ahead: skill %.3f", name, ahead, skill)
			}
		}
	}
	if m := LearnPorts(nil, nil, 2, learn.AddDate(0, 0, -5), learn, time.UTC); m != nil {
		t.Error("five days are enough for odds")
	}
}
