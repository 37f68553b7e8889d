package incident

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// act takes what a person did. What is not possible any more changes nothing.
func (f *Fold) act(id string, a *event.IncidentAction) {
	en := f.entries[id]
	if en == nil || Check(&en.Incident, a, f.now) != nil {
		return
	}
	en.Hands = en.Hands || takes(a.Action)
	switch a.Action {
	case ActClaim:
		f.claim(en, a)
	case ActRelease:
		f.release(en, a.By, a.Reason)
	case ActAcknowledge:
		f.acknowledge(en, a)
	case ActAssign:
		en.Assignee = nil
		if a.Assignee != "" {
			en.Assignee = word(a.Assignee)
		}
		f.log(en, ChangeAssigned, a.By, reason(a))
	case ActNote:
		f.log(en, ChangeNoted, a.By, a.Note)
	case ActSnooze:
		en.SnoozedUntil = stamp(a.Until)
		f.set(en, "snooze", a.Until)
		f.log(en, ChangeSnoozed, a.By, reason(a))
	case ActEscalate:
		f.escalate(en, a)
	case ActDispatch:
		en.Response = a.Response
		f.log(en, ChangeDispatched, a.By, reason(a))
	case ActVerdict:
		f.judge(en, a)
	case ActMerge:
		f.merge(en, a)
	case ActClose:
		f.closing(en, a)
	case ActReopen:
		f.reopen(en, a)
	case ActRepair:
		f.mend(en, a)
	case ActStep, ActClassify, ActCall:
		f.respond(en, a)
	}
	f.touch(en)
}

// reason is what a person said, in one text.
func reason(a *event.IncidentAction) string {
	switch {
	case a.Note == "":
		return a.Reason
	case a.Reason == "":
		return a.Note
	}
	return a.Reason + "\n" + a.Note
}

func (f *Fold) claim(en *entry, a *event.IncidentAction) {
	until := a.Until
	if until.IsZero() {
		until = f.now.Add(claimFor)
	}
	en.ClaimedBy, en.ClaimedUntil = word(a.By), stamp(until)
	f.set(en, "claim", until)
	f.log(en, ChangeClaimed, a.By, reason(a))
}

func (f *Fold) release(en *entry, by, why string) {
	if en.ClaimedBy == nil {
		return
	}
	en.ClaimedBy, en.ClaimedUntil = nil, nil
	f.stop(en, "claim")
	f.log(en, ChangeReleased, by, why)
	f.touch(en)
}

func (f *Fold) acknowledge(en *entry, a *event.IncidentAction) {
	en.AcknowledgedBy, en.AcknowledgedUntil = word(a.By), nil
	if en.AcknowledgedAt == nil {
		en.AcknowledgedAt = stamp(f.now)
	}
	f.stop(en, "slaAck", "slaAckOver", "acknowledged", "tell")
	en.Pending = "" // somebody knows
	if !a.Until.IsZero() {
		en.AcknowledgedUntil = stamp(a.Until)
		f.set(en, "acknowledged", a.Until)
	}
	f.due(en)
	f.log(en, ChangeAcknowledged, a.By, reason(a))
	f.sayBy(en, ChangeAcknowledged, a.By, said{en: reason(a)})
}

// unacknowledge puts an incident back before everybody when its acknowledgement
// ends and it is not over.
func (f *Fold) unacknowledge(en *entry) {
	if !en.open() || en.AcknowledgedBy == nil {
		return
	}
	en.AcknowledgedBy, en.AcknowledgedUntil = nil, nil
	f.log(en, ChangeAckExpired, "", "")
	f.touch(en)
	f.remind(en, f.Say("Its acknowledgement has ended and it is still open."))
}

// wake ends a snooze.
func (f *Fold) wake(en *entry) {
	if en.SnoozedUntil == nil {
		return
	}
	en.SnoozedUntil = nil
	f.log(en, ChangeWoken, "", "")
	f.touch(en)
	if en.Pending != "" {
		f.unmuted(en)
		return
	}
	f.remind(en, f.Say("Its snooze has ended and it is still open."))
}

// remind tells again of what is still wrong.
func (f *Fold) remind(en *entry, text said) {
	if en.open() && en.RepairedAt == nil && f.mayTell(en) && en.Severity != event.S4 {
		f.send(en, ChangeReminder, "", text)
	}
}

func (f *Fold) escalate(en *entry, a *event.IncidentAction) {
	was := en.Severity
	to := a.Severity
	if to == "" {
		to = []event.Severity{event.S1, event.S1, event.S2, event.S3}[rank(was)-1]
	}
	en.Severity, en.Floor = to, to
	if to == event.S1 {
		en.SnoozedUntil = nil
		f.stop(en, "snooze")
	}
	f.clocks(en)
	f.log(en, ChangeEscalated, a.By, "from "+string(was)+" to "+string(to)+optional(reason(a)))
	if f.mayTell(en) {
		en.Pending = ""
		f.stop(en, "tell")
		f.send(en, ChangeEscalated, a.By, said{en: reason(a)})
	}
}

func optional(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// merge puts an incident into another: what is found at its place from now on
// belongs there.
func (f *Fold) merge(en *entry, a *event.IncidentAction) {
	into := f.entries[a.Into]
	if into == nil || !into.open() || into.MergedInto != nil {
		return
	}
	if into.Family == Common {
		f.inherit(into, en)
		f.weigh(into)
		return
	}
	f.unfold(en)
	for _, s := range slices.Clone(en.Slots) {
		f.occupy(into, s)
	}
	for _, r := range en.Raised {
		f.where[condition{r.Place, r.EVSE, r.Code}] = into.ID
	}
	into.Raised = append(into.Raised, en.Raised...)
	if len(en.Raised) > 0 && into.RepairedAt != nil {
		into.RepairedAt = nil
		into.Ready = ""
		f.stop(into, "stable", "prove")
		f.clocks(into)
		f.recount(into)
	}
	en.Raised = nil
	f.absorb(into, en)
	en.MergedInto = word(into.ID)
	f.close(en, "merged", a.By, reason(a))
	f.log(into, ChangeMerged, a.By, "with "+en.ID+optional(reason(a)))
	f.touch(into)
}

// absorb takes what another incident holds.
func (f *Fold) absorb(into, en *entry) {
	for _, s := range en.Subjects {
		if !slices.Contains(into.Subjects, s) && len(into.Subjects) < maxSubjects {
			into.Subjects = append(into.Subjects, s)
		}
	}
	for _, x := range en.Findings {
		if len(into.Findings) < maxFindings {
			into.Findings = append(into.Findings, x)
		}
	}
	for _, x := range en.Evidence {
		f.evidence(into, x)
	}
	for _, d := range en.Detectors {
		if !slices.Contains(into.Detectors, d) {
			into.Detectors = append(into.Detectors, d)
		}
	}
	into.Total += en.Total
	into.Proof = max(into.Proof, en.Proof)
	if worse(en.Severity, into.Severity) {
		was := into.Severity
		into.Severity = en.Severity
		f.worsened(into, was, nil)
	}
}

// mend takes the word of those who worked at the place. A charge that they name
// proves it; without one the incident leaves the inbox and waits for the next.
func (f *Fold) mend(en *entry, a *event.IncidentAction) {
	if len(en.Raised) > 0 {
		return
	}
	en.Mended = true
	if en.RepairedAt == nil {
		f.repaired(en, a.By, reason(a))
	} else {
		f.log(en, ChangeRepaired, a.By, reason(a))
		f.await(en)
	}
	switch {
	case en.Guarded(): // people judge it; that the place is mended says nothing of who was there
	case en.Safety: // its release is another decision
		if a.Session != "" {
			en.VerifiedAt = stamp(f.now)
			f.log(en, ChangeVerified, a.By, "")
		}
	case a.Session != "":
		f.finish(en, "charged")
	case en.Proof == byPerson:
		f.close(en, "person", a.By, reason(a))
	}
}

// reopen takes back a close.
func (f *Fold) reopen(en *entry, a *event.IncidentAction) {
	if other := f.entries[f.slots[en.Home]]; other != nil && other != en && other.open() {
		return // another incident stands there by now
	}
	repaired := en.RepairedAt
	f.revive(en)
	if len(en.Raised) == 0 {
		en.RepairedAt = repaired
	}
	f.occupy(en, en.Home)
	f.mark(en)
	f.regroup(en)
	en.Counted = f.now
	en.Proof = byPerson // who reopened it closes it
	f.clocks(en)
	f.log(en, ChangeReopened, a.By, reason(a))
	if f.mayTell(en) && en.Severity != event.S4 {
		f.send(en, ChangeReopened, a.By, said{en: reason(a)})
	}
}

// Remedied takes what the machine did about incidents.
func (f *Fold) Remedied(at time.Time, cause uint64, steps []RemedyStep) Effects {
	f.begin(nil, at, cause)
	for i := range steps {
		s := &steps[i]
		en := f.entries[s.Incident]
		if en == nil || !en.open() {
			continue
		}
		f.stepped(en, s)
	}
	return f.end()
}

func (f *Fold) stepped(en *entry, s *RemedyStep) {
	step := *s
	step.Reason = clip(step.Reason)
	if i := slices.IndexFunc(en.Remedies, func(r RemedyStep) bool {
		return r.Playbook == s.Playbook && r.Step == s.Step && r.Action == s.Action && r.Port == s.Port && r.pending() && s.Outcome != StepSent
	}); i >= 0 {
		en.Remedies[i] = step
	} else {
		en.Remedies = keep(en.Remedies, maxRemedies, step)
	}
	switch {
	case s.pending() && en.RepairedAt == nil:
		en.Busy = true
		f.set(en, "remedy", f.now.Add(remedyWait))
	case s.Outcome == StepDryRun:
	default:
		en.Busy = false
		f.stop(en, "remedy")
	}
	f.log(en, ChangeRemedy, "", s.Action+": "+s.Outcome+optional(step.Reason))
	if !en.Busy {
		if due, ok := en.Timers["tell"]; ok && due.After(f.began(en).Add(groupWait)) && !f.now.Before(f.began(en).Add(groupWait)) {
			f.tell(en) // it waited for this
		}
	}
	f.touch(en)
}

// offer tells the groups of common causes of new trouble, and the other
// incidents of the station that it is lost.
func (f *Fold) offer(en *entry, d *detect.Finding) {
	f.inhibit(en)
	f.group(en, d)
}
