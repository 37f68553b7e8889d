package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// writer is the one owner of the fleet's state.
type writer struct {
	j     *Journal
	state *fleet.State

	lastSeq        uint64
	lastRecordedAt time.Time
	failingSince   time.Time
	aliveAt        time.Time

	checkpointSeq uint64 // of the last finished one
	checkpointAt  time.Time
	checkpointing bool
	checkpointed  chan checkpointEnd
	unsaved       map[string]struct{} // taken for a checkpoint that has not finished

	batch   []*request
	rows    Rows
	bodies  []byte
	offsets []int
	quirks  map[quirkKey]int
}

func newWriter(j *Journal) *writer {
	return &writer{
		j: j, state: fleet.New(), quirks: make(map[quirkKey]int), checkpointAt: time.Now(),
		checkpointed: make(chan checkpointEnd, 1), unsaved: make(map[string]struct{}),
	}
}

// Lingering pays while batches are large: it makes them larger.
const (
	lingerFor  = 2 * time.Millisecond
	lingerFrom = 64
)

// Run commits what is appended until ctx ends or Close is called, then drains.
func (j *Journal) Run(ctx context.Context) error {
	if !j.running.CompareAndSwap(false, true) {
		if j.closing.Load() {
			return ErrClosed
		}
		return errors.New("journal: Run was called before")
	}
	defer close(j.done)
	watch := make(chan struct{})
	defer close(watch)
	go j.watch(watch)
	keeping, stopKeeping := context.WithCancel(ctx)
	defer stopKeeping()
	go j.retain(keeping)
	return j.w.run(ctx)
}

func (w *writer) run(ctx context.Context) error {
	tick := time.NewTicker(w.j.o.Tick)
	defer tick.Stop()
	linger := time.NewTimer(time.Hour)
	linger.Stop()
	last := 0
	for {
		w.batch = w.batch[:0]
		select {
		case r := <-w.j.queue:
			w.take(r)
			// The sender's wake-up put this goroutine ahead of everyone who is
			// about to append too. Let them go first: on one core that is the
			// difference between batches of one and of hundreds.
			runtime.Gosched()
			w.gather()
			if last >= lingerFrom && len(w.batch) < last/2 {
				linger.Reset(lingerFor)
				w.gatherUntil(linger.C, last)
				linger.Stop()
			}
			last = len(w.batch)
			w.commit()
			if w.state.Meta().Seq-w.checkpointSeq >= w.j.o.CheckpointEvents {
				w.checkpointIfDue()
			}
		case <-tick.C:
			w.idle()
			w.checkpointIfDue()
		case end := <-w.checkpointed:
			w.endCheckpoint(end)
		case <-ctx.Done():
			return w.drain(context.Cause(ctx))
		case <-w.j.stop:
			return w.drain(nil)
		}
	}
}

func (w *writer) take(r *request) {
	if r.take() {
		w.batch = append(w.batch, r)
	}
}

// gather takes what waits.
func (w *writer) gather() {
	for len(w.batch) < w.j.o.MaxBatch {
		select {
		case r := <-w.j.queue:
			w.take(r)
		default:
			return
		}
	}
}

func (w *writer) gatherUntil(end <-chan time.Time, enough int) {
	for len(w.batch) < min(enough, w.j.o.MaxBatch) {
		select {
		case r := <-w.j.queue:
			w.take(r)
		case <-end:
			return
		}
	}
}

// commit commits the batch, trying again until it is durable or everyone was
// told that it is not.
func (w *writer) commit() {
	if len(w.batch) == 0 {
		return
	}
	begun := time.Now()
	w.j.stats.busySince.Store(begun.UnixNano())
	defer w.j.stats.busySince.Store(0)
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		err := w.attempt(w.batch)
		if err == nil {
			w.recovered()
			now := time.Now()
			w.j.stats.latencies.add(now, now.Sub(begun))
			for _, r := range w.batch {
				close(r.done)
			}
			clear(w.batch)
			return
		}
		if errors.Is(err, errRefold) {
			continue
		}
		if w.failing() {
			w.failed(err)
			return
		}
		time.Sleep(wait)
	}
}

// failed tells everyone who waits.
func (w *writer) failed(cause error) {
	if w.j.health.fail(cause) {
		w.j.log.Error("journal cannot commit", "err", cause)
	}
	w.refuse(ErrUnavailable)
	for {
		w.batch = w.batch[:0]
		w.gather()
		if len(w.batch) == 0 {
			return
		}
		w.refuse(ErrUnavailable)
	}
}

func (w *writer) refuse(err error) {
	for _, r := range w.batch {
		r.receipt, r.err = fleet.Receipt{}, err
		close(r.done)
	}
	clear(w.batch)
}

// failing notes a failed commit and reports whether it is time to say so.
func (w *writer) failing() bool {
	w.j.stats.failures.Add(1)
	if w.failingSince.IsZero() {
		w.failingSince = time.Now()
	}
	return w.j.isDown() || time.Since(w.failingSince) >= w.j.o.Unavailable
}

func (w *writer) recovered() {
	w.failingSince = time.Time{}
	if w.j.health.restore() {
		w.j.log.Info("journal commits again")
	}
}

// idle does what is due without traffic: timers, the sign of life, and probing
// while commits fail.
func (w *writer) idle() {
	if w.j.o.Past {
		return
	}
	now := w.stamp()
	due, armed := w.state.NextDue()
	timers := armed && !due.After(now)
	alive := now.Sub(w.aliveAt) >= w.j.o.Alive
	if !timers && !alive && !w.j.isDown() {
		w.lastRecordedAt = now // idle time passes without being stored
		w.j.clock.Store(now.UnixMicro())
		return
	}
	var probe []*request
	if alive || w.j.isDown() {
		probe = append(probe, w.noteAlive(now))
	}
	w.j.stats.busySince.Store(time.Now().UnixNano())
	defer w.j.stats.busySince.Store(0)
	err := w.attempt(probe)
	if err != nil {
		if w.failing() && w.j.health.fail(err) {
			w.j.log.Error("journal cannot commit", "err", err)
		}
		return
	}
	w.recovered()
	if alive {
		w.aliveAt = now
	}
}

func (w *writer) noteAlive(now time.Time) *request {
	return &request{write: func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE server_runs SET alive_at = max(alive_at, ?)
			WHERE seq = (SELECT max(seq) FROM server_runs)`, now.UnixMicro())
		return err
	}}
}

// drain commits what waits and records the stop.
func (w *writer) drain(cause error) error {
	w.j.closing.Store(true)
	for {
		w.batch = w.batch[:0]
		w.gather()
		if len(w.batch) == 0 {
			break
		}
		w.commit()
	}
	for w.checkpointing {
		w.batch = w.batch[:0]
		select {
		case end := <-w.checkpointed:
			w.endCheckpoint(end)
		case r := <-w.j.queue:
			w.take(r)
			w.commit()
		}
	}
	reason := "closed"
	if cause != nil {
		reason = cause.Error()
	}
	if err := w.appendOwn(context.Background(), &event.ServerStopped{Reason: reason}); err != nil {
		return fmt.Errorf("record stop: %w", err)
	}
	if err := w.checkpointNow(); err != nil {
		return fmt.Errorf("last checkpoint: %w", err)
	}
	return nil
}

// appendOwn commits an event about ourselves outside the queue.
func (w *writer) appendOwn(_ context.Context, body event.Body) error {
	now := w.stamp()
	r := &request{event: &event.Event{
		Subject: event.Self(), At: now, ReceivedAt: now, Origin: event.FromUs, Body: body,
	}}
	for {
		err := w.attempt([]*request{r})
		if errors.Is(err, errRefold) {
			continue
		}
		w.aliveAt = now
		return errors.Join(err, r.err)
	}
}

// stamp is the time to record now.
func (w *writer) stamp() time.Time {
	now := w.j.o.Now().UTC().Truncate(time.Microsecond)
	if now.Before(w.lastRecordedAt) {
		return w.lastRecordedAt
	}
	return now
}

// errRefold asks for another attempt without the request that just failed.
var errRefold = errors.New("an event of the batch was refused")

// attempt folds, stores and publishes one batch, or leaves no trace.
func (w *writer) attempt(requests []*request) error {
	tx, err := w.j.store.Begin(context.Background())
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := w.runWrites(tx, requests); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	hist := &recall{History: tx}
	b := w.state.Begin(hist)
	head := w.head()
	if err := w.fold(b, requests); err != nil {
		b.Discard()
		w.setHead(head)
		return errors.Join(err, tx.Rollback())
	}
	changes := b.Changes()
	w.rows.Before = hist.changed(changes.Sessions)
	w.rows.Sessions = w.changedSessions(changes.Sessions)
	w.rows.Points = changes.Points
	err = tx.Write(&w.rows)
	if err == nil {
		err = tx.Commit()
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err != nil {
		b.Discard()
		w.setHead(head)
		return err
	}
	w.publish(b.Commit())
	return nil
}

// runWrites runs the functions of AppendWith and Project.
func (w *writer) runWrites(tx Tx, requests []*request) error {
	for _, r := range requests {
		if r.write == nil && r.job == nil || r.err != nil {
			continue
		}
		err, broken := tx.Savepoint(func() error {
			if r.job != nil {
				return r.job(tx)
			}
			return r.write(tx.SQL())
		})
		if broken {
			return fmt.Errorf("transaction lost: %w", err)
		}
		r.err = err
	}
	return nil
}

type head struct {
	seq uint64
	at  time.Time
}

func (w *writer) head() head     { return head{w.lastSeq, w.lastRecordedAt} }
func (w *writer) setHead(h head) { w.lastSeq, w.lastRecordedAt = h.seq, h.at }

// fold stamps and applies the events of the batch and encodes what is stored.
func (w *writer) fold(b *fleet.Batch, requests []*request) error {
	w.resetRows()
	now := w.stamp()
	if w.j.o.Past {
		now = w.lastRecordedAt
	}
	for _, r := range requests {
		if r.err != nil {
			continue
		}
		if len(r.derived) > 0 || len(r.intents) > 0 {
			if err := w.concluded(b, r, w.later(now)); err != nil {
				return err
			}
		}
		if r.event == nil {
			continue
		}
		e := canonical(r.event)
		if w.j.o.Past {
			now = w.later(e.ReceivedAt)
		}
		e.RecordedAt = w.later(now)
		stampMissing(e)
		if err := w.effects(b, b.Advance(fleet.DueBefore(e))); err != nil {
			return err
		}
		w.lastSeq++
		e.Seq = w.lastSeq
		w.lastRecordedAt = e.RecordedAt
		fx := b.Apply(e)
		if err := w.add(e); err != nil {
			// Only this event cannot be stored; the others go again without it.
			r.err = fmt.Errorf("encode event: %w", err)
			return errRefold
		}
		r.receipt = fx.Receipt
		if err := w.effects(b, fx); err != nil {
			return err
		}
	}
	if err := w.effects(b, b.Advance(now)); err != nil {
		return err
	}
	// What fires up to now must never come behind an event stamped before now,
	// or a replay would fire it later.
	w.lastRecordedAt = now
	for i := range w.rows.Events {
		w.rows.Events[i].Encoded = w.bodies[w.offsets[i]:w.offsets[i+1]]
	}
	return nil
}

// concluded stamps and adds what a subscriber concluded.
func (w *writer) concluded(b *fleet.Batch, r *request, at time.Time) error {
	if err := w.effects(b, b.Advance(at)); err != nil {
		return err
	}
	for _, d := range r.derived {
		w.lastSeq++
		d.Seq, d.RecordedAt = w.lastSeq, w.later(at)
		w.lastRecordedAt = d.RecordedAt
		b.Numbered(d)
		if err := w.add(d); err != nil {
			r.err = fmt.Errorf("encode what was concluded: %w", err)
			return errRefold
		}
	}
	for _, in := range r.intents {
		w.rows.Intents = append(w.rows.Intents, IntentRow{Intent: in, Cause: w.lastSeq})
	}
	return nil
}

func (w *writer) later(t time.Time) time.Time {
	if t.Before(w.lastRecordedAt) {
		return w.lastRecordedAt
	}
	return t
}

// effects numbers and adds what the fold concluded.
func (w *writer) effects(b *fleet.Batch, fx fleet.Effects) error {
	cause := w.lastSeq
	for _, d := range fx.Derived {
		w.lastSeq++
		d.Seq = w.lastSeq
		d.RecordedAt = w.later(d.RecordedAt)
		w.lastRecordedAt = d.RecordedAt
		b.Numbered(d)
		if err := w.add(d); err != nil {
			return fmt.Errorf("encode derived event: %w", err)
		}
	}
	for _, in := range fx.Intents {
		w.rows.Intents = append(w.rows.Intents, IntentRow{Intent: in, Cause: cause})
	}
	return nil
}

func (w *writer) resetRows() {
	clear(w.rows.Events)
	clear(w.rows.Intents)
	w.rows = Rows{Events: w.rows.Events[:0], Intents: w.rows.Intents[:0], Quirks: w.rows.Quirks[:0]}
	w.bodies = w.bodies[:0]
	if cap(w.bodies) > 8<<20 { // a rare giant must not stay in memory
		w.bodies = nil
	}
	w.offsets = append(w.offsets[:0], 0)
	clear(w.quirks)
}

func (w *writer) add(e *event.Event) error {
	var err error
	if w.bodies, err = event.AppendBody(w.bodies, e.Body); err != nil {
		return err
	}
	w.offsets = append(w.offsets, len(w.bodies))
	w.rows.Events = append(w.rows.Events, Row{Event: e})
	w.countQuirks(e)
	return nil
}

// publish makes a committed batch visible, in the order snapshot, events,
// wake-up: who is woken finds both.
func (w *writer) publish(s *fleet.Snapshot) {
	j := w.j
	j.snapshot.Store(s)
	j.recent.add(w.rows.Events)
	j.clock.Store(w.lastRecordedAt.UnixMicro())
	j.stats.commits.Add(1)
	j.stats.events.Add(uint64(len(w.rows.Events)))
	for i := range w.rows.Quirks {
		j.stats.quirks.Add(uint64(w.rows.Quirks[i].Count))
	}
	next := new(make(chan struct{}))
	close(*j.published.Swap(next))
	if j.afterPublish != nil {
		j.afterPublish()
	}
}
