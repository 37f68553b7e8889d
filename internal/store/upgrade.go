package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// UpgradeState is how far the change of a station's security profile is.
type UpgradeState string

// The states of an upgrade. In all but done the profile that the station had before is
// enough: whatever it did with the new one, it is not locked out.
const (
	UpgradeWaiting    UpgradeState = "waiting"    // for the station, or for the end of a session
	UpgradeSetting    UpgradeState = "setting"    // what the station did is not known
	UpgradeRestarting UpgradeState = "restarting" // it took the profile and is to be restarted
	UpgradeReturning  UpgradeState = "returning"  // it was restarted and is to come by the new one
	UpgradeDone       UpgradeState = "done"       // it came by the new one; less is refused
	UpgradeRejected   UpgradeState = "rejected"   // it does not want it
	UpgradeUnfit      UpgradeState = "unfit"      // it does not know the setting
	UpgradeUnanswered UpgradeState = "unanswered" // it never said what it did
	UpgradeFellBack   UpgradeState = "fellBack"   // it took it and came as before
	UpgradeMissing    UpgradeState = "missing"    // it took it and did not come in time
	UpgradeAbandoned  UpgradeState = "abandoned"  // somebody decided otherwise meanwhile
)

// Active reports that something is still to be done.
func (s UpgradeState) Active() bool {
	switch s {
	case UpgradeWaiting, UpgradeSetting, UpgradeRestarting, UpgradeReturning:
		return true
	}
	return false
}

// Told reports that the station may have the new profile: if it comes by it, however
// late, that is what counts from then on.
func (s UpgradeState) Told() bool {
	switch s {
	case UpgradeSetting, UpgradeRestarting, UpgradeReturning, UpgradeUnanswered, UpgradeFellBack, UpgradeMissing:
		return true
	}
	return false
}

// Upgrade is the change of a station's security profile that is under way, or was the
// last. A stored one is never changed in place.
type Upgrade struct {
	Station    string
	State      UpgradeState
	By         Actor
	From, To   int
	URL        string   // 2.x: where the station is to come, without its identity
	Interface  string   // 2.x: by which network
	Without    []string // preconditions that somebody does without
	Slot       int      // 2.x: of the new way; 0: not chosen yet
	Priority   string   // 2.x: the ways of the station before
	StartedAt  time.Time
	SentAt     time.Time
	DueAt      time.Time // nothing is done before; while it is to return: until when
	FinishedAt time.Time
	Attempts   int
	Said       string // the last word of the station
}

func (s *Store) loadUpgrades(ctx context.Context) error {
	all := make(map[string]*Upgrade)
	err := s.query(ctx, "upgrades", `SELECT station, state, by, profile_from, profile_to, url, interface, without, slot, priority, started_at, sent_at,
		due_at, finished_at, attempts, said FROM upgrades`, nil, func(r *sql.Rows) error {
		x := &Upgrade{}
		var without string
		var started, sent, due, finished int64
		err := r.Scan(&x.Station, &x.State, &x.By, &x.From, &x.To, &x.URL, &x.Interface, &without, &x.Slot, &x.Priority, &started, &sent, &due, &finished,
			&x.Attempts, &x.Said)
		x.StartedAt, x.SentAt, x.DueAt, x.FinishedAt = fromMillis(started), fromMillis(sent), fromMillis(due), fromMillis(finished)
		x.Without = strings.Fields(without)
		all[x.Station] = x
		return err
	})
	s.upgrades.load(all)
	return err
}

// Upgrade is the change of a station's security profile that is under way, or was the last.
func (s *Store) Upgrade(station string) (*Upgrade, bool) { return s.upgrades.get(station) }

// Upgrades are all of them, in no order.
func (s *Store) Upgrades() []*Upgrade {
	var out []*Upgrade
	for x := range s.upgrades.all() {
		out = append(out, x)
	}
	return out
}

// BeginUpgrade notes that a station is to use a higher security profile.
func (s *Store) BeginUpgrade(ctx context.Context, by Actor, x Upgrade) (*Upgrade, error) {
	defer s.lock(x.Station).Unlock()
	e, ok := s.stations.get(x.Station)
	if !ok {
		return nil, fmt.Errorf("station %s: %w", x.Station, ErrNotFound)
	}
	if x.To != 2 && x.To != 3 {
		return nil, &InvalidError{"profile", "must be 2 or 3"}
	}
	if x.To <= e.Profile {
		return nil, &InUseError{"the station must use this security profile already"}
	}
	if x.URL != "" {
		at, err := url.Parse(x.URL)
		if err != nil || at.Scheme != "wss" || at.Hostname() == "" || at.User != nil || len(x.URL) > 500 {
			return nil, &InvalidError{"url", "must begin with wss:// and hold no password"}
		}
	}
	if old, ok := s.upgrades.get(x.Station); ok && old.State.Active() {
		return nil, &InUseError{"its security profile is being raised already"}
	}
	x.State, x.By, x.From, x.StartedAt = UpgradeWaiting, by, e.Profile, fromMillis(millis(s.now()))
	x.Slot, x.Priority, x.SentAt, x.DueAt, x.FinishedAt, x.Attempts, x.Said = 0, "", time.Time{}, time.Time{}, time.Time{}, 0, ""
	x.Without = slices.Clone(x.Without)
	return &x, s.putUpgrade(ctx, &x, func(tx *sql.Tx) error {
		return s.audit(tx, by, "station.profile.raise", "station/"+x.Station, map[string]any{"from": x.From, "to": x.To, "without": x.Without})
	})
}

// MoveUpgrade notes how far an upgrade is.
func (s *Store) MoveUpgrade(ctx context.Context, by Actor, station string, change func(*Upgrade)) (*Upgrade, error) {
	defer s.lock(station).Unlock()
	old, ok := s.upgrades.get(station)
	if !ok {
		return nil, fmt.Errorf("upgrade of %s: %w", station, ErrNotFound)
	}
	next := *old
	change(&next)
	var rows []func(*sql.Tx) error
	if old.State.Active() && !next.State.Active() {
		next.FinishedAt = fromMillis(millis(s.now()))
		rows = append(rows, func(tx *sql.Tx) error {
			return s.audit(tx, by, "station.profile."+string(next.State), "station/"+station, map[string]any{"from": next.From, "to": next.To, "said": next.Said})
		})
	}
	return &next, s.putUpgrade(ctx, &next, rows...)
}

// FinishUpgrade makes the new profile the least that the station must use: it came by it.
func (s *Store) FinishUpgrade(ctx context.Context, station string) (*Upgrade, error) {
	defer s.lock(station).Unlock()
	e, known := s.stations.get(station)
	old, ok := s.upgrades.get(station)
	if !known || !ok {
		return nil, fmt.Errorf("upgrade of %s: %w", station, ErrNotFound)
	}
	next, enrolled := *old, *e
	next.State, next.FinishedAt = UpgradeDone, fromMillis(millis(s.now()))
	enrolled.Profile = max(e.Profile, next.To)
	err := s.writeUpgrade(ctx, &next, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE stations SET profile = ? WHERE id = ?`, enrolled.Profile, station); err != nil {
			return fmt.Errorf("write station: %w", err)
		}
		return s.audit(tx, System, "station.profile.done", "station/"+station, map[string]any{"from": next.From, "to": next.To})
	})
	if err == nil {
		s.stations.set(station, &enrolled)
		s.upgrades.set(station, &next)
	}
	return &next, err
}

// putUpgrade commits an upgrade. The caller holds the lock of the station.
func (s *Store) putUpgrade(ctx context.Context, x *Upgrade, rows ...func(*sql.Tx) error) error {
	err := s.writeUpgrade(ctx, x, rows...)
	if err == nil {
		s.upgrades.set(x.Station, x)
	}
	return err
}

func (s *Store) writeUpgrade(ctx context.Context, x *Upgrade, rows ...func(*sql.Tx) error) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT OR REPLACE INTO upgrades (station, state, by, profile_from, profile_to, url, interface, without, slot, priority,
			started_at, sent_at, due_at, finished_at, attempts, said) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, x.Station, string(x.State), string(x.By),
			x.From, x.To, x.URL, x.Interface, strings.Join(x.Without, " "), x.Slot, clip(x.Priority, 200), millis(x.StartedAt), millis(x.SentAt),
			millis(x.DueAt), millis(x.FinishedAt), x.Attempts, clip(x.Said, 200)); err != nil {
			return fmt.Errorf("write upgrade: %w", err)
		}
		for _, row := range rows {
			if err := row(tx); err != nil {
				return err
			}
		}
		return nil
	})
}
