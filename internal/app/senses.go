package app

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/web"
)

// senses is who watches a camera, and how well.
func (c *cameras) senses(id string) web.CameraSenses {
	return web.CameraSenses{Motion: c.motionSense(id), Device: c.s.devices.sense(id), Labels: c.s.labels.sense(id)}
}

func (c *cameras) motionSense(id string) web.MotionSense {
	if c.pool.Missing() != nil {
		return web.MotionSense{State: "noDecoder"}
	}
	m, ok := c.eyes.Camera(id)
	if !ok || m.LookedAt.IsZero() {
		return web.MotionSense{State: "noPictures"}
	}
	out := web.MotionSense{
		State: "watching", KeyEverySeconds: tenths(m.Interval.Seconds()), SubStream: m.Close, Tampered: m.Tampered, LookedAt: instant(m.LookedAt),
	}
	if m.Slow && !m.Close {
		out.State = "slow"
	}
	return out
}

func (d *devices) sense(id string) web.DeviceSense {
	x, ok := d.watch.Status(id)
	if !ok {
		return web.DeviceSense{State: "none"}
	}
	return web.DeviceSense{
		State: x.State, StateSince: instant(x.Since), ClockOffsetSeconds: tenths(x.ClockOffset.Seconds()), HeardAt: instant(x.HeardAt),
		EventAt: instant(x.EventAt), Event: string(x.Event), Detail: x.Detail,
	}
}

func (l *labels) sense(id string) web.LabelSense {
	n := l.Count(id)
	out := web.LabelSense{LastAt: instant(n.Last), Source: string(n.Source), Taken: n.Taken, Dropped: n.Dropped}
	if l.verifier == nil {
		return out
	}
	v := l.verifier.Status()
	out.Verifier = &web.VerifierSense{
		State: v.State, Engine: v.Engine, Reason: v.Reason, AnsweredAt: instant(v.AnsweredAt), TookMillis: v.Took.Milliseconds(),
		Waiting: v.Waiting, Asked: v.Asked, Dropped: v.Dropped,
	}
	if l.s.cameras.pool.Missing() != nil {
		out.Verifier.State = "noDecoder"
	}
	return out
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}
