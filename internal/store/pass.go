package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
)

// PassInput is a wish for a pass: a code on the screen of somebody who works on an
// order, and is good as long as the order is.
type PassInput struct {
	Order  string
	Person string // whose rights it has; empty: only those it opens
	Label  string
	Until  time.Time
	Opens  []access.PlaceKind // at the site of the order
}

// maxPassLife bounds a pass whose order nobody closes.
const maxPassLife = 30 * 24 * time.Hour

// CreatePass makes a pass and the secret of the link its holder opens it by.
func (s *Store) CreatePass(ctx context.Context, by Actor, in PassInput) (*Credential, string, error) {
	w, err := s.WorkOrder(ctx, in.Order)
	if err != nil {
		return nil, "", err
	}
	switch left := in.Until.Sub(s.now()); {
	case w.State.Over():
		return nil, "", &InUseError{"the work order is over"}
	case left <= 0 || left > maxPassLife:
		return nil, "", &InvalidError{"expiresAt", "within the next 30 days"}
	case len(in.Opens) > 0 && w.SiteID == "":
		return nil, "", &InvalidError{"opens", "the work order is at no site"}
	}
	if err := s.checkScope("", nil, in.Opens, nil, nil); err != nil {
		return nil, "", &InvalidError{"opens", "door, gate, barrier, cabinet or evse"}
	}
	c, err := s.PutCredential(ctx, by, "", CredentialInput{
		IDToken: "CW" + randomText(11), Kind: access.Pass, Person: in.Person, Label: in.Label, ExpiresAt: in.Until, WorkOrder: w.ID,
	})
	if err != nil {
		return nil, "", err
	}
	if len(in.Opens) > 0 {
		_, err := s.SaveAccessRow(ctx, by, AccessRow{Row: access.Row{
			Name: fmt.Sprintf("Pass of work order %d", w.Number), To: []access.Principal{{Credential: c.ID}}, Kinds: in.Opens, Sites: []string{w.SiteID}, Until: in.Until,
		}})
		if err != nil {
			return nil, "", errors.Join(err, s.DeleteCredential(ctx, by, c.ID))
		}
	}
	link, err := s.NewPassLink(ctx, by, c.ID)
	return c, link, err
}

// randomText has 8 random bits a byte; what stations take as a token has at most 20
// characters.
func randomText(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) //nolint:errcheck // documented never to fail
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// NewPassLink makes the secret of a pass's link; the one of before is void.
func (s *Store) NewPassLink(ctx context.Context, by Actor, id string) (string, error) {
	secret := randomText(20)
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE credentials SET link = ? WHERE id = ? AND kind = 'pass'`, hex.EncodeToString(hashSecret(secret)), id)
		if err != nil {
			return fmt.Errorf("write the link of a pass: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("pass %s: %w", id, ErrNotFound))
		}
		return s.audit(tx, by, "pass.link", "credential/"+id, nil)
	})
	return secret, err
}

// PassByLink returns the pass that a link leads to.
func (s *Store) PassByLink(ctx context.Context, secret string) (*Credential, error) {
	if len(secret) != 32 {
		return nil, fmt.Errorf("pass: %w", ErrNotFound)
	}
	list, err := s.selectCredentials(ctx, `WHERE link = ? AND link <> '' AND kind = 'pass'`, hex.EncodeToString(hashSecret(secret)))
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("pass: %w", ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// PassesOf returns the passes of a work order.
func (s *Store) PassesOf(ctx context.Context, order string) ([]*Credential, error) {
	return s.selectCredentials(ctx, `WHERE work_order = ? AND work_order <> '' ORDER BY created_at, id`, order)
}

// endPasses lets the passes of an order die inside the transaction that closes it.
func endPasses(tx *sql.Tx, order string) error {
	if _, err := tx.Exec(`UPDATE credentials SET status = 'Expired' WHERE work_order = ? AND status = 'Accepted'`, order); err != nil {
		return fmt.Errorf("end passes: %w", err)
	}
	return nil
}

// passesEnded takes over into memory that the passes of an order died, and removes
// the policies that were about nothing else.
func (s *Store) passesEnded(ctx context.Context, by Actor, order string) error {
	passes, err := s.PassesOf(ctx, order)
	if err != nil || len(passes) == 0 {
		return err
	}
	for _, c := range passes {
		mu := s.lock(c.TokenID)
		if _, ok := s.credentials.get(c.TokenID); ok {
			now := c.Credential
			s.credentials.set(c.TokenID, &now)
		}
		mu.Unlock()
	}
	rows, err := s.AccessRows(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		only := len(row.To) == 1 && row.To[0].Credential != "" && slices.ContainsFunc(passes, func(c *Credential) bool { return c.ID == row.To[0].Credential })
		if !only {
			continue
		}
		if err := s.DeleteAccessRow(ctx, by, row.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// passLives refuses a pass whose order is over.
func passLives(tx *sql.Tx, order string) error {
	if order == "" {
		return nil
	}
	var state string
	err := tx.QueryRow(`SELECT state FROM work_orders WHERE id = ?`, order).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) || err == nil && OrderState(state).Over() {
		return &InvalidError{"status", "the work order of the pass is over"}
	}
	if err != nil {
		return fmt.Errorf("read the order of a pass: %w", err)
	}
	return nil
}
