package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/chargewatch/chargewatch/internal/access"
)

// A PIN is found by a keyed hash of its digits, which nobody without the key file
// can try out; the digits themselves are sealed, for controllers that have to know
// them, and given to nobody else.
const (
	pinKeyName = "access.pinKey"
	pinMark    = "pin:"
	minPIN     = 4
	maxPIN     = 8
)

func pinPlace(id string) string { return "credential/" + id + "/pin" }

func isPIN(digits string) bool {
	return len(digits) >= minPIN && len(digits) <= maxPIN && strings.Trim(digits, "0123456789") == ""
}

func (s *Store) loadPINKey(ctx context.Context) error {
	if s.box == nil {
		return nil
	}
	text, err := s.madeOnce(ctx, pinKeyName, func() (string, error) {
		key := make([]byte, 32)
		rand.Read(key) //nolint:errcheck // documented never to fail
		return hex.EncodeToString(key), nil
	})
	if err != nil {
		return err
	}
	if s.pinKey, err = hex.DecodeString(text); err != nil {
		return fmt.Errorf("read the key of PINs: %w", errKey)
	}
	return nil
}

// pinValue is what stands in the table of tokens instead of the digits.
func (s *Store) pinValue(digits string) string {
	h := hmac.New(sha256.New, s.pinKey)
	h.Write([]byte(digits))
	return pinMark + hex.EncodeToString(h.Sum(nil))
}

// pinShown is the token of a PIN that somebody has, if these are its digits.
func (s *Store) pinShown(typ, value string) (string, bool) {
	if s.pins.len() == 0 || typ != "" && typ != "KeyCode" || !isPIN(value) {
		return "", false
	}
	return s.pins.get(s.pinValue(value))
}

// takePIN puts the hash of digits in the place of a value and seals the digits.
func (s *Store) takePIN(id string, in *CredentialInput) (sealed string, err error) {
	digits := strings.TrimSpace(in.IDToken)
	switch {
	case !isPIN(digits):
		return "", &InvalidError{"idToken", "a PIN has 4 to 8 digits"}
	case s.box == nil:
		return "", errNoBox
	}
	in.IDToken, in.Type = s.pinValue(digits), ""
	return s.hide(digits, pinPlace(id))
}

// PINFits reports whether digits are a PIN of a person that is good now.
func (s *Store) PINFits(person, digits string) bool {
	token, ok := s.pinShown("", digits)
	if !ok || person == "" {
		return false
	}
	c, ok := s.credentials.get(token)
	return ok && c.Kind == access.PIN && c.Person == person && access.Decide(access.Request{Now: s.now(), TokenID: token, Credential: c}).Status == access.Accepted
}

// PIN gives the digits of a PIN to a driver whose controller has to know them.
func (s *Store) PIN(ctx context.Context, id string) (string, error) {
	var sealed string
	err := s.db.Reader().QueryRowContext(ctx, `SELECT pin FROM credentials WHERE id = ? AND pin <> ''`, id).Scan(&sealed)
	if err != nil {
		return "", fmt.Errorf("PIN of credential %s: %w", id, ErrNotFound)
	}
	return s.reveal(sealed, pinPlace(id))
}

// forgetPIN forgets the digits of a token that is decided about no more.
func (s *Store) forgetPIN(token string) {
	s.pinsMu.Lock()
	defer s.pinsMu.Unlock()
	if value, ok := s.pinOf[token]; ok {
		delete(s.pinOf, token)
		s.pins.drop(value)
	}
}

func (s *Store) knowPIN(value, token string) {
	s.pinsMu.Lock()
	defer s.pinsMu.Unlock()
	s.pinOf[token] = value
	s.pins.set(value, token)
}

func (s *Store) loadPINs(ctx context.Context) error {
	s.pinOf = make(map[string]string)
	err := s.query(ctx, "PINs", `SELECT t.value, t.id FROM credentials AS c JOIN tokens AS t ON t.id = c.token_id WHERE c.pin <> ''`, nil, func(r *sql.Rows) error {
		var value, token string
		if err := r.Scan(&value, &token); err != nil {
			return err
		}
		s.knowPIN(value, token)
		return nil
	})
	if err != nil {
		return err
	}
	return s.loadPINKey(ctx)
}
