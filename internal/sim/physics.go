package sim

import (
	"math"
	"time"
)

const (
	mains    = 230.0
	minAmps  = 6.0 // below this IEC 61851 has no signal: the EVSE suspends
	minDCW   = 1000.0
	substep  = 10 * time.Second
	rampDC   = 9000.0 // W per second
	lossesIn = 0.93   // what reaches the battery
	tickDC   = 10 * time.Second
	tickAC   = 30 * time.Second
	tickWarm = 60 * time.Second

	pastTickDC = 150 * time.Second
	pastTickAC = 10 * time.Minute
	pastStep   = 150 * time.Second
	detailStep = 30 * time.Second

	ambientC  = 18.0
	heatPerKW = 0.11
	contactK  = 25.0 // how much warmer contacts get at rated current
)

// keepTicking makes sure power is recalculated while anything flows.
func (st *station) keepTicking() {
	if st.ticking != nil {
		return
	}
	tick := time.Duration(0)
	for _, e := range st.evses {
		if v := e.visit; v != nil && e.tx != nil && (v.phase == charging || v.phase == suspendedEVSE) {
			d := tickAC
			if e.dc() {
				d = tickDC
			}
			switch {
			case st.past != nil:
				d = e.pastTick()
			case st.warming:
				d = tickWarm
			}
			if tick == 0 || d < tick {
				tick = d
			}
		}
	}
	if tick == 0 {
		return
	}
	st.ticking = st.after(tick, func() {
		st.ticking = nil
		st.step()
		if st.past != nil {
			st.past.readAll()
		}
		st.react()
		st.keepTicking()
	})
}

// pastTick is the distance of readings in the past: what matters of it is the
// shape. The tick at which the car has what it came for comes when that is.
func (e *evse) pastTick() time.Duration {
	v := e.visit
	most := pastTickAC
	switch {
	case e.st.now.Sub(v.since) < time.Minute:
		most = 40 * time.Second // the rise
	case e.dc():
		most = pastTickDC
	}
	if e.powerW <= 0 {
		return most
	}
	left := (v.target - v.soc) * v.car.batteryKWh * 1000 / lossesIn / e.powerW
	return min(most, max(20*time.Second, time.Duration(left*float64(time.Hour))))
}

// step integrates power from the last step to now. It changes registers and
// batteries only; what follows from them happens in react.
func (st *station) step() {
	dt := st.now.Sub(st.lastStep)
	if dt <= 0 {
		return
	}
	active := false
	for _, e := range st.evses {
		if e.visit != nil && e.tx != nil && (e.visit.phase == charging || e.visit.phase == suspendedEVSE) {
			active = true
		}
	}
	if !active {
		st.lastStep = st.now
		return
	}
	for dt > 0 {
		d := min(dt, substep)
		switch {
		case st.past != nil && st.past.detail:
			d = min(dt, detailStep)
		case st.past != nil:
			d = min(dt, pastStep)
		case st.warming:
			d = min(dt, tickWarm)
		}
		dt -= d
		st.lastStep = st.lastStep.Add(d)
		st.share(st.lastStep, d)
		for _, e := range st.evses {
			e.flow(d)
		}
	}
}

// flow moves energy for one small step.
func (e *evse) flow(d time.Duration) {
	v := e.visit
	e.warm(d)
	if v == nil || e.powerW <= 0 {
		return
	}
	wh := e.powerW * d.Hours()
	over, _ := e.st.failing(MeterDrift, e)
	e.reg += wh * (1 + over)
	v.gotWh += wh
	v.soc = min(1, v.soc+wh*lossesIn/(v.car.batteryKWh*1000))
}

// warm moves temperatures for one small step: the body follows the power, the
// contacts the square of the current.
func (e *evse) warm(d time.Duration) {
	st := e.st
	air := st.warmth()
	if e.visit == nil || e.powerW <= 0 {
		e.tempC += (air - e.tempC) * 0.02
		e.plugC += (air - e.plugC) * min(1, d.Seconds()/600)
		return
	}
	goal := air + heatPerKW*e.powerW/1000
	if size, ok := st.failing(CoolingLost, e); ok {
		goal += size * e.powerW / e.model.RatedW
	}
	e.tempC += (goal - e.tempC) * min(1, d.Seconds()/300)
	more, _ := st.failing(ContactHeat, e)
	i := e.amps() / e.ratedAmps()
	goal = air + contactK*(1+more)*i*i
	e.plugC += (goal - e.plugC) * min(1, d.Seconds()/300)
	e.warmAt = st.lastStep
}

// cool reckons what a port cooled down since it last delivered: nobody steps
// through the time in which nothing flows.
func (e *evse) cool() {
	air := e.st.warmth()
	rest := 0.0
	if !e.warmAt.IsZero() {
		rest = math.Exp(-e.st.now.Sub(e.warmAt).Minutes() / 20)
	}
	e.plugC = air + (e.plugC-air)*rest
	if e.st.past != nil && e.st.past.detail {
		e.tempC = air + (e.tempC-air)*rest
	}
	e.warmAt = e.st.now
}

// amps is the current of the plug, of one phase at AC.
func (e *evse) amps() float64 {
	if e.visit == nil {
		return 0
	}
	if e.dc() {
		return e.powerW / e.visit.car.packVolts(e.visit.soc)
	}
	return e.powerW / mains / float64(e.phasesInUse())
}

func (e *evse) ratedAmps() float64 {
	if e.dc() {
		return min(500, e.model.RatedW/400)
	}
	return e.model.RatedW / mains / float64(max(1, e.model.Phases))
}

// share gives each port its power: what the car wants, cut by profiles, by the
// port and by the power the station shares.
func (st *station) share(at time.Time, d time.Duration) {
	budget := st.spec.Model.SharedW
	if budget == 0 {
		budget = math.Inf(1)
	}
	if w, ok := st.stationLimit(at); ok {
		budget = min(budget, w)
	}
	type claim struct {
		e    *evse
		want float64
	}
	var claims [8]claim
	n := 0
	for _, e := range st.evses {
		v := e.visit
		if v == nil || e.tx == nil || v.phase != charging && v.phase != suspendedEVSE {
			e.powerW, e.offeredW = 0, 0
			continue
		}
		offer := e.model.RatedW
		if w := st.spec.Worn; w != nil && w.EVSE == e.id && !at.Before(st.wornSince) {
			offer = min(offer, w.MaxW)
		}
		if w, ok := e.limit(at); ok {
			offer = min(offer, w)
		}
		if f := e.fault; f != nil && f.kind.code == "HighTemperature" {
			offer = min(offer, e.model.RatedW*0.45)
		}
		if len(st.wrong) > 0 {
			offer = e.allowed(offer)
		}
		e.offeredW = offer
		var want float64
		if e.dc() {
			want = v.car.wantsDC(v.soc)
		} else {
			want = v.car.wantsAC(v.soc, e.model.Phases, e.model.RatedW)
		}
		if len(st.wrong) > 0 {
			want = e.comes(want)
		}
		if n < len(claims) {
			claims[n] = claim{e, min(want, offer)}
			n++
		}
	}
	// Fill the thirstiest last: an even share, the rest of modest cars goes to
	// the others.
	left := n
	for left > 0 {
		even := budget / float64(left)
		settled := false
		for i := range n {
			c := &claims[i]
			if c.e != nil && c.want <= even {
				c.e.setPower(c.want, d)
				budget -= c.want
				c.e = nil
				left--
				settled = true
			}
		}
		if settled {
			continue
		}
		for i := range n {
			if c := &claims[i]; c.e != nil {
				c.e.offeredW = min(c.e.offeredW, even)
				c.e.setPower(even, d)
			}
		}
		return
	}
}

// setPower moves the port towards its power; DC converters ramp.
func (e *evse) setPower(w float64, d time.Duration) {
	if w < e.minimumW() {
		w = 0
	}
	if e.dc() && w > e.powerW {
		w = min(w, e.powerW+rampDC*d.Seconds())
	}
	e.powerW = w
}

// minimumW is the least the port can deliver.
func (e *evse) minimumW() float64 {
	if e.dc() {
		return minDCW
	}
	return minAmps * mains * float64(e.phasesInUse()) * 0.98
}

func (e *evse) phasesInUse() int {
	if e.model.Phases == 0 || e.visit == nil {
		return max(1, e.model.Phases)
	}
	return min(e.model.Phases, e.visit.car.phases)
}

// react lets cars and ports respond to what the step brought.
func (st *station) react() {
	for _, e := range st.evses {
		v := e.visit
		if v == nil || e.tx == nil {
			continue
		}
		switch v.phase {
		case charging, suspendedEVSE:
			if v.soc >= v.target-1e-9 {
				e.full()
				continue
			}
			starved := e.offeredW < e.minimumW()
			if starved && v.phase == charging {
				v.phase = suspendedEVSE
				e.refresh()
				st.d.chargingState(e, "SuspendedEVSE")
			} else if !starved && v.phase == suspendedEVSE {
				v.phase = charging
				e.refresh()
				st.d.chargingState(e, "Charging")
			}
		}
	}
}
