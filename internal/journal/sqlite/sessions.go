package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// manySites is from where on sessions of some sites are found by walking the
// time instead of each site's own sessions.
const manySites = 200

// Sessions lists sessions, newest first by their start.
func (s *Store) Sessions(ctx context.Context, q journal.SessionQuery) ([]*fleet.Session, journal.Cursor, error) {
	limit := journal.Limit(q.Limit)
	end, err := before(q.Before)
	if err != nil {
		return nil, "", err
	}
	if q.Sites != nil && len(q.Sites) == 0 {
		return nil, "", nil
	}
	f := filter{where: []string{`started_at <= ?`, `(started_at < ? OR n < ?)`}, args: []any{end.at, end.at, end.seq}}
	if q.Station != "" {
		id, ok := s.stationID(q.Station)
		if !ok {
			return nil, "", nil
		}
		f.add(`station = ?`, id)
	}
	f.sessions(q)
	narrow := q.Station != "" || q.TokenID != "" || q.Transaction != "" || q.Flagged || q.Active != nil && *q.Active
	var found []row
	switch {
	case q.Sites == nil:
		found, err = s.readSessions(ctx, ``, f, limit+1)
	case narrow || len(q.Sites) > manySites:
		sites, err := json.Marshal(q.Sites)
		if err != nil {
			return nil, "", fmt.Errorf("find sessions: %w", err)
		}
		f.add(`+site IN (SELECT value FROM json_each(?))`, string(sites))
		if found, err = s.readSessions(ctx, ``, f, limit+1); err != nil {
			return nil, "", err
		}
	default:
		found, err = s.sessionsOfSites(ctx, q.Sites, f, limit+1)
	}
	if err != nil {
		return nil, "", err
	}
	next := journal.Cursor("")
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].cursor()
	}
	list := make([]*fleet.Session, len(found))
	for i, r := range found {
		list[i] = new(fleet.Session)
		if err := json.Unmarshal(r.data, list[i]); err != nil {
			return nil, "", fmt.Errorf("read sessions: %w", err)
		}
	}
	return list, next, nil
}

// filter is a condition that grows.
type filter struct {
	where []string
	args  []any
}

func (f *filter) add(cond string, values ...any) {
	f.where = append(f.where, cond)
	f.args = append(f.args, values...)
}

func (f *filter) sessions(q journal.SessionQuery) {
	if q.Active != nil {
		if *q.Active {
			f.add(`active = 1`)
		} else {
			f.add(`active = 0`)
		}
	}
	if q.Flagged {
		f.add(`flagged = 1`)
	}
	if q.TokenID != "" {
		f.add(`token = ?`, q.TokenID)
	}
	if q.Transaction != "" {
		f.add(`transaction_id = ?`, q.Transaction)
	}
	if !q.To.IsZero() {
		f.add(`started_at < ?`, q.To.UnixMicro())
	}
	if !q.From.IsZero() {
		f.add(`(ended_at IS NULL OR ended_at >= ?)`, q.From.UnixMicro())
		if q.Active == nil || !*q.Active { // open ones are few and have an index
			longest := journal.LongSession
			if q.Station != "" || q.TokenID != "" {
				longest = journal.LongSessionOfOne
			}
			f.add(`started_at >= ?`, q.From.Add(-longest).UnixMicro())
		}
	}
}

// row is a session as it is stored.
type row struct {
	place
	data []byte
}

func (s *Store) readSessions(ctx context.Context, index string, f filter, limit int) ([]row, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT started_at, n, data FROM sessions `+index+` WHERE `+
		strings.Join(f.where, ` AND `)+` ORDER BY started_at DESC, n DESC LIMIT ?`, append(slices.Clone(f.args), limit)...)
	if err != nil {
		return nil, fmt.Errorf("find sessions: %w", err)
	}
	var list []row
	err = each(rows, func() error {
		var r row
		err := rows.Scan(&r.at, &r.seq, &r.data)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return list, nil
}

// sessionsOfSites merges the newest of each site. What one site gave shortens
// the search at the next.
func (s *Store) sessionsOfSites(ctx context.Context, sites []string, f filter, limit int) ([]row, error) {
	var all []row
	for _, site := range sites {
		one := filter{where: append(slices.Clone(f.where), `site = ?`), args: append(slices.Clone(f.args), site)}
		if len(all) == limit {
			one.add(`started_at >= ?`, all[limit-1].at)
		}
		found, err := s.readSessions(ctx, `INDEXED BY sessions_by_site`, one, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		slices.SortFunc(all, func(a, b row) int { return newest(a.place, b.place) })
		all = all[:min(len(all), limit)]
	}
	return all, nil
}

// Session returns one session.
func (s *Store) Session(ctx context.Context, id string) (*fleet.Session, error) {
	var data []byte
	err := s.db.Reader().QueryRowContext(ctx, `SELECT data FROM sessions WHERE id = ?`, id).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("session %q: %w", id, journal.ErrNotFound)
	}
	one := new(fleet.Session)
	if err == nil {
		err = json.Unmarshal(data, one)
	}
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	return one, nil
}

// States lists the states of a port as known at a time.
func (s *Store) States(ctx context.Context, q journal.StateQuery) ([]fleet.Point, error) {
	station, ok := s.stationID(q.Station)
	if !ok {
		return nil, nil
	}
	known, to := int64(1<<63-1), int64(1<<63-1)
	if !q.KnownAt.IsZero() {
		known = q.KnownAt.UnixMicro()
	}
	if !q.To.IsZero() {
		to = q.To.UnixMicro()
	}
	from := int64(-1 << 63)
	if !q.From.IsZero() {
		err := s.db.Reader().QueryRowContext(ctx, `SELECT valid_from FROM points WHERE station = ? AND evse = ? AND valid_from <= ?
			AND known_at <= ? ORDER BY valid_from DESC LIMIT 1`, station, q.EVSE, q.From.UnixMicro(), known).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			from, err = q.From.UnixMicro(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("find the first state: %w", err)
		}
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT valid_from, seq, known_at, state FROM points
		WHERE station = ? AND evse = ? AND valid_from >= ? AND valid_from < ? AND known_at <= ? ORDER BY valid_from, seq`,
		station, q.EVSE, from, to, known)
	if err != nil {
		return nil, fmt.Errorf("find states: %w", err)
	}
	var list []fleet.Point
	err = each(rows, func() error {
		p := fleet.Point{Station: q.Station, EVSE: q.EVSE}
		var valid, knownAt int64
		if err := rows.Scan(&valid, &p.Seq, &knownAt, &p.State); err != nil {
			return err
		}
		p.ValidFrom, p.KnownAt = micros(valid), micros(knownAt)
		if n := len(list); n > 0 && list[n-1].ValidFrom.Equal(p.ValidFrom) {
			list[n-1] = p // told again, and the later telling counts
			return nil
		}
		list = append(list, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	return list, nil
}

// Observed lists when we were up.
func (s *Store) Observed(ctx context.Context, from, to time.Time) ([]journal.Interval, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT started_at, alive_at FROM server_runs
		WHERE alive_at >= ? AND started_at < ? ORDER BY seq`, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("find our runs: %w", err)
	}
	var list []journal.Interval
	err = each(rows, func() error {
		var start, alive int64
		err := rows.Scan(&start, &alive)
		list = append(list, journal.Interval{From: micros(start), To: micros(alive)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read our runs: %w", err)
	}
	return list, nil
}
