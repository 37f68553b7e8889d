package journal

import (
	"database/sql"
	"fmt"
	"time"
)

// WriteNotice adds a notice inside the transaction of Project. One that is there
// already stays as it is: a subscriber that reads events again tells nothing
// twice.
func WriteNotice(tx *sql.Tx, key string, data []byte, at time.Time) error {
	_, err := tx.Exec(`INSERT INTO notices (key, data, created_at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		key, string(data), at.UnixMilli())
	if err != nil {
		return fmt.Errorf("write notice: %w", err)
	}
	return nil
}
