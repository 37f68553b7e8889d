package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// RootState is how far the change of the server's root is.
type RootState string

// The states of a change of the root.
const (
	RootInstalling RootState = "installing" // stations get the new one beside the old
	RootSwitching  RootState = "switching"  // the server is about to stand under the new one
	RootSwitched   RootState = "switched"   // it does; stations have both
	RootRemoving   RootState = "removing"   // the old one is deleted from stations
	RootDone       RootState = "done"
	RootAbandoned  RootState = "abandoned" // before the server stood under the new one
)

// Active reports that something is still to be done.
func (s RootState) Active() bool { return s != RootDone && s != RootAbandoned }

// RootChange is the change of the root that is under way, or was the last.
type RootChange struct {
	State      RootState
	By         Actor
	Made       bool     // by us; else imported
	Root       string   // PEM of the new one
	Old        string   // PEM of those that the server stood under before
	Without    []string // stations that somebody does without
	StartedAt  time.Time
	SwitchedAt time.Time
	FinishedAt time.Time
}

// What a station did with a root.
const (
	HoldWaiting = ""        // not asked, or not known
	HoldHas     = "has"     // it says so
	HoldTook    = "took"    // it said Accepted and does not list what it has
	HoldRefused = "refused" // it does not want it
	HoldUnfit   = "unfit"   // it does not know the request
	HoldGone    = "gone"    // the old one is deleted
	HoldKept    = "kept"    // the old one stays: it refused to delete it
)

// RootHold is what a station did with the new root, and with the old one.
type RootHold struct {
	Station  string
	Has, Old string
	Said     string
	Attempts int
	At       time.Time
}

// RootChange is the change of the root that is under way, or was the last; nil: none.
func (s *Store) RootChange(ctx context.Context) (*RootChange, error) {
	var out *RootChange
	err := s.query(ctx, "change of the root", `SELECT state, by, made, root, old, without, started_at, switched_at, finished_at FROM root_changes`, nil,
		func(r *sql.Rows) error {
			x := &RootChange{}
			var without string
			var started, switched, finished int64
			if err := r.Scan(&x.State, &x.By, &x.Made, &x.Root, &x.Old, &without, &started, &switched, &finished); err != nil {
				return err
			}
			x.StartedAt, x.SwitchedAt, x.FinishedAt = fromMillis(started), fromMillis(switched), fromMillis(finished)
			out = x
			if without == "" {
				return nil
			}
			return json.Unmarshal([]byte(without), &x.Without)
		})
	return out, err
}

// BeginRootChange notes that the server is to stand under another root.
func (s *Store) BeginRootChange(ctx context.Context, by Actor, x RootChange) (*RootChange, error) {
	x.State, x.By, x.StartedAt = RootInstalling, by, fromMillis(millis(s.now()))
	return &x, s.db.Write(ctx, func(tx *sql.Tx) error {
		var state RootState
		err := tx.QueryRow(`SELECT state FROM root_changes`).Scan(&state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return fmt.Errorf("read the change of the root: %w", err)
		case state.Active():
			return &InUseError{"the root of the server is being changed already"}
		}
		if _, err := tx.Exec(`DELETE FROM root_holds`); err != nil {
			return fmt.Errorf("forget the last change of the root: %w", err)
		}
		if err := putRootChange(tx, &x); err != nil {
			return err
		}
		return s.audit(tx, by, "root.begin", "system/stationRoot", map[string]any{"made": x.Made})
	})
}

// MoveRootChange notes how far the change of the root is. A change that is not in one of
// the states that may be left is refused.
func (s *Store) MoveRootChange(ctx context.Context, by Actor, to RootState, without []string, from ...RootState) (*RootChange, error) {
	x, err := s.RootChange(ctx)
	if err != nil {
		return nil, err
	}
	ok := false
	for _, f := range from {
		ok = ok || x != nil && x.State == f
	}
	if !ok {
		return nil, &InUseError{"the change of the root is not at this step"}
	}
	x.State = to
	switch to {
	case RootSwitching:
		x.Without = without
	case RootSwitched:
		x.SwitchedAt = fromMillis(millis(s.now()))
	case RootDone, RootAbandoned:
		x.FinishedAt = fromMillis(millis(s.now()))
	}
	return x, s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := putRootChange(tx, x); err != nil {
			return err
		}
		return s.audit(tx, by, "root."+string(to), "system/stationRoot", map[string]any{"without": len(without)})
	})
}

func putRootChange(tx *sql.Tx, x *RootChange) error {
	without, err := json.Marshal(x.Without)
	if err != nil {
		return fmt.Errorf("write the change of the root: %w", err)
	}
	if _, err := tx.Exec(`INSERT OR REPLACE INTO root_changes (id, state, by, made, root, old, without, started_at, switched_at, finished_at)
		VALUES (1,?,?,?,?,?,?,?,?,?)`, string(x.State), string(x.By), x.Made, x.Root, x.Old, string(without), millis(x.StartedAt), millis(x.SwitchedAt),
		millis(x.FinishedAt)); err != nil {
		return fmt.Errorf("write the change of the root: %w", err)
	}
	return nil
}

// RootHolds are what stations did with roots, by station.
func (s *Store) RootHolds(ctx context.Context) (map[string]RootHold, error) {
	out := make(map[string]RootHold)
	err := s.query(ctx, "roots of stations", `SELECT station, has, old, said, attempts, at FROM root_holds`, nil, func(r *sql.Rows) error {
		var x RootHold
		var at int64
		err := r.Scan(&x.Station, &x.Has, &x.Old, &x.Said, &x.Attempts, &at)
		x.At = fromMillis(at)
		out[x.Station] = x
		return err
	})
	return out, err
}

// PutRootHold notes what a station did with a root.
func (s *Store) PutRootHold(ctx context.Context, x RootHold) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT OR REPLACE INTO root_holds (station, has, old, said, attempts, at) VALUES (?,?,?,?,?,?)`,
			x.Station, x.Has, x.Old, clip(x.Said, 200), x.Attempts, millis(s.now())); err != nil {
			return fmt.Errorf("write what a station did with a root: %w", err)
		}
		return nil
	})
}
