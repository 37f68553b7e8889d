package outlook

import (
	"context"
	"time"
)

const (
	glanceFresh = time.Minute      // after which a glance is made anew, for the next who asks
	glanceShown = 10 * time.Minute // for how long its odds are told
	glanceQueue = 64
)

// Glance is what is shown to many: the usual week, and the next hour where it is
// known.
type Glance struct {
	Busy [7][24]float64 // see BusyTimes
	Any  bool           // Busy says something
	Next *Next          // nil: not known, or too long ago
	made time.Time
}

// Glance answers at once with what is known of a site, nil if nothing is yet, and
// has it made anew for the next who asks. Run does that.
func (s *Service) Glance(site string) *Glance {
	now := s.o.Now()
	s.mu.Lock()
	g := s.glances[site]
	s.mu.Unlock()
	if g == nil || now.Sub(g.made) > glanceFresh {
		select {
		case s.wanted <- site:
		default: // those who wait are many enough
		}
	}
	if g == nil {
		return nil
	}
	shown := *g
	if now.Sub(g.made) > glanceShown {
		shown.Next = nil
	}
	return &shown
}

// Run makes glances until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // the end that was asked for
		case site := <-s.wanted:
			if err := s.look(ctx, site); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "busy times of a site are not known", "site", site, "error", err)
			}
		}
	}
}

func (s *Service) look(ctx context.Context, site string) error {
	now := s.o.Now()
	s.mu.Lock()
	g := s.glances[site]
	s.mu.Unlock()
	if g != nil && now.Sub(g.made) < glanceFresh {
		return nil
	}
	g = &Glance{made: now}
	var err error
	if g.Busy, g.Any, err = s.BusyTimes(ctx, site); err != nil {
		return err
	}
	if g.Next, err = s.FreePort(ctx, site); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.glances) >= kept {
		clear(s.glances)
	}
	s.glances[site] = g
	return nil
}
