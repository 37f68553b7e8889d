package detect

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Threshold is what people decided about one detector in one scope. The
// narrowest scope that says something wins: station, then site, then model,
// then everywhere.
type Threshold struct {
	Detector string             `json:"detector"`
	Scope    string             `json:"scope"` // "", model/VENDOR/MODEL, site/ID or station/ID
	Off      bool               `json:"off,omitempty"`
	Severity event.Severity     `json:"severity,omitempty"`
	Values   map[string]float64 `json:"values,omitempty"`
}

// ID is what the policy of a threshold is called.
func (t *Threshold) ID() string { return t.Detector + "@" + t.Scope }

// Check says what is wrong with a threshold, by field.
func (t *Threshold) Check(detectors []Detector) map[string]string {
	faults := make(map[string]string)
	var d *Detector
	for i := range detectors {
		if detectors[i].ID == t.Detector {
			d = &detectors[i]
		}
	}
	if d == nil {
		return map[string]string{"detector": fmt.Sprintf("there is no detector %q", t.Detector)}
	}
	if kind, rest, ok := strings.Cut(t.Scope, "/"); t.Scope != "" && (!ok || rest == "" || kind != "model" && kind != "site" && kind != "station") {
		faults["scope"] = "is empty, model/VENDOR/MODEL, site/ID or station/ID"
	}
	switch t.Severity {
	case "", event.S1, event.S2, event.S3, event.S4:
	default:
		faults["severity"] = "is S1, S2, S3 or S4"
	}
	for name, v := range t.Values {
		known := false
		for _, p := range d.Params {
			known = known || p.Name == name
		}
		if !known {
			faults["values."+name] = "is no threshold of " + d.ID
		} else if v < 0 || v > 1e9 {
			faults["values."+name] = "must be between 0 and 1e9"
		}
	}
	return faults
}

// Settings are the thresholds decided, by id.
type Settings map[string]Threshold

func (s Settings) set(id string, value json.RawMessage) {
	var t Threshold
	if len(value) == 0 || json.Unmarshal(value, &t) != nil {
		delete(s, id)
		return
	}
	s[id] = t
}

// scopes are those of a station, the narrowest first.
func scopes(st *Station) [4]string {
	return [4]string{"station/" + st.ID, "site/" + st.SiteID, "model/" + st.Vendor + "/" + st.Model, ""}
}

func (s Settings) param(d *Detector, st *Station, name string) float64 {
	if len(s) > 0 {
		for _, scope := range scopes(st) {
			if t, ok := s[d.ID+"@"+scope]; ok {
				if v, ok := t.Values[name]; ok {
					return v
				}
			}
		}
	}
	for _, p := range d.Params {
		if p.Name == name {
			return p.Default
		}
	}
	panic("detector " + d.ID + " has no threshold " + name) // a test reads every one
}

func (s Settings) off(d *Detector, st *Station) bool {
	if len(s) > 0 {
		for _, scope := range scopes(st) {
			if t, ok := s[d.ID+"@"+scope]; ok {
				return t.Off
			}
		}
	}
	return false
}

func (s Settings) severity(d *Detector, st *Station, of event.Severity) event.Severity {
	if len(s) > 0 {
		for _, scope := range scopes(st) {
			if t, ok := s[d.ID+"@"+scope]; ok && t.Severity != "" {
				return t.Severity
			}
		}
	}
	return of
}
