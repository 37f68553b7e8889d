package incident

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// plan has a change told, now or when it had time to group and to heal.
func (f *Fold) plan(en *entry, change string) {
	if en.Severity == event.S4 || en.Severity == "" {
		return
	}
	if en.Pending == "" {
		en.Pending = change
	}
	f.dirty[en.ID] = struct{}{}
	if en.Severity == event.S1 {
		if due, waiting := f.timers["decide"]; waiting && f.crossing(en, fewAtOnce) {
			f.set(en, "tell", due) // one of many: the first were told
			return
		}
		f.tell(en)
		return
	}
	if _, ok := en.Timers["tell"]; !ok {
		f.set(en, "tell", f.now.Add(groupWait))
	}
}

// mayTell reports that nothing mutes the incident.
func (f *Fold) mayTell(en *entry) bool {
	return en.ParentID == nil && en.SilencedBy == nil && en.Inhibitor == nil && en.SnoozedUntil == nil
}

// tell hands over what is pending, unless it healed or is muted. What is muted
// stays pending until it no longer is.
func (f *Fold) tell(en *entry) {
	if en.Pending == "" {
		return
	}
	if !en.open() || en.RepairedAt != nil && !en.Safety {
		en.Pending = ""
		f.dirty[en.ID] = struct{}{}
		return
	}
	if f.n == nil { // what remedies came to brings no network along
		f.set(en, "tell", f.now)
		return
	}
	if en.Inhibitor == nil {
		if id := f.inhibitorOf(en); id != "" {
			en.Inhibitor = word(id)
			f.log(en, ChangeInhibited, "", "somebody knows of its cause")
			f.touch(en)
		}
	}
	if !f.mayTell(en) {
		return
	}
	if en.Severity == event.S2 && en.Busy {
		if until := f.began(en).Add(remedyWait); f.now.Before(until) {
			f.set(en, "tell", until)
			return
		}
	}
	if f.returned(en) {
		f.set(en, "tell", f.now.Add(2*groupWait))
		return
	}
	if en.Severity == event.S2 && en.Family == Connectivity {
		if due, waiting := f.timers["decide"]; waiting && f.crossing(en, 0) {
			f.set(en, "tell", due.Add(time.Second)) // one of many
			return
		}
		if until := f.began(en).Add(remedyWait + groupWait); f.now.Before(until) && f.othersLost(en) {
			f.set(en, "tell", until)
			return
		}
	}
	if en.Kind == KindSite && f.now.Before(f.began(en).Add(groupSpan)) && f.wider(en) {
		f.set(en, "tell", f.now.Add(groupWait))
		return
	}
	change := en.Pending
	en.Pending = ""
	f.stop(en, "tell")
	if !en.Notified && f.now.Sub(en.Counted) > groupWait { // held back for a remedy: nobody could know of it
		en.Counted = f.now
		f.clocks(en)
	}
	f.send(en, change, "", said{})
}

// returned reports that a station that was lost is connected again, and only has
// to stay so: nobody is called for what is over.
func (f *Fold) returned(en *entry) bool {
	return en.Severity == event.S2 && en.Station != "" && f.online(en.Station) && len(en.Raised) > 0 &&
		!slices.ContainsFunc(en.Raised, func(r raised) bool { return r.Code != "offline" && worse(r.Severity, event.S3) })
}

// othersLost reports that more of the site went with the station and will be found
// soon: a station with AC ports only is given longer.
func (f *Fold) othersLost(en *entry) bool {
	st := f.n.Station(en.Station)
	if st == nil || st.SiteID == "" || st.Online {
		return false
	}
	for other := range f.n.Site(st.SiteID) {
		if other != st && !other.Online && !other.LinkAt.IsZero() && max(st.LinkAt, other.LinkAt)-min(st.LinkAt, other.LinkAt) <= detect.Moment(groupSpan/time.Microsecond) &&
			!other.IsOpen("offline", 0) {
			return true
		}
	}
	return false
}

// wider reports that a lost site is likely one of several of its carrier: a
// station elsewhere went with it and will be found soon.
func (f *Fold) wider(en *entry) bool {
	carriers := make(map[string]bool)
	for id := range en.members {
		child := f.entries[id]
		carrier := child.Labels["carrier"]
		if child.Family != Connectivity || carrier == "" {
			return false // its power, or a network of its own
		}
		carriers[carrier] = true
	}
	from, to := detect.At(en.First.Add(-groupSpan)), detect.At(en.Last.Add(groupSpan))
	for st := range f.n.Stations() {
		if !st.Online && st.SiteID != en.SiteID && carriers[st.Carrier] && st.LinkAt >= from && st.LinkAt <= to {
			return true
		}
	}
	return false
}

// began is when the present trouble did.
func (f *Fold) began(en *entry) time.Time {
	if en.ReopenedAt != nil {
		return *en.ReopenedAt
	}
	return en.OpenedAt
}

// unmuted looks again at what was held back. Nobody could know of it before, so
// its clocks start now.
func (f *Fold) unmuted(en *entry) {
	if !en.Notified {
		en.Counted = f.now
		f.clocks(en)
	}
	if en.Pending == "" || !f.mayTell(en) {
		return
	}
	if en.Severity == event.S1 {
		f.tell(en)
		return
	}
	f.set(en, "tell", f.now.Add(groupWait))
}

// say tells those who were told of the incident what became of it.
func (f *Fold) say(en *entry, change string, text said) { f.sayBy(en, change, "", text) }

func (f *Fold) sayBy(en *entry, change, by string, text said) {
	if en.Notified && en.ParentID == nil {
		f.send(en, change, by, text)
	}
}

// said is a text for people in both languages. What a person wrote has one.
type said struct{ en, de string }

// Say writes a sentence of ours.
func (f *Fold) Say(format string, args ...any) said {
	return said{fmt.Sprintf(format, args...), f.words.Sentence(format, args...)}
}

// send makes a notice.
func (f *Fold) send(en *entry, change, by string, text said) {
	en.Told++
	en.Notified = true
	if text.en == "" {
		text = said{en.Cause, en.CauseDE}
	}
	labels := maps.Clone(en.Labels)
	f.fx.Notices = append(f.fx.Notices, Notice{
		Key: en.ID + "/" + strconv.Itoa(en.Told) + "/" + change, Incident: en.ID, Change: change,
		Severity: string(en.Severity), Kind: en.Kind, Title: en.Title, Text: text.en, TitleDE: f.titleDE(en), TextDE: text.de, SiteID: en.SiteID, Station: en.Station,
		Subjects: slices.Clone(en.Subjects), Labels: labels, By: by, At: f.now, OpenedAt: en.OpenedAt, Children: en.ChildrenCount, Discreet: en.Discreet(),
	})
	f.touch(en)
}

// mark notes what mutes an incident that opens.
func (f *Fold) mark(en *entry) {
	en.SilencedBy, en.Planned = f.muteOf(en)
	en.Inhibitor = nil
	if id := f.inhibitorOf(en); id != "" {
		en.Inhibitor = word(id)
	}
}

// inhibitorOf is the incident that explains this one, so that nobody is called
// for both: the station is lost, its firmware fails everywhere, or the same is
// known of another of its ports.
func (f *Fold) inhibitorOf(en *entry) string {
	if en.Station == "" || en.Family == Connectivity || en.Safety {
		return ""
	}
	lost := f.entries[f.slots[slot{Place: en.Station, Family: Connectivity}]]
	if lost != nil && lost != en && lost.open() && len(lost.Raised) > 0 && !f.online(en.Station) {
		return lost.ID
	}
	if en.Severity == event.S1 {
		return ""
	}
	if en.Family == Starting {
		if bad := f.entries[f.slots[rolloutOf(en)]]; bad != nil && bad.open() && bad.RepairedAt == nil {
			return bad.ID
		}
	}
	for _, id := range f.ports[en.Station] {
		other := f.entries[id]
		if other != en && other.open() && other.RepairedAt == nil && other.Notified && other.Inhibitor == nil && !worse(en.Severity, other.Severity) &&
			other.Family == en.Family && (en.Family == Starting || other.Kind == en.Kind) {
			return id
		}
	}
	return ""
}

// rolloutOf is the slot of the incident of a firmware on which tries to charge
// fail (D25).
func rolloutOf(en *entry) slot {
	return slot{Family: Firmware, Code: "firmware/" + en.Labels["vendor"] + "/" + en.Labels["model"] + "/" + en.Labels["firmware"]}
}

// rollout has an incident of a firmware explain the starts that fail on it.
func (f *Fold) rollout(en *entry) {
	f.occupy(en, rolloutOf(en))
	for _, other := range f.inOrder() {
		if other.Family == Starting && other.open() && other.Inhibitor == nil && f.inhibitorOf(other) == en.ID {
			other.Inhibitor = word(en.ID)
			f.log(other, ChangeInhibited, "", "the firmware fails at other stations too")
			f.touch(other)
		}
	}
}

// inhibit mutes the other incidents of a station that is lost.
func (f *Fold) inhibit(en *entry) {
	if en.Family != Connectivity || en.Station == "" || f.online(en.Station) {
		return
	}
	for _, id := range f.ports[en.Station] {
		other := f.entries[id]
		if other.open() && other.Inhibitor == nil && f.inhibitorOf(other) == en.ID {
			other.Inhibitor = word(en.ID)
			f.log(other, ChangeInhibited, "", "the station is offline")
			f.touch(other)
		}
	}
}

// lift ends what a repaired incident explained.
func (f *Fold) lift(en *entry) {
	if en.Station == "" {
		return
	}
	if en.Family == Firmware {
		for _, other := range f.inOrder() {
			f.free(other, en)
		}
		return
	}
	for _, id := range slices.Clone(f.ports[en.Station]) {
		f.free(f.entries[id], en)
	}
}

func (f *Fold) free(other, en *entry) {
	if other.Inhibitor != nil && *other.Inhibitor == en.ID {
		other.Inhibitor = nil
		f.touch(other)
		f.unmuted(other)
	}
}

// clocks starts or restarts the clocks of the service level.
func (f *Fold) clocks(en *entry) {
	f.stop(en, "slaAck", "slaAckOver", "slaRepair", "slaRepairOver")
	if en.AcknowledgedAt == nil { // what was done is judged by what was promised then
		en.SLAAckDueAt = nil
	}
	if en.RepairedAt == nil {
		en.SLARepairDueAt = nil
	}
	if !en.open() || en.ParentID != nil || (en.Planned || en.Inhibitor != nil) && !en.Notified {
		f.due(en)
		return
	}
	ack, repair := f.promised(en.SiteID, en.Severity)
	from := en.Counted
	if ack > 0 && en.AcknowledgedAt == nil {
		en.SLAAckDueAt = stamp(from.Add(ack))
		f.ahead(en, "slaAck", from.Add(ack*8/10))
		f.ahead(en, "slaAckOver", from.Add(ack))
	}
	if repair > 0 && en.RepairedAt == nil {
		en.SLARepairDueAt = stamp(from.Add(repair))
		f.ahead(en, "slaRepair", from.Add(repair*8/10))
		f.ahead(en, "slaRepairOver", from.Add(repair))
	}
	f.due(en)
}

// sooner keeps the ends that the clocks had where they come before the new ones.
func (f *Fold) sooner(en *entry, ack, repair *time.Time) {
	keep := func(name string, due **time.Time, was *time.Time) {
		if *due == nil || was == nil || !was.Before(**due) {
			return
		}
		*due = was
		f.stop(en, name, name+"Over")
		f.ahead(en, name, en.Counted.Add(was.Sub(en.Counted)*8/10))
		f.ahead(en, name+"Over", *was)
	}
	keep("slaAck", &en.SLAAckDueAt, ack)
	keep("slaRepair", &en.SLARepairDueAt, repair)
	f.due(en)
}

// ahead sets a timer unless its time has passed.
func (f *Fold) ahead(en *entry, name string, at time.Time) {
	if at.After(f.now) {
		f.set(en, name, at)
	}
}

// due is the next clock that still runs.
func (f *Fold) due(en *entry) {
	en.DueAt = nil
	if !en.open() {
		return
	}
	if en.SLAAckDueAt != nil && en.AcknowledgedAt == nil && en.RepairedAt == nil {
		en.DueAt = en.SLAAckDueAt
	} else if en.SLARepairDueAt != nil && en.RepairedAt == nil {
		en.DueAt = en.SLARepairDueAt
	}
}

// clock is a clock that comes near its end, or to it.
func (f *Fold) clock(en *entry, name string) {
	ack := name == "slaAck" || name == "slaAckOver"
	if !en.open() || en.RepairedAt != nil || ack && en.AcknowledgedAt != nil {
		return
	}
	what, due := "repair", en.SLARepairDueAt
	if ack {
		what, due = "ack", en.SLAAckDueAt
	}
	if name == "slaAckOver" || name == "slaRepairOver" {
		en.SLABreached = append(slices.DeleteFunc(en.SLABreached, func(s string) bool { return s == what }), what)
		f.log(en, ChangeSLABreached, "", what)
		f.due(en)
		f.touch(en)
		return
	}
	f.log(en, ChangeSLAWarning, "", what)
	f.touch(en)
	// Who has taken it sees the clock of its repair; waking them again repairs nothing.
	if en.Notified && en.AcknowledgedBy == nil && f.mayTell(en) && due != nil {
		text := f.Say("It has to be repaired by %s.", due.UTC().Format("2006-01-02 15:04 UTC"))
		if ack {
			text = f.Say("Somebody has to take it by %s.", due.UTC().Format("2006-01-02 15:04 UTC"))
		}
		f.send(en, ChangeSLAWarning, "", text) // to those who know; calling others is for the escalation
	}
}
