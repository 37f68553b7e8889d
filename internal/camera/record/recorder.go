package record

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Mode says what is recorded.
type Mode string

// The modes.
const (
	Always Mode = "continuous"
	Events Mode = "event" // what Trigger asks for, and the time before
)

// Plan says how one stream is recorded.
type Plan struct {
	Source
	Site string
	Mode Mode
	// Why says in a code why no pictures come, if they do not. It must not wait.
	Why func() string
}

// Reasons of gaps that are ours. Others are those of event.CameraState.
const (
	ReasonConnection = "connection" // it broke off and came back
	ReasonStalled    = "stalled"    // nothing came though it was connected
	ReasonSlow       = "slow"       // we did not follow
	ReasonDisk       = "disk"       // it failed
	ReasonFull       = "diskFull"   // it had no room
	ReasonCodec      = "codec"      // the pictures cannot be recorded
	ReasonStopped    = "stopped"    // nobody recorded: the server was down or told not to
)

const (
	// leastGap is the shortest time without pictures that counts.
	leastGap = 500 * time.Millisecond
	// stall is how long no picture comes until what is open is written, idle until
	// the file is closed and the gap is in the index.
	stall = 2 * time.Second
	idle  = 10 * time.Second
	// longest is the length of a file in which no key picture comes.
	longest = 5 * time.Minute
	// Bounds of the part that is open.
	partUnits = 512
	partBytes = 8 << 20
	fileBytes = 512 << 20
	// follow is how many pictures the disk may be behind.
	follow = 256
)

var errCodec = errors.New("the pictures cannot be described")

// Status is how a recorder does.
type Status struct {
	Mode  Mode
	Units uint64 // that came
	Bytes uint64 // that were written
	// WroteAt is when something was last written.
	WroteAt time.Time
	// Dropped are the pictures lost because the disk was too slow.
	Dropped uint64
	// Active says that what comes is to be written now.
	Active bool
	// Problem is why nothing is written: a reason of a gap; empty if all is well.
	Problem string
}

// Recorder writes one stream.
type Recorder struct {
	s    *Store
	t    *track
	plan Plan

	units, bytes, dropped atomic.Uint64
	wrote, until          atomic.Int64 // nanoseconds
	triggered             chan struct{}
	split                 atomic.Bool

	// Of the goroutine of Run:
	w       *writing
	part    []segment.Sample
	size    int // of the part
	heard   []stream.Sound
	last    *stream.Unit
	lastAt  time.Time // when it came
	usual   time.Duration
	run     time.Time // when the pictures without a break began
	runDTS  time.Duration
	ring    ring
	filling bool // an event is being recorded
	reason  string
	retry   time.Time // after the disk failed
	backoff time.Duration

	mu      sync.Mutex
	open    *Segment // what readers may see of w
	problem string
}

// Recorder prepares to record a stream. Each stream has one recorder at a time.
func (s *Store) Recorder(ctx context.Context, p Plan) (*Recorder, error) {
	t, err := s.track(ctx, p.Source)
	if err != nil {
		return nil, err
	}
	if p.Why == nil {
		p.Why = func() string { return "" }
	}
	return &Recorder{
		s: s, t: t, plan: p, triggered: make(chan struct{}, 1),
		ring: ring{length: s.o.PreRoll, most: s.o.PreRollBytes},
	}, nil
}

// Trigger asks that everything up to a time is recorded, and the time before it
// that is still in memory. It matters where only events are recorded.
func (r *Recorder) Trigger(until time.Time) {
	for {
		was := r.until.Load()
		if until.UnixNano() <= was {
			return
		}
		if r.until.CompareAndSwap(was, until.UnixNano()) {
			break
		}
	}
	select {
	case r.triggered <- struct{}{}:
	default:
	}
}

// Split ends the file that a stream is being written into with the next key
// picture, so that what is in it has its place in the chain.
func (s *Store) Split(src Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.sources[src]; t != nil && t.recorder != nil {
		t.recorder.split.Store(true)
	}
}

// Status returns how it does.
func (r *Recorder) Status() Status {
	r.mu.Lock()
	problem := r.problem
	r.mu.Unlock()
	st := Status{
		Mode: r.plan.Mode, Units: r.units.Load(), Bytes: r.bytes.Load(), Dropped: r.dropped.Load(), Problem: problem,
		Active: r.plan.Mode == Always || r.until.Load() > r.s.o.Now().UnixNano(),
	}
	if ns := r.wrote.Load(); ns > 0 {
		st.WroteAt = time.Unix(0, ns)
	}
	return st
}

// Run records until ctx ends or the hub is closed.
func (r *Recorder) Run(ctx context.Context, hub *stream.Hub) error {
	r.s.mu.Lock()
	if r.t.recorder != nil {
		r.s.mu.Unlock()
		return fmt.Errorf("record %s/%s: %w", r.t.Camera, r.t.Stream, errBusy)
	}
	r.t.recorder = r
	r.s.mu.Unlock()
	r.reason = ReasonStopped
	reader := hub.Follow(stream.FollowOptions{Buffer: follow, FromKey: true})
	defer func() {
		reader.Close()
		r.cut()
		r.ring.clear()
		r.s.mu.Lock()
		r.t.recorder = nil
		r.s.mu.Unlock()
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case u, ok := <-reader.Units():
			if !ok {
				return nil
			}
			if u.Key {
				r.missed(reader)
			}
			r.unit(u)
		case <-r.triggered:
			r.startEvent()
		case <-tick.C:
			r.look(r.s.o.Now())
		}
	}
}

// missed looks whether pictures were lost because we did not follow. What comes
// after such a hole begins with a key picture.
func (r *Recorder) missed(reader *stream.Reader) {
	if d := reader.Dropped(); d != r.dropped.Load() {
		r.dropped.Store(d)
		r.cut()
		r.reason = ReasonSlow
	}
}

// unit takes the next picture.
func (r *Recorder) unit(u *stream.Unit) {
	r.units.Add(1)
	if l := r.last; l != nil {
		step := u.DTS - l.DTS
		switch {
		case u.Broken, u.Epoch != l.Epoch:
			r.because(ReasonConnection)
			r.cut()
		case u.Format != l.Format && !sameFormat(u.Format, l.Format):
			r.cut()
		case step <= 0:
			// A count that goes back is no reason to stop: the file begins again.
			r.cut()
		case step > max(stall+time.Second, 4*r.usual):
			r.because(ReasonStalled)
			r.cut()
		default:
			r.usual = (7*r.usual + step) / 8
		}
	}
	if r.w != nil && r.s.stopped.Load() {
		r.full()
	}
	r.last, r.lastAt = u, r.s.o.Now()
	if r.plan.Mode == Events {
		r.ring.add(u)
		if !r.filling {
			return
		}
		if u.At.UnixNano() > r.until.Load() {
			r.filling = false
			r.cut()
			return
		}
	}
	r.take(u)
}

// startEvent begins to record with what is in memory.
func (r *Recorder) startEvent() {
	if r.plan.Mode != Events || r.filling {
		return
	}
	r.filling = true
	// What is in the last file already does not come twice, but for its last group.
	r.s.mu.Lock()
	covered := r.t.covered
	r.s.mu.Unlock()
	r.ring.replay(covered, r.take)
}

// take writes a picture, or keeps it until its part is whole.
func (r *Recorder) take(u *stream.Unit) {
	if r.w != nil {
		r.heard = append(r.heard, u.Sound...) // it came before the picture
	}
	if n := len(r.part); n > 0 {
		// Only now it is known how long the one before was shown.
		prev := &r.part[n-1]
		prev.Duration = uint32(max(segment.Ticks(u.DTS-r.w.first)-segment.Ticks(prev.Unit.DTS-r.w.first), 1))
		long := u.DTS - r.part[0].Unit.DTS
		if long >= r.s.o.PartFor || u.Key && long >= r.s.o.PartFor/2 || n >= partUnits || r.size >= partBytes {
			if !r.flush() {
				return
			}
		}
	}
	if w := r.w; w != nil {
		long := u.DTS - w.first
		if u.Key && (long+r.s.o.PartFor/2 >= r.s.o.SegmentFor || r.split.Swap(false)) || long >= longest || w.Bytes >= fileBytes {
			r.close()
		}
	}
	if r.w == nil && !r.start(u) {
		return
	}
	r.part = append(r.part, segment.Sample{Unit: u})
	r.size += u.Size()
}

// full ends the file when the disk has no room for more.
func (r *Recorder) full() {
	r.because(ReasonFull)
	r.say(ReasonFull)
	r.cut()
}

// start begins a file with a picture, if it can.
func (r *Recorder) start(u *stream.Unit) bool {
	continued := !r.run.IsZero()
	if !u.Key && !continued {
		return false
	}
	switch {
	case r.s.stopped.Load():
		r.full()
		return false
	case r.s.o.Now().Before(r.retry):
		r.run = time.Time{}
		return false
	}
	class := Continuous
	if r.plan.Mode == Events {
		class = Event
	}
	at := u.At.UTC().Truncate(time.Microsecond)
	if !continued {
		r.run, r.runDTS = at, u.DTS
	}
	w, err := r.s.begin(r.t, u, r.run, segment.Ticks(u.DTS-r.runDTS), class)
	if err != nil {
		r.run = time.Time{}
		r.failed(err)
		return false
	}
	r.w = w
	r.endGap(at)
	return true
}

// flush writes the part that is open.
func (r *Recorder) flush() bool {
	if len(r.part) == 0 {
		return true
	}
	if last := &r.part[len(r.part)-1]; last.Duration == 0 {
		last.Duration = uint32(max(segment.Ticks(r.usual), 1))
	}
	before := r.w.Bytes
	buf, err := r.w.part(r.s.buffer(), r.part, r.heard)
	r.s.giveBack(buf)
	clear(r.part)
	clear(r.heard)
	r.part, r.size, r.heard = r.part[:0], 0, r.heard[:0]
	if err != nil {
		r.close()
		r.run = time.Time{}
		r.failed(err)
		return false
	}
	r.bytes.Add(uint64(r.w.Bytes - before))
	r.wrote.Store(r.s.o.Now().UnixNano())
	r.backoff = 0
	r.show()
	r.say("")
	return true
}

// show lets readers see what was written.
func (r *Recorder) show() {
	seg := r.w.Segment
	r.mu.Lock()
	r.open = &seg
	r.mu.Unlock()
}

// close ends the file; pictures may follow in the next without a break.
func (r *Recorder) close() {
	w := r.w
	if w == nil {
		return
	}
	r.w, r.heard = nil, r.heard[:0]
	r.s.finish(r.t, w)
	r.mu.Lock()
	r.open = nil
	r.mu.Unlock()
}

// cut ends the file: what comes does not follow.
func (r *Recorder) cut() {
	if r.w != nil && r.flush() {
		r.close()
	}
	r.run = time.Time{}
}

// failed waits longer and longer while the disk does not take what comes.
func (r *Recorder) failed(err error) {
	reason := ReasonDisk
	if errors.Is(err, errCodec) {
		reason = ReasonCodec
	}
	r.because(reason)
	r.say(reason)
	r.backoff = min(max(2*r.backoff, time.Second), 30*time.Second)
	r.retry = r.s.o.Now().Add(r.backoff)
	r.s.log.Warn("cannot record", "camera", r.t.Camera, "stream", r.t.Stream, "err", err)
}

// because notes why a gap begins, if none has.
func (r *Recorder) because(reason string) {
	if r.reason == "" {
		r.reason = reason
	}
}

func (r *Recorder) say(problem string) {
	r.mu.Lock()
	r.problem = problem
	r.mu.Unlock()
}

// look is called every second: what stays open too long is written.
func (r *Recorder) look(now time.Time) {
	if r.w != nil && r.s.stopped.Load() {
		r.full()
	}
	if r.w == nil && r.plan.Mode != Always || r.w != nil && now.Sub(r.lastAt) < stall {
		return
	}
	if r.w != nil {
		if !r.flush() {
			return
		}
		if now.Sub(r.lastAt) < idle {
			return
		}
		r.because(ReasonStalled)
		r.cut()
	}
	if r.plan.Mode == Always {
		r.openGap(now)
	}
}

// openGap notes a gap that lasts.
func (r *Recorder) openGap(now time.Time) {
	why := r.why() // asks others: not under our lock
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	t := r.t
	if t.gap != nil || t.covered.IsZero() || now.Sub(t.covered) < idle {
		return
	}
	t.gap = &Gap{Source: t.Source, From: t.covered, Reason: why, site: r.plan.Site}
	r.s.gaps = append(r.s.gaps, *t.gap)
	r.s.kick()
}

// endGap notes that there are pictures again.
func (r *Recorder) endGap(at time.Time) {
	why := r.why()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	t := r.t
	defer func() { r.reason = "" }()
	g := t.gap
	t.gap = nil
	switch {
	case g != nil:
		g.To, g.site = at, r.plan.Site
		if !g.To.After(g.From) { // the clock was set back
			g.To = g.From.Add(time.Microsecond)
		}
	case r.plan.Mode != Always || t.covered.IsZero() || at.Sub(t.covered) < leastGap:
		return
	default:
		g = &Gap{Source: t.Source, From: t.covered, To: at, Reason: why, site: r.plan.Site}
	}
	r.s.gaps = append(r.s.gaps, *g)
	t.covered = at
	r.s.kick()
}

// why is the reason of a gap: what we know ourselves, else what the camera's
// condition says.
func (r *Recorder) why() string {
	switch r.reason {
	case ReasonDisk, ReasonFull, ReasonCodec, ReasonSlow, ReasonStopped:
		return r.reason
	}
	if why := r.plan.Why(); why != "" {
		return why
	}
	if r.reason != "" {
		return r.reason
	}
	return ReasonStalled
}

func sameFormat(a, b *stream.Format) bool {
	if (a.Sound == nil) != (b.Sound == nil) || a.Sound != nil && (a.Sound.Codec != b.Sound.Codec || a.Sound.Channels != b.Sound.Channels || string(a.Sound.Config) != string(b.Sound.Config)) {
		return false
	}
	return a.Codec == b.Codec && string(a.SPS) == string(b.SPS) && string(a.PPS) == string(b.PPS) && string(a.VPS) == string(b.VPS)
}

// gapEvent is how a gap that is over is told.
func (g Gap) event() event.RecordingGap {
	return event.RecordingGap{SiteID: g.site, Stream: g.Stream, From: g.From, To: g.To, Reason: g.Reason}
}
