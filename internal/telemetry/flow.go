package telemetry

import (
	"context"
	"fmt"
	"time"
)

// Flow is what one port drew in equal steps: what its measurements add up to
// and for how long they hold. Whoever sums ports knows more than we do of the
// time without a measurement: an idle port says nothing, and so does a lost one.
type Flow struct {
	WattMillis []float64 // power times the milliseconds it held, per step
	Millis     []int64   // of the step, with a value
}

// Flow returns the power of a port in n steps from a time on, which must be a
// whole number of steps after the Unix epoch. A value holds as in Power.
func (s *Store) Flow(ctx context.Context, p Port, from time.Time, step time.Duration, n int) (Flow, error) {
	width := step.Milliseconds()
	if width < 1000 || n < 0 || n > maxPoints || from.UnixMilli()%width != 0 {
		return Flow{}, fmt.Errorf("%d steps of %s from %s", n, step, from)
	}
	if err := s.checkHorizon(from); err != nil {
		return Flow{}, err
	}
	g := grid{first: from.UnixMilli(), width: width, sum: make([]float64, n), time: make([]int64, n)}
	if n > 0 && s.knows(p) {
		to := time.UnixMilli(g.first + int64(n)*width)
		if err := s.portPower(ctx, p, from, to, &g); err != nil {
			return Flow{}, err
		}
	}
	return Flow{WattMillis: g.sum, Millis: g.time}, nil
}

func (s *Store) knows(p Port) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.ports[p]
	return ok
}

// lateAfter is when an hour counts as settled: what comes for it later is
// noted, for those who keep what they computed of it.
const lateAfter = 2

// Late tells how often samples came for an hour after it had settled. What was
// computed from the hour holds as long as this stays the same.
func (s *Store) Late(hour time.Time) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.late[floorDiv(hour.Unix(), 3600)]
}

// noteLate is called with mu held.
func (s *Store) noteLate(hour int64, now time.Time) {
	running := floorDiv(now.Unix(), 3600)
	if hour > running-lateAfter {
		return
	}
	if s.late == nil {
		s.late = make(map[int64]uint64)
	}
	// A value of one hour may hold into the next.
	s.late[hour]++
	s.late[hour+1]++
}
