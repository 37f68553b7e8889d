package fleet

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// transaction folds a start, an update or an end. A report is never refused
// and never lost: what fits no session we know becomes one, with flags that
// say what is doubtful.
func (b *Batch) transaction(st *Station, e *event.Event, t *event.Transaction, fx *Effects) {
	st.LastTxAt = e.RecordedAt
	if e.Subject.EVSE == 0 && e.Subject.Connector > 0 {
		e.Subject.EVSE = st.evseOf(e.Subject.Connector)
	}
	switch {
	case t.AssignID:
		b.assignedStart(st, e, t, fx)
	case t.Stage == event.TransactionEnded && t.SeqNo == nil:
		b.stop16(st, e, t, fx)
	default:
		b.event2(st, e, t, fx)
	}
	fx.Receipt.TransactionID = t.TransactionID
}

// assignedStart is StartTransaction of OCPP 1.6: we give the id, and the same
// id again when the station repeats itself.
func (b *Batch) assignedStart(st *Station, e *event.Event, t *event.Transaction, fx *Effects) {
	key := startKey(st, e, t)
	if known := b.byStart(st, key); known != nil {
		s := b.own(st, known)
		s.flag(FlagStartRetried)
		t.TransactionID = s.TransactionID
		e.Quirks = append(e.Quirks, "retry")
		t.TokenStatus = s.TokenStatus
		fx.Receipt.Retry, fx.Receipt.TokenStatus = true, s.TokenStatus
		return
	}
	if t.TransactionID == "" {
		t.TransactionID = strconv.FormatInt(b.meta.NextTransaction, 10)
	}
	if id, err := strconv.ParseInt(t.TransactionID, 10, 64); err == nil {
		b.meta.NextTransaction = max(b.meta.NextTransaction, id+1)
	}
	s := b.begin(st, e, t, fx)
	s.StartKey = key
	s.setStart(t.MeterWh)
	if s.MeterStartWh != nil {
		s.Meter.register(s, *s.MeterStartWh, e.At)
	}
	b.place(st, s, e, fx)
}

// event2 is TransactionEvent of OCPP 2.x, and any update.
func (b *Batch) event2(st *Station, e *event.Event, t *event.Transaction, fx *Effects) {
	known := b.byTransaction(st, t.TransactionID)
	var s *Session
	if known == nil {
		s = b.begin(st, e, t, fx)
		if t.Stage != event.TransactionStarted {
			s.flag(FlagStartMissing)
		}
	} else {
		s = b.own(st, known)
	}
	if t.SeqNo != nil && !s.Order.see(*t.SeqNo, t.Stage == event.TransactionStarted) {
		e.Quirks = append(e.Quirks, "retry")
		fx.Receipt.Retry = true
		return
	}
	if t.Offline {
		s.flag(FlagOffline)
	}
	if s.EVSE == 0 && e.Subject.EVSE != 0 {
		s.EVSE, s.Connector = e.Subject.EVSE, e.Subject.Connector
	}
	if e.Subject.EVSE == 0 {
		e.Subject.EVSE, e.Subject.Connector = s.EVSE, s.Connector
	}
	if t.TokenID != "" && s.TokenID == "" {
		s.TokenID = t.TokenID
	}
	if t.RemoteStartID != nil {
		s.RemoteStart = t.RemoteStartID
	}
	if t.Stage == event.TransactionStarted && e.At.Before(s.StartedAt) {
		s.StartedAt = e.At // told out of order
		s.unflag(FlagStartMissing)
	}
	if t.ChargingState != "" && !e.At.Before(s.ChangedAt) {
		s.ChargingState, s.ChangedAt = t.ChargingState, e.At
	}
	b.samples(st, s, e, t.Samples, t.Offline)
	if t.Stage == event.TransactionEnded {
		b.finish(st, s, e, t)
		return
	}
	if s.State != SessionActive {
		return
	}
	if known == nil || b.waiting(st, s) && !e.Late() && !t.Offline {
		b.place(st, s, e, fx)
	}
	if evse := st.evse(s.EVSE); evse != nil && evse.Session == s && !t.Offline && !e.Late() {
		evse.Ended = false
		b.refresh(st, evse, e)
	}
}

// stop16 is StopTransaction of OCPP 1.6. Stations send it twice, with unknown
// ids, for starts we never saw, and long after we gave the session up.
func (b *Batch) stop16(st *Station, e *event.Event, t *event.Transaction, fx *Effects) {
	key := stopKey(st, e, t)
	if known := b.byStop(st, key); known != nil {
		s := b.own(st, known)
		s.flag(FlagStopRetried)
		e.Quirks = append(e.Quirks, "retry")
		e.Subject.EVSE, e.Subject.Connector = s.EVSE, s.Connector
		fx.Receipt.Retry = true
		return
	}
	known := b.byTransaction(st, t.TransactionID)
	if known == nil {
		known = matchStop(st, e, t)
		if known != nil {
			s := b.own(st, known)
			s.flag(FlagUnknownID)
		}
	}
	var s *Session
	if known == nil {
		s = b.begin(st, e, t, fx)
		s.flag(FlagOrphanStop)
		s.flag(FlagStartMissing)
		for at := range t.Samples.All() {
			if !at.IsZero() && at.Before(s.StartedAt) {
				s.StartedAt = at
			}
		}
	} else {
		s = b.own(st, known)
		if s.State == SessionEnded {
			s.flag(FlagSecondStop)
			return
		}
	}
	e.Subject.EVSE, e.Subject.Connector = s.EVSE, s.Connector
	s.StopKey = key
	b.samples(st, s, e, t.Samples, true)
	b.finish(st, s, e, t)
}

// matchStop finds the open session that a stop with an unknown id must mean:
// the only one of the station that began before it, with the same token where
// both are known and a register that is not above.
func matchStop(st *Station, e *event.Event, t *event.Transaction) *Session {
	var found *Session
	for _, s := range st.open() {
		switch {
		case s.StartedAt.After(e.At.Add(time.Minute)):
		case t.TokenID != "" && s.TokenID != "" && t.TokenID != s.TokenID:
		case t.MeterWh != nil && s.MeterStartWh != nil && *t.MeterWh < *s.MeterStartWh:
		case found != nil:
			return nil // two could be meant; neither is taken
		default:
			found = s
		}
	}
	return found
}

// begin makes a session; place puts it where it belongs.
func (b *Batch) begin(st *Station, e *event.Event, t *event.Transaction, _ *Effects) *Session {
	s := &Session{
		ID: "S" + strconv.FormatUint(e.Seq, 10), Station: st.ID, SiteID: st.SiteID,
		EVSE: e.Subject.EVSE, Connector: e.Subject.Connector,
		TransactionID: t.TransactionID, TokenID: t.TokenID, TokenStatus: t.TokenStatus, State: SessionActive,
		StartedAt: e.At, UpdatedAt: e.RecordedAt,
		Reservation: t.ReservationID, RemoteStart: t.RemoteStartID,
	}
	if e.Late() || t.Offline {
		s.flag(FlagOffline)
	}
	if !plausible(e) {
		s.flag(FlagClock)
	}
	b.sessions[s.ID] = s
	return s
}

// place makes a session the one at its EVSE. A new start is evidence that an
// older open session there has ended; a late report waits in the backlog until
// something live speaks of it.
func (b *Batch) place(st *Station, s *Session, e *event.Event, fx *Effects) {
	b.leaveBacklog(st, s)
	late := e.Late() || s.has(FlagOffline) && e.Late()
	for _, o := range st.open() {
		if o == s || o.EVSE != s.EVSE || s.EVSE == 0 {
			continue
		}
		if o.StartedAt.After(s.StartedAt) { // s is history: something newer stands there
			b.infer(st, s, e, o.StartedAt, "a later session started at the same port", fx)
			return
		}
		b.infer(st, b.own(st, o), e, s.StartedAt, "a new session started at the same port", fx)
	}
	if late || s.EVSE == 0 {
		st.Backlog = append(slices.Clone(st.Backlog), s)
		return
	}
	evse := st.needEVSE(s.EVSE)
	evse.Session, evse.Ended = s, false
	b.dropTimer(st, ghostKey(evse.ID))
	b.refresh(st, evse, e)
}

// promote gives an occupied EVSE the session that a late report told of.
func (b *Batch) promote(st *Station, evse *EVSE) {
	for _, s := range st.Backlog {
		if s.EVSE == evse.ID {
			s = b.own(st, s)
			b.leaveBacklog(st, s)
			evse.Session = s
			return
		}
	}
}

func (b *Batch) waiting(st *Station, s *Session) bool {
	return slices.ContainsFunc(st.Backlog, func(o *Session) bool { return o.ID == s.ID })
}

func (b *Batch) leaveBacklog(st *Station, s *Session) {
	if b.waiting(st, s) {
		st.Backlog = slices.DeleteFunc(slices.Clone(st.Backlog), func(o *Session) bool { return o.ID == s.ID })
	}
}

// finish ends a session by the station's word.
func (b *Batch) finish(st *Station, s *Session, e *event.Event, t *event.Transaction) {
	if s.State == SessionInferred {
		s.unflag(FlagInferredEnd)
		s.flag(FlagLateStop)
	}
	if t.MeterWh != nil {
		s.MeterStopWh = t.MeterWh
		if s.MeterStartWh != nil && *t.MeterWh < *s.MeterStartWh && !s.has(FlagRegisterReset) {
			s.flag(FlagNegativeEnergy)
		} else {
			s.Meter.register(s, *t.MeterWh, e.At)
		}
	} else if s.MeterStopWh == nil {
		s.MeterStopWh = s.Meter.LastWh
	}
	s.Meter.settle(s)
	s.State, s.EndedAt, s.UpdatedAt = SessionEnded, e.At, e.RecordedAt
	s.StopReason = t.Reason
	if s.StopReason == "" {
		s.StopReason = "Local" // OCPP 1.6 section 7.36: absent means Local
	}
	if s.EndedAt.Before(s.StartedAt) {
		s.flag(FlagClock)
		s.EndedAt = s.StartedAt
	}
	if s.Order.incomplete() {
		s.flag(FlagGap)
	} else {
		s.unflag(FlagGap)
	}
	b.vacate(st, s, e)
}

// infer ends a session from evidence and says so.
func (b *Batch) infer(st *Station, s *Session, e *event.Event, at time.Time, evidence string, fx *Effects) {
	if at.Before(s.StartedAt) {
		at = s.StartedAt
	}
	s.State, s.EndedAt, s.UpdatedAt, s.Evidence = SessionInferred, at, e.RecordedAt, evidence
	s.MeterStopWh = s.Meter.LastWh
	s.Meter.settle(s)
	s.flag(FlagInferredEnd)
	b.vacate(st, s, e)
	d := derive(e, event.Port(st.ID, s.EVSE, s.Connector), &event.SessionInferred{
		SessionID: s.ID, TransactionID: s.TransactionID, EndedAt: at, Evidence: evidence,
	})
	fx.Derived = append(fx.Derived, d)
}

// vacate takes an ended session from its EVSE.
func (b *Batch) vacate(st *Station, s *Session, e *event.Event) {
	b.leaveBacklog(st, s)
	for i := range st.EVSEs {
		evse := &st.EVSEs[i]
		if evse.Session == nil || evse.Session.ID != s.ID {
			continue
		}
		evse.Session = nil
		evse.Ended = s.State == SessionEnded
		b.dropTimer(st, ghostKey(evse.ID))
		b.refresh(st, evse, e)
	}
}

// Ghost sessions: the station never sent the stop.
const (
	ghostTimer = "ghost"
	ghostAfter = 10 * time.Minute
)

func ghostKey(evse int) string { return ghostTimer + "/" + strconv.Itoa(evse) }

// watchGhosts arms the timer while a port is Available with a session still
// open at it, and disarms it otherwise.
func (b *Batch) watchGhosts(st *Station, evse *EVSE, now time.Time) {
	if evse.Status == Available && st.Online && hasOpen(st, evse) {
		if !slices.ContainsFunc(st.Timers, func(t Timer) bool { return t.Key == ghostKey(evse.ID) }) {
			b.setTimer(st, ghostKey(evse.ID), now.Add(ghostAfter))
		}
		return
	}
	b.dropTimer(st, ghostKey(evse.ID))
}

func hasOpen(st *Station, evse *EVSE) bool {
	return evse.Session != nil || slices.ContainsFunc(st.Backlog, func(s *Session) bool { return s.EVSE == evse.ID })
}

// judgeGhosts ends what is open at a port that has been Available and online
// for ten minutes while the station's transaction queue was quiet.
func (b *Batch) judgeGhosts(st *Station, evse *EVSE, now time.Time, fx *Effects) {
	if evse.Status != Available || !st.Online {
		return
	}
	if quiet := st.LastTxAt.Add(ghostAfter); quiet.After(now) {
		b.setTimer(st, ghostKey(evse.ID), quiet)
		return
	}
	freeSince := evse.StatusAt
	id := evse.ID
	cause := &event.Event{
		Seq: max(st.Seq, 1), Subject: event.Port(st.ID, id, 0), At: now, ReceivedAt: now, RecordedAt: now,
	}
	for _, s := range st.open() {
		if s.EVSE == id {
			b.infer(st, b.own(st, s), cause, freeSince,
				fmt.Sprintf("the port has been Available since %s and no transaction message came for %s",
					freeSince.UTC().Format(time.RFC3339), ghostAfter), fx)
		}
	}
}

// own returns the batch's copy of a session, in place of the published one.
func (b *Batch) own(st *Station, s *Session) *Session {
	if mine, ok := b.sessions[s.ID]; ok {
		return mine
	}
	c := new(*s)
	c.Flags = slices.Clone(s.Flags)
	c.Order.Missing = slices.Clone(s.Order.Missing)
	b.sessions[c.ID] = c
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

// find looks at the open sessions, then at what this batch changed, then at
// the stored ones.
func (b *Batch) find(st *Station, match func(*Session) bool, stored func() (*Session, bool)) *Session {
	for _, s := range st.open() {
		if match(s) {
			return s
		}
	}
	var found *Session
	for _, s := range b.sessions {
		if s.Station == st.ID && match(s) && (found == nil || len(s.ID) > len(found.ID) || len(s.ID) == len(found.ID) && s.ID > found.ID) {
			found = s
		}
	}
	if found != nil {
		return found
	}
	if s, ok := stored(); ok {
		if mine, ok := b.sessions[s.ID]; ok {
			if match(mine) {
				return mine
			}
			return nil
		}
		return s
	}
	return nil
}

// plausible reports whether the device's clock can be used to recognise a
// repeated message.
func plausible(e *event.Event) bool {
	return e.DeviceAt.Year() >= 2020 && e.DeviceAt.Before(e.ReceivedAt.Add(24*time.Hour))
}

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
	if plausible(e) {
		return fmt.Sprintf("%d|%s", e.DeviceAt.UnixMilli(), meter)
	}
	return fmt.Sprintf("%d|%s|boot%d", e.DeviceAt.UnixMilli(), meter, st.Boots)
}

func (s *Session) has(f Flag) bool { return slices.Contains(s.Flags, f) }

func (s *Session) flag(f Flag) {
	if !s.has(f) {
		s.Flags = append(s.Flags, f)
	}
}

func (s *Session) unflag(f Flag) {
	s.Flags = slices.DeleteFunc(s.Flags, func(o Flag) bool { return o == f })
}

func (s *Session) setStart(wh *float64) {
	if s.MeterStartWh == nil && wh != nil {
		s.MeterStartWh = new(*wh)
	}
}

// maxMissing bounds the sequence numbers remembered as missing.
const maxMissing = 64

// Sequence follows the sequence numbers of OCPP 2.x.
type Sequence struct {
	First   int   `json:"first"`
	Last    int   `json:"last"`
	Missing []int `json:"missing,omitempty"`
	Lost    bool  `json:"lost,omitempty"` // more were missing than are remembered
	Seen    bool  `json:"seen,omitempty"`
	Started bool  `json:"started,omitempty"` // the first one seen was the start
}

// see notes a number and reports false if it was seen before.
func (q *Sequence) see(n int, started bool) bool {
	switch {
	case !q.Seen:
		*q = Sequence{First: n, Last: n, Seen: true, Started: started}
	case n > q.Last:
		for m := q.Last + 1; m < n; m++ {
			if len(q.Missing) == maxMissing {
				q.Lost = true
				break
			}
			q.Missing = append(q.Missing, m)
		}
		q.Last = n
	case n < q.First:
		if q.Started && !started {
			return false
		}
		for m := n + 1; m < q.First; m++ {
			if len(q.Missing) == maxMissing {
				q.Lost = true
				break
			}
			q.Missing = append(q.Missing, m)
		}
		q.First, q.Started = n, q.Started || started
	default:
		i := slices.Index(q.Missing, n)
		if i < 0 {
			return false
		}
		q.Missing = slices.Delete(q.Missing, i, i+1)
	}
	return true
}

func (q *Sequence) incomplete() bool { return q.Lost || len(q.Missing) > 0 }
