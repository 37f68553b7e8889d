package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/retell"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/telemetry"
)

// past gives a fresh data folder the history of a simulated network: what a
// server would have recorded that ran all the time. It goes through the real
// writer and the real telemetry, so every promise about them holds for it too;
// only nothing is synced before the end, and what is half done counts for
// nothing.
type past struct {
	fleet    *sim.Fleet
	plan     sim.Plan
	span     time.Duration
	interval time.Duration // of heartbeats
	log      *slog.Logger

	made  bool
	stats pastStats
}

type pastStats struct {
	events, sessions int
	took             time.Duration
}

// newPast prepares a past of some days; nil is none.
func newPast(c config.Config, plan sim.Plan, seed uint64, speed float64, days int, log *slog.Logger) (*past, error) {
	if days == 0 {
		return nil, nil
	}
	span := time.Duration(days) * 24 * time.Hour
	stations, err := sim.New(sim.Options{Plan: plan, Seed: seed, Speed: speed, History: span, Replay: true, Logger: log, Script: sim.NetworkScript(plan, seed)})
	if err != nil {
		return nil, err
	}
	return &past{fleet: stations, plan: plan, span: span, interval: time.Duration(c.Station.HeartbeatInterval), log: log}, nil
}

// stations are those that lived the past that was made, nil if none was.
func (p *past) stations() *sim.Fleet {
	if p == nil || !p.made {
		return nil
	}
	return p.fleet
}

const (
	pastDays = 90
	pastMost = 365
)

// building is where a past is made, inside the data folder. It takes its place
// when it is complete; what a kill leaves there is thrown away.
const building = "past.building"

// make builds the past in a data folder that no server has used.
func (p *past) make(ctx context.Context, data *os.Root, folder string) error {
	if _, err := data.Stat(coredb.FileName); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for a past: %w", err)
	}
	if err := data.RemoveAll(building); err != nil {
		return fmt.Errorf("clear an unfinished past: %w", err)
	}
	if err := data.Mkdir(building, 0o750); err != nil {
		return fmt.Errorf("make room for the past: %w", err)
	}
	begun := time.Now()
	// Nothing else goes on yet, and most of what is made is garbage at once.
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	if err := p.build(ctx, filepath.Join(folder, building), begun); err != nil {
		return errors.Join(fmt.Errorf("build the past: %w", err), data.RemoveAll(building))
	}
	// The journal comes last: with it the folder is in use.
	for _, name := range []string{telemetry.FileName, coredb.FileName} {
		if err := moveSafely(data, filepath.Join(building, name), name); err != nil {
			return err
		}
	}
	if err := data.RemoveAll(building); err != nil {
		return fmt.Errorf("clean up behind the past: %w", err)
	}
	p.made = true
	p.stats.took = time.Since(begun)
	p.log.Info("simulated past is made", "days", int(p.span.Hours()/24), "events", p.stats.events, "sessions", p.stats.sessions,
		"took", p.stats.took.Round(time.Millisecond))
	return nil
}

// moveSafely renames a file whose content is on the disk by then.
func moveSafely(data *os.Root, from, to string) error {
	f, err := data.Open(from)
	if err != nil {
		return fmt.Errorf("move the past: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync the past: %w", err)
	}
	if err := data.Rename(from, to); err != nil {
		return fmt.Errorf("move the past: %w", err)
	}
	dir, err := data.Open(".")
	if err != nil {
		return fmt.Errorf("move the past: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// outages are the two short times in which the server was down for maintenance.
func outages(until time.Time, span time.Duration) []sim.Outage {
	var list []sim.Outage
	for _, o := range []struct {
		days int
		at   time.Duration
		long time.Duration
	}{{61, 2*time.Hour + 10*time.Minute, 200 * time.Second}, {23, 3*time.Hour + 5*time.Minute, 95 * time.Second}} {
		from := until.UTC().Truncate(24*time.Hour).AddDate(0, 0, -o.days).Add(o.at)
		if until.Sub(from) < span {
			list = append(list, sim.Outage{From: from, For: o.long})
		}
	}
	return list
}

func (p *past) build(ctx context.Context, folder string, until time.Time) (err error) {
	b := &builder{past: p, now: until.Add(-p.span)}
	if b.db, err = coredb.Open(ctx, folder); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.db.Close()) }()
	indexes, err := b.loosen(ctx)
	if err != nil {
		return err
	}
	if err := b.open(ctx); err != nil {
		return err
	}
	if b.curves, err = telemetry.Open(ctx, telemetry.Options{Folder: folder, Logger: p.log, Now: func() time.Time { return until }}); err != nil {
		return errors.Join(err, b.close(b.now))
	}
	// Telemetry and the indexes come to their end beside each other.
	measured, sealed := make(chan []*event.Event, 2), make(chan error, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		err := b.measure(ctx, measured)
		if err != nil {
			cancel(err)
		}
		sealed <- err
	}()
	err = b.live(ctx, outages(until, p.span), measured)
	close(measured)
	err = errors.Join(err, b.close(until))
	if err == nil {
		err = b.tighten(ctx, indexes)
	}
	err = errors.Join(err, <-sealed)
	if err == nil {
		err = b.seal(ctx)
	}
	return errors.Join(err, b.curves.Close(context.WithoutCancel(ctx)))
}

// builder is one past in the making.
type builder struct {
	*past
	db     *coredb.DB
	curves *telemetry.Store

	journal *journal.Journal
	running chan error
	head    journal.Cursor

	mu  sync.Mutex
	now time.Time
}

func (b *builder) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *builder) setClock(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = t
}

// loosen makes writing quick where nothing can be lost: no syncs, and indexes
// that are made at the end. It returns how.
func (b *builder) loosen(ctx context.Context) (indexes []string, err error) {
	for _, pragma := range []string{`PRAGMA journal_mode = OFF`, `PRAGMA synchronous = OFF`} {
		if _, err := b.db.Writer().ExecContext(ctx, pragma); err != nil {
			return nil, fmt.Errorf("write without syncs: %w", err)
		}
	}
	rows, err := b.db.Writer().QueryContext(ctx, `SELECT name, sql FROM sqlite_master
		WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('events', 'sessions')`)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	var names []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		names, indexes = append(names, name), append(indexes, text)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	return indexes, b.db.Write(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, `DROP INDEX `+name); err != nil {
				return fmt.Errorf("drop index %s: %w", name, err)
			}
		}
		return nil
	})
}

func (b *builder) tighten(ctx context.Context, indexes []string) error {
	err := b.db.Write(ctx, func(tx *sql.Tx) error {
		for _, text := range indexes {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("make an index: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return nil
}

// open starts a server's journal at the time of the clock.
func (b *builder) open(ctx context.Context) error {
	rows, err := sqlite.New(ctx, b.db, b.log)
	if err != nil {
		return err
	}
	b.journal, err = journal.Open(ctx, unrepeated{rows}, journal.Options{
		Logger: slog.New(slog.DiscardHandler), Now: b.clock, Version: version, Past: true,
		MaxBatch: pastBatch, Queue: pastBatch, Unavailable: time.Minute, Tick: time.Hour, CheckpointEvery: time.Hour, CheckpointEvents: 1 << 62,
		Keep: journal.Keep{Every: time.Hour},
	})
	if err != nil {
		return errors.Join(err, rows.Close())
	}
	b.running = make(chan error, 1)
	go func() { b.running <- b.journal.Run(context.WithoutCancel(ctx)) }()
	return nil
}

// close stops it.
func (b *builder) close(at time.Time) error {
	b.setClock(at)
	err := b.journal.Close()
	err = errors.Join(err, <-b.running)
	b.head = b.journal.Head()
	return err
}

const (
	pastBatch = 4096
	// sealEvery is how many pieces of the past telemetry gathers between seals.
	sealEvery = 10
)

// piece is a stretch of the past; at its end the server may have been down.
type piece struct {
	events []*event.Event
	outage *sim.Outage
}

// live lives the past: one goroutine is the stations, one the journal and one
// telemetry.
func (b *builder) live(ctx context.Context, down []sim.Outage, measured chan<- []*event.Event) error {
	from := b.now
	st, err := store.Open(ctx, store.Options{DB: b.db, Journal: b.journal, Logger: b.log, Now: b.clock})
	if err != nil {
		return err
	}
	if err := enrol(ctx, st, store.System, b.plan); err != nil {
		return err
	}
	ears, err := newHearer(ctx, st, b.plan, b.interval)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	written, done := make(chan piece, 2), make(chan error, 1)
	go func() {
		err := b.write(ctx, written)
		if err != nil {
			cancel(err)
		}
		done <- err
	}()
	send := func(p piece) error {
		b.stats.events += len(p.events)
		select {
		case written <- p:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		select {
		case measured <- p.events:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return nil
	}
	left := down
	err = b.fleet.Relive(ctx, down, func(told []sim.Told) error {
		var p piece
		for i := range told {
			t := &told[i]
			if t.HeardAt.Before(from) {
				continue
			}
			if len(left) > 0 && !t.HeardAt.Before(left[0].From) {
				p.outage = &left[0]
				left = left[1:]
				if err := send(p); err != nil {
					return err
				}
				p = piece{}
			}
			if t.Kind == sim.ToldEnded {
				b.stats.sessions++
			}
			p.events = append(p.events, ears.Hear(t))
		}
		return send(p)
	})
	close(written)
	return errors.Join(err, <-done)
}

func (b *builder) write(ctx context.Context, pieces <-chan piece) error {
	for p := range pieces {
		if err := b.journal.AppendAll(ctx, p.events); err != nil {
			return err
		}
		if p.outage == nil {
			continue
		}
		if err := b.close(p.outage.From); err != nil {
			return err
		}
		b.setClock(p.outage.From.Add(p.outage.For))
		if err := b.open(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) measure(ctx context.Context, pieces <-chan []*event.Event) error {
	// A context that can end costs SQLite a goroutine for each statement.
	ctx = context.WithoutCancel(ctx)
	n := 0
	for events := range pieces {
		if err := b.curves.Consume(ctx, events, ""); err != nil {
			return err
		}
		if n++; n%sealEvery == 0 {
			if err := b.curves.Seal(ctx); err != nil {
				return err
			}
		}
	}
	return b.curves.Seal(ctx)
}

// seal tells telemetry how far in the journal it is.
func (b *builder) seal(ctx context.Context) error {
	seq, err := b.head.Seq()
	if err != nil {
		return err
	}
	stop := &event.Event{Seq: seq, Subject: event.Self(), Body: &event.ServerStopped{}}
	if err := b.curves.Consume(ctx, []*event.Event{stop}, string(b.head)); err != nil {
		return err
	}
	return b.curves.Seal(ctx)
}

func newHearer(ctx context.Context, st *store.Store, plan sim.Plan, interval time.Duration) (*retell.Hearer, error) {
	l := &retell.Hearer{
		Free: make(map[string]bool), Tokens: make(map[sim.Token]string), Known: make(map[sim.Token]*access.Credential),
		IntervalS: int(interval / time.Second),
	}
	for _, x := range plan.Sites {
		l.Free[x.ID] = x.FreeVend
	}
	for _, list := range [][]sim.Token{plan.Tokens, plan.Strangers} {
		for _, t := range list {
			id, c, err := st.Lookup(ctx, t.Type, t.ID)
			if err != nil {
				return nil, fmt.Errorf("look up token: %w", err)
			}
			l.Tokens[t], l.Known[t] = id, c
		}
	}
	return l, nil
}

// unrepeated is a journal in which no message came twice: whoever looks for an
// earlier one need not search.
type unrepeated struct{ journal.Store }

func (u unrepeated) Begin(ctx context.Context) (journal.Tx, error) {
	tx, err := u.Store.Begin(ctx)
	return unrepeatedTx{tx}, err
}

type unrepeatedTx struct{ journal.Tx }

func (unrepeatedTx) SessionByStart(string, string) (*fleet.Session, bool)       { return nil, false }
func (unrepeatedTx) SessionByStop(string, string) (*fleet.Session, bool)        { return nil, false }
func (unrepeatedTx) SessionByTransaction(string, string) (*fleet.Session, bool) { return nil, false }
