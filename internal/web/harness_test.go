package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/live"
	"github.com/chargewatch/chargewatch/internal/seal"
	"github.com/chargewatch/chargewatch/internal/statuspage"
	"github.com/chargewatch/chargewatch/internal/store"
)

// plant is a whole server on a real store and journal; only the stations'
// links are played.
type plant struct {
	*Server
	t     *testing.T
	db    *coredb.DB
	store *store.Store
	log   *journal.Journal
	live  *live.Live
	links *links
	url   string
}

// links plays connected stations.
type links struct {
	mu     sync.Mutex
	heard  map[string]time.Time
	answer func(station, action string, payload []byte) Outcome
	gone   []string
}

func (l *links) Send(ctx context.Context, station, _, action string, payload []byte) Outcome {
	l.mu.Lock()
	answer := l.answer
	l.mu.Unlock()
	if answer == nil {
		return Outcome{Status: "offline", Description: "the station is not connected"}
	}
	done := make(chan Outcome, 1)
	go func() { done <- answer(station, action, payload) }()
	select {
	case out := <-done:
		return out
	case <-ctx.Done():
		return Outcome{Status: "timeout"}
	}
}

func (l *links) LastFrame(station string) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.heard[station]
	return at, ok
}

func (l *links) Disconnect(station, _ string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = append(l.gone, station)
}

func (l *links) replies(fn func(station, action string, payload []byte) Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = fn
}

func newPlant(t *testing.T, change ...func(*Options)) *plant {
	t.Helper()
	db := coredbtest.Open(t)
	log, err := sqlite.Open(t.Context(), sqlite.Options{DB: db})
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
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() }) //nolint:errcheck // the test is over
	box, err := seal.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Options{DB: db, Journal: log, Box: box})
	if err != nil {
		t.Fatal(err)
	}
	p := &plant{t: t, db: db, store: st, log: log, links: &links{heard: make(map[string]time.Time)}}
	drivers, err := statuspage.New(statuspage.Options{Fleet: log, Store: st, Links: p.links, Log: log, Key: []byte("key of a test")})
	if err != nil {
		t.Fatal(err)
	}
	p.live, err = live.Open(t.Context(), live.Options{Journal: log, DB: db, Detectors: health.Detectors(), Beat: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Incidents: p.live, OpenIncidents: p.live, Measures: p.live, Remedies: p.live, Status: drivers, Store: st, Fleet: log, History: log, Past: log, Log: log, Stations: p.links, Build: "test", FlushEvery: 5 * time.Millisecond}
	for _, fn := range change {
		fn(&o)
	}
	p.Server = New(o)
	ctx, stop := context.WithCancel(context.Background())
	running.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Error("web:", err)
		}
	})
	running.Go(func() {
		if err := st.Follow(ctx, log); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, journal.ErrClosed) {
			t.Error("follow:", err)
		}
	})
	running.Go(func() {
		if err := p.live.Run(ctx); err != nil {
			t.Error("live:", err)
		}
	})
	web := httptest.NewServer(p.Server)
	p.url = web.URL
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		stop()
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// caller is a browser or a script.
type caller struct {
	t      *testing.T
	url    string
	token  string
	http   *http.Client
	header http.Header
}

func (p *plant) script(role store.Role, sites ...string) *caller {
	p.t.Helper()
	if len(sites) == 0 {
		sites = []string{store.AllSites}
	}
	_, secret, err := p.store.CreateAPIToken(p.t.Context(), "u-test", store.APIToken{
		Name: string(role), Grants: []store.Grant{{Role: role, Sites: sites}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return &caller{t: p.t, url: p.url, token: secret, http: &http.Client{}}
}

func (p *plant) browser() *caller {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &caller{t: p.t, url: p.url, http: &http.Client{Jar: jar}}
}

// admin is a browser whose person has set a password just now.
func (p *plant) admin() *caller {
	p.t.Helper()
	link, err := p.store.FirstAdmin(p.t.Context(), false)
	if err != nil || link == "" {
		p.t.Fatal("no link: ", err)
	}
	b := p.browser()
	b.want(http.StatusNoContent, "POST", "/signin", `{"token":"`+link+`"}`, nil)
	b.want(http.StatusNoContent, "POST", "/me/password", `{"password":"correct horse"}`, nil)
	return b
}

// do calls the API and returns status and body.
func (c *caller) do(method, path, body string) (int, string) {
	c.t.Helper()
	if !strings.HasPrefix(path, "/api") && !strings.HasPrefix(path, "!") {
		path = base + path
	}
	path = strings.TrimPrefix(path, "!")
	var in io.Reader
	if body != "" {
		in = bytes.NewReader([]byte(body))
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, in)
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.header {
		r.Header[k] = v
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// want calls the API, checks the status and decodes the answer.
func (c *caller) want(status int, method, path, body string, into any) {
	c.t.Helper()
	got, text := c.do(method, path, body)
	if got != status {
		c.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, text)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			c.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
}

func (c *caller) get(path string, into any) {
	c.t.Helper()
	c.want(http.StatusOK, "GET", path, "", into)
}

// say appends what a station says, now.
func (p *plant) say(subject event.Subject, body event.Body) {
	p.t.Helper()
	now := time.Now().UTC()
	if _, err := p.log.Append(p.t.Context(), &event.Event{
		Subject: subject, At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice, Body: body,
	}); err != nil {
		p.t.Fatal(err)
	}
}

// site and enrol prepare the network.
func (p *plant) site(id string) {
	p.t.Helper()
	if _, err := p.store.CreateSite(p.t.Context(), store.System, store.Site{ID: id, Name: "Site " + id, TimeZone: "Europe/Berlin"}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plant) enrol(site, id string, layout ...event.EVSELayout) {
	p.t.Helper()
	if _, _, err := p.store.EnrolStation(p.t.Context(), store.System, store.NewStation{ID: id, SiteID: site, Layout: layout}); err != nil {
		p.t.Fatal(err)
	}
}

// connect makes a station online and booted.
func (p *plant) connect(id, protocol string) {
	p.t.Helper()
	p.say(event.Station(id), &event.Connected{ConnID: "c-" + id, Protocol: protocol, RemoteAddr: "192.0.2.7:1000"})
	p.say(event.Station(id), &event.Boot{Vendor: "Acme", Model: "One", Serial: "S-" + id, Status: "Accepted"})
	p.links.mu.Lock()
	p.links.heard[id] = time.Now()
	p.links.mu.Unlock()
}

func openDB(tb testing.TB) *coredb.DB {
	tb.Helper()
	db := coredbtest.Open(tb)
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}
