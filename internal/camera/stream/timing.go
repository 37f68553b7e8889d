package stream

import "time"

// ticks is the clock of pictures on the wire: 90 kHz.
type ticks = int64

const (
	second ticks = 90_000
	// firstTick leaves room for pictures that are decoded before the first is shown.
	firstTick = second
	// maxAhead is how far the camera's clock may run ahead of ours between two
	// pictures, and maxBack how far back reordered pictures reach: beyond it is a jump.
	maxAhead = 3 * second
	maxBack  = 2 * second
)

// duration converts so that converting back by division gives the same tick.
func duration(t ticks) time.Duration {
	if t < 0 {
		return -duration(-t)
	}
	return time.Duration((t*100_000 + 8) / 9)
}

func inTicks(d time.Duration) ticks { return ticks(d) * 9 / 100_000 }

// extractor finds out when pictures are to be decoded from when they are shown.
type extractor interface {
	Extract(au [][]byte, pts int64) (int64, error)
}

// timeline turns the camera's time stamps into times that only grow.
type timeline struct {
	fresh func() extractor

	started  bool
	stamp    uint32 // of the picture before
	received time.Time
	pts, dts ticks // of the picture before
	interval ticks // between pictures, smoothed
	extract  extractor
}

// place says when a picture is shown and decoded. jumped is set when it does not
// follow what came before.
func (l *timeline) place(au [][]byte, stamp uint32, received time.Time) (pts, dts ticks, jumped bool) {
	if !l.started {
		l.started, l.stamp, l.received, l.interval = true, stamp, received, second/15
		l.extract = l.fresh()
		l.pts = firstTick
		l.dts = l.pts
		if dts, err := l.extract.Extract(au, l.pts); err == nil && dts <= l.pts {
			l.dts = dts
		}
		return l.pts, l.dts, false
	}
	step := ticks(int32(stamp - l.stamp)) // also over the end of 32 bits
	passed := max(inTicks(received.Sub(l.received)), 0)
	l.stamp, l.received = stamp, received
	if step > passed+maxAhead || step < -maxBack {
		l.extract = l.fresh()
		l.pts = max(l.pts, l.dts) + min(max(passed, 1), 10*second)
		before := l.dts
		l.dts = l.pts
		if dts, err := l.extract.Extract(au, l.pts); err == nil && dts > before && dts <= l.pts {
			l.dts = dts
		}
		return l.pts, l.dts, true
	}
	before := l.dts
	l.pts += step
	dts, err := l.extract.Extract(au, l.pts)
	switch {
	case err != nil && step <= 0:
		// Back in time without a reason in the pictures: it goes on where it was.
		l.pts = before + l.interval
		dts = l.pts
	case err != nil:
		dts = l.pts
	}
	l.dts = max(dts, before+1)
	shown := max(l.pts, l.dts)
	if err != nil {
		l.pts = shown
	}
	if d := l.dts - before; d < second {
		l.interval += (d - l.interval) / 8
	}
	return shown, l.dts, false
}

// Limits of the wall clock's estimate.
const (
	clockLate     = 2 * time.Second  // later than that is a jam, or our own clock was set
	clockPatience = 10 * time.Second // and it is the latter if it lasts
	clockDrift    = 1000             // a camera's clock may lose a thousandth
)

// wall says by our clock when a picture was taken: the picture that was least
// delayed on its way sets the scale for the others.
type wall struct {
	set    bool
	zero   time.Time // when PTS 0 was
	moved  time.Time // when zero last moved
	behind time.Time // since when all pictures come late
}

func (w *wall) at(pts time.Duration, received time.Time) time.Time {
	zero := received.Add(-pts)
	late := zero.Sub(w.zero)
	switch {
	case !w.set || late <= 0:
		w.set, w.zero, w.moved, w.behind = true, zero, received, time.Time{}
	case late < clockLate:
		w.behind = time.Time{}
		if d := received.Sub(w.moved); d > 0 {
			w.zero = w.zero.Add(min(late, d/clockDrift))
			w.moved = received
		}
	case w.behind.IsZero():
		w.behind = received
	case received.Sub(w.behind) > clockPatience:
		w.zero, w.moved, w.behind = zero, received, time.Time{}
	}
	return w.zero.Add(pts)
}
