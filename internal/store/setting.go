package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Setting returns a setting that people made, empty if none.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := s.db.Reader().QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read setting: %w", err)
	}
	return value, nil
}

// PutSetting changes a setting; empty removes it.
func (s *Store) PutSetting(ctx context.Context, by Actor, name, value string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		text, args := `INSERT INTO settings (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value`, []any{name, value}
		if value == "" {
			text, args = `DELETE FROM settings WHERE name = ?`, []any{name}
		}
		if _, err := tx.Exec(text, args...); err != nil {
			return fmt.Errorf("write setting: %w", err)
		}
		return s.audit(tx, by, "setting.change", "setting/"+name, map[string]any{"value": value})
	})
}
