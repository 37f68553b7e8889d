package web

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// idle is a client whose frames nobody takes until take.
type idle struct {
	t *testing.T
	h *hub
	*client
}

func (p *plant) idle(topics ...string) *idle {
	p.t.Helper()
	c, ok := p.hub.join(newPrincipal("u-idle", "idle", []store.Grant{{Role: store.RoleViewer, Sites: []string{store.AllSites}}}))
	if !ok {
		p.t.Fatal("no room")
	}
	i := &idle{t: p.t, h: p.hub, client: c}
	if hello := <-c.out; len(hello) != 1 || hello[0].kind != "hello" {
		p.t.Fatalf("first %+v", hello)
	}
	p.hub.subscribe(c, topics, false)
	return i
}

// take returns the next batch, decoded.
func (i *idle) take() []message {
	i.t.Helper()
	var out []message
	for _, f := range <-i.out {
		var m message
		if err := json.Unmarshal(i.h.appendFrame(nil, f), &m); err != nil {
			i.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

func TestASlowReaderSeesTheNewestAndNothingQueues(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	p.connect("S1", "ocpp1.6")
	c := p.idle("ports")
	for n := range 200 {
		word := []string{"Available", "Preparing", "Charging"}[n%3]
		p.say(event.Port("S1", 1, 1), &event.Status{Status: word, ErrorCode: "NoError"})
	}
	// The batch that waited, and then one with the newest value only.
	seen := 0
	last := -1
	for last != int(fleet.Preparing) || seen < 2 {
		for _, m := range c.take() {
			if m.Type == "ports" && len(m.Status) > 0 {
				seen++
				last = m.Status[0]
			}
		}
		if seen > 5 {
			t.Fatalf("%d frames for a client that was away", seen)
		}
	}
}

func TestAnOverflowIsAGapAndThenEverythingAnew(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	p.connect("S1", "ocpp1.6")
	c := p.idle("ports", "events")
	var before uint64
	for _, m := range c.take() {
		before = m.Revision
	}
	p.hub.do(func() {
		for n := range 3 * maxUrgent {
			p.hub.tell(heard{topic: "events", frame: "event", site: "a", urgent: true, whole: json.RawMessage(fmt.Sprint(n)), masked: json.RawMessage(fmt.Sprint(n))})
			if len(c.urgent) > maxUrgent {
				t.Fatalf("%d frames wait for one client", len(c.urgent))
			}
		}
	})
	gap, snapshot := false, false
	for !snapshot {
		for _, m := range c.take() {
			if m.Revision != before+1 {
				gap = true
			}
			before = m.Revision
			snapshot = snapshot || gap && m.Type == "ports" && m.Snapshot
		}
	}
}

func TestCasualEventsAreBounded(t *testing.T) {
	p := newPlant(t)
	c := p.idle("events")
	p.hub.do(func() {
		for n := range 10 * maxCasual {
			p.hub.tell(heard{topic: "events", frame: "event", private: true, masked: json.RawMessage(fmt.Sprint(n))})
		}
		if len(c.casual) != maxCasual || string(c.casual[maxCasual-1].tail) != fmt.Sprintf(`,"data":%d}`, 10*maxCasual-1) {
			t.Errorf("%d wait, last %s", len(c.casual), c.casual[len(c.casual)-1].tail)
		}
	})
}

func TestClientsAreBounded(t *testing.T) {
	p := newPlant(t)
	who := newPrincipal("u-many", "many", []store.Grant{{Role: store.RoleViewer, Sites: []string{store.AllSites}}})
	for range maxPerPerson {
		if _, ok := p.hub.join(who); !ok {
			t.Fatal("no room")
		}
	}
	if _, ok := p.hub.join(who); ok {
		t.Error("one person may take all")
	}
	if _, ok := p.hub.join(newPrincipal("u-other", "other", nil)); !ok {
		t.Error("another has no room")
	}
}

// network is a fleet in memory.
type network struct {
	state *fleet.State
	snap  atomic.Pointer[fleet.Snapshot]
	seq   uint64
	at    time.Time
}

func newNetwork(stations int) *network {
	n := &network{state: fleet.New(), at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	var events []*event.Event
	for i := range stations {
		id := fmt.Sprintf("DE-%05d", i)
		events = append(events,
			n.event(event.Station(id), &event.StationConfigured{SiteID: fmt.Sprint("site-", i%100), Label: "Bay", Onboarding: event.OnboardingAccepted,
				Layout: []event.EVSELayout{{EVSE: 1, RatedW: 150_000}, {EVSE: 2, RatedW: 150_000}}}),
			n.event(event.Station(id), &event.Connected{ConnID: id, Protocol: "ocpp1.6"}))
		for evse := range 2 {
			events = append(events, n.event(event.Port(id, evse+1, 1), &event.Status{Status: "Available", ErrorCode: "NoError"}))
		}
	}
	n.apply(events)
	return n
}

func (n *network) event(subject event.Subject, body event.Body) *event.Event {
	n.seq++
	n.at = n.at.Add(time.Microsecond)
	return &event.Event{Seq: n.seq, Subject: subject, At: n.at, DeviceAt: n.at, ReceivedAt: n.at, RecordedAt: n.at, Quality: event.TimeDevice, Body: body}
}

func (n *network) apply(events []*event.Event) {
	for part := range slices.Chunk(events, 512) {
		b := n.state.Begin(noHistory{})
		for _, e := range part {
			b.Advance(e.RecordedAt)
			b.Apply(e)
		}
		n.snap.Store(b.Commit())
	}
}

type noHistory struct{}

func (noHistory) SessionByStart(string, string) (*fleet.Session, bool)       { return nil, false }
func (noHistory) SessionByStop(string, string) (*fleet.Session, bool)        { return nil, false }
func (noHistory) SessionByTransaction(string, string) (*fleet.Session, bool) { return nil, false }

func (n *network) Snapshot() *fleet.Snapshot { return n.snap.Load() }
func (n *network) Ready() error              { return nil }

// One beat of the feed: 20,000 ports of which 500 changed (2,000 a second), 50
// clients that look at everything.
func BenchmarkLiveBeat(b *testing.B) {
	n := newNetwork(10_000)
	p := benchPlant(b, n)
	clients := make([]*client, 50)
	now := n.at
	p.now = func() time.Time { return now }
	for i := range clients {
		grant := store.Grant{Role: store.RoleViewer, Sites: []string{store.AllSites}}
		if i%2 == 1 {
			grant.Sites = []string{fmt.Sprint("site-", i), "site-1"}
		}
		clients[i] = &client{
			out: make(chan []frame, 1), principal: newPrincipal(fmt.Sprint("u-", i), "x", []store.Grant{grant}),
			topics: map[string]bool{"ports": true, "summary": true}, stations: map[string]sentStation{}, messages: map[string][]Frame{},
		}
		p.hub.clients[clients[i]] = struct{}{}
	}
	words := []string{"Preparing", "Charging", "Available"}
	bytes := 0
	var out []byte
	round := 0
	for b.Loop() {
		b.StopTimer()
		round++
		events := make([]*event.Event, 0, 500)
		for i := range 500 {
			id := fmt.Sprintf("DE-%05d", (round*500+i)%10_000)
			events = append(events, n.event(event.Port(id, 1, 1), &event.Status{Status: words[(round/20)%3], ErrorCode: "NoError"}))
		}
		n.apply(events)
		now = now.Add(250 * time.Millisecond)
		b.StartTimer()
		p.hub.beat()
		for _, c := range clients {
			if len(c.out) == 0 {
				continue
			}
			for _, f := range <-c.out {
				out = p.hub.appendFrame(out[:0], f)
				bytes += len(out)
			}
		}
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "B/beat")
}

func benchPlant(b *testing.B, n *network) *Server {
	b.Helper()
	st, err := store.Open(b.Context(), store.Options{DB: openDB(b)})
	if err != nil {
		b.Fatal(err)
	}
	return New(Options{Store: st, Fleet: n, Stations: &links{}})
}
