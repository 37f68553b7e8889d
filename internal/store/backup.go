package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
)

const backupAt = "backup.at"

// NoteBackup remembers that a backup was finished, so that the server can say
// how old the newest is. The command that makes one has no open Store.
func NoteBackup(ctx context.Context, db *coredb.DB, at time.Time) error {
	return db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, backupAt, at.UTC().Format(time.RFC3339)); err != nil {
			return fmt.Errorf("note the backup: %w", err)
		}
		return nil
	})
}

// BackupAt is when the newest backup was finished, zero if none is known.
func (s *Store) BackupAt(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := s.query(ctx, "settings", `SELECT value FROM settings WHERE name = ?`, []any{backupAt}, func(r *sql.Rows) error {
		var text string
		if err := r.Scan(&text); err != nil {
			return err
		}
		var err error
		at, err = time.Parse(time.RFC3339, text)
		return err
	})
	return at, err
}
