package servertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// stubborn is a station of OCPP 1.6 that says to each command what it was told to say;
// an empty word says nothing at all. It outlives servers.
type stubborn struct {
	id   string
	says string
	hold chan struct{} // it answers once this is closed; nil: at once

	mu    sync.Mutex
	heard map[string]int // commands by message id
}

func newStubborn(id, says string) *stubborn {
	return &stubborn{id: id, says: says, heard: make(map[string]int)}
}

func (s *stubborn) commands() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.heard)
}

// live connects to wherever the servers are, again and again until ctx ends.
func (s *stubborn) live(ctx context.Context, url func() string) {
	for ctx.Err() == nil {
		if c, _, err := websocket.Dial(ctx, url()+s.id, &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}}); err == nil {
			s.serve(ctx, c)
			c.CloseNow()
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *stubborn) serve(ctx context.Context, c *websocket.Conn) {
	if c.Write(ctx, websocket.MessageText, []byte(`[2,"b","BootNotification",{"chargePointVendor":"Stubborn","chargePointModel":"One"}]`)) != nil {
		return
	}
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			return
		}
		var f []json.RawMessage
		var id string
		if json.Unmarshal(data, &f) != nil || len(f) < 4 || string(f[0]) != "2" || json.Unmarshal(f[1], &id) != nil {
			continue
		}
		s.mu.Lock()
		s.heard[id]++
		s.mu.Unlock()
		if s.hold != nil {
			select {
			case <-s.hold:
			case <-ctx.Done():
				return
			}
		}
		if s.says != "" && c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `[3,%q,{"status":%q}]`, id, s.says)) != nil {
			return
		}
	}
}

// campaigner is somebody who may command all stations.
type campaigner struct {
	t     *testing.T
	s     *servertest.Server
	token string
}

func newCampaigner(t *testing.T, s *servertest.Server) *campaigner {
	t.Helper()
	_, token, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: "work", Grants: []store.Grant{{Role: store.RoleOperator, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	return &campaigner{t, s, token}
}

func (c *campaigner) call(method, path, body string, into any) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.s.HTTPAddress()+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		var why json.RawMessage
		_ = json.NewDecoder(resp.Body).Decode(&why)
		c.t.Fatalf("%s %s: %s %s", method, path, resp.Status, why)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		c.t.Fatal(err)
	}
}

// bulk is a campaign as scripts see it.
type bulk struct {
	ID       string
	State    string
	Stations int
	Codes    []struct {
		State, Code string
		Count       int
	}
	LeftOut []struct {
		Reason string
		Count  int
	}
	Why *struct{ Code, Station, Sentence string }
}

func (b *bulk) counts() map[string]int {
	out := make(map[string]int)
	for _, x := range b.Codes {
		out[strings.TrimSpace(x.State+" "+x.Code)] = x.Count
	}
	return out
}

func (c *campaigner) start(body string) *bulk {
	c.t.Helper()
	var out struct{ Campaign *bulk }
	c.call("POST", "/commands/bulk", body, &out)
	return out.Campaign
}

func (c *campaigner) until(b *bulk, what string, ok func(*bulk) bool) *bulk {
	c.t.Helper()
	var now bulk
	servertest.Eventually(c.t, what, func() bool {
		now = bulk{}
		c.call("GET", "/campaigns/"+b.ID, "", &now)
		return ok(&now)
	})
	return &now
}

func over(b *bulk) bool {
	return b.State == "finished" || b.State == "stopped" && b.counts()["working"] == 0
}

// Sixty stations on real sockets, of which some are away, some refuse and one says
// nothing: each is told as it was.
func TestACampaignTellsEachStationAsItWas(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *config.Config) { c.Station.CommandTimeout = config.Duration(2 * time.Second) })
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	plan := sim.Park(40, sim.V16, "GOOD-", 3)
	for i := range plan.Stations {
		x := &plan.Stations[i]
		x.Quirks, x.Model.Quirks = 0, 0
		s.Enrol(t, x.ID)
	}
	good, err := sim.New(sim.Options{URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Seed: 3, Ramp: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	work.Go(func() { good.Run(ctx) }) //nolint:errcheck // it ends with the test
	var others []*stubborn
	for i := range 11 {
		says := "Rejected"
		if i == 10 {
			says = ""
		}
		others = append(others, newStubborn(fmt.Sprintf("BAD-%02d", i), says))
	}
	for _, x := range others {
		s.Enrol(t, x.id)
		work.Go(func() { x.live(ctx, func() string { return s.URL }) })
	}
	for i := range 9 { // they were there once
		x := newStubborn(fmt.Sprintf("AWAY-%d", i), "Accepted")
		s.Enrol(t, x.id)
		once, leave := context.WithCancel(ctx)
		work.Go(func() { x.live(once, func() string { return s.URL }) })
		servertest.Eventually(t, x.id+" boots", func() bool { return s.Station(t, x.id).Model != "" })
		leave()
		servertest.Eventually(t, x.id+" is gone", func() bool { return !s.Station(t, x.id).Online })
	}
	s.Enrol(t, "NEVER")
	servertest.Eventually(t, "all are there", func() bool {
		n := 0
		for st := range s.Journal.Snapshot().Stations() {
			if st.Online && st.Model != "" {
				n++
			}
		}
		return n == 51
	})
	c := newCampaigner(t, s)
	b := c.start(`{"action":"TriggerMessage","payload":{"requestedMessage":"Heartbeat"},"cohort":{"everything":true},
		"pace":{"perMinute":6000,"atOnce":30},"giveUpAfterSeconds":1,"expect":60}`)
	if b.Stations != 60 || len(b.LeftOut) != 1 || b.LeftOut[0].Reason != "neverConnected" {
		t.Fatalf("%+v", b)
	}
	b = c.until(b, "the end", over)
	want := map[string]int{"done Accepted": 40, "failed Rejected": 10, "unknown timeout": 1, "skipped offline": 9}
	if got := b.counts(); b.State != "finished" || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s with %v, want %v", b.State, got, want)
	}
	for _, x := range others {
		if n := x.commands(); n != 1 {
			t.Errorf("%s heard %d commands", x.id, n)
		}
	}
	for i := range plan.Stations {
		list, _, err := s.Journal.Commands(ctx, journal.CommandQuery{Station: plan.Stations[i].ID, Limit: 10})
		n := 0
		for _, x := range list {
			if x.By != "" && x.Action == "TriggerMessage" && strings.Contains(string(x.Payload), "Heartbeat") {
				n++
			}
		}
		if err != nil || n != 1 {
			t.Errorf("%s: %d commands in the journal, %v", plan.Stations[i].ID, n, err)
		}
	}
}

func crowd(t *testing.T, s *servertest.Server, n int, url func() string, says func(i int) string) []*stubborn {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	t.Cleanup(func() { stop(); work.Wait() })
	var all []*stubborn
	for i := range n {
		x := newStubborn(fmt.Sprintf("C-%02d", i), says(i))
		all = append(all, x)
		s.Enrol(t, x.id)
		work.Go(func() { x.live(ctx, url) })
	}
	online(t, s, n)
	return all
}

func online(t *testing.T, s *servertest.Server, n int) {
	t.Helper()
	servertest.Eventually(t, "all are there", func() bool {
		there := 0
		for st := range s.Journal.Snapshot().Stations() {
			if st.Online && st.Model != "" {
				there++
			}
		}
		return there == n
	})
}

func heard(all []*stubborn) (stations int) {
	for _, x := range all {
		if x.commands() > 0 {
			stations++
		}
	}
	return stations
}

// A station that answers after its time is told as it was in the end.
func TestACampaignTakesLateAnswers(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *config.Config) { c.Station.CommandTimeout = config.Duration(300 * time.Millisecond) })
	x := newStubborn("L-1", "Accepted")
	x.hold = make(chan struct{})
	s.Enrol(t, x.id)
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	work.Go(func() { x.live(ctx, func() string { return s.URL }) })
	online(t, s, 1)
	c := newCampaigner(t, s)
	b := c.start(`{"action":"ClearCache","cohort":{"everything":true},"canary":{"count":0}}`)
	c.until(b, "nobody knows", func(b *bulk) bool { return b.counts()["unknown timeout"] == 1 })
	close(x.hold)
	c.until(b, "it answered after all", func(b *bulk) bool { return b.counts()["done Accepted"] == 1 && b.counts()["unknown timeout"] == 0 })
}

func TestACampaignWhoseFirstFailTouchesNobodyElse(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	all := crowd(t, s, 30, func() string { return s.URL }, func(i int) string {
		if i == 1 {
			return "Rejected"
		}
		return "Accepted"
	})
	c := newCampaigner(t, s)
	b := c.until(c.start(`{"action":"Reset","payload":{"type":"Soft"},"cohort":{"everything":true},"canary":{"count":3,"waitSeconds":0},"pace":{"perMinute":6000}}`), "the end", over)
	if b.State != "stopped" || b.Why == nil || b.Why.Code != "canaryFailed" || b.Why.Station != "C-01" || b.counts()["failed Rejected"] != 1 {
		t.Errorf("%+v, why %+v", b, b.Why)
	}
	if n := heard(all); n > 3 || n < 1 {
		t.Errorf("%d stations were touched", n)
	}
}

func TestACampaignStopsWhenTooManyFail(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	all := crowd(t, s, 30, func() string { return s.URL }, func(int) string { return "Rejected" })
	c := newCampaigner(t, s)
	b := c.until(c.start(`{"action":"Reset","payload":{"type":"Soft"},"cohort":{"everything":true},"pace":{"perMinute":600,"atOnce":1},"stopOn":{"failed":4}}`), "the end", over)
	if b.State != "stopped" || b.Why == nil || b.Why.Code != "tooManyFailed" || b.counts()["failed Rejected"] != 4 || heard(all) != 4 {
		t.Errorf("%+v, why %+v, %d heard it", b.counts(), b.Why, heard(all))
	}
}

// The server stops in the middle, while stations think about their answers, and comes
// back: nobody is asked twice, and all are accounted for.
func TestACampaignGoesOnAfterAStartAndAsksNobodyTwice(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	var mu sync.Mutex
	at := s.URL
	url := func() string {
		mu.Lock()
		defer mu.Unlock()
		return at
	}
	all := crowd(t, s, 40, url, func(i int) string {
		if i%8 == 7 {
			return "" // at work when it stops
		}
		return "Accepted"
	})
	c := newCampaigner(t, s)
	b := c.start(`{"action":"Reset","payload":{"type":"Soft"},"cohort":{"everything":true},"pace":{"perMinute":1200,"atOnce":10}}`)
	servertest.Eventually(t, "some were asked, one of whom says nothing", func() bool { return all[7].commands() == 1 && heard(all) >= 12 })
	s.Stop()
	before := heard(all)
	if before >= 40 {
		t.Fatalf("all were asked before it stopped")
	}
	s = servertest.In(t, folder, func(c *config.Config) { c.Station.CommandTimeout = config.Duration(time.Second) })
	mu.Lock()
	at = s.URL
	mu.Unlock()
	c.s = s
	b = c.until(b, "the end", over)
	counts := b.counts()
	if b.State != "finished" || counts["done Accepted"]+counts["unknown restart"]+counts["unknown timeout"]+counts["unknown connectionLost"] != 40 || counts["done Accepted"] < 30 {
		t.Errorf("%s with %v", b.State, counts)
	}
	for _, x := range all {
		if n := x.commands(); n != 1 {
			t.Errorf("%s was asked %d times", x.id, n)
		}
	}
}
