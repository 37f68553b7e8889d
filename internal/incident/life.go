package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// opened begins the life of an incident.
func (f *Fold) opened(en *entry, d *detect.Finding) {
	f.mark(en)
	en.Counted = f.now
	f.log(en, ChangeOpened, "", "", d.Code)
	f.touch(en)
	f.edge(en)
	f.clocks(en)
	f.offer(en, d)
	f.plan(en, ChangeOpened)
}

// reopened begins another life of a closed incident: the same trouble at the
// same place within a day.
//
// Whoever had taken it still has it: unless it is dangerous or worse than before,
// it is theirs again and nobody is called a second time.
func (f *Fold) reopened(en *entry, d *detect.Finding) {
	was, by, at := en.Severity, en.AcknowledgedBy, en.AcknowledgedAt
	known := en.Notified && by != nil && en.ClosedAt != nil && f.now.Sub(*en.ClosedAt) <= repeatWithin &&
		d.Severity != event.S1 && !d.Safety && !worse(d.Severity, was)
	f.revive(en)
	f.label(en)
	if en.Guarded() { // this time is another night: judged and worked through anew
		en.Verdict, en.FalseReason, en.EvidencePack, en.NoEvidence, en.Steps = nil, "", "", "", nil
	}
	en.Severity, en.Floor = d.Severity, ""
	if known {
		en.AcknowledgedBy, en.AcknowledgedAt, en.Notified = by, at, true
	}
	en.Onset = f.onset(d.Since)
	en.Repeats++
	f.mark(en)
	en.Counted = f.now
	f.log(en, ChangeReopened, "", "", d.Code)
	f.touch(en)
	f.edge(en)
	f.clocks(en)
	f.offer(en, d)
	if !known {
		f.plan(en, ChangeReopened)
	}
}

// revive takes back what closing said.
func (f *Fold) revive(en *entry) {
	en.ClosedAt, en.RepairedAt, en.VerifiedAt, en.CloseReason, en.Ready = nil, nil, nil, "", ""
	en.RecoveredNotProven, en.StoppedReporting, en.Busy, en.Mended, en.Pending = false, false, false, false, ""
	en.Hands = false
	en.AcknowledgedBy, en.AcknowledgedAt, en.AcknowledgedUntil = nil, nil, nil
	f.detach(en)
	en.MergedInto, en.SLABreached, en.Notified, en.CloseAsked = nil, nil, false, nil
	en.Response = NoResponse
	en.ReopenedAt = stamp(f.now)
	f.stop(en, "forget")
}

// repeated takes trouble that came back before the incident was closed.
func (f *Fold) repeated(en *entry, d *detect.Finding) {
	told := en.Notified
	en.RepairedAt, en.VerifiedAt, en.Ready, en.StoppedReporting, en.Mended, en.CloseAsked = nil, nil, "", false, false, nil
	en.Onset = f.onset(d.Since)
	en.Repeats++
	if en.ParentID != nil {
		if parent := f.entries[*en.ParentID]; parent == nil || !parent.open() {
			f.detach(en) // that cause is over
		}
	}
	f.regroup(en)
	en.Counted = f.now
	f.stop(en, "stable", "prove")
	f.edge(en)
	f.clocks(en)
	f.recount(en)
	if en.Flapping {
		f.nudge(en)
		return
	}
	f.log(en, ChangeRepeated, "", "", d.Code)
	f.touch(en)
	f.offer(en, d)
	switch {
	case !told:
		f.plan(en, ChangeOpened)
	case en.AcknowledgedBy != nil && !en.Safety && en.Severity != event.S1: // theirs already
	case en.Repeats == 1:
		f.plan(en, ChangeReopened)
	}
}

// worsened tells of an incident that became more severe. The shorter promise
// counts from now: before, nobody could keep it. Whoever has taken it hears of it;
// others are called only when it is another matter now.
func (f *Fold) worsened(en *entry, was event.Severity, d *detect.Finding) {
	ack, repair := en.SLAAckDueAt, en.SLARepairDueAt
	en.Counted = f.now
	f.clocks(en)
	f.sooner(en, ack, repair)
	if en.Severity == event.S1 {
		en.SnoozedUntil = nil
		f.stop(en, "snooze")
	}
	if en.Inhibitor != nil && f.inhibitorOf(en) == "" {
		en.Inhibitor = nil // that does not explain this
	}
	f.log(en, ChangeEscalated, "", fmt.Sprintf("from %s to %s", was, en.Severity))
	f.touch(en)
	if !en.taken() || !sameMatter(d) {
		f.plan(en, ChangeEscalated)
		return
	}
	if en.Notified && f.mayTell(en) {
		f.send(en, ChangeEscalated, "", said{})
		f.fx.Notices[len(f.fx.Notices)-1].Taken = true
	}
}

// sameMatter reports a finding that says of a port or a station, whose trouble
// somebody has taken, that it lasts or that more drivers meet it. What may hurt
// anybody is another matter, and so is what the fold itself found to be wider.
func sameMatter(d *detect.Finding) bool {
	if d == nil || d.Severity != event.S2 || d.Safety {
		return false
	}
	switch familyOf(d.Subject.EVSE, &d.Finding) {
	case Starting, Stuck, Connectivity, Reported:
		return true
	}
	return false
}

// clear ends a condition of an incident.
func (f *Fold) clear(en *entry, d *detect.Finding) {
	var cleared raised
	if i := slices.IndexFunc(en.Raised, func(r raised) bool {
		return r.Code == d.Code && r.EVSE == d.Subject.EVSE && r.Place == placeOf(d.Subject)
	}); i >= 0 {
		cleared = en.Raised[i]
		en.Raised = slices.Delete(en.Raised, i, i+1)
	}
	subject := d.Subject.String()
	if i := slices.IndexFunc(en.Findings, func(x Found) bool { return x.Code == d.Code && x.Subject == subject }); i >= 0 {
		en.Findings[i].Until, en.Findings[i].Seq = stamp(f.now), f.seq
	}
	for _, fact := range d.Facts {
		f.evidence(en, Evidence{Subject: subject, Detector: d.Detector, Fact: fact})
	}
	switch {
	case !en.open() || en.RepairedAt != nil:
		f.nudge(en)
	case slices.ContainsFunc(d.Facts, func(x event.Fact) bool { return x.Name == "removed" }):
		f.nudge(en)
	case cleared.Family != Connectivity && d.Subject.Type == event.StationSubject && !f.online(d.Subject.ID):
		if len(en.Raised) == 0 {
			en.StoppedReporting = true
			f.log(en, ChangeSilent, "", "", d.Code)
		}
		f.touch(en)
	case len(en.Raised) == 0:
		f.repaired(en, "", "")
	default:
		if !en.Flapping {
			f.log(en, ChangeCleared, "", "", d.Code)
		}
		f.nudge(en)
	}
}

func (f *Fold) online(station string) bool {
	st := f.n.Station(station)
	return st != nil && st.Online
}

// repaired says that nothing is wrong any more. It stops the clocks; the proof is
// still to come.
func (f *Fold) repaired(en *entry, by, note string) {
	en.RepairedAt, en.StoppedReporting, en.Busy = stamp(f.now), false, false
	en.Running = f.running(en)
	f.stop(en, "slaRepair", "slaRepairOver", "remedy")
	f.due(en)
	f.edge(en)
	if !en.Flapping {
		f.log(en, ChangeRepaired, by, note)
		f.touch(en)
		f.sayBy(en, ChangeRepaired, by, said{en: note})
	} else {
		f.nudge(en)
	}
	f.await(en)
	f.recount(en)
	f.lift(en)
}

// running is the transaction at the incident's port: it began before the repair
// and proves nothing.
func (f *Fold) running(en *entry) string {
	if st := f.n.Station(en.Station); st != nil {
		for i := range st.Ports {
			if p := &st.Ports[i]; p.Tx != nil && (en.EVSE == 0 || p.EVSE == en.EVSE) {
				return p.Tx.ID
			}
		}
	}
	return ""
}

// await sets what the proof of a repair waits for.
func (f *Fold) await(en *entry) {
	switch {
	case en.Flapping || en.Safety || en.Proof == byPerson || en.Family == Common:
	case en.Proof == byCharge:
		if !en.stays() {
			f.set(en, "prove", en.RepairedAt.Add(chargeWithin))
		}
	case en.stays():
		f.set(en, "stable", en.RepairedAt.Add(repeatWithin))
	default:
		f.set(en, "stable", en.RepairedAt.Add(stableFor))
	}
}

// stable closes what stayed away long enough.
func (f *Fold) stable(en *entry) {
	if !en.open() || en.RepairedAt == nil || en.Flapping {
		return
	}
	if st := f.n.Station(en.Station); en.Family == Connectivity && st != nil && !st.Online {
		f.set(en, "stable", f.now.Add(stableFor)) // it has gone again and that is not found yet
		return
	}
	f.finish(en, "stable")
}

// unproven closes what nobody charged at, if it could have told of new trouble.
func (f *Fold) unproven(en *entry) {
	if !en.open() || len(en.Raised) > 0 {
		return
	}
	if st := f.n.Station(en.Station); st != nil && !st.Online {
		f.set(en, "prove", f.now.Add(time.Hour))
		return
	}
	if en.RepairedAt == nil {
		en.RepairedAt = stamp(f.now)
	}
	en.RecoveredNotProven = true
	f.finish(en, "notProven")
}

// finish closes an incident that is over, a child not before its parent.
func (f *Fold) finish(en *entry, reason string) {
	if en.ParentID != nil {
		if parent := f.entries[*en.ParentID]; parent != nil && parent.open() {
			en.Ready = reason
			f.touch(en)
			return
		}
	}
	if en.VerifiedAt == nil && reason != "notProven" {
		en.VerifiedAt = stamp(f.now)
	}
	f.close(en, reason, "", "")
}

// charged takes a charge that moved enough energy to prove a port.
func (f *Fold) charged(station, transaction string, at time.Time) {
	list := f.ports[station]
	st := f.n.Station(station)
	if len(list) == 0 || st == nil {
		return
	}
	for i := range st.Ports {
		p := &st.Ports[i]
		if p.ChargedAt != detect.At(at) {
			continue
		}
		for _, id := range slices.Clone(list) {
			en := f.entries[id]
			if !en.open() || en.EVSE != 0 && en.EVSE != p.EVSE || en.Proof != byCharge || len(en.Raised) > 0 || en.Running != "" && en.Running == transaction {
				continue
			}
			if en.RepairedAt == nil {
				f.repaired(en, "", "")
			}
			en.VerifiedAt = stamp(f.now)
			if en.stays() {
				f.log(en, ChangeVerified, "", "")
				f.touch(en)
				continue
			}
			f.finish(en, "charged")
		}
	}
}

// heard looks again at faults that went silent when a station speaks.
func (f *Fold) heard(station string) {
	list := f.ports[station]
	if len(list) == 0 {
		return
	}
	st := f.n.Station(station)
	if st == nil || !st.Online {
		return
	}
	for _, id := range slices.Clone(list) {
		en := f.entries[id]
		if !en.open() || !en.StoppedReporting || len(en.Raised) > 0 {
			continue
		}
		c := &st.Own
		if en.EVSE > 0 {
			p := st.Port(en.EVSE)
			if p == nil {
				continue
			}
			c = &p.Condition
		}
		if c.HeardAt == detect.At(f.now) && c.Fault == nil && c.Status != fleet.Faulted && c.Status != fleet.Unavailable {
			f.repaired(en, "", "")
		}
	}
}

// close ends an incident.
func (f *Fold) close(en *entry, reason, by, note string) {
	en.ClosedAt, en.CloseReason = stamp(f.now), reason
	if en.RepairedAt == nil && len(en.Raised) == 0 {
		en.RepairedAt = stamp(f.now)
	}
	en.Pending, en.Busy, en.Flapping, en.Ready = "", false, false, ""
	en.SnoozedUntil, en.ClaimedBy, en.ClaimedUntil, en.CloseAsked = nil, nil, nil, nil
	f.stopAll(en)
	f.due(en)
	f.set(en, "forget", f.now.Add(keepClosed))
	f.regroup(en)
	f.log(en, ChangeClosed, by, note)
	f.touch(en)
	f.sayBy(en, ChangeClosed, by, said{en: note})
	f.recount(en)
	f.parentClosed(en, by, note)
	f.lift(en)
}

func (f *Fold) stopAll(en *entry) {
	for name := range en.Timers {
		if name != "show" {
			delete(en.Timers, name)
		}
	}
	f.dirty[en.ID] = struct{}{}
}

// forget drops a closed incident that can no longer come back.
func (f *Fold) forget(en *entry) {
	if len(en.Raised) > 0 { // closed by a person while it lasts
		f.set(en, "forget", f.now.Add(repeatWithin))
		return
	}
	delete(f.entries, en.ID)
	delete(f.touched, en.ID)
	f.dirty[en.ID] = struct{}{}
	for _, s := range en.Slots {
		if f.slots[s] == en.ID {
			delete(f.slots, s)
		}
	}
	place := en.Home.Place
	if list := slices.DeleteFunc(f.ports[place], func(id string) bool { return id == en.ID }); len(list) > 0 {
		f.ports[place] = list
	} else {
		delete(f.ports, place)
	}
	f.groups.drop(en)
	if en.ParentID != nil {
		if parent := f.entries[*en.ParentID]; parent != nil {
			delete(parent.members, en.ID)
		}
	}
}

// leave closes what a station leaves behind that goes from the network; a safety
// incident waits for a person even then.
func (f *Fold) leave(station string) {
	for _, id := range slices.Clone(f.ports[station]) {
		en := f.entries[id]
		if en.Safety {
			continue
		}
		for _, r := range en.Raised {
			delete(f.where, condition{r.Place, r.EVSE, r.Code})
		}
		en.Raised = nil
		f.dirty[id] = struct{}{}
		if en.open() {
			f.close(en, "removed", "", "")
		}
	}
}

// restarted takes our own start. While we were down nothing was observed: what
// has to stay away for a while goes on waiting as long as it had left.
func (f *Fold) restarted(e *event.Event, b *event.ServerStarted) {
	if b.LastAlive.IsZero() || !b.LastAlive.Before(e.RecordedAt) {
		return
	}
	away := e.RecordedAt.Sub(b.LastAlive)
	for _, en := range f.inOrder() {
		for _, name := range []string{"stable", "own", "prove", "calm"} {
			if due, ok := en.Timers[name]; ok {
				f.set(en, name, due.Add(away))
			}
		}
	}
}

// edge counts a change from bad to good or back, and damps what flaps.
func (f *Fold) edge(en *entry) {
	en.Edges = keep(en.Edges, maxEdges, f.now)
	if en.Flapping {
		f.quiet(en)
		return
	}
	recent := 0
	for _, t := range en.Edges {
		if f.now.Sub(t) < flapWindow {
			recent++
		}
	}
	if recent < flapStart || en.ParentID != nil {
		return
	}
	en.Flapping = true
	f.stop(en, "stable", "prove")
	f.quiet(en)
	f.log(en, ChangeFlapping, "", fmt.Sprintf("%d changes within an hour", recent))
	f.touch(en)
	if f.mayTell(en) && rank(en.Severity) < rank(event.S4) {
		en.Pending = ""
		f.send(en, ChangeFlapping, "", f.Say("It comes and goes: %d changes within an hour. Single changes are no longer told.", recent))
	}
}

// quiet sets when fewer than flapStop edges are left in the window.
func (f *Fold) quiet(en *entry) {
	if i := len(en.Edges) - flapStop; i >= 0 {
		f.set(en, "calm", en.Edges[i].Add(flapWindow))
	}
}

// calm ends flapping.
func (f *Fold) calm(en *entry) {
	if !en.Flapping {
		return
	}
	en.Flapping = false
	f.log(en, ChangeCalm, "", "")
	f.touch(en)
	f.say(en, ChangeCalm, f.Say("It has stopped coming and going."))
	if en.open() && en.RepairedAt != nil {
		f.await(en)
	}
}
