package store

import (
	"context"
	"database/sql"
	"iter"
	"sync"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// log is the least a journal does for the store, on the real core.db.
type log struct {
	db     *coredb.DB
	mu     sync.Mutex
	events []*event.Event
	wake   chan struct{}
	cursor journal.Cursor
}

func newLog(db *coredb.DB) *log { return &log{db: db, wake: make(chan struct{})} }

func (l *log) AppendWith(ctx context.Context, e *event.Event, rows func(*sql.Tx) error) (fleet.Receipt, error) {
	if rows != nil {
		if err := l.db.Write(ctx, rows); err != nil {
			return fleet.Receipt{}, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Seq, e.RecordedAt = uint64(len(l.events)+1), e.ReceivedAt
	l.events = append(l.events, e)
	close(l.wake)
	l.wake = make(chan struct{})
	return fleet.Receipt{Seq: e.Seq}, nil
}

func (l *log) Subscribe(ctx context.Context, from journal.Cursor) iter.Seq2[journal.Batch, error] {
	return func(yield func(journal.Batch, error) bool) {
		seq, err := from.Seq()
		if err != nil {
			yield(journal.Batch{}, err)
			return
		}
		for {
			l.mu.Lock()
			events, wake := l.events[seq:], l.wake
			l.mu.Unlock()
			if len(events) > 0 {
				seq = events[len(events)-1].Seq
				if !yield(journal.Batch{Events: events, Next: journal.CursorAt(seq)}, nil) {
					return
				}
				continue
			}
			select {
			case <-wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (l *log) Project(ctx context.Context, _ string, c journal.Cursor, rows func(*sql.Tx) error) error {
	if err := l.db.Write(ctx, rows); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor = c
	return nil
}

func (l *log) ProjectCursor(context.Context, string) (journal.Cursor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cursor, nil
}

// failing is a journal that cannot commit.
type failing struct{}

func (failing) AppendWith(context.Context, *event.Event, func(*sql.Tx) error) (fleet.Receipt, error) {
	return fleet.Receipt{}, errDisk
}
