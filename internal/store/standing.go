package store

import (
	"context"
	"database/sql"
	"fmt"
)

// maxStanding bounds the alerts that one channel repeats.
const maxStanding = 5_000

// PutStanding keeps an alert that a channel must repeat while it lasts; nil
// ends it.
func (s *Store) PutStanding(ctx context.Context, channel, incident string, data []byte) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		text, args := `INSERT INTO standing_alerts (channel, incident, data) SELECT ?1,?2,?3 WHERE (SELECT count(*) FROM standing_alerts WHERE channel = ?1) < ?4
			ON CONFLICT (channel, incident) DO UPDATE SET data = excluded.data`, []any{channel, incident, string(data), maxStanding}
		if data == nil {
			text, args = `DELETE FROM standing_alerts WHERE channel = ? AND incident = ?`, []any{channel, incident}
		}
		if _, err := tx.Exec(text, args...); err != nil {
			return fmt.Errorf("write standing alert: %w", err)
		}
		return nil
	})
}

// Standing lists the alerts that a channel repeats.
func (s *Store) Standing(ctx context.Context, channel string) ([][]byte, error) {
	var out [][]byte
	err := s.query(ctx, "standing alerts", `SELECT data FROM standing_alerts WHERE channel = ? ORDER BY incident`, []any{channel}, func(r *sql.Rows) error {
		var data string
		err := r.Scan(&data)
		out = append(out, []byte(data))
		return err
	})
	return out, err
}
