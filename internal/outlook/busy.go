package outlook

import (
	"context"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// leastSeen is how often an hour of the week must have been seen to be shown.
const leastSeen = 2

// BusyTimes is how much of a site's ports is in use at the hours of a week, by
// its clock: Monday first, shares from 0 to 1, NaN where nobody knows; false if
// nothing is known at all.
func (s *Service) BusyTimes(ctx context.Context, site string) ([7][24]float64, bool, error) {
	l, err := s.learn(ctx, site)
	if err != nil {
		return [7][24]float64{}, false, err
	}
	for _, day := range l.busy {
		for _, v := range day {
			if !math.IsNaN(v) {
				return l.busy, true, nil
			}
		}
	}
	return l.busy, false, nil
}

// usual averages the hours of the last weeks; a port that could not be used
// counts as one that was not there.
func usual(points []rollup.Point, zone *time.Location) (out [7][24]float64) {
	var busy, could [7][24]float64
	var seen [7][24]int
	for i := range points {
		p := &points[i]
		t := p.From.In(zone)
		d, h := (int(t.Weekday())+6)%7, t.Hour()
		operative := p.Operative()
		if operative < float64(p.Ports)*hour.Seconds()/4 {
			continue
		}
		busy[d][h] += min(p.Occupied, operative)
		could[d][h] += operative
		seen[d][h]++
	}
	for d := range out {
		for h := range out[d] {
			out[d][h] = math.NaN()
			if seen[d][h] >= leastSeen && could[d][h] > 0 {
				out[d][h] = busy[d][h] / could[d][h]
			}
		}
	}
	return out
}
