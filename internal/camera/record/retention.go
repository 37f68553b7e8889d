package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Keep says how long recordings of a camera stay, by class; zero is the default
// of the class. Bytes bounds all of them; zero is no bound.
type Keep struct {
	Site              string
	Continuous, Event time.Duration
	// Incident is how long after its end a time stays that an incident holds.
	Incident time.Duration
	Bytes    int64
	// Removed: nobody set the camera up any more; what there is of it stays its time.
	Removed bool
}

// Limits are what people decided about keeping.
type Limits struct {
	Cameras map[string]Keep
	Sites   map[string]int64 // bytes
	Bytes   int64            // of all recordings; zero is no bound
}

// Defaults of retention.
const (
	DefaultContinuous = 72 * time.Hour
	DefaultEvent      = 14 * 24 * time.Hour
	DefaultIncident   = 30 * 24 * time.Hour
)

// Of says how long what a camera recorded is kept.
func (l Limits) Of(camera string) Keep {
	k := l.Cameras[camera]
	if k.Continuous <= 0 {
		k.Continuous = DefaultContinuous
	}
	if k.Event <= 0 {
		k.Event = DefaultEvent
	}
	if k.Incident <= 0 {
		k.Incident = DefaultIncident
	}
	return k
}

func (k Keep) of(c Class) time.Duration {
	if c == Event {
		return k.Event
	}
	return k.Continuous
}

// SetLimits says how long recordings stay from now on.
func (s *Store) SetLimits(l Limits) {
	s.mu.Lock()
	s.limits = l
	s.mu.Unlock()
	select {
	case s.decided <- struct{}{}:
	default:
	}
}

// Water marks of the free space of the disk: below high recordings go until
// there is low again. Both lie above the first stage of disk.Guard.
func high(total uint64) uint64 { return min(total/100*13, 10<<30) }
func low(total uint64) uint64  { return min(total/100*16, 12<<30) }

// batch is how many segments are removed at once.
const batch = 256

// Retain removes what need not be kept any longer: by age, then by the bounds of
// bytes, then as the disk demands. What is evidence never goes.
func (s *Store) Retain(ctx context.Context) error {
	s.retention.Lock()
	defer s.retention.Unlock()
	s.mu.Lock()
	limits := s.limits
	tracks := make([]*track, 0, len(s.sources))
	for _, t := range s.sources {
		tracks = append(tracks, t)
	}
	s.mu.Unlock()
	now := s.o.Now()
	var errs []error
	for _, t := range tracks {
		errs = append(errs, s.retainAge(ctx, t, limits.Of(t.Camera), now))
	}
	errs = append(errs, s.retainBytes(ctx, tracks, limits, now), s.retainSpace(ctx, tracks, now))
	errs = append(errs, s.measure(ctx, tracks, limits, now))
	return errors.Join(append(errs, s.tellPromises(ctx, limits, now))...)
}

func (s *Store) retainAge(ctx context.Context, t *track, keep Keep, now time.Time) error {
	oldest := now.Add(-min(keep.Continuous, keep.Event))
	v := s.victims([]*track{t}, Event, now)
	var going []*Segment
	for {
		g, err := v.next(ctx)
		if err != nil {
			return err
		}
		if g == nil || !g.End.Before(oldest) {
			break
		}
		if g.End.Before(now.Add(-keep.of(g.Class))) {
			going = append(going, g)
		}
		if len(going) == batch {
			if err := s.remove(ctx, going, "age"); err != nil {
				return err
			}
			going = going[:0]
		}
	}
	if err := s.remove(ctx, going, "age"); err != nil {
		return err
	}
	if _, err := s.db.write.ExecContext(ctx, `DELETE FROM gap WHERE source = ? AND stop > 0 AND stop < ?`,
		t.id, now.Add(-max(keep.Continuous, keep.Event, keep.Incident)).UnixMicro()); err != nil {
		return fmt.Errorf("forget old gaps: %w", err)
	}
	return nil
}

func (s *Store) retainBytes(ctx context.Context, tracks []*track, limits Limits, now time.Time) error {
	bytes, err := s.db.bytes(ctx)
	if err != nil {
		return err
	}
	bound := func(group []*track, most int64, reason string) error {
		if most <= 0 {
			return nil
		}
		over := -most
		for _, t := range group {
			over += bytes[t.id]
		}
		return s.free(ctx, group, over, reason, now, bytes)
	}
	byCamera, bySite := make(map[string][]*track), make(map[string][]*track)
	for _, t := range tracks {
		byCamera[t.Camera] = append(byCamera[t.Camera], t)
		site := limits.Cameras[t.Camera].Site
		bySite[site] = append(bySite[site], t)
	}
	var errs []error
	for camera, group := range byCamera {
		errs = append(errs, bound(group, limits.Cameras[camera].Bytes, "bytes"))
	}
	for site, group := range bySite {
		errs = append(errs, bound(group, limits.Sites[site], "site"))
	}
	return errors.Join(append(errs, bound(tracks, limits.Bytes, "volume"))...)
}

func (s *Store) retainSpace(ctx context.Context, tracks []*track, now time.Time) error {
	if s.o.Space == nil {
		return nil
	}
	free, total, err := s.o.Space()
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	full := false
	if free < high(total) {
		before := free
		if err := s.free(ctx, tracks, int64(low(total)-free), "disk", now, nil); err != nil {
			return err
		}
		if free, _, err = s.o.Space(); err != nil {
			return fmt.Errorf("free space: %w", err)
		}
		full = free < high(total) && free <= before
	}
	s.mu.Lock()
	s.full = full
	s.mu.Unlock()
	return nil
}

// Full reports that the disk has no room and that all there is must be kept.
func (s *Store) Full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full
}

// free removes the oldest of some streams until enough bytes are gone: first what
// is recorded always, then events, then incidents.
func (s *Store) free(ctx context.Context, group []*track, over int64, reason string, now time.Time, bytes map[int64]int64) error {
	for class := Continuous; class <= Incident && over > 0; class++ {
		v := s.victims(group, class, now)
		var going []*Segment
		for over > 0 {
			g, err := v.next(ctx)
			if err != nil {
				return err
			}
			if g == nil {
				break
			}
			going = append(going, g)
			over -= g.Bytes + g.beside
			if bytes != nil {
				bytes[s.idOf(g.Source)] -= g.Bytes + g.beside
			}
			if len(going) == batch {
				if err := s.remove(ctx, going, reason); err != nil {
					return err
				}
				going = going[:0]
			}
		}
		if err := s.remove(ctx, going, reason); err != nil {
			return err
		}
	}
	return nil
}

// victims goes through the segments of streams, oldest first, up to a class.
type victims struct {
	s     *Store
	most  Class
	lines []*victimLine
}

type victimLine struct {
	t     *track
	holds []Hold
	after int64 // start of the last that was read
	ahead []*Segment
	done  bool
}

func (s *Store) victims(group []*track, most Class, now time.Time) *victims {
	v := &victims{s: s, most: most}
	for _, t := range group {
		v.lines = append(v.lines, &victimLine{t: t, holds: s.holdsOf(t.Camera, now), after: -1 << 62})
	}
	return v
}

// next is the oldest that may go, nil if there is none.
func (v *victims) next(ctx context.Context) (*Segment, error) {
	var best *victimLine
	for _, l := range v.lines {
		if err := l.fill(ctx, v.s, v.most); err != nil {
			return nil, err
		}
		if len(l.ahead) > 0 && (best == nil || l.ahead[0].Start.Before(best.ahead[0].Start)) {
			best = l
		}
	}
	if best == nil {
		return nil, nil
	}
	g := best.ahead[0]
	best.ahead = best.ahead[1:]
	return g, nil
}

func (l *victimLine) fill(ctx context.Context, s *Store, most Class) error {
	for len(l.ahead) == 0 && !l.done {
		rows, err := s.db.read.QueryContext(ctx, `SELECT start, stop, seq, bytes, beside, class, prev, link FROM segment
			WHERE source = ? AND start > ? AND going = 0 ORDER BY start LIMIT 64`, l.t.id, l.after)
		if err != nil {
			return fmt.Errorf("read the oldest segments: %w", err)
		}
		n := 0
		for rows.Next() {
			n++
			g := &Segment{Source: l.t.Source}
			var start, stop, seq int64
			var class int
			var prev, link []byte
			if err := rows.Scan(&start, &stop, &seq, &g.Bytes, &g.beside, &class, &prev, &link); err != nil {
				return errors.Join(fmt.Errorf("read the oldest segments: %w", err), rows.Close())
			}
			l.after = start
			g.Start, g.End, g.Seq, g.Class = fromMicro(start), fromMicro(stop), uint64(seq), Class(class)
			copy(g.Prev[:], prev)
			copy(g.Link[:], link)
			if s.classOf(g, l.holds) <= most {
				l.ahead = append(l.ahead, g)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return fmt.Errorf("read the oldest segments: %w", err)
		}
		l.done = n < 64
	}
	return nil
}

// remove takes segments away: first it says so, in the chain, then the files go,
// then the rows. A crash between is finished at the next start.
func (s *Store) remove(ctx context.Context, going []*Segment, reason string) error {
	if len(going) == 0 {
		return nil
	}
	by := make(map[Source][]*Segment)
	for _, g := range going {
		by[g.Source] = append(by[g.Source], g)
	}
	for src, list := range by {
		t, err := s.known(src)
		if err != nil {
			return err
		}
		slices.SortFunc(list, func(a, b *Segment) int { return int(int64(a.Seq) - int64(b.Seq)) })
		if err := s.db.tx(ctx, func(tx *sql.Tx) error {
			for _, g := range list {
				if _, err := tx.ExecContext(ctx, `UPDATE segment SET going = 1 WHERE source = ? AND seq = ?`, t.id, int64(g.Seq)); err != nil {
					return fmt.Errorf("mark a segment: %w", err)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if err := s.entomb(t, list, reason); err != nil {
			return err
		}
		if err := s.unlink(ctx, t, list); err != nil {
			return err
		}
	}
	return nil
}

// unlink removes files and then their rows.
func (s *Store) unlink(ctx context.Context, t *track, list []*Segment) error {
	folders := make(map[string]time.Time)
	for _, g := range list {
		if err := ignoreMissing(s.dir.Remove(g.previews())); err != nil {
			return fmt.Errorf("remove the previews of a segment: %w", err)
		}
		if err := ignoreMissing(s.dir.Remove(g.path())); err != nil {
			return fmt.Errorf("remove a segment: %w", err)
		}
		folders[folderOf(g.Source, g.Start)] = g.Start
	}
	if err := s.db.tx(ctx, func(tx *sql.Tx) error {
		for _, g := range list {
			var bytes int64
			err := tx.QueryRowContext(ctx, `DELETE FROM segment WHERE source = ? AND seq = ? RETURNING bytes + beside`, t.id, int64(g.Seq)).Scan(&bytes)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return fmt.Errorf("forget a segment: %w", err)
			}
			if err := count(ctx, tx, t.id, -bytes); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for folder, at := range folders {
		if s.dir.Remove(folder) != nil {
			continue // it holds others
		}
		day := dayOf(t.Source, at)
		if hours, err := s.list(day); err == nil && len(hours) == 0 {
			_ = s.dir.Remove(day + "/" + ledgerFile) // may never have been made
			_ = s.dir.Remove(day)                    // the hour of now may be made again meanwhile
		}
	}
	return nil
}

// finishRemoval removes what was on its way out when we ended.
func (s *Store) finishRemoval(ctx context.Context, t *track) error {
	rows, err := s.db.write.QueryContext(ctx, `SELECT start, stop, seq FROM segment WHERE source = ? AND going = 1`, t.id)
	if err != nil {
		return fmt.Errorf("read what was being removed: %w", err)
	}
	var list []*Segment
	for rows.Next() {
		g := &Segment{Source: t.Source}
		var start, stop, seq int64
		if err := rows.Scan(&start, &stop, &seq); err != nil {
			return errors.Join(fmt.Errorf("read what was being removed: %w", err), rows.Close())
		}
		g.Start, g.End, g.Seq = fromMicro(start), fromMicro(stop), uint64(seq)
		list = append(list, g)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(list) == 0 {
		return err
	}
	return s.unlink(ctx, t, list)
}

// bytes is how much is kept, by source.
func (db *database) bytes(ctx context.Context) (map[int64]int64, error) {
	rows, err := db.write.QueryContext(ctx, `SELECT id, bytes FROM source`)
	if err != nil {
		return nil, fmt.Errorf("read the bytes of streams: %w", err)
	}
	defer rows.Close()
	out := make(map[int64]int64)
	for rows.Next() {
		var id, n int64
		if err := rows.Scan(&id, &n); err != nil {
			return nil, fmt.Errorf("read the bytes of streams: %w", err)
		}
		out[id] = n
	}
	return out, rows.Err()
}
