// Package sqlite keeps a journal in core.db.
//
// It promises that a commit is on disk when it returns, that readers see
// committed batches only and never wait for the writer, and that its memory
// does not grow with the number of events.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Options configures Open. DB is required.
type Options struct {
	DB      *coredb.DB       // stays the caller's
	Logger  *slog.Logger     // default: discard
	Now     func() time.Time // default: time.Now
	Version string           // of the program, for ServerStarted
	// Journal tunes the writer; Logger, Now and Version above win.
	Journal journal.Options
}

// Open opens the journal of a core.db: it folds what is stored and records the
// start. Run must run for appends to be answered.
func Open(ctx context.Context, o Options) (*journal.Journal, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := New(ctx, o.DB, o.Logger)
	if err != nil {
		return nil, err
	}
	jo := o.Journal
	jo.Logger, jo.Now, jo.Version = o.Logger, o.Now, o.Version
	j, err := journal.Open(ctx, s, jo)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return j, nil
}

// meterKind is the id of measurements, which the partial indexes leave out.
const meterKind = 1

// Store implements journal.Store.
type Store struct {
	db    *coredb.DB
	log   *slog.Logger
	kinds map[event.Kind]int64 // fixed after New
	names map[int64]event.Kind

	mu       sync.RWMutex // guards the interned subjects
	subjects map[subjectKey]int64
	byID     map[int64]subjectKey

	w *statements

	swept sweep
}

type subjectKey struct {
	kind event.SubjectType
	name string
}

// New prepares a store on an open core.db.
func New(ctx context.Context, db *coredb.DB, log *slog.Logger) (*Store, error) {
	s := &Store{
		db: db, log: log,
		kinds: make(map[event.Kind]int64), names: make(map[int64]event.Kind),
		subjects: make(map[subjectKey]int64), byID: make(map[int64]subjectKey),
	}
	if err := s.intern(ctx); err != nil {
		return nil, err
	}
	var err error
	if s.w, err = prepare(ctx, db.Writer()); err != nil {
		return nil, err
	}
	return s, nil
}

// Close releases the statements; the database stays open.
func (s *Store) Close() error { return s.w.close() }

// intern loads the short ids of kinds and subjects, and gives new kinds theirs.
func (s *Store) intern(ctx context.Context) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, k := range event.Kinds() {
			if _, err := tx.ExecContext(ctx, `INSERT INTO kinds (name) VALUES (?) ON CONFLICT (name) DO NOTHING`, string(k)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("name the kinds of events: %w", err)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT id, name FROM kinds`)
	if err != nil {
		return fmt.Errorf("read kinds: %w", err)
	}
	err = each(rows, func() error {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		s.kinds[event.Kind(name)], s.names[id] = id, event.Kind(name)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read kinds: %w", err)
	}
	if s.kinds[event.KindMeter] != meterKind {
		return fmt.Errorf("kind %q has id %d, the indexes want %d", event.KindMeter, s.kinds[event.KindMeter], meterKind)
	}
	rows, err = s.db.Reader().QueryContext(ctx, `SELECT id, type, name FROM subjects`)
	if err != nil {
		return fmt.Errorf("read subjects: %w", err)
	}
	err = each(rows, func() error {
		var id int64
		var k subjectKey
		if err := rows.Scan(&id, (*string)(&k.kind), &k.name); err != nil {
			return err
		}
		s.subjects[k], s.byID[id] = id, k
		return nil
	})
	if err != nil {
		return fmt.Errorf("read subjects: %w", err)
	}
	return nil
}

func (s *Store) subjectID(k subjectKey) (int64, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.subjects[k]
	return id, ok
}

func (s *Store) stationID(id string) (int64, bool) {
	return s.subjectID(subjectKey{event.StationSubject, id})
}

// nameOf returns the subject of a short id. A reader can meet an id an instant
// before the writer made it known; the table has it then.
func (s *Store) nameOf(id int64) (subjectKey, error) {
	s.mu.RLock()
	k, ok := s.byID[id]
	s.mu.RUnlock()
	if ok {
		return k, nil
	}
	err := s.db.Reader().QueryRow(`SELECT type, name FROM subjects WHERE id = ?`, id).Scan((*string)(&k.kind), &k.name)
	if err != nil {
		return k, fmt.Errorf("name of subject %d: %w", id, err)
	}
	return k, nil
}

// learn makes committed subjects known.
func (s *Store) learn(fresh map[subjectKey]int64) {
	if len(fresh) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, id := range fresh {
		s.subjects[k], s.byID[id] = id, k
	}
}

// each calls fn for every row and closes the rows.
func each(rows *sql.Rows, fn func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(); err != nil {
			return err
		}
	}
	return rows.Err()
}

func timeOf(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return micros(v.Int64)
}

func micros(v int64) time.Time { return time.UnixMicro(v).UTC() }

// orNull is the stored form of a time that may be zero.
func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func textOrNull(v string) any {
	if v == "" {
		return nil
	}
	return v
}

var _ journal.Store = (*Store)(nil)
var _ fleet.History = (*tx)(nil)
