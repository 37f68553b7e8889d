package sqlite_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// BenchmarkLatency appends 1,000 events a second, meter and status in turn, and
// reports how long an append waits for its commit while checkpoints are taken.
func BenchmarkLatency(b *testing.B) {
	db, err := coredb.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	j, err := sqlite.Open(b.Context(), sqlite.Options{DB: db, Journal: journal.Options{CheckpointEvery: 2 * time.Second}})
	if err != nil {
		b.Fatal(err)
	}
	var run sync.WaitGroup
	run.Go(func() { _ = j.Run(context.Background()) })
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	var took []time.Duration
	var group sync.WaitGroup
	tick := time.NewTicker(time.Millisecond)
	i := 0
	for b.Loop() {
		<-tick.C
		n := i
		group.Go(func() {
			now := time.Now()
			e := &event.Event{Subject: event.Port(fmt.Sprintf("CP-%04d", n/2%1000), 1, 1), At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice}
			if n%2 == 0 {
				e.Body = tenSamples(at, n)
			} else {
				e.Body = &event.Status{Status: []string{"Available", "Charging"}[n/2000%2]}
			}
			if _, err := j.Append(context.Background(), e); err != nil {
				b.Error(err)
			}
			mu.Lock()
			took = append(took, time.Since(now))
			mu.Unlock()
		})
		i++
	}
	group.Wait()
	slices.Sort(took)
	for name, q := range map[string]float64{"p50": 0.5, "p99": 0.99, "max": 1} {
		b.ReportMetric(float64(took[int(float64(len(took)-1)*q)].Microseconds())/1000, name+"-ms")
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	run.Wait()
}
