package rule

import (
	"container/heap"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Due returns when the next timer falls due.
func (x *Engine) Due() (time.Time, bool) {
	x.settle()
	if len(x.alarms) == 0 {
		return time.Time{}, false
	}
	return x.alarms[0].due, true
}

// Fire fires the earliest timer, which Due told of.
func (x *Engine) Fire(n *detect.Network) []detect.Finding {
	x.out = x.out[:0]
	x.settle()
	if len(x.alarms) == 0 {
		return nil
	}
	a := heap.Pop(&x.alarms).(alarm)
	x.now = later(x.now, a.due)
	r := x.rules[a.rule]
	s := r.states[a.subject]
	s.Due, s.queued, s.dirty = time.Time{}, time.Time{}, true
	x.ring(n, r, a.subject, s)
	return x.out
}

// arm sets the one timer of a state.
func (x *Engine) arm(r *active, subject event.Subject, s *state) {
	due := time.Time{}
	switch {
	case s.Open && r.ClearAfterSeconds > 0:
		due = s.Last.Add(time.Duration(r.ClearAfterSeconds) * time.Second)
	case s.Open:
	case r.Count != nil && len(s.Hits) > 0: // the newest count is forgotten then
		due = s.Hits[len(s.Hits)-1].Add(time.Duration(r.Count.WithinSeconds)*time.Second + time.Nanosecond)
	case r.ForSeconds > 0 && !s.Due.IsZero(): // it waits already
		due = s.Due
	case r.ForSeconds > 0:
		due = s.Since.Add(time.Duration(r.ForSeconds) * time.Second)
	}
	if due.Equal(s.Due) {
		return
	}
	s.Due, s.dirty = due, true
	x.queue(r.ID, subject, s)
}

// queue sees to an alarm for a state. One that is moved back keeps its place: it
// is queued anew when it comes up, so that a condition that is told again and
// again has one.
func (x *Engine) queue(rule string, subject event.Subject, s *state) {
	if s.Due.IsZero() || !s.queued.IsZero() && !s.Due.Before(s.queued) {
		return
	}
	s.queued = s.Due
	heap.Push(&x.alarms, alarm{due: s.Due, rule: rule, subject: subject})
	if len(x.alarms) > max(x.compact, minSweep) {
		x.sweep()
	}
}

// minSweep is how many alarms are never worth sweeping.
const minSweep = 1024

// sweep drops alarms of what is no more.
func (x *Engine) sweep() {
	x.alarms = slices.DeleteFunc(x.alarms, func(a alarm) bool {
		s := x.stateOf(a)
		return s == nil || !s.queued.Equal(a.due)
	})
	heap.Init(&x.alarms)
	x.compact = 2 * len(x.alarms)
}

func (x *Engine) stateOf(a alarm) *state {
	if r := x.rules[a.rule]; r != nil {
		return r.states[a.subject]
	}
	return nil
}

// alarm is a timer as the engine keeps it in order: by due time, rule, subject.
type alarm struct {
	due     time.Time
	rule    string
	subject event.Subject
}

type alarms []alarm

// settle brings an alarm to the head that is to ring, dropping and moving others.
func (x *Engine) settle() {
	for len(x.alarms) > 0 {
		a := x.alarms[0]
		s := x.stateOf(a)
		if s == nil || !s.queued.Equal(a.due) {
			heap.Pop(&x.alarms)
			continue
		}
		if s.Due.Equal(a.due) {
			return
		}
		heap.Pop(&x.alarms)
		s.queued = time.Time{}
		x.queue(a.rule, a.subject, s)
	}
}

func (l alarms) Len() int { return len(l) }
func (l alarms) Less(i, j int) bool {
	if c := l[i].due.Compare(l[j].due); c != 0 {
		return c < 0
	}
	if l[i].rule != l[j].rule {
		return l[i].rule < l[j].rule
	}
	return bySubject(l[i].subject, l[j].subject) < 0
}
func (l alarms) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *alarms) Push(x any)   { *l = append(*l, x.(alarm)) }
func (l *alarms) Pop() any {
	old := *l
	last := old[len(old)-1]
	*l = old[:len(old)-1]
	return last
}
