package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of saved views.
const (
	MaxViews     = 100 // of one person
	maxAllViews  = 10_000
	maxViewName  = 64 // characters
	maxViewPlace = 2000
)

// View is a page with its filter, order and columns, under a name.
type View struct {
	ID        string
	Owner     Actor
	Name      string
	Path      string // of a page of our own, with its query
	Shared    bool   // others see it too
	CreatedAt time.Time
}

// Views lists a person's views and those that others share, by name.
func (s *Store) Views(ctx context.Context, of Actor) ([]View, error) {
	var out []View
	err := s.query(ctx, "views", `SELECT id, owner, name, path, shared, created_at FROM views WHERE owner = ? OR shared = 1
		ORDER BY name COLLATE NOCASE, id LIMIT 1000`, []any{string(of)}, func(r *sql.Rows) error {
		var v View
		var created int64
		err := r.Scan(&v.ID, &v.Owner, &v.Name, &v.Path, &v.Shared, &created)
		v.CreatedAt = fromMillis(created)
		out = append(out, v)
		return err
	})
	return out, err
}

// SaveView keeps a view; one of the same person and name is replaced.
func (s *Store) SaveView(ctx context.Context, v View) (*View, error) {
	v.Name = strings.TrimSpace(v.Name)
	if n := utf8.RuneCountInString(v.Name); n == 0 || n > maxViewName || !readable(v.Name, false) {
		return nil, &InvalidError{"name", fmt.Sprintf("1 to %d printable characters", maxViewName)}
	}
	if len(v.Path) > maxViewPlace || !strings.HasPrefix(v.Path, "/") || strings.HasPrefix(v.Path, "//") || strings.Contains(v.Path, `\`) || !readable(v.Path, false) {
		return nil, &InvalidError{"path", "must be the path of a page here, such as /stations?state=faulted"}
	}
	v.ID, v.CreatedAt = newID("v-"), fromMillis(millis(s.now()))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM views WHERE owner = ? AND name = ?`, string(v.Owner), v.Name); err != nil {
			return fmt.Errorf("replace view: %w", err)
		}
		var mine, all int
		if err := tx.QueryRow(`SELECT count(*) FILTER (WHERE owner = ?), count(*) FROM views`, string(v.Owner)).Scan(&mine, &all); err != nil {
			return fmt.Errorf("count views: %w", err)
		}
		if mine >= MaxViews || all >= maxAllViews {
			return fmt.Errorf("views: %w", ErrFull)
		}
		_, err := tx.Exec(`INSERT INTO views (id, owner, name, path, shared, created_at) VALUES (?,?,?,?,?,?)`,
			v.ID, string(v.Owner), v.Name, v.Path, v.Shared, millis(v.CreatedAt))
		if err != nil {
			return fmt.Errorf("write view: %w", err)
		}
		return s.audit(tx, v.Owner, "view.save", "view/"+v.ID, map[string]any{"shared": v.Shared})
	})
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// View returns one view.
func (s *Store) View(ctx context.Context, id string) (*View, error) {
	v := View{ID: id}
	found := false
	err := s.query(ctx, "view", `SELECT owner, name, path, shared FROM views WHERE id = ?`, []any{id}, func(r *sql.Rows) error {
		found = true
		return r.Scan(&v.Owner, &v.Name, &v.Path, &v.Shared)
	})
	if err == nil && !found {
		err = fmt.Errorf("view %s: %w", id, ErrNotFound)
	}
	return &v, err
}

// DeleteView forgets a view.
func (s *Store) DeleteView(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`DELETE FROM views WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete view: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("view %s: %w", id, ErrNotFound))
		}
		return s.audit(tx, by, "view.delete", "view/"+id, nil)
	})
}
