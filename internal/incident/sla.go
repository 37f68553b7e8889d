package incident

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
)

// SLA is what is promised: how soon somebody takes an incident and how soon it
// is repaired, in minutes by severity. Zero means no promise.
type SLA struct {
	SiteID     string                        `json:"siteId"` // empty: the house
	Severities map[event.Severity]SLAMinutes `json:"severities"`
}

// SLAMinutes are the promises of one severity.
type SLAMinutes struct {
	AckMinutes    float64 `json:"ackMinutes" doc:"to acknowledge; 0: no promise"`
	RepairMinutes float64 `json:"repairMinutes" doc:"to repair; 0: no promise"`
}

// of returns the two times for a severity, from the defaults where nothing was
// decided.
func (s SLA) of(severity event.Severity) (ack, repair time.Duration) {
	m, ok := s.Severities[severity]
	if !ok {
		m = DefaultSLA(severity)
	}
	return time.Duration(m.AckMinutes * float64(time.Minute)), time.Duration(m.RepairMinutes * float64(time.Minute))
}

// DefaultSLA is what is promised where nobody decided.
func DefaultSLA(severity event.Severity) SLAMinutes {
	switch severity {
	case event.S1:
		return SLAMinutes{AckMinutes: 5, RepairMinutes: 4 * 60}
	case event.S2:
		return SLAMinutes{AckMinutes: 15, RepairMinutes: 24 * 60}
	case event.S3:
		return SLAMinutes{AckMinutes: 8 * 60, RepairMinutes: 5 * 24 * 60}
	}
	return SLAMinutes{}
}

// ID is what the policy of the promise is called.
func (s *SLA) ID() string {
	if s.SiteID == "" {
		return "default"
	}
	return s.SiteID
}

// Check says what is wrong, by field.
func (s *SLA) Check() map[string]string {
	faults := make(map[string]string)
	for severity, m := range s.Severities {
		if rank(severity) > 4 {
			faults["severities."+string(severity)] = "is S1, S2, S3 or S4"
		}
		for name, v := range map[string]float64{"ackMinutes": m.AckMinutes, "repairMinutes": m.RepairMinutes} {
			if v < 0 || v > 525600 {
				faults[fmt.Sprintf("severities.%s.%s", severity, name)] = "must be between 0 and 525600"
			}
		}
		if m.AckMinutes > 0 && m.RepairMinutes > 0 && m.AckMinutes > m.RepairMinutes {
			faults["severities."+string(severity)+".ackMinutes"] = "must not be later than the repair"
		}
	}
	return faults
}

// promised are the times for a severity at a site: what was decided there, else
// for the house, else the defaults.
func (f *Fold) promised(site string, severity event.Severity) (ack, repair time.Duration) {
	if _, ok := f.sla[site].Severities[severity]; ok && site != "" {
		return f.sla[site].of(severity)
	}
	return f.sla["default"].of(severity)
}

func (f *Fold) decideSLA(id string, value json.RawMessage) {
	var s SLA
	if len(value) == 0 || json.Unmarshal(value, &s) != nil || len(s.Check()) > 0 {
		delete(f.sla, id)
	} else {
		f.sla[id] = s
	}
	for _, en := range f.inOrder() {
		if en.open() && (id == "default" || en.SiteID == id) {
			f.clocks(en)
			f.touch(en)
		}
	}
}

// policy takes what people decided about incidents.
func (f *Fold) policy(p *event.Policy) {
	switch p.Type {
	case "silence", "window":
		f.decideMute(p)
	case "sla":
		f.decideSLA(p.ID, p.Value)
	case procedure.Policy:
		f.decideProcedure(p.ID, p.Value)
	}
}
