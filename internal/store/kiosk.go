package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of screens.
const (
	// KioskIdle ends a screen that was switched off for so long.
	KioskIdle = 90 * 24 * time.Hour
	// ClaimLife is how long an approved screen may take to come for its session.
	ClaimLife = 10 * time.Minute

	maxKiosks     = 200
	maxKioskViews = 20
	maxViewLength = 500
	minRotate     = 10 * time.Second
	maxRotate     = time.Hour
)

// Kiosk is a screen on a wall: it looks as a viewer of some sites and does
// nothing else. It has no password and no person.
type Kiosk struct {
	ID         string
	Name       string
	Sites      []string
	Views      []string // paths of our own pages, in turn; none: the usual ones
	Rotate     time.Duration
	Video      bool // it shows live pictures of cameras, private parts hidden
	UserAgent  string
	RemoteAddr string
	CreatedBy  Actor
	CreatedAt  time.Time
	SeenAt     time.Time // zero: it never came for its session
}

// Grants is what the screen may see.
func (k *Kiosk) Grants() []Grant { return []Grant{{Role: RoleViewer, Sites: k.Sites}} }

func (k *Kiosk) validate() error {
	k.Name = strings.TrimSpace(k.Name)
	if k.Name == "" || len(k.Name) > 64 {
		return &InvalidError{"name", "must have 1 to 64 characters"}
	}
	if err := validGrants(k.Grants()); err != nil {
		return &InvalidError{"sites", `name 1 to 1000 sites, or "*"`}
	}
	if len(k.Views) > maxKioskViews {
		return &InvalidError{"views", fmt.Sprintf("at most %d", maxKioskViews)}
	}
	for i, v := range k.Views {
		if !ownPath(v) {
			return &InvalidError{fmt.Sprintf("views[%d]", i), "must be the path of a page here, such as /stations"}
		}
	}
	if k.Rotate < minRotate || k.Rotate > maxRotate {
		return &InvalidError{"rotateSeconds", "must be 10 to 3600"}
	}
	return nil
}

// ownPath keeps a screen on our pages.
func ownPath(v string) bool {
	return len(v) <= maxViewLength && strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "//") &&
		!strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f })
}

// HashSecret is what we keep of a secret with at least 128 random bits.
func HashSecret(text string) []byte { return hashSecret(text) }

// CreateKiosk lets a screen in: whoever knows the secret behind claim may fetch
// a session within ClaimLife, once.
func (s *Store) CreateKiosk(ctx context.Context, by Actor, k Kiosk, claim []byte) (*Kiosk, error) {
	if err := k.validate(); err != nil {
		return nil, err
	}
	k.ID, k.CreatedBy, k.CreatedAt = newID("s-"), by, fromMillis(millis(s.now()))
	k.UserAgent, k.RemoteAddr = clip(k.UserAgent, 300), clip(k.RemoteAddr, 64)
	views, err := json.Marshal(slices.Concat([]string{}, k.Views))
	if err != nil {
		return nil, fmt.Errorf("encode views: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.forgetKiosks(tx); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM kiosks`).Scan(&n); err != nil {
			return fmt.Errorf("count screens: %w", err)
		}
		if n >= maxKiosks {
			return fmt.Errorf("screens: %w", ErrFull)
		}
		if err := tx.QueryRow(`SELECT count(*) FROM kiosks WHERE claim = ?`, claim).Scan(&n); err != nil {
			return fmt.Errorf("read screens: %w", err)
		}
		if n > 0 {
			return fmt.Errorf("screen: %w", ErrExists)
		}
		if _, err := tx.Exec(`INSERT INTO kiosks (id, name, claim, views, rotate_s, user_agent, remote_addr, created_by, created_at, video)
			VALUES (?,?,?,?,?,?,?,?,?,?)`, k.ID, k.Name, claim, string(views), int64(k.Rotate/time.Second), k.UserAgent, k.RemoteAddr,
			string(by), millis(k.CreatedAt), k.Video); err != nil {
			return fmt.Errorf("write screen: %w", err)
		}
		if err := putGrants(tx, k.ID, k.Grants()); err != nil {
			return err
		}
		return s.audit(tx, by, "kiosk.create", "kiosk/"+k.ID, map[string]any{"sites": k.Sites, "video": k.Video})
	})
	if err != nil {
		return nil, err
	}
	return &k, nil
}

// forgetKiosks removes screens that never came, or stayed away for long.
func (s *Store) forgetKiosks(tx *sql.Tx) error {
	now := millis(s.now())
	const gone = `FROM kiosks WHERE claim IS NOT NULL AND created_at < ?1 OR claim IS NULL AND seen_at < ?2`
	args := []any{now - ClaimLife.Milliseconds(), now - KioskIdle.Milliseconds()}
	if _, err := tx.Exec(`DELETE FROM grants WHERE owner IN (SELECT id `+gone+`)`, args...); err != nil {
		return fmt.Errorf("forget screens: %w", err)
	}
	if _, err := tx.Exec(`DELETE `+gone, args...); err != nil {
		return fmt.Errorf("forget screens: %w", err)
	}
	return nil
}

// ClaimKiosk spends a claim and returns the secret for the screen's cookie.
func (s *Store) ClaimKiosk(ctx context.Context, claim []byte, remoteAddr string) (secret string, err error) {
	// Anybody may ask: a secret that nobody knows costs a read and no write.
	if list, err := s.selectKiosks(ctx, `WHERE claim = ?`, claim); err != nil || len(list) == 0 {
		return "", errors.Join(err, fmt.Errorf("screen: %w", ErrNotFound))
	}
	text, hash := newSecretText()
	now := s.now()
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var id string
		err := tx.QueryRow(`UPDATE kiosks SET claim = NULL, session = ?, seen_at = ?, remote_addr = ? WHERE claim = ? AND created_at >= ?
			RETURNING id`, hash, millis(now), clip(remoteAddr, 64), claim, millis(now.Add(-ClaimLife))).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("screen: %w", ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("claim screen: %w", err)
		}
		return s.audit(tx, Actor(id), "kiosk.claim", "kiosk/"+id, nil)
	})
	return text, err
}

// KioskBySecret returns the screen of a cookie while it is good, and notes that
// it was there.
func (s *Store) KioskBySecret(ctx context.Context, secret string) (*Kiosk, error) {
	return s.liveKiosk(ctx, `WHERE session = ?`, hashSecret(secret))
}

// KioskByID returns a screen while it is good.
func (s *Store) KioskByID(ctx context.Context, id string) (*Kiosk, error) {
	return s.liveKiosk(ctx, `WHERE session IS NOT NULL AND id = ?`, id)
}

func (s *Store) liveKiosk(ctx context.Context, where string, arg any) (*Kiosk, error) {
	list, err := s.selectKiosks(ctx, where, arg)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || s.now().Sub(list[0].SeenAt) > KioskIdle {
		return nil, fmt.Errorf("screen: %w", ErrNotFound)
	}
	if s.now().Sub(list[0].SeenAt) > touchEvery {
		s.noteUse(ctx, `UPDATE kiosks SET seen_at = ?1 WHERE id = ?2 AND seen_at < ?1`, list[0].ID)
	}
	return list[0], nil
}

// Kiosks returns screens by id after one.
func (s *Store) Kiosks(ctx context.Context, after string, limit int) ([]*Kiosk, error) {
	return s.selectKiosks(ctx, `WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
}

// Kiosk returns one screen.
func (s *Store) Kiosk(ctx context.Context, id string) (*Kiosk, error) {
	list, err := s.selectKiosks(ctx, `WHERE id = ?`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("screen %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (s *Store) selectKiosks(ctx context.Context, where string, args ...any) ([]*Kiosk, error) {
	var out []*Kiosk
	err := s.query(ctx, "screens", `SELECT id, name, views, rotate_s, user_agent, remote_addr, created_by, created_at, seen_at, video,
		coalesce((SELECT sites FROM grants g WHERE g.owner = kiosks.id), '[]') FROM kiosks `+where, args, func(r *sql.Rows) error {
		k := &Kiosk{}
		var views, sites string
		var rotate, created, seen int64
		if err := r.Scan(&k.ID, &k.Name, &views, &rotate, &k.UserAgent, &k.RemoteAddr, &k.CreatedBy, &created, &seen, &k.Video, &sites); err != nil {
			return err
		}
		k.Rotate, k.CreatedAt, k.SeenAt = time.Duration(rotate)*time.Second, fromMillis(created), fromMillis(seen)
		out = append(out, k)
		return errors.Join(json.Unmarshal([]byte(views), &k.Views), json.Unmarshal([]byte(sites), &k.Sites))
	})
	return out, err
}

// UpdateKiosk changes a screen; what it shows follows at once.
func (s *Store) UpdateKiosk(ctx context.Context, by Actor, id string, change func(*Kiosk)) (*Kiosk, error) {
	k, err := s.Kiosk(ctx, id)
	if err != nil {
		return nil, err
	}
	change(k)
	k.ID = id
	if err := k.validate(); err != nil {
		return nil, err
	}
	views, err := json.Marshal(slices.Concat([]string{}, k.Views))
	if err != nil {
		return nil, fmt.Errorf("encode views: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE kiosks SET name = ?, views = ?, rotate_s = ?, video = ? WHERE id = ?`,
			k.Name, string(views), int64(k.Rotate/time.Second), k.Video, id)
		if err != nil {
			return fmt.Errorf("write screen: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("screen %s: %w", id, ErrNotFound))
		}
		if err := putGrants(tx, id, k.Grants()); err != nil {
			return err
		}
		return s.audit(tx, by, "kiosk.update", "kiosk/"+id, map[string]any{"sites": k.Sites, "video": k.Video})
	})
	if err != nil {
		return nil, err
	}
	s.changed.announce()
	return k, nil
}

// DeleteKiosk ends a screen and all it has open.
func (s *Store) DeleteKiosk(ctx context.Context, by Actor, id string) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := deleteOwner(tx, "kiosks", "screen", id); err != nil {
			return err
		}
		return s.audit(tx, by, "kiosk.delete", "kiosk/"+id, nil)
	})
	if err == nil {
		s.changed.announce()
	}
	return err
}
