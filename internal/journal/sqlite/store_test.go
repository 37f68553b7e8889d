package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// open opens the journal of a folder and runs it until the test ends or close
// is called.
func open(t *testing.T, dir string, o sqlite.Options) (j *journal.Journal, shut func()) {
	t.Helper()
	db, err := coredb.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	o.DB = db
	j, err = sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run(context.Background()) }()
	closed := false
	shut = func() {
		if closed {
			return
		}
		closed = true
		if err := j.Close(); err != nil {
			t.Error("close journal:", err)
		}
		if err := <-ran; err != nil {
			t.Error("run journal:", err)
		}
		if err := db.Close(); err != nil {
			t.Error("close database:", err)
		}
	}
	t.Cleanup(shut)
	return j, shut
}

func status(station string, word string) *event.Event {
	now := time.Now()
	return &event.Event{
		Subject: event.Port(station, 1, 1), At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice,
		Body: &event.Status{Status: word},
	}
}

func TestEventsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	j, shut := open(t, dir, sqlite.Options{})
	for _, word := range []string{"Available", "Preparing", "Charging"} {
		r, err := j.Append(t.Context(), status("CP-1", word))
		if err != nil {
			t.Fatal(err)
		}
		if j.Snapshot().Seq < r.Seq {
			t.Fatalf("answered event %d before it was published (%d)", r.Seq, j.Snapshot().Seq)
		}
	}
	start := status("CP-1", "")
	start.Body = &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(100.0)}
	r, err := j.Append(t.Context(), start)
	if err != nil || r.TransactionID == "" {
		t.Fatalf("start: receipt %+v, %v", r, err)
	}
	shut()

	j, _ = open(t, dir, sqlite.Options{})
	events, next, err := j.Events(t.Context(), journal.EventQuery{Subject: event.Station("CP-1"), Limit: 2})
	if err != nil || len(events) != 2 || next == "" {
		t.Fatalf("events %v, next %q, %v", events, next, err)
	}
	if events[0].Body.Kind() != event.KindTransaction || events[1].Body.(*event.Status).Status != "Charging" {
		t.Errorf("newest events are %s and %+v", events[0].Body.Kind(), events[1].Body)
	}
	more, next, err := j.Events(t.Context(), journal.EventQuery{Subject: event.Station("CP-1"), Before: next})
	if err != nil || len(more) != 2 || next != "" {
		t.Fatalf("next page %v, next %q, %v", more, next, err)
	}
	list, _, err := j.Sessions(t.Context(), journal.SessionQuery{Station: "CP-1", Active: new(true)})
	if err != nil || len(list) != 1 || list[0].TransactionID != r.TransactionID {
		t.Fatalf("sessions %+v, %v", list, err)
	}
	if n := j.Stats().ReplayMismatches; n != 0 {
		t.Errorf("%d derived events were concluded differently by the replay", n)
	}
	again := status("CP-1", "")
	again.Body = &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(100.0)}
	again.DeviceAt, again.At = start.DeviceAt, start.At
	got, err := j.Append(t.Context(), again)
	if err != nil || got.TransactionID != r.TransactionID || !got.Retry {
		t.Errorf("repeated start: %+v, %v; want transaction %s as a retry", got, err, r.TransactionID)
	}
}
