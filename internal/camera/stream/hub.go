package stream

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is returned by a reader whose hub is no more.
var ErrClosed = errors.New("the camera is no longer followed")

// Bounds of the pictures kept for whoever starts to look: those since the last
// key picture.
const (
	maxGroupUnits = 600
	maxGroupBytes = 8 << 20
)

// Hub hands the pictures of one stream to its readers. The zero value is ready.
type Hub struct {
	mu      sync.Mutex
	closed  bool
	readers map[*Reader]struct{}
	group   []*Unit // since the last key picture
	bytes   int
	broken  bool // the group is not whole, or of the past: nobody can start with it
	last    *Unit
}

// Publish hands a unit to all readers. It never waits.
func (h *Hub) Publish(u *Unit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.keep(u)
	for r := range h.readers {
		r.offer(u)
	}
}

// keep remembers the pictures since the last key picture.
func (h *Hub) keep(u *Unit) {
	h.last = u
	switch {
	case u.Key:
		clear(h.group)
		h.group, h.bytes, h.broken = append(h.group[:0], u), u.Size(), false
	case h.broken:
	case u.Broken || len(h.group) == 0 || len(h.group) == maxGroupUnits || h.bytes+u.Size() > maxGroupBytes:
		clear(h.group)
		h.group, h.broken = h.group[:0], true
	default:
		h.group, h.bytes = append(h.group, u), h.bytes+u.Size()
	}
}

// Rest says that no pictures come for now: what was kept for whoever starts to look
// is of the past, and what comes next will not follow on it.
func (h *Hub) Rest() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.group)
	h.group, h.bytes, h.broken = h.group[:0], 0, true
}

// Last is the newest unit, nil if there is none.
func (h *Hub) Last() *Unit {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// Key is the newest key picture, nil if there is none.
func (h *Hub) Key() *Unit {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.group) == 0 {
		return nil
	}
	return h.group[0]
}

// Readers counts who follows.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers)
}

// Close ends all readers; what they have not read yet, they still read.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	for r := range h.readers {
		close(r.units)
	}
	h.readers, h.group, h.last = nil, nil, nil
}

// FollowOptions say how a reader follows.
type FollowOptions struct {
	// Buffer is how many units it may be behind; 0: 64.
	Buffer int
	// FromKey starts with the newest key picture and what followed it, instead of
	// waiting for the next.
	FromKey bool
	// KeysOnly leaves out all other pictures.
	KeysOnly bool
}

// Follow adds a reader. It starts with a key picture. Whoever follows calls Close.
func (h *Hub) Follow(o FollowOptions) *Reader {
	if o.Buffer <= 0 {
		o.Buffer = 64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &Reader{hub: h, keysOnly: o.KeysOnly, waiting: true}
	head := h.group
	if !o.FromKey {
		head = nil
	}
	if o.KeysOnly && len(head) > 1 {
		head = head[:1]
	}
	r.units = make(chan *Unit, o.Buffer+len(head))
	for _, u := range head {
		r.units <- u
		r.waiting = false
	}
	if h.closed {
		close(r.units)
		return r
	}
	if h.readers == nil {
		h.readers = make(map[*Reader]struct{})
	}
	h.readers[r] = struct{}{}
	return r
}

// Reader follows one stream.
type Reader struct {
	hub      *Hub
	units    chan *Unit
	keysOnly bool

	// Under the hub's lock.
	waiting bool // for a key picture
	dropped uint64
}

// offer is called under the hub's lock.
func (r *Reader) offer(u *Unit) {
	if r.keysOnly && !u.Key {
		return
	}
	if r.waiting && !u.Key {
		if r.dropped > 0 {
			r.dropped++
		}
		return
	}
	select {
	case r.units <- u:
		r.waiting = false
	default:
		r.dropped++
		r.waiting = true
	}
}

// Next waits for the next unit. It returns ErrClosed when the camera is gone.
func (r *Reader) Next(ctx context.Context) (*Unit, error) {
	select {
	case u, ok := <-r.units:
		if !ok {
			return nil, ErrClosed
		}
		return u, nil
	default:
	}
	select {
	case u, ok := <-r.units:
		if !ok {
			return nil, ErrClosed
		}
		return u, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Behind is how many units wait to be read.
func (r *Reader) Behind() int { return len(r.units) }

// Dropped counts the units that the reader was too slow for.
func (r *Reader) Dropped() uint64 {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	return r.dropped
}

// Close ends following. It may be called twice.
func (r *Reader) Close() {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	delete(r.hub.readers, r)
}

// Units is where the pictures come from, for readers that wait for other things
// as well. It is closed when the camera is gone.
func (r *Reader) Units() <-chan *Unit { return r.units }
