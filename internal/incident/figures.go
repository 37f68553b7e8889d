package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Span is a time from which figures are taken; To is not part of it.
type Span struct{ From, To time.Time }

// within reports whether something happened in the span.
func (s Span) within(t time.Time) bool { return !t.IsZero() && !t.Before(s.From) && t.Before(s.To) }

// Watched is what could have failed, and for how long together it was watched.
type Watched struct {
	Ports, Stations       int
	PortTime, StationTime time.Duration
}

// Figures say how well incidents are handled. The words are those of IEC
// 60050-192 (International Electrotechnical Vocabulary, dependability): mean time
// to restoration (192-07-23) and mean operating time between failures
// (192-05-13). Mean time to acknowledge is no term of it; it is taken as the time
// from opening until a person acknowledged.
type Figures struct {
	Opened int // in the span, children of a common cause apart
	Closed int // in the span, whenever they were opened
	Open   int // of those opened, not over at its end

	Acknowledged int
	Repaired     int
	NotProven    int // recovered, and nobody knows when
	Repeated     int // came back while open or within a day of their end

	// MTTA, MTTR and MTBF are nil where nothing is there to take them from.
	MTTA *time.Duration
	MTTR *time.Duration
	// MedianRepair says more than the mean where a few last long.
	MedianRepair *time.Duration

	Failures     int // of stations: children count, what takes no port from drivers does not
	PortFailures int // the same, each as often as it took ports
	Down         time.Duration
	PortDown     time.Duration
	MTBFStation  *time.Duration
	MTBFPort     *time.Duration

	Healed Healed
	Ack    Promises
	Repair Promises
}

// Healed tells of repaired incidents what ended them.
type Healed struct{ Machine, Itself, People int }

// Promises counts what was promised: kept, broken, and not due yet.
type Promises struct{ Kept, Breached, Running int }

// Measure takes figures of a span. list holds what was opened or not over in it;
// whatever else is in it counts for nothing. MTTA, MTTR, repeats and promises are
// those of what was opened in the span. MTBF is the time in which stations or
// ports were watched, less what they were down, over the failures.
func Measure(list []Measured, in Span, w Watched) Figures {
	var f Figures
	var acks, repairs []time.Duration
	for i := range list {
		x := &list[i]
		if x.Aside {
			continue
		}
		f.fail(x, in)
		if x.Child {
			continue
		}
		if in.within(x.ClosedAt) {
			f.Closed++
		}
		if !in.within(x.OpenedAt) {
			continue
		}
		f.Opened++
		if x.ClosedAt.IsZero() && x.RepairedAt.IsZero() || x.RepairedAt.After(in.To) {
			f.Open++
		}
		if x.Repeats > 0 {
			f.Repeated++
		}
		if !x.AcknowledgedAt.IsZero() {
			f.Acknowledged++
			acks = append(acks, max(x.AcknowledgedAt.Sub(x.BeganAt), 0))
		}
		f.heal(x)
		if !x.RepairedAt.IsZero() {
			f.Repaired++
			repairs = append(repairs, x.Down)
		}
		f.Ack.judge(x.AckDueAt, first(x.AcknowledgedAt, x.RepairedAt, x.ClosedAt), x.AckLate, in.To)
		f.Repair.judge(x.RepairDueAt, first(x.RepairedAt, x.ClosedAt), x.RepairLate, in.To)
	}
	f.MTTA, f.MTTR, f.MedianRepair = mean(acks), mean(repairs), median(repairs)
	f.MTBFStation = between(w.StationTime-f.Down, f.Failures)
	f.MTBFPort = between(w.PortTime-f.PortDown, f.PortFailures)
	return f
}

// fail counts a failure and how long it lasted within the span.
func (f *Figures) fail(x *Measured, in Span) {
	if x.Station == "" || !x.fails() {
		return
	}
	if in.within(x.OpenedAt) {
		f.Failures++
		f.PortFailures += x.Ports
	}
	end := first(x.RepairedAt, x.ClosedAt)
	if end.IsZero() || end.After(in.To) {
		end = in.To
	}
	begin := x.OpenedAt
	if begin.Before(in.From) {
		begin = in.From
	}
	down := x.Down
	if !x.DownSince.IsZero() && x.DownSince.Before(in.To) {
		down += in.To.Sub(x.DownSince)
	}
	down = max(min(down, end.Sub(begin)), 0)
	f.Down += down
	f.PortDown += down * time.Duration(x.Ports)
}

// heal counts what ended an incident.
func (f *Figures) heal(x *Measured) {
	if x.NotProven {
		f.NotProven++
	}
	switch x.HealedBy {
	case HealedByMachine:
		f.Healed.Machine++
	case HealedByItself:
		f.Healed.Itself++
	case HealedByPeople:
		f.Healed.People++
	}
}

// judge counts a promise. One that was broken once stays broken, whatever came
// later; one that still runs is not judged.
func (p *Promises) judge(due, done time.Time, late bool, now time.Time) {
	switch {
	case late:
		p.Breached++
	case due.IsZero():
	case !done.IsZero() && !done.After(due):
		p.Kept++
	case !done.IsZero() || now.After(due):
		p.Breached++
	default:
		p.Running++
	}
}

// Judged is how many promises were kept or broken.
func (p Promises) Judged() int { return p.Kept + p.Breached }

// Group is the figures of what has something in common.
type Group struct {
	Key string
	Figures
}

// MeasureBy takes figures of each group, the one with most incidents first. What
// has an empty key is in none.
func MeasureBy(list []Measured, in Span, key func(*Measured) string, watched func(key string) Watched) []Group {
	parts := make(map[string][]Measured)
	for i := range list {
		if k := key(&list[i]); k != "" {
			parts[k] = append(parts[k], list[i])
		}
	}
	out := make([]Group, 0, len(parts))
	for _, k := range slices.Sorted(maps.Keys(parts)) {
		g := Group{k, Measure(parts[k], in, watched(k))}
		if g.Opened+g.Closed+g.Failures > 0 {
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Opened, a.Opened), cmp.Compare(b.Failures, a.Failures))
	})
	return out
}

// Course takes figures of each part of a span; edges are where one ends and the
// next begins.
func Course(list []Measured, edges []time.Time) []Figures {
	var out []Figures
	for i := 1; i < len(edges); i++ {
		out = append(out, Measure(list, Span{edges[i-1], edges[i]}, Watched{}))
	}
	return out
}

// first is the earliest of the times that are known.
func first(list ...time.Time) time.Time {
	var out time.Time
	for _, t := range list {
		if !t.IsZero() && (out.IsZero() || t.Before(out)) {
			out = t
		}
	}
	return out
}

func between(up time.Duration, failures int) *time.Duration {
	if failures == 0 || up <= 0 {
		return nil
	}
	d := up / time.Duration(failures)
	return &d
}

func mean(list []time.Duration) *time.Duration {
	if len(list) == 0 {
		return nil
	}
	sum := time.Duration(0)
	for _, d := range list {
		sum += d
	}
	sum /= time.Duration(len(list))
	return &sum
}

func median(list []time.Duration) *time.Duration {
	if len(list) == 0 {
		return nil
	}
	slices.Sort(list)
	middle := list[len(list)/2]
	if len(list)%2 == 0 {
		middle = (middle + list[len(list)/2-1]) / 2
	}
	return &middle
}

// fails reports trouble that takes a port from drivers: not what is only good to
// know or slower than it should be.
func (x *Measured) fails() bool {
	switch x.Family {
	case Connectivity, Electrical, Starting, Stuck:
		return x.Severity != event.S4
	}
	return false
}
