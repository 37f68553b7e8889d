package statuspage

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
)

// network is the pages on a real store and journal, at a time of the test's
// choosing.
type network struct {
	*Pages
	t     testing.TB
	store *store.Store
	log   *journal.Journal
	clock *clock
	live  *live
	links *links
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// live is the journal's view, which a test can make unable to commit.
type live struct {
	*journal.Journal
	broken atomic.Bool
	asked  atomic.Int64
}

func (l *live) Ready() error {
	if l.broken.Load() {
		return journal.ErrUnavailable
	}
	return l.Journal.Ready()
}

func (l *live) Snapshot() *fleet.Snapshot {
	l.asked.Add(1)
	return l.Journal.Snapshot()
}

func (l *live) Append(ctx context.Context, e *event.Event) (fleet.Receipt, error) {
	if l.broken.Load() {
		return fleet.Receipt{}, journal.ErrUnavailable
	}
	return l.Journal.Append(ctx, e)
}

type links struct {
	mu    sync.Mutex
	heard map[string]time.Time
}

func (l *links) LastFrame(station string) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.heard[station]
	return at, ok
}

// A Wednesday in March, 14:02 in Berlin.
func start() time.Time { return time.Date(2026, 3, 4, 13, 2, 5, 0, time.UTC) }

func newNetwork(t testing.TB, change ...func(*Options)) *network {
	t.Helper()
	db := coredbtest.Open(t)
	c := &clock{now: start()}
	log, err := sqlite.Open(t.Context(), sqlite.Options{DB: db, Journal: journal.Options{Now: c.Now}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		// A test may be over before this has begun.
		if err := log.Run(context.Background()); err != nil && !errors.Is(err, journal.ErrClosed) {
			t.Error("journal:", err)
		}
	})
	st, err := store.Open(t.Context(), store.Options{DB: db, Journal: log, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	n := &network{t: t, store: st, log: log, clock: c, live: &live{Journal: log}, links: &links{heard: make(map[string]time.Time)}}
	o := Options{
		Fleet: n.live, Store: st, Links: n.links, Log: n.live, Key: []byte("0123456789abcdef"), Now: c.Now, Secure: true, Burst: 100_000,
	}
	for _, fn := range change {
		fn(&o)
	}
	if n.Pages, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *network) site(x store.Site) {
	n.t.Helper()
	if x.TimeZone == "" {
		x.TimeZone = "Europe/Berlin"
	}
	if _, err := n.store.CreateSite(n.t.Context(), "u-test", x); err != nil {
		n.t.Fatal(err)
	}
}

// station enrols a station and connects it; ports are Available.
func (n *network) station(site, id, label string, layout ...event.EVSELayout) {
	n.t.Helper()
	if _, _, err := n.store.EnrolStation(n.t.Context(), "u-test", store.NewStation{ID: id, SiteID: site, Label: label, Layout: layout}); err != nil {
		n.t.Fatal(err)
	}
	n.say(event.Station(id), &event.Connected{ConnID: "c-" + id, Protocol: "ocpp1.6"})
	n.say(event.Station(id), &event.Boot{Vendor: "Acme", Model: "One", Status: "Accepted"})
	for _, l := range layout {
		for _, c := range l.Connectors {
			n.say(event.Port(id, l.EVSE, c.Connector), &event.Status{Status: "Available"})
		}
	}
	n.links.mu.Lock()
	n.links.heard[id] = n.clock.Now()
	n.links.mu.Unlock()
}

func (n *network) say(subject event.Subject, body event.Body) {
	n.t.Helper()
	now := n.clock.Now()
	if _, err := n.log.Append(n.t.Context(), &event.Event{
		Subject: subject, At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice, Body: body,
	}); err != nil {
		n.t.Fatal(err)
	}
}

// next lets the board of the last second go.
func (n *network) next() { n.clock.pass(time.Second) }

func plug(evse int, publicID, kind, current string, watts float64) event.EVSELayout {
	return event.EVSELayout{
		EVSE: evse, PublicID: publicID, RatedW: watts, Current: current, Connectors: []event.ConnectorLayout{{Connector: evse, Type: kind}},
	}
}

// request asks as a browser would.
func (n *network) request(method, path string, form url.Values, header ...string) *http.Response {
	n.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(n.t.Context(), method, path, body)
	r.RemoteAddr = "192.0.2.1:1234"
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "From" {
			r.RemoteAddr = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	n.ServeHTTP(w, r)
	resp := w.Result()
	if cookies := resp.Header.Values("Set-Cookie"); len(cookies) > 0 {
		n.t.Errorf("%s %s sets a cookie: %v", method, path, cookies)
	}
	return resp
}

func (n *network) text(resp *http.Response) string {
	n.t.Helper()
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(data)
}

// get wants a page to be there and returns it.
func (n *network) get(path string, header ...string) string {
	n.t.Helper()
	resp := n.request("GET", path, nil, header...)
	text := n.text(resp)
	if resp.StatusCode != http.StatusOK {
		n.t.Fatalf("GET %s: %d %s", path, resp.StatusCode, text)
	}
	return text
}

func (n *network) status(want int, method, path string, form url.Values, header ...string) *http.Response {
	n.t.Helper()
	resp := n.request(method, path, form, header...)
	if resp.StatusCode != want {
		n.t.Fatalf("%s %s: %d, want %d: %s", method, path, resp.StatusCode, want, n.text(resp))
	}
	return resp
}

// reports are what drivers reported.
func (n *network) reports() []*event.Event {
	n.t.Helper()
	events, _, err := n.log.Events(n.t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindDriverReport}, Limit: 1000})
	if err != nil && !errors.Is(err, context.Canceled) {
		n.t.Fatal(err)
	}
	return events
}

// hamburg is a site with a bit of everything.
func hamburg(n *network) {
	lat, lon := 53.5428, 9.993
	n.site(store.Site{
		ID: "ham", Name: "Internal name 7", PublicName: "Hamburg HafenCity", Address: "Am Sandtorkai 46, 20457 Hamburg",
		Latitude: &lat, Longitude: &lon, OpeningHours: "Mo-Fr 06:00-22:00; PH off", Public: true,
		Notices: []store.Notice{{Text: "Lift out of order\nuse the ramp", Until: start().Add(48 * time.Hour)}, {Text: "Gone", Until: start().Add(-time.Hour)}},
	})
	n.station("ham", "SECRET-1", "North 1", plug(1, "DE*CWD*E1*1", "cCCS2", "DC", 150_000), plug(2, "DE*CWD*E1*2", "cCCS2", "DC", 150_000))
	n.station("ham", "SECRET-2", "North 2 (SECRET-2)", plug(1, "DE*CWD*E2*1", "sType2", "AC", 22_000), plug(2, "", "", "", 0))
	n.station("ham", "SECRET-3", "", plug(1, "DE*CWD*E3*1", "sType2", "AC", 7_400))
	n.say(event.Port("SECRET-1", 1, 1), &event.Status{Status: "Charging"})
	n.say(event.Port("SECRET-2", 1, 1), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure"})
	n.clock.pass(8 * time.Minute)
	n.say(event.Station("SECRET-3"), &event.Disconnected{ConnID: "c-SECRET-3", Reason: "closed", LastFrameAt: n.clock.Now()})
	n.clock.pass(12 * time.Minute)
	n.links.mu.Lock()
	delete(n.links.heard, "SECRET-3")
	n.links.heard["SECRET-1"] = n.clock.Now().Add(-20 * time.Second)
	n.links.heard["SECRET-2"] = n.clock.Now().Add(-5 * time.Second)
	n.links.mu.Unlock()
}
