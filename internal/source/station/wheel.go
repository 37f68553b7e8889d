package station

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// wheel is the one clock of all connections: it sends jittered pings, closes
// links that answer none, and cuts reads and writes that never finish. Links
// own no timer.
type wheel struct {
	mu    sync.Mutex
	slots [wheelSlots][]*link
	now   int
}

const (
	wheelSlots = 64
	wheelTick  = time.Second
)

// add schedules the link's next visit.
func (w *wheel) add(l *link, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(max(int(after/wheelTick), 1), wheelSlots-1)
	slot := (w.now + n) % wheelSlots
	w.slots[slot] = append(w.slots[slot], l)
}

func (w *wheel) run(ctx context.Context, ep *Endpoint) {
	tick := time.NewTicker(wheelTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.mu.Lock()
			w.now = (w.now + 1) % wheelSlots
			due := w.slots[w.now]
			w.slots[w.now] = nil
			w.mu.Unlock()
			for _, l := range due {
				if l.gone.Load() {
					continue
				}
				if !l.alive(now) {
					continue
				}
				go l.checkPing(ctx)
				w.add(l, jitter(ep.o.Ping))
			}
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
	mu   sync.Mutex
	free int64
}

func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free < n {
		return false
	}
	b.free -= n
	return true
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	b.free += n
	b.mu.Unlock()
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
