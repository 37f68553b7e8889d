package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/store"
)

const verifyAuditUsage = `usage: chargewatch verify audit --key FILE [--checkpoints FILE]... [--data DIR | EXPORT]

Walks the audit log of a data folder, or an export (GET /api/v1/audit/export), and says
which record was changed or removed, or that the end was cut off. The key is the public
key of the server (GET /api/v1/evidence/key.pem), got by another way. Checkpoints are
what left the machine (audit.checkpointsTo); those in the data folder are taken as well.`

// verifyAudit checks the audit log. The server may run.
func verifyAudit(ctx context.Context, args []string, s streams) error {
	set := flag.NewFlagSet("verify audit", flag.ContinueOnError)
	set.SetOutput(s.out)
	set.Usage = func() { fmt.Fprintln(s.out, verifyAuditUsage) }
	file := set.String("key", "", "`FILE` with the public key that you trust")
	data := set.String("data", config.Default().Data, "data `DIR`")
	var lists []string
	set.Func("checkpoints", "`FILE` with checkpoints that left the machine", func(name string) error {
		lists = append(lists, name)
		return nil
	})
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if set.NArg() > 1 {
		return misused("verify audit needs one EXPORT at most")
	}
	if set.NArg() == 0 {
		own, err := filepath.Glob(filepath.Join(*data, auditFolder, "*.jsonl"))
		if err != nil {
			return fmt.Errorf("look for checkpoints: %w", err)
		}
		lists = append(lists, own...)
	}
	var key ed25519.PublicKey
	switch {
	case *file != "":
		b, err := os.ReadFile(*file)
		if err != nil {
			return fmt.Errorf("read the key: %w", err)
		}
		if key, err = evidence.ParsePublic(b); err != nil {
			return fmt.Errorf("%s: %w", *file, err)
		}
	case len(lists) > 0:
		return misused("verify audit needs --key FILE: without it nobody knows who signed the checkpoints")
	}
	points, err := readCheckpoints(lists)
	if err != nil {
		return err
	}
	v, err := audit.NewVerifier(key, points)
	if err == nil {
		err = walkAudit(ctx, set.Arg(0), *data, v)
	}
	var n int64
	var held int
	if err == nil {
		n, held, err = v.End()
	}
	var fault *audit.Fault
	if errors.As(err, &fault) {
		fmt.Fprintln(s.out, fault)
		return errNotWhole
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "audit log: %d records, chain unbroken, %d checkpoints hold\n", n, held)
	if held == 0 {
		fmt.Fprintln(s.out, "without checkpoints nothing tells whether the end was cut off or all of it made anew")
	}
	return nil
}

func readCheckpoints(names []string) ([]audit.Checkpoint, error) {
	var out []audit.Checkpoint
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the checkpoints: %w", err)
		}
		list, err := audit.ParseCheckpoints(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, list...)
	}
	return out, nil
}

// walkAudit gives the records of an export, or of a data folder, to the verifier.
func walkAudit(ctx context.Context, export, folder string, v *audit.Verifier) error {
	if export != "" {
		f, err := os.Open(export)
		if err != nil {
			return fmt.Errorf("read the export: %w", err)
		}
		defer f.Close()
		return audit.Export(f, v)
	}
	db, err := openCore(ctx, folder)
	if err != nil {
		return err
	}
	defer db.Close()
	st, err := store.Open(ctx, store.Options{DB: db})
	if err != nil {
		return err
	}
	return st.WalkAudit(ctx, v.Next)
}
