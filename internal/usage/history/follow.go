package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Source is where events come from.
type Source interface {
	Subscribe(ctx context.Context, from journal.Cursor) iter.Seq2[journal.Batch, error]
}

// mark says that days of a unit have changed.
type mark struct {
	unit
	from, to int64 // to is not included
}

// Run follows the journal and counts, until ctx ends.
func (s *Store) Run(ctx context.Context, source Source) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var worker sync.WaitGroup
	defer worker.Wait()
	worker.Go(func() { s.work(ctx) })
	err := s.follow(ctx, source)
	if errors.Is(err, journal.ErrCursor) { // core.db was restored to an earlier moment
		s.log.WarnContext(ctx, "usage is ahead of the journal and is counted again")
		cancel(err)
		worker.Wait()
		return errors.Join(s.forget(context.WithoutCancel(ctx)), err)
	}
	cancel(err)
	return err
}

func (s *Store) follow(ctx context.Context, source Source) error {
	for b, err := range source.Subscribe(ctx, s.cursor) {
		if err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		if err := s.insist(ctx, b.Events, b.Next); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// insist consumes until the disk lets us.
func (s *Store) insist(ctx context.Context, events []*event.Event, next journal.Cursor) error {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := s.Consume(ctx, events, next)
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.log.ErrorContext(ctx, "usage cannot store and waits", "wait", wait, "err", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Consume notes which days the events change.
func (s *Store) Consume(ctx context.Context, events []*event.Event, next journal.Cursor) error {
	today := dayOf(s.o.Now())
	marks := make(map[unit]mark)
	changed := make(map[unit]struct{})
	for _, e := range events {
		switch b := e.Body.(type) {
		case *event.ServerStarted:
			s.changeAll()
		case *event.Policy:
			if b.Type == fleet.PolicyModel { // stations of the model are built another way
				s.changeAll()
			}
		}
		if e.Subject.Type != event.StationSubject || !tells(e) {
			continue
		}
		u := unit{station: e.Subject.ID}
		from, to, err := s.touched(ctx, e, today)
		if err != nil {
			return err
		}
		changed[u] = struct{}{}
		if from >= today {
			continue
		}
		if m, ok := marks[u]; ok {
			from, to = min(from, m.from), max(to, m.to)
		}
		marks[u] = mark{u, from, to}
	}
	if len(marks) > 0 {
		err := s.db.tx(ctx, func(tx *sql.Tx) error {
			for _, m := range marks {
				if err := m.store(ctx, tx); err != nil {
					return err
				}
			}
			return storeCursor(ctx, tx, next)
		})
		if err != nil {
			return fmt.Errorf("note changed days: %w", err)
		}
		s.crash("marked")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(marks) > 0 {
		s.stored = next
	}
	s.cursor = next
	for u := range changed {
		s.changed[u] = struct{}{}
	}
	if n := len(events); n > 0 {
		s.consumed.Store(events[n-1].Seq)
		if len(marks) > 0 {
			s.marked.Store(events[n-1].Seq)
		}
	}
	return nil
}

// tells reports an event that says something of usage. What detection concludes
// of the past is about the past and says nothing new of it.
func tells(e *event.Event) bool {
	switch e.Body.(type) {
	case *event.Meter, *event.Transaction, *event.SessionInferred, *event.StationConfigured, *event.StationRemoved:
		return true
	}
	return slices.Contains(attempt.Kinds(), e.Body.Kind())
}

// touched says which days an event may have changed. Today's need no mark.
func (s *Store) touched(ctx context.Context, e *event.Event, today int64) (from, to int64, err error) {
	from, to = dayOf(e.At), today+1
	switch b := e.Body.(type) {
	case *event.Meter: // an open session is spread again when it ends
		to = min(from+2, today+1)
	case *event.Disconnected:
		if !b.LastFrameAt.IsZero() {
			from = min(from, dayOf(b.LastFrameAt))
		}
	case *event.Transaction:
		if b.Stage == event.TransactionEnded || from < today {
			first, err := s.sessionDay(ctx, e.Subject.ID, b.TransactionID)
			return min(from, first), to, err
		}
	case *event.SessionInferred:
		first, err := s.sessionDay(ctx, e.Subject.ID, b.TransactionID)
		return min(from, first, dayOf(b.EndedAt)), to, err
	}
	return from, to, nil
}

// sessionDay is the day on which a transaction's session began, today if we do
// not know it.
func (s *Store) sessionDay(ctx context.Context, station, transaction string) (int64, error) {
	first := dayOf(s.o.Now())
	if transaction == "" {
		return first, nil
	}
	list, _, err := s.o.Journal.Sessions(ctx, journal.SessionQuery{Station: station, Transaction: transaction, Limit: 4})
	if err != nil {
		return 0, fmt.Errorf("find the session of a transaction: %w", err)
	}
	for _, x := range list {
		first = min(first, dayOf(x.StartedAt))
	}
	return first, nil
}

// store notes a mark. A unit may have several, so that one of yesterday does not
// begin a count of the whole past anew.
func (m mark) store(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO dirty(owner, station, from_day, to_day) VALUES(?, ?, ?, ?)
		ON CONFLICT(owner, station, from_day) DO UPDATE SET to_day = max(to_day, excluded.to_day), marks = marks + 1`,
		m.owner, m.station, m.from, m.to)
	return err
}

func storeCursor(ctx context.Context, tx *sql.Tx, next journal.Cursor) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO state(name, value) VALUES('cursor', ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value`, string(next))
	return err
}

func (s *Store) keepCursor(ctx context.Context) error {
	s.mu.Lock()
	next, stored := s.cursor, s.stored
	s.mu.Unlock()
	if next == stored {
		return nil
	}
	if err := s.db.tx(ctx, func(tx *sql.Tx) error { return storeCursor(ctx, tx, next) }); err != nil {
		return fmt.Errorf("keep the place in the journal: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored = next
	return nil
}

// changeAll has today of all stations counted at the next occasion.
func (s *Store) changeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for st := range s.o.Journal.Snapshot().Stations() {
		s.changed[unit{station: st.ID}] = struct{}{}
	}
}

// forget empties the file.
func (s *Store) forget(ctx context.Context) error {
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"port", "port_day", "site_day", "dirty", "stale", "import", "state"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO state(name, value) VALUES('version', ?)`, rollup.Version)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget usage: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor, s.stored = "", ""
	clear(s.changed)
	clear(s.counted)
	return nil
}

// begin marks everything that there is when the file is new: the tables know
// the past, so the journal is followed from now on only.
func (s *Store) begin(ctx context.Context) error {
	s.changeAll()
	if s.cursor != "" {
		return nil
	}
	snap := s.o.Journal.Snapshot()
	next := journal.CursorAt(snap.Seq)
	today := dayOf(s.o.Now())
	var marks []mark
	add := func(station string) error {
		first, err := s.firstDay(ctx, station)
		if err == nil && first <= today {
			marks = append(marks, mark{unit{station: station}, first, today + 1})
		}
		return err
	}
	for st := range snap.Stations() {
		if err := add(st.ID); err != nil {
			return err
		}
	}
	removed, err := s.removed(ctx)
	if err != nil {
		return err
	}
	for station := range removed {
		if err := add(station); err != nil {
			return err
		}
	}
	err = s.db.tx(ctx, func(tx *sql.Tx) error {
		for _, m := range marks {
			if err := m.store(ctx, tx); err != nil {
				return err
			}
		}
		return storeCursor(ctx, tx, next)
	})
	if err != nil {
		return fmt.Errorf("mark the past: %w", err)
	}
	s.cursor, s.stored, s.fresh = next, next, true
	s.marked.Store(snap.Seq)
	waiting := int64(0)
	for _, m := range marks {
		waiting += m.to - m.from
	}
	s.progress.Store(waiting)
	return nil
}

// removed lists stations that are gone, and since when.
func (s *Store) removed(ctx context.Context) (map[string]time.Time, error) {
	out := make(map[string]time.Time)
	q := journal.EventQuery{Kinds: []event.Kind{event.KindRemoved}, Limit: journal.MaxLimit}
	for {
		page, next, err := s.o.Journal.Events(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("find removed stations: %w", err)
		}
		for _, e := range page {
			if _, here := s.o.Journal.Snapshot().Station(e.Subject.ID); !here && e.At.After(out[e.Subject.ID]) {
				out[e.Subject.ID] = e.At
			}
		}
		if q.Before = next; next == "" {
			return out, nil
		}
	}
}

// firstDay is the day on which a station was first heard of.
func (s *Store) firstDay(ctx context.Context, station string) (int64, error) {
	first := dayOf(s.o.Now())
	kept := s.o.Now().Add(-s.o.Journal.Kept().History)
	links, err := s.o.Journal.States(ctx, journal.StateQuery{Station: station})
	if err != nil {
		return 0, fmt.Errorf("find the first state: %w", err)
	}
	if len(links) > 0 {
		first = min(first, max(dayOf(links[0].ValidFrom), dayOf(kept)))
	}
	return first, nil
}
