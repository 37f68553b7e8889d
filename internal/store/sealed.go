package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/chargewatch/chargewatch/internal/seal"
)

// sealedMark begins a text that is sealed; no text of ours begins so.
const sealedMark = "sealed:"

// errSealed is returned where a command without the key meets what is sealed.
var errSealed = errors.New("it is sealed, and this command has no key")

// errNoBox is returned by a store that was opened without a key.
var errNoBox = errors.New("secrets cannot be kept: the store has no key")

// sealSecret seals for its place what a device is spoken to with; of nothing it makes
// nothing.
func (s *Store) sealSecret(secret, place string) ([]byte, error) {
	if secret == "" {
		return nil, nil
	}
	if s.box == nil {
		return nil, errNoBox
	}
	sealed, err := s.box.Seal([]byte(secret), place)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", place, err)
	}
	return sealed, nil
}

// openSecret opens what sealSecret made.
func (s *Store) openSecret(sealed []byte, place string) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	if s.box == nil {
		return "", errNoBox
	}
	plain, err := s.box.Open(sealed, place)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", place, err)
	}
	return string(plain), nil
}

// hide seals a text for its place. A store without a key keeps it as it is; the
// next start of the server seals it.
func (s *Store) hide(text, place string) (string, error) {
	if s.box == nil {
		return text, nil
	}
	data, err := s.box.Seal([]byte(text), place)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", place, err)
	}
	return sealedMark + base64.StdEncoding.EncodeToString(data), nil
}

// reveal opens what hide made, and passes on what an older server wrote.
func (s *Store) reveal(text, place string) (string, error) {
	coded, ok := strings.CutPrefix(text, sealedMark)
	if !ok {
		return text, nil
	}
	if s.box == nil {
		return "", fmt.Errorf("read %s: %w", place, errSealed)
	}
	data, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", place, seal.ErrDamaged)
	}
	plain, err := s.box.Open(data, place)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", place, err)
	}
	return string(plain), nil
}

// lost reports a secret that is gone for good: its key is, or it was damaged.
func lost(err error) bool { return errors.Is(err, seal.ErrOtherKey) || errors.Is(err, seal.ErrDamaged) }

func channelPlace(id string) string   { return "channel/" + id + "/secrets" }
func settingPlace(name string) string { return "setting/" + name }

// sealedSettings are those whose values are secrets.
func sealedSettings() []string { return []string{heartbeatName, linkKeyName, pushKeyName, pinKeyName} }

// sealOld seals what an older server, or a command without the key, left in the
// clear, and has SQLite overwrite what stood there.
func (s *Store) sealOld(ctx context.Context) error {
	if s.box == nil {
		return nil
	}
	type row struct{ id, text string }
	open := make(map[string][]row) // by statement
	find := func(update, text string, args ...any) error {
		return s.query(ctx, "secrets", text, args, func(r *sql.Rows) error {
			var x row
			err := r.Scan(&x.id, &x.text)
			open[update] = append(open[update], x)
			return err
		})
	}
	const channels, settings = `UPDATE channels SET secrets = ? WHERE id = ?`, `UPDATE settings SET value = ? WHERE name = ?`
	if err := find(channels, `SELECT id, secrets FROM channels WHERE secrets NOT LIKE 'sealed:%'`); err != nil {
		return err
	}
	for _, name := range sealedSettings() {
		if err := find(settings, `SELECT name, value FROM settings WHERE name = ? AND value NOT LIKE 'sealed:%'`, name); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`PRAGMA secure_delete = ON`); err != nil {
			return fmt.Errorf("have old secrets overwritten: %w", err)
		}
		for update, rows := range open {
			for _, x := range rows {
				place := settingPlace(x.id)
				if update == channels {
					place = channelPlace(x.id)
				}
				text, err := s.hide(x.text, place)
				if err != nil {
					return err
				}
				if _, err := tx.Exec(update, text, x.id); err != nil {
					return fmt.Errorf("seal a stored secret: %w", err)
				}
			}
		}
		_, err := tx.Exec(`PRAGMA secure_delete = OFF`)
		return err
	})
}
