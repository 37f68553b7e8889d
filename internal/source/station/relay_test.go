package station

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// central is another central system, played by the test: it keeps what it is sent
// and says what the test wants.
type central struct {
	*httptest.Server
	admit  func(r *http.Request) int // an HTTP status; 0: come in
	answer func(frame string) string // empty: none

	mu    sync.Mutex
	let   int // connections let in; conns follows
	heard []message
	conns []*websocket.Conn
	proof []string
	ended []error
}

func (m message) String() string { return fmt.Sprintf("%v %.80q", m.typ, m.text) }

// message is one as it went over a wire.
type message struct {
	typ  websocket.MessageType
	text string
}

func newCentral(t *testing.T) *central {
	c := &central{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.proof = append(c.proof, r.URL.EscapedPath()+" "+r.Header.Get("Authorization"))
		admit, answer := c.admit, c.answer
		c.mu.Unlock()
		if admit != nil {
			if status := admit(r); status != 0 {
				w.Header().Set("WWW-Authenticate", `Basic realm="theirs"`)
				http.Error(w, "what is said here stays here", status)
				return
			}
		}
		c.mu.Lock()
		c.let++
		c.mu.Unlock()
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"ocpp2.0.1", "ocpp1.6"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		conn.SetReadLimit(-1)
		c.mu.Lock()
		c.conns = append(c.conns, conn)
		c.mu.Unlock()
		for {
			typ, data, err := conn.Read(context.Background())
			if err != nil {
				c.mu.Lock()
				c.ended = append(c.ended, err)
				c.mu.Unlock()
				return
			}
			c.mu.Lock()
			c.heard = append(c.heard, message{typ, string(data)})
			c.mu.Unlock()
			if answer == nil {
				continue
			}
			if out := answer(string(data)); out != "" {
				if conn.Write(context.Background(), websocket.MessageText, []byte(out)) != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(func() {
		c.mu.Lock()
		for _, x := range c.conns {
			x.CloseNow()
		}
		c.mu.Unlock()
		c.Close()
	})
	return c
}

func (c *central) upstream() *Upstream {
	return &Upstream{ID: "theirs", URL: "ws" + strings.TrimPrefix(c.URL, "http") + "/api/ocpp", PassOn: true}
}

func (c *central) all() []message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.heard)
}

// last is the newest connection, once the handler has it: the other side may know
// of it before.
func (c *central) last() *websocket.Conn {
	for {
		c.mu.Lock()
		if n := len(c.conns); n > 0 && n == c.let {
			defer c.mu.Unlock()
			return c.conns[n-1]
		}
		c.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

func (c *central) say(t *testing.T, typ websocket.MessageType, text string) {
	t.Helper()
	if err := c.last().Write(t.Context(), typ, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// ordinary answers as a small central system of 1.6 does; transaction ids are its
// own.
func ordinary() func(string) string {
	var next atomic.Int64
	next.Store(7000)
	return func(frame string) string {
		id, action := idAndAction(frame)
		switch action {
		case "BootNotification":
			return `[3,"` + id + `",{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":120}]`
		case "Authorize":
			return `[3,"` + id + `",{"idTagInfo":{"status":"Blocked"}}]`
		case "StartTransaction":
			return fmt.Sprintf(`[3,%q,{"transactionId":%d,"idTagInfo":{"status":"Accepted"}}]`, id, next.Add(1))
		case "DataTransfer":
			return `[3,"` + id + `",{"status":"Accepted"}]`
		case "":
			return ""
		}
		return `[3,"` + id + `",{}]`
	}
}

func idAndAction(frame string) (id, action string) {
	m := regexp.MustCompile(`^\s*\[\s*2\s*,\s*"([^"]*)"\s*,\s*"([^"]*)"`).FindStringSubmatch(frame)
	if m == nil {
		return "", ""
	}
	return m[1], m[2]
}

func (h *harness) relay(id string, to *Upstream, observers ...*Upstream) {
	h.people.set(id, Enrolment{Onboarding: event.OnboardingAccepted, Upstream: to, Observers: observers})
}

func read(t *testing.T, c *websocket.Conn) message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	typ, data, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return message{typ, string(data)}
}

func (h *harness) events(t *testing.T, id string, kinds ...event.Kind) []*event.Event {
	t.Helper()
	events, _, err := h.journal.Events(t.Context(), journal.EventQuery{Subject: event.Station(id), Kinds: kinds})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(events)
	return events
}

func TestARelayedSessionIsTheSameStory(t *testing.T) {
	h := serve(t, Options{})
	up := newCentral(t)
	up.answer = ordinary()
	h.relay("CP1", up.upstream())
	c, _, err := h.dial(t, "CP1", "ocpp2.0.1,ocpp1.6", "secret-of-the-station")
	if err != nil || c.Subprotocol() != "ocpp2.0.1" {
		t.Fatalf("%v, %q", err, c.Subprotocol())
	}
	c.CloseNow()
	if c, _, err = h.dial(t, "CP1", "ocpp1.6", "secret-of-the-station"); err != nil {
		t.Fatal(err)
	}
	ask(t, c, `[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]`)
	now := time.Now().UTC().Format(time.RFC3339)
	ask(t, c, `[2,"2","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Preparing","timestamp":"`+now+`"}]`)
	ask(t, c, `[2,"3","Authorize",{"idTag":"GOOD"}]`)
	ask(t, c, `[2,"4","StartTransaction",{"connectorId":1,"idTag":"GOOD","meterStart":1000,"timestamp":"`+now+`"}]`)
	ask(t, c, `[2,"5","MeterValues",{"connectorId":1,"transactionId":7001,"meterValue":[{"timestamp":"`+now+`","sampledValue":[{"value":"1500"}]}]}]`)
	eventually(t, "a session with upstream's id", func() bool {
		st, ok := h.journal.Snapshot().Station("CP1")
		return ok && len(st.EVSEs) == 1 && st.EVSEs[0].Session != nil && st.EVSEs[0].Session.TransactionID == "7001" && st.EVSEs[0].Session.EnergyWh == 500
	})
	later := time.Now().UTC().Add(2 * time.Second).Format(time.RFC3339)
	ask(t, c, `[2,"6","DataTransfer",{"vendorId":"x"}]`)
	ask(t, c, `[2,"7","StopTransaction",{"transactionId":7001,"meterStop":2500,"timestamp":"`+later+`"}]`)
	var sessions []*fleet.Session
	eventually(t, "the end of the session", func() bool {
		sessions, _, err = h.journal.Sessions(t.Context(), journal.SessionQuery{Station: "CP1"})
		return err == nil && len(sessions) == 1 && sessions[0].State == fleet.SessionEnded
	})
	if s := sessions[0]; s.EnergyWh != 1500 || s.TokenStatus != "Accepted" || s.TokenID != "t1" || len(s.Flags) != 0 {
		t.Errorf("session %+v", s)
	}
	boot := h.events(t, "CP1", event.KindBoot)
	if len(boot) != 1 || boot[0].Body.(*event.Boot).IntervalS != 120 || boot[0].Body.(*event.Boot).Upstream != "theirs" || boot[0].Origin != event.FromStation {
		t.Errorf("boot %+v", boot)
	}
	if a := h.events(t, "CP1", event.KindAuthorize); len(a) != 1 || a[0].Body.(*event.Authorize).Status != "Blocked" {
		t.Errorf("authorize %+v", a)
	}
	if d := h.events(t, "CP1", event.KindDataTransfer); len(d) != 1 || d[0].Body.(*event.DataTransfer).Status != "Accepted" {
		t.Errorf("data transfer %+v", d)
	}
	proof := "/api/ocpp/CP1 Basic " + base64.StdEncoding.EncodeToString([]byte("CP1:secret-of-the-station"))
	if !slices.Equal(up.proof, []string{proof, proof}) {
		t.Errorf("upstream was shown %q", up.proof)
	}
	c.Close(4007, "")
	eventually(t, "offline", func() bool { return !h.station(t, "CP1").Online })
	eventually(t, "upstream hears the code of the station", func() bool {
		up.mu.Lock()
		defer up.mu.Unlock()
		return len(up.ended) == 2 && websocket.CloseStatus(up.ended[1]) == 4007
	})
	// Its own ids go on where they were: upstream's say nothing about them.
	h.accept("CP1")
	c = h.connect(t, "CP1", "ocpp1.6")
	if a := ask(t, c, `[2,"8","StartTransaction",{"connectorId":1,"idTag":"GOOD","meterStart":2500,"timestamp":"`+later+`"}]`); !strings.Contains(a, `"transactionId":1,`) {
		t.Errorf("after the relay: %s", a)
	}
}

func TestFramesPassAsTheyAre(t *testing.T) {
	h := serve(t, Options{})
	up := newCentral(t)
	h.relay("CP1", up.upstream())
	c := h.connect(t, "CP1", "ocpp1.6")
	frames := []message{
		{websocket.MessageText, ` [2 , "a\u0062c","StatusNotification",  {"connectorId" : 1}]` + "\n"},
		{websocket.MessageBinary, `[2,"1","Heartbeat",{}]`},
		{websocket.MessageText, `[6,"2","NotifyPeriodicEventStream",{}]`},
		{websocket.MessageText, `[5,"2","GenericError","",{}]`},
		{websocket.MessageText, `[3,"nobody asked",{}]`},
		{websocket.MessageText, `[4,"nobody asked","GenericError","",{}]`},
		{websocket.MessageText, `[9,"x"]`},
		{websocket.MessageText, `rubbish`},
		{websocket.MessageText, ``},
		{websocket.MessageText, `[2,"1","Heartbeat",{},{},{}`},
		{websocket.MessageText, `[2,17,"Heartbeat",{}]`},
		{websocket.MessageBinary, "\xff\x00\xfe"},
		{websocket.MessageText, `[2,"big","DataTransfer",{"vendorId":"x","data":"` + strings.Repeat("0123456789", 200_000) + `"}]`},
	}
	for _, f := range frames {
		if err := c.Write(t.Context(), f.typ, []byte(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all at upstream", func() bool { return len(up.all()) == len(frames) })
	if got := up.all(); !slices.Equal(got, frames) {
		t.Errorf("upstream heard %v", got)
	}
	for _, f := range frames {
		up.say(t, f.typ, f.text)
		if got := read(t, c); got != f {
			t.Errorf("the station heard %v, not %v", got, f)
		}
	}
}

func TestUpstreamDecidesWhoComesIn(t *testing.T) {
	h := serve(t, Options{})
	up := newCentral(t)
	for name, status := range map[string]int{"a wrong password": 401, "a stranger": 404, "too many": 429, "trouble": 500} {
		t.Run(name, func(t *testing.T) {
			up.admit = func(*http.Request) int { return status }
			h.relay("CP1", up.upstream())
			for range 12 { // as often as the station likes
				_, r, err := h.dial(t, "CP1", "ocpp1.6", "")
				if err == nil || r == nil || r.StatusCode != status {
					t.Fatalf("%v %v", r, err)
				}
				if r.Header.Get("WWW-Authenticate") != `Basic realm="theirs"` {
					t.Errorf("%v", r.Header)
				}
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		h.relay("CP1", &Upstream{ID: "gone", URL: "ws://127.0.0.1:1/"})
		if _, r, err := h.dial(t, "CP1", "ocpp1.6", ""); err == nil || r == nil || r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%v %v", r, err)
		}
	})
	t.Run("no WebSocket", func(t *testing.T) {
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
		defer page.Close()
		h.relay("CP1", &Upstream{ID: "page", URL: "ws" + strings.TrimPrefix(page.URL, "http")})
		if _, r, err := h.dial(t, "CP1", "ocpp1.6", ""); err == nil || r == nil || r.StatusCode != http.StatusBadGateway {
			t.Errorf("%v %v", r, err)
		}
	})
	t.Run("out of reach", func(t *testing.T) {
		h.ep.o.Dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("the address is not allowed")
		}
		h.relay("CP1", up.upstream())
		if _, r, err := h.dial(t, "CP1", "ocpp1.6", ""); err == nil || r == nil || r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%v %v", r, err)
		}
	})
	if _, refused, _ := h.ep.Health("theirs").Last(); refused.Status == 0 || refused.Station != "CP1" {
		t.Errorf("%+v", refused)
	}
}

func TestOneSideEndsTheOther(t *testing.T) {
	h := serve(t, Options{})
	up := newCentral(t)
	h.relay("CP1", up.upstream())
	for name, tc := range map[string]struct {
		end  func(c *websocket.Conn)
		code websocket.StatusCode
	}{
		"closed with a code":    {func(c *websocket.Conn) { c.Close(4001, "maintenance") }, 4001},
		"closed without a code": {func(c *websocket.Conn) { c.Close(websocket.StatusNoStatusRcvd, "") }, websocket.StatusNoStatusRcvd},
		"killed":                {func(c *websocket.Conn) { c.CloseNow() }, websocket.StatusGoingAway},
	} {
		t.Run(name, func(t *testing.T) {
			c := h.connect(t, "CP1", "ocpp1.6")
			eventually(t, "connected", func() bool { st, ok := h.journal.Snapshot().Station("CP1"); return ok && st.Online })
			go tc.end(up.last())
			if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != tc.code {
				t.Errorf("the station was told %v", err)
			}
			eventually(t, "offline", func() bool { return !h.station(t, "CP1").Online })
		})
	}
}

// The CALLs of both meet at the station one at a time, and an answer reaches who
// asked and nobody else.
func TestTwoWhoAskTakeTurns(t *testing.T) {
	late := make(chan string, 1)
	h := serve(t, Options{CommandTimeout: 200 * time.Millisecond, OnLate: func(_, command string, o Outcome) { late <- command + o.Status }})
	up := newCentral(t)
	h.relay("CP1", up.upstream())
	c := h.connect(t, "CP1", "ocpp1.6")
	eventually(t, "connected", func() bool { return h.ep.Relayed("CP1") == "theirs" })

	outcome := make(chan Outcome, 1)
	go func() { outcome <- h.ep.Send(t.Context(), "CP1", "command-1", "Reset", []byte(`{}`)) }()
	ours := read(t, c).text
	id, action := idAndAction(ours)
	if action != "Reset" || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Fatalf("ours: %s", ours)
	}
	up.say(t, websocket.MessageText, `[2,"u1","ClearCache",{}]`)
	up.say(t, websocket.MessageText, `[3,"an answer passes by",{}]`)
	if got := read(t, c).text; got != `[3,"an answer passes by",{}]` {
		t.Errorf("before the held CALL came %s", got)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`[3,"`+id+`",{"status":"Accepted"}]`)); err != nil {
		t.Fatal(err)
	}
	if o := <-outcome; o.Status != Answered || string(o.Response) != `{"status":"Accepted"}` {
		t.Errorf("%+v", o)
	}
	if got := read(t, c).text; got != `[2,"u1","ClearCache",{}]` {
		t.Errorf("the held CALL: %s", got)
	}
	// Now upstream has the turn, and ours waits and gives up.
	if o := h.ep.Send(t.Context(), "CP1", "command-2", "Reset", []byte(`{}`)); o.Status != TimedOut {
		t.Errorf("%+v", o)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`[3,"u1",{"status":"Accepted"}]`)); err != nil {
		t.Fatal(err)
	}
	// A late answer finds its command, a second one nobody; neither goes upstream.
	if o := h.ep.Send(t.Context(), "CP1", "command-3", "Reset", []byte(`{}`)); o.Status != TimedOut {
		t.Errorf("%+v", o)
	}
	id, _ = idAndAction(read(t, c).text)
	for range 2 {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(`[3,"`+id+`",{}]`)); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-late; got != "command-3answered" {
		t.Errorf("late: %s", got)
	}
	// What comes behind the second one shows that it was read.
	const mark = `[2,"behind","Heartbeat",{}]`
	if err := c.Write(t.Context(), websocket.MessageText, []byte(mark)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what comes behind", func() bool { return len(up.all()) == 2 })
	// Upstream may take an id of ours: the answer is upstream's as long as we wait
	// for none.
	up.say(t, websocket.MessageText, `[2,"`+id+`","GetLocalListVersion",{}]`)
	if got := read(t, c).text; got != `[2,"`+id+`","GetLocalListVersion",{}]` {
		t.Errorf("%s", got)
	}
	last := `[3,"` + id + `",{"listVersion":1}]`
	if err := c.Write(t.Context(), websocket.MessageText, []byte(last)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "upstream's answers", func() bool { return len(up.all()) == 3 })
	if got := up.all(); got[0].text != `[3,"u1",{"status":"Accepted"}]` || got[1].text != mark || got[2].text != last {
		t.Errorf("upstream heard %v", got)
	}
	eventually(t, "what upstream asked in the journal", func() bool { return len(h.events(t, "CP1", event.KindCommand, event.KindCommandResult)) == 4 })
	first := h.events(t, "CP1", event.KindCommand)[0]
	if b := first.Body.(*event.Command); b.Action != "ClearCache" || b.By != "upstream/theirs" || first.Origin != event.FromUpstream {
		t.Errorf("%+v", b)
	}
	if f := h.events(t, "CP1", event.KindFinding); len(f) != 1 || f[0].Body.(*event.Finding).Code != "upstreamForgedID" {
		t.Errorf("findings %+v", f)
	}
}

// A start that upstream did not answer is not lost, and not two when it is repeated.
func TestAStartThatUpstreamDidNotAnswer(t *testing.T) {
	for name, first := range map[string]string{"lost": "", "refused": `[4,"1","InternalError","",{}]`} {
		t.Run(name, func(t *testing.T) {
			h := serve(t, Options{})
			up := newCentral(t)
			up.answer = func(string) string { return first }
			h.relay("CP1", up.upstream())
			c := h.connect(t, "CP1", "ocpp1.6")
			start := `"StartTransaction",{"connectorId":1,"idTag":"GOOD","meterStart":1000,"timestamp":"` + time.Now().UTC().Format(time.RFC3339) + `"}]`
			if err := c.Write(t.Context(), websocket.MessageText, []byte(`[2,"1",`+start)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "heard", func() bool { return len(up.all()) == 1 })
			if first == "" {
				up.last().CloseNow()
			}
			eventually(t, "the session", func() bool {
				st, ok := h.journal.Snapshot().Station("CP1")
				return ok && len(st.EVSEs) == 1 && st.EVSEs[0].Session != nil
			})
			up.mu.Lock()
			up.answer = ordinary()
			up.mu.Unlock()
			c.CloseNow()
			var again *websocket.Conn
			eventually(t, "a new connection", func() bool {
				var err error
				again, _, err = h.dial(t, "CP1", "ocpp1.6", "")
				return err == nil
			})
			ask(t, again, `[2,"2",`+start)
			eventually(t, "the id", func() bool { return h.station(t, "CP1").EVSEs[0].Session.TransactionID == "7001" })
			sessions, _, err := h.journal.Sessions(t.Context(), journal.SessionQuery{Station: "CP1"})
			if err != nil || len(sessions) != 1 || sessions[0].TokenStatus != "Accepted" {
				t.Errorf("%+v %v", sessions, err)
			}
		})
	}
}

// stalled is a journal that cannot commit for a while.
type stalled struct {
	Journal
	down atomic.Bool
}

func (s *stalled) Append(ctx context.Context, e *event.Event) (fleet.Receipt, error) {
	if s.down.Load() {
		return fleet.Receipt{}, journal.ErrUnavailable
	}
	return s.Journal.Append(ctx, e)
}

func (s *stalled) AppendEach(ctx context.Context, events []*event.Event) []error {
	if !s.down.Load() {
		return s.Journal.AppendEach(ctx, events)
	}
	errs := make([]error, len(events))
	for i := range errs {
		errs[i] = journal.ErrUnavailable
	}
	return errs
}

func (s *stalled) Ready() error {
	if s.down.Load() {
		return journal.ErrUnavailable
	}
	return nil
}

func TestChargingGoesOnWithoutTheJournal(t *testing.T) {
	h := serve(t, Options{})
	s := &stalled{Journal: h.ep.journal}
	h.ep.journal = s
	up := newCentral(t)
	up.answer = ordinary()
	h.relay("CP1", up.upstream())
	h.accept("CP2")
	s.down.Store(true)
	h.ep.Pause(true)
	if _, r, err := h.dial(t, "CP2", "ocpp1.6", ""); err == nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a station of ours: %v %v", r, err)
	}
	c := h.connect(t, "CP1", "ocpp1.6")
	const calls = 2 * earFrames
	for i := range calls {
		if a := ask(t, c, fmt.Sprintf(`[2,"%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","info":"%d"}]`, i, i)); a != fmt.Sprintf(`[3,"%d",{}]`, i) {
			t.Fatalf("%d: %s", i, a)
		}
	}
	lost := h.ep.Health("theirs").Gaps.Load()
	if lost == 0 || lost > 2*calls {
		t.Fatalf("%d frames lost", lost)
	}
	s.down.Store(false)
	eventually(t, "the gap in the journal", func() bool {
		n := int64(0)
		for _, g := range h.events(t, "CP1", event.KindRelayGap) {
			b := g.Body.(*event.RelayGap)
			n += int64(b.Frames)
			if b.Upstream != "theirs" || b.From.IsZero() || b.To.Before(b.From) {
				t.Errorf("%+v", b)
			}
		}
		return n == lost
	})
	ask(t, c, `[2,"after","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Charging"}]`)
	eventually(t, "state of now", func() bool {
		st, ok := h.journal.Snapshot().Station("CP1")
		return ok && len(st.EVSEs) == 1 && st.EVSEs[0].Status == fleet.Charging
	})
	if heard := up.all(); len(heard) != calls+1 {
		t.Errorf("upstream heard %d of %d", len(heard), calls+1)
	}
}

func TestObserversHearAndAreNotHeard(t *testing.T) {
	h := serve(t, Options{})
	up, second := newCentral(t), newCentral(t)
	up.answer = ordinary()
	second.answer = ordinary()
	watching := second.upstream()
	watching.ID, watching.PassOn, watching.Password = "second", false, "of-the-relay"
	h.relay("CP1", up.upstream(), watching)
	c, _, err := h.dial(t, "CP1", "ocpp1.6", "of-the-station")
	if err != nil {
		t.Fatal(err)
	}
	if a := ask(t, c, `[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]`); !strings.Contains(a, `"interval":120`) {
		t.Error(a)
	}
	ask(t, c, `[2,"2","Heartbeat",{}]`)
	eventually(t, "both frames at the observer", func() bool { return len(second.all()) == 2 })
	if got := second.all(); got[0].text != `[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]` || got[1].text != `[2,"2","Heartbeat",{}]` {
		t.Errorf("%v", got)
	}
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("CP1:of-the-relay")); !strings.HasSuffix(second.proof[0], want) {
		t.Errorf("%q", second.proof)
	}
	second.say(t, websocket.MessageText, `[2,"x","Reset",{"type":"Hard"}]`)
	eventually(t, "the refusal", func() bool { return len(second.all()) == 3 })
	if got := second.all()[2].text; !strings.HasPrefix(got, `[4,"x","SecurityError"`) {
		t.Error(got)
	}
	second.last().CloseNow()
	ask(t, c, `[2,"3","Heartbeat",{}]`)
	eventually(t, "the loss is known", func() bool { return h.ep.Health("second").Losses.Load() == 1 })
	if n := len(up.all()); n != 3 {
		t.Errorf("upstream heard %d", n)
	}
	if h.ep.Health("theirs").Stations.Load() != 1 {
		t.Error("the station lost its connection for an observer")
	}
}

func TestUpstreamThatSendsTooMuch(t *testing.T) {
	h := serve(t, Options{FrameLimit: 100_000})
	up := newCentral(t)
	h.relay("CP1", up.upstream())
	c := h.connect(t, "CP1", "ocpp1.6")
	eventually(t, "connected", func() bool { return h.ep.Relayed("CP1") != "" })
	go up.last().Write(context.Background(), websocket.MessageText, make([]byte, 200_000))
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("%v", err)
	}
	eventually(t, "the finding", func() bool { return len(h.events(t, "CP1", event.KindFinding)) == 1 })
}

func TestMarksOfOurCalls(t *testing.T) {
	m, other := newMarks(), newMarks()
	for i := range 2000 {
		id := m.make(fmt.Sprint(i))
		if !m.made(id) || len(id) > ocppj.MaxIDLength {
			t.Fatalf("%s is not known again", id)
		}
		if other.made(id) || m.made(newID()) || m.made(id[:35]+"x") {
			t.Fatalf("a stranger's %s is taken for ours", id)
		}
	}
}
