package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// at finds the file that was being recorded at a time.
func (s *Store) at(ctx context.Context, t *track, at time.Time) (*Segment, error) {
	var best *Segment
	for _, g := range s.growing(t) {
		if !g.Start.After(at) && (best == nil || g.Start.After(best.Start)) {
			best = g
		}
	}
	if best == nil {
		g, err := scanSegment(s.db.read.QueryRowContext(ctx, `SELECT `+columns+` FROM segment
			WHERE source = ? AND start <= ? AND going = 0 ORDER BY start DESC LIMIT 1`, t.id, at.UnixMicro()), t.Source)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("read a segment: %w", err)
		}
		best = g
	}
	// The last part of an open file is not written yet.
	if at.Sub(best.End) > 2*time.Second {
		return nil, ErrNotFound
	}
	return best, nil
}

// Keyframe returns the key picture that was the newest at a time, with its
// parameter sets.
func (s *Store) Keyframe(ctx context.Context, src Source, at time.Time) (*stream.Unit, error) {
	t, err := s.known(src)
	if err != nil {
		return nil, err
	}
	g, err := s.at(ctx, t, at)
	if err != nil {
		return nil, err
	}
	if len(g.Keys) == 0 {
		return nil, ErrNotFound
	}
	key := g.Keys[0]
	for _, k := range g.Keys {
		if !k.At.After(at) {
			key = k
		}
	}
	f, err := s.Open(g)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o, err := segment.ReadOpening(f, g.Bytes)
	if err != nil {
		return nil, err
	}
	format, err := segment.Format(o.Init)
	if err != nil {
		return nil, err
	}
	p, err := segment.ReadPart(f, key.Offset, g.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read a key picture: %w", err)
	}
	b := make([]byte, p.Pictures[0].Size)
	if _, err := f.ReadAt(b, p.Pictures[0].Offset); err != nil {
		return nil, fmt.Errorf("read a key picture: %w", err)
	}
	nalus, err := segment.NALUs(b)
	if err != nil {
		return nil, err
	}
	u := &stream.Unit{Format: format, At: key.At, ReceivedAt: key.At, Key: true, Broken: true}
	for _, set := range [][]byte{format.VPS, format.SPS, format.PPS} {
		if len(set) > 0 {
			u.NALUs = append(u.NALUs, set)
		}
	}
	u.NALUs = append(u.NALUs, nalus...)
	return u, nil
}
