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
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/access"
)

// Person is somebody with credentials. The name stands in its own row only, and
// events carry the id: whoever is erased is nobody's name any more.
type Person struct {
	access.Person
	Name      string    `json:"-"`
	Mail      string    `json:"mail,omitempty"`
	Phone     string    `json:"phone,omitempty"`
	Note      string    `json:"note,omitempty"`
	ChangedAt time.Time `json:"-"`
	// Credentials is how many the person has in a list, Blocked those of them that
	// are not accepted.
	Credentials int `json:"-"`
	Blocked     int `json:"-"`
}

// PersonStatus is whether a person may anything at all.
type PersonStatus string

// The statuses of people.
const (
	PersonActive    PersonStatus = "active"
	PersonSuspended PersonStatus = "suspended"
	PersonOver      PersonStatus = "over" // the time here has ended
)

// PeopleQuery selects people by name; empty fields select all.
type PeopleQuery struct {
	Text               string // in name, mail or phone
	Group, Company     string
	Status             PersonStatus
	AfterName, AfterID string
	Limit              int
}

// Bounds of people.
const (
	MaxPeople     = 100_000
	maxPersonText = 200
	maxPersonNote = 2000
	maxGroupsOf   = 50
)

func (s *Store) loadPeople(ctx context.Context) error {
	all := make(map[string]*access.Person)
	list, err := s.selectPeople(ctx, "")
	for i := range list {
		all[list[i].ID] = &list[i].Person
	}
	s.people.load(all)
	return err
}

func (x *Person) validate() error {
	if x.Name = strings.TrimSpace(x.Name); x.Name == "" || utf8.RuneCountInString(x.Name) > maxPersonText || !readable(x.Name, false) {
		return &InvalidError{"name", "1 to 200 printable characters"}
	}
	if len(x.Mail) > maxPersonText || !readable(x.Mail, false) {
		return &InvalidError{"mail", "at most 200 printable characters"}
	}
	if len(x.Phone) > maxPersonText || !readable(x.Phone, false) {
		return &InvalidError{"phone", "at most 200 printable characters"}
	}
	if utf8.RuneCountInString(x.Note) > maxPersonNote || !readable(x.Note, true) {
		return &InvalidError{"note", "at most 2,000 printable characters"}
	}
	if len(x.Groups) > maxGroupsOf {
		return &InvalidError{"groups", fmt.Sprintf("at most %d", maxGroupsOf)}
	}
	slices.Sort(x.Groups)
	x.Groups = slices.Compact(x.Groups)
	return nil
}

// CheckPerson says what is wrong with somebody who would be added.
func (s *Store) CheckPerson(x Person) error { return x.validate() }

// known refuses groups and companies that are not there.
func (x *Person) known(tx *sql.Tx) error {
	for i, g := range x.Groups {
		if ok, err := exists(tx, Groups, g); err != nil || !ok {
			return errors.Join(err, &InvalidError{fmt.Sprintf("groups[%d]", i), "is not known"})
		}
	}
	if x.Company != "" {
		if ok, err := exists(tx, Companies, x.Company); err != nil || !ok {
			return errors.Join(err, &InvalidError{"company", "is not known"})
		}
	}
	return nil
}

func exists(tx *sql.Tx, table AccessTable, id string) (bool, error) {
	var one int
	err := tx.QueryRow(`SELECT 1 FROM `+string(table)+` WHERE id = ?`, id).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", id, err)
	}
	return true, nil
}

// SavePerson adds a person (id empty) or changes one.
func (s *Store) SavePerson(ctx context.Context, by Actor, x Person) (*Person, error) {
	if err := x.validate(); err != nil {
		return nil, err
	}
	made := x.ID == ""
	if made {
		x.ID = newID("p-")
	}
	defer s.lock("person/" + x.ID).Unlock()
	x.ChangedAt = fromMillis(millis(s.now()))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := x.known(tx); err != nil {
			return err
		}
		if err := putDocument(tx, "people", MaxPeople, made, x.ID, x.Name, x, x.ChangedAt); err != nil {
			return err
		}
		return s.audit(tx, by, "person.save", "person/"+x.ID, map[string]any{"groups": x.Groups, "company": x.Company, "suspended": x.Suspended})
	})
	if err != nil {
		return nil, err
	}
	who := x.Person
	s.people.set(x.ID, &who)
	return &x, nil
}

// PersonOf returns what decisions need of a person, from memory.
func (s *Store) PersonOf(id string) (*access.Person, bool) { return s.people.get(id) }

// Person returns one person.
func (s *Store) Person(ctx context.Context, id string) (*Person, error) {
	list, err := s.selectPeople(ctx, `WHERE id = ?`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("person %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// People returns people by name, after one.
func (s *Store) People(ctx context.Context, q PeopleQuery) ([]Person, error) {
	return s.selectPeople(ctx, `WHERE (name COLLATE NOCASE, id) > (?1, ?2) AND (?3 = '' OR instr(lower(name), lower(?3)) > 0
		OR instr(lower(data ->> 'mail'), lower(?3)) > 0 OR instr(data ->> 'phone', ?3) > 0)
		AND (?4 = '' OR EXISTS (SELECT 1 FROM json_each(data, '$.groups') AS g WHERE g.value = ?4))
		AND (?5 = '' OR data ->> 'company' = ?5)
		AND (?6 = '' OR ?6 = CASE WHEN coalesce(data ->> 'suspended', 0) THEN 'suspended'
			WHEN coalesce(data ->> 'until', '') <> '' AND julianday(data ->> 'until') <= julianday(?7) THEN 'over' ELSE 'active' END)
		ORDER BY name COLLATE NOCASE, id LIMIT ?8`,
		q.AfterName, q.AfterID, q.Text, q.Group, q.Company, string(q.Status), s.now().UTC().Format("2006-01-02T15:04:05.000"), q.Limit)
}

func (s *Store) selectPeople(ctx context.Context, where string, args ...any) ([]Person, error) {
	var out []Person
	err := s.query(ctx, "people", `SELECT id, name, data, changed_at,
		(SELECT count(*) FROM credentials AS c WHERE c.person = people.id AND c.person <> ''),
		(SELECT count(*) FROM credentials AS c WHERE c.person = people.id AND c.person <> '' AND c.status <> 'Accepted') FROM people `+where, args, func(r *sql.Rows) error {
		var x Person
		var id, data string
		var changed int64
		if err := r.Scan(&id, &x.Name, &data, &changed, &x.Credentials, &x.Blocked); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &x); err != nil {
			return fmt.Errorf("decode %s: %w", id, err)
		}
		x.ID, x.ChangedAt = id, fromMillis(changed)
		out = append(out, x)
		return nil
	})
	return out, err
}

// ErasePerson forgets a person and the values of the credentials. What was done
// with them stays, by ids that lead to nobody.
func (s *Store) ErasePerson(ctx context.Context, by Actor, id string) error {
	defer s.lock("person/" + id).Unlock()
	var tokens []string
	err := s.query(ctx, "credentials", `SELECT token_id FROM credentials WHERE person = ?`, []any{id}, func(r *sql.Rows) error {
		var token string
		err := r.Scan(&token)
		tokens = append(tokens, token)
		return err
	})
	if err != nil {
		return err
	}
	for _, token := range tokens {
		if err := s.EraseToken(ctx, by, token); err != nil {
			return err
		}
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := dropDocument(tx, "people", id); err != nil {
			return err
		}
		if err := dropContacts(tx, id); err != nil {
			return err
		}
		return s.audit(tx, by, "person.erase", "person/"+id, map[string]any{"credentials": len(tokens)})
	})
	if err == nil {
		s.people.drop(id)
	}
	return err
}
