package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
)

// PublicKey is the key that makes public ids for ports that people gave none.
// It is made once: stickers that are printed must go on leading to their port.
func (s *Store) PublicKey(ctx context.Context) ([]byte, error) {
	const name = "statusPageKey"
	var text string
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`SELECT value FROM settings WHERE name = ?`, name).Scan(&text)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		key := make([]byte, 32)
		rand.Read(key) //nolint:errcheck // documented never to fail
		text = hex.EncodeToString(key)
		_, err = tx.Exec(`INSERT INTO settings (name, value) VALUES (?, ?)`, name, text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the key of public ids: %w", err)
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) < 16 {
		return nil, fmt.Errorf("read the key of public ids: %w", errKey)
	}
	return key, nil
}

var errKey = errors.New("it is damaged")
