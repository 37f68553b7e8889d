package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// MaxPlanBytes bounds what all plans take together.
const MaxPlanBytes = 2 << 30

// MaxPins bounds the pins of one plan.
const MaxPins = 2000

// Plan is what is known of a site's plan without its picture.
type Plan struct {
	Site          string
	Type          string // media type
	Width, Height int
	Digest        string
	Bytes         int
	UpdatedAt     time.Time
}

// Pin is where a station stands on the plan of its site: parts of the width and
// height, from the upper left.
type Pin struct {
	Station string
	X, Y    float64
}

func (s *Store) loadPlans(ctx context.Context) error {
	all := make(map[string]*Plan)
	err := s.query(ctx, "plans", `SELECT site, type, width, height, digest, bytes, updated_at FROM site_plans`, nil, func(r *sql.Rows) error {
		p := &Plan{}
		var at int64
		if err := r.Scan(&p.Site, &p.Type, &p.Width, &p.Height, &p.Digest, &p.Bytes, &at); err != nil {
			return err
		}
		p.UpdatedAt = fromMillis(at)
		all[p.Site] = p
		return nil
	})
	s.plans.load(all)
	return err
}

// Plan returns what is known of a site's plan.
func (s *Store) Plan(site string) (*Plan, bool) { return s.plans.get(site) }

// PlanImage returns the picture of a site's plan.
func (s *Store) PlanImage(ctx context.Context, site string) (*Plan, []byte, error) {
	p := &Plan{Site: site}
	var at int64
	var image []byte
	err := s.db.Reader().QueryRowContext(ctx, `SELECT type, width, height, digest, bytes, updated_at, image FROM site_plans WHERE site = ?`, site).
		Scan(&p.Type, &p.Width, &p.Height, &p.Digest, &p.Bytes, &at, &image)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil, fmt.Errorf("plan of %s: %w", site, ErrNotFound)
	case err != nil:
		return nil, nil, fmt.Errorf("read plan: %w", err)
	}
	p.UpdatedAt = fromMillis(at)
	return p, image, nil
}

// PutPlan replaces the plan of a site; its pins stay.
func (s *Store) PutPlan(ctx context.Context, by Actor, p Plan, image []byte) (*Plan, error) {
	defer s.lock(p.Site).Unlock()
	if _, ok := s.sites.get(p.Site); !ok {
		return nil, fmt.Errorf("site %s: %w", p.Site, ErrNotFound)
	}
	sum := sha256.Sum256(image)
	p.Digest, p.Bytes, p.UpdatedAt = hex.EncodeToString(sum[:12]), len(image), fromMillis(millis(s.now()))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var others int64
		if err := tx.QueryRow(`SELECT coalesce(sum(bytes), 0) FROM site_plans WHERE site <> ?`, p.Site).Scan(&others); err != nil {
			return fmt.Errorf("count plans: %w", err)
		}
		if others+int64(p.Bytes) > MaxPlanBytes {
			return fmt.Errorf("plans: %w", ErrFull)
		}
		_, err := tx.Exec(`INSERT INTO site_plans (site, type, width, height, digest, bytes, updated_at, image) VALUES (?,?,?,?,?,?,?,?)
			ON CONFLICT (site) DO UPDATE SET type=excluded.type, width=excluded.width, height=excluded.height,
			digest=excluded.digest, bytes=excluded.bytes, updated_at=excluded.updated_at, image=excluded.image`,
			p.Site, p.Type, p.Width, p.Height, p.Digest, p.Bytes, millis(p.UpdatedAt), image)
		if err != nil {
			return fmt.Errorf("write plan: %w", err)
		}
		return s.audit(tx, by, "site.plan", "site/"+p.Site, map[string]any{"width": p.Width, "height": p.Height, "bytes": p.Bytes})
	})
	if err != nil {
		return nil, err
	}
	s.plans.set(p.Site, &p)
	return &p, nil
}

// DeletePlan removes the plan of a site and its pins.
func (s *Store) DeletePlan(ctx context.Context, by Actor, site string) error {
	defer s.lock(site).Unlock()
	if _, ok := s.plans.get(site); !ok {
		return fmt.Errorf("plan of %s: %w", site, ErrNotFound)
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := dropPlan(tx, site); err != nil {
			return err
		}
		return s.audit(tx, by, "site.plan.delete", "site/"+site, nil)
	})
	if err == nil {
		s.plans.drop(site)
	}
	return err
}

func dropPlan(tx *sql.Tx, site string) error {
	for _, text := range []string{`DELETE FROM site_plans WHERE site = ?`, `DELETE FROM site_pins WHERE site = ?`} {
		if _, err := tx.Exec(text, site); err != nil {
			return fmt.Errorf("delete plan: %w", err)
		}
	}
	return nil
}

// Pins returns where the stations of a site stand. Stations that went
// elsewhere are left out.
func (s *Store) Pins(ctx context.Context, site string) ([]Pin, error) {
	var out []Pin
	err := s.query(ctx, "pins", `SELECT station, x, y FROM site_pins WHERE site = ? ORDER BY station`, []any{site}, func(r *sql.Rows) error {
		var p Pin
		if err := r.Scan(&p.Station, &p.X, &p.Y); err != nil {
			return err
		}
		if e, ok := s.Station(p.Station); ok && e.SiteID == site {
			out = append(out, p)
		}
		return nil
	})
	return out, err
}

// PutPins replaces all pins of a site.
func (s *Store) PutPins(ctx context.Context, by Actor, site string, pins []Pin) error {
	if len(pins) > MaxPins {
		return &InvalidError{"items", fmt.Sprintf("at most %d", MaxPins)}
	}
	seen := make(map[string]bool, len(pins))
	for i, p := range pins {
		field := fmt.Sprintf("items[%d]", i)
		switch e, ok := s.Station(p.Station); {
		case !ok || e.SiteID != site:
			return &InvalidError{field + ".station", "no such station at this site"}
		case seen[p.Station]:
			return &InvalidError{field + ".station", "stands twice on the plan"}
		case !(p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1):
			return &InvalidError{field, "x and y go from 0 to 1"}
		}
		seen[p.Station] = true
	}
	defer s.lock(site).Unlock()
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM site_pins WHERE site = ?`, site); err != nil {
			return fmt.Errorf("clear pins: %w", err)
		}
		for _, p := range pins {
			if _, err := tx.Exec(`INSERT INTO site_pins (site, station, x, y) VALUES (?,?,?,?)`, site, p.Station, p.X, p.Y); err != nil {
				return fmt.Errorf("write pin: %w", err)
			}
		}
		return s.audit(tx, by, "site.pins", "site/"+site, map[string]any{"pins": len(pins)})
	})
}
