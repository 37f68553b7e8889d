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
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// Pipeline is the pure part: events in, conclusions out. It serves the running
// server, replays and evaluations alike.
type Pipeline struct {
	Detect    *detect.Engine
	Rules     *rule.Engine // nil: none are followed
	Alerts    *detect.Alerts
	Incidents *incident.Fold
	Remedies  *remedy.Engine
}

// NewPipeline returns one that knows nothing yet.
func NewPipeline(detectors []detect.Detector) *Pipeline {
	p := &Pipeline{Detect: detect.New(detectors), Alerts: detect.NewAlerts(), Incidents: incident.New(), Remedies: remedy.New()}
	p.Incidents.Zone = time.LoadLocation // of maintenance windows; the program carries the list of zones
	return p
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
		n := &p.Detect.Network
		found := p.Detect.Apply(e)
		out.asked(p.Detect.Asked())
		station, tries := p.Detect.Tried()
		if p.Rules != nil {
			found = slices.Concat(found, p.Rules.Apply(n, e, tries))
		}
		found = append(found, p.Alerts.Apply(e)...)
		out.Findings = append(out.Findings, found...)
		fx := p.Incidents.Apply(n, e, found)
		out.take(fx)
		p.guarded(fx.Changed)
		p.mend(out, p.Detect.Now(), p.Remedies.Apply(n, e, fx.Changed))
		p.tried(out, station, tries)
	})
}

// stage is one part of the pipeline that waits for times.
type stage uint8

const (
	nothing stage = iota
	detecting
	ruling
	handling
	mending
)

// next is what falls due first up to t. At one time detectors speak before
// rules, rules before incidents, and those before remedies.
func (p *Pipeline) next(t time.Time) (who stage, due time.Time) {
	earlier := func(s stage, at time.Time, waits bool) {
		if waits && !at.After(t) && (who == nothing || at.Before(due)) {
			who, due = s, at
		}
	}
	at, waits := p.Detect.Due()
	earlier(detecting, at, waits)
	if p.Rules != nil {
		at, waits = p.Rules.Due()
		earlier(ruling, at, waits)
	}
	at, waits = p.Incidents.Due()
	earlier(handling, at, waits)
	at, waits = p.Remedies.Due()
	earlier(mending, at, waits)
	return who, due
}

// Advance fires what is due up to t, in order of time.
func (p *Pipeline) Advance(t time.Time, out *Conclusions) {
	for {
		who, due := p.next(t)
		if who == nothing {
			break
		}
		p.guard(p.Detect.Seq(), out, func() { p.fire(who, due, out) })
	}
	p.Detect.Elapse(t)
	if p.Rules != nil {
		p.Rules.Elapse(t)
	}
}

func (p *Pipeline) fire(who stage, due time.Time, out *Conclusions) {
	n, seq := &p.Detect.Network, p.Detect.Seq()
	switch who {
	case detecting:
		found := p.Detect.Fire()
		out.asked(p.Detect.Asked())
		station, tries := p.Detect.Tried()
		if p.Rules != nil && len(tries) > 0 {
			found = slices.Concat(found, p.Rules.Tried(n, station, p.Detect.Now(), tries))
		}
		p.found(found, p.Detect.Now(), out)
		p.tried(out, station, tries)
	case ruling:
		p.found(p.Rules.Fire(n), p.Rules.Now(), out)
	case handling:
		p.changed(out, due, p.Incidents.Fire(n, seq))
	case mending:
		p.mend(out, due, p.Remedies.Fire(n, seq))
	}
}

// found hands on what timers concluded.
func (p *Pipeline) found(found []detect.Finding, at time.Time, out *Conclusions) {
	out.Findings = append(out.Findings, found...)
	p.changed(out, at, p.Incidents.Found(&p.Detect.Network, at, p.Detect.Seq(), found))
}

// tried tells incidents of the tries to charge that ended: drivers who failed at
// their ports.
func (p *Pipeline) tried(out *Conclusions, station string, tries []attempt.Attempt) {
	if len(tries) > 0 {
		out.take(p.Incidents.Tried(&p.Detect.Network, station, p.Detect.Now(), p.Detect.Seq(), tries))
	}
}

// changed takes what timers made of incidents.
func (p *Pipeline) changed(out *Conclusions, at time.Time, fx incident.Effects) {
	out.take(fx)
	p.guarded(fx.Changed)
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
