// Package telemetry keeps what stations measured, small enough to keep for
// years and quick enough to draw a site's week while someone waits.
//
// It subscribes to the journal and promises:
//
//   - Nothing is lost and nothing doubles: the cursor is stored in the
//     transaction that stores the samples. All of it is derived; without the
//     file, it is rebuilt from the journal as far back as that reaches.
//   - The answer to a question depends on what was measured only: not on the
//     order of arrival, on repeats, on when blocks were sealed or on restarts.
//     Data of any age finds its place.
//   - The file tells damage from data (each block has a checksum) and bounded
//     memory holds what is not yet sealed.
//
// Samples arrive in the hot tail: one row per transaction on disk, and the same
// in memory by port and hour, which is where reads find it. Once an hour, at a
// second of its own, a port's closed hours become blocks (package block), are
// read back, and leave the tail. Headers of blocks and a table of days answer
// what needs no curve.
//
// One mutex orders the writers (Consume, Tick, Backup); reads never wait for
// them. A read copies the tail before it opens blocks, so what is sealed in
// between is seen twice and merged, never missed.
package telemetry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// Options configure a Store. Only Folder is required.
type Options struct {
	Folder string       // the data folder
	Logger *slog.Logger // default: discard

	// TailBytes limits the hot tail in memory; at the limit ports are sealed
	// ahead of time, and if that fails Consume does. Default 64 MiB.
	TailBytes int
	// KeepFor and KeepBytes say how much history of curves stays: default two
	// years and 32 GiB. Days are kept for KeepDays, default five years.
	KeepFor   time.Duration
	KeepBytes int64
	KeepDays  time.Duration
	// SealPorts is how many ports one transaction seals. Default 300.
	SealPorts int
	// Now is the clock of Run. Default time.Now.
	Now func() time.Time
}

func (o *Options) fill() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TailBytes == 0 {
		o.TailBytes = 64 << 20
	}
	if o.KeepFor == 0 {
		o.KeepFor = 2 * 365 * 24 * time.Hour
	}
	if o.KeepBytes == 0 {
		o.KeepBytes = 32 << 30
	}
	if o.KeepDays == 0 {
		o.KeepDays = 5 * 365 * 24 * time.Hour
	}
	if o.SealPorts == 0 {
		o.SealPorts = 300
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Port is what measures: an EVSE of a station. EVSE 0 is the station's own
// meter.
type Port struct {
	Station string
	EVSE    int
}

// Mark is a place in the journal.
type Mark struct {
	Cursor string
	Seq    uint64
}

// ErrBeforeHorizon is returned for a question from before what is kept.
var ErrBeforeHorizon = errors.New("before the horizon of what is kept")

// Store is an open telemetry file.
type Store struct {
	o   Options
	log *slog.Logger
	db  *database

	writing sync.Mutex // held by the one writer
	encoder *block.Encoder
	decoder *block.Decoder
	merge   merger
	pending Mark  // consumed, not yet stored because it held no sample
	kept    int64 // rows of hot before this one are dropped
	retired time.Time
	// crash is called between the steps of writing; tests cut the power there.
	crash func(step string)

	mu     sync.RWMutex // guards the fields below and the tails of ports
	ports  map[Port]*port
	byID   map[int64]*port
	lastID int64 // newest row of hot
	bytes  int
	stored Mark
	sealed Mark
	late   map[int64]uint64 // by hour, see Late; one entry an hour of what is kept

	consumed   atomic.Uint64 // pending.Seq, for those who only look
	horizon    atomic.Int64  // hour; blocks before are gone
	dayHorizon atomic.Int64
	readers    sync.Pool
	count      counters
}

type counters struct {
	samples, blocks, rewritten, early, late, odd, over, corrupt atomic.Uint64
}

// Stats are counters since the start and the size of the tail.
type Stats struct {
	Samples     uint64 // taken into the tail
	Blocks      uint64 // sealed
	Rewritten   uint64 // of these, blocks that late data changed
	SealedEarly uint64 // ports sealed before their time because the tail was full
	TooOld      uint64 // samples dropped: from before the horizon
	NotFinite   uint64 // samples dropped: no number
	OverLimit   uint64 // samples dropped: more than a block holds
	Corrupt     uint64 // blocks found damaged
	TailBytes   int
	TailHours   int
	Ports       int
}

// Open opens or creates the file and loads the hot tail.
func Open(ctx context.Context, o Options) (*Store, error) {
	o.fill()
	db, err := openDatabase(ctx, o.Folder)
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, log: o.Logger, db: db, ports: map[Port]*port{}, byID: map[int64]*port{}, crash: func(string) {}}
	s.horizon.Store(noHour)
	s.dayHorizon.Store(noHour)
	s.readers.New = func() any { return new(reading) }
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return s, nil
}

func (s *Store) load(ctx context.Context) error {
	var err error
	if s.encoder, err = block.NewEncoder(); err != nil {
		return err
	}
	if s.decoder, err = block.NewDecoder(); err != nil {
		return err
	}
	// What an earlier process committed is made safe before it counts as sealed.
	if err := s.db.sync(ctx); err != nil {
		return err
	}
	if err := s.loadState(ctx); err != nil {
		return err
	}
	marks, err := s.loadPorts(ctx)
	if err != nil {
		return err
	}
	return s.loadTail(ctx, marks)
}

func (s *Store) loadState(ctx context.Context) error {
	state := map[string]any{
		"cursor": &s.stored.Cursor, "seq": &s.stored.Seq, "sealedCursor": &s.sealed.Cursor, "sealedSeq": &s.sealed.Seq,
	}
	var horizon, dayHorizon int64 = noHour, noHour
	state["horizon"], state["dayHorizon"] = &horizon, &dayHorizon
	for name, into := range state {
		err := s.db.write.QueryRowContext(ctx, `SELECT value FROM state WHERE name = ?`, name).Scan(into)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read state: %w", err)
		}
	}
	s.horizon.Store(horizon)
	s.dayHorizon.Store(dayHorizon)
	s.pending = s.stored
	s.consumed.Store(s.stored.Seq)
	return nil
}

// Cursor is where a subscription resumes. It may be ahead of what is stored by
// events that held no sample.
func (s *Store) Cursor() string {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.pending.Cursor
}

// Rewind forgets the place in the journal, so that all of it is consumed again.
// It is for a journal that was restored to an earlier moment than this file:
// what is consumed twice is stored once.
func (s *Store) Rewind(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		// The places in the rows belong to the journal as it was.
		if _, err := tx.ExecContext(ctx, `UPDATE hot SET seq = 0, cursor = ''`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM state WHERE name IN ('cursor', 'seq', 'sealedCursor', 'sealedSeq')`)
		return err
	})
	if err != nil {
		return fmt.Errorf("rewind telemetry: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending, s.stored, s.sealed = Mark{}, Mark{}, Mark{}
	return nil
}

// Consumed is the sequence of the journal up to which samples were taken.
func (s *Store) Consumed() uint64 { return s.consumed.Load() }

// Sealed is the place in the journal up to which every sample is in a block
// that was read back and synced. The journal may drop measurements before it,
// once they are old enough that nobody asks for the events themselves.
func (s *Store) Sealed() Mark {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sealed
}

// Horizon is the time before which curves are gone; zero if none are.
func (s *Store) Horizon() time.Time {
	if h := s.horizon.Load(); h != noHour {
		return time.Unix(h*3600, 0).UTC()
	}
	return time.Time{}
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	hours := 0
	for _, p := range s.ports {
		hours += len(p.hours)
	}
	return Stats{
		Samples: s.count.samples.Load(), Blocks: s.count.blocks.Load(), Rewritten: s.count.rewritten.Load(),
		SealedEarly: s.count.early.Load(), TooOld: s.count.late.Load(), NotFinite: s.count.odd.Load(),
		OverLimit: s.count.over.Load(), Corrupt: s.count.corrupt.Load(),
		TailBytes: s.bytes, TailHours: hours, Ports: len(s.ports),
	}
}

// Close stores the cursor and closes the file. What is not sealed stays in the
// hot tail on disk.
func (s *Store) Close(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return errors.Join(s.storeCursor(ctx), s.db.close())
}
