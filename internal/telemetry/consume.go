package telemetry

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

const (
	// A sample's own time is believed from 2010 ...
	earliest = 1_262_304_000
	// ... to this much after we recorded it.
	latest = 24 * time.Hour
)

// ErrFull is returned by Consume when the tail has reached its limit and could
// not be sealed. The events stay in the journal; try again.
var ErrFull = errors.New("the hot tail is full")

// Consume stores the samples of the events together with the cursor that
// follows them. Either all of it is stored or nothing.
func (s *Store) Consume(ctx context.Context, events []*event.Event, cursor string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.tailBytes() >= s.o.TailBytes {
		if err := s.relieve(ctx); err != nil {
			return errors.Join(ErrFull, err)
		}
	}
	mark := Mark{Cursor: cursor, Seq: s.pending.Seq}
	if len(events) > 0 {
		mark.Seq = events[len(events)-1].Seq
	}
	in := intake{s: s, chunk: []byte{chunkVersion}}
	for _, e := range events {
		switch b := e.Body.(type) {
		case *event.Meter:
			in.add(e, b.Samples)
		case *event.Transaction:
			in.add(e, b.Samples)
		}
	}
	s.count.odd.Add(in.odd)
	s.count.late.Add(in.late)
	if len(in.entries) == 0 {
		s.pending = mark
		s.consumed.Store(mark.Seq)
		return nil
	}
	in.chunk = closeChunk(in.chunk)
	row := s.lastRow() + 1
	err := s.db.tx(ctx, func(tx *sql.Tx) error { return in.store(ctx, tx, row, mark) })
	if err != nil {
		return fmt.Errorf("store samples: %w", err)
	}
	s.crash("consumed")
	s.pending = mark
	s.consumed.Store(mark.Seq)
	s.take(&in, row, mark)
	return nil
}

// take makes visible what was committed.
func (s *Store) take(in *intake, row int64, mark Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	for _, p := range in.fresh {
		s.ports[p.Port], s.byID[p.id] = p, p
	}
	for _, e := range in.entries {
		if len(e.port.hours) == 0 {
			e.port.next(now)
		}
		s.bytes += e.port.hold(row, e.hour, in.chunk[e.from:e.to])
		s.noteLate(e.hour, now)
	}
	s.lastID, s.stored = row, mark
	s.count.samples.Add(in.samples)
}

func (s *Store) tailBytes() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.bytes
}

func (s *Store) lastRow() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lastID
}

// intake turns events into one row of hot.
type intake struct {
	s       *Store
	chunk   []byte
	record  []byte
	entries []entry
	fresh   []*port
	samples uint64
	odd     uint64
	late    uint64
}

type entry struct {
	port     *port
	hour     int64
	from, to int
}

func (in *intake) add(e *event.Event, samples event.Samples) {
	if e.Subject.Type != event.StationSubject || len(samples) == 0 {
		return
	}
	p := in.port(Port{Station: e.Subject.ID, EVSE: e.Subject.EVSE})
	shift := correction(e, samples)
	horizon := in.s.horizon.Load()
	for _, g := range samples {
		at := e.At
		if !g.At.IsZero() {
			at = g.At.Add(shift)
		}
		ms := at.UnixMilli()
		hour := floorDiv(ms, hourMillis)
		if hour < horizon {
			in.late += uint64(len(g.Values))
			continue
		}
		in.group(p, hour, ms-hour*hourMillis, g.Values)
	}
}

func (in *intake) group(p *port, hour, offset int64, values []event.Sample) {
	finite := 0
	for _, v := range values {
		if isFinite(v.Value) {
			finite++
		}
	}
	in.odd += uint64(len(values) - finite)
	if finite == 0 {
		return
	}
	r := binary.AppendVarint(in.record[:0], offset)
	r = binary.AppendUvarint(r, uint64(finite))
	for _, v := range values {
		if !isFinite(v.Value) {
			continue
		}
		r = keyOf(v).Append(r)
		r = appendValue(r, v.Value+0) // the sum makes -0 plain
	}
	in.record = r
	in.chunk = binary.AppendUvarint(in.chunk, uint64(p.id))
	in.chunk = binary.AppendVarint(in.chunk, hour)
	in.chunk = binary.AppendUvarint(in.chunk, uint64(len(r)))
	from := len(in.chunk)
	in.chunk = append(in.chunk, r...)
	in.entries = append(in.entries, entry{port: p, hour: hour, from: from, to: len(in.chunk)})
	in.samples += uint64(finite)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// keyOf names the column of a sample. The outlet is the location where none is
// named, as in OCPP.
func keyOf(v event.Sample) block.Key {
	k := block.Key{Measurand: v.Measurand, Phase: v.Phase, Location: v.Location, Unit: v.Unit}
	if k.Measurand == "" {
		k.Measurand = energyRegister
	}
	if k.Location == "Outlet" {
		k.Location = ""
	}
	return k.Clip()
}

// correction is what to add to the times of the groups: what the event's own
// time was corrected by. Where a station's clock is beyond belief its newest
// group happened at the event's best time, and the distances between groups
// stay.
func correction(e *event.Event, samples event.Samples) time.Duration {
	var newest, oldest time.Time
	for _, g := range samples {
		if g.At.IsZero() {
			continue
		}
		if newest.IsZero() || g.At.After(newest) {
			newest = g.At
		}
		if oldest.IsZero() || g.At.Before(oldest) {
			oldest = g.At
		}
	}
	if newest.IsZero() {
		return 0
	}
	toEvent := e.At.Sub(newest)
	shift := time.Duration(0)
	if !e.DeviceAt.IsZero() {
		switch e.Quality {
		case event.TimeCorrected:
			shift = e.At.Sub(e.DeviceAt)
		case event.TimeReceived:
			return toEvent
		}
	}
	to := e.RecordedAt
	if to.IsZero() {
		to = e.At
	}
	if oldest.Add(shift).Unix() < earliest || newest.Add(shift).After(to.Add(latest)) {
		return toEvent
	}
	return shift
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (in *intake) port(p Port) *port {
	in.s.mu.RLock()
	known, ok := in.s.ports[p]
	in.s.mu.RUnlock()
	if ok {
		return known
	}
	for _, f := range in.fresh {
		if f.Port == p {
			return f
		}
	}
	id := int64(len(in.s.ports) + len(in.fresh) + 1)
	in.fresh = append(in.fresh, newPort(id, p))
	return in.fresh[len(in.fresh)-1]
}

func (in *intake) store(ctx context.Context, tx *sql.Tx, row int64, mark Mark) error {
	for _, p := range in.fresh {
		if _, err := tx.ExecContext(ctx, `INSERT INTO port(id, station, evse) VALUES(?, ?, ?)`, p.id, p.Station, p.EVSE); err != nil {
			return fmt.Errorf("add port: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO hot(id, seq, cursor, data) VALUES(?, ?, ?, ?)`, row, mark.Seq, mark.Cursor, in.chunk); err != nil {
		return fmt.Errorf("append to the hot tail: %w", err)
	}
	return storeMark(ctx, tx, "cursor", "seq", mark)
}

func storeMark(ctx context.Context, tx *sql.Tx, cursor, seq string, m Mark) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO state(name, value) VALUES(?, ?), (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
		cursor, m.Cursor, seq, m.Seq); err != nil {
		return fmt.Errorf("store cursor: %w", err)
	}
	return nil
}

// storeCursor stores how far the journal was read when the last events held no
// sample.
func (s *Store) storeCursor(ctx context.Context) error {
	s.mu.RLock()
	same := s.stored == s.pending
	s.mu.RUnlock()
	if same {
		return nil
	}
	if err := s.db.tx(ctx, func(tx *sql.Tx) error { return storeMark(ctx, tx, "cursor", "seq", s.pending) }); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored = s.pending
	return nil
}
