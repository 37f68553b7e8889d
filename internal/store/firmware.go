package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// maxFirmwareImages bounds the library.
const maxFirmwareImages = 1000

// FirmwareImage is firmware that somebody brought.
type FirmwareImage struct {
	ID     string    `json:"-"`
	MadeAt time.Time `json:"-"`
	By     Actor     `json:"-"`
	Bytes  int64     `json:"-"`
	SHA256 string    `json:"-"`

	Name        string `json:"name"`             // of the file
	Version     string `json:"version"`          // as stations tell it in their BootNotification
	Vendor      string `json:"vendor,omitempty"` // of stations that it fits; empty: all
	Model       string `json:"model,omitempty"`  // with which the name of their model begins
	Notes       string `json:"notes,omitempty"`
	Signature   string `json:"signature,omitempty"`   // base64
	Certificate string `json:"certificate,omitempty"` // PEM
}

// NewFirmwareID names an image before its file is written.
func NewFirmwareID() string { return newID("fw-") }

// Check refuses what cannot be kept.
func (x *FirmwareImage) Check() error {
	for _, f := range []struct {
		name, value string
		most        int
		need        bool
	}{
		{"version", x.Version, 50, true}, {"vendor", x.Vendor, 50, false}, {"model", x.Model, 50, false}, {"notes", x.Notes, 2000, false},
		{"signature", x.Signature, 800, false}, {"certificate", x.Certificate, 5500, false},
	} {
		switch {
		case f.need && strings.TrimSpace(f.value) == "":
			return &InvalidError{Field: f.name, Reason: "must be given"}
		case utf8.RuneCountInString(f.value) > f.most:
			return &InvalidError{Field: f.name, Reason: fmt.Sprintf("at most %d characters", f.most)}
		case !utf8.ValidString(f.value):
			return &InvalidError{Field: f.name, Reason: "not text"}
		}
	}
	return nil
}

// Fits reports whether an image is for stations of a vendor and model.
func (x *FirmwareImage) Fits(vendor, model string) bool {
	return (x.Vendor == "" || strings.EqualFold(x.Vendor, vendor)) &&
		(x.Model == "" || len(model) >= len(x.Model) && strings.EqualFold(model[:len(x.Model)], x.Model))
}

func scanFirmware(row interface{ Scan(...any) error }) (*FirmwareImage, error) {
	x := &FirmwareImage{}
	var made int64
	var data string
	if err := row.Scan(&x.ID, &made, &x.By, &x.Bytes, &x.SHA256, &data); err != nil {
		return nil, err
	}
	x.MadeAt = fromMillis(made)
	return x, json.Unmarshal([]byte(data), x)
}

const firmwareColumns = `id, made_at, by, bytes, sha256, data`

// CreateFirmwareImage notes an image whose file is here.
func (s *Store) CreateFirmwareImage(ctx context.Context, by Actor, x FirmwareImage) (*FirmwareImage, error) {
	if err := x.Check(); err != nil {
		return nil, err
	}
	x.MadeAt, x.By = fromMillis(millis(s.now())), by
	text, err := json.Marshal(&x)
	if err != nil {
		return nil, fmt.Errorf("encode an image: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM firmware_images`).Scan(&n); err != nil {
			return fmt.Errorf("count images: %w", err)
		}
		if n >= maxFirmwareImages {
			return fmt.Errorf("images: %w", ErrFull)
		}
		if _, err := tx.Exec(`INSERT INTO firmware_images (`+firmwareColumns+`) VALUES (?,?,?,?,?,?)`,
			x.ID, millis(x.MadeAt), string(by), x.Bytes, x.SHA256, string(text)); err != nil {
			return fmt.Errorf("write an image: %w", err)
		}
		return s.audit(tx, by, "firmware.add", "firmware/"+x.ID, map[string]any{"version": x.Version, "sha256": x.SHA256})
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// ChangeFirmwareImage keeps what is known of an image; its file stays.
func (s *Store) ChangeFirmwareImage(ctx context.Context, by Actor, x *FirmwareImage) (*FirmwareImage, error) {
	if err := x.Check(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("encode an image: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`UPDATE firmware_images SET data = ? WHERE id = ?`, string(text), x.ID)
		if err != nil {
			return fmt.Errorf("write an image: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("image %s: %w", x.ID, ErrNotFound))
		}
		return s.audit(tx, by, "firmware.change", "firmware/"+x.ID, map[string]any{"version": x.Version, "signed": x.Signature != ""})
	})
	return x, err
}

// DeleteFirmwareImage forgets an image.
func (s *Store) DeleteFirmwareImage(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`DELETE FROM firmware_images WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete an image: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("image %s: %w", id, ErrNotFound))
		}
		return s.audit(tx, by, "firmware.delete", "firmware/"+id, nil)
	})
}

// FirmwareImages lists the library, newest first.
func (s *Store) FirmwareImages(ctx context.Context) ([]*FirmwareImage, error) {
	var out []*FirmwareImage
	err := s.query(ctx, "images", `SELECT `+firmwareColumns+` FROM firmware_images ORDER BY made_at DESC, id`, nil, func(r *sql.Rows) error {
		x, err := scanFirmware(r)
		out = append(out, x)
		return err
	})
	return out, err
}

// FirmwareImage returns one.
func (s *Store) FirmwareImage(ctx context.Context, id string) (*FirmwareImage, error) {
	x, err := scanFirmware(s.db.Reader().QueryRowContext(ctx, `SELECT `+firmwareColumns+` FROM firmware_images WHERE id = ?`, id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("image: %w", ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read an image: %w", err)
	}
	return x, nil
}
