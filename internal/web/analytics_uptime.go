package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"slices"
	"strconv"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/usage/pattern"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// UptimeShape is for how long ports were fit to serve. Shares are of time.
type UptimeShape struct {
	Ports          int      `json:"ports"`
	Availability   *float64 `json:"availability" doc:"neither faulted nor out of service, of the observed time"`
	WithoutPlanned *float64 `json:"withoutPlanned" doc:"the same, of the observed time in which nobody had taken them out of service"`
	ObservedShare  *float64 `json:"observedShare" doc:"of all time"`
	Failures       *int     `json:"failures" doc:"incidents that took a port from drivers; null: incidents are not kept or not yours to see"`
	MTBFSeconds    *float64 `json:"mtbfSeconds" doc:"mean operating time of a station between failures"`
	MTTRSeconds    *float64 `json:"mttrSeconds" doc:"mean time to restoration"`
}

// StationUptimeShape is the uptime of a station.
type StationUptimeShape struct {
	Station string `json:"station"`
	Name    string `json:"name"`
	UptimeShape
}

// SiteUptimeShape is the uptime of a site.
type SiteUptimeShape struct {
	Site string `json:"site"`
	Name string `json:"name"`
	UptimeShape
	Stations []StationUptimeShape `json:"stations" doc:"the least available first"`
}

// UptimeAnswer is the uptime of sites and stations that are connected; ports
// that only imports know of tell nothing of it.
type UptimeAnswer struct {
	AnalyticsHead
	All   UptimeShape       `json:"all"`
	Sites []SiteUptimeShape `json:"sites" doc:"the least available first"`
}

type uptimeInput struct{ AnalyticsQuery }

type uptimeOutput struct{ Body UptimeAnswer }

// counted is what ports of a station or site did, and how often they failed.
type counted struct {
	cell  rollup.Cell
	ports int
}

func (c *counted) add(o *rollup.Cell, ports int) {
	for s, ms := range o.Millis {
		c.cell.Millis[s] += ms
	}
	c.ports += ports
}

func (c *counted) shape(f *incident.Group) UptimeShape {
	u := pattern.UptimeOf(&c.cell)
	out := UptimeShape{Ports: c.ports, Availability: known(u.Availability), WithoutPlanned: known(u.WithoutPlanned), ObservedShare: known(u.Observed)}
	if f != nil {
		out.Failures, out.MTBFSeconds, out.MTTRSeconds = new(f.Failures), seconds(f.MTBFStation), seconds(f.MTTR)
	}
	return out
}

func (s *Server) uptime(ctx context.Context, in *uptimeInput) (*uptimeOutput, error) {
	q, err := s.inquire(ctx, &in.AnalyticsQuery)
	if err != nil {
		return nil, err
	}
	ports, err := s.o.Usage.Ports(ctx, q.sites)
	if err != nil {
		return nil, err
	}
	ports = slices.DeleteFunc(ports, func(p rollup.Port) bool { return p.Past })
	var all counted
	sites, stations := make(map[string]*counted), make(map[string]map[string]*counted)
	for len(ports) > 0 {
		// Those of a station follow one another.
		n := 1
		for n < len(ports) && ports[n].Station == ports[0].Station && ports[n].Site == ports[0].Site {
			n++
		}
		var one counted
		seen := make(map[int64]struct{})
		if err := s.o.Usage.PortDays(ctx, ports[:n], q.from, q.to, func(p *rollup.Port, d *rollup.PortDay) error {
			seen[p.ID] = struct{}{}
			c := d.Between(q.from, q.to)
			one.add(&c, 0)
			return nil
		}); err != nil {
			return nil, err
		}
		if one.ports = len(seen); one.ports > 0 {
			p := &ports[0]
			if sites[p.Site] == nil {
				sites[p.Site], stations[p.Site] = new(counted), make(map[string]*counted)
			}
			stations[p.Site][p.Station] = &one
			sites[p.Site].add(&one.cell, one.ports)
			all.add(&one.cell, one.ports)
		}
		ports = ports[n:]
	}
	if all.ports == 0 {
		q.lacks("connected")
	}
	failed, err := s.failures(ctx, q)
	if err != nil {
		return nil, err
	}
	out := UptimeAnswer{AnalyticsHead: q.head, All: all.shape(failed.all), Sites: []SiteUptimeShape{}}
	for id, c := range sites {
		one := SiteUptimeShape{Site: id, Name: s.usageSite(id), UptimeShape: c.shape(failed.of(failed.sites, id)), Stations: []StationUptimeShape{}}
		for station, c := range stations[id] {
			one.Stations = append(one.Stations, StationUptimeShape{Station: station, Name: s.usageStation(station), UptimeShape: c.shape(failed.of(failed.stations, station))})
		}
		slices.SortFunc(one.Stations, func(a, b StationUptimeShape) int {
			return leastAvailable(&a.UptimeShape, &b.UptimeShape, a.Station, b.Station)
		})
		out.Sites = append(out.Sites, one)
	}
	slices.SortFunc(out.Sites, func(a, b SiteUptimeShape) int { return leastAvailable(&a.UptimeShape, &b.UptimeShape, a.Site, b.Site) })
	return &uptimeOutput{Body: out}, nil
}

// leastAvailable orders by availability; what is not known comes last.
func leastAvailable(a, b *UptimeShape, nameA, nameB string) int {
	switch {
	case a.Availability == nil && b.Availability != nil:
		return 1
	case a.Availability != nil && b.Availability == nil:
		return -1
	case a.Availability != nil && *a.Availability != *b.Availability:
		return cmp.Compare(*a.Availability, *b.Availability)
	}
	return cmp.Compare(nameA, nameB)
}

// failures are the figures of incidents, as far as the caller may see them.
type failures struct {
	all             *incident.Group
	sites, stations map[string]*incident.Group
}

// of is nil where incidents are not told at all, and none where there were none.
func (f *failures) of(list map[string]*incident.Group, key string) *incident.Group {
	if f.all == nil {
		return nil
	}
	if g := list[key]; g != nil {
		return g
	}
	return new(incident.Group)
}

func (s *Server) failures(ctx context.Context, q *inquiry) (*failures, error) {
	out := &failures{sites: make(map[string]*incident.Group), stations: make(map[string]*incident.Group)}
	allowed := scope(ctx, IncidentsRead)
	if q.sites != nil {
		asked := Scope{}.with(q.sites)
		allowed = asked.and(allowed)
	}
	if s.o.Measures == nil || allowed.Empty() {
		return out, nil
	}
	span := incident.Span{From: q.from, To: q.to}
	found, err := s.o.Measures.Measures(ctx, incident.Query{Sites: allowed.sitesOrNil(), Discreet: discreetSites(ctx), From: span.From, To: span.To})
	if err != nil {
		return nil, err
	}
	w := s.watched(allowed, span)
	for i := range found {
		w.ports(&found[i])
	}
	out.all = &incident.Group{Figures: incident.Measure(found, span, w.all)}
	for _, g := range incident.MeasureBy(found, span, func(x *incident.Measured) string { return x.SiteID }, w.site) {
		out.sites[g.Key] = &g
	}
	for _, g := range incident.MeasureBy(found, span, func(x *incident.Measured) string { return x.Station }, w.station) {
		out.stations[g.Key] = &g
	}
	return out, nil
}

func (s *Server) exportUptime(ctx context.Context, in *uptimeInput) (*csvOutput, error) {
	answer, err := s.uptime(ctx, in)
	if err != nil {
		return nil, err
	}
	a := &answer.Body
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{"site", "siteName", "station", "name", "ports", "availability", "withoutPlanned", "observedShare", "failures", "mtbfSeconds", "mttrSeconds"})
	row := func(site, siteName, station, name string, u *UptimeShape) {
		failed := ""
		if u.Failures != nil {
			failed = strconv.Itoa(*u.Failures)
		}
		_ = w.Write([]string{
			cell(site), cell(siteName), cell(station), cell(name), strconv.Itoa(u.Ports), figure(u.Availability, 6), figure(u.WithoutPlanned, 6), figure(u.ObservedShare, 6),
			failed, figure(u.MTBFSeconds, 0), figure(u.MTTRSeconds, 0),
		})
	}
	row("", "", "", "", &a.All)
	for i := range a.Sites {
		x := &a.Sites[i]
		row(x.Site, x.Name, "", "", &x.UptimeShape)
		for j := range x.Stations {
			row(x.Site, x.Name, x.Stations[j].Station, x.Stations[j].Name, &x.Stations[j].UptimeShape)
		}
	}
	w.Flush()
	return csvFile("uptime", &a.AnalyticsHead, buf.Bytes()), nil
}
