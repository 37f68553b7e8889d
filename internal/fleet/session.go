package fleet

import (
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// maxBacklog is how many open sessions a station can have beside those at its
// ports; when there are more the oldest is given up.
const maxBacklog = 32

// begin makes a session; place puts it where it belongs.
func (b *Batch) begin(st *Station, e *event.Event, t *event.Transaction, _ *Effects) *Session {
	s := &Session{
		ID: "S" + strconv.FormatUint(e.Seq, 10), Station: st.ID, SiteID: st.SiteID,
		EVSE: e.Subject.EVSE, Connector: e.Subject.Connector,
		TransactionID: t.TransactionID, TokenID: t.TokenID, TokenStatus: t.TokenStatus, State: SessionActive,
		StartedAt: moment(e), UpdatedAt: e.RecordedAt,
		Reservation: t.ReservationID, RemoteStart: t.RemoteStartID,
	}
	if e.Late() || t.Offline {
		s.flag(FlagOffline)
	}
	if e.Quality == event.TimeReceived {
		s.flag(FlagClock)
	}
	b.keep(s)
	return s
}

// keep makes a session one of the batch.
func (b *Batch) keep(s *Session) {
	b.sessions[s.ID] = s
	b.list = append(b.list, s)
}

// place makes an open session the one at its EVSE. A new start is evidence that
// an older open session there has ended. What was reported late, or is older
// than what stands there, waits in the backlog.
func (b *Batch) place(st *Station, s *Session, e *event.Event, past bool, fx *Effects) {
	b.leave(st, s)
	evse := st.needEVSE(s.EVSE)
	if evse != nil {
		for _, o := range st.open() {
			if o.EVSE == s.EVSE && !o.StartedAt.After(s.StartedAt) {
				b.infer(st, b.own(st, o), e, s.StartedAt, "a new session started at the same port", fx)
			}
		}
	}
	if past || evse == nil || evse.Session != nil {
		b.wait(st, s, e, fx)
		return
	}
	evse.Session, evse.Ended = s, false
	b.refresh(st, evse, moment(e), e)
	b.watch(st, evse, e.RecordedAt)
}

// wait puts an open session into the backlog, until something that tells of now
// speaks of it or the station's queue is empty.
func (b *Batch) wait(st *Station, s *Session, e *event.Event, fx *Effects) {
	if len(st.Backlog) >= maxBacklog {
		oldest := b.own(st, st.Backlog[0])
		b.infer(st, oldest, e, moment(e), "too many open sessions at one station", fx)
	}
	st.Backlog = append(slices.Clip(st.Backlog), s)
	if evse := st.evse(s.EVSE); evse != nil {
		b.watch(st, evse, e.RecordedAt)
		b.settleLater(st, evse, e.RecordedAt)
	} else {
		b.watchUnplaced(st, e.RecordedAt)
	}
}

// leave takes a session from its port or the backlog, wherever it is.
func (b *Batch) leave(st *Station, s *Session) {
	for i := range st.EVSEs {
		if o := st.EVSEs[i].Session; o != nil && o.ID == s.ID {
			st.EVSEs[i].Session = nil
		}
	}
	if i := slices.IndexFunc(st.Backlog, func(o *Session) bool { return o.ID == s.ID }); i >= 0 {
		st.Backlog = without(st.Backlog, i)
	}
}

// goesOn follows a report that tells of now about a session: one that waited
// takes its port, one that we gave up goes on.
func (b *Batch) goesOn(st *Station, s *Session, e *event.Event, fx *Effects) {
	evse := st.evse(s.EVSE)
	if evse != nil && evse.Session != nil && evse.Session.ID == s.ID {
		return
	}
	switch s.State {
	case SessionActive:
		b.place(st, s, e, false, fx)
	case SessionInferred:
		if evse == nil || evse.Session != nil || !occupied(evse.Status) {
			return
		}
		s.State, s.EndedAt, s.MeterStopWh, s.Evidence = SessionActive, time.Time{}, nil, ""
		s.unflag(FlagInferredEnd)
		s.flag(FlagReopened)
		b.place(st, s, e, false, fx)
	}
}

// finish ends a session by the station's word.
func (b *Batch) finish(st *Station, s *Session, e *event.Event, t *event.Transaction) {
	if s.State == SessionInferred {
		s.unflag(FlagInferredEnd)
		s.flag(FlagLateStop)
		s.Evidence = ""
	}
	s.MeterStopWh = t.MeterWh
	m := &s.Meter
	at := moment(e)
	timed := e.Quality != event.TimeReceived
	if at.Before(m.LastAt) { // an end before what it ends: the clock was set meanwhile, no step can be judged by it
		at, timed = m.LastAt, false
	}
	switch {
	case t.MeterWh == nil:
		if wh, ok := lastRegister(t.Samples); ok && m.LastWh != nil && wh > *m.LastWh {
			m.register(s, new(wh), at, timed)
		}
		s.MeterStopWh = m.LastWh
	case m.LastWh == nil: // no reading to compare it with
	case s.MeterStartWh != nil && *t.MeterWh < *s.MeterStartWh-1 && !s.has(FlagRegisterReset):
		s.flag(FlagNegativeEnergy)
	default:
		m.register(s, t.MeterWh, at, timed)
	}
	s.Meter.settle(s)
	s.State, s.EndedAt, s.UpdatedAt = SessionEnded, moment(e), e.RecordedAt
	s.StopReason = t.Reason
	if s.StopReason == "" {
		s.StopReason = "Local" // OCPP 1.6 section 7.36: absent means Local
	}
	if e.Quality == event.TimeReceived {
		s.flag(FlagClock)
	}
	if s.EndedAt.Before(s.StartedAt) {
		s.flag(FlagClock)
		s.EndedAt = s.StartedAt
	}
	if s.Order.incomplete() {
		s.flag(FlagGap)
	}
	b.vacate(st, s, s.EndedAt, e)
}

// lastRegister is the reading that an end itself states, whatever its time says.
func lastRegister(samples event.Samples) (wh float64, ok bool) {
	for _, g := range samples {
		if r := ReadLive(g.Values); r.EnergyWh != nil {
			wh, ok = *r.EnergyWh, true
		}
	}
	return wh, ok
}

// infer ends a session from evidence and says so.
func (b *Batch) infer(st *Station, s *Session, e *event.Event, at time.Time, evidence string, fx *Effects) {
	at = latest(at, s.StartedAt)
	s.State, s.EndedAt, s.UpdatedAt, s.Evidence = SessionInferred, at, e.RecordedAt, evidence
	s.MeterStopWh = s.Meter.LastWh
	s.Meter.settle(s)
	s.flag(FlagInferredEnd)
	b.vacate(st, s, at, e)
	fx.Derived = append(fx.Derived, derive(e, event.Port(st.ID, s.EVSE, s.Connector), &event.SessionInferred{
		SessionID: s.ID, TransactionID: s.TransactionID, EndedAt: at, Evidence: evidence,
	}))
}

// vacate takes an ended session from where it is.
func (b *Batch) vacate(st *Station, s *Session, at time.Time, e *event.Event) {
	evse := st.evse(s.EVSE)
	here := evse != nil && evse.Session != nil && evse.Session.ID == s.ID
	b.leave(st, s)
	if !here {
		return
	}
	evse.Ended = s.State == SessionEnded && !evse.movedOn(at)
	b.refresh(st, evse, at, e)
	b.watch(st, evse, e.RecordedAt)
}

// movedOn reports whether a connector said after that time that the car of the
// ended transaction is gone or charges again.
func (v *EVSE) movedOn(since time.Time) bool {
	return slices.ContainsFunc(v.Connectors, func(c Connector) bool {
		return c.At.After(since) && !leftAfterEnd(c.ConnectorState)
	})
}

// own returns the batch's copy of a session, in place of the published one.
func (b *Batch) own(st *Station, s *Session) *Session {
	if mine, ok := b.sessions[s.ID]; ok {
		return mine
	}
	c := new(*s)
	c.Flags = slices.Clone(s.Flags)
	c.Order.Missing = slices.Clone(s.Order.Missing)
	b.keep(c)
	for i := range st.EVSEs {
		if o := st.EVSEs[i].Session; o != nil && o.ID == c.ID {
			st.EVSEs[i].Session = c
		}
	}
	if i := slices.IndexFunc(st.Backlog, func(o *Session) bool { return o.ID == c.ID }); i >= 0 {
		st.Backlog = slices.Clone(st.Backlog)
		st.Backlog[i] = c
	}
	return c
}

func (b *Batch) byTransaction(st *Station, id string) *Session {
	if id == "" {
		return nil
	}
	for i := range st.EVSEs {
		if s := st.EVSEs[i].Session; s != nil && s.TransactionID == id {
			return s
		}
	}
	return b.find(st, func(s *Session) bool { return s.TransactionID == id },
		func() (*Session, bool) { return b.history.SessionByTransaction(st.ID, id) })
}

func (b *Batch) byStart(st *Station, key string) *Session {
	return b.find(st, func(s *Session) bool { return s.StartKey == key },
		func() (*Session, bool) { return b.history.SessionByStart(st.ID, key) })
}

func (b *Batch) byStop(st *Station, key string) *Session {
	return b.find(st, func(s *Session) bool { return s.StopKey == key },
		func() (*Session, bool) { return b.history.SessionByStop(st.ID, key) })
}

// find looks at the open sessions, then at the closed ones: the newest that
// matches of those the batch changed and those stored. What is stored never
// stops matching, so the newest stored one is enough to know.
func (b *Batch) find(st *Station, match func(*Session) bool, stored func() (*Session, bool)) *Session {
	for _, s := range st.open() {
		if match(s) {
			return s
		}
	}
	var found *Session
	for _, s := range b.list {
		if s.Station == st.ID && s.State != SessionActive && match(s) && (found == nil || newer(s, found)) {
			found = s
		}
	}
	if s, ok := stored(); ok {
		if mine, changed := b.sessions[s.ID]; changed {
			s = mine
		}
		if s.State != SessionActive && (found == nil || newer(s, found)) {
			found = s
		}
	}
	return found
}

// newer reports whether session a began after b: ids are numbers that count up.
func newer(a, b *Session) bool {
	if len(a.ID) != len(b.ID) {
		return len(a.ID) > len(b.ID)
	}
	return a.ID > b.ID
}

func (s *Session) has(f Flag) bool { return slices.Contains(s.Flags, f) }

func (s *Session) flag(f Flag) {
	if !s.has(f) {
		s.Flags = append(s.Flags, f)
	}
}

func (s *Session) unflag(f Flag) {
	if i := slices.Index(s.Flags, f); i >= 0 {
		s.Flags = without(s.Flags, i)
	}
}
