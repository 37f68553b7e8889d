package remedy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/chargewatch/chargewatch/internal/event"
)

// MonitorSet is a profile of variable monitors that stations of OCPP 2.x are
// given when they boot.
type MonitorSet struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
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
		"id": &s.ID, "name": &s.Name, "enabled": &s.Enabled, "models": &s.Models, "sites": &s.Sites,
		"monitors": func(path string, raw json.RawMessage) {
			r.list(path, raw, maxMonitors, func(path string, raw json.RawMessage) {
				var m Monitor
				r.object(path, raw, map[string]any{
					"component": &m.Component, "componentInstance": &m.ComponentInstance, "evse": &m.EVSE, "connector": &m.Connector,
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
		if m.Severity < 0 || m.Severity > 9 {
			faults[path+".severity"] = "0 to 9"
		}
		if m.EVSE < 0 || m.Connector < 0 || m.Connector > 0 && m.EVSE == 0 {
			faults[path+".evse"] = "a connector is one of an EVSE; neither is negative"
		}
	}
}

// booted gives a station of OCPP 2.x its monitors, once a boot.
func (x *Engine) booted(e *event.Event, b *event.Boot) {
	st := x.n.Station(e.Subject.ID)
	if st == nil || !st.Accepted || !st.Is2x() || b.Status != "Accepted" || len(x.sets) == 0 || x.modes.at(st) == Off || x.rebooted[st.ID] >= e.Seq {
		return
	}
	x.rebooted[st.ID] = e.Seq
	for _, id := range sorted(x.sets) {
		s := x.sets[id]
		if !s.Enabled || len(s.Models) > 0 && !slices.Contains(s.Models, modelOf(st)) || len(s.Sites) > 0 && !slices.Contains(s.Sites, st.SiteID) {
			continue
		}
		for i := 0; i < len(s.Monitors); i += monitorsAtOnce {
			some := s.Monitors[i:min(i+monitorsAtOnce, len(s.Monitors))]
			x.out.Intents = append(x.out.Intents, intent(key("monitors", st.ID, id, e.Seq, i), st.ID, "SetVariableMonitoring",
				monitoring(some), "monitors of profile "+id+", boot "+strconv.FormatUint(e.Seq, 10), x.now.Add(settleIn)))
		}
	}
}

// monitoring is the payload of SetVariableMonitoring.
func monitoring(list []Monitor) string {
	type component struct {
		Name     string     `json:"name"`
		Instance string     `json:"instance,omitempty"`
		EVSE     *evseShape `json:"evse,omitempty"`
	}
	type variable struct {
		Name     string `json:"name"`
		Instance string `json:"instance,omitempty"`
	}
	type item struct {
		Transaction bool      `json:"transaction,omitempty"`
		Value       float64   `json:"value"`
		Type        string    `json:"type"`
		Severity    int       `json:"severity"`
		Component   component `json:"component"`
		Variable    variable  `json:"variable"`
	}
	var out struct {
		Data []item `json:"setMonitoringData"`
	}
	for _, m := range list {
		i := item{
			Transaction: m.Transaction, Value: m.Value, Type: m.Type, Severity: m.Severity,
			Component: component{Name: m.Component, Instance: m.ComponentInstance},
			Variable:  variable{Name: m.Variable, Instance: m.VariableInstance},
		}
		if m.EVSE > 0 {
			i.Component.EVSE = &evseShape{ID: m.EVSE, Connector: m.Connector}
		}
		out.Data = append(out.Data, i)
	}
	return encode(out)
}
