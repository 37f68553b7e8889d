package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memoryCentral is a central system without sockets, for tests in fake time:
// it accepts everything, 20 ms after it was asked.
type memoryCentral struct {
	mu     sync.Mutex
	links  map[string]*memoryLink
	nextTx map[string]int
	calls  map[string][]seen // by station
	answer func(station, action string, payload []byte) string
}

type seen struct {
	at      time.Time
	action  string
	payload map[string]any
}

func newMemoryCentral() *memoryCentral {
	return &memoryCentral{links: make(map[string]*memoryLink), nextTx: make(map[string]int), calls: make(map[string][]seen)}
}

type memoryLink struct {
	c        *memoryCentral
	id       string
	toDevice chan []byte
	gone     chan struct{}
	once     sync.Once
	replies  chan string // answers to our commands
	last     time.Time   // of the last answer: answers keep their order
}

func (c *memoryCentral) Dial(_ context.Context, id, _ string, _ Version) (link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := &memoryLink{c: c, id: id, toDevice: make(chan []byte, 4096), gone: make(chan struct{}), replies: make(chan string, 64)}
	c.links[id] = l
	return l, nil
}

func (l *memoryLink) Read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-l.toDevice:
		return b, nil
	case <-l.gone:
		return nil, errors.New("gone")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *memoryLink) Freeze() {}

func (l *memoryLink) Drop() { l.once.Do(func() { close(l.gone) }) }

func (l *memoryLink) Write(_ context.Context, frame []byte) error {
	select {
	case <-l.gone:
		return errors.New("gone")
	default:
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(frame, &parts); err != nil {
		return fmt.Errorf("station wrote no JSON: %w", err)
	}
	kind := string(parts[0])
	if kind == "6" { // SEND is not answered
		var action string
		json.Unmarshal(parts[2], &action)
		var payload map[string]any
		json.Unmarshal(parts[3], &payload)
		l.c.mu.Lock()
		l.c.calls[l.id] = append(l.c.calls[l.id], seen{time.Now(), action, payload})
		l.c.mu.Unlock()
		return nil
	}
	if kind != "2" {
		l.replies <- string(frame)
		return nil
	}
	var action string
	json.Unmarshal(parts[2], &action)
	var payload map[string]any
	json.Unmarshal(parts[3], &payload)
	l.c.mu.Lock()
	l.c.calls[l.id] = append(l.c.calls[l.id], seen{time.Now(), action, payload})
	body := "{}"
	if l.c.answer != nil {
		body = l.c.answer(l.id, action, parts[3])
	}
	if body == "{}" {
		switch action {
		case "BootNotification":
			body = fmt.Sprintf(`{"status":"Accepted","currentTime":%q,"interval":600}`, time.Now().UTC().Format(time.RFC3339Nano))
		case "OpenPeriodicEventStream":
			body = `{"status":"Accepted"}`
		case "Authorize":
			body = `{"idTagInfo":{"status":"Accepted"},"idTokenInfo":{"status":"Accepted"}}`
		case "StartTransaction":
			l.c.nextTx[l.id]++
			body = fmt.Sprintf(`{"transactionId":%d,"idTagInfo":{"status":"Accepted"}}`, l.c.nextTx[l.id])
		}
	}
	at := time.Now().Add(20 * time.Millisecond)
	if !at.After(l.last) {
		at = l.last.Add(time.Microsecond)
	}
	l.last = at
	l.c.mu.Unlock()
	if body == "lost" {
		return nil
	}
	reply := []byte("[3," + string(parts[1]) + "," + body + "]")
	time.AfterFunc(time.Until(at), func() {
		select {
		case l.toDevice <- reply:
		case <-l.gone:
		}
	})
	return nil
}

// command sends a CALL to a station and returns its answer frame.
func (c *memoryCentral) command(t *testing.T, id, action, payload string) string {
	t.Helper()
	c.mu.Lock()
	l := c.links[id]
	c.mu.Unlock()
	if l == nil {
		t.Fatalf("station %s never connected", id)
	}
	l.toDevice <- []byte(`[2,"cmd-1","` + action + `",` + payload + `]`)
	select {
	case r := <-l.replies:
		return r
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: no answer to %s", id, action)
	}
	return ""
}

// all returns the calls of a station, in order.
func (c *memoryCentral) all(id string) []seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls[id])
}

// of returns the calls of one action, in order.
func (c *memoryCentral) of(id string, actions ...string) []seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []seen
	for _, s := range c.calls[id] {
		for _, a := range actions {
			if s.action == a {
				out = append(out, s)
			}
		}
	}
	return out
}

// live runs a fleet in fake time for a while; during runs inside the bubble
// when it is over.
func live(t *testing.T, o Options, central *memoryCentral, length time.Duration, during func(*Fleet)) {
	t.Helper()
	f, err := build(o, central)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	time.Sleep(length)
	synctest.Wait()
	if during != nil {
		during(f)
	}
	cancel()
	<-done
}

// one is a plan with a single station of a model at a busy site.
func one(t *testing.T, model string, v Version, change func(*Spec)) Plan {
	t.Helper()
	for _, m := range Hardware() {
		if m.Name == model {
			s := Spec{ID: "CP-1", Site: "x", Model: m, Version: v, Serial: "S1"}
			if change != nil {
				change(&s)
			}
			return Plan{Sites: []Site{{ID: "x", Use: Retail, TimeZone: "Europe/Berlin"}}, Stations: []Spec{s}, Tokens: Tokens(1, 5)}
		}
	}
	t.Fatalf("no model %q", model)
	return Plan{}
}

func scenario(t *testing.T, name string) Scenario {
	t.Helper()
	s, err := FindScenario(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheSameSeedGivesTheSameFrames(t *testing.T) {
	for _, name := range []string{"day", "busy", "storm", "offline-flush", "faults", "quirks"} {
		t.Run(name, func(t *testing.T) {
			run := func(seed uint64) map[string]string {
				frames := make(map[string]*strings.Builder)
				synctest.Test(t, func(t *testing.T) {
					var mu sync.Mutex
					p := Park(9, 0, "", seed)
					for i := range p.Stations {
						p.Stations[i].Version = []Version{V16, V201, V21}[i%3]
					}
					live(t, Options{Plan: p, Seed: seed, Scenario: scenario(t, name), History: 3 * time.Hour, Observe: func(f Frame) {
						mu.Lock()
						defer mu.Unlock()
						b := frames[f.Station]
						if b == nil {
							b = &strings.Builder{}
							frames[f.Station] = b
						}
						fmt.Fprintf(b, "%s %v %s\n", f.At.UTC().Format(time.RFC3339Nano), f.Out, f.Data)
					}}, newMemoryCentral(), 8*time.Hour, nil)
				})
				out := make(map[string]string)
				for id, b := range frames {
					out[id] = b.String()
				}
				return out
			}
			a, b, other := run(7), run(7), run(8)
			if len(a) != 9 {
				t.Fatalf("want frames of 9 stations, got %d", len(a))
			}
			differs := false
			for id := range a {
				if a[id] != b[id] {
					la, lb := strings.Split(a[id], "\n"), strings.Split(b[id], "\n")
					for i := range min(len(la), len(lb)) {
						if la[i] != lb[i] {
							t.Fatalf("%s: frame %d differs\n%s\n%s", id, i, la[i], lb[i])
						}
					}
					t.Fatalf("%s: %d frames, then %d", id, len(la), len(lb))
				}
				differs = differs || a[id] != other[id]
			}
			if !differs {
				t.Error("another seed gave the same lives")
			}
		})
	}
}

// render prints a payload without quotes, in a stable order, for searching.
func render(p map[string]any) string {
	b, _ := json.Marshal(p)
	return strings.ReplaceAll(string(b), `"`, "")
}
