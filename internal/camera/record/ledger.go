package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// ledgerFile lies in the folder of each day and has a line for each file that
// was closed: what the index says of it, and its sum at the time it was made.
const ledgerFile = "ledger.jsonl"

// maxLine bounds a line of the ledger.
const maxLine = 64 << 10

type line struct {
	File   string      `json:"file"`
	Start  time.Time   `json:"start"`
	End    time.Time   `json:"end"`
	Seq    uint64      `json:"seq"`
	Bytes  int64       `json:"bytes"`
	Flags  int         `json:"flags,omitempty"`
	Class  Class       `json:"class,omitempty"`
	Run    time.Time   `json:"run"`
	Offset int64       `json:"offset"`
	Format uint64      `json:"format"`
	Keys   []byte      `json:"keys"`
	Prev   segment.Sum `json:"prev"`
	Sum    segment.Sum `json:"sum"`
}

func dayOf(src Source, t time.Time) string {
	return path.Join(src.Camera, src.Stream, t.UTC().Format("20060102"))
}

// note appends a segment to the ledger of its day.
func (s *Store) note(g *Segment) error {
	day := dayOf(g.Source, g.Start)
	b, err := json.Marshal(line{
		File: strings.TrimPrefix(g.path(), day+"/"), Start: g.Start, End: g.End, Seq: g.Seq, Bytes: g.Bytes, Flags: g.Flags, Class: g.Class,
		Run: g.Run, Offset: g.Offset, Format: g.Format, Keys: packKeys(g.Start, g.Keys), Prev: g.Prev, Sum: g.Sum,
	})
	if err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	f, err := s.dir.OpenFile(path.Join(day, ledgerFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	// A line that a crash cut off must not swallow this one: it begins anew.
	_, err = f.Write(append(append([]byte{'\n'}, b...), '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// ledger reads the lines of a day, by file. Lines that cannot be read are left
// out: their files are looked at.
func (s *Store) ledger(src Source, day string) (map[string]*Segment, error) {
	f, err := s.dir.Open(path.Join(src.Camera, src.Stream, day, ledgerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	defer f.Close()
	out := make(map[string]*Segment)
	in := bufio.NewScanner(f)
	in.Buffer(make([]byte, 4<<10), maxLine)
	for in.Scan() {
		if g, name := parseLine(src, in.Bytes()); g != nil {
			out[name] = g
		}
	}
	if err := in.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return out, nil
}

func parseLine(src Source, b []byte) (*Segment, string) {
	var l line
	if len(b) == 0 || json.Unmarshal(b, &l) != nil || l.Bytes <= 0 || l.Class < Continuous || l.Class > Evidence {
		return nil, ""
	}
	g := &Segment{
		Source: src, Start: l.Start.UTC(), End: l.End.UTC(), Seq: l.Seq, Bytes: l.Bytes, Flags: l.Flags, Class: l.Class,
		Run: l.Run.UTC(), Offset: l.Offset, Format: l.Format, Prev: l.Prev,
	}
	var err error
	if g.Keys, err = unpackKeys(g.Start, l.Keys); err != nil || strings.TrimPrefix(g.path(), dayOf(src, g.Start)+"/") != l.File {
		return nil, ""
	}
	g.seal(l.Sum)
	return g, l.File
}
