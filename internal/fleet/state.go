package fleet

import (
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// State is the whole network as one goroutine knows it. Change it through a
// Batch.
type State struct {
	meta      Meta
	stations  map[string]*Station
	slots     map[string]int // place in the snapshot
	free      []int          // places of removed stations
	snapshot  *Snapshot
	wakeups   wakeups
	dirty     map[string]struct{}
	catalogue Catalogue
	open      bool
	spare     scratch
}

// Meta is what a checkpoint keeps beside the stations.
type Meta struct {
	Version         int       `json:"version"`
	Seq             uint64    `json:"seq"` // last event folded
	RecordedAt      time.Time `json:"recordedAt"`
	NextTransaction int64     `json:"nextTransaction"` // ids given to OCPP 1.6 starts
	// Models are the operator's own entries of the catalogue.
	Models []OwnModel `json:"models,omitempty"`
}

// New returns an empty state.
func New() *State {
	c := BuiltIn()
	return &State{
		snapshot:  &Snapshot{catalogue: c},
		meta:      Meta{Version: Version, NextTransaction: 1},
		stations:  make(map[string]*Station),
		slots:     make(map[string]int),
		wakeups:   wakeups{place: make(map[string]int)},
		dirty:     make(map[string]struct{}),
		catalogue: c,
		spare:     scratch{touched: make(map[string]*Station), sessions: make(map[string]*Session)},
	}
}

// Restore puts checkpointed stations back and takes them over. Call it before
// the first Begin.
func (s *State) Restore(meta Meta, stations []*Station) {
	s.meta = meta
	s.meta.NextTransaction = max(meta.NextTransaction, 1)
	s.catalogue = s.catalogue.With(meta.Models)
	touched := make(map[string]*Station, len(stations))
	for _, st := range stations {
		if l := s.catalogue.Layout(st.Vendor, st.Model, st.Is2x()); st.LayoutSource == layoutByCatalogue && event.SameLayout(l, st.Layout) {
			st.Layout = l // shared by all stations of the model
		}
		st.linkLayout()
		touched[st.ID] = st
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
func (s *State) NextDue() (due time.Time, ok bool) { return s.wakeups.next() }

// merge makes touched stations (nil = removed) the state and publishes it.
func (s *State) merge(touched map[string]*Station) {
	next := *s.snapshot
	next.pages = slices.Clone(next.pages)
	copied := make([]bool, len(next.pages), len(next.pages)+len(touched)/pageSize+1)
	index := editor{index: next.index}
	put := func(slot int, st *Station) {
		n := slot / pageSize
		if n == len(next.pages) {
			next.pages, copied = append(next.pages, new(page)), append(copied, true)
		} else if !copied[n] {
			next.pages[n], copied[n] = new(*next.pages[n]), true
		}
		next.pages[n][slot%pageSize] = st
	}
	var fresh []string
	for id, st := range touched {
		slot, known := s.slots[id]
		s.wakeups.set(id, st)
		switch {
		case st != nil && known:
			s.stations[id] = st
			put(slot, st)
		case st != nil:
			fresh = append(fresh, id)
		case known:
			delete(s.stations, id)
			delete(s.slots, id)
			s.free = append(s.free, slot)
			index.drop(id)
			put(slot, nil)
			next.length--
		}
	}
	slices.Sort(fresh)
	for _, id := range fresh {
		slot := len(s.slots) + len(s.free)
		if n := len(s.free); n > 0 {
			slot, s.free = s.free[n-1], s.free[:n-1]
		}
		s.stations[id], s.slots[id] = touched[id], slot
		index.set(id, slot)
		put(slot, touched[id])
		next.length++
	}
	next.index = index.index
	next.Seq, next.RecordedAt, next.catalogue = s.meta.Seq, s.meta.RecordedAt, s.catalogue
	s.snapshot = &next
}

// Batch is an overlay over a State: nothing outside it changes before Commit,
// so that Discard leaves no trace.
type Batch struct {
	scratch
	state     *State
	history   History
	meta      Meta
	catalogue Catalogue
	points    []Point
	alarms    alarms
	pulled    map[string]struct{} // stations whose timers are among the alarms
}

// scratch is what batches use one after the other, to save allocations.
type scratch struct {
	touched  map[string]*Station // nil = removed
	sessions map[string]*Session // by ID
	list     []*Session          // the same, as they came
}

// Begin opens a batch. Only one can be open at a time.
func (s *State) Begin(h History) *Batch {
	if s.open {
		panic("fleet: a batch is already open")
	}
	s.open = true
	return &Batch{scratch: s.spare, state: s, history: h, meta: s.meta, catalogue: s.catalogue}
}

// end closes the batch.
func (b *Batch) end() {
	clear(b.touched)
	clear(b.sessions)
	clear(b.list)
	b.list = b.list[:0]
	b.state.spare, b.scratch = b.scratch, scratch{}
	b.state.open = false
}

// DueBefore is the time to Advance to before an event is applied: that of the
// event, but for our own start the time until which we observed. What fell due
// while nothing was observed must not count silence as evidence.
func DueBefore(e *event.Event) time.Time {
	if body, ok := e.Body.(*event.ServerStarted); ok && body.LastAlive.Before(e.RecordedAt) {
		return body.LastAlive
	}
	return e.RecordedAt
}

// Apply folds one observed event, stamped with Seq and RecordedAt. It may
// complete the event (subject, transaction id, quirks), so encode it
// afterwards; to fold a completed event again gives the same. Call
// Advance(DueBefore(e)) first. The caller numbers the derived events it
// returns.
func (b *Batch) Apply(e *event.Event) Effects {
	fx := Effects{Receipt: Receipt{Seq: e.Seq}}
	b.fold(e, &fx)
	b.Numbered(e)
	return fx
}

// Numbered tells the fold the sequence a derived event was given.
func (b *Batch) Numbered(e *event.Event) {
	b.meta.Seq = max(b.meta.Seq, e.Seq)
	b.meta.RecordedAt = latest(b.meta.RecordedAt, e.RecordedAt)
}

// Changes returns what has to be stored with the batch's events.
func (b *Batch) Changes() Changes {
	return Changes{Points: b.points, Sessions: slices.Clone(b.list)}
}

// Commit merges the batch and returns the new published view.
func (b *Batch) Commit() *Snapshot {
	b.state.meta, b.state.catalogue = b.meta, b.catalogue
	for id := range b.touched {
		b.state.dirty[id] = struct{}{}
	}
	b.state.merge(b.touched)
	b.end()
	return b.state.snapshot
}

// Discard forgets the batch.
func (b *Batch) Discard() { b.end() }

// peek returns a station for reading.
func (b *Batch) peek(id string) (*Station, bool) {
	if st, ok := b.touched[id]; ok {
		return st, st != nil
	}
	st, ok := b.state.stations[id]
	return st, ok
}

// station returns the batch's own copy of a station, new if need be. Its EVSEs
// are copied with it; connectors and sessions are when they change.
func (b *Batch) station(id string) *Station {
	st, touched := b.touched[id]
	if st != nil {
		return st
	}
	st = &Station{ID: id}
	if old, ok := b.state.stations[id]; ok && !touched {
		*st = *old
		st.EVSEs = slices.Clone(old.EVSEs)
	}
	b.touched[id] = st
	return st
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
