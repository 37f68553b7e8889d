package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// OutputOn is an output that is on, or of which nobody knows that it is not.
type OutputOn struct {
	Output string    `json:"-"`
	At     time.Time `json:"at"`    // since then
	Until  time.Time `json:"until"` // when it goes off
	// Confirmed is true once its device said that it is on.
	Confirmed    bool              `json:"confirmed,omitempty"`
	By           Actor             `json:"by,omitempty"`
	ApprovedBy   Actor             `json:"approvedBy,omitempty"`
	Cause        event.OutputCause `json:"cause"`
	Incident     string            `json:"incident,omitempty"`
	Reason       string            `json:"reason,omitempty"`
	Announcement string            `json:"announcement,omitempty"`
}

// OutputsOn lists what is on or may be.
func (s *Store) OutputsOn(ctx context.Context) ([]OutputOn, error) {
	var out []OutputOn
	err := s.query(ctx, "outputs that are on", `SELECT output, data FROM outputs_on ORDER BY output`, nil, func(r *sql.Rows) error {
		var x OutputOn
		var data string
		if err := r.Scan(&x.Output, &data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &x); err != nil {
			return fmt.Errorf("output %s: %w", x.Output, err)
		}
		out = append(out, x)
		return nil
	})
	return out, err
}

// NoteOutputOn commits that an output is about to be switched on, before its device is
// told.
func (s *Store) NoteOutputOn(ctx context.Context, x OutputOn) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return putOutputOn(tx, &x) })
}

func putOutputOn(tx *sql.Tx, x *OutputOn) error {
	y := *x
	y.At, y.Until = y.At.UTC(), y.Until.UTC()
	data, err := json.Marshal(y)
	if err != nil {
		return fmt.Errorf("encode what is on: %w", err)
	}
	if _, err := tx.Exec(`INSERT INTO outputs_on (output, data) VALUES (?,?) ON CONFLICT (output) DO UPDATE SET data=excluded.data`,
		x.Output, string(data)); err != nil {
		return fmt.Errorf("write what is on: %w", err)
	}
	return nil
}

// NoteOutputSwitch commits what became of a switch, and how the output is since: on, or
// off where on is nil.
func (s *Store) NoteOutputSwitch(ctx context.Context, id string, body event.OutputSwitch, on *OutputOn) error {
	by := Actor(body.By)
	if by == "" {
		by = System
	}
	action := "output.off"
	if body.On {
		action = "output.on"
	}
	return s.append(ctx, s.event(event.Output(id), &body), func(tx *sql.Tx) error {
		if on != nil {
			if err := putOutputOn(tx, on); err != nil {
				return err
			}
		} else if _, err := tx.Exec(`DELETE FROM outputs_on WHERE output = ?`, id); err != nil {
			return fmt.Errorf("forget what was on: %w", err)
		}
		detail := map[string]any{
			"cause": body.Cause, "seconds": body.Seconds, "reason": body.Reason, "incident": body.Incident, "done": body.Done, "error": body.Error,
		}
		if body.ApprovedBy != "" {
			detail["approvedBy"] = body.ApprovedBy
		}
		if body.Announcement != "" {
			detail["announcement"] = body.Announcement
		}
		return s.audit(tx, by, action, event.Output(id).String(), detail)
	})
}

// NoteOutputRequest commits what became of a wish for an output that needs two people.
func (s *Store) NoteOutputRequest(ctx context.Context, id string, body event.OutputRequest) error {
	by := Actor(body.By)
	if by == "" {
		by = System
	}
	return s.append(ctx, s.event(event.Output(id), &body), func(tx *sql.Tx) error {
		return s.audit(tx, by, "output."+body.State, event.Output(id).String(), map[string]any{
			"request": body.Request, "askedBy": body.AskedBy, "seconds": body.Seconds, "reason": body.Reason, "incident": body.Incident,
		})
	})
}

// automaticWindow is the time that Automatic.PerHour counts in.
const automaticWindow = time.Hour

// TakeAutomatic reports whether an output may switch by itself for an incident: once for
// each, and not more often than it was told. What it took stays taken.
func (s *Store) TakeAutomatic(ctx context.Context, output, incident string, perHour int) (bool, error) {
	taken := false
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		taken = false
		now := s.now()
		var lately, before int
		if err := tx.QueryRow(`SELECT count(*), coalesce(sum(incident = ?), 0) FROM output_automatics WHERE output = ? AND (at > ? OR incident = ?)`,
			incident, output, millis(now.Add(-automaticWindow)), incident).Scan(&lately, &before); err != nil {
			return fmt.Errorf("count what switched by itself: %w", err)
		}
		if before > 0 || lately >= perHour {
			return nil
		}
		if _, err := tx.Exec(`INSERT INTO output_automatics (output, incident, at) VALUES (?,?,?)`, output, incident, millis(now)); err != nil {
			return fmt.Errorf("note what switches by itself: %w", err)
		}
		taken = true
		return nil
	})
	return taken, err
}
