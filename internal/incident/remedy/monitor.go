package remedy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
)

//go:embed monitors.json
var builtInMonitors []byte

// BuiltInMonitors is the profile of the product. People replace it by writing
// one of the same id.
func BuiltInMonitors() MonitorSet {
	set, faults := ReadMonitors(builtInMonitors)
	if len(faults) > 0 {
		panic(fmt.Sprintf("remedy: the embedded profile of monitors: %v", faults)) // a test reads it
	}
	return set
}

// MonitorSet is a profile of variable monitors that stations of OCPP 2.x are
// given.
type MonitorSet struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Doc      string    `json:"doc,omitempty"`
	Enabled  bool      `json:"enabled"`
	Models   []string  `json:"models,omitempty"` // VENDOR/MODEL; empty: all
	Sites    []string  `json:"sites,omitempty"`
	Monitors []Monitor `json:"monitors"`
}

// Monitor is one monitor, as SetVariableMonitoring of OCPP 2.0.1 has it.
type Monitor struct {
	Component         string  `json:"component"`
	ComponentInstance string  `json:"componentInstance,omitempty"`
	EVSE              int     `json:"evse,omitempty"`
	Connector         int     `json:"connector,omitempty"`
	Per               string  `json:"per,omitempty"` // evse or connector: one monitor at each
	Variable          string  `json:"variable"`
	VariableInstance  string  `json:"variableInstance,omitempty"`
	Type              string  `json:"type"`
	Value             float64 `json:"value"`
	Severity          int     `json:"severity"`
	Transaction       bool    `json:"transaction,omitempty"`
}

// Bounds of a profile: what a message holds is for every station to take.
const (
	maxMonitors    = 50
	monitorsAtOnce = 10
)

func monitorTypes() []string {
	return []string{"UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"}
}

// ReadMonitors reads a profile and says what is wrong with it by path.
func ReadMonitors(data []byte) (MonitorSet, map[string]string) {
	var s MonitorSet
	r := reader{faults: map[string]string{}}
	r.object("", data, map[string]any{
		"id": &s.ID, "name": &s.Name, "doc": &s.Doc, "enabled": &s.Enabled, "models": &s.Models, "sites": &s.Sites,
		"monitors": func(path string, raw json.RawMessage) {
			r.list(path, raw, maxMonitors, func(path string, raw json.RawMessage) {
				var m Monitor
				r.object(path, raw, map[string]any{
					"component": &m.Component, "componentInstance": &m.ComponentInstance, "evse": &m.EVSE, "connector": &m.Connector, "per": &m.Per,
					"variable": &m.Variable, "variableInstance": &m.VariableInstance, "type": &m.Type, "value": &m.Value,
					"severity": &m.Severity, "transaction": &m.Transaction,
				})
				s.Monitors = append(s.Monitors, m)
			})
		},
	})
	if len(r.faults) == 0 {
		s.check(r.faults)
	}
	return s, r.faults
}

func (s *MonitorSet) check(faults map[string]string) {
	checkID(faults, s.ID)
	text(faults, "name", s.Name, 1, maxName)
	text(faults, "doc", s.Doc, 0, maxText)
	if len(s.Monitors) == 0 {
		faults["monitors"] = "at least one"
	}
	if len(s.Models) > maxNames || len(s.Sites) > maxNames {
		faults["models"] = fmt.Sprintf("at most %d models and sites", maxNames)
	}
	for i, m := range s.Monitors {
		path := fmt.Sprintf("monitors[%d]", i)
		text(faults, path+".component", m.Component, 1, 50)
		text(faults, path+".variable", m.Variable, 1, 50)
		text(faults, path+".componentInstance", m.ComponentInstance, 0, 50)
		text(faults, path+".variableInstance", m.VariableInstance, 0, 50)
		if !slices.Contains(monitorTypes(), m.Type) {
			faults[path+".type"] = "UpperThreshold, LowerThreshold, Delta, Periodic or PeriodicClockAligned"
		}
		switch {
		case m.Per != "" && m.Per != perEVSE && m.Per != perConnector:
			faults[path+".per"] = "evse, connector, or nothing for one place"
		case m.Per != "" && (m.EVSE != 0 || m.Connector != 0):
			faults[path+".per"] = "at each, or at the one that is named; not both"
		}
		if m.Severity < 0 || m.Severity > 9 {
			faults[path+".severity"] = "0 to 9"
		}
		if m.EVSE < 0 || m.Connector < 0 || m.Connector > 0 && m.EVSE == 0 {
			faults[path+".evse"] = "a connector is one of an EVSE; neither is negative"
		}
	}
}

const (
	perEVSE      = "evse"
	perConnector = "connector"
)

// at places the monitors of a profile at a station.
func (s *MonitorSet) at(st *detect.Station) []Monitor {
	var out []Monitor
	for _, m := range s.Monitors {
		per := m.Per
		m.Per = ""
		if per == "" {
			out = append(out, m)
			continue
		}
		for i := range st.Ports {
			m.EVSE, m.Connector = st.Ports[i].EVSE, 0
			if per == perEVSE {
				out = append(out, m)
				continue
			}
			for _, m.Connector = range st.Connectors(m.EVSE) {
				out = append(out, m)
			}
		}
	}
	return out
}

// fits reports whether a profile is for a station.
func (s *MonitorSet) fits(st *detect.Station) bool {
	return s.Enabled && (len(s.Models) == 0 || slices.Contains(s.Models, modelOf(st))) && (len(s.Sites) == 0 || slices.Contains(s.Sites, st.SiteID))
}

// monitoring is the payload of SetVariableMonitoring.
func monitoring(list []Monitor) string {
	type item struct {
		Transaction bool           `json:"transaction,omitempty"`
		Value       float64        `json:"value"`
		Type        string         `json:"type"`
		Severity    int            `json:"severity"`
		Component   componentShape `json:"component"`
		Variable    variableShape  `json:"variable"`
	}
	var out struct {
		Data []item `json:"setMonitoringData"`
	}
	for _, m := range list {
		i := item{
			Transaction: m.Transaction, Value: m.Value, Type: m.Type, Severity: m.Severity,
			Component: componentShape{Name: m.Component, Instance: m.ComponentInstance},
			Variable:  variableShape{Name: m.Variable, Instance: m.VariableInstance},
		}
		if m.EVSE > 0 {
			i.Component.EVSE = &evseShape{ID: m.EVSE, Connector: m.Connector}
		}
		out.Data = append(out.Data, i)
	}
	return encode(out)
}
