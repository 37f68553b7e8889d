package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
)

// Credential is a token that people decided about, with its value.
type Credential struct {
	access.Credential
	Token  Token
	Parent Token
	Label  string
	Order  string // work order that a pass dies with; empty: none
}

func (s *Store) loadCredentials(ctx context.Context) error {
	all := make(map[string]*access.Credential)
	err := s.query(ctx, "credentials", `SELECT id, token_id, status, expires_at, parent_token_id, max_concurrent,
		kind, person, valid_from FROM credentials`, nil, func(r *sql.Rows) error {
		c := &access.Credential{}
		var expires, from int64
		err := r.Scan(&c.ID, &c.TokenID, &c.Status, &expires, &c.ParentTokenID, &c.MaxConcurrent, &c.Kind, &c.Person, &from)
		c.ExpiresAt, c.From = fromMillis(expires), fromMillis(from)
		all[c.TokenID] = c
		return err
	})
	s.credentials.load(all)
	return err
}

// CredentialOf returns what people decided about a token, from memory.
func (s *Store) CredentialOf(tokenID string) (*access.Credential, bool) {
	return s.credentials.get(tokenID)
}

// HoldersVersion is another number after each change of a credential or a person.
func (s *Store) HoldersVersion() uint64 { return s.credentials.writes.Load() + s.people.writes.Load() }

// CredentialInput is a wish to add or change a credential.
type CredentialInput struct {
	IDToken       string
	Type          string
	Status        access.Status
	ExpiresAt     time.Time
	ParentIDToken string
	MaxConcurrent int
	Label         string
	Kind          access.Kind
	Person        string
	From          time.Time
	WorkOrder     string // of a new pass
}

func (c CredentialInput) validate() error {
	switch c.Status {
	case access.Accepted, access.Blocked, access.Expired, access.Invalid:
	default:
		return &InvalidError{"status", "must be Accepted, Blocked, Expired or Invalid"}
	}
	switch c.Kind {
	case access.RFID, access.PIN, access.Pass, access.Plate, access.Duress:
	default:
		return &InvalidError{"kind", "must be rfid, pin, pass, plate or duress"}
	}
	switch {
	case c.IDToken == "" || len(c.IDToken) > MaxTokenLength:
		return &InvalidError{"idToken", "must have 1 to 255 characters"}
	case len(c.ParentIDToken) > MaxTokenLength:
		return &InvalidError{"parentIdToken", "at most 255 characters"}
	case c.Kind == access.Duress && c.Person == "":
		return &InvalidError{"personId", "a duress code is somebody's"}
	case c.MaxConcurrent < 0:
		return &InvalidError{"maxConcurrent", "must not be negative"}
	case !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(c.From):
		return &InvalidError{"expiresAt", "must come after its begin"}
	}
	return nil
}

// CheckCredential says what is wrong with a credential that would be added, and
// whether it would be a new one; nothing is written.
func (s *Store) CheckCredential(ctx context.Context, in CredentialInput) (fresh bool, err error) {
	in.Status, in.Kind = cmp.Or(in.Status, access.Accepted), cmp.Or(in.Kind, access.RFID)
	if err := in.validate(); err != nil {
		return false, err
	}
	if in.Kind.Coded() {
		if !isPIN(in.IDToken) {
			return false, &InvalidError{"idToken", "a PIN has 4 to 8 digits"}
		}
		_, known := s.pinShown("", in.IDToken)
		return !known, nil
	}
	token, known, err := s.FindToken(ctx, in.IDToken)
	if err != nil || !known {
		return err == nil, err
	}
	_, taken := s.credentials.get(token)
	return !taken, nil
}

// PutCredential adds a credential (id empty) or changes one.
func (s *Store) PutCredential(ctx context.Context, by Actor, id string, in CredentialInput) (*Credential, error) {
	if in.Status == "" {
		in.Status = access.Accepted
	}
	if in.Kind == "" {
		in.Kind = access.RFID
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	made, sealed := id == "", ""
	if made {
		id = newID("c-")
		if in.Kind.Coded() {
			var err error
			if sealed, err = s.takePIN(id, &in); err != nil {
				return nil, err
			}
		}
	}
	token, err := s.Intern(ctx, in.Type, in.IDToken)
	if err != nil {
		return nil, err
	}
	parent, err := s.Intern(ctx, "", in.ParentIDToken)
	if err != nil {
		return nil, err
	}
	defer s.lock(token).Unlock()
	c := access.Credential{
		ID: id, TokenID: token, Status: in.Status, ExpiresAt: in.ExpiresAt, ParentTokenID: parent,
		MaxConcurrent: in.MaxConcurrent, Kind: in.Kind, Person: in.Person, From: in.From,
	}
	action := "credential.update"
	if have, ok := s.credentials.get(token); made {
		if ok {
			return nil, fmt.Errorf("credential %s: %w", have.ID, ErrExists)
		}
		if token == OverflowToken || s.credentials.len() >= MaxCredentials {
			return nil, fmt.Errorf("credentials: %w", ErrFull)
		}
		action = "credential.create"
	} else if !ok || have.ID != id {
		return nil, &InvalidError{"idToken", "the token of a credential cannot be changed"}
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if c.Person != "" {
			if ok, err := exists(tx, "people", c.Person); err != nil || !ok {
				return errors.Join(err, &InvalidError{"person", "is not known"})
			}
		}
		if made && c.Kind == access.Duress {
			if err := standsBesidePIN(tx, c.Person); err != nil {
				return err
			}
		}
		order := in.WorkOrder
		if !made {
			if err := tx.QueryRow(`SELECT work_order FROM credentials WHERE id = ?`, id).Scan(&order); err != nil {
				return fmt.Errorf("read credential: %w", err)
			}
		}
		if c.Status == access.Accepted {
			if err := passLives(tx, order); err != nil {
				return err
			}
		}
		now := millis(s.now())
		_, err := tx.Exec(`INSERT INTO credentials (id, token_id, status, expires_at, parent_token_id, max_concurrent,
			label, kind, person, valid_from, created_at, updated_at, work_order, pin) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET
			status=excluded.status, expires_at=excluded.expires_at, parent_token_id=excluded.parent_token_id,
			max_concurrent=excluded.max_concurrent, label=excluded.label,
			kind=excluded.kind, person=excluded.person, valid_from=excluded.valid_from, updated_at=excluded.updated_at`,
			c.ID, token, string(c.Status), millis(c.ExpiresAt), parent, c.MaxConcurrent, in.Label,
			string(c.Kind), c.Person, millis(c.From), now, now, order, sealed)
		if err != nil {
			return fmt.Errorf("write credential: %w", err)
		}
		return s.audit(tx, by, action, "credential/"+c.ID, map[string]any{"status": c.Status, "idToken": token})
	})
	if err != nil {
		return nil, err
	}
	s.credentials.set(token, &c)
	if sealed != "" {
		s.knowPIN(in.IDToken, token)
	}
	return s.Credential(ctx, c.ID)
}

// LoseCredential blocks a credential that was lost. With a value another of its
// kind takes its place, with the same person, group and limits; a value that is
// decided about already is refused before anything is done.
func (s *Store) LoseCredential(ctx context.Context, by Actor, id, value string) (lost, fresh *Credential, err error) {
	was, err := s.Credential(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "":
	case was.Kind == access.Pass:
		return nil, nil, &InvalidError{"idToken", "a pass is made for a work order"}
	case was.Kind.Coded():
		if _, known := s.pinShown("", value); known || !isPIN(value) {
			return nil, nil, &InvalidError{"idToken", "4 to 8 digits that nobody else has"}
		}
	default:
		token, err := s.Intern(ctx, was.Token.Type, value)
		if err != nil {
			return nil, nil, err
		}
		if _, known := s.credentials.get(token); known {
			return nil, nil, &InvalidError{"idToken", "has been decided about already"}
		}
	}
	same := was.Wish()
	same.Status = access.Blocked
	if lost, err = s.PutCredential(ctx, by, id, same); err != nil || value == "" {
		return lost, nil, err
	}
	same.IDToken, same.Status = value, access.Accepted
	if was.Kind.Coded() {
		same.Type = ""
	}
	fresh, err = s.PutCredential(ctx, by, "", same)
	return lost, fresh, err
}

// Wish is what a credential is, as a wish to change it.
func (c *Credential) Wish() CredentialInput {
	return CredentialInput{
		IDToken: c.Token.Value, Type: c.Token.Type, Status: c.Status, ExpiresAt: c.ExpiresAt, ParentIDToken: c.Parent.Value,
		MaxConcurrent: c.MaxConcurrent, Label: c.Label, Kind: c.Kind, Person: c.Person, From: c.From,
	}
}

// DeleteCredential removes a credential; its token is unknown again.
func (s *Store) DeleteCredential(ctx context.Context, by Actor, id string) error {
	var token string
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`DELETE FROM credentials WHERE id = ? RETURNING token_id`, id).Scan(&token)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("credential %s: %w", id, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("delete credential: %w", err)
		}
		return s.audit(tx, by, "credential.delete", "credential/"+id, nil)
	})
	if err == nil {
		s.credentials.drop(token)
		s.forgetPIN(token)
	}
	return err
}

// Credential returns one credential with its values.
func (s *Store) Credential(ctx context.Context, id string) (*Credential, error) {
	list, err := s.selectCredentials(ctx, `WHERE id = ?`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("credential %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// CredentialsOf returns the credentials of a person.
func (s *Store) CredentialsOf(ctx context.Context, person string) ([]*Credential, error) {
	return s.selectCredentials(ctx, `WHERE person = ? ORDER BY id`, person)
}

// Credentials returns credentials by id, after one, matching a token value or
// label if the search is not empty.
func (s *Store) Credentials(ctx context.Context, search, after string, limit int) ([]*Credential, error) {
	return s.selectCredentials(ctx, `WHERE id > ?1 AND (?2 = '' OR instr(lower(label), lower(?2)) > 0 OR token_id IN
		(SELECT id FROM tokens WHERE instr(folded, lower(?2)) > 0)) ORDER BY id LIMIT ?3`, after, search, limit)
}

func (s *Store) selectCredentials(ctx context.Context, where string, args ...any) ([]*Credential, error) {
	var out []*Credential
	var ids []string
	err := s.query(ctx, "credentials", `SELECT id, token_id, status, expires_at, parent_token_id, max_concurrent, label,
		kind, person, valid_from, work_order FROM credentials `+where, args, func(r *sql.Rows) error {
		c := &Credential{}
		var expires, from int64
		err := r.Scan(&c.ID, &c.TokenID, &c.Status, &expires, &c.ParentTokenID, &c.MaxConcurrent, &c.Label, &c.Kind, &c.Person, &from, &c.Order)
		c.ExpiresAt, c.From = fromMillis(expires), fromMillis(from)
		out = append(out, c)
		ids = append(ids, c.TokenID, c.ParentTokenID)
		return err
	})
	if err != nil {
		return nil, err
	}
	values, err := s.Tokens(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for _, c := range out {
		c.Token, c.Parent = values[c.TokenID], values[c.ParentTokenID]
	}
	return out, nil
}

// Lookup is what the plug asks: the opaque id of a token and the decision about
// it, if there is one.
func (s *Store) Lookup(ctx context.Context, typ, value string) (tokenID string, c *access.Credential, err error) {
	tokenID, err = s.Intern(ctx, typ, value)
	if err != nil || tokenID == "" {
		return "", nil, err
	}
	c, _ = s.credentials.get(tokenID)
	return tokenID, c, nil
}

// TokenByID returns one token; ok is false when it is unknown or erased.
func (s *Store) TokenByID(ctx context.Context, id string) (Token, bool, error) {
	m, err := s.Tokens(ctx, id)
	t, ok := m[id]
	return t, ok, err
}

func (t Token) String() string { return "token " + t.ID }

// Mask hides all but the last two characters of a token value.
func Mask(value string) string {
	if len(value) <= 4 {
		return strings.Repeat("*", len(value))
	}
	return strings.Repeat("*", len(value)-2) + value[len(value)-2:]
}
