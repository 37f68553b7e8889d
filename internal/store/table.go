package store

import (
	"hash/maphash"
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// table is a map that readers never lock: a change copies one of its shards.
// The zero value is empty.
type table[V any] struct {
	mu     sync.Mutex
	once   sync.Once
	seed   maphash.Seed
	shards [256]atomic.Pointer[map[string]V]
	count  atomic.Int64
	writes atomic.Uint64 // a change has another number
}

func (t *table[V]) len() int { return int(t.count.Load()) }

func (t *table[V]) shard(key string) *atomic.Pointer[map[string]V] {
	t.once.Do(func() { t.seed = maphash.MakeSeed() })
	return &t.shards[maphash.String(t.seed, key)%256]
}

func (t *table[V]) get(key string) (V, bool) {
	if m := t.shard(key).Load(); m != nil {
		v, ok := (*m)[key]
		return v, ok
	}
	var zero V
	return zero, false
}

func (t *table[V]) set(key string, v V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.shard(key)
	next := make(map[string]V)
	if m := p.Load(); m != nil {
		next = maps.Clone(*m)
	}
	if _, known := next[key]; !known {
		t.count.Add(1)
	}
	next[key] = v
	p.Store(&next)
	t.writes.Add(1)
}

func (t *table[V]) drop(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.shard(key)
	if m := p.Load(); m != nil {
		next := maps.Clone(*m)
		if _, known := next[key]; known {
			t.count.Add(-1)
		}
		delete(next, key)
		p.Store(&next)
		t.writes.Add(1)
	}
}

// load fills an empty table without copying; nobody reads it yet.
func (t *table[V]) load(all map[string]V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, v := range all {
		p := t.shard(key)
		m := p.Load()
		if m == nil {
			m = &map[string]V{}
			p.Store(m)
		}
		(*m)[key] = v
		t.count.Add(1)
	}
}

func (t *table[V]) all() iter.Seq[V] {
	return func(yield func(V) bool) {
		for i := range t.shards {
			m := t.shards[i].Load()
			if m == nil {
				continue
			}
			for _, v := range *m {
				if !yield(v) {
					return
				}
			}
		}
	}
}
