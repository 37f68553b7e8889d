package history

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Ports lists the ports of sites; nil is all sites.
func (s *Store) Ports(ctx context.Context, sites []string) ([]rollup.Port, error) {
	where, args, err := among("site", sites)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, site, station, evse, owner <> '', rated_w, current FROM port WHERE `+where+` ORDER BY site, station, evse, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("find ports: %w", err)
	}
	var out []rollup.Port
	err = each(rows, func() error {
		var p rollup.Port
		err := rows.Scan(&p.ID, &p.Site, &p.Station, &p.EVSE, &p.Past, &p.RatedW, &p.Current)
		out = append(out, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	return out, nil
}

// among is the condition that a column is one of some values; nil is no
// condition.
func among(column string, values []string) (string, []any, error) {
	if values == nil {
		return "1", nil, nil
	}
	list, err := json.Marshal(values)
	if err != nil {
		return "", nil, fmt.Errorf("name sites: %w", err)
	}
	return column + ` IN (SELECT value FROM json_each(?))`, []any{string(list)}, nil
}

// Known is the first and the last day of which anything is known at sites, the
// zero times if there is none.
func (s *Store) Known(ctx context.Context, sites []string) (from, to time.Time, err error) {
	where, args, err := among("site", sites)
	if err != nil {
		return from, to, err
	}
	var first, last sql.NullInt64
	// Of each site by its index; a walk over all days would take seconds.
	err = s.db.read.QueryRowContext(ctx, `SELECT min((SELECT min(day) FROM site_day d WHERE d.site = p.site)), max((SELECT max(day) FROM site_day d WHERE d.site = p.site))
		FROM (SELECT DISTINCT site FROM port WHERE `+where+`) p`, args...).Scan(&first, &last)
	if err != nil {
		return from, to, fmt.Errorf("find the known time: %w", err)
	}
	if !first.Valid || !last.Valid {
		return from, to, nil
	}
	return beginOf(first.Int64), beginOf(last.Int64 + 1), nil
}

// Days calls yield with the days of sites that touch a time, each site's in
// order; nil is all sites.
func (s *Store) Days(ctx context.Context, sites []string, from, to time.Time, yield func(site string, d *rollup.PlaceDay) error) error {
	where, args, err := among("site", sites)
	if err != nil {
		return err
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT d.site, d.day, d.data FROM (SELECT DISTINCT site FROM port WHERE `+where+` ORDER BY site) p
		CROSS JOIN site_day d ON d.site = p.site AND d.day >= ? AND d.day < ?`, append(args, dayOf(from), dayAfter(to))...)
	if err != nil {
		return fmt.Errorf("find days: %w", err)
	}
	return each(rows, func() error {
		var site string
		var day int64
		var data sql.RawBytes
		if err := rows.Scan(&site, &day, &data); err != nil {
			return fmt.Errorf("read days: %w", err)
		}
		d, err := rollup.ReadPlace(beginOf(day), data)
		if err != nil {
			return fmt.Errorf("site %s on %s: %w", site, beginOf(day).Format(time.DateOnly), err)
		}
		return yield(site, d)
	})
}

// dayAfter is the first day that begins at a time or after it.
func dayAfter(t time.Time) int64 {
	d := dayOf(t)
	if beginOf(d).Equal(t) {
		return d
	}
	return d + 1
}

// PortDays calls yield with the days of ports that touch a time, each port's in
// order.
func (s *Store) PortDays(ctx context.Context, ports []rollup.Port, from, to time.Time, yield func(p *rollup.Port, d *rollup.PortDay) error) error {
	for i := range ports {
		p := &ports[i]
		rows, err := s.db.read.QueryContext(ctx, `SELECT day, data FROM port_day WHERE port = ? AND day >= ? AND day < ? ORDER BY day`, p.ID, dayOf(from), dayAfter(to))
		if err != nil {
			return fmt.Errorf("find days of a port: %w", err)
		}
		if err := each(rows, func() error {
			var day int64
			var data sql.RawBytes
			if err := rows.Scan(&day, &data); err != nil {
				return fmt.Errorf("read days of a port: %w", err)
			}
			d, err := rollup.ReadPort(beginOf(day), data)
			if err != nil {
				return fmt.Errorf("station %s, EVSE %d on %s: %w", p.Station, p.EVSE, beginOf(day).Format(time.DateOnly), err)
			}
			return yield(p, d)
		}); err != nil {
			return err
		}
	}
	return nil
}

// maxCells bounds an answer: three years of quarter hours.
const maxCells = 3 * 366 * 96

// Series is what a site did in equal steps from a time on, which are whole
// quarter hours. Steps in which nothing was known of it are absent.
func (s *Store) Series(ctx context.Context, site string, from, to time.Time, step time.Duration) ([]rollup.Point, error) {
	if step < rollup.CellLength || step%rollup.CellLength != 0 {
		return nil, fmt.Errorf("steps of %s are not whole quarter hours", step)
	}
	g := rollup.NewGrid(from, to)
	if len(g.Cells) > maxCells {
		return nil, fmt.Errorf("%d quarter hours, at most %d", len(g.Cells), maxCells)
	}
	if err := s.Days(ctx, []string{site}, from, to, func(_ string, d *rollup.PlaceDay) error {
		g.Add(d)
		return nil
	}); err != nil {
		return nil, err
	}
	return g.Points(rollup.Every(step)), nil
}

// Sessions lists what began at a site between two times, by their begin.
func (s *Store) Sessions(ctx context.Context, site string, from, to time.Time) ([]rollup.Session, error) {
	ports, err := s.Ports(ctx, []string{site})
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*rollup.Port, len(ports))
	for i := range ports {
		byID[ports[i].ID] = &ports[i]
	}
	var out []rollup.Session
	err = s.Days(ctx, []string{site}, from, to, func(_ string, d *rollup.PlaceDay) error {
		for i := range d.Visits {
			v := &d.Visits[i]
			p := byID[v.Port]
			if p == nil || v.Start.Before(from) || !v.Start.Before(to) {
				continue
			}
			v.Station, v.EVSE = p.Station, p.EVSE
			out = append(out, v.Session)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b rollup.Session) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Station, b.Station), cmp.Compare(a.EVSE, b.EVSE))
	})
	return out, err
}

// Report is the outcome of Verify.
type Report struct {
	Ports, Days int
	Faults      []error
}

// Verify reads every day that is kept, and checks the file with SQLite's own
// means.
func (s *Store) Verify(ctx context.Context) (Report, error) {
	var r Report
	var said string
	if err := s.db.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&said); err != nil {
		return r, fmt.Errorf("check %s: %w", FileName, err)
	}
	if said != "ok" {
		r.Faults = append(r.Faults, fmt.Errorf("%s: %s", FileName, said))
		return r, nil
	}
	ports, err := s.Ports(ctx, nil)
	if err != nil {
		return r, err
	}
	r.Ports = len(ports)
	for i := range ports {
		if err := s.PortDays(ctx, ports[i:i+1], time.Unix(0, 0), s.o.Now().AddDate(1, 0, 0), func(*rollup.Port, *rollup.PortDay) error {
			r.Days++
			return nil
		}); err != nil {
			r.Faults = append(r.Faults, err)
		}
	}
	if err := s.Days(ctx, nil, time.Unix(0, 0), s.o.Now().AddDate(1, 0, 0), func(string, *rollup.PlaceDay) error {
		r.Days++
		return nil
	}); err != nil {
		r.Faults = append(r.Faults, err)
	}
	return r, nil
}

// Backup writes a copy of the file as of one moment; nothing waits for it.
func (s *Store) Backup(ctx context.Context, path string) error {
	conn, err := s.db.read.Conn(ctx)
	if err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	defer conn.Close()
	// The connections of the pool may only query.
	if _, err := conn.ExecContext(ctx, `PRAGMA query_only(0)`); err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	_, err = conn.ExecContext(ctx, `VACUUM INTO ?`, path)
	if _, off := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA query_only(1)`); err == nil {
		err = off
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	return nil
}
