package telemetry

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/coredb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// FileName is the name of the file inside the data folder.
const FileName = "telemetry.db"

// ErrNewer is returned for a file that a newer version has migrated.
var ErrNewer = errors.New("the telemetry file was written by a newer version")

type database struct {
	write *sql.DB // one connection
	read  *sql.DB
}

func openDatabase(ctx context.Context, folder string) (*database, error) {
	write, read, err := coredb.Derived{Folder: folder, Name: FileName, Migrations: migrations, CacheKiB: 16384, Newer: ErrNewer}.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &database{write: write, read: read}, nil
}

// tx runs fn in one transaction. It is in the file when tx returns nil, and
// safe from a power cut after the next sync.
func (db *database) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	return coredb.Transact(ctx, db.write, fn)
}

// sync puts all that was committed out of reach of a power cut: a checkpoint
// syncs the log before it copies it.
func (db *database) sync(ctx context.Context) error {
	var busy, log, copied int
	if err := db.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &log, &copied); err != nil {
		return fmt.Errorf("checkpoint %s: %w", FileName, err)
	}
	if busy != 0 {
		return fmt.Errorf("checkpoint %s: %w", FileName, errBusy)
	}
	return nil
}

var errBusy = errors.New("another process holds the file")

// usedBytes is the size of the file less what is free inside.
func (db *database) usedBytes(ctx context.Context) (int64, error) {
	var pages, free, size int64
	for _, q := range []struct {
		pragma string
		into   *int64
	}{{"page_count", &pages}, {"freelist_count", &free}, {"page_size", &size}} {
		if err := db.read.QueryRowContext(ctx, `PRAGMA `+q.pragma).Scan(q.into); err != nil {
			return 0, fmt.Errorf("read size of %s: %w", FileName, err)
		}
	}
	return (pages - free) * size, nil
}

func (db *database) close() error { return errors.Join(db.read.Close(), db.write.Close()) }
