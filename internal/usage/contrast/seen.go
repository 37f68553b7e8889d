package contrast

import (
	"cmp"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// Span is a stretch of time; To is not included.
type Span struct{ From, To time.Time }

// cut is the part of a span that lies in another.
func (s Span) cut(o Span) Span {
	if o.From.After(s.From) {
		s.From = o.From
	}
	if o.To.Before(s.To) {
		s.To = o.To
	}
	return s
}

func (s Span) days() float64 { return max(0, s.To.Sub(s.From).Hours()/24) }

func (s Span) holds(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// sameFault joins what a port reports within it: a fault that comes back at once is one.
const sameFault = 15 * time.Minute

// Seen is what is known of a station. Lists of points are oldest first and begin with
// what was in force.
type Seen struct {
	Tries []attempt.Attempt
	Ports [][]fleet.Point
	Links []fleet.Point
	Up    []Span // when we listened
}

// During is what a station did in a span.
func (s *Seen) During(span Span) Half {
	h := Half{Stations: 1}
	for i := range s.Tries {
		a := &s.Tries[i]
		if a.EndsAt.IsZero() || !span.holds(a.At) || notIts(a) {
			continue
		}
		h.Tries++
		if !a.Failed {
			h.Good++
		}
	}
	online := 0.0
	for _, up := range s.Up {
		up = up.cut(span)
		h.StationDays += up.days()
		each(s.Links, up, func(part Span, state string) {
			if state == "online" {
				online += part.days()
			}
		})
	}
	h.OfflineDays = max(0, h.StationDays-online)
	h.PortDays = online * float64(len(s.Ports))
	for _, states := range s.Ports {
		h.Faults += faults(states, span)
	}
	return h
}

// notIts reports a try that failed by the doing of others, whatever the station runs: a
// token that is not accepted, a driver who left, a command of ours that was lost.
func notIts(a *attempt.Attempt) bool {
	return a.Failed && (a.Side == attempt.Driver || a.Side == attempt.Backend)
}

// each tells the states that points give a span, with the part of it that each lasted.
func each(points []fleet.Point, span Span, yield func(part Span, state string)) {
	for i := range points {
		part := Span{points[i].ValidFrom, span.To}
		if i+1 < len(points) {
			part.To = points[i+1].ValidFrom
		}
		if part = part.cut(span); part.From.Before(part.To) {
			yield(part, points[i].State)
		}
	}
}

// faults counts how often a port broke in a span.
func faults(points []fleet.Point, span Span) (n int) {
	broken, over := false, time.Time{}
	for i := range points {
		p := &points[i]
		switch fleet.ParseStatus(p.State) {
		case fleet.Unknown: // nobody could tell: it may be broken still
		case fleet.Faulted:
			if !broken && span.holds(p.ValidFrom) && (over.IsZero() || p.ValidFrom.Sub(over) >= sameFault) {
				n++
			}
			broken = true
		default:
			if broken {
				over = p.ValidFrom
			}
			broken = false
		}
	}
	return n
}

// Subject is a station that something was done to, or one it is compared with.
type Subject struct {
	Station string
	Kind    string // those of one kind are compared
	// From and To are when it was done: before and after are told of the time around.
	From, To time.Time
}

// Halves are the spans before and after, of one length: whole days if there is one, at
// most Most. known is from when on the station may be looked at, until to when. ok is
// false while there is nothing on one of the sides.
func (s *Subject) Halves(known, until time.Time) (before, after Span, ok bool) {
	after.From = s.From.Add(Aside)
	if s.To.After(after.From) {
		after.From = s.To
	}
	length := min(s.From.Sub(known), until.Sub(after.From), Most)
	if length > Day {
		length = length.Truncate(Day)
	}
	if length <= 0 {
		return before, after, false
	}
	before = Span{s.From.Add(-length), s.From}
	after.To = after.From.Add(length)
	return before, after, true
}

// Runs is the time around a moment in which a station ran one version before it and
// another after it, as far as its boots in the events tell (oldest first).
func Runs(events []*event.Event, s *Subject, before, after string, known, until time.Time) (from, to time.Time) {
	from, to = known, until
	for _, e := range events {
		b, ok := e.Body.(*event.Boot)
		if !ok || b.Firmware == "" {
			continue
		}
		switch {
		case !e.At.After(s.From) && b.Firmware != before:
			from = s.From // until a boot tells otherwise
		case !e.At.After(s.From) && from.Equal(s.From):
			from = e.At
		case e.At.After(s.To) && b.Firmware != after && e.At.Before(to):
			to = e.At
		}
	}
	return from, to
}

// Paired gives stations that nothing was done to the times of those of their kind to which
// something was, in turn, so that both tell of the same days. Those without one of their
// kind are left out.
func Paired(done []Subject, others []Subject) []Subject {
	of := make(map[string][]*Subject)
	for i := range done {
		of[done[i].Kind] = append(of[done[i].Kind], &done[i])
	}
	others = slices.Clone(others)
	slices.SortFunc(others, func(a, b Subject) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Station, b.Station)) })
	out := others[:0]
	next := make(map[string]int)
	for _, x := range others {
		list := of[x.Kind]
		if len(list) == 0 {
			continue
		}
		like := list[next[x.Kind]%len(list)]
		next[x.Kind]++
		x.From, x.To = like.From, like.To
		out = append(out, x)
	}
	return out
}
