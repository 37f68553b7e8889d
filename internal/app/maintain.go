package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/chargewatch/chargewatch/internal/backup"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/telemetry"
)

// verifyCommand reads everything in a data folder that has a checksum or a
// chain, and says what is damaged. The server may run.
func verifyCommand(ctx context.Context, args []string, s streams) error {
	c, rest, err := load("verify", args, s, nil)
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	db, err := coredb.Open(ctx, c.Data)
	if err != nil {
		return err
	}
	defer db.Close()
	var errs []error
	var said string
	if err := db.Reader().QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&said); err != nil || said != "ok" {
		errs = append(errs, errors.Join(fmt.Errorf("%s is damaged: %s", coredb.FileName, said), err))
	} else {
		fmt.Fprintf(s.out, "%s: sound\n", coredb.FileName)
	}
	st, err := store.Open(ctx, store.Options{DB: db})
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	if n, err := st.VerifyAudit(ctx); err != nil {
		errs = append(errs, err)
	} else {
		fmt.Fprintf(s.out, "audit log: %d entries, chain unbroken\n", n)
	}
	tm, err := telemetry.Open(ctx, telemetry.Options{Folder: c.Data})
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	if report, err := tm.Verify(ctx); err != nil {
		errs = append(errs, err)
	} else {
		for _, f := range report.Faults {
			errs = append(errs, f.Err)
		}
		fmt.Fprintf(s.out, "%s: %d blocks with %d samples, %d damaged\n", telemetry.FileName, report.Blocks, report.Samples, len(report.Faults)+report.More)
	}
	return errors.Join(append(errs, tm.Close(ctx))...)
}

// replayCommand folds the stored events again, from the first one retained, and
// compares what comes out. It sends nothing and writes nothing.
func replayCommand(ctx context.Context, args []string, s streams) error {
	batch := 512
	c, rest, err := load("replay", args, s, func(set *flag.FlagSet) { set.IntVar(&batch, "batch", batch, "events folded at once") })
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	db, err := coredb.Open(ctx, c.Data)
	if err != nil {
		return err
	}
	defer db.Close()
	log := slog.New(slog.DiscardHandler)
	rows, err := sqlite.New(ctx, db, log)
	if err != nil {
		return err
	}
	defer rows.Close()
	var digests [2]string
	for i, fromStart := range []bool{false, true} {
		begun := time.Now()
		r, err := journal.Replay(ctx, rows, fromStart, batch, log)
		if err != nil {
			return err
		}
		if digests[i], err = journal.Digest(r.Snapshot); err != nil {
			return err
		}
		from := "the checkpoint"
		if fromStart {
			from = "the first event"
		}
		fmt.Fprintf(s.out, "from %s: %d events, %d stations, %d conclusions differ, digest %.16s, %s\n",
			from, r.Events, r.Snapshot.Len(), r.Mismatches, digests[i], time.Since(begun).Round(time.Millisecond))
		if r.Mismatches > 0 {
			err = errors.Join(err, errors.New("the replay concluded other things than are stored"))
		}
		if err != nil {
			return err
		}
	}
	if digests[0] != digests[1] {
		return errors.New("the replay from the first event gives another state; events may be older than what is retained")
	}
	return nil
}

// backupCommand copies the data folder, brings a copy back or checks one.
func backupCommand(ctx context.Context, args []string, s streams) error {
	var restore, check string
	c, rest, err := load("backup", args, s, func(set *flag.FlagSet) {
		set.StringVar(&restore, "restore", "", "backup to bring back into the data folder")
		set.StringVar(&check, "verify", "", "backup to check")
	})
	if err != nil {
		return err
	}
	told := func(m *backup.Manifest, err error) error {
		if err != nil {
			return err
		}
		for _, f := range m.Files {
			fmt.Fprintf(s.out, "%12d  %s\n", f.Bytes, f.Name)
		}
		return nil
	}
	switch {
	case restore != "" && check == "" && len(rest) == 0:
		if err := os.MkdirAll(c.Data, 0o750); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
		return told(backup.Restore(ctx, restore, c.Data))
	case check != "" && restore == "" && len(rest) == 0:
		return told(backup.Verify(ctx, check))
	case restore != "" || check != "" || len(rest) != 1:
		return fmt.Errorf("%w: say chargewatch backup [--data DIR] FOLDER, --restore FOLDER or --verify FOLDER", errUsage)
	}
	db, err := coredb.Open(ctx, c.Data)
	if err != nil {
		return err
	}
	defer db.Close()
	tm, err := telemetry.Open(ctx, telemetry.Options{Folder: c.Data})
	if err != nil {
		return err
	}
	// What is derived goes first, so that it is never ahead of the journal.
	parts := []backup.Part{{Name: telemetry.FileName, Write: tm.Backup}, {Name: coredb.FileName, Write: db.Backup}}
	err = told(backup.Run(ctx, rest[0], version, time.Now(), parts...))
	return errors.Join(err, tm.Close(ctx))
}
