package remedy

import (
	"encoding/json"
	"strings"

	"github.com/chargewatch/chargewatch/internal/detect"
)

// Mode is how far remedies may go.
type Mode string

// The modes. Until people decide it is Ask: to ask a station how it is costs
// nobody anything and finds half of what is wrong with stale states; all that
// can cost a driver something is first seen to be right in the steps that say
// what would have been done.
const (
	Off    Mode = "off"         // the kill switch: nothing is begun, neither by itself nor by a person
	DryRun Mode = "dryRun"      // nothing is sent; steps say what would have been
	Ask    Mode = "triggerOnly" // TriggerMessage is sent, everything else is a dry run
	On     Mode = "on"
)

// PolicyMode and the other types of policies that the engine follows.
const (
	PolicyMode     = "remedies" // id: all, site/ID or station/ID
	PolicyPlaybook = "playbook"
	PolicyMonitors = "monitors"
	PolicyWatching = "monitoring" // id as for remedies
)

// Everywhere is the scope of the mode that holds where no narrower one does.
const Everywhere = "all"

// ModeValue is the value of a policy of type remedies.
type ModeValue struct {
	Off  bool `json:"off,omitempty"` // the same as mode off
	Mode Mode `json:"mode,omitempty"`
}

// ReadMode reads the value of a policy of type remedies.
func ReadMode(data []byte) (Mode, map[string]string) {
	var v ModeValue
	r := reader{faults: map[string]string{}}
	r.object("", data, map[string]any{"off": &v.Off, "mode": &v.Mode})
	switch {
	case len(r.faults) > 0:
	case v.Off:
		return Off, r.faults
	case v.Mode != Off && v.Mode != DryRun && v.Mode != Ask && v.Mode != On:
		r.fault("mode", "off, dryRun, triggerOnly or on")
	}
	return v.Mode, r.faults
}

// ScopeOK reports whether a mode can be set for the scope.
func ScopeOK(scope string) bool {
	kind, id, ok := strings.Cut(scope, "/")
	return scope == Everywhere || ok && id != "" && (kind == "site" || kind == "station")
}

// Modes are the modes decided, by scope.
type Modes map[string]Mode

func (m Modes) set(scope string, value json.RawMessage) {
	mode, faults := ReadMode(value)
	if len(value) == 0 || len(faults) > 0 || !ScopeOK(scope) {
		delete(m, scope)
		return
	}
	m[scope] = mode
}

// Of is the mode at a station: off wherever one of its scopes is off, else what
// the narrowest says.
func (m Modes) Of(station, site string) Mode {
	scopes := [3]string{"station/" + station, "site/" + site, Everywhere}
	for _, s := range scopes {
		if m[s] == Off {
			return Off
		}
	}
	for _, s := range scopes {
		if mode, ok := m[s]; ok {
			return mode
		}
	}
	return Ask
}

func (m Modes) at(st *detect.Station) Mode { return m.Of(st.ID, st.SiteID) }

// sends reports whether a step is really done in the mode.
func (m Mode) sends(d Do) bool { return m == On || m == Ask && d == Trigger }

// ReadSwitch reads the value of a policy of type monitoring.
func ReadSwitch(data []byte) (on bool, faults map[string]string) {
	var given *bool
	r := reader{faults: map[string]string{}}
	r.object("", data, map[string]any{"on": &given})
	if given == nil {
		r.fault("on", "true or false")
		return false, r.faults
	}
	return *given, r.faults
}

// Switches say where stations are given monitors, by scope.
type Switches map[string]bool

func (s Switches) set(scope string, value json.RawMessage) {
	on, faults := ReadSwitch(value)
	if len(value) == 0 || len(faults) > 0 || !ScopeOK(scope) {
		delete(s, scope)
		return
	}
	s[scope] = on
}

// Of is what the narrowest scope says about a station; on where none does.
func (s Switches) Of(station, site string) bool {
	for _, scope := range [3]string{"station/" + station, "site/" + site, Everywhere} {
		if on, ok := s[scope]; ok {
			return on
		}
	}
	return true
}
