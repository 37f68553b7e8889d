package web

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// SlowShape says that a port delivers much less than it and its station could.
// Whether the car wants more is not ours to know, so it is a hint to look.
type SlowShape struct {
	PowerW float64    `json:"powerW"`
	CouldW float64    `json:"couldW" doc:"the lesser of what is offered and what the port is rated for"`
	Since  *time.Time `json:"since" doc:"when it began to charge"`
}

const (
	slowAfter = 5 * time.Minute
	// Below this share of what it could a DC port is slow, unless the power is
	// one that many cars do not exceed.
	slowShare = 0.4
	slowDC    = 30_000
	// From here on a car takes less of its own accord.
	slowUntilSoC = 80
	// No car on AC can take less while it charges: 6 A on one phase, with some
	// room. Above it the car's own charger may be all there is.
	slowAC = 1300
	// Below this nothing flows: the car is full, or waits.
	flowsW = 100
)

// slow reports a port that has charged for a while far below what it could.
func slow(st *fleet.Station, v *fleet.EVSE, now time.Time) *SlowShape {
	w := st.Power(v)
	if w == nil || *w < flowsW || v.Status != fleet.Charging || v.StatusAt.IsZero() || now.Sub(v.StatusAt) < slowAfter {
		return nil
	}
	if v.Session != nil && now.Sub(v.Session.StartedAt) < slowAfter {
		return nil
	}
	could := 0.0
	if v.Layout != nil {
		could = v.Layout.RatedW
	}
	if o := v.Live.OfferedW; o != nil && *o > 0 && (could == 0 || *o < could) {
		could = *o
	}
	if could <= 0 {
		return nil
	}
	switch v.PowerClass() {
	case fleet.ClassDC, fleet.ClassHPC:
		if v.Live.SoC != nil && *v.Live.SoC >= slowUntilSoC || *w >= min(slowShare*could, slowDC) {
			return nil
		}
	case fleet.ClassAC:
		if *w >= slowAC || could < 2*slowAC {
			return nil
		}
	default:
		return nil
	}
	return &SlowShape{PowerW: *w, CouldW: could, Since: instant(v.StatusAt)}
}
