package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Door is a door, gate, barrier or cabinet door, as people set it up. A stored one is
// never changed in place.
type Door struct {
	ID         string           `json:"-"`
	SiteID     string           `json:"-"`
	Label      string           `json:"label,omitempty"`
	Kind       access.PlaceKind `json:"kind"`
	Controller string           `json:"controller,omitempty"`
	Number     int              `json:"number,omitempty"` // at its controller, from 1
	// CameraID is the camera that sees it, Ports what is behind it: station/ID or
	// station/ID/EVSE.
	CameraID string   `json:"cameraId,omitempty"`
	Ports    []string `json:"ports,omitempty"`
	// Keypad says whether a board asks for codes there; empty: where a policy wants one.
	Keypad Keypad `json:"keypad,omitempty"`
	// TwoPerson is a door that opens for two people, also from afar.
	TwoPerson bool `json:"twoPerson,omitempty"`
	// HeldAfterS is how long it may stand open.
	HeldAfterS int `json:"heldAfterS"`
	// Wiring is what it is made of where its controller is no board.
	Wiring    Wiring    `json:"wiring,omitzero"`
	Simulated bool      `json:"simulated,omitempty"`
	CreatedAt time.Time `json:"-"`
}

// Keypad says whether codes are asked for at a door.
type Keypad string

// The settings of keypads.
const (
	KeypadByPolicy Keypad = ""
	KeypadOn       Keypad = "on"
	KeypadOff      Keypad = "off"
)

// Asks reports whether codes are asked for, given whether a policy wants one.
func (k Keypad) Asks(wanted bool) bool { return k == KeypadOn || k == KeypadByPolicy && wanted }

// Wiring is what a door is made of on a broker, or what it is called at a bridge; see
// the driver.
type Wiring struct {
	Preset  string        `json:"preset,omitempty"`
	Device  string        `json:"device,omitempty"`
	Output  int           `json:"output,omitempty"`
	PulseS  int           `json:"pulseS,omitempty"`
	Command string        `json:"command,omitempty"`
	Unlock  string        `json:"unlock,omitempty"`
	Lock    string        `json:"lock,omitempty"`
	State   string        `json:"state,omitempty"`
	Field   string        `json:"field,omitempty"`
	Online  string        `json:"online,omitempty"`
	Contact WiringContact `json:"contact,omitzero"`
	Forced  bool          `json:"forced,omitempty"`
	Reader  string        `json:"reader,omitempty"`
	SilentS int           `json:"silentS,omitempty"`
}

// WiringContact sees whether a door is open.
type WiringContact struct {
	Preset   string `json:"preset,omitempty"`
	Device   string `json:"device,omitempty"`
	Input    int    `json:"input,omitempty"`
	Topic    string `json:"topic,omitempty"`
	Field    string `json:"field,omitempty"`
	Open     string `json:"open,omitempty"`
	Inverted bool   `json:"inverted,omitempty"`
}

// Name is what people call it.
func (d *Door) Name() string {
	if d.Label != "" {
		return d.Label
	}
	return d.ID
}

// Place is the door as policies know it.
func (d *Door) Place() access.Place {
	return access.Place{ID: event.Door(d.ID).String(), Kind: d.Kind, Site: d.SiteID}
}

func (d *Door) validate() error {
	if err := validID("id", d.ID); err != nil {
		return err
	}
	switch {
	case !readable(d.Label, false) || utf8.RuneCountInString(d.Label) > maxDoorText:
		return &InvalidError{"label", fmt.Sprintf("at most %d printable characters", maxDoorText)}
	case d.Kind == access.EVSE || !slices.Contains(access.PlaceKinds(), d.Kind):
		return &InvalidError{"kind", "door, gate, barrier or cabinet"}
	case d.Controller != "" && (d.Number < 1 || d.Number > doorsOfController):
		return &InvalidError{"number", fmt.Sprintf("which door of its controller it is: 1 to %d", doorsOfController)}
	case d.Keypad != KeypadByPolicy && d.Keypad != KeypadOn && d.Keypad != KeypadOff:
		return &InvalidError{"keypad", "on, off, or as policies want"}
	case d.HeldAfterS < 0 || d.HeldAfterS > maxHeldAfter:
		return &InvalidError{"heldAfterSeconds", "at most a day"}
	case len(d.Ports) > maxDoorPorts:
		return &InvalidError{"evses", fmt.Sprintf("at most %d", maxDoorPorts)}
	}
	for _, port := range d.Ports {
		if s, err := event.ParseSubject(port); err != nil || s.Type != event.StationSubject {
			return &InvalidError{"evses", "station/ID, or station/ID/EVSE"}
		}
	}
	return nil
}

func (s *Store) loadDoors(ctx context.Context) error {
	all := make(map[string]*Door)
	err := s.query(ctx, "doors", `SELECT id, site, data, created_at FROM doors`, nil, func(r *sql.Rows) error {
		d := &Door{}
		var data string
		var created int64
		if err := r.Scan(&d.ID, &d.SiteID, &data, &created); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), d); err != nil {
			return fmt.Errorf("door %s: %w", d.ID, err)
		}
		d.CreatedAt = fromMillis(created)
		all[d.ID] = d
		return nil
	})
	s.doors.load(all)
	return err
}

// Door returns a door.
func (s *Store) Door(id string) (*Door, bool) { return s.doors.get(id) }

// Doors returns all doors by id.
func (s *Store) Doors() []*Door {
	return slices.SortedFunc(s.doors.all(), func(a, b *Door) int { return strings.Compare(a.ID, b.ID) })
}

// DoorAt returns the door with that number at a controller.
func (s *Store) DoorAt(controller string, number int) (*Door, bool) {
	for d := range s.doors.all() {
		if d.Controller == controller && d.Number == number {
			return d, true
		}
	}
	return nil, false
}

// heldAfter is how long a door may stand open if nobody said.
const heldAfter = 60

// CreateDoor adds a door; without an id it is given one.
func (s *Store) CreateDoor(ctx context.Context, by Actor, d Door) (*Door, error) {
	if d.ID == "" {
		d.ID = newID("door-")
	}
	if d.HeldAfterS == 0 {
		d.HeldAfterS = heldAfter
	}
	if err := d.validate(); err != nil {
		return nil, err
	}
	d.CreatedAt = fromMillis(millis(s.now()))
	defer s.lock(d.ID).Unlock()
	if _, ok := s.doors.get(d.ID); ok {
		return nil, fmt.Errorf("door %s: %w", d.ID, ErrExists)
	}
	if s.doors.len() >= MaxDoors {
		return nil, fmt.Errorf("doors: %w", ErrFull)
	}
	return &d, s.putDoor(ctx, by, "door.create", &d)
}

// ChangeDoor changes a door.
func (s *Store) ChangeDoor(ctx context.Context, by Actor, id string, change func(*Door)) (*Door, error) {
	defer s.lock(id).Unlock()
	old, ok := s.doors.get(id)
	if !ok {
		return nil, fmt.Errorf("door %s: %w", id, ErrNotFound)
	}
	next := *old
	next.Ports = slices.Clone(old.Ports)
	change(&next)
	next.ID, next.CreatedAt, next.Simulated = old.ID, old.CreatedAt, old.Simulated
	if err := next.validate(); err != nil {
		return nil, err
	}
	return &next, s.putDoor(ctx, by, "door.change", &next)
}

// putDoor commits a door with its event. The caller holds its lock; two doors at one
// place of a controller are refused under another.
func (s *Store) putDoor(ctx context.Context, by Actor, action string, d *Door) error {
	if _, ok := s.sites.get(d.SiteID); !ok {
		return &InvalidError{"siteId", "no such site"}
	}
	s.wiring.Lock()
	defer s.wiring.Unlock()
	if d.Controller != "" {
		c, ok := s.controllers.get(d.Controller)
		if !ok || c.SiteID != d.SiteID {
			return &InvalidError{"controller", "no such controller at this site"}
		}
		if d.TwoPerson && c.Driver == DriverHTTP {
			return &InvalidError{"twoPerson", "the other system decides by its own rules"}
		}
		if o, taken := s.DoorAt(d.Controller, d.Number); taken && o.ID != d.ID {
			return &InvalidError{"number", fmt.Sprintf("it is %q already", o.Name())}
		}
	}
	if d.CameraID != "" {
		if c, ok := s.cameras.get(d.CameraID); !ok || c.SiteID != d.SiteID {
			return &InvalidError{"cameraId", "no such camera at this site"}
		}
	}
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode door: %w", err)
	}
	body := &event.DoorConfigured{
		SiteID: d.SiteID, Label: d.Label, Place: string(d.Kind), Controller: d.Controller, Number: d.Number, CameraID: d.CameraID,
		Ports: d.Ports, HeldAfterS: d.HeldAfterS, Simulated: d.Simulated, By: string(by),
	}
	err = s.append(ctx, s.event(event.Door(d.ID), body), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO doors (id, site, data, created_at) VALUES (?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET site=excluded.site, data=excluded.data`, d.ID, d.SiteID, string(data), millis(d.CreatedAt)); err != nil {
			return fmt.Errorf("write door: %w", err)
		}
		return s.audit(tx, by, action, "door/"+d.ID, map[string]any{"site": d.SiteID, "kind": d.Kind, "controller": d.Controller, "number": d.Number})
	})
	if err == nil {
		s.doors.set(d.ID, d)
		s.doorsChanged.announce()
	}
	return err
}

// DeleteDoor removes a door that no policy names.
func (s *Store) DeleteDoor(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	if _, ok := s.doors.get(id); !ok {
		return fmt.Errorf("door %s: %w", id, ErrNotFound)
	}
	place := event.Door(id).String()
	err := s.append(ctx, s.event(event.Door(id), &event.DoorRemoved{By: string(by)}), func(tx *sql.Tx) error {
		if err := usedBy(place, placesOf(AccessRows, "places"), placesOf(Lockdowns, "places"), placesOf(Areas, "in"), placesOf(Areas, "out"), placesOf(Airlocks, "doors"))(tx); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM doors WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete door: %w", err)
		}
		return s.audit(tx, by, "door.delete", "door/"+id, nil)
	})
	if err == nil {
		s.doors.drop(id)
		s.doorsChanged.announce()
	}
	return err
}

func placesOf(table AccessTable, field string) string {
	t := string(table)
	return `SELECT ` + t + `.name FROM ` + t + `, json_each(` + t + `.data, '$.` + field + `') AS j WHERE j.value = ? LIMIT 1`
}

// NoteDoorCommand commits what a person wanted a door to do and what came of it, and
// who it was.
func (s *Store) NoteDoorCommand(ctx context.Context, by Actor, door string, c event.DoorCommand) error {
	c.By = string(by)
	return s.append(ctx, s.event(event.Door(door), &c), func(tx *sql.Tx) error {
		return s.audit(tx, by, "door."+c.Command, "door/"+door, map[string]any{"reason": c.Reason, "seconds": c.Seconds, "done": c.Done, "error": c.Error, "approvedBy": c.ApprovedBy})
	})
}
