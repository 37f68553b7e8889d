package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"hash"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

var update = flag.Bool("update", false, "write the golden file anew")

// shortly is enough of a past for tests that ask no detector.
const shortly = 2 * day

// live reads a run to its end.
func live(t testing.TB, r *Run, each func(*event.Event)) {
	t.Helper()
	for e := range r.Events(t.Context()) {
		each(e)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
}

// digest is a run in one line: what there is of each kind, and a hash.
type digest struct {
	bodies bool // hash all that is said, not only when and about what
	kinds  map[event.Kind]int
	hash   hash.Hash
	line   []byte
}

func newDigest(bodies bool) *digest {
	return &digest{bodies: bodies, kinds: make(map[event.Kind]int), hash: sha256.New()}
}

func (d *digest) take(t testing.TB, e *event.Event) {
	t.Helper()
	d.kinds[e.Body.Kind()]++
	d.line = fmt.Append(d.line[:0], e.Seq, e.RecordedAt.UnixNano(), e.At.UnixNano(), e.DeviceAt.UnixNano(), e.Subject, e.Body.Kind())
	if d.bodies {
		var err error
		if d.line, err = event.AppendBody(d.line, e.Body); err != nil {
			t.Fatal(err)
		}
	}
	d.hash.Write(d.line)
}

func (d *digest) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(d.kinds)) {
		fmt.Fprintf(&b, "%s=%d ", k, d.kinds[k])
	}
	return b.String() + hex.EncodeToString(d.hash.Sum(nil)[:8])
}

// Each scenario is told as it was told before, and what is wrong shows in what
// its stations say.
func TestScenarios(t *testing.T) {
	const file = "testdata/scenarios.txt"
	want := make(map[string]string)
	data, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = rest
	}
	got := make(map[string]string)
	shows := shows()
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			r, err := Story(name, 12, shortly)
			if err != nil {
				t.Fatal(err)
			}
			l := &r.Labels[0]
			d, before, now := newDigest(false), newWatch(), newWatch()
			now.register = before.register
			live(t, r, func(e *event.Event) {
				d.take(t, e)
				mine := slices.ContainsFunc(l.Subjects, func(s event.Subject) bool {
					return s.ID == e.Subject.ID && (s.EVSE == 0 || e.Subject.EVSE == 0 || s.EVSE == e.Subject.EVSE)
				})
				switch {
				case shows[name] == nil || !mine || e.RecordedAt.After(l.To):
				case e.RecordedAt.Before(l.From):
					before.take(e)
				default:
					now.take(e)
				}
			})
			got[name] = fmt.Sprintf("harmed=%d %s", len(r.Harmed()), d)
			if !*update && got[name] != want[name] {
				t.Errorf("got  %s\nwant %s", got[name], want[name])
			}
			if shows[name] == nil {
				return
			}
			if b, n := before.done(), now.done(); !shows[name](b, n) {
				b.gap, n.gap = nil, nil
				t.Errorf("%s does not show:\nbefore %+v\nnow    %+v", l.Subjects[0], *b, *n)
			}
		})
	}
	for name := range shows {
		if _, err := Find(name); err != nil {
			t.Error(err)
		}
	}
	if *update {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(got)) {
			fmt.Fprintln(&b, name, got[name])
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheSameSeedGivesTheSameRun(t *testing.T) {
	run := func(seed uint64) string {
		r, err := New(Options{Seed: seed, Stations: 54, Days: 9, Learning: day})
		if err != nil {
			t.Fatal(err)
		}
		d := newDigest(true)
		live(t, r, func(e *event.Event) { d.take(t, e) })
		return d.String()
	}
	first := run(3)
	if again := run(3); again != first {
		t.Errorf("the same seed gave\n%s and\n%s", first, again)
	}
	if run(4) == first {
		t.Error("another seed gave the same run")
	}
}

// What a journal promises holds for a run too.
func TestEventsAreInTheOrderOfTheJournal(t *testing.T) {
	r, err := New(Options{Seed: 5, Stations: 54, Days: 8, Learning: day})
	if err != nil {
		t.Fatal(err)
	}
	var seq uint64
	var last time.Time
	open := make(map[string]string)
	known := make(map[string]bool)
	starts := 0
	live(t, r, func(e *event.Event) {
		if seq++; e.Seq != seq || e.RecordedAt.Before(last) {
			t.Fatalf("event %d at %s follows %d at %s", e.Seq, e.RecordedAt, seq-1, last)
		}
		last = e.RecordedAt
		if e.At.After(e.RecordedAt) {
			t.Fatalf("%s happens at %s and is known at %s", e.Body.Kind(), e.At, e.RecordedAt)
		}
		switch b := e.Body.(type) {
		case *event.StationConfigured:
			known[e.Subject.ID] = true
		case *event.Transaction:
			key := e.Subject.ID + "/" + b.TransactionID
			switch {
			case b.TransactionID == "" || e.Subject.EVSE == 0:
				t.Fatalf("%s of %s without a transaction or a port", b.Stage, e.Subject)
			case b.Stage == event.TransactionStarted:
				open[key] = e.Subject.String()
				starts++
			case open[key] == "":
				t.Fatalf("%s is %s before it starts", key, b.Stage)
			case b.Stage == event.TransactionEnded:
				delete(open, key)
			}
		}
		if e.Subject.Type == event.StationSubject && !known[e.Subject.ID] {
			t.Fatalf("%s speaks before it is enrolled", e.Subject)
		}
	})
	if starts < 500 || len(open) > 2*len(r.Plan.Stations) {
		t.Errorf("%d transactions, %d of them open at the end", starts, len(open))
	}
}

func TestLabelsAreSane(t *testing.T) {
	placed := make(map[string]int)
	for seed := range uint64(6) {
		r, err := New(Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		busy := make(map[event.Subject]string)
		for _, l := range r.Labels {
			placed[l.Scenario]++
			if l.From.Before(r.From.AddDate(0, 0, 3)) || l.To.Add(l.Tail).After(r.To) || !l.To.After(l.From) {
				t.Errorf("%s from %s to %s in a run from %s to %s", l.Scenario, l.From, l.To, r.From, r.To)
			}
			if len(l.Subjects) == 0 || l.NearMiss != strings.HasPrefix(l.Scenario, "near-") || l.NearMiss == (len(l.Detectors) > 0) {
				t.Errorf("%s: %+v", l.Scenario, l)
			}
			if l.Group == "us" {
				continue
			}
			for _, s := range l.Subjects {
				if other := busy[event.Station(s.ID)]; other != "" {
					t.Errorf("%s plays in %s and %s", s.ID, other, l.Scenario)
				}
				busy[event.Station(s.ID)] = l.Scenario
			}
		}
	}
	for _, name := range Names() {
		if placed[name] == 0 {
			t.Errorf("%s found no place in six runs", name)
		}
	}
}

func TestEveryDetectorHasAScenario(t *testing.T) {
	found := make(map[string]bool)
	for _, s := range Scenarios() {
		for _, d := range s.Detectors {
			found[d] = true
		}
	}
	for n := 1; n <= 27; n++ {
		if id := fmt.Sprintf("D%02d", n); !found[id] {
			t.Errorf("nothing is there for %s to find", id)
		}
	}
}

// Stations that obey restart when they are told to, and that ends what a restart
// ends; what it does not stays.
func TestOrders(t *testing.T) {
	for name, heals := range map[string]bool{"power-hangs": true, "start-hangs": true, "hangs-unavailable": true, "no-energy": false} {
		t.Run(name, func(t *testing.T) {
			r, err := New(Options{Seed: 3, Stations: 12, Days: 8, Learning: shortly, Only: []string{name}, Obey: true})
			if err != nil {
				t.Fatal(err)
			}
			l := &r.Labels[0]
			station := l.Subjects[0].ID
			asked := false
			var boots int
			live(t, r, func(e *event.Event) {
				if !asked && e.RecordedAt.After(l.From.Add(time.Hour)) {
					asked = true
					r.Perform(detect.Asked{Intent: fleet.Intent{Key: "k", Station: station, Action: "Reset", Payload: `{"type":"Hard"}`}}, e.RecordedAt)
				}
				if _, ok := e.Body.(*event.Boot); ok && asked && e.Subject.ID == station && e.RecordedAt.Before(l.From.Add(2*time.Hour)) {
					boots++
				}
			})
			orders, healings := r.Orders(), r.Healings()
			if len(orders) != 1 || !orders[0].Taken || boots != 1 {
				t.Errorf("orders %+v, boots %d", orders, boots)
			}
			if got := len(healings) == 1 && healings[0].Ordered && healings[0].Subject.ID == station; got != heals {
				t.Errorf("healings %+v", healings)
			}
		})
	}
}
