package web

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident/remedy"
	"github.com/chargewatch/chargewatch/internal/store"
)

// RunShape is a playbook at work.
type RunShape struct {
	ID        string    `json:"id"`
	Incident  string    `json:"incident"`
	Playbook  string    `json:"playbook"`
	Name      string    `json:"name" doc:"of the playbook"`
	Station   string    `json:"station"`
	EVSE      int       `json:"evse" doc:"0: the station"`
	By        string    `json:"by" doc:"opaque id of the person who started it; empty: it began by itself"`
	DryRun    bool      `json:"dryRun"`
	StartedAt time.Time `json:"startedAt"`
	Step      int       `json:"step" doc:"the one it is at, from 0"`
	Steps     []string  `json:"steps"`
	Waits     string    `json:"waits" doc:"which guard-rail it waits for; empty: none"`
}

// OwedShape is a port that we took out of service and that has to come back.
type OwedShape struct {
	Station     string     `json:"station"`
	EVSE        int        `json:"evse" doc:"0: the station"`
	Incident    string     `json:"incident"`
	Playbook    string     `json:"playbook"`
	Since       time.Time  `json:"since"`
	State       string     `json:"state" enum:"asked,out,returning,scheduled" doc:"scheduled: the station promised it, which is not done"`
	Held        bool       `json:"held" doc:"until its incident is closed"`
	Attempts    int        `json:"attempts"`
	Last        string     `json:"last" doc:"outcome of the last attempt"`
	NextAt      *time.Time `json:"nextAt" doc:"null: at the next connection, or when it is released"`
	AttemptedAt *time.Time `json:"attemptedAt"`
}

// BudgetShape is what a station used of its budgets in the last day.
type BudgetShape struct {
	Station string `json:"station"`
	remedy.Budget
}

// ModeShape is how far remedies may go in a scope.
type ModeShape struct {
	Scope     string      `json:"scope" doc:"all, site/ID or station/ID"`
	Mode      remedy.Mode `json:"mode" enum:"off,dryRun,triggerOnly,on"`
	ChangedAt *time.Time  `json:"changedAt"`
	ChangedBy string      `json:"changedBy" doc:"opaque id"`
	Name      string      `json:"name" doc:"of who decided it, for staff of all sites; else empty"`
}

// RemediesShape is what the machine is doing about incidents.
type RemediesShape struct {
	Mode    remedy.Mode   `json:"mode" enum:"off,dryRun,triggerOnly,on" doc:"where no narrower one is set"`
	Modes   []ModeShape   `json:"modes" doc:"as decided"`
	Running []RunShape    `json:"running"`
	Owed    []OwedShape   `json:"owed"`
	Budgets []BudgetShape `json:"budgets"`
}

type remediesOutput struct{ Body RemediesShape }

type modeInput struct {
	Body struct {
		Mode     string   `json:"mode" enum:"off,dryRun,triggerOnly,on,default" doc:"default takes the decision back"`
		Sites    []string `json:"sites,omitempty" maxItems:"500"`
		Stations []string `json:"stations,omitempty" maxItems:"500" doc:"without sites and stations: everywhere"`
	}
}

func (s *Server) registerRemedies() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"remedies"}}
	}
	add(s, filtered(RemediesRead), op("getRemedies", http.MethodGet, "/remedies", "What is at work, what is owed, what was used of the budgets"), s.getRemedies)
	add(s, filtered(RemediesWrite), op("setRemediesMode", http.MethodPut, "/remedies/mode", "How far remedies may go: the kill switch, dry run, on"), s.setRemediesMode)
	s.registerMonitors()
}

func (s *Server) getRemedies(ctx context.Context, _ *struct{}) (*remediesOutput, error) {
	if s.o.Remedies == nil {
		return nil, errNoRemedies
	}
	allowed := scope(ctx, RemediesRead)
	sees := func(station string) bool {
		site, ok := s.siteOf(station)
		return ok && allowed.Allows(site)
	}
	policies, err := s.o.Store.Policies(ctx, remedy.PolicyMode)
	if err != nil {
		return nil, err
	}
	out := RemediesShape{Mode: remedy.Ask, Modes: []ModeShape{}, Running: []RunShape{}, Owed: []OwedShape{}, Budgets: []BudgetShape{}}
	for _, row := range policies {
		mode, faults := remedy.ReadMode(row.Value)
		if len(faults) > 0 || !s.mayScope(allowed, row.ID, true) {
			continue
		}
		if row.ID == remedy.Everywhere {
			out.Mode = mode
		}
		out.Modes = append(out.Modes, ModeShape{Scope: row.ID, Mode: mode, ChangedAt: instant(row.ChangedAt), ChangedBy: string(row.By)})
	}
	if err := s.nameDeciders(ctx, out.Modes); err != nil {
		return nil, err
	}
	state := s.o.Remedies.Remedies()
	for _, r := range state.Runs {
		if !sees(r.Station) {
			continue
		}
		shape := RunShape{
			ID: r.ID, Incident: r.Incident, Playbook: r.Book.ID, Name: r.Book.Name, Station: r.Station, EVSE: r.EVSE,
			By: r.By, DryRun: r.DryRun || r.Book.DryRun, StartedAt: r.StartedAt, Step: r.Step, Steps: []string{}, Waits: string(r.Told),
		}
		for _, a := range r.Book.Steps {
			shape.Steps = append(shape.Steps, string(a.Do))
		}
		out.Running = append(out.Running, shape)
	}
	for _, o := range state.Owed {
		if sees(o.Station) {
			out.Owed = append(out.Owed, OwedShape{
				Station: o.Station, EVSE: o.EVSE, Incident: o.Incident, Playbook: o.Playbook, Since: o.Since, State: string(o.State),
				Held: o.Held, Attempts: o.Attempts, Last: o.Last, NextAt: instant(o.NextAt), AttemptedAt: instant(o.AskedAt),
			})
		}
	}
	for _, station := range slices.Sorted(maps.Keys(state.Budgets)) {
		if sees(station) {
			out.Budgets = append(out.Budgets, BudgetShape{station, state.Budgets[station]})
		}
	}
	return &remediesOutput{Body: out}, nil
}

// nameDeciders says who decided, to those who may know the people.
func (s *Server) nameDeciders(ctx context.Context, modes []ModeShape) error {
	if len(modes) == 0 || !scope(ctx, NotesRead).All() {
		return nil
	}
	ids := make([]string, 0, len(modes))
	for _, m := range modes {
		ids = append(ids, m.ChangedBy)
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return err
	}
	for i := range modes {
		modes[i].Name = names[modes[i].ChangedBy]
	}
	return nil
}

// mayScope reports whether the caller may see, or decide for, a scope of modes.
func (s *Server) mayScope(allowed Scope, name string, read bool) bool {
	kind, id, _ := strings.Cut(name, "/")
	switch kind {
	case "site":
		_, known := s.o.Store.Site(id)
		return known && allowed.Allows(id)
	case "station":
		site, known := s.siteOf(id)
		return known && allowed.Allows(site)
	}
	return read || allowed.All()
}

// decidedScopes are what a decision is to hold for: sites and stations, or
// everything; as far as the caller may decide about them.
func (s *Server) decidedScopes(allowed Scope, sites, stations []string) (scopes []string, err error) {
	for _, site := range sites {
		scopes = append(scopes, "site/"+site)
	}
	for _, station := range stations {
		scopes = append(scopes, "station/"+station)
	}
	if len(scopes) == 0 {
		scopes = []string{remedy.Everywhere}
	}
	for _, name := range scopes {
		if s.mayScope(allowed, name, false) {
			continue
		}
		if name == remedy.Everywhere {
			return nil, errForbidden
		}
		return nil, faulty(map[string]string{"sites": "no such site or station: " + name})
	}
	return scopes, nil
}

func (s *Server) setRemediesMode(ctx context.Context, in *modeInput) (*remediesOutput, error) {
	if s.o.Remedies == nil {
		return nil, errNoRemedies
	}
	scopes, err := s.decidedScopes(scope(ctx, RemediesWrite), in.Body.Sites, in.Body.Stations)
	if err != nil {
		return nil, err
	}
	var value json.RawMessage
	if in.Body.Mode != "default" {
		if value, err = json.Marshal(remedy.ModeValue{Mode: remedy.Mode(in.Body.Mode)}); err != nil {
			return nil, err
		}
	}
	for _, name := range scopes {
		err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), remedy.PolicyMode, name, value)
		if err != nil && !(value == nil && errors.Is(err, store.ErrNotFound)) {
			return nil, err
		}
	}
	return s.getRemedies(ctx, nil)
}
