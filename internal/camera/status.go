package camera

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Status is how a camera does.
type Status struct {
	Config Config
	ID     string
	State  event.CameraCondition
	Since  time.Time
	// Reason is a code, Detail says more in words.
	Reason, Detail string
	Main, Sub      StreamStatus
}

// StreamStatus is how a stream does. Rates are of the last seconds.
type StreamStatus struct {
	// Offered is set if the camera has it, Pulled while it is followed.
	Offered, Pulled, Connected bool
	// Format of the newest picture, nil before the first.
	Format         *stream.Format
	FrameAt        time.Time
	UnitsPerSecond float64
	BitsPerSecond  float64
	KeyEvery       time.Duration
	Units          uint64
	Holes, Damaged uint64
	Viewers        int
	// Sound is what is heard, see stream.Health.
	Sound string
	// Reason and Fingerprint of the last failure while it is not connected.
	Reason, Detail, Fingerprint string
}

func (c *one) status(id string) Status {
	c.mu.Lock()
	s := Status{
		ID: id, Config: c.config, State: c.cond.state, Since: c.cond.since,
		Reason: c.cond.why, Detail: c.cond.words,
	}
	if s.State == "" {
		s.State, s.Since = event.CameraConnecting, c.cond.began
	}
	c.mu.Unlock()
	s.Main, s.Sub = c.stream(Main, s.Config), c.stream(Sub, s.Config)
	return s
}

func (c *one) stream(name string, config Config) StreamStatus {
	p := c.pulls[name]
	h := p.src.Health()
	s := StreamStatus{
		Offered: config.target(name).URL != "", Pulled: p.pulled(), Connected: h.Connected,
		FrameAt: h.FrameAt, KeyEvery: h.KeyEvery, Units: h.Units, Holes: h.Holes, Damaged: h.Damaged,
		Viewers: p.hub.Readers(), Sound: h.Sound,
	}
	if u := p.hub.Last(); u != nil {
		s.Format = u.Format
	}
	if f := p.why(); f != nil {
		s.Reason, s.Detail, s.Fingerprint = string(f.Reason), f.Detail, f.Fingerprint
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.UnitsPerSecond, s.BitsPerSecond = c.rates[name].units, c.rates[name].bits
	return s
}

// rateOver is how long a rate is measured.
const rateOver = 5 * time.Second

// rate measures what flows.
type rate struct {
	at          time.Time
	was         stream.Health
	units, bits float64
}

func (r *rate) look(h stream.Health, now time.Time) {
	d := now.Sub(r.at)
	switch {
	case r.at.IsZero():
	case d < rateOver:
		return
	default:
		r.units = float64(h.Units-r.was.Units) / d.Seconds()
		r.bits = float64(h.Bytes-r.was.Bytes) * 8 / d.Seconds()
	}
	r.at, r.was = now, h
}
