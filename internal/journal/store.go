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
	// Checkpoint is nil when there is none of this version of the fold; Stations
	// belong to it.
	Checkpoint *fleet.Meta
	Stations   []*fleet.Station
	// Outdated is set when there is a checkpoint of another version.
	Outdated bool
	// Before answers as of the checkpoint.
	Before fleet.History
	// Horizons by class.
	Horizons map[Class]Horizon
}

// StationRow is a station of a checkpoint; Data is nil for a removed one.
type StationRow struct {
	ID   string
	Data []byte
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
	// SaveStations adds rows of a checkpoint that does not count yet,
	// FinishCheckpoint makes it the one that counts, and PruneStations deletes
	// what it superseded.
	SaveStations(seq uint64, rows []StationRow) error
	FinishCheckpoint(meta fleet.Meta) error
	PruneStations(seq uint64, ids []string) error
	Retention
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

// Retention deletes in small steps. Each step says whether there is more.
type Retention interface {
	// DeleteEvents deletes events of the kinds from a closed prefix: after the
	// class's horizon, up to a sequence. It records the new horizon and returns it.
	DeleteEvents(c Class, kinds []event.Kind, upTo uint64, step int) (h Horizon, more bool, err error)
	// DeleteHistory deletes sessions, states and commands that ended before a
	// time, and outcomes of intents from before another.
	DeleteHistory(before, outcomes time.Time, step int) (more bool, err error)
}

// Reader answers questions from committed rows.
type Reader interface {
	// Tail returns events after a sequence up to and including another, in order.
	Tail(ctx context.Context, after, upTo uint64, limit int) ([]*event.Event, error)
	// TailWithout is Tail that leaves out kinds.
	TailWithout(ctx context.Context, after, upTo uint64, limit int, without []event.Kind) ([]*event.Event, error)
	Events(ctx context.Context, q EventQuery) ([]*event.Event, Cursor, error)
	Sessions(ctx context.Context, q SessionQuery) ([]*fleet.Session, Cursor, error)
	Session(ctx context.Context, id string) (*fleet.Session, error)
	States(ctx context.Context, q StateQuery) ([]fleet.Point, error)
	Observed(ctx context.Context, from, to time.Time) ([]Interval, error)
	Commands(ctx context.Context, q CommandQuery) ([]Command, Cursor, error)
	Conformance(ctx context.Context, station string) ([]Conformance, error)
	ProjectCursor(ctx context.Context, name string) (Cursor, error)
	// Intents returns waiting intents due at a time, oldest first.
	Intents(ctx context.Context, due time.Time, limit int) ([]Intent, error)
	// StartedIntents returns intents that were begun and have no outcome.
	StartedIntents(ctx context.Context, limit int) ([]Intent, error)
	// SeqBefore returns the newest sequence recorded before a time, 0 if none.
	SeqBefore(ctx context.Context, t time.Time) (uint64, error)
}
