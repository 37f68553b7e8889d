package coredb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
)

// Derived is a file beside core.db that can be made from it again: what it holds
// is safe from a power cut after a checkpoint only.
type Derived struct {
	Folder, Name string
	Migrations   fs.FS // in the folder "migrations"
	CacheKiB     int   // of each connection
	Newer        error // wrapped for a file that a newer version has migrated
}

// Open opens or creates the file and migrates it: one connection that writes, and
// a pool that reads.
func (d Derived) Open(ctx context.Context) (write, read *sql.DB, err error) {
	if write, err = sql.Open("sqlite", d.dsn(true)); err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", d.Name, err)
	}
	write.SetMaxOpenConns(1)
	if read, err = sql.Open("sqlite", d.dsn(false)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s for reading: %w", d.Name, err), write.Close())
	}
	read.SetMaxOpenConns(4)
	if err := migrate(ctx, write, d.Migrations, d.Name, d.Newer); err != nil {
		return nil, nil, errors.Join(err, read.Close(), write.Close())
	}
	return write, read, nil
}

func (d Derived) dsn(writer bool) string {
	q := url.Values{"mode": {"ro"}}
	pragmas := []string{"busy_timeout(10000)", "temp_store(2)", "cache_size(-" + strconv.Itoa(d.CacheKiB) + ")"}
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
	return "file:" + (&url.URL{Path: filepath.Join(d.Folder, d.Name)}).EscapedPath() + "?" + q.Encode()
}
