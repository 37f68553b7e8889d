package web

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// maxIntervals bounds one lane of a timeline; beyond it time goes in steps.
const maxIntervals = 2000

// toldLate is how long after it happened a state counts as told later.
const toldLate = 2 * time.Minute

// link is what is known of a station's connection.
type link uint8

const (
	linkUnknown link = iota
	linkOffline
	linkOnline
)

// laneState is what is known of a port, or of a station's connection, at a time.
type laneState struct {
	status fleet.Status
	link   link
	unseen bool // we were not up
	late   bool // not known then: told more than toldLate after it began
}

// online is nil when nobody knows.
func (s laneState) online() *bool {
	if s.unseen || s.link == linkUnknown {
		return nil
	}
	return new(s.link == linkOnline)
}

// trouble ranks what a step must not hide; zero is no trouble.
func (s laneState) trouble() int {
	switch {
	case s.status == fleet.Faulted && (s.late || s.link != linkOffline && !s.unseen):
		return 4
	case s.link == linkOffline && !s.unseen && !s.late:
		return 3
	case s.unseen && !s.late:
		return 2
	case s.status == fleet.Unavailable:
		return 1
	}
	return 0
}

// segment is a time in which nothing changed; to is not included.
type segment struct {
	from, to time.Time
	laneState
}

// walk calls yield for each stretch between two times, in order and without a
// gap. States and links are those of a track, oldest first, and may begin
// before from; unseen is when we were not up.
func walk(states, links []fleet.Point, unseen []journal.Interval, from, to time.Time, yield func(segment)) {
	now := laneState{status: fleet.Unknown}
	var known time.Time // when the state was told
	for at := from; at.Before(to); {
		for len(states) > 0 && !states[0].ValidFrom.After(at) {
			now.status = fleet.ParseStatus(states[0].State)
			known = time.Time{}
			if states[0].KnownAt.Sub(states[0].ValidFrom) > toldLate {
				known = states[0].KnownAt
			}
			states = states[1:]
		}
		now.late = at.Before(known)
		for len(links) > 0 && !links[0].ValidFrom.After(at) {
			now.link = linkOffline
			if links[0].State == "online" {
				now.link = linkOnline
			}
			links = links[1:]
		}
		for len(unseen) > 0 && !unseen[0].To.After(at) {
			unseen = unseen[1:]
		}
		next := to
		soonest := func(t time.Time) {
			if t.Before(next) {
				next = t
			}
		}
		now.unseen = len(unseen) > 0 && !unseen[0].From.After(at)
		switch {
		case now.unseen:
			soonest(unseen[0].To)
		case len(unseen) > 0:
			soonest(unseen[0].From)
		}
		if now.late {
			soonest(known)
		}
		if len(states) > 0 {
			soonest(states[0].ValidFrom)
		}
		if len(links) > 0 {
			soonest(links[0].ValidFrom)
		}
		yield(segment{at, next, now})
		at = next
	}
}

// gaps is the time between two times that lies in none of the intervals, which
// come oldest first.
func gaps(observed []journal.Interval, from, to time.Time) []journal.Interval {
	var out []journal.Interval
	for _, o := range observed {
		if o.From.After(from) {
			out = append(out, journal.Interval{From: from, To: o.From})
		}
		if o.To.After(from) {
			from = o.To
		}
	}
	if from.Before(to) {
		out = append(out, journal.Interval{From: from, To: to})
	}
	return out
}

// lane collects the segments of one track. It is exact until there are too
// many, or a step is set: then each step shows the worst trouble in it, else
// what held longest.
type lane struct {
	from time.Time
	step time.Duration // zero: exact
	list []segment
	// open is the step that has not ended, with how long each state held in it.
	open []segment
	full bool // exact and too long
}

func (l *lane) add(s segment) {
	if l.step == 0 {
		l.join(s)
		return
	}
	for s.from.Before(s.to) {
		start := l.from.Add(s.from.Sub(l.from) / l.step * l.step)
		if len(l.open) == 0 && s.from.Equal(start) && s.to.Sub(start) >= l.step {
			end := start.Add(s.to.Sub(start) / l.step * l.step)
			l.join(segment{start, end, s.laneState})
			s.from = end
			continue
		}
		part := s
		if end := start.Add(l.step); !part.to.Before(end) {
			part.to = end
			l.open = append(l.open, part)
			l.close()
		} else {
			l.open = append(l.open, part)
		}
		s.from = part.to
	}
}

// close ends the open step.
func (l *lane) close() {
	if len(l.open) == 0 {
		return
	}
	held := make(map[laneState]time.Duration, len(l.open))
	var chosen laneState
	for i, s := range l.open {
		held[s.laneState] += s.to.Sub(s.from)
		a, b := s.trouble(), chosen.trouble()
		if i == 0 || a > b || a == b && held[s.laneState] > held[chosen] {
			chosen = s.laneState
		}
	}
	l.join(segment{l.open[0].from, l.open[len(l.open)-1].to, chosen})
	l.open = l.open[:0]
}

// join appends a segment, to the last one if nothing changed.
func (l *lane) join(s segment) {
	if n := len(l.list); n > 0 && l.list[n-1].laneState == s.laneState {
		l.list[n-1].to = s.to
		return
	}
	l.list = append(l.list, s)
	l.full = l.full || l.step == 0 && len(l.list) > maxIntervals
}

// coarsen goes on in steps, with what was collected so far too.
func (l *lane) coarsen(step time.Duration) {
	if l.step == step {
		return
	}
	old := l.list
	l.list, l.step, l.full = nil, step, false
	for _, s := range old {
		l.add(s)
	}
}
