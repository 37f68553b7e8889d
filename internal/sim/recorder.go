package sim

import (
	"encoding/json"
	"math"
	"slices"
	"time"
)

// recorder is the dialect of the past: it notes what the station tells instead
// of saying it. What the present sends as many frames it notes as few: a
// history shows the curve of a session, not its every message.
type recorder struct {
	st    *station
	real  dialect
	until time.Time

	linked  bool
	deaf    bool // the central system is down: nobody hears of a loss
	links   int
	told    []Told
	base    int                // how many were taken from told
	waiting []Told             // of transactions, for the next link
	held    map[*connector]int // states that need no word when the next one follows
	events  int                // eventId of 2.x

	detail   bool // see Options.Detail
	commands int
}

// curveMost is after how many readings a running session tells them.
const curveMost = 16

// say notes what the station tells now, if it still tells anything.
func (r *recorder) say(t Told) int {
	if r.st.hung && t.Kind != ToldLinked && t.Kind != ToldLost {
		return -1
	}
	return r.note(t)
}

func (r *recorder) note(t Told) int {
	t.Station, t.Skew = r.st.spec, r.st.skew
	if t.At.IsZero() {
		t.At = r.st.now
	}
	t.At = t.At.Truncate(time.Millisecond)
	if t.HeardAt.IsZero() {
		t.HeardAt = r.st.now
	}
	r.told = append(r.told, t)
	return r.base + len(r.told) - 1
}

// sayTx notes what is told of a transaction, now or with the next link.
func (r *recorder) sayTx(t *tx, x Told) {
	x.tx = t
	if r.st.version != V16 {
		x.TxID, x.Seq = t.uid, t.seq
		t.seq++
		if x.State == "" {
			x.State = t.state
		}
		t.state = x.State
		if t.untold {
			t.untold = false
			x.Token = t.token
		}
	}
	x.EVSE, x.Plug = t.e.id, t.plug
	if r.linked && !r.st.hung {
		r.say(x)
		return
	}
	x.At, x.Offline = r.st.now, true
	r.waiting = append(r.waiting, x)
}

// lose hears that the network is gone until a time, and reports whether it may
// be. Where that is after the past the present takes over at once: what happens
// from here on is told when the station is back.
func (r *recorder) lose(back time.Time, silent bool) bool {
	if back.Before(r.until) {
		r.lostUntil(back, silent)
		return true
	}
	if len(r.waiting) > 0 {
		return false
	}
	r.flushAll()
	r.lostUntil(back, silent)
	r.handOver()
	return true
}

func (r *recorder) lost(silent bool) { r.lostUntil(r.until, silent) }

func (r *recorder) lostUntil(back time.Time, silent bool) {
	if !r.linked {
		return
	}
	r.linked = false
	if r.deaf {
		return
	}
	x := Told{Kind: ToldLost, Link: r.links, Reason: "connection dropped"}
	if silent { // the second ping without an answer tells
		x.Reason = "no pong"
		x.HeardAt = r.st.now.Add(between(r.st.jitter, 70*time.Second, 130*time.Second))
		if !back.After(x.HeardAt) {
			x.Reason, x.HeardAt = "replaced by a newer connection", back
		}
	}
	r.say(x)
}

// found hears that the link stands again.
func (r *recorder) found() {
	st := r.st
	if r.linked {
		return
	}
	r.linked = true
	r.links++
	r.say(Told{Kind: ToldLinked, Link: r.links})
	if !st.booted || st.spec.Model.BootOnReconnect && !st.quirks.has(BootOnce) {
		x := Told{Kind: ToldBoot, Firmware: st.firmware, Word: st.serial()}
		if st.version != V16 {
			x.Reason = st.bootReason
		}
		r.say(x)
		st.booted, st.ever, st.announced = true, true, true
		st.bootReason = "Unknown"
		st.tell(true)
		if fn := st.installed; fn != nil {
			st.installed = nil
			fn()
		}
	} else {
		st.tell(false)
	}
	for i, x := range r.waiting {
		x.HeardAt = st.now.Add(time.Duration(i+1) * 250 * time.Millisecond)
		r.say(x)
	}
	r.waiting = nil
}

// handOver lets the station speak for itself from now on.
func (r *recorder) handOver() {
	st := r.st
	for _, x := range r.waiting {
		x.HeardAt = st.now
		r.say(x)
	}
	r.waiting = nil
	r.flushAll()
	st.past, st.d = nil, r.real
	st.accepted = false
	if d, ok := r.real.(*v2); ok {
		d.events = r.events
	}
	st.timers.stop(st.ticking)
	st.ticking = nil
	for _, e := range st.evses {
		if e.visit != nil && (e.visit.phase == charging || e.visit.phase == suspendedEV || e.visit.phase == suspendedEVSE) {
			e.scheduleSamples()
		}
	}
	st.keepTicking()
}

func (r *recorder) boot(string) (string, any) { return "", nil }
func (r *recorder) online()                   {}

func (r *recorder) stationStatus() {
	if r.st.version == V16 {
		r.say(Told{Kind: ToldStatus, Word: string(Available)})
	}
}

func (r *recorder) status(c *connector, again bool) {
	if !r.linked {
		return
	}
	x := Told{Kind: ToldStatus, EVSE: c.e.id, Plug: c.flat, Word: string(c.status), At: c.changed}
	before := c.told
	c.told = c.status
	if r.st.version != V16 {
		x.Plug, x.Word = c.id, status2(c.status)
		if !again && before != "" && status2(before) == x.Word {
			return
		}
	} else if f := c.e.fault; f != nil {
		x.Fault = problem(f)
		if f.kind.warning {
			x.At = f.since
		}
	}
	r.drop(c)
	if r.st.spec.Model.AvailabilityEvents {
		r.events++
		x.Seq = r.events
	}
	i := r.say(x)
	if r.detail {
		if _, ok := r.st.failing(Repeats, c.e); ok {
			for n := range 2 {
				x.HeardAt = r.st.now.Add(time.Duration(n+1) * 700 * time.Millisecond)
				r.say(x)
			}
		}
		return
	}
	// The transaction says as much as these two, if it follows: of most sessions
	// they need not be kept.
	if r.st.version == V16 && x.Fault == nil && (c.status == Preparing || c.status == Finishing) {
		r.held[c] = i
	}
}

// drop forgets a state of the plug that was held and goes without saying.
func (r *recorder) drop(c *connector) {
	i, ok := r.held[c]
	delete(r.held, c)
	if !ok || i < r.base || r.told[i-r.base].Word == string(Preparing) && c.status == Available {
		return // an attempt that came to nothing is kept
	}
	r.told[i-r.base].Kind = toldNothing
}

func problem(f *fault) *Problem {
	return &Problem{Code: f.kind.code, VendorCode: f.kind.vendor, Info: f.kind.info, Component: f.kind.component}
}

func (r *recorder) oldFault(*evse, *fault) {}

// authorize decides as the central system will.
func (r *recorder) authorize(token Token, done func(bool)) {
	st := r.st
	accepted := st.site.FreeVend || !slices.Contains(st.f.o.Plan.Strangers, token)
	if r.detail || !accepted {
		r.say(Told{Kind: ToldAuthorize, Token: token})
	}
	done(accepted)
}

func (r *recorder) pluggedIn(e *evse) {
	st := r.st
	if st.version == V16 || e.visit == nil || e.fault != nil && !e.fault.kind.warning {
		return
	}
	st.step()
	t := &tx{
		e: e, plug: e.visit.conn.id, started: st.now, startReg: e.reg, startSoC: e.visit.soc, uid: st.messageID(), offline: !r.linked,
		state: "EVConnected",
	}
	e.tx = t
	r.sayTx(t, Told{Kind: ToldStarted, Trigger: "CablePluggedIn", Curve: []Reading{{At: st.now, RegisterWh: e.register(), PowerW: -1, Percent: -1}}})
}

func (r *recorder) authorized(t *tx) {
	st := r.st
	if st.version == V16 {
		t.startReg = float64(int(t.e.reg))
		t.plug = t.e.visit.conn.flat
		r.drop(t.e.visit.conn)
		r.sayTx(t, Told{Kind: ToldStarted, Token: t.token, RegisterWh: new(t.e.registerWh())})
		return
	}
	if t.uid == "" { // the cable was in before the port could open a transaction
		t.e.tx = nil
		r.pluggedIn(t.e)
		if t.e.tx == nil {
			t.e.tx = t
			return
		}
		t.e.tx.token = t.token
		t = t.e.tx
	}
	t.untold = true
}

func (r *recorder) chargingState(e *evse, state string) {
	t := e.tx
	if t == nil {
		return
	}
	if state == "SuspendedEV" {
		r.read(e)
	}
	if r.st.version == V16 || t.state == state {
		return
	}
	r.sayTx(t, Told{Kind: ToldUpdated, Trigger: "ChargingStateChanged", State: state})
}

// readAll takes a reading of every port that charges.
func (r *recorder) readAll() {
	for _, e := range r.st.evses {
		if e.tx != nil && e.visit != nil && (e.visit.phase == charging || e.visit.phase == suspendedEVSE) {
			r.read(e)
		}
	}
}

// read takes a reading, of what the station was set to measure.
func (r *recorder) read(e *evse) {
	st := r.st
	if r.detail || st.set.sampleEvery <= 0 || len(st.set.sampled) == 0 || st.quirks.has(NoMeterValues) {
		return
	}
	t := e.tx
	x := Reading{At: st.now.Truncate(time.Millisecond), RegisterWh: e.register(), PowerW: -1, Percent: -1}
	if slices.Contains(st.set.sampled, "Power.Active.Import") {
		x.PowerW = math.Round(max(0, noisy(st.noise, e.powerW, 0.004)))
	}
	if e.dc() && slices.Contains(st.set.sampled, "SoC") {
		x.Percent = math.Floor(e.visit.soc * 100)
	}
	t.curve = append(t.curve, x)
	if len(t.curve) >= curveMost {
		r.flush(t)
	}
}

// flush tells what was measured of a running session.
func (r *recorder) flush(t *tx) {
	if len(t.curve) == 0 {
		return
	}
	x := Told{Kind: ToldMetered, Curve: t.curve}
	if r.st.version != V16 {
		x.Kind, x.Trigger = ToldUpdated, "MeterValuePeriodic"
	}
	t.curve = nil
	r.sayTx(t, x)
}

func (r *recorder) flushAll() {
	for _, e := range r.st.evses {
		if e.tx != nil {
			r.flush(e.tx)
		}
	}
}

// sampled tells in detail what the meter says.
func (r *recorder) sampled(t *tx, list []sample) {
	x := Told{Kind: ToldMetered, Measured: make([]Measured, len(list))}
	for i, s := range list {
		x.Measured[i] = Measured{s.measurand, s.phase, s.unit, s.location, s.value}
	}
	if r.st.version != V16 {
		x.Kind, x.Trigger = ToldUpdated, "MeterValuePeriodic"
	}
	r.sayTx(t, x)
}

func (r *recorder) metered(*evse, []sample, string) {}

func (r *recorder) ended(t *tx, why stopReason) {
	st := r.st
	if st.quirks.has(NoStop) {
		return
	}
	e := t.e
	x := Told{Kind: ToldEnded, Curve: t.curve}
	t.curve = nil
	if st.version == V16 {
		x.Reason = reason16(why)
		x.RegisterWh = new(e.registerWh())
		if why == reasonLocal {
			x.Token = t.token
		}
	} else {
		x.Reason, x.Trigger = reason2(why)
		x.State = "EVConnected"
		if why == reasonEVDisconnected {
			x.State = "Idle"
		}
		x.Curve = append(x.Curve, Reading{At: st.now.Truncate(time.Millisecond), RegisterWh: e.register(), PowerW: -1, Percent: -1})
	}
	r.sayTx(t, x)
}

func (r *recorder) unplugged(*evse) {}

func (r *recorder) faulted(e *evse, f *fault, cleared bool) {
	if r.st.version == V16 || !r.linked {
		return
	}
	r.events++
	p := problem(f)
	p.Event, p.Cleared = r.events, cleared
	if cleared {
		p.Cause = f.event
	} else {
		f.event = p.Event
	}
	r.say(Told{Kind: ToldProblem, EVSE: e.id, Fault: p})
}

func (r *recorder) reservationEnded(*booking, string) {}

func (r *recorder) security(kind, info string) {
	r.say(Told{Kind: ToldSecurity, Word: kind, Reason: info})
}

func (r *recorder) logStatus(int, string) {}

func (r *recorder) firmwareStatus(_ int, status string) {
	if r.linked {
		r.say(Told{Kind: ToldFirmware, Word: status})
	}
}

func (r *recorder) serve(string, json.RawMessage) (any, error) {
	return nil, notImplemented("anything in the past")
}
