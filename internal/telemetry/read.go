package telemetry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// reading is the scratch space of one read.
type reading struct {
	decoder *block.Decoder
	merge   merger
}

func (s *Store) reader() (*reading, error) {
	r := s.readers.Get().(*reading)
	if r.decoder == nil {
		d, err := block.NewDecoder()
		if err != nil {
			return nil, err
		}
		r.decoder = d
	}
	return r, nil
}

// tailOf copies the port's tail, newest hour first. It must be taken before
// blocks are read: see the package comment.
func (s *Store) tailOf(p Port) (id int64, tail []tailHour, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	known, ok := s.ports[p]
	if !ok {
		return 0, nil, false
	}
	tail = slices.Clone(known.hours)
	slices.SortFunc(tail, func(a, b tailHour) int { return int(b.hour - a.hour) })
	return known.id, tail, true
}

// span is a half-open range of hours.
type span struct{ from, to int64 }

// spanOf covers from (inclusive) to to (exclusive).
func spanOf(from, to time.Time) span {
	return span{floorDiv(from.UnixMilli(), hourMillis), floorDiv(to.UnixMilli()-1, hourMillis) + 1}
}

func (s *Store) checkHorizon(from time.Time) error {
	if h := s.Horizon(); from.Before(h) {
		return fmt.Errorf("from %s, kept since %s: %w", from.UTC().Format(time.RFC3339), h.Format(time.RFC3339), ErrBeforeHorizon)
	}
	return nil
}

// hourColumns are the wanted columns of one hour, complete: tail and block
// merged. They are valid until the next hour is asked for.
type hourColumns struct {
	hour    int64
	columns []block.Column
}

// hours yields the hours of a port in which something was measured, oldest
// first or newest first.
func (s *Store) hours(ctx context.Context, p Port, in span, newestFirst bool, want func(block.Key) bool) iter.Seq2[hourColumns, error] {
	return func(yield func(hourColumns, error) bool) {
		id, tail, ok := s.tailOf(p)
		if !ok || in.from >= in.to {
			return
		}
		r, err := s.reader()
		if err != nil {
			yield(hourColumns{}, err)
			return
		}
		defer s.readers.Put(r)
		tail = slices.DeleteFunc(tail, func(h tailHour) bool { return h.hour < in.from || h.hour >= in.to })
		order := "ASC"
		before := func(a, b int64) bool { return a < b }
		if newestFirst {
			order = "DESC"
			before = func(a, b int64) bool { return a > b }
		} else {
			slices.Reverse(tail)
		}
		rows, err := s.db.read.QueryContext(ctx, `SELECT hour, data FROM block WHERE port = ? AND hour >= ? AND hour < ? ORDER BY hour `+order, id, in.from, in.to)
		if err != nil {
			yield(hourColumns{}, fmt.Errorf("read blocks: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var hour int64
			var data sql.RawBytes
			if err := rows.Scan(&hour, &data); err != nil {
				yield(hourColumns{}, fmt.Errorf("read blocks: %w", err))
				return
			}
			for len(tail) > 0 && before(tail[0].hour, hour) {
				if !s.yieldTail(r, tail[0], want, yield) {
					return
				}
				tail = tail[1:]
			}
			_, columns, err := r.decoder.Decode(data, want)
			if err != nil {
				// One damaged hour must not hide the rest; Verify names it.
				s.count.corrupt.Add(1)
				s.log.WarnContext(ctx, "block is damaged and left out", "station", p.Station, "evse", p.EVSE, "hour", hour, "err", err)
				columns = nil
			}
			if len(tail) > 0 && tail[0].hour == hour {
				r.merge.reset(hour)
				r.merge.blocks(columns)
				if err := r.merge.records(tail[0].data, want); err != nil {
					yield(hourColumns{}, err)
					return
				}
				columns = r.merge.finish()
				tail = tail[1:]
			}
			if len(columns) > 0 && !yield(hourColumns{hour, columns}, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(hourColumns{}, fmt.Errorf("read blocks: %w", err))
			return
		}
		for _, h := range tail {
			if !s.yieldTail(r, h, want, yield) {
				return
			}
		}
	}
}

func (s *Store) yieldTail(r *reading, h tailHour, want func(block.Key) bool, yield func(hourColumns, error) bool) bool {
	r.merge.reset(h.hour)
	if err := r.merge.records(h.data, want); err != nil {
		return yield(hourColumns{}, err)
	}
	columns := r.merge.finish()
	return len(columns) == 0 || yield(hourColumns{h.hour, columns}, nil)
}

// Columns lists what was measured at a port between two times, in order.
func (s *Store) Columns(ctx context.Context, p Port, from, to time.Time) ([]block.Key, error) {
	if err := s.checkHorizon(from); err != nil {
		return nil, err
	}
	seen := map[block.Key]bool{}
	for h, err := range s.hours(ctx, p, spanOf(from, to), false, nil) {
		if err != nil {
			return nil, err
		}
		for _, c := range h.columns {
			seen[c.Key] = true
		}
	}
	keys := make([]block.Key, 0, len(seen))
	for k := range seen {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, block.Key.Compare)
	return keys, nil
}

// Hours returns the headers of a port's hours between two times, oldest first.
func (s *Store) Hours(ctx context.Context, p Port, from, to time.Time) ([]Hour, error) {
	if err := s.checkHorizon(from); err != nil {
		return nil, err
	}
	return s.headers(ctx, p, spanOf(from, to))
}

// headers reads what stands in the rows and computes what the tail touches.
func (s *Store) headers(ctx context.Context, p Port, in span) ([]Hour, error) {
	id, tail, ok := s.tailOf(p)
	if !ok {
		return nil, nil
	}
	byHour := map[int64]Hour{}
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+headerColumns+` FROM block WHERE port = ? AND hour >= ? AND hour < ?`, id, in.from, in.to)
	if err != nil {
		return nil, fmt.Errorf("read headers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		hour, h, err := scanHeader(rows)
		if err != nil {
			return nil, fmt.Errorf("read headers: %w", err)
		}
		byHour[hour] = h
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read headers: %w", err)
	}
	for _, t := range tail {
		if t.hour < in.from || t.hour >= in.to {
			continue
		}
		for h, err := range s.hours(ctx, p, span{t.hour, t.hour + 1}, false, nil) {
			if err != nil {
				return nil, err
			}
			byHour[t.hour] = headerOf(h.hour, h.columns)
		}
	}
	out := make([]Hour, 0, len(byHour))
	for _, h := range byHour {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Hour) int { return a.Start.Compare(b.Start) })
	return out, nil
}

// Days returns the roll-ups of the ports between two days in UTC, by port and
// then by day. Days without a sample are absent.
func (s *Store) Days(ctx context.Context, ports []Port, from, to time.Time) ([]Day, error) {
	first, end := floorDiv(from.Unix(), 86400), floorDiv(to.Unix()-1, 86400)+1
	if h := s.dayHorizon.Load(); h != noHour && first < h {
		return nil, fmt.Errorf("days from %s: %w", from.UTC().Format(time.DateOnly), ErrBeforeHorizon)
	}
	var out []Day
	for _, p := range ports {
		days, err := s.days(ctx, p, first, end)
		if err != nil {
			return nil, err
		}
		out = append(out, days...)
	}
	return out, nil
}

func (s *Store) days(ctx context.Context, p Port, first, end int64) ([]Day, error) {
	id, tail, ok := s.tailOf(p)
	if !ok {
		return nil, nil
	}
	byDay := map[int64]Day{}
	rows, err := s.db.read.QueryContext(ctx, `SELECT day, samples, minutes, busy, wh, max_w FROM daily WHERE port = ? AND day >= ? AND day < ?`, id, first, end)
	if err != nil {
		return nil, fmt.Errorf("read days: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var day int64
		d := Day{Port: p}
		if err := rows.Scan(&day, &d.Samples, &d.Minutes, &d.Busy, &d.Wh, &d.MaxW); err != nil {
			return nil, fmt.Errorf("read days: %w", err)
		}
		d.Day = time.Unix(day*86400, 0).UTC()
		byDay[day] = d
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read days: %w", err)
	}
	touched, err := s.touched(ctx, id, tail)
	if err != nil {
		return nil, err
	}
	for day := range touched {
		if day < first || day >= end {
			continue
		}
		d, ok, err := s.dayNow(ctx, p, day)
		if err != nil {
			return nil, err
		}
		if ok {
			byDay[day] = d
		}
	}
	out := make([]Day, 0, len(byDay))
	for _, d := range byDay {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Day) int { return a.Day.Compare(b.Day) })
	return out, nil
}

// touched are the days that the tail changes: those of its hours and, because
// a day counts from the reading before it, those of the readings after them.
func (s *Store) touched(ctx context.Context, id int64, tail []tailHour) (map[int64]bool, error) {
	days := map[int64]bool{}
	for _, t := range tail {
		days[floorDiv(t.hour, 24)] = true
		var next int64
		err := s.db.read.QueryRowContext(ctx, `SELECT hour FROM block WHERE port = ? AND hour > ? AND first_wh IS NOT NULL ORDER BY hour LIMIT 1`, id, t.hour).Scan(&next)
		switch {
		case err == nil:
			days[floorDiv(next, 24)] = true
		case !errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("find next block: %w", err)
		}
	}
	return days, nil
}

// dayNow folds a day from blocks and tail together.
func (s *Store) dayNow(ctx context.Context, p Port, day int64) (Day, bool, error) {
	hours, err := s.headers(ctx, p, span{day * 24, (day + 1) * 24})
	if err != nil || len(hours) == 0 {
		return Day{}, false, err
	}
	before, err := s.lastReading(ctx, p, day*24)
	if err != nil {
		return Day{}, false, err
	}
	d := dayOf(day, before, hours)
	d.Port = p
	return d, true, nil
}

// lastReading is the last hour before the given one in which the register was
// read.
func (s *Store) lastReading(ctx context.Context, p Port, before int64) (*Hour, error) {
	id, tail, _ := s.tailOf(p)
	var best *Hour
	hour, h, err := scanHeader(s.db.read.QueryRowContext(ctx, `SELECT `+headerColumns+` FROM block
		WHERE port = ? AND hour < ? AND first_wh IS NOT NULL ORDER BY hour DESC LIMIT 1`, id, before))
	switch {
	case err == nil:
		best = &h
	case !errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("read headers: %w", err)
	default:
		hour = noHour
	}
	for _, t := range tail { // newest first
		if t.hour >= before {
			continue
		}
		if t.hour < hour {
			break
		}
		hours, err := s.headers(ctx, p, span{t.hour, t.hour + 1})
		if err != nil {
			return nil, err
		}
		if len(hours) == 1 && hours[0].FirstWh != nil {
			return &hours[0], nil
		}
	}
	return best, nil
}
