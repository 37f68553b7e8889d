package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"
)

// RotationState is how far the change of a station's password is.
type RotationState string

// The states of a rotation. While it waits, was sent, was accepted or needs a restart,
// and when the station kept the old one, both passwords count: whoever of us is wrong
// about what the station did, it is not locked out.
const (
	RotationWaiting   RotationState = "waiting"   // for the station, or for the end of a session
	RotationSent      RotationState = "sent"      // what the station did is not known
	RotationAccepted  RotationState = "accepted"  // the station is to come again with it
	RotationReboot    RotationState = "reboot"    // the station uses it after a restart
	RotationDone      RotationState = "done"      // the station came with it; the old one is refused
	RotationRejected  RotationState = "rejected"  // only the old one counts
	RotationKept      RotationState = "kept"      // the station accepted it and goes on with the old one, or never said
	RotationUnfit     RotationState = "unfit"     // the station does not know the setting
	RotationAbandoned RotationState = "abandoned" // somebody decided otherwise meanwhile
)

// Active reports that something is still to be done.
func (s RotationState) Active() bool {
	switch s {
	case RotationWaiting, RotationSent, RotationAccepted, RotationReboot:
		return true
	}
	return false
}

// Rotation is the change of a station's password that is under way, or was the last.
// A stored one is never changed in place.
type Rotation struct {
	Station    string
	State      RotationState
	By         Actor
	StartedAt  time.Time
	SentAt     time.Time
	FinishedAt time.Time
	Attempts   int
	Doubt      bool   // an answer never came: the station may have taken it
	Said       string // the last word of the station

	secret secret // of the new password while both count, else of the one before
	sealed []byte
}

// Both reports that the new password counts beside the old one.
func (r *Rotation) Both() bool { return r != nil && len(r.sealed) > 0 && len(r.secret.hash) > 0 }

func rotationPlace(station string) string { return "station/" + station + "/password" }

func (s *Store) loadRotations(ctx context.Context) error {
	all := make(map[string]*Rotation)
	err := s.query(ctx, "rotations", `SELECT station, state, by, started_at, sent_at, finished_at, attempts, doubt, said, salt, hash, raw, sealed
		FROM rotations`, nil, func(r *sql.Rows) error {
		x := &Rotation{}
		var started, sent, finished int64
		err := r.Scan(&x.Station, &x.State, &x.By, &started, &sent, &finished, &x.Attempts, &x.Doubt, &x.Said,
			&x.secret.salt, &x.secret.hash, &x.secret.raw, &x.sealed)
		x.StartedAt, x.SentAt, x.FinishedAt = fromMillis(started), fromMillis(sent), fromMillis(finished)
		all[x.Station] = x
		return err
	})
	s.rotations.load(all)
	return err
}

// Rotation is the change of a station's password that is under way, or was the last.
func (s *Store) Rotation(station string) (*Rotation, bool) { return s.rotations.get(station) }

// Rotations are all of them, in no order.
func (s *Store) Rotations() []*Rotation {
	var out []*Rotation
	for x := range s.rotations.all() {
		out = append(out, x)
	}
	return out
}

// Password is what a password that a station sent is.
type Password string

// What a password can be.
const (
	PasswordWrong   Password = ""
	PasswordCurrent Password = "current"
	PasswordNext    Password = "next"   // of a rotation that is under way
	PasswordBefore  Password = "before" // the last rotation; refused
)

// WhichPassword says what a password is that a station sent.
func (s *Store) WhichPassword(e *Enrolment, sent []byte) Password {
	which := s.whichPassword(e, sent)
	if now, ok := s.stations.get(e.ID); ok && now != e && (which == PasswordWrong || which == PasswordBefore) {
		return s.whichPassword(now, sent) // it was changed meanwhile
	}
	return which
}

func (s *Store) whichPassword(e *Enrolment, sent []byte) Password {
	if _, ok := e.password.check(sent); ok {
		return PasswordCurrent
	}
	r, ok := s.rotations.get(e.ID)
	if !ok {
		return PasswordWrong
	}
	if _, ok := r.secret.check(sent); !ok {
		return PasswordWrong
	}
	if r.Both() {
		return PasswordNext
	}
	return PasswordBefore
}

// BeginRotation makes a new password for a station. It is on the disk, sealed, before
// it is sent; a station that may already have one that was made before gets that again.
func (s *Store) BeginRotation(ctx context.Context, by Actor, station string) (*Rotation, error) {
	defer s.lock(station).Unlock()
	e, ok := s.stations.get(station)
	if !ok {
		return nil, fmt.Errorf("station %s: %w", station, ErrNotFound)
	}
	if !e.HasPassword() {
		return nil, &InvalidError{"station", "it has no password to change"}
	}
	old, ok := s.rotations.get(station)
	if ok && old.State.Active() {
		return nil, &InUseError{"its password is being changed already"}
	}
	next := Rotation{Station: station, State: RotationWaiting, By: by, StartedAt: fromMillis(millis(s.now()))}
	if ok && old.Both() {
		next.secret, next.sealed, next.Doubt = old.secret, old.sealed, true
	} else {
		raw := make([]byte, 20) // as setAuth: 40 hex digits suit 1.6 and 2.x alike
		rand.Read(raw)          //nolint:errcheck // documented never to fail
		password := hex.EncodeToString(raw)
		var err error
		if next.sealed, err = s.sealSecret(password, rotationPlace(station)); err != nil {
			return nil, err
		}
		next.secret = newSecret(password)
	}
	return &next, s.putRotation(ctx, &next, func(tx *sql.Tx) error {
		return s.audit(tx, by, "station.password.rotate", "station/"+station, nil)
	})
}

// NextPassword is the password of a rotation that is under way, for the station alone.
func (s *Store) NextPassword(station string) (string, error) {
	r, ok := s.rotations.get(station)
	if !ok || !r.Both() {
		return "", fmt.Errorf("rotation of %s: %w", station, ErrNotFound)
	}
	return s.openSecret(r.sealed, rotationPlace(station))
}

// MoveRotation notes how far a rotation is.
func (s *Store) MoveRotation(ctx context.Context, station string, change func(*Rotation)) (*Rotation, error) {
	defer s.lock(station).Unlock()
	old, ok := s.rotations.get(station)
	if !ok {
		return nil, fmt.Errorf("rotation of %s: %w", station, ErrNotFound)
	}
	next := *old
	change(&next)
	var rows []func(*sql.Tx) error
	if old.State.Active() && !next.State.Active() {
		next.FinishedAt = fromMillis(millis(s.now()))
		rows = append(rows, func(tx *sql.Tx) error {
			return s.audit(tx, System, "station.password."+string(next.State), "station/"+station, map[string]any{"said": next.Said, "attempts": next.Attempts})
		})
	}
	if next.State == RotationRejected || next.State == RotationUnfit {
		next.secret, next.sealed = secret{}, nil
	}
	return &next, s.putRotation(ctx, &next, rows...)
}

// FinishRotation makes the new password the one that counts: the station came with it.
func (s *Store) FinishRotation(ctx context.Context, station string) (*Rotation, error) {
	defer s.lock(station).Unlock()
	e, known := s.stations.get(station)
	old, ok := s.rotations.get(station)
	if !known || !ok || !old.Both() {
		return nil, fmt.Errorf("rotation of %s: %w", station, ErrNotFound)
	}
	now := fromMillis(millis(s.now()))
	next, enrolled := *old, *e
	next.State, next.FinishedAt, next.Doubt, next.sealed = RotationDone, now, false, nil
	enrolled.password, enrolled.PasswordAt, next.secret = old.secret, now, e.password
	err := s.writeRotation(ctx, &next, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE stations SET password_salt = ?, password_hash = ?, password_raw = ?, password_at = ? WHERE id = ?`,
			enrolled.password.salt, enrolled.password.hash, enrolled.password.raw, millis(now), station); err != nil {
			return fmt.Errorf("write station: %w", err)
		}
		return s.audit(tx, System, "station.password.done", "station/"+station, map[string]any{"attempts": next.Attempts})
	})
	if err == nil {
		s.stations.set(station, &enrolled) // first: in between the new one counts twice, and never not at all
		s.rotations.set(station, &next)
	}
	return &next, err
}

// putRotation commits a rotation. The caller holds the lock of the station.
func (s *Store) putRotation(ctx context.Context, r *Rotation, rows ...func(*sql.Tx) error) error {
	err := s.writeRotation(ctx, r, rows...)
	if err == nil {
		s.rotations.set(r.Station, r)
	}
	return err
}

func (s *Store) writeRotation(ctx context.Context, r *Rotation, rows ...func(*sql.Tx) error) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT OR REPLACE INTO rotations (station, state, by, started_at, sent_at, finished_at, attempts, doubt, said, salt, hash, raw, sealed)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`, r.Station, string(r.State), string(r.By), millis(r.StartedAt), millis(r.SentAt), millis(r.FinishedAt),
			r.Attempts, r.Doubt, clip(r.Said, 200), r.secret.salt, r.secret.hash, r.secret.raw, r.sealed); err != nil {
			return fmt.Errorf("write rotation: %w", err)
		}
		for _, row := range rows {
			if err := row(tx); err != nil {
				return err
			}
		}
		return nil
	})
}
