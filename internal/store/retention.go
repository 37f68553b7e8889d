package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Retention is how long pictures stay at a site, or everywhere where a site says
// nothing else. Zero is no decision. A stored one is never changed in place.
type Retention struct {
	SiteID string `json:"-"` // empty: everywhere
	// Days is how long what is recorded stays, IncidentDays what incidents hold.
	Days         float64 `json:"days,omitempty"`
	IncidentDays float64 `json:"incidentDays,omitempty"`
	// Bytes bounds all recordings of the site, or of the server.
	Bytes int64 `json:"bytes,omitempty"`
	// Purpose has to be written where a site keeps pictures for longer than usual.
	Purpose string    `json:"purpose,omitempty"`
	By      Actor     `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Usual times, beyond which a site needs a written purpose.
const (
	DefaultPromise      = 3  // days
	DefaultIncidentDays = 30 // days
	MaxPromisedDays     = 365
	MaxIncidentDays     = 5 * 365
	// LeastVideoBytes is the smallest bound of recordings: some minutes.
	LeastVideoBytes = 100 << 20
	maxVideoBytes   = 1 << 60
)

func (r *Retention) validate() error {
	r.Purpose = strings.TrimSpace(r.Purpose)
	days, incidents, more := float64(MaxPromisedDays), float64(MaxIncidentDays), ""
	if r.SiteID == "" {
		days, incidents, more = DefaultPromise, DefaultIncidentDays, "; more is decided for a site, with its purpose"
	}
	switch {
	case !(r.Days >= 0 && r.Days <= days):
		return &InvalidError{"days", fmt.Sprintf("at most %g%s", days, more)}
	case !(r.IncidentDays >= 0 && r.IncidentDays <= incidents):
		return &InvalidError{"incidentDays", fmt.Sprintf("at most %g%s", incidents, more)}
	case !readable(r.Purpose, true) || len(r.Purpose) > maxPurposeLength:
		return &InvalidError{"purpose", fmt.Sprintf("at most %d bytes of text", maxPurposeLength)}
	case r.Purpose == "" && r.Days > DefaultPromise:
		return &InvalidError{"purpose", fmt.Sprintf("more than %d days need a written purpose", DefaultPromise)}
	case r.Purpose == "" && r.IncidentDays > DefaultIncidentDays:
		return &InvalidError{"purpose", fmt.Sprintf("more than %d days for incidents need a written purpose", DefaultIncidentDays)}
	}
	return validVideoBytes("maxBytes", r.Bytes)
}

func validVideoBytes(field string, n int64) error {
	if n != 0 && (n < LeastVideoBytes || n > maxVideoBytes) {
		return &InvalidError{field, fmt.Sprintf("at least %d bytes, or none", LeastVideoBytes)}
	}
	return nil
}

func (s *Store) loadRetention(ctx context.Context) error {
	all := make(map[string]*Retention)
	err := s.query(ctx, "retention", `SELECT site, data FROM video_retention`, nil, func(r *sql.Rows) error {
		x := &Retention{}
		var data string
		if err := r.Scan(&x.SiteID, &data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), x); err != nil {
			return fmt.Errorf("retention of %s: %w", x.SiteID, err)
		}
		all[x.SiteID] = x
		return nil
	})
	s.retention.load(all)
	return err
}

// Retention is what was decided for a site, or everywhere for an empty one.
func (s *Store) Retention(site string) Retention {
	if r, ok := s.retention.get(site); ok {
		return *r
	}
	return Retention{SiteID: site}
}

// SiteRetentions lists the sites for which something was decided.
func (s *Store) SiteRetentions() []*Retention {
	list := slices.SortedFunc(s.retention.all(), func(a, b *Retention) int { return strings.Compare(a.SiteID, b.SiteID) })
	return slices.DeleteFunc(list, func(r *Retention) bool { return r.SiteID == "" })
}

// Kept is how long pictures of a camera stay, whoever decided it: for the camera
// itself, for its site or everywhere.
func (s *Store) Kept(c *Camera) Retention {
	out := Retention{SiteID: c.SiteID, Days: c.PromisedDays, Bytes: c.MaxBytes, Purpose: c.Purpose}
	if c.SiteID != "" {
		site := s.Retention(c.SiteID)
		if out.Days == 0 {
			out.Days = site.Days
		}
		out.IncidentDays = site.IncidentDays
		if out.Purpose == "" {
			out.Purpose = site.Purpose
		}
	}
	all := s.Retention("")
	if out.Days == 0 {
		out.Days = all.Days
	}
	if out.IncidentDays == 0 {
		out.IncidentDays = all.IncidentDays
	}
	if out.Days == 0 {
		out.Days = DefaultPromise
	}
	if out.IncidentDays == 0 {
		out.IncidentDays = DefaultIncidentDays
	}
	return out
}

// SetRetention decides how long pictures stay at a site, or everywhere.
func (s *Store) SetRetention(ctx context.Context, by Actor, r Retention) (Retention, error) {
	if err := r.validate(); err != nil {
		return r, err
	}
	defer s.lock(r.SiteID).Unlock()
	s.purposes.Lock()
	defer s.purposes.Unlock()
	if r.SiteID != "" {
		if _, ok := s.sites.get(r.SiteID); !ok {
			return r, fmt.Errorf("site %s: %w", r.SiteID, ErrNotFound)
		}
	}
	for c := range s.cameras.all() {
		if r.SiteID != "" && r.Purpose == "" && c.SiteID == r.SiteID && c.PromisedDays > DefaultPromise && c.Purpose == "" {
			return r, &InvalidError{"purpose", fmt.Sprintf("camera %s keeps pictures for %g days and has no purpose of its own", c.ID, c.PromisedDays)}
		}
	}
	r.By, r.At = by, fromMillis(millis(s.now()))
	data, err := json.Marshal(r)
	if err != nil {
		return r, fmt.Errorf("encode retention: %w", err)
	}
	subject := "system/retention"
	if r.SiteID != "" {
		subject = "site/" + r.SiteID
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO video_retention (site, data) VALUES (?,?) ON CONFLICT (site) DO UPDATE SET data=excluded.data`,
			r.SiteID, string(data)); err != nil {
			return fmt.Errorf("write retention: %w", err)
		}
		return s.audit(tx, by, "retention.change", subject, map[string]any{
			"days": r.Days, "incidentDays": r.IncidentDays, "maxBytes": r.Bytes, "purpose": r.Purpose,
		})
	})
	if err != nil {
		return r, err
	}
	s.retention.set(r.SiteID, &r)
	s.camerasChanged.announce()
	return r, nil
}

// hasPurpose looks whether somebody wrote down why a camera is kept for long. The
// caller holds purposes.
func (s *Store) hasPurpose(c *Camera) error {
	if c.PromisedDays > DefaultPromise && c.Purpose == "" && s.Retention(c.SiteID).Purpose == "" {
		return &InvalidError{"retention.purpose", fmt.Sprintf("more than %d days need a written purpose, of the camera or its site", DefaultPromise)}
	}
	return nil
}
