package app

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"

	"github.com/chargewatch/chargewatch/internal/vitals"
	"github.com/chargewatch/chargewatch/internal/web"
)

// look reads the counters that the rooms keep.
func (s *Server) look() vitals.Counters {
	j, f := s.Journal.Stats(), s.frames.Stats()
	clients, passed, told := s.Web.Live()
	d := s.live.Stats()
	c := vitals.Counters{
		Ready: s.Journal.Ready() == nil, Seq: s.Journal.Snapshot().Seq, Events: j.Events, Commits: j.Commits, Failures: j.Failures,
		Quirks: j.Quirks, Waiting: j.Waiting, Queue: j.Queue, CommitP50: j.CommitP50, CommitP99: j.CommitP99,
		TelemetrySeq: s.Telemetry.Consumed(), StoreSeq: s.Store.FollowedSeq(), LiveSeq: told,
		DetectSeq: d.Seq, DetectFaults: d.Faults, Findings: d.Findings, OpenIncidents: d.Open,
		FramesAdded: f.Added, FramesDropped: f.Dropped, LiveClients: clients, LivePassed: passed,
		StationsOnline: s.Endpoint.Connected(), DiskStage: int(s.guard.Stage()), DiskName: s.guard.Stage().String(),
		BackupNeeded: !s.demo,
	}
	m := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/sched/goroutines:goroutines"},
	}
	metrics.Read(m)
	c.HeapBytes, c.MemoryBytes = m[0].Value.Uint64(), m[1].Value.Uint64()-m[2].Value.Uint64()
	c.Goroutines = int(m[3].Value.Uint64())
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		c.MemoryLimit = uint64(limit)
	}
	if free, total, _, err := s.guard.Room(); err == nil {
		c.DiskFree, c.DiskTotal = free, total
	}
	if h, err := s.notify.Health(context.Background()); err == nil {
		c.NoticesWaiting, c.NoticesFailed = h.Waiting, h.Failed
		for _, x := range h.Channels {
			if !x.Enabled {
				continue
			}
			c.Channels++
			if x.FailedAt.After(x.OKAt) {
				c.ChannelsFailed++
			}
		}
	}
	if at, err := s.Store.BackupAt(context.Background()); err == nil {
		c.BackupAt = at
	}
	return c
}

// self is the server as it watches itself.
type self struct {
	*vitals.Monitor
	s *Server
}

var _ web.Vitals = (*self)(nil)

// Diagnostics adds what only the process knows: the newest lines of its log and
// what its goroutines are doing.
func (m *self) Diagnostics(context.Context) ([]web.DiagnosticFile, error) {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return nil, fmt.Errorf("write the goroutines: %w", err)
	}
	files := []web.DiagnosticFile{{Name: "goroutines.txt", Data: b.Bytes()}}
	if m.s.tail != nil {
		files = append(files, web.DiagnosticFile{Name: "log.txt", Data: m.s.tail.Bytes()})
	}
	return files, nil
}
