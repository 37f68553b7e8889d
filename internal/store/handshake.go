package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// MaxHandshakes bounds the table of refused handshakes; the entry that was
// quiet for longest makes room.
const MaxHandshakes = 2000

// Handshake is a refused way in, counted by who it said it was and where it
// came from; Reason is the last one, in words.
type Handshake struct {
	Identity string
	Source   string // address without port
	Reason   string
	Count    int64
	FirstAt  time.Time
	LastAt   time.Time
}

type handshakeKey struct{ identity, source string }

// handshakeTable lives in memory and is written behind, so that ten thousand
// hostile handshakes cost no disk write each.
type handshakeTable struct {
	mu    sync.Mutex
	all   map[handshakeKey]*Handshake
	dirty map[handshakeKey]struct{}
	gone  map[handshakeKey]struct{}
}

func (s *Store) loadHandshakes(ctx context.Context) error {
	t := &handshakeTable{
		all: make(map[handshakeKey]*Handshake), dirty: make(map[handshakeKey]struct{}),
		gone: make(map[handshakeKey]struct{}),
	}
	s.handshakes = t
	return s.query(ctx, "refused handshakes", `SELECT identity, source, reason, count, first_at, last_at
		FROM refused_handshakes`, nil, func(r *sql.Rows) error {
		h := &Handshake{}
		var first, last int64
		err := r.Scan(&h.Identity, &h.Source, &h.Reason, &h.Count, &first, &last)
		h.FirstAt, h.LastAt = fromMillis(first), fromMillis(last)
		t.all[handshakeKey{h.Identity, h.Source}] = h
		return err
	})
}

// RefuseHandshake counts a refusal. The remote address may carry a port.
func (s *Store) RefuseHandshake(identity, remoteAddr, reason string) {
	source := remoteAddr
	if ap, err := netip.ParseAddrPort(remoteAddr); err == nil {
		source = ap.Addr().Unmap().String()
	}
	key := handshakeKey{clip(identity, 64), clip(source, 64)}
	now := fromMillis(millis(s.now()))
	t := s.handshakes
	t.mu.Lock()
	defer t.mu.Unlock()
	h, ok := t.all[key]
	if !ok {
		if len(t.all) >= MaxHandshakes {
			t.evict()
		}
		h = &Handshake{Identity: key.identity, Source: key.source, FirstAt: now}
		t.all[key] = h
	}
	h.Count++
	h.LastAt, h.Reason = now, clip(reason, 200)
	t.dirty[key] = struct{}{}
	delete(t.gone, key)
}

// evict drops the quietest eighth, so that a flood of new names pays for one
// scan in 250 refusals.
func (t *handshakeTable) evict() {
	keys := make([]handshakeKey, 0, len(t.all))
	for key := range t.all {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b handshakeKey) int { return t.all[a].LastAt.Compare(t.all[b].LastAt) })
	for _, key := range keys[:len(keys)/8] {
		delete(t.all, key)
		delete(t.dirty, key)
		t.gone[key] = struct{}{}
	}
}

// ForgetHandshakes clears the refusals of an identity, as when it was enrolled.
func (s *Store) ForgetHandshakes(identity string) {
	t := s.handshakes
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.all {
		if key.identity == identity {
			delete(t.all, key)
			delete(t.dirty, key)
			t.gone[key] = struct{}{}
		}
	}
}

// Handshakes returns the refusals, the latest first.
func (s *Store) Handshakes() []Handshake {
	t := s.handshakes
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Handshake, 0, len(t.all))
	for _, h := range t.all {
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b Handshake) int {
		if c := b.LastAt.Compare(a.LastAt); c != 0 {
			return c
		}
		if a.Identity < b.Identity || a.Identity == b.Identity && a.Source < b.Source {
			return -1
		}
		return 1
	})
	return out
}

func (s *Store) flushHandshakes(ctx context.Context) error {
	t := s.handshakes
	t.mu.Lock()
	write := make([]Handshake, 0, len(t.dirty))
	for key := range t.dirty {
		write = append(write, *t.all[key])
	}
	gone := t.gone
	t.dirty, t.gone = make(map[handshakeKey]struct{}), make(map[handshakeKey]struct{})
	t.mu.Unlock()
	if len(write) == 0 && len(gone) == 0 {
		return nil
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		for key := range gone {
			if _, err := tx.Exec(`DELETE FROM refused_handshakes WHERE identity = ? AND source = ?`,
				key.identity, key.source); err != nil {
				return err
			}
		}
		for _, h := range write {
			if _, err := tx.Exec(`INSERT OR REPLACE INTO refused_handshakes (identity, source, reason, count, first_at,
				last_at) VALUES (?,?,?,?,?,?)`, h.Identity, h.Source, h.Reason, h.Count, millis(h.FirstAt),
				millis(h.LastAt)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range write {
		key := handshakeKey{h.Identity, h.Source}
		if _, still := t.all[key]; still {
			t.dirty[key] = struct{}{}
		}
	}
	for key := range gone {
		if _, back := t.all[key]; !back {
			t.gone[key] = struct{}{}
		}
	}
	return fmt.Errorf("write refused handshakes: %w", err)
}
