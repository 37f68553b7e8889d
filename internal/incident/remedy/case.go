package remedy

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
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

// Step is one thing done, or not done, about an incident.
type Step struct {
	Incident string    `json:"incident"`
	Playbook string    `json:"playbook"`
	Step     int       `json:"step"`
	Action   string    `json:"action"`
	Port     string    `json:"port,omitempty"` // subject
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
}

// Outcomes of a step.
const (
	Sent      = "sent"      // the command is on its way
	Accepted  = "accepted"  // the station will do it
	Scheduled = "scheduled" // the station will do it later: pending, not done
	Done      = "done"
	Rejected  = "rejected"  // the station will not
	Timeout   = "timeout"   // nobody knows
	Failed    = "failed"    // it broke off
	Refused   = "refused"   // a guard-rail forbids it
	DryRan    = "dryRun"    // what would have been done
	Offered   = "offered"   // a person may have it done
	Overtaken = "overtaken" // the trouble was over first
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
