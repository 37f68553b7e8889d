package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Span is a time with pictures.
type Span struct{ From, To time.Time }

// Recordings are what there is of a stream within a time.
type Recordings struct {
	Spans []Span
	Gaps  []Gap
	Bytes int64
	// Earliest and Latest are of everything that is kept of the stream.
	Earliest, Latest time.Time
}

// Sources lists all streams that something is kept of.
func (s *Store) Sources() []Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Source, 0, len(s.sources))
	for src := range s.sources {
		out = append(out, src)
	}
	slices.SortFunc(out, func(a, b Source) int {
		if a.Camera != b.Camera {
			return compare(a.Camera, b.Camera)
		}
		return compare(a.Stream, b.Stream)
	})
	return out
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (s *Store) known(src Source) (*track, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.sources[src]
	if t == nil {
		return nil, ErrNotFound
	}
	return t, nil
}

// growing lists what the index does not have yet: files that wait for it, and
// the one that is open.
func (s *Store) growing(t *track) []*Segment {
	s.mu.Lock()
	var out []*Segment
	for _, f := range s.waiting {
		if f.seg.Source == t.Source && f.seg.Bytes > 0 {
			g := f.seg
			out = append(out, &g)
		}
	}
	r := t.recorder
	s.mu.Unlock()
	if r != nil {
		r.mu.Lock()
		if r.open != nil {
			out = append(out, r.open)
		}
		r.mu.Unlock()
	}
	return out
}

// longestFile bounds how far back a file that reaches into a time begins.
const longestFile = longest + time.Minute

// Segments lists the files with pictures between two times, oldest first, at
// most limit of them (0: all). One that is still written ends where it is whole.
func (s *Store) Segments(ctx context.Context, src Source, from, to time.Time, limit int) ([]*Segment, error) {
	t, err := s.known(src)
	if err != nil {
		return nil, err
	}
	// First what is not in the index yet: what goes there meanwhile is then found
	// twice and not missed.
	growing := s.growing(t)
	if limit <= 0 {
		limit = -1
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+columns+` FROM segment
		WHERE source = ? AND start > ? AND start < ? AND stop > ? AND going = 0 ORDER BY start, seq LIMIT ?`,
		t.id, from.Add(-longestFile).UnixMicro(), to.UnixMicro(), from.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	defer rows.Close()
	var out []*Segment
	seen := make(map[uint64]bool)
	for rows.Next() {
		g, err := scanSegment(rows, src)
		if err != nil {
			return nil, fmt.Errorf("read segments: %w", err)
		}
		seen[g.Seq] = true
		out = append(out, g)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	for _, g := range growing {
		if !seen[g.Seq] && g.Start.Before(to) && g.End.After(from) && (limit < 0 || len(out) < limit) {
			seen[g.Seq] = true
			own := *g // shared with other readers
			out = append(out, &own)
		}
	}
	holds := s.holdsOf(src.Camera, s.o.Now())
	for _, g := range out {
		g.Class = s.classOf(g, holds)
		g.Locked = g.Class == Evidence
	}
	return out, nil
}

// Find returns a file by its number.
func (s *Store) Find(ctx context.Context, src Source, seq uint64) (*Segment, error) {
	t, err := s.known(src)
	if err != nil {
		return nil, err
	}
	for _, g := range s.growing(t) {
		if g.Seq == seq {
			return g, nil
		}
	}
	g, err := scanSegment(s.db.read.QueryRowContext(ctx, `SELECT `+columns+` FROM segment WHERE source = ? AND seq = ? AND going = 0`, t.id, int64(seq)), src)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read a segment: %w", err)
	}
	return g, nil
}

// Open opens the file of a segment. Whoever opens closes it.
func (s *Store) Open(g *Segment) (*os.File, error) {
	f, err := s.dir.Open(g.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open a segment: %w", err)
	}
	return f, nil
}

// Recordings tells what there is of a stream between two times. Pictures that
// follow within a moment are one span.
func (s *Store) Recordings(ctx context.Context, src Source, from, to time.Time) (*Recordings, error) {
	t, err := s.known(src)
	if err != nil {
		return nil, err
	}
	out := &Recordings{}
	add := func(start, stop time.Time, bytes int64) {
		out.Bytes += bytes
		start, stop = later(start, from), earlier(stop, to)
		if n := len(out.Spans); n > 0 && start.Sub(out.Spans[n-1].To) < leastGap {
			out.Spans[n-1].To = later(out.Spans[n-1].To, stop)
			return
		}
		out.Spans = append(out.Spans, Span{start, stop})
	}
	growing := s.growing(t)
	newest := uint64(0)
	rows, err := s.db.read.QueryContext(ctx, `SELECT start, stop, bytes, seq FROM segment
		WHERE source = ? AND start > ? AND start < ? AND stop > ? AND going = 0 ORDER BY start, seq`,
		t.id, from.Add(-longestFile).UnixMicro(), to.UnixMicro(), from.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var start, stop, bytes, seq int64
		if err := rows.Scan(&start, &stop, &bytes, &seq); err != nil {
			return nil, fmt.Errorf("read segments: %w", err)
		}
		newest = max(newest, uint64(seq))
		add(fromMicro(start), fromMicro(stop), bytes)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	for _, g := range growing {
		if g.Seq > newest && g.Start.Before(to) && g.End.After(from) {
			add(g.Start, g.End, g.Bytes)
		}
	}
	if out.Gaps, err = s.gapsOf(ctx, t, from, to); err != nil {
		return nil, err
	}
	out.Earliest, out.Latest, err = s.extent(ctx, t)
	return out, err
}

// gapsOf lists gaps that touch a time, oldest first.
func (s *Store) gapsOf(ctx context.Context, t *track, from, to time.Time) ([]Gap, error) {
	s.mu.Lock()
	var fresh []Gap
	for _, g := range s.gaps {
		if g.Source == t.Source {
			fresh = append(fresh, g)
		}
	}
	s.mu.Unlock()
	rows, err := s.db.read.QueryContext(ctx, `SELECT start, stop, reason FROM gap
		WHERE source = ? AND start < ? AND (stop = 0 OR stop > ?) ORDER BY start`, t.id, to.UnixMicro(), from.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read gaps: %w", err)
	}
	defer rows.Close()
	var out []Gap
	for rows.Next() {
		g := Gap{Source: t.Source}
		var start, stop int64
		if err := rows.Scan(&start, &stop, &g.Reason); err != nil {
			return nil, fmt.Errorf("read gaps: %w", err)
		}
		g.From = fromMicro(start)
		if stop > 0 {
			g.To = fromMicro(stop)
		}
		out = append(out, g)
	}
	for _, g := range fresh {
		i := slices.IndexFunc(out, func(o Gap) bool { return o.From.Equal(g.From) })
		switch {
		case i >= 0:
			out[i] = g
		case g.From.Before(to) && (g.To.IsZero() || g.To.After(from)):
			out = append(out, g)
		}
	}
	return out, rows.Err()
}

// extent is from when to when something is kept.
func (s *Store) extent(ctx context.Context, t *track) (earliest, latest time.Time, err error) {
	var start sql.NullInt64
	if err := s.db.read.QueryRowContext(ctx, `SELECT min(start) FROM segment WHERE source = ? AND going = 0`, t.id).Scan(&start); err != nil {
		return time.Time{}, time.Time{}, fmt.Errorf("read the oldest segment: %w", err)
	}
	if start.Valid {
		earliest = fromMicro(start.Int64)
	}
	s.mu.Lock()
	latest = t.covered
	s.mu.Unlock()
	for _, g := range s.growing(t) {
		if earliest.IsZero() || g.Start.Before(earliest) {
			earliest = g.Start
		}
		latest = later(latest, g.End)
	}
	return earliest, latest, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
