package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Errors that callers tell apart.
var (
	// ErrUnavailable means the journal could not commit for 5 s: nothing may be
	// answered, and what was appended is not known to be stored.
	ErrUnavailable = errors.New("the journal cannot commit")
	// ErrClosed means the journal is draining or drained.
	ErrClosed = errors.New("the journal is closed")
	// ErrCursor means a cursor that this journal did not give out.
	ErrCursor = errors.New("not a cursor of this journal")
	// ErrNotFound means there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrBeforeHorizon means a question reaches behind what retention kept.
	ErrBeforeHorizon = errors.New("from before what is retained")
)

// Cursor marks a place in the journal or in a list. It is opaque; the empty
// one is the beginning.
type Cursor string

// CursorAt is the cursor behind the event of that sequence.
func CursorAt(seq uint64) Cursor { return Cursor(strconv.FormatUint(seq, 10)) }

// Seq reads what CursorAt wrote; stores use it.
func (c Cursor) Seq() (uint64, error) {
	if c == "" {
		return 0, nil
	}
	seq, err := strconv.ParseUint(string(c), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", string(c), ErrCursor)
	}
	return seq, nil
}

// Limits of a list.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Limit brings a caller's limit into bounds.
func Limit(n int) int {
	if n <= 0 {
		return DefaultLimit
	}
	return min(n, MaxLimit)
}

// EventQuery selects events, newest first by At.
type EventQuery struct {
	// Subject limits to one thing and its parts: a station's EVSEs are part of
	// it. The zero Subject is everything.
	Subject event.Subject
	// Among limits to what is about some things as a whole or their parts, such
	// as the stations of a site; nil is no limit and an empty list finds nothing.
	Among []event.Subject
	// Kinds limits to some kinds. Without it measurements are left out: they are
	// nine events in ten and have their own series. With them the list is in the
	// order of recording, and a page may be short or empty and yet go on: no index
	// covers them.
	Kinds    []event.Kind
	From, To time.Time // by At; From is included, To is not
	Limit    int
	Before   Cursor
}

// How long before From a session may have begun to be found by a query for the
// time that it touches: in the whole network, and at one station or with one
// token. Longer ones are found by the time of their start, and while they are
// open by Active.
const (
	LongSession      = 3 * 24 * time.Hour
	LongSessionOfOne = 31 * 24 * time.Hour
)

// SessionQuery selects sessions, newest first by StartedAt.
type SessionQuery struct {
	Station string
	// Sites limits to sessions that began at some sites; nil is no limit and an
	// empty list finds nothing.
	Sites []string
	// Transaction is the id by which a station called it.
	Transaction string
	Active      *bool
	Flagged     bool      // only those with a doubt about their record
	From, To    time.Time // sessions that touch the time; see LongSession
	TokenID     string
	Limit       int
	Before      Cursor
}

// StateQuery selects the states of one port, EVSE 0 being the station's
// connectivity, over a time as known at a time (zero: now).
type StateQuery struct {
	Station  string
	EVSE     int
	From, To time.Time
	KnownAt  time.Time
}

// Interval is a stretch of time; To is not included.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// CommandQuery selects commands, newest first.
type CommandQuery struct {
	Station string
	Limit   int
	Before  Cursor
}

// Command is a request to a station and what became of it.
type Command struct {
	ID          string
	Station     string
	Action      string
	Payload     json.RawMessage
	By          string
	At          time.Time
	Deadline    time.Time
	Status      string // "sent" until there is a result
	Response    json.RawMessage
	ErrorCode   string
	Description string
	Late        bool
	FinishedAt  time.Time
}

// Conformance counts one oddity of one station's frames.
type Conformance struct {
	Station  string
	Vendor   string
	Model    string
	Firmware string
	Code     string
	Count    int
	FirstAt  time.Time
	LastAt   time.Time
	Example  uint64 // sequence of an event that shows it
}

// Events lists events; see EventQuery.
func (j *Journal) Events(ctx context.Context, q EventQuery) ([]*event.Event, Cursor, error) {
	kinds := q.Kinds
	if len(kinds) == 0 {
		kinds = slices.DeleteFunc(event.Kinds(), func(k event.Kind) bool { return k == event.KindMeter })
	}
	if err := j.within(q.From, kinds...); err != nil {
		return nil, "", err
	}
	return j.store.Events(ctx, q)
}

// Sessions lists sessions; open ones as they stand now.
func (j *Journal) Sessions(ctx context.Context, q SessionQuery) ([]*fleet.Session, Cursor, error) {
	if err := j.within(q.From, event.KindTransaction); err != nil {
		return nil, "", err
	}
	list, next, err := j.store.Sessions(ctx, q)
	if err != nil {
		return nil, "", err
	}
	snap := j.Snapshot()
	for i, s := range list {
		list[i] = current(snap, s)
	}
	return list, next, nil
}

// Session returns one session, ErrNotFound if there is none.
func (j *Journal) Session(ctx context.Context, id string) (*fleet.Session, error) {
	s, err := j.store.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	return current(j.Snapshot(), s), nil
}

// current replaces the row of an open session by its live state.
func current(snap *fleet.Snapshot, s *fleet.Session) *fleet.Session {
	if s.State != fleet.SessionActive {
		return s
	}
	st, ok := snap.Station(s.Station)
	if !ok {
		return s
	}
	if o := openSession(st, s.ID); o != nil {
		return o
	}
	return s
}

// openSession finds an open session of a station.
func openSession(st *fleet.Station, id string) *fleet.Session {
	for i := range st.EVSEs {
		if o := st.EVSEs[i].Session; o != nil && o.ID == id {
			return o
		}
	}
	for _, o := range st.Backlog {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// States lists the states of a port; see StateQuery. The first is the one in
// force at From.
func (j *Journal) States(ctx context.Context, q StateQuery) ([]fleet.Point, error) {
	if err := j.within(q.From, event.KindStatus); err != nil {
		return nil, err
	}
	return j.store.States(ctx, q)
}

// Observed lists when we were up between two times, oldest first. Time that is
// in none of the intervals was not observed.
func (j *Journal) Observed(ctx context.Context, from, to time.Time) ([]Interval, error) {
	list, err := j.store.Observed(ctx, from, to)
	if err != nil {
		return nil, err
	}
	// The sign of life of the run at work is some seconds old.
	if n := len(list); n > 0 && !list[n-1].From.Before(j.startedAt) && j.Ready() == nil {
		if now := j.o.Now(); now.After(list[n-1].To) {
			list[n-1].To = now
		}
	}
	for i := range list {
		if list[i].From.Before(from) {
			list[i].From = from
		}
		if list[i].To.After(to) {
			list[i].To = to
		}
	}
	return list, nil
}

// Commands lists commands and their results.
func (j *Journal) Commands(ctx context.Context, q CommandQuery) ([]Command, Cursor, error) {
	return j.store.Commands(ctx, q)
}

// Conformance lists what was odd about a station's frames; of all stations if
// station is empty.
func (j *Journal) Conformance(ctx context.Context, station string) ([]Conformance, error) {
	return j.store.Conformance(ctx, station)
}

// ProjectCursor returns how far a projection has come, empty if it is new.
func (j *Journal) ProjectCursor(ctx context.Context, name string) (Cursor, error) {
	return j.store.ProjectCursor(ctx, name)
}
