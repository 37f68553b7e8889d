package incident

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
)

// raided is a site on which somebody is at the cables.
func raided(t *testing.T) (*lab, string) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1).raise("A", 1, "V05", "cableTheft", event.S1)
	return l, l.only().ID
}

func TestTheEndOfWhatPeopleJudge(t *testing.T) {
	l, id := raided(t)
	in := l.rows[id]
	if in.Class() != procedure.CableTheft || !in.Guarded() || in.Procedure != "cableTheft#s1" {
		t.Fatalf("class %q, guarded %v, procedure %q", in.Class(), in.Guarded(), in.Procedure)
	}
	required := []string{"look", "police"}
	for name, x := range map[string]struct {
		act  event.IncidentAction
		code string
	}{
		"without a verdict":                        {event.IncidentAction{}, "verdictNeeded"},
		"real, and nothing kept of it":             {event.IncidentAction{Verdict: VerdictReal}, "evidenceNeeded"},
		"real, and steps left out":                 {event.IncidentAction{Verdict: VerdictReal, NoEvidence: "no camera there"}, "stepsOpen"},
		"false, and steps left out":                {event.IncidentAction{Verdict: VerdictFalse}, "stepsOpen"},
		"false, and it is said why they were":      {event.IncidentAction{Verdict: VerdictFalse, Undone: "a fox"}, ""},
		"a test needs no step":                     {event.IncidentAction{Verdict: VerdictTest}, ""},
		"real, with a pack, and it is said why":    {event.IncidentAction{Verdict: VerdictReal, Evidence: "ev", Undone: "over in a minute"}, ""},
		"real, with a reason for both of the lack": {event.IncidentAction{Verdict: VerdictReal, NoEvidence: "dark", Undone: "over"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			x.act.Action = ActClose
			err := CheckClosing(in, &x.act, required)
			var no *Refusal
			switch {
			case x.code == "" && err != nil:
				t.Error(err)
			case x.code != "" && (!errors.As(err, &no) || no.Code != x.code):
				t.Errorf("%v, want %s", err, x.code)
			}
		})
	}
	for _, step := range required {
		l.act(id, event.IncidentAction{Action: ActStep, Step: step, Outcome: StepIsDone, Procedure: in.Procedure})
	}
	if err := CheckClosing(l.rows[id], &event.IncidentAction{Action: ActClose, Verdict: VerdictFalse}, required); err != nil {
		t.Errorf("with all steps done: %v", err)
	}
}

func TestNoCarThatChargesEndsWhatPeopleJudge(t *testing.T) {
	l, id := raided(t)
	l.clear("A", 1, "V05", "cableTheft", event.S1).after(time.Hour).charge("A", 1, 9000, "t1").after(100 * time.Hour)
	l.act(id, event.IncidentAction{Action: ActRepair, Session: "s-1", Note: "cable renewed"}).after(time.Hour)
	if in := l.rows[id]; in.ClosedAt != nil {
		t.Fatalf("closed: %s", in.CloseReason)
	}
	l.act(id, event.IncidentAction{Action: ActClose, Reason: "two cables gone", Verdict: VerdictReal, Evidence: "ev-1"})
	in := l.rows[id]
	if in.State != Closed || in.Verdict == nil || *in.Verdict != VerdictReal || in.EvidencePack != "ev-1" {
		t.Errorf("closed: %+v", in)
	}
	// The same place another night is judged anew.
	l.after(time.Hour).raise("A", 1, "V05", "cableTheft", event.S1)
	if in := l.rows[id]; in.State != Open || in.Verdict != nil || in.EvidencePack != "" {
		t.Errorf("came back: %s, %v, %q", in.State, in.Verdict, in.EvidencePack)
	}
}

func TestTwoPeopleCloseIt(t *testing.T) {
	l, id := raided(t)
	closing := event.IncidentAction{Action: ActClose, By: "p-anna", Reason: "a test", Verdict: VerdictTest, Second: true}
	l.act(id, closing).act(id, closing)
	if in := l.rows[id]; in.State == Closed || in.CloseAsked == nil || in.CloseAsked.By != "p-anna" {
		t.Fatalf("one person: %s, %+v", in.State, in.CloseAsked)
	}
	second := closing
	second.By = "p-ben"
	l.act(id, second)
	if in := l.rows[id]; in.State != Closed || in.CloseAsked != nil {
		t.Errorf("two people: %s, %+v", in.State, in.CloseAsked)
	}
}

func TestAnIncidentKeepsTheListItBeganWith(t *testing.T) {
	l := newLab(t)
	decide := func(id string, version int) {
		list := procedure.List{Class: procedure.CableTheft, Version: version, Steps: []procedure.Instruction{{ID: "look", Text: procedure.Wording{EN: "Look."}}}}
		data, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		l.event(event.Self(), &event.Policy{Type: procedure.Policy, ID: id, Value: data, By: "p-anna"})
	}
	decide("cableTheft", 3)
	l.station("A", "ham", "", "1", 1).raise("A", 1, "V05", "cableTheft", event.S1)
	id := l.only().ID
	decide("cableTheft", 4)
	l.act(id, event.IncidentAction{Action: ActStep, Step: "look", Outcome: StepIsSkipped, Procedure: "cableTheft#3"}) // says not why
	if in := l.rows[id]; len(in.Steps) != 0 {
		t.Errorf("left out without a reason: %+v", in.Steps)
	}
	l.act(id, event.IncidentAction{Action: ActStep, Step: "look", Outcome: StepIsSkipped, Procedure: "cableTheft#3", Reason: "no camera"})
	if in := l.rows[id]; in.Procedure != "cableTheft#3" || len(in.Steps) != 1 || in.Steps[0].By != "p-anna" || in.Steps[0].Note != "no camera" {
		t.Errorf("%s, %+v", in.Procedure, in.Steps)
	}
	decide("vandalism@ham", 1)
	l.act(id, event.IncidentAction{Action: ActClassify, Class: "vandalism"})
	if in := l.rows[id]; in.Procedure != "vandalism@ham#1" || len(in.Steps) != 1 || in.Class() != procedure.Vandalism {
		t.Errorf("after it was called vandalism: %s, %+v", in.Procedure, in.Steps)
	}
	l.act(id, event.IncidentAction{Action: ActStep, Step: "look", Outcome: StepIsOpen})
	if in := l.rows[id]; len(in.Steps) != 0 {
		t.Errorf("ticked by mistake: %+v", in.Steps)
	}
}

// The bounds are those of a table of Wilson's interval, made with another program.
func TestPrecisionOfARule(t *testing.T) {
	for name, x := range map[string]struct {
		p                Precision
		share, low, high float64
		ok               bool
	}{
		"14 of 17":                  {Precision{Real: 14, False: 3, Tests: 9}, 0.8235, 0.5897, 0.9381, true},
		"all of ten":                {Precision{Real: 10}, 1, 0.7225, 1, true},
		"none of ten":               {Precision{False: 10}, 0, 0, 0.2775, true},
		"four verdicts say nothing": {Precision{Real: 3, False: 1, Tests: 40}, 0, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			share, low, high, ok := x.p.Share()
			near := func(a, b float64) bool { return math.Abs(a-b) < 0.0001 }
			if ok != x.ok || !near(share, x.share) || !near(low, x.low) || !near(high, x.high) {
				t.Errorf("%.4f, %.4f to %.4f, %v", share, low, high, ok)
			}
		})
	}
}

func TestActionsOfAResponseThatAreRefused(t *testing.T) {
	l, id := raided(t)
	for name, a := range map[string]event.IncidentAction{
		"a real alarm that was an animal": {Action: ActVerdict, Verdict: VerdictReal, FalseReason: "animal"},
		"a reason that there is not":      {Action: ActVerdict, Verdict: VerdictFalse, FalseReason: "ghost"},
		"a step without a name":           {Action: ActStep, Outcome: StepIsDone},
		"a step with another end":         {Action: ActStep, Step: "look", Outcome: "perhaps"},
		"a class that there is not":       {Action: ActClassify, Class: "flood"},
		"a call to nobody":                {Action: ActCall, Outcome: "reached"},
		"a call without an end":           {Action: ActCall, Contact: "ct", Outcome: "done"},
	} {
		t.Run(name, func(t *testing.T) {
			a.By = "p-anna"
			var no *Refusal
			if err := Check(l.rows[id], &a, l.now); !errors.As(err, &no) {
				t.Errorf("%v", err)
			}
		})
	}
	if !slices.Contains(Actions(), ActCall) {
		t.Error("calls are no action")
	}
}
