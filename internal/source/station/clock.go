package station

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// clock estimates how far a station's clock is off, from what one connection
// heard. Reports arrive late but never early, so the greatest difference
// "device minus receipt" is the offset plus the shortest delay.
type clock struct {
	offset time.Duration // greatest difference seen
	// reports were that far off since then; a replayed queue is not, its
	// reports grow fresher one by one
	reports int
	since   time.Time
}

const (
	clockRight    = 10 * time.Second // a clock this close needs no correction
	clockSettled  = 30 * time.Second // how long a slow clock must stay as slow to be believed
	clockReports  = 3
	plausibleYear = 2020
)

// reset forgets the offset; a station may set its clock at the answer to its
// boot.
func (c *clock) reset() { *c = clock{} }

// estimate returns when a report happened and how that is known.
func (c *clock) estimate(deviceAt, receivedAt time.Time) (time.Time, event.TimeQuality) {
	if deviceAt.IsZero() || deviceAt.Year() < plausibleYear {
		return receivedAt, event.TimeReceived
	}
	d := deviceAt.Sub(receivedAt)
	if d > 366*24*time.Hour {
		return receivedAt, event.TimeReceived
	}
	switch {
	case c.reports == 0, d.Abs() <= clockRight, d > c.offset+clockSettled:
		// The first, the clock was set, or a fresher report came.
		c.offset, c.since, c.reports = d, receivedAt, 1
	case d >= c.offset-clockSettled:
		c.offset = max(c.offset, d)
		c.reports++
	}
	switch {
	case d.Abs() <= clockRight:
		return earlier(deviceAt, receivedAt), event.TimeDevice
	case c.offset > clockRight:
		return earlier(deviceAt.Add(-c.offset), receivedAt), event.TimeCorrected
	case c.offset < -clockRight && c.reports >= clockReports && receivedAt.Sub(c.since) >= clockSettled:
		// Nothing fresher came for a while: the clock is slow, not the report late.
		return earlier(deviceAt.Add(-c.offset), receivedAt), event.TimeCorrected
	default:
		return earlier(deviceAt, receivedAt), event.TimeDevice
	}
}

func earlier(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}
