package coredb

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
)

// asGoose is what goose left in a file that it brought to version 2.
const asGoose = `CREATE TABLE goose_db_version (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version_id INTEGER NOT NULL,
	is_applied INTEGER NOT NULL,
	tstamp TIMESTAMP DEFAULT (datetime('now'))
);
INSERT INTO goose_db_version(version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1);
CREATE TABLE a(x);
INSERT INTO a VALUES ('kept');`

func steps(last string) fstest.MapFS {
	return fstest.MapFS{
		"migrations/00001_a.sql":  {Data: []byte("-- +goose Up\nCREATE TABLE a(x); -- of two; parts\nINSERT INTO a VALUES ('new');\n")},
		"migrations/00002_b.sql":  {Data: []byte("-- +goose Up\n-- +goose StatementBegin\nCREATE TRIGGER b BEFORE DELETE ON a BEGIN\n SELECT RAISE(ABORT, 'no; never');\nEND;\n-- +goose StatementEnd\n")},
		"migrations/00010_c.sql":  {Data: []byte("ALTER TABLE a ADD COLUMN y DEFAULT 7;\n")},
		"migrations/00011_d.sql":  {Data: []byte(last)},
		"migrations/00011_d.text": {Data: []byte("no migration")},
	}
}

func TestMigrations(t *testing.T) {
	for name, c := range map[string]struct{ before, holds string }{
		"a new file":                  {"", "new"},
		"a file of the days of goose": {asGoose, "kept"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := open(filepath.Join(t.TempDir(), FileName))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // the test is over
			if _, err := db.write.Exec(c.before); err != nil {
				t.Fatal(err)
			}
			versions := func() []int64 {
				done, err := applied(t.Context(), db.write)
				if err != nil {
					t.Fatal(err)
				}
				var list []int64
				for v := range done {
					list = append(list, v)
				}
				slices.Sort(list)
				return list
			}
			were := versions()
			if err := migrate(t.Context(), db.write, steps("CREATE TABLE d(x); INSERT INTO nowhere VALUES (1);"), FileName, ErrNewer); err == nil {
				t.Fatal("a migration that fails is taken for done")
			}
			if now := versions(); !slices.Equal(now, were) {
				t.Errorf("after a failure the file has %v, had %v", now, were)
			}
			for range 2 {
				if err := migrate(t.Context(), db.write, steps("CREATE TABLE d(x);"), FileName, ErrNewer); err != nil {
					t.Fatal(err)
				}
			}
			if now := versions(); !slices.Equal(now, []int64{0, 1, 2, 10, 11}) {
				t.Errorf("the file has %v", now)
			}
			var x string
			var y int
			if err := db.write.QueryRow(`SELECT x, y FROM a`).Scan(&x, &y); err != nil || x != c.holds || y != 7 {
				t.Errorf("a holds %q, %d, %v", x, y, err)
			}
			var rows int
			if err := db.write.QueryRow(`SELECT count(*) FROM goose_db_version`).Scan(&rows); err != nil || rows != 5 {
				t.Errorf("%d rows of versions, %v", rows, err)
			}
			fewer := steps("")
			delete(fewer, "migrations/00011_d.sql")
			if err := migrate(t.Context(), db.write, fewer, FileName, ErrNewer); !errors.Is(err, ErrNewer) {
				t.Errorf("an older program: %v", err)
			}
		})
	}
}

func TestMigrationsHaveAnOrder(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"none":               {},
		"two of one version": {"migrations/00001_a.sql": {}, "migrations/00001_b.sql": {}},
		"without a version":  {"migrations/a.sql": {}},
		"of other lengths":   {"migrations/10_a.sql": {}, "migrations/9_a.sql": {}},
	} {
		if _, err := listed(files); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
