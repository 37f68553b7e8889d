package incident

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
)

// The judgements of people.
const (
	VerdictReal  = "real"
	VerdictFalse = "false"
	VerdictTest  = "test"
)

// FalseReasons are what a false alarm can have been.
func FalseReasons() []string {
	return []string{"animal", "weather", "driver", "technician", "light", "equipment", "unknown"}
}

// What became of a step.
const (
	StepIsDone    = "done"
	StepIsSkipped = "skipped" // it does not apply here
	StepIsOpen    = "open"    // ticked by mistake
)

// StepDone is what became of one step of the procedure.
type StepDone struct {
	Step      string    `json:"step"`
	Procedure string    `json:"procedure"` // the version of the list in which it was ticked
	Outcome   string    `json:"outcome" enum:"done,skipped"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Note      string    `json:"note,omitempty"`
}

// CloseAsked is a close that a second person has to confirm.
type CloseAsked struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitempty"`
}

// classes maps what detectors find to what people do about it. What belongs to
// equipment rather than to people on site is about nothing here.
var classes = map[string]procedure.Class{
	"cableTheft": procedure.CableTheft,
	"cutOff":     procedure.Intrusion, "cabinetOpened": procedure.Intrusion, "motionArmed": procedure.Intrusion, "loitering": procedure.Intrusion,
	"doorForced": procedure.Intrusion, "doorHeld": procedure.Intrusion, "doorRefused": procedure.Intrusion, "doorRefusedOpened": procedure.Intrusion,
	"doorTamper": procedure.Intrusion, "openedArmed": procedure.Intrusion, "controllerForeign": procedure.Intrusion, "controllerUnrecorded": procedure.Intrusion,
	"blindedFirst": procedure.CameraTampered, "cameraTampered": procedure.CameraTampered,
	CodeDuress: procedure.Duress, "doorEmergency": procedure.Duress,
	"doorFire": procedure.Fire,
	// Rules that join several worlds.
	"badgeAlone": procedure.Intrusion, "tailgating": procedure.Intrusion, "cardGuessing": procedure.Intrusion,
	"vandalism": procedure.Vandalism, "cuttingSound": procedure.CableTheft, "heat": procedure.Fire, "skimmer": procedure.Vandalism,
	"localAttack":    procedure.Intrusion,
	"tokenTwoPlaces": "", // of a card, not of a place
	"cameraClock":    "", // of equipment
}

// Class is what the incident is about: what a person said, else what was found.
// Empty: nothing that has a procedure.
func (in *Incident) Class() procedure.Class {
	if in.Classified != "" {
		return in.Classified
	}
	if c, ok := classes[in.Kind]; ok && in.Family == Security {
		return c
	}
	switch {
	case in.Family == Electrical && in.Safety:
		return procedure.Electrical
	case in.Family == Security && slices.ContainsFunc(in.Detectors, func(id string) bool { return strings.HasPrefix(id, "C") || strings.HasPrefix(id, "V") }):
		return procedure.Other
	}
	return ""
}

// Guarded reports an incident that is closed by a verdict and by evidence, not by
// a car that charges.
func (in *Incident) Guarded() bool { return in.Family == Security && in.Class() != "" }

// Step returns what became of a step.
func (in *Incident) Step(id string) (StepDone, bool) {
	i := slices.IndexFunc(in.Steps, func(s StepDone) bool { return s.Step == id })
	if i < 0 {
		return StepDone{}, false
	}
	return in.Steps[i], true
}

// CheckClosing says whether a person may close an incident that people have to
// judge. Required are the steps of its procedure that have to be done. The fold
// does not ask it: what was closed before this was asked stays closed.
func CheckClosing(in *Incident, a *event.IncidentAction, required []string) error {
	if !in.Guarded() {
		return nil
	}
	verdict := a.Verdict
	if verdict == "" && in.Verdict != nil {
		verdict = *in.Verdict
	}
	if verdict == "" {
		return refuse("verdictNeeded", "verdict", "closing it needs a verdict: real, false or test")
	}
	if verdict == VerdictReal && a.Evidence == "" && a.NoEvidence == "" && in.EvidencePack == "" && in.NoEvidence == "" {
		return refuse("evidenceNeeded", "noEvidence", "what was real needs a pack of evidence, or a reason why none was taken")
	}
	if rank(in.Severity) > rank(event.S2) || verdict == VerdictTest || a.Undone != "" || in.CloseAsked != nil {
		return nil
	}
	open := 0
	for _, id := range required {
		if _, ok := in.Step(id); !ok {
			open++
		}
	}
	if open > 0 {
		return refuse("stepsOpen", "undone", "%d required steps are neither done nor left out with a reason", open)
	}
	return nil
}

func checkVerdict(a *event.IncidentAction) error {
	if err := oneOf(a.Verdict, "verdict", VerdictReal, VerdictFalse, VerdictTest); err != nil {
		return err
	}
	return checkFalse(a)
}

func checkFalse(a *event.IncidentAction) error {
	switch {
	case a.FalseReason == "":
		return nil
	case a.Verdict != VerdictFalse:
		return refuse("notFalse", "falseReason", "only a false alarm has such a reason")
	}
	return oneOf(a.FalseReason, "falseReason", FalseReasons()...)
}

// checkResponse checks steps, classes and calls.
func checkResponse(a *event.IncidentAction) error {
	switch a.Action {
	case ActStep:
		if !procedure.ValidStep(a.Step) {
			return refuse("unknownValue", "step", "there is no such step")
		}
		if a.Outcome == StepIsSkipped && strings.TrimSpace(a.Reason+a.Note) == "" {
			return refuse("reasonNeeded", "reason", "a step that does not apply needs a reason")
		}
		return oneOf(a.Outcome, "outcome", StepIsDone, StepIsSkipped, StepIsOpen)
	case ActClassify:
		if !procedure.Known(procedure.Class(a.Class)) {
			return refuse("unknownValue", "class", "%q is none of %v", a.Class, procedure.Classes())
		}
	case ActCall:
		if a.Contact == "" || len(a.Contact) > 64 || len(a.Role) > 64 {
			return refuse("unknownValue", "contact", "nobody of the call list was named")
		}
		return oneOf(a.Outcome, "outcome", "reached", "noAnswer", "voicemail")
	}
	return nil
}

// respond takes a step, a class or a call.
func (f *Fold) respond(en *entry, a *event.IncidentAction) {
	switch a.Action {
	case ActStep:
		en.Steps = slices.DeleteFunc(slices.Clone(en.Steps), func(s StepDone) bool { return s.Step == a.Step })
		if a.Outcome != StepIsOpen && len(en.Steps) < 4*procedure.MaxSteps {
			en.Steps = append(en.Steps, StepDone{Step: a.Step, Procedure: a.Procedure, Outcome: a.Outcome, By: a.By, At: f.now, Note: reason(a)})
		}
		f.line(en, ChangeStep, a, a.Outcome, a.Step)
	case ActClassify:
		en.Classified = procedure.Class(a.Class)
		f.line(en, ChangeClassified, a, a.Class, "")
	case ActCall:
		f.line(en, ChangeCalled, a, a.Outcome, a.Role)
		f.fx.Log[len(f.fx.Log)-1].Contact = a.Contact
	}
}

// line is a line of the activity feed with what was chosen.
func (f *Fold) line(en *entry, change string, a *event.IncidentAction, value, about string) {
	f.log(en, change, a.By, reason(a))
	last := &f.fx.Log[len(f.fx.Log)-1]
	last.Value, last.About, last.Procedure = value, about, a.Procedure
}

// judge takes a verdict; what was said of another one does not stay.
func (f *Fold) judge(en *entry, a *event.IncidentAction) {
	if en.Verdict == nil || *en.Verdict != a.Verdict || a.FalseReason != "" {
		en.Verdict, en.FalseReason = word(a.Verdict), a.FalseReason
		f.line(en, ChangeVerdict, a, a.Verdict, a.FalseReason)
	}
	if a.Verdict != VerdictReal {
		en.EvidencePack, en.NoEvidence = "", ""
	}
}

// closing takes a person's close: with a verdict where one comes along, and by two
// people where that was decided.
func (f *Fold) closing(en *entry, a *event.IncidentAction) {
	if slices.Contains([]string{VerdictReal, VerdictFalse, VerdictTest}, a.Verdict) {
		judged := *a
		judged.Note, judged.Reason = "", "" // said of the close
		f.judge(en, &judged)
	}
	if a.Evidence != "" || a.NoEvidence != "" {
		en.EvidencePack, en.NoEvidence = a.Evidence, a.NoEvidence
	}
	note := strings.Join(slices.DeleteFunc([]string{reason(a), a.NoEvidence, a.Undone}, func(s string) bool { return s == "" }), "\n")
	if a.Second && (en.CloseAsked == nil || en.CloseAsked.By == a.By) {
		en.CloseAsked = &CloseAsked{By: a.By, At: f.now, Note: note}
		f.log(en, ChangeCloseAsked, a.By, note)
		return
	}
	f.close(en, "person", a.By, note)
}

// decideProcedure follows which version of a list holds now.
func (f *Fold) decideProcedure(id string, value []byte) {
	if version, ok := procedure.VersionOf(value); ok {
		f.procedures[id] = version
	} else {
		delete(f.procedures, id)
	}
}

// proceed gives an incident the list of its class as it holds now; one that has a
// list of that class keeps it.
func (f *Fold) proceed(en *entry) {
	class := en.Class()
	if class == en.Proceeding {
		return
	}
	en.Proceeding, en.Procedure = class, ""
	if class == "" {
		return
	}
	id := procedure.ID(class, en.SiteID)
	version, ok := f.procedures[id]
	if !ok {
		id = procedure.ID(class, "")
		version, ok = f.procedures[id]
	}
	if !ok {
		version = f.shipped[class].Version
	}
	en.Procedure = procedure.Ref(id, version, !ok)
}
