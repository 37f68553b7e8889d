package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// Reservation is a port kept for a token, as last known.
type Reservation struct {
	ID        int
	Station   string
	EVSE      int // zero: any
	TokenID   string
	ExpiresAt time.Time
	Status    string
	CreatedAt time.Time
}

// Reservations returns reservations of a station (empty: all), newest first; one
// past its time reads Expired. after is the number of rows to skip over.
func (s *Store) Reservations(ctx context.Context, station string, skip, limit int) ([]Reservation, error) {
	var out []Reservation
	now := s.now()
	err := s.query(ctx, "reservations", `SELECT reservation_id, station, evse, token_id, expires_at, status, created_at
		FROM reservations WHERE ?1 = '' OR station = ?1 ORDER BY created_at DESC, station, reservation_id LIMIT ?3 OFFSET ?2`,
		[]any{station, skip, limit}, func(r *sql.Rows) error {
			var x Reservation
			var expires, created int64
			err := r.Scan(&x.ID, &x.Station, &x.EVSE, &x.TokenID, &expires, &x.Status, &created)
			x.ExpiresAt, x.CreatedAt = fromMillis(expires), fromMillis(created)
			if x.Status == "Accepted" && !x.ExpiresAt.IsZero() && !now.Before(x.ExpiresAt) {
				x.Status = "Expired"
			}
			out = append(out, x)
			return err
		})
	return out, err
}

// ChargingProfile is a profile that a station accepted and, as far as we know,
// still has.
type ChargingProfile struct {
	ID            int
	EVSE          int
	Purpose       string
	StackLevel    int
	TransactionID string
	Profile       json.RawMessage
	CommandID     string
	AcceptedAt    time.Time
}

// ChargingProfiles returns what a station accepted.
func (s *Store) ChargingProfiles(ctx context.Context, station string) ([]ChargingProfile, error) {
	var out []ChargingProfile
	err := s.query(ctx, "charging profiles", `SELECT profile_id, evse, purpose, stack_level, transaction_id, profile,
		command_id, accepted_at FROM charging_profiles WHERE station = ? ORDER BY evse, purpose, stack_level, profile_id`,
		[]any{station}, func(r *sql.Rows) error {
			var x ChargingProfile
			var profile string
			var at int64
			err := r.Scan(&x.ID, &x.EVSE, &x.Purpose, &x.StackLevel, &x.TransactionID, &profile, &x.CommandID, &at)
			x.Profile, x.AcceptedAt = json.RawMessage(profile), fromMillis(at)
			out = append(out, x)
			return err
		})
	return out, err
}

func (s *Store) stationsWithTxProfile(ctx context.Context) (map[string]bool, error) {
	out := make(map[string]bool)
	err := s.query(ctx, "charging profiles", `SELECT DISTINCT station FROM charging_profiles WHERE purpose = 'TxProfile'`,
		nil, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			out[id] = true
			return err
		})
	return out, err
}

// LocalList is the list of tokens a station keeps. Version is what we sent and
// it accepted, ReportedVersion what it said when asked.
type LocalList struct {
	Version         int
	UpdatedAt       time.Time
	ReportedVersion *int
	ReportedAt      time.Time
	Stale           bool // a token was forgotten here that is still on it
	Entries         []LocalListEntry
}

// LocalListEntry is one token of a list with the information sent along.
type LocalListEntry struct {
	TokenID string
	Info    json.RawMessage
}

// LocalList returns what we know of a station's list; a station that was never
// sent one has version 0.
func (s *Store) LocalList(ctx context.Context, station string) (*LocalList, error) {
	l := &LocalList{}
	err := s.query(ctx, "local list", `SELECT version, updated_at, reported_version, reported_at, stale FROM local_lists
		WHERE station = ?`, []any{station}, func(r *sql.Rows) error {
		var updated, reported int64
		err := r.Scan(&l.Version, &updated, &l.ReportedVersion, &reported, &l.Stale)
		l.UpdatedAt, l.ReportedAt = fromMillis(updated), fromMillis(reported)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, "local list", `SELECT token_id, info FROM local_list_entries WHERE station = ? ORDER BY token_id`,
		[]any{station}, func(r *sql.Rows) error {
			var e LocalListEntry
			var info string
			err := r.Scan(&e.TokenID, &info)
			e.Info = json.RawMessage(info)
			l.Entries = append(l.Entries, e)
			return err
		})
	return l, err
}
