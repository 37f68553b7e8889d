package fleet

import (
	"container/heap"
	"slices"
	"time"
)

// Timers belong to stations and are checkpointed with them. The state knows of
// each station only when it next wants to be woken; a batch works on alarms of
// its own, so that a discarded one leaves no trace.

// Advance fires the timers due at or before t, ordered by due time, station and
// key, and returns the derived events with RecordedAt set and Seq unset.
func (b *Batch) Advance(t time.Time) Effects {
	var fx Effects
	b.pull(t)
	for len(b.alarms) > 0 && !b.alarms[0].due.After(t) {
		a := heap.Pop(&b.alarms).(alarm)
		st, ok := b.peek(a.station)
		if !ok || !slices.ContainsFunc(st.Timers, func(t Timer) bool { return t.Key == a.key && t.Due.Equal(a.due) }) {
			continue // cancelled or moved since
		}
		st = b.station(a.station)
		st.dropTimer(a.key)
		b.fire(st, a.key, latest(a.due, b.meta.RecordedAt), &fx)
	}
	return fx
}

// pull takes the timers of the stations that want to be woken by t.
func (b *Batch) pull(t time.Time) {
	for id := range b.state.wakeups.until(t) {
		if _, done := b.pulled[id]; done {
			continue
		}
		if b.pulled == nil {
			b.pulled = make(map[string]struct{})
		}
		b.pulled[id] = struct{}{}
		for _, timer := range b.state.stations[id].Timers {
			heap.Push(&b.alarms, alarm{due: timer.Due, station: id, key: timer.Key})
		}
	}
}

// setTimer arms or moves the station's timer of that key.
func (b *Batch) setTimer(st *Station, key string, due time.Time) {
	st.dropTimer(key)
	st.Timers = append(slices.Clip(st.Timers), Timer{Due: due, Key: key})
	heap.Push(&b.alarms, alarm{due: due, station: st.ID, key: key})
}

func (st *Station) hasTimer(key string) bool {
	return slices.ContainsFunc(st.Timers, func(t Timer) bool { return t.Key == key })
}

// dropTimer cancels the station's timer of that key.
func (st *Station) dropTimer(key string) {
	if i := slices.IndexFunc(st.Timers, func(t Timer) bool { return t.Key == key }); i >= 0 {
		st.Timers = without(st.Timers, i)
	}
}

// without returns a copy of a list less one element, nil if nothing is left:
// a restored state is equal to the one that was stored.
func without[T any](list []T, i int) []T {
	if len(list) == 1 {
		return nil
	}
	return slices.Delete(slices.Clone(list), i, i+1)
}

// alarm is a timer in a batch's queue; it counts only while the station still
// has it.
type alarm struct {
	due     time.Time
	station string
	key     string
}

type alarms []alarm

func (q alarms) Len() int { return len(q) }
func (q alarms) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	if q[i].station != q[j].station {
		return q[i].station < q[j].station
	}
	return q[i].key < q[j].key
}
func (q alarms) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *alarms) Push(x any)   { *q = append(*q, x.(alarm)) }
func (q *alarms) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// wakeups is a heap of the stations that have timers, by their earliest one.
type wakeups struct {
	list  []wakeup
	place map[string]int
}

type wakeup struct {
	due     time.Time
	station string
}

func (w *wakeups) next() (time.Time, bool) {
	if len(w.list) == 0 {
		return time.Time{}, false
	}
	return w.list[0].due, true
}

// set follows a change of a station; nil is a removed one.
func (w *wakeups) set(id string, st *Station) {
	if len(w.list) == 0 && (st == nil || len(st.Timers) == 0) {
		return
	}
	i, queued := w.place[id]
	if st == nil || len(st.Timers) == 0 {
		if queued {
			heap.Remove(w, i)
		}
		return
	}
	due := st.Timers[0].Due
	for _, t := range st.Timers[1:] {
		due = earliest(due, t.Due)
	}
	if !queued {
		heap.Push(w, wakeup{due, id})
	} else if !w.list[i].due.Equal(due) {
		w.list[i].due = due
		heap.Fix(w, i)
	}
}

// until yields the stations to wake by t, in no order.
func (w *wakeups) until(t time.Time) func(yield func(string) bool) {
	return func(yield func(string) bool) { w.walk(0, t, yield) }
}

func (w *wakeups) walk(i int, t time.Time, yield func(string) bool) bool {
	if i >= len(w.list) || w.list[i].due.After(t) {
		return true
	}
	return yield(w.list[i].station) && w.walk(2*i+1, t, yield) && w.walk(2*i+2, t, yield)
}

func (w *wakeups) Len() int           { return len(w.list) }
func (w *wakeups) Less(i, j int) bool { return w.list[i].due.Before(w.list[j].due) }
func (w *wakeups) Swap(i, j int) {
	w.list[i], w.list[j] = w.list[j], w.list[i]
	w.place[w.list[i].station], w.place[w.list[j].station] = i, j
}
func (w *wakeups) Push(x any) {
	w.place[x.(wakeup).station] = len(w.list)
	w.list = append(w.list, x.(wakeup))
}
func (w *wakeups) Pop() any {
	last := w.list[len(w.list)-1]
	w.list = w.list[:len(w.list)-1]
	delete(w.place, last.station)
	return last
}
