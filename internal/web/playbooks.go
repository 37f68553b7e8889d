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

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/remedy"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Remedies answers for what the machine does about incidents.
type Remedies interface {
	Remedies() remedy.State
	// Foresee says what a playbook would do now about an incident, or at a port
	// (EVSE 0: the station).
	Foresee(p remedy.Playbook, incident, station string, evse int, by string) ([]remedy.Foreseen, remedy.Case, error)
	// Watching is what a station was asked to watch by itself; ok is false for one
	// that cannot be asked.
	Watching(station string) (s remedy.WatchState, ok bool)
}

var errNoRemedies = problemf(http.StatusNotImplemented, "this server does nothing by itself")

// PlaybookShape is a playbook with whose it is.
type PlaybookShape struct {
	remedy.Playbook
	BuiltIn   bool       `json:"builtIn" doc:"part of the product"`
	Changed   bool       `json:"changed" doc:"a built-in one that people replaced; deleting it brings the built-in back"`
	ChangedBy string     `json:"changedBy" doc:"opaque id"`
	ChangedAt *time.Time `json:"changedAt"`
}

type playbookInput struct {
	ID string `path:"id" maxLength:"64"`
}

type playbookOutput struct{ Body PlaybookShape }

type playbookWriteInput struct{ Body remedy.Playbook }

type playbookPatchInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name    *string                `json:"name,omitempty"`
		Doc     *string                `json:"doc,omitempty"`
		Enabled *bool                  `json:"enabled,omitempty"`
		DryRun  *bool                  `json:"dryRun,omitempty"`
		When    *remedy.PlaybookWhen   `json:"when,omitempty"`
		Steps   *[]remedy.PlaybookStep `json:"steps,omitempty"`
		Limits  *remedy.PlaybookLimits `json:"limits,omitempty"`
	}
}

type foreseeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Station  string `json:"station,omitempty" maxLength:"48"`
		EVSE     int    `json:"evse,omitempty" minimum:"0" doc:"0: the station"`
		Incident string `json:"incident,omitempty" maxLength:"64" doc:"instead of a station"`
		ByItself bool   `json:"byItself,omitempty" doc:"as if the incident had started it, not the caller"`
	}
}

type foreseenOutput struct {
	Body struct {
		Items []remedy.Foreseen `json:"items" doc:"what each step would do now and what would refuse it"`
	}
}

type remedyRunInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Playbook string `json:"playbook,omitempty" maxLength:"64" doc:"id; needed"`
		DryRun   bool   `json:"dryRun,omitempty" doc:"only say what it would do"`
	}
}

func (s *Server) registerPlaybooks() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"remedies"}}
	}
	add(s, filtered(RemediesRead), op("listPlaybooks", http.MethodGet, "/playbooks", "Playbooks, those of people first", 0), s.listPlaybooks)
	add(s, global(RemediesWrite), op("createPlaybook", http.MethodPost, "/playbooks", "Write a playbook, or one in the place of a built-in", http.StatusCreated), s.createPlaybook)
	add(s, global(RemediesWrite), op("changePlaybook", http.MethodPatch, "/playbooks/{id}", "Change a playbook", 0), s.changePlaybook)
	add(s, global(RemediesWrite), op("deletePlaybook", http.MethodDelete, "/playbooks/{id}", "Remove a playbook; of a replaced built-in, the replacement", http.StatusNoContent), s.deletePlaybook)
	add(s, filtered(RemediesRead), op("previewPlaybook", http.MethodPost, "/playbooks/{id}/preview", "What it would do now, and which guard-rail would refuse", 0), s.previewPlaybook)
	add(s, filtered(IncidentsAct), op("runPlaybook", http.MethodPost, "/incidents/{id}/remedy", "Have a playbook done about an incident", http.StatusAccepted), s.runPlaybook)
	s.registerRemedies()
}

// playbooks are those that hold, by id.
func (s *Server) playbooks(ctx context.Context) (map[string]PlaybookShape, error) {
	all := make(map[string]PlaybookShape)
	for _, p := range remedy.BuiltIn() {
		all[p.ID] = PlaybookShape{Playbook: p, BuiltIn: true}
	}
	policies, err := s.o.Store.Policies(ctx, remedy.PolicyPlaybook)
	if err != nil {
		return nil, err
	}
	for _, row := range policies {
		p, faults := remedy.ReadPlaybook(row.Value)
		if len(faults) > 0 {
			continue // of another version; the engine does not follow it either
		}
		_, builtIn := all[p.ID]
		all[p.ID] = PlaybookShape{Playbook: p, BuiltIn: builtIn, Changed: builtIn, ChangedBy: string(row.By), ChangedAt: instant(row.ChangedAt)}
	}
	return all, nil
}

func (s *Server) playbook(ctx context.Context, id string) (PlaybookShape, error) {
	all, err := s.playbooks(ctx)
	if err != nil {
		return PlaybookShape{}, err
	}
	p, ok := all[id]
	if !ok {
		return p, problemf(http.StatusNotFound, "no such playbook")
	}
	return p, nil
}

func (s *Server) listPlaybooks(ctx context.Context, _ *struct{}) (*listOutput[PlaybookShape], error) {
	all, err := s.playbooks(ctx)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, RemediesRead)
	out := make([]PlaybookShape, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		p := all[id]
		if named := len(p.When.Sites); named > 0 && !allowed.All() {
			p.When.Sites = slices.DeleteFunc(slices.Clone(p.When.Sites), func(site string) bool { return !allowed.Allows(site) })
			if len(p.When.Sites) == 0 {
				continue
			}
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b PlaybookShape) int { return rankOf(a) - rankOf(b) })
	return listOf(out, ""), nil
}

func rankOf(p PlaybookShape) int {
	if p.BuiltIn {
		return 1
	}
	return 0
}

func (s *Server) createPlaybook(ctx context.Context, in *playbookWriteInput) (*playbookOutput, error) {
	if p, err := s.playbook(ctx, in.Body.ID); err == nil && (!p.BuiltIn || p.Changed) {
		return nil, store.ErrExists
	}
	return s.putPlaybook(ctx, in.Body)
}

func (s *Server) changePlaybook(ctx context.Context, in *playbookPatchInput) (*playbookOutput, error) {
	was, err := s.playbook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p, b := was.Playbook, in.Body
	put(&p.Name, b.Name)
	put(&p.Doc, b.Doc)
	put(&p.Enabled, b.Enabled)
	put(&p.DryRun, b.DryRun)
	put(&p.When, b.When)
	put(&p.Steps, b.Steps)
	put(&p.Limits, b.Limits)
	return s.putPlaybook(ctx, p)
}

func (s *Server) putPlaybook(ctx context.Context, p remedy.Playbook) (*playbookOutput, error) {
	if err := faulty(p.Check()); err != nil {
		return nil, err
	}
	value, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), remedy.PolicyPlaybook, p.ID, value); err != nil {
		return nil, err
	}
	shape, err := s.playbook(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return &playbookOutput{Body: shape}, nil
}

// faulty is the problem of a body with faults by path, nil if there are none.
func faulty(faults map[string]string) error {
	if len(faults) == 0 {
		return nil
	}
	details := make([]*huma.ErrorDetail, 0, len(faults))
	for _, path := range slices.Sorted(maps.Keys(faults)) {
		details = append(details, &huma.ErrorDetail{Message: faults[path], Location: strings.TrimSuffix("body."+path, "..")})
	}
	return problemf(http.StatusUnprocessableEntity, "validation failed", details...)
}

func (s *Server) deletePlaybook(ctx context.Context, in *playbookInput) (*noContent, error) {
	p, err := s.playbook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if p.BuiltIn && !p.Changed {
		return nil, problemf(http.StatusConflict, "it is part of the product; switch it off instead")
	}
	return nil, s.o.Store.SetPolicy(ctx, who(ctx).actor(), remedy.PolicyPlaybook, in.ID, nil)
}

func (s *Server) previewPlaybook(ctx context.Context, in *foreseeInput) (*foreseenOutput, error) {
	if s.o.Remedies == nil {
		return nil, errNoRemedies
	}
	p, err := s.playbook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	switch {
	case (b.Station == "") == (b.Incident == ""):
		return nil, faulty(map[string]string{"station": "a station or an incident"})
	case b.Incident != "":
		if _, err := s.visible(ctx, b.Incident, RemediesRead); err != nil {
			return nil, err
		}
	default:
		if site, ok := s.siteOf(b.Station); !ok || !scope(ctx, RemediesRead).Allows(site) {
			return nil, problemf(http.StatusNotFound, "no such station")
		}
	}
	by := who(ctx).ID
	if b.ByItself {
		by = ""
	}
	return s.foresee(p.Playbook, b.Incident, b.Station, b.EVSE, by)
}

func (s *Server) foresee(p remedy.Playbook, incident, station string, evse int, by string) (*foreseenOutput, error) {
	items, _, err := s.o.Remedies.Foresee(p, incident, station, evse, by)
	if errors.Is(err, remedy.ErrNoPort) {
		return nil, problemf(http.StatusNotFound, "no such station or port")
	}
	if err != nil {
		return nil, err
	}
	out := &foreseenOutput{}
	out.Body.Items = list(items)
	return out, nil
}

func (s *Server) runPlaybook(ctx context.Context, in *remedyRunInput) (*foreseenOutput, error) {
	if s.o.Remedies == nil {
		return nil, errNoRemedies
	}
	one, err := s.visible(ctx, in.ID, IncidentsAct)
	if err != nil {
		return nil, err
	}
	if !scope(ctx, StationsCommand).Allows(one.SiteID) {
		return nil, errForbidden // a playbook sends commands
	}
	if in.Body.Playbook == "" {
		return nil, faulty(map[string]string{"playbook": "which playbook"})
	}
	p, err := s.playbook(ctx, in.Body.Playbook)
	if err != nil {
		return nil, err
	}
	out, err := s.foresee(p.Playbook, one.ID, "", 0, who(ctx).ID)
	if err != nil {
		return nil, err
	}
	act := &event.IncidentAction{Action: "remedy", By: who(ctx).ID, Playbook: p.ID, DryRun: in.Body.DryRun}
	subject := event.OfIncident(one.ID)
	err = s.o.Store.AppendAudited(ctx, who(ctx).actor(), "incident.remedy", subject, act, map[string]any{"playbook": p.ID, "dryRun": in.Body.DryRun})
	if err != nil {
		return nil, err
	}
	return out, nil
}
