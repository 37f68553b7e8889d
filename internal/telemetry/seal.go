package telemetry

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// ErrReadBack is returned when a block does not read as it was written. The
// samples stay in the hot tail.
var ErrReadBack = errors.New("a block reads differently than it was written")

// Tick does what is due at now: seals ports, drops the part of the hot tail
// that is sealed and synced, and applies retention. Run calls it; programs that
// drive their own time may.
func (s *Store) Tick(ctx context.Context, now time.Time) error {
	for {
		more, err := s.sealDue(ctx, now)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.retire(ctx, now)
}

// Seal puts all of the tail into blocks, the running hour included, as before a
// backup that must be small or a planned move.
func (s *Store) Seal(ctx context.Context) error {
	s.writing.Lock()
	err := s.sealAll(ctx, noHour)
	s.writing.Unlock()
	return errors.Join(err, s.settle(ctx))
}

func (s *Store) sealDue(ctx context.Context, now time.Time) (more bool, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	running := floorDiv(now.Unix(), 3600)
	var due []*port
	s.mu.Lock()
	for _, p := range s.ports {
		if len(p.hours) == 0 || now.Before(p.due) {
			continue
		}
		if p.closed(running) {
			due = append(due, p)
		} else {
			p.next(now)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(due, func(a, b *port) int { return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.id, b.id)) })
	more = len(due) > s.o.SealPorts
	if more {
		due = due[:s.o.SealPorts]
	}
	if len(due) == 0 {
		return false, nil
	}
	if err := s.seal(ctx, due, running); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range due {
		p.next(now)
	}
	return more, nil
}

// relieve makes room in the tail: first all closed hours, then the running one.
func (s *Store) relieve(ctx context.Context) error {
	s.count.early.Add(1)
	for _, kept := range []int64{floorDiv(s.o.Now().Unix(), 3600), noHour} {
		if err := s.sealAll(ctx, kept); err != nil {
			return err
		}
		if s.tailBytes() < s.o.TailBytes/2 {
			break
		}
	}
	return s.settleLocked(ctx)
}

func (s *Store) sealAll(ctx context.Context, kept int64) error {
	var all []*port
	s.mu.RLock()
	for _, p := range s.ports {
		if p.closed(kept) {
			all = append(all, p)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b *port) int { return cmp.Compare(a.id, b.id) })
	for some := range slices.Chunk(all, s.o.SealPorts) {
		if err := s.seal(ctx, some, kept); err != nil {
			return err
		}
	}
	return nil
}

// written is a block as it was handed to the database.
type written struct {
	port, hour int64
	data       []byte
}

// seal writes the hours of the ports, but for the kept one, as blocks in one
// transaction, reads them back over another connection and only then takes
// them out of the tail.
func (s *Store) seal(ctx context.Context, ports []*port, kept int64) error {
	var out []written
	row := s.lastRow()
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		w, err := newSealer(ctx, s, tx)
		if err != nil {
			return err
		}
		defer w.close()
		for _, p := range ports {
			if err := w.port(ctx, p, kept, row); err != nil {
				return fmt.Errorf("port %s/%d: %w", p.Station, p.EVSE, err)
			}
		}
		out = w.out
		return nil
	})
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	s.crash("sealed")
	if err := s.readBack(ctx, out); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	s.count.blocks.Add(uint64(len(out)))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range ports {
		s.bytes -= p.release(kept)
	}
	return nil
}

func (s *Store) readBack(ctx context.Context, out []written) error {
	tx, err := s.db.read.BeginTx(ctx, nil) // one look, not one for each block
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	q, err := tx.PrepareContext(ctx, `SELECT data FROM block WHERE port = ? AND hour = ?`)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	defer q.Close()
	for _, w := range out {
		var data []byte
		if err := q.QueryRowContext(ctx, w.port, w.hour).Scan(&data); err != nil {
			return fmt.Errorf("read back: %w", err)
		}
		if !bytes.Equal(data, w.data) {
			return fmt.Errorf("hour %d: %w", w.hour, ErrReadBack)
		}
	}
	return nil
}

// sealer is one sealing transaction with its statements.
type sealer struct {
	s                                                     *Store
	find, insert, update, mark, hours, before, after, day *sql.Stmt
	stmts                                                 []*sql.Stmt
	out                                                   []written
}

func newSealer(ctx context.Context, s *Store, tx *sql.Tx) (*sealer, error) {
	w := &sealer{s: s}
	for _, st := range []struct {
		into **sql.Stmt
		text string
	}{
		{&w.find, `SELECT id, data FROM block WHERE port = ? AND hour = ?`},
		{&w.insert, `INSERT INTO block(n, first_wh, last_wh, wh, max_w, mean_w, minutes, busy, data, port, hour) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&w.update, `UPDATE block SET n = ?, first_wh = ?, last_wh = ?, wh = ?, max_w = ?, mean_w = ?, minutes = ?, busy = ?, data = ? WHERE id = ?`},
		{&w.mark, `UPDATE port SET sealed = ?, kept = ? WHERE id = ?`},
		{&w.hours, `SELECT ` + headerColumns + ` FROM block WHERE port = ? AND hour >= ? AND hour < ? ORDER BY hour`},
		{&w.before, `SELECT ` + headerColumns + ` FROM block WHERE port = ? AND hour < ? AND first_wh IS NOT NULL ORDER BY hour DESC LIMIT 1`},
		{&w.after, `SELECT hour FROM block WHERE port = ? AND hour > ? AND first_wh IS NOT NULL ORDER BY hour LIMIT 1`},
		{&w.day, `INSERT INTO daily(port, day, samples, minutes, busy, wh, max_w) VALUES(?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET samples = excluded.samples, minutes = excluded.minutes, busy = excluded.busy, wh = excluded.wh, max_w = excluded.max_w`},
	} {
		stmt, err := tx.PrepareContext(ctx, st.text)
		if err != nil {
			w.close()
			return nil, fmt.Errorf("prepare: %w", err)
		}
		*st.into = stmt
		w.stmts = append(w.stmts, stmt)
	}
	return w, nil
}

func (w *sealer) close() {
	for _, st := range w.stmts {
		st.Close() // of a transaction that ends; nothing to learn from the error
	}
}

// port writes the blocks of a port, the days they change and its watermark.
func (w *sealer) port(ctx context.Context, p *port, kept, row int64) error {
	days := map[int64]bool{}
	for _, h := range p.hours {
		if h.hour == kept || h.hour < w.s.horizon.Load() {
			continue
		}
		if err := w.hour(ctx, p.id, h); err != nil {
			return err
		}
		days[floorDiv(h.hour, 24)] = true
	}
	// The day that follows counts on from what these end with.
	for _, day := range slices.Collect(maps.Keys(days)) {
		var next int64
		switch err := w.after.QueryRowContext(ctx, p.id, day*24+23).Scan(&next); {
		case err == nil:
			days[floorDiv(next, 24)] = true
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("find next block: %w", err)
		}
	}
	for day := range days {
		if err := w.daily(ctx, p.id, day); err != nil {
			return err
		}
	}
	var keep any
	if kept != noHour {
		keep = kept
	}
	if _, err := w.mark.ExecContext(ctx, row, keep, p.id); err != nil {
		return fmt.Errorf("mark as sealed: %w", err)
	}
	return nil
}

func (w *sealer) hour(ctx context.Context, portID int64, h tailHour) error {
	s := w.s
	m := &s.merge
	m.reset(h.hour)
	if err := m.records(h.data, nil); err != nil {
		return err
	}
	var id int64
	var old []byte
	switch err := w.find.QueryRowContext(ctx, portID, h.hour).Scan(&id, &old); {
	case err == nil:
		_, columns, err := s.decoder.Decode(old, nil)
		if err != nil {
			s.count.corrupt.Add(1)
			s.log.ErrorContext(ctx, "block is damaged and replaced by late data", "port", portID, "hour", h.hour, "err", err)
			break
		}
		m.blocks(columns)
		s.count.rewritten.Add(1)
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("find block: %w", err)
	}
	columns := m.finish()
	s.count.over.Add(uint64(m.dropped))
	data, err := s.encoder.Append(nil, h.hour, columns)
	if err != nil {
		return fmt.Errorf("encode hour %d: %w", h.hour, err)
	}
	if err := s.proof(data, h.hour, columns); err != nil {
		return err
	}
	head := headerOf(h.hour, columns)
	args := []any{head.Samples, number(head.FirstWh), number(head.LastWh), number(head.Wh), number(head.MaxW), number(head.MeanW), head.Minutes, head.Busy, data}
	if id != 0 {
		_, err = w.update.ExecContext(ctx, append(args, id)...)
	} else {
		_, err = w.insert.ExecContext(ctx, append(args, portID, h.hour)...)
	}
	if err != nil {
		return fmt.Errorf("write block: %w", err)
	}
	w.out = append(w.out, written{portID, h.hour, data})
	return nil
}

// proof decodes what was just encoded: a fault of the codec must show while the
// samples are still in the tail.
func (s *Store) proof(data []byte, hour int64, columns []block.Column) error {
	_, got, err := s.decoder.Decode(data, nil)
	if err != nil {
		return fmt.Errorf("hour %d: %w: %w", hour, ErrReadBack, err)
	}
	same := slices.EqualFunc(got, columns, func(a, b block.Column) bool {
		return a.Key == b.Key && slices.Equal(a.Times, b.Times) && slices.EqualFunc(a.Values, b.Values, func(x, y float64) bool {
			return math.Float64bits(x) == math.Float64bits(y)
		})
	})
	if !same {
		return fmt.Errorf("hour %d: %w", hour, ErrReadBack)
	}
	return nil
}

func number(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

const headerColumns = `hour, n, first_wh, last_wh, wh, max_w, mean_w, minutes, busy`

func scanHeader(rows interface{ Scan(...any) error }) (int64, Hour, error) {
	var hour int64
	var h Hour
	if err := rows.Scan(&hour, &h.Samples, &h.FirstWh, &h.LastWh, &h.Wh, &h.MaxW, &h.MeanW, &h.Minutes, &h.Busy); err != nil {
		return 0, Hour{}, err
	}
	h.Start = time.Unix(hour*3600, 0).UTC()
	return hour, h, nil
}

// daily computes a day anew from the headers of its blocks.
func (w *sealer) daily(ctx context.Context, portID, day int64) error {
	rows, err := w.hours.QueryContext(ctx, portID, day*24, (day+1)*24)
	if err != nil {
		return fmt.Errorf("read headers: %w", err)
	}
	defer rows.Close()
	var hours []Hour
	for rows.Next() {
		_, h, err := scanHeader(rows)
		if err != nil {
			return fmt.Errorf("read headers: %w", err)
		}
		hours = append(hours, h)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read headers: %w", err)
	}
	var before *Hour
	switch _, h, err := scanHeader(w.before.QueryRowContext(ctx, portID, day*24)); {
	case err == nil:
		before = &h
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("read headers: %w", err)
	}
	d := dayOf(day, before, hours)
	if _, err := w.day.ExecContext(ctx, portID, day, d.Samples, d.Minutes, d.Busy, number(d.Wh), number(d.MaxW)); err != nil {
		return fmt.Errorf("write day: %w", err)
	}
	return nil
}

// settle syncs the file and drops the rows of the hot tail whose samples are
// all in blocks.
func (s *Store) settle(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.settleLocked(ctx)
}

func (s *Store) settleLocked(ctx context.Context) error {
	if err := s.storeCursor(ctx); err != nil {
		return err
	}
	s.mu.RLock()
	oldest, sealed := s.lastID+1, s.stored
	for _, p := range s.ports {
		for _, h := range p.hours {
			oldest = min(oldest, h.oldest)
		}
	}
	empty := oldest > s.lastID
	before := s.sealed
	s.mu.RUnlock()
	if !empty {
		// Of the rows before the oldest that is needed the last one's cursor.
		err := s.db.write.QueryRowContext(ctx, `SELECT cursor, seq FROM hot WHERE id < ? ORDER BY id DESC LIMIT 1`, oldest).Scan(&sealed.Cursor, &sealed.Seq)
		if errors.Is(err, sql.ErrNoRows) {
			sealed = before
		} else if err != nil {
			return fmt.Errorf("read hot tail: %w", err)
		}
	}
	if oldest == s.kept && sealed == before {
		return nil
	}
	if err := s.db.sync(ctx); err != nil {
		return err
	}
	s.crash("synced")
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM hot WHERE id < ?`, oldest); err != nil {
			return fmt.Errorf("drop sealed rows: %w", err)
		}
		return storeMark(ctx, tx, "sealedCursor", "sealedSeq", sealed)
	})
	if err != nil {
		return err
	}
	s.kept = oldest
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = sealed
	return nil
}
