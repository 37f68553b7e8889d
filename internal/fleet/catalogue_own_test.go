package fleet

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

// describe is the operator's word about a model; no ports: it is taken back.
func (s *story) describe(t *testing.T, id, vendor, model string, evses ...event.EVSELayout) {
	t.Helper()
	p := &event.Policy{Type: PolicyModel, ID: id}
	if len(evses) > 0 {
		m := Model{Vendor: vendor, Model: model, Source: "a test of the fold", EVSEs: evses}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		p.Value = mustJSON(t, m)
	}
	s.fold(&event.Event{Subject: event.Self(), At: s.now, ReceivedAt: s.now, RecordedAt: s.now, Origin: event.FromUs, Body: p})
}

func (s *story) lines(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			if err := s.run(words); err != nil {
				t.Fatalf("%s\n%v", line, err)
			}
		}
	}
}

// again tells the story from what was recorded, and from a checkpoint.
func (s *story) again(t *testing.T) {
	t.Helper()
	again := newTeller()
	again.fold(s.events...)
	again.advance(s.now)
	if got, want := again.digest(t), s.digest(t); got != want {
		t.Errorf("told again in one batch:\n%s\nwant\n%s", got, want)
	}
	s.restart(t)
	got, want := s.state.Snapshot().Catalogue().Own(), again.state.Snapshot().Catalogue().Own()
	if !slices.EqualFunc(got, want, func(a, b OwnModel) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("after a restart the catalogue has %s, want %s", mustJSON(t, got), mustJSON(t, want))
	}
}

func dcPort(evse, connector int, plug string) event.EVSELayout {
	return event.EVSELayout{
		EVSE: evse, RatedW: 160_000, Current: "DC", Group: "dc", GroupW: 160_000, Exclusive: true,
		Connectors: []event.ConnectorLayout{{Connector: connector, Type: plug}},
	}
}

// What the operator says of a model holds at once for stations that are there, and no
// longer than it is said.
func TestAnOwnModelTakesEffectAtOnce(t *testing.T) {
	s := newStory()
	s.lines(t, `
		at 08:00:00 A configure
		at 08:00:00 A connect
		at 08:00:01 A boot vendor=Nobody model=Rapid160-B serial=1
		at 08:00:02 A/1 status Available
		at 08:00:03 A/2 status Charging
		at 08:00:04 B configure
		at 08:00:04 B connect
		at 08:00:05 B boot vendor=Nobody model=Other serial=2
		at 08:00:06 B/1 status Available
		expect A/1 Available free=yes
		expect A online ports=2
	`)
	class := func(id string) PowerClass {
		st, _ := s.state.Snapshot().Station(id)
		return st.EVSEs[0].PowerClass()
	}
	if class("A") != ClassUnknown {
		t.Fatal("a class out of nothing:", class("A"))
	}
	s.describe(t, "mo-1", "NOBODY", "rapid160", dcPort(1, 1, "cCCS2"), dcPort(2, 2, "cG105"))
	s.lines(t, `
		expect A/1 Available free=no
		expect B/1 Available free=yes
	`)
	if class("A") != ClassHPC || class("B") != ClassUnknown {
		t.Errorf("classes %v and %v, want hpc and unknown", class("A"), class("B"))
	}
	// The two outlets turn out to be two plugs of one port.
	one := dcPort(1, 1, "cCCS2")
	one.Connectors = append(one.Connectors, event.ConnectorLayout{Connector: 2, Type: "cG105"})
	s.describe(t, "mo-1", "Nobody", "Rapid160", one)
	s.lines(t, `
		expect A online ports=1
		expect A/1 Charging free=no
		at 08:10:00 A/2 status Available
		expect A/1 Available free=yes
		at 08:20:00 C configure
		at 08:20:00 C connect
		at 08:20:01 C boot vendor=Nobody model=Rapid160-A serial=3
		expect C online ports=1
	`)
	s.describe(t, "mo-1", "", "")
	s.lines(t, `
		expect A online ports=2
		expect A/1 Available free=yes
	`)
	if class("A") != ClassUnknown {
		t.Error("the class outlived its entry:", class("A"))
	}
	s.again(t)
}

func TestAnOwnModelWinsOverOneThatComesAlong(t *testing.T) {
	s := newStory()
	s.lines(t, `
		at 08:00:00 A configure
		at 08:00:00 A connect
		at 08:00:01 A boot vendor=ABB model=MD_TERRA_53 serial=1
		expect A online ports=2
	`)
	single := dcPort(1, 1, "cCCS2")
	single.Group, single.GroupW, single.Exclusive = "", 0, false
	s.describe(t, "mo-1", "ABB", "MD_TERRA", single) // shorter than the built-in one, and still ours
	s.lines(t, `
		at 08:00:02 A/1 status Available
		expect A online ports=1
		expect A/1 Available free=yes
	`)
	if m, ok := s.state.Snapshot().Catalogue().Lookup("abb", "MD_TERRA_53 CJ"); !ok || m.Source != "a test of the fold" {
		t.Errorf("the entry that counts: %v %+v", ok, m)
	}
	s.describe(t, "mo-1", "", "")
	s.lines(t, "expect A online ports=2")
	s.again(t)
}

// A person's word about a station counts more, and what it reports of itself fills what
// the entry leaves open.
func TestWhatCountsMoreThanAnOwnModel(t *testing.T) {
	s := newStory()
	s.lines(t, `
		at 08:00:00 A configure group=1+2
		at 08:00:00 A connect
		at 08:00:01 A boot vendor=Nobody model=One serial=1
		at 08:00:02 A/1 status Available
		at 08:00:10 M connect ocpp2.0.1
		at 08:00:11 M boot vendor=Nobody model=One serial=2
	`)
	s.fold(&event.Event{
		Subject: event.Station("M"), At: s.now, ReceivedAt: s.now, RecordedAt: s.now, Body: &event.Report{Type: "base", Layout: []event.EVSELayout{
			{EVSE: 1, PublicID: "DE*X*E1", Connectors: []event.ConnectorLayout{{Connector: 1}}},
			{EVSE: 2, RatedW: 50_000, Connectors: []event.ConnectorLayout{{Connector: 1, Type: "cG105"}}},
		}},
	})
	s.describe(t, "mo-1", "Nobody", "One", dcPort(1, 1, "cCCS2"), dcPort(2, 2, "cCCS2"))
	get := func(id string) *Station {
		st, ok := s.state.Snapshot().Station(id)
		if !ok {
			t.Fatal(id, "is not there")
		}
		return st
	}
	if st := get("A"); st.LayoutSource != layoutByPerson || len(st.EVSEs) != 1 {
		t.Errorf("the person's word: %s, %d ports", st.LayoutSource, len(st.EVSEs))
	}
	st := get("M")
	if st.LayoutSource != layoutByReport || len(st.Layout) != 2 {
		t.Fatalf("the station's word: %s %+v", st.LayoutSource, st.Layout)
	}
	if l := st.Layout[0]; l.RatedW != 160_000 || l.PublicID != "DE*X*E1" || len(l.Connectors) != 1 || l.Connectors[0].Type != "cCCS2" {
		t.Errorf("port 1 of both: %+v", l)
	}
	if l := st.Layout[1]; l.RatedW != 50_000 || len(l.Connectors) != 1 || l.Connectors[0] != (event.ConnectorLayout{Connector: 1, Type: "cG105"}) {
		t.Errorf("port 2 by its own word: %+v", l)
	}
	s.lines(t, "at 08:10:00 A configure")
	if st := get("A"); st.LayoutSource != layoutByCatalogue || len(st.EVSEs) != 2 {
		t.Errorf("after the person took it back: %s, %d ports", st.LayoutSource, len(st.EVSEs))
	}
	s.again(t)
}

func TestWhatNobodyCanReadDecidesNothing(t *testing.T) {
	c := BuiltIn()
	for name, p := range map[string]*event.Policy{
		"of another type":      {Type: "threshold", ID: "x", Value: json.RawMessage(`{}`)},
		"no JSON":              {Type: PolicyModel, ID: "x", Value: json.RawMessage(`{`)},
		"not as the schema":    {Type: PolicyModel, ID: "x", Value: json.RawMessage(`{"vendor":"V","model":"M","source":"somewhere","evses":[]}`)},
		"gone and never there": {Type: PolicyModel, ID: "x"},
	} {
		if _, ok := c.Decide(p); ok {
			t.Errorf("%s: it decides", name)
		}
	}
}

func FuzzDecideModel(f *testing.F) {
	f.Add([]byte(`{"vendor":"V","model":"M","source":"somewhere","evses":[{"evse":1,"current":"AC","connectors":[{"connector":1}]}]}`))
	f.Add([]byte(`{"vendor":"V","model":"","evses":[{"evse":-1,"connectors":[{"connector":1e9}]}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, value []byte) {
		c, ok := BuiltIn().Decide(&event.Policy{Type: PolicyModel, ID: "x", Value: value})
		if !ok {
			return
		}
		own := c.Own()
		if len(own) != 1 || own[0].Check() != nil {
			t.Fatalf("taken: %+v", own)
		}
		if again := BuiltIn().With(own); !event.SameLayout(again.Layout(own[0].Vendor, own[0].Model.Model, false), own[0].EVSEs) {
			t.Fatal("not found by its own name")
		}
	})
}
