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
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: 5 * time.Millisecond, Unavailable: 700 * time.Millisecond})
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
	r := StartWith(t, place, journal.Options{Now: clock.Now, Tick: time.Hour, Unavailable: 700 * time.Millisecond}, func() {
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

// Who projects would do it again: a commit that hangs is waited for.
func hangingProjection(t *testing.T, newPlace func(*testing.T) Place) {
	var hold atomic.Pointer[chan struct{}]
	r := StartWith(t, newPlace(t), journal.Options{Now: NewClock().Now, Tick: time.Hour, Unavailable: 700 * time.Millisecond}, func() {
		if c := hold.Load(); c != nil {
			<-*c
		}
	})
	stuck := make(chan struct{})
	hold.Store(&stuck)
	done, times := make(chan error, 1), 0
	go func() {
		done <- journal.Insist(context.Background(), func() error {
			return r.Project(context.Background(), "p", "7", func(*sql.Tx) error { times++; return nil })
		})
	}()
	for r.Ready() == nil {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-done:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	hold.Store(nil)
	close(stuck)
	if err := <-done; err != nil || times != 1 {
		t.Errorf("%v, written %d times", err, times)
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
