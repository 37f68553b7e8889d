package disk

import (
	"math"
	"time"
)

// Growth is something on the disk that grows until what it keeps is complete:
// it then takes PerDay × Keep, or Max if that is less.
type Growth struct {
	Bytes  float64
	PerDay float64
	Keep   time.Duration // zero: for ever
	Max    float64       // zero: no limit
}

// steady is how large it gets.
func (g Growth) steady() float64 {
	s := math.Inf(1)
	if g.Keep > 0 {
		s = g.PerDay * g.Keep.Hours() / 24
	}
	if g.Max > 0 {
		s = min(s, g.Max)
	}
	return max(s, g.Bytes)
}

// horizon is as far as a forecast says anything.
const horizon = 10 * 365

// Days says after how many days of growing as now the room is taken, and false
// if it lasts: what is kept becomes complete before, or ten years pass.
func Days(room float64, all []Growth) (float64, bool) {
	if room <= 0 {
		return 0, true
	}
	grown := func(days float64) float64 {
		sum := 0.0
		for _, g := range all {
			if g.PerDay > 0 {
				sum += min(g.PerDay*days, g.steady()-g.Bytes)
			}
		}
		return sum
	}
	if grown(horizon) < room {
		return 0, false
	}
	lo, hi := 0.0, float64(horizon)
	for range 60 {
		if mid := (lo + hi) / 2; grown(mid) < room {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, true
}

// Steady is how much all takes once what is kept is complete, infinite if some
// of it never is.
func Steady(all []Growth) float64 {
	sum := 0.0
	for _, g := range all {
		if g.PerDay > 0 {
			sum += g.steady()
		} else {
			sum += g.Bytes
		}
	}
	return sum
}

// Room is how much more may be written before connections are refused: the
// free space, with what the reserve gives back, above the last stage's limit.
func (g *Guard) Room() (free, total, room uint64, err error) {
	if free, total, err = g.o.Space.Free(); err != nil {
		return 0, 0, 0, err
	}
	room = free
	if info, err := g.root.Stat(ReserveName); err == nil {
		room += uint64(info.Size())
	}
	if least := limit(StopAccepting, total); room > least {
		return free, total, room - least, nil
	}
	return free, total, 0, nil
}
