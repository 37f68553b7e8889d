package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// A checkpoint is written in slices between batches, so that no commit waits
// long for it; it counts only when its last slice is durable.
const (
	sliceStations = 200
	sliceBytes    = 256 << 10
)

// checkpoint is one in the making: the stations changed since the last one, as
// they were at meta.Seq. They are immutable, so another goroutine encodes them
// while the writer goes on.
type checkpoint struct {
	meta     fleet.Meta
	stations []*fleet.Station
	removed  []string
}

func (w *writer) checkpointIfDue() {
	seq := w.state.Meta().Seq
	if w.checkpointing || seq == w.checkpointSeq || w.j.isDown() {
		return
	}
	if seq-w.checkpointSeq >= w.j.o.CheckpointEvents || time.Since(w.checkpointAt) >= w.j.o.CheckpointEvery {
		w.startCheckpoint()
	}
}

// beginCheckpoint takes what changed, and again what a checkpoint took that
// then failed.
func (w *writer) beginCheckpoint() *checkpoint {
	c := &checkpoint{meta: w.state.Meta()}
	changed, removed := w.state.TakeDirty()
	for _, st := range changed {
		w.unsaved[st.ID] = struct{}{}
	}
	for _, id := range removed {
		w.unsaved[id] = struct{}{}
	}
	snap := w.state.Snapshot()
	for _, id := range slices.Sorted(maps.Keys(w.unsaved)) {
		if st, ok := snap.Station(id); ok {
			c.stations = append(c.stations, st)
		} else {
			c.removed = append(c.removed, id)
		}
	}
	return c
}

// startCheckpoint writes one beside the traffic; its end is reported on
// w.checkpointed.
func (w *writer) startCheckpoint() {
	w.checkpointing = true
	c := w.beginCheckpoint()
	go func() {
		err := c.write(func(job func(Tx) error) error {
			_, err := w.j.submit(context.Background(), &request{job: job})
			return err
		})
		w.checkpointed <- checkpointEnd{seq: c.meta.Seq, err: err}
	}()
}

type checkpointEnd struct {
	seq uint64
	err error
}

func (w *writer) endCheckpoint(e checkpointEnd) {
	w.checkpointing = false
	w.checkpointAt = time.Now()
	if e.err != nil {
		w.j.log.Warn("checkpoint failed", "seq", e.seq, "err", e.err)
		return
	}
	w.checkpointSaved(e.seq)
}

func (w *writer) checkpointSaved(seq uint64) {
	w.checkpointSeq = seq
	w.j.savedSeq.Store(seq)
	clear(w.unsaved)
}

// checkpointNow writes one in the writer's own goroutine, when nothing else
// waits: at drain.
func (w *writer) checkpointNow() error {
	if w.state.Meta().Seq == w.checkpointSeq {
		return nil
	}
	c := w.beginCheckpoint()
	if err := c.write(func(job func(Tx) error) error {
		r := &request{job: job}
		if err := w.attempt([]*request{r}); err != nil {
			return err
		}
		return r.err
	}); err != nil {
		return err
	}
	w.checkpointSaved(c.meta.Seq)
	return nil
}

// write encodes the stations and has each slice done in a commit.
func (c *checkpoint) write(do func(job func(Tx) error) error) error {
	var all []string
	var slice []StationRow
	size := 0
	flush := func() error {
		rows := slice
		slice, size = nil, 0
		if len(rows) == 0 {
			return nil
		}
		return do(func(tx Tx) error { return tx.SaveStations(c.meta.Seq, rows) })
	}
	add := func(r StationRow) error {
		all, slice = append(all, r.ID), append(slice, r)
		if size += len(r.Data); size >= sliceBytes || len(slice) == sliceStations {
			return flush()
		}
		return nil
	}
	for _, id := range c.removed {
		if err := add(StationRow{ID: id}); err != nil {
			return err
		}
	}
	for _, st := range c.stations {
		data, err := json.Marshal(st)
		if err != nil {
			return fmt.Errorf("encode station %s: %w", st.ID, err)
		}
		if err := add(StationRow{ID: st.ID, Data: data}); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if err := do(func(tx Tx) error { return tx.FinishCheckpoint(c.meta) }); err != nil {
		return err
	}
	for ids := range slices.Chunk(all, sliceStations) {
		if err := do(func(tx Tx) error { return tx.PruneStations(c.meta.Seq, ids) }); err != nil {
			return err
		}
	}
	return nil
}
