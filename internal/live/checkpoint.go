package live

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/incident/remedy"
	"github.com/chargewatch/chargewatch/internal/rule"
)

// version of a checkpoint as a whole. Another one is not loaded: what is
// retained is folded from the start, without a word, and rows stay as they were.
const version = 1

// meta is what a checkpoint keeps beside its rows.
type meta struct {
	Version  int           `json:"version"`
	Detect   detect.Meta   `json:"detect"`
	Rules    rule.Meta     `json:"rules,omitzero"`
	Incident incident.Meta `json:"incident"`
	Remedy   int           `json:"remedy"` // version of its row
}

// place is one row of a checkpoint.
type place struct{ part, key string }

const (
	partStation  = "station"
	partIncident = "incident"
	partRule     = "rule"
	partRemedy   = "remedy" // one row
	partAlerts   = "alerts" // one row
	partWatch    = "watch"  // by station
)

// saver writes checkpoints beside the goroutine that folds.
type saver struct {
	generation int64
	at         time.Time
	pending    map[place][]byte // of a checkpoint that is not finished; nil data: gone
	done       chan error       // of the one that is being written; nil: none
	quietSeq   uint64           // conclusions up to here are committed
	quietClock time.Time
}

// load restores the last checkpoint.
func (l *Live) load(ctx context.Context) error {
	l.saver.at = l.o.Now()
	var clock int64
	err := l.o.DB.Reader().QueryRowContext(ctx, `SELECT seq, clock FROM live_progress WHERE id = 1`).Scan(&l.saver.quietSeq, &clock)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read how far detection is: %w", err)
	}
	l.saver.quietClock = time.UnixMicro(clock).UTC()
	var seq uint64
	var text string
	var m meta
	err = l.o.DB.Reader().QueryRowContext(ctx, `SELECT generation, seq, clock, meta FROM live_checkpoint WHERE id = 1`).
		Scan(&l.saver.generation, &seq, &clock, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return l.forget(ctx)
	}
	if err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	if json.Unmarshal([]byte(text), &m) != nil || m.Version != version || m.Detect.Version != detect.Version || m.Incident.Version != incident.Version || m.Remedy != remedy.Version ||
		l.pipeline.Rules != nil && m.Rules.Version != rule.Version {
		l.log.InfoContext(ctx, "detection starts again from what is retained")
		return l.forget(ctx)
	}
	if err := l.pipeline.Detect.Restore(m.Detect); err != nil {
		return err
	}
	if l.pipeline.Rules != nil {
		l.pipeline.Rules.Restore(m.Rules)
	}
	l.pipeline.Incidents.Restore(m.Incident)
	rows, err := l.o.DB.Reader().QueryContext(ctx, `SELECT part, key, data FROM live_state WHERE generation <= ? ORDER BY part, key, generation`, l.saver.generation)
	if err != nil {
		return fmt.Errorf("read the rows of the checkpoint: %w", err)
	}
	defer rows.Close()
	newest := make(map[place][]byte)
	for rows.Next() {
		var p place
		var data []byte
		if err := rows.Scan(&p.part, &p.key, &data); err != nil {
			return fmt.Errorf("read a row of the checkpoint: %w", err)
		}
		newest[p] = data
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the rows of the checkpoint: %w", err)
	}
	for p, data := range newest {
		if data == nil {
			continue
		}
		switch p.part {
		case partStation:
			err = l.pipeline.Detect.Load(data)
		case partRule:
			if l.pipeline.Rules != nil {
				err = l.pipeline.Rules.Load(p.key, data)
			}
		case partIncident:
			err = l.pipeline.Incidents.Load(p.key, data)
		case partAlerts:
			err = l.pipeline.Alerts.Restore(data)
		case partRemedy:
			err = l.pipeline.Remedies.Restore(data)
		case partWatch:
			err = l.pipeline.Remedies.LoadWatch(p.key, data)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", p.part, p.key, err)
		}
	}
	l.seq, l.clock = seq, time.UnixMicro(clock).UTC()
	if l.seq == l.saver.quietSeq { // timers may have fired since
		l.pipeline.Advance(l.saver.quietClock, &Conclusions{})
	}
	return nil
}

// forget drops rows that belong to no checkpoint.
func (l *Live) forget(ctx context.Context) error {
	err := l.o.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM live_state; DELETE FROM live_checkpoint`)
		return err
	})
	if err != nil {
		return fmt.Errorf("drop an old checkpoint: %w", err)
	}
	return nil
}

// saveIfDue begins a checkpoint and looks after one that is being written.
func (l *Live) saveIfDue(ctx context.Context, now time.Time) error {
	select {
	case err := <-l.saver.done:
		l.saver.end(err)
		if err != nil && ctx.Err() == nil {
			l.log.WarnContext(ctx, "what detection knows was not saved", "err", err)
		}
	default:
	}
	if l.saver.done != nil || now.Sub(l.saver.at) < l.o.CheckpointEvery {
		return nil
	}
	l.saver.at = now
	finish, err := l.collect()
	if err != nil {
		return err
	}
	rows := l.saver.rows()
	l.saver.done = make(chan error, 1)
	generation := l.saver.generation
	go func(done chan<- error) {
		done <- l.writeCheckpoint(context.WithoutCancel(ctx), generation, rows, finish)
	}(l.saver.done)
	return nil
}

// save writes a checkpoint and waits for it.
func (l *Live) save(ctx context.Context) error {
	if l.saver.done != nil {
		select {
		case err := <-l.saver.done:
			l.saver.end(err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	finish, err := l.collect()
	if err != nil {
		return err
	}
	err = l.writeCheckpoint(ctx, l.saver.generation, l.saver.rows(), finish)
	l.saver.end(err)
	return err
}

// end notes what became of the checkpoint being written; rows of one that
// failed go into the next.
func (s *saver) end(err error) {
	s.done = nil
	if err == nil {
		clear(s.pending)
	}
}

// collect takes what changed since the last checkpoint and returns what makes
// the new one count.
func (l *Live) collect() (finish func(*sql.Tx) error, err error) {
	if l.saver.pending == nil {
		l.saver.pending = make(map[place][]byte)
	}
	keep := func(part string) func(key string, data []byte) error {
		return func(key string, data []byte) error {
			l.saver.pending[place{part, key}] = data
			return nil
		}
	}
	l.folding.Lock()
	defer l.folding.Unlock()
	m := meta{Version: version, Remedy: remedy.Version}
	if m.Detect, err = l.pipeline.Detect.Checkpoint(keep(partStation)); err != nil {
		return nil, err
	}
	if l.pipeline.Rules != nil {
		if m.Rules, err = l.pipeline.Rules.Checkpoint(keep(partRule)); err != nil {
			return nil, err
		}
	}
	if m.Incident, err = l.pipeline.Incidents.Checkpoint(keep(partIncident)); err != nil {
		return nil, err
	}
	if l.saver.pending[place{partRemedy, ""}], err = l.pipeline.Remedies.Checkpoint(); err != nil {
		return nil, err
	}
	if err = l.pipeline.Remedies.CheckpointWatch(keep(partWatch)); err != nil {
		return nil, err
	}
	if l.saver.pending[place{partAlerts, ""}], err = l.pipeline.Alerts.Checkpoint(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the checkpoint: %w", err)
	}
	l.saver.generation++
	generation, seq, clock := l.saver.generation, l.seq, l.clock
	return func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO live_checkpoint (id, generation, seq, clock, meta) VALUES (1, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, seq = excluded.seq, clock = excluded.clock, meta = excluded.meta`,
			generation, seq, clock.UnixMicro(), string(text)); err != nil {
			return fmt.Errorf("finish the checkpoint: %w", err)
		}
		return nil
	}, nil
}

type savedRow struct {
	place
	data []byte
}

func (s *saver) rows() []savedRow {
	rows := make([]savedRow, 0, len(s.pending))
	for p, data := range s.pending {
		rows = append(rows, savedRow{p, data})
	}
	return rows
}

// saveSlice is how many rows one transaction writes: the journal waits for it.
const saveSlice = 250

func (l *Live) writeCheckpoint(ctx context.Context, generation int64, rows []savedRow, finish func(*sql.Tx) error) error {
	for part := range slices.Chunk(rows, saveSlice) {
		err := l.o.DB.Write(ctx, func(tx *sql.Tx) error {
			for _, r := range part {
				if _, err := tx.Exec(`INSERT OR REPLACE INTO live_state (part, key, generation, data) VALUES (?, ?, ?, ?)`, r.part, r.key, generation, r.data); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("write a part of the checkpoint: %w", err)
		}
	}
	if err := l.o.DB.Write(ctx, finish); err != nil {
		return err
	}
	for part := range slices.Chunk(rows, saveSlice) {
		err := l.o.DB.Write(ctx, func(tx *sql.Tx) error {
			for _, r := range part {
				if _, err := tx.Exec(`DELETE FROM live_state WHERE part = ? AND key = ? AND (generation < ? OR generation = ? AND data IS NULL)`,
					r.part, r.key, generation, generation); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("drop what the checkpoint superseded: %w", err)
		}
	}
	return nil
}
