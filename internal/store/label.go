package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of number plates.
const (
	MaxPlateLength = 16
	// PlateLife is how long a plate is known after it was seen last.
	PlateLife = 30 * 24 * time.Hour
	maxPlates = 100_000
)

func (s *Store) loadLabelSecrets(ctx context.Context) error {
	all := make(map[string][]byte)
	err := s.query(ctx, "label secrets", `SELECT scope, secret FROM label_secrets`, nil, func(r *sql.Rows) error {
		var scope string
		var sealed []byte
		err := r.Scan(&scope, &sealed)
		all[scope] = sealed
		return err
	})
	if err == nil {
		s.labelSecrets.load(all)
	}
	return err
}

func sealedLabels(scope event.Subject) string { return scope.String() + "/labels" }

// HasLabelSecret reports whether other systems may tell labels of a camera or site.
func (s *Store) HasLabelSecret(scope event.Subject) bool {
	_, ok := s.labelSecrets.get(scope.String())
	return ok
}

// LabelSecret is what labels of a camera or site are signed with; empty: nobody may
// tell any.
func (s *Store) LabelSecret(scope event.Subject) ([]byte, error) {
	sealed, ok := s.labelSecrets.get(scope.String())
	if !ok {
		return nil, nil
	}
	if s.box == nil {
		return nil, errNoBox
	}
	plain, err := s.box.Open(sealed, sealedLabels(scope))
	if err != nil {
		return nil, fmt.Errorf("label secret of %s: %w", scope, err)
	}
	return plain, nil
}

// NewLabelSecret makes the secret of a camera or site; one of before is void.
func (s *Store) NewLabelSecret(ctx context.Context, by Actor, scope event.Subject) (string, error) {
	if s.box == nil {
		return "", errNoBox
	}
	var b [20]byte
	rand.Read(b[:]) //nolint:errcheck // documented never to fail
	secret := "lbl_" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	sealed, err := s.box.Seal([]byte(secret), sealedLabels(scope))
	if err != nil {
		return "", fmt.Errorf("keep the label secret of %s: %w", scope, err)
	}
	name := scope.String()
	defer s.lock(name).Unlock()
	if err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO label_secrets (scope, secret, created_at) VALUES (?,?,?)
			ON CONFLICT (scope) DO UPDATE SET secret=excluded.secret, created_at=excluded.created_at`, name, sealed, millis(s.now())); err != nil {
			return fmt.Errorf("write label secret: %w", err)
		}
		return s.audit(tx, by, "labels.secret", name, nil)
	}); err != nil {
		return "", err
	}
	s.labelSecrets.set(name, sealed)
	return secret, nil
}

// DropLabelSecret ends that other systems may tell labels.
func (s *Store) DropLabelSecret(ctx context.Context, by Actor, scope event.Subject) error {
	name := scope.String()
	defer s.lock(name).Unlock()
	if _, ok := s.labelSecrets.get(name); !ok {
		return fmt.Errorf("label secret of %s: %w", name, ErrNotFound)
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := dropLabelSecret(tx, name); err != nil {
			return err
		}
		return s.audit(tx, by, "labels.secretDropped", name, nil)
	})
	if err == nil {
		s.labelSecrets.drop(name)
	}
	return err
}

func dropLabelSecret(tx *sql.Tx, scope string) error {
	if _, err := tx.Exec(`DELETE FROM label_secrets WHERE scope = ?`, scope); err != nil {
		return fmt.Errorf("delete label secret: %w", err)
	}
	return nil
}

// TidyPlate is a number plate as it is compared: capital letters and digits. Empty:
// it is none.
func TidyPlate(text string) string {
	tidy := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, text)
	if len([]rune(tidy)) > MaxPlateLength {
		return ""
	}
	return tidy
}

// PlateID is the opaque id of a number plate, which is kept for a month from now.
// What is no plate has none.
func (s *Store) PlateID(ctx context.Context, text string) (string, error) {
	plate := TidyPlate(text)
	if plate == "" {
		return "", nil
	}
	id := ""
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		now := millis(s.now())
		if _, err := tx.Exec(`DELETE FROM plates WHERE seen_at < ?`, now-PlateLife.Milliseconds()); err != nil {
			return fmt.Errorf("forget plates: %w", err)
		}
		err := tx.QueryRow(`UPDATE plates SET seen_at = ? WHERE plate = ? RETURNING id`, now, plate).Scan(&id)
		if err == nil {
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read plate: %w", err)
		}
		id = newID("p-")
		if _, err := tx.Exec(`INSERT INTO plates (id, plate, seen_at) SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM plates) < ?4`,
			id, plate, now, maxPlates); err != nil {
			return fmt.Errorf("write plate: %w", err)
		}
		return nil
	})
	return id, err
}

// Plate is the number plate behind an id; empty: it is not known any more.
func (s *Store) Plate(ctx context.Context, id string) (string, error) {
	plate := ""
	err := s.db.Reader().QueryRowContext(ctx, `SELECT plate FROM plates WHERE id = ? AND seen_at >= ?`, id, millis(s.now())-PlateLife.Milliseconds()).Scan(&plate)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read plate: %w", err)
	}
	return plate, nil
}

// ErasePlate forgets a number plate. What was seen of it stays, without it.
func (s *Store) ErasePlate(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		r, err := tx.Exec(`DELETE FROM plates WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("erase plate: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("plate %s: %w", id, ErrNotFound))
		}
		return s.audit(tx, by, "plate.erase", "plate/"+id, nil)
	})
}
