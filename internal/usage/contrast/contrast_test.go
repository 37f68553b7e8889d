package contrast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

func near(t *testing.T, what string, got Estimate, value, low, high, within float64) {
	t.Helper()
	for _, x := range [][2]float64{{got.Value, value}, {got.Low, low}, {got.High, high}} {
		if !(math.Abs(x[0]-x[1]) <= within) {
			t.Errorf("%s: %v, want %v (%v to %v)", what, got, value, low, high)
			return
		}
	}
}

// The bounds are those that the papers and the tables made after them print.
func TestIntervalsAsPrinted(t *testing.T) {
	near(t, "Wilson, Newcombe 1998 I, 81 of 263", wilson(81.0/263, 263), 0.30798, 0.2553, 0.3662, 5e-5)
	near(t, "Wilson, 0 of 20", wilson(0, 20), 0, 0, 0.1611, 5e-5)
	near(t, "Garwood, none", garwood(0, 1), 0, 0, 3.6889, 5e-5)
	near(t, "Garwood, one", garwood(1, 1), 1, 0.0253, 5.5716, 5e-5)
	near(t, "Garwood, ten in two", garwood(10, 2), 5, 2.3977, 9.1952, 5e-5)
	near(t, "Garwood, a hundred", garwood(100, 1), 100, 81.364, 121.627, 5e-4)
	near(t, "Newcombe 1998 II, (a)", minus(wilson(56.0/70, 70), wilson(48.0/80, 80)), 0.2, 0.0524, 0.3339, 5e-5)
	near(t, "Newcombe 1998 II, (d)", minus(wilson(10.0/10, 10), wilson(0, 20)), 1, 0.6791, 1, 5e-5)
	exact, rough := garwood(exactMost, 1), garwood(exactMost+1, 1)
	near(t, "where adding up ends", Estimate{rough.Value - exact.Value, rough.Low - exact.Low, rough.High - exact.High}, 1, 1, 1, 0.05)
	if e := garwood(3, 0); !math.IsNaN(e.Value) || !math.IsNaN(wilson(0, 0).Low) {
		t.Error("nothing seen is not nothing known")
	}
}

var began = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func at(hours float64) time.Time { return began.Add(time.Duration(hours * float64(time.Hour))) }

func TestSidesAreEquallyLong(t *testing.T) {
	x := Subject{From: began, To: at(0.5)}
	for name, tt := range map[string]struct {
		known, until time.Time
		from, to     float64 // of the side before, then of that after, in hours
		from2, to2   float64
		none         bool
	}{
		"the hour is not over":       {known: at(-999), until: at(0.9), none: true},
		"it was not there before":    {known: at(0), until: at(99), none: true},
		"some hours":                 {known: at(-999), until: at(6), from: -5, to: 0, from2: 1, to2: 6},
		"days are whole":             {known: at(-999), until: at(60), from: -48, to: 0, from2: 1, to2: 49},
		"as long as it is known":     {known: at(-30), until: at(60), from: -24, to: 0, from2: 1, to2: 25},
		"two weeks are enough":       {known: at(-9999), until: at(9999), from: -336, to: 0, from2: 1, to2: 337},
		"what takes longer is aside": {known: at(-999), until: at(6), from: -3, to: 0, from2: 3, to2: 6},
	} {
		t.Run(name, func(t *testing.T) {
			x := x
			if name == "what takes longer is aside" {
				x.To = at(3)
			}
			before, after, ok := x.Halves(tt.known, tt.until)
			if ok == tt.none {
				t.Fatal(ok)
			}
			if want := (Span{at(tt.from), at(tt.to)}); ok && before != want {
				t.Errorf("before %v, want %v", before, want)
			}
			if want := (Span{at(tt.from2), at(tt.to2)}); ok && after != want {
				t.Errorf("after %v, want %v", after, want)
			}
		})
	}
}

func boot(hours float64, version string) *event.Event {
	return &event.Event{At: at(hours), Body: &event.Boot{Firmware: version}}
}

// Time in which a station ran something else says nothing about either version.
func TestOnlyTheTwoVersionsCount(t *testing.T) {
	x := &Subject{From: began, To: at(0.5)}
	known, until := at(-200), at(200)
	for name, tt := range map[string]struct {
		events   []*event.Event
		from, to time.Time
	}{
		"nothing else":          {[]*event.Event{boot(-100, "1"), boot(0.4, "2"), boot(50, "2"), boot(60, "")}, known, until},
		"an older one before":   {[]*event.Event{boot(-150, "0"), boot(-100, "1"), boot(-50, "1"), boot(0.4, "2")}, at(-100), until},
		"rolled back":           {[]*event.Event{boot(0.4, "2"), boot(70, "1"), boot(80, "2")}, known, at(70)},
		"never ran the old one": {[]*event.Event{boot(-100, "0"), boot(0.4, "2")}, began, until},
	} {
		if from, to := Runs(tt.events, x, "1", "2", known, until); !from.Equal(tt.from) || !to.Equal(tt.to) {
			t.Errorf("%s: %v to %v", name, from, to)
		}
	}
}

func points(list ...any) (out []fleet.Point) {
	for i := 0; i < len(list); i += 2 {
		var hours float64
		switch h := list[i].(type) {
		case int:
			hours = float64(h)
		case float64:
			hours = h
		}
		out = append(out, fleet.Point{ValidFrom: at(hours), State: list[i+1].(string)})
	}
	return out
}

func TestWhatAStationDid(t *testing.T) {
	s := Seen{
		Up:    []Span{{at(-100), at(12)}, {at(18), at(100)}}, // we were away for six hours
		Links: points(-100, "online", 6, "offline", 12, "offline", 18, "online"),
		Ports: [][]fleet.Point{
			points(-100, "Available", 1, "Faulted", 1.1, "Available", 1.2, "Faulted", 2, "Available", 5, "Faulted", 6, "Unknown", 18, "Faulted", 19, "Available", 30, "Faulted"),
			points(-100, "Faulted", 3, "Available"), // it broke before
		},
		Tries: []attempt.Attempt{
			{At: at(1), EndsAt: at(2)},
			{At: at(2), EndsAt: at(3), Failed: true, Side: attempt.Charger},
			{At: at(3), EndsAt: at(4), Failed: true, Side: attempt.Vehicle},
			{At: at(3), EndsAt: at(4), Failed: true, Side: attempt.Driver, Reason: attempt.TokenUnknown}, // whatever it runs
			{At: at(4)}, // it goes on
			{At: at(-1), EndsAt: at(1)},
			{At: at(24), EndsAt: at(25)},
		},
	}
	got := s.During(Span{at(0), at(24)})
	want := Half{Stations: 1, Tries: 3, Good: 1, Faults: 2, PortDays: 1, StationDays: 0.75, OfflineDays: 0.25}
	if math.Abs(got.PortDays-want.PortDays) > 1e-9 || math.Abs(got.OfflineDays-want.OfflineDays) > 1e-9 {
		t.Errorf("%+v", got)
	}
	got.PortDays, got.OfflineDays = want.PortDays, want.OfflineDays
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTheControlTellsOfTheSameDays(t *testing.T) {
	done := []Subject{{"A", "k", at(0), at(1)}, {"B", "k", at(50), at(51)}, {"C", "other", at(70), at(71)}}
	got := Paired(done, []Subject{{Station: "Z", Kind: "k"}, {Station: "X", Kind: "k"}, {Station: "Y", Kind: "k"}, {Station: "V", Kind: "none"}})
	want := []Subject{{"X", "k", at(0), at(1)}, {"Y", "k", at(50), at(51)}, {"Z", "k", at(0), at(1)}}
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}

func verdictOf(t *testing.T, m Measure, list []Change) *Change {
	t.Helper()
	for i := range list {
		if list[i].Measure == m {
			return &list[i]
		}
	}
	t.Fatal(m)
	return nil
}

func TestVerdicts(t *testing.T) {
	half := func(tries, good, faults int, days, offline float64) Half {
		return Half{Stations: 10, Tries: tries, Good: good, Faults: faults, PortDays: 2 * (days - offline), StationDays: days, OfflineDays: offline}
	}
	well, ill := half(2000, 1900, 20, 140, 1), half(2000, 1700, 90, 140, 30)
	none := Pair{}
	for name, tt := range map[string]struct {
		done, control Pair
		length        time.Duration
		want          [3]Verdict
	}{
		"worse":                         {Pair{well, ill}, none, Most, [3]Verdict{Worse, Worse, Worse}},
		"better":                        {Pair{ill, well}, none, Most, [3]Verdict{Better, Better, Better}},
		"the same":                      {Pair{well, well}, none, Most, [3]Verdict{Same, Same, Same}},
		"everywhere worse":              {Pair{well, ill}, Pair{well, ill}, Most, [3]Verdict{Same, Same, Same}},
		"the same while others mended":  {Pair{ill, ill}, Pair{ill, well}, Most, [3]Verdict{Worse, Worse, Worse}},
		"a control of which is too few": {Pair{well, ill}, Pair{half(20, 20, 0, 9, 0), half(20, 1, 0, 9, 0)}, Most, [3]Verdict{Worse, Worse, Worse}},
		"some hours":                    {Pair{well, ill}, none, 6 * time.Hour, [3]Verdict{TooLittle, TooLittle, TooLittle}},
		"nothing":                       {none, none, 0, [3]Verdict{TooLittle, TooLittle, TooLittle}},
	} {
		got := Compare(&tt.done, &tt.control, tt.length)
		for i, m := range measures {
			if c := verdictOf(t, m, got); c.Verdict != tt.want[i] || (c.Needs == nil) == (c.Verdict == TooLittle) {
				t.Errorf("%s, %s: %s by %v, needs %+v", name, m, c.Verdict, c.Judged(), c.Needs)
			}
		}
	}
	few := Pair{half(10, 9, 0, 6, 0), half(12, 11, 0, 6, 0)}
	got := Compare(&few, &none, 3*Day)
	if n := verdictOf(t, Success, got).Needs; n.What != "tries" || n.Have != 10 || n.Want != leastTries || math.Abs(n.Days-6) > 1e-9 {
		t.Errorf("%+v", n)
	}
	if n := verdictOf(t, Offline, got).Needs; n.What != "stationDays" || math.Abs(n.Days-4) > 1e-9 {
		t.Errorf("%+v", n)
	}
	rare := Pair{half(1, 1, 0, 6, 0), half(1, 1, 0, 6, 0)}
	if n := verdictOf(t, Success, Compare(&rare, &none, 3*Day)).Needs; !math.IsNaN(n.Days) {
		t.Errorf("thirty tries in two weeks, at one in three days: %+v", n)
	}
}

// Of many campaigns that change nothing few are called better or worse, and those
// that halve the failures are found.
func TestHowOftenItIsWrong(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	side := func(fails, breaks, away float64) (h Half) {
		for range 40 { // stations of two ports, for a week
			for range 100 {
				h.Tries++
				if chance.Float64() >= fails {
					h.Good++
				}
			}
			for range 14 * 24 {
				if chance.Float64() < breaks/24 {
					h.Faults++
				}
			}
			for range 7 {
				h.OfflineDays += min(1, away*chance.ExpFloat64())
			}
			h.PortDays += 14
			h.StationDays += 7
		}
		return h
	}
	wrong, found := map[Measure]int{}, map[Measure]int{}
	const n = 300
	for range n {
		control := Pair{side(.06, .03, .02), side(.06, .03, .02)}
		same, mended := Pair{side(.06, .03, .02), side(.06, .03, .02)}, Pair{side(.12, .06, .02), side(.06, .03, .02)}
		for _, c := range Compare(&same, &control, 7*Day) {
			if c.Verdict != Same {
				wrong[c.Measure]++
			}
		}
		for _, c := range Compare(&mended, &control, 7*Day) {
			if c.Verdict == Better {
				found[c.Measure]++
			}
		}
	}
	t.Logf("of %d: wrong %v, found %v", n, wrong, found)
	for _, m := range measures {
		if wrong[m] > n*8/100 {
			t.Errorf("%s: %d of %d changes that were none", m, wrong[m], n)
		}
	}
	if found[Success] < n*99/100 || found[Faults] < n/3 {
		t.Errorf("found %v", found)
	}
}
