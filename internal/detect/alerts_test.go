package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

type alertBench struct {
	x   *Alerts
	now time.Time
	seq uint64
}

func newAlertBench() *alertBench {
	return &alertBench{x: NewAlerts(), now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
}

func (b *alertBench) tell(subject event.Subject, status, fingerprint, name string, severity event.Severity) []Finding {
	b.seq++
	b.now = b.now.Add(time.Second)
	return b.x.Apply(&event.Event{Seq: b.seq, Subject: subject, RecordedAt: b.now, Body: &event.ExternalAlert{
		Source: "alertmanager", Status: status, Fingerprint: fingerprint, Severity: severity, StartsAt: b.now.Add(-time.Minute),
		Labels: map[string]string{"alertname": name, "team": "north"}, Annotations: map[string]string{"summary": "It is hot\nvery"},
	}})
}

func said(list []Finding) string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%s %s %s %s", f.State, f.Subject, f.Code, f.Severity))
	}
	return strings.Join(out, "; ")
}

func TestAlertsOfOthers(t *testing.T) {
	a, b := event.Station("A"), event.Station("B")
	type told struct {
		subject             event.Subject
		status, fingerprint string
		severity            event.Severity
		want                string
	}
	for sentence, list := range map[string][]told{
		"one is raised and cleared": {
			{a, "firing", "1", event.S2, "raised station/A external/Hot S2"}, {a, "resolved", "1", "", "cleared station/A external/Hot S2"},
		},
		"told again is nothing new":              {{a, "firing", "1", event.S2, "raised station/A external/Hot S2"}, {a, "firing", "1", event.S2, ""}},
		"what never fired is not resolved":       {{a, "resolved", "1", "", ""}},
		"one without a severity is a work order": {{a, "firing", "1", "", "raised station/A external/Hot S3"}},
		"each subject has its own":               {{a, "firing", "1", event.S2, "raised station/A external/Hot S2"}, {b, "firing", "2", event.S2, "raised station/B external/Hot S2"}},
		"several at one subject are one condition, as bad as the worst, until the last is resolved": {
			{a, "firing", "1", event.S3, "raised station/A external/Hot S3"}, {a, "firing", "2", event.S1, "updated station/A external/Hot S1"},
			{a, "firing", "3", event.S2, ""}, {a, "resolved", "2", "", "updated station/A external/Hot S2"},
			{a, "resolved", "3", "", "updated station/A external/Hot S3"}, {a, "resolved", "1", "", "cleared station/A external/Hot S3"},
		},
		"one that gets worse is updated": {{a, "firing", "1", event.S3, "raised station/A external/Hot S3"}, {a, "firing", "1", event.S1, "updated station/A external/Hot S1"}},
		"one that moves is cleared there and raised here": {
			{a, "firing", "1", event.S3, "raised station/A external/Hot S3"},
			{b, "firing", "1", event.S3, "cleared station/A external/Hot S3; raised station/B external/Hot S3"},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			bench := newAlertBench()
			for i, x := range list {
				if got := said(bench.tell(x.subject, x.status, x.fingerprint, "Hot", x.severity)); got != x.want {
					t.Errorf("told %d: %q, want %q", i+1, got, x.want)
				}
				data, err := bench.x.Checkpoint() // a restart after each
				if err != nil {
					t.Fatal(err)
				}
				bench.x = NewAlerts()
				if err := bench.x.Restore(data); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestAlertsSayWhatTheySaid(t *testing.T) {
	b := newAlertBench()
	f := b.tell(event.Station("A"), "firing", "1", "Hot", event.S2)[0]
	if f.Text != "It is hot" || f.Detector != ExternalID || !f.Since.Equal(b.now.Add(-time.Minute)) {
		t.Errorf("%+v", f)
	}
	facts := make(map[string]string)
	for _, x := range f.Facts {
		facts[x.Name] = x.Text
	}
	if facts["alert"] != "Hot" || facts["label.team"] != "north" || facts["source"] != "alertmanager" {
		t.Errorf("facts %v", facts)
	}
}

func TestAStormOfAlertsIsBoundedAndEnds(t *testing.T) {
	b := newAlertBench()
	const stations, more = 1000, 7000
	raised := 0
	for i := range stations {
		raised += len(b.tell(event.Station(fmt.Sprint("S", i)), "firing", fmt.Sprint("a", i), "Down", event.S1))
	}
	if raised != maxAlertPlaces+1 || b.x.open[alertKey{event.Self(), "external/Down"}] == nil {
		t.Errorf("%d conditions of one name at %d stations", raised, stations)
	}
	for i := range more {
		b.tell(event.Self(), "firing", fmt.Sprint("b", i), fmt.Sprint("Name", i), event.S2)
	}
	if len(b.x.open) > maxAlertOpen+2 || len(b.x.held) > maxAlerts+1 {
		t.Errorf("%d conditions, %d alerts held", len(b.x.open), len(b.x.held))
	}
	if data, err := b.x.Checkpoint(); err != nil || len(data) > 1<<20 {
		t.Errorf("a checkpoint of %d bytes, %v", len(data), err)
	}
	for i := range stations {
		b.tell(event.Station(fmt.Sprint("S", i)), "resolved", fmt.Sprint("a", i), "Down", "")
	}
	for i := range more {
		b.tell(event.Self(), "resolved", fmt.Sprint("b", i), fmt.Sprint("Name", i), "")
	}
	if len(b.x.open)+len(b.x.held)+len(b.x.names) != 0 {
		t.Errorf("%d conditions, %d alerts, %d names left", len(b.x.open), len(b.x.held), len(b.x.names))
	}
}
