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

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// ocaCase is a test case of the Open Charge Alliance for a CSMS: what we must do,
// and how we know that we do. Exactly one of play, test and none is given.
type ocaCase struct {
	id, must string
	// play is a station that goes through the case, frame by frame.
	play func(p *player)
	// test is a test elsewhere that shows the same, as package.Name.
	test string
	// none is why there is no test.
	none string
}

// ocaChapter is a group of cases with a server that they share.
type ocaChapter struct {
	version ocppj.Version
	title   string
	cases   []ocaCase
}

// playCases runs those cases of a chapter that are played, each with a station of its own.
func playCases(t *testing.T, ch ocaChapter) {
	t.Helper()
	t.Parallel()
	s := servertest.Start(t)
	for _, c := range []store.CredentialInput{
		{IDToken: "VALID", Status: "Accepted", ParentIDToken: "GROUP"},
		{IDToken: "SAMEGROUP", Status: "Accepted", ParentIDToken: "GROUP"},
		{IDToken: "MASTER", Status: "Accepted", ParentIDToken: "MASTERS"},
		{IDToken: "BLOCKED", Status: "Blocked"},
		{IDToken: "EXPIRED", Status: "Accepted", ExpiresAt: time.Now().Add(-time.Hour)},
	} {
		if _, err := s.Store.PutCredential(t.Context(), store.System, "", c); err != nil {
			t.Fatal(err)
		}
	}
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{
		Name: "operator", Grants: []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("cases", func(t *testing.T) {
		for _, c := range ch.cases {
			if c.play == nil {
				continue
			}
			t.Run(c.id, func(t *testing.T) {
				t.Parallel()
				c.play(&player{T: t, s: s, id: strings.ReplaceAll(c.id, "_", "-"), version: ch.version, table: spec.New(), secret: secret})
			})
		}
	})
}

// player is the station of a case. What it is asked and does not wait for, it
// does not support.
type player struct {
	*testing.T
	s       *servertest.Server
	id      string
	version ocppj.Version
	table   *spec.Table
	secret  string // of an API token

	conn *websocket.Conn
	seq  int
	tx   int // sequence number of TransactionEvent

	mu      sync.Mutex
	answers map[string]chan []json.RawMessage
	awaited *expected
}

// expected is a CALL of ours that the station waits for.
type expected struct {
	action, payload, answer string
	came                    chan struct{}
}

// connect enrols the station, if nobody did, and opens its connection.
func (p *player) connect() {
	p.Helper()
	if _, ok := p.s.Store.Station(p.id); !ok {
		p.s.Enrol(p.T, p.id)
	}
	p.reconnect()
}

// reconnect opens a new connection in place of the one there is.
func (p *player) reconnect() {
	p.Helper()
	if p.conn != nil {
		p.conn.CloseNow()
	}
	p.conn = dial(p.T, p.s, p.id, p.version.String())
	p.mu.Lock()
	p.answers = make(map[string]chan []json.RawMessage)
	p.mu.Unlock()
	go p.hear(p.conn)
}

func (p *player) hear(c *websocket.Conn) {
	for {
		_, data, err := c.Read(context.Background())
		if err != nil {
			return
		}
		var f []json.RawMessage
		var typ int
		var id string
		if json.Unmarshal(data, &f) != nil || len(f) < 3 || json.Unmarshal(f[0], &typ) != nil || json.Unmarshal(f[1], &id) != nil {
			p.Errorf("the server said %s", data)
			continue
		}
		p.mu.Lock()
		var reply string
		switch ch := p.answers[id]; {
		case typ != 2:
			if ch != nil {
				ch <- f
			}
		default:
			reply = fmt.Sprintf(`[4,%q,"NotSupported","",{}]`, id)
			var action string
			_ = json.Unmarshal(f[2], &action) // compared below
			if x := p.awaited; x != nil && x.action == action && sameJSON(p.T, string(f[3]), x.payload) {
				p.valid(action, f[3], p.table.CheckRequest)
				p.awaited = nil
				reply = fmt.Sprintf(`[3,%q,%s]`, id, x.answer)
				close(x.came)
			}
		}
		p.mu.Unlock()
		if reply != "" {
			if err := c.Write(context.Background(), websocket.MessageText, []byte(reply)); err != nil {
				return
			}
		}
	}
}

// valid holds what the server says against the schema of the version.
func (p *player) valid(action string, payload json.RawMessage, check func(ocppj.Version, string, jsondoc.Node) []spec.Fault) {
	var d jsondoc.Doc
	if err := d.Parse(payload); err != nil {
		p.Errorf("%s: %v", payload, err)
		return
	}
	if faults := check(p.version, action, d.Root()); len(faults) > 0 {
		p.Errorf("%s %s: %v", action, payload, faults)
	}
}

// frame sends a CALL and returns the frame that answers it.
func (p *player) frame(action, payload string) []json.RawMessage {
	p.Helper()
	p.seq++
	id := fmt.Sprintf("%s-%d", p.id, p.seq)
	ch := make(chan []json.RawMessage, 1)
	p.mu.Lock()
	p.answers[id] = ch
	p.mu.Unlock()
	if err := p.conn.Write(p.Context(), websocket.MessageText, fmt.Appendf(nil, `[2,%q,%q,%s]`, id, action, payload)); err != nil {
		p.Fatalf("%s: %v", action, err)
	}
	select {
	case f := <-ch:
		return f
	case <-time.After(30 * time.Second):
		p.Fatalf("%s %s was not answered", action, payload)
		return nil
	}
}

// call sends a CALL that has to be answered with a CALLRESULT as the schema wants it.
func (p *player) call(action, payload string) map[string]any {
	p.Helper()
	f := p.frame(action, payload)
	if string(f[0]) != "3" {
		p.Fatalf("%s %s is refused: %s", action, payload, f[2:])
	}
	p.valid(action, f[2], p.table.CheckResponse)
	var out map[string]any
	if err := json.Unmarshal(f[2], &out); err != nil {
		p.Fatal(err)
	}
	return out
}

// refused sends a CALL that has to be answered with a CALLERROR of the code.
func (p *player) refused(action, payload, code string) {
	p.Helper()
	if f := p.frame(action, payload); string(f[0]) != "4" || string(f[2]) != `"`+code+`"` {
		p.Errorf("%s is answered %s; want %s", action, f, code)
	}
}

// send is an operator who sends a command over the API; the station reads what was
// meant and answers, and the operator is shown that answer.
func (p *player) send(action, payload, answer string) {
	p.Helper()
	x := &expected{action: action, payload: payload, answer: answer, came: make(chan struct{})}
	p.mu.Lock()
	p.awaited = x
	p.mu.Unlock()
	var out web.CommandShape
	p.api(http.MethodPost, "/stations/"+p.id+"/commands", fmt.Sprintf(`{"action":%q,"payload":%s}`, action, payload), http.StatusOK, &out)
	select {
	case <-x.came:
	default:
		p.Fatalf("%s did not come as it was sent: %+v", action, out)
	}
	if out.Status != "answered" || !sameJSON(p.T, string(out.Response), answer) {
		p.Errorf("%s: the operator is told %s %s; the station said %s", action, out.Status, out.Response, answer)
	}
}

// api asks the API as an operator.
func (p *player) api(method, path, body string, want int, into any) {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), method, "http://"+p.s.HTTPAddress()+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.secret)
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != want {
		var why json.RawMessage
		_ = json.NewDecoder(a.Body).Decode(&why) // only shown
		p.Fatalf("%s %s %s: %s %s", method, path, body, a.Status, why)
	}
	if into != nil {
		if err := json.NewDecoder(a.Body).Decode(into); err != nil {
			p.Fatal(err)
		}
	}
}

// shows waits until a port is in a state.
func (p *player) shows(evse int, want fleet.Status) {
	p.Helper()
	for _, e := range p.s.Station(p.T, p.id).EVSEs {
		if e.ID == evse {
			if e.Status != want {
				p.Errorf("port %d is %v; want %v", evse, e.Status, want)
			}
			return
		}
	}
	p.Errorf("there is no port %d", evse)
}

// sessions are those of the station, newest first.
func (p *player) sessions(n int) []*fleet.Session {
	p.Helper()
	list, _, err := p.s.Journal.Sessions(p.Context(), journal.SessionQuery{Station: p.id})
	if err != nil {
		p.Fatal(err)
	}
	if len(list) != n {
		p.Fatalf("%d sessions; want %d", len(list), n)
	}
	return list
}

// ended is the one session, which is over for a reason.
func (p *player) ended(reason string) *fleet.Session {
	p.Helper()
	x := p.sessions(1)[0]
	if x.State != fleet.SessionEnded || x.StopReason != reason {
		p.Errorf("the session is %s for %q; want ended for %q", x.State, x.StopReason, reason)
	}
	return x
}

// told looks in the journal for messages of an action, newest first.
func (p *player) told(kind event.Kind) []*event.Event {
	p.Helper()
	events, _, err := p.s.Journal.Events(p.Context(), journal.EventQuery{Subject: event.Station(p.id), Kinds: []event.Kind{kind}})
	if err != nil {
		p.Fatal(err)
	}
	return events
}

// is compares a member of an answer, as a.b.c.
func (p *player) is(answer map[string]any, path, want string) {
	p.Helper()
	var v any = answer
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	if got := fmt.Sprint(v); got != want {
		p.Errorf("%s is %s; want %s in %v", path, got, want, answer)
	}
}

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format("2006-01-02T15:04:05.000Z") }
