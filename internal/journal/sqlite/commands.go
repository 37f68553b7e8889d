package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/journal"
)

// Commands lists commands, newest first.
func (s *Store) Commands(ctx context.Context, q journal.CommandQuery) ([]journal.Command, journal.Cursor, error) {
	limit := journal.Limit(q.Limit)
	end, err := before(q.Before)
	if err != nil {
		return nil, "", err
	}
	where, args := `n < ?`, []any{end.seq}
	if q.Station != "" {
		id, ok := s.stationID(q.Station)
		if !ok {
			return nil, "", nil
		}
		where += ` AND station = ?`
		args = append(args, id)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT n, id, station, action, payload, requested_by, requested_at, deadline,
		status, response, error_code, description, late, finished_at FROM commands WHERE `+where+` ORDER BY n DESC LIMIT ?`,
		append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("find commands: %w", err)
	}
	var list []journal.Command
	var places []place
	err = each(rows, func() error {
		var c journal.Command
		var p place
		var station, at int64
		var deadline, finished sql.NullInt64
		var payload, response, code, text sql.NullString
		if err := rows.Scan(&p.seq, &c.ID, &station, &c.Action, &payload, &c.By, &at, &deadline,
			&c.Status, &response, &code, &text, &c.Late, &finished); err != nil {
			return err
		}
		k, err := s.nameOf(station)
		if err != nil {
			return err
		}
		c.Station = k.name
		c.At, c.Deadline, c.FinishedAt = micros(at), timeOf(deadline), timeOf(finished)
		c.Payload, c.Response = rawOf(payload), rawOf(response)
		c.ErrorCode, c.Description = code.String, text.String
		places, list = append(places, p), append(list, c)
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read commands: %w", err)
	}
	if len(list) > limit {
		return list[:limit], places[limit-1].cursor(), nil
	}
	return list, "", nil
}

func rawOf(v sql.NullString) json.RawMessage {
	if !v.Valid {
		return nil
	}
	return json.RawMessage(v.String)
}

// Conformance lists what was odd about a station's frames.
func (s *Store) Conformance(ctx context.Context, station string) ([]journal.Conformance, error) {
	where, args := `1`, []any{}
	if station != "" {
		id, ok := s.stationID(station)
		if !ok {
			return nil, nil
		}
		where, args = `station = ?`, []any{id}
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT station, vendor, model, firmware, code, count, first_at, last_at, example
		FROM conformance WHERE `+where+` ORDER BY last_at DESC LIMIT 10000`, args...)
	if err != nil {
		return nil, fmt.Errorf("find conformance: %w", err)
	}
	var list []journal.Conformance
	err = each(rows, func() error {
		var c journal.Conformance
		var id, first, last int64
		if err := rows.Scan(&id, &c.Vendor, &c.Model, &c.Firmware, &c.Code, &c.Count, &first, &last, &c.Example); err != nil {
			return err
		}
		k, err := s.nameOf(id)
		if err != nil {
			return err
		}
		c.Station = k.name
		c.FirstAt, c.LastAt = micros(first), micros(last)
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read conformance: %w", err)
	}
	return list, nil
}

// ProjectCursor returns how far a projection has come.
func (s *Store) ProjectCursor(ctx context.Context, name string) (journal.Cursor, error) {
	var c journal.Cursor
	err := s.db.Reader().QueryRowContext(ctx, `SELECT cursor FROM projections WHERE name = ?`, name).Scan((*string)(&c))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read cursor of %s: %w", name, err)
	}
	return c, nil
}

const intentFields = `key, station, action, payload, reason, cause, due, expires, state`

// Intents returns waiting intents that are due.
func (s *Store) Intents(ctx context.Context, due time.Time, limit int) ([]journal.Intent, error) {
	return s.intents(ctx, `state = 'waiting' AND due <= ? ORDER BY due, n LIMIT ?`, due.UnixMicro(), limit)
}

// StartedIntents returns intents that have no outcome.
func (s *Store) StartedIntents(ctx context.Context, limit int) ([]journal.Intent, error) {
	return s.intents(ctx, `state = 'started' ORDER BY n LIMIT ?`, limit)
}

func (s *Store) intents(ctx context.Context, where string, args ...any) ([]journal.Intent, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+intentFields+` FROM outbox WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("find intents: %w", err)
	}
	var list []journal.Intent
	err = each(rows, func() error {
		var in journal.Intent
		var due, expires int64
		err := rows.Scan(&in.Key, &in.Station, &in.Action, &in.Payload, &in.Reason, &in.Cause, &due, &expires, (*string)(&in.State))
		in.Due, in.Expires = micros(due), micros(expires)
		list = append(list, in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read intents: %w", err)
	}
	return list, nil
}
