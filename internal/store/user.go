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

// Role is a word of the role table; what it may do is decided where requests
// come in.
type Role string

// The roles.
const (
	RoleViewer     Role = "viewer"
	RoleHost       Role = "host"
	RoleTechnician Role = "technician"
	RoleOperator   Role = "operator"
	RoleSecurity   Role = "security"
	RoleAdmin      Role = "admin"
)

// Roles returns all roles.
func Roles() []Role {
	return []Role{RoleViewer, RoleHost, RoleTechnician, RoleOperator, RoleSecurity, RoleAdmin}
}

// SeesPeople reports a role that is shown who went where, and so also who is threatened.
func (r Role) SeesPeople() bool { return r == RoleOperator || r == RoleSecurity || r == RoleAdmin }

// AllSites in a grant stands for every site and for what has no site.
const AllSites = "*"

// Grant is a role at sites.
type Grant struct {
	Role  Role     `json:"role"`
	Sites []string `json:"sites"`
}

// User is a person who may sign in. The password is a hash in the caller's
// form, empty when none was set.
type User struct {
	ID        string
	Name      string
	Password  string
	MustSet   bool // has to set a password before anything else
	Disabled  bool
	CreatedAt time.Time
	Grants    []Grant
	// SignedInAt outlives the session that began then; SeenAt is the last use of
	// one of the Sessions that still live.
	SignedInAt time.Time
	SeenAt     time.Time
	Sessions   int
}

func validGrants(grants []Grant) error {
	seen := make(map[Role]bool)
	for i, g := range grants {
		path := fmt.Sprintf("grants[%d]", i)
		switch {
		case !slices.Contains(Roles(), g.Role):
			return &InvalidError{path + ".role", "no such role"}
		case seen[g.Role]:
			return &InvalidError{path + ".role", "used twice"}
		case len(g.Sites) == 0 || len(g.Sites) > 1000:
			return &InvalidError{path + ".sites", `name 1 to 1000 sites, or "*"`}
		}
		seen[g.Role] = true
	}
	return nil
}

// deleteOwner removes the row of someone who holds grants, and the grants.
// The table is one of ours, never what somebody sent.
func deleteOwner(tx *sql.Tx, table, what, id string) error {
	res, err := tx.Exec(`DELETE FROM `+table+` WHERE id = ?`, id)
	if err != nil {
		return fmt.Errorf("delete %s: %w", what, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("%s %s: %w", what, id, ErrNotFound))
	}
	if _, err := tx.Exec(`DELETE FROM grants WHERE owner = ?`, id); err != nil {
		return fmt.Errorf("delete grants: %w", err)
	}
	return nil
}

func putGrants(tx *sql.Tx, owner string, grants []Grant) error {
	if _, err := tx.Exec(`DELETE FROM grants WHERE owner = ?`, owner); err != nil {
		return fmt.Errorf("write grants: %w", err)
	}
	for _, g := range grants {
		sites, err := json.Marshal(g.Sites)
		if err != nil {
			return fmt.Errorf("encode grant: %w", err)
		}
		if _, err := tx.Exec(`INSERT INTO grants (owner, role, sites) VALUES (?,?,?)`,
			owner, string(g.Role), string(sites)); err != nil {
			return fmt.Errorf("write grants: %w", err)
		}
	}
	return nil
}

func (s *Store) grantsOf(ctx context.Context, owner string) ([]Grant, error) {
	var out []Grant
	err := s.query(ctx, "grants", `SELECT role, sites FROM grants WHERE owner = ? ORDER BY role`, []any{owner},
		func(r *sql.Rows) error {
			var g Grant
			var sites string
			if err := r.Scan(&g.Role, &sites); err != nil {
				return err
			}
			out = append(out, g)
			return json.Unmarshal([]byte(sites), &out[len(out)-1].Sites)
		})
	return out, err
}

// CreateUser adds a person.
func (s *Store) CreateUser(ctx context.Context, by Actor, u User) (*User, error) {
	u.Name = strings.TrimSpace(u.Name)
	if u.Name == "" || len(u.Name) > 64 {
		return nil, &InvalidError{"name", "must have 1 to 64 characters"}
	}
	if err := validGrants(u.Grants); err != nil {
		return nil, err
	}
	u.ID, u.CreatedAt = newID("u-"), fromMillis(millis(s.now()))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM users WHERE name = ?`, u.Name).Scan(&n); err != nil {
			return fmt.Errorf("read users: %w", err)
		}
		if n > 0 {
			return fmt.Errorf("user: %w", ErrExists)
		}
		if err := tx.QueryRow(`SELECT count(*) FROM users`).Scan(&n); err != nil {
			return fmt.Errorf("count users: %w", err)
		}
		if n >= MaxUsers {
			return fmt.Errorf("users: %w", ErrFull)
		}
		if _, err := tx.Exec(`INSERT INTO users (id, name, password, must_set, disabled, created_at) VALUES (?,?,?,?,?,?)`,
			u.ID, u.Name, u.Password, u.MustSet, u.Disabled, millis(u.CreatedAt)); err != nil {
			return fmt.Errorf("write user: %w", err)
		}
		if err := putGrants(tx, u.ID, u.Grants); err != nil {
			return err
		}
		return s.audit(tx, by, "user.create", "user/"+u.ID, map[string]any{"grants": u.Grants})
	})
	if err != nil {
		return nil, err
	}
	return &u, nil
}

// UpdateUser changes a person. The last administrator of everything can be
// neither disabled nor demoted.
func (s *Store) UpdateUser(ctx context.Context, by Actor, id string, change func(*User)) (*User, error) {
	u, err := s.User(ctx, id)
	if err != nil {
		return nil, err
	}
	change(u)
	u.ID, u.Name = id, strings.TrimSpace(u.Name)
	if u.Name == "" || len(u.Name) > 64 {
		return nil, &InvalidError{"name", "must have 1 to 64 characters"}
	}
	if err := validGrants(u.Grants); err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM users WHERE name = ? AND id <> ?`, u.Name, id).Scan(&n); err != nil {
			return fmt.Errorf("read users: %w", err)
		}
		if n > 0 {
			return fmt.Errorf("user: %w", ErrExists)
		}
		if _, err := tx.Exec(`UPDATE users SET name = ?, disabled = ? WHERE id = ?`, u.Name, u.Disabled, id); err != nil {
			return fmt.Errorf("write user: %w", err)
		}
		if err := putGrants(tx, id, u.Grants); err != nil {
			return err
		}
		if u.Disabled {
			if _, err := tx.Exec(`DELETE FROM web_sessions WHERE user_id = ?`, id); err != nil {
				return fmt.Errorf("end sessions: %w", err)
			}
		}
		if err := keepAdmin(tx); err != nil {
			return err
		}
		return s.audit(tx, by, "user.update", "user/"+id, map[string]any{"grants": u.Grants, "disabled": u.Disabled})
	})
	if err != nil {
		return nil, err
	}
	s.changed.announce()
	return u, nil
}

// DeleteUser forgets a person: the name, the password, sessions and grants.
func (s *Store) DeleteUser(ctx context.Context, by Actor, id string) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := deleteOwner(tx, "users", "user", id); err != nil {
			return err
		}
		if err := keepAdmin(tx); err != nil {
			return err
		}
		return s.audit(tx, by, "user.delete", "user/"+id, nil)
	})
	if err == nil {
		s.changed.announce()
	}
	return err
}

// keepAdmin fails a change that leaves nobody to administer the rest.
func keepAdmin(tx *sql.Tx) error {
	var n int
	err := tx.QueryRow(`SELECT count(*) FROM users u JOIN grants g ON g.owner = u.id
		WHERE NOT u.disabled AND g.role = 'admin' AND g.sites LIKE '%"*"%'`).Scan(&n)
	if err != nil {
		return fmt.Errorf("count administrators: %w", err)
	}
	if n == 0 {
		return &InUseError{"this is the last administrator of all sites; make another one first"}
	}
	return nil
}

// SetPassword stores a new hash and ends the person's other sessions.
func (s *Store) SetPassword(ctx context.Context, by Actor, id, hash string, keep []byte) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE users SET password = ?, must_set = 0 WHERE id = ?`, hash, id)
		if err != nil {
			return fmt.Errorf("write password: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("user %s: %w", id, ErrNotFound))
		}
		if _, err := tx.Exec(`DELETE FROM web_sessions WHERE user_id = ? AND hash IS NOT ?`, id, keep); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		if _, err := tx.Exec(`UPDATE web_sessions SET reauth_at = ? WHERE user_id = ?`, millis(s.now()), id); err != nil {
			return fmt.Errorf("write session: %w", err)
		}
		return s.audit(tx, by, "user.password", "user/"+id, nil)
	})
	if err == nil {
		s.changed.announce()
	}
	return err
}

// User returns one person.
func (s *Store) User(ctx context.Context, id string) (*User, error) {
	return s.oneUser(ctx, `WHERE id = ?3`, id)
}

// UserByName returns the person who signs in by that name.
func (s *Store) UserByName(ctx context.Context, name string) (*User, error) {
	return s.oneUser(ctx, `WHERE name = ?3`, strings.TrimSpace(name))
}

func (s *Store) oneUser(ctx context.Context, where string, args ...any) (*User, error) {
	list, err := s.selectUsers(ctx, where, args...)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("user: %w", ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Users returns people by id after one.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]*User, error) {
	return s.selectUsers(ctx, `WHERE id > ?3 ORDER BY id LIMIT ?4`, after, limit)
}

// PersonBehind is who stands behind an actor: a user, or who made the token, however many
// tokens lie between.
func (s *Store) PersonBehind(ctx context.Context, by Actor) (Actor, bool) {
	const most = 10
	for range most {
		if _, err := s.User(ctx, string(by)); err == nil {
			return by, true
		}
		t, err := s.APITokenByID(ctx, string(by))
		if err != nil {
			return by, false
		}
		by = t.CreatedBy
	}
	return by, false
}

// UserNames returns the names behind opaque ids; forgotten people are left out.
func (s *Store) UserNames(ctx context.Context, ids []string) (map[string]string, error) {
	out := make(map[string]string)
	for part := range slices.Chunk(ids, 300) {
		args := make([]any, 0, 3*len(part))
		for range 3 {
			for _, id := range part {
				args = append(args, id)
			}
		}
		marks := strings.TrimSuffix(strings.Repeat("?,", len(part)), ",")
		err := s.query(ctx, "names", `SELECT id, name FROM users WHERE id IN (`+marks+`)
			UNION ALL SELECT id, name FROM api_tokens WHERE id IN (`+marks+`)
			UNION ALL SELECT id, name FROM kiosks WHERE id IN (`+marks+`)`, args, func(r *sql.Rows) error {
			var id, name string
			err := r.Scan(&id, &name)
			out[id] = name
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) selectUsers(ctx context.Context, where string, args ...any) ([]*User, error) {
	var out []*User
	now := millis(s.now())
	args = append([]any{now - SessionIdle.Milliseconds(), now - SessionLife.Milliseconds()}, args...)
	err := s.query(ctx, "users", `SELECT id, name, password, must_set, disabled, created_at, signed_in_at,
		coalesce((SELECT max(seen_at) FROM web_sessions w WHERE w.user_id = users.id), 0),
		(SELECT count(*) FROM web_sessions w WHERE w.user_id = users.id AND w.seen_at >= ?1 AND w.created_at >= ?2)
		FROM users `+where, args,
		func(r *sql.Rows) error {
			u := &User{}
			var created, signedIn, seen int64
			err := r.Scan(&u.ID, &u.Name, &u.Password, &u.MustSet, &u.Disabled, &created, &signedIn, &seen, &u.Sessions)
			u.CreatedAt, u.SignedInAt, u.SeenAt = fromMillis(created), fromMillis(signedIn), fromMillis(seen)
			out = append(out, u)
			return err
		})
	if err != nil {
		return nil, err
	}
	for _, u := range out {
		if u.Grants, err = s.grantsOf(ctx, u.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ResetPassword takes a person's password away and ends their sessions; a
// one-time link lets them in to set another.
func (s *Store) ResetPassword(ctx context.Context, by Actor, id string) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE users SET password = '', must_set = 1 WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("write password: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("user %s: %w", id, ErrNotFound))
		}
		if _, err := tx.Exec(`DELETE FROM web_sessions WHERE user_id = ?`, id); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		return s.audit(tx, by, "user.reset", "user/"+id, nil)
	})
	if err == nil {
		s.changed.announce()
	}
	return err
}
