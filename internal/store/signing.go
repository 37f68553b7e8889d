package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"unicode/utf8"
)

// Signing is who makes the certificates of stations: our own authority, or another one
// that is asked over HTTPS.
type Signing struct {
	Organization string `json:"organization,omitempty"` // the only one a request may name; empty: any
	URL          string `json:"url,omitempty"`          // of the other one; empty: ours
	HasSecret    bool   `json:"hasSecret,omitempty"`
	Sealed       []byte `json:"sealed,omitempty"`
}

const (
	signingName   = "stationSigning"
	signingSecret = "setting/stationSigning/secret" //nolint:gosec // the place of one, not one
)

// Signing is who makes the certificates of stations.
func (s *Store) Signing(ctx context.Context) (Signing, error) {
	var out Signing
	err := s.query(ctx, "signing of certificates", `SELECT value FROM settings WHERE name = ?`, []any{signingName}, func(r *sql.Rows) error {
		var text string
		if err := r.Scan(&text); err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &out)
	})
	return out, err
}

// SigningSecret is with what requests to the other authority are signed.
func (s *Store) SigningSecret(x Signing) (string, error) {
	return s.openSecret(x.Sealed, signingSecret)
}

// SetSigning changes who makes the certificates of stations. A secret that is nil stays,
// unless the address is another.
func (s *Store) SetSigning(ctx context.Context, by Actor, x Signing, secret *string) (Signing, error) {
	if utf8.RuneCountInString(x.Organization) > 64 || !readable(x.Organization, false) {
		return Signing{}, &InvalidError{"organization", "at most 64 printable characters"}
	}
	old, err := s.Signing(ctx)
	if err != nil {
		return Signing{}, err
	}
	x.Sealed = nil
	switch {
	case x.URL == "":
	case secret != nil && *secret != "":
		at, err := url.Parse(x.URL)
		if err != nil || at.Scheme != "https" || at.Hostname() == "" || at.User != nil || len(x.URL) > 500 {
			return Signing{}, &InvalidError{"url", "must begin with https:// and hold no password"}
		}
		if len(*secret) < 16 || len(*secret) > 200 {
			return Signing{}, &InvalidError{"secret", "16 to 200 characters"}
		}
		if x.Sealed, err = s.sealSecret(*secret, signingSecret); err != nil {
			return Signing{}, err
		}
	case x.URL == old.URL && old.HasSecret:
		x.Sealed = old.Sealed
	default:
		return Signing{}, &InvalidError{"secret", "give it: requests to another authority are signed with it"}
	}
	x.HasSecret = len(x.Sealed) > 0
	text, err := json.Marshal(x)
	if err != nil {
		return Signing{}, fmt.Errorf("encode setting: %w", err)
	}
	return x, s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT OR REPLACE INTO settings (name, value) VALUES (?,?)`, signingName, string(text)); err != nil {
			return fmt.Errorf("write setting: %w", err)
		}
		return s.audit(tx, by, "station.authority.change", "system/stationAuthority", map[string]any{"external": x.URL != "", "organization": x.Organization})
	})
}
