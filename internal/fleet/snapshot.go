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

	pages  []*page
	index  index
	length int
}

// Station returns one station.
func (s *Snapshot) Station(id string) (*Station, bool) {
	slot, ok := s.index.slot(id)
	if !ok || slot/pageSize >= len(s.pages) {
		return nil, false
	}
	st := s.pages[slot/pageSize][slot%pageSize]
	return st, st != nil
}

// Stations yields all stations in the order they were first seen.
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
				if st == nil {
					st = was
				}
				if !yield(st) {
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

func (x index) with(id string, slot int) index {
	next := index{seed: x.seed, shards: new([256]map[string]int)}
	if x.shards == nil {
		next.seed = maphash.MakeSeed()
	} else {
		*next.shards = *x.shards
	}
	n := maphash.String(next.seed, id) % 256
	shard := maps.Clone(next.shards[n])
	if shard == nil {
		shard = make(map[string]int)
	}
	shard[id] = slot
	next.shards[n] = shard
	return next
}
