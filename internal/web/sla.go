package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

const (
	slaPolicy = "sla"
	slaHouse  = "default" // the scope that is the whole house
)

// SLAShape is what is promised in one scope.
type SLAShape struct {
	Scope      string                                 `json:"scope" doc:"default: the house; else a site"`
	SiteID     string                                 `json:"siteId" doc:"empty: the house"`
	SiteName   string                                 `json:"siteName"`
	Severities map[event.Severity]incident.SLAMinutes `json:"severities" doc:"as decided here; what is not in it follows the house, and there the defaults"`
	Effective  map[event.Severity]incident.SLAMinutes `json:"effective" doc:"what holds: S1 to S4; 0 minutes is no promise"`
	ChangedAt  *time.Time                             `json:"changedAt" doc:"null: nobody decided"`
	ChangedBy  string                                 `json:"changedBy"`
}

type (
	slaIDInput struct {
		Scope string `path:"scope" maxLength:"48"`
	}
	slaInput struct {
		Scope string `path:"scope" maxLength:"48"`
		Body  struct {
			Severities map[event.Severity]incident.SLAMinutes `json:"severities" doc:"by S1 to S4; those left out follow the house, and there the defaults"`
		}
	}
	slaOutput struct{ Body SLAShape }
)

func (s *Server) registerSLA() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"incidents"}}
	}
	add(s, filtered(IncidentsRead), op("listSLA", http.MethodGet, "/sla", "How soon incidents are to be acknowledged and repaired: the house first, then sites with promises of their own", 0), s.listSLA)
	add(s, global(RulesWrite), op("setSLA", http.MethodPut, "/sla/{scope}", "Decide what is promised; the clocks of open incidents follow", 0), s.setSLA)
	add(s, global(RulesWrite), op("deleteSLA", http.MethodDelete, "/sla/{scope}", "Take a promise back", http.StatusNoContent), s.deleteSLA)
}

// severities are those that promises are made for.
func severities() []event.Severity {
	return []event.Severity{event.S1, event.S2, event.S3, event.S4}
}

func (s *Server) slaShapes(ctx context.Context) ([]SLAShape, error) {
	kept, err := s.o.Store.Policies(ctx, slaPolicy)
	if err != nil {
		return nil, err
	}
	house := SLAShape{Scope: slaHouse, Severities: map[event.Severity]incident.SLAMinutes{}, Effective: make(map[event.Severity]incident.SLAMinutes)}
	var out []SLAShape
	for _, p := range kept {
		var v incident.SLA
		if json.Unmarshal(p.Value, &v) != nil || len(v.Check()) > 0 {
			continue
		}
		one := SLAShape{
			Scope: p.ID, SiteID: v.SiteID, Severities: v.Severities, Effective: make(map[event.Severity]incident.SLAMinutes),
			ChangedAt: instant(p.ChangedAt), ChangedBy: s.nameOf(ctx, string(p.By)),
		}
		if one.Severities == nil {
			one.Severities = map[event.Severity]incident.SLAMinutes{}
		}
		if p.ID == slaHouse {
			house = one
			continue
		}
		one.SiteName = s.siteName(v.SiteID)
		out = append(out, one)
	}
	for _, severity := range severities() {
		m, ok := house.Severities[severity]
		if !ok {
			m = incident.DefaultSLA(severity)
		}
		house.Effective[severity] = m
		for i := range out {
			own, ok := out[i].Severities[severity]
			if !ok {
				own = m
			}
			out[i].Effective[severity] = own
		}
	}
	slices.SortFunc(out, func(a, b SLAShape) int { return strings.Compare(a.SiteName+a.Scope, b.SiteName+b.Scope) })
	return slices.Insert(out, 0, house), nil
}

func (s *Server) listSLA(ctx context.Context, _ *struct{}) (*listOutput[SLAShape], error) {
	all, err := s.slaShapes(ctx)
	if err != nil {
		return nil, err
	}
	allowed, staff := scope(ctx, IncidentsRead), scope(ctx, NotesRead)
	out := all[:0]
	for _, one := range all {
		if one.SiteID != "" && !allowed.Allows(one.SiteID) {
			continue
		}
		if !staff.Allows(one.SiteID) && !staff.All() {
			one.ChangedBy = ""
		}
		out = append(out, one)
	}
	return listOf(out, ""), nil
}

func (s *Server) setSLA(ctx context.Context, in *slaInput) (*slaOutput, error) {
	v := incident.SLA{Severities: in.Body.Severities}
	if in.Scope != slaHouse {
		if _, ok := s.o.Store.Site(in.Scope); !ok {
			return nil, store.ErrNotFound
		}
		v.SiteID = in.Scope
	}
	faults := v.Check()
	if len(v.Severities) == 0 {
		faults["severities"] = "names at least one severity"
	}
	if len(faults) > 0 {
		return nil, fieldProblem(faults)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a promise: %w", err)
	}
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), slaPolicy, v.ID(), data); err != nil {
		return nil, err
	}
	all, err := s.slaShapes(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(one SLAShape) bool { return one.Scope == v.ID() })
	if i < 0 {
		return nil, errors.New("a promise is gone as soon as it was made")
	}
	return &slaOutput{Body: all[i]}, nil
}

func (s *Server) deleteSLA(ctx context.Context, in *slaIDInput) (*noContent, error) {
	return &noContent{}, s.o.Store.SetPolicy(ctx, who(ctx).actor(), slaPolicy, in.Scope, nil)
}
