package telemetry

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// retire deletes the closed prefix that is too old or too much, whole days at
// a time, and records the horizon before it does.
func (s *Store) retire(ctx context.Context, now time.Time) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if !s.retired.IsZero() && now.Sub(s.retired) < time.Hour {
		return nil
	}
	oldest, oldestDay, err := s.oldest(ctx)
	if err != nil {
		return err
	}
	horizon := floorDiv(now.Add(-s.o.KeepFor).Unix(), 86400)
	used, err := s.db.usedBytes(ctx)
	if err != nil {
		return err
	}
	if used > s.o.KeepBytes && oldest != noHour {
		horizon = max(horizon, floorDiv(oldest, 24)+1)
	}
	// The days that are written to now stay, however small the limit.
	horizon = min(horizon, floorDiv(now.Unix(), 86400)-1)
	if oldest != noHour && oldest < horizon*24 {
		if err := s.forget(ctx, "horizon", horizon*24, `DELETE FROM block WHERE port = ? AND hour < ?`); err != nil {
			return err
		}
		s.horizon.Store(horizon * 24)
		s.log.InfoContext(ctx, "telemetry blocks expired", "before", time.Unix(horizon*86400, 0).UTC(), "usedBytes", used)
	}
	dayHorizon := floorDiv(now.Add(-s.o.KeepDays).Unix(), 86400)
	if oldestDay != noHour && oldestDay < dayHorizon {
		if err := s.forget(ctx, "dayHorizon", dayHorizon, `DELETE FROM daily WHERE port = ? AND day < ?`); err != nil {
			return err
		}
		s.dayHorizon.Store(dayHorizon)
	}
	// More to delete by size waits for the next tick, not for the next hour.
	if used <= s.o.KeepBytes || oldest == noHour || oldest >= (floorDiv(now.Unix(), 86400)-1)*24 {
		s.retired = now
	}
	return nil
}

// oldest finds the first hour with a block and the first day, by port, along
// the indexes.
func (s *Store) oldest(ctx context.Context) (hour, day int64, err error) {
	var h, d sql.NullInt64
	err = s.db.write.QueryRowContext(ctx, `SELECT min((SELECT min(hour) FROM block WHERE port = port.id)),
		min((SELECT min(day) FROM daily WHERE port = port.id)) FROM port`).Scan(&h, &d)
	if err != nil {
		return 0, 0, fmt.Errorf("find oldest block: %w", err)
	}
	hour, day = noHour, noHour
	if h.Valid {
		hour = h.Int64
	}
	if d.Valid {
		day = d.Int64
	}
	return hour, day, nil
}

// forget records the horizon and deletes what lies before it, some ports per
// transaction; a crash in between is finished by the next call.
func (s *Store) forget(ctx context.Context, name string, horizon int64, query string) error {
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO state(name, value) VALUES(?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`, name, horizon)
		return err
	})
	if err != nil {
		return fmt.Errorf("record horizon: %w", err)
	}
	ids := make([]int64, 0, len(s.byID))
	for id := range s.byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for some := range slices.Chunk(ids, s.o.SealPorts) {
		err := s.db.tx(ctx, func(tx *sql.Tx) error {
			for _, id := range some {
				if _, err := tx.ExecContext(ctx, query, id, horizon); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("delete what expired: %w", err)
		}
	}
	if _, err := s.db.write.ExecContext(ctx, `PRAGMA incremental_vacuum(4096)`); err != nil {
		return fmt.Errorf("shrink the file: %w", err)
	}
	return nil
}
