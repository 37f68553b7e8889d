package record

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Usage is what the recordings of a camera take and how long they really stay.
type Usage struct {
	Bytes    int64
	OldestAt time.Time
	LatestAt time.Time
	// PerDay is the growth in bytes, measured over at most a day, or expected from
	// the bit rate (Expected).
	PerDay   float64
	Expected bool
	// Held is what is older than promised and stays for incidents or as evidence.
	Held int64
	// Promised is how long recordings are to stay, Effective how long they do or
	// will, as the bounds and the disk are; Room is how much longer they could,
	// as a share of the promise: below 1 it is broken. Zero: nobody knows.
	Promised, Effective time.Duration
	Room                float64
	// Wanted is how long they would stay were the disk large enough.
	Wanted time.Duration
	// LimitedBy says what makes it shorter: bytes, site, volume or disk.
	LimitedBy string
}

// The limits of how long pictures stay.
const (
	ByCamera = "bytes"
	BySite   = "site"
	ByVolume = "volume"
	ByDisk   = "disk"
)

// Usage returns how the recordings of a camera are kept, as last measured.
func (s *Store) Usage(camera string) (Usage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.usage[camera]
	return u, ok
}

// leastMeasured is how long must have been recorded to say something about a day.
const leastMeasured = 10 * time.Minute

// measure compares what was promised with what will be kept.
func (s *Store) measure(ctx context.Context, tracks []*track, limits Limits, now time.Time) error {
	bytes, err := s.db.bytes(ctx)
	if err != nil {
		return err
	}
	out := make(map[string]Usage)
	for _, t := range tracks {
		u := out[t.Camera]
		u.Bytes += bytes[t.id]
		if err := s.measureTrack(ctx, t, limits.Of(t.Camera), now, &u); err != nil {
			return err
		}
		out[t.Camera] = u
	}
	for camera, u := range out {
		if limits.Cameras[camera].Removed {
			u.PerDay = 0
			out[camera] = u
		}
	}
	for camera, keep := range limits.Cameras {
		if u := out[camera]; u.PerDay == 0 && !keep.Removed {
			u.PerDay = s.o.Rate(camera)
			u.Expected = u.PerDay > 0
			out[camera] = u
		}
	}
	var free, total uint64
	if s.o.Space != nil {
		if free, total, err = s.o.Space(); err != nil {
			return fmt.Errorf("free space: %w", err)
		}
	}
	judge(out, limits, free, total, s.o.Space != nil)
	s.mu.Lock()
	s.usage = out
	s.mu.Unlock()
	return nil
}

// measureTrack adds what is recorded of one stream.
func (s *Store) measureTrack(ctx context.Context, t *track, keep Keep, now time.Time, u *Usage) error {
	var sum, first, last, oldest, held sql.NullInt64
	if err := s.db.read.QueryRowContext(ctx, `SELECT sum(bytes + beside), min(start), max(stop) FROM segment WHERE source = ? AND start > ? AND going = 0`,
		t.id, now.Add(-24*time.Hour).UnixMicro()).Scan(&sum, &first, &last); err != nil {
		return fmt.Errorf("measure a stream: %w", err)
	}
	if err := s.db.read.QueryRowContext(ctx, `SELECT min(start) FROM segment WHERE source = ? AND going = 0`, t.id).Scan(&oldest); err != nil {
		return fmt.Errorf("measure a stream: %w", err)
	}
	if err := s.db.read.QueryRowContext(ctx, `SELECT sum(bytes + beside) FROM segment WHERE source = ? AND start < ? AND going = 0`,
		t.id, now.Add(-max(keep.Continuous, keep.Event)).UnixMicro()).Scan(&held); err != nil {
		return fmt.Errorf("measure a stream: %w", err)
	}
	u.Held += held.Int64
	if oldest.Valid && (u.OldestAt.IsZero() || oldest.Int64 < u.OldestAt.UnixMicro()) {
		u.OldestAt = fromMicro(oldest.Int64)
	}
	if last.Valid && last.Int64 > u.LatestAt.UnixMicro() {
		u.LatestAt = fromMicro(last.Int64)
	}
	if over := last.Int64 - first.Int64; over >= leastMeasured.Microseconds() {
		u.PerDay += float64(sum.Int64) / float64(over) * float64((24 * time.Hour).Microseconds())
	}
	return nil
}

// judge says for each camera how long its pictures stay. A limit that cameras
// share takes the oldest pictures of all of them, so it allows all the same time,
// of which each uses as much as was promised.
func judge(all map[string]Usage, limits Limits, free, total uint64, disk bool) {
	names := slices.Sorted(maps.Keys(all))
	most := make(map[string]time.Duration) // by camera, by the tightest limit
	by := make(map[string]string)
	bound := func(names []string, room float64, limit string) {
		days := lasts(names, all, limits, room)
		for _, n := range names {
			if stay := daysLong(days); all[n].PerDay > 0 && (by[n] == "" || stay < most[n]) {
				most[n], by[n] = stay, limit
			}
		}
	}
	sites, sum := make(map[string][]string), int64(0)
	for _, n := range names {
		sum += all[n].Bytes
		sites[limits.Cameras[n].Site] = append(sites[limits.Cameras[n].Site], n)
		if b := limits.Cameras[n].Bytes; b > 0 {
			bound([]string{n}, float64(b), ByCamera)
		}
	}
	for site, members := range sites {
		if b := limits.Sites[site]; b > 0 {
			bound(members, float64(b), BySite)
		}
	}
	if limits.Bytes > 0 {
		bound(names, float64(limits.Bytes), ByVolume)
	}
	for _, n := range names {
		u := all[n]
		u.Promised = limits.Of(n).Continuous
		u.Wanted = u.Promised
		if by[n] != "" {
			u.Wanted = min(u.Wanted, most[n])
		}
		all[n] = u
	}
	if disk {
		bound(names, max(float64(sum)+float64(free)-float64(high(total)), 1), ByDisk)
	}
	for _, n := range names {
		u := all[n]
		u.Effective = u.Promised
		if by[n] != "" {
			u.Room = float64(most[n]) / float64(u.Promised)
			if most[n] < u.Promised {
				u.Effective, u.LimitedBy = most[n], by[n]
			}
		}
		all[n] = u
	}
}

// lasts is for how many days pictures of some cameras fit into a room: the time T
// at which what each writes in T, or in the time it is promised if that is less,
// fills it, beside what is held. If all that is promised fits, T goes on as if
// more were promised.
func lasts(names []string, all map[string]Usage, limits Limits, room float64) float64 {
	type line struct{ perDay, days float64 }
	var lines []line
	rate := 0.0
	for _, n := range names {
		u := all[n]
		room -= float64(u.Held)
		if u.PerDay > 0 {
			lines = append(lines, line{u.PerDay, limits.Of(n).Continuous.Hours() / 24})
			rate += u.PerDay
		}
	}
	if rate == 0 {
		return math.Inf(1)
	}
	slices.SortFunc(lines, func(a, b line) int {
		switch {
		case a.days < b.days:
			return -1
		case a.days > b.days:
			return 1
		}
		return 0
	})
	full := rate
	for i, x := range lines {
		t := max(room, 0) / rate // for those that still grow
		if t < x.days {
			return t
		}
		if i == len(lines)-1 {
			break
		}
		room -= x.perDay * x.days
		rate -= x.perDay
	}
	// All fits: what is left over, shared by all, on top of the longest promise.
	last := lines[len(lines)-1]
	return last.days + max(room-rate*last.days, 0)/full
}

// daysLong is a time of that many days, as long as can be said.
func daysLong(days float64) time.Duration {
	const most = 100 * 365
	return time.Duration(min(days, most) * 24 * float64(time.Hour))
}

// Video is how much room there is for recordings: what they take, and what may be
// added before the oldest have to go.
func (s *Store) Video() (bytes, room int64, err error) {
	s.mu.Lock()
	for _, u := range s.usage {
		bytes += u.Bytes
	}
	s.mu.Unlock()
	if s.o.Space == nil {
		return bytes, 0, nil
	}
	free, total, err := s.o.Space()
	if err != nil {
		return 0, 0, fmt.Errorf("free space: %w", err)
	}
	return bytes, int64(free) - int64(high(total)), nil
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
