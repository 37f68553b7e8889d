package incident

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// What ended an incident.
const (
	HealedByMachine = "machine" // a remedy that the station accepted, and nobody took it
	HealedByItself  = "itself"  // nothing was done about it by us, and nobody took it
	HealedByPeople  = "people"  // somebody had taken it
)

// Measured is what figures are taken from: an incident without its story.
type Measured struct {
	ID       string
	Kind     string
	Family   Family
	Severity event.Severity
	SiteID   string
	Station  string
	EVSE     int
	Ports    int // that it takes: one, or all of its station; filled in by who knows
	Child    bool
	// Aside counts for nothing: judged false or a test, merged, planned work.
	Aside bool

	OpenedAt       time.Time
	BeganAt        time.Time // its present life
	AcknowledgedAt time.Time
	RepairedAt     time.Time
	ClosedAt       time.Time
	DownSince      time.Time     // zero while nothing is wrong
	Down           time.Duration // of what is over

	Repeats   int
	NotProven bool
	HealedBy  string

	AckDueAt, RepairDueAt time.Time
	AckLate, RepairLate   bool
}

// MeasuredOf is what figures take from an incident.
func MeasuredOf(in *Incident) Measured {
	m := Measured{
		ID: in.ID, Kind: in.Kind, Family: in.Family, Severity: in.Severity, SiteID: in.SiteID, Station: in.Station, EVSE: in.EVSE, Child: in.ParentID != nil,
		Aside:    in.Verdict != nil && *in.Verdict != "real" || in.MergedInto != nil || in.Planned,
		OpenedAt: in.OpenedAt, BeganAt: in.OpenedAt, AcknowledgedAt: at(in.AcknowledgedAt), RepairedAt: at(in.RepairedAt), ClosedAt: at(in.ClosedAt),
		DownSince: at(in.DownSince), Down: time.Duration(in.DownSeconds * float64(time.Second)),
		Repeats: in.Repeats, NotProven: in.RecoveredNotProven, HealedBy: in.HealedBy, AckDueAt: at(in.SLAAckDueAt), RepairDueAt: at(in.SLARepairDueAt),
		AckLate: slices.Contains(in.SLABreached, "ack"), RepairLate: slices.Contains(in.SLABreached, "repair"),
	}
	if in.ReopenedAt != nil && in.AcknowledgedAt != nil && !in.AcknowledgedAt.Before(*in.ReopenedAt) {
		m.BeganAt = *in.ReopenedAt
	}
	if in.RecoveredNotProven && m.RepairedAt.Equal(m.ClosedAt) {
		m.RepairedAt, m.Down, m.HealedBy = time.Time{}, 0, "" // it was well at some time within three days
	}
	return m
}

func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// spell keeps the time in which something was wrong apart from the time between
// repeats, and says what ended it.
func (f *Fold) spell(en *entry) {
	broken := en.RepairedAt == nil && en.ClosedAt == nil
	switch {
	case broken && en.DownSince == nil:
		en.DownSince, en.HealedBy = stamp(f.now), ""
	case !broken && en.DownSince != nil:
		en.DownSeconds += max(first(at(en.RepairedAt), at(en.ClosedAt)).Sub(*en.DownSince), 0).Seconds()
		if en.RepairedAt != nil {
			en.HealedBy = en.healer()
		}
		en.DownSince = nil
	}
}

func (en *entry) healer() string {
	if en.Hands {
		return HealedByPeople
	}
	if slices.ContainsFunc(en.Remedies, func(s RemedyStep) bool {
		return s.Outcome == StepAccepted && heals(s.Action) && !s.At.Before(*en.DownSince)
	}) {
		return HealedByMachine
	}
	return HealedByItself
}

// heals reports a step of a playbook that can mend something: not one that asks,
// waits, takes out of service or gives back.
func heals(action string) bool {
	switch action {
	case "availabilityCycle", "softReset", "hardReset", "unlock":
		return true
	}
	return false
}

// takes reports an action that takes an incident into somebody's hands.
func takes(action string) bool {
	switch action {
	case ActClaim, ActAcknowledge, ActAssign, ActDispatch, ActClose, ActReopen:
		return true
	}
	return false
}
