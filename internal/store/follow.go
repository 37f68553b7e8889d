package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// projection is the name under which the journal keeps our cursor.
const projection = "store"

// Log is what Follow reads and writes.
type Log interface {
	Subscribe(ctx context.Context, from journal.Cursor) iter.Seq2[journal.Batch, error]
	Project(ctx context.Context, name string, c journal.Cursor, write func(*sql.Tx) error) error
	ProjectCursor(ctx context.Context, name string) (journal.Cursor, error)
}

const (
	// saveEvery bounds what is read again after a restart.
	saveEvery = 10 * time.Second
	// openFor is how long the answer to a command may change what is stored.
	openFor = time.Hour
)

// Follow keeps what stations agreed to (local lists, reservations, charging
// profiles, settings) as a projection of the journal, until ctx ends. An answer
// that comes late is applied like any other.
func (s *Store) Follow(ctx context.Context, log Log) error {
	from, err := log.ProjectCursor(ctx, projection)
	if err != nil {
		return fmt.Errorf("read cursor: %w", err)
	}
	txProfiles, err := s.stationsWithTxProfile(ctx)
	if err != nil {
		return err
	}
	if seq, err := from.Seq(); err == nil {
		s.followed.reach(seq)
	}
	saved := s.now()
	for batch, err := range log.Subscribe(ctx, from) {
		if err != nil {
			return fmt.Errorf("follow the journal: %w", err)
		}
		relevant := make([]*event.Event, 0, 8)
		for _, e := range batch.Events {
			if concerns(e, txProfiles) {
				relevant = append(relevant, e)
			}
		}
		if now := s.now(); len(relevant) > 0 || now.Sub(saved) >= saveEvery {
			saved = now
			err := journal.Insist(ctx, func() error {
				return log.Project(ctx, projection, batch.Next, func(tx *sql.Tx) error { return s.projectAll(tx, relevant) })
			})
			if err != nil {
				return fmt.Errorf("project: %w", err)
			}
			for _, e := range relevant {
				if c, ok := e.Body.(*event.Command); ok && c.Action == "SetChargingProfile" {
					txProfiles[e.Subject.ID] = true
				}
			}
		}
		if n := len(batch.Events); n > 0 {
			s.followed.reach(batch.Events[n-1].Seq)
		}
	}
	return context.Cause(ctx)
}

func (s *Store) projectAll(tx *sql.Tx, events []*event.Event) error {
	for _, e := range events {
		if err := s.project(tx, e); err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	return nil
}

// Followed waits until the events up to seq are reflected, or ctx ends.
func (s *Store) Followed(ctx context.Context, seq uint64) { s.followed.wait(ctx, seq) }

// FollowedSeq is how far Follow has come.
func (s *Store) FollowedSeq() uint64 {
	s.followed.mu.Lock()
	defer s.followed.mu.Unlock()
	return s.followed.seq
}

// progress lets callers read what they wrote.
type progress struct {
	mu   sync.Mutex
	seq  uint64
	wake chan struct{}
}

func (p *progress) reach(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq = seq
	if p.wake != nil {
		close(p.wake)
		p.wake = nil
	}
}

func (p *progress) wait(ctx context.Context, seq uint64) {
	for {
		p.mu.Lock()
		if p.seq >= seq {
			p.mu.Unlock()
			return
		}
		if p.wake == nil {
			p.wake = make(chan struct{})
		}
		wake := p.wake
		p.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// concerns picks the events that can change a table of ours.
func concerns(e *event.Event, txProfiles map[string]bool) bool {
	switch b := e.Body.(type) {
	case *event.Command:
		return agreements(b.Action) != nil
	case *event.CommandResult:
		return b.Status == "answered"
	case *event.Reservation:
		return true
	case *event.Report:
		return b.Type == "base"
	case *event.Transaction:
		return b.Stage == event.TransactionStarted && b.ReservationID != nil ||
			b.Stage == event.TransactionEnded && txProfiles[e.Subject.ID]
	}
	return false
}

func (s *Store) project(tx *sql.Tx, e *event.Event) error {
	station := e.Subject.ID
	switch b := e.Body.(type) {
	case *event.Command:
		if _, err := tx.Exec(`DELETE FROM open_commands WHERE at < ?`, millis(e.RecordedAt.Add(-openFor))); err != nil {
			return fmt.Errorf("forget old commands: %w", err)
		}
		_, err := tx.Exec(`INSERT OR REPLACE INTO open_commands (id, station, action, payload, at) VALUES (?,?,?,?,?)`,
			b.CommandID, station, b.Action, string(b.Payload), millis(e.RecordedAt))
		if err != nil {
			return fmt.Errorf("note command: %w", err)
		}
	case *event.CommandResult:
		var action, payload string
		err := tx.QueryRow(`DELETE FROM open_commands WHERE id = ? RETURNING action, payload`, b.CommandID).
			Scan(&action, &payload)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find command: %w", err)
		}
		a := agreement{tx: tx, station: station, command: b.CommandID, at: millis(e.RecordedAt)}
		if agree := agreements(action); agree != nil {
			return agree(&a, []byte(payload), b.Response)
		}
	case *event.Reservation:
		return reservationReported(tx, e, b)
	case *event.Transaction:
		if b.Stage == event.TransactionEnded {
			return dropTxProfiles(tx, e, b)
		}
		return reservationUsed(tx, station, *b.ReservationID, millis(e.RecordedAt))
	case *event.Report:
		a := agreement{tx: tx, station: station, at: millis(e.RecordedAt)}
		return a.baseReport(b.Data)
	}
	return nil
}
