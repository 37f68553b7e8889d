package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Contact is somebody to call about a site.
type Contact struct {
	ID    string `json:"id"`
	Role  string `json:"role"`
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Hours string `json:"hours,omitempty"` // in words
	Note  string `json:"note,omitempty"`  // such as the reference by which the police know the site
	// Person is whose data it is; erased with them.
	Person string `json:"person,omitempty"`
}

// CallList is whom to call about a site, in order.
type CallList struct {
	SiteID    string
	Contacts  []Contact
	By        Actor
	ChangedAt time.Time
}

// ContactRoles are what contacts are there.
func ContactRoles() []string {
	return []string{"police", "fireBrigade", "guard", "siteHost", "gridOperator", "onCall", "other"}
}

const maxContacts = 30

var phone = regexp.MustCompile(`^\+?[0-9][0-9 ()/.\-]{1,28}$`)

func (l *CallList) validate() error {
	if len(l.Contacts) > maxContacts {
		return &InvalidError{"contacts", fmt.Sprintf("at most %d contacts", maxContacts)}
	}
	seen := make(map[string]bool)
	for i := range l.Contacts {
		c := &l.Contacts[i]
		at := fmt.Sprintf("contacts.%d.", i)
		c.Name, c.Phone, c.Hours, c.Note = strings.TrimSpace(c.Name), strings.TrimSpace(c.Phone), strings.TrimSpace(c.Hours), strings.TrimSpace(c.Note)
		switch {
		case !slices.Contains(ContactRoles(), c.Role):
			return &InvalidError{at + "role", "is no role of a call list"}
		case c.Name == "" || len(c.Name) > 100 || !readable(c.Name, false):
			return &InvalidError{at + "name", "1 to 100 bytes of text"}
		case !phone.MatchString(c.Phone):
			return &InvalidError{at + "phone", "is no phone number"}
		case len(c.Hours) > 100 || !readable(c.Hours, false):
			return &InvalidError{at + "hours", "at most 100 bytes of text"}
		case len(c.Note) > 300 || !readable(c.Note, false):
			return &InvalidError{at + "note", "at most 300 bytes of text"}
		}
		if c.ID == "" {
			c.ID = newID("ct-")
		}
		if seen[c.ID] || len(c.ID) > 64 {
			return &InvalidError{at + "id", "stands in the list twice"}
		}
		seen[c.ID] = true
	}
	return nil
}

// CallListOf returns whom to call about a site; nobody where nobody decided.
func (s *Store) CallListOf(ctx context.Context, site string) (CallList, error) {
	l := CallList{SiteID: site, Contacts: []Contact{}}
	var data string
	var at int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT data, by, changed_at FROM call_lists WHERE site = ?`, site).Scan(&data, &l.By, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return l, nil
	case err != nil:
		return l, fmt.Errorf("read the call list of %s: %w", site, err)
	}
	l.ChangedAt = fromMillis(at)
	if err := json.Unmarshal([]byte(data), &l.Contacts); err != nil {
		return l, fmt.Errorf("decode the call list of %s: %w", site, err)
	}
	return l, nil
}

// SetCallList decides whom to call about a site.
func (s *Store) SetCallList(ctx context.Context, by Actor, l CallList) (CallList, error) {
	defer s.lock("calls/" + l.SiteID).Unlock()
	if err := l.validate(); err != nil {
		return l, err
	}
	for i := range l.Contacts {
		if id := l.Contacts[i].Person; id != "" {
			if _, err := s.Person(ctx, id); err != nil {
				return l, &InvalidError{fmt.Sprintf("contacts.%d.person", i), "nobody has this id"}
			}
		}
	}
	l.By, l.ChangedAt = by, s.now().UTC()
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := putCallList(tx, &l); err != nil {
			return err
		}
		return s.audit(tx, by, "calls.set", "site/"+l.SiteID, map[string]any{"contacts": len(l.Contacts)})
	})
	return l, err
}

func putCallList(tx *sql.Tx, l *CallList) error {
	data, err := json.Marshal(l.Contacts)
	if err != nil {
		return fmt.Errorf("encode the call list of %s: %w", l.SiteID, err)
	}
	if _, err := tx.Exec(`INSERT INTO call_lists (site, data, by, changed_at) VALUES (?,?,?,?)
		ON CONFLICT (site) DO UPDATE SET data = excluded.data, by = excluded.by, changed_at = excluded.changed_at`,
		l.SiteID, string(data), string(l.By), millis(l.ChangedAt)); err != nil {
		return fmt.Errorf("write the call list of %s: %w", l.SiteID, err)
	}
	return nil
}

// ContactsOf are the entries of call lists that are somebody's data, by site.
func (s *Store) ContactsOf(ctx context.Context, person string) (map[string][]Contact, error) {
	out := make(map[string][]Contact)
	err := s.query(ctx, "call lists", `SELECT site, c.value FROM call_lists, json_each(call_lists.data) AS c WHERE c.value ->> 'person' = ?`, []any{person}, func(r *sql.Rows) error {
		var site, data string
		var c Contact
		if err := r.Scan(&site, &data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return fmt.Errorf("decode a contact of %s: %w", site, err)
		}
		out[site] = append(out[site], c)
		return nil
	})
	return out, err
}

// dropContacts takes somebody off all call lists.
func dropContacts(tx *sql.Tx, person string) error {
	if _, err := tx.Exec(`UPDATE call_lists SET data = coalesce((SELECT json_group_array(json(c.value)) FROM json_each(call_lists.data) AS c
		WHERE coalesce(c.value ->> 'person', '') <> ?1), '[]')
		WHERE EXISTS (SELECT 1 FROM json_each(call_lists.data) AS c WHERE c.value ->> 'person' = ?1)`, person); err != nil {
		return fmt.Errorf("take a person off call lists: %w", err)
	}
	return nil
}
