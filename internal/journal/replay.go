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

// replay restores the checkpoint and folds the events behind it. It stores
// nothing and acts on nothing: rows and intents of those events are there
// already.
func (w *writer) replay(ctx context.Context, l *Loaded) error {
	w.lastSeq, w.lastRecordedAt = l.LastSeq, l.LastRecordedAt
	w.aliveAt = w.stamp()
	begun := time.Now()
	after := uint64(0)
	hist := newPast(l.Before)
	w.j.horizons.load(l.Horizons)
	if l.Checkpoint != nil {
		w.state.Restore(*l.Checkpoint, l.Stations)
		after = l.Checkpoint.Seq
		w.checkpointSaved(after)
	}
	check := derivedCheck{log: w.j.log}
	newest := w.state.Meta().RecordedAt
	folded := 0
	for {
		events, err := w.j.store.Tail(ctx, after, l.LastSeq, replayBatch)
		if err != nil {
			return fmt.Errorf("read events after %d: %w", after, err)
		}
		if len(events) == 0 {
			break
		}
		b := w.state.Begin(hist)
		for _, e := range events {
			newest = e.RecordedAt
			if e.Derived() {
				check.stored(e)
				b.Numbered(e)
				continue
			}
			check.regenerated(b.Advance(e.RecordedAt).Derived)
			check.regenerated(b.Apply(e).Derived)
		}
		hist.keep(b.Changes().Sessions)
		b.Commit()
		folded += len(events)
		after = events[len(events)-1].Seq
	}
	b := w.state.Begin(hist)
	check.regenerated(b.Advance(newest).Derived)
	hist.keep(b.Changes().Sessions)
	w.j.snapshot.Store(b.Commit())
	check.finish()
	if l.Outdated {
		if err := w.rewriteSessions(hist); err != nil {
			return fmt.Errorf("store sessions as the new fold sees them: %w", err)
		}
	}
	w.j.stats.replayMismatches.Store(uint64(check.mismatches))
	w.j.log.Info("journal folded", "stations", w.state.Snapshot().Len(), "events", folded,
		"checkpoint", l.Checkpoint != nil, "took", time.Since(begun).Round(time.Millisecond))
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
	log        *slog.Logger
	have, want []*event.Event
	mismatches int
}

func (c *derivedCheck) stored(e *event.Event) {
	c.want = append(c.want, e)
	c.compare()
}

func (c *derivedCheck) regenerated(list []*event.Event) {
	if len(list) > 0 {
		c.have = append(c.have, list...)
		c.compare()
	}
}

func (c *derivedCheck) compare() {
	for len(c.have) > 0 && len(c.want) > 0 {
		if !sameConclusion(c.have[0], c.want[0]) {
			c.mismatches++
			c.log.Warn("replay concluded another event than is stored", "seq", c.want[0].Seq,
				"stored", c.want[0].Body.Kind(), "concluded", c.have[0].Body.Kind())
		}
		c.have, c.want = c.have[1:], c.want[1:]
	}
}

func (c *derivedCheck) finish() {
	if n := len(c.have) + len(c.want); n > 0 {
		c.mismatches += n
		c.log.Warn("replay and store differ in derived events", "missing", len(c.have), "surplus", len(c.want))
	}
}

func sameConclusion(a, b *event.Event) bool {
	if a.Subject != b.Subject || a.Cause != b.Cause || a.Body.Kind() != b.Body.Kind() || !a.At.Equal(b.At) {
		return false
	}
	x, errX := event.AppendBody(nil, a.Body)
	y, errY := event.AppendBody(nil, b.Body)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
