package live

import (
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/incident/remedy"
	"github.com/chargewatch/chargewatch/internal/rule"
)

// Pipeline is the pure part: events in, conclusions out. It serves the running
// server, replays and evaluations alike.
type Pipeline struct {
	Detect    *detect.Engine
	Rules     *rule.Engine // nil: none are followed
	Incidents *incident.Fold
	Remedies  *remedy.Engine
}

// NewPipeline returns one that knows nothing yet.
func NewPipeline(detectors []detect.Detector) *Pipeline {
	return &Pipeline{Detect: detect.New(detectors), Incidents: incident.New(), Remedies: remedy.New()}
}

// Conclusions are what follows from events, in order.
type Conclusions struct {
	Findings []detect.Finding
	Changed  []*incident.Incident // the newest of each comes last
	Log      []incident.Logged
	Notices  []incident.Notice
	Intents  []fleet.Intent
	// Faults are events whose fold failed: a defect of ours.
	Faults []error
}

// Empty reports whether nothing follows.
func (c *Conclusions) Empty() bool {
	return len(c.Findings) == 0 && len(c.Changed) == 0 && len(c.Log) == 0 && len(c.Notices) == 0 && len(c.Intents) == 0
}

// Apply folds one event; timers that are due before it fire first.
func (p *Pipeline) Apply(e *event.Event, out *Conclusions) {
	if ours(e) {
		return
	}
	p.Advance(p.Detect.Until(e), out)
	p.guard(e.Seq, out, func() {
		found := p.Detect.Apply(e)
		out.asked(p.Detect.Asked())
		if p.Rules != nil {
			_, tries := p.Detect.Tried()
			found = slices.Concat(found, p.Rules.Apply(&p.Detect.Network, e, tries))
		}
		out.Findings = append(out.Findings, found...)
		fx := p.Incidents.Apply(&p.Detect.Network, e, found)
		out.take(fx)
		p.mend(out, p.Detect.Now(), p.Remedies.Apply(&p.Detect.Network, e, fx.Changed))
	})
}

// Advance fires what is due up to t, in order of time; at one time detectors
// speak before rules, rules before incidents and those before remedies.
func (p *Pipeline) Advance(t time.Time, out *Conclusions) {
	n := &p.Detect.Network
	for {
		due, fire := t, func() {}
		later := true // than all that is due
		next := func(at time.Time, waits bool, fn func()) {
			if waits && !at.After(t) && (later || at.Before(due)) {
				due, fire, later = at, fn, false
			}
		}
		at, waits := p.Detect.Due()
		next(at, waits, func() {
			found := p.Detect.Fire()
			out.asked(p.Detect.Asked())
			if station, tries := p.Detect.Tried(); p.Rules != nil && len(tries) > 0 {
				found = slices.Concat(found, p.Rules.Tried(n, station, p.Detect.Now(), tries))
			}
			p.found(found, p.Detect.Now(), out)
		})
		if p.Rules != nil {
			at, waits = p.Rules.Due()
			next(at, waits, func() { p.found(p.Rules.Fire(n), p.Rules.Now(), out) })
		}
		at, waits = p.Incidents.Due()
		next(at, waits, func() { p.changed(out, at, p.Incidents.Fire(n, p.Detect.Seq())) })
		mending, waits := p.Remedies.Due()
		next(mending, waits, func() { p.mend(out, mending, p.Remedies.Fire(n, p.Detect.Seq())) })
		if later {
			p.Detect.Elapse(t)
			if p.Rules != nil {
				p.Rules.Elapse(t)
			}
			return
		}
		p.guard(p.Detect.Seq(), out, fire)
	}
}

// found hands on what timers concluded.
func (p *Pipeline) found(found []detect.Finding, at time.Time, out *Conclusions) {
	out.Findings = append(out.Findings, found...)
	p.changed(out, at, p.Incidents.Found(&p.Detect.Network, at, p.Detect.Seq(), found))
}

// changed takes what timers made of incidents.
func (p *Pipeline) changed(out *Conclusions, at time.Time, fx incident.Effects) {
	out.take(fx)
	if len(fx.Changed) > 0 {
		p.mend(out, at, p.Remedies.Changed(&p.Detect.Network, at, p.Detect.Seq(), fx.Changed))
	}
}

// mend takes what remedies want done, and tells incidents what was.
func (p *Pipeline) mend(out *Conclusions, at time.Time, fx remedy.Effects) {
	out.Intents = append(out.Intents, fx.Intents...)
	if len(fx.Steps) > 0 {
		out.take(p.Incidents.Remedied(at, p.Detect.Seq(), fx.Steps))
	}
}

// guard keeps a defect in one fold from stopping all others.
func (p *Pipeline) guard(seq uint64, out *Conclusions, fn func()) {
	defer func() {
		if r := recover(); r != nil {
			out.Faults = append(out.Faults, fmt.Errorf("fold at event %d: %v", seq, r))
		}
	}()
	fn()
}

func (c *Conclusions) asked(list []detect.Asked) {
	for i := range list {
		c.Intents = append(c.Intents, list[i].Intent)
	}
}

func (c *Conclusions) take(fx incident.Effects) {
	c.Changed = append(c.Changed, fx.Changed...)
	c.Log = append(c.Log, fx.Log...)
	c.Notices = append(c.Notices, fx.Notices...)
}

// ours reports whether an event is something that this package concluded.
func ours(e *event.Event) bool {
	switch b := e.Body.(type) {
	case *event.Incident:
		return true
	case *event.Finding:
		return b.Detector != ""
	}
	return false
}
