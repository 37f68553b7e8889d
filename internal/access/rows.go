package access

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/week"
)

// Action is what somebody wants to do at a place.
type Action string

// Actions. Whoever opens from afar needs a right of the interface instead.
const (
	Enter  Action = "enter"
	Charge Action = "charge"
)

// PlaceKind is what a place is.
type PlaceKind string

// Kinds of places.
const (
	Door    PlaceKind = "door"
	Gate    PlaceKind = "gate"
	Barrier PlaceKind = "barrier"
	Cabinet PlaceKind = "cabinet"
	EVSE    PlaceKind = "evse"
)

// PlaceKinds lists all of them.
func PlaceKinds() []PlaceKind { return []PlaceKind{Door, Gate, Barrier, Cabinet, EVSE} }

// Place is where somebody wants in or to charge.
type Place struct {
	ID     string // a door's, or the subject of an EVSE
	Kind   PlaceKind
	Site   string // empty: at no site
	Within string // the place it is part of, such as the station of an EVSE; empty: none
}

// Person is somebody with credentials. Who it is stands elsewhere: here are only
// opaque ids.
type Person struct {
	ID        string    `json:"-"`
	Company   string    `json:"company,omitempty"`
	Groups    []string  `json:"groups,omitempty"`
	Suspended bool      `json:"suspended,omitempty"`
	Until     time.Time `json:"until,omitzero"` // from then on the person may nothing; zero: never
}

// Principal is whom a row is about: one of the fields is set.
type Principal struct {
	Person     string `json:"person,omitempty"`
	Group      string `json:"group,omitempty"`
	Company    string `json:"company,omitempty"`
	Credential string `json:"credential,omitempty"`
	Anyone     bool   `json:"anyone,omitempty"` // who shows a credential that is valid
}

// OnHoliday says what a schedule is on a day off.
type OnHoliday string

// What a schedule is on a day off.
const (
	Closed   OnHoliday = "closed"
	AsSunday OnHoliday = "sunday"
	AsUsual  OnHoliday = "usual"
)

// Schedule is when a row holds, by the clock of the site.
type Schedule struct {
	ID        string      `json:"-"`
	Name      string      `json:"name"`
	Open      []week.Span `json:"open"`
	Calendar  string      `json:"calendar,omitempty"` // of days off; empty: none
	OnHoliday OnHoliday   `json:"onHoliday,omitempty"`
}

// Calendar is a list of days off.
type Calendar struct {
	ID   string
	Days map[Date]string // with their names
}

// Date is a day of a calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day that a clock shows.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// Row permits: these may do this at those places, when the schedule says so.
type Row struct {
	ID       string      `json:"-"`
	Name     string      `json:"name"`
	To       []Principal `json:"to"`
	Kinds    []PlaceKind `json:"kinds,omitempty"`    // of places; none and no Places: all but EVSEs
	Places   []string    `json:"places,omitempty"`   // by name, of any kind
	Sites    []string    `json:"sites,omitempty"`    // none: at every site
	Schedule string      `json:"schedule,omitempty"` // none: always
	From     time.Time   `json:"from,omitzero"`
	Until    time.Time   `json:"until,omitzero"` // zero: for good
	PIN      bool        `json:"pin,omitempty"`  // a code is wanted beside the credential
}

// Scenario is a lockdown: while it is active nobody enters its places but those
// it leaves out. It never keeps anybody in: ways out are no places.
type Scenario struct {
	ID     string      `json:"-"`
	Name   string      `json:"name"`
	Kinds  []PlaceKind `json:"kinds,omitempty"` // none and no Places: all but EVSEs
	Places []string    `json:"places,omitempty"`
	Sites  []string    `json:"sites,omitempty"` // none: at every site
	Except []Principal `json:"except,omitempty"`
	Active bool        `json:"active,omitempty"`
}

// Written is a policy that people wrote in Cedar. It can only forbid.
type Written struct {
	ID    string   `json:"-"`
	Name  string   `json:"name"`
	Text  string   `json:"text"`
	Sites []string `json:"sites,omitempty"` // none: at every site
}

// Rows are all that people decided about places. What is made of them is never changed.
type Rows struct {
	Schedules []Schedule
	Calendars []Calendar
	Rows      []Row
	Scenarios []Scenario
	Areas     []Area
	Airlocks  []Airlock
	Written   []Written
}

// about reports whether kinds, places and sites name a place.
func about(kinds []PlaceKind, places, sites []string, p Place) bool {
	if len(sites) > 0 && !slices.Contains(sites, p.Site) {
		return false
	}
	if len(kinds) == 0 && len(places) == 0 {
		return p.Kind != EVSE
	}
	return slices.Contains(kinds, p.Kind) || slices.Contains(places, p.ID) || p.Within != "" && slices.Contains(places, p.Within)
}

// names reports whether a list of principals names who holds a credential.
func names(list []Principal, c *Credential, p *Person) bool {
	return slices.ContainsFunc(list, func(x Principal) bool {
		switch {
		case x.Anyone:
			return true
		case x.Credential != "":
			return x.Credential == c.ID
		case p == nil:
			return false
		case x.Person != "":
			return x.Person == p.ID
		case x.Company != "":
			return x.Company == p.Company
		}
		return x.Group != "" && slices.Contains(p.Groups, x.Group)
	})
}

// open reports whether a schedule holds by a clock at its place, and whether a day
// off is why not. A night belongs to the day it begins on.
func (s *Schedule) open(local time.Time, c *Calendar) (holds, off bool) {
	minute := local.Hour()*60 + local.Minute()
	begun := func(span week.Span, day time.Time) {
		free := c.off(day)
		usual := span.Days.Has(day.Weekday())
		switch {
		case !free || s.OnHoliday == AsUsual:
			holds = holds || usual
		case s.OnHoliday == AsSunday:
			holds = holds || span.Days.Has(time.Sunday)
		}
		off = off || free && usual
	}
	for _, span := range s.Open {
		overnight := span.To <= span.From
		if minute >= span.From && (overnight || minute < span.To) {
			begun(span, local)
		}
		if overnight && minute < span.To {
			begun(span, local.AddDate(0, 0, -1))
		}
	}
	return holds, off && !holds
}

// off reports whether a day is one off.
func (c *Calendar) off(day time.Time) bool {
	if c == nil {
		return false
	}
	_, is := c.Days[DateOf(day)]
	return is
}
