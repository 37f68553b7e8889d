package coredb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Backup writes a copy of the file, complete as of one moment, to a path that
// must not exist. Reads and writes go on meanwhile.
func (db *DB) Backup(ctx context.Context, path string) error {
	// A connection of its own: those of the pool may only query.
	own, err := sql.Open("sqlite", dsn(db.path, copying))
	if err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	own.SetMaxOpenConns(1)
	_, err = own.ExecContext(ctx, `VACUUM INTO ?`, path)
	if err = errors.Join(err, own.Close()); err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	return nil
}
