package record

import (
	"context"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Links lists what the chain says of the files behind one, in order and without a
// break, at most that many. Ledgers know files that retention took as long as their
// day has others, so that what is kept stays joined to heads taken later.
func (s *Store) Links(ctx context.Context, after *Segment, most int) ([]segment.Entry, error) {
	t, err := s.known(after.Source)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	last, until := t.seq, t.covered
	s.mu.Unlock()
	waiting := s.growing(t) // first: what goes into a ledger meanwhile is then found twice and not missed
	var out []segment.Entry
	next, link := after.Seq+1, after.Link
	for day := after.Start.UTC().Truncate(24 * time.Hour); next <= last && len(out) < most && !day.After(until); day = day.Add(24 * time.Hour) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lines, err := s.ledger(after.Source, day.Format("20060102"))
		if err != nil {
			return nil, err
		}
		by := make(map[uint64]*Segment, len(lines))
		for _, g := range lines {
			by[g.Seq] = g
		}
		for _, g := range waiting {
			if !g.Open {
				by[g.Seq] = g
			}
		}
		for len(out) < most {
			g := by[next]
			if g == nil || g.Prev != link {
				break
			}
			out = append(out, segment.Entry{
				Camera: g.Camera, Stream: g.Stream, Seq: g.Seq, Start: g.Start, End: g.End, Bytes: g.Bytes, Prev: g.Prev, Sum: g.Sum,
			})
			next, link = next+1, g.Link
		}
	}
	return out, nil
}
