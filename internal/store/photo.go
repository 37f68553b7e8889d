package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Bounds of the photos of work orders.
const (
	MaxOrderPhotos     = 24
	MaxOrderPhotoBytes = 4 << 30 // of all together
)

// OrderPhoto is a photo of a work order; its picture is a file with its id.
type OrderPhoto struct {
	ID            string
	Order         string
	Digest        string // of what was sent
	By            Actor
	At            time.Time
	Width, Height int
	Bytes         int64 // of its files
}

const photoColumns = `SELECT id, work_order, digest, taken_by, at, width, height, bytes FROM work_order_photos`

func scanPhoto(r interface{ Scan(...any) error }) (OrderPhoto, error) {
	var p OrderPhoto
	var at int64
	err := r.Scan(&p.ID, &p.Order, &p.Digest, &p.By, &at, &p.Width, &p.Height, &p.Bytes)
	p.At = fromMillis(at)
	return p, err
}

// OrderPhotos returns the photos of an order, oldest first.
func (s *Store) OrderPhotos(ctx context.Context, order string) ([]OrderPhoto, error) {
	var out []OrderPhoto
	err := s.query(ctx, "photos", photoColumns+` WHERE work_order = ? AND kept = 1 ORDER BY at, id`, []any{order}, func(r *sql.Rows) error {
		p, err := scanPhoto(r)
		out = append(out, p)
		return err
	})
	return out, err
}

// OrderPhoto returns one photo of an order.
func (s *Store) OrderPhoto(ctx context.Context, order, id string) (*OrderPhoto, error) {
	p, err := scanPhoto(s.db.Reader().QueryRowContext(ctx, photoColumns+` WHERE id = ? AND work_order = ? AND kept = 1`, id, order))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("photo %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read photo: %w", err)
	}
	return &p, nil
}

// ReserveOrderPhoto notes a photo whose files are written next; KeepOrderPhoto
// makes it count, RemoveOrderPhoto takes the note back. A photo that was sent
// before is returned as it is, with known.
func (s *Store) ReserveOrderPhoto(ctx context.Context, by Actor, p OrderPhoto) (_ *OrderPhoto, known bool, err error) {
	p.ID, p.By, p.At = newID("ph-"), by, fromMillis(millis(s.now()))
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		w, err := scanOrder(tx.QueryRow(orderColumns+` WHERE id = ?`, p.Order))
		if err != nil {
			return err
		}
		if w.State.Over() {
			return &InUseError{"the order is closed: reopen it first"}
		}
		before, kept := OrderPhoto{}, false
		err = tx.QueryRow(`SELECT id, kept FROM work_order_photos WHERE work_order = ? AND digest = ?`, p.Order, p.Digest).Scan(&before.ID, &kept)
		switch {
		case err == nil && kept:
			known = true
			p, err = scanPhoto(tx.QueryRow(photoColumns+` WHERE id = ?`, before.ID))
			return err
		case err == nil: // an earlier try went wrong half way
			if _, err := tx.Exec(`DELETE FROM work_order_photos WHERE id = ?`, before.ID); err != nil {
				return fmt.Errorf("forget a photo: %w", err)
			}
			p.ID = before.ID // its files are written over
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("look for the same photo: %w", err)
		}
		var n int
		var bytes int64
		if err := tx.QueryRow(`SELECT count(*) FILTER (WHERE work_order = ?), coalesce(sum(bytes), 0) FROM work_order_photos`, p.Order).Scan(&n, &bytes); err != nil {
			return fmt.Errorf("count photos: %w", err)
		}
		if n >= MaxOrderPhotos {
			return &InUseError{fmt.Sprintf("an order takes at most %d photos", MaxOrderPhotos)}
		}
		if bytes+p.Bytes > MaxOrderPhotoBytes {
			return fmt.Errorf("photos: %w", ErrFull)
		}
		if _, err := tx.Exec(`INSERT INTO work_order_photos (id, work_order, digest, kept, taken_by, at, width, height, bytes) VALUES (?,?,?,0,?,?,?,?,?)`,
			p.ID, p.Order, p.Digest, string(by), millis(p.At), p.Width, p.Height, p.Bytes); err != nil {
			return fmt.Errorf("write photo: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return &p, known, nil
}

// KeepOrderPhoto makes a photo count, now that its files are there.
func (s *Store) KeepOrderPhoto(ctx context.Context, p *OrderPhoto) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE work_order_photos SET kept = 1 WHERE id = ?`, p.ID); err != nil {
			return fmt.Errorf("keep photo: %w", err)
		}
		return s.audit(tx, p.By, "workorder.photo", "workorder/"+p.Order, map[string]any{"photo": p.ID, "bytes": p.Bytes})
	})
}

// RemoveOrderPhoto takes a photo away for everyone; ForgetOrderPhoto follows
// when its files are gone.
func (s *Store) RemoveOrderPhoto(ctx context.Context, by Actor, order, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE work_order_photos SET kept = 0 WHERE id = ? AND work_order = ?`, id, order)
		if err != nil {
			return fmt.Errorf("remove photo: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("photo %s: %w", id, ErrNotFound))
		}
		return s.audit(tx, by, "workorder.photo.delete", "workorder/"+order, map[string]any{"photo": id})
	})
}

// ForgetOrderPhoto removes the row of a photo whose files are gone.
func (s *Store) ForgetOrderPhoto(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM work_order_photos WHERE id = ? AND kept = 0`, id); err != nil {
			return fmt.Errorf("forget photo: %w", err)
		}
		return nil
	})
}

// UnfinishedPhotos are those whose files a kill left behind, or half written.
func (s *Store) UnfinishedPhotos(ctx context.Context) ([]string, error) {
	var out []string
	err := s.query(ctx, "photos", `SELECT id FROM work_order_photos WHERE kept = 0`, nil, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}
