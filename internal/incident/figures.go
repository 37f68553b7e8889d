package incident

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Span is a time from which figures are taken; To is not part of it.
type Span struct{ From, To time.Time }

// Figures say how well incidents are handled. The words are those of IEC
// 60050-192 (International Electrotechnical Vocabulary, dependability): mean time
// to restoration (192-07-23) and mean operating time between failures
// (192-05-13). Mean time to acknowledge is no term of it; it is taken as the time
// from opening until a person acknowledged.
type Figures struct {
	Incidents    int // opened in the span, children of a common cause apart
	Acknowledged int
	Repaired     int
	// MTTA, MTTR and MTBF are nil where nothing is there to take them from.
	MTTA *time.Duration
	MTTR *time.Duration
	MTBF *time.Duration
	// MedianRepair says more than the mean where a few last long.
	MedianRepair *time.Duration
	AckInTime    int // of those with a promise that were acknowledged or are due
	AckPromised  int
	FixInTime    int
	FixPromised  int
}

// Measure takes figures of the incidents opened in a span. ports is how many
// ports were watched; MTBF is their time in the span less what they were down,
// over the failures. Incidents judged false or a test count for nothing, and
// children are counted by their parent.
func Measure(list []*Incident, in Span, ports int) Figures {
	var f Figures
	var acks, repairs []time.Duration
	failures, down := 0, time.Duration(0)
	for _, x := range list {
		if !counts(x) || x.OpenedAt.Before(in.From) || !x.OpenedAt.Before(in.To) {
			continue
		}
		if x.Family != Common && fails(x) {
			failures++
			down += outage(x, in.To)
		}
		if x.ParentID != nil {
			continue
		}
		f.Incidents++
		if x.AcknowledgedAt != nil {
			f.Acknowledged++
			acks = append(acks, x.AcknowledgedAt.Sub(x.OpenedAt))
		}
		if x.RepairedAt != nil {
			f.Repaired++
			repairs = append(repairs, x.RepairedAt.Sub(x.OpenedAt))
		}
		f.promises(x, in.To)
	}
	f.MTTA, f.MTTR = mean(acks), mean(repairs)
	if len(repairs) > 0 {
		slices.Sort(repairs)
		middle := repairs[len(repairs)/2]
		if len(repairs)%2 == 0 {
			middle = (middle + repairs[len(repairs)/2-1]) / 2
		}
		f.MedianRepair = &middle
	}
	if failures > 0 && ports > 0 {
		up := time.Duration(ports)*in.To.Sub(in.From) - down
		between := max(up, 0) / time.Duration(failures)
		f.MTBF = &between
	}
	return f
}

// counts leaves out what was no trouble.
func counts(x *Incident) bool {
	return (x.Verdict == nil || *x.Verdict == "real") && x.MergedInto == nil && !x.Planned
}

// fails reports an incident that takes a port from drivers: not what is only
// good to know or slower than it should be.
func fails(x *Incident) bool {
	switch x.Family {
	case Connectivity, Electrical, Starting, Stuck:
		return x.Severity != event.S4
	}
	return false
}

// outage is how long an incident lasted up to the end of the span.
func outage(x *Incident, until time.Time) time.Duration {
	end := until
	if x.RepairedAt != nil && x.RepairedAt.Before(end) {
		end = *x.RepairedAt
	}
	return max(end.Sub(x.OpenedAt), 0)
}

func (f *Figures) promises(x *Incident, now time.Time) {
	if kept, judged := promise(x.SLAAckDueAt, earlier(x.AcknowledgedAt, x.RepairedAt), now); judged {
		f.AckPromised++
		if kept {
			f.AckInTime++
		}
	}
	if kept, judged := promise(x.SLARepairDueAt, x.RepairedAt, now); judged {
		f.FixPromised++
		if kept {
			f.FixInTime++
		}
	}
}

// promise reports whether something was done by its time; one that still runs is
// not judged.
func promise(due, done *time.Time, now time.Time) (kept, judged bool) {
	switch {
	case due == nil:
		return false, false
	case done != nil:
		return !done.After(*due), true
	}
	return false, now.After(*due)
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
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
