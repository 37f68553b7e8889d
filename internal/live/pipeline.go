package live

import (
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// Pipeline is the pure part: events in, conclusions out. It serves the running
// server, replays and evaluations alike.
type Pipeline struct {
	Detect    *detect.Engine
	Incidents *incident.Fold
}

// NewPipeline returns one that knows nothing yet.
func NewPipeline(detectors []detect.Detector) *Pipeline {
	return &Pipeline{Detect: detect.New(detectors), Incidents: incident.New()}
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
		out.Findings = append(out.Findings, found...)
		out.asked(p.Detect.Asked())
		out.take(p.Incidents.Apply(&p.Detect.Network, e, found))
	})
}

// Advance fires what is due up to t, in order of time; at one time detectors
// speak before incidents.
func (p *Pipeline) Advance(t time.Time, out *Conclusions) {
	for {
		a, detecting := p.Detect.Due()
		b, handling := p.Incidents.Due()
		detecting, handling = detecting && !a.After(t), handling && !b.After(t)
		switch {
		case detecting && (!handling || !a.After(b)):
			p.guard(p.Detect.Seq(), out, func() {
				found := p.Detect.Fire()
				out.Findings = append(out.Findings, found...)
				out.asked(p.Detect.Asked())
				out.take(p.Incidents.Found(&p.Detect.Network, p.Detect.Now(), p.Detect.Seq(), found))
			})
		case handling:
			p.guard(p.Detect.Seq(), out, func() { out.take(p.Incidents.Fire(&p.Detect.Network, p.Detect.Seq())) })
		default:
			p.Detect.Elapse(t)
			return
		}
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
