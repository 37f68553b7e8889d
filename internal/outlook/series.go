package outlook

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/forecast"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

const quarter = 15 * time.Minute

// Shares of the ports' time in an hour above which the hour says nothing of what
// drivers wanted.
const (
	unseenMost = 0.25
	unfitMost  = 0.5
)

type hourly struct {
	y, late  []float64
	ports    int  // lately
	measured bool // energy is known
}

// hours sums quarters up. An hour that was not observed well enough, or in which
// most ports could not serve, is NaN; a smaller part that was not observed is
// taken to have been like the rest.
func hours(points []rollup.Point, target Target, from, to time.Time) hourly {
	n := int(to.Sub(from) / time.Hour)
	out := hourly{y: make([]float64, n), late: make([]float64, n)}
	for i := range n {
		out.y[i], out.late[i] = math.NaN(), math.NaN()
	}
	next := 0
	for i := range n {
		begin := from.Add(time.Duration(i) * time.Hour)
		var sum rollup.Point
		var quarters int
		var time, late float64
		for ; next < len(points) && points[next].From.Before(begin.Add(hour)); next++ {
			p := &points[next]
			if p.From.Before(begin) {
				continue
			}
			quarters++
			own := p.Calendar()
			time += own
			sum.Occupied += p.Occupied
			sum.EnergyWh += p.EnergyWh
			sum.PeakW = max(sum.PeakW, p.PeakW)
			sum.Unobserved += p.Unobserved
			sum.Faulted += p.Faulted
			sum.Unavailable += p.Unavailable
			if p.Ports > 0 {
				out.ports = p.Ports
			}
			out.measured = out.measured || p.EnergyWh > 0
			if seen := own - p.Unobserved; p.From.Add(quarter).Equal(begin.Add(hour)) && seen > own/2 {
				late = own / seen
				switch target {
				case Occupied:
					late *= p.Occupied / quarter.Seconds()
				case Energy:
					late *= p.EnergyWh * 4
				case Power:
					late *= p.PeakW
				}
				out.late[i] = late
			}
		}
		if quarters < 4 || time == 0 || sum.Unobserved > unseenMost*time || sum.Unobserved+sum.Faulted+sum.Unavailable > unfitMost*time {
			out.late[i] = math.NaN()
			continue
		}
		whole := time / (time - sum.Unobserved)
		switch target {
		case Occupied:
			out.y[i] = whole * sum.Occupied / hour.Seconds()
		case Energy:
			out.y[i] = whole * sum.EnergyWh
		case Power:
			out.y[i] = sum.PeakW
		}
	}
	return out
}

const hour = time.Hour

type portKey struct {
	station string
	evse    int
}

// classes tells ports by the highest power that flowed through them: cars stay at
// them for quite different times.
func classes(sessions []rollup.Session) map[portKey]string {
	most := make(map[portKey]float64)
	for i := range sessions {
		k := portKey{sessions[i].Station, sessions[i].EVSE}
		most[k] = max(most[k], sessions[i].PeakW)
	}
	out := make(map[portKey]string, len(most))
	for k, w := range most {
		switch {
		case w <= 0:
			out[k] = "unknown"
		case w < 12_000:
			out[k] = "slow"
		case w < 35_000:
			out[k] = "middle"
		default:
			out[k] = "fast"
		}
	}
	return out
}

// staysOf makes of sessions what goes on of a target.
func staysOf(sessions []rollup.Session, target Target) []forecast.Stay {
	class := classes(sessions)
	out := make([]forecast.Stay, 0, len(sessions))
	for i := range sessions {
		x := &sessions[i]
		s := forecast.Stay{From: x.Start, To: x.End, Class: class[portKey{x.Station, x.EVSE}], Weight: 1}
		if target != Occupied {
			if !x.ChargingEnd.IsZero() {
				s.To = x.ChargingEnd
			}
			s.Weight = x.PeakW
			if took := s.To.Sub(s.From).Hours(); !s.To.IsZero() && took > 0 && x.EnergyWh > 0 {
				s.Weight = min(x.EnergyWh/took, max(x.PeakW, x.EnergyWh/took))
			}
			if !(s.Weight > 0) {
				continue
			}
		}
		out = append(out, s)
	}
	return out
}
