package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Bounds of studies: what waits is refused beyond, what has ended gives way to
// what is newer.
const (
	maxStudiesWaiting = 50
	maxStudiesOfSite  = 50
	maxStudies        = 5_000
)

// StudyState is how far a study is.
type StudyState string

// The states of a study.
const (
	StudyQueued      StudyState = "queued"
	StudyRunning     StudyState = "running"
	StudyFinished    StudyState = "finished"
	StudyFailed      StudyState = "failed"
	StudyCancelled   StudyState = "cancelled"
	StudyInterrupted StudyState = "interrupted" // the server stopped; it can be run again
)

// Study is a question that takes a while to answer, and its answer.
type Study struct {
	Seq       int64
	ID        string
	Kind      string
	Site      string
	Name      string
	State     StudyState
	By        Actor
	Usual     bool // nobody changed what is assumed
	MadeAt    time.Time
	StartedAt time.Time
	EndedAt   time.Time
	Question  json.RawMessage
	Result    json.RawMessage // nil before it is finished
	Problem   string
}

// Over reports whether nothing more will become of it by itself.
func (x *Study) Over() bool { return x.State != StudyQueued && x.State != StudyRunning }

const studyColumns = `seq, id, kind, site, name, state, by, usual, made_at, started_at, ended_at, question, result, problem`

func scanStudy(row interface{ Scan(...any) error }) (*Study, error) {
	x := &Study{}
	var made int64
	var started, ended sql.NullInt64
	var question string
	var result sql.NullString
	if err := row.Scan(&x.Seq, &x.ID, &x.Kind, &x.Site, &x.Name, &x.State, &x.By, &x.Usual, &made, &started, &ended, &question, &result, &x.Problem); err != nil {
		return nil, err
	}
	x.MadeAt, x.StartedAt, x.EndedAt = fromMillis(made), fromMillis(started.Int64), fromMillis(ended.Int64)
	x.Question = json.RawMessage(question)
	if result.Valid {
		x.Result = json.RawMessage(result.String)
	}
	return x, nil
}

// CreateStudy puts a study behind those that wait.
func (s *Store) CreateStudy(ctx context.Context, x Study) (*Study, error) {
	x.ID, x.MadeAt, x.State = newID("p-"), fromMillis(millis(s.now())), StudyQueued
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := roomForStudy(tx, x.Kind, x.Site); err != nil {
			return err
		}
		done, err := tx.Exec(`INSERT INTO studies (id, kind, site, name, state, by, usual, made_at, question) VALUES (?,?,?,?,?,?,?,?,?)`,
			x.ID, x.Kind, x.Site, x.Name, string(x.State), string(x.By), x.Usual, millis(x.MadeAt), string(x.Question))
		if err != nil {
			return fmt.Errorf("write study: %w", err)
		}
		if x.Seq, err = done.LastInsertId(); err != nil {
			return fmt.Errorf("write study: %w", err)
		}
		return s.audit(tx, x.By, x.Kind+".make", x.Kind+"/"+x.ID, map[string]any{"site": x.Site})
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}

func roomForStudy(tx *sql.Tx, kind, site string) error {
	var waiting int
	if err := tx.QueryRow(`SELECT count(*) FROM studies WHERE state IN ('queued', 'running')`).Scan(&waiting); err != nil {
		return fmt.Errorf("count studies: %w", err)
	}
	if waiting >= maxStudiesWaiting {
		return fmt.Errorf("studies that wait: %w", ErrFull)
	}
	for _, old := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM studies WHERE seq IN (SELECT seq FROM studies WHERE kind = ? AND site = ? AND state NOT IN ('queued', 'running') ORDER BY seq DESC LIMIT -1 OFFSET ?)`, []any{kind, site, maxStudiesOfSite - 1}},
		{`DELETE FROM studies WHERE seq IN (SELECT seq FROM studies WHERE state NOT IN ('queued', 'running') ORDER BY seq DESC LIMIT -1 OFFSET ?)`, []any{maxStudies - 1}},
	} {
		if _, err := tx.Exec(old.text, old.args...); err != nil {
			return fmt.Errorf("make room for a study: %w", err)
		}
	}
	return nil
}

// StudyQuery selects studies, newest first.
type StudyQuery struct {
	Kind   string
	Sites  []string // nil: all
	State  StudyState
	Before int64 // zero: the newest
	Limit  int
}

// Studies lists studies without their results.
func (s *Store) Studies(ctx context.Context, q StudyQuery) ([]*Study, error) {
	text := `SELECT seq, id, kind, site, name, state, by, usual, made_at, started_at, ended_at, question, NULL, problem FROM studies WHERE kind = ?`
	args := []any{q.Kind}
	if q.Sites != nil {
		list, err := json.Marshal(q.Sites)
		if err != nil {
			return nil, fmt.Errorf("name sites: %w", err)
		}
		text += ` AND site IN (SELECT value FROM json_each(?))`
		args = append(args, string(list))
	}
	if q.State != "" {
		text += ` AND state = ?`
		args = append(args, string(q.State))
	}
	if q.Before > 0 {
		text += ` AND seq < ?`
		args = append(args, q.Before)
	}
	var out []*Study
	err := s.query(ctx, "studies", text+` ORDER BY seq DESC LIMIT ?`, append(args, q.Limit), func(r *sql.Rows) error {
		x, err := scanStudy(r)
		out = append(out, x)
		return err
	})
	return out, err
}

// Study returns one with its result.
func (s *Store) Study(ctx context.Context, id string) (*Study, error) {
	return s.study(ctx, `id = ?`, id)
}

// NextStudy is the one that has waited longest.
func (s *Store) NextStudy(ctx context.Context) (*Study, error) {
	return s.study(ctx, `state = 'queued' ORDER BY seq LIMIT 1`)
}

// NewestStudy is the newest finished one of a kind about a site.
func (s *Store) NewestStudy(ctx context.Context, kind, site string) (*Study, error) {
	return s.study(ctx, `kind = ? AND site = ? AND state = 'finished' ORDER BY seq DESC LIMIT 1`, kind, site)
}

func (s *Store) study(ctx context.Context, condition string, args ...any) (*Study, error) {
	x, err := scanStudy(s.db.Reader().QueryRowContext(ctx, `SELECT `+studyColumns+` FROM studies WHERE `+condition, args...))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("study: %w", ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read study: %w", err)
	}
	return x, nil
}

// StartStudy says that a study is being answered; one that no longer waits is not
// started.
func (s *Store) StartStudy(ctx context.Context, id string) error {
	return s.moveStudy(ctx, id, `UPDATE studies SET state = 'running', started_at = ? WHERE id = ? AND state = 'queued'`, millis(s.now()), id)
}

// EndStudy keeps what a study came to.
func (s *Store) EndStudy(ctx context.Context, id string, state StudyState, result json.RawMessage, problem string) error {
	var kept any
	if result != nil {
		kept = string(result)
	}
	return s.moveStudy(ctx, id, `UPDATE studies SET state = ?, ended_at = ?, result = ?, problem = ? WHERE id = ? AND state = 'running'`, string(state), millis(s.now()), kept, problem, id)
}

func (s *Store) moveStudy(ctx context.Context, id, text string, args ...any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(text, args...)
		if err != nil {
			return fmt.Errorf("write study: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("study %s: %w", id, ErrNotFound))
		}
		return nil
	})
}

// CancelStudy ends a study that waits or runs.
func (s *Store) CancelStudy(ctx context.Context, by Actor, id string) error {
	return s.actOnStudy(ctx, by, id, "cancel", `UPDATE studies SET state = 'cancelled', ended_at = ? WHERE id = ? AND state IN ('queued', 'running')`, millis(s.now()), id)
}

// AgainStudy lets one that was cancelled, failed or interrupted wait once more.
func (s *Store) AgainStudy(ctx context.Context, by Actor, id string) error {
	return s.actOnStudy(ctx, by, id, "again", `UPDATE studies SET state = 'queued', started_at = NULL, ended_at = NULL, problem = ''
		WHERE id = ? AND state IN ('cancelled', 'failed', 'interrupted')`, id)
}

// DeleteStudy forgets a study that is over.
func (s *Store) DeleteStudy(ctx context.Context, by Actor, id string) error {
	return s.actOnStudy(ctx, by, id, "delete", `DELETE FROM studies WHERE id = ? AND state NOT IN ('queued', 'running')`, id)
}

func (s *Store) actOnStudy(ctx context.Context, by Actor, id, act, text string, args ...any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var kind string
		err := tx.QueryRow(`SELECT kind FROM studies WHERE id = ?`, id).Scan(&kind)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("study %s: %w", id, ErrNotFound)
		case err != nil:
			return fmt.Errorf("read study: %w", err)
		}
		done, err := tx.Exec(text, args...)
		if err != nil {
			return fmt.Errorf("%s study: %w", act, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("study %s: %w", id, ErrInUse))
		}
		return s.audit(tx, by, kind+"."+act, kind+"/"+id, nil)
	})
}

// InterruptStudies says of those that ran when the server stopped that they did
// not come to an end.
func (s *Store) InterruptStudies(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE studies SET state = 'interrupted', ended_at = ? WHERE state = 'running'`, millis(s.now())); err != nil {
			return fmt.Errorf("interrupt studies: %w", err)
		}
		return nil
	})
}
