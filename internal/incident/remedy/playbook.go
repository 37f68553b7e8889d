package remedy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Playbook says what to do about incidents of some kind. It is data: people
// write their own, or one with the id of a built-in in its place.
type Playbook struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Doc     string         `json:"doc,omitempty"`
	Enabled bool           `json:"enabled"`          // starts by itself; a person may run one that is not
	DryRun  bool           `json:"dryRun,omitempty"` // says what it would have done, whatever the mode
	When    PlaybookWhen   `json:"when"`
	Steps   []PlaybookStep `json:"steps"`
	Limits  PlaybookLimits `json:"limits,omitzero"`
}

// PlaybookWhen says which incidents a playbook is for: each list that is not empty has
// to name something of the incident.
type PlaybookWhen struct {
	Codes      []string         `json:"codes,omitempty"` // a code, or the beginning of codes with * behind it
	Detectors  []string         `json:"detectors,omitempty"`
	Severities []event.Severity `json:"severities,omitempty"`
	Models     []string         `json:"models,omitempty"` // VENDOR/MODEL
	Sites      []string         `json:"sites,omitempty"`
	Safety     *bool            `json:"safety,omitempty"`
}

// Do is what a step does.
type Do string

// The steps. A soft reset is OnIdle in OCPP 2.x, a hard one Immediate.
const (
	Trigger           Do = "trigger"
	AvailabilityCycle Do = "availabilityCycle"
	SoftReset         Do = "softReset"
	HardReset         Do = "hardReset"
	Unlock            Do = "unlock"
	Disable           Do = "disable"
	Wait              Do = "wait"
)

// Does lists the steps.
func Does() []Do {
	return []Do{Trigger, AvailabilityCycle, SoftReset, HardReset, Unlock, Disable, Wait}
}

// disruptive reports whether a step can cost a driver something.
func (d Do) disruptive() bool { return d != Trigger && d != Wait }

func (d Do) reset() bool { return d == SoftReset || d == HardReset }

// PlaybookStep is one step of a playbook.
type PlaybookStep struct {
	Do      Do     `json:"do"`
	Message string `json:"message,omitempty"` // of a trigger; default StatusNotification
	Seconds int    `json:"seconds,omitempty"` // of a wait, or how long a cycle keeps the port out of service
}

// PlaybookLimits narrow the guard-rails for one playbook; they never widen them.
type PlaybookLimits struct {
	CoolDownMinutes int `json:"coolDownMinutes,omitempty"` // after a run, before the next on the same port; default 30
	WaitMinutes     int `json:"waitMinutes,omitempty"`     // how long a refused step waits for its chance; default 60
	PerDay          int `json:"perDay,omitempty"`          // resets, cycles or unlocks of a station; default and most 3
	FleetPercent    int `json:"fleetPercent,omitempty"`    // of stations under a remedy at once; default and most 5
}

func (l PlaybookLimits) coolDown() time.Duration {
	return time.Duration(or(l.CoolDownMinutes, 30)) * time.Minute
}
func (l PlaybookLimits) wait() time.Duration {
	return time.Duration(or(l.WaitMinutes, 60)) * time.Minute
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// Bounds of a playbook.
const (
	maxSteps   = 12
	maxNames   = 100
	maxName    = 80
	maxText    = 400
	maxWait    = 24 * 3600
	maxCycle   = 300
	cycleHold  = 15
	maxMinutes = 24 * 60
)

// ReadPlaybook reads a playbook and says what is wrong with it by path. It is
// valid when nothing is.
func ReadPlaybook(data []byte) (Playbook, map[string]string) {
	var p Playbook
	r := reader{faults: map[string]string{}}
	r.object("", data, map[string]any{
		"id": &p.ID, "name": &p.Name, "doc": &p.Doc, "enabled": &p.Enabled, "dryRun": &p.DryRun,
		"when": func(path string, raw json.RawMessage) {
			r.object(path, raw, map[string]any{
				"codes": &p.When.Codes, "detectors": &p.When.Detectors, "severities": &p.When.Severities,
				"models": &p.When.Models, "sites": &p.When.Sites, "safety": &p.When.Safety,
			})
		},
		"steps": func(path string, raw json.RawMessage) {
			r.list(path, raw, maxSteps, func(path string, raw json.RawMessage) {
				var a PlaybookStep
				r.object(path, raw, map[string]any{"do": &a.Do, "message": &a.Message, "seconds": &a.Seconds})
				p.Steps = append(p.Steps, a)
			})
		},
		"limits": func(path string, raw json.RawMessage) {
			r.object(path, raw, map[string]any{
				"coolDownMinutes": &p.Limits.CoolDownMinutes, "waitMinutes": &p.Limits.WaitMinutes,
				"perDay": &p.Limits.PerDay, "fleetPercent": &p.Limits.FleetPercent,
			})
		},
	})
	if len(r.faults) == 0 {
		p.check(r.faults)
	}
	return p, r.faults
}

// Check says what is wrong with a playbook, by path.
func (p *Playbook) Check() map[string]string {
	faults := map[string]string{}
	p.check(faults)
	return faults
}

func (p *Playbook) check(faults map[string]string) {
	checkID(faults, p.ID)
	text(faults, "name", p.Name, 1, maxName)
	text(faults, "doc", p.Doc, 0, maxText)
	p.When.check(faults)
	switch {
	case len(p.Steps) == 0:
		faults["steps"] = "at least one step"
	case len(p.Steps) > maxSteps:
		faults["steps"] = fmt.Sprintf("at most %d", maxSteps)
	}
	for i, a := range p.Steps {
		a.check(faults, fmt.Sprintf("steps[%d]", i))
		if a.Do == Disable && i != len(p.Steps)-1 {
			faults[fmt.Sprintf("steps[%d].do", i)] = "nothing comes after disable: a person puts the port back"
		}
	}
	for _, x := range []struct {
		name      string
		v, lo, hi int
	}{
		{"coolDownMinutes", p.Limits.CoolDownMinutes, 10, maxMinutes}, {"waitMinutes", p.Limits.WaitMinutes, 1, maxMinutes},
		{"perDay", p.Limits.PerDay, 1, resetsPerDay}, {"fleetPercent", p.Limits.FleetPercent, 1, fleetPercent},
	} {
		if x.v != 0 && (x.v < x.lo || x.v > x.hi) {
			faults["limits."+x.name] = fmt.Sprintf("%d to %d, or 0 for the default", x.lo, x.hi)
		}
	}
}

func checkID(faults map[string]string, id string) {
	if id == "" || len(id) > 48 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		faults["id"] = "1 to 48 lower-case letters, digits and hyphens"
	}
}

func text(faults map[string]string, path, s string, lo, hi int) {
	if len(s) < lo || len(s) > hi {
		faults[path] = fmt.Sprintf("%d to %d characters", lo, hi)
	} else if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
		faults[path] = "one line of plain text"
	}
}

func (w *PlaybookWhen) check(faults map[string]string) {
	if len(w.Codes) == 0 && len(w.Detectors) == 0 {
		faults["when"] = "name at least a code or a detector"
	}
	for _, l := range []struct {
		name string
		list []string
	}{{"codes", w.Codes}, {"detectors", w.Detectors}, {"models", w.Models}, {"sites", w.Sites}} {
		if len(l.list) > maxNames {
			faults["when."+l.name] = fmt.Sprintf("at most %d", maxNames)
			continue
		}
		for i, s := range l.list {
			path := fmt.Sprintf("when.%s[%d]", l.name, i)
			text(faults, path, s, 1, 2*maxName)
			switch {
			case l.name == "models" && !strings.Contains(s, "/"):
				faults[path] = "VENDOR/MODEL"
			case l.name == "codes" && s == "*":
				faults[path] = "a code, or the beginning of codes with * behind it"
			}
		}
	}
	for i, s := range w.Severities {
		if !slices.Contains([]event.Severity{event.S1, event.S2, event.S3, event.S4}, s) {
			faults[fmt.Sprintf("when.severities[%d]", i)] = "S1, S2, S3 or S4"
		}
	}
}

func (a *PlaybookStep) check(faults map[string]string, path string) {
	if !slices.Contains(Does(), a.Do) {
		faults[path+".do"] = "one of " + join(Does())
		return
	}
	switch {
	case a.Do == Wait && (a.Seconds < 1 || a.Seconds > maxWait):
		faults[path+".seconds"] = fmt.Sprintf("1 to %d", maxWait)
	case a.Do == AvailabilityCycle && (a.Seconds < 0 || a.Seconds > maxCycle):
		faults[path+".seconds"] = fmt.Sprintf("0 to %d", maxCycle)
	case a.Do != Wait && a.Do != AvailabilityCycle && a.Seconds != 0:
		faults[path+".seconds"] = "only a wait and an availabilityCycle take time"
	}
	switch {
	case a.Do != Trigger && a.Message != "":
		faults[path+".message"] = "only a trigger asks for a message"
	case a.Do == Trigger && a.Message != "" && !slices.Contains(triggers(), a.Message):
		faults[path+".message"] = "one of " + strings.Join(triggers(), ", ")
	}
}

// triggers are the messages that a station may be asked for in every version.
func triggers() []string {
	return []string{statusNotification, "MeterValues", "Heartbeat", "BootNotification"}
}

func join(list []Do) string {
	words := make([]string, 0, len(list))
	for _, d := range list {
		words = append(words, string(d))
	}
	return strings.Join(words, ", ")
}

// matches reports whether the playbook is for a case at a station.
func (w *PlaybookWhen) matches(c *Case, model string) bool {
	if w.Safety != nil && *w.Safety != c.Safety {
		return false
	}
	if len(w.Severities) > 0 && !slices.Contains(w.Severities, c.Severity) {
		return false
	}
	if len(w.Sites) > 0 && !slices.Contains(w.Sites, c.SiteID) {
		return false
	}
	if len(w.Models) > 0 && !slices.Contains(w.Models, model) {
		return false
	}
	if len(w.Detectors) > 0 && !slices.ContainsFunc(w.Detectors, func(d string) bool { return slices.Contains(c.Detectors, d) }) {
		return false
	}
	return len(w.Codes) == 0 || slices.ContainsFunc(w.Codes, func(want string) bool {
		return slices.ContainsFunc(c.Codes, func(code string) bool {
			if start, ok := strings.CutSuffix(want, "*"); ok {
				return strings.HasPrefix(code, start)
			}
			return code == want
		})
	})
}
