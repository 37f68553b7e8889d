package servertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/app"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/statuspage"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// liveDemo is the demo network, a hundred and twenty times as fast, until the test stops it.
func liveDemo(t *testing.T) (s *servertest.Server, plan sim.Plan, halt func()) {
	t.Helper()
	s = servertest.Start(t, func(c *config.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} })
	plan = sim.Network(1)
	if err := app.EnrolNetwork(t.Context(), s.Store, plan); err != nil {
		t.Fatal(err)
	}
	stations, err := sim.New(sim.Options{
		URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Seed: 1, Speed: 120, Ramp: time.Second,
		Start: time.Now().Add(-4 * time.Hour), History: 6 * time.Hour, Replay: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		if err := stations.Run(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	halt = sync.OnceFunc(func() { stop(); work.Wait() })
	t.Cleanup(halt)
	return s, plan, halt
}

// moment is the fleet held still, so that several can be asked about the same.
type moment struct {
	*journal.Journal
	at atomic.Pointer[fleet.Snapshot]
}

func (m *moment) Snapshot() *fleet.Snapshot { return m.at.Load() }

type portCounts struct{ total, free int }

// Overview, list of sites, list of stations and what drivers see count alike,
// whenever one looks.
func TestEverybodyCountsTheSamePorts(t *testing.T) {
	t.Parallel()
	s, _, halt := liveDemo(t)
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{
		Name: "test", Grants: []store.Grant{{Role: store.RoleViewer, Sites: []string{store.AllSites}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := &moment{Journal: s.Journal}
	now.at.Store(s.Journal.Snapshot())
	drivers, err := statuspage.New(statuspage.Options{
		Fleet: now, Store: s.Store, Links: s.Endpoint, Log: s.Journal, Key: []byte("key of a test"), Every: time.Nanosecond, Burst: 1 << 30,
	})
	if err != nil {
		t.Fatal(err)
	}
	operators := web.New(web.Options{Store: s.Store, Fleet: now, History: s.Journal, Log: s.Journal, Stations: nobody{}})
	ask := func(h http.Handler, path string, into any) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %v %s", path, w.Code, err, w.Body)
		}
	}
	looked, counts := 0, make(map[portCounts]bool)
	compare := func() {
		t.Helper()
		var overview struct {
			Ports struct {
				Total, Free  int
				ByPowerClass []struct {
					Class       string
					Total, Free int
				}
			}
		}
		ask(operators, "/api/v1/summary", &overview)
		want := portCounts{overview.Ports.Total, overview.Ports.Free}

		var sites, public struct {
			Items []struct {
				ID    string
				Ports struct{ Total, Free, InUse, NotUsable, Unknown int }
			}
		}
		ask(operators, "/api/v1/sites?limit=1000", &sites)
		ask(drivers, "/status.json?limit=1000", &public)
		bySite, list, told := make(map[string]portCounts), portCounts{}, portCounts{}
		for _, x := range sites.Items {
			bySite[x.ID] = portCounts{x.Ports.Total, x.Ports.Free}
			list.total, list.free = list.total+x.Ports.Total, list.free+x.Ports.Free
		}
		classes := make(map[string]portCounts)
		for _, x := range public.Items {
			p := x.Ports
			if p.Free+p.InUse+p.NotUsable+p.Unknown != p.Total {
				t.Fatalf("%s does not add up: %+v", x.ID, p)
			}
			if got := (portCounts{p.Total, p.Free}); got != bySite[x.ID] {
				t.Fatalf("%s: drivers see %v, operators %v", x.ID, got, bySite[x.ID])
			}
			told.total, told.free = told.total+p.Total, told.free+p.Free
			var one struct {
				Items []struct{ State, PowerClass string }
			}
			ask(drivers, "/status/"+x.ID+".json", &one)
			for _, port := range one.Items {
				c := classes[port.PowerClass]
				c.total++
				if port.State == "free" {
					c.free++
				}
				classes[port.PowerClass] = c
			}
		}
		for _, c := range overview.Ports.ByPowerClass {
			if got := classes[c.Class]; got != (portCounts{c.Total, c.Free}) {
				t.Fatalf("class %s: drivers see %v, the overview %v", c.Class, got, c)
			}
		}
		var stations struct {
			Items []struct{ EVSEs []struct{ Free bool } }
		}
		ask(operators, "/api/v1/stations?limit=1000", &stations)
		table := portCounts{}
		for _, st := range stations.Items {
			for _, v := range st.EVSEs {
				table.total++
				if v.Free {
					table.free++
				}
			}
		}
		if list != want || told != want || table != want {
			t.Fatalf("overview %v, sites %v, stations %v, drivers %v", want, list, table, told)
		}
		looked++
		counts[want] = true
	}
	for range 4000 {
		if looked >= 100 && len(counts) >= 15 {
			break
		}
		if next := s.Journal.Snapshot(); next != now.at.Load() {
			now.at.Store(next)
			compare()
		}
		time.Sleep(5 * time.Millisecond)
	}
	if looked < 100 || len(counts) < 15 {
		t.Errorf("looked %d times at %d different counts: the test shows too little", looked, len(counts))
	}
	halt()
	servertest.Eventually(t, "the end of all connections", func() bool {
		now.at.Store(s.Journal.Snapshot())
		for st := range s.Journal.Snapshot().Stations() {
			if st.Online {
				return false
			}
		}
		return true
	})
	compare()
}

type nobody struct{}

func (nobody) Send(context.Context, string, string, string, []byte) web.Outcome { return web.Outcome{} }
func (nobody) LastFrame(string) (time.Time, bool)                               { return time.Time{}, false }
func (nobody) Disconnect(string, string)                                        {}

// Whatever drivers can reach names no station as its operator does, no session
// and no token.
func TestDriversLearnNothingOfStationsSessionsAndTokens(t *testing.T) {
	t.Parallel()
	s, plan, _ := liveDemo(t)
	var sessions []*fleet.Session
	servertest.Eventually(t, "twenty sessions", func() bool {
		list, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Limit: journal.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		sessions = list
		return len(list) >= 20
	})
	secrets := make(map[string]string)
	for _, x := range plan.Stations {
		secrets[x.ID], secrets[x.Serial] = "identity of a station", "serial number"
	}
	for _, x := range plan.Tokens {
		secrets[x.ID] = "token"
	}
	for _, x := range sessions {
		secrets[x.ID], secrets[x.TokenID] = "session", "opaque id of a token"
	}
	delete(secrets, "")

	base := "http://" + s.HTTPAddress()
	link := regexp.MustCompile(`(?:href|src|action)="(/status[^"#]*)|"url":"(/status[^"]*)"`)
	queue, done := []string{"/status", "/status?lang=de", "/status.json?limit=1000"}, make(map[string]bool)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	kinds := make(map[string]int)
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if done[path] {
			continue
		}
		done[path] = true
		resp := fetch(t, client, base+path, fmt.Sprintf("192.0.2.%d", len(done)%250))
		kinds[fmt.Sprint(resp.status, " ", resp.header.Get("Content-Type"))]++
		text := resp.body + fmt.Sprint(resp.header)
		if resp.header.Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", path)
		}
		for secret, what := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells the %s %s", path, what, secret)
			}
		}
		for _, m := range link.FindAllStringSubmatch(resp.body, -1) {
			to := strings.ReplaceAll(m[1]+m[2], "&amp;", "&")
			queue = append(queue, to)
			if id, ok := strings.CutPrefix(to, "/status/p/"); ok && !strings.Contains(id, "/") {
				queue = append(queue, "/status/qr/"+id+".svg")
			}
		}
		if m := regexp.MustCompile(`^/status/([^/?.]+)$`).FindStringSubmatch(path); m != nil {
			queue = append(queue, path+".json", path+"?lang=de")
		}
	}
	for _, kind := range []string{"200 text/html; charset=utf-8", "200 application/json", "200 image/svg+xml", "200 text/css; charset=utf-8", "302 "} {
		if kinds[kind] == 0 {
			t.Errorf("the walk saw no %q: %v", kind, slices.Sorted(maps.Keys(kinds)))
		}
	}
	if len(done) < 300 {
		t.Errorf("the walk saw %d addresses only", len(done))
	}
}

type fetched struct {
	status int
	header http.Header
	body   string
}

// fetch asks as one of many behind a proxy: the limit counts each.
func fetch(t *testing.T, client *http.Client, address, from string) fetched {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", from)
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fetched{resp.StatusCode, resp.Header, string(data)}
}
