package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Kinds of a common cause.
const (
	KindSite     = "site.outage"
	KindCarrier  = "carrier.outage"
	KindFirmware = "firmware.fault"
	KindSelf     = "self.outage"
)

// inherit puts an incident under a common cause: it is muted, listed and counted
// there, and closed with it or after it.
func (f *Fold) inherit(parent, en *entry) {
	f.detach(en)
	en.ParentID = word(parent.ID)
	f.stop(en, "tell")
	f.clocks(en)
	if parent.members == nil {
		parent.members = make(map[string]bool)
	}
	parent.members[en.ID] = false
	if len(parent.Children) < maxListed {
		parent.Children = append(parent.Children, en.ID)
	}
	parent.ChildrenCount++
	if parent.First.IsZero() || en.Onset.Before(parent.First) {
		parent.First = en.Onset
	}
	if en.Onset.After(parent.Last) {
		parent.Last = en.Onset
	}
	for _, s := range en.Subjects {
		if len(parent.Subjects) < maxSubjects {
			parent.Subjects = append(parent.Subjects, s)
		}
	}
	for _, d := range en.Detectors {
		if !slices.Contains(parent.Detectors, d) {
			parent.Detectors = append(parent.Detectors, d)
		}
	}
	f.log(en, ChangeFolded, "", parent.ID)
	f.touch(en)
	if en.open() && en.RepairedAt == nil {
		parent.members[en.ID] = true
		parent.ChildrenBad++
	}
	f.regroup(en)
	f.nudge(parent)
}

// detach takes a child from its parent.
func (f *Fold) detach(en *entry) {
	if en.ParentID == nil {
		return
	}
	parent := f.entries[*en.ParentID]
	en.ParentID, en.Ready = nil, ""
	if parent == nil {
		return
	}
	if parent.members[en.ID] {
		parent.ChildrenBad--
	}
	delete(parent.members, en.ID)
	f.dirty[parent.ID] = struct{}{}
	if i := slices.Index(parent.Children, en.ID); i >= 0 && parent.open() {
		parent.Children = slices.Delete(parent.Children, i, i+1)
		parent.ChildrenCount--
		f.nudge(parent)
	}
}

// unfold makes a child an incident of its own.
func (f *Fold) unfold(en *entry) {
	if en.ParentID == nil {
		return
	}
	f.detach(en)
	f.regroup(en)
	f.log(en, ChangeUnfolded, "", "")
	f.touch(en)
	if !en.open() || en.RepairedAt != nil {
		return
	}
	en.Counted = f.now
	f.clocks(en)
	if en.Pending == "" && !en.Notified {
		en.Pending = ChangeOpened
	}
	if en.Severity != event.S4 {
		f.unmuted(en)
	}
}

// recount tells a parent whether one of its children is still bad.
func (f *Fold) recount(en *entry) {
	if en.ParentID == nil {
		return
	}
	parent := f.entries[*en.ParentID]
	if parent == nil {
		return
	}
	bad := en.open() && en.RepairedAt == nil
	if was, member := parent.members[en.ID]; !member || was == bad {
		return
	}
	parent.members[en.ID] = bad
	if bad {
		parent.ChildrenBad++
	} else {
		parent.ChildrenBad--
	}
	f.nudge(parent)
	f.weigh(parent)
}

// weigh looks whether a common cause has ended or come back.
func (f *Fold) weigh(parent *entry) {
	if !parent.open() {
		return
	}
	switch over := parent.over(); {
	case over && parent.RepairedAt == nil:
		parent.RepairedAt = stamp(f.now)
		f.stop(parent, "slaRepair", "slaRepairOver", "tell")
		parent.Pending = ""
		f.due(parent)
		f.set(parent, "own", f.now.Add(stableFor))
		f.log(parent, ChangeRepaired, "", fmt.Sprintf("%d of %d still bad", parent.ChildrenBad, parent.ChildrenCount))
		f.touch(parent)
		f.say(parent, ChangeRepaired, said{})
	case !over && parent.RepairedAt != nil:
		parent.RepairedAt, parent.Counted = nil, f.now
		parent.Repeats++
		f.stop(parent, "own")
		f.log(parent, ChangeRepeated, "", fmt.Sprintf("%d of %d bad", parent.ChildrenBad, parent.ChildrenCount))
		f.clocks(parent)
		f.touch(parent)
		if !parent.Notified {
			f.plan(parent, ChangeOpened)
		} else if parent.Repeats == 1 {
			f.plan(parent, ChangeReopened)
		}
	}
}

// over reports that a common cause has ended: nine of ten of what it broke are
// well again, or all but one of a few.
func (en *entry) over() bool {
	most := en.ChildrenCount / 10
	if en.ChildrenCount >= 3 {
		most = max(most, 1)
	}
	return en.ChildrenBad <= most
}

// recovered ends a common cause that stayed away. What is still bad was not of
// it.
func (f *Fold) recovered(en *entry) {
	if !en.open() || en.RepairedAt == nil {
		return
	}
	for _, id := range sorted(en.members) {
		if en.members[id] {
			f.unfold(f.entries[id])
		}
	}
	en.VerifiedAt = stamp(f.now)
	f.close(en, "stable", "", "")
}

// parentClosed closes the children of a common cause that wait for nothing else.
// When a person closed it, those that are still bad go with it, but for safety.
func (f *Fold) parentClosed(en *entry, by, note string) {
	for _, id := range sorted(en.members) {
		child := f.entries[id]
		switch {
		case !child.open():
		case child.Ready != "":
			f.finish(child, child.Ready)
		case child.RepairedAt == nil && by != "" && !child.Safety:
			f.close(child, "parent", by, note)
		case child.RepairedAt == nil:
			f.unfold(child)
		}
	}
}

// describe words a common cause by what it has come to; that counts stations, so
// it is done when it is shown.
func (f *Fold) describe(en *entry) {
	if f.n == nil || !en.open() {
		return
	}
	label := en.Home.Code
	_, name, _ := strings.Cut(label, "/")
	was := en.Severity
	lost, ports, all := f.lost(en, label)
	var title said
	switch en.Kind {
	case KindSite:
		title = f.Say("Site %s: %d stations with %d of %d ports lost", name, lost, ports, all)
		en.Severity = byShare(ports, all, 0.8)
	case KindCarrier:
		title = f.Say("Carrier %s: %d stations lost", name, lost)
		en.Severity = byShare(lost, f.n.Len(), ownShare)
	case KindFirmware:
		title = f.Say("%s: %d stations at fault", strings.ReplaceAll(name, "/", " "), lost)
		en.Severity = byShare(lost, f.n.Len(), ownShare)
	case KindSelf:
		title = f.Say("%d of %d stations lost at once", lost, f.n.Len())
		en.Severity = byShare(lost, f.n.Len(), ownShare)
	}
	if title.en != "" {
		en.Title, en.CommonDE = title.en, title.de
	}
	if en.Floor != "" && worse(en.Floor, en.Severity) {
		en.Severity = en.Floor
	}
	switch {
	case was == "":
	case worse(en.Severity, was):
		f.worsened(en, was, nil)
	default:
		en.Severity = was
	}
}

func byShare(lost, all int, urgent float64) event.Severity {
	if all > 0 && float64(lost) >= urgent*float64(all) {
		return event.S1
	}
	return event.S2
}

// lost counts the stations under a common cause: its children, and those whose
// connection ended with theirs but that are not found offline yet, so that the
// first word about it says how much it is. For a site it counts ports too.
func (f *Fold) lost(en *entry, label string) (stations, ports, all int) {
	children := make(map[string]struct{}, len(en.members))
	offline := false
	for id := range en.members {
		child := f.entries[id]
		children[child.Station] = struct{}{}
		offline = offline || child.Family == Connectivity
	}
	from, to := detect.At(en.First.Add(-groupSpan)), detect.At(en.Last.Add(groupSpan))
	count := func(st *detect.Station) {
		n := max(len(st.Ports), 1)
		all += n
		_, child := children[st.ID]
		if child || offline && !st.Online && st.LinkAt >= from && st.LinkAt <= to {
			stations++
			ports += n
		}
	}
	if en.Kind == KindSite {
		for st := range f.n.Site(en.SiteID) {
			count(st)
		}
		return stations, ports, all
	}
	for st := range f.n.Stations() {
		if has(st, label) {
			count(st)
		}
	}
	return stations, ports, all
}

// has reports whether a label is a station's.
func has(st *detect.Station, label string) bool {
	kind, what, _ := strings.Cut(label, "/")
	switch kind {
	case "site":
		return st.SiteID == what
	case "carrier":
		return st.Carrier == what
	case "firmware":
		return st.Firmware != "" && label == firmwareOf(st)
	}
	return true
}

func firmwareOf(st *detect.Station) string {
	return "firmware/" + st.Vendor + "/" + st.Model + "/" + st.Firmware
}

// causeOf opens the incident of a common cause, or returns the open one.
func (f *Fold) causeOf(label string) *entry {
	at := slot{Family: Common, Code: label}
	if en := f.entries[f.slots[at]]; en != nil && en.open() {
		return en
	}
	en := &entry{Onset: f.now}
	en.Incident = Incident{
		ID: name("D20", label, f.seq, f.now), Family: Common, OpenedAt: f.now, Response: NoResponse, Detectors: []string{"D20"},
		Labels: make(map[string]string),
	}
	kind, what, _ := strings.Cut(label, "/")
	switch kind {
	case "site":
		en.Kind, en.SiteID, en.Labels["site"] = KindSite, what, what
		en.Cause = "Stations of one site were lost within five minutes: its power or its network is the likely cause."
		en.CauseDE = f.words.Translate(en.Cause)
		en.Subjects = []string{"site/" + what}
	case "carrier":
		en.Kind, en.Labels["carrier"] = KindCarrier, what
		en.Cause = "Stations with SIM cards of one carrier were lost within five minutes: its network is the likely cause."
		en.CauseDE = f.words.Translate(en.Cause)
	case "firmware":
		en.Kind = KindFirmware
		if words := strings.SplitN(what, "/", 3); len(words) == 3 {
			en.Labels["vendor"], en.Labels["model"], en.Labels["firmware"] = words[0], words[1], words[2]
		}
		en.Cause = "Stations of one model with one firmware failed within five minutes: the firmware, or what it talks to, is the likely cause."
		en.CauseDE = f.words.Translate(en.Cause)
	default:
		en.Kind = KindSelf
		en.Cause = "A great part of the network was lost at once, over sites and carriers: our own connection is the likely cause."
		en.CauseDE = f.words.Translate(en.Cause)
		en.Subjects = []string{event.Self().String()}
	}
	en.CauseCode = en.Kind
	f.take(en, at)
	return en
}

// label notes whose an incident is.
func (f *Fold) label(en *entry) {
	en.Labels = make(map[string]string, len(en.Given)+7)
	maps.Copy(en.Labels, en.Given)
	if en.SiteID != "" {
		en.Labels["site"] = en.SiteID
	}
	if en.Station == "" {
		return
	}
	en.Labels["station"] = en.Station
	st := f.n.Station(en.Station)
	if st == nil {
		return
	}
	en.SiteID = st.SiteID
	for name, v := range map[string]string{
		"site": st.SiteID, "vendor": st.Vendor, "model": st.Model, "firmware": st.Firmware,
		"carrier": st.Carrier, "powerClass": powerClass(st, en.EVSE),
	} {
		if v != "" {
			en.Labels[name] = v
		}
	}
}

// Bounds of the labels that findings bring along.
const (
	maxGiven     = 20
	maxGivenText = 200
)

// owned are the labels that are ours to say.
func owned(label string) bool {
	switch label {
	case "station", "site", "vendor", "model", "firmware", "carrier", "powerClass", "kind", "severity", "family":
		return true
	}
	return false
}

// given takes the labels of a finding of a rule or of another system: they route
// its notices and are matched by silences. What was shown before keeps its map.
func (f *Fold) given(en *entry, d *detect.Finding) {
	changed := false
	for _, fact := range d.Facts {
		label, ok := strings.CutPrefix(fact.Name, "label.")
		if !ok || label == "" || owned(label) || len(label) > maxGivenText || len(fact.Text) > maxGivenText {
			continue
		}
		if was, have := en.Given[label]; have && was == fact.Text || !have && len(en.Given) >= maxGiven {
			continue
		}
		en.Given = maps.Clone(en.Given)
		if en.Given == nil {
			en.Given = make(map[string]string)
		}
		en.Given[label] = fact.Text
		changed = true
	}
	if changed {
		f.label(en)
	}
}

// powerClass is the class of the port, or of the station's strongest.
func powerClass(st *detect.Station, evse int) string {
	best := fleet.ClassUnknown
	for i := range st.Ports {
		p := &st.Ports[i]
		if class := p.Class(); (evse == 0 || p.EVSE == evse) && class != fleet.ClassUnknown && (best == fleet.ClassUnknown || class > best) {
			best = class
		}
	}
	if best == fleet.ClassUnknown {
		return ""
	}
	return best.String()
}

// share adds a label under which an incident may have a common cause.
func (f *Fold) share(en *entry, label string) {
	if len(label) > 0 && len(label) <= 300 && len(en.Shared) < 8 && !slices.Contains(en.Shared, label) {
		en.Shared = append(en.Shared, label)
		f.regroup(en)
	}
}
