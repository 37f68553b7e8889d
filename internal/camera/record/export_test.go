package record

import (
	"context"
	"database/sql"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Fill writes the rows of a source that was recorded for days up to a time,
// without its files.
func (s *Store) Fill(ctx context.Context, src Source, days int, end time.Time) error {
	t, err := s.track(ctx, src)
	if err != nil {
		return err
	}
	return s.db.tx(ctx, func(tx *sql.Tx) error {
		n := days * 24 * 60
		for i := range n {
			g := &Segment{Source: src, Seq: uint64(i + 1), Start: end.Add(-time.Duration(n-i) * time.Minute), Bytes: 7_500_000}
			g.End, g.Run, g.Offset = g.Start.Add(time.Minute), end.Add(-time.Duration(n)*time.Minute), int64(i)*60*segment.Scale
			for k := range 30 {
				g.Keys = append(g.Keys, Key{Ticks: int64(k) * 2 * segment.Scale, Offset: 900 + int64(k)*250_000, At: g.Start.Add(time.Duration(k) * 2 * time.Second)})
			}
			if err := insertSegment(ctx, tx, t.id, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// Judge says how long pictures of cameras stay that write so much a day, on a disk
// with so much room; held is what of the first is held.
func Judge(rates map[string]float64, held int64, limits Limits, free uint64) map[string]Usage {
	all := make(map[string]Usage)
	for camera, perDay := range rates {
		all[camera] = Usage{PerDay: perDay}
	}
	a := all["a"]
	a.Held = held
	all["a"] = a
	const total = 1000 << 30
	judge(all, limits, free+high(total), total, true)
	return all
}
