package incident

import "time"

// Outcomes of a step of a remedy.
const (
	StepSent      = "sent"      // the command is on its way
	StepAccepted  = "accepted"  // the station will do it
	StepRejected  = "rejected"  // the station will not
	StepScheduled = "scheduled" // the station will do it later: pending, not done
	StepTimeout   = "timeout"   // nobody knows
	StepRefused   = "refused"   // a guard-rail forbids it
	StepDryRun    = "dryRun"    // what would have been done
)

// RemedyStep is one thing that the machine did, or would not do, about an
// incident.
type RemedyStep struct {
	Incident string    `json:"incident"`
	Playbook string    `json:"playbook"`
	Step     int       `json:"step"`
	Action   string    `json:"action"`
	Port     string    `json:"port,omitempty"` // subject
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
}

// pending reports that the outcome of the step is still to come, or its effect.
func (s *RemedyStep) pending() bool {
	return s.Outcome == StepSent || s.Outcome == StepScheduled || s.Outcome == StepAccepted
}
