package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Bounds of imported sessions.
const (
	MaxPastImports  = 10_000
	MaxPastSessions = 50_000_000
)

// PastState is how far an import is.
type PastState string

// The states of an import.
const (
	PastStaged  PastState = "staged"  // looked at, nothing taken yet
	PastQueued  PastState = "queued"  // a person wants it; whoever has the data folder does it
	PastRunning PastState = "running" // its sessions are being written
	PastStopped PastState = "stopped" // in the middle: it can go on or be undone
	PastDone    PastState = "done"
	PastUndoing PastState = "undoing"
	PastUndone  PastState = "undone"
)

// PastImport is a file of past sessions that somebody brought.
type PastImport struct {
	ID      int64
	Name    string
	SHA256  string
	Bytes   int64
	MadeAt  time.Time
	By      Actor
	State   PastState
	Written int64 // sessions of it that are committed
	// ChangedAt moves with its sessions: who keeps sums looks at it.
	ChangedAt time.Time
	UndoneAt  time.Time
	Mapping   json.RawMessage
	Counts    json.RawMessage
}

const pastColumns = `id, name, file_sha256, bytes, made_at, by, state, written, changed_at, undone_at, mapping, counts`

func scanPastImport(row interface{ Scan(...any) error }) (*PastImport, error) {
	x := &PastImport{}
	var made, changed int64
	var undone sql.NullInt64
	var mapping, counts string
	if err := row.Scan(&x.ID, &x.Name, &x.SHA256, &x.Bytes, &made, &x.By, &x.State, &x.Written, &changed, &undone, &mapping, &counts); err != nil {
		return nil, err
	}
	x.MadeAt, x.ChangedAt, x.UndoneAt = fromMillis(made), fromMillis(changed), fromMillis(undone.Int64)
	x.Mapping, x.Counts = json.RawMessage(mapping), json.RawMessage(counts)
	return x, nil
}

func pastSubject(id int64) string { return fmt.Sprintf("import/%d", id) }

// CreatePastImport notes that a file is here.
func (s *Store) CreatePastImport(ctx context.Context, by Actor, x PastImport) (*PastImport, error) {
	x.MadeAt, x.By, x.State, x.Written = fromMillis(millis(s.now())), by, PastStaged, 0
	x.ChangedAt, x.UndoneAt = x.MadeAt, time.Time{}
	x.Mapping, x.Counts = orEmpty(x.Mapping), orEmpty(x.Counts)
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM past_import`).Scan(&n); err != nil {
			return fmt.Errorf("count imports: %w", err)
		}
		if n >= MaxPastImports {
			return fmt.Errorf("imports: %w", ErrFull)
		}
		done, err := tx.Exec(`INSERT INTO past_import (name, file_sha256, bytes, made_at, by, state, changed_at, mapping, counts) VALUES (?,?,?,?,?,?,?,?,?)`,
			x.Name, x.SHA256, x.Bytes, millis(x.MadeAt), string(by), string(x.State), millis(x.ChangedAt), string(x.Mapping), string(x.Counts))
		if err != nil {
			return fmt.Errorf("write import: %w", err)
		}
		if x.ID, err = done.LastInsertId(); err != nil {
			return fmt.Errorf("write import: %w", err)
		}
		return s.audit(tx, by, "import.stage", pastSubject(x.ID), map[string]any{"sha256": x.SHA256, "bytes": x.Bytes})
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}

func orEmpty(x json.RawMessage) json.RawMessage {
	if len(x) == 0 {
		return json.RawMessage("{}")
	}
	return x
}

// PastImport returns an import.
func (s *Store) PastImport(ctx context.Context, id int64) (*PastImport, error) {
	x, err := scanPastImport(s.db.Reader().QueryRowContext(ctx, `SELECT `+pastColumns+` FROM past_import WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("import %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read import: %w", err)
	}
	return x, nil
}

// PastImports returns imports before an id (zero: the newest), newest first.
func (s *Store) PastImports(ctx context.Context, before int64, limit int) ([]*PastImport, error) {
	var out []*PastImport
	err := s.query(ctx, "imports", `SELECT `+pastColumns+` FROM past_import WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2`, []any{before, limit}, func(r *sql.Rows) error {
		x, err := scanPastImport(r)
		out = append(out, x)
		return err
	})
	return out, err
}

// PastWaiting returns imports that there is work on, oldest first.
func (s *Store) PastWaiting(ctx context.Context) ([]*PastImport, error) {
	var out []*PastImport
	err := s.query(ctx, "imports", `SELECT `+pastColumns+` FROM past_import WHERE state IN ('queued','running','undoing') ORDER BY id`, nil, func(r *sql.Rows) error {
		x, err := scanPastImport(r)
		out = append(out, x)
		return err
	})
	return out, err
}

// PastImportOfFile returns the newest import of a file whose sessions are here.
func (s *Store) PastImportOfFile(ctx context.Context, sha256 string) (*PastImport, error) {
	x, err := scanPastImport(s.db.Reader().QueryRowContext(ctx, `SELECT `+pastColumns+` FROM past_import
		WHERE file_sha256 = ? AND state IN ('queued','running','stopped','done') ORDER BY id DESC LIMIT 1`, sha256))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("import of the file: %w", ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read import: %w", err)
	}
	return x, nil
}

// ErrPastState is returned where an import is not at the point at which that can be
// done with it.
var ErrPastState = errors.New("the import is not in a state for that")

// MovePastImport changes the state of an import that is in one of some states, and
// what is known of it unless nil. A change that a person wanted has an action.
func (s *Store) MovePastImport(ctx context.Context, by Actor, action string, id int64, to PastState, mapping, counts json.RawMessage, from ...PastState) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		x, err := scanPastImport(tx.QueryRow(`SELECT `+pastColumns+` FROM past_import WHERE id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("import %d: %w", id, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("read import: %w", err)
		}
		if !oneOf(x.State, from) {
			return fmt.Errorf("import %d is %s: %w", id, x.State, ErrPastState)
		}
		if mapping == nil {
			mapping = x.Mapping
		}
		if counts == nil {
			counts = x.Counts
		}
		now := s.now()
		var undone any
		if to == PastUndone {
			undone = millis(now)
		}
		if _, err := tx.Exec(`UPDATE past_import SET state = ?, mapping = ?, counts = ?, undone_at = ?, changed_at = ? WHERE id = ?`,
			string(to), string(mapping), string(counts), undone, millis(now), id); err != nil {
			return fmt.Errorf("write import: %w", err)
		}
		if action == "" {
			return nil
		}
		return s.audit(tx, by, action, pastSubject(id), map[string]any{"state": to, "sessions": x.Written})
	})
}

func oneOf(s PastState, list []PastState) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return len(list) == 0
}

// ForgetPastImport removes an import of which no sessions are here.
func (s *Store) ForgetPastImport(ctx context.Context, by Actor, id int64) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var state PastState
		err := tx.QueryRow(`SELECT state FROM past_import WHERE id = ?`, id).Scan(&state)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("import %d: %w", id, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("read import: %w", err)
		}
		if state != PastStaged && state != PastUndone {
			return fmt.Errorf("import %d is %s: %w", id, state, ErrPastState)
		}
		for _, text := range []string{`DELETE FROM past_row WHERE import_id = ?`, `DELETE FROM past_import WHERE id = ?`} {
			if _, err := tx.Exec(text, id); err != nil {
				return fmt.Errorf("delete import: %w", err)
			}
		}
		return s.audit(tx, by, "import.delete", pastSubject(id), nil)
	})
}
