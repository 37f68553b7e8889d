package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Procedure is one version of a list of steps that people made. What it says is
// known to incidents.
type Procedure struct {
	ID      string
	Version int
	Data    json.RawMessage
	By      Actor
	At      time.Time
}

const procedurePolicy = "procedure"

// SetProcedure makes the next version of a list and has it hold. Encode is given
// its number.
func (s *Store) SetProcedure(ctx context.Context, by Actor, id string, encode func(version int) (json.RawMessage, error)) (Procedure, error) {
	defer s.lock(procedurePolicy + "/" + id).Unlock()
	var last int
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM procedures WHERE id = ?`, id).Scan(&last); err != nil {
		return Procedure{}, fmt.Errorf("read the versions of list %s: %w", id, err)
	}
	data, err := encode(last + 1)
	if err != nil {
		return Procedure{}, err
	}
	if err := validPolicy(procedurePolicy, id, data); err != nil {
		return Procedure{}, err
	}
	e := s.event(event.Self(), &event.Policy{Type: procedurePolicy, ID: id, Value: data, By: string(by)})
	p := Procedure{ID: id, Version: last + 1, Data: data, By: by, At: e.At}
	return p, s.append(ctx, e, func(tx *sql.Tx) error {
		if err := putPolicy(tx, Policy{Type: procedurePolicy, ID: id, Value: data, By: by, ChangedAt: e.At}); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO procedures (id, version, data, by, created_at) VALUES (?,?,?,?,?)`, id, p.Version, string(data), string(by), millis(e.At)); err != nil {
			return fmt.Errorf("write list %s: %w", id, err)
		}
		return s.audit(tx, by, "procedure.set", "procedure/"+id, map[string]any{"version": p.Version})
	})
}

// ProcedureVersion returns a list as it once was.
func (s *Store) ProcedureVersion(ctx context.Context, id string, version int) (Procedure, error) {
	p := Procedure{ID: id, Version: version}
	var data string
	var at int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT data, by, created_at FROM procedures WHERE id = ? AND version = ?`, id, version).Scan(&data, &p.By, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return p, fmt.Errorf("list %s, version %d: %w", id, version, ErrNotFound)
	case err != nil:
		return p, fmt.Errorf("read list %s: %w", id, err)
	}
	p.Data, p.At = json.RawMessage(data), fromMillis(at)
	return p, nil
}

// Act records what a person does about an incident, with its entry in the audit
// log, and says where in the journal it stands.
func (s *Store) Act(ctx context.Context, incident string, act *event.IncidentAction, detail any) (uint64, error) {
	if s.journal == nil {
		return 0, ErrNoJournal
	}
	subject := event.OfIncident(incident)
	r, err := s.journal.AppendWith(ctx, s.event(subject, act), func(tx *sql.Tx) error {
		return s.audit(tx, Actor(act.By), "incident."+act.Action, subject.String(), detail)
	})
	return r.Seq, err
}
