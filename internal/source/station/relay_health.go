package station

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Health counts what happens between stations and one upstream system, since we
// started.
type Health struct {
	Stations  atomic.Int64 // connected through us now
	Connects  atomic.Int64 // connections that it accepted
	Frames    atomic.Int64 // passed on, both ways
	Held      atomic.Int64 // CALLs of upstream that waited for one of ours
	Gaps      atomic.Int64 // frames that passed unread
	Losses    atomic.Int64 // connections that upstream ended or let hang
	Refusals  atomic.Int64 // handshakes that it refused
	Unreached atomic.Int64 // that did not come to it

	added latencies

	mu      sync.Mutex
	reached time.Time
	trouble [3]Trouble
}

// Trouble is the last time that something went wrong.
type Trouble struct {
	At      time.Time
	Station string
	Code    string // a word for the reason, see the constants
	Reason  string
	Status  int // of an HTTP answer, or the code of a close
}

// What goes wrong with an upstream system.
const (
	TroubleClosed   = "closed" // it ended a connection
	TroubleLost     = "lost"
	TroubleSilent   = "silent" // it answers no ping, or nothing at all
	TroubleStuck    = "stuck"  // it never finished a message
	TroubleTooLarge = "tooLarge"
	TroubleRefused  = "refused" // it answered a handshake with a status
	TroubleTimeout  = "timeout"
	TroubleName     = "name" // nobody knows its name
	TroubleTLS      = "tls"
	TroubleNobody   = "nobody"   // nothing listens there
	TroubleDenied   = "denied"   // its address is not within reach
	TroubleProtocol = "protocol" // what answers there is no WebSocket
)

const (
	troubleLost = iota
	troubleRefused
	troubleUnreached
)

func (h *Health) note(kind int, t Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trouble[kind] = t
}

func (h *Health) lost(station, code, reason string, status int) {
	h.Losses.Add(1)
	h.note(troubleLost, Trouble{time.Now(), station, code, reason, status})
}

func (h *Health) refused(station, reason string, status int) {
	h.Refusals.Add(1)
	h.note(troubleRefused, Trouble{time.Now(), station, TroubleRefused, reason, status})
}

func (h *Health) unreached(station, code, reason string) {
	h.Unreached.Add(1)
	h.note(troubleUnreached, Trouble{time.Now(), station, code, reason, 0})
}

// connected notes that upstream let a station in.
func (h *Health) connected() {
	h.Connects.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reached = time.Now()
}

// Reached is when upstream let a station in last; zero: never.
func (h *Health) Reached() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reached
}

// Last is when a connection was lost last, when one was refused, and when
// upstream was not reached.
func (h *Health) Last() (lost, refused, unreached Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble[troubleLost], h.trouble[troubleRefused], h.trouble[troubleUnreached]
}

func (h *Health) passed(d time.Duration) {
	h.Frames.Add(1)
	h.added.note(d)
}

// Added is how much later than without us a share of the frames arrived: from the
// moment a frame was whole until it was written to the other side. Zero: none was.
func (h *Health) Added(share float64) time.Duration { return h.added.quantile(share) }

// Spread is how the delays of all frames are spread.
type Spread struct {
	Count uint64
	Sum   time.Duration
	// UpTo counts the frames that were delayed by a time or less.
	UpTo map[time.Duration]uint64
}

// Spread is how the delays of all frames are spread.
func (h *Health) Spread() Spread { return h.added.spread() }

// latencies counts durations in steps of a quarter.
type latencies struct {
	steps [latencySteps]atomic.Int64
	sum   atomic.Int64
}

const (
	latencySteps = 64
	latencyFirst = 10 * time.Microsecond
	latencyStep  = 1.25
)

func (l *latencies) note(d time.Duration) {
	step := 0
	if d > latencyFirst {
		step = min(int(math.Log(float64(d)/float64(latencyFirst))/math.Log(latencyStep))+1, latencySteps-1)
	}
	l.steps[step].Add(1)
	l.sum.Add(int64(d))
}

// spreadEvery leaves out most of the steps: three times as long each is enough for
// a graph.
const spreadEvery = 5

func (l *latencies) spread() Spread {
	out := Spread{Sum: time.Duration(l.sum.Load()), UpTo: make(map[time.Duration]uint64)}
	for i := range l.steps {
		out.Count += uint64(l.steps[i].Load())
		if i%spreadEvery == 0 {
			out.UpTo[upTo(i)] = out.Count
		}
	}
	return out
}

// upTo is the longest time that a step counts.
func upTo(step int) time.Duration {
	return time.Duration(float64(latencyFirst) * math.Pow(latencyStep, float64(step)))
}

func (l *latencies) quantile(share float64) time.Duration {
	var counts [latencySteps]int64
	total := int64(0)
	for i := range l.steps {
		counts[i] = l.steps[i].Load()
		total += counts[i]
	}
	if total == 0 {
		return 0
	}
	limit, seen := int64(math.Ceil(share*float64(total))), int64(0)
	for i, n := range counts {
		if seen += n; seen >= limit {
			return upTo(i)
		}
	}
	return 0
}

// healths are those of all upstream systems.
type healths struct {
	mu sync.Mutex
	of map[string]*Health
}

func (ep *Endpoint) healthOf(upstream string) *Health {
	ep.healths.mu.Lock()
	defer ep.healths.mu.Unlock()
	h := ep.healths.of[upstream]
	if h == nil {
		h = new(Health)
		ep.healths.of[upstream] = h
	}
	return h
}

// Health is how it goes with an upstream system.
func (ep *Endpoint) Health(upstream string) *Health { return ep.healthOf(upstream) }

// Passage is a relayed connection as it is now.
type Passage struct {
	Upstream string
	Since    time.Time
	Frames   int64         // passed on, both ways
	Added    time.Duration // to a frame, on average
}

// Passage is the relayed connection of a station, if it has one.
func (ep *Endpoint) Passage(station string) (Passage, bool) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	l := ep.links[station]
	if l == nil || l.relay == nil {
		return Passage{}, false
	}
	r := l.relay
	p := Passage{Upstream: r.to.ID, Since: r.since, Frames: r.frames.Load()}
	if p.Frames > 0 {
		p.Added = time.Duration(r.added.Load() / p.Frames)
	}
	return p, true
}

// Relayed says to which upstream system a connected station is relayed; empty: to
// none.
func (ep *Endpoint) Relayed(station string) string {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if l := ep.links[station]; l != nil && l.relay != nil {
		return l.relay.to.ID
	}
	return ""
}
