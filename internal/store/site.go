package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Site is a place with stations. A stored Site is never changed in place.
type Site struct {
	ID           string
	Name         string
	Address      string
	Latitude     *float64
	Longitude    *float64
	TimeZone     string // IANA name
	OpeningHours string
	GridLimitW   float64 // zero: no limit known
	FreeVend     bool    // anyone may charge
	StationLists bool    // its stations keep a list of whom to serve while we are away
	Public       bool    // drivers see it on the status page
	PublicName   string  // what they read; empty: Name
	Notices      []Notice
	CreatedAt    time.Time
}

func (s *Store) loadSites(ctx context.Context) error {
	all := make(map[string]*Site)
	err := s.query(ctx, "sites", `SELECT id, name, address, latitude, longitude, time_zone, opening_hours,
		grid_limit_w, free_vend, public, public_name, notices, created_at, station_lists FROM sites`, nil, func(r *sql.Rows) error {
		x := &Site{}
		var created int64
		var notices string
		err := r.Scan(&x.ID, &x.Name, &x.Address, &x.Latitude, &x.Longitude, &x.TimeZone, &x.OpeningHours,
			&x.GridLimitW, &x.FreeVend, &x.Public, &x.PublicName, &notices, &created, &x.StationLists)
		if err != nil {
			return err
		}
		x.CreatedAt = fromMillis(created)
		if x.Notices, err = decodeNotices(notices); err != nil {
			return fmt.Errorf("site %s: %w", x.ID, err)
		}
		all[x.ID] = x
		return nil
	})
	s.sites.load(all)
	return err
}

// Site returns a site.
func (s *Store) Site(id string) (*Site, bool) { return s.sites.get(id) }

// Sites returns all sites by id.
func (s *Store) Sites() []*Site {
	return slices.SortedFunc(s.sites.all(), func(a, b *Site) int { return strings.Compare(a.ID, b.ID) })
}

// FreeVend reports whether anyone may charge at the site.
func (s *Store) FreeVend(site string) bool {
	x, ok := s.sites.get(site)
	return ok && x.FreeVend
}

// Valid says what of a site cannot be accepted, with an *InvalidError. A site
// without an id is given one.
func (x Site) Valid() error {
	if x.ID == "" {
		x.ID = "given"
	}
	return x.validate()
}

func (x *Site) validate() error {
	if err := validID("id", x.ID); err != nil {
		return err
	}
	if x.TimeZone != "" {
		if _, err := time.LoadLocation(x.TimeZone); err != nil || x.TimeZone == "Local" {
			return &InvalidError{"timeZone", "not a time zone of the IANA database"}
		}
	}
	if (x.Latitude == nil) != (x.Longitude == nil) {
		return &InvalidError{"latitude", "latitude and longitude go together"}
	}
	if x.Latitude != nil && (!(*x.Latitude >= -90 && *x.Latitude <= 90 && *x.Longitude >= -180 && *x.Longitude <= 180)) {
		return &InvalidError{"latitude", "not a position on Earth"}
	}
	if !(x.GridLimitW >= 0) {
		return &InvalidError{"gridLimitW", "must not be negative"}
	}
	return x.validatePublic()
}

// CreateSite adds a site; without an id it is given one.
func (s *Store) CreateSite(ctx context.Context, by Actor, x Site) (*Site, error) {
	if x.ID == "" {
		x.ID = newID("site-")
	}
	if x.Name == "" {
		x.Name = x.ID
	}
	if err := x.validate(); err != nil {
		return nil, err
	}
	defer s.lock(x.ID).Unlock()
	if _, ok := s.sites.get(x.ID); ok {
		return nil, fmt.Errorf("site %s: %w", x.ID, ErrExists)
	}
	if s.sites.len() >= MaxSites {
		return nil, fmt.Errorf("sites: %w", ErrFull)
	}
	x.CreatedAt = fromMillis(millis(s.now()))
	if err := s.putSite(ctx, by, "site.create", &x); err != nil {
		return nil, err
	}
	return &x, nil
}

func (s *Store) putSite(ctx context.Context, by Actor, action string, x *Site) error {
	notices, err := encodeNotices(x.Notices)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO sites (id, name, address, latitude, longitude, time_zone, opening_hours,
			grid_limit_w, free_vend, public, public_name, notices, created_at, station_lists) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET name=excluded.name, address=excluded.address, latitude=excluded.latitude,
			longitude=excluded.longitude, time_zone=excluded.time_zone, opening_hours=excluded.opening_hours,
			grid_limit_w=excluded.grid_limit_w, free_vend=excluded.free_vend, public=excluded.public,
			public_name=excluded.public_name, notices=excluded.notices, station_lists=excluded.station_lists`,
			x.ID, x.Name, x.Address, x.Latitude, x.Longitude, x.TimeZone, x.OpeningHours,
			x.GridLimitW, x.FreeVend, x.Public, x.PublicName, notices, millis(x.CreatedAt), x.StationLists)
		if err != nil {
			return fmt.Errorf("write site: %w", err)
		}
		return s.audit(tx, by, action, "site/"+x.ID, map[string]any{"freeVend": x.FreeVend, "public": x.Public, "stationLists": x.StationLists})
	})
	if err == nil {
		s.sites.set(x.ID, x)
	}
	return err
}

// UpdateSite changes a site. When free vend changes, its stations' events
// follow; Reconcile completes them should we stop in between.
func (s *Store) UpdateSite(ctx context.Context, by Actor, id string, change func(*Site)) (*Site, error) {
	next, flipped, err := s.updateSite(ctx, by, id, change)
	if err != nil || !flipped {
		return next, err
	}
	for _, e := range s.StationsOf(id) {
		if err := s.reconfigure(ctx, by, e.ID); err != nil {
			return nil, err
		}
	}
	return next, nil
}

func (s *Store) updateSite(ctx context.Context, by Actor, id string, change func(*Site)) (*Site, bool, error) {
	defer s.lock(id).Unlock()
	old, ok := s.sites.get(id)
	if !ok {
		return nil, false, fmt.Errorf("site %s: %w", id, ErrNotFound)
	}
	next := *old
	change(&next)
	next.ID, next.CreatedAt = old.ID, old.CreatedAt
	if err := next.validate(); err != nil {
		return nil, false, err
	}
	if err := s.putSite(ctx, by, "site.update", &next); err != nil {
		return nil, false, err
	}
	return &next, next.FreeVend != old.FreeVend, nil
}

// DeleteSite removes a site that has no stations.
func (s *Store) DeleteSite(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	if _, ok := s.sites.get(id); !ok {
		return fmt.Errorf("site %s: %w", id, ErrNotFound)
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM stations WHERE site_id = ?`, id).Scan(&n); err != nil {
			return fmt.Errorf("count stations: %w", err)
		}
		if n > 0 {
			return &InUseError{fmt.Sprintf("the site has %d stations; move or remove them first", n)}
		}
		if err := tx.QueryRow(`SELECT count(*) FROM cameras WHERE site = ?`, id).Scan(&n); err != nil {
			return fmt.Errorf("count cameras: %w", err)
		}
		if n > 0 {
			return &InUseError{fmt.Sprintf("the site has %d cameras; move or remove them first", n)}
		}
		if err := tx.QueryRow(`SELECT (SELECT count(*) FROM doors WHERE site = ?1) + (SELECT count(*) FROM controllers WHERE site = ?1)`, id).Scan(&n); err != nil {
			return fmt.Errorf("count doors: %w", err)
		}
		if n > 0 {
			return &InUseError{fmt.Sprintf("the site has %d doors and controllers; move or remove them first", n)}
		}
		if err := tx.QueryRow(`SELECT count(*) FROM outputs WHERE site = ?`, id).Scan(&n); err != nil {
			return fmt.Errorf("count outputs: %w", err)
		}
		if n > 0 {
			return &InUseError{fmt.Sprintf("the site has %d sirens, lights, speakers and relays; move or remove them first", n)}
		}
		if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM past_session WHERE site_id = ?)`, id).Scan(&n); err != nil {
			return fmt.Errorf("look for past sessions: %w", err)
		}
		if n > 0 {
			return &InUseError{"the site has imported sessions; undo their imports first"}
		}
		if _, err := tx.Exec(`DELETE FROM arming WHERE site = ?`, id); err != nil {
			return fmt.Errorf("delete arming: %w", err)
		}
		if _, err := tx.Exec(`DELETE FROM call_lists WHERE site = ?`, id); err != nil {
			return fmt.Errorf("delete the call list: %w", err)
		}
		if _, err := tx.Exec(`DELETE FROM video_retention WHERE site = ?`, id); err != nil {
			return fmt.Errorf("delete retention: %w", err)
		}
		if err := dropLabelSecret(tx, event.Site(id).String()); err != nil {
			return err
		}
		if err := dropRelay(tx, event.Site(id)); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM sites WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete site: %w", err)
		}
		if err := dropPlan(tx, id); err != nil {
			return err
		}
		return s.audit(tx, by, "site.delete", "site/"+id, nil)
	})
	if err == nil {
		s.labelSecrets.drop(event.Site(id).String())
		s.sites.drop(id)
		s.relays.drop(event.Site(id).String())
		s.plans.drop(id)
		s.arming.drop(id)
		s.retention.drop(id)
	}
	return err
}

// lock takes the lock of an entity; unlock what it returns.
func (s *Store) lock(id string) *sync.Mutex {
	mu := &s.entity[s.shard(id)]
	mu.Lock()
	return mu
}

func (s *Store) shard(id string) int {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return int(h % uint32(len(s.entity)))
}

// validID accepts the identifier alphabet of OCPP without the colon, which
// Basic authentication splits at, and without the slash of our paths.
func validID(field, id string) error {
	if id == "" || len(id) > 48 {
		return &InvalidError{field, "must have 1 to 48 characters"}
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.*+=|@", c) >= 0:
		default:
			return &InvalidError{field, "only letters, digits and - _ . * + = | @ are allowed"}
		}
	}
	if id == "." || id == ".." {
		return &InvalidError{field, "a path segment"}
	}
	return nil
}

// ValidIdentity reports whether a station may carry the id.
func ValidIdentity(id string) error { return validID("id", id) }
