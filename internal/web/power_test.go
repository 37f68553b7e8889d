package web

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/telemetry/telemetrytest"
)

// measured is the real telemetry, as app hands it to us.
type measured struct{ *telemetry.Store }

func (m measured) Flow(ctx context.Context, id string, evse int, from time.Time, step time.Duration, n int) (Flow, error) {
	f, err := m.Store.Flow(ctx, telemetry.Port{Station: id, EVSE: evse}, from, step, n)
	return Flow(f), err
}

func openTelemetry(tb testing.TB) *telemetry.Store {
	tb.Helper()
	ts, err := telemetry.Open(tb.Context(), telemetry.Options{Folder: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := ts.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return ts
}

// powerAt is a network in which all hours of the test lie behind it.
type powerAt struct {
	*plant
	ts   *telemetry.Store
	base time.Time
}

func newPowerAt(t *testing.T) *powerAt {
	ts := openTelemetry(t)
	return &powerAt{
		plant: newPlant(t, func(o *Options) { o.Flows = measured{ts} }), ts: ts,
		base: time.Now().UTC().Truncate(time.Hour).Add(-10 * time.Hour),
	}
}

func (p *powerAt) at(hours float64) time.Time {
	return p.base.Add(time.Duration(hours * float64(time.Hour)))
}

func (p *powerAt) link(station string, hours float64, online bool) {
	p.t.Helper()
	at := p.at(hours)
	var body event.Body = &event.Connected{ConnID: "c-" + station, Protocol: "ocpp1.6"}
	if !online {
		body = &event.Disconnected{ConnID: "c-" + station}
	}
	if _, err := p.log.Append(p.t.Context(), &event.Event{Subject: event.Station(station), At: at, ReceivedAt: at, Body: body}); err != nil {
		p.t.Fatal(err)
	}
}

// draws measures a port each minute between two hours.
func (p *powerAt) draws(station string, evse int, from, to, watts float64) {
	p.t.Helper()
	var events []*event.Event
	for at := p.at(from); at.Before(p.at(to)); at = at.Add(time.Minute) {
		events = append(events, &event.Event{
			Subject: event.Port(station, evse, 1), At: at, ReceivedAt: at, RecordedAt: at,
			Body: &event.Meter{Samples: event.Samples{{At: at, Values: []event.Sample{{Measurand: "Power.Active.Import", Value: watts}}}}},
		})
	}
	if err := p.ts.Consume(p.t.Context(), events, fmt.Sprint(from, to)); err != nil {
		p.t.Fatal(err)
	}
}

type powerAnswer struct {
	Unit        string  `json:"unit"`
	StepSeconds float64 `json:"stepSeconds"`
	Points      [][]any `json:"points"`
	Known       []float64
	Ports       int
	Peak        *PowerPeak
}

// point is mean and known share of the step that begins at an hour.
func (a powerAnswer) point(t *testing.T, at time.Time) (mean, known float64, ok bool) {
	t.Helper()
	for i, p := range a.Points {
		when, err := time.Parse(time.RFC3339, p[0].(string))
		if err != nil {
			t.Fatal(err)
		}
		if when.Equal(at) {
			return p[2].(float64), a.Known[i], true
		}
	}
	return 0, 0, false
}

func (p *powerAt) ask(c *caller, more string, from, to float64) powerAnswer {
	var a powerAnswer
	c.get("/power?from="+p.at(from).Format(time.RFC3339)+"&to="+p.at(to).Format(time.RFC3339)+more, &a)
	return a
}

// What is idle is nothing, what is offline is unknown, and what is unknown is
// no zero.
func TestPowerTellsIdleFromUnknown(t *testing.T) {
	p := newPowerAt(t)
	for _, site := range []string{"a", "b"} {
		p.site(site)
	}
	p.enrol("a", "A1", event.EVSELayout{EVSE: 1}, event.EVSELayout{EVSE: 2})
	p.enrol("a", "A2", event.EVSELayout{EVSE: 1}, event.EVSELayout{EVSE: 2})
	p.enrol("b", "B1", event.EVSELayout{EVSE: 1})
	p.link("A1", 1, true)
	p.link("A2", 1, true)
	p.link("A2", 3, false)
	p.link("A2", 4, true)
	p.link("B1", 2, true)
	p.link("B1", 6, false)
	p.draws("A1", 1, 2, 3.5, 10_000)
	p.draws("A2", 2, 2.5, 3, 50_000)
	p.draws("B1", 1, 2, 2.5, 7000)

	// Nobody knew of all this when the book may have been opened.
	p.power.work <- struct{}{}
	p.power.mu.Lock()
	clear(p.power.sites)
	p.power.mu.Unlock()
	<-p.power.work

	c := p.script(store.RoleViewer)
	for _, step := range []string{"&step=300", "&step=60"} {
		got := p.ask(c, "&site=a"+step, 0, 8)
		if got.Ports != 4 || got.Unit != "W" {
			t.Fatalf("%s: %+v", step, got)
		}
		for name, tc := range map[string]struct {
			hour, mean, known float64
			absent            bool
		}{
			"before anything was heard": {hour: 0.5, absent: true},
			"all idle":                  {hour: 1.5, mean: 0, known: 1},
			"one charges":               {hour: 2.25, mean: 10_000, known: 1},
			"two charge":                {hour: 2.75, mean: 60_000, known: 1},
			"half of it is offline":     {hour: 3.25, mean: 10_000, known: 0.5},
			"idle and back":             {hour: 5, mean: 0, known: 1},
		} {
			mean, known, ok := got.point(t, p.at(tc.hour))
			if ok == tc.absent || mean != tc.mean || known != tc.known {
				t.Errorf("%s, %s: %v W, known %v, there %v", step, name, mean, known, ok)
			}
		}
		if got.Peak == nil || got.Peak.PowerW != 60_000 || !got.Peak.At.Equal(p.at(2.5)) {
			t.Errorf("%s: peak %+v", step, got.Peak)
		}
	}

	all := p.ask(c, "", 0, 8)
	if mean, _, _ := all.point(t, p.at(2.25)); mean != 17_000 || all.Ports != 5 {
		t.Errorf("the network: %v W of %d ports", mean, all.Ports)
	}
	if mean, known, _ := all.point(t, p.at(7)); mean != 0 || known != 0.8 {
		t.Errorf("one of five is offline: %v W, known %v", mean, known)
	}
	mine := p.ask(p.script(store.RoleHost, "b"), "", 0, 8)
	if mean, _, _ := mine.point(t, p.at(2.25)); mean != 7000 || mine.Ports != 1 {
		t.Errorf("the host of one site sees %v W of %d ports", mean, mine.Ports)
	}
	if got := p.ask(p.script(store.RoleHost, "b"), "&site=a", 0, 8); len(got.Points) != 0 || got.Ports != 0 {
		t.Errorf("the host of another site sees %+v", got)
	}

	// An hour that was computed is computed again when a late report comes.
	p.draws("B1", 1, 4, 4.5, 9000)
	if mean, _, _ := p.ask(c, "", 0, 8).point(t, p.at(4.25)); mean != 9000 {
		t.Errorf("after a late report: %v W", mean)
	}
	// So is one in which a connection turns out to have been lost.
	p.link("A1", 7.5, false)
	if _, known, _ := p.ask(c, "", 0, 8).point(t, p.at(7.75)); known != 0.4 {
		t.Errorf("after a late loss: known %v", known)
	}
	// A step is made of shorter ones.
	hourly := p.ask(c, "&site=a&step=3600", 0, 8)
	for _, x := range hourly.Points {
		if x[0] == p.at(2).Format(time.RFC3339) && (x[1] != 10_000.0 || x[2] != 35_000.0 || x[3] != 60_000.0) {
			t.Errorf("an hour: %v", x)
		}
	}
}

func TestPowerQuestionsHaveLimits(t *testing.T) {
	p := newPowerAt(t)
	p.site("a")
	p.enrol("a", "A1", event.EVSELayout{EVSE: 1})
	c := p.script(store.RoleViewer)
	for name, tc := range map[string]struct {
		query string
		want  int
	}{
		"nothing said":               {"", http.StatusOK},
		"backwards":                  {"?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", http.StatusUnprocessableEntity},
		"a month of the network":     {"?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z", http.StatusUnprocessableEntity},
		"a month of a site":          {"?site=a&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z", http.StatusOK},
		"ten years of a site":        {"?site=a&from=2016-01-01T00:00:00Z&to=2026-02-01T00:00:00Z", http.StatusUnprocessableEntity},
		"before there was anything":  {"?from=0001-01-01T00:00:00Z&to=0001-01-02T00:00:00Z", http.StatusOK},
		"the future":                 {"?site=a&from=2222-01-01T00:00:00Z&to=2222-01-02T00:00:00Z", http.StatusOK},
		"a site that is not there":   {"?site=nowhere", http.StatusOK},
		"a step below any":           {"?site=a&step=1", http.StatusOK},
		"a step that is none":        {"?step=x", http.StatusUnprocessableEntity},
		"a step longer than the day": {"?site=a&step=86400", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			if got, text := c.do("GET", "/power"+tc.query, ""); got != tc.want {
				t.Errorf("%d, want %d: %s", got, tc.want, text)
			}
		})
	}
	if got := p.ask(c, "&site=a&step=1", 0, 8); got.StepSeconds != 60 {
		t.Errorf("a step of %v s", got.StepSeconds)
	}
}

// The power of 1,000 sites over a day, as the Overview asks for it.
func BenchmarkNetworkPower(b *testing.B) {
	const stations = 2000
	ts := openTelemetry(b)
	w := telemetrytest.New(telemetrytest.Options{Stations: stations, Step: time.Minute, Start: time.Now().Add(-26 * time.Hour).Truncate(time.Hour)})
	for w.Now().Before(time.Now()) {
		if err := ts.Consume(b.Context(), w.Step(nil), "c"); err != nil {
			b.Fatal(err)
		}
		if err := ts.Tick(b.Context(), w.Now()); err != nil {
			b.Fatal(err)
		}
	}
	sites := make(map[string][]member)
	for i := range stations {
		site := fmt.Sprint("site-", i/2)
		sites[site] = append(sites[site], member{id: telemetrytest.StationID(i), ports: []int{1, 2}, online: true, connected: w.Now().Add(-48 * time.Hour)})
	}
	day := func() span { return hoursOf(time.Now().Add(-24*time.Hour), time.Now()) }
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			book := newPowerBook(Options{Flows: measured{ts}, Now: time.Now})
			if _, err := book.hours(b.Context(), sites, day()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("warm", func(b *testing.B) {
		book := newPowerBook(Options{Flows: measured{ts}, Now: time.Now})
		if _, err := book.hours(b.Context(), sites, day()); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := book.hours(b.Context(), sites, day()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
