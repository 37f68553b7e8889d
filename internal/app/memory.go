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
	tidyWorth = 8 << 20  // bytes that would come free
)

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
