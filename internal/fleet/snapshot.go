package fleet

import (
	"hash/maphash"
	"iter"
	"maps"
	"time"
)

const pageSize = 64

type page [pageSize]*Station

// Snapshot is an immutable view of the fleet. Publishing one copies only the
// pages that changed, so its cost does not grow with the network.
type Snapshot struct {
	Seq        uint64
	RecordedAt time.Time

	pages     []*page
	index     index
	length    int
	catalogue Catalogue
}

// Catalogue is what is known of makers' models, the operator's own entries included.
func (s *Snapshot) Catalogue() Catalogue { return s.catalogue }

// Station returns one station.
func (s *Snapshot) Station(id string) (*Station, bool) {
	slot, ok := s.index.slot(id)
	if !ok || slot/pageSize >= len(s.pages) {
		return nil, false
	}
	st := s.pages[slot/pageSize][slot%pageSize]
	return st, st != nil
}

// Stations yields all stations, roughly in the order they were first seen.
func (s *Snapshot) Stations() iter.Seq[*Station] {
	return func(yield func(*Station) bool) {
		for _, p := range s.pages {
			for _, st := range p {
				if st != nil && !yield(st) {
					return
				}
			}
		}
	}
}

// Changed yields the stations that differ from those of an earlier snapshot;
// one that was removed is yielded as it was.
func (s *Snapshot) Changed(since *Snapshot) iter.Seq[*Station] {
	return func(yield func(*Station) bool) {
		for n, p := range s.pages {
			var old *page
			if since != nil && n < len(since.pages) {
				old = since.pages[n]
			}
			if p == old {
				continue
			}
			for i, st := range p {
				was := (*Station)(nil)
				if old != nil {
					was = old[i]
				}
				if st == was {
					continue
				}
				if was != nil && (st == nil || st.ID != was.ID) {
					if _, moved := s.Station(was.ID); !moved && !yield(was) {
						return
					}
				}
				if st != nil && !yield(st) {
					return
				}
			}
		}
	}
}

// Len is the number of stations.
func (s *Snapshot) Len() int { return s.length }

// index maps ids to slots in shards, so that a new station copies one shard.
type index struct {
	seed   maphash.Seed
	shards *[256]map[string]int
}

func (x index) slot(id string) (int, bool) {
	if x.shards == nil {
		return 0, false
	}
	slot, ok := x.shards[maphash.String(x.seed, id)%256][id]
	return slot, ok
}

// editor changes an index without touching the published one.
type editor struct {
	index index
	mine  *[256]bool // shards that are already copies
}

func (x *editor) set(id string, slot int) { x.shard(id)[id] = slot }
func (x *editor) drop(id string)          { delete(x.shard(id), id) }

func (x *editor) shard(id string) map[string]int {
	if x.mine == nil {
		x.mine = new([256]bool)
		shards := new([256]map[string]int)
		if x.index.shards == nil {
			x.index.seed = maphash.MakeSeed()
		} else {
			*shards = *x.index.shards
		}
		x.index.shards = shards
	}
	n := maphash.String(x.index.seed, id) % 256
	if !x.mine[n] {
		x.mine[n] = true
		if x.index.shards[n] = maps.Clone(x.index.shards[n]); x.index.shards[n] == nil {
			x.index.shards[n] = make(map[string]int)
		}
	}
	return x.index.shards[n]
}
