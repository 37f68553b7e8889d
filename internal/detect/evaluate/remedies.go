package evaluate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Remedies is what the machine did by itself about what was put in.
type Remedies struct {
	// Urgent are S1 and S2 that a restart ends; of them Mended were ended by one of
	// ours, Unheard of those before anybody was called, and SelfMended by one that
	// came anyway.
	Urgent, Mended, Unheard, SelfMended int
	// Others are the same of less severe ones.
	Others, OthersMended int
	// Resets that stations accepted, those of them that ended nothing, those that
	// stations did not accept, and those under a running session.
	Resets, Vain, NotTaken, UnderSession int
	// VainAt are the scenarios at whose stations resets ended nothing.
	VainAt map[string]int
	// DoneBy and VainBy are the same by what asked for them.
	DoneBy, VainBy map[string]int
}

func (m *Remedies) add(o *Remedies) {
	m.Urgent += o.Urgent
	m.Mended += o.Mended
	m.Unheard += o.Unheard
	m.SelfMended += o.SelfMended
	m.Others += o.Others
	m.OthersMended += o.OthersMended
	m.Resets += o.Resets
	m.Vain += o.Vain
	m.NotTaken += o.NotTaken
	m.UnderSession += o.UnderSession
	for _, x := range []struct {
		into *map[string]int
		from map[string]int
	}{{&m.VainAt, o.VainAt}, {&m.DoneBy, o.DoneBy}, {&m.VainBy, o.VainBy}} {
		if *x.into == nil {
			*x.into = make(map[string]int)
		}
		for k, n := range x.from {
			(*x.into)[k] += n
		}
	}
}

// bootsWithin is how long a restart may take until the failure is over.
const bootsWithin = 10 * time.Minute

func (r *Run) remedies(calls []Notice) *Remedies {
	m := &Remedies{VainAt: make(map[string]int), DoneBy: make(map[string]int), VainBy: make(map[string]int)}
	for i := range r.Labels {
		l := &r.Labels[i]
		if !l.Restart {
			continue
		}
		h := slices.IndexFunc(r.Healings, func(h Healing) bool { return l.during(h.At) && l.about(h.Subject, nil, r.Site) })
		mended := h >= 0 && r.Healings[h].Ordered
		switch {
		case !urgent(l.Severity):
			m.Others++
			if mended {
				m.OthersMended++
			}
			continue
		case mended:
			m.Mended++
			if !slices.ContainsFunc(calls, func(n Notice) bool {
				return !n.At.Before(l.From) && n.At.Before(r.Healings[h].At) && l.about(n.Subject, n.Shared, r.Site)
			}) {
				m.Unheard++
			}
		case h >= 0:
			m.SelfMended++
		}
		m.Urgent++
	}
	for _, o := range r.Orders {
		if o.Action != "Reset" {
			continue
		}
		if o.Cut {
			m.UnderSession++
		}
		if !o.Taken {
			m.NotTaken++
			continue
		}
		m.Resets++
		m.DoneBy[o.Why]++
		if !slices.ContainsFunc(r.Healings, func(h Healing) bool {
			return h.Ordered && h.Subject.ID == o.Station && !h.At.Before(o.At) && h.At.Sub(o.At) <= bootsWithin
		}) {
			m.Vain++
			m.VainBy[o.Why]++
			m.VainAt[r.scenarioAt(o.Station, o.At)]++
		}
	}
	return m
}

// scenarioAt names what was put in at a station at a time.
func (r *Run) scenarioAt(station string, at time.Time) string {
	name := "ordinary life"
	for i := range r.Labels {
		l := &r.Labels[i]
		if at.Before(l.From) || at.After(l.To.Add(max(l.Tail, callTail))) {
			continue
		}
		for _, x := range l.Subjects {
			if x.ID == station && (name == "ordinary life" || !l.NearMiss) {
				name = l.Scenario
			}
		}
	}
	return name
}

func (m *Remedies) write(b *strings.Builder) {
	fmt.Fprintf(b, "| urgent faults that a restart ends: mended by ours before anybody was called, in all | %d, %d of %d |\n", m.Unheard, m.Mended, m.Urgent)
	fmt.Fprintf(b, "| less urgent ones: mended by ours | %d of %d |\n", m.OthersMended, m.Others)
	fmt.Fprintf(b, "| resets: done, of them in vain, not accepted | %d, %d, %d |\n", m.Resets, m.Vain, m.NotTaken)
	fmt.Fprintf(b, "| resets under a running session | %d |\n", m.UnderSession)
}
