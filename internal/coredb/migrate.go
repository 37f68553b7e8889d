package coredb

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// The table has the name and the form that goose gave it, which wrote the first
// files: theirs are read on, and an older program still finds a newer file newer.
const versions = `CREATE TABLE IF NOT EXISTS goose_db_version (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version_id INTEGER NOT NULL,
	is_applied INTEGER NOT NULL,
	tstamp TIMESTAMP DEFAULT (datetime('now'))
)`

type migration struct {
	version int64
	name    string
}

// migrate brings a file to the newest schema: all that is missing in one
// transaction, in the order of the versions.
func migrate(ctx context.Context, db *sql.DB, in fs.FS, name string, newer error) error {
	list, err := listed(in)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	done, err := applied(ctx, db)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	newest := list[len(list)-1].version
	for have := range done {
		if have > newest {
			return fmt.Errorf("schema version %d, this program knows %d: %w", have, newest, newer)
		}
	}
	if len(missing(list, done)) == 0 {
		return nil
	}
	if err := Transact(ctx, db, func(tx *sql.Tx) error { return apply(ctx, tx, in, list) }); err != nil {
		return fmt.Errorf("migrate %s: %w", name, err)
	}
	return nil
}

func apply(ctx context.Context, tx *sql.Tx, in fs.FS, list []migration) error {
	if _, err := tx.ExecContext(ctx, versions); err != nil {
		return err
	}
	// Again, now that nobody else writes: another process may have been at it.
	done, err := applied(ctx, tx)
	if err != nil {
		return err
	}
	if len(done) == 0 {
		list = append([]migration{{}}, list...) // goose counts from a row for nothing
	}
	for _, m := range missing(list, done) {
		if m.version > 0 {
			text, err := fs.ReadFile(in, m.name)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", path.Base(m.name), err)
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO goose_db_version(version_id, is_applied) VALUES(?, 1)`, m.version); err != nil {
			return err
		}
	}
	return nil
}

// listed names the migrations by version; the names of the files sort so.
func listed(in fs.FS) ([]migration, error) {
	names, err := fs.Glob(in, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var list []migration
	for _, n := range names {
		number, _, _ := strings.Cut(path.Base(n), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s does not begin with its version: %w", n, err)
		}
		if len(list) > 0 && v <= list[len(list)-1].version {
			return nil, fmt.Errorf("%s is not newer than the one before it", n)
		}
		list = append(list, migration{v, n})
	}
	if len(list) == 0 {
		return nil, fs.ErrNotExist
	}
	return list, nil
}

func missing(list []migration, done map[int64]bool) (rest []migration) {
	for _, m := range list {
		if !done[m.version] {
			rest = append(rest, m)
		}
	}
	return rest
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// applied is what a file holds; a new one holds nothing.
func applied(ctx context.Context, db querier) (map[int64]bool, error) {
	tables, err := numbers(ctx, db, `SELECT 1 FROM sqlite_schema WHERE name = 'goose_db_version'`)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	return numbers(ctx, db, `SELECT version_id FROM goose_db_version WHERE is_applied`)
}

func numbers(ctx context.Context, db querier, query string) (map[int64]bool, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[int64]bool)
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		found[n] = true
	}
	return found, rows.Err()
}
