package incident

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

func alertOf(subject event.Subject, name string, state event.FindingState, facts ...event.Fact) detect.Finding {
	return detect.Finding{Subject: subject, Finding: event.Finding{
		Detector: detect.ExternalID, Code: detect.ExternalID + "/" + name, Severity: event.S2, State: state, Text: "Transformer is hot", Facts: facts,
	}}
}

func TestAlertsOfOthersAreIncidents(t *testing.T) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1)
	l.found(alertOf(event.Station("A"), "Hot", event.FindingRaised, event.Fact{Name: "label.team", Text: "north"}, event.Fact{Name: "label.vendor", Text: "fake"}))
	in := l.only()
	if in.Family != External || in.Kind != "external/Hot" || in.SiteID != "ham" || in.Labels["team"] != "north" || in.Labels["vendor"] != "Volt" || in.Title != "A: Transformer is hot" {
		t.Fatalf("it is %s", asJSON(in))
	}
	l.after(time.Minute)
	if n := l.raises(); n != 1 || l.notes[0].Labels["team"] != "north" {
		t.Fatalf("%d notices: %+v", n, l.notes)
	}
	l.found(alertOf(event.Station("A"), "Smoke", event.FindingRaised))
	if len(l.rows) != 2 {
		t.Errorf("another alert is another incident: %d", len(l.rows))
	}
	id := in.ID
	l.found(alertOf(event.Station("A"), "Hot", event.FindingCleared)).after(time.Hour)
	if in := l.rows[id]; in.State != Closed || in.CloseReason != "stable" || in.HealedBy != HealedByItself {
		t.Errorf("it is %s", asJSON(in))
	}
}

func TestAlertsOfASite(t *testing.T) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1)
	site := event.Subject{Type: event.SiteSubject, ID: "ham"}
	l.event(site, &event.Policy{}, alertOf(site, "Grid", event.FindingRaised))
	if in := l.only(); in.SiteID != "ham" || in.Labels["site"] != "ham" || in.Station != "" {
		t.Errorf("it is %s", asJSON(in))
	}
}

// Labels of a rule route its notices, are matched by silences and stay over
// repeats and restarts.
func TestLabelsOfRules(t *testing.T) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1)
	l.event(event.Self(), policyOf(t, "silence", "x", Mute{Matchers: []Matcher{{"team", "=", "north", nil}}, Start: l.now, End: l.now.Add(time.Hour)}))
	rule := func(state event.FindingState, facts ...event.Fact) detect.Finding {
		return detect.Finding{Subject: event.Port("A", 1, 0), Finding: event.Finding{Detector: "rule/slow", Code: "rule/slow", Severity: event.S2, State: state, Text: "Slow", Facts: facts}}
	}
	team := event.Fact{Name: "label.team", Text: "north"}
	l.found(rule(event.FindingRaised, team))
	in := l.only()
	if in.Labels["team"] != "north" || in.SilencedBy == nil {
		t.Fatalf("it is %s", asJSON(in))
	}
	for _, e := range in.Evidence {
		if e.Name == "label.team" {
			t.Error("a label is no evidence")
		}
	}
	before := in.Labels
	l.found(rule(event.FindingUpdated, event.Fact{Name: "label.team", Text: "south"}))
	l.after(2 * time.Second)
	if before["team"] != "north" || l.only().Labels["team"] != "south" {
		t.Errorf("what was shown changed under its reader: %v, now %v", before, l.only().Labels)
	}
	l.cut()
	l.found(rule(event.FindingCleared)).after(2 * time.Hour)
	l.found(rule(event.FindingRaised, team)).after(2 * time.Second)
	if in := l.only(); in.Labels["team"] != "north" || in.Labels["vendor"] != "Volt" {
		t.Errorf("after it came back: %v", in.Labels)
	}
}
