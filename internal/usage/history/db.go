package history

import (
	"context"
	"database/sql"
	"embed"
	"errors"

	"github.com/chargewatch/chargewatch/internal/coredb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// FileName is the name of the file inside the data folder.
const FileName = "usage.db"

// ErrNewer is returned for a file that a newer version has migrated.
var ErrNewer = errors.New("the file of usage was written by a newer version")

type database struct {
	write *sql.DB // one connection
	read  *sql.DB
}

func openDatabase(ctx context.Context, folder string) (*database, error) {
	write, read, err := coredb.Derived{Folder: folder, Name: FileName, Migrations: migrations, CacheKiB: 8192, Newer: ErrNewer}.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &database{write: write, read: read}, nil
}

// tx runs fn in one transaction.
func (db *database) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	return coredb.Transact(ctx, db.write, fn)
}

func each(rows *sql.Rows, scan func() error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (db *database) close() error { return errors.Join(db.read.Close(), db.write.Close()) }
