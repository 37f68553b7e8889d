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
	next := ConnectorState{Status: connectorStatus(body.Status), Raw: body.Status, At: e.At, Fault: faultOf(body, e.At)}
	if e.Subject.Connector == 0 && e.Subject.EVSE == 0 {
		if supersedes(e, st.Own.At) {
			next.Fault = since(next.Fault, st.Own.Fault)
			st.Own = next
		}
		return
	}
	if e.Subject.EVSE == 0 {
		e.Subject.EVSE = st.evseOf(e.Subject.Connector)
	}
	evse := st.needEVSE(e.Subject.EVSE)
	c := evse.needConnector(max(e.Subject.Connector, 1))
	if !supersedes(e, c.At) {
		b.points = append(b.points, Point{
			Station: st.ID, EVSE: evse.ID, ValidFrom: e.At, KnownAt: e.RecordedAt, State: next.Status.String(), Seq: e.Seq,
		})
		return
	}
	next.Fault = since(next.Fault, c.Fault)
	c.ConnectorState = next
	if next.Status == Available || next.Status == Unavailable {
		evse.Ended = false
	}
	if occupied(next.Status) && evse.Session == nil {
		b.promote(st, evse)
	}
	b.refresh(st, evse, e)
	b.watchGhosts(st, evse, e.RecordedAt)
}

func supersedes(e *event.Event, known time.Time) bool {
	return !e.At.Before(known) || !e.Late()
}

// connectorStatus reads the word of any version. "Occupied" of 2.x reads
// Preparing until the transaction says more.
func connectorStatus(word string) Status {
	s := ParseStatus(word)
	if s != Unknown {
		return s
	}
	if strings.EqualFold(word, "Occupied") {
		return Preparing
	}
	return Unknown
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

// refresh derives an EVSE's state from its connectors and its transaction, and
// records the change.
func (b *Batch) refresh(st *Station, evse *EVSE, e *event.Event) {
	status, fault := evse.derive()
	evse.Fault = fault
	if status == evse.Status && !evse.StatusAt.IsZero() {
		return
	}
	if !occupied(status) || status == Finishing {
		evse.Live.PowerW, evse.Live.OfferedW, evse.Live.CurrentA = nil, nil, nil
	}
	if status == Available {
		evse.Live.SoC = nil
	}
	evse.Status, evse.StatusAt = status, e.At
	b.points = append(b.points, Point{
		Station: st.ID, EVSE: evse.ID, ValidFrom: e.At, KnownAt: e.RecordedAt, State: status.String(), Seq: e.Seq,
	})
}

// derive decides what the port as a whole is.
func (v *EVSE) derive() (Status, *Fault) {
	best, fault, raw := Unknown, (*Fault)(nil), ""
	for _, c := range v.Connectors {
		if rank(c.Status) > rank(best) {
			best, raw = c.Status, c.Raw
		}
		if c.Fault != nil && (fault == nil || c.Status == Faulted) {
			fault = c.Fault
		}
	}
	if strings.EqualFold(raw, "Occupied") {
		best = v.occupiedStatus()
	} else if v.Session != nil && v.Session.ChargingState != "" && (best == Unknown || best == Available) && !v.newerStatus() {
		best = v.occupiedStatus() // the station reports transactions but not its connector
	}
	return best, fault
}

// newerStatus reports whether a connector spoke after the session's last change
// of charging state.
func (v *EVSE) newerStatus() bool {
	for _, c := range v.Connectors {
		if c.At.After(v.Session.ChangedAt) {
			return true
		}
	}
	return false
}

// occupiedStatus reads "Occupied" of OCPP 2.x through the transaction.
func (v *EVSE) occupiedStatus() Status {
	if v.Session == nil {
		if v.Ended {
			return Finishing
		}
		return Preparing
	}
	flowed := v.Session.EnergyWh > 0 || v.Session.PeakPowerW > 0
	switch v.Session.ChargingState {
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
	}
	return Preparing
}

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

// arrange makes the EVSEs agree with the layout. Connectors of OCPP 1.6 move to
// the EVSE that the layout puts them in; ports not heard of yet appear Unknown.
func (b *Batch) arrange(st *Station) {
	if len(st.Layout) == 0 {
		return
	}
	if !strings.HasPrefix(st.Protocol, "ocpp2") {
		old := st.EVSEs
		st.EVSEs = nil
		for _, v := range old {
			if len(v.Connectors) == 0 && v.Session == nil {
				continue
			}
			for _, c := range v.Connectors {
				to := st.needEVSE(st.evseOf(c.ID))
				*to.needConnector(c.ID) = c
			}
			home := v.ID
			if v.Session != nil && v.Session.Connector != 0 {
				home = st.evseOf(v.Session.Connector)
			}
			to := st.needEVSE(home)
			if to.Session == nil {
				to.Session = v.Session
			}
			if to.StatusAt.IsZero() {
				to.Status, to.StatusAt, to.Live, to.Ended, to.Fault = v.Status, v.StatusAt, v.Live, v.Ended, v.Fault
			}
		}
	}
	for i, l := range st.Layout {
		v := st.needEVSE(l.EVSE)
		v.Layout = &st.Layout[i]
		for _, c := range l.Connectors {
			v.needConnector(c.Connector).Type = c.Type
		}
	}
}

// Status sums the station up in one word: its own trouble first, else the best
// a driver can expect.
func (st *Station) Status() Status {
	if st.Own.Status == Faulted && st.Own.Raw != "" {
		return Faulted
	}
	if st.Own.Status == Unavailable && st.Own.Raw != "" {
		return Unavailable
	}
	best, score := Unknown, -1
	order := map[Status]int{Available: 9, Charging: 8, Preparing: 7, SuspendedEV: 6, SuspendedEVSE: 5, Finishing: 4, Reserved: 3, Faulted: 2, Unavailable: 1}
	for i := range st.EVSEs {
		if n := order[st.EVSEs[i].Status]; n > score {
			best, score = st.EVSEs[i].Status, n
		}
	}
	return best
}

// Free reports whether a driver can start a session at the EVSE now: it is
// available, the station is online and admitted, and no other port of an
// exclusive group is in use.
func (st *Station) Free(v *EVSE) bool {
	if v.Status != Available || !st.Online || st.Onboarding != event.OnboardingAccepted {
		return false
	}
	if st.Own.Raw != "" && (st.Own.Status == Faulted || st.Own.Status == Unavailable) {
		return false
	}
	if v.Layout == nil || !v.Layout.Exclusive || v.Layout.Group == "" {
		return true
	}
	for i := range st.EVSEs {
		o := &st.EVSEs[i]
		if o.ID != v.ID && o.Layout != nil && o.Layout.Group == v.Layout.Group && occupied(o.Status) {
			return false
		}
	}
	return true
}
