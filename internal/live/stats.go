package live

import (
	"sync/atomic"
	"time"
)

// stats are counters that vitals read.
type stats struct {
	events, findings, faults atomic.Uint64
	busy                     atomic.Int64 // nanoseconds
}

// Stats is how detection does.
type Stats struct {
	Seq      uint64        // of the last event folded
	Clock    time.Time     // up to which timers have fired
	Events   uint64        // folded since the start
	Findings uint64        // concluded
	Faults   uint64        // events on which a fold failed
	Busy     time.Duration // spent folding
	Open     int           // incidents
}

// Stats reads the counters.
func (l *Live) Stats() Stats {
	v := l.View()
	return Stats{
		Seq: v.Seq, Clock: v.At, Events: l.stats.events.Load(), Findings: l.stats.findings.Load(),
		Faults: l.stats.faults.Load(), Busy: time.Duration(l.stats.busy.Load()), Open: v.Len(),
	}
}

func (s *stats) folded(events int, took time.Duration) {
	s.events.Add(uint64(events))
	s.busy.Add(int64(took))
}

func (s *stats) concluded(out *Conclusions) {
	s.findings.Add(uint64(len(out.Findings)))
	s.faults.Add(uint64(len(out.Faults)))
}
