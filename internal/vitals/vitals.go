// Package vitals watches the server itself: whether commits are quick, whether
// everyone who follows the journal keeps up, whether the disk, the memory and
// the clock are sound.
//
// It promises an hour of readings in bounded memory, a verdict on each part
// with the time since it holds, and that looking costs the parts nothing: it
// reads counters that they keep anyway. It decides nothing; who is not well
// gives way by himself.
package vitals

import (
	"context"
	"sync"
	"time"
)

// Counters are what the parts of a server say of themselves. What counts up
// does so since the start.
type Counters struct {
	Ready     bool // the journal commits
	Seq       uint64
	Events    uint64
	Commits   uint64
	Failures  uint64
	Quirks    uint64
	Waiting   int // appends in the journal's queue ...
	Queue     int // ... which holds so many
	CommitP50 time.Duration
	CommitP99 time.Duration

	TelemetrySeq, StoreSeq, LiveSeq, DetectSeq uint64 // how far they followed the journal

	DetectFaults  uint64 // events on which detection failed: a defect of ours
	Findings      uint64
	OpenIncidents int

	Channels       int // by which people are told
	ChannelsFailed int // whose last attempt failed
	NoticesWaiting int
	NoticesFailed  int // given up

	FramesAdded   uint64
	FramesDropped uint64

	LiveClients int
	LivePassed  uint64 // flushes that a client was too slow for

	StationsOnline int

	HeapBytes   uint64
	MemoryBytes uint64 // taken from the system
	MemoryLimit uint64 // zero: none was set
	Goroutines  int

	DiskFree  uint64
	DiskTotal uint64
	DiskStage int // as package disk counts them
	DiskName  string

	BackupAt     time.Time // of the newest backup; zero: none known
	BackupNeeded bool      // what is kept is worth one
}

// Reading is one look, with rates in place of counters.
type Reading struct {
	At               time.Time `json:"at"`
	JournalReady     bool      `json:"journalReady"`
	CommitP50Ms      float64   `json:"commitP50Ms" doc:"of the last minute; 0: no commit"`
	CommitP99Ms      float64   `json:"commitP99Ms"`
	EventsPerSecond  float64   `json:"eventsPerSecond"`
	CommitsPerSecond float64   `json:"commitsPerSecond"`
	QueueWaiting     int       `json:"queueWaiting" doc:"events that wait for a commit"`
	QueueSize        int       `json:"queueSize"`
	TelemetryLag     uint64    `json:"telemetryLag" doc:"events not yet taken"`
	StoreLag         uint64    `json:"storeLag"`
	LiveLag          uint64    `json:"liveLag"`
	DetectionLag     uint64    `json:"detectionLag"`
	OpenIncidents    int       `json:"openIncidents"`
	FramesDropped    uint64    `json:"framesDropped" doc:"since the start"`
	FramesPerSecond  float64   `json:"framesPerSecond"`
	Quirks           uint64    `json:"quirks" doc:"conformance findings since the start"`
	LiveClients      int       `json:"liveClients"`
	SlowPerSecond    float64   `json:"slowPerSecond" doc:"updates that screens were too slow to take; they get newer ones later"`
	StationsOnline   int       `json:"stationsOnline"`
	HeapBytes        uint64    `json:"heapBytes"`
	MemoryBytes      uint64    `json:"memoryBytes" doc:"taken from the system"`
	Goroutines       int       `json:"goroutines"`
	DiskFreeBytes    uint64    `json:"diskFreeBytes"`
	DiskTotalBytes   uint64    `json:"diskTotalBytes"`
	DiskStage        string    `json:"diskStage" enum:"fine,stop clips,shorten curves,free reserve,stop accepting"`
}

// Jump is a moment at which the clock of the machine was set.
type Jump struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds" doc:"forward; negative: back"`
}

// Options configures a Monitor. Look is required.
type Options struct {
	// Look reads the counters.
	Look func() Counters
	// Clock gives the time of the wall and a time that is never set; default that
	// of the system.
	Clock func() (wall time.Time, steady time.Duration)
	Every time.Duration // default 5 s
	Keep  int           // readings; default 720, an hour
}

// Monitor looks again and again.
type Monitor struct {
	o Options

	mu       sync.Mutex
	last     Counters
	lastAt   time.Duration
	readings []Reading // a ring
	next     int
	jumps    []Jump
	drift    time.Duration // of the wall against the steady clock
	drops    []drop
	verdicts map[string]Verdict
	behind   map[string]int // looks in a row at which a part lagged
	now      Reading
}

// drop is a time at which frames were lost.
type drop struct {
	at time.Time
	n  uint64
}

const (
	maxJumps = 20
	// leap is how far the clocks may drift between two looks without it being
	// called a jump.
	leap = time.Second
)

// New returns a monitor that is idle until Look or Run is called.
func New(o Options) *Monitor {
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Keep <= 0 {
		o.Keep = 720
	}
	if o.Clock == nil {
		start := time.Now()
		o.Clock = func() (time.Time, time.Duration) {
			now := time.Now()
			return now.Round(0), now.Sub(start)
		}
	}
	m := &Monitor{o: o, verdicts: make(map[string]Verdict), behind: make(map[string]int)}
	wall, steady := o.Clock()
	m.lastAt, m.last = steady, o.Look()
	m.drift = time.Duration(wall.UnixNano()) - steady
	return m
}

// Run looks until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	tick := time.NewTicker(m.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.Look()
		}
	}
}

// Look takes one reading.
func (m *Monitor) Look() {
	c := m.o.Look()
	wall, steady := m.o.Clock()
	m.mu.Lock()
	defer m.mu.Unlock()
	wall = wall.UTC()
	drift := time.Duration(wall.UnixNano()) - steady
	if by := drift - m.drift; by.Abs() >= leap {
		m.jumps = append(m.jumps, Jump{At: wall, Seconds: by.Seconds()})
		if len(m.jumps) > maxJumps {
			m.jumps = m.jumps[1:]
		}
	}
	m.drift = drift
	took := (steady - m.lastAt).Seconds()
	rate := func(now, before uint64) float64 {
		if took <= 0 || now < before {
			return 0
		}
		return float64(now-before) / took
	}
	lag := func(seq uint64) uint64 {
		if seq >= c.Seq {
			return 0
		}
		return c.Seq - seq
	}
	if c.FramesDropped > m.last.FramesDropped {
		m.drops = append(m.drops, drop{wall, c.FramesDropped - m.last.FramesDropped})
	}
	for len(m.drops) > 0 && wall.Sub(m.drops[0].at) > dropsFor {
		m.drops = m.drops[1:]
	}
	r := Reading{
		At: wall, JournalReady: c.Ready, CommitP50Ms: millis(c.CommitP50), CommitP99Ms: millis(c.CommitP99),
		EventsPerSecond: rate(c.Events, m.last.Events), CommitsPerSecond: rate(c.Commits, m.last.Commits),
		QueueWaiting: c.Waiting, QueueSize: c.Queue,
		TelemetryLag: lag(c.TelemetrySeq), StoreLag: lag(c.StoreSeq), LiveLag: lag(c.LiveSeq), DetectionLag: lag(c.DetectSeq), OpenIncidents: c.OpenIncidents,
		FramesDropped: c.FramesDropped, FramesPerSecond: rate(c.FramesAdded, m.last.FramesAdded), Quirks: c.Quirks,
		LiveClients: c.LiveClients, SlowPerSecond: rate(c.LivePassed, m.last.LivePassed), StationsOnline: c.StationsOnline,
		HeapBytes: c.HeapBytes, MemoryBytes: c.MemoryBytes, Goroutines: c.Goroutines,
		DiskFreeBytes: c.DiskFree, DiskTotalBytes: c.DiskTotal, DiskStage: c.DiskName,
	}
	if len(m.readings) < m.o.Keep {
		m.readings = append(m.readings, r)
	} else {
		m.readings[m.next] = r
	}
	m.next = (m.next + 1) % m.o.Keep
	m.now, m.last, m.lastAt = r, c, steady
	m.judge(wall)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Health is how the server is.
type Health struct {
	State    State     `json:"state" enum:"ok,degraded,failing" doc:"of its worst part"`
	Now      Reading   `json:"now"`
	Verdicts []Verdict `json:"verdicts"`
	Jumps    []Jump    `json:"jumps" doc:"the newest times at which the machine's clock was set, oldest first"`
	BackupAt time.Time `json:"-"`
}

// Health returns the newest reading and what to think of it.
func (m *Monitor) Health() Health {
	m.mu.Lock()
	looked := len(m.readings) > 0
	m.mu.Unlock()
	if !looked {
		m.Look()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := Health{State: OK, Now: m.now, Jumps: append([]Jump{}, m.jumps...), BackupAt: m.last.BackupAt}
	for _, part := range parts() {
		v := m.verdicts[part.name]
		h.Verdicts = append(h.Verdicts, v)
		h.State = worse(h.State, v.State)
	}
	return h
}

// History returns the readings of the last hour, oldest first.
func (m *Monitor) History() []Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Reading, 0, len(m.readings))
	if len(m.readings) == m.o.Keep {
		out = append(out, m.readings[m.next:]...)
		return append(out, m.readings[:m.next]...)
	}
	return append(out, m.readings...)
}
