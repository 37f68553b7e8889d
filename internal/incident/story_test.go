package incident

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

var update = flag.Bool("update", false, "write the golden stories anew")

// stories are lives of incidents; what happened in each stands in testdata.
func stories() map[string]func(l *lab) {
	return map[string]func(l *lab){
		"a station that comes back within the group wait wakes nobody": func(l *lab) {
			l.station("A", "ham", "894902", "1", 1).lost("A").after(20 * time.Second).back("A").after(time.Hour)
		},
		"nobody is called for an outage that became urgent and is over": func(l *lab) {
			l.station("A", "ham", "894902", "1", 1).offline("A").
				found(finding("A", 0, "D01", "offline", event.S3, event.FindingRaised)).after(time.Hour).
				found(finding("A", 0, "D01", "offline", event.S2, event.FindingUpdated)).after(10 * time.Second).online("A").after(time.Minute).
				found(finding("A", 0, "D01", "offline", event.S2, event.FindingCleared)).after(time.Hour)
		},
		"an urgent outage that is back only for a moment is told": func(l *lab) {
			l.station("A", "ham", "894902", "1", 1).offline("A").
				found(finding("A", 0, "D01", "offline", event.S3, event.FindingRaised)).after(time.Hour).
				found(finding("A", 0, "D01", "offline", event.S2, event.FindingUpdated)).after(10 * time.Second).online("A").after(30 * time.Second).
				offline("A").after(time.Hour)
		},
		"what becomes urgent has the time that is promised for it": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "port.startFailures", event.S3).after(2 * time.Hour).
				found(finding("A", 1, "D05", "port.startFailures", event.S2, event.FindingUpdated)).after(3 * time.Minute)
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge, Note: "on it"}).after(25 * time.Hour)
		},
		"who has taken a port hears that more drivers fail there; nobody else is called": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "port.startFailures", event.S3).after(time.Hour)
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge, Note: "tomorrow at eight"}).after(time.Hour).
				found(finding("A", 1, "D05", "port.startFailures", event.S2, event.FindingUpdated)).after(time.Hour).
				raise("A", 1, "D27", "port.nextDoor", event.S2).after(time.Hour).
				clear("A", 1, "D05", "port.startFailures", event.S2)
		},
		"a fault of the hardware calls, whoever has taken the port": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "port.startFailures", event.S3).after(time.Hour)
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge, Note: "tomorrow at eight"}).after(time.Hour).
				raise("A", 1, "D12", "connectorHeat", event.S2).after(time.Hour)
		},
		"an acknowledgement that has ended is nobody's": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "port.startFailures", event.S3).after(time.Hour)
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge, Until: l.now.Add(time.Hour)}).after(2 * time.Hour).
				found(finding("A", 1, "D05", "port.startFailures", event.S2, event.FindingUpdated)).after(time.Hour)
		},
		"what becomes urgent late keeps the end it had": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "port.startFailures", event.S3).after(7*time.Hour + 55*time.Minute).
				found(finding("A", 1, "D05", "port.startFailures", event.S2, event.FindingUpdated)).after(6 * time.Minute)
		},
		"connectivity closes after 15 minutes stable": func(l *lab) {
			l.station("A", "ham", "894902", "1", 1).lost("A").after(time.Hour).back("A").after(time.Hour)
		},
		"a connection lost again while it is watched reopens the same incident and needs a day": func(l *lab) {
			l.station("A", "ham", "894902", "1", 1).lost("A").after(time.Hour).back("A").after(10 * time.Minute).
				lost("A").after(30 * time.Minute).back("A").after(25 * time.Hour)
		},
		"a fault with clear evidence is verified by the next real charge": func(l *lab) {
			l.station("A", "ham", "", "1", 2).raise("A", 1, "D03", "port.fault", event.S2).after(time.Hour).
				clear("A", 1, "D03", "port.fault", event.S2).after(time.Hour).
				charge("A", 2, 9000, "t1").charge("A", 1, 300, "t2").charge("A", 1, 900, "t3")
		},
		"a charge that ran while the fault ended proves nothing": func(l *lab) {
			l.station("A", "ham", "", "1", 1)
			begin, end := 0.0, 9000.0
			l.event(event.Port("A", 1, 1), &event.Transaction{Stage: event.TransactionStarted, TransactionID: "t", MeterWh: &begin})
			l.raise("A", 1, "D03", "port.fault", event.S3).after(time.Minute).clear("A", 1, "D03", "port.fault", event.S3).after(time.Minute)
			l.event(event.Port("A", 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: "t", MeterWh: &end})
		},
		"without a charge within 72 hours it is recovered, not proven": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Hour).
				clear("A", 1, "D03", "port.fault", event.S3).after(80 * time.Hour)
		},
		"a safety code stays open until a person closes it with a note": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.groundFailure", event.S1).after(time.Minute).
				clear("A", 1, "D03", "port.groundFailure", event.S1).after(100*time.Hour).charge("A", 1, 9000, "t1")
			id := l.only().ID
			l.act(id, event.IncidentAction{Action: ActClose, Reason: "done"})
			l.act(id, event.IncidentAction{Action: ActClose, Reason: "done", Note: "insulation renewed"})
		},
		"a repeat within a day stays open until a person closes it": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Hour).
				clear("A", 1, "D03", "port.fault", event.S3).after(time.Hour).charge("A", 1, 9000, "t1").after(time.Hour).
				raise("A", 1, "D03", "port.fault", event.S3).after(time.Hour).clear("A", 1, "D03", "port.fault", event.S3).
				charge("A", 1, 9000, "t2").after(100 * time.Hour)
			l.act(l.only().ID, event.IncidentAction{Action: ActClose, Reason: "contactor replaced"})
		},
		"work that a test charge proves closes the incident": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Hour)
			id := l.only().ID
			l.act(id, event.IncidentAction{Action: ActRepair, Session: "s-1"}).after(time.Minute). // it still lasts
														clear("A", 1, "D03", "port.fault", event.S3).after(time.Minute).
														act(id, event.IncidentAction{Action: ActRepair, Session: "s-1", Note: "contactor replaced"})
		},
		"work without a charge waits for the next one, also after a repeat": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Hour).
				clear("A", 1, "D03", "port.fault", event.S3).after(time.Hour).charge("A", 1, 9000, "t1").after(time.Hour).
				raise("A", 1, "D03", "port.fault", event.S3).after(time.Hour).clear("A", 1, "D03", "port.fault", event.S3).after(time.Hour)
			l.act(l.only().ID, event.IncidentAction{Action: ActRepair, Reason: "contactor replaced, no car at hand"}).after(time.Hour).
				charge("A", 1, 9000, "t2")
		},
		"work at a silent station is a word that the next charge proves": func(l *lab) {
			l.station("A", "ham", "", "1", 1).status("A", 1, "Faulted", "InternalError").raise("A", 1, "D03", "port.fault", event.S2).after(time.Hour).
				offline("A").clear("A", 1, "D03", "port.fault", event.S2).after(time.Hour)
			l.act(l.only().ID, event.IncidentAction{Action: ActRepair, Reason: "board replaced"}).after(time.Hour).online("A").after(time.Hour).
				raise("A", 1, "D03", "port.fault", event.S2).after(time.Hour)
		},
		"work on a safety code leaves its release to a person": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.groundFailure", event.S1).after(time.Minute).
				clear("A", 1, "D03", "port.groundFailure", event.S1).after(time.Hour)
			id := l.only().ID
			l.act(id, event.IncidentAction{Action: ActRepair, Session: "s-1", Note: "insulation renewed"}).after(100*time.Hour).
				act(id, event.IncidentAction{Action: ActClose, Reason: "measured", Note: "insulation renewed and measured"})
		},
		"a fault that merely stops reporting does not close": func(l *lab) {
			l.station("A", "ham", "", "1", 1).status("A", 1, "Faulted", "InternalError").raise("A", 1, "D03", "port.fault", event.S2).after(time.Hour).
				offline("A").clear("A", 1, "D03", "port.fault", event.S2).after(100*time.Hour).
				online("A").after(time.Minute).status("A", 1, "Available", "NoError").after(time.Hour).charge("A", 1, 9000, "t1")
		},
		"drivers who fail at a broken port are no second incident": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "port.startFailures", event.S2).after(time.Minute).
				raise("A", 1, "D03", "port.fault", event.S2).after(time.Minute)
		},
		"a lost station mutes what is found at its ports": func(l *lab) {
			l.station("A", "ham", "", "1", 1).lost("A").after(time.Minute).raise("A", 1, "D05", "port.startFailures", event.S2).
				after(time.Hour).back("A").after(10 * time.Minute)
		},
		"what flaps is told at its start and its end": func(l *lab) {
			l.station("A", "ham", "", "1", 1)
			for range 8 {
				l.lost("A").after(3 * time.Minute).back("A").after(3 * time.Minute)
			}
			l.after(26 * time.Hour)
		},
		"an acknowledgement that ends puts the incident back before everybody": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S2).after(2 * time.Minute)
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge, Note: "on it", Until: l.now.Add(time.Hour)})
			l.after(2 * time.Hour)
		},
		"the clocks warn before they run out": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.groundFailure", event.S1).after(5 * time.Hour)
		},
		"a claim of another stands until it expires or is taken over with a reason": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Minute)
			id := l.only().ID
			l.act(id, event.IncidentAction{Action: ActClaim, By: "p-anna"}).
				act(id, event.IncidentAction{Action: ActClaim, By: "p-ben"}).
				act(id, event.IncidentAction{Action: ActClaim, By: "p-ben", Reason: "Anna is ill"}).after(time.Hour)
		},
		"a snooze holds notices and ends with one": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Second)
			l.act(l.only().ID, event.IncidentAction{Action: ActSnooze, Reason: "known", Until: l.now.Add(2 * time.Hour)}).after(3 * time.Hour)
		},
		"a person escalates": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Minute)
			l.act(l.only().ID, event.IncidentAction{Action: ActEscalate, Note: "only charger in town"}).after(time.Minute)
		},
		"two incidents are merged and what is found later goes to the one": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3).after(time.Minute)
			first := l.only().ID
			l.raise("A", 0, "D24", "station.clock", event.S3).after(time.Minute)
			for id := range l.rows {
				if id != first {
					l.act(id, event.IncidentAction{Action: ActMerge, Into: first, Reason: "same board"})
				}
			}
			l.after(time.Minute).clear("A", 0, "D24", "station.clock", event.S3).after(time.Minute).raise("A", 0, "D24", "station.clock", event.S3)
		},
		"the first safe remedy is waited for before S2 is told, and its failure ends the wait": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S2).after(time.Second)
			l.remedied(StepSent).after(2 * time.Minute).remedied(StepRejected).after(time.Minute)
		},
		"a remedy that helps leaves people alone": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S2).after(time.Second)
			l.remedied(StepSent).after(2*time.Second).remedied(StepAccepted).after(4*time.Minute).
				clear("A", 1, "D03", "port.fault", event.S2).after(time.Hour).charge("A", 1, 9000, "t1")
		},
		"a remedy without effect is waited for no longer than ten minutes": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S2).after(time.Second)
			l.remedied(StepSent).after(2 * time.Second).remedied(StepAccepted).after(time.Hour)
		},
		"a station that becomes more urgent is told again": func(l *lab) {
			l.station("A", "ham", "", "1", 1).lost("A").after(time.Hour).
				found(finding("A", 0, "D01", "offline", event.S2, event.FindingUpdated)).after(time.Minute)
		},
		"a moment of the endpoint is an incident that a person closes": func(l *lab) {
			l.station("A", "ham", "", "1", 1)
			two := &event.Finding{Code: "twoDevices", Severity: event.S2, Text: "Two devices use the identity A", Evidence: "serial 1 before, now 2"}
			l.event(event.Station("A"), two).after(time.Hour).event(event.Station("A"), two).after(100 * time.Hour)
		},
		"a station that is removed takes its incidents along, but for safety": func(l *lab) {
			l.station("A", "ham", "", "1", 2).raise("A", 1, "D03", "port.fault", event.S3).raise("A", 2, "D03", "port.groundFailure", event.S1).after(time.Minute)
			gone := finding("A", 1, "D03", "port.fault", event.S3, event.FindingCleared)
			gone.Facts = []event.Fact{{Name: "removed"}}
			l.event(event.Station("A"), &event.StationRemoved{}, gone).after(time.Hour)
		},
		"what comes back within a day is still theirs who took it": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "startFailures", event.S2).after(2 * time.Minute)
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge, By: "p-anna"}).after(time.Hour)
			l.clear("A", 1, "D05", "startFailures", event.S2).after(time.Minute).charge("A", 1, 9000, "t1").after(time.Hour).
				raise("A", 1, "D05", "startFailures", event.S2).after(5 * time.Hour)
		},
		"a danger that comes back is told again": func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.groundFailure", event.S1).after(2 * time.Minute)
			id := l.only().ID
			l.act(id, event.IncidentAction{Action: ActAcknowledge, By: "p-anna"}).clear("A", 1, "D03", "port.groundFailure", event.S1).after(time.Hour).
				act(id, event.IncidentAction{Action: ActClose, By: "p-anna", Note: "dried"}).after(time.Hour).
				raise("A", 1, "D03", "port.groundFailure", event.S1).after(time.Minute)
		},
		"starts that fail at two ports of a station are one call": func(l *lab) {
			l.station("A", "ham", "", "1", 2).raise("A", 1, "D05", "startFailures", event.S2).after(2*time.Minute).
				raise("A", 2, "D07", "zeroEnergy", event.S2).after(2*time.Minute).
				clear("A", 1, "D05", "startFailures", event.S2).after(2 * time.Minute)
		},
		"starts that fail on a firmware that fails everywhere are one call": func(l *lab) {
			l.station("A", "ham", "", "1", 1).station("B", "kiel", "", "1", 1).station("C", "kiel", "", "2", 1)
			l.raise("A", 1, "D05", "startFailures", event.S3).after(2*time.Minute).raise("B", 0, "D25", "firmwareRegression", event.S2).after(2*time.Minute).
				raise("B", 1, "D05", "startFailures", event.S2).raise("C", 1, "D05", "startFailures", event.S2).after(2*time.Minute).
				clear("B", 0, "D25", "firmwareRegression", event.S2).after(2 * time.Minute)
		},
		"a site whose stations are found lost one after the other is one call": func(l *lab) {
			l.station("A", "ham", "", "1", 1).station("B", "ham", "", "1", 1).station("C", "ham", "", "1", 1)
			l.offline("A").offline("B").offline("C")
			gone := func(id string, since time.Time) detect.Finding {
				d := finding(id, 0, "D01", "offline", event.S2, event.FindingRaised)
				d.Since = since
				return d
			}
			since := l.now
			l.after(5*time.Minute).found(gone("A", since)).after(10*time.Minute).found(gone("B", since), gone("C", since)).after(time.Minute)
		},
		"a driver's report is evidence for a known fault": func(l *lab) {
			l.station("A", "ham", "", "1", 2).raise("A", 1, "D03", "port.fault", event.S3).after(time.Minute)
			l.event(event.Port("A", 1, 0), &event.DriverReport{Category: "cable", Text: "torn"}).after(time.Minute)
			l.event(event.Port("A", 2, 0), &event.DriverReport{Category: "start"}).after(time.Hour)
			l.event(event.Port("A", 2, 0), &event.DriverReport{Category: "start"}).after(time.Hour)
		},
	}
}

func (l *lab) remedied(outcome string) *lab {
	l.after(0)
	l.take(l.f.Remedied(l.now, l.seq, []RemedyStep{{
		Incident: l.only().ID, Playbook: "port-cycle", Step: 1, Action: "ChangeAvailability", Port: "station/A/1", Outcome: outcome, At: l.now,
	}}))
	return l
}

func slug(sentence string) string {
	return strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(sentence), "-"), "-")
}

func TestStories(t *testing.T) {
	for sentence, tell := range stories() {
		t.Run(sentence, func(t *testing.T) {
			l := newLab(t)
			tell(l)
			got := strings.Join(l.told, "\n") + "\n"
			file := filepath.Join("testdata", "stories", slug(sentence)+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the story went\n%s\nand should have gone\n%s", got, want)
			}

			cut := newLab(t)
			cut.cutAll = true
			tell(cut)
			if again := strings.Join(cut.told, "\n") + "\n"; again != got {
				t.Errorf("with a restart before every step it went\n%s\ninstead of\n%s", again, got)
			}
			if err := sameRows(l.rows, cut.rows); err != nil {
				t.Error(err)
			}
		})
	}
}

func sameRows(a, b map[string]*Incident) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d incidents and %d", len(a), len(b))
	}
	for id := range a {
		if x, y := asJSON(a[id]), asJSON(b[id]); x != y {
			return fmt.Errorf("incident %s is\n%s\nand\n%s", id, x, y)
		}
	}
	return nil
}
