// Package coredbtest gives tests a core.db that is made once: to make one takes as
// long as many a test.
package coredbtest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chargewatch/chargewatch/internal/coredb"
)

// made is the file as coredb.Open makes it in an empty folder.
var made = sync.OnceValues(func() (data []byte, err error) {
	folder, err := os.MkdirTemp("", "coredb")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a folder of the system's for what passes
	db, err := coredb.Open(context.Background(), folder)
	if err != nil {
		return nil, err
	}
	// Whoever closes last moves all into the one file.
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(folder, coredb.FileName))
})

// Folder is an empty folder with a new core.db in it.
func Folder(tb testing.TB) string {
	tb.Helper()
	folder := tb.TempDir()
	In(tb, folder)
	return folder
}

// In leaves a new core.db in a folder that has none.
func In(tb testing.TB, folder string) {
	tb.Helper()
	path := filepath.Join(folder, coredb.FileName)
	if _, err := os.Stat(path); err == nil {
		return
	}
	data, err := made()
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Open opens a new core.db; it is closed by whoever opens it.
func Open(tb testing.TB) *coredb.DB {
	tb.Helper()
	db, err := coredb.Open(tb.Context(), Folder(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return db
}
