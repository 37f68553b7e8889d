package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Raids are stories of theft and trespass that play at a simulated network, with
// devices that really speak: what people see of them is what they would see of a
// true one.
type Raids interface {
	// Raid is the story that plays, or played last; the zero one: none yet.
	Raid() RaidPlay
	// Kinds are what can be played; none while the network is off.
	Kinds() []string
	// Play begins a story at a site that it picks.
	Play(ctx context.Context, by store.Actor, kind string) error
	// Stop ends it; the site is healed.
	Stop()
}

// Errors of Raids.
var (
	ErrRaidPlays = errors.New("a story plays already")
	ErrNoNetwork = errors.New("the simulated network is off")
)

// RaidPlay is a story and how far it is.
type RaidPlay struct {
	Kind, SiteID      string
	StartedAt, EndsAt time.Time
	EndedAt           time.Time // zero: it plays, or is being healed
	Healing           bool
	Steps             []RaidStep
}

// RaidStep is what was done.
type RaidStep struct {
	At      time.Time `json:"at"`
	Do      string    `json:"do" doc:"begins, cut (the first harm is done), comes, leaves, breaks, hides, mends, plugs, unplugs, tears, loses, returns, tampers, covers, darkens, forces, badges, refused, opens, shuts, over, healed"`
	Station string    `json:"station,omitempty"`
	EVSE    int       `json:"evse,omitempty"`
	Camera  string    `json:"camera,omitempty"`
	Door    string    `json:"door,omitempty"`
	Label   string    `json:"label,omitempty" doc:"what people call the camera or the door"`
	What    string    `json:"what,omitempty" doc:"who or what comes"`
	Harm    bool      `json:"harm,omitempty" doc:"it is part of what is to be found"`
}

// DemoRaidShape is what plays at the simulated network, or played last.
type DemoRaidShape struct {
	State      string     `json:"state" enum:"none,playing,healing,over" doc:"none: nothing was played yet"`
	Kinds      []string   `json:"kinds" doc:"what can be played; empty: the simulated network is off"`
	Kind       string     `json:"kind"`
	SiteID     string     `json:"siteId"`
	SiteName   string     `json:"siteName"`
	StartedAt  *time.Time `json:"startedAt"`
	EndsAt     *time.Time `json:"endsAt"`
	Steps      []RaidStep `json:"steps" doc:"what was done so far, oldest first"`
	IncidentID string     `json:"incidentId" doc:"the worst of security that was opened, or told of again, at the site since; empty: none yet"`
	Severity   string     `json:"severity" doc:"of that incident"`
	AlarmAt    *time.Time `json:"alarmAt" doc:"when that incident was opened, or first told of again since the story began"`
}

type (
	demoRaidOutput struct{ Body DemoRaidShape }
	demoRaidInput  struct {
		Body struct {
			Kind string `json:"kind" minLength:"1" maxLength:"40" doc:"one of kinds"`
		}
	}
)

func (s *Server) registerDemoRaid() {
	op := func(id, method, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/demo/raid", Summary: summary, Tags: []string{"network"}}
	}
	add(s, global(SitesWrite), op("getDemoRaid", http.MethodGet, "The story that plays at the simulated network"),
		func(ctx context.Context, _ *struct{}) (*demoRaidOutput, error) { return s.demoRaid(ctx) })
	add(s, global(SitesWrite), op("playDemoRaid", http.MethodPost, "Play a raid at the simulated network"),
		func(ctx context.Context, in *demoRaidInput) (*demoRaidOutput, error) {
			if s.o.Raids == nil {
				return nil, errNoSimulation
			}
			if kinds := s.o.Raids.Kinds(); len(kinds) > 0 && !slices.Contains(kinds, in.Body.Kind) {
				return nil, fieldProblem(map[string]string{"kind": "want one of " + strings.Join(kinds, ", ")})
			}
			err := s.o.Raids.Play(context.WithoutCancel(ctx), who(ctx).actor(), in.Body.Kind)
			if errors.Is(err, ErrRaidPlays) || errors.Is(err, ErrNoNetwork) {
				return nil, problemf(http.StatusConflict, err.Error())
			}
			if err != nil {
				return nil, err
			}
			return s.demoRaid(ctx)
		})
	add(s, global(SitesWrite), op("stopDemoRaid", http.MethodDelete, "Stop what plays and heal the site"),
		func(ctx context.Context, _ *struct{}) (*demoRaidOutput, error) {
			if s.o.Raids != nil {
				s.o.Raids.Stop()
			}
			return s.demoRaid(ctx)
		})
}

func (s *Server) demoRaid(ctx context.Context) (*demoRaidOutput, error) {
	if s.o.Raids == nil {
		return nil, errNoSimulation
	}
	p := s.o.Raids.Raid()
	out := DemoRaidShape{State: "none", Kinds: s.o.Raids.Kinds(), Kind: p.Kind, SiteID: p.SiteID, StartedAt: instant(p.StartedAt), EndsAt: instant(p.EndsAt), Steps: p.Steps}
	out.Kinds, out.Steps = append([]string{}, out.Kinds...), append([]RaidStep{}, out.Steps...)
	for i := range out.Steps {
		s.callStep(&out.Steps[i])
	}
	switch {
	case p.Kind == "":
		return &demoRaidOutput{Body: out}, nil
	case !p.EndedAt.IsZero():
		out.State = "over"
	case p.Healing:
		out.State = "healing"
	default:
		out.State = "playing"
	}
	if x, ok := s.o.Store.Site(p.SiteID); ok {
		out.SiteName = x.Name
	}
	in, at, err := s.incidentOfRaid(ctx, p)
	if err != nil {
		return nil, err
	}
	if in != nil {
		out.IncidentID, out.Severity, out.AlarmAt = in.ID, string(in.Severity), instant(at)
	}
	return &demoRaidOutput{Body: out}, nil
}

// callStep says what people call what a step was done to.
func (s *Server) callStep(x *RaidStep) {
	if c, ok := s.o.Store.Camera(x.Camera); ok && x.Camera != "" {
		x.Label = c.Label
	}
	if d, ok := s.o.Store.Door(x.Door); ok && x.Door != "" {
		x.Label = d.Label
	}
}

// raidReach is how long after the end of a story its incident may still come.
const raidReach = 2 * time.Minute

// incidentOfRaid is the incident that a story leads to, and when it was told of since the
// story began; nil: none yet.
func (s *Server) incidentOfRaid(ctx context.Context, p RaidPlay) (*incident.Incident, time.Time, error) {
	if s.o.Incidents == nil {
		return nil, time.Time{}, nil
	}
	end := s.now()
	if !p.EndedAt.IsZero() {
		end = p.EndedAt.Add(raidReach)
	}
	list, _, err := s.o.Incidents.Incidents(ctx, incident.Query{Sites: []string{p.SiteID}, From: p.StartedAt, To: end, Limit: 50})
	if err != nil {
		return nil, time.Time{}, err
	}
	in, at := tellingOf(list, p.StartedAt)
	return in, at, nil
}

// tellingOf is the worst of incidents of security that were opened since a time, or told
// of again, and of equals the one that says most.
func tellingOf(list []*incident.Incident, since time.Time) (found *incident.Incident, told time.Time) {
	rank := func(in *incident.Incident) int { return slices.Index(raidKinds(), in.Kind) }
	for _, in := range list {
		at := in.OpenedAt
		for i := range in.Findings {
			if f := in.Findings[i].LastAt; at.Before(since) || !f.Before(since) && f.Before(at) {
				at = f
			}
		}
		if rank(in) < 0 || at.Before(since) {
			continue
		}
		if found == nil || cmp.Or(cmp.Compare(in.Severity, found.Severity), cmp.Compare(rank(in), rank(found)), at.Compare(told)) < 0 {
			found, told = in, at
		}
	}
	return found, told
}

// raidKinds are the incidents that a story may lead to, the most telling first.
func raidKinds() []string {
	return []string{"cableTheft", "cutOff", "blindedFirst", "cabinetOpened", "vandalism", "tailgating", "doorForced", "cardGuessing", "doorRefused", "doorAlarm", "badgeAlone", "loitering", "motionArmed", "cameraTampered", "doorHeld"}
}
