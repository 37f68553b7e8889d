package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

const replayBatch = 512

// replay restores the fleet and goes on where the store ends.
func (w *writer) replay(ctx context.Context, l *Loaded) error {
	begun := time.Now()
	r := &replayer{store: w.j.store, log: w.j.log, state: w.state, batch: replayBatch}
	if err := r.run(ctx, l); err != nil {
		return err
	}
	meta := w.state.Meta()
	w.lastSeq, w.lastRecordedAt = max(l.LastSeq, meta.Seq), l.LastRecordedAt
	if meta.RecordedAt.After(w.lastRecordedAt) {
		w.lastRecordedAt = meta.RecordedAt
	}
	for _, h := range l.Horizons { // the newest rows may be among the deleted
		w.lastSeq = max(w.lastSeq, h.Seq)
		if h.At.After(w.lastRecordedAt) {
			w.lastRecordedAt = h.At
		}
	}
	w.aliveAt = w.stamp()
	w.j.horizons.load(l.Horizons)
	if l.Checkpoint != nil {
		w.checkpointSaved(l.Checkpoint.Seq)
	}
	w.j.snapshot.Store(w.state.Snapshot())
	w.j.stats.replayMismatches.Store(uint64(r.mismatches))
	if l.Outdated {
		if err := w.rewriteSessions(r.past); err != nil {
			return fmt.Errorf("store sessions as the new fold sees them: %w", err)
		}
	}
	w.j.log.Info("journal folded", "stations", w.state.Snapshot().Len(), "events", r.events,
		"checkpoint", l.Checkpoint != nil, "took", time.Since(begun).Round(time.Millisecond))
	return nil
}

// Replayed is what a Replay found.
type Replayed struct {
	Snapshot *fleet.Snapshot
	Events   int
	// Mismatches counts derived events that were concluded differently from what
	// is stored; after retention deleted causes some are to be expected.
	Mismatches int
}

// Replay folds what a store holds, from its checkpoint or from the first event
// on, in batches of the given size. It writes nothing and acts on nothing.
func Replay(ctx context.Context, store Store, fromStart bool, batch int, log *slog.Logger) (*Replayed, error) {
	l, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load journal: %w", err)
	}
	if fromStart {
		l.Checkpoint, l.Stations, l.Before = nil, nil, nil
	}
	r := &replayer{store: store, log: log, state: fleet.New(), batch: batch}
	if err := r.run(ctx, l); err != nil {
		return nil, fmt.Errorf("replay journal: %w", err)
	}
	return &Replayed{Snapshot: r.state.Snapshot(), Events: r.events, Mismatches: r.mismatches}, nil
}

// replayer folds stored events. It stores nothing and acts on nothing: rows
// and intents of those events are there already.
type replayer struct {
	store Store
	log   *slog.Logger
	state *fleet.State
	batch int

	past   *past
	events int
	derivedCheck
}

func (r *replayer) run(ctx context.Context, l *Loaded) error {
	r.past = newPast(l.Before)
	after := uint64(0)
	if l.Checkpoint != nil {
		r.state.Restore(*l.Checkpoint, l.Stations)
		after = l.Checkpoint.Seq
	}
	newest := r.state.Meta().RecordedAt
	for {
		events, err := r.store.Tail(ctx, after, l.LastSeq, r.batch)
		if err != nil {
			return fmt.Errorf("read events after %d: %w", after, err)
		}
		if len(events) == 0 {
			break
		}
		b := r.state.Begin(r.past)
		for _, e := range events {
			newest = e.RecordedAt
			if e.Derived() {
				// Conclude it before the fold hears of it: a timer that is due fires
				// at its own time, not at that of a later one.
				r.concluded(b.Advance(e.RecordedAt).Derived)
				if !concludedBeside(e) {
					r.stored(e)
				}
				b.Numbered(e)
				continue
			}
			r.concluded(b.Advance(fleet.DueBefore(e)).Derived)
			r.concluded(b.Apply(e).Derived)
		}
		r.past.keep(b.Changes().Sessions)
		b.Commit()
		r.events += len(events)
		after = events[len(events)-1].Seq
	}
	b := r.state.Begin(r.past)
	r.concluded(b.Advance(newest).Derived)
	r.past.keep(b.Changes().Sessions)
	b.Commit()
	r.finish(r.log)
	return nil
}

// rewriteSessions stores closed sessions as another version of the fold sees
// them. Those whose measurements are no longer all there stay as they were.
func (w *writer) rewriteSessions(hist *past) error {
	whole := w.j.horizons.get(ClassMeter).At
	var list []*fleet.Session
	for _, id := range hist.order {
		if s := hist.sessions[id]; s.StartedAt.After(whole) {
			list = append(list, s)
		}
	}
	for part := range slices.Chunk(list, sliceStations) {
		r := &request{job: func(tx Tx) error { return tx.Write(&Rows{Sessions: slices.Clone(part)}) }}
		if err := errors.Join(w.attempt([]*request{r}), r.err); err != nil {
			return err
		}
	}
	return nil
}

// derivedCheck compares the derived events that the fold concludes again with
// those that are stored; both come in the same order.
type derivedCheck struct {
	have, want []*event.Event
	mismatches int
	first      *event.Event // the first stored one that differs
}

func (c *derivedCheck) stored(e *event.Event) {
	c.want = append(c.want, e)
	c.compare()
}

func (c *derivedCheck) concluded(list []*event.Event) {
	if len(list) > 0 {
		c.have = append(c.have, list...)
		c.compare()
	}
}

func (c *derivedCheck) compare() {
	for len(c.have) > 0 && len(c.want) > 0 {
		if !sameConclusion(c.have[0], c.want[0]) {
			c.mismatches++
			if c.first == nil {
				c.first = c.want[0]
			}
		}
		c.have, c.want = c.have[1:], c.want[1:]
	}
}

func (c *derivedCheck) finish(log *slog.Logger) {
	c.mismatches += len(c.have) + len(c.want)
	if c.mismatches == 0 {
		return
	}
	if c.first == nil && len(c.want) > 0 {
		c.first = c.want[0]
	}
	seq := uint64(0)
	if c.first != nil {
		seq = c.first.Seq
	}
	log.Warn("replay and store differ in derived events", "count", c.mismatches,
		"unstored", len(c.have), "unexplained", len(c.want), "first", seq)
}

func sameConclusion(a, b *event.Event) bool {
	if a.Subject != b.Subject || a.Cause != b.Cause || a.Body.Kind() != b.Body.Kind() || !a.At.Equal(b.At) {
		return false
	}
	x, errX := event.AppendBody(nil, a.Body)
	y, errY := event.AppendBody(nil, b.Body)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
