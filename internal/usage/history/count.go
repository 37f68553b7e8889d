package history

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// written is a day as it is stored.
type written struct {
	live bool
	data []byte
}

// count counts some days of a unit again and stores what changed.
func (s *Store) count(ctx context.Context, u unit, from, to int64, done func(*sql.Tx) error) error {
	from = max(from, dayOf(s.o.Now())-int64(s.o.KeepDays))
	horizon := dayOf(s.o.Now().Add(-s.o.Journal.Kept().History)) + 2
	parts := []span{{max(from, horizon), to, true}, {from, min(to, horizon), false}}
	if u.owner != "" {
		parts = []span{{from, to, false}}
	}
	all := make([]*sources, len(parts))
	for i, p := range parts {
		if p.from >= p.to {
			continue
		}
		var err error
		if all[i], err = s.gather(ctx, u, p.from, p.to, p.live); err != nil {
			return err
		}
	}
	return s.db.tx(ctx, func(tx *sql.Tx) error {
		for i, x := range all {
			if x == nil {
				continue
			}
			for _, evse := range slices.Sorted(maps.Keys(x.accounts)) {
				if err := s.store(ctx, tx, u, x.site, x.accounts[evse], parts[i]); err != nil {
					return err
				}
			}
		}
		return done(tx)
	})
}

// span is some days that are counted with or without what we heard.
type span struct {
	from, to int64
	live     bool
}

func (s *Store) store(ctx context.Context, tx *sql.Tx, u unit, site string, a *account, p span) error {
	days := make(map[int64]written)
	for _, d := range rollup.Fold(&a.Track, beginOf(p.from), beginOf(p.to)) {
		if t := a.tries[dayOf(d.Begin)]; t != nil {
			d.Tries = *t
		}
		if live, any := a.tells(&d); any {
			days[dayOf(d.Begin)] = written{live, d.Append(nil)}
		}
	}
	port, err := s.port(ctx, tx, u, site, a, len(days) > 0)
	if err != nil || port == 0 {
		return err
	}
	had, err := s.had(ctx, tx, port, p)
	if err != nil {
		return err
	}
	for day := p.from; day < p.to; day++ {
		old, was := had[day]
		now, is := days[day]
		switch {
		case was && old.live && !p.live: // its sources are gone
			continue
		case !was && !is, was && is && old.live == now.live && bytes.Equal(old.data, now.data):
			continue
		case is:
			_, err = tx.ExecContext(ctx, `INSERT INTO port_day(port, day, live, data) VALUES(?, ?, ?, ?)
				ON CONFLICT(port, day) DO UPDATE SET live = excluded.live, data = excluded.data`, port, day, now.live, now.data)
		default:
			_, err = tx.ExecContext(ctx, `DELETE FROM port_day WHERE port = ? AND day = ?`, port, day)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO stale(site, day) VALUES(?, ?)`, site, day)
		}
		if err != nil {
			return fmt.Errorf("store a day: %w", err)
		}
		s.recounted.Add(1)
	}
	return nil
}

// tells reports whether anything is known of the port on a day, and whether we
// heard it ourselves.
func (a *account) tells(d *rollup.PortDay) (live, any bool) {
	end := d.Begin.Add(rollup.Day)
	live = len(a.States) > 0 && a.States[0].ValidFrom.Before(end)
	for i := range a.Stays {
		x := &a.Stays[i]
		if x.Start.Before(end) && (x.Open || !x.End.Before(d.Begin)) {
			live, any = live || !x.Imported, true
		}
	}
	for _, c := range a.Covered {
		any = any || c.From.Before(end) && c.To.After(d.Begin)
	}
	return live, any || live
}

func (s *Store) had(ctx context.Context, tx *sql.Tx, port int64, p span) (map[int64]written, error) {
	rows, err := tx.QueryContext(ctx, `SELECT day, live, data FROM port_day WHERE port = ? AND day >= ? AND day < ?`, port, p.from, p.to)
	if err != nil {
		return nil, fmt.Errorf("read days: %w", err)
	}
	out := make(map[int64]written)
	err = each(rows, func() error {
		var day int64
		var w written
		err := rows.Scan(&day, &w.live, &w.data)
		out[day] = w
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read days: %w", err)
	}
	return out, nil
}

// port finds the row of a port, makes it if it is wanted, and moves it to where
// its station is.
func (s *Store) port(ctx context.Context, tx *sql.Tx, u unit, site string, a *account, wanted bool) (int64, error) {
	var id int64
	var at, current string
	var rated float64
	err := tx.QueryRowContext(ctx, `SELECT id, site, rated_w, current FROM port WHERE owner = ? AND station = ? AND evse = ?`,
		u.owner, u.station, a.evse).Scan(&id, &at, &rated, &current)
	switch {
	case errors.Is(err, sql.ErrNoRows) && !wanted:
		return 0, nil
	case errors.Is(err, sql.ErrNoRows):
		r, err := tx.ExecContext(ctx, `INSERT INTO port(owner, station, evse, site, rated_w, current) VALUES(?, ?, ?, ?, ?, ?)`,
			u.owner, u.station, a.evse, site, a.ratedW, a.current)
		if err != nil {
			return 0, fmt.Errorf("add port: %w", err)
		}
		if u.owner == "" { // imports may have known it before
			if err := s.markPast(ctx, tx, u.station, site); err != nil {
				return 0, err
			}
		}
		return r.LastInsertId()
	case err != nil:
		return 0, fmt.Errorf("find port: %w", err)
	}
	if at != site {
		for _, where := range []string{at, site} {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO stale(site, day) SELECT ?, day FROM port_day WHERE port = ?`, where, id); err != nil {
				return 0, fmt.Errorf("move port: %w", err)
			}
			if err := s.markPast(ctx, tx, u.station, where); err != nil {
				return 0, err
			}
		}
	}
	if at != site || rated != a.ratedW || current != a.current {
		if _, err := tx.ExecContext(ctx, `UPDATE port SET site = ?, rated_w = ?, current = ? WHERE id = ?`, site, a.ratedW, a.current, id); err != nil {
			return 0, fmt.Errorf("move port: %w", err)
		}
	}
	return id, nil
}

// markPast has the imported days of a station counted where they belong now
// that it has come to a site or left it.
func (s *Store) markPast(ctx context.Context, tx *sql.Tx, station, where string) error {
	var first, last sql.NullInt64
	if err := s.o.DB.Reader().QueryRowContext(ctx, `SELECT min(first_at), max(last_at) FROM past_evse WHERE site_id = ? AND station_id = ?`,
		where, station).Scan(&first, &last); err != nil {
		return fmt.Errorf("find imported ports: %w", err)
	}
	if !first.Valid {
		return nil
	}
	from, to := dayOf(time.UnixMilli(first.Int64)), dayOf(time.UnixMilli(last.Int64))+1
	for _, u := range []unit{{owner: where, station: station}, {station: station}} {
		if err := (mark{u, from, to}).store(ctx, tx); err != nil {
			return fmt.Errorf("mark imported days: %w", err)
		}
	}
	return nil
}

// sum adds up days of sites whose ports have changed, the newest first, at most
// so many. It returns how many there were.
func (s *Store) sum(ctx context.Context, most int) (int, error) {
	n := 0
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT site, day FROM stale ORDER BY day DESC, site LIMIT ?`, most)
		if err != nil {
			return err
		}
		type place struct {
			site string
			day  int64
		}
		var list []place
		if err := each(rows, func() error {
			var p place
			err := rows.Scan(&p.site, &p.day)
			list = append(list, p)
			return err
		}); err != nil {
			return err
		}
		n = len(list)
		for _, p := range list {
			if err := s.sumDay(ctx, tx, p.site, p.day); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM stale WHERE site = ? AND day = ?`, p.site, p.day); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("add up the days of sites: %w", err)
	}
	return n, nil
}

func (s *Store) sumDay(ctx context.Context, tx *sql.Tx, site string, day int64) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, data FROM port JOIN port_day ON port_day.port = port.id WHERE port.site = ? AND day = ? ORDER BY id`, site, day)
	if err != nil {
		return err
	}
	var ports []*rollup.PortDay
	latest := int32(0)
	if err := each(rows, func() error {
		var id int64
		var data []byte
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		d, err := rollup.ReadPort(beginOf(day), data)
		if err != nil {
			return fmt.Errorf("port %d on %s: %w", id, beginOf(day).Format(time.DateOnly), err)
		}
		for i := range d.Visits {
			d.Visits[i].Port = id
		}
		ports = append(ports, d)
		latest = max(latest, d.Until)
		return nil
	}); err != nil {
		return err
	}
	if len(ports) == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM site_day WHERE site = ? AND day = ?`, site, day)
		return err
	}
	if day >= dayOf(s.o.Now()) { // a port that was not counted since has told nothing since
		for _, d := range ports {
			d.Until = latest
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO site_day(site, day, data) VALUES(?, ?, ?) ON CONFLICT(site, day) DO UPDATE SET data = excluded.data`,
		site, day, rollup.Together(ports).Append(nil))
	return err
}
