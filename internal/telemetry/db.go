package telemetry

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
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
	path := filepath.Join(folder, FileName)
	write, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", FileName, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s for reading: %w", FileName, err), write.Close())
	}
	read.SetMaxOpenConns(4)
	db := &database{write: write, read: read}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

func dsn(path string, writer bool) string {
	q := url.Values{"mode": {"ro"}}
	pragmas := []string{"busy_timeout(10000)", "temp_store(2)", "cache_size(-16384)"}
	if writer {
		q.Set("mode", "rwc")
		q.Set("_txlock", "immediate")
		// Before the first table: pages that retention frees go back to the disk.
		pragmas = append(pragmas, "page_size(8192)", "auto_vacuum(2)",
			"journal_mode(WAL)", "synchronous(NORMAL)", "wal_autocheckpoint(2000)", "journal_size_limit(67108864)")
	} else {
		pragmas = append(pragmas, "query_only(1)")
	}
	q["_pragma"] = pragmas
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (db *database) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.write, files)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	newest := int64(0)
	for _, s := range p.ListSources() {
		newest = max(newest, s.Version)
	}
	if have > newest {
		return fmt.Errorf("schema version %d, this program knows %d: %w", have, newest, ErrNewer)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", FileName, err)
	}
	return nil
}

// tx runs fn in one transaction. It is in the file when tx returns nil, and
// safe from a power cut after the next sync.
func (db *database) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), ignoreDone(tx.Rollback()))
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
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
