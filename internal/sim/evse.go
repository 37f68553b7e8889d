package sim

import (
	"math/rand/v2"
	"time"
)

// Status is a connector status in the words of OCPP 1.6, the finer of the two
// vocabularies.
type Status string

// The connector states.
const (
	Available     Status = "Available"
	Preparing     Status = "Preparing"
	Charging      Status = "Charging"
	SuspendedEV   Status = "SuspendedEV"
	SuspendedEVSE Status = "SuspendedEVSE"
	Finishing     Status = "Finishing"
	Reserved      Status = "Reserved"
	Unavailable   Status = "Unavailable"
	Faulted       Status = "Faulted"
)

// evse is one port: at most one car, on one of its plugs.
type evse struct {
	st        *station
	id        int
	model     EVSEModel
	conns     []*connector
	reg       float64 // energy register, Wh; never goes back
	operative bool
	fault     *fault
	lastFault *fault
	hidden    *hidden
	healing   *timer
	visit     *visit
	tx        *tx
	remote    *remoteStart
	booking   *booking
	arrival   *timer
	demand    *demand

	powerW, offeredW float64
	tempC            float64   // inside the body
	plugC            float64   // at the contacts
	warmAt           time.Time // when the two were last reckoned
}

// connector is one plug of an EVSE.
type connector struct {
	e       *evse
	id      int // within the EVSE
	flat    int // 1.6 counts plugs through the whole station
	plug    Plug
	status  Status
	changed time.Time
	told    Status
}

// visit is one car at one plug, from plugging in to driving away.
type visit struct {
	conn    *connector
	car     *carModel
	token   Token
	soc     float64
	target  float64
	gotWh   float64
	leaveAt time.Time
	since   time.Time // power path closed
	phase   phase
	doomed  bool    // this attempt will never charge
	frozen  float64 // the state of charge that is told, if it stands still
	script  []*timer
	remote  *remoteStart
}

type phase uint8

const (
	plugged phase = iota
	starting
	charging
	suspendedEV
	suspendedEVSE
	finished
)

// remoteStart is an accepted remote start that waits for its car.
type remoteStart struct {
	token   Token
	id      int // 2.x remoteStartId
	limit   *timer
	profile *profile
}

// booking is an accepted reservation.
type booking struct {
	id     int
	token  string
	expiry *timer
}

// statusOf derives what a connector shows from what happens at its port.
func (e *evse) statusOf(c *connector) Status {
	v := e.visit
	here := v != nil && v.conn == c
	switch {
	case e.fault != nil && !e.fault.kind.warning:
		return Faulted
	case here && e.tx != nil || here && v.phase == finished:
		switch v.phase {
		case charging:
			return Charging
		case suspendedEV:
			return SuspendedEV
		case suspendedEVSE:
			return SuspendedEVSE
		case finished:
			return Finishing
		}
		return Preparing
	case !e.operative || !e.st.operative:
		return Unavailable
	case here:
		return Preparing
	case v != nil:
		return Unavailable // the other plug of a port in use cannot be used
	case e.booking != nil:
		return Reserved
	case e.stuck() == Reserved, e.stuck() == Unavailable, e.stuck() != "" && c == e.conns[0]:
		return e.stuck()
	}
	return Available
}

// refresh reports what changed.
func (e *evse) refresh() {
	for _, c := range e.conns {
		s := e.statusOf(c)
		if s == c.status {
			continue
		}
		c.status, c.changed = s, e.st.now
		if !e.st.warming || e.st.past != nil {
			e.st.d.status(c, false)
		}
	}
	e.st.keepTicking()
}

// primary is the connector that speaks for the EVSE.
func (e *evse) primary() *connector {
	if e.visit != nil {
		return e.visit.conn
	}
	return e.conns[0]
}

func (e *evse) dc() bool { return e.model.Phases == 0 }

// free tells whether a driver would plug in here.
func (e *evse) free() bool {
	return e.visit == nil && e.operative && e.st.operative && !e.st.down && (e.fault == nil || e.fault.kind.warning)
}

// expect waits for the next driver.
func (e *evse) expect() {
	st := e.st
	st.timers.stop(e.arrival)
	e.arrival = nil
	if st.f.o.Scenario.Traffic <= 0 {
		return
	}
	from := st.now.Add(between(st.life, 20*time.Second, 4*time.Minute))
	at := e.demand.next(st.life, from, st.f.o.Scenario.Traffic)
	e.arrival = st.timers.set(at, func() { e.arrival = nil; e.arrive() })
}

// arrive lets a driver try the port.
func (e *evse) arrive() {
	st := e.st
	car := pickCar(st.life, e.dc())
	token := st.f.token(st.life)
	if st.f.o.Detail {
		token = st.driver()
		car = carOf(token, e.dc(), car)
	}
	if n := len(st.f.o.Plan.Strangers); n > 0 && st.life.IntN(150) == 0 {
		token = st.f.o.Plan.Strangers[st.life.IntN(n)]
	}
	if !e.free() || e.booking != nil && e.booking.token != token.ID {
		e.expect() // drives on
		return
	}
	if _, dead := st.failing(Deserted, e); dead {
		e.harm(Deserted, token)
		e.expect()
		return
	}
	if e.stuck() != "" {
		e.harm(Stuck, token)
		e.expect()
		return
	}
	v := e.newVisit(car, token, st.life)
	v.doomed = st.trouble.Float64() < st.f.o.Scenario.FailedStart
	e.plugIn(v)
	if st.life.IntN(100) < 25 { // card first, cable second, looks the same from here on but is faster
		v.do(e, between(st.life, time.Second, 3*time.Second), func() { e.swipe(token) })
	} else {
		v.do(e, between(st.life, 4*time.Second, 35*time.Second), func() { e.swipe(token) })
	}
}

// newVisit fills in how full the car is and how long it stays.
func (e *evse) newVisit(car *carModel, token Token, r *rand.Rand) *visit {
	st := e.st
	v := &visit{conn: e.conns[0], car: car, token: token}
	if len(e.conns) > 1 && r.IntN(10) == 0 {
		v.conn = e.conns[1+r.IntN(len(e.conns)-1)]
	}
	h := habits[st.site.Use]
	if h.stayMax == 0 {
		h = habits[City]
	}
	if e.dc() {
		v.soc = within(r, 0.06, 0.48)
		v.target = min(1, max(v.soc+0.15, 0.70+0.12*r.NormFloat64()))
		v.leaveAt = st.now.Add(6 * time.Hour) // set when charging ends
	} else {
		v.soc = within(r, 0.12, 0.80)
		v.target = pick(r, []float64{0.8, 0.8, 0.9, 1, 1, 1})
		v.target = max(v.target, v.soc+0.05)
		v.leaveAt = st.now.Add(h.stay(r))
	}
	e.choose(v)
	return v
}

// do runs a step of the visit unless the car is gone by then.
func (v *visit) do(e *evse, in time.Duration, fn func()) {
	v.script = append(v.script, e.st.after(in, func() {
		if e.visit == v {
			fn()
		}
	}))
}

// plugIn connects the car.
func (e *evse) plugIn(v *visit) {
	e.visit = v
	e.st.timers.stop(e.arrival)
	e.arrival = nil
	e.refresh()
	e.st.d.pluggedIn(e)
	if r := e.remote; r != nil {
		e.remote = nil
		e.st.timers.stop(r.limit)
		v.remote = r
		v.token = r.token
		v.do(e, 2*time.Second, func() { e.grant(r.token) })
	}
	// Nobody waits for ever at a port that does not start.
	v.do(e, between(e.st.life, 5*time.Minute, 12*time.Minute), func() {
		if v.phase < charging {
			e.unplug()
		}
	})
}

// swipe asks for permission to charge.
func (e *evse) swipe(token Token) {
	st := e.st
	v := e.visit
	if v.phase != plugged || v.remote != nil {
		return
	}
	if _, dead := st.failing(ReaderDead, e); dead {
		e.harm(ReaderDead, token)
		v.do(e, between(st.bad, 40*time.Second, 3*time.Minute), e.unplug)
		return
	}
	v.token = token
	decided := func(accepted bool) {
		if e.visit != v || v.phase != plugged {
			return
		}
		if accepted {
			e.grant(token)
			return
		}
		v.do(e, between(st.life, 20*time.Second, 90*time.Second), e.unplug)
	}
	switch {
	case st.site.FreeVend && st.version == V16:
		decided(true)
	case !st.heard(): // without a link stations open for the cards they know
		decided(st.site.FreeVend || st.servesAlone(token))
	default:
		st.d.authorize(token, decided)
	}
}

// grant closes the power path, after the handshake with the car.
func (e *evse) grant(token Token) {
	st := e.st
	v := e.visit
	if v.phase != plugged || e.fault != nil && !e.fault.kind.warning {
		return
	}
	v.token = token
	if e.booking != nil {
		st.timers.stop(e.booking.expiry)
	}
	if m, how := e.failsToStart(); m != "" {
		e.failAtCharger(m, how)
		return
	}
	if v.doomed {
		e.failToStart()
		return
	}
	v.phase = starting
	e.begin()
	handshake := between(st.life, 2*time.Second, 6*time.Second)
	if e.dc() {
		handshake = between(st.life, 12*time.Second, 38*time.Second)
	}
	v.do(e, handshake, e.energize)
}

// energize starts the flow.
func (e *evse) energize() {
	v := e.visit
	if v.phase != starting || e.tx == nil {
		return
	}
	v.phase = charging
	v.since = e.st.now
	e.refresh()
	e.st.d.chargingState(e, "Charging")
	e.scheduleSamples()
	e.cool()
	if _, ok := e.st.failing(NoEnergy, e); ok {
		e.giveUp()
	}
	if _, ok := e.st.failing(EarlyUnplug, e); ok {
		v.do(e, between(e.st.bad, 12*time.Second, 45*time.Second), e.unplug)
	}
	if !e.dc() {
		stay := max(time.Minute, v.leaveAt.Sub(e.st.now))
		v.do(e, stay, e.depart)
	}
}

// failToStart plays an attempt that never charges: the car does not answer, or
// a transaction opens and ends without energy.
func (e *evse) failToStart() {
	st := e.st
	v := e.visit
	if st.past != nil && st.past.detail {
		e.carFails()
		return
	}
	if st.trouble.IntN(2) == 0 {
		v.phase = starting
		e.begin()
		v.do(e, between(st.life, 20*time.Second, 50*time.Second), func() {
			e.stopTx(reasonOther)
			v.do(e, between(st.life, 20*time.Second, 80*time.Second), e.unplug)
		})
		return
	}
	k := new(faultKinds[7]) // control pilot
	e.raise(k, between(st.trouble, 30*time.Second, 2*time.Minute))
	v.do(e, between(st.life, 40*time.Second, 120*time.Second), e.unplug)
}

// full ends charging from the car's side.
func (e *evse) full() {
	st := e.st
	v := e.visit
	if e.dc() {
		over := between(st.life, 10*time.Second, 4*time.Minute)
		if st.life.IntN(6) == 0 {
			over = between(st.life, 5*time.Minute, 35*time.Minute) // blocks the plug
		}
		e.stopTx(reasonStoppedByEV)
		v.do(e, over, e.unplug)
		return
	}
	v.phase = suspendedEV
	e.powerW = 0
	e.refresh()
	st.d.chargingState(e, "SuspendedEV")
}

// depart is the AC driver coming back: some use the card, most pull the plug.
func (e *evse) depart() {
	if _, ok := e.st.failing(Overstay, e); ok && e.tx != nil {
		e.stopTx(reasonLocal)
		e.visit.do(e, between(e.st.bad, 3*time.Hour, 8*time.Hour), e.unplug)
		return
	}
	if e.tx != nil && e.st.life.IntN(100) < 40 {
		e.stopTx(reasonLocal)
		e.visit.do(e, between(e.st.life, 8*time.Second, 70*time.Second), e.unplug)
		return
	}
	e.unplug()
}

// unplug takes the cable out.
func (e *evse) unplug() {
	v := e.visit
	if v == nil {
		return
	}
	if e.tx != nil {
		e.stopTx(reasonEVDisconnected)
	}
	for _, t := range v.script {
		e.st.timers.stop(t)
	}
	e.visit = nil
	e.powerW, e.offeredW = 0, 0
	e.st.d.unplugged(e)
	e.refresh()
	e.expect()
}
