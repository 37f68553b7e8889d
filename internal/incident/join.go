package incident

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// find takes a finding into the incident of its cause.
func (f *Fold) find(d *detect.Finding) {
	key := condition{placeOf(d.Subject), d.Subject.EVSE, d.Code}
	switch d.State {
	case event.FindingRaised, event.FindingUpdated:
		if en := f.entries[f.where[key]]; en != nil {
			f.again(en, d)
			return
		}
		en := f.join(d)
		f.where[key] = en.ID
		f.raise(en, d)
	case event.FindingCleared:
		if en := f.entries[f.where[key]]; en != nil {
			delete(f.where, key)
			f.clear(en, d)
		}
	default:
		f.moment(d)
	}
}

// join returns the incident that a new condition or a moment belongs to.
func (f *Fold) join(d *detect.Finding) *entry {
	at := slotOf(d.Subject, &d.Finding)
	own := f.entries[f.slots[at]]
	if own != nil && own.open() {
		return own
	}
	for _, id := range f.ports[at.Place] {
		en := f.entries[id]
		if en.open() && en.EVSE == at.EVSE && len(en.Raised) > 0 && en.Family.explains(at.Family) {
			return en
		}
	}
	if own != nil && f.now.Sub(*own.ClosedAt) <= repeatWithin {
		return own
	}
	return f.create(at, d)
}

// create makes an incident. What it is called follows from what it is of and
// when it began, so a replay calls it the same.
func (f *Fold) create(at slot, d *detect.Finding) *entry {
	en := &entry{Proof: at.Family.proof(), Onset: f.onset(d.Since)}
	en.Incident = Incident{
		ID: name(d.Code, d.Subject.String(), f.seq, f.now), Kind: d.Code, CauseCode: d.Code, Family: at.Family, Severity: d.Severity,
		EVSE: d.Subject.EVSE, Title: d.Text, Cause: d.Text, CauseDE: d.TextDE, OpenedAt: f.now, Response: NoResponse,
	}
	if d.Subject.Type == event.StationSubject {
		en.Station = d.Subject.ID
	}
	if d.Subject.Type == event.SiteSubject {
		en.SiteID = d.Subject.ID
	}
	f.label(en)
	switch d.Subject.Type {
	case event.CameraSubject, event.DoorSubject, event.ControllerSubject:
		en.Labels[string(d.Subject.Type)] = d.Subject.ID
		if st := f.n.At(d.Subject); st != nil && st.SiteID != "" {
			en.SiteID, en.Labels["site"] = st.SiteID, st.SiteID
		}
	}
	f.take(en, at)
	f.ports[at.Place] = append(f.ports[at.Place], en.ID)
	return en
}

// placeOf is the station, or whatever else has incidents, with its kind.
func placeOf(s event.Subject) string {
	if s.Type == event.StationSubject {
		return s.ID
	}
	return string(s.Type) + "/" + s.ID
}

// name is the id of an incident: 60 bits are enough for more incidents than a
// network has in a century.
func name(code, subject string, seq uint64, at time.Time) string {
	sum := sha256.Sum256([]byte(code + "|" + subject + "|" + strconv.FormatUint(seq, 10) + "|" + strconv.FormatInt(at.UnixMilli(), 10)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:12])
}

// take adds an incident and puts it into its slot.
func (f *Fold) take(en *entry, at slot) {
	f.count++
	en.Opened, en.Home = f.count, at
	f.entries[en.ID] = en
	f.occupy(en, at)
}

// occupy gives a slot to an incident; whoever stood there has ended.
func (f *Fold) occupy(en *entry, at slot) {
	if other := f.entries[f.slots[at]]; other != nil && other != en {
		other.Slots = slices.DeleteFunc(other.Slots, func(s slot) bool { return s == at })
		f.dirty[other.ID] = struct{}{}
	}
	f.slots[at] = en.ID
	if !slices.Contains(en.Slots, at) {
		en.Slots = append(en.Slots, at)
	}
	f.dirty[en.ID] = struct{}{}
}

// onset is when trouble began, as far as that can be believed.
func (f *Fold) onset(since time.Time) time.Time {
	if since.IsZero() || since.After(f.now) || f.now.Sub(since) > groupPast {
		return f.now
	}
	return since
}

// raise puts a condition into an incident, which may be new or closed.
func (f *Fold) raise(en *entry, d *detect.Finding) {
	fresh := en.Total == 0
	was := en.Severity
	en.Raised = append(en.Raised, raised{
		Place: placeOf(d.Subject), EVSE: d.Subject.EVSE, Code: d.Code, Family: familyOf(d.Subject.EVSE, &d.Finding),
		Severity: d.Severity, Since: d.Since,
	})
	f.note(en, d, false)
	if d.Detector == "D25" {
		defer f.rollout(en)
	}
	switch {
	case fresh:
		f.opened(en, d)
	case !en.open():
		f.reopened(en, d)
	case en.RepairedAt != nil:
		f.repeated(en, d)
	default:
		if worse(en.Severity, was) {
			f.worsened(en, was, d)
		}
		if en.Flapping {
			f.nudge(en)
			break
		}
		f.log(en, ChangeJoined, "", d.Text, d.Code)
		f.nudge(en)
	}
}

// again takes an update of a condition that lasts.
func (f *Fold) again(en *entry, d *detect.Finding) {
	i := slices.IndexFunc(en.Raised, func(r raised) bool {
		return r.Code == d.Code && r.EVSE == d.Subject.EVSE && r.Place == placeOf(d.Subject)
	})
	if i >= 0 {
		en.Raised[i].Severity = d.Severity
	}
	was := en.Severity
	f.note(en, d, false)
	if worse(en.Severity, was) {
		if !en.open() { // a person closed it as it was, not as it is now
			f.reopened(en, d)
		} else {
			f.worsened(en, was, d)
		}
	}
	f.nudge(en)
}

// moment takes a finding that is over as soon as it is told.
func (f *Fold) moment(d *detect.Finding) {
	key := slotOf(d.Subject, &d.Finding)
	en := f.entries[f.slots[key]]
	if d.Severity == event.S4 && (en == nil || !en.open()) {
		return // to know, not to handle
	}
	en = f.join(d)
	fresh, was := en.Total == 0, en.Severity
	f.note(en, d, true)
	switch {
	case fresh:
		f.opened(en, d)
	case !en.open():
		f.reopened(en, d)
	case worse(en.Severity, was):
		f.worsened(en, was, d)
	default:
		f.nudge(en)
	}
	if len(en.Raised) == 0 && en.Proof != byPerson {
		f.set(en, "prove", f.now.Add(chargeWithin))
	}
}

// note keeps what a finding says, within bounds, and lets it lead the incident
// if it is the worst.
func (f *Fold) note(en *entry, d *detect.Finding, moment bool) {
	subject := d.Subject.String()
	if d.State != event.FindingUpdated {
		en.Total++
	}
	i := slices.IndexFunc(en.Findings, func(x Found) bool { return x.Code == d.Code && x.Subject == subject })
	if i < 0 && len(en.Findings) < maxFindings {
		en.Findings = append(en.Findings, Found{Code: d.Code, Detector: d.Detector, Subject: subject})
		i = len(en.Findings) - 1
	}
	if i >= 0 {
		x := &en.Findings[i]
		x.Severity, x.Text, x.LastAt, x.Moment, x.Seq, x.Until = d.Severity, clip(d.Text), f.now, moment, f.seq, nil
		x.Safety = x.Safety || d.Safety
		if d.State != event.FindingUpdated {
			x.Since = d.Since
			if x.Since.IsZero() {
				x.Since = f.now
			}
			x.Count++
		}
	}
	for _, fact := range d.Facts {
		if !strings.HasPrefix(fact.Name, "label.") {
			f.evidence(en, Evidence{Subject: subject, Detector: d.Detector, Fact: fact})
		}
	}
	f.given(en, d)
	if d.Evidence != "" {
		f.evidence(en, Evidence{Subject: subject, Detector: d.Detector, Fact: event.Fact{Name: d.Code, Text: clip(d.Evidence), At: f.now, Seq: f.seq}})
	}
	if !slices.Contains(en.Subjects, subject) && len(en.Subjects) < maxSubjects {
		en.Subjects = append(en.Subjects, subject)
	}
	if d.Detector != "" && !slices.Contains(en.Detectors, d.Detector) && len(en.Detectors) < maxFindings {
		en.Detectors = append(en.Detectors, d.Detector)
	}
	if d.Safety || d.Severity == event.S1 && familyOf(d.Subject.EVSE, &d.Finding) == Electrical {
		en.Safety = true
	}
	family := familyOf(d.Subject.EVSE, &d.Finding)
	if p := family.proof(); p > en.Proof {
		en.Proof = p
	}
	if worse(d.Severity, en.Severity) || d.Severity == en.Severity && leads(family, en.Family) {
		en.Kind, en.CauseCode, en.Family = d.Code, d.Code, family
		en.Cause, en.CauseDE, en.Title = clip(d.Text), clip(d.TextDE), f.title(en, d.Code, d.Text)
	} else if en.Total == 1 {
		en.Cause, en.CauseDE, en.Title = clip(d.Text), clip(d.TextDE), f.title(en, d.Code, d.Text)
	}
	if worse(d.Severity, en.Severity) {
		en.Severity = d.Severity
	}
}

// leads reports that a finding of family a says more about the cause than one
// of family b.
func leads(a, b Family) bool { return a == Electrical && b != Electrical && a.explains(b) }

// evidence keeps the newest fact of each name, subject and detector.
func (f *Fold) evidence(en *entry, v Evidence) {
	i := slices.IndexFunc(en.Evidence, func(x Evidence) bool {
		return x.Name == v.Name && x.Subject == v.Subject && x.Detector == v.Detector
	})
	if i >= 0 {
		en.Evidence[i] = v
		return
	}
	if len(en.Evidence) < maxFacts {
		en.Evidence = append(en.Evidence, v)
	}
}

// titleDE is the title in German, empty if its cause has none: what people named
// themselves stays as they did.
func (f *Fold) titleDE(en *entry) string {
	switch {
	case en.CauseDE == "":
		return ""
	case en.Family == Common:
		return en.CommonDE
	}
	return f.titleOf(en, en.Kind, en.CauseDE, "Ladepunkt")
}

// title says where something is wrong, and what in few words.
func (f *Fold) title(en *entry, code, text string) string { return f.titleOf(en, code, text, "port") }

func (f *Fold) titleOf(en *entry, code, text, port string) string {
	text = headline(code, text)
	where := en.Station
	if f.n != nil {
		if st := f.n.Station(en.Station); st != nil && st.Label != "" {
			where = st.Label
		}
	}
	if where == "" || names(text, where) || names(text, en.Station) {
		return clip(text)
	}
	if en.EVSE > 0 {
		return clip(fmt.Sprintf("%s, %s %d: %s", where, port, en.EVSE, text))
	}
	return clip(where + ": " + text)
}

// headline is the first sentence of what was found. Where that tells how long it
// has been, which changes, it is other words.
func headline(code, text string) string {
	switch {
	case code == "offline":
		return "Station offline"
	case text == "":
		return code
	}
	if i := strings.Index(text, ". "); i > 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

// names reports that a text names a thing, as a word.
func names(text, id string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(w string) bool { return strings.Trim(w, ",.;:()\"'") == id })
}

// clip bounds a text that may hold a station's own words.
func clip(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// reported takes what a driver told of a port.
func (f *Fold) reported(e *event.Event, b *event.DriverReport) {
	if e.Subject.Type != event.StationSubject || e.Late() {
		return
	}
	severity := event.S4
	at := slot{Place: e.Subject.ID, EVSE: e.Subject.EVSE, Family: Reported}
	if en := f.entries[f.slots[at]]; en != nil && f.now.Sub(en.OpenedAt) <= repeatWithin {
		severity = event.S3 // a second one
	}
	d := &detect.Finding{Subject: event.Port(e.Subject.ID, e.Subject.EVSE, 0), At: f.now, Cause: e.Seq, Finding: event.Finding{
		Code: "driverReport", Severity: severity, Text: "Drivers report a problem", TextDE: f.words.Translate("Drivers report a problem"),
		Facts: []event.Fact{{Name: "report." + b.Category, Text: clip(b.Text), At: f.now, Seq: e.Seq}},
	}}
	en := f.join(d)
	if en.Family != Reported { // evidence for a fault that is known
		f.note(en, d, true)
		f.log(en, ChangeJoined, "", "a driver reported a problem", d.Code)
		f.nudge(en)
		return
	}
	fresh, was := en.Total == 0, en.Severity
	f.note(en, d, true)
	switch {
	case fresh:
		f.opened(en, d)
	case !en.open():
		f.reopened(en, d)
	case worse(en.Severity, was):
		f.worsened(en, was, d)
	default:
		f.nudge(en)
	}
	f.set(en, "prove", f.now.Add(chargeWithin))
}
