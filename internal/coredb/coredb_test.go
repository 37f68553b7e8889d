package coredb

import (
	"database/sql"
	"errors"
	"testing"
)

func TestWritesAreReadAndRefusedWhenNewer(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO settings(name, value) VALUES('a', 'b')`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var v string
	if err := db.Reader().QueryRow(`SELECT value FROM settings WHERE name = 'a'`).Scan(&v); err != nil || v != "b" {
		t.Fatalf("read %q, %v", v, err)
	}
	var mode, sync string
	if err := db.Writer().QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode %q, %v; want wal", mode, err)
	}
	if err := db.Writer().QueryRow(`PRAGMA synchronous`).Scan(&sync); err != nil || sync != "2" {
		t.Errorf("synchronous %q, %v; want 2 (FULL)", sync, err)
	}
	if _, err := db.Writer().Exec(`INSERT INTO goose_db_version(version_id, is_applied) VALUES(99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNewer) {
		t.Errorf("opening a newer file: %v; want ErrNewer", err)
	}
}
