package fleet

import (
	"fmt"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// transaction folds a start, an update or an end. A report is never refused
// and never lost: what fits no session we know becomes one, with flags that
// say what is doubtful.
func (b *Batch) transaction(st *Station, e *event.Event, t *event.Transaction, fx *Effects) {
	st.LastTxAt = e.RecordedAt
	st.locate(e)
	var s *Session
	switch {
	case t.AssignID:
		b.assignedStart(st, e, t, fx)
		fx.Receipt.TransactionID = t.TransactionID
		return
	case t.Stage == event.TransactionEnded && t.SeqNo == nil:
		s = b.stop16(st, e, t, fx)
	default:
		s = b.event2(st, e, t, fx)
	}
	fx.Receipt.TransactionID = s.TransactionID
}

// assignedStart is StartTransaction of OCPP 1.6: we give the id, and the same
// id again when the station repeats itself. An id that the event has already
// was recorded before and is kept.
func (b *Batch) assignedStart(st *Station, e *event.Event, t *event.Transaction, fx *Effects) *Session {
	key := startKey(st, e, t)
	if known := b.byStart(st, key); known != nil && (clockRuns(e) || known.State != SessionEnded) {
		s := b.own(st, known)
		s.flag(FlagStartRetried)
		note(e, "retry")
		s.answeredAnew(t)
		t.TransactionID, t.TokenStatus = s.answeredID(), s.TokenStatus
		fx.Receipt.Retry, fx.Receipt.TokenStatus = true, s.TokenStatus
		return s
	}
	b.giveID(t)
	if s := b.stoppedBefore(st, e, t); s != nil {
		s.StartKey, s.GivenID = key, t.TransactionID
		return s
	}
	if e.Subject.EVSE == 0 {
		e.Subject.EVSE = st.soleEVSE()
	}
	s := b.begin(st, e, t, fx)
	s.StartKey = key
	s.startRegister(t.MeterWh, e)
	b.place(st, s, e, e.Late(), fx)
	return s
}

// answeredAnew takes over what another system answered to a repeated start: the
// last answer is the one that the station goes by.
func (s *Session) answeredAnew(t *event.Transaction) {
	if t.Upstream == "" {
		return
	}
	if t.TokenStatus != "" {
		s.TokenStatus = t.TokenStatus
	}
	switch {
	case t.TransactionID == "":
	case s.GivenID != "":
		s.GivenID = t.TransactionID
	default:
		s.TransactionID = t.TransactionID
	}
}

// giveID gives a start an id of ours. Those of another system say nothing about
// the next of ours.
func (b *Batch) giveID(t *event.Transaction) {
	if t.Upstream != "" {
		return
	}
	if t.TransactionID == "" {
		t.TransactionID = strconv.FormatInt(b.meta.NextTransaction, 10)
	}
	if n, err := strconv.ParseInt(t.TransactionID, 10, 64); err == nil && n >= b.meta.NextTransaction {
		b.meta.NextTransaction = n + 1
	}
}

// answeredID is the transaction id that the station was given for the start.
func (s *Session) answeredID() string {
	if s.GivenID != "" {
		return s.GivenID
	}
	return s.TransactionID
}

// stoppedBefore completes the session of a stop that came before its start: it
// could not name the id that we give only now.
func (b *Batch) stoppedBefore(st *Station, e *event.Event, t *event.Transaction) *Session {
	known := b.byTransaction(st, "-1")
	if known == nil {
		known = b.byTransaction(st, "0")
	}
	if known == nil || !known.has(FlagOrphanStop) || known.StartKey != "" || known.MeterStopWh == nil || t.MeterWh == nil ||
		*known.MeterStopWh < *t.MeterWh || known.EndedAt.Before(moment(e)) || !sameToken(known.TokenID, t.TokenID) {
		return nil
	}
	s := b.own(st, known)
	s.EVSE, s.Connector, s.StartedAt, s.UpdatedAt = e.Subject.EVSE, e.Subject.Connector, moment(e), e.RecordedAt
	if s.TokenID == "" {
		s.TokenID = t.TokenID
	}
	s.TokenStatus, s.Reservation = t.TokenStatus, t.ReservationID
	s.unflag(FlagOrphanStop)
	s.unflag(FlagStartMissing)
	s.flag(FlagUnknownID)
	s.MeterStartWh = new(*t.MeterWh)
	s.Meter.FirstAt, s.Meter.BaseWh, s.Meter.SegmentWh = s.StartedAt, 0, *t.MeterWh
	s.Meter.LastWh, s.Meter.LastAt = s.MeterStopWh, s.EndedAt
	s.Meter.settle(s)
	return s
}

func sameToken(a, b string) bool { return a == "" || b == "" || a == b }

// startRegister takes the register that a start states.
func (s *Session) startRegister(wh *float64, e *event.Event) {
	if wh == nil {
		return
	}
	s.Meter.register(s, wh, s.StartedAt, e.Quality != event.TimeReceived)
}

// event2 is TransactionEvent of OCPP 2.x, and any update.
func (b *Batch) event2(st *Station, e *event.Event, t *event.Transaction, fx *Effects) *Session {
	past := e.Late() || t.Offline
	known := b.byTransaction(st, t.TransactionID)
	if known != nil && known.begunAgain(e, t) {
		known = nil
	}
	if known == nil && e.Subject.EVSE == 0 {
		e.Subject.EVSE = st.soleEVSE()
	}
	if known == nil && t.TransactionID == "" {
		known = st.nameless(e.Subject.EVSE)
	}
	var s *Session
	if known == nil {
		s = b.begin(st, e, t, fx)
		if t.Stage != event.TransactionStarted {
			s.flag(FlagStartMissing)
		}
	} else {
		s = b.own(st, known)
	}
	if t.SeqNo != nil && !s.Order.see(*t.SeqNo, t.Stage == event.TransactionStarted, e.DeviceAt) {
		note(e, "retry")
		fx.Receipt.Retry = true
		return s
	}
	if t.Offline {
		s.flag(FlagOffline)
	}
	moved := b.locateSession(st, s, e)
	b.complete(s, e, t)
	b.samples(st, s, e, t.Samples, past)
	if t.Stage == event.TransactionEnded {
		if s.State == SessionEnded {
			s.flag(FlagSecondStop)
			return s
		}
		evse := st.evse(s.EVSE)
		here := evse != nil && evse.Session == s
		b.finish(st, s, e, t)
		if evse != nil && past && !here {
			b.past(st, evse, s.EndedAt, Finishing, e)
		}
		return s
	}
	switch {
	case known == nil || moved:
		b.place(st, s, e, past, fx)
	case !past:
		b.goesOn(st, s, e, fx)
	}
	evse := st.evse(s.EVSE)
	switch {
	case evse == nil || s.State != SessionActive:
	case !past && evse.Session == s:
		evse.Ended = false
		b.refresh(st, evse, moment(e), e)
	case past && t.ChargingState != "":
		b.past(st, evse, moment(e), chargingStatus(t.ChargingState, s.flowed()), e)
		b.arm(st, timerKey(settleTimer, evse.ID), st.Online, e.RecordedAt.Add(settleAfter))
	}
	return s
}

// begunAgain reports a start under the id of a session that is over: stations
// use ids again after a reset, although OCPP forbids it.
func (s *Session) begunAgain(e *event.Event, t *event.Transaction) bool {
	return t.Stage == event.TransactionStarted && s.State == SessionEnded && !s.has(FlagStartMissing) &&
		moment(e).After(s.EndedAt) && (t.SeqNo == nil || !s.Order.repeats(*t.SeqNo, e.DeviceAt))
}

// nameless finds the open session of a port whose station gives no ids.
func (st *Station) nameless(evse int) *Session {
	for _, s := range st.open() {
		if s.TransactionID == "" && s.EVSE == evse {
			return s
		}
	}
	return nil
}

// locateSession brings a session and a report of it to the same port: the
// station may name it once, late, or anew. It reports whether the session has
// to be placed again.
func (b *Batch) locateSession(st *Station, s *Session, e *event.Event) (moved bool) {
	switch at := e.Subject.EVSE; {
	case at == 0:
		s.locate(e)
	case s.EVSE != at:
		if moved = s.State == SessionActive; moved {
			b.vacate(st, s, moment(e), e)
		}
		s.EVSE, s.Connector = at, e.Subject.Connector
	case s.Connector == 0:
		s.Connector = e.Subject.Connector
	}
	return moved
}

// locate completes the subject of a report that names no port.
func (s *Session) locate(e *event.Event) {
	if s.EVSE != 0 {
		e.Subject.EVSE, e.Subject.Connector = s.EVSE, s.Connector
	}
}

// complete takes over what a report adds to a session.
func (b *Batch) complete(s *Session, e *event.Event, t *event.Transaction) {
	s.UpdatedAt = e.RecordedAt
	if t.TokenID != "" && s.TokenID == "" {
		s.TokenID, s.TokenStatus = t.TokenID, t.TokenStatus
	}
	if t.RemoteStartID != nil {
		s.RemoteStart = t.RemoteStartID
	}
	if t.ReservationID != nil {
		s.Reservation = t.ReservationID
	}
	if t.Stage == event.TransactionStarted {
		s.unflag(FlagStartMissing)
		s.StartedAt = earliest(s.StartedAt, moment(e))
		s.startRegister(t.MeterWh, e)
	}
	if at := moment(e); t.ChargingState != "" && !at.Before(s.ChangedAt) {
		s.ChargingState, s.ChangedAt = t.ChargingState, at
	}
}

// stop16 is StopTransaction of OCPP 1.6. Stations send it twice, with unknown
// ids, for starts we never saw, and long after we gave the session up.
func (b *Batch) stop16(st *Station, e *event.Event, t *event.Transaction, fx *Effects) *Session {
	key := stopKey(st, e, t)
	if known := b.byStop(st, key); known != nil {
		s := b.own(st, known)
		s.flag(FlagStopRetried)
		note(e, "retry")
		s.locate(e)
		fx.Receipt.Retry = true
		return s
	}
	known := b.byTransaction(st, t.TransactionID)
	if known != nil && noID(t.TransactionID) && known.State == SessionEnded {
		known = nil // the id names nothing, so this need not be the same one
	}
	if known == nil {
		if known = matchStop(st, e, t); known != nil {
			b.own(st, known).flag(FlagUnknownID)
		}
	}
	if known == nil {
		return b.orphan(st, e, t, key, fx)
	}
	s := b.own(st, known)
	s.locate(e)
	if s.State == SessionEnded {
		s.flag(FlagSecondStop)
		return s
	}
	s.StopKey = key
	b.samples(st, s, e, t.Samples, true)
	b.finish(st, s, e, t)
	return s
}

// orphan keeps a stop whose start we never saw as a session of its own.
func (b *Batch) orphan(st *Station, e *event.Event, t *event.Transaction, key string, fx *Effects) *Session {
	s := b.begin(st, e, t, fx)
	s.StopKey = key
	s.flag(FlagOrphanStop)
	s.flag(FlagStartMissing)
	for at := range t.Samples.All() {
		s.StartedAt = earliest(s.StartedAt, sampleTime(e, at))
	}
	b.samples(st, s, e, t.Samples, true)
	b.finish(st, s, e, t)
	return s
}

// noID reports an id that stations use for a start they were given none for.
func noID(id string) bool {
	n, err := strconv.ParseInt(id, 10, 64)
	return err == nil && n <= 0
}

// matchStop finds the open session that a stop with an unknown id must mean:
// the only one of the station that began before it, with a register that is
// not above, and the same token; else the only one where no token contradicts.
func matchStop(st *Station, e *event.Event, t *event.Transaction) *Session {
	var sure, maybe *Session
	sures, maybes := 0, 0
	for _, s := range st.open() {
		switch {
		case s.StartedAt.After(moment(e).Add(time.Minute)):
		case t.MeterWh != nil && s.MeterStartWh != nil && *t.MeterWh < *s.MeterStartWh:
		case t.TokenID != "" && t.TokenID == s.TokenID:
			sure, sures = s, sures+1
		case sameToken(t.TokenID, s.TokenID):
			maybe, maybes = s, maybes+1
		}
	}
	switch {
	case sures == 1:
		return sure
	case sures == 0 && maybes == 1:
		return maybe
	}
	return nil // two could be meant; neither is taken
}

// clockRuns reports whether the device's clock was ever set, so that its time
// recognises a repeated message across boots.
func clockRuns(e *event.Event) bool { return e.DeviceAt.Year() >= 2020 }

func startKey(st *Station, e *event.Event, t *event.Transaction) string {
	return fmt.Sprintf("%d|%s|%s", e.Subject.Connector, t.TokenID, contentKey(st, e, t))
}

func stopKey(st *Station, e *event.Event, t *event.Transaction) string {
	return fmt.Sprintf("%s|%s", t.TransactionID, contentKey(st, e, t))
}

func contentKey(st *Station, e *event.Event, t *event.Transaction) string {
	meter := "-"
	if t.MeterWh != nil {
		meter = strconv.FormatFloat(*t.MeterWh, 'f', -1, 64)
	}
	if clockRuns(e) {
		return fmt.Sprintf("%d|%s", e.DeviceAt.UnixMilli(), meter)
	}
	return fmt.Sprintf("%d|%s|boot%d", e.DeviceAt.UnixMilli(), meter, st.Boots)
}
