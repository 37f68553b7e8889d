package sim

import (
	"strconv"
	"time"
)

// Found is what a central system knows of a port from an earlier run of the
// same plan, for stations that go on where that one ended: a register does not
// go back, and a transaction that was open is not forgotten.
type Found struct {
	Station    string
	EVSE       int
	RegisterWh float64
	Session    *FoundSession // nil: none is open
}

// FoundSession is a transaction that was open when the earlier run ended.
type FoundSession struct {
	TxID      string
	NextSeq   int // of 2.x
	Token     Token
	StartedAt time.Time
	StartWh   float64
	Percent   float64 // state of charge; 0: not known
}

// goOn takes up what was found. The car is another one that wants about as
// much: nobody wrote down which it was.
func (st *station) goOn(list []Found) {
	for i := range list {
		x := &list[i]
		e := st.evse(x.EVSE)
		if e == nil {
			continue
		}
		if x.RegisterWh > 0 {
			e.reg = x.RegisterWh
		}
		s := x.Session
		if s == nil || e.visit != nil {
			continue
		}
		v := e.newVisit(pickCar(st.life, e.dc()), s.Token, st.life)
		v.conn = e.conns[0]
		if s.Percent > 0 {
			v.soc = s.Percent / 100
			v.target = min(1, max(v.target, v.soc+0.05))
		}
		v.phase, v.since = charging, s.StartedAt
		e.visit = v
		e.tx = &tx{e: e, token: s.Token, started: s.StartedAt, startReg: s.StartWh, startSoC: v.soc, seq: s.NextSeq, state: "Charging"}
		if st.version != V16 {
			e.tx.uid = s.TxID
		} else if n, err := strconv.Atoi(s.TxID); err == nil {
			e.tx.id, e.tx.hasID = n, true
		}
		e.refresh()
		e.scheduleSamples()
		if !e.dc() {
			v.do(e, max(time.Minute, v.leaveAt.Sub(st.now)/2), e.depart)
		}
	}
}
