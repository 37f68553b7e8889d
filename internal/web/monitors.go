package web

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident/remedy"
)

type monitorSetInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body remedy.MonitorSet
}

type monitorSetOutput struct{ Body remedy.MonitorSet }

func (s *Server) registerMonitors() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"remedies"}}
	}
	add(s, global(RemediesRead), op("listMonitorProfiles", http.MethodGet, "/monitor-profiles", "Monitors that stations of OCPP 2.x are given when they boot", 0), s.listMonitors)
	add(s, global(RemediesWrite), op("putMonitorProfile", http.MethodPut, "/monitor-profiles/{id}", "Write a profile of monitors", 0), s.putMonitors)
	add(s, global(RemediesWrite), op("deleteMonitorProfile", http.MethodDelete, "/monitor-profiles/{id}", "Remove a profile; what stations were given stays", http.StatusNoContent), s.deleteMonitors)
}

func (s *Server) listMonitors(ctx context.Context, _ *struct{}) (*listOutput[remedy.MonitorSet], error) {
	policies, err := s.o.Store.Policies(ctx, remedy.PolicyMonitors)
	if err != nil {
		return nil, err
	}
	out := make([]remedy.MonitorSet, 0, len(policies))
	for _, row := range policies {
		if set, faults := remedy.ReadMonitors(row.Value); len(faults) == 0 {
			out = append(out, set)
		}
	}
	return listOf(out, ""), nil
}

func (s *Server) putMonitors(ctx context.Context, in *monitorSetInput) (*monitorSetOutput, error) {
	if in.Body.ID != in.ID {
		return nil, faulty(map[string]string{"id": "differs from the path"})
	}
	value, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	set, faults := remedy.ReadMonitors(value)
	if err := faulty(faults); err != nil {
		return nil, err
	}
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), remedy.PolicyMonitors, in.ID, value); err != nil {
		return nil, err
	}
	return &monitorSetOutput{Body: set}, nil
}

func (s *Server) deleteMonitors(ctx context.Context, in *playbookInput) (*noContent, error) {
	return nil, s.o.Store.SetPolicy(ctx, who(ctx).actor(), remedy.PolicyMonitors, in.ID, nil)
}
