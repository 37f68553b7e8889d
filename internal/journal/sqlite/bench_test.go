package sqlite_test

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

func BenchmarkAppend(b *testing.B) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	bodies := map[string]func(i int) event.Body{
		"meter": func(i int) event.Body { return tenSamples(at, i) },
		"status": func(i int) event.Body {
			return &event.Status{Status: []string{"Available", "Charging"}[i&1], ErrorCode: "NoError"}
		},
	}
	for _, kind := range []string{"meter", "status"} {
		for _, size := range []int{1, 20, 512} {
			b.Run(fmt.Sprintf("%s/batch=%d", kind, size), func(b *testing.B) { benchAppend(b, size, bodies[kind]) })
		}
	}
}

func tenSamples(at time.Time, i int) *event.Meter {
	g := event.SampleGroup{At: at.Add(time.Duration(i) * time.Second)}
	for _, m := range []string{"Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Current.Offered", "Power.Offered", "SoC", "Temperature"} {
		g.Values = append(g.Values, event.Sample{Measurand: m, Value: float64(i%1000) + 0.5})
	}
	for _, phase := range []string{"L1", "L2", "L3"} {
		g.Values = append(g.Values, event.Sample{Measurand: "Voltage", Phase: phase, Value: 230.1})
	}
	return &event.Meter{Samples: event.Samples{g}}
}

// benchAppend commits b.N events of 1,000 stations with size of them waiting at
// a time, and reports the process's CPU time for each.
func benchAppend(b *testing.B, size int, body func(i int) event.Body) {
	db, err := coredb.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	j, err := sqlite.Open(b.Context(), sqlite.Options{DB: db, Journal: journal.Options{MaxBatch: size}})
	if err != nil {
		b.Fatal(err)
	}
	var run sync.WaitGroup
	run.Go(func() { _ = j.Run(context.Background()) })
	var senders sync.WaitGroup
	work := make(chan int, size)
	for range size {
		senders.Go(func() {
			for i := range work {
				now := time.Now()
				e := &event.Event{Subject: event.Port(fmt.Sprintf("CP-%04d", i%1000), 1, 1), At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice, Body: body(i)}
				if _, err := j.Append(context.Background(), e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	before := cpu()
	i := 0
	for b.Loop() {
		work <- i
		i++
	}
	close(work)
	senders.Wait()
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(i), "cpu-ns/event")
	b.ReportMetric(float64(j.Stats().Events)/float64(j.Stats().Commits), "events/commit")
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	run.Wait()
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
