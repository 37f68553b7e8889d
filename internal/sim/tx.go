package sim

import (
	"slices"
	"time"
)

// stopReason is why a transaction ended, before a protocol names it.
type stopReason uint8

const (
	reasonLocal stopReason = iota
	reasonRemote
	reasonEVDisconnected
	reasonStoppedByEV
	reasonEmergency
	reasonPowerLoss
	reasonHardReset
	reasonSoftReset
	reasonReboot
	reasonDeauthorized
	reasonGroundFault
	reasonOverCurrent
	reasonUnlock
	reasonOther
)

// tx is a transaction as the station knows it.
type tx struct {
	e        *evse
	token    Token
	started  time.Time
	startReg float64
	startSoC float64
	resID    int
	remoteID int // 2.x remoteStartId, 0 = none
	offline  bool

	id     int // 1.6: from the central system
	hasID  bool
	closed bool

	uid    string // 2.x: ours
	seq    int
	state  string
	sample *timer
	at     []sample // 1.6 transactionData collected on the way

	plug   int       // of the past, as it is told
	curve  []Reading // of the past, not told yet
	untold bool      // of the past: the token was not told yet
}

// begin opens the transaction.
func (e *evse) begin() {
	st := e.st
	v := e.visit
	st.step()
	if e.tx == nil {
		e.tx = &tx{e: e, started: st.now, startReg: e.reg, startSoC: v.soc, offline: !st.heard()}
	}
	e.tx.token = v.token
	if v.remote != nil {
		e.tx.remoteID = v.remote.id
		if p := v.remote.profile; p != nil {
			st.install(p)
		}
	}
	if b := e.booking; b != nil && b.token == v.token.ID {
		e.tx.resID = b.id
		e.booking = nil
	}
	st.d.authorized(e.tx)
}

// stopTx ends the transaction, if any; the car stays.
func (e *evse) stopTx(why stopReason) {
	t := e.tx
	if t == nil {
		return
	}
	st := e.st
	st.step()
	e.powerW, e.offeredW = 0, 0
	st.timers.stop(t.sample)
	e.tx = nil
	t.closed = true
	if v := e.visit; v != nil {
		v.phase = finished
	}
	st.d.ended(t, why)
	if st.warming && !st.f.o.Replay {
		st.queue.tx = slices.DeleteFunc(st.queue.tx, func(c *call) bool { return c.of == t })
	}
	st.dropTxProfiles(t)
	e.refresh()
	switch why {
	case reasonLocal, reasonRemote, reasonEVDisconnected, reasonStoppedByEV, reasonUnlock:
	default: // the driver finds out and leaves
		if v := e.visit; v != nil {
			v.do(e, between(st.life, time.Minute, 8*time.Minute), e.unplug)
		}
	}
}

// scheduleSamples takes the next periodic sample of the transaction.
func (e *evse) scheduleSamples() {
	t := e.tx
	st := e.st
	every := st.set.sampleEvery
	if t == nil || every <= 0 || len(st.set.sampled) == 0 || st.past != nil && !st.past.detail {
		return
	}
	st.timers.stop(t.sample)
	if st.warming && st.past == nil {
		// History long before the start is thinned: what matters of it is the
		// shape.
		if left := st.f.clock.sim0.Sub(st.now); left > 20*time.Minute {
			every = max(every, 5*time.Minute)
		}
	}
	t.sample = st.after(e.spread(every), func() {
		t.sample = nil
		if e.tx != t {
			return
		}
		st.step()
		if !st.quirks.has(NoMeterValues) {
			st.d.sampled(t, e.samples(st.set.sampled, "Sample.Periodic"))
		}
		e.scheduleSamples()
	})
}

// resample applies a changed interval to running transactions.
func (st *station) resample() {
	for _, e := range st.evses {
		if e.tx != nil && e.visit != nil && e.visit.phase >= charging && e.visit.phase < finished {
			e.scheduleSamples()
		}
	}
	st.align()
}

// align takes clock-aligned samples of every port, car or not.
func (st *station) align() {
	st.timers.stop(st.aligned)
	st.aligned = nil
	every := st.set.alignedEvery
	if every <= 0 || len(st.set.alignedData) == 0 || st.quirks.has(NoMeterValues) {
		return
	}
	next := st.now.Truncate(every).Add(every)
	st.aligned = st.timers.set(next, func() {
		st.aligned = nil
		if st.wire != nil && st.accepted {
			st.step()
			for _, e := range st.evses {
				st.d.metered(e, e.samples(st.set.alignedData, "Sample.Clock"), "Sample.Clock")
			}
		}
		st.align()
	})
}
