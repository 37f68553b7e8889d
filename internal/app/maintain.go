package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/backup"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/depot"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/live"
	"github.com/chargewatch/chargewatch/internal/rule"
	"github.com/chargewatch/chargewatch/internal/seal"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/usage/history"
)

// errDamaged ends verify when it found something.
var errDamaged = errors.New("the data folder is damaged; docs/ops/backup.md says how to bring a backup back")

// verifyCommand reads everything in a data folder that has a checksum or a
// chain, and says what is damaged. The server may run.
func verifyCommand(ctx context.Context, args []string, s streams) error {
	if len(args) > 0 && args[0] == "evidence" {
		return verifyEvidence(args[1:], s)
	}
	if len(args) > 0 && args[0] == "audit" {
		return verifyAudit(ctx, args[1:], s)
	}
	c, rest, err := load("verify", args, s, nil)
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	sound := true
	for _, check := range []struct {
		name string
		run  func(context.Context, string, io.Writer) error
	}{{coredb.FileName, verifyCore}, {telemetry.FileName, verifyTelemetry}, {history.FileName, verifyDays}} {
		if _, err := os.Stat(filepath.Join(c.Data, check.name)); check.name != coredb.FileName && errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(s.out, "%s: not there; the server makes it again from the journal\n", check.name)
			continue
		}
		err := check.run(ctx, c.Data, s.out)
		switch {
		case errors.Is(err, errNoFolder), errors.Is(err, coredb.ErrNewer), errors.Is(err, telemetry.ErrNewer), errors.Is(err, history.ErrNewer), ctx.Err() != nil:
			return err
		case err != nil:
			fmt.Fprintf(s.out, "%s: damaged: %v\n", check.name, err)
			sound = false
		}
	}
	if !sound {
		return errDamaged
	}
	_, err = fmt.Fprintln(s.out, "the data folder is sound")
	return err
}

func verifyCore(ctx context.Context, folder string, out io.Writer) error {
	db, err := openCore(ctx, folder)
	if err != nil {
		return err
	}
	defer db.Close()
	var said string
	if err := db.Reader().QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil {
		return fmt.Errorf("check its structure: %w", err)
	}
	if said != "ok" {
		return errors.New(strings.TrimPrefix(said, "*** in database main ***\n"))
	}
	fmt.Fprintf(out, "%s: sound\n", coredb.FileName)
	st, err := store.Open(ctx, store.Options{DB: db})
	if err != nil {
		return err
	}
	n, err := st.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "audit log: %d entries, chain unbroken\n", n)
	return nil
}

func verifyTelemetry(ctx context.Context, folder string, out io.Writer) error {
	tm, err := telemetry.Open(ctx, telemetry.Options{Folder: folder})
	if err != nil {
		return err
	}
	report, err := tm.Verify(ctx)
	var errs []error
	for _, f := range report.Faults {
		where := ""
		if f.Port.Station != "" {
			where = fmt.Sprintf("station %s, EVSE %d, hour of %s: ", f.Port.Station, f.Port.EVSE, f.Hour.Format(time.RFC3339))
		}
		errs = append(errs, fmt.Errorf("%s%w", where, f.Err))
	}
	fmt.Fprintf(out, "%s: %d blocks with %d samples, %d rows not sealed yet, %d faults\n",
		telemetry.FileName, report.Blocks, report.Samples, report.Rows, len(report.Faults)+report.More)
	return errors.Join(append(errs, err, tm.Close(ctx))...)
}

func verifyDays(ctx context.Context, folder string, out io.Writer) error {
	u, err := history.Open(ctx, history.Options{Folder: folder})
	if err != nil {
		return err
	}
	report, err := u.Verify(ctx)
	fmt.Fprintf(out, "%s: %d days of %d ports and their sites, %d faults\n", history.FileName, report.Days, report.Ports, len(report.Faults))
	return errors.Join(append(report.Faults, err, u.Close(ctx))...)
}

// replayCommand folds the stored events again, from the first one retained, and
// compares what comes out. It sends nothing and writes nothing.
func replayCommand(ctx context.Context, args []string, s streams) error {
	batch := 512
	c, rest, err := load("replay", args, s, func(set *flag.FlagSet) { set.IntVar(&batch, "batch", batch, "`EVENTS` folded at once") })
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	if batch < 1 {
		return misused("--batch %d folds nothing", batch)
	}
	db, err := openCore(ctx, c.Data)
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
	loaded, err := rows.Load(ctx)
	if err != nil {
		return fmt.Errorf("load the journal: %w", err)
	}
	stored := asOf{rows, loaded}
	var digests [2]string
	for i, fromStart := range []bool{false, true} {
		from := "the checkpoint"
		if fromStart || loaded.Checkpoint == nil {
			from = "the first event"
		}
		begun := time.Now()
		r, err := journal.Replay(ctx, stored, fromStart, batch, log)
		if err != nil {
			return err
		}
		if digests[i], err = journal.Digest(r.Snapshot); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "from %s: %d events, %d stations, %d conclusions differ, digest %.16s, %s\n",
			from, r.Events, r.Snapshot.Len(), r.Mismatches, digests[i], time.Since(begun).Round(time.Millisecond))
		if r.Mismatches > 0 {
			return errors.New("the replay concluded other things than are stored")
		}
	}
	if digests[0] != digests[1] {
		return errors.New("the replay from the first event gives another state; events may be older than what is retained")
	}
	fmt.Fprintln(s.out, "equal: both give the same state")
	return replayIncidents(ctx, c.Data, db, rows, loaded, batch, s.out)
}

// replayIncidents finds the incidents again. Measurements are gone after two
// days, so what was concluded from them can only be compared while they last.
func replayIncidents(ctx context.Context, folder string, db *coredb.DB, rows live.Tail, loaded *journal.Loaded, batch int, out io.Writer) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	defer root.Close()
	known, err := knowing(ctx, root, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	language, err := rule.NewLanguage()
	if err != nil {
		return err
	}
	begun := time.Now()
	r, err := live.Replay(ctx, live.Options{DB: db, Detectors: detectors(known), Language: language}, rows, batch)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "detection: %d events, %d findings, %d incidents, %d differ, %s\n", r.Events, r.Findings, r.Incidents, len(r.Differ),
		time.Since(begun).Round(time.Millisecond))
	if len(r.Differ) > 0 && len(loaded.Horizons) == 0 {
		return fmt.Errorf("incidents differ from what is stored, such as %s", r.Differ[0])
	}
	return nil
}

// asOf is a journal as it was when it was loaded. A server that runs goes on
// writing; two replays agree only about the same events.
type asOf struct {
	journal.Store
	loaded *journal.Loaded
}

func (a asOf) Load(context.Context) (*journal.Loaded, error) { return new(*a.loaded), nil }

// backupCommand copies the data folder, brings a copy back or checks one.
func backupCommand(ctx context.Context, args []string, s streams) error {
	var restore, check string
	c, rest, err := load("backup", args, s, func(set *flag.FlagSet) {
		set.StringVar(&restore, "restore", "", "`FOLDER` of the backup to bring back into the data folder")
		set.StringVar(&check, "verify", "", "`FOLDER` of the backup to check")
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
		return told(backup.Restore(ctx, restore, c.Data))
	case check != "" && restore == "" && len(rest) == 0:
		return told(backup.Verify(ctx, check))
	case restore != "" || check != "" || len(rest) != 1:
		return misused("say one of FOLDER, --restore FOLDER and --verify FOLDER")
	}
	db, err := openCore(ctx, c.Data)
	if err != nil {
		return err
	}
	defer db.Close()
	tm, err := telemetry.Open(ctx, telemetry.Options{Folder: c.Data})
	if err != nil {
		return err
	}
	days, err := history.Open(ctx, history.Options{Folder: c.Data})
	if err != nil {
		return errors.Join(err, tm.Close(ctx))
	}
	// What is derived goes first, so that it is never ahead of the journal; files
	// that core.db knows of go behind it.
	parts := []backup.Part{{Name: telemetry.FileName, Write: tm.Backup}, {Name: history.FileName, Write: days.Backup}, {Name: coredb.FileName, Write: db.Backup}}
	for _, name := range []string{seal.Folder, photoFolder, packFolder, depot.Images} {
		parts = append(parts, backup.Folder(name, filepath.Join(c.Data, name)))
	}
	err = told(backup.Run(ctx, rest[0], version, time.Now(), parts...))
	if err == nil {
		if noted := store.NoteBackup(ctx, db, time.Now()); noted != nil { // it is whole all the same
			fmt.Fprintln(s.err, "the backup is whole, but the server does not know of it:", noted)
		}
	}
	return errors.Join(err, days.Close(ctx), tm.Close(ctx))
}
