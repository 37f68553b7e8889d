package health

import (
	"fmt"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// span writes a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return count(d.Seconds(), "second")
	case d < 2*time.Hour:
		return count(d.Minutes(), "minute")
	case d < 48*time.Hour:
		return count(d.Hours(), "hour")
	}
	return count(d.Hours()/24, "day")
}

// count writes a whole number with its unit.
func count(v float64, unit string) string {
	n := math.Round(v)
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%.0f %ss", n, unit)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// elsewhereFree reports whether another station of the site has a free port of
// a class.
func elsewhereFree(c *detect.Context, class fleet.PowerClass) bool {
	for other := range c.Network().Site(c.Station.SiteID) {
		if other == c.Station {
			continue
		}
		for i := range other.Ports {
			if p := &other.Ports[i]; p.Class() == class && other.Free(p) {
				return true
			}
		}
	}
	return false
}
