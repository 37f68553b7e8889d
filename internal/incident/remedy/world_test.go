package remedy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// world is a small network that the engine looks after: what is fed to it is
// kept, so that a second engine can be fed the same.
type world struct {
	t      testing.TB
	d      *detect.Engine
	x      *Engine
	now    time.Time
	seq    uint64
	intent []fleet.Intent // each key once, as the outbox keeps them
	keys   map[string]bool
	steps  []incident.RemedyStep
	conn   map[string]int
	cases  map[string]Case
	log    []record
}

// record is an event with the incidents that changed with it.
type record struct {
	e       *event.Event
	changed []Case
}

func newWorld(t testing.TB) *world {
	w := watchedWorld(t)
	w.policy(PolicyWatching, Everywhere, `{"on":false}`)
	return w
}

// watchedWorld is one whose stations are given monitors.
func watchedWorld(t testing.TB) *world {
	return &world{
		t: t, d: detect.New(nil), x: New(), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC),
		keys: map[string]bool{}, conn: map[string]int{}, cases: map[string]Case{},
	}
}

// pass lets time go by; timers fire on the way.
func (w *world) pass(d time.Duration) { w.until(w.now.Add(d)) }

func (w *world) until(t time.Time) {
	for {
		due, ok := w.x.Due()
		if !ok || due.After(t) {
			break
		}
		if due.After(w.now) {
			w.now = due
		}
		w.take(w.x.Fire(&w.d.Network, w.seq))
	}
	w.now = t
}

func (w *world) take(fx Effects) {
	for _, in := range fx.Intents {
		if !w.keys[in.Key] {
			w.keys[in.Key] = true
			w.intent = append(w.intent, in)
		}
	}
	w.steps = append(w.steps, fx.Steps...)
}

// hear feeds an event a second after the last.
func (w *world) hear(s event.Subject, body event.Body, changed ...Case) {
	w.until(w.now.Add(time.Second))
	w.seq++
	w.feed(record{&event.Event{Seq: w.seq, Subject: s, At: w.now, ReceivedAt: w.now, RecordedAt: w.now, Body: body}, changed})
}

func (w *world) feed(n record) {
	w.log = append(w.log, n)
	for _, c := range n.changed {
		w.cases[c.ID] = c
	}
	w.d.Apply(n.e)
	w.take(w.x.apply(&w.d.Network, n.e, n.changed))
}

func (w *world) policy(typ, id, value string) {
	w.hear(event.Self(), &event.Policy{Type: typ, ID: id, Value: json.RawMessage(value), By: "u-1"})
}

func (w *world) mode(m Mode) { w.policy(PolicyMode, Everywhere, fmt.Sprintf(`{"mode":%q}`, m)) }

// station adds one with two free ports, connected long ago.
func (w *world) station(id, site, protocol string) {
	w.hear(event.Station(id), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted})
	w.connect(id, protocol)
	w.hear(event.Station(id), &event.Boot{Vendor: "ACME", Model: "Duo", Status: "Accepted"})
	w.status(id, 1, "Available")
	w.status(id, 2, "Available")
	w.pass(10 * time.Minute)
}

func (w *world) connect(id, protocol string) {
	w.conn[id]++
	w.hear(event.Station(id), &event.Connected{ConnID: fmt.Sprint(id, w.conn[id]), Protocol: protocol})
}

func (w *world) disconnect(id string) {
	w.hear(event.Station(id), &event.Disconnected{ConnID: fmt.Sprint(id, w.conn[id]), Reason: "lost"})
}

func (w *world) status(id string, evse int, word string, code ...string) {
	b := &event.Status{Status: word, ErrorCode: "NoError"}
	if len(code) > 0 {
		b.ErrorCode = code[0]
	}
	connector := evse
	if st := w.d.Network.Station(id); st != nil && st.Is2x() {
		connector = 1
	}
	w.hear(event.Port(id, evse, connector), b)
}

func (w *world) charge(id string, evse int) {
	w.hear(event.Port(id, evse, evse), &event.Transaction{Stage: event.TransactionStarted, TransactionID: fmt.Sprint("tx", w.seq)})
}

// open reports an incident, unless told otherwise of a stuck port.
func (w *world) open(c Case) {
	if c.ID == "" {
		c.ID = "i-1"
	}
	if c.Codes == nil {
		c.Codes = []string{"stuckState"}
	}
	if c.Detectors == nil {
		c.Detectors = []string{"D23"}
	}
	if c.Severity == "" {
		c.Severity = event.S3
	}
	w.hear(event.Self(), &event.ServerStopped{}, c) // of no meaning here: the incident is what counts
}

func (w *world) change(id string, with func(*Case)) {
	c := w.cases[id]
	with(&c)
	w.hear(event.Self(), &event.ServerStopped{}, c)
}

// waiting are the commands that nobody has performed.
func (w *world) waiting() []fleet.Intent {
	list := slices.Clone(w.intent)
	slices.SortStableFunc(list, func(a, b fleet.Intent) int { return a.Due.Compare(b.Due) })
	return list
}

// answer performs the oldest command with a response, or "timeout", "offline",
// "refused", "error CODE".
func (w *world) answer(response string) fleet.Intent {
	w.t.Helper()
	list := w.waiting()
	if len(list) == 0 {
		w.t.Fatalf("nothing was asked for; steps: %s", w.told())
	}
	return w.perform(list[0], response)
}

func (w *world) perform(in fleet.Intent, response string) fleet.Intent {
	w.intent = slices.DeleteFunc(w.intent, func(o fleet.Intent) bool { return o.Key == in.Key })
	s := event.Station(in.Station)
	r := &event.CommandResult{CommandID: in.Key, Status: response}
	if response != "refused" {
		w.hear(s, &event.Command{CommandID: in.Key, Action: in.Action, Payload: json.RawMessage(in.Payload), By: "chargewatch"})
	}
	switch code, isError := strings.CutPrefix(response, "error "); {
	case isError:
		r.Status, r.ErrorCode = "error", code
	case response != "timeout" && response != "offline" && response != "refused":
		r.Status, r.Response = "answered", json.RawMessage(fmt.Sprintf(`{"status":%q}`, response))
	}
	w.hear(s, r)
	return in
}

// told is what was done, in short.
func (w *world) told() string {
	words := []string{}
	for _, s := range w.steps {
		word := s.Action + " " + s.Outcome
		if s.Reason != "" {
			word += " " + s.Reason
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

func (w *world) expect(want ...string) {
	w.t.Helper()
	if got, want := w.told(), strings.Join(want, "; "); got != want {
		w.t.Errorf("steps are\n%s\nwant\n%s", strings.ReplaceAll(got, "; ", "\n"), strings.ReplaceAll(want, "; ", "\n"))
	}
	w.steps = nil
}

func (w *world) asked(want string) {
	w.t.Helper()
	words := []string{}
	for _, in := range w.waiting() {
		words = append(words, in.Action+" "+in.Payload)
	}
	if got := strings.Join(words, "; "); got != want {
		w.t.Errorf("asked for\n%s\nwant\n%s", got, want)
	}
}

const (
	v16 = "ocpp1.6"
	v20 = "ocpp2.0.1"
)
