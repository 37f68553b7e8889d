package fleet

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Ghost sessions: the station never sent the stop. What proves it is a port
// that says it is Available, or a newer session there, while the station is
// online and has had time to send what it queued.
const (
	ghostTimer  = "ghost" // ghost/EVSE; 0 = sessions of no known port
	settleTimer = "settle"

	ghostAfter = 10 * time.Minute
	// settleAfter is how long the transaction queue must be quiet before a session
	// reported late is believed to be the one that occupies its port.
	settleAfter = time.Minute
)

func timerKey(kind string, evse int) string { return kind + "/" + strconv.Itoa(evse) }

// fire acts on a timer that is due.
func (b *Batch) fire(st *Station, key string, now time.Time, fx *Effects) {
	kind, rest, _ := strings.Cut(key, "/")
	id, err := strconv.Atoi(rest)
	if err != nil {
		return
	}
	switch kind {
	case ghostTimer:
		b.judge(st, id, now, fx)
	case settleTimer:
		b.settle(st, id, now)
	}
}

// suspicion says since when an open session at the EVSE must be over, if
// anything speaks against it.
func (st *Station) suspicion(v *EVSE, s *Session) (time.Time, bool) {
	switch {
	case !st.Online || s.EVSE != v.ID:
		return time.Time{}, false
	case v.Session != nil && v.Session.ID != s.ID && v.Session.StartedAt.After(s.StartedAt):
		return v.Session.StartedAt, true
	case v.Status == Available && v.heardAt().After(s.StartedAt):
		if v.StatusAt.After(s.StartedAt) {
			return v.StatusAt, true
		}
		return v.heardAt(), true
	}
	return time.Time{}, false
}

// suspect reports whether any open session of the EVSE is under suspicion.
func (st *Station) suspect(v *EVSE) bool {
	if v.Session != nil {
		if _, ok := st.suspicion(v, v.Session); ok {
			return true
		}
	}
	for _, s := range st.Backlog {
		if _, ok := st.suspicion(v, s); ok {
			return true
		}
	}
	return false
}

// watch arms the timer of an EVSE while a session there is under suspicion.
func (b *Batch) watch(st *Station, v *EVSE, now time.Time) {
	if v.Session == nil && len(st.Backlog) == 0 && len(st.Timers) == 0 {
		return
	}
	b.arm(st, timerKey(ghostTimer, v.ID), st.suspect(v), now.Add(ghostAfter))
	b.watchUnplaced(st, now)
}

// watchUnplaced does the same for sessions of no known port: they are over when
// no port of the station is in use.
func (b *Batch) watchUnplaced(st *Station, now time.Time) {
	if len(st.Backlog) == 0 && len(st.Timers) == 0 {
		return
	}
	_, idle := st.idleSince()
	b.arm(st, timerKey(ghostTimer, 0), idle && st.unplaced() != nil, now.Add(ghostAfter))
}

// arm keeps a timer armed from when its condition began to hold until it no
// longer does.
func (b *Batch) arm(st *Station, key string, holds bool, due time.Time) {
	switch armed := st.hasTimer(key); {
	case holds && !armed:
		b.setTimer(st, key, due)
	case !holds && armed:
		st.dropTimer(key)
	}
}

// watchAgain begins all waiting anew: a new connection may bring what was
// queued.
func (b *Batch) watchAgain(st *Station, now time.Time) {
	st.Timers = nil
	for i := range st.EVSEs {
		b.watch(st, &st.EVSEs[i], now)
		b.settleLater(st, &st.EVSEs[i], now)
	}
	b.watchUnplaced(st, now)
}

// unplaced returns an open session of no known port, nil if there is none.
func (st *Station) unplaced() *Session {
	for _, s := range st.Backlog {
		if st.evse(s.EVSE) == nil {
			return s
		}
	}
	return nil
}

// idleSince returns since when no port is in use, if that is so.
func (st *Station) idleSince() (time.Time, bool) {
	var since time.Time
	for i := range st.EVSEs {
		v := &st.EVSEs[i]
		if v.Status == Unknown || occupied(v.Status) {
			return time.Time{}, false
		}
		since = latest(since, v.StatusAt)
	}
	return since, st.Online && len(st.EVSEs) > 0
}

// judge ends what was under suspicion for ten minutes while the station's
// transaction queue was quiet.
func (b *Batch) judge(st *Station, id int, now time.Time, fx *Effects) {
	if quiet := st.LastTxAt.Add(ghostAfter); quiet.After(now) {
		b.setTimer(st, timerKey(ghostTimer, id), quiet)
		return
	}
	if id == 0 {
		since, idle := st.idleSince()
		for s := st.unplaced(); idle && s != nil; s = st.unplaced() {
			b.giveUp(st, s, now, since, "no port of the station has been in use", fx)
		}
		return
	}
	for _, s := range st.open() {
		v := st.evse(id)
		if v == nil {
			return
		}
		at, ok := st.suspicion(v, s)
		switch {
		case !ok:
		case v.Session != nil && v.Session.ID != s.ID:
			b.giveUp(st, s, now, at, "a later session has run at the same port", fx)
		default:
			b.giveUp(st, s, now, at, "the port has been Available", fx)
		}
	}
}

func (b *Batch) giveUp(st *Station, s *Session, now, since time.Time, why string, fx *Effects) {
	cause := &event.Event{
		Seq: max(st.Seq, 1), Subject: event.Port(st.ID, s.EVSE, 0), At: now, ReceivedAt: now, RecordedAt: now,
	}
	b.infer(st, b.own(st, s), cause, since, fmt.Sprintf("%s since %s and no transaction message came for %s",
		why, since.UTC().Format(time.RFC3339), ghostAfter), fx)
}

// settleLater waits for the queue to be quiet where a late report may tell of
// what occupies the port.
func (b *Batch) settleLater(st *Station, v *EVSE, now time.Time) {
	if st.Online && v.Session == nil && st.waiting(v) != nil {
		b.arm(st, timerKey(settleTimer, v.ID), true, now.Add(settleAfter))
	}
}

// waiting returns the newest session in the backlog that is said to be at the
// EVSE.
func (st *Station) waiting(v *EVSE) *Session {
	var found *Session
	for _, s := range st.Backlog {
		if s.EVSE == v.ID && (found == nil || s.StartedAt.After(found.StartedAt)) {
			found = s
		}
	}
	return found
}

// settle lets what was reported late be the present, once the queue that could
// have changed it is quiet: the charging state of the session at the port, or
// the session of an occupied port that has none.
func (b *Batch) settle(st *Station, id int, now time.Time) {
	v := st.evse(id)
	if v == nil || !st.Online {
		return
	}
	if quiet := st.LastTxAt.Add(settleAfter); quiet.After(now) {
		b.setTimer(st, timerKey(settleTimer, id), quiet)
		return
	}
	cause := &event.Event{Seq: max(st.Seq, 1), At: now, ReceivedAt: now, RecordedAt: now}
	if v.Session != nil {
		b.refresh(st, v, latest(v.Session.ChangedAt, v.StatusAt), cause)
		b.watch(st, v, now)
		return
	}
	s := st.waiting(v)
	if s == nil {
		return
	}
	if heard := v.heardAt(); !heard.IsZero() && (heard.Before(s.StartedAt) || !occupied(v.Status)) {
		return
	}
	s = b.own(st, s)
	b.leave(st, s)
	v.Session, v.Ended = s, false
	b.refresh(st, v, now, cause)
	b.watch(st, v, now)
}
