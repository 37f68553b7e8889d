package journal

import (
	"fmt"
	"slices"
	"sync"
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
	Quirks           uint64 // conformance findings
	Queue            int    // how many appends may wait
	// CommitP50 and CommitP99 are how long commits of the last minute took; zero
	// when there were none.
	CommitP50, CommitP99 time.Duration
}

type stats struct {
	events, commits, failures, replayMismatches, quirks atomic.Uint64
	latencies                                           latencies
	// busySince is when the commit at work began, 0 when none is; the watchdog
	// reads it because a hanging disk holds the writer.
	busySince atomic.Int64
}

// Stats returns the counters.
func (j *Journal) Stats() Stats {
	p50, p99 := j.stats.latencies.of(time.Now().Add(-time.Minute))
	return Stats{
		Quirks: j.stats.quirks.Load(), Queue: cap(j.queue), CommitP50: p50, CommitP99: p99,
		Events: j.stats.events.Load(), Commits: j.stats.commits.Load(), Failures: j.stats.failures.Load(),
		Waiting: len(j.queue), ReplayMismatches: j.stats.replayMismatches.Load(),
	}
}

// latencies keeps how long the newest commits took.
type latencies struct {
	mu   sync.Mutex
	ring [1024]struct {
		at   time.Time
		took time.Duration
	}
	next int
}

func (l *latencies) add(at time.Time, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &l.ring[l.next%len(l.ring)]
	e.at, e.took = at, took
	l.next++
}

// of returns the median and the slowest but one in a hundred since a time.
func (l *latencies) of(since time.Time) (p50, p99 time.Duration) {
	l.mu.Lock()
	all := make([]time.Duration, 0, min(l.next, len(l.ring)))
	for i := range l.ring[:min(l.next, len(l.ring))] {
		if l.ring[i].at.After(since) {
			all = append(all, l.ring[i].took)
		}
	}
	l.mu.Unlock()
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
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
