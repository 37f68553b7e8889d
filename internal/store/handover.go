package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Handover is that one person took over from another.
type Handover struct {
	Seq    int64
	At     time.Time
	By     Actor // who took over
	Before Actor // who had it; empty: nobody
	Note   string
	// Open are the incidents that were open then.
	Open []string
}

const (
	shiftPolicy = "shift"
	maxHandover = 4000
)

// TakeOver records that somebody has the shift from now on: the event, the row and the
// entry of the audit log commit together. What was written down is not in the journal.
func (s *Store) TakeOver(ctx context.Context, by Actor, note string, open []string) (Handover, error) {
	if len(note) > maxHandover || !readable(note, true) {
		return Handover{}, &InvalidError{"note", fmt.Sprintf("at most %d bytes of text", maxHandover)}
	}
	defer s.lock("handover").Unlock()
	last, err := s.Handovers(ctx, 0, 1)
	if err != nil {
		return Handover{}, err
	}
	h := Handover{By: by, Note: note, Open: open}
	if len(last) > 0 {
		h.Before = last[0].By
	}
	value, err := json.Marshal(map[string]any{"by": by, "before": h.Before, "open": len(open)})
	if err != nil {
		return h, fmt.Errorf("encode a shift: %w", err)
	}
	data, err := json.Marshal(open)
	if err != nil {
		return h, fmt.Errorf("encode a shift: %w", err)
	}
	e := s.event(event.Self(), &event.Policy{Type: shiftPolicy, ID: "default", Value: value, By: string(by)})
	h.At = e.At
	return h, s.append(ctx, e, func(tx *sql.Tx) error {
		r, err := tx.Exec(`INSERT INTO handovers (at, by, before, note, data) VALUES (?,?,?,?,?)`, millis(h.At), string(by), string(h.Before), note, string(data))
		if err != nil {
			return fmt.Errorf("write a shift: %w", err)
		}
		if h.Seq, err = r.LastInsertId(); err != nil {
			return fmt.Errorf("write a shift: %w", err)
		}
		return s.audit(tx, by, "shift.takeOver", "shift/default", map[string]any{"before": h.Before, "open": len(open)})
	})
}

// Handovers returns who took over when, the newest first; before a number, or from the
// newest on.
func (s *Store) Handovers(ctx context.Context, before int64, limit int) ([]Handover, error) {
	out := []Handover{}
	err := s.query(ctx, "shifts", `SELECT seq, at, by, before, note, data FROM handovers WHERE ?1 = 0 OR seq < ?1 ORDER BY seq DESC LIMIT ?2`, []any{before, limit}, func(r *sql.Rows) error {
		var h Handover
		var at int64
		var data string
		if err := r.Scan(&h.Seq, &at, &h.By, &h.Before, &h.Note, &data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &h.Open); err != nil {
			return fmt.Errorf("decode a shift: %w", err)
		}
		h.At = fromMillis(at)
		out = append(out, h)
		return nil
	})
	return out, err
}
