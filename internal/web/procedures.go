package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
	"github.com/chargewatch/chargewatch/internal/store"
)

// ProcedureShape is what has to be done about incidents of one class.
type ProcedureShape struct {
	ID        string                  `json:"id" doc:"CLASS, or CLASS@SITE"`
	Class     procedure.Class         `json:"class" enum:"cableTheft,intrusion,cameraTampered,duress,fire,vandalism,electrical,other"`
	SiteID    string                  `json:"siteId" doc:"empty: everywhere"`
	SiteName  string                  `json:"siteName"`
	Version   int                     `json:"version"`
	Shipped   bool                    `json:"shipped" doc:"nobody decided; it is the list that came with the program"`
	Steps     []procedure.Instruction `json:"steps"`
	ChangedAt *time.Time              `json:"changedAt" doc:"null: shipped"`
	ChangedBy string                  `json:"changedBy"`
}

type (
	procedureIDInput struct {
		ID string `path:"id" maxLength:"100"`
	}
	procedureInput struct {
		ID   string `path:"id" maxLength:"100"`
		Body struct {
			Steps []procedure.Instruction `json:"steps" maxItems:"30"`
		}
	}
	procedureOutput struct{ Body ProcedureShape }
)

// ClosingShape is what people demand of the end of an incident.
type ClosingShape struct {
	SecondPerson bool `json:"secondPerson" doc:"incidents of S1 that people have to judge are closed by two of them"`
}

type (
	closingInput  struct{ Body ClosingShape }
	closingOutput struct{ Body ClosingShape }
)

// ProcedureState is the list of an incident with what was done of it.
type ProcedureState struct {
	Class   procedure.Class `json:"class"`
	Version int             `json:"version"`
	Shipped bool            `json:"shipped"`
	SiteID  string          `json:"siteId" doc:"whose list it is; empty: everybody's"`
	Steps   []StepState     `json:"steps"`
}

// StepState is a step of an incident.
type StepState struct {
	procedure.Instruction
	Outcome string     `json:"outcome" enum:"open,done,skipped"`
	By      string     `json:"by" doc:"opaque id, for staff"`
	At      *time.Time `json:"at"`
	Note    string     `json:"note"`
	// Former is true of a step that was done and that the present list lacks.
	Former bool `json:"former,omitempty"`
}

const closingPolicy = "closing"

func (s *Server) registerProcedures() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"incidents"}}
	}
	add(s, filtered(IncidentsRead), op("listProcedures", http.MethodGet, "/procedures", "What has to be done about incidents, by what they are about"), s.listProcedures)
	add(s, global(RulesWrite), op("setProcedure", http.MethodPut, "/procedures/{id}", "Make the next version of a list of steps; incidents that have begun keep theirs"), s.setProcedure)
	add(s, global(RulesWrite), op("deleteProcedure", http.MethodDelete, "/procedures/{id}", "Go back to the list that holds otherwise"), s.deleteProcedure)
	add(s, filtered(IncidentsRead), op("getClosing", http.MethodGet, "/incidents/closing", "What is demanded of the end of an incident"), s.getClosing)
	add(s, global(RulesWrite), op("setClosing", http.MethodPut, "/incidents/closing", "Decide it"), s.setClosing)
}

func (s *Server) listProcedures(ctx context.Context, _ *struct{}) (*listOutput[ProcedureShape], error) {
	kept, err := s.o.Store.Policies(ctx, procedure.Policy)
	if err != nil {
		return nil, err
	}
	own := make(map[string]ProcedureShape)
	var sites []ProcedureShape
	allowed, staff := scope(ctx, IncidentsRead), scope(ctx, NotesRead)
	for _, p := range kept {
		var l procedure.List
		if err := json.Unmarshal(p.Value, &l); err != nil {
			return nil, fmt.Errorf("decode list %s: %w", p.ID, err)
		}
		shape := s.procedureShape(&l)
		shape.ChangedAt = instant(p.ChangedAt.UTC())
		if staff.All() || staff.Allows(l.Site) {
			shape.ChangedBy = s.nameOf(ctx, string(p.By))
		}
		switch {
		case l.Site == "":
			own[p.ID] = shape
		case allowed.Allows(l.Site):
			sites = append(sites, shape)
		}
	}
	out := make([]ProcedureShape, 0, len(procedure.Classes())+len(sites))
	shipped := procedure.Shipped()
	for _, c := range procedure.Classes() {
		if shape, ok := own[string(c)]; ok {
			out = append(out, shape)
			continue
		}
		l := shipped[c]
		out = append(out, s.procedureShape(&l))
	}
	return listOf(append(out, sites...), ""), nil
}

func (s *Server) procedureShape(l *procedure.List) ProcedureShape {
	return ProcedureShape{
		ID: procedure.ID(l.Class, l.Site), Class: l.Class, SiteID: l.Site, SiteName: s.siteName(l.Site), Version: l.Version, Shipped: l.Shipped, Steps: list(l.Steps),
	}
}

// listCalled takes the name of a list apart.
func (s *Server) listCalled(id string) (procedure.List, error) {
	class, site, atSite := strings.Cut(id, "@")
	l := procedure.List{Class: procedure.Class(class), Site: site}
	if !procedure.Known(l.Class) || atSite && site == "" {
		return l, store.ErrNotFound
	}
	if _, ok := s.o.Store.Site(site); atSite && !ok {
		return l, store.ErrNotFound
	}
	return l, nil
}

func (s *Server) setProcedure(ctx context.Context, in *procedureInput) (*procedureOutput, error) {
	l, err := s.listCalled(in.ID)
	if err != nil {
		return nil, err
	}
	l.Steps = in.Body.Steps
	if faults := l.Check(); len(faults) > 0 {
		return nil, fieldProblem(faults)
	}
	kept, err := s.o.Store.SetProcedure(ctx, who(ctx).actor(), in.ID, func(version int) (json.RawMessage, error) {
		l.Version = version
		return json.Marshal(l)
	})
	if err != nil {
		return nil, err
	}
	out := s.procedureShape(&l)
	out.ChangedAt, out.ChangedBy = instant(kept.At.UTC()), s.nameOf(ctx, string(kept.By))
	return &procedureOutput{Body: out}, nil
}

func (s *Server) deleteProcedure(ctx context.Context, in *procedureIDInput) (*noContent, error) {
	if _, err := s.listCalled(in.ID); err != nil {
		return nil, err
	}
	return &noContent{}, s.o.Store.SetPolicy(ctx, who(ctx).actor(), procedure.Policy, in.ID, nil)
}

func (s *Server) getClosing(ctx context.Context, _ *struct{}) (*closingOutput, error) {
	c, err := s.closing(ctx)
	if err != nil {
		return nil, err
	}
	return &closingOutput{Body: c}, nil
}

func (s *Server) closing(ctx context.Context) (ClosingShape, error) {
	var c ClosingShape
	p, err := s.o.Store.Policy(ctx, closingPolicy, "default")
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c, nil
	case err != nil:
		return c, err
	}
	if err := json.Unmarshal(p.Value, &c); err != nil {
		return c, fmt.Errorf("decode what is demanded of the end of incidents: %w", err)
	}
	return c, nil
}

func (s *Server) setClosing(ctx context.Context, in *closingInput) (*closingOutput, error) {
	data, err := json.Marshal(in.Body)
	if err != nil {
		return nil, fmt.Errorf("encode what is demanded of the end of incidents: %w", err)
	}
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), closingPolicy, "default", data); err != nil {
		return nil, err
	}
	return &closingOutput{Body: in.Body}, nil
}

// procedureOf is the version of the list that an incident began with; nil where it
// has none.
func (s *Server) procedureOf(ctx context.Context, in *incident.Incident) (*procedure.List, error) {
	class := in.Class()
	if class == "" {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	l := procedure.Shipped()[class]
	id, version, shipped, ok := procedure.ParseRef(in.Procedure)
	if !ok || shipped {
		return &l, nil
	}
	kept, err := s.o.Store.ProcedureVersion(ctx, id, version)
	if err != nil {
		return nil, err
	}
	l = procedure.List{}
	if err := json.Unmarshal(kept.Data, &l); err != nil {
		return nil, fmt.Errorf("decode list %s: %w", in.Procedure, err)
	}
	return &l, nil
}

// stepsOf joins the list of an incident with what was done of it. What was done in
// a list that it had before stays.
func (s *Server) stepsOf(ctx context.Context, in *incident.Incident, staff bool) (*ProcedureState, error) {
	l, err := s.procedureOf(ctx, in)
	if l == nil || err != nil {
		return nil, err
	}
	out := &ProcedureState{Class: l.Class, Version: l.Version, Shipped: l.Shipped, SiteID: l.Site, Steps: make([]StepState, 0, len(l.Steps))}
	state := func(step procedure.Instruction, done *incident.StepDone) StepState {
		one := StepState{Instruction: step, Outcome: incident.StepIsOpen}
		if done != nil {
			one.Outcome, one.At = done.Outcome, instant(done.At)
			if staff {
				one.By, one.Note = done.By, done.Note
			}
		}
		return one
	}
	known := make(map[string]bool)
	for _, step := range l.Steps {
		known[step.ID] = true
		if done, ok := in.Step(step.ID); ok {
			out.Steps = append(out.Steps, state(step, &done))
		} else {
			out.Steps = append(out.Steps, state(step, nil))
		}
	}
	for i := range in.Steps {
		done := &in.Steps[i]
		if known[done.Step] {
			continue
		}
		step, err := s.formerStep(ctx, done)
		if err != nil {
			return nil, err
		}
		one := state(step, done)
		one.Former, one.Required = true, false
		out.Steps = append(out.Steps, one)
	}
	return out, nil
}

// formerStep is a step as it stood in the list where it was ticked.
func (s *Server) formerStep(ctx context.Context, done *incident.StepDone) (procedure.Instruction, error) {
	id, _, _, _ := procedure.ParseRef(done.Procedure)
	class, _, _ := strings.Cut(id, "@")
	was := incident.Incident{Classified: procedure.Class(class), Procedure: done.Procedure}
	if procedure.Known(was.Classified) {
		l, err := s.procedureOf(ctx, &was)
		if err != nil {
			return procedure.Instruction{}, err
		}
		for _, step := range l.Steps {
			if step.ID == done.Step {
				return step, nil
			}
		}
	}
	return procedure.Instruction{ID: done.Step, Text: procedure.Wording{EN: done.Step, DE: done.Step}}, nil
}

// required are the steps that have to be done before an incident is closed.
func required(l *procedure.List) []string {
	var out []string
	if l != nil {
		for _, step := range l.Steps {
			if step.Required {
				out = append(out, step.ID)
			}
		}
	}
	return out
}
