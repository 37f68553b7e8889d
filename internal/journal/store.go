package journal

import (
	"context"
	"database/sql"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Store keeps a journal's rows. An implementation must pass journaltest.
//
// Begin is used by the writer's goroutine only; everything else may be called
// from any goroutine and must not wait for the writer.
type Store interface {
	Reader
	// Load reads what a start needs.
	Load(ctx context.Context) (*Loaded, error)
	// Begin opens a transaction; Commit of it must be durable.
	Begin(ctx context.Context) (Tx, error)
	Close() error
}

// Loaded is what the store knew when it was opened.
type Loaded struct {
	LastSeq        uint64
	LastRecordedAt time.Time
	LastAlive      time.Time
	// Checkpoint is nil when there is none; Stations belong to it.
	Checkpoint *fleet.Meta
	Stations   []*fleet.Station
	// Before answers as of the checkpoint.
	Before fleet.History
}

// Tx is one transaction of the writer.
type Tx interface {
	// History reads as the transaction sees it. A failed read fails Commit.
	fleet.History
	// SQL is what the functions of AppendWith and Project write with.
	SQL() *sql.Tx
	// Savepoint runs fn so that its failure leaves no trace. broken reports that
	// the transaction itself is lost.
	Savepoint(fn func() error) (err error, broken bool)
	Write(rows *Rows) error
	Commit() error
	Rollback() error
}

// Rows is what one batch stores.
type Rows struct {
	Events   []Row
	Sessions []*fleet.Session
	// Before are stored sessions, as they were, that Sessions replaces.
	Before  []*fleet.Session
	Points  []fleet.Point
	Intents []IntentRow
	Quirks  []Quirk
}

// Row is one event with the stored form of its body.
type Row struct {
	*event.Event
	Encoded []byte
}

// IntentRow is an intent and the sequence that caused it.
type IntentRow struct {
	fleet.Intent
	Cause uint64
}

// Quirk counts one conformance finding of one batch.
type Quirk struct {
	Station, Vendor, Model, Firmware, Code string
	At                                     time.Time
	Seq                                    uint64
	Count                                  int
}

// Reader answers questions from committed rows.
type Reader interface {
	// Tail returns events after a sequence up to and including another, in order.
	Tail(ctx context.Context, after, upTo uint64, limit int) ([]*event.Event, error)
	Events(ctx context.Context, q EventQuery) ([]*event.Event, Cursor, error)
	Sessions(ctx context.Context, q SessionQuery) ([]*fleet.Session, Cursor, error)
	Session(ctx context.Context, id string) (*fleet.Session, error)
	States(ctx context.Context, q StateQuery) ([]fleet.Point, error)
	Observed(ctx context.Context, from, to time.Time) ([]Interval, error)
	Commands(ctx context.Context, q CommandQuery) ([]Command, Cursor, error)
	Conformance(ctx context.Context, station string) ([]Conformance, error)
	ProjectCursor(ctx context.Context, name string) (Cursor, error)
}
