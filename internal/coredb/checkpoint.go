package coredb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	checkpointEvery = time.Second
	// checkpointFrom is the size of the write-ahead log that is worth a
	// checkpoint.
	checkpointFrom = 16 << 20
	// checkpointAtLast is the number of pages at which a commit does it itself,
	// so that the log stays bounded if Run does not keep up.
	checkpointAtLast = 16000
)

// Run moves the write-ahead log into the file beside the commits, until ctx
// ends: a commit that did it itself would let everyone wait for the disk twice.
func (db *DB) Run(ctx context.Context) error {
	own, err := sql.Open("sqlite", dsn(db.path, checkpointing))
	if err != nil {
		return fmt.Errorf("checkpoint %s: %w", FileName, err)
	}
	own.SetMaxOpenConns(1)
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), own.Close())
		case <-tick.C:
		}
		log, err := os.Stat(db.path + "-wal")
		if err != nil || log.Size() < checkpointFrom {
			continue
		}
		// Another checkpoint at work, or a full disk: the next turn tries again.
		_, _ = own.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
	}
}
