package store

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

type bench struct {
	*Store
	log *journal.Journal
	now time.Time

	commands int
}

func (b *bench) clock() time.Time { return b.now }

// reopen loads a second store from the same file, as a restart would.
func (b *bench) reopen(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{DB: b.db, Journal: b.log, Now: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// told returns what the core was told of decisions, oldest first.
func (b *bench) told(t *testing.T) []*event.Event {
	t.Helper()
	events, _, err := b.log.Events(t.Context(), journal.EventQuery{
		Kinds: []event.Kind{event.KindConfigured, event.KindRemoved, event.KindPolicy}, Limit: journal.MaxLimit,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events
}

func open(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	db := coredbtest.Open(t)
	var err error
	if b.log, err = sqlite.Open(t.Context(), sqlite.Options{DB: db}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.log.Run(ctx) }()
	for !b.log.Running() { // closed before it ran, it would end with an error
		time.Sleep(time.Millisecond)
	}
	t.Cleanup(func() {
		err := b.log.Close()
		stop()
		if err := errors.Join(err, <-done, db.Close()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if b.Store, err = Open(t.Context(), Options{DB: db, Journal: b.log, Now: b.clock}); err != nil {
		t.Fatal(err)
	}
	return b
}

var errDisk = errors.New("disk full")

// failing is a journal that cannot commit.
type failing struct{}

func (failing) AppendWith(context.Context, *event.Event, func(*sql.Tx) error) (fleet.Receipt, error) {
	return fleet.Receipt{}, errDisk
}
