package health

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

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
