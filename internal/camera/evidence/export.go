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

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Longest bounds the time of a pack.
const Longest = 24 * time.Hour

// maxAfter bounds the links behind the last segment: a day and a half of files of a
// minute.
const maxAfter = 2000

// Errors that callers tell apart.
var (
	ErrNothing = errors.New("there are no pictures of this time")
	ErrTooLong = errors.New("a pack has at most 24 hours")
	ErrRoom    = errors.New("the disk has no room for the pack")
)

// Wanted is a camera whose pictures are wanted.
type Wanted struct {
	Camera, Stream, Label, Site string
	Zone                        string // of the site
	Clock                       *Clock
	// Hide are the parts of the picture that a derived pack paints over.
	Hide []area.Polygon
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
	// Language is that of the sheets: en or de.
	Language string
	// Sites are those that the pack is about, Stations those whose messages it holds,
	// where it is of an incident.
	Sites    []string `json:",omitempty"`
	Stations []string `json:",omitempty"`
	// People and Audit say what whoever asks may see: names, and what people did about
	// other things.
	People bool `json:",omitempty"`
	Audit  bool `json:",omitempty"`
	// Of is the pack whose pictures are to be painted over; empty: none.
	Of string
}

// Exporter makes packs.
type Exporter struct {
	Store    *record.Store
	Key      *Key
	Heads    *Heads // nil: none are kept
	Software string
	Now      func() time.Time
	// Clock says whether the clock of the machine is set by another; nil: unknown.
	Clock func() string
	// Room is how much the disk still takes; nil: it is not asked.
	Room func() (uint64, error)
	// Records gives what else was recorded; nil: packs hold pictures alone.
	Records func(ctx context.Context, r Request) ([]Records, error)
	// FFmpeg paints over pictures; empty: derived packs are refused.
	FFmpeg string
}

// writing is a pack on its way.
type writing struct {
	e        *Exporter
	z        *zip.Writer
	progress func(done, total int64)
	done     int64
	total    int64
}

// Write writes a pack. Nothing is compressed: pictures are already, and a reader
// finds each file where it was written. progress may be nil.
func (e *Exporter) Write(ctx context.Context, w io.Writer, r Request, progress func(done, total int64)) (*Manifest, segment.Sum, error) {
	none := segment.Sum{}
	if r.To.Sub(r.From) > Longest {
		return nil, none, ErrTooLong
	}
	m := e.manifest(r)
	p := &writing{e: e, z: zip.NewWriter(w), progress: progress}
	lists := make([][]*record.Segment, len(r.Cameras))
	found := false
	for i, want := range r.Cameras {
		list, err := e.closed(ctx, record.Source{Camera: want.Camera, Stream: want.Stream}, r.From, r.To)
		if err != nil && !errors.Is(err, record.ErrNotFound) {
			return nil, none, fmt.Errorf("pictures of %s: %w", want.Camera, err)
		}
		found, lists[i] = found || len(list) > 0, list
		for _, g := range list {
			p.total += 2 * g.Bytes // the file and its part of a clip
		}
	}
	var records []Records
	if e.Records != nil && r.Incident != "" {
		var err error
		if records, err = e.Records(ctx, r); err != nil {
			return nil, none, fmt.Errorf("records beside the pictures: %w", err)
		}
	}
	if !found && len(records) == 0 {
		return nil, none, ErrNothing
	}
	if err := e.room(p.total); err != nil {
		return nil, none, err
	}
	if e.Heads != nil { // so that a head covers what is given out
		if _, _, err := e.Heads.Take(); err != nil {
			return nil, none, err
		}
	}
	for i, want := range r.Cameras {
		s, err := p.stream(ctx, want, lists[i], r.From, r.To)
		if err != nil {
			return nil, none, fmt.Errorf("pictures of %s: %w", want.Camera, err)
		}
		m.Streams = append(m.Streams, *s)
	}
	if len(records) > 0 {
		m.Version = form
		if err := p.records(ctx, m, records); err != nil {
			return nil, none, err
		}
	}
	signed, err := p.finish(m, r.Language)
	return m, signed, err
}

// room refuses what the disk has no room for: it must not stop the recorder.
func (e *Exporter) room(bytes int64) error {
	if e.Room == nil {
		return nil
	}
	free, err := e.Room()
	if err != nil {
		return fmt.Errorf("look for room: %w", err)
	}
	if uint64(bytes) > free {
		return ErrRoom
	}
	return nil
}

func (e *Exporter) manifest(r Request) *Manifest {
	clock := "unknown"
	if e.Clock != nil {
		clock = e.Clock()
	}
	return &Manifest{
		Version: 1, ID: r.ID, MadeAt: e.Now().UTC().Truncate(time.Millisecond), By: r.By, ByName: r.ByName, Reason: r.Reason, Software: e.Software,
		From: r.From.UTC(), To: r.To.UTC(), Incident: r.Incident, Timeline: r.Timeline, Clock: clock,
	}
}

// finish writes the sheets, the manifest and its signature, and returns the sum of the
// manifest.
func (p *writing) finish(m *Manifest, language string) (segment.Sum, error) {
	public := p.e.Key.Public()
	sheets, err := sheets(m, Fingerprint(public), language)
	if err != nil {
		return segment.Sum{}, err
	}
	for _, x := range sheets {
		m.Files = append(m.Files, File{x.name, int64(len(x.content)), sha256.Sum256(x.content)})
		if err := p.put(x.name, x.content); err != nil {
			return segment.Sum{}, err
		}
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return segment.Sum{}, fmt.Errorf("write the manifest: %w", err)
	}
	signature, err := json.MarshalIndent(Signature{
		Algorithm: "Ed25519", PublicKey: public, Fingerprint: Fingerprint(public), Signature: p.e.Key.Sign(payload(text)),
	}, "", " ")
	if err != nil {
		return segment.Sum{}, fmt.Errorf("write the signature: %w", err)
	}
	if err := errors.Join(p.put(manifestName, text), p.put(signatureName, signature)); err != nil {
		return segment.Sum{}, err
	}
	if err := p.z.Close(); err != nil {
		return segment.Sum{}, fmt.Errorf("finish the pack: %w", err)
	}
	return sha256.Sum256(text), nil
}

func (p *writing) put(name string, content []byte) error {
	f, err := p.create(name)
	if err == nil {
		_, err = f.Write(content)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (p *writing) create(name string) (io.Writer, error) {
	return p.z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: p.e.Now().UTC()})
}

// copy copies a file into the pack, tells how far it is and returns its sum.
func (p *writing) copy(ctx context.Context, name string, from io.Reader) (segment.Sum, int64, error) {
	w, err := p.create(name)
	if err != nil {
		return segment.Sum{}, 0, fmt.Errorf("write %s: %w", name, err)
	}
	sum := sha256.New()
	to := io.MultiWriter(w, sum)
	total := int64(0)
	for {
		if err := ctx.Err(); err != nil {
			return segment.Sum{}, 0, err
		}
		n, err := io.CopyN(to, from, 4<<20)
		total += n
		p.done += n
		if p.progress != nil {
			p.progress(min(p.done, p.total), p.total)
		}
		if errors.Is(err, io.EOF) {
			return sumOf(sum), total, nil
		}
		if err != nil {
			return segment.Sum{}, 0, fmt.Errorf("write %s: %w", name, err)
		}
	}
}

func sumOf(h hash.Hash) segment.Sum { return segment.Sum(h.Sum(nil)) }

// stream writes the files of one stream and says what they are.
func (p *writing) stream(ctx context.Context, want Wanted, list []*record.Segment, from, to time.Time) (*Stream, error) {
	e, src := p.e, record.Source{Camera: want.Camera, Stream: want.Stream}
	s := newStream(want)
	stones := e.Store.Removed(src)
	for i, g := range list {
		if i > 0 {
			s.between(list[i-1].Seq, g.Seq, stones)
		}
		if err := p.segment(ctx, s, g); err != nil {
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
	if err := e.join(ctx, s, list[len(list)-1], from, to); err != nil {
		return nil, err
	}
	there, err := e.Store.Recordings(ctx, src, from, to)
	if err != nil {
		return nil, err
	}
	for _, x := range s.pictured() {
		s.Ranges = append(s.Ranges, Range{later(x.From, from), earlier(x.To, to)})
	}
	for _, g := range there.Gaps {
		gap := Gap{From: g.From, Reason: g.Reason}
		if !g.To.IsZero() {
			gap.To = &g.To
		}
		s.Gaps = append(s.Gaps, gap)
	}
	return s, p.clips(ctx, s, src, from, earlier(to, list[len(list)-1].End))
}

func newStream(want Wanted) *Stream {
	return &Stream{
		Camera: want.Camera, Stream: want.Stream, Label: want.Label, Site: want.Site, Zone: want.Zone, CameraClock: want.Clock,
		Ranges: []Range{}, Gaps: []Gap{}, Segments: []Segment{}, Removed: []record.Tombstone{}, Missing: []Missing{},
		After: []Linked{}, Heads: []SignedHead{}, Clips: []Clip{},
	}
}

// join adds what leads from the last segment to heads that were signed later.
func (e *Exporter) join(ctx context.Context, s *Stream, last *record.Segment, from, to time.Time) error {
	links, err := e.Store.Links(ctx, last, maxAfter)
	if err != nil {
		return err
	}
	for _, x := range links {
		s.After = append(s.After, Linked{x.Seq, x.Start, x.End, x.Bytes, x.Sum})
		to = later(to, x.End)
	}
	if e.Heads == nil {
		return nil
	}
	if len(links) < maxAfter {
		to = e.Now() // heads are taken some time after the last picture under them
	}
	heads, err := e.Heads.Of(last.Source, from, to)
	if err != nil {
		return err
	}
	s.Heads = append(s.Heads, heads...)
	return nil
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
func (p *writing) segment(ctx context.Context, s *Stream, g *record.Segment) error {
	f, err := p.e.Store.Open(g)
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
	found, n, err := p.copy(ctx, out.File, f)
	if err != nil {
		return err
	}
	if found != g.Sum || n != g.Bytes {
		out.Found = &found
	}
	s.Segments = append(s.Segments, out)
	return nil
}

// clips adds files for looking at. Recordings that were changed may not make one;
// their files are in the pack all the same.
func (p *writing) clips(ctx context.Context, s *Stream, src record.Source, from, to time.Time) error {
	for ; from.Before(to); from = from.Add(record.LongestClip) {
		c, err := p.e.Store.Clip(ctx, src, from, earlier(to, from.Add(record.LongestClip)))
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		out := Clip{File: clipFile(s.Camera, s.Stream, len(s.Clips)), Bytes: c.Size, From: c.From, To: c.To}
		out.Sum, _, err = p.copy(ctx, out.File, c)
		if err := errors.Join(err, c.Close()); err != nil {
			return err
		}
		s.Clips = append(s.Clips, out)
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
