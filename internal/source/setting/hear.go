package setting

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/provision"
)

const maxTheirs = 2000

// hear takes what stations say of themselves, and what others ask them.
func (s *Service) hear(ctx context.Context, e *event.Event) {
	t := s.tasks[e.Subject.ID]
	if t == nil {
		return // the next round finds it
	}
	switch b := e.Body.(type) {
	case *event.Boot:
		if b.Status == "Accepted" {
			t.shown, t.fails, t.booted = false, 0, true
			t.due, t.seen = s.soon(s.o.Now()), nil
		}
	case *event.Connected:
		t.shown = false
		if t.rec != nil && t.rec.Problem == WentAway {
			t.due = s.soon(s.o.Now())
		}
	case *event.Disconnected, *event.StationConfigured:
		t.shown = false
	case *event.StationRemoved:
		s.forget(ctx, t)
	case *event.Command:
		if s.mine(b.CommandID) || len(s.theirs) >= maxTheirs {
			return
		}
		switch b.Action {
		case "ChangeConfiguration", "SetVariables", "GetConfiguration", "GetVariables":
			s.theirs[b.CommandID] = t.id
		}
	case *event.CommandResult:
		if _, ok := s.theirs[b.CommandID]; ok {
			delete(s.theirs, b.CommandID)
			t.stale, t.seq = b.Status == "answered" && t.rec != nil, e.Seq
		}
	case *event.Report:
		if b.Type == "base" && !b.More && t.rec != nil {
			t.stale, t.seq = true, e.Seq
		}
	case *event.Meter:
		s.learn(ctx, t, b.Samples)
		s.measured(ctx, t, e, b.TransactionID, b.Samples)
	case *event.Transaction:
		s.learn(ctx, t, b.Samples)
		s.measured(ctx, t, e, b.TransactionID, b.Samples)
	}
}

func (s *Service) forget(ctx context.Context, t *task) {
	delete(s.tasks, t.id)
	s.mu.Lock()
	delete(s.shown, t.id)
	s.mu.Unlock()
	if err := s.o.Memory.DropRecord(ctx, t.id); err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "what is known of a station's settings is not forgotten", "station", t.id, "err", err)
	}
}

func (s *Service) mine(command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.ours[command]
	return ok
}

// measured lets what a station measures while a car charges decide whether it measures
// as it was told.
func (s *Service) measured(ctx context.Context, t *task, e *event.Event, tx string, samples event.Samples) {
	if t.rec == nil || t.busy || len(samples) == 0 || e.Late() || !unproved(t.rec.Verdicts) || e.RecordedAt.Before(t.rec.SetAt) {
		return
	}
	w := t.seen[e.Subject.EVSE]
	if w == nil || tx != "" && w.tx != tx {
		w = &watch{tx: tx}
		if t.seen == nil {
			t.seen = make(map[int]*watch)
		}
		t.seen[e.Subject.EVSE] = w
	}
	for _, g := range samples {
		var names []string
		for _, v := range g.Values {
			if v.Context == "" && !slices.Contains(names, v.Measurand) {
				names = append(names, v.Measurand)
			}
		}
		if len(names) == 0 {
			continue
		}
		at := g.At
		if at.IsZero() {
			at = e.At
		}
		w.Add(at, names)
	}
	dc := t.st.DC
	if st, ok := s.o.Journal.Snapshot().Station(t.id); ok {
		for i := range st.EVSEs {
			if v := &st.EVSEs[i]; v.ID == e.Subject.EVSE && v.Layout != nil {
				dc = directPort(v.Layout)
			}
		}
	}
	if provision.Verify(t.rec.Verdicts, &w.Seen, dc) {
		t.rec.SeenAt, t.shown = e.RecordedAt, false
		s.keep(ctx, t)
	}
}

func unproved(list []provision.Verdict) bool {
	return slices.ContainsFunc(list, func(v provision.Verdict) bool {
		return v.Effect != provision.NoEffect && (v.State == provision.AsWanted || v.State == provision.Accepted || v.State == provision.Partly)
	})
}

// direct reports whether a station charges with direct current: by what it is made of,
// else by what it can deliver, else not.
func direct(st *fleet.Station) bool {
	return slices.ContainsFunc(st.Layout, func(l event.EVSELayout) bool { return directPort(&l) })
}

// described reports whether anything is known of what a station is made of.
func described(st *fleet.Station) bool {
	return slices.ContainsFunc(st.Layout, func(l event.EVSELayout) bool {
		return l.Current != "" || l.RatedW > 0 || slices.ContainsFunc(l.Connectors, func(c event.ConnectorLayout) bool { return c.Type != "" })
	})
}

// learn takes what a station of which nothing is known measures: more power than cars
// take as alternating current, or how full the car is. Others of its model are the same.
func (s *Service) learn(ctx context.Context, t *task, samples event.Samples) {
	if t.rec == nil || t.busy || t.rec.DC || t.st.DC || t.st.Model == "" || len(samples) == 0 {
		return
	}
	for _, v := range samples.All() {
		power := v.Unit == "" && (v.Measurand == "Power.Active.Import" || v.Measurand == "Power.Offered")
		if v.Measurand != "SoC" && !(power && v.Value > mostAC) {
			continue
		}
		if st, ok := s.o.Journal.Snapshot().Station(t.id); !ok || described(st) {
			return
		}
		t.rec.DC, t.shown = true, false
		s.learned(t.rec)
		s.keep(ctx, t)
		return
	}
}

func (s *Service) learned(r *Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.direct[model{r.Make.Vendor, r.Make.Model}] = struct{}{}
}

func (s *Service) seenDirect(st *fleet.Station) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.direct[model{st.Vendor, st.Model}]
	return ok
}

// Above this no car takes alternating current.
const mostAC = 50_000

func directPort(l *event.EVSELayout) bool {
	if l.Current != "" {
		return l.Current == "DC"
	}
	for _, c := range l.Connectors {
		if strings.HasPrefix(c.Type, "cCCS") || c.Type == "cG105" || strings.HasPrefix(c.Type, "cGBT-DC") || c.Type == "cChaoJi" || c.Type == "cTesla" || c.Type == "cMCS" {
			return true
		}
	}
	return l.RatedW > mostAC
}

// restartable reports whether a station may be restarted now: something waits for it,
// nobody is at it, and it was not tried too often.
func (s *Service) restartable(t *task, st *fleet.Station, now time.Time) bool {
	if t.rec == nil || t.plan.Restart == provision.Never || t.rec.Restarts >= maxRestarts || now.Sub(t.rec.RestartedAt) < bootWithin {
		return false
	}
	waits := slices.ContainsFunc(t.rec.Verdicts, func(v provision.Verdict) bool { return v.State == provision.AtRestart })
	if !waits || !idle(st, now, s.o.Idle) {
		return false
	}
	if t.plan.Restart == provision.AtNight {
		zone := t.place.Zone
		if zone == nil {
			zone = time.UTC
		}
		if h := now.In(zone).Hour(); h < 1 || h >= 5 {
			return false
		}
	}
	return true
}

// idle reports that nobody has been at a station for a time.
func idle(st *fleet.Station, now time.Time, long time.Duration) bool {
	if !st.Online || len(st.Backlog) > 0 || now.Sub(st.ConnectedAt) < long {
		return false
	}
	heard := slices.ContainsFunc(st.EVSEs, func(v fleet.EVSE) bool { return !v.StatusAt.IsZero() })
	for i := range st.EVSEs {
		v := &st.EVSEs[i]
		if v.Session != nil || v.Ended || now.Sub(v.StatusAt) < long {
			return false
		}
		if heard && v.StatusAt.IsZero() && v.Status == fleet.Unknown {
			continue // a port that only the catalogue knows is not waited for
		}
		switch v.Status {
		case fleet.Available, fleet.Unavailable, fleet.Faulted:
		case fleet.Preparing, fleet.Charging, fleet.SuspendedEV, fleet.SuspendedEVSE, fleet.Finishing, fleet.Reserved, fleet.Unknown:
			return false
		}
	}
	return true
}
