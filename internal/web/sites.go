package web

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// SiteShape is a site as the API shows it.
type SiteShape struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Address      string   `json:"address"`
	Latitude     *float64 `json:"latitude"`
	Longitude    *float64 `json:"longitude"`
	TimeZone     string   `json:"timeZone"`
	OpeningHours string   `json:"openingHours"`
	GridLimitW   float64  `json:"gridLimitW" doc:"0: none known"`
	FreeVend     bool     `json:"freeVend" doc:"anyone may charge"`
	StationLists bool     `json:"stationLists" doc:"its stations keep a list of whom to serve while the server is away"`
	Upstream     string   `json:"upstream" doc:"the other central system that its stations are relayed to; empty: none"`
	Observers    []string `json:"observers" doc:"systems that hear its stations too"`

	Public     bool          `json:"public" doc:"drivers see it at /status"`
	PublicName string        `json:"publicName" doc:"the name drivers read; empty: name"`
	Notices    []NoticeShape `json:"notices" doc:"what drivers are told; those of the past are kept and not shown to them"`

	Stations int        `json:"stations"`
	Ports    SitePorts  `json:"ports"`
	PowerW   float64    `json:"powerW"`
	Sessions int        `json:"sessions" doc:"active ones"`
	Plan     *PlanShape `json:"plan,omitempty" doc:"there if the site has one"`
}

// NoticeShape is what an operator tells drivers.
type NoticeShape struct {
	Text  string     `json:"text" minLength:"1" maxLength:"500"`
	Until *time.Time `json:"until" required:"false" doc:"null: until it is removed"`
}

func noticeShapes(list []store.Notice) []NoticeShape {
	out := make([]NoticeShape, 0, len(list))
	for _, n := range list {
		out = append(out, NoticeShape{Text: n.Text, Until: instant(n.Until)})
	}
	return out
}

func notices(list []NoticeShape) []store.Notice {
	var out []store.Notice
	for _, n := range list {
		x := store.Notice{Text: n.Text}
		if n.Until != nil {
			x.Until = n.Until.UTC()
		}
		out = append(out, x)
	}
	return out
}

// SitePorts counts the ports of a site's accepted stations.
type SitePorts struct {
	Total   int `json:"total"`
	Free    int `json:"free"`
	Faulted int `json:"faulted"`
	Offline int `json:"offline"`

	ByPowerClass []PowerClass `json:"byPowerClass" doc:"those that are there"`
}

type siteOutput struct{ Body SiteShape }

type newSiteInput struct {
	Body struct {
		ID           string   `json:"id,omitempty" maxLength:"48" doc:"one is given if missing"`
		Name         string   `json:"name,omitempty" maxLength:"100"`
		Address      string   `json:"address,omitempty" maxLength:"300"`
		Latitude     *float64 `json:"latitude,omitempty"`
		Longitude    *float64 `json:"longitude,omitempty"`
		TimeZone     string   `json:"timeZone,omitempty" maxLength:"64" doc:"IANA name"`
		OpeningHours string   `json:"openingHours,omitempty" maxLength:"300" doc:"as OpenStreetMap writes them"`
		GridLimitW   float64  `json:"gridLimitW,omitempty"`
		FreeVend     bool     `json:"freeVend,omitempty"`
		StationLists bool     `json:"stationLists,omitempty"`
		Upstream     string   `json:"upstream,omitempty" maxLength:"48" doc:"the other central system that its stations are relayed to"`
		Observers    []string `json:"observers,omitempty" maxItems:"4" doc:"systems that hear its stations too"`

		Public     bool          `json:"public,omitempty" doc:"drivers see it at /status"`
		PublicName string        `json:"publicName,omitempty" maxLength:"100"`
		Notices    []NoticeShape `json:"notices,omitempty" maxItems:"10"`
	}
}

type siteChangeInput struct {
	Site string `path:"site" maxLength:"48"`
	Body struct {
		Name         *string   `json:"name,omitempty" maxLength:"100"`
		Address      *string   `json:"address,omitempty" maxLength:"300"`
		Latitude     *float64  `json:"latitude,omitempty"`
		Longitude    *float64  `json:"longitude,omitempty"`
		NoPosition   bool      `json:"noPosition,omitempty" doc:"forget latitude and longitude"`
		TimeZone     *string   `json:"timeZone,omitempty" maxLength:"64"`
		OpeningHours *string   `json:"openingHours,omitempty" maxLength:"300"`
		GridLimitW   *float64  `json:"gridLimitW,omitempty"`
		FreeVend     *bool     `json:"freeVend,omitempty"`
		Upstream     *string   `json:"upstream,omitempty" maxLength:"48" doc:"the other central system that its stations are relayed to; empty: none. Its stations come again at once"`
		Observers    *[]string `json:"observers,omitempty" maxItems:"4" doc:"systems that hear its stations too"`
		StationLists *bool     `json:"stationLists,omitempty" doc:"lists are made and kept in its stations, and their settings changed to go by them; off: emptied, and the settings put back"`

		Public     *bool          `json:"public,omitempty" doc:"drivers see it at /status"`
		PublicName *string        `json:"publicName,omitempty" maxLength:"100"`
		Notices    *[]NoticeShape `json:"notices,omitempty" maxItems:"10" doc:"replaces all"`
	}
}

type siteInput struct {
	Site string `path:"site" maxLength:"48"`
}

func (s *Server) registerSites() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"sites"}}
	}
	add(s, filtered(SitesRead), op("listSites", http.MethodGet, "/sites", "List sites", 0), s.listSites)
	add(s, global(SitesWrite), op("createSite", http.MethodPost, "/sites", "Add a site", http.StatusCreated), s.createSite)
	add(s, atSite(SitesRead), op("getSite", http.MethodGet, "/sites/{site}", "One site", 0), s.getSite)
	add(s, atSite(SitesWrite), op("changeSite", http.MethodPatch, "/sites/{site}", "Change a site", 0), s.changeSite)
	add(s, atSite(SitesWrite), op("deleteSite", http.MethodDelete, "/sites/{site}", "Remove a site that has no stations",
		http.StatusNoContent), s.deleteSite)
}

// siteCount is what the fleet knows of a site.
type siteCount struct {
	stations int
	ports    SitePorts
	classes  [fleet.PowerClasses]PowerClass
	powerW   float64
	sessions int
}

// siteCounts counts the ports and stations of all sites.
func (s *Server) siteCounts() map[string]*siteCount {
	out := make(map[string]*siteCount)
	for st := range s.o.Fleet.Snapshot().Stations() {
		if !st.Shown() {
			continue
		}
		c := out[st.SiteID]
		if c == nil {
			c = new(siteCount)
			out[st.SiteID] = c
		}
		c.stations++
		c.sessions += len(st.Backlog)
		for i := range st.EVSEs {
			c.port(st, &st.EVSEs[i])
		}
	}
	return out
}

func (c *siteCount) port(st *fleet.Station, v *fleet.EVSE) {
	class := &c.classes[v.PowerClass()]
	c.ports.Total++
	class.Total++
	if v.Session != nil {
		c.sessions++
	}
	if w := st.Power(v); w != nil {
		c.powerW += *w
	}
	switch {
	case !st.Online:
		c.ports.Offline++
		class.Offline++
	case v.Status == fleet.Faulted:
		c.ports.Faulted++
		class.Faulted++
	case v.Status == fleet.Charging:
		class.Charging++
	case st.Free(v):
		c.ports.Free++
		class.Free++
	}
}

func (s *Server) siteShape(x *store.Site, c *siteCount) SiteShape {
	out := SiteShape{
		ID: x.ID, Name: x.Name, Address: x.Address, Latitude: x.Latitude, Longitude: x.Longitude, TimeZone: x.TimeZone,
		OpeningHours: x.OpeningHours, GridLimitW: x.GridLimitW, FreeVend: x.FreeVend, StationLists: x.StationLists, Public: x.Public, PublicName: x.PublicName,
		Notices: noticeShapes(x.Notices), Ports: SitePorts{ByPowerClass: []PowerClass{}},
	}
	relay := s.o.Store.Relaying(event.Site(x.ID))
	out.Upstream, out.Observers = relay.Upstream, list(relay.Observers)
	if p, ok := s.o.Store.Plan(x.ID); ok {
		out.Plan = planShape(p)
	}
	if c == nil {
		return out
	}
	out.Stations, out.PowerW, out.Sessions = c.stations, math.Round(c.powerW), c.sessions
	out.Ports = c.ports
	out.Ports.ByPowerClass = []PowerClass{}
	for i, class := range c.classes {
		if class.Total > 0 {
			class.Class = fleet.PowerClass(i).String()
			out.Ports.ByPowerClass = append(out.Ports.ByPowerClass, class)
		}
	}
	return out
}

func (s *Server) listSites(ctx context.Context, in *Page) (*listOutput[SiteShape], error) {
	after, err := decodeCursor("sites", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed, counts := scope(ctx, SitesRead), s.siteCounts()
	var out []SiteShape
	for _, x := range s.o.Store.Sites() {
		if x.ID <= after || !allowed.Allows(x.ID) {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("sites", out[len(out)-1].ID)), nil
		}
		out = append(out, s.siteShape(x, counts[x.ID]))
	}
	return listOf(out, ""), nil
}

func (s *Server) getSite(_ context.Context, in *siteInput) (*siteOutput, error) {
	x, ok := s.o.Store.Site(in.Site)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &siteOutput{Body: s.siteShape(x, s.siteCounts()[x.ID])}, nil
}

func (s *Server) createSite(ctx context.Context, in *newSiteInput) (*siteOutput, error) {
	b := in.Body
	if err := s.relayable(store.Relaying{}, &b.Upstream, &b.Observers); err != nil {
		return nil, err
	}
	x, err := s.o.Store.CreateSite(ctx, who(ctx).actor(), store.Site{
		ID: b.ID, Name: b.Name, Address: b.Address, Latitude: b.Latitude, Longitude: b.Longitude, TimeZone: b.TimeZone,
		OpeningHours: b.OpeningHours, GridLimitW: b.GridLimitW, FreeVend: b.FreeVend, StationLists: b.StationLists,
		Public: b.Public, PublicName: b.PublicName, Notices: notices(b.Notices),
	})
	if err != nil {
		return nil, err
	}
	if b.Upstream != "" || len(b.Observers) > 0 {
		if err := s.relaySite(ctx, x.ID, &b.Upstream, &b.Observers); err != nil {
			return nil, err
		}
	}
	return &siteOutput{Body: s.siteShape(x, nil)}, nil
}

func (s *Server) changeSite(ctx context.Context, in *siteChangeInput) (*siteOutput, error) {
	b := in.Body
	relayed := b.Upstream != nil || b.Observers != nil
	if err := s.relayable(s.o.Store.Relaying(event.Site(in.Site)), b.Upstream, b.Observers); relayed && err != nil {
		return nil, err
	}
	x, err := s.o.Store.UpdateSite(ctx, who(ctx).actor(), in.Site, func(x *store.Site) {
		put(&x.Name, b.Name)
		put(&x.Address, b.Address)
		put(&x.TimeZone, b.TimeZone)
		put(&x.OpeningHours, b.OpeningHours)
		put(&x.GridLimitW, b.GridLimitW)
		put(&x.FreeVend, b.FreeVend)
		put(&x.StationLists, b.StationLists)
		put(&x.Public, b.Public)
		put(&x.PublicName, b.PublicName)
		if b.Notices != nil {
			x.Notices = notices(*b.Notices)
		}
		if b.NoPosition {
			x.Latitude, x.Longitude = nil, nil
		}
		if b.Latitude != nil {
			x.Latitude = b.Latitude
		}
		if b.Longitude != nil {
			x.Longitude = b.Longitude
		}
	})
	if err != nil {
		return nil, err
	}
	if relayed {
		if err := s.relaySite(ctx, in.Site, b.Upstream, b.Observers); err != nil {
			return nil, err
		}
	}
	return &siteOutput{Body: s.siteShape(x, s.siteCounts()[x.ID])}, nil
}

func (s *Server) deleteSite(ctx context.Context, in *siteInput) (*noContent, error) {
	return nil, s.o.Store.DeleteSite(ctx, who(ctx).actor(), in.Site)
}

// put sets what a caller named.
func put[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}
