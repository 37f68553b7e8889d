package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/event"
)

// ProofsTold is what was told last, by what it is about.
func (s *Store) ProofsTold(ctx context.Context) (map[string]string, error) {
	out := make(map[string]string)
	err := s.query(ctx, "what was told of proofs", `SELECT about, said FROM proof_told`, nil, func(r *sql.Rows) error {
		var about, said string
		err := r.Scan(&about, &said)
		out[about] = said
		return err
	})
	return out, err
}

// TellProof makes an event durable together with what it says; empty: all is well.
func (s *Store) TellProof(ctx context.Context, about, said string, subject event.Subject, body event.Body) error {
	return s.append(ctx, s.event(subject, body), func(tx *sql.Tx) error {
		var err error
		if said == "" {
			_, err = tx.Exec(`DELETE FROM proof_told WHERE about = ?`, about)
		} else {
			_, err = tx.Exec(`INSERT OR REPLACE INTO proof_told (about, said) VALUES (?,?)`, about, said)
		}
		if err != nil {
			return fmt.Errorf("note what was told: %w", err)
		}
		return nil
	})
}
