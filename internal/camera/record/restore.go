package record

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// openIndex opens the index. One that is damaged or of another shape is put
// aside: the files say all that it did.
func (s *Store) openIndex(ctx context.Context) (*database, error) {
	folder := path.Join(s.o.Data.Name(), Folder)
	db, _, err := openDatabase(ctx, folder)
	if err == nil {
		err = db.sound(ctx)
		if err == nil {
			return db, nil
		}
		err = errors.Join(err, db.close())
	}
	if ctx.Err() != nil {
		return nil, err
	}
	s.log.WarnContext(ctx, "the index of recordings is made again", "err", err)
	for _, tail := range []string{"-wal", "-shm"} {
		if err := ignoreMissing(s.dir.Remove(indexFile + tail)); err != nil {
			return nil, fmt.Errorf("put the old index aside: %w", err)
		}
	}
	if err := ignoreMissing(s.dir.Rename(indexFile, "index.old")); err != nil {
		return nil, fmt.Errorf("put the old index aside: %w", err)
	}
	db, _, err = openDatabase(ctx, folder)
	return db, err
}

// sound looks whether the newest rows can be read; it does not read all of them.
func (db *database) sound(ctx context.Context) error {
	for _, q := range []string{`SELECT count(*) FROM source`, `SELECT coalesce(max(start), 0) FROM gap`,
		`SELECT coalesce(max(seq), 0) FROM segment`} {
		var n int64
		if err := db.write.QueryRowContext(ctx, q).Scan(&n); err != nil {
			return fmt.Errorf("read the index of recordings: %w", err)
		}
	}
	return nil
}

// restore compares the index with the files and adds what it does not know:
// those that were open in a crash, or all if it is new.
func (s *Store) restore(ctx context.Context) error {
	if err := s.loadHolds(); err != nil {
		return err
	}
	cameras, err := s.list(".")
	if err != nil {
		return err
	}
	for _, camera := range cameras {
		streams, err := s.list(camera)
		if err != nil {
			return err
		}
		for _, name := range streams {
			src := Source{Camera: camera, Stream: name}
			if src.check() != nil {
				continue // not ours
			}
			if err := s.restoreSource(ctx, src); err != nil {
				return fmt.Errorf("look at the recordings of %s/%s: %w", camera, name, err)
			}
		}
	}
	return nil
}

// list names the folders in a folder, in order.
func (s *Store) list(name string) ([]string, error) {
	d, err := s.dir.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open a folder of recordings: %w", err)
	}
	entries, err := d.ReadDir(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, fmt.Errorf("list a folder of recordings: %w", err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

func (s *Store) restoreSource(ctx context.Context, src Source) error {
	t, err := s.track(ctx, src)
	if err != nil {
		return err
	}
	if err := s.finishRemoval(ctx, t); err != nil {
		return err
	}
	if t.removed, err = s.loadRemoved(src); err != nil {
		return err
	}
	if n := len(t.removed); n > 0 {
		// If all that was recorded is gone, the chain goes on from there.
		t.seq, t.link, t.covered = t.removed[n-1].Last, t.removed[n-1].Link, t.removed[n-1].To
	}
	last, err := s.db.last(ctx, t.id, src)
	if err != nil {
		return err
	}
	after := time.Time{}
	if last != nil {
		t.take(last)
		// A clock that was set back may have put newer files into older hours.
		after = last.Start.Add(-2 * time.Hour)
	}
	days, err := s.list(path.Join(src.Camera, src.Stream))
	if err != nil {
		return err
	}
	for _, day := range days {
		if day < after.Format("20060102") && last != nil {
			continue
		}
		if err := s.restoreDay(ctx, t, day, after); err != nil {
			return err
		}
	}
	if s.db.grown {
		after = time.Time{}
	}
	if err := s.restoreBeside(ctx, t, after); err != nil {
		return err
	}
	return s.db.openGap(ctx, t)
}

// take learns the end of the chain from a segment.
func (t *track) take(g *Segment) {
	if g.Seq >= t.seq {
		t.seq, t.link = g.Seq, g.Link
	}
	if g.End.After(t.covered) {
		t.covered = g.End
	}
}

func (s *Store) restoreDay(ctx context.Context, t *track, day string, after time.Time) error {
	ledger, err := s.ledger(t.Source, day)
	if err != nil {
		return err
	}
	hours, err := s.list(path.Join(t.Camera, t.Stream, day))
	if err != nil {
		return err
	}
	for _, hour := range hours {
		if day+hour < after.Format("2006010215") {
			continue
		}
		known, err := s.db.seqs(ctx, t.id, day, hour)
		if err != nil {
			return err
		}
		folder := path.Join(t.Camera, t.Stream, day, hour)
		d, err := s.dir.Open(folder)
		if err != nil {
			return fmt.Errorf("open an hour: %w", err)
		}
		entries, err := d.ReadDir(-1)
		if err := errors.Join(err, d.Close()); err != nil {
			return fmt.Errorf("list an hour: %w", err)
		}
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		var found []*Segment
		var lost []Gap
		for _, e := range entries {
			if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), suffix) || known[e.Name()] {
				continue
			}
			g, err := s.adopt(ctx, t.Source, path.Join(folder, e.Name()), ledger[path.Join(hour, e.Name())])
			if err != nil {
				return err
			}
			if g != nil {
				if gap, ok := t.before(g); ok {
					lost = append(lost, gap)
				}
				found = append(found, g)
				t.take(g)
			}
		}
		if len(found) == 0 {
			continue
		}
		if err := s.db.tx(ctx, func(tx *sql.Tx) error {
			for _, g := range found {
				if err := insertSegment(ctx, tx, t.id, g); err != nil {
					return err
				}
			}
			for _, g := range lost {
				if err := insertLost(ctx, tx, t.id, g); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// before is the gap in front of a file that the index did not know. Why nothing
// came is not in the files: that nobody recorded it is all that is known.
func (t *track) before(g *Segment) (Gap, bool) {
	if g.Class == Event || g.Seq < t.seq || t.covered.IsZero() || g.Start.Sub(t.covered) < leastGap {
		return Gap{}, false
	}
	return Gap{Source: t.Source, From: t.covered, To: g.Start, Reason: ReasonStopped}, true
}

// adopt makes a row of a file: from its line in the ledger if that fits, else by
// reading it. A file that ends in the middle of a part is cut there; one without
// a picture is removed.
func (s *Store) adopt(ctx context.Context, src Source, name string, noted *Segment) (*Segment, error) {
	f, err := s.dir.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open a segment: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at a segment: %w", err)
	}
	if noted != nil && noted.Bytes == info.Size() {
		return noted, nil
	}
	g, whole, err := read(f, info.Size())
	switch {
	case errors.Is(err, segment.ErrForm) || err == nil && (len(g.Keys) == 0 && g.Flags&FlagContinued == 0 || !g.End.After(g.Start)):
		s.log.WarnContext(ctx, "a recording without a picture is removed", "file", name, "bytes", info.Size())
		if err := s.dir.Remove(name); err != nil {
			return nil, fmt.Errorf("remove an empty segment: %w", err)
		}
		return nil, nil
	case err != nil:
		return nil, err
	case g.Source != src || g.path() != name:
		s.log.WarnContext(ctx, "a recording of another camera is left alone", "file", name)
		return nil, nil
	}
	if whole < info.Size() {
		if err := f.Truncate(whole); err != nil {
			return nil, fmt.Errorf("cut a segment: %w", err)
		}
		g.Flags |= FlagRecovered
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, whole)); err != nil {
		return nil, fmt.Errorf("read a segment: %w", err)
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("sync a segment: %w", err)
	}
	g.seal(segment.Sum(sum.Sum(nil)))
	s.log.InfoContext(ctx, "a recording was found again", "file", name, "bytes", whole, "cut", info.Size()-whole)
	return g, s.note(g)
}

// read makes a segment of what a file says of itself.
func read(r io.ReaderAt, size int64) (*Segment, int64, error) {
	g := &Segment{}
	first := true
	o, whole, err := segment.Scan(r, size, func(p *segment.Part) error {
		if p.Pictures[0].Key {
			g.Keys = append(g.Keys, Key{Ticks: p.Base, Offset: p.Offset, At: p.At.Truncate(time.Microsecond)})
		} else if first {
			g.Flags |= FlagContinued
		}
		first = false
		if end := p.At.Add(segment.Duration(p.Length)).Truncate(time.Microsecond); end.After(g.End) {
			g.End = end
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	g.Source = Source{Camera: o.Camera, Stream: o.Stream}
	g.Start, g.Seq, g.Prev, g.Run, g.Offset = o.Start.UTC(), o.Seq, o.Prev, o.Run.UTC(), o.Offset
	g.Bytes, g.Format = whole, segment.FormatID(o.Init)
	if o.Event {
		g.Class = Event
	}
	return g, whole, nil
}

// last is the newest segment of a source, nil if there is none.
func (db *database) last(ctx context.Context, id int64, src Source) (*Segment, error) {
	g, err := scanSegment(db.write.QueryRowContext(ctx, `SELECT `+columns+` FROM segment WHERE source = ? AND going = 0 ORDER BY seq DESC LIMIT 1`, id), src)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the newest segment: %w", err)
	}
	return g, nil
}

// seqs names the files of an hour that the index knows.
func (db *database) seqs(ctx context.Context, id int64, day, hour string) (map[string]bool, error) {
	from, err := time.Parse("2006010215", day+hour)
	if err != nil {
		return nil, nil //nolint:nilerr // not a folder of ours: nothing in it is known
	}
	rows, err := db.write.QueryContext(ctx, `SELECT start, seq FROM segment WHERE source = ? AND start >= ? AND start < ?`,
		id, from.UnixMicro(), from.Add(time.Hour).UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read the segments of an hour: %w", err)
	}
	defer rows.Close()
	out := make(map[string]bool)
	for rows.Next() {
		var start, seq int64
		if err := rows.Scan(&start, &seq); err != nil {
			return nil, fmt.Errorf("read the segments of an hour: %w", err)
		}
		out[path.Base(nameOf(Source{}, fromMicro(start), uint64(seq)))] = true
	}
	return out, rows.Err()
}

// openGap finds the gap that lasted when we ended.
func (db *database) openGap(ctx context.Context, t *track) error {
	var from int64
	var reason string
	err := db.write.QueryRowContext(ctx, `SELECT start, reason FROM gap WHERE source = ? AND stop = 0 ORDER BY start DESC LIMIT 1`, t.id).Scan(&from, &reason)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the open gap: %w", err)
	}
	t.gap = &Gap{Source: t.Source, From: fromMicro(from), Reason: reason}
	return nil
}
