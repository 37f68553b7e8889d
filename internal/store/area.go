package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Area is a part of a site whose doors say who is inside.
type Area struct {
	access.Area
	ChangedAt time.Time `json:"-"`
}

// Airlock is a group of doors of which only one opens at a time.
type Airlock struct {
	access.Airlock
	// WayOut is set where people said that the way out needs no button of the board, which
	// a board that keeps the airlock by itself turns off while another door is open.
	WayOut    bool      `json:"wayOut,omitempty"`
	ChangedAt time.Time `json:"-"`
}

func kindArea() entry    { return entry{Areas, "aa-", "area"} }
func kindAirlock() entry { return entry{Airlocks, "al-", "airlock"} }

// Bounds of areas.
const (
	maxAreaDoors    = 50
	maxAirlockDoors = 4
	maxForgetH      = 168
)

// Areas lists areas by name.
func (s *Store) Areas(ctx context.Context) ([]Area, error) {
	return documents[Area](ctx, s, string(Areas), func(x *Area, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// Airlocks lists airlocks by name.
func (s *Store) Airlocks(ctx context.Context) ([]Airlock, error) {
	return documents[Airlock](ctx, s, string(Airlocks), func(x *Airlock, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// doorsAt looks whether places are doors of a site that somebody moves.
func (s *Store) doorsAt(site, field string, places []string) error {
	for i, p := range places {
		at := fmt.Sprintf("%s[%d]", field, i)
		d, ok := s.doors.get(strings.TrimPrefix(p, string(event.DoorSubject)+"/"))
		switch {
		case !ok || d.Place().ID != p || d.SiteID != site:
			return &InvalidError{at, "a door of the site, as door/ID"}
		case d.Controller == "":
			return &InvalidError{at, "no controller moves this door"}
		case slices.Contains(places[:i], p):
			return &InvalidError{at, "named twice"}
		}
	}
	return nil
}

// SaveArea adds an area (id empty) or changes one.
func (s *Store) SaveArea(ctx context.Context, by Actor, x Area) (_ *Area, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	if _, ok := s.sites.get(x.Site); !ok {
		return nil, &InvalidError{"siteId", "no such site"}
	}
	switch {
	case len(x.In) == 0:
		return nil, &InvalidError{"in", "at least one door"}
	case len(x.In)+len(x.Out) > maxAreaDoors:
		return nil, &InvalidError{"in", fmt.Sprintf("at most %d doors", maxAreaDoors)}
	case x.Mode != access.PassbackSoft && x.Mode != access.PassbackHard:
		return nil, &InvalidError{"mode", "soft or hard"}
	case x.ForgetH < 0 || x.ForgetH > maxForgetH:
		return nil, &InvalidError{"forgetAfterHours", "at most a week"}
	case x.Board && x.Mode != access.PassbackHard:
		return nil, &InvalidError{"board", "a board lets nobody in: hard"}
	}
	if err := s.doorsAt(x.Site, "in", x.In); err != nil {
		return nil, err
	}
	if err := s.doorsAt(x.Site, "out", x.Out); err != nil {
		return nil, err
	}
	for i, p := range x.Out {
		if slices.Contains(x.In, p) {
			return nil, &InvalidError{fmt.Sprintf("out[%d]", i), "a way in; a reader inside of it is a way out anyway"}
		}
	}
	if x.Board {
		err = s.boardKeeps(ctx, slices.Concat(x.In, x.Out), func(rows *access.Rows) {
			rows.Areas = slices.DeleteFunc(rows.Areas, func(o access.Area) bool { return o.ID == x.ID })
			rows.Areas = append(rows.Areas, x.Area)
		})
		if err != nil {
			return nil, err
		}
	}
	x.ChangedAt, err = s.saveEntry(ctx, by, kindArea(), &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	s.doorsChanged.announce()
	return &x, nil
}

// DeleteArea removes an area; who was inside is inside of nothing.
func (s *Store) DeleteArea(ctx context.Context, by Actor, id string) error {
	err := s.dropEntry(ctx, by, kindArea(), id, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM area_pardons WHERE area = ?`, id)
		return err
	})
	if err == nil {
		s.doorsChanged.announce()
	}
	return err
}

// SaveAirlock adds an airlock (id empty) or changes one.
func (s *Store) SaveAirlock(ctx context.Context, by Actor, x Airlock) (_ *Airlock, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	if _, ok := s.sites.get(x.Site); !ok {
		return nil, &InvalidError{"siteId", "no such site"}
	}
	switch {
	case len(x.Doors) < 2 || len(x.Doors) > maxAirlockDoors:
		return nil, &InvalidError{"doors", "two to four doors"}
	case x.Board && !x.WayOut:
		return nil, &InvalidError{"wayOut", "a board turns off its buttons inside while another door is open: say that the way out needs none"}
	}
	if err := s.doorsAt(x.Site, "doors", x.Doors); err != nil {
		return nil, err
	}
	for i, p := range x.Doors {
		d, _ := s.doors.get(strings.TrimPrefix(p, string(event.DoorSubject)+"/"))
		if c, ok := s.controllers.get(d.Controller); ok && c.Driver == DriverHTTP {
			return nil, &InvalidError{fmt.Sprintf("doors[%d]", i), "the other system decides by its own rules"}
		}
	}
	if x.Board {
		err = s.boardKeeps(ctx, x.Doors, func(rows *access.Rows) {
			rows.Airlocks = slices.DeleteFunc(rows.Airlocks, func(o access.Airlock) bool { return o.ID == x.ID })
			rows.Airlocks = append(rows.Airlocks, x.Airlock)
		})
		if err != nil {
			return nil, err
		}
	}
	x.ChangedAt, err = s.saveEntry(ctx, by, kindAirlock(), &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	s.doorsChanged.announce()
	return &x, nil
}

// DeleteAirlock removes an airlock.
func (s *Store) DeleteAirlock(ctx context.Context, by Actor, id string) error {
	err := s.dropEntry(ctx, by, kindAirlock(), id, nil)
	if err == nil {
		s.doorsChanged.announce()
	}
	return err
}

// boardKeeps refuses what the board of some doors knows no form for.
func (s *Store) boardKeeps(ctx context.Context, places []string, with func(*access.Rows)) error {
	d, _ := s.doors.get(strings.TrimPrefix(places[0], string(event.DoorSubject)+"/"))
	if c, ok := s.controllers.get(d.Controller); !ok || c.Driver != DriverUHPPOTE {
		return &InvalidError{"board", "the doors are not at a board"}
	}
	rows, err := readAccess(ctx, s.db.Reader())
	if err != nil {
		return err
	}
	with(&rows)
	book, err := access.Compile(rows)
	if err != nil {
		return &InvalidError{"", err.Error()}
	}
	if _, whole := book.BoardRules(s.BoardPlaces(d.Controller)); !whole {
		return &InvalidError{"board", "the board knows no such form: all doors at one board, of areas 1 and 2, 3 and 4, 1 3 and 2 4, 1 and 2 3, 1 and 2 3 4, of airlocks 1 2, 3 4, 1 2 3, 1 2 3 4"}
	}
	return nil
}

// BoardPlaces are the doors of a board by their numbers.
func (s *Store) BoardPlaces(controller string) (out [access.ListDoors]access.Place) {
	for d := range s.doors.all() {
		if d.Controller == controller && d.Number >= 1 && d.Number <= access.ListDoors {
			out[d.Number-1] = d.Place()
		}
	}
	return out
}

// AreaPardon says since when somebody, or everybody, is not thought to be inside any more.
type AreaPardon struct {
	Area, Who string
	At        time.Time
}

const maxPardonReason = 500

// Pardon notes that somebody is not inside of areas any more, or nobody is (who empty).
func (s *Store) Pardon(ctx context.Context, by Actor, areas []string, who, reason string) (time.Time, error) {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 3 || n > maxPardonReason || !readable(reason, true) {
		return time.Time{}, &InvalidError{"reason", "3 to 500 printable characters"}
	}
	at := fromMillis(millis(s.now()))
	return at, s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, id := range areas {
			if ok, err := exists(tx, Areas, id); err != nil || !ok {
				return fmt.Errorf("area %s: %w", id, ErrNotFound)
			}
			if _, err := tx.Exec(`INSERT INTO area_pardons (area, who, at) VALUES (?,?,?) ON CONFLICT (area, who) DO UPDATE SET at = excluded.at`, id, who, millis(at)); err != nil {
				return fmt.Errorf("write pardon: %w", err)
			}
			if err := s.audit(tx, by, "area.pardon", "area/"+id, map[string]any{"who": who, "reason": reason}); err != nil {
				return err
			}
		}
		// What is older than anybody is thought to be inside says nothing.
		_, err := tx.Exec(`DELETE FROM area_pardons WHERE at < ?`, millis(at.Add(-maxForgetH*time.Hour)))
		return err
	})
}

// Pardons are all that still say something.
func (s *Store) Pardons(ctx context.Context) ([]AreaPardon, error) {
	var out []AreaPardon
	err := s.query(ctx, "pardons", `SELECT area, who, at FROM area_pardons`, nil, func(r *sql.Rows) error {
		var x AreaPardon
		var at int64
		err := r.Scan(&x.Area, &x.Who, &at)
		x.At = fromMillis(at)
		out = append(out, x)
		return err
	})
	return out, err
}
