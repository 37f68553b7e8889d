package output

import (
	"context"
	"iter"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// What switches by itself is decided here, at the edge, and not by the pure part as
// commands to stations are: whether somebody claimed an incident, and whether its site
// is armed, is looked at in the moment of switching. A row that is written first makes it
// once; what we miss while we are down is not made up for.

// Incidents is what is asked about incidents.
type Incidents interface {
	// Follow yields incidents as they change, and an error when some were missed.
	Follow(ctx context.Context) iter.Seq2[*incident.Incident, error]
	Open() []*incident.Incident
	Incident(ctx context.Context, id string) (*incident.Incident, error)
	// Armed says whether its site is armed, Simulated whether what happened there is
	// played.
	Armed(site string) bool
	Simulated(in *incident.Incident) bool
}

// waits is an output that switches by itself unless somebody claims the incident.
type waits struct{ output, incident string }

// freshFor is how old the news of an incident may be and still switch something: what
// is found later is history.
const freshFor = time.Minute

// follow looks at incidents as they change. What was serious before we came has been
// seen: a restart makes nobody's siren howl.
func (s *Service) follow(ctx context.Context) {
	s.mu.Lock()
	for _, in := range s.o.Incidents.Open() {
		if serious(in) {
			s.known[in.ID] = true
		}
	}
	s.mu.Unlock()
	for ctx.Err() == nil {
		for in, err := range s.o.Incidents.Follow(ctx) {
			if err != nil {
				break
			}
			s.consider(ctx, in)
		}
		for _, in := range s.o.Incidents.Open() { // of those that were missed
			s.consider(ctx, in)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// serious reports an incident that outputs may switch for. Whoever threatens somebody is
// not told by a siren that help was called.
func serious(in *incident.Incident) bool {
	return in.Family == incident.Security && !in.Discreet() && in.Severity == event.S1 && in.ClosedAt == nil && in.ParentID == nil
}

// consider has the outputs of a site wait for, or act on, an incident that has just
// become serious.
func (s *Service) consider(ctx context.Context, in *incident.Incident) {
	if !serious(in) {
		if in.ClosedAt != nil {
			s.mu.Lock()
			delete(s.known, in.ID)
			s.mu.Unlock()
		}
		return
	}
	now := s.o.Now()
	s.mu.Lock()
	known := s.known[in.ID]
	s.known[in.ID] = true
	s.mu.Unlock()
	if known || now.Sub(in.UpdatedAt) > freshFor || !s.wanted(in) {
		return
	}
	for _, o := range s.o.Store.Outputs() {
		if o.SiteID != in.SiteID || !o.Automatic.On {
			continue
		}
		s.mu.Lock()
		s.waiting[waits{o.ID, in.ID}] = now.Add(time.Duration(o.Automatic.AfterS) * time.Second)
		s.mu.Unlock()
	}
	s.stir()
}

// wanted reports whether an incident still calls for what switches by itself.
func (s *Service) wanted(in *incident.Incident) bool {
	return serious(in) && (in.Verdict == nil || *in.Verdict == "real") && s.o.Incidents.Armed(in.SiteID)
}

// automatic switches an output for an incident, once.
func (s *Service) automatic(ctx context.Context, w waits) {
	o, ok := s.o.Store.Output(w.output)
	if !ok || !o.Automatic.On || o.TwoPerson {
		return
	}
	in, err := s.o.Incidents.Incident(ctx, w.incident)
	if err != nil {
		s.o.Logger.WarnContext(ctx, "an output does not switch by itself", "output", w.output, "incident", w.incident, "err", err)
		return
	}
	taken := in.ClaimedBy != nil || in.AcknowledgedBy != nil
	if !s.wanted(in) || o.Automatic.AfterS > 0 && taken || s.o.Incidents.Simulated(in) && !o.Simulated {
		return
	}
	may, err := s.o.Store.TakeAutomatic(ctx, o.ID, in.ID, o.Automatic.PerHour)
	if err == nil && !may {
		s.o.Logger.InfoContext(ctx, "an output has switched by itself often enough", "output", o.ID, "incident", in.ID)
		return
	}
	if err == nil {
		_, err = s.Switch(ctx, Wish{
			Output: o.ID, On: true, For: time.Duration(o.Automatic.ForS) * time.Second, Incident: in.ID, cause: event.OutputIncident,
		})
	}
	if err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "an output does not switch by itself", "output", o.ID, "incident", in.ID, "err", err)
	}
}
