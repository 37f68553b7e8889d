package app

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident/remedy"
)

// What remedies send is as the specification of each version says.
func TestCommandsOfRemediesAreAsSpecified(t *testing.T) {
	valid := validator()
	for _, version := range []string{"ocpp1.6", "ocpp2.0.1", "ocpp2.1"} {
		for _, evse := range []int{0, 1} {
			d, x := detect.New(nil), remedy.New()
			seq := uint64(0)
			var asked []fleet.Intent
			hear := func(s event.Subject, b event.Body) {
				seq++
				now := time.Date(2026, 5, 1, 12, 0, int(seq), 0, time.UTC)
				e := &event.Event{Seq: seq, Subject: s, At: now, ReceivedAt: now, RecordedAt: now, Body: b}
				d.Apply(e)
				asked = append(asked, x.Apply(&d.Network, e, nil).Intents...)
			}
			set, err := json.Marshal(remedy.MonitorSet{ID: "m", Name: "n", Enabled: true, Monitors: []remedy.Monitor{
				{Component: "Connector", EVSE: 1, Connector: 1, Variable: "Temperature", Type: "UpperThreshold", Value: 70.5, Severity: 3, Transaction: true},
				{Component: "ChargingStation", ComponentInstance: "a", Variable: "Problem", VariableInstance: "b", Type: "Delta", Value: 1, Severity: 5},
			}})
			if err != nil {
				t.Fatal(err)
			}
			hear(event.Self(), &event.Policy{Type: remedy.PolicyMonitors, ID: "m", Value: set})
			hear(event.Station("S"), &event.StationConfigured{Onboarding: event.OnboardingAccepted})
			hear(event.Station("S"), &event.Connected{ConnID: "1", Protocol: version})
			hear(event.Station("S"), &event.Boot{Vendor: "v", Model: "m", Status: "Accepted"})
			hear(event.Port("S", 1, 1), &event.Status{Status: "Available"})
			p := remedy.Playbook{ID: "p"}
			for _, do := range remedy.Does() {
				p.Steps = append(p.Steps, remedy.PlaybookStep{Do: do})
			}
			for _, message := range []string{"MeterValues", "Heartbeat", "BootNotification"} {
				p.Steps = append(p.Steps, remedy.PlaybookStep{Do: remedy.Trigger, Message: message})
			}
			c, ok := x.CaseAt(&d.Network, "S", evse)
			if !ok {
				t.Fatal("no such port")
			}
			for _, f := range x.Preview(&d.Network, time.Time{}, p, c, "u-1") {
				if f.Command != "" {
					asked = append(asked, fleet.Intent{Action: f.Command, Payload: f.Payload})
				}
			}
			if want := 8; len(asked) < want {
				t.Errorf("%s, EVSE %d: only %d commands", version, evse, len(asked))
			}
			for _, in := range asked {
				for _, fault := range valid(version, in.Action, []byte(in.Payload)) {
					t.Errorf("%s, EVSE %d: %s %s: %s %s", version, evse, in.Action, in.Payload, fault.Path, fault.Text)
				}
			}
		}
	}
}

// noHistory is a journal that holds no session.
type noHistory struct{}

func (noHistory) SessionByStart(string, string) (*fleet.Session, bool)       { return nil, false }
func (noHistory) SessionByStop(string, string) (*fleet.Session, bool)        { return nil, false }
func (noHistory) SessionByTransaction(string, string) (*fleet.Session, bool) { return nil, false }

func TestTheLastLookBeforeACommand(t *testing.T) {
	state := fleet.New()
	b := state.Begin(noHistory{})
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for i, x := range []struct {
		s event.Subject
		b event.Body
	}{
		{event.Station("S"), &event.Connected{ConnID: "1", Protocol: "ocpp1.6"}},
		{event.Port("S", 1, 1), &event.Status{Status: "Available"}},
		{event.Port("S", 2, 2), &event.Status{Status: "Preparing"}},
		{event.Port("S", 2, 2), &event.Transaction{Stage: event.TransactionStarted, TransactionID: "7"}},
	} {
		at := now.Add(time.Duration(i) * time.Second)
		b.Apply(&event.Event{Seq: uint64(i + 1), Subject: x.s, At: at, ReceivedAt: at, RecordedAt: at, Body: x.b})
	}
	b.Commit()
	c := commander{fleet: state}
	for name, tc := range map[string]struct {
		action, payload string
		refused         bool
	}{
		"a reset":                             {"Reset", `{"type":"Soft"}`, true},
		"the free port out of service":        {"ChangeAvailability", `{"connectorId":1,"type":"Inoperative"}`, false},
		"the port that charges":               {"ChangeAvailability", `{"connectorId":2,"type":"Inoperative"}`, true},
		"the station":                         {"ChangeAvailability", `{"connectorId":0,"type":"Inoperative"}`, true},
		"the EVSE that charges":               {"ChangeAvailability", `{"operationalStatus":"Inoperative","evse":{"id":2}}`, true},
		"the free EVSE":                       {"ChangeAvailability", `{"operationalStatus":"Inoperative","evse":{"id":1}}`, false},
		"back into service while it charges":  {"ChangeAvailability", `{"connectorId":2,"type":"Operative"}`, false},
		"unlock of the port that charges":     {"UnlockConnector", `{"connectorId":2}`, true},
		"unlock of the EVSE that charges":     {"UnlockConnector", `{"evseId":2,"connectorId":1}`, true},
		"unlock of the free port":             {"UnlockConnector", `{"connectorId":1}`, false},
		"a question about the one that works": {"TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":2}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if why := c.disturbs(fleet.Intent{Station: "S", Action: tc.action, Payload: tc.payload}); (why != "") != tc.refused {
				t.Errorf("refused: %q, want %v", why, tc.refused)
			}
		})
	}
}
