package web

import (
	"context"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Summary is the network at a glance.
type Summary struct {
	At        time.Time       `json:"at"`
	Ports     PortSummary     `json:"ports"`
	Stations  StationSummary  `json:"stations"`
	PowerW    float64         `json:"powerW"`
	OfferedW  float64         `json:"offeredW"`
	Sessions  SessionSummary  `json:"sessions"`
	Incidents IncidentSummary `json:"incidents"`
	Cameras   TotalSummary    `json:"cameras"`
	Doors     TotalSummary    `json:"doors"`
	Observing bool            `json:"observing" doc:"false while the journal cannot commit: what is shown is old"`
}

// PortSummary counts the ports of accepted stations. ByStatus counts those of
// stations that are online, so it and Offline add up to Total.
type PortSummary struct {
	Total        int            `json:"total"`
	Free         int            `json:"free"`
	ByStatus     map[string]int `json:"byStatus"`
	Offline      int            `json:"offline"`
	ByPowerClass []PowerClass   `json:"byPowerClass"`
}

// PowerClass counts the ports of one class of power.
type PowerClass struct {
	Class    string `json:"class" enum:"ac,dc,hpc,unknown"`
	Total    int    `json:"total"`
	Free     int    `json:"free"`
	Charging int    `json:"charging"`
	Faulted  int    `json:"faulted"`
	Offline  int    `json:"offline"`
}

// StationSummary counts stations.
type StationSummary struct {
	Total     int `json:"total"`
	Online    int `json:"online"`
	Offline   int `json:"offline"`
	Pending   int `json:"pending"`
	Simulated int `json:"simulated"`
}

// SessionSummary counts sessions; today begins at midnight of the site.
type SessionSummary struct {
	Active        int     `json:"active"`
	Today         int     `json:"today"`
	EnergyTodayWh float64 `json:"energyTodayWh" doc:"of sessions that started today"`
}

// IncidentSummary counts incidents.
type IncidentSummary struct {
	Open int `json:"open"`
}

// TotalSummary counts things.
type TotalSummary struct {
	Total int `json:"total"`
}

type summaryOutput struct{ Body Summary }

func (s *Server) registerSummary() {
	add(s, filtered(SummaryRead), huma.Operation{
		OperationID: "getSummary", Method: http.MethodGet, Path: "/summary", Summary: "The network at a glance", Tags: []string{"network"},
	}, func(ctx context.Context, _ *struct{}) (*summaryOutput, error) {
		return &summaryOutput{Body: s.summary(s.o.Fleet.Snapshot(), scope(ctx, SummaryRead))}, nil
	})
}

func (s *Server) summary(snap *fleet.Snapshot, allowed Scope) Summary {
	out := Summary{At: s.now().UTC(), Observing: s.o.Fleet.Ready() == nil}
	var byStatus [fleet.Statuses]int
	var byClass [fleet.PowerClasses]PowerClass
	for st := range snap.Stations() {
		if !allowed.Allows(st.SiteID) {
			continue
		}
		switch onboarding(st) {
		case event.OnboardingPending:
			out.Stations.Pending++
			continue
		case event.OnboardingRejected:
			continue
		}
		out.Stations.Total++
		if st.Simulated {
			out.Stations.Simulated++
		}
		if st.Online {
			out.Stations.Online++
		} else {
			out.Stations.Offline++
		}
		for i := range st.EVSEs {
			out.port(st, &st.EVSEs[i], &byStatus, &byClass)
		}
		out.Sessions.Active += len(st.Backlog)
	}
	out.Ports.ByStatus = make(map[string]int, len(byStatus))
	for status, n := range byStatus {
		out.Ports.ByStatus[fleet.Status(status).String()] = n
	}
	for i := range byClass {
		byClass[i].Class = fleet.PowerClass(i).String()
	}
	out.Ports.ByPowerClass = byClass[:]
	out.PowerW, out.OfferedW = math.Round(out.PowerW), math.Round(out.OfferedW)
	out.Sessions.Today, out.Sessions.EnergyTodayWh = s.today.count(snap, allowed)
	out.Sessions.EnergyTodayWh = math.Round(out.Sessions.EnergyTodayWh)
	return out
}

func (out *Summary) port(st *fleet.Station, v *fleet.EVSE, byStatus *[fleet.Statuses]int, byClass *[fleet.PowerClasses]PowerClass) {
	c := &byClass[v.PowerClass()]
	out.Ports.Total++
	c.Total++
	if v.Session != nil {
		out.Sessions.Active++
	}
	if !st.Online {
		out.Ports.Offline++
		c.Offline++
		return
	}
	byStatus[v.Status]++
	switch v.Status {
	case fleet.Charging:
		c.Charging++
	case fleet.Faulted:
		c.Faulted++
	}
	if st.Free(v) {
		out.Ports.Free++
		c.Free++
	}
	if w := st.Power(v); w != nil {
		out.PowerW += *w
		if v.Live.OfferedW != nil {
			out.OfferedW += *v.Live.OfferedW
		}
	}
}

// today keeps the sessions that started today and have ended; open ones are in
// the snapshot. It asks the journal every few seconds for what ended lately and
// now and then for the whole day, so that late reports count too.
type today struct {
	s  *Server
	mu sync.Mutex
	// ended is every session that started at most two days ago: midnight comes
	// at another time at every site.
	ended map[string]endedSession
	asked time.Time // up to when the journal was asked
	whole time.Time // when it was asked for everything
}

type endedSession struct {
	site    string
	started time.Time
	energy  float64
}

const (
	todayEvery = 5 * time.Second
	todayWhole = 30 * time.Minute
	todayBack  = 50 * time.Hour
	// todayMost bounds memory: 100 bytes for each of 50 sessions a day at 20,000
	// ports.
	todayMost = 1_000_000
)

func newToday(s *Server) *today { return &today{s: s, ended: make(map[string]endedSession)} }

func (t *today) run(ctx context.Context) {
	tick := time.NewTicker(todayEvery)
	defer tick.Stop()
	for {
		if err := t.refresh(ctx); err != nil && ctx.Err() == nil {
			t.s.log.WarnContext(ctx, "sessions of today not counted", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *today) refresh(ctx context.Context) error {
	now := t.s.now()
	from := t.asked.Add(-2 * time.Minute)
	if now.Sub(t.whole) >= todayWhole {
		from = now.Add(-todayBack)
	}
	q := journal.SessionQuery{Active: new(false), From: from, Limit: journal.MaxLimit}
	found := make(map[string]endedSession)
	for len(found) < todayMost {
		page, next, err := t.s.o.History.Sessions(ctx, q)
		if err != nil {
			return err
		}
		for _, x := range page {
			found[x.ID] = endedSession{site: x.SiteID, started: x.StartedAt, energy: x.EnergyWh}
		}
		if next == "" || len(page) == 0 {
			break
		}
		q.Before = next
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = now
	if now.Sub(t.whole) >= todayWhole {
		t.whole, t.ended = now, found
		return nil
	}
	for id, x := range found {
		if len(t.ended) < todayMost {
			t.ended[id] = x
		}
	}
	return nil
}

func (t *today) count(snap *fleet.Snapshot, allowed Scope) (n int, energyWh float64) {
	now := t.s.now()
	midnight := make(map[string]time.Time)
	since := func(site string) time.Time {
		at, ok := midnight[site]
		if !ok {
			at = t.s.midnight(site, now)
			midnight[site] = at
		}
		return at
	}
	t.mu.Lock()
	for _, x := range t.ended {
		if allowed.Allows(x.site) && !x.started.Before(since(x.site)) {
			n++
			energyWh += x.energy
		}
	}
	t.mu.Unlock()
	open := func(site string, x *fleet.Session) {
		if x != nil && !x.StartedAt.Before(since(site)) {
			n++
			energyWh += x.EnergyWh
		}
	}
	for st := range snap.Stations() {
		if !allowed.Allows(st.SiteID) {
			continue
		}
		for i := range st.EVSEs {
			open(st.SiteID, st.EVSEs[i].Session)
		}
		for _, x := range st.Backlog {
			open(st.SiteID, x)
		}
	}
	return n, energyWh
}

// midnight is when the day began at a site; UTC where no time zone is set.
func (s *Server) midnight(site string, now time.Time) time.Time {
	zone := time.UTC
	if x, ok := s.o.Store.Site(site); ok && x.TimeZone != "" {
		if z, err := time.LoadLocation(x.TimeZone); err == nil {
			zone = z
		}
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}
