package journal

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Batch is what a subscriber gets at once. Its events are shared: they must
// not be changed.
type Batch struct {
	Events []*event.Event
	Next   Cursor // resumes behind the batch
	// Now is set by Watch on a batch without events: all that is recorded up to
	// then has been given.
	Now time.Time
}

const subscribeBatch = 512

// Subscribe yields every event after the cursor, in order, and waits for more
// until ctx ends or the journal is drained. Near the head it reads memory, far
// from it the table; the writer never waits for it.
func (j *Journal) Subscribe(ctx context.Context, from Cursor) iter.Seq2[Batch, error] {
	return j.follow(ctx, from, 0)
}

// Watch is Subscribe that also tells how time passes while nothing happens, as
// often as every.
func (j *Journal) Watch(ctx context.Context, from Cursor, every time.Duration) iter.Seq2[Batch, error] {
	return j.follow(ctx, from, every)
}

// Channel hands over what a subscription yields, for those who wait for other things
// beside it, until ctx ends. An error is the last that comes.
func Channel(ctx context.Context, subscription iter.Seq2[Batch, error]) (<-chan Batch, <-chan error) {
	batches, failed := make(chan Batch), make(chan error, 1)
	go func() {
		for b, err := range subscription {
			if err != nil {
				failed <- err
				return
			}
			select {
			case batches <- b:
			case <-ctx.Done():
			}
		}
	}()
	return batches, failed
}

func (j *Journal) follow(ctx context.Context, from Cursor, every time.Duration) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		after, err := from.Seq()
		if err != nil {
			yield(Batch{}, err)
			return
		}
		if head := j.recent.last(); after > head {
			yield(Batch{}, fmt.Errorf("cursor %d is ahead of the journal at %d: %w", after, head, ErrCursor))
			return
		}
		var beat <-chan time.Time
		if every > 0 {
			t := time.NewTicker(every)
			defer t.Stop()
			beat = t.C
		}
		told := time.Time{}
		for {
			wake, clock := j.Published(), j.Clock()
			head := j.recent.last()
			events, near := j.recent.after(after, subscribeBatch)
			if !near {
				if events, err = j.store.Tail(ctx, after, head, subscribeBatch); err != nil {
					yield(Batch{}, err)
					return
				}
				if len(events) == 0 { // retention took them all
					after = head
				}
			}
			if len(events) > 0 {
				after = events[len(events)-1].Seq
				if !yield(Batch{Events: events, Next: CursorAt(after)}, nil) {
					return
				}
				if ctx.Err() == nil {
					continue
				}
			}
			if after < head {
				continue
			}
			if every > 0 && len(events) == 0 && clock.After(told) {
				told = clock
				if !yield(Batch{Next: CursorAt(after), Now: clock}, nil) {
					return
				}
			}
			select {
			case <-wake:
			case <-beat:
			case <-ctx.Done():
				return
			case <-j.done:
				if j.recent.last() == after {
					return
				}
			}
		}
	}
}

// Bounds of what is kept in memory for subscribers.
const (
	ringEvents = 4096
	ringBytes  = 16 << 20
)

// ring holds the newest events, without gaps.
type ring struct {
	mu    sync.Mutex
	buf   [ringEvents]*event.Event // place seq % ringEvents
	sizes [ringEvents]int32
	first uint64 // oldest held
	next  uint64 // one past the newest held
	bytes int
}

// reset says that the next event will be the one after seq.
func (r *ring) reset(seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first, r.next = seq+1, seq+1
}

func (r *ring) last() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next - 1
}

func (r *ring) add(rows []Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rows {
		size := len(row.Encoded)
		for r.next-r.first >= ringEvents || r.first < r.next && r.bytes+size > ringBytes {
			i := r.first % ringEvents
			r.bytes -= int(r.sizes[i])
			r.buf[i] = nil
			r.first++
		}
		i := row.Seq % ringEvents
		r.buf[i], r.sizes[i] = row.Event, int32(min(size, 1<<30))
		r.bytes += size
		r.next = row.Seq + 1
	}
}

// after copies out up to limit events after seq; near is false when the ring
// no longer holds the first of them.
func (r *ring) after(seq uint64, limit int) (events []*event.Event, near bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq+1 < r.first {
		return nil, false
	}
	if seq+1 >= r.next {
		return nil, true
	}
	n := min(int(r.next-seq-1), limit)
	events = make([]*event.Event, n)
	for i := range n {
		events[i] = r.buf[(seq+1+uint64(i))%ringEvents]
	}
	return events, true
}
