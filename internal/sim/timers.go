package sim

import "time"

// timer is one thing a station will do at a simulated time.
type timer struct {
	at  time.Time
	seq uint64
	fn  func()
}

// timers is a station's own short list, in no order: a station has about ten.
type timers struct {
	list []*timer
	seq  uint64
}

// set arranges for fn to run at a simulated time.
func (t *timers) set(at time.Time, fn func()) *timer {
	t.seq++
	n := &timer{at: at, seq: t.seq, fn: fn}
	t.list = append(t.list, n)
	return n
}

// stop forgets a timer; nil and fired timers are fine.
func (t *timers) stop(n *timer) {
	if n == nil {
		return
	}
	for i, o := range t.list {
		if o == n {
			t.drop(i)
			return
		}
	}
}

// next returns the earliest timer, in order of time and then of setting.
func (t *timers) next() (at time.Time, ok bool) {
	i := t.first()
	if i < 0 {
		return time.Time{}, false
	}
	return t.list[i].at, true
}

// take removes and returns the earliest timer when it is due.
func (t *timers) take(now time.Time) *timer {
	i := t.first()
	if i < 0 || t.list[i].at.After(now) {
		return nil
	}
	n := t.list[i]
	t.drop(i)
	return n
}

func (t *timers) drop(i int) {
	last := len(t.list) - 1
	t.list[i] = t.list[last]
	t.list[last] = nil
	t.list = t.list[:last]
}

func (t *timers) first() int {
	best := -1
	for i, n := range t.list {
		if best < 0 || n.at.Before(t.list[best].at) || n.at.Equal(t.list[best].at) && n.seq < t.list[best].seq {
			best = i
		}
	}
	return best
}
