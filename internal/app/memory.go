package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	tidyEvery = 5 * time.Second
	tidyQuiet = 16 << 20 // bytes allocated between two looks: less is a quiet time
	tidyWorth = 32 << 20 // bytes that would come free
)

// collectAt lets garbage grow to twice what is alive before it is collected,
// which costs a busy server a twentieth of its time less; tidy takes it back
// in quiet times. GOGC in the environment decides otherwise.
const collectAt = 200

func collectLess(env func(string) (string, bool)) {
	if _, set := env("GOGC"); !set {
		debug.SetGCPercent(collectAt)
	}
}

// tidy gives memory back that a burst left behind: ten thousand stations that
// come back at once make garbage of which the collector, in the quiet after
// it, would keep as much as is alive. It runs only when little is allocated,
// so that a busy server is never stopped for it.
func tidy(ctx context.Context) {
	t := time.NewTicker(tidyEvery)
	defer t.Stop()
	m := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(m)
	before := m[0].Value.Uint64()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		metrics.Read(m)
		allocated := m[0].Value.Uint64()
		quiet := allocated-before < tidyQuiet
		before = allocated
		objects, live, free := m[1].Value.Uint64(), m[2].Value.Uint64(), m[3].Value.Uint64()
		if quiet && free+objects > live+tidyWorth {
			debug.FreeOSMemory()
		}
	}
}
