package evaluate

import (
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func site(station string) string { return strings.TrimRight(station, "0123456789") }

func TestAFindingIsJudged(t *testing.T) {
	port := func(id string, evse int) event.Subject { return event.Port(id, evse, 0) }
	broken := Label{Scenario: "broken", Detectors: []string{"D03"}, Also: []string{"D05"}, Subjects: []event.Subject{port("A1", 1)},
		From: noon, To: noon.Add(time.Hour), Tail: time.Hour, Severity: "S2"}
	near := Label{Scenario: "near-full", NearMiss: true, Also: []string{"D01"}, Subjects: []event.Subject{port("A2", 0)}, From: noon, To: noon.Add(time.Hour)}
	power := Label{Scenario: "power", Detectors: []string{"D20"}, Site: "B", Subjects: []event.Subject{port("B1", 0), port("B2", 0)},
		From: noon, To: noon.Add(time.Hour), Severity: "S2"}
	carrier := Label{Scenario: "carrier", Detectors: []string{"D20"}, Group: "8949077", Subjects: []event.Subject{port("C1", 0)},
		From: noon, To: noon.Add(time.Hour), Severity: "S2"}
	labels := []Label{broken, near, power, carrier}
	at := noon.Add(10 * time.Minute)
	tests := map[string]struct {
		finding Finding
		want    verdict
		fell    string
	}{
		"of the right detector at the right port":  {Finding{Detector: "D03", Subject: port("A1", 1), At: at}, right, ""},
		"about the station of the port":            {Finding{Detector: "D03", Subject: port("A1", 0), At: at}, right, ""},
		"about the other port":                     {Finding{Detector: "D03", Subject: port("A1", 2), At: at}, mistaken, ""},
		"within the tail":                          {Finding{Detector: "D03", Subject: port("A1", 1), At: noon.Add(110 * time.Minute)}, right, ""},
		"after the tail":                           {Finding{Detector: "D03", Subject: port("A1", 1), At: noon.Add(3 * time.Hour)}, mistaken, ""},
		"before anything was wrong":                {Finding{Detector: "D03", Subject: port("A1", 1), At: noon.Add(-time.Minute)}, mistaken, ""},
		"of a detector that may speak up too":      {Finding{Detector: "D05", Subject: port("A1", 1), At: at}, beside, ""},
		"of a detector that has no reason":         {Finding{Detector: "D09", Subject: port("A1", 1), At: at}, mistaken, ""},
		"about what only looked so":                {Finding{Detector: "D09", Subject: port("A2", 1), At: at}, mistaken, "near-full"},
		"that a near miss allows":                  {Finding{Detector: "D01", Subject: port("A2", 0), At: at}, beside, ""},
		"about the site as a whole":                {Finding{Detector: "D20", Subject: event.Subject{Type: event.SiteSubject, ID: "B"}, At: at}, right, ""},
		"about what the site shares":               {Finding{Detector: "D20", Subject: event.Self(), Shared: []string{"site/B"}, At: at}, right, ""},
		"about another site":                       {Finding{Detector: "D20", Subject: event.Subject{Type: event.SiteSubject, ID: "D"}, At: at}, mistaken, ""},
		"about a carrier":                          {Finding{Detector: "D20", Subject: event.Self(), Shared: []string{"carrier/8949077"}, At: at}, right, ""},
		"about a station at which nothing was put": {Finding{Detector: "D03", Subject: port("Z1", 1), At: at}, mistaken, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := &Run{Labels: labels, Site: site}
			v, fell := r.verdict(&tc.finding)
			got := ""
			if fell != nil {
				got = fell.Scenario
			}
			if v != tc.want || got != tc.fell {
				t.Errorf("verdict %d of %q, want %d of %q", v, got, tc.want, tc.fell)
			}
		})
	}
}

func TestARunIsScored(t *testing.T) {
	port := event.Port("A1", 1, 0)
	r := &Run{
		StationDays: 2000, Site: site,
		Labels: []Label{
			{Scenario: "late", Detectors: []string{"D03"}, Subjects: []event.Subject{port}, From: noon, To: noon.Add(time.Hour), Severity: "S1"},
			{Scenario: "missed", Detectors: []string{"D09", "D10"}, Subjects: []event.Subject{event.Port("A2", 1, 0)}, From: noon, To: noon.Add(time.Hour), Severity: "S2"},
			{Scenario: "either", Detectors: []string{"D09", "D10"}, Subjects: []event.Subject{event.Port("A3", 1, 0)}, From: noon, To: noon.Add(time.Hour), Severity: "S3"},
			{Scenario: "near", NearMiss: true, Subjects: []event.Subject{event.Port("A4", 1, 0)}, From: noon, To: noon.Add(time.Hour)},
		},
		Findings: []Finding{
			{Detector: "D03", Severity: "S1", Subject: port, At: noon.Add(20 * time.Minute)},
			{Detector: "D10", Severity: "S3", Subject: event.Port("A3", 1, 0), At: noon.Add(time.Minute)},
			{Detector: "D10", Severity: "S3", Subject: event.Port("A4", 1, 0), At: noon.Add(time.Minute)},
			{Detector: "D05", Severity: "S2", Subject: event.Port("A9", 1, 0), At: noon},
			{Detector: "D05", Severity: "S3", Subject: event.Port("A9", 1, 0), At: noon, Update: true},
		},
		Notices: []Notice{{Subject: port, At: noon}, {Subject: port, At: noon}},
		Harmed: []Harm{
			{Station: "A1", EVSE: 1, At: noon.Add(5 * time.Minute)}, {Station: "A1", EVSE: 1, At: noon.Add(30 * time.Minute)},
			{Station: "A1", EVSE: 2, At: noon.Add(5 * time.Minute)},
			{Station: "A2", EVSE: 1, At: noon.Add(5 * time.Minute)}, {Station: "A2", EVSE: 1, At: noon.Add(6 * time.Minute)},
		},
	}
	s := Judge(r)
	s.Add(Judge(&Run{StationDays: 2000}))
	if s.UrgentLabels != 2 || s.UrgentMissed != 1 || len(s.Missed) != 1 || s.Missed[0].Scenario != "missed" {
		t.Errorf("missed %d of %d: %v", s.UrgentMissed, s.UrgentLabels, s.Missed)
	}
	if s.Per1000(s.FalseUrgent) != 0.25 || s.Per1000(s.FalseS3) != 0.25 || s.Per1000(s.Notices) != 0.5 {
		t.Errorf("false: %d urgent, %d S3, of %v; %d notices", s.FalseUrgent, s.FalseS3, s.False, s.Notices)
	}
	if len(s.Failed) != 2 || s.Failed[0] != 1 || s.Failed[1] != 2 {
		t.Errorf("drivers who failed before: %v", s.Failed)
	}
	by := make(map[string]Detector)
	for _, d := range s.Detectors {
		by[d.ID] = d
	}
	if d := by["D03"]; d.True != 1 || d.Found != 1 || d.Labels != 1 || d.Delays[0] != 20*time.Minute {
		t.Errorf("D03: %+v", d)
	}
	if d := by["D10"]; d.True != 1 || d.False != 1 || d.Found != 1 || d.Labels != 1 || d.Precision() != 0.5 {
		t.Errorf("D10: %+v", d)
	}
	if d := by["D09"]; d.Found != 0 || d.Labels != 1 || d.Recall() != 0 {
		t.Errorf("D09: %+v", d)
	}
	var b strings.Builder
	if err := s.WriteTable(&b); err != nil || !strings.Contains(b.String(), "| D10 | 1 | 0 | 1 | 0.50 | 1 | 1 | 1.00 | 1 min |") {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	if err := s.WriteFaults(&b); err != nil || !strings.Contains(b.String(), "as station/A4/1") || !strings.Contains(b.String(), "D09/D10 missed (S2)") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
