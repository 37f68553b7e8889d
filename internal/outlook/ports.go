package outlook

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/planning/forecast"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// relearn is how long what was learned of a site's ports serves.
const relearn = 24 * time.Hour

// learned is what is known of the ports of a site.
type learned struct {
	model *forecast.PortModel // nil: too little is known
	class map[portKey]string
	busy  [7][24]float64 // share of ports in use; NaN unknown
	until time.Time
	ports int
}

// Chance is how likely a free port is at some time of the next hour.
type Chance struct {
	At    time.Time
	Ahead time.Duration
	Free  float64
	Usual float64 // at this hour of the week, whatever is now
}

// Next is what the next hour looks like at a site.
type Next struct {
	At      time.Time
	Ports   int
	Busy    int // now, reserved ones too
	Out     int // broken, out of service or not to be heard
	Chances []Chance
	Enough  bool // else there are no Chances
}

// FreePort says how likely somebody who arrives finds a free port.
func (s *Service) FreePort(ctx context.Context, site string) (*Next, error) {
	l, err := s.learn(ctx, site)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	out := &Next{At: now}
	var there []forecast.Stay
	for st := range s.o.Fleet.Snapshot().Stations() {
		if st.SiteID != site || !st.Shown() {
			continue
		}
		for p := range places(st) {
			out.Ports++
			v, from, busy, fit := useOfAny(st, p)
			switch {
			case !fit:
				out.Out++
			case busy:
				out.Busy++
				there = append(there, forecast.Stay{From: from, Class: l.class[portKey{st.ID, v.ID}], Weight: 1})
			}
		}
	}
	if out.Ports != l.ports { // ports came or went: the next question learns anew
		s.mu.Lock()
		delete(s.ports, site)
		s.mu.Unlock()
	}
	if l.model == nil || out.Ports == 0 || out.Ports != l.ports {
		return out, nil
	}
	out.Enough = true
	for _, ahead := range forecast.Aheads() {
		c := Chance{At: now.Add(ahead), Ahead: ahead, Free: l.model.Free(there, out.Out, now, ahead), Usual: l.model.Usual(now.Add(ahead))}
		out.Chances = append(out.Chances, c)
	}
	return out, nil
}

// places yields the ports of a station at which cars can charge at the same time: of a
// group that serves one car at a time there is one.
func places(st *fleet.Station) iter.Seq[[]*fleet.EVSE] {
	return func(yield func([]*fleet.EVSE) bool) {
		for i := range st.EVSEs {
			v := &st.EVSEs[i]
			together := []*fleet.EVSE{v}
			if v.Layout != nil && v.Layout.Exclusive && v.Layout.Group != "" {
				together = together[:0]
				for j := range st.EVSEs {
					if l := st.EVSEs[j].Layout; l != nil && l.Exclusive && l.Group == v.Layout.Group {
						together = append(together, &st.EVSEs[j])
					}
				}
			}
			if together[0] == v && !yield(together) {
				return
			}
		}
	}
}

// useOfAny tells which port of a place is in use and since when, and whether any of them
// can be used at all.
func useOfAny(st *fleet.Station, place []*fleet.EVSE) (v *fleet.EVSE, from time.Time, busy, fit bool) {
	for _, p := range place {
		since, used, works := useOf(st, p)
		if used {
			return p, since, true, true
		}
		fit = fit || works
	}
	return place[0], time.Time{}, false, fit
}

// useOf tells since when a port is in use, and whether it can be used at all.
func useOf(st *fleet.Station, v *fleet.EVSE) (from time.Time, busy, fit bool) {
	switch {
	case !st.Online || v.Status == fleet.Faulted || v.Status == fleet.Unavailable || st.Closed():
		return time.Time{}, false, false
	case v.Session != nil:
		return v.Session.StartedAt, true, true
	case v.Status == fleet.Available:
		return time.Time{}, false, true
	}
	return v.StatusAt, true, true
}

func (s *Service) learn(ctx context.Context, site string) (*learned, error) {
	now := s.o.Now()
	if l := s.recall(site, now); l != nil {
		return l, nil
	}
	done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if l := s.recall(site, now); l != nil {
		return l, nil
	}
	points, err := s.o.Usage.Series(ctx, site, now.Add(-8*7*24*hour).Truncate(hour), now.Truncate(hour), hour)
	if err != nil {
		return nil, fmt.Errorf("read the usage of %s: %w", site, err)
	}
	sessions, err := s.o.Usage.Sessions(ctx, site, now.Add(-stays), now)
	if err != nil {
		return nil, fmt.Errorf("read the sessions of %s: %w", site, err)
	}
	zone := s.o.Sites.ZoneOf(site)
	l := &learned{class: classes(sessions), until: now.Add(relearn), busy: usual(points, zone)}
	for st := range s.o.Fleet.Snapshot().Stations() {
		if st.SiteID == site && st.Shown() {
			for range places(st) {
				l.ports++
			}
		}
	}
	if len(points) > 0 {
		from, own := points[0].From, single(sessions, l.class)
		var others []forecast.Stay
		if forecast.LearnsElsewhere(own, from, now) {
			if others, err = s.elsewhere(ctx, site, now); err != nil {
				return nil, err
			}
		}
		l.model = forecast.LearnPorts(own, others, l.ports, from, now, zone)
	}
	switch {
	case l.model == nil:
		l.until = now.Add(retry)
	case len(points) < 8*7*24-gapsFew || s.Counting() > 0:
		l.until = now.Add(again)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ports) >= kept {
		clear(s.ports)
	}
	s.ports[site] = l
	return l, nil
}

func (s *Service) recall(site string, now time.Time) *learned {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.ports[site]; l != nil && now.Before(l.until) {
		return l
	}
	return nil
}

// single makes one stay of sessions that overlap at a port.
func single(sessions []rollup.Session, class map[portKey]string) []forecast.Stay {
	sorted := slices.SortedFunc(slices.Values(sessions), func(a, b rollup.Session) int { return a.Start.Compare(b.Start) })
	last := make(map[portKey]int)
	var out []forecast.Stay
	for i := range sorted {
		x := &sorted[i]
		k := portKey{x.Station, x.EVSE}
		if j, ok := last[k]; ok && (out[j].To.IsZero() || out[j].To.After(x.Start)) {
			if !out[j].To.IsZero() && (x.End.IsZero() || x.End.After(out[j].To)) {
				out[j].To = x.End
			}
			continue
		}
		last[k] = len(out)
		out = append(out, forecast.Stay{From: x.Start, To: x.End, Class: class[k], Weight: 1})
	}
	return out
}
