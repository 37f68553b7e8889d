package web

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
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
	Cameras   CameraSummary   `json:"cameras"`
	Doors     DoorSummary     `json:"doors"`
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

// IncidentSummary counts incidents that somebody has to handle; what is folded
// into another is counted with it.
type IncidentSummary struct {
	Open       int            `json:"open"`
	Verifying  int            `json:"verifying" doc:"repaired, waiting for the next charge to prove it"`
	BySeverity map[string]int `json:"bySeverity" doc:"of the open ones"`
}

// CameraSummary counts cameras.
type CameraSummary struct {
	Total   int            `json:"total"`
	ByState map[string]int `json:"byState" doc:"those that are there"`
}

// DoorSummary counts doors.
type DoorSummary struct {
	Total   int            `json:"total"`
	ByState map[string]int `json:"byState" doc:"those that are there"`
}

type summaryOutput struct{ Body Summary }

func (s *Server) registerSummary() {
	add(s, filtered(SummaryRead), huma.Operation{
		OperationID: "getSummary", Method: http.MethodGet, Path: "/summary", Summary: "The network at a glance", Tags: []string{"network"},
	}, func(ctx context.Context, in *summaryInput) (*summaryOutput, error) {
		return &summaryOutput{Body: s.summary(s.o.Fleet.Snapshot(), scope(ctx, SummaryRead).at(in.Site), scope(ctx, PeopleRead))}, nil
	})
}

type summaryInput struct {
	Site string `query:"site" maxLength:"48" doc:"default: all sites"`
}

func (s *Server) summary(snap *fleet.Snapshot, allowed, people Scope) Summary {
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
	out.Incidents = s.countIncidents(allowed, people)
	out.Cameras = s.countCameras(allowed)
	out.Doors = s.countDoors(allowed)
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
