package outlook

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/planning/forecast"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// told is a site of four ports that is busy by day; parts of its past may be
// missing.
type told struct {
	now     time.Time
	weeks   int
	energy  bool
	missing func(time.Time) bool
	seldom  string // a site where nobody was yet
	asked   int
}

func (x *told) Series(_ context.Context, _ string, from, to time.Time, step time.Duration) ([]rollup.Point, error) {
	x.asked++
	var out []rollup.Point
	for at := from.Truncate(step); at.Before(to); at = at.Add(step) {
		if at.Before(x.now.Truncate(time.Hour).AddDate(0, 0, -7*x.weeks)) {
			continue
		}
		p := rollup.Point{From: at, Ports: 4}
		all := 4 * step.Seconds()
		if x.missing != nil && x.missing(at) {
			p.Unobserved = all
			out = append(out, p)
			continue
		}
		p.Occupied = all * (0.4 + 0.3*math.Sin(2*math.Pi*float64(at.Hour()-9)/24))
		p.Charging = p.Occupied
		p.Free = all - p.Occupied
		if x.energy {
			p.EnergyWh = p.Occupied * 3
			p.PeakW = 11_000
		}
		out = append(out, p)
	}
	return out, nil
}

func (x *told) Sessions(_ context.Context, site string, from, to time.Time) ([]rollup.Session, error) {
	var out []rollup.Session
	if site == x.seldom {
		return nil, nil
	}
	for at := from.Truncate(time.Hour); at.Before(to); at = at.Add(time.Hour) {
		if !at.Before(x.now.Truncate(time.Hour).AddDate(0, 0, -7*x.weeks)) {
			out = append(out, rollup.Session{Station: "S", EVSE: 1 + at.Hour()%4, Start: at, End: at.Add(50 * time.Minute), EnergyWh: math.NaN()})
		}
	}
	return out, nil
}

// standing is a fleet as it is now.
type standing struct{ stations []*fleet.Station }

func (x *standing) Snapshot() *fleet.Snapshot {
	s := fleet.New()
	s.Restore(fleet.Meta{}, x.stations)
	return s.Snapshot()
}

type here struct{}

func (here) ZoneOf(string) *time.Location { return time.UTC }

func service(t *testing.T, x *told) *Service {
	t.Helper()
	x.now = time.Date(2026, 6, 10, 12, 30, 0, 0, time.UTC)
	return New(Options{Usage: x, Fleet: &standing{}, Sites: here{}, Now: func() time.Time { return x.now }})
}

func TestForecastOfASite(t *testing.T) {
	x := &told{weeks: 12, energy: true}
	s := service(t, x)
	for _, target := range []Target{Occupied, Energy, Power} {
		o, err := s.Forecast(t.Context(), "mall", target)
		if err != nil {
			t.Fatal(target, err)
		}
		if !o.From.Equal(x.now.Truncate(time.Hour)) || len(o.Hours) != forecast.Horizon || o.Ports != 4 || o.Gaps != 0 || o.Weeks != 12 {
			t.Errorf("%s: from %v, %d hours, %d ports, %d gaps, %d weeks", target, o.From, len(o.Hours), o.Ports, o.Gaps, o.Weeks)
		}
		if target == Occupied {
			for i, h := range o.Hours {
				if want := 4 * (0.4 + 0.3*math.Sin(2*math.Pi*float64(h.At.Hour()-9)/24)); math.Abs(h.Mid-want) > 0.1 || h.Mid > 4 {
					t.Errorf("hour %d: %.3f, not %.3f", i, h.Mid, want)
				}
			}
		}
	}
}

func TestAForecastServesForTheHour(t *testing.T) {
	x := &told{weeks: 12}
	s := service(t, x)
	for _, c := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {25 * time.Minute, 1}, {8 * time.Minute, 1}, {2 * time.Minute, 2}, {time.Minute, 2}, {time.Hour, 3}} {
		x.now = x.now.Add(c.after)
		if _, err := s.Forecast(t.Context(), "mall", Occupied); err != nil || x.asked != c.asked {
			t.Errorf("at %v it was made %d times, not %d: %v", x.now, x.asked, c.asked, err)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	var little *forecast.TooLittleError
	if _, err := service(t, &told{weeks: 2}).Forecast(t.Context(), "mall", Occupied); !errors.As(err, &little) || little.Weeks() != 2 {
		t.Errorf("of two weeks: %v", err)
	}
	if _, err := service(t, &told{}).Forecast(t.Context(), "mall", Occupied); !errors.As(err, &little) || little.Weeks() != 4 {
		t.Errorf("of nothing: %v", err)
	}
	status := service(t, &told{weeks: 12})
	if _, err := status.Forecast(t.Context(), "mall", Energy); !errors.Is(err, ErrNoEnergy) {
		t.Errorf("energy of a site that tells statuses only: %v", err)
	}
	if _, err := status.Forecast(t.Context(), "mall", Occupied); err != nil {
		t.Errorf("busy ports of a site that tells statuses only: %v", err)
	}
	gap := &told{weeks: 12}
	s := service(t, gap)
	gap.missing = func(at time.Time) bool {
		return at.After(gap.now.AddDate(0, 0, -20)) && at.Before(gap.now.AddDate(0, 0, -12))
	}
	o, err := s.Forecast(t.Context(), "mall", Occupied)
	if err != nil || o.Gaps < 190 || o.Gaps > 194 {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, h := range o.Hours {
		if h.Mid < 0.3 {
			t.Errorf("%v: %.2f: what was not observed was taken for nothing", h.At, h.Mid)
		}
	}
}

func TestAFreePortDependsOnWhoIsThere(t *testing.T) {
	x := &told{weeks: 10}
	s := service(t, x)
	st := &fleet.Station{ID: "S", SiteID: "mall", Onboarding: event.OnboardingAccepted, Online: true}
	for id := range 4 {
		st.EVSEs = append(st.EVSEs, fleet.EVSE{ID: id + 1, Status: fleet.Available, StatusAt: x.now.Add(-time.Hour)})
	}
	s.o.Fleet = &standing{[]*fleet.Station{st}}
	odds := func() *Next {
		t.Helper()
		n, err := s.FreePort(t.Context(), "mall")
		if err != nil || n.Ports != 4 || n.Enough && len(n.Chances) != 4 {
			t.Fatalf("%+v, %v", n, err)
		}
		return n
	}
	if n := odds(); !n.Enough || n.Busy != 0 || n.Chances[0].Free < 0.95 {
		t.Errorf("all free: %+v", n)
	}
	for i := range st.EVSEs {
		st.EVSEs[i].Session = &fleet.Session{StartedAt: x.now.Add(-5 * time.Minute)}
		st.EVSEs[i].Status = fleet.Charging
	}
	full := odds()
	if full.Busy != 4 || full.Chances[0].Free > 0.5 || full.Chances[3].Free < full.Chances[0].Free {
		t.Errorf("all taken five minutes ago: %+v", full)
	}
	st.EVSEs[0].Status, st.EVSEs[0].Session = fleet.Faulted, nil
	if n := odds(); n.Out != 1 || n.Busy != 3 {
		t.Errorf("one broken: %+v", n)
	}
	st.Online = false
	if n := odds(); n.Out != 4 || n.Chances[3].Free > 0.05 {
		t.Errorf("not to be heard: %+v", n)
	}
}

// Where few cars have been, how long they stay is known from elsewhere: here for fifty minutes.
func TestASiteWithLittlePastLearnsFromOthers(t *testing.T) {
	odds := func(sites ...string) float64 {
		t.Helper()
		x := &told{weeks: 10, seldom: "new"}
		s := service(t, x)
		var all []*fleet.Station
		for _, site := range sites {
			st := &fleet.Station{ID: "S " + site, SiteID: site, Onboarding: event.OnboardingAccepted, Online: true}
			for id := range 4 {
				st.EVSEs = append(st.EVSEs, fleet.EVSE{ID: id + 1, Status: fleet.Charging, Session: &fleet.Session{StartedAt: x.now.Add(-45 * time.Minute)}})
			}
			all = append(all, st)
		}
		s.o.Fleet = &standing{all}
		n, err := s.FreePort(t.Context(), "new")
		if err != nil || !n.Enough || n.Busy != 4 {
			t.Fatalf("%+v, %v", n, err)
		}
		return n.Chances[0].Free
	}
	alone, among := odds("new"), odds("new", "mall")
	if among < 0.9 || alone > among-0.2 {
		t.Errorf("four cars that came 45 minutes ago: a free port in 15 minutes %.2f alone, %.2f among others", alone, among)
	}
}

func TestBusyTimesAreThoseOfTheWeek(t *testing.T) {
	x := &told{weeks: 6}
	s := service(t, x)
	busy, any, err := s.BusyTimes(t.Context(), "mall")
	if err != nil || !any {
		t.Fatal(any, err)
	}
	if got := busy[2][15]; math.Abs(got-0.7) > 0.001 {
		t.Errorf("Wednesdays at 15: %.3f", got)
	}
	if _, any, err := service(t, &told{}).BusyTimes(t.Context(), "mall"); any || err != nil {
		t.Error("busy times of nothing: ", any, err)
	}
	if g := s.Glance("mall"); g != nil {
		t.Error("a glance waited for what it shows")
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	var g *Glance
	for g == nil {
		g = s.Glance("mall")
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !g.Any || g.Next == nil || g.Next.Enough {
		t.Errorf("%+v", g.Next)
	}
}

func TestDaysOffAreThoseOfTheCountry(t *testing.T) {
	for _, c := range []struct {
		zone  string
		month time.Month
		day   int
		off   bool
	}{
		{"Europe/Berlin", time.October, 3, true},
		{"Europe/Berlin", time.October, 4, false},
		{"Europe/Oslo", time.May, 17, true},
		{"America/New_York", time.July, 3, true}, // the 4th is a Saturday
		{"Europe/Zurich", time.August, 1, true},
		{"Europe/Zurich", time.March, 19, false}, // in some cantons
	} {
		if got := DaysOff(c.zone)(2026, c.month, c.day); got != c.off {
			t.Errorf("%s, %v %d: %v", c.zone, c.month, c.day, got)
		}
	}
	if DaysOff("UTC") != nil {
		t.Error("somebody knows the days off of UTC")
	}
}
