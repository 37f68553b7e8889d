package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Enrolment is what we know of a station apart from what it does: who let it
// in, how it proves itself, what it is made of. A stored one is never changed
// in place.
type Enrolment struct {
	ID             string
	SiteID         string
	Label          string
	Onboarding     event.Onboarding
	Profile        int    // OCPP security profile, 0 to 3
	CertSubject    string // common name of the client certificate of profile 3; empty: the id
	Layout         []event.EVSELayout
	Simulated      bool
	CommissionedAt time.Time // as people say; zero: the first accepted boot counts
	CreatedAt      time.Time
	Tags           []string  // what people call it; sorted
	PasswordAt     time.Time // when its password was set; zero: not known

	// What a station that waits for approval said of itself.
	Vendor     string
	Model      string
	Serial     string
	Protocol   string
	RemoteAddr string
	SeenAt     time.Time

	password secret
}

// HasPassword reports whether the station must send one.
func (e *Enrolment) HasPassword() bool { return len(e.password.hash) > 0 }

// CheckPassword compares what a station sent in its Basic authentication. The
// form says how it matched: "verbatim", "raw" (the bytes that our hex digits
// mean) or "hex" (the hex digits of our bytes).
func (e *Enrolment) CheckPassword(sent []byte) (form string, ok bool) { return e.password.check(sent) }

// NewStation is a wish to enrol.
type NewStation struct {
	ID             string
	SiteID         string
	Label          string
	Auth           Auth
	Layout         []event.EVSELayout
	Simulated      bool
	CommissionedAt time.Time
}

// Auth is how a station shall prove itself. Password and Generate exclude each
// other.
type Auth struct {
	Profile     int
	Password    string
	Generate    bool
	CertSubject string
}

func (s *Store) loadStations(ctx context.Context) error {
	all := make(map[string]*Enrolment)
	err := s.query(ctx, "stations", `SELECT id, site_id, label, onboarding, profile, password_salt, password_hash,
		password_raw, cert_subject, layout, simulated, commissioned_at, created_at, vendor, model, serial, protocol,
		remote_addr, seen_at, tags, password_at FROM stations`, nil, func(r *sql.Rows) error {
		e := &Enrolment{}
		var layout, tags string
		var commissioned, created, seen, passwordAt int64
		err := r.Scan(&e.ID, &e.SiteID, &e.Label, &e.Onboarding, &e.Profile, &e.password.salt, &e.password.hash,
			&e.password.raw, &e.CertSubject, &layout, &e.Simulated, &commissioned, &created, &e.Vendor, &e.Model,
			&e.Serial, &e.Protocol, &e.RemoteAddr, &seen, &tags, &passwordAt)
		if err != nil {
			return err
		}
		if layout != "" {
			if err := json.Unmarshal([]byte(layout), &e.Layout); err != nil {
				return fmt.Errorf("layout of %s: %w", e.ID, err)
			}
		}
		if tags != "" {
			if err := json.Unmarshal([]byte(tags), &e.Tags); err != nil {
				return fmt.Errorf("tags of %s: %w", e.ID, err)
			}
		}
		e.CommissionedAt, e.CreatedAt, e.SeenAt = fromMillis(commissioned), fromMillis(created), fromMillis(seen)
		e.PasswordAt = fromMillis(passwordAt)
		if e.Onboarding == event.OnboardingPending {
			s.pending++
		}
		all[e.ID] = e
		return nil
	})
	s.stations.load(all)
	return err
}

// Station returns the enrolment of an identity, from memory.
func (s *Store) Station(id string) (*Enrolment, bool) { return s.stations.get(id) }

// Stations returns all enrolments by id.
func (s *Store) Stations() []*Enrolment {
	return slices.SortedFunc(s.stations.all(), func(a, b *Enrolment) int { return strings.Compare(a.ID, b.ID) })
}

// Simulated counts simulated stations and the sites that they stand on.
func (s *Store) Simulated() (stations, sites int) {
	on := make(map[string]bool)
	for e := range s.stations.all() {
		if !e.Simulated {
			continue
		}
		stations++
		if e.SiteID != "" {
			on[e.SiteID] = true
		}
	}
	return stations, len(on)
}

// StationsOf returns the enrolments of a site by id.
func (s *Store) StationsOf(site string) []*Enrolment {
	return slices.DeleteFunc(s.Stations(), func(e *Enrolment) bool { return e.SiteID != site })
}

// EnrolStation lets a station in. The password is returned when it was
// generated; it cannot be read again.
func (s *Store) EnrolStation(ctx context.Context, by Actor, n NewStation) (*Enrolment, string, error) {
	if err := validID("id", n.ID); err != nil {
		return nil, "", err
	}
	e := &Enrolment{
		ID: n.ID, SiteID: n.SiteID, Label: n.Label, Onboarding: event.OnboardingAccepted, Layout: n.Layout,
		Simulated: n.Simulated, CommissionedAt: n.CommissionedAt, CreatedAt: fromMillis(millis(s.now())),
	}
	password, err := e.setAuth(n.Auth)
	if err != nil {
		return nil, "", err
	}
	if e.HasPassword() {
		e.PasswordAt = e.CreatedAt
	}
	if err := validLayout(e.Layout); err != nil {
		return nil, "", err
	}
	defer s.lock(n.ID).Unlock()
	if old, ok := s.stations.get(n.ID); ok && old.Onboarding == event.OnboardingAccepted {
		return nil, "", fmt.Errorf("station %s: %w", n.ID, ErrExists)
	} else if ok { // enrolling a waiting station approves it with what people say
		e.Vendor, e.Model, e.Serial, e.Protocol = old.Vendor, old.Model, old.Serial, old.Protocol
		e.RemoteAddr, e.SeenAt = old.RemoteAddr, old.SeenAt
	}
	if err := s.putStation(ctx, by, "station.enrol", e); err != nil {
		return nil, "", err
	}
	return e, password, nil
}

// StationChange is what PATCH may change; nil leaves as it is.
type StationChange struct {
	SiteID         *string
	Label          *string
	Auth           *Auth
	Layout         *[]event.EVSELayout
	Onboarding     *event.Onboarding
	CommissionedAt *time.Time
	Tags           *[]string
}

// ChangeStation changes an enrolment; a generated password is returned once.
func (s *Store) ChangeStation(ctx context.Context, by Actor, id string, c StationChange) (*Enrolment, string, error) {
	defer s.lock(id).Unlock()
	old, ok := s.stations.get(id)
	if !ok {
		return nil, "", fmt.Errorf("station %s: %w", id, ErrNotFound)
	}
	next, password := *old, ""
	if c.SiteID != nil {
		next.SiteID = *c.SiteID
	}
	if c.Label != nil {
		next.Label = *c.Label
	}
	if c.CommissionedAt != nil {
		next.CommissionedAt = *c.CommissionedAt
	}
	if c.Onboarding != nil {
		next.Onboarding = *c.Onboarding
	}
	if c.Layout != nil {
		next.Layout = *c.Layout
		if err := validLayout(next.Layout); err != nil {
			return nil, "", err
		}
	}
	if c.Tags != nil {
		var err error
		if next.Tags, err = cleanTags("tags", *c.Tags); err != nil {
			return nil, "", err
		}
	}
	if c.Auth != nil {
		var err error
		if password, err = next.setAuth(*c.Auth); err != nil {
			return nil, "", err
		}
		if !bytes.Equal(next.password.hash, old.password.hash) {
			next.PasswordAt = fromMillis(millis(s.now()))
		}
	}
	action := "station.update"
	if old.Onboarding != next.Onboarding {
		action = "station." + map[event.Onboarding]string{
			event.OnboardingAccepted: "approve", event.OnboardingRejected: "reject", event.OnboardingPending: "suspend",
		}[next.Onboarding]
	}
	if err := s.putStation(ctx, by, action, &next); err != nil {
		return nil, "", err
	}
	return &next, password, nil
}

// ApproveStation accepts a station that waits, at a site.
func (s *Store) ApproveStation(ctx context.Context, by Actor, id string, site *string) (*Enrolment, error) {
	e, _, err := s.ChangeStation(ctx, by, id, StationChange{Onboarding: new(event.OnboardingAccepted), SiteID: site})
	return e, err
}

// RemoveStation ends an enrolment with its local list, reservations, profiles,
// settings, certificates and notes; its history stays.
func (s *Store) RemoveStation(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	old, ok := s.stations.get(id)
	if !ok {
		return fmt.Errorf("station %s: %w", id, ErrNotFound)
	}
	return s.removeStation(ctx, by, old)
}

func (s *Store) removeStation(ctx context.Context, by Actor, old *Enrolment) error {
	e := s.event(event.Station(old.ID), &event.StationRemoved{By: string(by)})
	err := s.append(ctx, e, func(tx *sql.Tx) error {
		for _, text := range []string{
			`DELETE FROM local_list_entries WHERE station = ?`, `DELETE FROM local_lists WHERE station = ?`, `DELETE FROM kept_lists WHERE station = ?`,
			`DELETE FROM reservations WHERE station = ?`, `DELETE FROM charging_profiles WHERE station = ?`,
			`DELETE FROM configuration WHERE station = ?`,
			`DELETE FROM certificates WHERE station = ?`, `DELETE FROM certificate_lists WHERE station = ?`,
			`DELETE FROM rotations WHERE station = ?`, `DELETE FROM renewals WHERE station = ?`, `DELETE FROM upgrades WHERE station = ?`,

			`DELETE FROM notes WHERE station = ?`, `DELETE FROM stations WHERE id = ?`,
		} {
			if _, err := tx.Exec(text, old.ID); err != nil {
				return fmt.Errorf("remove station: %w", err)
			}
		}
		if err := dropRelay(tx, event.Station(old.ID)); err != nil {
			return err
		}
		return s.audit(tx, by, "station.remove", "station/"+old.ID, nil)
	})
	if err != nil {
		return err
	}
	s.stations.drop(old.ID)
	s.relays.drop(event.Station(old.ID).String())
	s.rotations.drop(old.ID)
	s.renewals.drop(old.ID)
	s.upgrades.drop(old.ID)
	if old.Onboarding == event.OnboardingPending {
		s.countPending(-1)
	}
	return nil
}

// reconfigure tells the fleet again what is decided about a station.
func (s *Store) reconfigure(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	e, ok := s.stations.get(id)
	if !ok {
		return nil
	}
	return s.append(ctx, s.event(event.Station(id), s.configured(by, e)), nil)
}

func (s *Store) configured(by Actor, e *Enrolment) *event.StationConfigured {
	return &event.StationConfigured{
		SiteID: e.SiteID, Label: e.Label, Onboarding: e.Onboarding, Simulated: e.Simulated,
		FreeVend: s.FreeVend(e.SiteID), Layout: e.Layout, By: string(by),
	}
}

// Reconcile tells the fleet what it does not know yet: an entity changed whose
// event a stop prevented.
func (s *Store) Reconcile(ctx context.Context, snap *fleet.Snapshot) error {
	for e := range s.stations.all() {
		st, ok := snap.Station(e.ID)
		if ok && st.SiteID == e.SiteID && st.Onboarding == e.Onboarding && st.FreeVend == s.FreeVend(e.SiteID) {
			continue
		}
		if err := s.reconfigure(ctx, System, e.ID); err != nil {
			return fmt.Errorf("reconcile station %s: %w", e.ID, err)
		}
	}
	return nil
}

// putStation commits an enrolment with its event. The caller holds its lock.
func (s *Store) putStation(ctx context.Context, by Actor, action string, e *Enrolment) error {
	if _, known := s.stations.get(e.ID); !known && s.stations.len() >= MaxStations {
		return fmt.Errorf("stations: %w", ErrFull)
	}
	if e.SiteID != "" {
		if _, ok := s.sites.get(e.SiteID); !ok {
			return &InvalidError{"siteId", "no such site"}
		}
	}
	layout := ""
	if len(e.Layout) > 0 {
		data, err := json.Marshal(e.Layout)
		if err != nil {
			return fmt.Errorf("encode layout: %w", err)
		}
		layout = string(data)
	}
	tags, err := encodeTags(e.Tags)
	if err != nil {
		return err
	}
	old, had := s.stations.get(e.ID)
	decided := had && !bytes.Equal(old.password.hash, e.password.hash)
	ev := s.event(event.Station(e.ID), s.configured(by, e))
	err = s.append(ctx, ev, func(tx *sql.Tx) error {
		if e.SiteID != "" {
			var one int
			if err := tx.QueryRow(`SELECT 1 FROM sites WHERE id = ?`, e.SiteID).Scan(&one); err != nil {
				return fmt.Errorf("site %s: %w", e.SiteID, err)
			}
		}
		_, err := tx.Exec(`INSERT OR REPLACE INTO stations (id, site_id, label, onboarding, profile, password_salt,
			password_hash, password_raw, cert_subject, layout, simulated, commissioned_at, created_at, vendor, model,
			serial, protocol, remote_addr, seen_at, tags, password_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			e.ID, e.SiteID, e.Label, string(e.Onboarding), e.Profile, e.password.salt, e.password.hash, e.password.raw,
			e.CertSubject, layout, e.Simulated, millis(e.CommissionedAt), millis(e.CreatedAt), e.Vendor, e.Model,
			e.Serial, e.Protocol, e.RemoteAddr, millis(e.SeenAt), tags, millis(e.PasswordAt))
		if err != nil {
			return fmt.Errorf("write station: %w", err)
		}
		if decided { // a password that somebody chose is the only one
			if _, err := tx.Exec(`DELETE FROM rotations WHERE station = ?`, e.ID); err != nil {
				return fmt.Errorf("end rotation: %w", err)
			}
		}
		return s.audit(tx, by, action, "station/"+e.ID, map[string]any{"siteId": e.SiteID, "profile": e.Profile})
	})
	if err != nil {
		return err
	}
	s.stations.set(e.ID, e)
	if decided {
		s.rotations.drop(e.ID)
	}
	delta := 0
	if e.Onboarding == event.OnboardingPending {
		delta++
	}
	if had && old.Onboarding == event.OnboardingPending {
		delta--
	}
	s.countPending(delta)
	return nil
}

// setAuth applies how a station proves itself and returns a generated password.
func (e *Enrolment) setAuth(a Auth) (string, error) {
	if a.Profile < 0 || a.Profile > 3 {
		return "", &InvalidError{"auth.profile", "must be 0, 1, 2 or 3"}
	}
	if a.Generate && a.Password != "" {
		return "", &InvalidError{"auth.generate", "give a password or let one be generated, not both"}
	}
	e.Profile, e.CertSubject = a.Profile, a.CertSubject
	password := a.Password
	switch {
	case a.Generate:
		// 20 bytes written as 40 hex digits suit AuthorizationKey of 1.6 and
		// BasicAuthPassword of 2.x alike.
		raw := make([]byte, 20)
		rand.Read(raw) //nolint:errcheck // documented never to fail
		password = hex.EncodeToString(raw)
	case password == "" && (a.Profile == 1 || a.Profile == 2):
		if !e.HasPassword() {
			return "", &InvalidError{"auth.password", "security profiles 1 and 2 need a password"}
		}
		return "", nil
	case password == "":
		e.password = secret{}
		return "", nil
	case len(password) < 8 || len(password) > 64:
		return "", &InvalidError{"auth.password", "must have 8 to 64 characters"}
	}
	e.password = newSecret(password)
	if a.Generate {
		return password, nil
	}
	return "", nil
}

func validLayout(layout []event.EVSELayout) error {
	if len(layout) > 64 {
		return &InvalidError{"evses", "at most 64"}
	}
	seen := make(map[int]bool)
	for i, l := range layout {
		path := fmt.Sprintf("evses[%d]", i)
		switch {
		case l.EVSE < 1:
			return &InvalidError{path + ".id", "must be 1 or more"}
		case seen[l.EVSE]:
			return &InvalidError{path + ".id", "used twice"}
		case l.RatedW < 0 || l.GroupW < 0:
			return &InvalidError{path, "power must not be negative"}
		case l.Current != "" && l.Current != "AC" && l.Current != "DC":
			return &InvalidError{path + ".current", "must be AC or DC"}
		}
		seen[l.EVSE] = true
	}
	return nil
}
