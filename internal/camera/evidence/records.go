package evidence

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// RecordKind is what a file of records holds.
type RecordKind string

// The kinds of records beside pictures.
const (
	Frames      RecordKind = "frames"      // what a station and the server said to each other
	DoorEvents  RecordKind = "doors"       // what happened at the doors of the site
	AuditSlice  RecordKind = "audit"       // what people did about it, a part of the chain
	Checkpoints RecordKind = "checkpoints" // of the audit log, signed
	Names       RecordKind = "names"       // of the people that the others name by ids
)

// Records are lines of one kind, each a JSON object.
type Records struct {
	Kind  RecordKind
	About string // the station of frames
	Lines [][]byte
	// Cut is set where there was more than is in the file.
	Cut bool
}

// Record is a file of records in a pack.
type Record struct {
	File  string      `json:"file"`
	Kind  RecordKind  `json:"kind"`
	About string      `json:"about,omitempty"`
	Bytes int64       `json:"bytes"`
	Sum   segment.Sum `json:"sum"`
	Count int         `json:"count"`
	Cut   bool        `json:"cut,omitempty"`
	// Lines are the first half of the SHA-256 of each line, so that a check can say
	// which one was changed; empty above 20,000 lines.
	Lines []string `json:"lines,omitempty"`
}

// Bounds of records.
const (
	maxRecordFiles = 500
	maxRecordBytes = 256 << 20
	maxLineSums    = 20_000
	maxRecordLine  = 8 << 20
)

// recordFile names a file of records; several of a kind are counted.
func recordFile(kind RecordKind, n int) string {
	if kind == Frames {
		return fmt.Sprintf("records/frames-%d.jsonl", n+1)
	}
	return "records/" + string(kind) + ".jsonl"
}

func lineSum(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:16])
}

// records writes the files of records.
func (p *writing) records(ctx context.Context, m *Manifest, list []Records) error {
	frames := 0
	for _, x := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 0
		if x.Kind == Frames {
			n, frames = frames, frames+1
		}
		content := bytes.Join(append(slices.Clip(x.Lines), nil), []byte("\n"))
		out := Record{
			File: recordFile(x.Kind, n), Kind: x.Kind, About: x.About, Bytes: int64(len(content)), Sum: sha256.Sum256(content), Count: len(x.Lines), Cut: x.Cut,
		}
		if len(x.Lines) <= maxLineSums {
			for _, line := range x.Lines {
				out.Lines = append(out.Lines, lineSum(line))
			}
		}
		if err := p.put(out.File, content); err != nil {
			return err
		}
		m.Records = append(m.Records, out)
	}
	return nil
}

// checkRecords refuses what cannot be of ours, names of files before all.
func (m *Manifest) checkRecords() error {
	if len(m.Records) > maxRecordFiles {
		return fmt.Errorf("%d files of records: %w", len(m.Records), ErrManifest)
	}
	frames, seen := 0, make(map[RecordKind]bool)
	for _, x := range m.Records {
		n := 0
		switch x.Kind {
		case Frames:
			n, frames = frames, frames+1
		case DoorEvents, AuditSlice, Checkpoints, Names:
			if seen[x.Kind] {
				return fmt.Errorf("records of %q are there twice: %w", x.Kind, ErrManifest)
			}
			seen[x.Kind] = true
		default:
			return fmt.Errorf("records of %q: %w", x.Kind, ErrManifest)
		}
		if x.File != recordFile(x.Kind, n) || x.Bytes < 0 || len(x.Lines) > maxLineSums {
			return fmt.Errorf("file %q: %w", x.File, ErrManifest)
		}
	}
	return nil
}

// records compares files of records with the manifest, and looks into the audit log.
func (r *Report) records(p pack, m *Manifest) []string {
	var names []string
	for i := range m.Records {
		x := &m.Records[i]
		names = append(names, x.File)
		if r.file(p, x.File, x.Bytes, x.Sum) {
			r.lines(p, x)
		}
		r.Records += x.Count
	}
	r.auditSlice(p, m)
	return names
}

// lines says which lines of a file were changed, added or removed.
func (r *Report) lines(p pack, x *Record) {
	if len(x.Lines) != x.Count {
		return
	}
	const most = 20
	told := 0
	tell := func(format string, args ...any) {
		if told++; told <= most {
			r.fault("record", x.File, format, args...)
		}
	}
	want := make(map[string][]int)
	for i, sum := range x.Lines {
		want[sum] = append(want[sum], i+1)
	}
	var strange []int
	n := 0
	err := eachLine(p, x.File, func(line []byte) {
		n++
		sum := lineSum(line)
		if left := want[sum]; len(left) > 0 {
			want[sum] = left[1:]
			if len(want[sum]) == 0 {
				delete(want, sum)
			}
			return
		}
		strange = append(strange, n)
	})
	if err != nil {
		return // said of the file
	}
	var gone []int
	for _, left := range want {
		gone = append(gone, left...)
	}
	slices.Sort(gone)
	for _, at := range strange {
		if i := slices.Index(gone, at); i >= 0 && len(strange) == len(gone) {
			gone = slices.Delete(gone, i, i+1)
			tell("record %d was changed", at)
			strange = slices.Clone(strange)
			continue
		}
		tell("record %d was added or changed", at)
	}
	for _, at := range gone {
		tell("record %d was removed or changed", at)
	}
}

// eachLine gives the lines of a file of records.
func eachLine(p pack, name string, each func([]byte)) error {
	f, err := p.open(name)
	if err != nil {
		return err
	}
	in := bufio.NewScanner(io.LimitReader(f, maxRecordBytes))
	in.Buffer(make([]byte, 64<<10), maxRecordLine)
	for in.Scan() {
		each(in.Bytes())
	}
	return errors.Join(in.Err(), f.Close())
}

// auditSlice checks the chain of the records of people, as it was at the export.
func (r *Report) auditSlice(p pack, m *Manifest) {
	slice := slices.IndexFunc(m.Records, func(x Record) bool { return x.Kind == AuditSlice })
	if slice < 0 {
		return
	}
	var points []audit.Checkpoint
	if i := slices.IndexFunc(m.Records, func(x Record) bool { return x.Kind == Checkpoints }); i >= 0 {
		f, err := p.open(m.Records[i].File)
		if err == nil {
			points, err = audit.ParseCheckpoints(io.LimitReader(f, maxRecordBytes))
			err = errors.Join(err, f.Close())
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.fault("audit", m.Records[i].File, "cannot be read: %v", err)
		}
	}
	name := m.Records[slice].File
	f, err := p.open(name)
	if err != nil {
		return // said of the file
	}
	found, err := audit.Slice(io.LimitReader(f, maxRecordBytes), r.key, points)
	if err := errors.Join(err, f.Close()); err != nil {
		r.fault("audit", name, "cannot be read: %v", err)
		return
	}
	r.Audit = &found
	for _, x := range found.Faults {
		r.fault("audit", name, "%s", x.Error())
	}
	if r.elsewhereAudit != nil {
		r.compareAudit(p, name)
	}
}

// compareAudit holds a slice against the whole log, got from elsewhere.
func (r *Report) compareAudit(p pack, name string) {
	if err := eachLine(p, name, func(line []byte) {
		var x audit.Part
		if json.Unmarshal(line, &x) != nil {
			return // said of the chain
		}
		if want, ok := r.elsewhereAudit[x.Seq]; !ok || !bytes.Equal(want, x.Hash) {
			r.fault("audit", name, "record %d is not the one of the log you gave", x.Seq)
		}
	}); err != nil {
		r.fault("audit", name, "cannot be read: %v", err)
	}
}
