package journaltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// status makes a status event of a station's first port.
func status(clock *Clock, station, word string) *event.Event {
	now := clock.Now()
	return &event.Event{
		Subject: event.Port(station, 1, 1), At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice,
		Body: &event.Status{Status: word},
	}
}

func must(t *testing.T, r *Running, e *event.Event) fleet.Receipt {
	t.Helper()
	receipt, err := r.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func rowsOfCallers(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	put := func(name, value string) func(*sql.Tx) error {
		return func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO settings (name, value) VALUES (?, ?)`, name, value)
			return err
		}
	}
	if _, err := r.AppendWith(t.Context(), status(clock, "A", "Available"), put("a", "1")); err != nil {
		t.Fatal(err)
	}
	seq := r.Snapshot().Seq

	mine := errors.New("mine")
	_, err := r.AppendWith(t.Context(), status(clock, "A", "Faulted"), func(tx *sql.Tx) error {
		if err := put("b", "1")(tx); err != nil {
			return err
		}
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("a failing function gives %v", err)
	}
	if _, err := r.AppendWith(t.Context(), status(clock, "A", "Faulted"), put("a", "2")); err == nil {
		t.Error("a row that is there twice was accepted")
	}
	if got := r.Snapshot().Seq; got != seq || len(tail(t, r.Faults, seq)) != 0 {
		t.Errorf("failed appends left events: seq %d, was %d", got, seq)
	}

	// The failure of one must not hurt the others of its batch.
	release := make(chan struct{})
	entered := make(chan struct{})
	go func() {
		_ = r.Project(context.Background(), "slow", "", func(*sql.Tx) error { close(entered); <-release; return nil })
	}()
	<-entered
	results := make(chan error, 20)
	for i := range 20 {
		go func() {
			_, err := r.AppendWith(context.Background(), status(clock, fmt.Sprint("B", i), "Available"), func(tx *sql.Tx) error {
				if i%2 == 0 {
					return mine
				}
				return put(fmt.Sprint("many", i), "x")(tx)
			})
			if want := i%2 == 0; errors.Is(err, mine) != want {
				err = fmt.Errorf("append %d: %w", i, err)
			} else {
				err = nil
			}
			results <- err
		}()
	}
	for r.Stats().Waiting < 20 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	for range 20 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := len(tail(t, r.Faults, seq)); got != 10 {
		t.Errorf("%d events of 10 that succeeded", got)
	}
}

func projections(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	if c, err := r.ProjectCursor(t.Context(), "p"); c != "" || err != nil {
		t.Fatalf("cursor of a new projection: %q, %v", c, err)
	}
	write := func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO settings (name, value) VALUES ('projected', 'x')`)
		return err
	}
	if err := r.Project(t.Context(), "p", "7", write); err != nil {
		t.Fatal(err)
	}
	if err := r.Project(t.Context(), "p", "8", write); err == nil {
		t.Error("a projection that cannot write its rows moved on")
	}
	r.Crash()
	r = Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	if c, err := r.ProjectCursor(t.Context(), "p"); c != "7" || err != nil {
		t.Errorf("cursor %q, %v; want 7", c, err)
	}
}

func wallClock(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	station := NewStation(3, 0)
	start := clock.Now()
	for life := range 3 {
		r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Millisecond})
		for i := range 60 {
			clock.Add(time.Second)
			switch i {
			case 20:
				clock.Add(-time.Hour)
			case 40:
				clock.Add(time.Hour)
			}
			e := station.Next(clock.Now())
			station.Answered(e, must(t, r, e))
		}
		if life == 1 {
			clock.Add(-time.Hour) // the clock goes back while we are down
		}
		r.Crash()
	}
	store := place(t)
	last := time.Time{}
	for _, e := range All(t, store) {
		if e.RecordedAt.Before(last) {
			t.Fatalf("event %d is recorded at %s after %s", e.Seq, e.RecordedAt, last)
		}
		last = e.RecordedAt
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if !last.After(start) {
		t.Error("time stood still")
	}
	if got := Replay(t, place, true, 64); got.Mismatches != 0 {
		t.Errorf("%d derived events concluded differently", got.Mismatches)
	}
}

func slowSubscribers(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	const events = 9000 // more than memory holds
	gate := make(chan struct{})
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		want := uint64(1)
		for batch, err := range r.Subscribe(ctx, "") {
			if err != nil {
				done <- err
				return
			}
			for _, e := range batch.Events {
				if e.Seq != want {
					done <- fmt.Errorf("event %d where %d was due", e.Seq, want)
					return
				}
				want++
			}
			if want <= 3 {
				<-gate // it sleeps while the writer goes on
			}
			if want > events {
				done <- nil
				return
			}
		}
	}()
	work := make(chan *event.Event, 64)
	finished := make(chan error, 64)
	for range 64 {
		go func() {
			for e := range work {
				if _, err := r.Append(context.Background(), e); err != nil {
					finished <- err
					return
				}
			}
			finished <- nil
		}()
	}
	for i := range events {
		work <- status(clock, fmt.Sprint("CP", i%10), []string{"Available", "Preparing"}[i%2])
	}
	close(work)
	for range 64 {
		if err := <-finished; err != nil { // the writer did not wait for the sleeper
			t.Fatal(err)
		}
	}
	close(gate)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, _, err := r.Events(t.Context(), journal.EventQuery{Before: "nonsense"}); !errors.Is(err, journal.ErrCursor) {
		t.Errorf("a made-up list cursor: %v", err)
	}
	for _, c := range []journal.Cursor{"x", journal.CursorAt(1 << 40)} {
		for _, err := range r.Subscribe(t.Context(), c) {
			if !errors.Is(err, journal.ErrCursor) {
				t.Errorf("cursor %q: %v", c, err)
			}
		}
	}
}

func unavailable(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: 5 * time.Millisecond, Unavailable: 50 * time.Millisecond})
	must(t, r, status(clock, "A", "Available"))
	before := r.Digest()
	r.Faults.Fail(errors.New("no space left on device"))
	if _, err := r.Append(t.Context(), status(clock, "A", "Faulted")); !errors.Is(err, journal.ErrUnavailable) {
		t.Fatalf("append while commits fail: %v", err)
	}
	if err := r.Ready(); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("ready: %v", err)
	}
	if _, err := r.Append(t.Context(), status(clock, "A", "Faulted")); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("append to a journal known to be down: %v", err)
	}
	if r.Digest() != before {
		t.Error("what was not committed was published")
	}
	r.Faults.FailTimes(nil, 0)
	for r.Ready() != nil {
		time.Sleep(time.Millisecond) // it finds out by itself
	}
	must(t, r, status(clock, "A", "Faulted"))
	r.Crash()
	if _, err := r.Append(t.Context(), status(clock, "A", "Faulted")); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append to a closed journal: %v", err)
	}
}

func hangingCommit(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	var hold atomic.Pointer[chan struct{}]
	r := StartWith(t, place, journal.Options{Now: clock.Now, Tick: time.Hour, Unavailable: 50 * time.Millisecond}, func() {
		if c := hold.Load(); c != nil {
			<-*c
		}
	})
	must(t, r, status(clock, "A", "Available"))
	seq := r.Snapshot().Seq
	stuck := make(chan struct{})
	hold.Store(&stuck)
	if _, err := r.Append(t.Context(), status(clock, "A", "Faulted")); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("append while a commit hangs: %v", err)
	}
	if err := r.Ready(); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("ready while a commit hangs: %v", err)
	}
	hold.Store(nil)
	close(stuck)
	for r.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	if must(t, r, status(clock, "A", "Available")).Seq != seq+2 {
		t.Error("what hung was not committed, or twice")
	}
}

func abandonedAppends(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	entered, release := make(chan struct{}), make(chan struct{})
	go func() {
		_ = r.Project(context.Background(), "slow", "", func(*sql.Tx) error { close(entered); <-release; return nil })
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := r.Append(ctx, status(clock, "A", "Faulted"))
		gone <- err
	}()
	for r.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("abandoned append: %v", err)
	}
	close(release)
	seq := r.Snapshot().Seq
	must(t, r, status(clock, "B", "Available"))
	if got := tail(t, r.Faults, seq); len(got) != 1 || got[0].Subject.ID != "B" {
		t.Errorf("an append whose caller had gone was stored: %s", text(got))
	}
}

func replayNeverActs(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	now := clock.Now()
	must(t, r, &event.Event{Subject: event.Station("A"), At: now, ReceivedAt: now, Body: &event.Connected{ConnID: "1", Protocol: "ocpp2.0.1"}})
	must(t, r, &event.Event{Subject: event.Station("A"), At: now, ReceivedAt: now, Body: &event.StationConfigured{Onboarding: event.OnboardingAccepted}})
	must(t, r, &event.Event{Subject: event.Station("A"), At: now, ReceivedAt: now, Body: &event.Boot{Vendor: "unheard of", Model: "x", Status: "Accepted"}})
	intents, err := r.Intents(t.Context(), now.Add(time.Minute), 10)
	if err != nil || len(intents) != 1 {
		t.Fatalf("a boot of an unknown model wants one report: %v, %v", intents, err)
	}
	if err := r.Project(t.Context(), "x", "", func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM outbox`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.Crash()
	r = Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	if intents, err := r.Intents(t.Context(), now.Add(time.Minute), 10); err != nil || len(intents) != 0 {
		t.Errorf("a replay wants to act: %v, %v", intents, err)
	}
}

func retention(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	sealed := uint64(0)
	o := journal.Options{Now: clock.Now, Tick: time.Hour, CheckpointEvery: time.Hour, Keep: journal.Keep{Sealed: func() uint64 { return sealed }, Step: 7}}
	r := Start(t, place, o)
	begin := clock.Now()
	for i := range 50 {
		clock.Add(time.Minute)
		must(t, r, status(clock, "A", []string{"Available", "Preparing"}[i%2]))
		e := status(clock, "A", "")
		e.Body = &event.Meter{Samples: event.Samples{{At: clock.Now(), Values: []event.Sample{{Measurand: "Voltage", Value: 230}}}}}
		must(t, r, e)
		e = status(clock, "A", "")
		e.Body = &event.Security{Type: "x"}
		must(t, r, e)
	}
	count := func() map[event.Kind]int {
		n := make(map[event.Kind]int)
		for _, e := range All(t, r.Faults) {
			n[e.Body.Kind()]++
		}
		return n
	}
	retain := func() {
		t.Helper()
		if err := r.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	clock.Add(72 * time.Hour)
	retain()
	if n := count(); n[event.KindMeter] != 50 {
		t.Fatalf("deleted before a checkpoint or a seal: %v", n)
	}
	r.Stop() // the drain makes a checkpoint
	r = Start(t, place, o)
	retain()
	if n := count(); n[event.KindMeter] != 50 {
		t.Fatalf("measurements were deleted that are sealed nowhere: %v", n)
	}
	sealed = 90
	retain()
	if n := count(); n[event.KindMeter] == 0 || n[event.KindMeter] == 50 || n[event.KindStatus] != 50 {
		t.Fatalf("after sealing up to 90: %v", n)
	}
	sealed = 1 << 40
	retain()
	if n := count(); n[event.KindMeter] != 0 || n[event.KindStatus] != 50 {
		t.Fatalf("after sealing all: %v", n)
	}
	if _, _, err := r.Events(t.Context(), journal.EventQuery{From: begin, Kinds: []event.Kind{event.KindMeter}}); !errors.Is(err, journal.ErrBeforeHorizon) {
		t.Errorf("a question from before the horizon: %v", err)
	}
	if list, _, err := r.Events(t.Context(), journal.EventQuery{From: begin, Subject: event.Station("A"), Limit: 1000}); err != nil || len(list) != 100 {
		t.Errorf("%d events, %v", len(list), err)
	}
	clock.Add(500 * 24 * time.Hour)
	retain()
	if n := count(); n[event.KindStatus] != 0 || n[event.KindSecurity] != 50 || n[event.KindServerStarted] != 2 {
		t.Errorf("after 500 days: %v", n)
	}
	if points, err := r.States(t.Context(), journal.StateQuery{Station: "A", EVSE: 1}); err != nil || len(points) != 1 {
		t.Errorf("of the states the one in force has to stay: %v, %v", points, err)
	}
	if _, err := r.States(t.Context(), journal.StateQuery{Station: "A", EVSE: 1, From: begin}); !errors.Is(err, journal.ErrBeforeHorizon) {
		t.Errorf("states from before the horizon: %v", err)
	}
	clock.Add(400 * 24 * time.Hour)
	retain()
	if n := count(); n[event.KindSecurity] != 0 || n[event.KindServerStarted] != 2 {
		t.Errorf("after 900 days: %v", n)
	}
	want := r.Digest()
	seq := r.Snapshot().Seq
	r.Stop()
	r = Start(t, place, o)
	if r.Snapshot().Seq <= seq {
		t.Errorf("sequence %d was given again", r.Snapshot().Seq)
	}
	_ = want
}

func bitemporal(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	begin := clock.Now()
	must(t, r, status(clock, "A", "Available"))
	clock.Add(20 * time.Minute)
	must(t, r, status(clock, "A", "Charging"))
	clock.Add(10 * time.Minute)
	asKnown := clock.Now()
	clock.Add(10 * time.Minute)
	late := status(clock, "A", "Faulted") // happened at +10, told at +40
	late.At, late.DeviceAt = begin.Add(10*time.Minute), begin.Add(10*time.Minute)
	must(t, r, late)

	words := func(q journal.StateQuery) string {
		t.Helper()
		q.Station, q.EVSE = "A", 1
		list, err := r.States(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, p := range list {
			out += fmt.Sprintf("%s+%d ", p.State, int(p.ValidFrom.Sub(begin).Minutes()))
		}
		return out
	}
	for name, c := range map[string]struct {
		q    journal.StateQuery
		want string
	}{
		"as known now":                {journal.StateQuery{}, "Available+0 Faulted+10 Charging+20 "},
		"as known before it was told": {journal.StateQuery{KnownAt: asKnown}, "Available+0 Charging+20 "},
		"from the middle of a state":  {journal.StateQuery{From: begin.Add(15 * time.Minute)}, "Faulted+10 Charging+20 "},
		"up to a change":              {journal.StateQuery{To: begin.Add(20 * time.Minute)}, "Available+0 Faulted+10 "},
		"before all":                  {journal.StateQuery{To: begin}, ""},
	} {
		if got := words(c.q); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func observedTime(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	begin := clock.Now()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Millisecond, Alive: time.Second})
	clock.Add(time.Hour)
	for {
		list, err := r.Observed(t.Context(), begin, clock.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && list[0].To.Sub(begin) == time.Hour {
			break
		}
		time.Sleep(time.Millisecond) // the sign of life needs no traffic
	}
	r.Crash()
	clock.Add(time.Hour)
	r = Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	first := All(t, r.Faults)[1].Body.(*event.ServerStarted)
	if got := first.LastAlive.Sub(begin); got != time.Hour {
		t.Errorf("last alive %s after the start, want 1h", got)
	}
	list, err := r.Observed(t.Context(), begin, clock.Now().Add(time.Hour))
	if err != nil || len(list) != 2 || list[1].From.Sub(list[0].To) != time.Hour {
		t.Errorf("observed %v, %v; want a gap of an hour", list, err)
	}
}

func commandsAndQuirks(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	about := func(body event.Body) *event.Event {
		e := status(clock, "A", "")
		e.Subject, e.Body = event.Station("A"), body
		return e
	}
	for i := range 3 {
		must(t, r, about(&event.Command{CommandID: fmt.Sprint("c", i), Action: "Reset", Payload: []byte(`{"type":"Soft"}`), By: "anna"}))
	}
	clock.Add(time.Second)
	must(t, r, about(&event.CommandResult{CommandID: "c1", Status: "timeout"}))
	must(t, r, about(&event.CommandResult{CommandID: "c1", Status: "answered", Late: true, Response: []byte(`{"status":"Accepted"}`)}))
	list, next, err := r.Commands(t.Context(), journal.CommandQuery{Station: "A", Limit: 2})
	if err != nil || len(list) != 2 || list[0].ID != "c2" || list[0].Status != "sent" || list[1].Status != "answered" || !list[1].Late || next == "" {
		t.Errorf("commands %+v, next %q, %v", list, next, err)
	}
	if list, _, err = r.Commands(t.Context(), journal.CommandQuery{Before: next}); err != nil || len(list) != 1 || list[0].ID != "c0" {
		t.Errorf("next commands %+v, %v", list, err)
	}
	must(t, r, about(&event.Boot{Vendor: "V", Model: "M", Firmware: "1", Status: "Accepted"}))
	for range 3 {
		odd := status(clock, "A", "Available")
		odd.Quirks = []string{"tooLong:/info", "kWh"}
		must(t, r, odd)
	}
	found, err := r.Conformance(t.Context(), "A")
	if err != nil || len(found) != 2 || found[0].Count != 3 || found[0].Vendor != "V" || found[0].Firmware != "1" {
		t.Errorf("conformance %+v, %v", found, err)
	}
	for i := range 400 {
		odd := status(clock, "A", "Available")
		odd.Quirks = []string{fmt.Sprint("made-up:/", i)}
		must(t, r, odd)
	}
	if found, err = r.Conformance(t.Context(), "A"); err != nil || len(found) > 260 {
		t.Errorf("%d rows of conformance for one station, %v", len(found), err)
	}
	total := 0
	for _, c := range found {
		total += c.Count
	}
	if total != 406 {
		t.Errorf("%d findings counted of 406", total)
	}
}
