package station

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// people is a Directory and Authorizer that lives in memory.
type people struct {
	mu       sync.Mutex
	enrolled map[string]Enrolment
	refused  []string
	pending  int
	room     int
}

func (p *people) Enrolled(id string) (Enrolment, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.enrolled[id]
	return e, ok
}

func (p *people) Pend(_ context.Context, id, _ string, accept bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == p.room {
		return ErrFull
	}
	p.pending++
	o := event.OnboardingPending
	if accept {
		o = event.OnboardingAccepted
	}
	p.enrolled[id] = Enrolment{Onboarding: o}
	return nil
}

func (p *people) Describe(context.Context, string, *event.Boot) error { return nil }

func (p *people) Refused(id, _, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = append(p.refused, id+": "+reason)
}

func (p *people) set(id string, e Enrolment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enrolled[id] = e
}

func (p *people) Authorize(_ context.Context, _ string, _ int, t Token, _ bool) (Decision, error) {
	if t.Value == "GOOD" {
		return Decision{TokenID: "t1", Status: "Accepted"}, nil
	}
	return Decision{TokenID: "t2", Status: "Unknown"}, nil
}

func (p *people) Name(context.Context, Token) (string, error) { return "t1", nil }

type frameLog struct {
	mu     sync.Mutex
	quirks []string
}

func (f *frameLog) Add(x Frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quirks = append(f.quirks, x.Quirks...)
}

type harness struct {
	ep      *Endpoint
	journal *journal.Journal
	people  *people
	frames  *frameLog
	url     string
}

func serve(t *testing.T, o Options) *harness {
	t.Helper()
	db := coredbtest.Open(t)
	j, err := sqlite.Open(t.Context(), sqlite.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{journal: j, people: &people{enrolled: map[string]Enrolment{}, room: 500}, frames: &frameLog{}}
	h.ep = New(j, h.people, h.people, h.frames, o)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { j.Run(context.Background()) })
	wg.Go(func() { h.ep.Run(ctx) })
	srv := httptest.NewServer(h.ep)
	h.url = "ws" + strings.TrimPrefix(srv.URL, "http") + "/ocpp/"
	t.Cleanup(func() {
		cancel()
		srv.Close()
		h.ep.running.Wait()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// accept enrols a station that may connect as it is.
func (h *harness) accept(id string) {
	h.people.set(id, Enrolment{Onboarding: event.OnboardingAccepted})
}

func (h *harness) dial(t *testing.T, id, protocol, password string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	o := &websocket.DialOptions{HTTPHeader: http.Header{}}
	if protocol != "" {
		o.Subprotocols = strings.Split(protocol, ",")
	}
	if password != "" {
		o.HTTPHeader.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+password)))
	}
	c, r, err := websocket.Dial(t.Context(), h.url+id, o)
	if err == nil {
		c.SetReadLimit(8 << 20)
		t.Cleanup(func() { c.CloseNow() })
	}
	return c, r, err
}

func (h *harness) connect(t *testing.T, id, protocol string) *websocket.Conn {
	t.Helper()
	c, _, err := h.dial(t, id, protocol, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ask sends one frame and returns the answer.
func ask(t *testing.T, c *websocket.Conn, frame string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		t.Fatalf("send %.80s: %v", frame, err)
	}
	_, data, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("answer to %.80s: %v", frame, err)
	}
	return string(data)
}

func (h *harness) station(t *testing.T, id string) *fleet.Station {
	t.Helper()
	st, ok := h.journal.Snapshot().Station(id)
	if !ok {
		t.Fatalf("%s is not in the fleet", id)
	}
	return st
}

// eventually waits for what another goroutine is about to do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not happen", what)
}

func TestASessionOver16(t *testing.T) {
	h := serve(t, Options{})
	h.accept("CP1")
	c := h.connect(t, "CP1", "ocpp1.6")
	boot := ask(t, c, `[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M","chargePointSerialNumber":"0123456789012345678901234567"}]`)
	if !strings.Contains(boot, `"Accepted"`) || !strings.Contains(boot, `"interval":300`) {
		t.Errorf("boot: %s", boot)
	}
	now := time.Now().UTC().Format(time.RFC3339)
	ask(t, c, `[2,"2","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Preparing","timestamp":"`+now+`"}]`)
	if a := ask(t, c, `[2,"3","Authorize",{"idTag":"BAD"}]`); a != `[3,"3",{"idTagInfo":{"status":"Invalid"}}]` {
		t.Errorf("authorize: %s", a)
	}
	start := `"StartTransaction",{"connectorId":1,"idTag":"GOOD","meterStart":1000,"timestamp":"` + now + `"}]`
	if a := ask(t, c, `[2,"4",`+start); a != `[3,"4",{"transactionId":1,"idTagInfo":{"status":"Accepted"}}]` {
		t.Errorf("start: %s", a)
	}
	if a := ask(t, c, `[2,"5",`+start); !strings.Contains(a, `"transactionId":1,`) {
		t.Errorf("the repeated start got another id: %s", a)
	}
	ask(t, c, `[2,"6","MeterValues",{"connectorId":1,"transactionId":1,"meterValue":[{"timestamp":"`+now+`","sampledValue":[{"value":"1.5","unit":"kWh","measurand":"Energy.Active.Import.Register"},{"value":11000,"measurand":"Power.Active.Import","unit":"w"}]}]}]`)
	v := h.station(t, "CP1").EVSEs[0]
	if v.Session == nil || v.Session.EnergyWh != 500 || v.Live.PowerW == nil || *v.Live.PowerW != 11000 || v.Session.TokenID != "t1" {
		t.Errorf("while charging: %+v, session %+v", v, v.Session)
	}
	later := time.Now().UTC().Add(2 * time.Second).Format(time.RFC3339)
	if a := ask(t, c, `[2,"7","StopTransaction",{"transactionId":1,"meterStop":2500,"timestamp":"`+later+`"}]`); a != `[3,"7",{}]` {
		t.Errorf("stop: %s", a)
	}
	sessions, _, err := h.journal.Sessions(t.Context(), journal.SessionQuery{Station: "CP1"})
	if err != nil || len(sessions) != 1 || sessions[0].EnergyWh != 1500 || sessions[0].State != fleet.SessionEnded {
		t.Errorf("stored: %+v %v", sessions, err)
	}
	c.CloseNow()
	eventually(t, "offline", func() bool { return !h.station(t, "CP1").Online })
	if h.station(t, "CP1").Serial != "0123456789012345678901234567" {
		t.Error("the over-long serial was not kept")
	}
}

func TestASessionOver2(t *testing.T) {
	for _, version := range []string{"ocpp2.0.1", "ocpp2.1"} {
		t.Run(version, func(t *testing.T) {
			h := serve(t, Options{})
			h.accept("CP2")
			c := h.connect(t, "CP2", version)
			ask(t, c, `[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M"}}]`)
			now := time.Now().UTC().Format(time.RFC3339)
			ask(t, c, `[2,"2","StatusNotification",{"timestamp":"`+now+`","connectorStatus":"Occupied","evseId":1,"connectorId":1}]`)
			tx := func(id, kind, extra string, seq int) string {
				return ask(t, c, fmt.Sprintf(`[2,%q,"TransactionEvent",{"eventType":%q,"timestamp":%q,"triggerReason":"Authorized","seqNo":%d,"transactionInfo":{"transactionId":"T1","chargingState":"Charging"},"evse":{"id":1,"connectorId":1}%s}]`, id, kind, now, seq, extra))
			}
			if a := tx("3", "Started", `,"idToken":{"idToken":"GOOD","type":"ISO14443"}`, 0); !strings.Contains(a, `"idTokenInfo":{"status":"Accepted"}`) {
				t.Errorf("start: %s", a)
			}
			if v := h.station(t, "CP2").EVSEs[0]; v.Status != fleet.Charging || v.Session == nil {
				t.Errorf("after the start: %v, %+v", v.Status, v.Session)
			}
			tx("4", "Updated", `,"meterValue":[{"timestamp":"`+now+`","sampledValue":[{"value":1000},{"value":7.2,"measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W","multiplier":3}}]}]`, 1)
			if v := h.station(t, "CP2").EVSEs[0]; v.Live.PowerW == nil || *v.Live.PowerW != 7200 {
				t.Errorf("live: %+v", v.Live)
			}
			tx("5", "Ended", "", 3)
			sessions, _, err := h.journal.Sessions(t.Context(), journal.SessionQuery{Station: "CP2"})
			if err != nil || len(sessions) != 1 || len(sessions[0].Flags) != 1 || sessions[0].Flags[0] != fleet.FlagGap {
				t.Errorf("stored: %+v %v; want a gap flagged", sessions, err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	h := serve(t, Options{})
	h.accept("CP3")
	c := h.connect(t, "CP3", "ocpp1.6")
	two := h.connect(t, "CP3b", "ocpp2.0.1")
	h.people.set("CP3b", Enrolment{Onboarding: event.OnboardingAccepted})
	tests := map[string]struct {
		conn        *websocket.Conn
		frame, want string
	}{
		"an unknown action":            {c, `[2,"a","Fly",{}]`, `[4,"a","NotImplemented"`},
		"an action of the other side":  {c, `[2,"b","RemoteStartTransaction",{"idTag":"x"}]`, `[4,"b","NotSupported"`},
		"duplicate keys":               {c, `[2,"c","Heartbeat",{"a":1,"a":2}]`, `[4,"c","FormationViolation"`},
		"too deep":                     {c, `[2,"d","Heartbeat",` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40) + `]`, `[4,"d",`},
		"broken JSON with an id":       {c, `[2,"e","Heartbeat",{"a":]`, `[4,"e","FormationViolation"`},
		"no readable id in 2.x":        {two, `[2,{},"Heartbeat",{}]`, `[4,"-1","RpcFrameworkError"`},
		"a vendor nobody knows":        {c, `[2,"f","DataTransfer",{"vendorId":"x"}]`, `[3,"f",{"status":"UnknownVendorId"}]`},
		"ill-typed content is served":  {c, `[2,"g","StatusNotification",{"connectorId":"1","errorCode":"No Error","status":"available","info":"` + strings.Repeat("x", 80) + `"}]`, `[3,"g",{}]`},
		"a stop of nobody's is served": {c, `[2,"h","StopTransaction",{"transactionId":-1,"meterStop":5,"timestamp":"2026-01-01T00:00:00Z"}]`, `[3,"h",{}]`},
		"the connection still stands":  {c, `[2,"i","Heartbeat",{}]`, `[3,"i",{"currentTime":`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, tt.conn, tt.frame); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s; want %s…", got, tt.want)
			}
		})
	}
	if st := h.station(t, "CP3"); st.EVSEs[0].Status != fleet.Available || st.EVSEs[0].Fault != nil {
		t.Errorf("the tolerated status reads %+v", st.EVSEs[0])
	}
}

func TestOnboarding(t *testing.T) {
	t.Run("closed answers 404", func(t *testing.T) {
		h := serve(t, Options{Onboarding: Closed})
		if _, r, err := h.dial(t, "NEW", "ocpp1.6", ""); err == nil || r == nil || r.StatusCode != http.StatusNotFound {
			t.Errorf("got %v %v", r, err)
		}
	})
	t.Run("approve answers Pending until approved", func(t *testing.T) {
		h := serve(t, Options{})
		c := h.connect(t, "NEW", "ocpp1.6")
		boot := `[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]`
		if a := ask(t, c, boot); !strings.Contains(a, `"Pending"`) || !strings.Contains(a, `"interval":60`) {
			t.Errorf("boot: %s", a)
		}
		if a := ask(t, c, `[2,"2","Heartbeat",{}]`); !strings.HasPrefix(a, `[4,"2","SecurityError"`) {
			t.Errorf("heartbeat while pending: %s", a)
		}
		h.accept("NEW")
		if a := ask(t, c, boot); !strings.Contains(a, `"Accepted"`) {
			t.Errorf("boot after approval: %s", a)
		}
	})
	t.Run("no more may wait than there is room for", func(t *testing.T) {
		h := serve(t, Options{})
		h.people.room = 1
		h.connect(t, "N1", "ocpp1.6")
		if _, r, err := h.dial(t, "N2", "ocpp1.6", ""); err == nil || r == nil || r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("got %v %v", r, err)
		}
	})
	t.Run("a known station that does not boot is served", func(t *testing.T) {
		h := serve(t, Options{})
		h.accept("OLD")
		c := h.connect(t, "OLD", "ocpp1.6")
		if a := ask(t, c, `[2,"2","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]`); a != `[3,"2",{}]` {
			t.Errorf("got %s", a)
		}
	})
	t.Run("open accepts", func(t *testing.T) {
		h := serve(t, Options{Onboarding: Open})
		c := h.connect(t, "ANY", "ocpp2.0.1")
		if a := ask(t, c, `[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M"}}]`); !strings.Contains(a, `"Accepted"`) {
			t.Errorf("boot: %s", a)
		}
	})
	t.Run("no common version is told apart from other troubles", func(t *testing.T) {
		h := serve(t, Options{})
		h.accept("CPX")
		c, _, err := h.dial(t, "CPX", "ocpp1.2", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusProtocolError {
			t.Errorf("got %v", err)
		}
		eventually(t, "the note", func() bool { h.people.mu.Lock(); defer h.people.mu.Unlock(); return len(h.people.refused) == 1 })
	})
	t.Run("a default version serves a station that names none", func(t *testing.T) {
		h := serve(t, Options{})
		h.people.set("MUTE", Enrolment{Onboarding: event.OnboardingAccepted, DefaultProtocol: "ocpp1.6"})
		c := h.connect(t, "MUTE", "")
		if a := ask(t, c, `[2,"1","Heartbeat",{}]`); !strings.HasPrefix(a, `[3,"1"`) {
			t.Errorf("got %s", a)
		}
	})
}

func TestPasswords(t *testing.T) {
	h := serve(t, Options{})
	h.people.set("SEC", Enrolment{Onboarding: event.OnboardingAccepted, Profile: 1, Verify: func(p []byte) bool { return string(p) == "secret-key-16byt" }})
	for name, tt := range map[string]struct {
		password string
		status   int
	}{
		"the right one":                  {"secret-key-16byt", 101},
		"the right one in hexadecimal":   {"7365637265742d6b65792d3136627974", 101},
		"a wrong one":                    {"wrong", 401},
		"none":                           {"", 401},
		"the right one after wrong ones": {"secret-key-16byt", 101},
	} {
		t.Run(name, func(t *testing.T) {
			_, r, err := h.dial(t, "SEC", "ocpp1.6", tt.password)
			if r == nil || r.StatusCode != tt.status {
				t.Errorf("got %v %v", r, err)
			}
		})
	}
}

func TestTheNewestProvenConnectionWins(t *testing.T) {
	h := serve(t, Options{})
	h.people.set("SEC", Enrolment{Onboarding: event.OnboardingAccepted, Profile: 1, Verify: func(p []byte) bool { return string(p) == "k" }})
	old, _, err := h.dial(t, "SEC", "ocpp1.6", "k")
	if err != nil {
		t.Fatal(err)
	}
	ask(t, old, `[2,"1","Heartbeat",{}]`)
	c, _, err := h.dial(t, "SEC", "ocpp1.6", "k")
	if err != nil {
		t.Fatal(err)
	}
	ask(t, c, `[2,"1","Heartbeat",{}]`)
	if _, _, err := old.Read(t.Context()); err == nil {
		t.Error("the old connection still stands")
	}
	eventually(t, "the old one's end", func() bool { return h.ep.Stats.Connections.Load() == 1 })
	if st := h.station(t, "SEC"); !st.Online {
		t.Error("the end of the old connection took the station offline")
	}
	h.accept("FREE")
	first := h.connect(t, "FREE", "ocpp1.6")
	go func() { // a living client answers pings while it reads
		for {
			if _, _, err := first.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	eventually(t, "the first connection", func() bool { _, ok := h.ep.LastFrame("FREE"); return ok })
	if _, r, err := h.dial(t, "FREE", "ocpp1.6", ""); err == nil || r == nil || r.StatusCode != http.StatusConflict {
		t.Errorf("an unproven second connection: %v %v", r, err)
	}
}

func TestFramesAboveTheLimit(t *testing.T) {
	h := serve(t, Options{FirstFrameLimit: 8 << 10, FrameLimit: 3 << 20})
	h.accept("BIG")
	big := func(n int) []byte {
		return []byte(`[2,"1","DataTransfer",{"vendorId":"x","data":"` + strings.Repeat("x", n) + `"}]`)
	}
	c := h.connect(t, "BIG", "ocpp1.6")
	if err := c.Write(t.Context(), websocket.MessageText, big(20<<10)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("before the boot: %v; want 1009", err)
	}
	eventually(t, "the finding", func() bool {
		events, _, err := h.journal.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindFinding}})
		return err == nil && len(events) == 1 && events[0].Body.(*event.Finding).Code == "frameTooLarge"
	})
	eventually(t, "the end", func() bool { return h.ep.Stats.Connections.Load() == 0 })
	c = h.connect(t, "BIG", "ocpp1.6")
	ask(t, c, `[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]`)
	if a := ask(t, c, string(big(2<<20))); !strings.HasPrefix(a, `[3,"1"`) {
		t.Errorf("2 MiB after the boot: %.80s", a)
	}
	eventually(t, "the return of the whole budget", func() bool {
		h.ep.large.mu.Lock()
		defer h.ep.large.mu.Unlock()
		return h.ep.large.free == h.ep.o.LargeBudget
	})
}

func TestCommands(t *testing.T) {
	late := make(chan Outcome, 1)
	h := serve(t, Options{CommandTimeout: 200 * time.Millisecond, OnLate: func(_, _ string, o Outcome) { late <- o }})
	h.accept("CMD")
	if o := h.ep.Send(t.Context(), "CMD", "id0", "Reset", []byte(`{"type":"Soft"}`)); o.Status != IsOffline {
		t.Errorf("to an offline station: %+v", o)
	}
	c := h.connect(t, "CMD", "ocpp1.6")
	ask(t, c, `[2,"1","Heartbeat",{}]`)
	got := make(chan Outcome, 1)
	send := func(id string) {
		go func() { got <- h.ep.Send(context.Background(), "CMD", id, "Reset", []byte(`{"type":"Soft"}`)) }()
	}
	read := func() string {
		_, data, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	reply := func(text string) {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	send("id1")
	if f := read(); f != `[2,"id1","Reset",{"type":"Soft"}]` {
		t.Errorf("call: %s", f)
	}
	reply(`[3,"id1",{"status":"Accepted"}]`)
	if o := <-got; o.Status != Answered || string(o.Response) != `{"status":"Accepted"}` {
		t.Errorf("answered: %+v", o)
	}
	send("id2")
	read()
	reply(`[4,"id2","NotSupported","no",{}]`)
	if o := <-got; o.Status != Failed || o.ErrorCode != "NotSupported" {
		t.Errorf("error: %+v", o)
	}
	send("id3")
	read()
	if o := <-got; o.Status != TimedOut {
		t.Errorf("timeout: %+v", o)
	}
	reply(`[3,"id3",{"status":"Rejected"}]`)
	if o := <-late; o.Status != Answered || string(o.Response) != `{"status":"Rejected"}` {
		t.Errorf("late: %+v", o)
	}
	send("id4")
	read()
	c.CloseNow()
	if o := <-got; o.Status != IsOffline {
		t.Errorf("connection lost: %+v", o)
	}
}
