package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// Bounds of sign-in records.
const (
	// SessionIdle and SessionLife end a session that is not used, or old.
	SessionIdle = 12 * time.Hour
	SessionLife = 14 * 24 * time.Hour
	// LinkLife is how long a one-time link is good.
	LinkLife = 24 * time.Hour

	maxSessionsPerUser = 32
	maxAPITokens       = 1000
	touchEvery         = time.Minute
	apiTokenPrefix     = "cw_"
)

// WebSession is a signed-in browser. ID is the hash of its secret.
type WebSession struct {
	ID         []byte
	UserID     string
	CreatedAt  time.Time
	SeenAt     time.Time
	ReauthAt   time.Time // when the password was last given; zero: never
	RemoteAddr string
	Agent      string // what the browser said of itself
}

// Browser is where somebody signs in.
type Browser struct{ Addr, Agent string }

func newSecretText() (text string, hash []byte) {
	var b [32]byte
	rand.Read(b[:]) //nolint:errcheck // documented never to fail
	text = base64.RawURLEncoding.EncodeToString(b[:])
	return text, hashSecret(text)
}

// hashSecret needs no salt: what it hashes has 256 random bits.
func hashSecret(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// CreateSession signs a person in and returns the secret for the cookie.
// withPassword says that the password was given just now.
func (s *Store) CreateSession(ctx context.Context, userID string, from Browser, withPassword bool) (string, error) {
	text, hash := newSecretText()
	now := millis(s.now())
	reauth := int64(0)
	if withPassword {
		reauth = now
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM web_sessions WHERE seen_at < ? OR created_at < ?`,
			now-SessionIdle.Milliseconds(), now-SessionLife.Milliseconds()); err != nil {
			return fmt.Errorf("end old sessions: %w", err)
		}
		if _, err := tx.Exec(`DELETE FROM web_sessions WHERE hash IN (SELECT hash FROM web_sessions WHERE user_id = ?
			ORDER BY seen_at DESC LIMIT -1 OFFSET ?)`, userID, maxSessionsPerUser-1); err != nil {
			return fmt.Errorf("end surplus sessions: %w", err)
		}
		_, err := tx.Exec(`INSERT INTO web_sessions (hash, user_id, created_at, seen_at, reauth_at, remote_addr, agent)
			VALUES (?,?,?,?,?,?,?)`, hash, userID, now, now, reauth, clip(from.Addr, 64), clip(from.Agent, 256))
		if err != nil {
			return fmt.Errorf("write session: %w", err)
		}
		if _, err := tx.Exec(`UPDATE users SET signed_in_at = ? WHERE id = ?`, now, userID); err != nil {
			return fmt.Errorf("note sign-in: %w", err)
		}
		return s.audit(tx, Actor(userID), "signin", "user/"+userID, map[string]any{"password": withPassword})
	})
	return text, err
}

// Session returns the session of a secret and its person, if both are still
// good, and notes that it was used.
func (s *Store) Session(ctx context.Context, secret string) (*WebSession, *User, error) {
	return s.SessionByID(ctx, hashSecret(secret))
}

// SessionByID is Session by hash.
func (s *Store) SessionByID(ctx context.Context, id []byte) (*WebSession, *User, error) {
	w := &WebSession{ID: id}
	found := false
	err := s.query(ctx, "session", `SELECT user_id, created_at, seen_at, reauth_at, remote_addr FROM web_sessions
		WHERE hash = ?`, []any{id}, func(r *sql.Rows) error {
		var created, seen, reauth int64
		err := r.Scan(&w.UserID, &created, &seen, &reauth, &w.RemoteAddr)
		w.CreatedAt, w.SeenAt, w.ReauthAt = fromMillis(created), fromMillis(seen), fromMillis(reauth)
		found = true
		return err
	})
	now := s.now()
	if err == nil && (!found || now.Sub(w.SeenAt) > SessionIdle || now.Sub(w.CreatedAt) > SessionLife) {
		err = fmt.Errorf("session: %w", ErrNotFound)
	}
	if err != nil {
		return nil, nil, err
	}
	u, err := s.User(ctx, w.UserID)
	if err == nil && u.Disabled {
		err = fmt.Errorf("user: %w", ErrNotFound)
	}
	if err != nil {
		return nil, nil, err
	}
	if now.Sub(w.SeenAt) > touchEvery {
		s.noteUse(ctx, `UPDATE web_sessions SET seen_at = ?1 WHERE hash = ?2 AND seen_at < ?1`, id)
	}
	return w, u, nil
}

// noteUse is best effort: people can still look when the disk is full.
func (s *Store) noteUse(ctx context.Context, text string, key any) {
	if err := s.touch(ctx, text, key); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "last use not written", "err", err)
	}
}

func (s *Store) touch(ctx context.Context, text string, key any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(text, millis(s.now()), key); err != nil {
			return fmt.Errorf("note use: %w", err)
		}
		return nil
	})
}

// Reauthenticated notes that the person gave the password again.
func (s *Store) Reauthenticated(ctx context.Context, w *WebSession) error {
	return s.touch(ctx, `UPDATE web_sessions SET reauth_at = ?1 WHERE hash = ?2`, w.ID)
}

// EndSession signs a browser out.
func (s *Store) EndSession(ctx context.Context, w *WebSession) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM web_sessions WHERE hash = ?`, w.ID); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		return s.audit(tx, Actor(w.UserID), "signout", "user/"+w.UserID, nil)
	})
	if err == nil {
		s.changed.announce()
	}
	return err
}

// SessionsOf returns where a person is signed in, the last used first.
func (s *Store) SessionsOf(ctx context.Context, userID string) ([]*WebSession, error) {
	var out []*WebSession
	now := millis(s.now())
	err := s.query(ctx, "sessions", `SELECT hash, user_id, created_at, seen_at, remote_addr, agent FROM web_sessions
		WHERE user_id = ? AND seen_at >= ? AND created_at >= ? ORDER BY seen_at DESC, hash`,
		[]any{userID, now - SessionIdle.Milliseconds(), now - SessionLife.Milliseconds()}, func(r *sql.Rows) error {
			w := &WebSession{}
			var created, seen int64
			err := r.Scan(&w.ID, &w.UserID, &created, &seen, &w.RemoteAddr, &w.Agent)
			w.CreatedAt, w.SeenAt = fromMillis(created), fromMillis(seen)
			out = append(out, w)
			return err
		})
	return out, err
}

// EndSessions signs a person out everywhere but in the session that is kept,
// and returns how many sessions that were.
func (s *Store) EndSessions(ctx context.Context, by Actor, userID string, keep []byte) (int64, error) {
	var n int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`DELETE FROM web_sessions WHERE user_id = ? AND hash IS NOT ?`, userID, keep)
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		if n, err = res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.audit(tx, by, "signout.others", "user/"+userID, map[string]any{"sessions": n})
	})
	if err == nil {
		s.changed.announce()
	}
	return n, err
}

// APIToken lets a script in. The secret is shown once, when it is made.
type APIToken struct {
	ID        string
	Name      string
	Grants    []Grant
	CreatedBy Actor
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time
}

// CreateAPIToken makes a token and returns its secret.
func (s *Store) CreateAPIToken(ctx context.Context, by Actor, t APIToken) (*APIToken, string, error) {
	if t.Name == "" || len(t.Name) > 64 {
		return nil, "", &InvalidError{"name", "must have 1 to 64 characters"}
	}
	if len(t.Grants) == 0 {
		return nil, "", &InvalidError{"grants", "at least one"}
	}
	if err := validGrants(t.Grants); err != nil {
		return nil, "", err
	}
	text, _ := newSecretText()
	text = apiTokenPrefix + text
	t.ID, t.CreatedBy, t.CreatedAt = newID("k-"), by, fromMillis(millis(s.now()))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM api_tokens`).Scan(&n); err != nil {
			return fmt.Errorf("count tokens: %w", err)
		}
		if n >= maxAPITokens {
			return fmt.Errorf("API tokens: %w", ErrFull)
		}
		_, err := tx.Exec(`INSERT INTO api_tokens (id, name, hash, created_by, created_at, expires_at) VALUES (?,?,?,?,?,?)`,
			t.ID, t.Name, hashSecret(text), string(by), millis(t.CreatedAt), millis(t.ExpiresAt))
		if err != nil {
			return fmt.Errorf("write token: %w", err)
		}
		if err := putGrants(tx, t.ID, t.Grants); err != nil {
			return err
		}
		return s.audit(tx, by, "token.create", "token/"+t.ID, map[string]any{"grants": t.Grants})
	})
	if err != nil {
		return nil, "", err
	}
	return &t, text, nil
}

// APITokenBySecret returns the token of a secret while it is good.
func (s *Store) APITokenBySecret(ctx context.Context, secret string) (*APIToken, error) {
	return s.liveToken(ctx, `WHERE hash = ?`, hashSecret(secret))
}

// APITokenByID returns a token while it is good.
func (s *Store) APITokenByID(ctx context.Context, id string) (*APIToken, error) {
	return s.liveToken(ctx, `WHERE id = ?`, id)
}

func (s *Store) liveToken(ctx context.Context, where string, arg any) (*APIToken, error) {
	list, err := s.selectTokens(ctx, where, arg)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || !list[0].ExpiresAt.IsZero() && !s.now().Before(list[0].ExpiresAt) {
		return nil, fmt.Errorf("API token: %w", ErrNotFound)
	}
	t := list[0]
	if s.now().Sub(t.UsedAt) > touchEvery {
		s.noteUse(ctx, `UPDATE api_tokens SET used_at = ?1 WHERE id = ?2`, t.ID)
	}
	return t, nil
}

// APITokens returns tokens by id after one.
func (s *Store) APITokens(ctx context.Context, after string, limit int) ([]*APIToken, error) {
	return s.selectTokens(ctx, `WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
}

func (s *Store) selectTokens(ctx context.Context, where string, args ...any) ([]*APIToken, error) {
	var out []*APIToken
	err := s.query(ctx, "API tokens", `SELECT id, name, created_by, created_at, expires_at, used_at FROM api_tokens `+where,
		args, func(r *sql.Rows) error {
			t := &APIToken{}
			var created, expires, used int64
			err := r.Scan(&t.ID, &t.Name, &t.CreatedBy, &created, &expires, &used)
			t.CreatedAt, t.ExpiresAt, t.UsedAt = fromMillis(created), fromMillis(expires), fromMillis(used)
			out = append(out, t)
			return err
		})
	if err != nil {
		return nil, err
	}
	for _, t := range out {
		if t.Grants, err = s.grantsOf(ctx, t.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// DeleteAPIToken ends a token.
func (s *Store) DeleteAPIToken(ctx context.Context, by Actor, id string) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := deleteOwner(tx, "api_tokens", "API token", id); err != nil {
			return err
		}
		return s.audit(tx, by, "token.delete", "token/"+id, nil)
	})
	if err == nil {
		s.changed.announce()
	}
	return err
}

// CreateLink makes a one-time sign-in link for a person and returns its
// secret. Earlier links of that person stop working.
func (s *Store) CreateLink(ctx context.Context, by Actor, userID string) (string, error) {
	text, hash := newSecretText()
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM signin_links WHERE user_id = ? OR expires_at < ?`, userID, millis(s.now())); err != nil {
			return fmt.Errorf("end earlier links: %w", err)
		}
		if _, err := tx.Exec(`INSERT INTO signin_links (hash, user_id, expires_at) VALUES (?,?,?)`,
			hash, userID, millis(s.now().Add(LinkLife))); err != nil {
			return fmt.Errorf("write link: %w", err)
		}
		return s.audit(tx, by, "link.create", "user/"+userID, nil)
	})
	return text, err
}

// UseLink spends a one-time link and returns whom it was for.
func (s *Store) UseLink(ctx context.Context, secret string) (*User, error) {
	var id string
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var expires int64
		err := tx.QueryRow(`DELETE FROM signin_links WHERE hash = ? RETURNING user_id, expires_at`,
			hashSecret(secret)).Scan(&id, &expires)
		if errors.Is(err, sql.ErrNoRows) || err == nil && millis(s.now()) >= expires {
			id = ""
			return nil // an expired one is spent too
		}
		if err != nil {
			return fmt.Errorf("use link: %w", err)
		}
		return s.audit(tx, Actor(id), "link.use", "user/"+id, nil)
	})
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, fmt.Errorf("link: %w", ErrNotFound)
	}
	u, err := s.User(ctx, id)
	if err == nil && u.Disabled {
		err = fmt.Errorf("user: %w", ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// FirstAdmin returns the secret of a fresh one-time link while nobody has ever
// set a password or, with demo, always; else an empty text. It makes the first
// administrator if there is no user at all. Without demo that person must set a
// password before anything else.
func (s *Store) FirstAdmin(ctx context.Context, demo bool) (string, error) {
	var user string
	ready := false
	err := s.query(ctx, "users", `SELECT u.id, u.password <> '' FROM users u JOIN grants g ON g.owner = u.id
		WHERE g.role = 'admin' AND g.sites LIKE '%"*"%' AND NOT u.disabled ORDER BY u.created_at, u.id`, nil,
		func(r *sql.Rows) error {
			var id string
			var set bool
			err := r.Scan(&id, &set)
			if user == "" {
				user = id
			}
			ready = ready || set
			return err
		})
	if err != nil || ready && !demo {
		return "", err
	}
	if user == "" {
		u, err := s.CreateUser(ctx, System, User{
			Name: "admin", MustSet: !demo, Grants: []Grant{{Role: RoleAdmin, Sites: []string{AllSites}}},
		})
		if err != nil {
			return "", fmt.Errorf("create the first administrator: %w", err)
		}
		user = u.ID
	}
	return s.CreateLink(ctx, System, user)
}
