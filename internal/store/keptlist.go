package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// KeptLists are the stations that have a list by us, each with what its settings were
// before they were changed to go by it.
func (s *Store) KeptLists(ctx context.Context) (map[string]map[string]string, error) {
	out := make(map[string]map[string]string)
	err := s.query(ctx, "kept lists", `SELECT station, was FROM kept_lists`, nil, func(r *sql.Rows) error {
		var station, was string
		if err := r.Scan(&station, &was); err != nil {
			return err
		}
		settings := make(map[string]string)
		out[station] = settings
		return json.Unmarshal([]byte(was), &settings)
	})
	return out, err
}

// KeepList notes that a station has a list by us, and what settings of it were before.
// What was noted before stays.
func (s *Store) KeepList(ctx context.Context, station string, was map[string]string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		have, text := make(map[string]string), "{}"
		err := tx.QueryRow(`SELECT was FROM kept_lists WHERE station = ?`, station).Scan(&text)
		if err == nil {
			err = json.Unmarshal([]byte(text), &have)
		} else if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("read a kept list: %w", err)
		}
		all := maps.Clone(was)
		if all == nil {
			all = make(map[string]string)
		}
		maps.Copy(all, have)
		b, err := json.Marshal(all)
		if err != nil {
			return fmt.Errorf("write a kept list: %w", err)
		}
		if _, err := tx.Exec(`INSERT INTO kept_lists (station, since, was) VALUES (?,?,?) ON CONFLICT (station) DO UPDATE SET was = excluded.was`,
			station, millis(s.now()), string(b)); err != nil {
			return fmt.Errorf("write a kept list: %w", err)
		}
		return nil
	})
}

// DropList notes that a station has no list by us any more.
func (s *Store) DropList(ctx context.Context, station string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM kept_lists WHERE station = ?`, station); err != nil {
			return fmt.Errorf("drop a kept list: %w", err)
		}
		return nil
	})
}
