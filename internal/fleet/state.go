package fleet

import (
	"container/heap"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// State is the whole network as one goroutine knows it. Change it through a
// Batch.
type State struct {
	meta     Meta
	stations map[string]*Station
	slots    map[string]int // place in the snapshot, given once
	snapshot *Snapshot
	alarms   alarms
	dirty    map[string]struct{}
	open     bool
}

// Meta is what a checkpoint keeps beside the stations.
type Meta struct {
	Version         int       `json:"version"`
	Seq             uint64    `json:"seq"` // last event folded
	RecordedAt      time.Time `json:"recordedAt"`
	NextTransaction int64     `json:"nextTransaction"` // ids given to OCPP 1.6 starts
}

// New returns an empty state.
func New() *State {
	return &State{
		meta:     Meta{Version: Version, NextTransaction: 1},
		stations: make(map[string]*Station),
		slots:    make(map[string]int),
		snapshot: &Snapshot{},
		dirty:    make(map[string]struct{}),
	}
}

// Restore puts checkpointed stations back. Call it before the first Begin.
func (s *State) Restore(meta Meta, stations []*Station) {
	s.meta = meta
	touched := make(map[string]*Station, len(stations))
	for _, st := range stations {
		touched[st.ID] = st
		s.arm(st)
	}
	s.merge(touched)
}

// Meta returns the checkpoint's head.
func (s *State) Meta() Meta { return s.meta }

// Snapshot returns the view published by the last Commit or Restore.
func (s *State) Snapshot() *Snapshot { return s.snapshot }

// TakeDirty returns the stations changed since it was last called, in order of
// id, and the ids of those removed: what a checkpoint has to write.
func (s *State) TakeDirty() (changed []*Station, removed []string) {
	for _, id := range slices.Sorted(maps.Keys(s.dirty)) {
		if st, ok := s.stations[id]; ok {
			changed = append(changed, st)
		} else {
			removed = append(removed, id)
		}
	}
	clear(s.dirty)
	return changed, removed
}

// NextDue returns when the earliest timer is due, so that an idle owner knows
// whether to Advance.
func (s *State) NextDue() (due time.Time, ok bool) {
	if len(s.alarms) == 0 {
		return time.Time{}, false
	}
	return s.alarms[0].due, true
}

// merge makes touched stations (nil = removed) the state and publishes it.
func (s *State) merge(touched map[string]*Station) {
	next := *s.snapshot
	next.pages = slices.Clone(next.pages)
	copied := make(map[int]bool)
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		st := touched[id]
		if st == nil {
			delete(s.stations, id)
		} else {
			s.stations[id] = st
		}
		slot, ok := s.slots[id]
		if !ok {
			slot = len(s.slots)
			s.slots[id] = slot
			next.index = next.index.with(id, slot)
		}
		if n := slot / pageSize; n >= len(next.pages) {
			next.pages = append(next.pages, new(page))
			copied[n] = true
		} else if !copied[n] {
			next.pages[n] = new(*next.pages[n])
			copied[n] = true
		}
		p := next.pages[slot/pageSize]
		switch was := p[slot%pageSize]; {
		case was == nil && st != nil:
			next.length++
		case was != nil && st == nil:
			next.length--
		}
		p[slot%pageSize] = st
	}
	next.Seq, next.RecordedAt = s.meta.Seq, s.meta.RecordedAt
	s.snapshot = &next
}

// arm puts a station's timers into the queue.
func (s *State) arm(st *Station) {
	for _, t := range st.Timers {
		heap.Push(&s.alarms, alarm{due: t.Due, station: st.ID, key: t.Key})
	}
}

// Batch is an overlay over a State: readers see nothing of it before Commit,
// and Discard leaves no trace.
type Batch struct {
	state    *State
	history  History
	meta     Meta
	touched  map[string]*Station
	sessions map[string]*Session // by ID
	points   []Point
	fired    []alarm // taken from the queue; put back by Discard
	server   *event.ServerStarted
}

// Begin opens a batch. Only one can be open at a time.
func (s *State) Begin(h History) *Batch {
	if s.open {
		panic("fleet: a batch is already open")
	}
	s.open = true
	return &Batch{
		state: s, history: h, meta: s.meta,
		touched:  make(map[string]*Station),
		sessions: make(map[string]*Session),
	}
}

// Apply folds one observed event, stamped with Seq and RecordedAt. It may
// complete the body (a transaction id) and add quirks, so encode the event
// afterwards. Call Advance(e.RecordedAt) first: timers due at or before the
// event precede it. The caller numbers the derived events it returns.
func (b *Batch) Apply(e *event.Event) Effects {
	fx := Effects{Receipt: Receipt{Seq: e.Seq}}
	b.fold(e, &fx)
	b.meta.Seq = max(b.meta.Seq, e.Seq)
	b.meta.RecordedAt = e.RecordedAt
	return fx
}

// Advance fires the timers due at or before t, ordered by due time and key,
// and returns the derived events with RecordedAt set and Seq unset.
func (b *Batch) Advance(t time.Time) Effects {
	var fx Effects
	for len(b.state.alarms) > 0 && !b.state.alarms[0].due.After(t) {
		a := heap.Pop(&b.state.alarms).(alarm)
		b.fired = append(b.fired, a)
		st, ok := b.peek(a.station)
		if !ok {
			continue
		}
		i := slices.IndexFunc(st.Timers, func(x Timer) bool { return x.Key == a.key && x.Due.Equal(a.due) })
		if i < 0 { // re-armed or cancelled since
			continue
		}
		st = b.station(a.station)
		st.Timers = slices.Delete(slices.Clone(st.Timers), i, i+1)
		b.fire(st, a, &fx)
	}
	return fx
}

// Numbered tells the fold the sequence a derived event was given.
func (b *Batch) Numbered(e *event.Event) {
	b.meta.Seq = max(b.meta.Seq, e.Seq)
	b.meta.RecordedAt = e.RecordedAt
}

// Changes returns what has to be stored with the batch's events.
func (b *Batch) Changes() Changes {
	c := Changes{Points: b.points}
	for _, id := range slices.Sorted(maps.Keys(b.sessions)) {
		c.Sessions = append(c.Sessions, b.sessions[id])
	}
	return c
}

// Commit merges the batch and returns the new published view.
func (b *Batch) Commit() *Snapshot {
	b.state.open = false
	b.state.meta = b.meta
	for id := range b.touched {
		b.state.dirty[id] = struct{}{}
	}
	b.state.merge(b.touched)
	return b.state.snapshot
}

// Discard forgets the batch.
func (b *Batch) Discard() {
	b.state.open = false
	for _, a := range b.fired {
		heap.Push(&b.state.alarms, a)
	}
	// Alarms armed inside the batch stay queued; they match no timer and lapse.
}

// peek returns a station for reading.
func (b *Batch) peek(id string) (*Station, bool) {
	if st, ok := b.touched[id]; ok {
		return st, st != nil
	}
	st, ok := b.state.stations[id]
	return st, ok
}

// station returns the batch's own copy of a station, new if need be. EVSEs,
// connectors and sessions are copied when they are changed.
func (b *Batch) station(id string) *Station {
	if st := b.touched[id]; st != nil {
		return st
	}
	st := &Station{ID: id}
	if old, ok := b.state.stations[id]; ok && b.touched[id] == nil {
		if _, removed := b.touched[id]; !removed {
			*st = *old
			st.EVSEs = slices.Clone(old.EVSEs)
		}
	}
	b.touched[id] = st
	return st
}

// setTimer arms or moves the station's timer of that key.
func (b *Batch) setTimer(st *Station, key string, due time.Time) {
	b.dropTimer(st, key)
	st.Timers = append(slices.Clone(st.Timers), Timer{Due: due, Key: key})
	heap.Push(&b.state.alarms, alarm{due: due, station: st.ID, key: key})
}

// dropTimer cancels the station's timer of that key.
func (b *Batch) dropTimer(st *Station, key string) {
	if i := slices.IndexFunc(st.Timers, func(t Timer) bool { return t.Key == key }); i >= 0 {
		st.Timers = slices.Delete(slices.Clone(st.Timers), i, i+1)
	}
}

// alarm is a queued timer; it counts only while the station still has it.
type alarm struct {
	due     time.Time
	station string
	key     string
}

type alarms []alarm

func (q alarms) Len() int { return len(q) }
func (q alarms) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	if q[i].station != q[j].station {
		return q[i].station < q[j].station
	}
	return q[i].key < q[j].key
}
func (q alarms) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *alarms) Push(x any)   { *q = append(*q, x.(alarm)) }
func (q *alarms) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
