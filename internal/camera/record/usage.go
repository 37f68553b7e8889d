package record

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"
)

// Usage is what the recordings of a camera take and how long they really stay.
type Usage struct {
	Bytes    int64
	OldestAt time.Time
	// PerDay is the growth in bytes, measured over at most a day.
	PerDay float64
	// Promised is how long recordings are to stay, Effective how long they do or
	// will, as the bounds and the disk are.
	Promised, Effective time.Duration
	// LimitedBy says what makes it shorter: bytes, site, volume or disk.
	LimitedBy string
}

// Usage returns how the recordings of a camera are kept, as last measured.
func (s *Store) Usage(camera string) (Usage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.usage[camera]
	return u, ok
}

// measure compares what was promised with what will be kept.
func (s *Store) measure(ctx context.Context, tracks []*track, limits Limits, now time.Time) error {
	bytes, err := s.db.bytes(ctx)
	if err != nil {
		return err
	}
	out := make(map[string]Usage)
	site, all := make(map[string]Usage), Usage{}
	for _, t := range tracks {
		var sum, first, last, oldest sql.NullInt64
		if err := s.db.read.QueryRowContext(ctx, `SELECT sum(bytes), min(start), max(stop) FROM segment WHERE source = ? AND start > ? AND going = 0`,
			t.id, now.Add(-24*time.Hour).UnixMicro()).Scan(&sum, &first, &last); err != nil {
			return fmt.Errorf("measure a stream: %w", err)
		}
		if err := s.db.read.QueryRowContext(ctx, `SELECT min(start) FROM segment WHERE source = ? AND going = 0`, t.id).Scan(&oldest); err != nil {
			return fmt.Errorf("measure a stream: %w", err)
		}
		u := out[t.Camera]
		u.Bytes += bytes[t.id]
		if oldest.Valid && (u.OldestAt.IsZero() || oldest.Int64 < u.OldestAt.UnixMicro()) {
			u.OldestAt = fromMicro(oldest.Int64)
		}
		// What was recorded in less than ten minutes says nothing about a day.
		if over := last.Int64 - first.Int64; over >= (10 * time.Minute).Microseconds() {
			u.PerDay += float64(sum.Int64) / float64(over) * float64((24 * time.Hour).Microseconds())
		}
		out[t.Camera] = u
	}
	for camera, u := range out {
		name := limits.Cameras[camera].Site
		x := site[name]
		x.Bytes, x.PerDay = x.Bytes+u.Bytes, x.PerDay+u.PerDay
		site[name] = x
		all.Bytes, all.PerDay = all.Bytes+u.Bytes, all.PerDay+u.PerDay
	}
	room := math.Inf(1)
	if s.o.Space != nil {
		free, total, err := s.o.Space()
		if err != nil {
			return fmt.Errorf("free space: %w", err)
		}
		room = max(float64(all.Bytes)+float64(free)-float64(high(total)), 0)
	}
	for camera, u := range out {
		keep := limits.Of(camera)
		u.Promised = keep.Continuous
		u.Effective = u.Promised
		bound := func(most, perDay float64, by string) {
			if most > 0 && perDay > 0 && most/perDay < u.Effective.Hours()/24 {
				u.Effective, u.LimitedBy = time.Duration(most/perDay*24*float64(time.Hour)), by
			}
		}
		bound(float64(keep.Bytes), u.PerDay, "bytes")
		bound(float64(limits.Sites[keep.Site]), site[keep.Site].PerDay, "site")
		bound(float64(limits.Bytes), all.PerDay, "volume")
		if !math.IsInf(room, 1) {
			bound(max(room, 1), all.PerDay, "disk")
		}
		out[camera] = u
	}
	s.mu.Lock()
	s.usage = out
	s.mu.Unlock()
	return nil
}

// Recorded is how many bytes were written of a camera, whether what comes is to be
// written now, and why it is not.
func (s *Store) Recorded(camera string) (bytes uint64, wanted bool, reason string) {
	s.mu.Lock()
	var all []*Recorder
	for _, t := range s.sources {
		if t.Camera == camera && t.recorder != nil {
			all = append(all, t.recorder)
		}
	}
	s.mu.Unlock()
	for _, r := range all {
		st := r.Status()
		bytes += st.Bytes
		wanted = wanted || st.Active
		if reason == "" {
			reason = st.Problem
		}
	}
	return bytes, wanted, reason
}
