package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Load reads what a start needs.
func (s *Store) Load(ctx context.Context) (*journal.Loaded, error) {
	l := &journal.Loaded{Horizons: make(map[journal.Class]journal.Horizon)}
	var recorded, alive sql.NullInt64
	err := s.db.Reader().QueryRowContext(ctx,
		`SELECT coalesce(max(seq), 0), (SELECT recorded_at FROM events ORDER BY seq DESC LIMIT 1) FROM events`).
		Scan(&l.LastSeq, &recorded)
	if err != nil {
		return nil, fmt.Errorf("read the newest event: %w", err)
	}
	l.LastRecordedAt = timeOf(recorded)
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT max(alive_at) FROM server_runs`).Scan(&alive); err != nil {
		return nil, fmt.Errorf("read the last sign of life: %w", err)
	}
	l.LastAlive = timeOf(alive)
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT class, seq, at FROM horizons`)
	if err != nil {
		return nil, fmt.Errorf("read horizons: %w", err)
	}
	err = each(rows, func() error {
		var class string
		var h journal.Horizon
		var at int64
		err := rows.Scan(&class, &h.Seq, &at)
		h.At = micros(at)
		l.Horizons[journal.Class(class)] = h
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read horizons: %w", err)
	}
	if err := s.loadCheckpoint(ctx, l); err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	return l, nil
}

func (s *Store) loadCheckpoint(ctx context.Context, l *journal.Loaded) error {
	var meta fleet.Meta
	var data []byte
	err := s.db.Reader().QueryRowContext(ctx, `SELECT meta FROM checkpoint WHERE id = 1`).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return s.clearCheckpoint(ctx, 0)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &meta); err != nil {
		return err
	}
	if meta.Version != fleet.Version {
		s.log.Info("checkpoint is of another version; folding what is retained", "have", meta.Version, "want", fleet.Version)
		l.Outdated = true
		return s.clearCheckpoint(ctx, 0)
	}
	if err := s.clearCheckpoint(ctx, meta.Seq); err != nil {
		return err
	}
	if l.Stations, err = s.loadStations(ctx); err != nil {
		return err
	}
	b := &history{s: s, seq: meta.Seq, former: make(map[string]*fleet.Session)}
	if err := b.load(ctx); err != nil {
		return err
	}
	l.Checkpoint, l.Before = &meta, b
	return nil
}

// clearCheckpoint deletes rows of a checkpoint that was never finished and
// rows that the finished one superseded.
func (s *Store) clearCheckpoint(ctx context.Context, seq uint64) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM checkpoint_stations WHERE seq > ?`, int64(seq)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM checkpoint_stations WHERE n IN (SELECT o.n FROM checkpoint_stations o
			JOIN checkpoint_stations c ON c.station = o.station AND c.seq > o.seq)`); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM checkpoint_stations WHERE data IS NULL`); err != nil {
			return err
		}
		if seq == 0 {
			_, err := tx.ExecContext(ctx, `DELETE FROM checkpoint`)
			return err
		}
		return nil
	})
}

// loadStations decodes the stations on all processors: it is most of a start.
func (s *Store) loadStations(ctx context.Context) ([]*fleet.Station, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT data FROM checkpoint_stations ORDER BY n`)
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	if err := each(rows, func() error {
		var data []byte
		err := rows.Scan(&data)
		texts = append(texts, data)
		return err
	}); err != nil {
		return nil, err
	}
	stations := make([]*fleet.Station, len(texts))
	if len(texts) == 0 {
		return nil, nil
	}
	workers := runtime.GOMAXPROCS(0)
	part := (len(texts) + workers - 1) / workers
	failed := make([]error, workers)
	var group sync.WaitGroup
	n := 0
	for texts := range slices.Chunk(texts, part) {
		worker, from := n, n*part
		n++
		group.Go(func() {
			for i, data := range texts {
				st := new(fleet.Station)
				if err := json.Unmarshal(data, st); err != nil {
					failed[worker] = err
					return
				}
				stations[from+i] = st
			}
		})
	}
	group.Wait()
	return stations, errors.Join(failed...)
}

// SaveStations adds rows of a checkpoint in the making.
func (t *tx) SaveStations(seq uint64, rows []journal.StationRow) error {
	stmt := t.stmt(t.s.w.saveStation)
	for _, r := range rows {
		var data any
		if r.Data != nil {
			data = r.Data
		}
		if _, err := stmt.Exec(r.ID, int64(seq), data); err != nil {
			return err
		}
	}
	return nil
}

// FinishCheckpoint makes the saved rows count.
func (t *tx) FinishCheckpoint(meta fleet.Meta) error {
	data, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	if _, err := t.sql.Exec(`INSERT INTO checkpoint (id, version, seq, recorded_at, meta) VALUES (1, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, seq = excluded.seq,
		recorded_at = excluded.recorded_at, meta = excluded.meta`,
		meta.Version, int64(meta.Seq), meta.RecordedAt.UnixMicro(), string(data)); err != nil {
		return err
	}
	_, err = t.sql.Exec(`DELETE FROM sessions_before WHERE until <= ?`, int64(meta.Seq))
	return err
}

// PruneStations deletes what the finished checkpoint superseded.
func (t *tx) PruneStations(seq uint64, ids []string) error {
	stmt := t.stmt(t.s.w.pruneStation)
	for _, id := range ids {
		if _, err := stmt.Exec(id, int64(seq), int64(seq)); err != nil {
			return err
		}
	}
	return nil
}

// history answers for closed sessions as of the checkpoint.
type history struct {
	s      *Store
	seq    uint64
	former map[string]*fleet.Session // changed since; by id
}

func (h *history) load(ctx context.Context) error {
	rows, err := h.s.db.Reader().QueryContext(ctx, `SELECT id, data FROM sessions_before
		WHERE until > ?1 AND closed_seq <= ?1 ORDER BY until DESC`, int64(h.seq))
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var id string
		var data sql.RawBytes
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		one := new(fleet.Session)
		h.former[id] = one // the one that held first after the checkpoint comes last
		return json.Unmarshal(data, one)
	})
}

func (h *history) SessionByStart(station, key string) (*fleet.Session, bool) {
	return h.find(station, key, `start_key`, func(s *fleet.Session) string { return s.StartKey })
}

func (h *history) SessionByStop(station, key string) (*fleet.Session, bool) {
	return h.find(station, key, `stop_key`, func(s *fleet.Session) string { return s.StopKey })
}

func (h *history) SessionByTransaction(station, id string) (*fleet.Session, bool) {
	return h.find(station, id, `transaction_id`, func(s *fleet.Session) string { return s.TransactionID })
}

func (h *history) find(station, key, column string, of func(*fleet.Session) string) (*fleet.Session, bool) {
	var found *fleet.Session
	better := func(s *fleet.Session) bool { return found == nil || orderOf(s.ID) > orderOf(found.ID) }
	for _, s := range h.former {
		if s.Station == station && of(s) == key && better(s) {
			found = s
		}
	}
	id, ok := h.s.stationID(station)
	if !ok {
		return found, found != nil
	}
	rows, err := h.s.db.Reader().Query(`SELECT data FROM sessions WHERE station = ? AND `+column+` = ? AND active = 0
		AND closed_seq <= ? ORDER BY n DESC LIMIT 100`, id, key, int64(h.seq))
	if err == nil {
		err = each(rows, func() error {
			var data sql.RawBytes
			if err := rows.Scan(&data); err != nil {
				return err
			}
			one := new(fleet.Session)
			if err := json.Unmarshal(data, one); err != nil {
				return err
			}
			if _, changed := h.former[one.ID]; !changed && better(one) {
				found = one
			}
			return nil
		})
	}
	if err != nil {
		h.s.log.Error("replay cannot read a session", "station", station, "err", err)
	}
	return found, found != nil
}
