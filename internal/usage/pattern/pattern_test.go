package pattern

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// full fills a grid: each quarter hour of a place has ports that are occupied for
// a share of it.
func full(from, to time.Time, ports int32, occupied func(time.Time) float64) *rollup.Grid {
	g := rollup.NewGrid(from, to)
	const cell = int64(rollup.CellLength / time.Millisecond)
	for i := range g.Cells {
		all := cell * int64(ports)
		busy := int64(math.Round(occupied(g.At(i)) * float64(all)))
		g.Cells[i].Millis[rollup.Charging], g.Cells[i].Millis[rollup.Free] = busy, all-busy
		g.Cells[i].MilliWh = busy
		g.Ports[i], g.Places[i], g.Counted[i] = ports, 1, cell
	}
	return g
}

// Any part of the week that is used more than the rest, on some days or all of
// them, is found with its hours and nothing else is, through noise and changes
// of the clock.
func TestAPeakIsFound(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	rapid.Check(t, func(r *rapid.T) {
		from := time.Date(2026, 3, 2, 0, 0, 0, 0, berlin)
		weeks := rapid.IntRange(3, 13).Draw(r, "weeks")
		hour := rapid.IntRange(0, 20).Draw(r, "hour")
		length := rapid.IntRange(2, 4).Draw(r, "length")
		days := rapid.SampledFrom([][]int{{1, 2, 3, 4, 5}, {6}, {6, 7}, {1, 2, 3, 4, 5, 6, 7}, {5}, {1, 3, 5}}).Draw(r, "days")
		base := rapid.Float64Range(0.02, 0.3).Draw(r, "base")
		high := base + rapid.Float64Range(0.3, 0.6).Draw(r, "high")
		noise := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		weekday := func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }
		g := full(from, from.AddDate(0, 0, 7*weeks), 6, func(t time.Time) float64 {
			l := t.In(berlin)
			v := base
			if slices.Contains(days, weekday(l)) && l.Hour() >= hour && l.Hour() < hour+length {
				v = high
			}
			return min(1, max(0, v+0.05*noise.NormFloat64()))
		})
		type part struct{ day, from, to int }
		var found, want []part
		for _, w := range Windows(g, berlin) {
			for _, d := range w.Weekdays {
				found = append(found, part{d, w.FromHour, w.ToHour})
			}
			if w.Weeks != weeks || w.StableWeeks != weeks {
				r.Fatalf("in %d of %d weeks, of %d", w.StableWeeks, w.Weeks, weeks)
			}
		}
		for _, d := range days {
			want = append(want, part{d, hour, hour + length})
		}
		slices.SortFunc(found, func(a, b part) int { return a.day - b.day })
		if !slices.Equal(found, want) {
			r.Fatalf("found %v, want %v", found, want)
		}
	})
}

func TestAFlatWeekHasNoPeaks(t *testing.T) {
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for name, share := range map[string]float64{"never used": 0, "always full": 1, "always half": 0.5} {
		t.Run(name, func(t *testing.T) {
			g := full(from, from.AddDate(0, 0, 28), 2, func(time.Time) float64 { return share })
			if w := Windows(g, time.UTC); len(w) != 0 {
				t.Errorf("%+v", w)
			}
		})
	}
	if w := Windows(rollup.NewGrid(from, from.AddDate(0, 0, 28)), time.UTC); len(w) != 0 {
		t.Errorf("nothing known: %+v", w)
	}
	if _, ok := PrimeTime(rollup.NewGrid(from, from.AddDate(0, 0, 28)), time.UTC); ok {
		t.Error("nothing known has a prime time")
	}
}

func TestPrimeTimeMayPassMidnight(t *testing.T) {
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	g := full(from, from.AddDate(0, 0, 14), 2, func(t time.Time) float64 {
		if h := t.Hour(); h >= 22 || h < 4 {
			return 0.8
		}
		return 0.1
	})
	got, ok := PrimeTime(g, time.UTC)
	if !ok || got.FromHour != 22 || got.ToHour != 4 || math.Abs(got.Occupied-0.8) > 1e-9 {
		t.Errorf("%+v", got)
	}
}

// The hours of a week have as much in them as the grid, on days of 23 and of 25
// hours too, in zones with odd offsets as well.
func TestTheWeekLosesNothing(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"} {
		t.Run(name, func(t *testing.T) {
			z := zone(t, name)
			from := time.Date(2026, 1, 1, 0, 0, 0, 0, z)
			x := rand.New(rand.NewPCG(1, 2))
			g := full(from, from.AddDate(1, 0, 0), 3, func(time.Time) float64 { return x.Float64() })
			sums, _ := weekly(g, z)
			var all, week tally
			for i := range g.Cells {
				all.add(g, i)
			}
			hours := 0.0
			for h := range sums {
				week.join(&sums[h])
				hours += sums[h].hours
			}
			if all.Cell != week.Cell || math.Abs(hours-all.hours) > 1 {
				t.Errorf("%+v, want %+v", week.Cell, all.Cell)
			}
		})
	}
}

func TestWhatIsNotObservedIsNotZero(t *testing.T) {
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	g := full(from, from.AddDate(0, 0, 14), 2, func(time.Time) float64 { return 0.5 })
	for i := range g.Cells {
		c := &g.Cells[i]
		switch h := g.At(i).Hour(); {
		case h < 6: // nobody looked
			*c = rollup.Cell{}
			c.Millis[rollup.Unobserved] = 2 * 900_000
		case h < 8: // one of two was seen, and it was broken
			*c = rollup.Cell{}
			c.Millis[rollup.Unobserved], c.Millis[rollup.Faulted] = 900_000, 900_000
		case h < 10: // one of two was seen, occupied all the time
			*c = rollup.Cell{Starts: 1, MilliWh: 1_000_000}
			c.Millis[rollup.Unobserved], c.Millis[rollup.Charging] = 900_000, 900_000
			g.Open[i], g.AllBusy[i] = 900_000, 900_000
		}
	}
	for _, c := range []struct {
		measure Measure
		hour    int
		want    float64
		weeks   int
	}{
		{Occupied, 3, math.NaN(), 0}, {Energy, 3, math.NaN(), 0}, {Occupied, 7, math.NaN(), 2}, {Energy, 7, 0, 2}, {Occupied, 9, 1, 2},
		{Energy, 9, 8000, 2}, {Starts, 9, 8, 2}, {AllBusy, 9, 1, 2}, {AllBusy, 7, math.NaN(), 2}, {Occupied, 15, 0.5, 2},
	} {
		got := Week(g, time.UTC, c.measure)[c.hour]
		if got.Weeks != c.weeks || got.Value != c.want && !(math.IsNaN(got.Value) && math.IsNaN(c.want)) {
			t.Errorf("%s at %d h: %v in %d weeks, want %v in %d", c.measure, c.hour, got.Value, got.Weeks, c.want, c.weeks)
		}
	}
}

func TestFiguresOfAnAccount(t *testing.T) {
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	a := NewAccount(day, day.AddDate(0, 0, 1))
	visit := func(port int64, from, to float64, wh float64, token string) rollup.Visit {
		at := func(h float64) time.Time { return day.Add(time.Duration(h * float64(time.Hour))) }
		return rollup.Visit{Port: port, Stay: rollup.Stay{Session: rollup.Session{Start: at(from), End: at(to), EnergyWh: wh, Token: token}}}
	}
	d := &rollup.PlaceDay{Begin: day, Until: 86_400_000, Ports: 2, Tries: rollup.Tries{All: 4, Failed: 1, InVain: 1}}
	for k := range d.Cells {
		d.Cells[k].Millis[rollup.Free] = 900_000
		switch {
		case k < 24:
			d.Cells[k].Millis[rollup.Faulted] = 900_000
		case k < 48:
			d.Cells[k].Millis[rollup.Charging], d.Cells[k].MilliWh = 900_000, 2_500_000
		case k < 60:
			d.Cells[k].Millis[rollup.Idle] = 900_000
		case k < 72:
			d.Cells[k].Millis[rollup.Unobserved] = 900_000
		default:
			d.Cells[k].Millis[rollup.Free] = 1_800_000
		}
	}
	d.Visits = []rollup.Visit{visit(1, 6, 12, 60_000, "a"), visit(1, 12, 15, 0, "a"), visit(2, 23, 23, math.NaN(), "")}
	a.Add(d)
	f := a.Figures()
	for name, c := range map[string][2]float64{
		"occupied of operative time": {f.Occupied.Operative, 9.0 / (48 - 6 - 3)}, "occupied of calendar time": {f.Occupied.Calendar, 9.0 / 48},
		"charging of operative time": {f.Charging.Operative, 6.0 / 39}, "idle of occupied": {f.Idle, 3.0 / 9}, "observed": {f.Observed, 45.0 / 48},
		"throughput": {f.WhPerPortDay, 60_000 / (45.0 / 24)}, "turnover": {f.Turnover, 3 / (45.0 / 24)}, "power": {f.AveragePowerW, 10_000}, "peak": {f.PeakW, 10_000},
		"ports": {float64(f.Ports), 2}, "sessions": {float64(f.Sessions), 3}, "median dwell": {f.Dwell.P50, 3 * 3600}, "tokens": {float64(f.Tokens.Few), 1},
		"top tenth": {f.Tokens.TopTenthShare, 1}, "in vain": {float64(f.Tries.InVain), 1},
	} {
		if math.Abs(c[0]-c[1]) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c[0], c[1])
		}
	}
	u := UptimeOf(&rollup.Cell{Millis: [rollup.States]int64{rollup.Free: 60, rollup.Faulted: 20, rollup.Unavailable: 20, rollup.Unobserved: 100}})
	if u != (Uptime{Availability: 0.6, WithoutPlanned: 0.75, Observed: 0.5}) {
		t.Errorf("uptime %+v", u)
	}
}
