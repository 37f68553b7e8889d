package remedy

import (
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// Case is what remedies need to know of an incident.
type Case struct {
	ID        string         `json:"id"`
	Codes     []string       `json:"codes,omitempty"` // of what still lasts, and its kind
	Detectors []string       `json:"detectors,omitempty"`
	Severity  event.Severity `json:"severity"`
	SiteID    string         `json:"site,omitempty"`
	Station   string         `json:"station"` // empty: of many, which no command to one can mend
	EVSE      int            `json:"evse,omitempty"`
	Safety    bool           `json:"safety,omitempty"`
	Security  bool           `json:"security,omitempty"`
	Part      bool           `json:"part,omitempty"` // of a larger cause
	Over      bool           `json:"over,omitempty"` // repaired, as far as one can see
	Closed    bool           `json:"closed,omitempty"`
}

// cable reports a suspicion about a cable: whether it is damaged is for eyes.
// One that says of itself that it was cut is no suspicion.
func (c *Case) cable() bool {
	return slices.ContainsFunc(c.Codes, func(code string) bool {
		return strings.Contains(strings.ToLower(code), "cable") && !unsafe(code, "")
	})
}

// lock reports a failure of the connector lock.
func (c *Case) lock() bool {
	return slices.ContainsFunc(c.Codes, func(code string) bool {
		return strings.Contains(strings.ToLower(code), "connectorlockfailure")
	})
}

// safetyCodes are what no reset may follow, as stations themselves say it:
// ground, weld, cut cable, temperature (OCPP 1.6 and MREC).
func safetyCodes() []string {
	return []string{
		"groundfailure", "groundfault", "insulation", "isolationfault", "hightemperature", "overtemperature", "weld",
		"powerswitchfailure", "cablecut", "cutcable", "smoke", "fire", "cx002", "cx003", "cx017", "cx018", "cx019",
	}
}

// unsafe reports whether a code of a station is one of safety.
func unsafe(code, vendorCode string) bool {
	for _, word := range []string{code, vendorCode} {
		word = strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(word))
		if word != "" && slices.ContainsFunc(safetyCodes(), func(s string) bool { return strings.Contains(word, s) }) {
			return true
		}
	}
	return false
}

// Of is what remedies need to know of an incident.
func Of(in *incident.Incident) Case {
	c := Case{
		ID: in.ID, Codes: []string{in.Kind}, Detectors: slices.Clone(in.Detectors), Severity: in.Severity, SiteID: in.SiteID,
		Station: in.Station, EVSE: in.EVSE, Safety: in.Safety, Security: in.Family == incident.Security,
		Part: in.ParentID != nil || in.MergedInto != nil || in.Inhibitor != nil,
		Over: in.RepairedAt != nil || in.State == incident.Closed, Closed: in.State == incident.Closed,
	}
	for _, f := range in.Findings {
		if f.Until == nil && !slices.Contains(c.Codes, f.Code) && len(c.Codes) < maxCodes {
			c.Codes = append(c.Codes, f.Code)
		}
	}
	slices.Sort(c.Codes)
	slices.Sort(c.Detectors)
	return c
}

// maxCodes bounds what is kept of an incident.
const maxCodes = 20

// Outcomes of a step beside those of package incident.
const (
	StepDone      = "done"
	StepFailed    = "failed"    // it broke off
	StepOffered   = "offered"   // a person may have it done
	StepOvertaken = "overtaken" // the trouble was over first
)

// Reason names a guard-rail that refused.
type Reason string

// The guard-rails.
const (
	KillSwitch       Reason = "killSwitch"
	SecurityIncident Reason = "securityIncident"
	SafetyCode       Reason = "safetyCode"
	CableSuspected   Reason = "cableSuspected"
	SessionRunning   Reason = "sessionRunning"
	DriverArriving   Reason = "driverArriving"
	StationOffline   Reason = "stationOffline"
	NotAccepted      Reason = "notAccepted"
	Draining         Reason = "queueDraining"
	Unconfirmed      Reason = "stateNotConfirmed"
	LockNotProven    Reason = "cableMayBePlugged"
	WhichConnector   Reason = "whichConnector"
	NoSuchPort       Reason = "noSuchPort"
	AlreadyOut       Reason = "alreadyOutOfService"
	BudgetSoft       Reason = "budgetSoftReset"
	BudgetHard       Reason = "budgetHardReset"
	BudgetDay        Reason = "budgetDay"
	BudgetPort       Reason = "budgetPort"
	CoolDown         Reason = "coolDown"
	SiteLimit        Reason = "siteLimit"
	FleetLimit       Reason = "fleetLimit"
	Busy             Reason = "anotherPlaybook"
	LargerCause      Reason = "largerCause"
	NotReturned      Reason = "notBackInTime"
	NoAnswer         Reason = "noAnswer"
	NotSent          Reason = "notSent"
	NoPlaybook       Reason = "noSuchPlaybook"
	NoIncident       Reason = "incidentNotOpen"
	TooLong          Reason = "waitedTooLong"
)

// passes reports whether a refusal can pass by itself, so that waiting for it
// makes sense.
func (r Reason) passes() bool {
	switch r {
	case SessionRunning, DriverArriving, StationOffline, Draining, Unconfirmed, SiteLimit, FleetLimit, Busy, BudgetSoft, BudgetHard, CoolDown:
		return true
	}
	return false
}
