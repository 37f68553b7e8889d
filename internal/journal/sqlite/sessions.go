package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Sessions lists sessions, newest first by their start.
func (s *Store) Sessions(ctx context.Context, q journal.SessionQuery) ([]*fleet.Session, journal.Cursor, error) {
	limit := journal.Limit(q.Limit)
	end, err := before(q.Before)
	if err != nil {
		return nil, "", err
	}
	where := []string{`started_at <= ?`, `(started_at < ? OR n < ?)`}
	args := []any{end.at, end.at, end.seq}
	add := func(cond string, values ...any) {
		where = append(where, cond)
		args = append(args, values...)
	}
	if q.Station != "" {
		id, ok := s.stationID(q.Station)
		if !ok {
			return nil, "", nil
		}
		add(`station = ?`, id)
	}
	if q.Active != nil {
		if *q.Active {
			add(`active = 1`)
		} else {
			add(`active = 0`)
		}
	}
	if q.TokenID != "" {
		add(`token = ?`, q.TokenID)
	}
	if !q.To.IsZero() {
		add(`started_at < ?`, q.To.UnixMicro())
	}
	if !q.From.IsZero() {
		add(`(ended_at IS NULL OR ended_at >= ?)`, q.From.UnixMicro())
		if q.Active == nil || !*q.Active { // open ones are few and have an index
			longest := journal.LongSession
			if q.Station != "" || q.TokenID != "" {
				longest = journal.LongSessionOfOne
			}
			add(`started_at >= ?`, q.From.Add(-longest).UnixMicro())
		}
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT started_at, n, data FROM sessions WHERE `+strings.Join(where, ` AND `)+
		` ORDER BY started_at DESC, n DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("find sessions: %w", err)
	}
	var list []*fleet.Session
	var places []place
	err = each(rows, func() error {
		var p place
		var data sql.RawBytes
		if err := rows.Scan(&p.at, &p.seq, &data); err != nil {
			return err
		}
		one := new(fleet.Session)
		places, list = append(places, p), append(list, one)
		return json.Unmarshal(data, one)
	})
	if err != nil {
		return nil, "", fmt.Errorf("read sessions: %w", err)
	}
	if len(list) > limit {
		return list[:limit], places[limit-1].cursor(), nil
	}
	return list, "", nil
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
