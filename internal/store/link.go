package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Settings that are made once and kept secret.
const (
	linkKeyName = "notify.linkKey"
	pushKeyName = "notify.pushKey"
)

// LinkKey signs the links in messages. It is made once.
func (s *Store) LinkKey(ctx context.Context) ([]byte, error) {
	text, err := s.madeOnce(ctx, linkKeyName, func() (string, error) {
		key := make([]byte, 32)
		rand.Read(key) //nolint:errcheck // documented never to fail
		return hex.EncodeToString(key), nil
	})
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) < 16 {
		return nil, fmt.Errorf("read the key of links: %w", errKey)
	}
	return key, nil
}

// PushKey is the private key by which push services know us, as make made it
// the first time.
func (s *Store) PushKey(ctx context.Context, generate func() (string, error)) (string, error) {
	return s.madeOnce(ctx, pushKeyName, generate)
}

// madeOnce returns a secret setting that is made when it is first asked for, and
// made anew when its seal can no longer be opened.
func (s *Store) madeOnce(ctx context.Context, name string, generate func() (string, error)) (string, error) {
	var text string
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var kept string
		err := tx.QueryRow(`SELECT value FROM settings WHERE name = ?`, name).Scan(&kept)
		if err == nil {
			text, err = s.reveal(kept, settingPlace(name))
		}
		if !errors.Is(err, sql.ErrNoRows) && !lost(err) {
			return err
		}
		if text, err = generate(); err != nil {
			return err
		}
		if kept, err = s.hide(text, settingPlace(name)); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, kept)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the setting %s: %w", name, err)
	}
	return text, nil
}

// SpendLink marks a signed link as used; false: it was used before.
func (s *Store) SpendLink(ctx context.Context, id string, expires time.Time) (first bool, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`INSERT INTO used_links (id, expires_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, id, millis(expires))
		if err != nil {
			return fmt.Errorf("mark the link: %w", err)
		}
		n, err := res.RowsAffected()
		first = n == 1
		return err
	})
	return first, err
}

// LinkSpent reports whether a signed link was used.
func (s *Store) LinkSpent(ctx context.Context, id string) (bool, error) {
	var n int
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM used_links WHERE id = ?`, id).Scan(&n); err != nil {
		return false, fmt.Errorf("read used links: %w", err)
	}
	return n > 0, nil
}

// ReleaseLink makes a link usable again whose use came to nothing.
func (s *Store) ReleaseLink(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM used_links WHERE id = ?`, id); err != nil {
			return fmt.Errorf("release the link: %w", err)
		}
		return nil
	})
}
