package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/outbox"
)

// open runs a journal in a folder; shut ends it.
func open(t *testing.T, folder string) (j *journal.Journal, shut func()) {
	t.Helper()
	coredbtest.In(t, folder)
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if j, err = sqlite.Open(t.Context(), sqlite.Options{DB: db}); err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run(context.Background()) }()
	shut = sync.OnceFunc(func() {
		if err := errors.Join(j.Close(), <-ran, db.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(shut)
	return j, shut
}

// want puts intents into the outbox, as the fold would.
func want(t *testing.T, j *journal.Journal, expires time.Duration, keys ...string) {
	t.Helper()
	now := time.Now()
	err := j.Project(t.Context(), "test", "", func(tx *sql.Tx) error {
		for _, key := range keys {
			if _, err := tx.Exec(`INSERT INTO outbox (key, station, action, payload, reason, cause, due, expires, state, changed_at)
				VALUES (?, 'CP-1', 'Reset', '{"type":"Soft"}', 'a test', 1, ?, ?, 'waiting', ?)`,
				key, now.Add(-time.Second).UnixMicro(), now.Add(expires).UnixMicro(), now.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// edge is a performer that counts.
type edge struct {
	mu    sync.Mutex
	calls map[string]int
	busy  atomic.Int32
	most  atomic.Int32
	do    func(ctx context.Context, in fleet.Intent) event.CommandResult
}

func (e *edge) Perform(ctx context.Context, in fleet.Intent) event.CommandResult {
	n := e.busy.Add(1)
	defer e.busy.Add(-1)
	for {
		m := e.most.Load()
		if n <= m || e.most.CompareAndSwap(m, n) {
			break
		}
	}
	e.mu.Lock()
	if e.calls == nil {
		e.calls = make(map[string]int)
	}
	e.calls[in.Key]++
	e.mu.Unlock()
	if e.do != nil {
		return e.do(ctx, in)
	}
	return event.CommandResult{Status: "answered", Response: []byte(`{"status":"Accepted"}`)}
}

func (e *edge) of(key string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls[key]
}

func run(t *testing.T, j *journal.Journal, e *edge, o outbox.Options) (stop func()) {
	t.Helper()
	o.Poll = 2 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = outbox.New(j, e, o).Run(ctx); close(done) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// command waits until a command has a status.
func command(t *testing.T, j *journal.Journal, id string, status string) journal.Command {
	t.Helper()
	for t.Context().Err() == nil {
		list, _, err := j.Commands(t.Context(), journal.CommandQuery{Station: "CP-1", Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			if c.ID == id && c.Status == status {
				return c
			}
		}
		time.Sleep(time.Millisecond)
	}
	return journal.Command{}
}

func results(t *testing.T, j *journal.Journal, id string) []*event.CommandResult {
	t.Helper()
	events, _, err := j.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindCommandResult}, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var list []*event.CommandResult
	for _, e := range events {
		if r := e.Body.(*event.CommandResult); r.CommandID == id {
			list = append(list, r)
		}
	}
	return list
}

func TestEachIntentIsPerformedOnceAndItsOutcomeRecorded(t *testing.T) {
	j, _ := open(t, t.TempDir())
	var keys []string
	for n := range 40 {
		keys = append(keys, fmt.Sprint("key/", n))
	}
	want(t, j, time.Minute, keys...)
	e := &edge{}
	e.do = func(context.Context, fleet.Intent) event.CommandResult {
		time.Sleep(time.Millisecond)
		return event.CommandResult{Status: "answered", Response: []byte(`{"status":"Accepted"}`)}
	}
	stop := run(t, j, e, outbox.Options{Concurrency: 3})
	for _, key := range keys {
		c := command(t, j, key, "answered")
		if c.By != outbox.By || string(c.Payload) != `{"type":"Soft"}` || string(c.Response) != `{"status":"Accepted"}` {
			t.Fatalf("command %+v", c)
		}
	}
	stop()
	for _, key := range keys {
		if n := e.of(key); n != 1 {
			t.Errorf("%s was performed %d times", key, n)
		}
	}
	if most := e.most.Load(); most > 3 {
		t.Errorf("%d were at work at once, allowed are 3", most)
	}
}

func TestAnOutcomeHiddenByACrashIsTimeoutAndNothingIsSentAgain(t *testing.T) {
	folder := t.TempDir()
	j, shut := open(t, folder)
	want(t, j, time.Minute, "k")
	sent := make(chan struct{})
	e := &edge{do: func(ctx context.Context, _ fleet.Intent) event.CommandResult {
		close(sent)
		<-ctx.Done() // the process dies before the station answers
		return event.CommandResult{Status: "timeout"}
	}}
	stop := run(t, j, e, outbox.Options{})
	<-sent
	stop()
	if c := command(t, j, "k", "sent"); c.Action != "Reset" {
		t.Fatalf("that it was begun is not recorded: %+v", c)
	}
	shut()

	j, _ = open(t, folder)
	again := &edge{}
	run(t, j, again, outbox.Options{})
	command(t, j, "k", "timeout")
	want(t, j, time.Minute, "after")
	command(t, j, "after", "answered")
	if n := again.of("k"); n != 0 {
		t.Errorf("it was sent again %d times", n)
	}
	if r := results(t, j, "k"); len(r) != 1 {
		t.Errorf("%d outcomes", len(r))
	}
}

func TestWhatIsTooLateIsDroppedWithAnOutcome(t *testing.T) {
	j, _ := open(t, t.TempDir())
	want(t, j, -time.Millisecond, "late")
	want(t, j, time.Minute, "good")
	e := &edge{}
	run(t, j, e, outbox.Options{})
	command(t, j, "good", "answered")
	if n := e.of("late"); n != 0 {
		t.Errorf("performed %d times although it had expired", n)
	}
	if r := results(t, j, "late"); len(r) != 1 || r[0].Status != "refused" {
		t.Errorf("outcome %+v", r)
	}
}

func TestAnIntentEndsWhenItExpires(t *testing.T) {
	j, _ := open(t, t.TempDir())
	want(t, j, 30*time.Millisecond, "slow")
	e := &edge{do: func(ctx context.Context, _ fleet.Intent) event.CommandResult {
		<-ctx.Done()
		return event.CommandResult{Status: "timeout"}
	}}
	run(t, j, e, outbox.Options{})
	command(t, j, "slow", "timeout")
}
