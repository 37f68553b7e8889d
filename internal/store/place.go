package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// SecondPlace is where the last minute of cameras is copied when somebody tampers
// with them.
type SecondPlace struct {
	Kind   string `json:"kind"` // folder or s3
	Folder string `json:"folder,omitempty"`
	// Endpoint is https://HOST[:PORT] of a store that speaks S3.
	Endpoint  string    `json:"endpoint,omitempty"`
	Region    string    `json:"region,omitempty"`
	Bucket    string    `json:"bucket,omitempty"`
	Prefix    string    `json:"prefix,omitempty"`
	AccessKey string    `json:"accessKey,omitempty"`
	HostStyle bool      `json:"hostStyle,omitempty"` // the bucket is a part of the host's name
	By        Actor     `json:"by,omitempty"`
	At        time.Time `json:"at,omitzero"`
	// Secret is never shown.
	Secret PlaceSecret `json:"-"`
	// SecretLost: it was sealed with a key that is gone.
	SecretLost bool `json:"-"`
}

// PlaceSecret hides itself from whatever prints or encodes it.
type PlaceSecret string

// String hides it.
func (s PlaceSecret) String() string { return "hidden" }

// GoString hides it.
func (s PlaceSecret) GoString() string { return "hidden" }

// LogValue hides it.
func (s PlaceSecret) LogValue() slog.Value { return slog.StringValue("hidden") }

// MarshalJSON hides it.
func (s PlaceSecret) MarshalJSON() ([]byte, error) { return []byte(`"hidden"`), nil }

// The kinds of second places.
const (
	PlaceFolder = "folder"
	PlaceS3     = "s3"
)

const (
	placeName       = "video.place"
	placeSecretName = "video.place.secret"
)

func bucketName() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`) }

// Validate puts what is left out and says what cannot be.
func (p *SecondPlace) Validate() error {
	for _, x := range []*string{&p.Folder, &p.Endpoint, &p.Region, &p.Bucket, &p.Prefix, &p.AccessKey} {
		*x = strings.TrimSpace(*x)
		if len(*x) > 500 || !readable(*x, false) {
			return &InvalidError{"kind", "at most 500 printable characters in a field"}
		}
	}
	switch p.Kind {
	case PlaceFolder:
		if !filepath.IsAbs(p.Folder) {
			return &InvalidError{"folder", "the whole path of a folder of this machine"}
		}
		p.Folder = filepath.Clean(p.Folder)
		p.Endpoint, p.Region, p.Bucket, p.Prefix, p.AccessKey, p.HostStyle = "", "", "", "", "", false
		return nil
	case PlaceS3:
	default:
		return &InvalidError{"kind", "folder or s3"}
	}
	p.Folder = ""
	if p.Region == "" {
		p.Region = "us-east-1"
	}
	u, err := url.Parse(p.Endpoint)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return &InvalidError{"endpoint", "an address of the form https://HOST, without a path"}
	case !bucketName().MatchString(p.Bucket):
		return &InvalidError{"bucket", "3 to 63 lower-case letters, digits, dots and hyphens"}
	case !regexp.MustCompile(`^[a-z0-9-]{1,40}$`).MatchString(p.Region):
		return &InvalidError{"region", "such as eu-central-1"}
	case p.AccessKey == "" || strings.ContainsAny(p.AccessKey, "/, "):
		return &InvalidError{"accessKey", "the id of an access key"}
	}
	return nil
}

// same reports whether a secret goes where it went.
func (p *SecondPlace) same(o *SecondPlace) bool {
	return p.Kind == o.Kind && p.Endpoint == o.Endpoint && p.AccessKey == o.AccessKey && p.Bucket == o.Bucket && p.HostStyle == o.HostStyle
}

// SecondPlace is where copies go, ErrNotFound if nowhere.
func (s *Store) SecondPlace(ctx context.Context) (SecondPlace, error) {
	var p SecondPlace
	text, err := s.Setting(ctx, placeName)
	if err != nil {
		return p, err
	}
	if text == "" {
		return p, fmt.Errorf("second place: %w", ErrNotFound)
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("decode the second place: %w", err)
	}
	hidden, err := s.Setting(ctx, placeSecretName)
	if err != nil {
		return p, err
	}
	secret, err := s.reveal(hidden, settingPlace(placeSecretName))
	if lost(err) {
		p.SecretLost = true
		return p, nil
	}
	p.Secret = PlaceSecret(secret)
	return p, err
}

// WithSecret fills in the secret that is kept, if none is given and it goes where it
// went.
func (s *Store) WithSecret(ctx context.Context, p SecondPlace, secret *string) (SecondPlace, error) {
	if err := p.Validate(); err != nil {
		return p, err
	}
	switch {
	case p.Kind != PlaceS3:
	case secret != nil && *secret != "" && len(*secret) <= maxCameraSecret:
		p.Secret = PlaceSecret(*secret)
	case secret != nil && *secret != "":
		return p, &InvalidError{"secretKey", fmt.Sprintf("at most %d bytes", maxCameraSecret)}
	default:
		old, err := s.SecondPlace(ctx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return p, err
		}
		if err != nil || !old.same(&p) || old.Secret == "" {
			return p, &InvalidError{"secretKey", "give it: it is not kept, or it was for another place"}
		}
		p.Secret = old.Secret
	}
	return p, nil
}

// SetSecondPlace decides where copies go.
func (s *Store) SetSecondPlace(ctx context.Context, by Actor, p SecondPlace) (SecondPlace, error) {
	if s.box == nil && p.Secret != "" {
		return p, errNoBox
	}
	p.By, p.At = by, fromMillis(millis(s.now()))
	text, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("encode the second place: %w", err)
	}
	hidden := ""
	if p.Secret != "" {
		if hidden, err = s.hide(string(p.Secret), settingPlace(placeSecretName)); err != nil {
			return p, err
		}
	}
	return p, s.db.Write(ctx, func(tx *sql.Tx) error {
		for name, value := range map[string]string{placeName: string(text), placeSecretName: hidden} {
			if _, err := tx.Exec(`INSERT INTO settings (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value`, name, value); err != nil {
				return fmt.Errorf("write the second place: %w", err)
			}
		}
		return s.audit(tx, by, "secondPlace.change", "system/secondPlace", map[string]any{
			"kind": p.Kind, "folder": p.Folder, "endpoint": p.Endpoint, "bucket": p.Bucket, "prefix": p.Prefix,
		})
	})
}

// RemoveSecondPlace ends copying.
func (s *Store) RemoveSecondPlace(ctx context.Context, by Actor) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		r, err := tx.Exec(`DELETE FROM settings WHERE name IN (?, ?)`, placeName, placeSecretName)
		if err != nil {
			return fmt.Errorf("remove the second place: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("second place: %w", ErrNotFound))
		}
		return s.audit(tx, by, "secondPlace.delete", "system/secondPlace", nil)
	})
}

// Copies are the rows of the queue of copies.
func (s *Store) Copies(ctx context.Context) ([]json.RawMessage, error) {
	var out []json.RawMessage
	err := s.query(ctx, "copies", `SELECT data FROM offsite_copies`, nil, func(r *sql.Rows) error {
		var data string
		err := r.Scan(&data)
		out = append(out, json.RawMessage(data))
		return err
	})
	return out, err
}

// PutCopy writes a row of it.
func (s *Store) PutCopy(ctx context.Context, id string, data json.RawMessage) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO offsite_copies (id, data) VALUES (?,?) ON CONFLICT (id) DO UPDATE SET data=excluded.data`, id, string(data)); err != nil {
			return fmt.Errorf("write a copy: %w", err)
		}
		return nil
	})
}

// DropCopies removes rows of it.
func (s *Store) DropCopies(ctx context.Context, ids []string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.Exec(`DELETE FROM offsite_copies WHERE id = ?`, id); err != nil {
				return fmt.Errorf("remove a copy: %w", err)
			}
		}
		return nil
	})
}
