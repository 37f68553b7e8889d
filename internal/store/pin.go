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

// CodeOf reports whether digits are a code of a person that is good now, and whether it
// is the one of duress.
func (s *Store) CodeOf(person, digits string) (kind access.Kind, ok bool) {
	token, ok := s.pinShown("", digits)
	if !ok || person == "" {
		return "", false
	}
	c, ok := s.credentials.get(token)
	if !ok || !c.Kind.Coded() || c.Person != person || !s.inForce(token, c) {
		return "", false
	}
	return c.Kind, true
}

// inForce reports whether a code holds now, whatever it means.
func (s *Store) inForce(token string, c *access.Credential) bool {
	typed := *c
	typed.Kind = access.PIN
	return access.Decide(access.Request{Now: s.now(), TokenID: token, Credential: &typed}).Status == access.Accepted
}

// InsteadOf is the PIN for which a duress code is taken: the first of the person's that
// holds, by its id. Calls is false for a duress code that does not hold, or whose person
// may nothing any more.
func (s *Store) InsteadOf(token string, duress *access.Credential) (pinToken string, pin *access.Credential, calls bool) {
	s.pinsMu.Lock()
	for t := range s.pinOf {
		c, ok := s.credentials.get(t)
		if ok && c.Kind == access.PIN && c.Person == duress.Person && s.inForce(t, c) && (pin == nil || c.ID < pin.ID) {
			pinToken, pin = t, c
		}
	}
	s.pinsMu.Unlock()
	p, known := s.people.get(duress.Person)
	calls = known && !p.Suspended && (p.Until.IsZero() || s.now().Before(p.Until)) && s.inForce(token, duress)
	if !calls {
		return "", nil, false
	}
	return pinToken, pin, true
}

// standsBesidePIN refuses a duress code of somebody who has no PIN that it could be taken
// for, and a second one.
func standsBesidePIN(tx *sql.Tx, person string) error {
	var pins, codes int
	err := tx.QueryRow(`SELECT count(*) FILTER (WHERE kind = 'pin'), count(*) FILTER (WHERE kind = 'duress') FROM credentials WHERE person = ?`, person).Scan(&pins, &codes)
	switch {
	case err != nil:
		return fmt.Errorf("count the codes of a person: %w", err)
	case pins == 0:
		return &InvalidError{"kind", "a duress code stands beside a PIN: give the person one first"}
	case codes > 0:
		return &InvalidError{"kind", "the person has a duress code"}
	}
	return nil
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
