package live

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// guarded tells detection of incidents that put their site on its guard, or do not any
// more: of what was S1 until a person says that it was nothing, and of what a person
// called real.
func (p *Pipeline) guarded(changed []*incident.Incident) {
	for _, in := range changed {
		for i := range in.Findings {
			f := &in.Findings[i]
			if !detect.Hits(f.Code) {
				continue
			}
			at := in.OpenedAt
			if in.ReopenedAt != nil {
				at = *in.ReopenedAt
			}
			happened := f.Severity == event.S1
			if in.Verdict != nil {
				happened = *in.Verdict == "real"
			}
			p.Detect.Handled(in.SiteID, in.ID, f.Code, at, happened && in.MergedInto == nil)
			break
		}
	}
}

// guards are the sites that are on their guard, as of one change.
type guards struct {
	bySite  map[string]detect.Posture
	changes uint64
}

// showGuards publishes them if they changed. Only who folds calls it.
func (l *Live) showGuards() {
	n := &l.pipeline.Detect.Network
	if was := l.guards.Load(); was != nil && was.changes == n.PostureChanges() {
		return
	}
	x := &guards{}
	x.bySite, x.changes = n.Postures(l.pipeline.Detect.Now())
	l.guards.Store(x)
}

// Posture is why and until when a site is on its guard; not ok if it is not.
func (l *Live) Posture(site string) (p detect.Posture, ok bool) {
	if x := l.guards.Load(); x != nil {
		p, ok = x.bySite[site]
	}
	return p, ok && p.Until.After(l.o.Now())
}

// ArmedSites are the sites that detection takes for armed.
func (l *Live) ArmedSites() []string {
	l.folding.Lock()
	defer l.folding.Unlock()
	return l.pipeline.Detect.Network.ArmedSites()
}

// sourcesFor is how long what sites have is taken to be so.
const sourcesFor = 5 * time.Second

// Sources are what sites have that rules listen to; some seconds old at most.
func (l *Live) Sources() map[string]detect.Sources {
	l.sources.Lock()
	defer l.sources.Unlock()
	if now := l.o.Now(); l.sources.list == nil || now.Sub(l.sources.at) >= sourcesFor || now.Before(l.sources.at) {
		l.folding.Lock()
		l.sources.list, l.sources.at = l.pipeline.Detect.Network.Sources(now), now
		l.folding.Unlock()
	}
	return l.sources.list
}
