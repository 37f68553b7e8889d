package record

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Preview is a small picture of a moment that was recorded, as JPEG.
type Preview struct {
	At   time.Time
	JPEG []byte
}

// Bounds of the previews of one file: at most 300 kB a minute, a few percent of
// what they are of.
const (
	MaxPreviews     = 24
	MaxPreviewBytes = 12 << 10
)

// ErrPreviews is returned for a file of previews that cannot be read.
var ErrPreviews = errors.New("not a file of previews")

const (
	previewSuffix = ".previews"
	previewMagic  = "CWP1"
	previewHead   = len(previewMagic) + 4
	previewRow    = 8 + 4 + 4 // when in microseconds, where, how long
)

// previews is where the previews of a segment lie: beside it, and gone with it.
func (g *Segment) previews() string { return strings.TrimSuffix(g.path(), suffix) + previewSuffix }

// PutPreviews keeps previews of a file that is whole, in place of those it has.
// What is not of its time is left out: of what was not recorded there is no picture.
func (s *Store) PutPreviews(ctx context.Context, g *Segment, list []Preview) error {
	list = slices.DeleteFunc(slices.Clone(list), func(p Preview) bool {
		return p.At.Before(g.Start) || !p.At.Before(g.End) || len(p.JPEG) == 0 || len(p.JPEG) > MaxPreviewBytes
	})
	if len(list) == 0 || s.stopped.Load() {
		return nil
	}
	slices.SortFunc(list, func(a, b Preview) int { return a.At.Compare(b.At) })
	b := packPreviews(list)
	// The file must not be on its way out while they are written beside it.
	s.retention.Lock()
	defer s.retention.Unlock()
	if now, err := s.Find(ctx, g.Source, g.Seq); err != nil || now.Open || !now.Start.Equal(g.Start) {
		return err
	}
	next := g.previews() + ".new"
	f, err := s.dir.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("keep previews: %w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("keep previews: %w", err), ignoreMissing(s.dir.Remove(next)))
	}
	if err := s.dir.Rename(next, g.previews()); err != nil {
		return fmt.Errorf("keep previews: %w", err)
	}
	s.noteBeside(beside{s.idOf(g.Source), int64(g.Seq), int64(len(b))})
	return nil
}

// packPreviews writes a table of all, then all of them.
func packPreviews(list []Preview) []byte {
	for len(list) > MaxPreviews { // every other one goes, until it fits
		for i := range len(list) / 2 {
			list[i] = list[2*i]
		}
		list = list[:len(list)/2]
	}
	at := previewHead + previewRow*len(list)
	b := append(make([]byte, 0, at), previewMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(list))) //nolint:gosec // At most MaxPreviews.
	for _, p := range list {
		b = binary.LittleEndian.AppendUint64(b, uint64(p.At.UnixMicro())) //nolint:gosec // Read back as signed.
		b = binary.LittleEndian.AppendUint32(b, uint32(at))               //nolint:gosec // Bounded above.
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p.JPEG)))      //nolint:gosec // Bounded above.
		at += len(p.JPEG)
	}
	for _, p := range list {
		b = append(b, p.JPEG...)
	}
	return b
}

// previewPlace is where a preview lies in its file.
type previewPlace struct {
	at     time.Time
	offset int64
	size   int
}

// readPreviewTable reads which previews a file has, oldest first.
func readPreviewTable(r io.ReaderAt, size int64) ([]previewPlace, error) {
	var head [previewHead + previewRow*MaxPreviews]byte
	n, err := r.ReadAt(head[:min(int64(len(head)), size)], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read previews: %w", err)
	}
	if n < previewHead || string(head[:len(previewMagic)]) != previewMagic {
		return nil, ErrPreviews
	}
	count := binary.LittleEndian.Uint32(head[len(previewMagic):])
	if count > MaxPreviews || n < previewHead+previewRow*int(count) {
		return nil, ErrPreviews
	}
	out := make([]previewPlace, 0, count)
	for row := head[previewHead:]; len(out) < int(count); row = row[previewRow:] {
		p := previewPlace{
			at:     fromMicro(int64(binary.LittleEndian.Uint64(row))), //nolint:gosec // Written so.
			offset: int64(binary.LittleEndian.Uint32(row[8:])),
			size:   int(binary.LittleEndian.Uint32(row[12:])),
		}
		if p.size == 0 || p.size > MaxPreviewBytes || p.offset+int64(p.size) > size ||
			len(out) > 0 && p.at.Before(out[len(out)-1].at) {
			return nil, ErrPreviews
		}
		out = append(out, p)
	}
	return out, nil
}

// PreviewTimes lists of which moments of a file there are previews.
func (s *Store) PreviewTimes(g *Segment) ([]time.Time, error) {
	f, table, err := s.openPreviews(g)
	if err != nil {
		return nil, err
	}
	out := make([]time.Time, 0, len(table))
	for _, p := range table {
		out = append(out, p.at)
	}
	return out, f.Close()
}

// Previews returns those of a file that lie in a time, ends included.
func (s *Store) Previews(g *Segment, from, to time.Time) ([]Preview, error) {
	f, table, err := s.openPreviews(g)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []Preview
	for _, p := range table {
		if p.at.Before(from) || p.at.After(to) {
			continue
		}
		b := make([]byte, p.size)
		if _, err := f.ReadAt(b, p.offset); err != nil {
			return nil, fmt.Errorf("read a preview: %w", err)
		}
		out = append(out, Preview{At: p.at, JPEG: b})
	}
	return out, nil
}

func (s *Store) openPreviews(g *Segment) (*os.File, []previewPlace, error) {
	f, err := s.dir.Open(g.previews())
	if err != nil {
		if ignoreMissing(err) == nil {
			return nil, nil, ErrNotFound
		}
		return nil, nil, fmt.Errorf("open previews: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("look at previews: %w", err), f.Close())
	}
	table, err := readPreviewTable(f, info.Size())
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, table, nil
}

// Holding finds the file with the pictures of a moment.
func (s *Store) Holding(ctx context.Context, src Source, at time.Time) (*Segment, error) {
	t, err := s.known(src)
	if err != nil {
		return nil, err
	}
	return s.at(ctx, t, at)
}
