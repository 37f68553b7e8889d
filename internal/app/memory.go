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

// What is read of the runtime.
const (
	readAllocated = iota
	readObjects
	readLive
	readFree
	readScanned
	readStacks
	readGlobals
	readPercent
)

// tidy keeps what the collector holds beside what is alive small where that costs
// little.
//
// It gives memory back that a burst left behind: ten thousand stations that
// come back at once make garbage of which the collector, in the quiet after
// it, would keep as much as is alive. That runs only when little is allocated,
// so that a busy server is never stopped for it.
//
// And while cameras are followed it leaves less room beside pictures, see room.
func tidy(ctx context.Context, cameras func() bool) {
	t := time.NewTicker(tidyEvery)
	defer t.Stop()
	m := []metrics.Sample{
		readAllocated: {Name: "/gc/heap/allocs:bytes"}, readObjects: {Name: "/memory/classes/heap/objects:bytes"},
		readLive: {Name: "/gc/heap/live:bytes"}, readFree: {Name: "/memory/classes/heap/free:bytes"},
		readScanned: {Name: "/gc/scan/total:bytes"}, readStacks: {Name: "/gc/scan/stack:bytes"}, readGlobals: {Name: "/gc/scan/globals:bytes"},
		readPercent: {Name: "/gc/gogc:percent"},
	}
	read := func(i int) uint64 { return m[i].Value.Uint64() }
	metrics.Read(m)
	before := read(readAllocated)
	ours := fullRoom
	for {
		select {
		case <-ctx.Done():
			if ours != fullRoom {
				debug.SetGCPercent(fullRoom)
			}
			return
		case <-t.C:
		}
		metrics.Read(m)
		// Whoever set another share, over GOGC or for a while, knows better.
		if read(readPercent) == uint64(ours) {
			next := fullRoom
			if cameras() {
				next = room(read(readScanned), read(readLive)+read(readStacks)+read(readGlobals))
			}
			if next != ours {
				debug.SetGCPercent(next)
				ours = next
			}
		}
		allocated := read(readAllocated)
		quiet := allocated-before < tidyQuiet
		before = allocated
		if quiet && read(readFree)+read(readObjects) > read(readLive)+tidyWorth {
			debug.FreeOSMemory()
		}
	}
}

const (
	fullRoom  = 100 // as the runtime has it
	leastRoom = 70  // below, collecting takes more of a core than the memory is worth
)

// room is how much the heap may grow until it is collected, in percent of what was
// alive. The runtime's own rule pays for a collection, which is looking for
// pointers, with as much room as is alive. Pictures have no pointers: with a share
// of room as large as the share that is looked through a byte that is allocated
// costs no more than it does where everything has them. In tens, so that it
// seldom changes.
func room(scanned, alive uint64) int {
	if alive == 0 {
		return fullRoom
	}
	return min(max(int((scanned*100/alive+9)/10*10), leastRoom), fullRoom)
}
