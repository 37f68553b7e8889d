// Package history keeps what sites and their ports did, by quarter hours and for
// years, so that questions about usage are answered while someone waits.
//
// It promises:
//
//   - Everything in usage.db is derived: from states, sessions and measurements
//     of the journal and of telemetry, and from sessions that people imported.
//     Without the file it is made again, as far back as those reach.
//   - A day is never added to, it is counted again from its sources. So what
//     comes late, comes twice or comes while we were killed changes nothing but
//     the result that it should change.
//   - A day whose sources retention has taken stays as it was counted.
//   - It takes its time: work is done in short slices, the newest days first,
//     and neither the journal nor a question waits for it.
//
// It subscribes to the journal only to learn which days of which stations have
// changed. Those of former days are noted in the file together with the cursor;
// today is counted anew as it goes on. A station's history goes with it: its
// days count at the site where it is now.
package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Journal is what we ask of the journal.
type Journal interface {
	Snapshot() *fleet.Snapshot
	States(ctx context.Context, q journal.StateQuery) ([]fleet.Point, error)
	Sessions(ctx context.Context, q journal.SessionQuery) ([]*fleet.Session, journal.Cursor, error)
	Observed(ctx context.Context, from, to time.Time) ([]journal.Interval, error)
	Events(ctx context.Context, q journal.EventQuery) ([]*event.Event, journal.Cursor, error)
	Kept() journal.Keep
}

// Curves is what was measured.
type Curves interface {
	Flow(ctx context.Context, p telemetry.Port, from time.Time, step time.Duration, n int) (telemetry.Flow, error)
	Range(ctx context.Context, q telemetry.Query) (telemetry.Series, error)
	Consumed() uint64
}

// Options configure a Store. Folder, Journal and DB are required.
type Options struct {
	Folder  string
	Journal Journal
	DB      *coredb.DB // holds imported sessions
	Curves  Curves     // nil: energy is spread by what ports say
	Logger  *slog.Logger

	// Today is how often what changed today is counted, Whole how often all of it
	// is. Defaults: one minute and a quarter of an hour.
	Today, Whole time.Duration
	// Rest is how long a slice of work rests, as a multiple of how long it took.
	// Default 2: a third of one core at most.
	Rest float64
	// KeepDays is for how long days are kept. Default ten years.
	KeepDays int
	Now      func() time.Time
}

func (o *Options) fill() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Today == 0 {
		o.Today = time.Minute
	}
	if o.Whole == 0 {
		o.Whole = 15 * time.Minute
	}
	if o.Rest == 0 {
		o.Rest = 2
	}
	if o.KeepDays == 0 {
		o.KeepDays = 3653
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// unit is what is counted at once: a station that we hear, or one of the past at
// its site.
type unit struct {
	owner   string // the site of a station that only imports know
	station string
}

// Store is an open usage.db.
type Store struct {
	o   Options
	log *slog.Logger
	db  *database

	mu      sync.Mutex // guards the fields below
	changed map[unit]struct{}
	cursor  journal.Cursor
	stored  journal.Cursor

	counted   map[unit]int64 // the last day that is counted, of units that go on; used by the worker only
	whole     time.Time      // when all of today was due last
	progress  atomic.Int64   // days of stations that wait
	fresh     bool           // the file knew nothing when Run began; the worker hurries
	consumed  atomic.Uint64
	marked    atomic.Uint64 // sequence of the journal at the last mark
	recounted atomic.Uint64
	crash     func(step string) // tests cut the power there
}

// Open opens or creates the file.
func Open(ctx context.Context, o Options) (*Store, error) {
	o.fill()
	db, err := openDatabase(ctx, o.Folder)
	if err != nil {
		return nil, err
	}
	s := &Store{
		o: o, log: o.Logger, db: db, changed: make(map[unit]struct{}), counted: make(map[unit]int64), crash: func(string) {},
	}
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return s, nil
}

func (s *Store) load(ctx context.Context) error {
	if err := s.sameVersion(ctx); err != nil {
		return err
	}
	var cursor string
	err := s.db.write.QueryRowContext(ctx, `SELECT value FROM state WHERE name = 'cursor'`).Scan(&cursor)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read state: %w", err)
	}
	s.cursor, s.stored = journal.Cursor(cursor), journal.Cursor(cursor)
	if cursor == "" {
		s.progress.Store(1) // until it is known how much waits
	}
	rows, err := s.db.write.QueryContext(ctx, `SELECT station, max((SELECT max(day) FROM port_day WHERE port = port.id)) FROM port WHERE owner = '' GROUP BY station`)
	if err != nil {
		return fmt.Errorf("read ports: %w", err)
	}
	return each(rows, func() error {
		var station string
		var day sql.NullInt64
		if err := rows.Scan(&station, &day); err != nil {
			return fmt.Errorf("read ports: %w", err)
		}
		if day.Valid {
			s.counted[unit{station: station}] = day.Int64
		}
		return nil
	})
}

// sameVersion empties a file whose days were counted in another way.
func (s *Store) sameVersion(ctx context.Context) error {
	var version int
	err := s.db.write.QueryRowContext(ctx, `SELECT value FROM state WHERE name = 'version'`).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read state: %w", err)
	}
	if version == rollup.Version {
		return nil
	}
	return s.forget(ctx)
}

// Close stores how far the journal was read and closes the file.
func (s *Store) Close(ctx context.Context) error {
	return errors.Join(s.keepCursor(ctx), s.db.close())
}

// Stats says how the work stands.
type Stats struct {
	Consumed  uint64 // sequence of the journal
	Waiting   int64  // days of stations that are to be counted
	Recounted uint64 // days of ports since the start
}

// Waiting is how many days of stations are to be counted; what is told of the
// past is not whole while there are any.
func (s *Store) Waiting() int64 { return s.progress.Load() }

// Stats returns the counters.
func (s *Store) Stats() Stats {
	return Stats{Consumed: s.consumed.Load(), Waiting: s.progress.Load(), Recounted: s.recounted.Load()}
}

const daySeconds = 86_400

func dayOf(t time.Time) int64 {
	d := t.Unix()
	if d < 0 {
		d -= daySeconds - 1
	}
	return d / daySeconds
}

func beginOf(day int64) time.Time { return time.Unix(day*daySeconds, 0).UTC() }
