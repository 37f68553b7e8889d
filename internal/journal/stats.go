package journal

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Stats are counters since the start.
type Stats struct {
	Events           uint64 // stored
	Commits          uint64
	Failures         uint64 // commits that failed
	Waiting          int    // appends in the queue
	ReplayMismatches uint64 // derived events that a replay concluded differently
}

type stats struct {
	events, commits, failures, replayMismatches atomic.Uint64
	// busySince is when the commit at work began, 0 when none is; the watchdog
	// reads it because a hanging disk holds the writer.
	busySince atomic.Int64
}

// Stats returns the counters.
func (j *Journal) Stats() Stats {
	return Stats{
		Events: j.stats.events.Load(), Commits: j.stats.commits.Load(), Failures: j.stats.failures.Load(),
		Waiting: len(j.queue), ReplayMismatches: j.stats.replayMismatches.Load(),
	}
}

// watch tells those who wait when a commit hangs.
func (j *Journal) watch(end <-chan struct{}) {
	tick := time.NewTicker(j.o.Unavailable / 10)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		since := j.stats.busySince.Load()
		if since == 0 {
			continue
		}
		if hung := time.Since(time.Unix(0, since)); hung >= j.o.Unavailable {
			if j.health.fail(fmt.Errorf("a commit has been at work for %s", hung.Round(time.Second))) {
				j.log.Error("journal commit hangs", "for", hung.Round(time.Second))
			}
		}
	}
}

func (j *Journal) isDown() bool {
	_, err := j.health.state()
	return err != nil
}
