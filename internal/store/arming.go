package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/week"
)

// Arming says when what moves at a site matters: always, never, or by the week. A
// stored one is never changed in place.
type Arming struct {
	SiteID string `json:"-"`
	// Armed holds until Until, or for good, and comes before the schedule.
	Armed *bool     `json:"armed,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Weekly are the times at which it is armed, in the site's time zone.
	Weekly []ArmedHours `json:"weekly,omitempty"`
	By     Actor        `json:"by,omitempty"`
	At     time.Time    `json:"at,omitzero"`
}

// ArmedHours is a time of the week, from a minute of a day on; what ends at or
// before its start ends on the next day.
type ArmedHours struct {
	Days []time.Weekday `json:"days"`
	From int            `json:"from"` // minutes of the day
	To   int            `json:"to"`
}

const maxArmedHours = 50

func (w *ArmedHours) span() week.Span {
	return week.Span{Days: week.On(w.Days...), From: w.From, To: w.To}
}

func (x *Arming) validate() error {
	if len(x.Weekly) > maxArmedHours {
		return &InvalidError{"weekly", fmt.Sprintf("at most %d times", maxArmedHours)}
	}
	for i := range x.Weekly {
		w := &x.Weekly[i]
		for _, d := range w.Days {
			if d < time.Sunday || d > time.Saturday {
				return &InvalidError{fmt.Sprintf("weekly[%d].days", i), "0 (Sunday) to 6"}
			}
		}
		if len(w.Days) > 7 || !w.span().Valid() {
			return &InvalidError{fmt.Sprintf("weekly[%d]", i), "days of the week, and times of a day"}
		}
	}
	return nil
}

// ArmedAt reports whether the site is armed at that time, and whether its calendar
// says so rather than a person.
func (x *Arming) ArmedAt(t time.Time, zone *time.Location) (armed, bySchedule bool) {
	if x == nil {
		return false, false
	}
	if x.decided(t) {
		return *x.Armed, false
	}
	for i := range x.Weekly {
		w := &x.Weekly[i]
		if !w.span().Until(t, zone).IsZero() {
			return true, true
		}
	}
	return false, len(x.Weekly) > 0
}

func (s *Store) loadArming(ctx context.Context) error {
	all := make(map[string]*Arming)
	err := s.query(ctx, "arming", `SELECT site, data FROM arming`, nil, func(r *sql.Rows) error {
		x := &Arming{}
		var data string
		if err := r.Scan(&x.SiteID, &data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), x); err != nil {
			return fmt.Errorf("arming of %s: %w", x.SiteID, err)
		}
		all[x.SiteID] = x
		return nil
	})
	s.arming.load(all)
	return err
}

// Arming returns what was decided for a site.
func (s *Store) Arming(site string) (*Arming, bool) { return s.arming.get(site) }

// Armed reports whether a site is armed now.
func (s *Store) Armed(site string) bool {
	armed, _ := s.ArmedNow(site)
	return armed
}

// ArmedNow is Armed, and whether the calendar says so.
func (s *Store) ArmedNow(site string) (armed, bySchedule bool) {
	x, _ := s.arming.get(site)
	return s.armedAt(x, site, s.now())
}

// GuardedNights are the hours in which a site that is on its guard is armed whatever
// its calendar says.
const (
	GuardedFrom = 22 * 60 // minutes of the day
	GuardedTo   = 6 * 60
)

// Guarded sets who knows which sites are on their guard.
func (s *Store) Guarded(by func(site string) bool) { s.guarded.Store(&by) }

// armedAt is what was decided for a site, and that it is armed by night while it is on
// its guard. What a person decided for now comes before both.
func (s *Store) armedAt(x *Arming, site string, t time.Time) (armed, bySchedule bool) {
	zone := s.ZoneOf(site)
	armed, bySchedule = x.ArmedAt(t, zone)
	if by := s.guarded.Load(); armed || x.decided(t) || by == nil || !(*by)(site) {
		return armed, bySchedule
	}
	nights := week.Span{Days: week.On(time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday), From: GuardedFrom, To: GuardedTo}
	return !nights.Until(t, zone).IsZero(), true
}

// decided reports that a person decided for that time, whatever the week says.
func (x *Arming) decided(t time.Time) bool {
	return x != nil && x.Armed != nil && (x.Until.IsZero() || t.Before(x.Until))
}

// ZoneOf is the site's time zone; UTC if none is known. A plug waits for it, so
// that each is read from its file once.
func (s *Store) ZoneOf(site string) *time.Location {
	x, ok := s.sites.get(site)
	if !ok || x.TimeZone == "" {
		return time.UTC
	}
	if found, ok := s.zones.get(x.TimeZone); ok {
		return found
	}
	found, err := time.LoadLocation(x.TimeZone)
	if err != nil {
		found = time.UTC
	}
	s.zones.set(x.TimeZone, found)
	return found
}

// SetArming decides when a site is armed.
func (s *Store) SetArming(ctx context.Context, by Actor, x Arming, reason string) (*Arming, error) {
	if err := x.validate(); err != nil {
		return nil, err
	}
	defer s.lock("arming/" + x.SiteID).Unlock()
	if _, ok := s.sites.get(x.SiteID); !ok {
		return nil, fmt.Errorf("site %s: %w", x.SiteID, ErrNotFound)
	}
	x.By, x.At = by, fromMillis(millis(s.now()))
	data, err := json.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("encode arming: %w", err)
	}
	armed, scheduled := s.armedAt(&x, x.SiteID, x.At)
	body := &event.Arming{Armed: armed, Schedule: scheduled, Until: x.Until, Reason: reason, By: string(by)}
	err = s.append(ctx, s.event(event.Site(x.SiteID), body), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO arming (site, data) VALUES (?,?) ON CONFLICT (site) DO UPDATE SET data=excluded.data`,
			x.SiteID, string(data)); err != nil {
			return fmt.Errorf("write arming: %w", err)
		}
		return s.audit(tx, by, "site.arming", "site/"+x.SiteID, map[string]any{"armed": armed, "schedule": scheduled, "reason": reason})
	})
	if err != nil {
		return nil, err
	}
	s.arming.set(x.SiteID, &x)
	s.camerasChanged.announce()
	return &x, nil
}
