package camera

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// When a camera is said to be in another condition.
const (
	stalledAfter = 3 * time.Second
	// offlineAfter leaves two seconds for what follows: an incident within 15 s.
	offlineAfter = 13 * time.Second
	steadyFor    = 2 * time.Second // of pictures, before a lost camera is back
	unwrittenFor = 10 * time.Second
	unwritten    = 20 // pictures in that time, at least: one a second is not many
)

// sight is what is known of a camera at a moment.
type sight struct {
	frameAt time.Time // of the newest picture; zero: none yet
	units   uint64
	// reason and detail of the last failure, if it is not connected.
	reason, detail string
	tampered       string // how; empty: it shows its site
	tamperedAt     time.Time
	bytes          uint64 // written
	wanted         bool   // to be written
	writes         string // why it does not
}

// condition finds a camera's condition from what is seen, with hysteresis. The
// zero value needs began.
type condition struct {
	began time.Time // of following it
	state event.CameraCondition
	since time.Time
	why   string
	words string

	steady    time.Time // since when pictures come without a pause
	lastFrame time.Time
	bytes     uint64
	wrote     time.Time // when bytes last grew, or writing was not wanted
	wroteAt   uint64    // units then
}

// look judges and reports whether the condition is another than before.
func (c *condition) look(s sight, now time.Time) bool {
	if c.state == "" {
		c.state, c.since, c.wrote, c.wroteAt = event.CameraConnecting, c.began, now, s.units
	}
	if s.frameAt.IsZero() {
		s.frameAt = c.lastFrame // a new connection has shown nothing yet
	}
	last := s.frameAt
	if last.IsZero() {
		last = c.began
	}
	quiet := now.Sub(last)
	switch {
	case s.frameAt.IsZero() || quiet >= stalledAfter:
		c.steady = time.Time{}
	case c.steady.IsZero() || s.frameAt.Sub(c.lastFrame) >= stalledAfter:
		c.steady = s.frameAt
	}
	c.lastFrame = s.frameAt
	if s.bytes != c.bytes || !s.wanted || c.steady.IsZero() {
		c.bytes, c.wrote, c.wroteAt = s.bytes, now, s.units
	}
	flows := !c.steady.IsZero()
	lost := c.state == event.CameraOffline || c.state == event.CameraStalled
	switch {
	case flows && lost && s.frameAt.Sub(c.steady) < steadyFor:
		return false
	case flows && s.tampered != "":
		since := now
		if s.tamperedAt.After(c.since) && s.tamperedAt.Before(now) {
			since = s.tamperedAt
		}
		return c.become(event.CameraTampered, since, s.tampered, "")
	case flows && now.Sub(c.wrote) >= unwrittenFor && s.units-c.wroteAt >= unwritten:
		return c.become(event.CameraNotRecording, c.wrote, orElse(s.writes, "noBytes"), "")
	case flows:
		return c.become(event.CameraLive, c.steady, "", "")
	case quiet >= offlineAfter:
		return c.become(event.CameraOffline, last, orElse(s.reason, "noFrames"), s.detail)
	case quiet >= stalledAfter && c.state != event.CameraConnecting && c.state != event.CameraOffline:
		return c.become(event.CameraStalled, last, orElse(s.reason, "noFrames"), s.detail)
	}
	if c.state == event.CameraConnecting {
		c.why, c.words = s.reason, s.detail
	}
	return false
}

func (c *condition) become(to event.CameraCondition, since time.Time, why, words string) bool {
	if c.state == to {
		c.why, c.words = why, words
		return false
	}
	c.state, c.since, c.why, c.words = to, since, why, words
	return true
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
