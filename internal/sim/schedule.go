package sim

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// schedule wakes stations when their next timer is due. One goroutine and one
// heap serve all stations: a timer per station would cost more than the
// station does.
type schedule struct {
	mu    sync.Mutex
	heap  wakeHeap
	alarm chan struct{}
}

func newSchedule() *schedule {
	return &schedule{alarm: make(chan struct{}, 1)}
}

// set moves a station's wake-up to due.
func (s *schedule) set(st *station, due time.Time) {
	s.mu.Lock()
	st.due = due
	if st.slot >= 0 {
		heap.Fix(&s.heap, st.slot)
	} else {
		heap.Push(&s.heap, st)
	}
	first := st.slot == 0
	s.mu.Unlock()
	if first {
		select {
		case s.alarm <- struct{}{}:
		default:
		}
	}
}

// run wakes due stations until ctx ends.
func (s *schedule) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var due []*station
	for {
		now := time.Now()
		wait := time.Hour
		s.mu.Lock()
		due = due[:0]
		for len(s.heap) > 0 {
			if d := s.heap[0].due.Sub(now); d > 0 {
				wait = min(wait, d)
				break
			}
			due = append(due, heap.Pop(&s.heap).(*station))
		}
		s.mu.Unlock()
		for _, st := range due {
			st.wake()
		}
		if len(due) > 0 {
			continue // waking took time: look again before sleeping
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-s.alarm:
		case <-timer.C:
		}
	}
}

// wakeHeap orders stations by due time, then by number so that simultaneous
// wake-ups have one order.
type wakeHeap []*station

func (h wakeHeap) Len() int { return len(h) }
func (h wakeHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].number < h[j].number
	}
	return h[i].due.Before(h[j].due)
}
func (h wakeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = i, j
}
func (h *wakeHeap) Push(x any) {
	st := x.(*station)
	st.slot = len(*h)
	*h = append(*h, st)
}
func (h *wakeHeap) Pop() any {
	old := *h
	st := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	st.slot = -1
	return st
}
