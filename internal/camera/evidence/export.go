package evidence

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Longest bounds the time of a pack.
const Longest = 24 * time.Hour

// Errors that callers tell apart.
var (
	ErrNothing = errors.New("there are no pictures of this time")
	ErrTooLong = errors.New("a pack has at most 24 hours")
)

// Wanted is a camera whose pictures are wanted.
type Wanted struct {
	Camera, Stream, Label, Site string
	Clock                       *Clock
}

// Request asks for a pack.
type Request struct {
	ID         string
	Cameras    []Wanted
	From, To   time.Time
	By, ByName string
	Reason     string
	Incident   string
	Timeline   json.RawMessage
}

// Exporter makes packs.
type Exporter struct {
	Store    *record.Store
	Key      *Key
	Software string
	Now      func() time.Time
}

// Write writes a pack. Nothing is compressed: pictures are already, and a reader
// finds each file where it was written.
func (e *Exporter) Write(ctx context.Context, w io.Writer, r Request) (*Manifest, error) {
	if r.To.Sub(r.From) > Longest {
		return nil, ErrTooLong
	}
	m := &Manifest{
		Version: form, ID: r.ID, MadeAt: e.Now().UTC().Truncate(time.Millisecond), By: r.By, ByName: r.ByName, Reason: r.Reason, Software: e.Software,
		From: r.From.UTC(), To: r.To.UTC(), Incident: r.Incident, Timeline: r.Timeline,
	}
	z := zip.NewWriter(w)
	found := false
	for _, want := range r.Cameras {
		s, err := e.stream(ctx, z, want, r.From, r.To)
		if err != nil {
			return nil, fmt.Errorf("pictures of %s: %w", want.Camera, err)
		}
		found = found || len(s.Segments) > 0
		m.Streams = append(m.Streams, *s)
	}
	if !found {
		return nil, ErrNothing
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	public := e.Key.Public()
	signature, err := json.MarshalIndent(Signature{
		Algorithm: "Ed25519", PublicKey: public, Fingerprint: Fingerprint(public), Signature: e.Key.Sign(payload(text)),
	}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write the signature: %w", err)
	}
	for name, content := range map[string][]byte{manifestName: text, signatureName: signature, readmeName: []byte(readme(m, Fingerprint(public)))} {
		f, err := e.create(z, name)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("finish the pack: %w", err)
	}
	return m, nil
}

func (e *Exporter) create(z *zip.Writer, name string) (io.Writer, error) {
	return z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: e.Now().UTC()})
}

// stream writes the files of one stream and says what they are.
func (e *Exporter) stream(ctx context.Context, z *zip.Writer, want Wanted, from, to time.Time) (*Stream, error) {
	src := record.Source{Camera: want.Camera, Stream: want.Stream}
	s := &Stream{
		Camera: want.Camera, Stream: want.Stream, Label: want.Label, Site: want.Site, Clock: want.Clock,
		Ranges: []Range{}, Gaps: []Gap{}, Segments: []Segment{}, Removed: []record.Tombstone{}, Missing: []Missing{},
	}
	list, err := e.closed(ctx, src, from, to)
	if errors.Is(err, record.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	stones := e.Store.Removed(src)
	for i, g := range list {
		if i > 0 {
			s.between(list[i-1].Seq, g.Seq, stones)
		}
		if err := e.segment(ctx, z, s, g); err != nil {
			return nil, err
		}
	}
	for _, h := range e.Store.Heads() {
		if h.Source == src {
			s.Head = Head{h.Seq, h.Link, h.To}
		}
	}
	if len(list) == 0 {
		return s, nil
	}
	there, err := e.Store.Recordings(ctx, src, from, to)
	if err != nil {
		return nil, err
	}
	for _, x := range there.Spans {
		s.Ranges = append(s.Ranges, Range{x.From, x.To})
	}
	for _, g := range there.Gaps {
		gap := Gap{From: g.From, Reason: g.Reason}
		if !g.To.IsZero() {
			gap.To = &g.To
		}
		s.Gaps = append(s.Gaps, gap)
	}
	return s, e.clip(ctx, z, s, src, from, earlier(to, list[len(list)-1].End))
}

// closed lists the files of a time. One that is being written has no link yet: it
// is ended, and left out if that takes too long.
func (e *Exporter) closed(ctx context.Context, src record.Source, from, to time.Time) ([]*record.Segment, error) {
	const tries, pause = 40, 250 * time.Millisecond
	for try := 0; ; try++ {
		list, err := e.Store.Segments(ctx, src, from, to, 0)
		n := len(list)
		if err != nil || n == 0 || !list[n-1].Open {
			return list, err
		}
		if try == tries {
			return list[:n-1], nil
		}
		if try == 0 {
			e.Store.Split(src)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// between says what became of the links between two files.
func (s *Stream) between(before, after uint64, stones []record.Tombstone) {
	at := before + 1
	for _, x := range stones {
		if x.Last < at || x.First >= after {
			continue
		}
		if x.First > at {
			s.Missing = append(s.Missing, Missing{at, x.First - 1})
		}
		s.Removed = append(s.Removed, x)
		at = x.Last + 1
	}
	if at < after {
		s.Missing = append(s.Missing, Missing{at, after - 1})
	}
}

// segment copies a file as it is and compares it with what was recorded.
func (e *Exporter) segment(ctx context.Context, z *zip.Writer, s *Stream, g *record.Segment) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := e.Store.Open(g)
	if errors.Is(err, record.ErrNotFound) {
		s.Missing = append(s.Missing, Missing{g.Seq, g.Seq})
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	out := Segment{
		File: segmentFile(s.Camera, s.Stream, g.Seq), Seq: g.Seq, Start: g.Start, End: g.End, Bytes: g.Bytes,
		Prev: g.Prev, Sum: g.Sum, Link: g.Link, Flags: g.Flags,
	}
	w, err := e.create(z, out.File)
	if err != nil {
		return fmt.Errorf("write a segment: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), f)
	if err != nil {
		return fmt.Errorf("copy a segment: %w", err)
	}
	if found := sumOf(sum); found != g.Sum || n != g.Bytes {
		out.Found = &found
	}
	s.Segments = append(s.Segments, out)
	return nil
}

func sumOf(h hash.Hash) segment.Sum { return segment.Sum(h.Sum(nil)) }

// clip adds one file for looking at. Recordings that were changed may not make
// one; their files are in the pack all the same.
func (e *Exporter) clip(ctx context.Context, z *zip.Writer, s *Stream, src record.Source, from, to time.Time) error {
	to = earlier(to, from.Add(record.LongestClip))
	c, err := e.Store.Clip(ctx, src, from, to)
	if err != nil {
		return ctx.Err()
	}
	defer c.Close()
	out := &Clip{File: clipFile(s.Camera, s.Stream), Bytes: c.Size, From: c.From, To: c.To}
	w, err := e.create(z, out.File)
	if err != nil {
		return fmt.Errorf("write a clip: %w", err)
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), c); err != nil {
		return fmt.Errorf("write a clip: %w", err)
	}
	out.Sum = sumOf(sum)
	s.Clip = out
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func readme(m *Manifest, fingerprint string) string {
	return fmt.Sprintf(`Video evidence %s

Made %s for: %s
From %s to %s (UTC)

clips/      one file for each camera; plays in any player
segments/   the files as they were recorded
manifest.json, manifest.sig
            what this is, with the SHA-256 of each file, and its signature

Signed with the key
  %s
Ask the operator for this fingerprint by another way than this file.

To check that nothing was changed:
  chargewatch verify evidence --key evidence-key.pem THIS-FILE
`, m.ID, m.MadeAt.Format(time.RFC3339), m.Reason, m.From.Format(time.RFC3339), m.To.Format(time.RFC3339), fingerprint)
}
