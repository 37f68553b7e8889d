package journaltest

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

func replayNeverActs(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	now := clock.Now()
	must(t, r, &event.Event{Subject: event.Station("A"), At: now, ReceivedAt: now, Body: &event.Connected{ConnID: "1", Protocol: "ocpp2.0.1"}})
	must(t, r, &event.Event{Subject: event.Station("A"), At: now, ReceivedAt: now, Body: &event.StationConfigured{Onboarding: event.OnboardingAccepted}})
	must(t, r, &event.Event{Subject: event.Station("A"), At: now, ReceivedAt: now, Body: &event.Boot{Vendor: "unheard of", Model: "x", Status: "Accepted"}})
	intents, err := r.Intents(t.Context(), now.Add(time.Minute), 10)
	if err != nil || len(intents) != 1 {
		t.Fatalf("a boot of an unknown model wants one report: %v, %v", intents, err)
	}
	if err := r.Project(t.Context(), "x", "", func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM outbox`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.Crash()
	r = Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	if intents, err := r.Intents(t.Context(), now.Add(time.Minute), 10); err != nil || len(intents) != 0 {
		t.Errorf("a replay wants to act: %v, %v", intents, err)
	}
}

func retention(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	sealed := uint64(0)
	o := journal.Options{Now: clock.Now, Tick: time.Hour, CheckpointEvery: time.Hour, Keep: journal.Keep{Sealed: func() uint64 { return sealed }, Step: 7}}
	r := Start(t, place, o)
	begin := clock.Now()
	for i := range 50 {
		clock.Add(time.Minute)
		must(t, r, status(clock, "A", []string{"Available", "Preparing"}[i%2]))
		e := status(clock, "A", "")
		e.Body = &event.Meter{Samples: event.Samples{{At: clock.Now(), Values: []event.Sample{{Measurand: "Voltage", Value: 230}}}}}
		must(t, r, e)
		e = status(clock, "A", "")
		e.Body = &event.Security{Type: "x"}
		must(t, r, e)
	}
	count := func() map[event.Kind]int {
		n := make(map[event.Kind]int)
		for _, e := range All(t, r.Faults) {
			n[e.Body.Kind()]++
		}
		return n
	}
	retain := func() {
		t.Helper()
		if err := r.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	clock.Add(72 * time.Hour)
	retain()
	if n := count(); n[event.KindMeter] != 50 {
		t.Fatalf("deleted before a checkpoint or a seal: %v", n)
	}
	r.Stop() // the drain makes a checkpoint
	r = Start(t, place, o)
	retain()
	if n := count(); n[event.KindMeter] != 50 {
		t.Fatalf("measurements were deleted that are sealed nowhere: %v", n)
	}
	sealed = 90
	retain()
	if n := count(); n[event.KindMeter] == 0 || n[event.KindMeter] == 50 || n[event.KindStatus] != 50 {
		t.Fatalf("after sealing up to 90: %v", n)
	}
	sealed = 1 << 40
	retain()
	if n := count(); n[event.KindMeter] != 0 || n[event.KindStatus] != 50 {
		t.Fatalf("after sealing all: %v", n)
	}
	if _, _, err := r.Events(t.Context(), journal.EventQuery{From: begin, Kinds: []event.Kind{event.KindMeter}}); !errors.Is(err, journal.ErrBeforeHorizon) {
		t.Errorf("a question from before the horizon: %v", err)
	}
	if list, _, err := r.Events(t.Context(), journal.EventQuery{From: begin, Subject: event.Station("A"), Limit: 1000}); err != nil || len(list) != 100 {
		t.Errorf("%d events, %v", len(list), err)
	}
	clock.Add(500 * 24 * time.Hour)
	retain()
	if n := count(); n[event.KindStatus] != 0 || n[event.KindSecurity] != 50 || n[event.KindServerStarted] != 2 {
		t.Errorf("after 500 days: %v", n)
	}
	if points, err := r.States(t.Context(), journal.StateQuery{Station: "A", EVSE: 1}); err != nil || len(points) != 1 {
		t.Errorf("of the states the one in force has to stay: %v, %v", points, err)
	}
	if _, err := r.States(t.Context(), journal.StateQuery{Station: "A", EVSE: 1, From: begin}); !errors.Is(err, journal.ErrBeforeHorizon) {
		t.Errorf("states from before the horizon: %v", err)
	}
	clock.Add(400 * 24 * time.Hour)
	retain()
	if n := count(); n[event.KindSecurity] != 0 || n[event.KindServerStarted] != 2 {
		t.Errorf("after 900 days: %v", n)
	}
	want := r.Digest()
	seq := r.Snapshot().Seq
	r.Stop()
	r = Start(t, place, o)
	if r.Snapshot().Seq <= seq {
		t.Errorf("sequence %d was given again", r.Snapshot().Seq)
	}
	_ = want
}

func bitemporal(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	begin := clock.Now()
	must(t, r, status(clock, "A", "Available"))
	clock.Add(20 * time.Minute)
	must(t, r, status(clock, "A", "Charging"))
	clock.Add(10 * time.Minute)
	asKnown := clock.Now()
	clock.Add(10 * time.Minute)
	late := status(clock, "A", "Faulted") // happened at +10, told at +40
	late.At, late.DeviceAt = begin.Add(10*time.Minute), begin.Add(10*time.Minute)
	must(t, r, late)

	words := func(q journal.StateQuery) string {
		t.Helper()
		q.Station, q.EVSE = "A", 1
		list, err := r.States(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, p := range list {
			out += fmt.Sprintf("%s+%d ", p.State, int(p.ValidFrom.Sub(begin).Minutes()))
		}
		return out
	}
	for name, c := range map[string]struct {
		q    journal.StateQuery
		want string
	}{
		"as known now":                {journal.StateQuery{}, "Available+0 Faulted+10 Charging+20 "},
		"as known before it was told": {journal.StateQuery{KnownAt: asKnown}, "Available+0 Charging+20 "},
		"from the middle of a state":  {journal.StateQuery{From: begin.Add(15 * time.Minute)}, "Faulted+10 Charging+20 "},
		"up to a change":              {journal.StateQuery{To: begin.Add(20 * time.Minute)}, "Available+0 Faulted+10 "},
		"before all":                  {journal.StateQuery{To: begin}, ""},
	} {
		if got := words(c.q); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func observedTime(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	begin := clock.Now()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Millisecond, Alive: time.Second})
	clock.Add(time.Hour)
	for {
		list, err := r.Observed(t.Context(), begin, clock.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && list[0].To.Sub(begin) == time.Hour {
			break
		}
		time.Sleep(time.Millisecond) // the sign of life needs no traffic
	}
	r.Crash()
	clock.Add(time.Hour)
	r = Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	first := All(t, r.Faults)[1].Body.(*event.ServerStarted)
	if got := first.LastAlive.Sub(begin); got != time.Hour {
		t.Errorf("last alive %s after the start, want 1h", got)
	}
	list, err := r.Observed(t.Context(), begin, clock.Now().Add(time.Hour))
	if err != nil || len(list) != 2 || list[1].From.Sub(list[0].To) != time.Hour {
		t.Errorf("observed %v, %v; want a gap of an hour", list, err)
	}
}

func commandsAndQuirks(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	about := func(body event.Body) *event.Event {
		e := status(clock, "A", "")
		e.Subject, e.Body = event.Station("A"), body
		return e
	}
	for i := range 3 {
		must(t, r, about(&event.Command{CommandID: fmt.Sprint("c", i), Action: "Reset", Payload: []byte(`{"type":"Soft"}`), By: "anna"}))
	}
	clock.Add(time.Second)
	must(t, r, about(&event.CommandResult{CommandID: "c1", Status: "timeout"}))
	must(t, r, about(&event.CommandResult{CommandID: "c1", Status: "answered", Late: true, Response: []byte(`{"status":"Accepted"}`)}))
	list, next, err := r.Commands(t.Context(), journal.CommandQuery{Station: "A", Limit: 2})
	if err != nil || len(list) != 2 || list[0].ID != "c2" || list[0].Status != "sent" || list[1].Status != "answered" || !list[1].Late || next == "" {
		t.Errorf("commands %+v, next %q, %v", list, next, err)
	}
	if list, _, err = r.Commands(t.Context(), journal.CommandQuery{Before: next}); err != nil || len(list) != 1 || list[0].ID != "c0" {
		t.Errorf("next commands %+v, %v", list, err)
	}
	must(t, r, about(&event.Boot{Vendor: "V", Model: "M", Firmware: "1", Status: "Accepted"}))
	for range 3 {
		odd := status(clock, "A", "Available")
		odd.Quirks = []string{"tooLong:/info", "kWh"}
		must(t, r, odd)
	}
	found, err := r.Conformance(t.Context(), "A")
	if err != nil || len(found) != 2 || found[0].Count != 3 || found[0].Vendor != "V" || found[0].Firmware != "1" {
		t.Errorf("conformance %+v, %v", found, err)
	}
	for i := range 400 {
		odd := status(clock, "A", "Available")
		odd.Quirks = []string{fmt.Sprint("made-up:/", i)}
		must(t, r, odd)
	}
	if found, err = r.Conformance(t.Context(), "A"); err != nil || len(found) > 260 {
		t.Errorf("%d rows of conformance for one station, %v", len(found), err)
	}
	total := 0
	for _, c := range found {
		total += c.Count
	}
	if total != 406 {
		t.Errorf("%d findings counted of 406", total)
	}
}
