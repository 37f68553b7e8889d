package motion

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
)

// clocked tells when the camera's clock jumps.
func (y *eyes) clocked(u *stream.Unit) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if by, jumped := y.clock.tick(u); jumped {
		s := &scene{score: 1, id: y.config.ID + "/clockJump/" + u.At.UTC().Format("20060102T150405.000Z")}
		y.watch.o.Logger.Info("a camera's clock jumped", "camera", y.config.ID, "by", by)
		y.say(sceneKey{what: event.SceneClockJump}, s, event.SceneSeen, u.At)
	}
}

// clock follows how far the camera's clock is from ours.
type clock struct {
	off   time.Duration
	known bool
	again int // pictures in a row that say otherwise
}

// jumpFrom is how far a clock has to jump; the network's delay is none of it.
const jumpFrom = 4 * time.Second

func (c *clock) tick(u *stream.Unit) (by time.Duration, jumped bool) {
	if u.CameraAt.IsZero() {
		return 0, false
	}
	off := u.CameraAt.Sub(u.ReceivedAt)
	by = off - c.off
	switch {
	case !c.known:
		c.off, c.known = off, true
	case by.Abs() < jumpFrom:
		c.off += by / 16
		c.again = 0
	default:
		if c.again++; c.again == 2 {
			c.off, c.again = off, 0
			return by, true
		}
	}
	return 0, false
}
