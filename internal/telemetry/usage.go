package telemetry

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Usage is what the file takes and how it grows.
type Usage struct {
	Bytes    int64
	OldestAt time.Time // of the oldest curve; zero: none yet
	// PerDay is how many bytes of blocks came in a day, measured over Over; that
	// is zero until two hours are sealed.
	PerDay  float64
	Over    time.Duration
	Keep    time.Duration
	KeepMax int64
}

const (
	usagePorts = 200 // looked at; others are taken to be like them
	usageOver  = 7 * 24
	// blockBytes is what a block costs beyond its data: its header and its place
	// in the index.
	blockBytes = 96
)

// Usage estimates growth from the blocks of some ports, spread evenly.
func (s *Store) Usage(ctx context.Context, now time.Time) (Usage, error) {
	u := Usage{Keep: s.o.KeepFor, KeepMax: s.o.KeepBytes}
	var err error
	if u.Bytes, err = s.db.usedBytes(ctx); err != nil {
		return Usage{}, err
	}
	s.mu.RLock()
	ids := make([]int64, 0, len(s.byID))
	for id := range s.byID {
		ids = append(ids, id)
	}
	s.mu.RUnlock()
	if len(ids) == 0 {
		return u, nil
	}
	slices.Sort(ids)
	running := floorDiv(now.Unix(), 3600)
	var bytes, looked float64
	oldest, since := int64(noHour), running
	for i := range min(len(ids), usagePorts) {
		id := ids[i*len(ids)/min(len(ids), usagePorts)]
		var n, size, first, all sql.NullInt64
		if err := s.db.read.QueryRowContext(ctx, `SELECT count(*), sum(octet_length(data)), min(hour),
			(SELECT min(hour) FROM block WHERE port = ?1) FROM block WHERE port = ?1 AND hour >= ?2`,
			id, running-usageOver).Scan(&n, &size, &first, &all); err != nil {
			return Usage{}, fmt.Errorf("measure blocks: %w", err)
		}
		looked++
		bytes += float64(size.Int64 + n.Int64*blockBytes)
		if first.Valid {
			since = min(since, first.Int64)
		}
		if all.Valid && (oldest == noHour || all.Int64 < oldest) {
			oldest = all.Int64
		}
	}
	if oldest != noHour {
		u.OldestAt = time.Unix(oldest*3600, 0).UTC()
	}
	if hours := running - since; hours >= 2 {
		u.Over = time.Duration(hours) * time.Hour
		u.PerDay = bytes * float64(len(ids)) / looked / float64(hours) * 24
	}
	return u, nil
}
