package sqlite_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

func TestStoreKeepsTheContract(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Place { return folder(t.TempDir()) })
}

// folder is a place in a folder.
func folder(dir string) journaltest.Place {
	return func(t testing.TB) journal.Store {
		t.Helper()
		coredbtest.In(t, dir)
		db, err := coredb.Open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		// The suite tells stories, it cuts no power: the crash tests sync.
		if _, err := db.Writer().Exec(`PRAGMA synchronous(OFF)`); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.New(context.Background(), db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return &withDB{s, db}
	}
}

type withDB struct {
	*sqlite.Store
	db *coredb.DB
}

func (s *withDB) Close() error { return errors.Join(s.Store.Close(), s.db.Close()) }
