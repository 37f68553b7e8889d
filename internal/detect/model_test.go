package detect_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Detection follows what the operator says of a model as the fleet does, at once and
// after a restart.
func TestAnOwnModelIsKnownToDetection(t *testing.T) {
	x := detect.New(nil)
	now := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	seq := uint64(0)
	tell := func(s event.Subject, b event.Body) {
		seq++
		now = now.Add(time.Second)
		x.Apply(&event.Event{Seq: seq, Subject: s, At: now, ReceivedAt: now, RecordedAt: now, Body: b})
	}
	port := func(n int) event.Subject {
		return event.Subject{Type: event.StationSubject, ID: "A", EVSE: n, Connector: n}
	}
	tell(event.Station("A"), &event.StationConfigured{SiteID: "yard", Onboarding: event.OnboardingAccepted})
	tell(event.Station("A"), &event.Connected{ConnID: "1", Protocol: "ocpp1.6"})
	tell(event.Station("A"), &event.Boot{Vendor: "Acme", Model: "Rapid 160", Status: "Accepted"})
	tell(port(1), &event.Status{Status: "Available"})
	tell(port(2), &event.Status{Status: "Charging"})
	station := func(x *detect.Engine) *detect.Station {
		for st := range x.Network.Site("yard") {
			return st
		}
		t.Fatal("the station is gone")
		return nil
	}
	st := station(x)
	if p := st.Port(1); !st.Free(p) || p.Class() != fleet.ClassUnknown {
		t.Fatalf("before: free %v, class %v", st.Free(p), p.Class())
	}
	describe := func(id string, evses ...event.EVSELayout) {
		p := &event.Policy{Type: fleet.PolicyModel, ID: id}
		if len(evses) > 0 {
			value, err := json.Marshal(fleet.Model{Vendor: "ACME", Model: "rapid", Source: "a test of detection", EVSEs: evses})
			if err != nil {
				t.Fatal(err)
			}
			p.Value = value
		}
		tell(event.Self(), p)
	}
	outlet := func(n int, plugs ...int) event.EVSELayout {
		l := event.EVSELayout{EVSE: n, Current: "DC", RatedW: 160_000, Group: "dc", Exclusive: true}
		for _, c := range plugs {
			l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: c, Type: "cCCS2"})
		}
		return l
	}
	describe("mo-1", outlet(1, 1), outlet(2, 2))
	if p := st.Port(1); st.Free(p) || p.Class() != fleet.ClassHPC || p.Plug != "cCCS2" {
		t.Errorf("one at a time: free %v, class %v, plug %q", st.Free(p), p.Class(), p.Plug)
	}

	var rows [][]byte
	meta, err := x.Checkpoint(func(_ string, data []byte) error { rows = append(rows, data); return nil })
	if err != nil {
		t.Fatal(err)
	}
	again := detect.New(nil)
	if err := again.Restore(meta); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := again.Load(r); err != nil {
			t.Fatal(err)
		}
	}
	x, st = again, station(again)
	tell(event.Station("A"), &event.Boot{Vendor: "Acme", Model: "Rapid 160", Status: "Accepted"}) // by what is remembered
	if p := st.Port(1); st.Free(p) || p.Class() != fleet.ClassHPC {
		t.Errorf("after a restart: free %v, class %v", st.Free(p), p.Class())
	}

	describe("mo-1", outlet(1, 1, 2))
	if p := st.Port(2); p.Status != fleet.Unknown {
		t.Errorf("a plug of port 1 is still a port that is %v", p.Status)
	}
	describe("mo-1")
	if p := st.Port(1); p.Class() != fleet.ClassUnknown || !st.Free(p) {
		t.Errorf("taken back: free %v, class %v", st.Free(p), p.Class())
	}
}
