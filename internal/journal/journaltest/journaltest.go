// Package journaltest is what any store of a journal has to pass: durability,
// order, and a replay that equals what was lived.
package journaltest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Place keeps a journal: each call opens what the calls before it left there.
// Closing the store closes all that the call opened.
type Place func(t testing.TB) journal.Store

// Clock is a clock that the test moves.
type Clock struct{ nanos atomic.Int64 }

// NewClock returns a clock that stands at a fixed time.
func NewClock() *Clock {
	c := &Clock{}
	c.Set(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	return c
}

// Now reads the clock.
func (c *Clock) Now() time.Time { return time.Unix(0, c.nanos.Load()).UTC() }

// Set moves the clock to a time.
func (c *Clock) Set(t time.Time) { c.nanos.Store(t.UnixNano()) }

// Add moves the clock on, or back.
func (c *Clock) Add(d time.Duration) { c.nanos.Add(int64(d)) }

// Running is a journal at work.
type Running struct {
	*journal.Journal
	Faults *Faults
	t      testing.TB
	ran    chan error
	once   sync.Once
}

// Start opens the journal of a place and runs it until the test ends, or Stop
// or Crash is called.
func Start(t testing.TB, place Place, o journal.Options) *Running {
	t.Helper()
	return StartWith(t, place, o, nil)
}

// StartWith is Start with a function that is called before each commit.
func StartWith(t testing.TB, place Place, o journal.Options, beforeCommit func()) *Running {
	t.Helper()
	faults := &Faults{Store: place(t), beforeCommit: beforeCommit}
	j, err := journal.Open(t.Context(), faults, o)
	if err != nil {
		t.Fatal("open journal:", err)
	}
	r := &Running{Journal: j, Faults: faults, t: t, ran: make(chan error, 1)}
	go func() { r.ran <- j.Run(context.Background()) }()
	for !j.Running() {
		time.Sleep(time.Millisecond)
	}
	t.Cleanup(r.Crash)
	return r
}

// Stop drains the journal.
func (r *Running) Stop() {
	r.t.Helper()
	r.once.Do(func() {
		if err := r.Close(); err != nil {
			r.t.Error("close journal:", err)
		}
		if err := <-r.ran; err != nil {
			r.t.Error("run journal:", err)
		}
	})
}

// Crash ends the journal without letting it write another row.
func (r *Running) Crash() {
	r.once.Do(func() {
		r.Faults.Fail(errCrash)
		_ = r.Close() // it complains that it cannot drain
		<-r.ran
	})
}

var errCrash = errors.New("crashed by the test")

// Faults is a store whose commits fail when told to.
type Faults struct {
	journal.Store
	mu      sync.Mutex
	err     error
	times   int // fail that often; -1 is for good
	commits atomic.Int64

	beforeCommit func()
}

// Fail makes all commits from now on fail.
func (f *Faults) Fail(err error) { f.FailTimes(err, -1) }

// FailTimes makes the next commits fail.
func (f *Faults) FailTimes(err error, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.times = err, times
}

// Commits is how many commits succeeded.
func (f *Faults) Commits() int64 { return f.commits.Load() }

func (f *Faults) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times == 0 || f.err == nil {
		return nil
	}
	if f.times > 0 {
		f.times--
	}
	return f.err
}

// Begin opens a transaction whose commit may fail.
func (f *Faults) Begin(ctx context.Context) (journal.Tx, error) {
	tx, err := f.Store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyTx{Tx: tx, f: f}, nil
}

type faultyTx struct {
	journal.Tx
	f *Faults
}

func (t *faultyTx) Commit() error {
	if err := t.f.failure(); err != nil {
		return errors.Join(err, t.Rollback())
	}
	if t.f.beforeCommit != nil {
		t.f.beforeCommit()
	}
	err := t.Tx.Commit()
	if err == nil {
		t.f.commits.Add(1)
	}
	return err
}

// Digest is the digest of the published fleet.
func (r *Running) Digest() string { return digest(r.t, r.Snapshot()) }

func digest(t testing.TB, s *fleet.Snapshot) string {
	t.Helper()
	d, err := journal.Digest(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Replay folds a place anew without opening it for writing.
func Replay(t testing.TB, place Place, fromStart bool, batch int) *journal.Replayed {
	t.Helper()
	store := place(t)
	defer store.Close()
	r, err := journal.Replay(context.Background(), store, fromStart, batch, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// All reads every event of a journal.
func All(t testing.TB, store journal.Store) []*event.Event {
	t.Helper()
	var all []*event.Event
	after := uint64(0)
	for {
		list, err := store.Tail(context.Background(), after, 1<<62, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return all
		}
		all = append(all, list...)
		after = list[len(list)-1].Seq
	}
}

// Run runs the whole suite; newPlace makes an empty place.
func Run(t *testing.T, newPlace func(t *testing.T) Place) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) Place){
		"replay equals what was lived, whatever the batches and restarts": replayEqualsLive,
		"recorded events told again give the same journal":                retoldStory,
		"a failed commit leaves no trace":                                 failedCommits,
		"rows of callers commit with their event or not at all":           rowsOfCallers,
		"a projection's rows and cursor commit together":                  projections,
		"the wall clock may jump":                                         wallClock,
		"a slow subscriber sees everything and holds nobody":              slowSubscribers,
		"without commits everyone is told":                                unavailable,
		"a commit that hangs is told like one that fails":                 hangingCommit,
		"who projects waits for a commit that hangs":                      hangingProjection,
		"an append whose caller left before its batch is dropped":         abandonedAppends,
		"a replay never acts":                                             replayNeverActs,
		"retention deletes closed prefixes and says so":                   retention,
		"states are bitemporal":                                           bitemporal,
		"time while we were down is not observed":                         observedTime,
		"commands and oddities are counted":                               commandsAndQuirks,
		"lists of some sites hold those sites and page to their end":      listsOfSites,
	} {
		t.Run(name, func(t *testing.T) { test(t, newPlace) })
	}
}
