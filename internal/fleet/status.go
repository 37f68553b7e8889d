package fleet

import (
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// status folds a reported connector state.
//
// The newest statement wins. "Newest" is by At, because a station may send an
// old fault again at each boot; but a report of the last two minutes always
// counts, because clocks are set back.
func (b *Batch) status(st *Station, e *event.Event, body *event.Status) {
	at := moment(e)
	next := ConnectorState{Status: connectorStatus(body.Status), Raw: body.Status, At: at, Fault: faultOf(body, at)}
	if e.Subject.Connector == 0 && e.Subject.EVSE == 0 {
		if supersedes(e, st.Own.At) {
			next.Fault = since(next.Fault, st.Own.Fault)
			st.Own = next
		}
		return
	}
	st.locate(e)
	evse := st.needEVSE(e.Subject.EVSE)
	if evse == nil {
		note(e, "tooManyPorts")
		return
	}
	c := evse.needConnector(max(e.Subject.Connector, 1))
	if c == nil {
		note(e, "tooManyPorts")
		return
	}
	if !supersedes(e, c.At) {
		// What the port as a whole was is known if it has one plug, or if this one
		// was in use.
		if len(evse.Connectors) == 1 || occupied(next.Status) {
			b.past(st, evse, at, next.Status, e)
		}
		return
	}
	if !st.Is2x() && c.heard() && !c.At.Before(st.ConnectedAt) && !legalMove(c.Status, next.Status) {
		note(e, "statusMove:"+c.Status.String()+">"+next.Status.String())
	}
	next.At = latest(next.At, c.At)
	next.Fault = since(next.Fault, c.Fault)
	c.ConnectorState = next
	if !leftAfterEnd(next) {
		evse.Ended = false
	}
	b.refresh(st, evse, at, e)
	b.watch(st, evse, e.RecordedAt)
	if occupied(evse.Status) {
		b.settleLater(st, evse, e.RecordedAt)
	}
}

// supersedes reports whether a report counts against what is known since then.
func supersedes(e *event.Event, known time.Time) bool {
	return !moment(e).Before(known) || !e.Late()
}

// connectorStatus reads the word of any version. "Occupied" of 2.x reads
// Preparing until the transaction says more.
func connectorStatus(word string) Status {
	s := ParseStatus(word)
	if s == Unknown && strings.EqualFold(word, wordOccupied) {
		return Preparing
	}
	return s
}

const wordOccupied = "Occupied"

func (c *ConnectorState) in2xUse() bool { return strings.EqualFold(c.Raw, wordOccupied) }

// leftAfterEnd reports whether a connector in this state may still hold the car
// of a transaction that ended.
func leftAfterEnd(c ConnectorState) bool {
	return c.in2xUse() || c.Status == Finishing || c.Status == Faulted
}

func faultOf(body *event.Status, at time.Time) *Fault {
	code := body.ErrorCode
	if code == "NoError" {
		code = ""
	}
	if code == "" && body.VendorErrorCode == "" {
		if body.Status != Faulted.String() {
			return nil
		}
		code = "Faulted"
	}
	return &Fault{Code: code, VendorCode: body.VendorErrorCode, Info: body.Info, Since: at}
}

// since keeps the beginning of a fault that is only repeated.
func since(next, was *Fault) *Fault {
	if next != nil && was != nil && next.Code == was.Code && next.VendorCode == was.VendorCode {
		next.Since = was.Since
	}
	return next
}

func occupied(s Status) bool {
	switch s {
	case Preparing, Charging, SuspendedEV, SuspendedEVSE, Finishing:
		return true
	}
	return false
}

// InUse reports that a session runs at a port, or that it says so.
func (v *EVSE) InUse() bool { return v.Session != nil || inUse(v.Status) }

// inUse reports a state in which a transaction is running.
func inUse(s Status) bool { return s == Charging || s == SuspendedEV || s == SuspendedEVSE }

// legalMove knows the moves of OCPP 1.6 section 4.9. From Faulted a connector
// returns to whatever it was.
func legalMove(from, to Status) bool {
	if from == to || from == Faulted || to == Faulted || from == Unknown || to == Unknown {
		return true
	}
	switch from {
	case Available:
		return to != Finishing
	case Preparing:
		return to != Reserved && to != Unavailable
	case Charging, SuspendedEV, SuspendedEVSE:
		return to != Preparing && to != Reserved
	case Finishing:
		return to == Available || to == Preparing || to == Unavailable
	case Reserved:
		return to == Available || to == Preparing || to == Unavailable
	case Unavailable:
		return to != Finishing && to != Reserved
	}
	return true
}

// refresh derives an EVSE's state from its connectors and its transaction, and
// records the change as of at.
func (b *Batch) refresh(st *Station, evse *EVSE, at time.Time, e *event.Event) {
	status, fault := evse.derive()
	evse.Fault = fault
	known := !evse.StatusAt.IsZero()
	if known && status == evse.Status && status == evse.Track.State {
		return
	}
	if !known || status != evse.Status {
		if !inUse(status) && status != Preparing {
			evse.Live.PowerW, evse.Live.OfferedW, evse.Live.CurrentA = nil, nil, nil
		}
		if status == Available {
			evse.Live.SoC = nil
		}
		evse.Status, evse.StatusAt = status, latest(at, evse.StatusAt)
	}
	b.track(st, evse, latest(at, evse.Track.At), status, e)
}

// past records what an EVSE was at some time before now. What its connectors
// said since then holds again from when they said it.
func (b *Batch) past(st *Station, evse *EVSE, at time.Time, status Status, e *event.Event) {
	if at.Before(evse.Track.At) {
		b.point(st, evse.ID, at, status, e)
		return
	}
	if status == evse.Track.State {
		return
	}
	b.track(st, evse, at, status, e)
	if now, _ := evse.derive(); now != status && evse.heardAt().After(at) {
		b.track(st, evse, evse.heardAt(), now, e)
	}
}

// track records the newest state of a port.
func (b *Batch) track(st *Station, evse *EVSE, at time.Time, status Status, e *event.Event) {
	evse.Track = Track{At: at, State: status}
	b.point(st, evse.ID, at, status, e)
}

func (b *Batch) point(st *Station, evse int, at time.Time, status Status, e *event.Event) {
	p := Point{Station: st.ID, EVSE: evse, ValidFrom: at, KnownAt: e.RecordedAt, State: status.String(), Seq: e.Seq}
	for i := len(b.points) - 1; i >= 0 && b.points[i].Seq == p.Seq; i-- {
		if o := &b.points[i]; o.Station == p.Station && o.EVSE == p.EVSE && o.ValidFrom.Equal(p.ValidFrom) {
			*o = p // one event says one thing of one moment
			return
		}
	}
	b.points = append(b.points, p)
}

// derive decides what the port as a whole is.
func (v *EVSE) derive() (Status, *Fault) {
	best, fault, in2xUse := Unknown, (*Fault)(nil), false
	for i := range v.Connectors {
		c := &v.Connectors[i]
		if rank(c.Status) > rank(best) {
			best, in2xUse = c.Status, c.in2xUse()
		}
		if c.Fault != nil && (fault == nil || c.Status == Faulted) {
			fault = c.Fault
		}
	}
	switch {
	case in2xUse:
		best = v.occupiedStatus()
	case v.Session != nil && (best == Unknown || best == Available || best == Reserved) && !v.saysMoreThan(v.Session):
		best = v.occupiedStatus() // the station reports the transaction but not its connector
	case v.Session == nil && v.Ended && inUse(best):
		best = Finishing // the transaction ended and the connector has not said so yet
	}
	return best, fault
}

// saysMoreThan reports whether a connector spoke after what the session last
// said of its charging.
func (v *EVSE) saysMoreThan(s *Session) bool {
	return v.heardAt().After(latest(s.ChangedAt, s.StartedAt))
}

// occupiedStatus reads "Occupied" of OCPP 2.x through the transaction.
func (v *EVSE) occupiedStatus() Status {
	if v.Session == nil {
		if v.Ended {
			return Finishing
		}
		return Preparing
	}
	return chargingStatus(v.Session.ChargingState, v.Session.flowed())
}

// chargingStatus reads the charging state of a transaction of OCPP 2.x.
func chargingStatus(state string, flowed bool) Status {
	switch state {
	case "Charging":
		return Charging
	case "SuspendedEV":
		return SuspendedEV
	case "SuspendedEVSE":
		return SuspendedEVSE
	case "EVConnected":
		if flowed {
			return SuspendedEVSE
		}
	case "Idle":
		if flowed {
			return Finishing
		}
	case "":
		if flowed {
			return Charging
		}
	}
	return Preparing
}

// flowed reports whether the session took more than a standing meter counts.
func (s *Session) flowed() bool { return s.EnergyWh >= 10 || s.PeakPowerW >= 100 }

// rank orders what several connectors of one EVSE say: a plug in use speaks for
// the port, then a free one, then a blocked one.
func rank(s Status) int {
	switch s {
	case Charging:
		return 9
	case SuspendedEVSE:
		return 8
	case SuspendedEV:
		return 7
	case Finishing:
		return 6
	case Preparing:
		return 5
	case Reserved:
		return 4
	case Available:
		return 3
	case Faulted:
		return 2
	case Unavailable:
		return 1
	}
	return 0
}

// Status sums the station up in one word: its own trouble first, else the best
// a driver can expect.
func (st *Station) Status() Status {
	if s := st.Own.Status; st.Own.Raw != "" && (s == Faulted || s == Unavailable) {
		return s
	}
	best := Unknown
	for i := range st.EVSEs {
		if s := st.EVSEs[i].Status; promise(s) > promise(best) {
			best = s
		}
	}
	return best
}

// promise orders states by what a driver can expect of them.
func promise(s Status) int {
	switch s {
	case Available:
		return 9
	case Charging:
		return 8
	case Preparing:
		return 7
	case SuspendedEV:
		return 6
	case SuspendedEVSE:
		return 5
	case Finishing:
		return 4
	case Reserved:
		return 3
	case Faulted:
		return 2
	case Unavailable:
		return 1
	}
	return 0
}

// Power is what a port delivers, nil where that is not known: a station that is
// offline says nothing, and a port without a car delivers nothing whatever its
// last measurement was.
func (st *Station) Power(v *EVSE) *float64 {
	if !st.Online || !occupied(v.Status) {
		return nil
	}
	return v.Live.PowerW
}
