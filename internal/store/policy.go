package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of what people decide.
const (
	MaxPolicies    = 10_000  // of one type
	MaxPolicyBytes = 256_000 // of one value
	maxPolicyName  = 200
)

// Policy is a decision of people that detection, incidents and remedies follow,
// as it holds now: a rule, a threshold, a silence, a window, a playbook. What it
// says is checked by those who know its type.
type Policy struct {
	Type      string
	ID        string
	Value     json.RawMessage
	By        Actor
	ChangedAt time.Time
}

// SetPolicy decides: the row, the event that the core follows and the entry of
// the audit log commit together. An empty value takes the decision back, which
// is ErrNotFound when there is none.
func (s *Store) SetPolicy(ctx context.Context, by Actor, typ, id string, value json.RawMessage) error {
	if err := validPolicy(typ, id, value); err != nil {
		return err
	}
	defer s.lock(typ + "/" + id).Unlock()
	e := s.event(event.Self(), &event.Policy{Type: typ, ID: id, Value: value, By: string(by)})
	return s.append(ctx, e, func(tx *sql.Tx) error {
		action := "policy.set"
		var err error
		if len(value) == 0 {
			action, err = "policy.delete", dropPolicy(tx, typ, id)
		} else {
			err = putPolicy(tx, Policy{Type: typ, ID: id, Value: value, By: by, ChangedAt: e.At})
		}
		if err != nil {
			return err
		}
		return s.audit(tx, by, action, "policy/"+typ+"/"+id, nil)
	})
}

func validPolicy(typ, id string, value json.RawMessage) error {
	for _, x := range []struct{ field, text string }{{"type", typ}, {"id", id}} {
		if x.text == "" || len(x.text) > maxPolicyName || !utf8.ValidString(x.text) {
			return &InvalidError{x.field, fmt.Sprintf("must have 1 to %d characters", maxPolicyName)}
		}
		for _, r := range x.text {
			if unicode.IsControl(r) {
				return &InvalidError{x.field, "must be plain text"}
			}
		}
	}
	switch {
	case len(value) > MaxPolicyBytes:
		return &InvalidError{"value", fmt.Sprintf("at most %d bytes", MaxPolicyBytes)}
	case len(value) > 0 && !json.Valid(value):
		return &InvalidError{"value", "is no JSON"}
	}
	return nil
}

func putPolicy(tx *sql.Tx, p Policy) error {
	var others int
	if err := tx.QueryRow(`SELECT count(*) FROM policies WHERE type = ? AND id <> ?`, p.Type, p.ID).Scan(&others); err != nil {
		return fmt.Errorf("count policies: %w", err)
	}
	if others >= MaxPolicies {
		return fmt.Errorf("policies of type %s: %w", p.Type, ErrFull)
	}
	_, err := tx.Exec(`INSERT INTO policies (type, id, value, by, changed_at) VALUES (?,?,?,?,?)
		ON CONFLICT (type, id) DO UPDATE SET value=excluded.value, by=excluded.by, changed_at=excluded.changed_at`,
		p.Type, p.ID, string(p.Value), string(p.By), millis(p.ChangedAt))
	if err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	return nil
}

func dropPolicy(tx *sql.Tx, typ, id string) error {
	r, err := tx.Exec(`DELETE FROM policies WHERE type = ? AND id = ?`, typ, id)
	if err != nil {
		return fmt.Errorf("delete policy: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil {
		return fmt.Errorf("delete policy: %w", err)
	} else if n == 0 {
		return fmt.Errorf("policy %s/%s: %w", typ, id, ErrNotFound)
	}
	return nil
}

const policyColumns = `SELECT type, id, value, by, changed_at FROM policies `

// Policies returns what is decided of one type, by id.
func (s *Store) Policies(ctx context.Context, typ string) ([]Policy, error) {
	out := []Policy{}
	err := s.query(ctx, "policies", policyColumns+`WHERE type = ? ORDER BY id`, []any{typ}, func(r *sql.Rows) error {
		p, err := scanPolicy(r)
		out = append(out, p)
		return err
	})
	return out, err
}

// Policy returns one decision.
func (s *Store) Policy(ctx context.Context, typ, id string) (Policy, error) {
	p, err := scanPolicy(s.db.Reader().QueryRowContext(ctx, policyColumns+`WHERE type = ? AND id = ?`, typ, id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Policy{}, fmt.Errorf("policy %s/%s: %w", typ, id, ErrNotFound)
	case err != nil:
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	return p, nil
}

func scanPolicy(r interface{ Scan(dest ...any) error }) (Policy, error) {
	var p Policy
	var value string
	var at int64
	err := r.Scan(&p.Type, &p.ID, &value, &p.By, &at)
	p.Value, p.ChangedAt = json.RawMessage(value), fromMillis(at)
	return p, err
}
