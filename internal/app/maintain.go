package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/coredb"
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
		errs = append(errs, fmt.Errorf("%s is damaged: %s: %w", coredb.FileName, said, err))
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
	report, err := tm.Verify(ctx)
	if err != nil {
		errs = append(errs, err)
	} else {
		fmt.Fprintf(s.out, "telemetry: %+v\n", report)
	}
	return errors.Join(append(errs, tm.Close(ctx))...)
}
