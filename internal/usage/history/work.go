package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	slice      = 50 * time.Millisecond // of work, before it rests
	idle       = 500 * time.Millisecond
	lookEvery  = 10 * time.Second // at imports
	atOnce     = 31               // days of a unit
	sumAtOnce  = 32               // days of sites
	settled    = 2 * time.Hour    // after its end a day is counted for the last time
	hurry      = 20 * time.Second // for so long a new file is counted without a rest
	gatherTime = 5 * time.Second  // days of sites wait so long for more ports while the past is counted
)

// worker is what the counting goroutine knows.
type worker struct {
	*Store
	today  []unit // that are counted now
	dayDue time.Time
	look   time.Time
	round  int64 // newest day of what was counted last
	summed time.Time
	kept   int64 // day on which what is too old was last forgotten
	behind bool
}

// work counts what is due until ctx ends. A failure is told and tried again.
func (s *Store) work(ctx context.Context) {
	w := &worker{Store: s, summed: s.o.Now()}
	began := time.Now()
	for {
		start := time.Now()
		busy, err := w.slice(ctx, start)
		rest := idle
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.ErrorContext(ctx, "usage could not be counted and is tried again", "err", err)
			rest = lookEvery
		case busy && s.fresh && time.Since(began) < hurry:
			rest = 0 // somebody is looking at it for the first time
		case busy:
			rest = max(time.Millisecond, time.Duration(float64(time.Since(start))*s.o.Rest))
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
	}
}

// Settle counts until nothing waits, for those who do not Run: checks and
// measurements.
func (s *Store) Settle(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	w := &worker{Store: s}
	for {
		busy, err := w.slice(ctx, time.Now())
		if err != nil || !busy {
			return errors.Join(err, ctx.Err())
		}
	}
}

// slice works for a moment and reports whether there is more to do.
func (w *worker) slice(ctx context.Context, start time.Time) (bool, error) {
	for {
		more, err := w.step(ctx)
		if err != nil || !more {
			return false, err
		}
		if time.Since(start) >= slice || ctx.Err() != nil {
			return true, ctx.Err()
		}
	}
}

func (w *worker) step(ctx context.Context) (bool, error) {
	now := w.o.Now()
	if len(w.today) == 0 && (w.dayDue.IsZero() || !now.Before(w.dayDue)) {
		w.today, w.dayDue = w.due(now), now.Add(w.o.Today)
	}
	if n := len(w.today); n > 0 {
		u := w.today[n-1]
		w.today = w.today[:n-1]
		if err := w.countToday(ctx, u, now); err != nil {
			return false, err
		}
		if n > 1 {
			return true, nil
		}
		_, err := w.sum(ctx, sumAtOnce) // today of the sites comes first
		return true, err
	}
	if w.look.IsZero() || now.Sub(w.look) >= lookEvery {
		w.look = now
		if err := errors.Join(w.lookAtImports(ctx), w.keepCursor(ctx), w.retire(ctx, now)); err != nil {
			return false, err
		}
	}
	return w.past(ctx, now)
}

// due lists whose today is counted now: what changed, and now and then all.
func (w *worker) due(now time.Time) []unit {
	if w.whole.IsZero() || now.Sub(w.whole) >= w.o.Whole {
		w.whole = now
		w.changeAll()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]unit, 0, len(w.changed))
	for u := range w.changed {
		out = append(out, u)
	}
	clear(w.changed)
	// By site, so that its days are added up once.
	snap := w.o.Journal.Snapshot()
	site := func(u unit) string {
		if st, ok := snap.Station(u.station); ok {
			return st.SiteID
		}
		return ""
	}
	slices.SortFunc(out, func(a, b unit) int {
		if c := strings.Compare(site(a), site(b)); c != 0 {
			return c
		}
		return strings.Compare(a.station, b.station)
	})
	return out
}

// countToday counts a unit from the day on that was counted last.
func (w *worker) countToday(ctx context.Context, u unit, now time.Time) error {
	today := dayOf(now)
	from, known := w.counted[u]
	if !known {
		from = today
	}
	from = min(from, dayOf(now.Add(-settled)))
	if today-from > atOnce { // we were away for long
		if err := w.db.tx(ctx, func(tx *sql.Tx) error { return (mark{u, from, today}).store(ctx, tx) }); err != nil {
			return fmt.Errorf("mark days that we missed: %w", err)
		}
		from = today
	}
	if err := w.count(ctx, u, min(from, today), today+1, func(*sql.Tx) error { return nil }); err != nil {
		return fmt.Errorf("count today of station %s: %w", u.station, err)
	}
	w.counted[u] = today
	return nil
}

// past counts a piece of what is marked, newest days first.
func (w *worker) past(ctx context.Context, now time.Time) (bool, error) {
	var u unit
	var from, to, marks int64
	err := w.db.read.QueryRowContext(ctx, `SELECT owner, station, from_day, to_day, marks FROM dirty ORDER BY to_day DESC, station LIMIT 1`).
		Scan(&u.owner, &u.station, &from, &to, &marks)
	none := errors.Is(err, sql.ErrNoRows)
	if err != nil && !none {
		return false, fmt.Errorf("find what to count: %w", err)
	}
	// What was measured must have arrived before a day is counted for good.
	waits := w.o.Curves != nil && w.o.Curves.Consumed() < w.marked.Load()
	if none || waits || w.round != to || now.Sub(w.summed) > gatherTime {
		n, err := w.sum(ctx, sumAtOnce)
		if err != nil || n > 0 {
			return n > 0, err
		}
		w.summed, w.round = now, to
	}
	if err := w.report(ctx, none); err != nil || none || waits {
		return false, err
	}
	first := max(from, to-atOnce)
	err = w.count(ctx, u, first, to, func(tx *sql.Tx) error {
		w.crash("counted")
		if _, err := tx.ExecContext(ctx, `UPDATE dirty SET to_day = ? WHERE owner = ? AND station = ? AND from_day = ? AND marks = ?`, first, u.owner, u.station, from, marks); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM dirty WHERE owner = ? AND station = ? AND to_day <= from_day`, u.owner, u.station)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("count days of station %s: %w", u.station, err)
	}
	w.crash("stored")
	return true, nil
}

// retire forgets days that are older than they are kept, once a day.
func (w *worker) retire(ctx context.Context, now time.Time) error {
	today := dayOf(now)
	if w.kept == today {
		return nil
	}
	before := today - int64(w.o.KeepDays)
	err := w.db.tx(ctx, func(tx *sql.Tx) error {
		// Of each port by its index; a walk over all days would take long.
		if _, err := tx.ExecContext(ctx, `DELETE FROM port_day WHERE (port, day) IN
			(SELECT d.port, d.day FROM port p CROSS JOIN port_day d ON d.port = p.id AND d.day < ?)`, before); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM site_day WHERE (site, day) IN
			(SELECT d.site, d.day FROM (SELECT DISTINCT site FROM port) p CROSS JOIN site_day d ON d.site = p.site AND d.day < ?)`, before)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget old days: %w", err)
	}
	w.kept = today
	return nil
}

// report keeps the number of days that wait, and says when there are none any
// more.
func (w *worker) report(ctx context.Context, none bool) error {
	days := int64(0)
	if !none {
		if err := w.db.read.QueryRowContext(ctx, `SELECT coalesce(sum(to_day - from_day), 0) FROM dirty`).Scan(&days); err != nil {
			return fmt.Errorf("count what waits: %w", err)
		}
	}
	const many = 1000
	switch was := w.progress.Swap(days); {
	case !w.behind && days >= many && was < many:
		w.behind = true
		w.log.InfoContext(ctx, "usage of the past is being counted", "days", days)
	case w.behind && days == 0:
		w.behind = false
		w.log.InfoContext(ctx, "usage of the past is counted")
	}
	return nil
}

// lookAtImports marks what imports have changed since we looked.
func (w *worker) lookAtImports(ctx context.Context) error {
	now, err := w.importsNow(ctx)
	if err != nil {
		return err
	}
	seen := make(map[int64]int64)
	rows, err := w.db.read.QueryContext(ctx, `SELECT id, changed_at FROM import`)
	if err != nil {
		return fmt.Errorf("read imports: %w", err)
	}
	if err := each(rows, func() error {
		var id, at int64
		err := rows.Scan(&id, &at)
		seen[id] = at
		return err
	}); err != nil {
		return fmt.Errorf("read imports: %w", err)
	}
	for id, x := range now {
		if at, ok := seen[id]; ok && at == x.at || x.moving {
			continue
		}
		if err := w.markImport(ctx, id, x.at, x.gone); err != nil {
			return err
		}
	}
	for id := range seen {
		if _, ok := now[id]; !ok {
			if err := w.markImport(ctx, id, 0, true); err != nil {
				return err
			}
		}
	}
	return nil
}

type imported struct {
	at           int64
	moving, gone bool
}

func (w *worker) importsNow(ctx context.Context) (map[int64]imported, error) {
	out := make(map[int64]imported)
	rows, err := w.o.DB.Reader().QueryContext(ctx, `SELECT id, changed_at, state FROM past_import WHERE state <> 'staged'`)
	if err != nil {
		return nil, fmt.Errorf("find imports: %w", err)
	}
	if err := each(rows, func() error {
		var id int64
		var x imported
		var state string
		err := rows.Scan(&id, &x.at, &state)
		x.moving, x.gone = state == "running" || state == "undoing", state == "undone"
		out[id] = x
		return err
	}); err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	return out, nil
}

// markImport marks the days that an import tells of. Of one that is gone nobody
// knows any more which they were: all that only imports told is counted again.
func (w *worker) markImport(ctx context.Context, id, at int64, gone bool) error {
	var marks []mark
	if gone {
		rows, err := w.db.read.QueryContext(ctx, `SELECT owner, station, min(day), max(day) FROM port JOIN port_day ON port_day.port = port.id
			WHERE live = 0 OR owner <> '' GROUP BY owner, station`)
		if err != nil {
			return fmt.Errorf("find imported days: %w", err)
		}
		if err := each(rows, func() error {
			var m mark
			err := rows.Scan(&m.owner, &m.station, &m.from, &m.to)
			m.to++
			marks = append(marks, m)
			return err
		}); err != nil {
			return fmt.Errorf("read imported days: %w", err)
		}
	} else {
		rows, err := w.o.DB.Reader().QueryContext(ctx, `SELECT site_id, station_id, min(first_at), max(last_at) FROM (
			SELECT site_id, station_id, first_at, last_at FROM past_evse WHERE import_id = ?1
			UNION ALL SELECT site_id, station_id, start_at, end_at FROM past_session WHERE import_id = ?1) GROUP BY site_id, station_id`, id)
		if err != nil {
			return fmt.Errorf("find an import: %w", err)
		}
		snap := w.o.Journal.Snapshot()
		if err := each(rows, func() error {
			var u unit
			var first, last int64
			if err := rows.Scan(&u.owner, &u.station, &first, &last); err != nil {
				return err
			}
			if st, ok := snap.Station(u.station); ok && st.SiteID == u.owner {
				u.owner = ""
			}
			marks = append(marks, mark{u, dayOf(time.UnixMilli(first)), dayOf(time.UnixMilli(last)) + 1})
			return nil
		}); err != nil {
			return fmt.Errorf("read an import: %w", err)
		}
	}
	err := w.db.tx(ctx, func(tx *sql.Tx) error {
		for _, m := range marks {
			if err := m.store(ctx, tx); err != nil {
				return err
			}
		}
		if at == 0 {
			_, err := tx.ExecContext(ctx, `DELETE FROM import WHERE id = ?`, id)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO import(id, changed_at) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET changed_at = excluded.changed_at`, id, at)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark an import: %w", err)
	}
	return nil
}
