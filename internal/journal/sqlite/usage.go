package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// ClassUsage is what one class of events takes in the file and how it grows.
type ClassUsage struct {
	Class    journal.Class
	Rows     int64
	Bytes    int64
	OldestAt time.Time // zero: none are there
	// PerDay is how many bytes came in a day, measured over Over; that is zero
	// when there is too little to measure.
	PerDay float64
	Over   time.Duration
}

// Usage is what core.db holds.
type Usage struct {
	Classes  []ClassUsage
	Sessions ClassUsage
	Bytes    int64 // of the file and its log
	Free     int64 // of that, pages that new rows take first
}

// What a row costs beyond its text: its numbers, and its place in two indexes
// unless it is a measurement.
const (
	rowBytes   = 56
	indexBytes = 60
	// A session has eight indexes, and its states are about as large again.
	sessionBytes = 400
)

// MeasureFrom is the least time over which growth is measured; below it a start
// with all its boots would pass for an ordinary day.
const MeasureFrom = 10 * time.Minute

const measureOver = 7 * 24 * time.Hour

// Measure estimates the usage of core.db from a sample of rows, spread evenly
// over the sequence: a count would read every page of a file of many gigabytes.
func Measure(ctx context.Context, db *coredb.DB, folder string, now time.Time) (Usage, error) {
	m := &measure{ctx: ctx, db: db.Reader(), now: now}
	u := Usage{}
	for _, part := range []struct {
		what string
		run  func(*Usage) error
	}{
		{"size of " + coredb.FileName, func(u *Usage) error { return m.file(u, folder) }},
		{"usage of events", m.events},
		{"usage of sessions", m.sessions},
	} {
		if err := part.run(&u); err != nil {
			return Usage{}, fmt.Errorf("measure the %s: %w", part.what, err)
		}
	}
	return u, nil
}

type measure struct {
	ctx context.Context
	db  *sql.DB
	now time.Time
}

func (m *measure) file(u *Usage, folder string) error {
	var pages, free, size int64
	for _, q := range []struct {
		pragma string
		into   *int64
	}{{"page_count", &pages}, {"freelist_count", &free}, {"page_size", &size}} {
		if err := m.db.QueryRowContext(m.ctx, `PRAGMA `+q.pragma).Scan(q.into); err != nil {
			return err
		}
	}
	u.Bytes, u.Free = pages*size, free*size
	if log, err := os.Stat(filepath.Join(folder, coredb.FileName+"-wal")); err == nil {
		u.Bytes += log.Size()
	}
	return nil
}

// Bounds of the sample: clusters of neighbouring rows.
const (
	clusters = 256
	perCut   = 64
)

// sample calls row with rows between two keys, spread evenly, and returns how
// many rows each of them stands for.
func (m *measure) sample(query string, first, last int64, row func(*sql.Rows) error) (weight float64, err error) {
	span := last - first + 1
	if span <= 0 {
		return 0, nil
	}
	cuts, width := int64(clusters), int64(perCut)
	weight = float64(span) / float64(cuts*width)
	if span <= cuts*width { // all of it
		cuts, width, weight = 1, span, 1
	}
	for i := range cuts {
		from := first + i*(span-width)/max(cuts-1, 1)
		if err := m.each(row, query, from, from+width); err != nil {
			return 0, err
		}
	}
	return weight, nil
}

func (m *measure) each(row func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := m.db.QueryContext(m.ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ends returns the first and last key of a table and the time of the first.
func (m *measure) ends(table, key, at string) (first, last, oldest int64, err error) {
	err = m.db.QueryRowContext(m.ctx, fmt.Sprintf(`SELECT coalesce(min(%[2]s), 1), coalesce(max(%[2]s), 0),
		coalesce((SELECT %[3]s FROM %[1]s ORDER BY %[2]s LIMIT 1), 0) FROM %[1]s`, table, key, at)).Scan(&first, &last, &oldest)
	return first, last, oldest, err
}

func (m *measure) events(u *Usage) error {
	kinds := make(map[int64]event.Kind)
	if err := m.each(func(r *sql.Rows) error {
		var id int64
		var name event.Kind
		err := r.Scan(&id, &name)
		kinds[id] = name
		return err
	}, `SELECT id, name FROM kinds`); err != nil {
		return err
	}
	horizon := make(map[journal.Class]time.Time)
	if err := m.each(func(r *sql.Rows) error {
		var class journal.Class
		var at int64
		err := r.Scan(&class, &at)
		horizon[class] = micros(at)
		return err
	}, `SELECT class, at FROM horizons`); err != nil {
		return err
	}
	first, last, oldest, err := m.ends("events", "seq", "recorded_at")
	if err != nil {
		return err
	}
	classes := []journal.Class{journal.ClassMeter, journal.ClassHistory, journal.ClassSecurity, journal.ClassForever}
	if last < first {
		for _, c := range classes {
			u.Classes = append(u.Classes, ClassUsage{Class: c})
		}
		return nil
	}
	type tally struct{ rows, bytes, recent float64 }
	sums := make(map[journal.Class]*tally)
	since := make(map[journal.Class]time.Time)
	for _, c := range classes {
		sums[c] = &tally{}
		since[c] = later(later(m.now.Add(-measureOver), micros(oldest)), horizon[c])
	}
	const query = `SELECT kind, at, recorded_at, octet_length(body) + coalesce(octet_length(quirks), 0) FROM events WHERE seq >= ? AND seq < ?`
	// Growth is measured by when things happened: a history that was brought in
	// at once is no growth.
	row := func(add func(*tally, float64, bool)) func(*sql.Rows) error {
		return func(r *sql.Rows) error {
			var kind, at, recorded, size int64
			if err := r.Scan(&kind, &at, &recorded, &size); err != nil {
				return err
			}
			c := journal.ClassOf(kinds[kind])
			bytes := float64(size + rowBytes)
			if c != journal.ClassMeter {
				bytes += indexBytes
			}
			add(sums[c], bytes, micros(at).After(since[c]) && micros(recorded).After(since[c]))
			return nil
		}
	}
	weight, err := m.sample(query, first, last, row(func(t *tally, bytes float64, _ bool) {
		t.rows++
		t.bytes += bytes
	}))
	if err != nil {
		return err
	}
	from, err := seqBefore(m.ctx, m.db, m.now.Add(-measureOver))
	if err != nil {
		return err
	}
	recent, err := m.sample(query, max(first, int64(from)+1), last, row(func(t *tally, bytes float64, new bool) {
		if new {
			t.recent += bytes
		}
	}))
	if err != nil {
		return err
	}
	for _, c := range classes {
		t := sums[c]
		x := ClassUsage{Class: c, Rows: int64(t.rows * weight), Bytes: int64(t.bytes * weight)}
		if x.Rows > 0 {
			x.OldestAt = later(micros(oldest), horizon[c])
		}
		x.grow(t.recent*recent, m.now.Sub(since[c]))
		u.Classes = append(u.Classes, x)
	}
	return nil
}

func (x *ClassUsage) grow(bytes float64, over time.Duration) {
	if over >= MeasureFrom {
		x.PerDay, x.Over = bytes/over.Hours()*24, over
	}
}

func (m *measure) sessions(u *Usage) error {
	first, last, oldest, err := m.ends("sessions", "n", "started_at")
	if err != nil || last < first {
		return err
	}
	since := later(m.now.Add(-measureOver), micros(oldest))
	rows, bytes, recent := 0.0, 0.0, 0.0
	weight, err := m.sample(`SELECT started_at, octet_length(data) FROM sessions WHERE n >= ? AND n < ?`, first, last, func(r *sql.Rows) error {
		var at, size int64
		err := r.Scan(&at, &size)
		rows++
		bytes += float64(size + sessionBytes)
		if micros(at).After(since) {
			recent += float64(size + sessionBytes)
		}
		return err
	})
	if err != nil {
		return err
	}
	x := &u.Sessions
	x.Rows, x.Bytes, x.OldestAt = int64(rows*weight), int64(bytes*weight), micros(oldest)
	x.grow(recent*weight, m.now.Sub(since))
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
