package app

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
)

// errNotWhole ends a check of evidence that found something, or that trusts nobody.
var errNotWhole = errors.New("this is not proved to be as it was recorded")

// verifyEvidence checks a pack. It needs no data folder and no server.
func verifyEvidence(args []string, s streams) error {
	set := flag.NewFlagSet("verify evidence", flag.ContinueOnError)
	set.SetOutput(s.out)
	set.Usage = func() {
		fmt.Fprintln(s.out, verifyUsage)
	}
	file := set.String("key", "", "`FILE` with the public key that you trust")
	var heads []string
	set.Func("heads", "`FILE` with heads of chains that left the machine", func(name string) error {
		heads = append(heads, name)
		return nil
	})
	log := set.String("audit", "", "`FILE` with the whole audit log, as exported")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if set.NArg() != 1 {
		return misused("verify evidence needs one PATH: the archive, or the folder it was unpacked into")
	}
	var t evidence.Trust
	if *file != "" {
		b, err := os.ReadFile(*file)
		if err != nil {
			return fmt.Errorf("read the key: %w", err)
		}
		if t.Key, err = evidence.ParsePublic(b); err != nil {
			return fmt.Errorf("%s: %w", *file, err)
		}
	}
	for _, name := range heads {
		list, err := readHeads(name)
		if err != nil {
			return err
		}
		t.Heads = append(t.Heads, list...)
	}
	if *log != "" {
		var err error
		if t.Audit, err = readAuditHashes(*log); err != nil {
			return err
		}
	}
	r, err := evidence.Verify(set.Arg(0), t)
	if err != nil {
		return err
	}
	return tellReport(s.out, r, len(t.Heads) > 0)
}

const verifyUsage = `usage: chargewatch verify evidence --key FILE [--heads FILE]... [--audit FILE] PATH

PATH is the archive, or the folder it was unpacked into. The key is the public key
of the server (GET /api/v1/evidence/key.pem), got by another way than the pack.
Heads are what left the machine while the chain grew (the files of evidence.headsTo,
or GET /api/v1/evidence/heads kept from then): with them a pack is also found whose
recordings were made anew by somebody who has the signing key.
The audit log (GET /api/v1/audit/export, checked by chargewatch verify audit) tells whether
what the pack holds of it is a part of that one.`

// readAuditHashes reads the hashes of an exported log, whose chain must be whole.
func readAuditHashes(name string) (map[int64][]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer f.Close()
	v, err := audit.NewVerifier(nil, nil)
	if err != nil {
		return nil, err
	}
	out := make(map[int64][]byte)
	if err := audit.ExportEach(f, v, func(e *audit.Entry) { out[e.Seq] = e.Hash }); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

func readHeads(name string) ([]evidence.SignedHead, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the heads: %w", err)
	}
	defer f.Close()
	list, err := evidence.ParseHeads(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// tellReport says what a check found.
func tellReport(out io.Writer, r *evidence.Report, compared bool) error {
	if m := r.Manifest; m != nil {
		fmt.Fprintf(out, "pack %s of %s: %s to %s\nreason: %q, asked for by %q\n", m.ID, m.MadeAt.Format(time.RFC3339), m.From.Format(time.RFC3339), m.To.Format(time.RFC3339), m.Reason, m.ByName)
		for _, x := range m.Streams {
			fmt.Fprintf(out, "%s/%s: %d segments, %d clips, %d gaps, %d removed by retention\n", x.Camera, x.Stream, len(x.Segments), len(x.Clips), len(x.Gaps), len(x.Removed))
		}
		for _, x := range m.Records {
			text := string(x.Kind)
			if x.About != "" {
				text += " of " + x.About
			}
			cut := ""
			if x.Cut {
				cut = ", and there was more"
			}
			fmt.Fprintf(out, "%s: %d records%s\n", text, x.Count, cut)
		}
		if a := r.Audit; a != nil {
			fmt.Fprintf(out, "audit log: records %d to %d, %d of them withheld, %d signed checkpoints fit\n", a.First, a.Last, a.Withheld, a.Held)
		}
		if o := m.Original; o != nil {
			fmt.Fprintf(out, "DERIVED: parts of the pictures were painted over and the pictures encoded again.\nThe recordings are in pack %s, SHA-256 %s\n", o.ID, o.Sum)
		}
	}
	if r.Fingerprint != "" {
		fmt.Fprintf(out, "signed by %s\n", r.Fingerprint)
	}
	for _, f := range r.Faults {
		fmt.Fprintf(out, "FAULT %s: %s\n", f.Kind, f)
	}
	switch {
	case r.Whole() && r.Manifest.Original != nil:
		_, err := fmt.Fprintln(out, "whole: the derived pictures are as they were made, signed by the key you trust")
		return err
	case r.Whole():
		text := "whole: %d segments are as they were recorded, signed by the key you trust\n"
		if r.Records > 0 {
			fmt.Fprintf(out, "%d records beside the pictures are as they were at the export\n", r.Records)
		}
		if compared {
			text = "whole: %d segments are as they were recorded, signed by the key you trust, and the heads you gave speak for all of them\n"
		}
		_, err := fmt.Fprintf(out, text, r.Segments)
		return err
	case len(r.Faults) == 0:
		fmt.Fprintf(out, "%d segments fit the manifest, but no key was given: whoever has the key above could have made all of it.\nGet the public key by another way and say --key FILE.\n", r.Segments)
	}
	return errNotWhole
}
