package app

import (
	"context"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/expand"
	"github.com/chargewatch/chargewatch/internal/study"
)

const (
	studyHistory = 104 * 7 * 24 * time.Hour // what is read of a site
	studyRecent  = 8 * 7 * 24 * time.Hour   // an imported port without a session in it is not there any more
)

// studied tells studies what is known of sites.
type studied struct{ *Server }

// Names lists the sites.
func (k studied) Names() []string {
	sites := k.Store.Sites()
	out := make([]string, len(sites))
	for i, x := range sites {
		out[i] = x.ID
	}
	return out
}

// Known reads the newest two years of a site.
func (k studied) Known(ctx context.Context, site string) (expand.Site, error) {
	x, ok := k.Store.Site(site)
	if !ok {
		return expand.Site{}, study.ErrNoSite
	}
	now := time.Now()
	zone, err := time.LoadLocation(x.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	out := expand.Site{Now: now, Input: demand.Input{Zone: zone, From: now, To: now}}
	from, to, err := k.Usage.Known(ctx, []string{site})
	if err != nil {
		return out, fmt.Errorf("find what is known of the site: %w", err)
	}
	if from.IsZero() {
		return out, nil
	}
	if hour := now.Truncate(time.Hour); to.After(hour) {
		to = hour
	}
	if early := to.Add(-studyHistory); from.Before(early) {
		from = early
	}
	in := &out.Input
	in.From, in.To = from, to
	if in.Sessions, err = k.Usage.Sessions(ctx, site, from, to); err != nil {
		return out, fmt.Errorf("read sessions: %w", err)
	}
	if in.Points, err = k.Usage.Series(ctx, site, from, to, time.Hour); err != nil {
		return out, fmt.Errorf("read the use of the site: %w", err)
	}
	known, gone, err := k.portsOf(ctx, site, in)
	if err != nil {
		return out, err
	}
	kept := in.Sessions[:0]
	for _, s := range in.Sessions {
		if !gone[studiedPort{s.Station, s.EVSE}] {
			kept = append(kept, s)
		}
	}
	// Time in which other ports stood there says nothing of these.
	if in.Sessions = kept; len(gone) > 0 && len(kept) > 0 && kept[0].Start.After(from) {
		in.From = kept[0].Start.Truncate(time.Hour)
	}
	in.Ports = demand.Ports(known, in.Sessions)
	return out, nil
}

type studiedPort struct {
	station string
	evse    int
}

// portsOf are the ports of a site: those of its stations, and those that imports
// tell of and that were still used at the end of what is known. Others are gone.
func (k studied) portsOf(ctx context.Context, site string, in *demand.Input) (known []demand.Known, gone map[studiedPort]bool, err error) {
	ports, err := k.Usage.Ports(ctx, []string{site})
	if err != nil {
		return nil, nil, fmt.Errorf("read ports: %w", err)
	}
	last := make(map[studiedPort]time.Time)
	for _, s := range in.Sessions {
		last[studiedPort{s.Station, s.EVSE}] = s.Start
	}
	gone = make(map[studiedPort]bool)
	fleet := k.Journal.Snapshot()
	for _, p := range ports {
		id := studiedPort{p.Station, p.EVSE}
		one := demand.Known{Station: p.Station, EVSE: p.EVSE, PowerW: p.RatedW, DC: p.Current == "DC"}
		if one.PowerW > 22_000 && p.Current == "" {
			one.DC = true
		}
		st, here := fleet.Station(p.Station)
		switch {
		case p.Past && last[id].Before(in.To.Add(-studyRecent)), !p.Past && (!here || st.SiteID != site):
			gone[id] = true
			continue
		case here:
			for i := range st.EVSEs {
				v := &st.EVSEs[i]
				if l := v.Layout; v.ID == p.EVSE && l != nil && l.Group != "" && l.Exclusive {
					one.Shared, one.Serves = p.Station+"/"+l.Group, 1
				}
			}
		}
		known = append(known, one)
	}
	for id := range last {
		if last[id].Before(in.To.Add(-studyRecent)) && !contains(known, id) {
			gone[id] = true
		}
	}
	return known, gone, nil
}

func contains(list []demand.Known, id studiedPort) bool {
	for _, p := range list {
		if p.Station == id.station && p.EVSE == id.evse {
			return true
		}
	}
	return false
}
