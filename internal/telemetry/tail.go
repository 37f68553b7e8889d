package telemetry

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"
)

// noHour is no hour at all.
const noHour = math.MinInt64

// port is a port and its part of the hot tail.
type port struct {
	Port
	id    int64
	hours []tailHour // few, in no order
	// due is when the port is sealed next. Each port has its own second of the
	// hour, so that the work is spread.
	due time.Time
}

// tailHour holds the records of an hour. data is only appended to, so a reader
// may keep a slice of it.
type tailHour struct {
	hour   int64
	oldest int64 // row of hot that holds the first of them
	data   []byte
}

// What an hour costs beyond its records.
const tailHourBytes = 96

func newPort(id int64, p Port) *port { return &port{Port: p, id: id} }

// slot is the port's second of the hour.
func (p *port) slot() time.Duration {
	return time.Duration(uint32(p.id)*2654435761>>8%3600) * time.Second
}

// next sets the due time after now.
func (p *port) next(now time.Time) {
	p.due = now.Add(-p.slot()).Truncate(time.Hour).Add(time.Hour + p.slot())
}

// closed reports whether the port has an hour other than the one that runs.
func (p *port) closed(running int64) bool {
	return slices.ContainsFunc(p.hours, func(h tailHour) bool { return h.hour != running })
}

// hold appends records to the tail and returns the bytes it grew by.
func (p *port) hold(row, hour int64, record []byte) int {
	for i := len(p.hours) - 1; i >= 0; i-- { // nearly always the newest
		if h := &p.hours[i]; h.hour == hour {
			h.data = append(h.data, record...)
			return len(record)
		}
	}
	p.hours = append(p.hours, tailHour{hour: hour, oldest: row, data: slices.Clone(record)})
	return len(record) + tailHourBytes
}

// release takes what was sealed out of the tail: every hour but the kept one.
func (p *port) release(kept int64) (bytes int) {
	rest := make([]tailHour, 0, 1)
	for _, h := range p.hours {
		if h.hour == kept {
			rest = append(rest, h)
			continue
		}
		bytes += len(h.data) + tailHourBytes
	}
	p.hours = rest
	return bytes
}

// watermark says which part of the tail on disk is in blocks: the rows up to
// sealed, but for what they hold of the kept hour.
type watermark struct{ sealed, kept int64 }

func (s *Store) loadPorts(ctx context.Context) (map[int64]watermark, error) {
	marks := map[int64]watermark{}
	rows, err := s.db.write.QueryContext(ctx, `SELECT id, station, evse, sealed, kept FROM port`)
	if err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		p := newPort(0, Port{})
		var kept sql.NullInt64
		w := watermark{kept: noHour}
		if err := rows.Scan(&p.id, &p.Station, &p.EVSE, &w.sealed, &kept); err != nil {
			return nil, fmt.Errorf("read ports: %w", err)
		}
		if kept.Valid {
			w.kept = kept.Int64
		}
		marks[p.id] = w
		s.ports[p.Port], s.byID[p.id] = p, p
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	return marks, nil
}

func (s *Store) loadTail(ctx context.Context, marks map[int64]watermark) error {
	if err := s.db.write.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'hot'`).Scan(&s.lastID); err != nil {
		return fmt.Errorf("read hot tail: %w", err)
	}
	rows, err := s.db.write.QueryContext(ctx, `SELECT id, data FROM hot ORDER BY id`)
	if err != nil {
		return fmt.Errorf("read hot tail: %w", err)
	}
	defer rows.Close()
	now := s.o.Now()
	for rows.Next() {
		var id int64
		var data sql.RawBytes
		if err := rows.Scan(&id, &data); err != nil {
			return fmt.Errorf("read hot tail: %w", err)
		}
		err := eachEntry(data, func(portID, hour int64, record []byte) error {
			p, ok := s.byID[portID]
			if !ok {
				return errChunk
			}
			if w := marks[portID]; id <= w.sealed && hour != w.kept {
				return nil
			}
			if len(p.hours) == 0 {
				p.next(now)
			}
			s.bytes += p.hold(id, hour, record)
			return nil
		})
		if err != nil {
			// The rest is worth more than a refusal; the journal still has the row.
			s.count.corrupt.Add(1)
			s.log.ErrorContext(ctx, "row of the hot tail is damaged and left out", "row", id, "err", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read hot tail: %w", err)
	}
	return nil
}
