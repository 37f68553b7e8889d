package app

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/outlook"
	"github.com/chargewatch/chargewatch/internal/statuspage"
)

func (s *Server) newOutlook(now func() time.Time) *outlook.Service {
	return outlook.New(outlook.Options{
		Usage: s.Usage, Fleet: s.Journal, Sites: s.Store, Now: now, Logger: s.log,
		Counting: func() int64 { return s.Usage.Stats().Waiting },
	})
}

// prospects is what drivers are told of the outlook.
type prospects struct{ *outlook.Service }

func (p prospects) Busy(site string) ([7][24]float64, bool) {
	g := p.Glance(site)
	if g == nil {
		return [7][24]float64{}, false
	}
	return g.Busy, g.Any
}

func (p prospects) Odds(site string) []statuspage.Odds {
	g := p.Glance(site)
	if g == nil || g.Next == nil {
		return nil
	}
	var out []statuspage.Odds
	for _, c := range g.Next.Chances {
		out = append(out, statuspage.Odds{Minutes: int(c.Ahead.Minutes()), Free: c.Free})
	}
	return out
}
