package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/live"
	"github.com/chargewatch/chargewatch/internal/rule"
)

var begin = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// faulty raises a condition a minute after a port said it is faulted, unless it
// has recovered by then, and remembers how often.
func faulty() []detect.Detector {
	type memory struct{ Times int }
	return []detect.Detector{{
		ID: "D03", Code: "fault/test", Kinds: []event.Kind{event.KindStatus},
		New: func() any { return &memory{} },
		On: func(c *detect.Context, e *event.Event) {
			if e.Body.(*event.Status).Status == "Faulted" {
				c.Wake("wait", c.Now.Add(time.Minute))
				return
			}
			c.Cancel("wait")
			c.Clear("fault/test", 1)
		},
		Due: func(c *detect.Context, _ string) {
			m := detect.Memory[memory](c, 1)
			m.Times++
			c.Raise(1, event.Finding{Severity: event.S2, Text: fmt.Sprintf("Faulted for the %d. time", m.Times)})
		},
	}}
}

// place is a data folder in which time goes as the test says.
type place struct {
	t   *testing.T
	dir string
	now atomic.Int64 // microseconds
	// wrap stands between the journal and who follows it; nil: nothing does.
	wrap func(live.Journal) live.Journal
}

func newPlace(t *testing.T) *place {
	p := &place{t: t, dir: t.TempDir()}
	p.set(begin)
	return p
}

func (p *place) set(t time.Time)  { p.now.Store(t.UnixMicro()) }
func (p *place) clock() time.Time { return time.UnixMicro(p.now.Load()).UTC() }

type running struct {
	*live.Live
	j    *journal.Journal
	db   *coredb.DB
	stop context.CancelFunc
	done chan error
	t    *testing.T
}

func (p *place) start() *running {
	p.t.Helper()
	ctx := context.Background()
	coredbtest.In(p.t, p.dir)
	db, err := coredb.Open(ctx, p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	now := p.clock
	j, err := sqlite.Open(ctx, sqlite.Options{DB: db, Now: now, Journal: journal.Options{Past: true}})
	if err != nil {
		p.t.Fatal(err)
	}
	language, err := rule.NewLanguage()
	if err != nil {
		p.t.Fatal(err)
	}
	var followed live.Journal = j
	if p.wrap != nil {
		followed = p.wrap(j)
	}
	l, err := live.Open(ctx, live.Options{
		Journal: followed, DB: db, Detectors: faulty(), Language: language, Logger: slog.New(slog.DiscardHandler), Now: now,
		CheckpointEvery: time.Nanosecond, Beat: time.Millisecond,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	r := &running{Live: l, j: j, db: db, done: make(chan error, 2), t: p.t}
	ctx, r.stop = context.WithCancel(ctx)
	go func() { r.done <- j.Run(context.Background()) }()
	go func() { r.done <- l.Run(ctx) }()
	return r
}

func (r *running) end() {
	r.t.Helper()
	r.stop()
	errs := []error{<-r.done, r.j.Close(), <-r.done, r.db.Close()}
	if err := errors.Join(errs...); err != nil {
		r.t.Fatal(err)
	}
}

// story is what two ports say over a day: faults that last, faults that heal
// within the minute, a charge that proves a repair.
func story() []*event.Event {
	at := begin
	var out []*event.Event
	say := func(wait time.Duration, s event.Subject, b event.Body) {
		at = at.Add(wait)
		out = append(out, &event.Event{Subject: s, At: at, DeviceAt: at, ReceivedAt: at, Quality: event.TimeDevice, Body: b})
	}
	for _, id := range []string{"A", "B"} {
		say(time.Second, event.Station(id), &event.StationConfigured{SiteID: "ham", Onboarding: event.OnboardingAccepted})
		say(time.Second, event.Station(id), &event.Connected{ConnID: "c-" + id, Protocol: "ocpp1.6"})
		say(time.Second, event.Port(id, 1, 1), &event.Status{Status: "Available"})
	}
	for n := range 4 {
		id := []string{"A", "B"}[n%2]
		port := event.Port(id, 1, 1)
		say(20*time.Minute, port, &event.Status{Status: "Faulted", ErrorCode: "InternalError"})
		say(30*time.Second, port, &event.Status{Status: "Available"})
		say(20*time.Minute, port, &event.Status{Status: "Faulted", ErrorCode: "InternalError"})
		say(5*time.Minute, port, &event.Status{Status: "Available"})
		say(time.Minute, port, &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(1000.0)})
		say(time.Hour, port, &event.Transaction{Stage: event.TransactionEnded, TransactionID: fmt.Sprint(n + 1), MeterWh: new(9000.0)})
		say(time.Second, port, &event.Status{Status: "Available"})
	}
	say(48*time.Hour, event.Station("A"), &event.Boot{Vendor: "v", Model: "m", Status: "Accepted"})
	return out
}

// kept is what stands in the tables at the end.
func (r *running) kept() (incidents []string, findings int, notices []string) {
	r.t.Helper()
	list, _, err := r.Incidents(r.t.Context(), incident.Query{Limit: 100, Children: true})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, in := range list {
		text, err := json.Marshal(in)
		if err != nil {
			r.t.Fatal(err)
		}
		incidents = append(incidents, string(text))
	}
	events, _, err := r.j.Events(r.t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindFinding}, Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	rows, err := r.db.Reader().QueryContext(r.t.Context(), `SELECT key FROM notices ORDER BY key`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			r.t.Fatal(err)
		}
		notices = append(notices, key)
	}
	return incidents, len(events), notices
}

// tell appends events and waits until what follows from them is committed.
func (r *running) tell(p *place, events []*event.Event) {
	r.t.Helper()
	for _, e := range events {
		one := *e
		p.set(e.ReceivedAt)
		got, err := r.j.Append(r.t.Context(), &one)
		if err != nil {
			r.t.Fatal(err)
		}
		if err := r.Reached(r.t.Context(), got.Seq); err != nil {
			r.t.Fatal(err)
		}
	}
}

// Whoever asks what is open may sort and cut the list: others who ask have theirs.
func TestAListOfWhatIsOpenIsTheCallers(t *testing.T) {
	p := newPlace(t)
	r := p.start()
	defer r.end()
	events := story()
	n := 0
	for ; n < len(events) && len(r.Open()) < 2; n++ {
		r.tell(p, events[n:n+1])
	}
	list := r.Open()
	if len(list) < 2 {
		t.Fatalf("%d are open after %d events", len(list), n)
	}
	clear(list)
	for i, in := range r.Open() {
		if in == nil {
			t.Errorf("%d is gone from everybody's list", i)
		}
	}
}

func TestARestartAnywhereConcludesTheSame(t *testing.T) {
	events := story()
	whole := newPlace(t)
	r := whole.start()
	r.tell(whole, events)
	want, findings, notices := r.kept()
	r.end()
	if len(want) == 0 || findings < 8 {
		t.Fatalf("the story tells nothing: %d incidents, %d findings", len(want), findings)
	}
	for cut := 3; cut < len(events); cut += 4 {
		t.Run(fmt.Sprintf("cut after %d", cut), func(t *testing.T) {
			p := newPlace(t)
			r := p.start()
			r.tell(p, events[:cut])
			r.end()
			r = p.start()
			r.tell(p, events[cut:])
			got, n, told := r.kept()
			r.end()
			// A start is an event of its own, so sequences and what counts them differ.
			if len(got) != len(want) || n != findings || len(told) != len(notices) {
				t.Errorf("%d incidents, %d findings, %d notices; without the restart %d, %d, %d", len(got), n, len(told), len(want), findings, len(notices))
			}
		})
	}
}

func TestAJournalWithConclusionsReplaysWithoutDifference(t *testing.T) {
	p := newPlace(t)
	r := p.start()
	r.tell(p, story())
	r.end()
	db, err := coredb.Open(t.Context(), p.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := sqlite.New(t.Context(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 512} {
		out, err := journal.Replay(t.Context(), store, true, batch, slog.New(slog.DiscardHandler))
		if err != nil || out.Mismatches != 0 {
			t.Errorf("in batches of %d: %d differences, %v", batch, out.Mismatches, err)
		}
		again, err := live.Replay(t.Context(), live.Options{DB: db, Detectors: faulty()}, store, batch)
		if err != nil || again.Incidents == 0 || len(again.Differ) > 0 {
			t.Errorf("in batches of %d: %+v, %v", batch, again, err)
		}
	}
}

// A kill loses what was not committed, and nothing is concluded twice.
func TestAKillBetweenFoldAndCommitSaysNothingTwice(t *testing.T) {
	events := story()
	p := newPlace(t)
	for part := range slices.Chunk(events, 5) {
		r := p.start()
		for _, e := range part { // and does not wait for what follows
			one := *e
			p.set(e.ReceivedAt)
			if _, err := r.j.Append(t.Context(), &one); err != nil {
				t.Fatal(err)
			}
		}
		r.end()
	}
	r := p.start()
	defer r.end()
	last, err := r.j.Append(t.Context(), &event.Event{Subject: event.Station("A"), At: p.clock(), ReceivedAt: p.clock(), Body: &event.Boot{Vendor: "v", Status: "Accepted"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reached(t.Context(), last.Seq); err != nil {
		t.Fatal(err)
	}
	_, findings, _ := r.kept()
	if findings != 8 { // each of four faults is raised and cleared once
		t.Errorf("%d findings, want 8", findings)
	}
}
