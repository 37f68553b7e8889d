package sim

import "time"

// startLife sets the clocks of everything that will happen to the station by
// itself.
func (st *station) startLife() {
	s := &st.f.o.Scenario
	for _, e := range st.evses {
		e.expect()
		st.expectFault(e)
	}
	st.expectDrop()
	st.expectReboot()
	st.expectFailures()
	st.align()
	if s.Flapping > 0 && st.trouble.Float64() < s.Flapping || st.spec.Flaps {
		if st.past != nil { // it began some days ago
			st.timers.set(st.past.until.Add(-flapsFor), st.flap)
		} else {
			st.flap()
		}
	}
	if s.Together > 0 {
		st.together()
	}
}

// perDay draws the wait until the next of so many a day.
func (st *station) perDay(n float64, fn func()) {
	if n <= 0 {
		return
	}
	st.after(exponential(st.trouble, time.Duration(24*float64(time.Hour)/n)), fn)
}

func (st *station) expectFault(e *evse) {
	st.perDay(st.f.o.Scenario.FaultsPerDay, func() {
		k := e.drawFault()
		if !st.down {
			e.raise(k, between(st.trouble, k.min, k.max))
		}
		st.expectFault(e)
	})
}

func (st *station) expectDrop() {
	s := &st.f.o.Scenario
	st.perDay(s.DropsPerDay, func() {
		// Most drops are short; a square keeps the long ones rare.
		u := st.trouble.Float64()
		st.lose(s.DropMin+time.Duration(u*u*float64(s.DropMax-s.DropMin)), st.trouble.IntN(2) == 0)
		st.expectDrop()
	})
}

func (st *station) expectReboot() {
	st.perDay(st.f.o.Scenario.RebootsPerDay, func() {
		reason, word := reasonPowerLoss, "PowerUp"
		if st.trouble.IntN(3) == 0 {
			reason, word = reasonReboot, "Watchdog"
		}
		st.reboot(reason, word, between(st.trouble, 25*time.Second, 3*time.Minute))
		st.expectReboot()
	})
}

// flapsFor is for how long a bad modem has been bad.
const flapsFor = 12 * 24 * time.Hour

// flap is a modem at the edge of its cell.
func (st *station) flap() {
	mean := 4 * time.Minute
	if st.past != nil {
		mean = 12 * time.Minute
	}
	st.after(exponential(st.trouble, mean), func() {
		st.lose(between(st.trouble, time.Second, 20*time.Second), false)
		st.flap()
	})
}

// together drops every link of the fleet at the same moment.
func (st *station) together() {
	s := &st.f.o.Scenario
	next := st.now.Truncate(s.Together).Add(s.Together)
	st.timers.set(next, func() {
		st.lose(s.TogetherFor, false)
		st.together()
	})
}
