package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of doors and what drives them.
const (
	MaxControllers    = 2000
	MaxDoors          = 8000
	maxDoorText       = 200
	maxDoorPorts      = 100
	maxDoorSecret     = 200
	maxHeldAfter      = 24 * 3600
	maxAuthority      = 32 << 10
	doorsOfController = 64
)

// Driver is how a controller is spoken to.
type Driver string

// The drivers.
const (
	DriverUHPPOTE Driver = "uhppote" // boards, over UDP
	DriverMQTT    Driver = "mqtt"    // relays, locks and readers on a broker
	DriverHTTP    Driver = "http"    // another system, by signed messages
)

// Controller is what drives doors, as people set it up. A stored one is never changed
// in place.
type Controller struct {
	ID        string    `json:"-"`
	SiteID    string    `json:"-"`
	Label     string    `json:"label,omitempty"`
	Driver    Driver    `json:"driver"`
	Address   string    `json:"address,omitempty"`   // HOST:PORT of a board, else a URL
	Serial    uint32    `json:"serial,omitempty"`    // of a UHPPOTE controller
	User      string    `json:"user,omitempty"`      // at a broker
	Authority string    `json:"authority,omitempty"` // that signed its certificate, as PEM; empty: one that everybody knows
	Simulated bool      `json:"simulated,omitempty"`
	CreatedAt time.Time `json:"-"`
	// HasSecret says that one is set; it is read by ControllerSecret alone.
	HasSecret bool `json:"-"`
	sealed    []byte
}

func (c *Controller) validate() error {
	if err := validID("id", c.ID); err != nil {
		return err
	}
	if !readable(c.Label, false) || utf8.RuneCountInString(c.Label) > maxDoorText {
		return &InvalidError{"label", fmt.Sprintf("at most %d printable characters", maxDoorText)}
	}
	if !readable(c.User, false) || len(c.User) > maxDoorText {
		return &InvalidError{"user", fmt.Sprintf("at most %d printable characters", maxDoorText)}
	}
	if c.Authority != "" && (len(c.Authority) > maxAuthority || !x509.NewCertPool().AppendCertsFromPEM([]byte(c.Authority))) {
		return &InvalidError{"authority", "a certificate as PEM"}
	}
	switch c.Driver {
	case DriverUHPPOTE:
		return c.validateBoard()
	case DriverMQTT:
		return c.validateURL("mqtt", "mqtts")
	case DriverHTTP:
		if c.Address == "" {
			return nil // it tells, and nothing can be told to it
		}
		return c.validateURL("http", "https")
	}
	return &InvalidError{"driver", "must be uhppote, mqtt or http"}
}

// validateURL wants an address of one of two protocols, the second of which is
// secured.
func (c *Controller) validateURL(plain, secured string) error {
	u, err := url.Parse(c.Address)
	switch {
	case err != nil || len(c.Address) > 300 || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != plain && u.Scheme != secured:
		return &InvalidError{"address", fmt.Sprintf("must begin with %s:// or %s://, without a user", secured, plain)}
	case plain == "mqtt" && (strings.Trim(u.Path, "/") != "" || u.RawQuery != ""):
		return &InvalidError{"address", "such as mqtts://broker.example.org:8883"}
	case c.Authority != "" && u.Scheme == plain:
		return &InvalidError{"authority", "only for an address that is secured"}
	}
	return nil
}

func (c *Controller) validateBoard() error {
	host, port, err := net.SplitHostPort(c.Address)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" || len(host) > 253 {
		return &InvalidError{"address", "an address of the form HOST:PORT"}
	}
	if c.Serial == 0 {
		return &InvalidError{"serial", "the number on the controller"}
	}
	return nil
}

func (s *Store) loadControllers(ctx context.Context) error {
	all := make(map[string]*Controller)
	err := s.query(ctx, "controllers", `SELECT id, site, data, secret, created_at FROM controllers`, nil, func(r *sql.Rows) error {
		c := &Controller{}
		var data string
		var created int64
		if err := r.Scan(&c.ID, &c.SiteID, &data, &c.sealed, &created); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), c); err != nil {
			return fmt.Errorf("controller %s: %w", c.ID, err)
		}
		c.CreatedAt, c.HasSecret = fromMillis(created), len(c.sealed) > 0
		all[c.ID] = c
		return nil
	})
	s.controllers.load(all)
	return err
}

// Controller returns a controller.
func (s *Store) Controller(id string) (*Controller, bool) { return s.controllers.get(id) }

// Controllers returns all controllers by id.
func (s *Store) Controllers() []*Controller {
	return slices.SortedFunc(s.controllers.all(), func(a, b *Controller) int { return strings.Compare(a.ID, b.ID) })
}

// DoorsChanged is closed at the next change of a controller or a door.
func (s *Store) DoorsChanged() <-chan struct{} { return s.doorsChanged.channel() }

func controllerSecret(id string) string { return "controller/" + id + "/secret" }

// ControllerSecret is what a controller is spoken to with; empty: none.
func (s *Store) ControllerSecret(id string) (string, error) {
	c, ok := s.controllers.get(id)
	if !ok {
		return "", fmt.Errorf("controller %s: %w", id, ErrNotFound)
	}
	return s.openSecret(c.sealed, controllerSecret(id))
}

// Seal changes whenever the secret does, and says nothing of it.
func (c *Controller) Seal() string {
	if !c.HasSecret {
		return ""
	}
	sum := sha256.Sum256(c.sealed)
	return hex.EncodeToString(sum[:8])
}

// CreateController adds a controller; without an id it is given one.
func (s *Store) CreateController(ctx context.Context, by Actor, c Controller, secret string) (*Controller, error) {
	if c.ID == "" {
		c.ID = newID("ctl-")
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.CreatedAt = fromMillis(millis(s.now()))
	defer s.lock(c.ID).Unlock()
	if _, ok := s.controllers.get(c.ID); ok {
		return nil, fmt.Errorf("controller %s: %w", c.ID, ErrExists)
	}
	if s.controllers.len() >= MaxControllers {
		return nil, fmt.Errorf("controllers: %w", ErrFull)
	}
	if err := s.sealController(&c, secret); err != nil {
		return nil, err
	}
	return &c, s.putController(ctx, by, "controller.create", &c)
}

// ChangeController changes a controller; a secret that is nil stays, an empty one is
// forgotten.
func (s *Store) ChangeController(ctx context.Context, by Actor, id string, secret *string, change func(*Controller)) (*Controller, error) {
	defer s.lock(id).Unlock()
	old, ok := s.controllers.get(id)
	if !ok {
		return nil, fmt.Errorf("controller %s: %w", id, ErrNotFound)
	}
	next := *old
	change(&next)
	next.ID, next.CreatedAt, next.Driver, next.Simulated = old.ID, old.CreatedAt, old.Driver, old.Simulated
	if err := next.validate(); err != nil {
		return nil, err
	}
	switch {
	case secret != nil:
		if err := s.sealController(&next, *secret); err != nil {
			return nil, err
		}
	case next.HasSecret && next.Driver != DriverHTTP && next.Address != old.Address:
		return nil, &InvalidError{"secret", "give it again: it was for another address"}
	}
	return &next, s.putController(ctx, by, "controller.change", &next)
}

// NewControllerSecret makes what a bridge and we sign with; one of before is void. It
// is given out once.
func (s *Store) NewControllerSecret(ctx context.Context, by Actor, id string) (string, error) {
	c, ok := s.controllers.get(id)
	if !ok {
		return "", fmt.Errorf("controller %s: %w", id, ErrNotFound)
	}
	if c.Driver != DriverHTTP {
		return "", &InvalidError{"driver", "only messages of another system are signed"}
	}
	secret := "ctl_" + strings.ToLower(rand.Text())
	_, err := s.ChangeController(ctx, by, id, &secret, func(*Controller) {})
	return secret, err
}

func (s *Store) sealController(c *Controller, secret string) (err error) {
	c.HasSecret = secret != ""
	if len(secret) > maxDoorSecret {
		return &InvalidError{"secret", fmt.Sprintf("at most %d bytes", maxDoorSecret)}
	}
	c.sealed, err = s.sealSecret(secret, controllerSecret(c.ID))
	return err
}

// putController commits a controller with its event. The caller holds its lock.
func (s *Store) putController(ctx context.Context, by Actor, action string, c *Controller) error {
	if _, ok := s.sites.get(c.SiteID); !ok {
		return &InvalidError{"siteId", "no such site"}
	}
	for _, o := range s.Controllers() {
		if o.ID != c.ID && c.Serial != 0 && o.Serial == c.Serial && o.Driver == c.Driver {
			return &InvalidError{"serial", fmt.Sprintf("it is controller %s", o.ID)}
		}
	}
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode controller: %w", err)
	}
	body := &event.ControllerConfigured{SiteID: c.SiteID, Label: c.Label, Driver: string(c.Driver), Simulated: c.Simulated, By: string(by)}
	err = s.append(ctx, s.event(event.Controller(c.ID), body), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO controllers (id, site, data, secret, created_at) VALUES (?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET site=excluded.site, data=excluded.data, secret=excluded.secret`,
			c.ID, c.SiteID, string(data), c.sealed, millis(c.CreatedAt)); err != nil {
			return fmt.Errorf("write controller: %w", err)
		}
		return s.audit(tx, by, action, "controller/"+c.ID, map[string]any{"site": c.SiteID, "driver": c.Driver, "serial": c.Serial})
	})
	if err == nil {
		s.controllers.set(c.ID, c)
		s.doorsChanged.announce()
	}
	return err
}

// DeleteController removes a controller that drives no door any more.
func (s *Store) DeleteController(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	if _, ok := s.controllers.get(id); !ok {
		return fmt.Errorf("controller %s: %w", id, ErrNotFound)
	}
	for d := range s.doors.all() {
		if d.Controller == id {
			return &InUseError{fmt.Sprintf("%q is driven by it", d.Name())}
		}
	}
	err := s.append(ctx, s.event(event.Controller(id), &event.ControllerRemoved{By: string(by)}), func(tx *sql.Tx) error {
		for _, stmt := range []string{`DELETE FROM controllers WHERE id = ?`, `DELETE FROM door_told WHERE controller = ?`} {
			if _, err := tx.Exec(stmt, id); err != nil {
				return fmt.Errorf("delete controller: %w", err)
			}
		}
		return s.audit(tx, by, "controller.delete", "controller/"+id, nil)
	})
	if err == nil {
		s.controllers.drop(id)
		s.doorsChanged.announce()
	}
	return err
}

// ControllerCursor is how far a controller's records have become events: the last
// record of which there is one, and how many of its events there are.
type ControllerCursor struct {
	Record uint32
	Parts  int
}

// ControllerCursor tells where reading goes on.
func (s *Store) ControllerCursor(ctx context.Context, id string) (ControllerCursor, error) {
	var c ControllerCursor
	found := false
	err := s.query(ctx, "cursor of a controller", `SELECT record, parts FROM controllers WHERE id = ?`, []any{id}, func(r *sql.Rows) error {
		found = true
		return r.Scan(&c.Record, &c.Parts)
	})
	if err == nil && !found {
		return c, fmt.Errorf("controller %s: %w", id, ErrNotFound)
	}
	return c, err
}

// toldFor is how long the names of what was told are kept.
const toldFor = 8 * 24 * time.Hour

// TellOnce commits an event under a name that its controller gave; what has the name
// of something that was told is left out. One caller at a time for each controller.
func (s *Store) TellOnce(ctx context.Context, controller, name string, e *event.Event) error {
	again := false
	err := s.query(ctx, "what a controller told", `SELECT 1 FROM door_told WHERE controller = ? AND id = ?`, []any{controller, name}, func(*sql.Rows) error {
		again = true
		return nil
	})
	if err != nil || again {
		return err
	}
	now := s.now()
	return s.append(ctx, e, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM door_told WHERE at < ?`, millis(now.Add(-toldFor))); err != nil {
			return fmt.Errorf("forget what controllers told: %w", err)
		}
		if _, err := tx.Exec(`INSERT INTO door_told (controller, id, at) VALUES (?,?,?)`, controller, name, millis(now)); err != nil {
			return fmt.Errorf("note what a controller told: %w", err)
		}
		return nil
	})
}

// Tell commits an event that was made of a controller's record together with how far
// it has been read. Events without a record need no cursor; they are appended.
func (s *Store) Tell(ctx context.Context, controller string, to ControllerCursor, e *event.Event) error {
	return s.append(ctx, e, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE controllers SET record = ?, parts = ? WHERE id = ?`, to.Record, to.Parts, controller); err != nil {
			return fmt.Errorf("move the cursor of a controller: %w", err)
		}
		return nil
	})
}

// PassRecord moves the cursor over a record of which there is nothing to tell, and which
// must not be read again.
func (s *Store) PassRecord(ctx context.Context, controller string, to ControllerCursor) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE controllers SET record = ?, parts = ? WHERE id = ?`, to.Record, to.Parts, controller); err != nil {
			return fmt.Errorf("move the cursor of a controller: %w", err)
		}
		return nil
	})
}
