package incident

import (
	"cmp"
	"container/heap"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Version of the fold. A checkpoint of another version is not loaded.
const Version = 1

// Meta is what the fold keeps beside incidents.
type Meta struct {
	Version int                  `json:"version"`
	Now     time.Time            `json:"now"`
	Seq     uint64               `json:"seq"`
	Count   uint64               `json:"count"`
	Mutes   map[string]Mute      `json:"mutes,omitempty"`
	SLA     map[string]SLA       `json:"sla,omitempty"`
	Timers  map[string]time.Time `json:"timers,omitempty"`
	// Procedures are the versions of lists of steps that hold.
	Procedures map[string]int `json:"procedures,omitempty"`
}

// Checkpoint returns the fold's own state and calls each with the incidents that
// changed since the last one, in the order of their ids. One that the fold has
// dropped has nil data.
func (f *Fold) Checkpoint(each func(key string, data []byte) error) (Meta, error) {
	for _, id := range slices.Sorted(maps.Keys(f.dirty)) {
		var data []byte
		if en := f.entries[id]; en != nil {
			var err error
			if data, err = json.Marshal(en); err != nil {
				return Meta{}, fmt.Errorf("encode incident %s: %w", id, err)
			}
		}
		if err := each(id, data); err != nil {
			return Meta{}, err
		}
		delete(f.dirty, id)
	}
	m := Meta{Version: Version, Now: f.now, Seq: f.seq, Count: f.count, SLA: maps.Clone(f.sla), Timers: maps.Clone(f.timers), Procedures: maps.Clone(f.procedures)}
	for key, mute := range f.mutes {
		if m.Mutes == nil {
			m.Mutes = make(map[string]Mute)
		}
		m.Mutes[key] = *mute
	}
	return m, nil
}

// Restore sets the fold to a checkpoint; Load adds its incidents. Zone has to be
// set before.
func (f *Fold) Restore(m Meta) {
	f.now, f.seq, f.count = m.Now, m.Seq, m.Count
	for key, mute := range m.Mutes {
		if len(mute.Check(f.Zone)) == 0 {
			mute.window = len(key) > 7 && key[:7] == "window/"
			f.mutes[key] = &mute
		}
	}
	maps.Copy(f.sla, m.SLA)
	maps.Copy(f.procedures, m.Procedures)
	for name, at := range m.Timers {
		f.setOwn(name, at)
	}
}

// Load adds an incident of a checkpoint.
func (f *Fold) Load(key string, data []byte) error {
	en := &entry{}
	if err := json.Unmarshal(data, en); err != nil {
		return fmt.Errorf("decode incident %s: %w", key, err)
	}
	if en.ID != key {
		return fmt.Errorf("decode incident %s: it calls itself %q", key, en.ID)
	}
	if en.DownSince == nil && en.RepairedAt == nil && en.ClosedAt == nil { // saved before this was kept
		en.DownSince = stamp(f.began(en))
	}
	f.entries[en.ID] = en
	for _, s := range en.Slots {
		f.slots[s] = en.ID
	}
	for _, r := range en.Raised {
		f.where[condition{r.Place, r.EVSE, r.Code}] = en.ID
	}
	if en.Family != Common {
		f.ports[en.Home.Place] = f.placed(f.ports[en.Home.Place], en)
	}
	for name, at := range en.Timers {
		heap.Push(&f.alarms, alarm{due: at, incident: en.ID, name: name})
	}
	f.adopt(en)
	return nil
}

// adopt joins a loaded incident with its parent or its children, whichever came
// first.
func (f *Fold) adopt(en *entry) {
	if en.Family == Common {
		en.members = make(map[string]bool)
		for id, child := range f.entries {
			if child.ParentID != nil && *child.ParentID == en.ID {
				en.members[id] = child.open() && child.RepairedAt == nil
				f.regroup(child)
			}
		}
		return
	}
	if en.ParentID != nil {
		if parent := f.entries[*en.ParentID]; parent != nil && parent.members != nil {
			parent.members[en.ID] = en.open() && en.RepairedAt == nil
		}
	}
	f.regroup(en)
}

// placed inserts an incident into the list of its station, in order of opening.
func (f *Fold) placed(list []string, en *entry) []string {
	i, _ := slices.BinarySearchFunc(list, en, func(id string, en *entry) int {
		return cmp.Compare(f.entries[id].Opened, en.Opened)
	})
	return slices.Insert(list, i, en.ID)
}

// inOrder yields incidents by id, so that what follows from all of them does so
// in one order.
func (f *Fold) inOrder() []*entry {
	out := make([]*entry, 0, len(f.entries))
	for _, id := range slices.Sorted(maps.Keys(f.entries)) {
		out = append(out, f.entries[id])
	}
	return out
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// setOwn starts or moves a timer of the fold's own.
func (f *Fold) setOwn(name string, at time.Time) {
	if was, ok := f.timers[name]; ok && was.Equal(at) {
		return
	}
	f.timers[name] = at
	heap.Push(&f.alarms, alarm{due: at, name: name})
}

func (f *Fold) stopOwn(name string) { delete(f.timers, name) }
