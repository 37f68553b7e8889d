package sqlite_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// BenchmarkStart opens the journal of 10,000 stations after a kill: checkpoint,
// and a tail of 20,000 events behind it, two minutes at that size.
func BenchmarkStart(b *testing.B) {
	const stations, tail = 10_000, 20_000
	dir := b.TempDir()
	db, err := coredb.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.Writer().Exec(`PRAGMA synchronous(OFF)`); err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tell := func(j *journal.Journal, n int, make func(i int) (event.Subject, event.Body)) {
		var group sync.WaitGroup
		for worker := range 256 {
			group.Go(func() {
				for i := worker; i < n; i += 256 {
					subject, body := make(i)
					if _, err := j.Append(context.Background(), &event.Event{Subject: subject, At: at, DeviceAt: at, ReceivedAt: at, Quality: event.TimeDevice, Body: body}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		group.Wait()
	}
	id := func(i int) string { return fmt.Sprintf("CP-%05d", i%stations) }
	for life := range 2 {
		j, err := sqlite.Open(b.Context(), sqlite.Options{DB: db, Now: func() time.Time { return at }, Journal: journal.Options{CheckpointEvery: time.Hour}})
		if err != nil {
			b.Fatal(err)
		}
		ran := make(chan error, 1)
		ctx, kill := context.WithCancel(context.Background())
		go func() { ran <- j.Run(ctx) }()
		tell(j, stations, func(i int) (event.Subject, event.Body) {
			return event.Station(id(i)), &event.Connected{ConnID: fmt.Sprint(life), Protocol: "ocpp1.6", RemoteAddr: "192.0.2.1:1000"}
		})
		if life == 0 {
			tell(j, stations, func(i int) (event.Subject, event.Body) {
				return event.Station(id(i)), &event.Boot{Vendor: "Alfen", Model: "NG920-61031", Serial: id(i), Firmware: "6.4", Status: "Accepted"}
			})
			tell(j, 2*stations, func(i int) (event.Subject, event.Body) {
				return event.Port(id(i), 0, 1+i/stations), &event.Status{Status: "Available", ErrorCode: "NoError"}
			})
			tell(j, stations/5, func(i int) (event.Subject, event.Body) {
				return event.Port(id(i), 0, 1), &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: "T", TokenStatus: "Accepted", MeterWh: new(100.0)}
			})
			if err := j.Close(); err != nil { // with a checkpoint
				b.Fatal(err)
			}
			<-ran
			kill()
			continue
		}
		tell(j, tail-stations, func(i int) (event.Subject, event.Body) { return event.Port(id(i), 0, 1), tenSamples(at, i) })
		// No drain: the checkpoint is that of the first life.
		_ = kill
	}
	for b.Loop() {
		db, err := coredb.Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := db.Writer().Exec(`PRAGMA synchronous(OFF)`); err != nil {
			b.Fatal(err)
		}
		j, err := sqlite.Open(b.Context(), sqlite.Options{DB: db})
		if err != nil {
			b.Fatal(err)
		}
		if n := j.Snapshot().Len(); n != stations {
			b.Fatalf("%d stations", n)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
