package record

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// writing is a file that grows. Its recorder alone writes; the store syncs it,
// readers read what was written.
type writing struct {
	Segment
	file   *os.File
	format *stream.Format
	sum    hash.Hash
	parts  uint32
	first  time.Duration // decoding time of the first picture
	heard  int64         // where the sound ends, in ticks; negative: there was none yet

	// synced is when the file was last safe from a power cut, in nanoseconds.
	synced atomic.Int64
	dirty  atomic.Bool
	entry  atomic.Bool // its entry in the folder is safe as well
}

// finished is a file that is whole. A file that was lost has no segment.
type finished struct {
	w   *writing
	seg Segment
}

const suffix = ".mp4"

// folderOf is where the files of an hour lie, below the folder of recordings.
func folderOf(src Source, t time.Time) string {
	t = t.UTC()
	return path.Join(src.Camera, src.Stream, t.Format("20060102"), t.Format("15"))
}

// nameOf is the path of a file. Two that begin in the same microsecond, after a
// clock was set back, differ in their number.
func nameOf(src Source, t time.Time, seq uint64) string {
	return path.Join(folderOf(src, t), fmt.Sprintf("%s-%d%s", t.UTC().Format("150405.000000"), seq, suffix))
}

func (g *Segment) path() string { return nameOf(g.Source, g.Start, g.Seq) }

// begin opens the next file of a stream.
func (s *Store) begin(t *track, u *stream.Unit, run time.Time, offset int64, class Class) (*writing, error) {
	s.mu.Lock()
	seq, prev := t.seq+1, t.link
	s.mu.Unlock()
	w := &writing{format: u.Format, sum: sha256.New(), first: u.DTS, heard: -1}
	w.Segment = Segment{
		Source: t.Source, Start: u.At.UTC().Truncate(time.Microsecond), Seq: seq, Class: class, Run: run, Offset: offset, Prev: prev, Open: true,
	}
	w.End = w.Start
	if !u.Key {
		w.Flags |= FlagContinued
	}
	head, init, err := segment.AppendHead(s.buffer(), u.Format, segment.Head{
		Camera: t.Camera, Stream: t.Stream, Start: w.Start, Seq: seq, Prev: prev, Run: run, Offset: offset, Event: class == Event,
	})
	if err != nil {
		return nil, errors.Join(errCodec, err)
	}
	defer s.giveBack(head)
	w.Format = segment.FormatID(head[:init])
	if err := s.dir.MkdirAll(path.Dir(w.path()), 0o700); err != nil {
		return nil, fmt.Errorf("make a folder of recordings: %w", err)
	}
	if w.file, err = s.dir.OpenFile(w.path(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, fmt.Errorf("begin a segment: %w", err)
	}
	w.synced.Store(s.o.Now().UnixNano())
	if err := w.append(head); err != nil {
		return nil, errors.Join(err, w.file.Close(), s.dir.Remove(w.path()))
	}
	s.mu.Lock()
	t.writing = w
	s.mu.Unlock()
	return w, nil
}

// append adds whole boxes with one write. What was written in part is taken back.
func (w *writing) append(b []byte) error {
	if _, err := w.file.WriteAt(b, w.Bytes); err != nil {
		w.Flags |= FlagDamaged
		return errors.Join(fmt.Errorf("write a segment: %w", err), ignoreMissing(w.file.Truncate(w.Bytes)))
	}
	w.sum.Write(b)
	w.Bytes += int64(len(b))
	w.dirty.Store(true)
	return nil
}

// soundSlack is how far sound may lie from where the one before ends: below it one
// flows from the other, whatever two clocks say.
const soundSlack = segment.Scale / 10

// sound gives sound its place beside the pictures. A silence makes what came before
// it longer.
func (w *writing) sound(came []stream.Sound) []segment.Sound {
	if w.format.Sound == nil {
		return nil
	}
	var out []segment.Sound
	for _, s := range came {
		at, length := segment.Ticks(s.PTS-w.first), segment.Ticks(s.Length)
		switch ahead := at - w.heard; {
		case at < 0 || length <= 0:
			continue // from before the first picture
		case w.heard < 0:
		case ahead < -soundSlack:
			continue // there was other sound at this time
		case ahead <= soundSlack:
			at = w.heard
		case len(out) > 0:
			out[len(out)-1].Duration += uint32(ahead)
		}
		out = append(out, segment.Sound{Start: at, Duration: uint32(length), Data: s.Data})
		w.heard = at + length
	}
	return out
}

// part writes pictures that follow each other, and the sound that came with them.
func (w *writing) part(buf []byte, samples []segment.Sample, heard []stream.Sound) ([]byte, error) {
	first, last := samples[0].Unit, samples[len(samples)-1]
	base := segment.Ticks(first.DTS - w.first)
	w.parts++
	buf = segment.AppendPart(buf, w.parts, base, samples, w.sound(heard))
	at := w.Bytes
	if err := w.append(buf); err != nil {
		return buf, err
	}
	if first.Key {
		w.Keys = append(w.Keys, Key{Ticks: base, Offset: at, At: first.At.UTC().Truncate(time.Microsecond)})
	}
	if end := last.Unit.At.Add(segment.Duration(int64(last.Duration))).UTC().Truncate(time.Microsecond); end.After(w.End) {
		w.End = end
	}
	return buf, nil
}

// sync makes what was written safe from a power cut.
func (s *Store) sync(w *writing) error {
	now := s.o.Now()
	w.dirty.Store(false)
	if err := syncData(w.file); err != nil {
		w.dirty.Store(true)
		return fmt.Errorf("sync a segment: %w", err)
	}
	if !w.entry.Swap(true) {
		if err := s.syncFolder(path.Dir(w.path())); err != nil {
			return err
		}
	}
	w.synced.Store(now.UnixNano())
	return nil
}

func (s *Store) syncFolder(name string) error {
	d, err := s.dir.Open(name)
	if err != nil {
		return fmt.Errorf("open a folder of recordings: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync a folder of recordings: %w", err)
	}
	return nil
}

// finish hands a whole file over: it gets its place in the chain at once, and
// its row when the store comes to it.
func (s *Store) finish(t *track, w *writing) {
	f := &finished{w: w, seg: w.Segment}
	f.seg.Open = false
	if len(w.Keys) == 0 && w.parts == 0 {
		f.seg.Bytes = 0 // holds no picture
	} else {
		f.seg.seal(segment.Sum(w.sum.Sum(nil)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.writing = nil
	for len(s.waiting) >= maxWaiting && !s.draining {
		s.emptied.Wait()
	}
	if f.seg.Bytes > 0 {
		t.seq, t.link = f.seg.Seq, f.seg.Link
		if f.seg.End.After(t.covered) {
			t.covered = f.seg.End
		}
	}
	s.waiting = append(s.waiting, f)
	s.kick()
}

// seal gives a segment its place in the chain.
func (g *Segment) seal(sum segment.Sum) {
	g.Sum = sum
	g.Link = g.Entry().Link()
}

// Entry is what the chain says of the segment.
func (g *Segment) Entry() segment.Entry {
	return segment.Entry{Camera: g.Camera, Stream: g.Stream, Seq: g.Seq, Start: g.Start, End: g.End, Bytes: g.Bytes, Prev: g.Prev, Sum: g.Sum}
}

// maxWaiting bounds the files that wait for the disk.
const maxWaiting = 512

// kick wakes the store; the caller holds mu or not.
func (s *Store) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func isClosed(err error) bool { return errors.Is(err, fs.ErrClosed) }
