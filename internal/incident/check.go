package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// The actions of people.
const (
	ActClaim       = "claim"
	ActRelease     = "release"
	ActAcknowledge = "acknowledge"
	ActAssign      = "assign"
	ActNote        = "note"
	ActSnooze      = "snooze"
	ActEscalate    = "escalate"
	ActDispatch    = "dispatch"
	ActVerdict     = "verdict"
	ActMerge       = "merge"
	ActClose       = "close"
	ActReopen      = "reopen"
	// ActRepair says that the work at the place is done, with the charge that
	// proves it or by a person's word. It comes from a work order.
	ActRepair = "repair"
	// ActStep ticks a step of the procedure, ActClassify says what the incident is
	// about, ActCall that somebody was called.
	ActStep     = "step"
	ActClassify = "classify"
	ActCall     = "call"
)

// Actions lists them.
func Actions() []string {
	return []string{
		ActClaim, ActRelease, ActAcknowledge, ActAssign, ActNote, ActSnooze, ActEscalate, ActDispatch, ActVerdict,
		ActMerge, ActClose, ActReopen, ActRepair, ActStep, ActClassify, ActCall,
	}
}

// Bounds of what people may say.
const (
	maxNote  = 4000
	maxAhead = 90 * 24 * time.Hour
)

// Refusal says why an action is not possible, and which field of it is at fault
// if one is.
type Refusal struct {
	Code  string // for screens: closed, claimed, noteNeeded, ...
	Field string
	Text  string
}

func (r *Refusal) Error() string { return r.Text }

func refuse(code, field, format string, args ...any) error {
	return &Refusal{Code: code, Field: field, Text: fmt.Sprintf(format, args...)}
}

// Check says whether an action is possible at an incident now: nil or a
// *Refusal. The fold asks the same, so what passes here is refused there only if
// somebody else was faster.
func Check(in *Incident, a *event.IncidentAction, now time.Time) error {
	if len(a.Note) > maxNote || len(a.Reason) > maxNote {
		return refuse("tooLong", "note", "a note has at most %d characters", maxNote)
	}
	if a.By == "" {
		return refuse("nobody", "by", "an action needs somebody who does it")
	}
	if a.Action == ActReopen {
		return checkReopen(in, now)
	}
	if in.ClosedAt != nil && a.Action != ActNote && a.Action != ActVerdict {
		return refuse("closed", "", "the incident is closed; reopen it first")
	}
	if in.ClosedAt != nil && now.Sub(*in.ClosedAt) > keepClosed {
		return refuse("archived", "", "the incident was closed more than %d h ago and is history now", int(keepClosed.Hours()))
	}
	switch a.Action {
	case ActClaim, ActAcknowledge, ActSnooze:
		return checkTaken(in, a, now)
	case ActRelease:
		if in.ClaimedBy == nil {
			return refuse("notClaimed", "", "nobody has claimed the incident")
		}
		return othersClaim(in, a, now)
	case ActAssign:
		if len(a.Assignee) > 200 {
			return refuse("tooLong", "assignee", "an assignee has at most 200 characters")
		}
		return nil
	case ActNote:
		if a.Note == "" {
			return refuse("noteNeeded", "note", "a note needs a text")
		}
		return nil
	case ActEscalate:
		return checkEscalate(in, a)
	case ActDispatch:
		return oneOf(a.Response, "response", NoResponse, Dispatched, OnSite, Contained)
	case ActVerdict:
		return checkVerdict(a)
	case ActMerge:
		return checkMerge(in, a)
	case ActClose:
		return checkClose(in, a, now)
	case ActRepair:
		return checkRepair(in, a)
	case ActStep, ActClassify, ActCall:
		return checkResponse(a)
	}
	return refuse("unknownAction", "action", "there is no action %q", a.Action)
}

func checkReopen(in *Incident, now time.Time) error {
	switch {
	case in.ClosedAt == nil:
		return refuse("open", "", "the incident is open")
	case in.MergedInto != nil:
		return refuse("merged", "", "the incident is part of %s", *in.MergedInto)
	case now.Sub(*in.ClosedAt) > keepClosed:
		return refuse("archived", "", "the incident was closed more than %d h ago and is history now", int(keepClosed.Hours()))
	}
	return nil
}

// checkTaken checks what has an end: a claim, an acknowledgement, a snooze.
func checkTaken(in *Incident, a *event.IncidentAction, now time.Time) error {
	if !a.Until.IsZero() && !a.Until.After(now) {
		return refuse("past", "until", "the end lies in the past")
	}
	if a.Until.Sub(now) > maxAhead {
		return refuse("tooFar", "until", "the end lies more than %d days ahead", int(maxAhead.Hours())/24)
	}
	switch a.Action {
	case ActClaim:
		return othersClaim(in, a, now)
	case ActSnooze:
		if a.Until.IsZero() {
			return refuse("endNeeded", "until", "a snooze needs an end")
		}
		if a.Reason == "" && a.Note == "" {
			return refuse("reasonNeeded", "reason", "a snooze needs a reason")
		}
		if in.Safety {
			return refuse("safety", "", "a safety incident cannot be snoozed")
		}
	}
	return nil
}

// othersClaim refuses what another person's running claim forbids, unless it is
// taken over with a reason.
func othersClaim(in *Incident, a *event.IncidentAction, now time.Time) error {
	if in.ClaimedBy == nil || *in.ClaimedBy == a.By || a.Reason != "" {
		return nil
	}
	if in.ClaimedUntil != nil && !in.ClaimedUntil.After(now) {
		return nil
	}
	return refuse("claimed", "reason", "somebody else has claimed the incident; taking it over needs a reason")
}

func checkEscalate(in *Incident, a *event.IncidentAction) error {
	if in.Severity == event.S1 {
		return refuse("highest", "severity", "the incident already has the highest severity")
	}
	if a.Severity == "" {
		return nil
	}
	if rank(a.Severity) > 4 {
		return refuse("unknownValue", "severity", "a severity is S1, S2, S3 or S4")
	}
	if !worse(a.Severity, in.Severity) {
		return refuse("notHigher", "severity", "%s is not more severe than %s", a.Severity, in.Severity)
	}
	return nil
}

func checkMerge(in *Incident, a *event.IncidentAction) error {
	switch {
	case a.Into == "":
		return refuse("targetNeeded", "into", "merging needs the incident to merge into")
	case a.Into == in.ID:
		return refuse("itself", "into", "an incident cannot be merged into itself")
	case in.ChildrenCount > 0:
		return refuse("parent", "", "a common cause with children cannot be merged")
	case in.Safety:
		return refuse("safety", "", "a safety incident is closed on its own, not merged")
	}
	return nil
}

func checkClose(in *Incident, a *event.IncidentAction, now time.Time) error {
	if in.Safety && a.Note == "" {
		return refuse("noteNeeded", "note", "closing a safety incident needs a note that says what was done")
	}
	if a.Reason == "" && a.Note == "" {
		return refuse("reasonNeeded", "reason", "closing needs a reason")
	}
	if in.ClaimedBy != nil && *in.ClaimedBy != a.By && a.Reason == "" {
		return othersClaim(in, a, now)
	}
	return nil
}

// checkRepair refuses a repair that the station itself contradicts.
func checkRepair(in *Incident, a *event.IncidentAction) error {
	switch {
	case in.Family == Common:
		return refuse("parent", "", "a common cause is repaired when those folded into it are")
	case in.Lasts():
		return refuse("lasts", "", "what was found still lasts")
	case a.Session == "" && a.Reason == "" && a.Note == "":
		return refuse("reasonNeeded", "reason", "a repair needs a charge that proves it, or a reason")
	case a.Session == "" && in.State == Verifying:
		return refuse("repaired", "", "the incident is repaired already")
	}
	return nil
}

// Lasts reports that a condition of the incident still holds, as far as its
// station can say.
func (in *Incident) Lasts() bool {
	return slices.ContainsFunc(in.Findings, func(x Found) bool { return !x.Moment && x.Until == nil })
}

func oneOf(value, field string, allowed ...string) error {
	for _, v := range allowed {
		if v == value {
			return nil
		}
	}
	return refuse("unknownValue", field, "%q is none of %v", value, allowed)
}
