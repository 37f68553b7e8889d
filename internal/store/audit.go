package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Actor is who acts: the opaque id of a user or an API token, or "system".
type Actor = audit.Actor

// System acts where no person asked.
const System Actor = "system"

// AuditEntry is one act.
type AuditEntry = audit.Entry

// ErrAudit is returned when the chain of the audit log is broken.
var ErrAudit = errors.New("the audit log was altered")

// audit appends an act inside the transaction of its effect.
func (s *Store) audit(tx *sql.Tx, by Actor, action, subject string, detail any) error {
	text := []byte("{}")
	if detail != nil {
		var err error
		if text, err = json.Marshal(detail); err != nil {
			return fmt.Errorf("encode audit detail: %w", err)
		}
	}
	e := AuditEntry{At: fromMillis(millis(s.now())), Actor: by, Action: action, Subject: subject, Detail: text}
	var last []byte
	err := tx.QueryRow(`SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&e.Seq, &last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read audit log: %w", err)
	}
	e.Seq++
	_, err = tx.Exec(`INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES (?,?,?,?,?,?,?)`,
		e.Seq, millis(e.At), string(by), action, subject, string(text), e.Seal(last))
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

// Audit returns acts before a sequence number (zero: the newest), newest first.
func (s *Store) Audit(ctx context.Context, before int64, limit int) ([]AuditEntry, error) {
	var out []AuditEntry
	err := s.query(ctx, "audit log", `SELECT seq, at, actor, action, subject, detail, hash FROM audit
		WHERE ?1 = 0 OR seq < ?1 ORDER BY seq DESC LIMIT ?2`, []any{before, limit}, func(r *sql.Rows) error {
		e, err := scanAudit(r)
		out = append(out, e)
		return err
	})
	return out, err
}

// AuditOf returns what was done to one subject, newest first.
func (s *Store) AuditOf(ctx context.Context, subject string, limit int) ([]AuditEntry, error) {
	var out []AuditEntry
	err := s.query(ctx, "audit log", `SELECT seq, at, actor, action, subject, detail, hash FROM audit
		WHERE subject = ?1 ORDER BY seq DESC LIMIT ?2`, []any{subject, limit}, func(r *sql.Rows) error {
		e, err := scanAudit(r)
		out = append(out, e)
		return err
	})
	return out, err
}

func scanAudit(r *sql.Rows) (AuditEntry, error) {
	var e AuditEntry
	var at int64
	var detail string
	err := r.Scan(&e.Seq, &at, &e.Actor, &e.Action, &e.Subject, &detail, &e.Hash)
	e.At, e.Detail = fromMillis(at), json.RawMessage(detail)
	return e, err
}

// VerifyAudit walks the chain and returns its length, or ErrAudit with the
// first entry that does not fit.
func (s *Store) VerifyAudit(ctx context.Context) (int64, error) {
	v, err := audit.NewVerifier(nil, nil)
	if err != nil {
		return 0, err
	}
	if err := s.WalkAudit(ctx, v.Next); err != nil {
		return 0, err
	}
	n, _, err := v.End()
	return n, err
}

// WalkAudit gives every entry in order; what each says is wrong is an ErrAudit.
func (s *Store) WalkAudit(ctx context.Context, each func(*AuditEntry) error) error {
	return s.query(ctx, "audit log", `SELECT seq, at, actor, action, subject, detail, hash FROM audit ORDER BY seq`, nil,
		func(r *sql.Rows) error {
			e, err := scanAudit(r)
			if err != nil {
				return err
			}
			var fault *audit.Fault
			if err := each(&e); errors.As(err, &fault) {
				return fmt.Errorf("%w: %w", ErrAudit, err)
			} else if err != nil {
				return err
			}
			return nil
		})
}

// AuditHead is the newest entry; false if there is none.
func (s *Store) AuditHead(ctx context.Context) (AuditEntry, bool, error) {
	list, err := s.Audit(ctx, 0, 1)
	if err != nil || len(list) == 0 {
		return AuditEntry{}, false, err
	}
	return list[0], true, nil
}

// Record audits an act that has no other row, such as a command.
func (s *Store) Record(ctx context.Context, by Actor, action, subject string, detail any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return s.audit(tx, by, action, subject, detail) })
}

// AppendAudited appends an event of ours that a person caused, with the act in
// the audit log.
func (s *Store) AppendAudited(ctx context.Context, by Actor, action string, subject event.Subject, body event.Body, detail any) error {
	return s.append(ctx, s.event(subject, body), func(tx *sql.Tx) error {
		return s.audit(tx, by, action, subject.String(), detail)
	})
}
