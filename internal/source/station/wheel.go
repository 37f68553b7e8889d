package station

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// wheel is the one clock of all connections: it sends jittered pings, closes
// links that answer none, and cuts reads and writes that never finish. Links
// own no timer. A link that ends is taken off at once, so that a storm of
// reconnects leaves no dead ones behind.
type wheel struct {
	mu    sync.Mutex
	slots [wheelSlots]*link
	now   int
}

const (
	wheelSlots = 64
	wheelTick  = time.Second
	// firstPing is when a new connection is pinged first.
	firstPing = 3 * time.Second
)

// spoke is a link's place in the wheel.
type spoke struct {
	next, prev *link
	slot       int
	on         bool
}

// add schedules the link's next visit.
func (w *wheel) add(l *link, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.gone.Load() || l.spoke.on {
		return
	}
	n := min(max(int(after/wheelTick), 1), wheelSlots-1)
	slot := (w.now + n) % wheelSlots
	first := w.slots[slot]
	l.spoke = spoke{next: first, slot: slot, on: true}
	if first != nil {
		first.spoke.prev = l
	}
	w.slots[slot] = l
}

// drop takes a link off that has gone.
func (w *wheel) drop(l *link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.take(l)
}

func (w *wheel) take(l *link) {
	s := l.spoke
	if !s.on {
		return
	}
	if s.prev != nil {
		s.prev.spoke.next = s.next
	} else {
		w.slots[s.slot] = s.next
	}
	if s.next != nil {
		s.next.spoke.prev = s.prev
	}
	l.spoke = spoke{}
}

// turn moves on by one slot and returns the links to visit.
func (w *wheel) turn(due []*link) []*link {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = (w.now + 1) % wheelSlots
	for l := w.slots[w.now]; l != nil; l = w.slots[w.now] {
		w.take(l)
		due = append(due, l)
	}
	return due
}

func (w *wheel) run(ctx context.Context, ep *Endpoint) {
	tick := time.NewTicker(wheelTick)
	defer tick.Stop()
	var due []*link
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			due = w.turn(due[:0])
			for _, l := range due {
				if l.alive(now) {
					go l.checkPing(ctx)
					if l.relay != nil {
						go l.relay.checkPing(ctx)
					}
					w.add(l, jitter(ep.o.Ping))
				}
			}
			clear(due)
		}
	}
}

// jitter spreads pings over [d, 1.5d), so that a mass reconnect does not make
// a mass ping.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/2+1))
}

// budget is a bounded amount that many take from.
type budget struct {
	mu    sync.Mutex
	free  int64
	given chan struct{} // closed at the next give while somebody waits
}

// take waits for at most so long.
func (b *budget) take(n int64, wait time.Duration) bool {
	var late <-chan time.Time
	for {
		b.mu.Lock()
		if b.free >= n {
			b.free -= n
			b.mu.Unlock()
			return true
		}
		if b.given == nil {
			b.given = make(chan struct{})
		}
		given := b.given
		b.mu.Unlock()
		if late == nil {
			late = time.After(wait)
		}
		select {
		case <-given:
		case <-late:
			return false
		}
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	if b.given != nil {
		close(b.given)
		b.given = nil
	}
}

// Unreadable is a frame from which no message could be made.
type Unreadable struct {
	At      time.Time
	Station string
	Reason  string
	Head    string // the beginning of the frame
}

// quarantine keeps the last unreadable frames.
type quarantine struct {
	mu   sync.Mutex
	kept []Unreadable
}

const quarantineSize = 256

func (q *quarantine) add(u Unreadable) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.kept) == quarantineSize {
		q.kept = append(q.kept[:0], q.kept[1:]...)
	}
	q.kept = append(q.kept, u)
}

func (q *quarantine) list() []Unreadable {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]Unreadable(nil), q.kept...)
}
