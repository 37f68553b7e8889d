package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RemovedCamera is a camera that nobody set up any more and of which there are
// still recordings.
type RemovedCamera struct {
	Camera
	At time.Time
	By Actor
}

func (s *Store) loadRemoved(ctx context.Context) error {
	all := make(map[string]*RemovedCamera)
	err := s.query(ctx, "removed cameras", `SELECT id, site, data, created_at, removed_at, removed_by FROM removed_cameras`, nil, func(r *sql.Rows) error {
		x := &RemovedCamera{}
		var data string
		var created, removed int64
		if err := r.Scan(&x.ID, &x.SiteID, &data, &created, &removed, &x.By); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &x.Camera); err != nil {
			return fmt.Errorf("removed camera %s: %w", x.ID, err)
		}
		x.CreatedAt, x.At = fromMillis(created), fromMillis(removed)
		all[x.ID] = x
		return nil
	})
	s.removed.load(all)
	return err
}

// RemovedCameras lists them by id.
func (s *Store) RemovedCameras() []*RemovedCamera {
	return slices.SortedFunc(s.removed.all(), func(a, b *RemovedCamera) int { return strings.Compare(a.ID, b.ID) })
}

// Filmed returns a camera of which there may be recordings: one that is set up, or
// one that was.
func (s *Store) Filmed(id string) (*Camera, bool) {
	if c, ok := s.cameras.get(id); ok {
		return c, true
	}
	if x, ok := s.removed.get(id); ok {
		return &x.Camera, true
	}
	return nil, false
}

// ForgetCamera forgets a removed camera: there is nothing of it any more.
func (s *Store) ForgetCamera(ctx context.Context, id string) error {
	defer s.lock(id).Unlock()
	if _, ok := s.removed.get(id); !ok {
		return nil
	}
	if err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM removed_cameras WHERE id = ?`, id); err != nil {
			return fmt.Errorf("forget a removed camera: %w", err)
		}
		return s.audit(tx, System, "camera.forget", "camera/"+id, nil)
	}); err != nil {
		return err
	}
	s.removed.drop(id)
	s.camerasChanged.announce()
	return nil
}

// NoteRemoved notes a camera of which there are recordings and which nobody knows:
// it was removed before such were remembered.
func (s *Store) NoteRemoved(ctx context.Context, c Camera, at time.Time) error {
	defer s.lock(c.ID).Unlock()
	if _, known := s.Filmed(c.ID); known {
		return nil
	}
	x := &RemovedCamera{Camera: c, At: fromMillis(millis(at)), By: System}
	if err := s.db.Write(ctx, func(tx *sql.Tx) error { return putRemoved(tx, x) }); err != nil {
		return err
	}
	s.removed.set(c.ID, x)
	s.camerasChanged.announce()
	return nil
}

func putRemoved(tx *sql.Tx, x *RemovedCamera) error {
	data, err := json.Marshal(x.Camera)
	if err != nil {
		return fmt.Errorf("encode removed camera: %w", err)
	}
	if _, err := tx.Exec(`INSERT OR REPLACE INTO removed_cameras (id, site, data, created_at, removed_at, removed_by) VALUES (?,?,?,?,?,?)`,
		x.ID, x.SiteID, string(data), millis(x.CreatedAt), millis(x.At), string(x.By)); err != nil {
		return fmt.Errorf("remember a removed camera: %w", err)
	}
	return nil
}
