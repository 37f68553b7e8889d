package outlook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/forecast"
)

// What is read of other sites, for those at which few cars have been.
const (
	otherSites = 24                // the largest of the same zone
	otherStays = 200               // the last of each
	otherSpan  = 4 * 7 * 24 * hour // that they are of
)

// siteStays are the last stays at a site.
type siteStays struct {
	site  string
	stays []forecast.Stay
}

// pool is what is known of the largest sites of a zone.
type pool struct {
	sites []siteStays
	until time.Time
}

// elsewhere are stays at other sites on the same clock: how long cars stay is much alike,
// and a site of which little is known learns from them. Whoever asks has the turn.
func (s *Service) elsewhere(ctx context.Context, site string, now time.Time) ([]forecast.Stay, error) {
	zone := s.o.Sites.ZoneOf(site).String()
	p := s.pools[zone]
	if p == nil || !now.Before(p.until) {
		var err error
		if p, err = s.readPool(ctx, zone, now); err != nil {
			return nil, err
		}
		s.pools[zone] = p
	}
	var out []forecast.Stay
	for _, x := range p.sites {
		if x.site != site {
			out = append(out, x.stays...)
		}
	}
	return out, nil
}

func (s *Service) readPool(ctx context.Context, zone string, now time.Time) (*pool, error) {
	ports := make(map[string]int)
	for st := range s.o.Fleet.Snapshot().Stations() {
		if st.SiteID != "" && st.Shown() {
			ports[st.SiteID] += len(st.EVSEs)
		}
	}
	var sites []string
	for site := range ports {
		if s.o.Sites.ZoneOf(site).String() == zone {
			sites = append(sites, site)
		}
	}
	slices.SortFunc(sites, func(a, b string) int { return cmp.Or(ports[b]-ports[a], cmp.Compare(a, b)) })
	p := &pool{until: now.Add(relearn)}
	for _, site := range sites[:min(otherSites, len(sites))] {
		sessions, err := s.o.Usage.Sessions(ctx, site, now.Add(-otherSpan), now)
		if err != nil {
			return nil, fmt.Errorf("read the sessions of %s: %w", site, err)
		}
		all := single(sessions, classes(sessions))
		p.sites = append(p.sites, siteStays{site, all[max(0, len(all)-otherStays):]})
	}
	if s.Counting() > 0 {
		p.until = now.Add(again)
	}
	return p, nil
}
