package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of saved walls.
const (
	// MaxTiles is how many cameras a wall shows at once: what a browser decodes
	// beside each other without falling behind.
	MaxTiles    = 12
	maxWalls    = 50 // of one person
	maxAllWalls = 5_000
	maxWallName = 64 // characters
)

// WallTile is a camera on a wall.
type WallTile struct {
	Camera string `json:"camera"`
	// Large is twice as wide and twice as high as the others.
	Large bool `json:"large,omitempty"`
}

// Wall is cameras side by side, in order, under a name.
type Wall struct {
	ID        string
	Owner     Actor
	Name      string
	Shared    bool // others see it too
	Tiles     []WallTile
	CreatedAt time.Time
	// FirstOf are the sites that show it first; empty is the network.
	FirstOf []string
}

func (w *Wall) validate() error {
	w.Name = strings.TrimSpace(w.Name)
	if n := utf8.RuneCountInString(w.Name); n == 0 || n > maxWallName || !readable(w.Name, false) {
		return &InvalidError{"name", fmt.Sprintf("1 to %d printable characters", maxWallName)}
	}
	if len(w.Tiles) == 0 || len(w.Tiles) > MaxTiles {
		return &InvalidError{"tiles", fmt.Sprintf("1 to %d cameras", MaxTiles)}
	}
	seen := make(map[string]bool)
	for i, t := range w.Tiles {
		if seen[t.Camera] {
			return &InvalidError{fmt.Sprintf("tiles[%d].camera", i), "is on the wall already"}
		}
		seen[t.Camera] = true
	}
	return nil
}

// Walls lists a person's walls and those that others share, by name.
func (s *Store) Walls(ctx context.Context, of Actor) ([]Wall, error) {
	list, err := s.walls(ctx, `WHERE owner = ? OR shared = 1 ORDER BY name COLLATE NOCASE, id LIMIT 1000`, string(of))
	if err != nil {
		return nil, err
	}
	first := make(map[string][]string)
	err = s.query(ctx, "first walls", `SELECT site, wall FROM first_walls ORDER BY site`, nil, func(r *sql.Rows) error {
		var site, wall string
		err := r.Scan(&site, &wall)
		first[wall] = append(first[wall], site)
		return err
	})
	for i := range list {
		list[i].FirstOf = first[list[i].ID]
	}
	return list, err
}

// Wall returns one.
func (s *Store) Wall(ctx context.Context, id string) (*Wall, error) {
	list, err := s.walls(ctx, `WHERE id = ?`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("wall %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

func (s *Store) walls(ctx context.Context, condition string, args ...any) ([]Wall, error) {
	var out []Wall
	err := s.query(ctx, "walls", `SELECT id, owner, name, shared, data, created_at FROM walls `+condition, args, func(r *sql.Rows) error {
		var w Wall
		var data string
		var created int64
		if err := r.Scan(&w.ID, &w.Owner, &w.Name, &w.Shared, &data, &created); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &w.Tiles); err != nil {
			return fmt.Errorf("wall %s: %w", w.ID, err)
		}
		w.CreatedAt = fromMillis(created)
		out = append(out, w)
		return nil
	})
	return out, err
}

// SaveWall keeps a wall; one of the same person and name is replaced and stays
// what sites show first, unless it is not shared any more.
func (s *Store) SaveWall(ctx context.Context, w Wall) (*Wall, error) {
	if err := w.validate(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(w.Tiles)
	if err != nil {
		return nil, fmt.Errorf("encode wall: %w", err)
	}
	w.ID, w.CreatedAt = newID("w-"), fromMillis(millis(s.now()))
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var mine, all int
		if err := tx.QueryRow(`SELECT count(*) FILTER (WHERE owner = ?), count(*) FROM walls WHERE owner <> ? OR name <> ?`,
			string(w.Owner), string(w.Owner), w.Name).Scan(&mine, &all); err != nil {
			return fmt.Errorf("count walls: %w", err)
		}
		if mine >= maxWalls || all >= maxAllWalls {
			return fmt.Errorf("walls: %w", ErrFull)
		}
		if err := tx.QueryRow(`INSERT INTO walls (id, owner, name, shared, data, created_at) VALUES (?,?,?,?,?,?)
			ON CONFLICT (owner, name) DO UPDATE SET shared = excluded.shared, data = excluded.data, created_at = excluded.created_at
			RETURNING id`, w.ID, string(w.Owner), w.Name, w.Shared, string(data), millis(w.CreatedAt)).Scan(&w.ID); err != nil {
			return fmt.Errorf("write wall: %w", err)
		}
		if !w.Shared {
			if _, err := tx.Exec(`DELETE FROM first_walls WHERE wall = ?`, w.ID); err != nil {
				return fmt.Errorf("forget first walls: %w", err)
			}
		}
		return s.audit(tx, w.Owner, "wall.save", "wall/"+w.ID, map[string]any{"shared": w.Shared, "tiles": len(w.Tiles)})
	})
	if err != nil {
		return nil, err
	}
	return &w, nil
}

// DeleteWall forgets a wall; sites that showed it first show all their cameras.
func (s *Store) DeleteWall(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM first_walls WHERE wall = ?`, id); err != nil {
			return fmt.Errorf("forget first walls: %w", err)
		}
		res, err := tx.Exec(`DELETE FROM walls WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete wall: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("wall %s: %w", id, ErrNotFound))
		}
		return s.audit(tx, by, "wall.delete", "wall/"+id, nil)
	})
}

// SetFirstWall says which shared wall a site shows first; an empty site is the
// network, an empty wall is none.
func (s *Store) SetFirstWall(ctx context.Context, by Actor, site, wall string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if wall == "" {
			if _, err := tx.Exec(`DELETE FROM first_walls WHERE site = ?`, site); err != nil {
				return fmt.Errorf("forget first wall: %w", err)
			}
		} else {
			var shared bool
			err := tx.QueryRow(`SELECT shared FROM walls WHERE id = ?`, wall).Scan(&shared)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return &InvalidError{"wall", "there is none with this id"}
			case err != nil:
				return fmt.Errorf("find wall: %w", err)
			case !shared:
				return &InvalidError{"wall", "is not shared: others could not see it"}
			}
			if _, err := tx.Exec(`INSERT INTO first_walls (site, wall) VALUES (?, ?) ON CONFLICT (site) DO UPDATE SET wall = excluded.wall`, site, wall); err != nil {
				return fmt.Errorf("set first wall: %w", err)
			}
		}
		return s.audit(tx, by, "wall.first", "site/"+site, map[string]any{"wall": wall})
	})
}
