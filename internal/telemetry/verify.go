package telemetry

import (
	"context"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// maxFaults bounds a Report.
const maxFaults = 1000

// Report is the outcome of Verify.
type Report struct {
	Blocks  int
	Samples int
	Rows    int // of the hot tail
	Faults  []Fault
	More    int // faults beyond those listed
}

// Fault is one damaged block; a row of the hot tail has no port.
type Fault struct {
	Port Port
	Hour time.Time
	Err  error
}

func (r *Report) fault(f Fault) {
	if len(r.Faults) == maxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, f)
}

// Verify decodes every block and checks it against its checksum and header,
// and the file against SQLite's own integrity check. Reads and writes go on.
func (s *Store) Verify(ctx context.Context) (Report, error) {
	var r Report
	decoder, err := block.NewDecoder()
	if err != nil {
		return r, err
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT station, evse, hour, n, data FROM block JOIN port ON port.id = block.port`)
	if err != nil {
		return r, fmt.Errorf("read blocks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var p Port
		var hour int64
		var n int
		var data []byte
		if err := rows.Scan(&p.Station, &p.EVSE, &hour, &n, &data); err != nil {
			return r, fmt.Errorf("read blocks: %w", err)
		}
		r.Blocks++
		fault := Fault{Port: p, Hour: time.Unix(hour*3600, 0).UTC()}
		inside, columns, err := decoder.Decode(data, nil)
		if err != nil {
			fault.Err = err
			r.fault(fault)
			continue
		}
		have := 0
		for _, c := range columns {
			have += len(c.Times)
		}
		r.Samples += have
		if inside != hour || have != n {
			fault.Err = fmt.Errorf("header says hour %d and %d samples, the block %d and %d: %w", hour, n, inside, have, block.ErrCorrupt)
			r.fault(fault)
		}
	}
	if err := rows.Err(); err != nil {
		return r, fmt.Errorf("read blocks: %w", err)
	}
	if err := s.verifyTail(ctx, &r); err != nil {
		return r, err
	}
	return r, s.integrity(ctx, &r)
}

func (s *Store) verifyTail(ctx context.Context, r *Report) error {
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, data FROM hot`)
	if err != nil {
		return fmt.Errorf("read hot tail: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var data []byte
		if err := rows.Scan(&id, &data); err != nil {
			return fmt.Errorf("read hot tail: %w", err)
		}
		r.Rows++
		if err := eachEntry(data, func(int64, int64, []byte) error { return nil }); err != nil {
			r.fault(Fault{Err: fmt.Errorf("row %d: %w", id, err)})
		}
	}
	return rows.Err()
}

func (s *Store) integrity(ctx context.Context, r *Report) error {
	rows, err := s.db.read.QueryContext(ctx, `PRAGMA quick_check`)
	if err != nil {
		return fmt.Errorf("check %s: %w", FileName, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return fmt.Errorf("check %s: %w", FileName, err)
		}
		if text != "ok" {
			r.fault(Fault{Err: fmt.Errorf("%s: %s: %w", FileName, text, block.ErrCorrupt)})
		}
	}
	return rows.Err()
}

// Backup writes a copy of the file, complete as of one moment, to a path that
// must not exist. Reads and writes go on.
func (s *Store) Backup(ctx context.Context, path string) error {
	s.writing.Lock()
	err := s.storeCursor(ctx)
	s.writing.Unlock()
	if err != nil {
		return err
	}
	// A connection of its own: the pool's may only query.
	conn, err := s.db.read.Conn(ctx)
	if err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `PRAGMA query_only(0)`); err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	_, err = conn.ExecContext(ctx, `VACUUM INTO ?`, path)
	if _, off := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA query_only(1)`); err == nil {
		err = off
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", FileName, err)
	}
	return nil
}
