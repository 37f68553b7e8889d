// Package coredb opens core.db, the one SQLite file that holds what must not be
// lost: events, sessions, entities, audit.
//
// It promises that a Write is on disk when it returns (WAL with synchronous
// FULL), that one writer is at work at a time, that readers never wait for it,
// and that a file of a newer version is refused rather than damaged.
package coredb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// FileName is the name of the file inside the data folder.
const FileName = "core.db"

// DB is an open core.db.
type DB struct {
	path  string
	write *sql.DB
	read  *sql.DB
}

// ErrNewer is returned for a file that a newer version has migrated.
var ErrNewer = errors.New("the data folder was written by a newer version")

// Open opens or creates core.db in the folder and migrates it.
func Open(ctx context.Context, folder string) (*DB, error) {
	path := filepath.Join(folder, FileName)
	db, err := open(path)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db.write, migrations, FileName, ErrNewer); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func open(path string) (*DB, error) {
	write, err := sql.Open("sqlite", dsn(path, writing))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", FileName, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn(path, reading))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s for reading: %w", FileName, err), write.Close())
	}
	read.SetMaxOpenConns(8)
	return &DB{path: path, write: write, read: read}, nil
}

// use is what a connection is for.
type use int

const (
	writing use = iota
	reading
	copying
	checkpointing
)

func dsn(path string, u use) string {
	q := url.Values{"mode": {"ro"}}
	pragmas := []string{"busy_timeout(10000)", "foreign_keys(1)", "temp_store(2)"}
	switch u {
	case writing:
		q = url.Values{"mode": {"rwc"}, "_txlock": {"immediate"}}
		pragmas = append(pragmas, "cache_size(-65536)", "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint("+strconv.Itoa(checkpointAtLast)+")")
	case checkpointing:
		q = url.Values{"mode": {"rw"}}
		pragmas = []string{"busy_timeout(0)", "synchronous(FULL)"}
	case reading:
		pragmas = append(pragmas, "cache_size(-8192)", "query_only(1)") // each of the pool has a cache of its own
	}
	q["_pragma"] = pragmas
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func migrate(ctx context.Context, db *sql.DB, in fs.FS, name string, newer error) error {
	files, err := fs.Sub(in, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
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
		return fmt.Errorf("schema version %d, this program knows %d: %w", have, newest, newer)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", name, err)
	}
	return nil
}

// Write runs fn in a transaction; it is durable when Write returns nil.
func (db *DB) Write(ctx context.Context, fn func(*sql.Tx) error) error {
	return Transact(ctx, db.write, fn)
}

// Transact runs fn in one transaction of a file.
func Transact(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
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

// Writer is the single write connection, for the journal's prepared
// statements. Others use Write.
func (db *DB) Writer() *sql.DB { return db.write }

// Reader is the pool of read-only connections.
func (db *DB) Reader() *sql.DB { return db.read }

// Close closes the file.
func (db *DB) Close() error { return errors.Join(db.read.Close(), db.write.Close()) }
