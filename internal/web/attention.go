package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Attention is what a driver would run into: ports that cannot charge whoever
// comes, and ports that charge slower than they could.
type Attention struct {
	At           time.Time      `json:"at"`
	CannotCharge []Outage       `json:"cannotCharge" doc:"ordered by what it means for drivers, then the newest first; at most limit"`
	Ports        int            `json:"ports" doc:"that cannot charge, in all"`
	Total        int            `json:"total" doc:"of outages, in all"`
	ByReason     map[string]int `json:"byReason" doc:"ports that cannot charge"`
	Slow         []SlowPort     `json:"slow" doc:"the slowest first; at most limit"`
}

// Outage is a port that cannot charge, or those of one station that cannot for
// the same reason.
type Outage struct {
	Station  string     `json:"station"`
	Label    string     `json:"label"`
	SiteID   string     `json:"siteId"`
	SiteName string     `json:"siteName"`
	EVSEs    []int      `json:"evses" doc:"the ports; none for a whole site and for a station that never named any"`
	Ports    int        `json:"ports"`
	Stations int        `json:"stations" doc:"more than one for a whole site, which names no station"`
	Class    string     `json:"class" enum:"ac,dc,hpc,unknown"`
	Reason   string     `json:"reason" enum:"faulted,stationFaulted,nothing,offline,siteOffline,unknown,unavailable,stationUnavailable,notAccepted"`
	Fault    maybeFault `json:"fault"`
	Since    *time.Time `json:"since" doc:"null: never otherwise"`
	// What is left of the class at the site.
	Others Others `json:"others"`
}

// Others are the other ports of an outage's power class at its site.
type Others struct {
	Total   int `json:"total"`
	Working int `json:"working"`
	Free    int `json:"free"`
}

// SlowPort is a port that charges slower than it could.
type SlowPort struct {
	Station    string   `json:"station"`
	Label      string   `json:"label"`
	SiteID     string   `json:"siteId"`
	SiteName   string   `json:"siteName"`
	EVSE       int      `json:"evse"`
	Class      string   `json:"class" enum:"ac,dc,hpc,unknown"`
	SoCPercent *float64 `json:"socPercent"`
	SlowShape
}

// The reasons why a port cannot charge.
const (
	reasonFaulted            = "faulted"
	reasonStationFaulted     = "stationFaulted"
	reasonNothing            = "nothing" // says it charges and has delivered nothing
	reasonOffline            = "offline"
	reasonSiteOffline        = "siteOffline" // every station there
	reasonUnknown            = "unknown"
	reasonUnavailable        = "unavailable"
	reasonStationUnavailable = "stationUnavailable"
	reasonNotAccepted        = "notAccepted"
)

const (
	// A session that has delivered less than this after a while delivers nothing.
	nothingWh    = 50
	nothingAfter = 10 * time.Minute
)

type attentionInput struct {
	Site  string `query:"site" maxLength:"48" doc:"default: all sites"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

type attentionOutput struct{ Body Attention }

func (s *Server) registerAttention() {
	add(s, filtered(StationsRead), huma.Operation{
		OperationID: "getAttention", Method: http.MethodGet, Path: "/attention", Tags: []string{"network"},
		Summary: "Ports that cannot charge now, and slow ones",
	}, func(ctx context.Context, in *attentionInput) (*attentionOutput, error) {
		allowed := scope(ctx, StationsRead)
		out := s.attention(s.o.Fleet.Snapshot(), func(site string) bool {
			return allowed.Allows(site) && (in.Site == "" || site == in.Site)
		})
		out.CannotCharge = out.CannotCharge[:min(in.Limit, len(out.CannotCharge))]
		out.Slow = out.Slow[:min(in.Limit, len(out.Slow))]
		return &attentionOutput{Body: out}, nil
	})
}

// corner is a power class at a site.
type corner struct {
	site  string
	class fleet.PowerClass
}

func (s *Server) attention(snap *fleet.Snapshot, wanted func(site string) bool) Attention {
	now := s.now()
	out := Attention{At: now.UTC(), CannotCharge: []Outage{}, ByReason: make(map[string]int), Slow: []SlowPort{}}
	left := make(map[corner]*Others)
	whole := make(map[string]*siteReach)
	corners := []corner{}
	for st := range snap.Stations() {
		if !wanted(st.SiteID) {
			continue
		}
		if onboarding(st) == event.OnboardingPending && st.SiteID != "" {
			out.CannotCharge = append(out.CannotCharge, s.outage(st, fleet.ClassUnknown, reasonNotAccepted))
			corners = append(corners, corner{st.SiteID, fleet.ClassUnknown})
		}
		if !st.Shown() {
			continue
		}
		reach := whole[st.SiteID]
		if reach == nil {
			reach = new(siteReach)
			whole[st.SiteID] = reach
		}
		reach.add(st)
		first := len(out.CannotCharge)
		for i := range st.EVSEs {
			v := &st.EVSEs[i]
			at := corner{st.SiteID, v.PowerClass()}
			o := left[at]
			if o == nil {
				o = new(Others)
				left[at] = o
			}
			o.Total++
			reason := cannotCharge(st, v, now)
			if reason == "" {
				o.Working++
				if st.Free(v) {
					o.Free++
				}
				if x := slow(st, v, now); x != nil {
					out.Slow = append(out.Slow, s.slowPort(st, v, *x))
				}
				continue
			}
			out.Ports++
			out.ByReason[reason]++
			k := slices.IndexFunc(out.CannotCharge[first:], func(o Outage) bool {
				return o.Reason == reason && o.Class == at.class.String() && ofStation(reason)
			})
			if k < 0 {
				k = len(out.CannotCharge) - first
				one := s.outage(st, at.class, reason)
				if !ofStation(reason) {
					one.Fault, one.Since = faultShape(v.Fault), since(v, reason)
				}
				out.CannotCharge = append(out.CannotCharge, one)
				corners = append(corners, at)
			}
			one := &out.CannotCharge[first+k]
			one.EVSEs, one.Ports = append(one.EVSEs, v.ID), one.Ports+1
		}
	}
	for i := range out.CannotCharge {
		if o := left[corners[i]]; o != nil {
			one := &out.CannotCharge[i]
			one.Others = Others{Total: max(0, o.Total-len(one.EVSEs)), Working: o.Working, Free: o.Free}
		}
	}
	out.CannotCharge = s.joinDark(out.CannotCharge, whole)
	out.Total = len(out.CannotCharge)
	slices.SortFunc(out.CannotCharge, worse)
	slices.SortFunc(out.Slow, func(a, b SlowPort) int {
		return cmp.Or(cmp.Compare(a.PowerW/a.CouldW, b.PowerW/b.CouldW), cmp.Compare(a.Station, b.Station), a.EVSE-b.EVSE)
	})
	return out
}

// siteReach is whether anything of a site can be reached.
type siteReach struct {
	stations, online, ports int
	since                   time.Time // the last one was lost
}

func (r *siteReach) add(st *fleet.Station) {
	r.stations++
	r.ports += len(st.EVSEs)
	if st.Online {
		r.online++
	}
	if st.DisconnectedAt.After(r.since) {
		r.since = st.DisconnectedAt
	}
}

// joinDark makes one outage of the many of a site at which every station is
// offline: what is lost is the site's connection or power.
func (s *Server) joinDark(list []Outage, whole map[string]*siteReach) []Outage {
	dark := func(site string) bool {
		r := whole[site]
		return site != "" && r != nil && r.stations > 1 && r.online == 0
	}
	list = slices.DeleteFunc(list, func(o Outage) bool { return o.Reason == reasonOffline && dark(o.SiteID) })
	for site, r := range whole {
		if !dark(site) || r.ports == 0 {
			continue
		}
		one := Outage{
			SiteID: site, EVSEs: []int{}, Ports: r.ports, Stations: r.stations, Class: fleet.ClassUnknown.String(),
			Reason: reasonSiteOffline, Since: instant(r.since),
		}
		if x, ok := s.o.Store.Site(site); ok {
			one.SiteName = x.Name
		}
		list = append(list, one)
	}
	return list
}

// cannotCharge is why a port would fail any driver, empty if it would not.
func cannotCharge(st *fleet.Station, v *fleet.EVSE, now time.Time) string {
	switch {
	case !st.Online:
		return reasonOffline
	case st.Closed() && st.Own.Status == fleet.Faulted && v.Session == nil:
		return reasonStationFaulted
	case st.Closed() && v.Session == nil:
		return reasonStationUnavailable
	}
	switch v.Status {
	case fleet.Faulted:
		return reasonFaulted
	case fleet.Unavailable:
		return reasonUnavailable
	case fleet.Unknown:
		return reasonUnknown
	case fleet.Charging:
		x, w := v.Session, st.Power(v)
		if x != nil && w != nil && *w < 50 && x.EnergyWh < nothingWh && x.PeakPowerW < 100 && now.Sub(x.StartedAt) >= nothingAfter {
			return reasonNothing
		}
	}
	return ""
}

// ofStation reports that the reason lies with the station, so that its ports go
// together.
func ofStation(reason string) bool {
	return reason == reasonOffline || reason == reasonStationFaulted || reason == reasonStationUnavailable
}

func since(v *fleet.EVSE, reason string) *time.Time {
	switch {
	case reason == reasonNothing:
		return instant(v.Session.StartedAt)
	case reason == reasonFaulted && v.Fault != nil && !v.Fault.Since.IsZero():
		return instant(v.Fault.Since)
	}
	return instant(v.StatusAt)
}

// outage is what is wrong with a station as a whole.
func (s *Server) outage(st *fleet.Station, class fleet.PowerClass, reason string) Outage {
	out := Outage{Station: st.ID, Label: st.Label, SiteID: st.SiteID, EVSEs: []int{}, Stations: 1, Class: class.String(), Reason: reason}
	if site, ok := s.o.Store.Site(st.SiteID); ok {
		out.SiteName = site.Name
	}
	switch reason {
	case reasonOffline:
		out.Since = instant(st.DisconnectedAt)
	case reasonStationFaulted, reasonStationUnavailable:
		out.Fault, out.Since = faultShape(st.Own.Fault), instant(st.Own.At)
	case reasonNotAccepted:
		out.Since = instant(st.ConnectedAt)
	}
	return out
}

func (s *Server) slowPort(st *fleet.Station, v *fleet.EVSE, x SlowShape) SlowPort {
	out := SlowPort{
		Station: st.ID, Label: st.Label, SiteID: st.SiteID, EVSE: v.ID, Class: v.PowerClass().String(),
		SoCPercent: v.Live.SoC, SlowShape: x,
	}
	if site, ok := s.o.Store.Site(st.SiteID); ok {
		out.SiteName = site.Name
	}
	return out
}

// worse orders outages: where nothing of the class is left at the site, then
// where none is free, then the rest; breakdowns before what is planned; the
// newest first, since the old ones are known.
func worse(a, b Outage) int {
	tier := func(o Outage) int {
		switch {
		case o.Reason == reasonNotAccepted:
			return 3
		case o.Others.Working == 0:
			return 0
		case o.Others.Free == 0:
			return 1
		}
		return 2
	}
	kind := func(o Outage) int {
		if o.Reason == reasonUnavailable || o.Reason == reasonStationUnavailable {
			return 1
		}
		return 0
	}
	newest := func(o Outage) int64 {
		if o.Since == nil {
			return 0
		}
		return -o.Since.Unix()
	}
	return cmp.Or(cmp.Compare(tier(a), tier(b)), cmp.Compare(kind(a), kind(b)), cmp.Compare(newest(a), newest(b)),
		cmp.Compare(a.SiteID, b.SiteID), cmp.Compare(a.Station, b.Station), cmp.Compare(a.Reason, b.Reason), slices.Compare(a.EVSEs, b.EVSEs))
}
