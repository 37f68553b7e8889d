package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// says makes an event of now, as a story would.
func says(now time.Time, sub event.Subject, body event.Body) *event.Event {
	e := &event.Event{Subject: sub, At: now, DeviceAt: now, ReceivedAt: now, RecordedAt: now, Quality: event.TimeDevice, Body: body}
	switch body.(type) {
	case *event.Connected, *event.StationRemoved, *event.StationConfigured, *event.ServerStarted:
		e.Origin = event.FromUs
	}
	return e
}

func changed(s, since *Snapshot) []string {
	var ids []string
	for st := range s.Changed(since) {
		ids = append(ids, st.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestASnapshotKnowsWhatChanged(t *testing.T) {
	l := newTeller()
	now := clockAt("08:00:00")
	for i := range 3 * pageSize {
		l.fold(says(now, event.Station(fmt.Sprintf("S%04d", i)), &event.Connected{ConnID: "1"}))
	}
	first := l.state.Snapshot()
	if first.Len() != 3*pageSize || len(changed(first, nil)) != 3*pageSize {
		t.Fatalf("%d stations, %d changed since nothing", first.Len(), len(changed(first, nil)))
	}
	l.fold(says(now, event.Station("S0100"), &event.Status{Status: "Available"}))
	second := l.state.Snapshot()
	if got := changed(second, first); !slices.Equal(got, []string{"S0100"}) {
		t.Errorf("changed: %v", got)
	}
	if got := changed(second, second); got != nil {
		t.Errorf("changed since itself: %v", got)
	}
	l.fold(says(now, event.Station("S0007"), &event.StationRemoved{}))
	third := l.state.Snapshot()
	if got := changed(third, second); !slices.Equal(got, []string{"S0007"}) || third.Len() != 3*pageSize-1 {
		t.Errorf("after a removal: %v changed, %d left", got, third.Len())
	}
	if _, ok := third.Station("S0007"); ok {
		t.Error("a removed station is still found")
	}
	if _, ok := second.Station("S0007"); !ok {
		t.Error("an older snapshot lost a station")
	}
	// The place of a removed station is used again, so that stations which come
	// and go do not grow the snapshot.
	l.fold(says(now, event.Station("new"), &event.Connected{ConnID: "1"}))
	fourth := l.state.Snapshot()
	if got := changed(fourth, second); !slices.Equal(got, []string{"S0007", "new"}) {
		t.Errorf("changed over a reused place: %v", got)
	}
	if len(fourth.pages) != len(first.pages) {
		t.Errorf("%d pages, want %d", len(fourth.pages), len(first.pages))
	}
	// One that comes back to another place is told as it is, not as it was.
	l.fold(says(now, event.Station("S0001"), &event.StationRemoved{}))
	l.fold(says(now, event.Station("S0002"), &event.StationRemoved{}))
	l.fold(says(now, event.Station("other"), &event.Connected{ConnID: "1"}))
	l.fold(says(now, event.Station("S0002"), &event.Connected{ConnID: "7"}))
	for st := range l.state.Snapshot().Changed(fourth) {
		if st.ID == "S0002" && st.ConnID != "7" {
			t.Errorf("S0002 as it was: %+v", st)
		}
	}
	if got := changed(l.state.Snapshot(), fourth); !slices.Equal(got, []string{"S0001", "S0002", "other"}) {
		t.Errorf("changed after coming back: %v", got)
	}
	if st, ok := fourth.Station("new"); !ok || st.ID != "new" {
		t.Errorf("the new station: %v %v", st, ok)
	}
}

func TestAnIdleOwnerKnowsWhenToAdvance(t *testing.T) {
	l := newTeller()
	now := clockAt("08:00:00")
	if _, ok := l.state.NextDue(); ok {
		t.Fatal("something is due in an empty state")
	}
	port := event.Subject{Type: event.StationSubject, ID: "A", Connector: 1}
	l.fold(says(now, event.Station("A"), &event.Connected{ConnID: "1"}))
	l.fold(says(now, port, &event.Transaction{Stage: event.TransactionStarted, AssignID: true}))
	l.foldAndDiscard(says(now.Add(time.Second), port, &event.Status{Status: "Available"}))
	if due, ok := l.state.NextDue(); ok {
		t.Fatalf("a discarded batch armed a timer for %s", due)
	}
	l.fold(says(now.Add(time.Minute), port, &event.Status{Status: "Available"}))
	due, ok := l.state.NextDue()
	if !ok || !due.Equal(now.Add(time.Minute+ghostAfter)) {
		t.Fatalf("due %s %v", due, ok)
	}
	l.advance(due)
	if len(l.derived) != 1 || !l.derived[0].RecordedAt.Equal(due) {
		t.Errorf("derived %v", l.derived)
	}
	if _, ok := l.state.NextDue(); ok {
		t.Error("the timer is still armed")
	}
}

func TestTimersFireInOrder(t *testing.T) {
	l := newTeller()
	now := clockAt("08:00:00")
	var want []string
	for i, id := range []string{"C", "A", "B"} {
		port := event.Subject{Type: event.StationSubject, ID: id, Connector: 1}
		at := now.Add(time.Duration(i/2) * time.Second) // C and A together, then B
		l.fold(says(now, event.Station(id), &event.Connected{ConnID: "1"}),
			says(now, port, &event.Transaction{Stage: event.TransactionStarted, AssignID: true}))
		l.fold(says(at.Add(time.Second), port, &event.Status{Status: "Available"}))
	}
	l.advance(now.Add(time.Hour))
	for _, d := range l.derived {
		want = append(want, d.Subject.ID)
	}
	if !slices.Equal(want, []string{"A", "C", "B"}) {
		t.Errorf("fired %v; want by time, then by station", want)
	}
}
