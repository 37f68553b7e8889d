package rollup

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

var day0 = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func at(hours float64) time.Time { return day0.Add(time.Duration(hours * float64(time.Hour))) }

func told(when float64, state string) fleet.Point {
	return fleet.Point{ValidFrom: at(when), KnownAt: at(when), State: state}
}

func stay(from, to, wh float64) Stay {
	return Stay{Session: Session{Start: at(from), End: at(to), EnergyWh: wh}}
}

func TestWhatAPortDoesAtAMoment(t *testing.T) {
	up := []fleet.Point{told(-100, "online")}
	type want struct {
		hour  float64
		state State
	}
	for name, c := range map[string]struct {
		track Track
		want  []want
	}{
		"a port nobody heard of is not observed": {Track{}, []want{{0, Unobserved}, {23, Unobserved}}},
		"its word counts while its station is connected": {
			Track{Links: []fleet.Point{told(1, "online"), told(5, "offline")}, States: []fleet.Point{told(0, "Available"), told(3, "Faulted")}},
			[]want{{0.5, Unobserved}, {2, Free}, {4, Faulted}, {6, Unobserved}},
		},
		"what we slept through is not observed": {
			Track{Links: up, States: []fleet.Point{told(0, "Available")}, Away: []Span{{at(2), at(3)}}},
			[]want{{1.9, Free}, {2.5, Unobserved}, {3.1, Free}},
		},
		"a state that was told later is known from when it began": {
			Track{Links: []fleet.Point{told(0, "online"), told(2, "offline"), told(8, "online")}, States: []fleet.Point{
				told(0, "Available"), {ValidFrom: at(4), KnownAt: at(8), State: "Faulted"}}},
			[]want{{1, Free}, {3, Unobserved}, {5, Faulted}, {9, Faulted}},
		},
		"a car without a session blocks": {
			Track{Links: up, States: []fleet.Point{told(0, "Preparing"), told(1, "Finishing"), told(2, "SuspendedEV"), told(3, "Reserved"), told(4, "Unavailable"), told(5, "Charging"), told(6, "Unknown")}},
			[]want{{0.5, Blocked}, {1.5, Blocked}, {2.5, Blocked}, {3.5, Reserved}, {4.5, Unavailable}, {5.5, Charging}, {6.5, Unobserved}},
		},
		"a session that ended was there, whether we were connected or not": {
			Track{Links: []fleet.Point{told(0, "online"), told(1, "offline")}, States: []fleet.Point{told(0, "Available")}, Stays: []Stay{stay(0.5, 2, 5000)}},
			[]want{{0.2, Free}, {0.7, Charging}, {1.5, Charging}, {3, Unobserved}},
		},
		"of a session that goes on only what we see is counted": {
			Track{Links: []fleet.Point{told(0, "online"), told(1, "offline")}, States: []fleet.Point{told(0, "Available")},
				Stays: []Stay{{Session: Session{Start: at(0.5), EnergyWh: 1}, Open: true}}},
			[]want{{0.7, Charging}, {1.5, Unobserved}},
		},
		"in a session the port's word says when power flows": {
			Track{Links: up, States: []fleet.Point{told(0, "Preparing"), told(1, "Charging"), told(3, "SuspendedEV"), told(5, "Available")}, Stays: []Stay{stay(0.5, 5, 9000)}},
			[]want{{0.2, Blocked}, {0.7, Idle}, {2, Charging}, {4, Idle}, {6, Free}},
		},
		"power that was measured says more than the word": {
			Track{Links: up, States: []fleet.Point{told(0, "Faulted"), told(3, "Charging")}, Stays: []Stay{stay(1, 4, 9000)},
				Curve: Curve{From: at(0), Step: time.Hour, W: []float64{0, 7000, 20, 0}}},
			[]want{{0.5, Faulted}, {1.5, Charging}, {2.5, Faulted}, {3.5, Idle}},
		},
		"a hole in the curve is filled by the word": {
			Track{Links: up, States: []fleet.Point{told(0, "Charging")}, Stays: []Stay{stay(0, 3, 9000)},
				Curve: Curve{From: at(0), Step: time.Hour, W: []float64{7000, math.NaN(), 10}}},
			[]want{{0.5, Charging}, {1.5, Charging}, {2.5, Idle}},
		},
		"an imported car charges first, at the power of the port": {
			Track{Covered: []Span{{at(0), at(20)}}, RatedW: 10_000, Stays: []Stay{{Session: Session{Start: at(2), End: at(8), EnergyWh: 30_000, Imported: true}}}},
			[]want{{1, Free}, {4.9, Charging}, {5.1, Idle}, {9, Free}, {21, Unobserved}},
		},
		"an imported end of charging counts": {
			Track{Stays: []Stay{{Session: Session{Start: at(2), End: at(8), ChargingEnd: at(3), EnergyWh: 30_000, Imported: true}}}},
			[]want{{1, Unobserved}, {2.5, Charging}, {3.5, Idle}},
		},
		"a session without known energy charges as far as anybody knows": {
			Track{RatedW: 10_000, Stays: []Stay{{Session: Session{Start: at(2), End: at(8), EnergyWh: math.NaN(), Imported: true}}}},
			[]want{{7.9, Charging}, {8.1, Unobserved}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.track.Now = at(24)
			days := Fold(&c.track, day0, at(24))
			for _, w := range c.want {
				ms := int64(w.hour * 3600_000)
				days[0].each(func(from, to int64, s State) {
					if from <= ms && ms < to && s != w.state {
						t.Errorf("at hour %v state %d, want %d", w.hour, s, w.state)
					}
				})
			}
		})
	}
}

func TestAnImportDoesNotRepeatWhatWasHeard(t *testing.T) {
	imported := func(from, to, wh float64) Stay {
		s := stay(from, to, wh)
		s.Imported = true
		return s
	}
	track := Track{Now: at(24), Stays: []Stay{
		stay(2, 5, 10_000), imported(2.01, 5.02, 10_001), imported(5.01, 6, 700), imported(8, 9, 3000),
	}}
	d := &Fold(&track, day0, at(24))[0]
	if len(d.Visits) != 3 {
		t.Errorf("%d visits, want the one heard and two imported", len(d.Visits))
	}
	if got := energy([]PortDay{*d}); got != 13_700_000 {
		t.Errorf("%d mWh, want 13,700,000", got)
	}
}

func energy(days []PortDay) (sum int64) {
	for i := range days {
		for _, mwh := range days[i].MilliWh {
			sum += mwh
		}
	}
	return sum
}

// drawTrack makes what might be told of a port over five days.
func drawTrack(r *rapid.T) Track {
	hour := rapid.Float64Range(-30, 140)
	t := Track{Now: at(rapid.Float64Range(0, 130).Draw(r, "now")), RatedW: rapid.SampledFrom([]float64{0, 3700, 22_000}).Draw(r, "rated")}
	points := func(name string, words ...string) []fleet.Point {
		var out []fleet.Point
		for range rapid.IntRange(0, 12).Draw(r, name) {
			p := told(hour.Draw(r, "at"), rapid.SampledFrom(words).Draw(r, "word"))
			if rapid.Bool().Draw(r, "late") {
				p.KnownAt = p.ValidFrom.Add(time.Duration(rapid.IntRange(0, 100).Draw(r, "by")) * time.Hour)
			}
			out = append(out, p)
		}
		slices.SortStableFunc(out, func(a, b fleet.Point) int { return a.ValidFrom.Compare(b.ValidFrom) })
		return out
	}
	t.States = points("states", "Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Faulted", "Unavailable", "Unknown")
	t.Links = points("links", "online", "offline")
	spans := func(name string) []Span {
		var out []Span
		last := -30.0
		for range rapid.IntRange(0, 3).Draw(r, name) {
			from := last + rapid.Float64Range(0.1, 30).Draw(r, "from")
			last = from + rapid.Float64Range(0.1, 30).Draw(r, "for")
			out = append(out, Span{at(from), at(last)})
		}
		return out
	}
	t.Away, t.Covered = spans("away"), spans("covered")
	for range rapid.IntRange(0, 8).Draw(r, "stays") {
		from := hour.Draw(r, "start")
		s := stay(from, from+rapid.SampledFrom([]float64{0, 0.001, 0.3, 2, 40, 90}).Draw(r, "length"), rapid.SampledFrom([]float64{0, -3, 0.0004, 1, 12_345.678, 1e6 / 7, math.NaN()}).Draw(r, "energy"))
		s.Imported = rapid.Bool().Draw(r, "imported")
		s.Open = !s.Imported && rapid.Bool().Draw(r, "open")
		if s.Open {
			s.End = time.Time{}
		}
		if rapid.Bool().Draw(r, "charged") {
			s.ChargingEnd = s.Start.Add(time.Hour)
		}
		s.Token = rapid.SampledFrom([]string{"", "00000000000000ab", "ffffffffffffffff"}).Draw(r, "token")
		t.Stays = append(t.Stays, s)
	}
	if rapid.Bool().Draw(r, "curve") {
		t.Curve = Curve{From: at(-30), Step: time.Minute, W: make([]float64, 170*60)}
		x := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		for i := range t.Curve.W {
			switch t.Curve.W[i] = 22_000 * x.Float64(); i / 60 % 5 {
			case 0:
				t.Curve.W[i] = math.NaN()
			case 1:
				t.Curve.W[i] = 0
			}
		}
	}
	return t
}

func TestEachMomentCountsOnceAndEnergyIsConserved(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		track := drawTrack(r)
		// Five days in which every stay fits, however long it is.
		whole := Fold(&track, at(-48), at(240))
		for _, d := range whole {
			total := int64(0)
			for k, c := range d.Cells() {
				sum := int64(0)
				for _, ms := range c.Millis {
					sum += ms
				}
				if want := min(max(int64(d.Until)-int64(k)*cellMillis, 0), cellMillis); sum != want {
					r.Fatalf("%s cell %d has %d ms, want %d", d.Begin, k, sum, want)
				}
				total += c.MilliWh
			}
			if got := energy([]PortDay{d}); got != total {
				r.Fatalf("cells hold %d mWh, the day %d", total, got)
			}
		}
		want := int64(0)
		for _, d := range whole {
			for _, v := range d.Visits {
				want += milliWh(v.EnergyWh)
			}
		}
		unfinished := slices.ContainsFunc(track.Stays, func(s Stay) bool { return !s.Open && s.End.After(track.Now) })
		if got := energy(whole); got != want && !unfinished {
			r.Fatalf("cells hold %d mWh, sessions %d", got, want)
		}
	})
}

func TestOrderRepeatsAndCutsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		track := drawTrack(r)
		whole := Fold(&track, at(-48), at(240))
		again := track
		again.Stays = append(slices.Clone(track.Stays), track.Stays...)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "order"), 2)).Shuffle(len(again.Stays), func(i, j int) {
			again.Stays[i], again.Stays[j] = again.Stays[j], again.Stays[i]
		})
		if got := Fold(&again, at(-48), at(240)); !equal(got, whole) {
			r.Fatalf("told twice and in another order:\n%+v\n%+v", got, whole)
		}
		var parts []PortDay
		for h := -48.0; h < 240; h += 24 {
			parts = append(parts, Fold(&track, at(h), at(h+24))...)
		}
		if !equal(parts, whole) {
			r.Fatal("day by day is not the same as at once")
		}
	})
}

// equal compares stored forms: NaN is no obstacle there.
func equal(a, b []PortDay) bool {
	stored := func(days []PortDay) (out [][]byte) {
		for i := range days {
			out = append(out, days[i].Append(nil))
		}
		return out
	}
	return reflect.DeepEqual(stored(a), stored(b))
}

func TestStoredFormsComeBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := drawTrack(r), drawTrack(r)
		b.Now = a.Now
		one, two := Fold(&a, day0, at(120)), Fold(&b, day0, at(120))
		for i := range one {
			data := one[i].Append(nil)
			back, err := ReadPort(one[i].Begin, data)
			if err != nil || !reflect.DeepEqual(back.Append(nil), data) {
				r.Fatalf("port's day does not come back: %v", err)
			}
			place := Together([]*PortDay{&one[i], &two[i]})
			stored := place.Append(nil)
			again, err := ReadPlace(place.Begin, stored)
			if err != nil || !reflect.DeepEqual(again.Append(nil), stored) || again.Cells != place.Cells {
				r.Fatalf("place's day does not come back: %v", err)
			}
			for k, c := range place.Cells {
				if c.MilliWh != one[i].MilliWh[k]+two[i].MilliWh[k] {
					r.Fatalf("cell %d is not the sum of its ports", k)
				}
			}
		}
	})
}

func TestAllPortsAreBusy(t *testing.T) {
	port := func(runs ...Run) *PortDay { return &PortDay{Begin: day0, Until: 24 * 3600_000, Runs: runs} }
	h := func(hour float64, s State) Run { return Run{From: int32(hour * 3600_000), State: s} }
	for name, c := range map[string]struct {
		ports []*PortDay
		hours float64
	}{
		"both have a car at once":                {[]*PortDay{port(h(0, Free), h(2, Charging), h(6, Free)), port(h(0, Free), h(5, Idle), h(9, Free))}, 1},
		"the other one is broken":                {[]*PortDay{port(h(0, Free), h(2, Charging), h(6, Free)), port(h(0, Faulted))}, 4},
		"none can be used":                       {[]*PortDay{port(h(0, Unavailable)), port(h(0, Unobserved))}, 0},
		"one ends as another begins":             {[]*PortDay{port(h(0, Charging), h(12, Free)), port(h(0, Free), h(12, Blocked))}, 0},
		"a reserved port is not free to come to": {[]*PortDay{port(h(0, Reserved))}, 24},
	} {
		t.Run(name, func(t *testing.T) {
			sum := int64(0)
			for _, ms := range Together(c.ports).AllBusy {
				sum += ms
			}
			if got := float64(sum) / 3600_000; got != c.hours {
				t.Errorf("%v h without a free port, want %v", got, c.hours)
			}
		})
	}
}

func TestDaysOfAPlaceHaveTheirOwnLength(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, berlin)
	g := NewGrid(from, from.AddDate(0, 0, 3))
	for d := range 5 {
		begin := time.Date(2026, 3, 27+d, 0, 0, 0, 0, time.UTC)
		track := Track{Now: at(10_000), Stays: []Stay{{Session: Session{Start: begin, End: begin.Add(Day), EnergyWh: 24_000}}}}
		g.Add(Together([]*PortDay{&Fold(&track, begin, begin.Add(Day))[0]}))
	}
	points := g.Points(Daily(berlin))
	var hours, wh []float64
	for _, p := range points {
		hours, wh = append(hours, p.Calendar()/3600), append(wh, p.EnergyWh)
	}
	if want := []float64{24, 23, 24}; !slices.Equal(hours, want) || !slices.Equal(wh, []float64{24_000, 23_000, 24_000}) {
		t.Errorf("days of %v h and %v Wh, want 24, 23 and 24 h with 1 kWh an hour", hours, wh)
	}
}

func FuzzReadDays(f *testing.F) {
	track := Track{Now: at(24), Links: []fleet.Point{told(0, "online")}, States: []fleet.Point{told(1, "Available")}, Stays: []Stay{stay(2, 4, 1234)}}
	d := &Fold(&track, day0, at(24))[0]
	f.Add(d.Append(nil))
	f.Add(Together([]*PortDay{d}).Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := ReadPort(day0, data); err == nil {
			if _, err := ReadPort(day0, d.Append(nil)); err != nil {
				t.Fatal(err)
			}
			d.Cells()
		}
		if d, err := ReadPlace(day0, data); err == nil {
			if _, err := ReadPlace(day0, d.Append(nil)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
