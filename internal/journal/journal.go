// Package journal makes events durable before anyone is answered, and folds
// them into the one true state of the fleet.
//
// It promises:
//
//   - An Append that returns without error is on disk, and its effects are in
//     the published Snapshot.
//   - Order is one sequence. RecordedAt never goes back.
//   - A failed commit leaves no trace: memory equals disk, nobody is answered,
//     the same events are tried again. After 5 s without a commit everyone who
//     waits gets ErrUnavailable; the journal recovers by itself.
//   - Replay equals live: folding the stored events again gives the same state,
//     sends no command and writes no row twice.
//   - A subscriber sees every event once, in order, and never holds the writer.
//
// One goroutine, Run, owns the fleet.State; everything else reads snapshots and
// committed rows.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Options configures a Journal. The zero value is usable.
type Options struct {
	Logger *slog.Logger     // default: discard
	Now    func() time.Time // default: time.Now
	// Version is recorded in ServerStarted.
	Version string
	// MaxBatch is the most events of one commit; default 512.
	MaxBatch int
	// Queue is how many appends may wait; default 4096. Further ones block.
	Queue int
	// Unavailable is how long a commit may fail or hang before those who wait
	// are told; default 5 s.
	Unavailable time.Duration
	// Tick is how often due timers are looked for while nothing happens;
	// default 1 s.
	Tick time.Duration
	// Alive is how often it is noted that we are up; default 10 s.
	Alive time.Duration
	// CheckpointEvery and CheckpointEvents say when the fold is saved, if it
	// changed; default 60 s and 100,000.
	CheckpointEvery  time.Duration
	CheckpointEvents uint64
	Keep             Keep
	// Past is for building a history: each event is recorded when it says it was
	// received, and nothing happens between events. A server never sets it.
	Past bool
}

func (o *Options) defaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 512
	}
	if o.Queue <= 0 {
		o.Queue = 4096
	}
	if o.Unavailable <= 0 {
		o.Unavailable = 5 * time.Second
	}
	if o.Tick <= 0 {
		o.Tick = time.Second
	}
	if o.Alive <= 0 {
		o.Alive = 10 * time.Second
	}
	if o.CheckpointEvery <= 0 {
		o.CheckpointEvery = time.Minute
	}
	if o.CheckpointEvents == 0 {
		o.CheckpointEvents = 100_000
	}
	o.Keep.defaults()
}

// Journal is an open journal. Run must run for appends to be answered.
type Journal struct {
	store Store
	o     Options
	log   *slog.Logger

	queue     chan *request
	health    health
	snapshot  atomic.Pointer[fleet.Snapshot]
	published atomic.Pointer[chan struct{}]
	recent    ring
	clock     atomic.Int64 // see Clock
	stats     stats
	savedSeq  atomic.Uint64 // of the last checkpoint; nothing behind it may be deleted
	horizons  horizons
	startedAt time.Time // of this run, as recorded

	stop     chan struct{} // closed by Close
	stopOnce sync.Once
	closing  atomic.Bool
	done     chan struct{} // closed when Run has drained
	running  atomic.Bool

	w *writer // touched by Open, then by Run only

	afterPublish func() // a failpoint of tests; nil otherwise
}

// Open folds what the store holds and appends ServerStarted. The journal owns
// the store from here on.
func Open(ctx context.Context, store Store, o Options) (*Journal, error) {
	o.defaults()
	j := &Journal{
		store: store, o: o, log: o.Logger,
		queue: make(chan *request, o.Queue),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	j.health.init()
	j.published.Store(new(make(chan struct{})))
	loaded, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load journal: %w", err)
	}
	j.w = newWriter(j)
	if err := j.w.replay(ctx, loaded); err != nil {
		return nil, fmt.Errorf("replay journal: %w", err)
	}
	j.recent.reset(j.w.lastSeq)
	started := &event.ServerStarted{Version: o.Version, LastAlive: loaded.LastAlive}
	if loaded.LastRecordedAt.After(started.LastAlive) {
		started.LastAlive = loaded.LastRecordedAt
	}
	if err := j.w.appendOwn(ctx, started); err != nil {
		return nil, fmt.Errorf("record start: %w", err)
	}
	j.startedAt = j.w.lastRecordedAt
	return j, nil
}

// Append makes an event durable and returns what the device must be told. It
// takes the event over: the caller must not change it or its body afterwards.
//
// When ctx ends before the event was taken into a batch the event is dropped;
// after that the answer of the commit is waited for.
func (j *Journal) Append(ctx context.Context, e *event.Event) (fleet.Receipt, error) {
	if err := check(e); err != nil {
		return fleet.Receipt{}, err
	}
	return j.submit(ctx, &request{event: e})
}

// AppendWith is Append with rows of the caller's that commit together with the
// event. An error of write fails this append only. write runs before the
// batch's events are stored, must be quick, and must not use the database in
// any other way than through the transaction.
func (j *Journal) AppendWith(ctx context.Context, e *event.Event, write func(*sql.Tx) error) (fleet.Receipt, error) {
	if err := check(e); err != nil {
		return fleet.Receipt{}, err
	}
	return j.submit(ctx, &request{event: e, write: write})
}

// check refuses what no source may append.
func check(e *event.Event) error {
	switch {
	case e.Body == nil:
		return errors.New("append: event without a body")
	case e.Derived():
		return errors.New("append: derived events come from the fold only")
	case e.Subject.ID == "" || e.Subject.Type == "":
		return errors.New("append: event without a subject")
	}
	return nil
}

// AppendAll is Append for many events in their order; it returns when all are
// durable. It is how a past is built, where nobody waits for each answer.
func (j *Journal) AppendAll(ctx context.Context, events []*event.Event) error {
	requests := make([]request, len(events))
	for i, e := range events {
		if err := check(e); err != nil {
			return err
		}
		r := &requests[i]
		r.event, r.done = e, make(chan struct{})
		select {
		case j.queue <- r:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-j.done:
			return ErrClosed
		}
	}
	for i := range requests {
		r := &requests[i]
		select {
		case <-r.done:
		case <-j.done:
			return ErrClosed
		}
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// AppendEach is Append for many events in their order, with what became of each:
// for those who have nobody to answer and collect what they tell.
func (j *Journal) AppendEach(ctx context.Context, events []*event.Event) []error {
	errs, requests := make([]error, len(events)), make([]request, len(events))
	down, unavailable := j.health.state()
	for i, e := range events {
		r := &requests[i]
		r.event, r.done = e, make(chan struct{})
		if errs[i] = check(e); errs[i] != nil {
			continue
		}
		if errs[i] = unavailable; unavailable != nil {
			continue
		}
		if j.closing.Load() {
			errs[i] = ErrClosed
			continue
		}
		select {
		case j.queue <- r:
		case <-ctx.Done():
			errs[i] = context.Cause(ctx)
		case <-down:
			errs[i] = ErrUnavailable
		case <-j.done:
			errs[i] = ErrClosed
		}
	}
	for i := range requests {
		r := &requests[i]
		if errs[i] != nil {
			continue
		}
		select {
		case <-r.done:
			errs[i] = r.err
		case <-down:
			if errs[i] = ErrUnavailable; !r.drop() {
				<-r.done // it is in a batch, which ends one way or the other
				errs[i] = r.err
			}
		case <-j.done:
			select {
			case <-r.done:
				errs[i] = r.err
			default:
				errs[i] = ErrClosed
			}
		}
	}
	return errs
}

// Conclusions is what a subscriber concluded from what it read, up to a cursor.
type Conclusions struct {
	Name   string // of the subscriber
	Cursor Cursor
	// Events are derived ones, each naming its cause. The fleet's fold does not
	// hear of them and a replay of it does not conclude them.
	Events  []*event.Event
	Intents []fleet.Intent
	Write   func(*sql.Tx) error // may be nil
}

// Conclude commits what a subscriber concluded, its rows and its cursor
// together. What ErrUnavailable refuses was not committed.
func (j *Journal) Conclude(ctx context.Context, c Conclusions) error {
	for _, e := range c.Events {
		if !e.Derived() || !concludedBeside(e) {
			return fmt.Errorf("conclude: %s is not what a subscriber concludes", e.Body.Kind())
		}
	}
	_, err := j.submit(ctx, &request{patient: true, derived: c.Events, intents: c.Intents, write: func(tx *sql.Tx) error {
		if c.Write != nil {
			if err := c.Write(tx); err != nil {
				return err
			}
		}
		return j.moveCursor(tx, c.Name, c.Cursor)
	}})
	return err
}

// concludedBeside reports whether a derived event comes from a subscriber and
// not from the fleet's fold.
func concludedBeside(e *event.Event) bool {
	switch b := e.Body.(type) {
	case *event.Finding:
		return b.Detector != ""
	case *event.Incident:
		return true
	}
	return false
}

// Project commits a subscriber's rows and its cursor together. What ErrUnavailable
// refuses was not committed.
func (j *Journal) Project(ctx context.Context, name string, c Cursor, write func(*sql.Tx) error) error {
	_, err := j.submit(ctx, &request{patient: true, write: func(tx *sql.Tx) error {
		if err := write(tx); err != nil {
			return err
		}
		return j.moveCursor(tx, name, c)
	}})
	return err
}

// insistEvery is how often somebody tries who has nowhere else to go.
const insistEvery = 200 * time.Millisecond

// Insist repeats fn while the journal cannot commit, until ctx ends.
func Insist(ctx context.Context, fn func() error) error {
	for {
		err := fn()
		if !errors.Is(err, ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(insistEvery):
		}
	}
}

func (j *Journal) moveCursor(tx *sql.Tx, name string, c Cursor) error {
	_, err := tx.Exec(`INSERT INTO projections (name, cursor, changed_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor, changed_at = excluded.changed_at`,
		name, string(c), j.o.Now().UnixMicro())
	return err
}

func (j *Journal) submit(ctx context.Context, r *request) (fleet.Receipt, error) {
	if j.closing.Load() {
		return fleet.Receipt{}, ErrClosed
	}
	down, err := j.health.state()
	if err != nil {
		return fleet.Receipt{}, err
	}
	r.done = make(chan struct{})
	select {
	case j.queue <- r:
	case <-ctx.Done():
		return fleet.Receipt{}, context.Cause(ctx)
	case <-down:
		return fleet.Receipt{}, ErrUnavailable
	case <-j.done:
		return fleet.Receipt{}, ErrClosed
	}
	select {
	case <-r.done:
		return r.receipt, r.err
	case <-ctx.Done():
		if r.drop() {
			return fleet.Receipt{}, context.Cause(ctx)
		}
	case <-down:
		if r.drop() || !r.patient {
			return fleet.Receipt{}, ErrUnavailable
		}
		down = nil
	case <-j.done:
	}
	select {
	case <-r.done:
		return r.receipt, r.err
	case <-down:
		return fleet.Receipt{}, ErrUnavailable
	case <-j.done:
		select {
		case <-r.done:
			return r.receipt, r.err
		default:
			return fleet.Receipt{}, ErrClosed
		}
	}
}

// Snapshot returns the latest published view; it is never nil.
func (j *Journal) Snapshot() *fleet.Snapshot { return j.snapshot.Load() }

// Published returns a channel that is closed at the next publish. Take it
// before reading the snapshot, and again for the publish after that.
func (j *Journal) Published() <-chan struct{} { return *j.published.Load() }

// Clock is a time up to which everything that will ever be recorded has been
// published, in microseconds of Unix.
func (j *Journal) Clock() time.Time { return time.UnixMicro(j.clock.Load()).UTC() }

// Head is the cursor behind the newest published event.
func (j *Journal) Head() Cursor { return CursorAt(j.recent.last()) }

// Ready returns nil when the journal can commit.
func (j *Journal) Ready() error {
	if j.closing.Load() {
		return ErrClosed
	}
	_, err := j.health.state()
	return err
}

// Close drains: it refuses new appends, commits those that wait, records the
// stop and returns when Run has ended. Close the sources first.
func (j *Journal) Close() error {
	j.closing.Store(true)
	j.stopOnce.Do(func() { close(j.stop) })
	if j.running.CompareAndSwap(false, true) {
		close(j.done) // a Run that comes now would find the store closed
	}
	<-j.done
	return j.store.Close()
}

// Running reports whether Run has begun.
func (j *Journal) Running() bool { return j.running.Load() }

// health says whether commits succeed.
type health struct {
	mu   sync.Mutex
	err  error
	down chan struct{} // closed while err is set
}

func (h *health) init() { h.down = make(chan struct{}) }

func (h *health) state() (<-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.down, h.err
}

// fail marks the journal unavailable and reports whether that is news.
func (h *health) fail(cause error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	news := h.err == nil
	h.err = fmt.Errorf("%w: %w", ErrUnavailable, cause)
	if news {
		close(h.down)
	}
	return news
}

// restore marks the journal available and reports whether that is news.
func (h *health) restore() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		return false
	}
	h.err, h.down = nil, make(chan struct{})
	return true
}

// request is one append or one function that waits for the writer.
type request struct {
	event *event.Event
	write func(*sql.Tx) error // of a caller
	job   func(Tx) error      // of our own: checkpoints, retention
	// What a subscriber concluded.
	derived []*event.Event
	intents []fleet.Intent
	// patient waits for a commit that hangs: who tries again must know that nothing came
	// of the first time.
	patient bool

	state   atomic.Int32
	receipt fleet.Receipt
	err     error // of this request alone
	done    chan struct{}
}

const (
	requestWaiting int32 = iota
	requestTaken
	requestDropped
)

func (r *request) take() bool { return r.state.CompareAndSwap(requestWaiting, requestTaken) }
func (r *request) drop() bool { return r.state.CompareAndSwap(requestWaiting, requestDropped) }
