package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// LongestClip bounds what is made into one file.
const LongestClip = 6 * time.Hour

// ErrTooLong is returned for a clip above LongestClip.
var ErrTooLong = errors.New("the clip is too long")

// Clip is a plain MP4 of what was recorded in a time. The pictures are those that
// were recorded; nothing is encoded again. Times without pictures take no time in
// it. Whoever makes one closes it.
type Clip struct {
	// From and To are of its first and last picture. It is decoded from a key
	// picture before, which is not shown.
	From, To time.Time
	Pieces   []Span // that follow each other in it
	Size     int64

	s      *Store
	head   []byte
	ranges []fileRange
	at     int64
	file   *os.File
	opened *Segment
}

// fileRange is a part of a recorded file, and where it lies in the clip.
type fileRange struct {
	g          *Segment
	from, size int64
	at         int64
}

// Clip makes a clip of what was recorded between two times, with its sound if there
// is some.
func (s *Store) Clip(ctx context.Context, src Source, from, to time.Time) (*Clip, error) {
	return s.clip(ctx, src, from, to, &segment.Movie{})
}

// Sound makes one of the sound alone. It returns ErrNotFound where there is none.
func (s *Store) Sound(ctx context.Context, src Source, from, to time.Time) (*Clip, error) {
	return s.clip(ctx, src, from, to, &segment.Movie{Blind: true})
}

func (s *Store) clip(ctx context.Context, src Source, from, to time.Time, m *segment.Movie) (*Clip, error) {
	if to.Sub(from) > LongestClip {
		return nil, ErrTooLong
	}
	list, err := s.Segments(ctx, src, from, to, 0)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	if list, err = s.withKey(ctx, list, from); err != nil {
		return nil, err
	}
	c := &Clip{s: s}
	inits := make(map[uint64]int)
	for i, g := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := c.cut(m, inits, g, i == 0, from, to); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err // one that retention took meanwhile is left out
		}
	}
	if len(c.ranges) == 0 {
		return nil, ErrNotFound
	}
	m.From = c.From
	head, size, err := m.Head()
	if errors.Is(err, segment.ErrSilent) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("make a clip: %w", err)
	}
	c.head, c.Size = head, int64(len(head))+size
	for i := range c.ranges {
		c.ranges[i].at += int64(len(head))
	}
	return c, nil
}

// withKey puts files in front until there is a key picture to begin with.
func (s *Store) withKey(ctx context.Context, list []*Segment, from time.Time) ([]*Segment, error) {
	for range 3 {
		g := list[0]
		if len(g.Keys) > 0 && !g.Keys[0].At.After(from) || g.Flags&FlagContinued == 0 || g.Seq == 1 {
			break
		}
		before, err := s.Find(ctx, g.Source, g.Seq-1)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !before.Run.Equal(g.Run) {
			break
		}
		list = append([]*Segment{before}, list...)
	}
	return list, nil
}

// cut adds what a file has of a time.
func (c *Clip) cut(m *segment.Movie, inits map[uint64]int, g *Segment, first bool, from, to time.Time) error {
	f, err := c.s.Open(g)
	if err != nil {
		return err
	}
	defer f.Close()
	o, err := segment.ReadOpening(f, g.Bytes)
	if err != nil {
		return fmt.Errorf("segment %d of %s: %w", g.Seq, g.Camera, err)
	}
	init, ok := inits[g.Format]
	if !ok {
		init = len(m.Inits)
		inits[g.Format] = init
		m.Inits = append(m.Inits, o.Init)
	}
	at := o.Size
	if first && len(g.Keys) > 0 {
		at = g.Keys[0].Offset
		for _, k := range g.Keys {
			if !k.At.After(from) {
				at = k.Offset
			}
		}
	}
	for at < g.Bytes {
		p, err := segment.ReadPart(f, at, g.Bytes)
		if err != nil {
			return fmt.Errorf("segment %d of %s at %d: %w", g.Seq, g.Camera, at, err)
		}
		at += p.Size
		if !p.At.Before(to) {
			return nil
		}
		c.add(m, g, init, p, from, to)
	}
	return nil
}

// add takes the pictures of a part that were taken before the end.
func (c *Clip) add(m *segment.Movie, g *Segment, init int, p *segment.Part, from, to time.Time) {
	took, bytes, ticks := 0, int64(0), int64(0)
	for _, pic := range p.Pictures {
		if !p.At.Add(segment.Duration(ticks)).Before(to) {
			break
		}
		took++
		bytes += int64(pic.Size)
		ticks += int64(pic.Duration)
	}
	if took == 0 {
		return
	}
	if len(m.Chunks) == 0 {
		c.From = later(p.At, from)
		if p.At.Before(from) {
			m.Skip = segment.Ticks(from.Sub(p.At))
		}
	}
	end := p.At.Add(segment.Duration(ticks))
	if n := len(c.Pieces); n > 0 && p.At.Sub(c.Pieces[n-1].To) < leastGap {
		c.Pieces[n-1].To = end
	} else {
		c.Pieces = append(c.Pieces, Span{later(p.At, c.From), end})
	}
	c.To = end
	chunk := segment.Chunk{Init: init, Pictures: p.Pictures[:took:took], SoundAt: p.SoundBase - p.Base}
	if !m.Blind {
		c.lay(g, p.Pictures[0].Offset, bytes)
	}
	// Sound that lies behind the last picture is of a time that is not asked for.
	heard, at := 0, chunk.SoundAt
	bytes = 0
	for _, h := range p.Sound {
		if took < len(p.Pictures) && at >= ticks {
			break
		}
		heard++
		bytes += int64(h.Size)
		at += int64(h.Duration)
	}
	if heard > 0 {
		chunk.Sound = p.Sound[:heard:heard]
		c.lay(g, p.Sound[0].Offset, bytes)
	}
	m.Chunks = append(m.Chunks, chunk)
}

// lay adds a part of a recorded file.
func (c *Clip) lay(g *Segment, from, size int64) {
	r := fileRange{g: g, from: from, size: size}
	if n := len(c.ranges); n > 0 {
		r.at = c.ranges[n-1].at + c.ranges[n-1].size
	}
	c.ranges = append(c.ranges, r)
}

// Read gives the bytes of the file.
func (c *Clip) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if c.at >= c.Size {
		return 0, io.EOF
	}
	if c.at < int64(len(c.head)) {
		n := copy(b, c.head[c.at:])
		c.at += int64(n)
		return n, nil
	}
	lo, hi := 0, len(c.ranges)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; c.ranges[mid].at <= c.at {
			lo = mid
		} else {
			hi = mid
		}
	}
	r := c.ranges[lo]
	if c.opened != r.g {
		if err := c.Close(); err != nil {
			return 0, err
		}
		f, err := c.s.Open(r.g)
		if err != nil {
			return 0, err
		}
		c.file, c.opened = f, r.g
	}
	in := c.at - r.at
	n, err := c.file.ReadAt(b[:min(int64(len(b)), r.size-in)], r.from+in)
	c.at += int64(n)
	if n > 0 {
		return n, nil
	}
	return 0, fmt.Errorf("read a clip: %w", err)
}

// Seek moves to another place.
func (c *Clip) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek in a clip: %w", os.ErrInvalid)
	}
	c.at = offset
	return offset, nil
}

// Close closes the file that is open.
func (c *Clip) Close() error {
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	c.file, c.opened = nil, nil
	return err
}
