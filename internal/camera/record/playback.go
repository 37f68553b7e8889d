package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// LongestPlayback bounds a playlist.
const LongestPlayback = 25 * time.Hour

// pieceFor is how long a piece is that a player loads at once.
const pieceFor = 4 * time.Second

// Playlist writes an HLS playlist of what was recorded between two times. Players
// may jump to any of it. Its addresses are relative: STREAM/SEQ-init.mp4 describes
// the pictures (Init), STREAM/SEQ-OFFSET-SIZE-BASE.m4s are some seconds of them
// (Piece). Behind a gap there is a discontinuity, and each file says when it was
// recorded; decoding times count from the first picture by the wall's clock.
func (s *Store) Playlist(ctx context.Context, src Source, from, to time.Time) ([]byte, error) {
	if to.Sub(from) > LongestPlayback {
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
	w := playlist{from: from, to: to}
	for _, g := range list {
		w.file(g)
	}
	if w.longest == 0 {
		return nil, ErrNotFound
	}
	return w.bytes(), nil
}

type playlist struct {
	from, to time.Time
	text     strings.Builder
	anchor   time.Time // decoding time zero
	last     *Segment
	base     int64 // decoding time of the first picture of last
	longest  int64 // ticks of the longest piece
}

// file adds the pieces of a file that lie in the time.
func (w *playlist) file(g *Segment) {
	starts := append([]Key(nil), g.Keys...)
	if len(starts) == 0 || starts[0].Ticks > 0 {
		// It goes on from the file before: offset 0 stands for its first part.
		starts = append([]Key{{At: g.Start}}, starts...)
	}
	// Begin with the key picture before the time.
	first := 0
	for i, k := range starts {
		if !k.At.After(w.from) {
			first = i
		}
	}
	if w.last == nil {
		if starts[first].Offset == 0 && len(starts) > first+1 {
			first++ // nothing to begin with
		}
		w.anchor = starts[first].At
		w.base = -starts[first].Ticks
	} else if g.Seq == w.last.Seq+1 && g.Run.Equal(w.last.Run) {
		w.base += g.Offset - w.last.Offset
	} else {
		w.base = segment.Ticks(g.Start.Sub(w.anchor))
		w.text.WriteString("#EXT-X-DISCONTINUITY\n")
	}
	if w.last == nil || w.last.Format != g.Format || g.Seq != w.last.Seq+1 {
		fmt.Fprintf(&w.text, "#EXT-X-MAP:URI=\"%s/%d-init.mp4\"\n", g.Stream, g.Seq)
	}
	w.last = g
	fmt.Fprintf(&w.text, "#EXT-X-PROGRAM-DATE-TIME:%s\n", starts[first].At.UTC().Format("2006-01-02T15:04:05.000Z"))
	end := segment.Ticks(g.End.Sub(g.Start))
	for i := first; i < len(starts) && starts[i].At.Before(w.to); {
		j := i + 1
		// The first piece is one group, so that the first picture comes soon.
		for w.longest > 0 && j < len(starts) && starts[j].Ticks-starts[i].Ticks < segment.Ticks(pieceFor) {
			j++
		}
		stop, until := g.Bytes, end
		if j < len(starts) {
			stop, until = starts[j].Offset, starts[j].Ticks
		}
		length := max(until-starts[i].Ticks, 1)
		w.longest = max(w.longest, length)
		fmt.Fprintf(&w.text, "#EXTINF:%.5f,\n%s/%d-%d-%d-%d.m4s\n", float64(length)/segment.Scale, g.Stream,
			g.Seq, starts[i].Offset, stop-starts[i].Offset, w.base)
		i = j
	}
}

func (w *playlist) bytes() []byte {
	head := fmt.Sprintf("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA-SEQUENCE:0\n",
		int64(math.Ceil(float64(w.longest)/segment.Scale)))
	return []byte(head + w.text.String() + "#EXT-X-ENDLIST\n")
}

// Init returns the description of the pictures of a file.
func (s *Store) Init(ctx context.Context, src Source, seq uint64) ([]byte, error) {
	g, err := s.Find(ctx, src, seq)
	if err != nil {
		return nil, err
	}
	f, err := s.Open(g)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o, err := segment.ReadOpening(f, g.Bytes)
	if err != nil {
		return nil, fmt.Errorf("segment %d of %s: %w", seq, src.Camera, err)
	}
	// Sound is heard beside the pictures: see Clip. Where it fails they play on.
	return segment.Pictures(o.Init)
}

// ErrPiece is returned for a piece that is not of a playlist.
var ErrPiece = errors.New("not a piece of a recording")

// Piece is some seconds of a file, with decoding times of a playlist.
type Piece struct {
	At   time.Time
	Size int64

	file   *os.File
	offset int64
	end    int64
	base   int64
}

// Piece opens a piece of a file. Whoever opens closes it.
func (s *Store) Piece(ctx context.Context, src Source, seq uint64, offset, size, base int64) (*Piece, error) {
	g, err := s.Find(ctx, src, seq)
	if err != nil {
		return nil, err
	}
	if offset < 0 || size <= 0 || offset > g.Bytes || size > g.Bytes-offset || base < -math.MaxInt64/4 || base > math.MaxInt64/4 {
		return nil, ErrPiece
	}
	f, err := s.Open(g)
	if err != nil {
		return nil, err
	}
	p := &Piece{file: f, offset: offset, end: offset + size, base: base}
	o, err := segment.ReadOpening(f, g.Bytes)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if offset == 0 {
		p.offset = o.Size
	}
	part, err := segment.ReadPart(f, p.offset, p.end)
	if err != nil {
		return nil, errors.Join(ErrPiece, f.Close())
	}
	p.At, p.Size = part.At, p.end-p.offset
	if segment.HasSound(o.Init) {
		for p.Size = 0; ; {
			p.Size += part.MutedSize()
			if part.Offset+part.Size >= p.end {
				break
			}
			if part, err = segment.ReadPart(f, part.Offset+part.Size, p.end); err != nil {
				return nil, errors.Join(ErrPiece, f.Close())
			}
		}
	}
	return p, nil
}

// WriteTo writes all of it.
func (p *Piece) WriteTo(w io.Writer) (int64, error) {
	var wrote int64
	var buf []byte
	for p.offset < p.end {
		part, err := segment.ReadPart(p.file, p.offset, p.end)
		if err != nil {
			return wrote, fmt.Errorf("read a piece: %w", err)
		}
		if int64(cap(buf)) < part.Size {
			buf = make([]byte, part.Size)
		}
		buf = buf[:part.Size]
		if _, err := p.file.ReadAt(buf, p.offset); err != nil {
			return wrote, fmt.Errorf("read a piece: %w", err)
		}
		muted, err := segment.Muted(buf)
		if err != nil {
			return wrote, fmt.Errorf("read a piece: %w", err)
		}
		segment.SetBase(muted, max(part.Base+p.base, 0))
		n, err := w.Write(muted)
		wrote += int64(n)
		if err != nil {
			return wrote, err
		}
		p.offset += part.Size
	}
	return wrote, nil
}

// Close closes the file.
func (p *Piece) Close() error { return p.file.Close() }
