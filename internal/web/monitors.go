package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident/remedy"
	"github.com/chargewatch/chargewatch/internal/store"
)

// MonitorSetShape is a profile of monitors with whose it is.
type MonitorSetShape struct {
	remedy.MonitorSet
	BuiltIn bool `json:"builtIn" doc:"part of the product"`
	Changed bool `json:"changed" doc:"the built-in one, replaced by people; deleting it brings the built-in back"`
}

type monitorSetInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body remedy.MonitorSet
}

type monitorSetOutput struct{ Body MonitorSetShape }

// MonitoringScopeShape is a switch as decided.
type MonitoringScopeShape struct {
	Scope     string     `json:"scope" doc:"all, site/ID or station/ID"`
	On        bool       `json:"on"`
	ChangedAt *time.Time `json:"changedAt"`
	ChangedBy string     `json:"changedBy" doc:"opaque id"`
}

// MonitoringShape says where stations of OCPP 2.x are given monitors.
type MonitoringShape struct {
	On     bool                   `json:"on" doc:"where no narrower switch is set"`
	Scopes []MonitoringScopeShape `json:"scopes" doc:"as decided"`
}

type monitoringOutput struct{ Body MonitoringShape }

type monitoringInput struct {
	Body struct {
		Monitoring string   `json:"monitoring" enum:"on,off,default" doc:"default takes the decision back. Off also takes away what was given"`
		Sites      []string `json:"sites,omitempty" maxItems:"500"`
		Stations   []string `json:"stations,omitempty" maxItems:"500" doc:"without sites and stations: everywhere"`
	}
}

// WatchedShape is one monitor at a station and what the station said to it.
type WatchedShape struct {
	Component         string     `json:"component"`
	ComponentInstance string     `json:"componentInstance"`
	EVSE              int        `json:"evse" doc:"0: the station"`
	Connector         int        `json:"connector" doc:"0: the whole EVSE"`
	Variable          string     `json:"variable"`
	VariableInstance  string     `json:"variableInstance"`
	Type              string     `json:"type"`
	Value             float64    `json:"value"`
	Severity          int        `json:"severity" doc:"0 danger to 9 debug, as OCPP has it"`
	Profile           string     `json:"profile"`
	Status            string     `json:"status" doc:"Accepted, UnknownComponent, UnknownVariable, UnsupportedMonitorType, Rejected, Duplicate as the station said; NoAnswer: nobody knows; NotCleared: no longer wanted and kept by the station; Error: refused with an OCPP error; empty: not asked yet"`
	Reason            string     `json:"reason" doc:"of the station, or the OCPP error"`
	Number            *int       `json:"number" doc:"id at the station"`
	Since             *time.Time `json:"since" doc:"when the station said so"`
	Leaving           bool       `json:"leaving" doc:"no longer wanted; about to be taken away"`
}

// StationMonitorsShape is what a station watches by itself.
type StationMonitorsShape struct {
	Possible  bool           `json:"possible" doc:"false: not a station of OCPP 2.x"`
	On        bool           `json:"on"`
	Scope     string         `json:"scope" enum:"default,all,site,station" doc:"whose switch decides"`
	Paused    bool           `json:"paused" doc:"remedies are off, so nothing is asked for"`
	Cannot    string         `json:"cannot" enum:",unsupported,disabled" doc:"why the station watches nothing"`
	Blind     bool           `json:"blind" doc:"the station cannot tell what it watches, so nobody can check"`
	Working   bool           `json:"working" doc:"something is still to be asked for"`
	CheckedAt *time.Time     `json:"checkedAt" doc:"when the station last told what it watches"`
	SettledAt *time.Time     `json:"settledAt" doc:"when all was last as wanted"`
	Items     []WatchedShape `json:"items"`
}

type stationMonitorsOutput struct{ Body StationMonitorsShape }

func (s *Server) registerMonitors() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"remedies"}}
	}
	add(s, global(RemediesRead), op("listMonitorProfiles", http.MethodGet, "/monitor-profiles", "Monitors that stations of OCPP 2.x are given", 0), s.listMonitors)
	add(s, global(RemediesWrite), op("putMonitorProfile", http.MethodPut, "/monitor-profiles/{id}", "Write a profile of monitors, or one in the place of the built-in", 0), s.putMonitors)
	add(s, global(RemediesWrite), op("deleteMonitorProfile", http.MethodDelete, "/monitor-profiles/{id}", "Remove a profile; stations lose what they were given of it", http.StatusNoContent), s.deleteMonitors)
	add(s, filtered(RemediesRead), op("getMonitoring", http.MethodGet, "/monitoring", "Where stations of OCPP 2.x are given monitors", 0), s.getMonitoring)
	add(s, filtered(RemediesWrite), op("setMonitoring", http.MethodPut, "/monitoring", "Switch monitors on or off, everywhere or for sites and stations", 0), s.setMonitoring)
	add(s, atStation(StationsRead), op("getStationMonitors", http.MethodGet, "/stations/{station}/monitors", "What the station was asked to watch by itself, and what it said to that", 0), s.stationMonitors)
}

func (s *Server) listMonitors(ctx context.Context, _ *struct{}) (*listOutput[MonitorSetShape], error) {
	policies, err := s.o.Store.Policies(ctx, remedy.PolicyMonitors)
	if err != nil {
		return nil, err
	}
	basics := MonitorSetShape{MonitorSet: remedy.BuiltInMonitors(), BuiltIn: true}
	out := make([]MonitorSetShape, 0, len(policies)+1)
	for _, row := range policies {
		set, faults := remedy.ReadMonitors(row.Value)
		switch {
		case len(faults) > 0:
		case set.ID == basics.ID:
			basics.MonitorSet, basics.Changed = set, true
		default:
			out = append(out, MonitorSetShape{MonitorSet: set})
		}
	}
	return listOf(append(out, basics), ""), nil
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
	builtIn := set.ID == remedy.BuiltInMonitors().ID
	return &monitorSetOutput{Body: MonitorSetShape{MonitorSet: set, BuiltIn: builtIn, Changed: builtIn}}, nil
}

func (s *Server) deleteMonitors(ctx context.Context, in *playbookInput) (*noContent, error) {
	return nil, s.o.Store.SetPolicy(ctx, who(ctx).actor(), remedy.PolicyMonitors, in.ID, nil)
}

// switches are those that were decided, with what they come to.
func (s *Server) switches(ctx context.Context) (remedy.Switches, []store.Policy, error) {
	policies, err := s.o.Store.Policies(ctx, remedy.PolicyWatching)
	if err != nil {
		return nil, nil, err
	}
	out := remedy.Switches{}
	for _, row := range policies {
		if on, faults := remedy.ReadSwitch(row.Value); len(faults) == 0 {
			out[row.ID] = on
		}
	}
	return out, policies, nil
}

func (s *Server) getMonitoring(ctx context.Context, _ *struct{}) (*monitoringOutput, error) {
	switches, policies, err := s.switches(ctx)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, RemediesRead)
	out := MonitoringShape{On: switches.Of("", ""), Scopes: []MonitoringScopeShape{}}
	for _, row := range policies {
		if on, known := switches[row.ID]; known && s.mayScope(allowed, row.ID, true) {
			out.Scopes = append(out.Scopes, MonitoringScopeShape{Scope: row.ID, On: on, ChangedAt: instant(row.ChangedAt), ChangedBy: string(row.By)})
		}
	}
	return &monitoringOutput{Body: out}, nil
}

func (s *Server) setMonitoring(ctx context.Context, in *monitoringInput) (*monitoringOutput, error) {
	scopes, err := s.decidedScopes(scope(ctx, RemediesWrite), in.Body.Sites, in.Body.Stations)
	if err != nil {
		return nil, err
	}
	var value json.RawMessage
	switch in.Body.Monitoring {
	case "on":
		value = json.RawMessage(`{"on":true}`)
	case "off":
		value = json.RawMessage(`{"on":false}`)
	}
	for _, name := range scopes {
		err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), remedy.PolicyWatching, name, value)
		if err != nil && !(value == nil && errors.Is(err, store.ErrNotFound)) {
			return nil, err
		}
	}
	return s.getMonitoring(ctx, nil)
}

func (s *Server) stationMonitors(ctx context.Context, in *stationInput) (*stationMonitorsOutput, error) {
	if s.o.Remedies == nil {
		return nil, errNoRemedies
	}
	switches, _, err := s.switches(ctx)
	if err != nil {
		return nil, err
	}
	site, _ := s.siteOf(in.Station)
	state, possible := s.o.Remedies.Watching(in.Station)
	out := StationMonitorsShape{
		Possible: possible, On: switches.Of(in.Station, site), Scope: "default", Paused: state.Paused, Cannot: state.Cannot, Blind: state.Blind, Working: state.Working,
		CheckedAt: instant(state.CheckedAt), SettledAt: instant(state.SettledAt), Items: make([]WatchedShape, 0, len(state.Items)),
	}
	for _, x := range [3]struct{ name, scope string }{{"all", remedy.Everywhere}, {"site", "site/" + site}, {"station", "station/" + in.Station}} {
		if _, set := switches[x.scope]; set {
			out.Scope = x.name
		}
	}
	for i := range state.Items {
		it := &state.Items[i]
		out.Items = append(out.Items, WatchedShape{
			Component: it.Component, ComponentInstance: it.ComponentInstance, EVSE: it.EVSE, Connector: it.Connector,
			Variable: it.Variable, VariableInstance: it.VariableInstance, Type: it.Type, Value: it.Value, Severity: it.Severity,
			Profile: it.Profile, Status: it.Status, Reason: it.Reason, Number: it.Number, Since: instant(it.At), Leaving: it.Leaving,
		})
	}
	return &stationMonitorsOutput{Body: out}, nil
}
