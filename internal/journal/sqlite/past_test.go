package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// A past is recorded as it was received, in one batch or many, and what falls
// due between its events is concluded then.
func TestAPastIsRecordedAsItWasReceived(t *testing.T) {
	for name, batch := range map[string]int{"one by one": 1, "all at once": 512} {
		t.Run(name, func(t *testing.T) {
			db, err := coredb.Open(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			begin := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
			j, err := sqlite.Open(t.Context(), sqlite.Options{DB: db, Now: func() time.Time { return begin }, Journal: journal.Options{
				Past: true, MaxBatch: batch, Tick: time.Millisecond,
			}})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- j.Run(context.Background()) }()
			at := begin
			var events []*event.Event
			say := func(wait time.Duration, s event.Subject, body event.Body) {
				at = at.Add(wait)
				events = append(events, &event.Event{Subject: s, At: at, DeviceAt: at, ReceivedAt: at, Quality: event.TimeDevice, Body: body})
			}
			port := event.Port("CP", 1, 1)
			say(time.Minute, event.Station("CP"), &event.Connected{ConnID: "c", Protocol: "ocpp1.6"})
			say(time.Minute, port, &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TransactionID: "41", MeterWh: new(100.0)})
			say(time.Minute, port, &event.Status{Status: "Charging"})
			say(time.Hour, port, &event.Status{Status: "Available"}) // and never a stop
			say(2*time.Hour, port, &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(200.0)})
			if err := j.AppendAll(t.Context(), events); err != nil {
				t.Fatal(err)
			}
			stored, _, err := j.Events(t.Context(), journal.EventQuery{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			inferred := 0
			for _, e := range stored {
				if e.Body.Kind() == event.KindSessionInferred {
					inferred++
					if want := begin.Add(63*time.Minute + 10*time.Minute); !e.RecordedAt.Equal(want) {
						t.Errorf("the lost session is given up at %s, want %s", e.RecordedAt, want)
					}
					continue
				}
				if !e.RecordedAt.Equal(e.ReceivedAt) {
					t.Errorf("%s was received at %s and recorded at %s", e.Body.Kind(), e.ReceivedAt, e.RecordedAt)
				}
			}
			if len(stored) != len(events)+2 || inferred != 1 {
				t.Errorf("%d events, %d sessions given up", len(stored), inferred)
			}
			open, _, err := j.Sessions(t.Context(), journal.SessionQuery{Active: new(true)})
			if err != nil || len(open) != 1 || open[0].TransactionID != "42" || open[0].State != fleet.SessionActive {
				t.Errorf("open: %+v, %v", open, err)
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := j.AppendAll(t.Context(), events); err == nil {
				t.Error("a closed journal takes more")
			}
		})
	}
}
