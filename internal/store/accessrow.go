package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/access"
)

// Named is a company or a group of people.
type Named struct {
	ID        string    `json:"-"`
	Name      string    `json:"name"`
	ChangedAt time.Time `json:"-"`
}

// Holidays are days off, by date (2026-12-25), with their names.
type Holidays struct {
	ID        string            `json:"-"`
	Name      string            `json:"name"`
	Days      map[string]string `json:"days"`
	ChangedAt time.Time         `json:"-"`
}

// AccessTable is where a kind of entry stands.
type AccessTable string

// The tables of access.
const (
	Companies       AccessTable = "companies"
	Groups          AccessTable = "access_groups"
	AccessSchedules AccessTable = "access_schedules"
	HolidayTable    AccessTable = "holidays"
	AccessRows      AccessTable = "access_rows"
	Lockdowns       AccessTable = "lockdowns"
	WrittenPolicies AccessTable = "written_policies"
	Areas           AccessTable = "access_areas"
	Airlocks        AccessTable = "access_airlocks"
)

// maxAccess bounds each of the tables.
const maxAccess = 5000

const maxAccessName = 100

func (s *Store) loadAccess(ctx context.Context) error {
	rows, err := readAccess(ctx, s.db.Reader())
	if err != nil {
		return err
	}
	book, err := access.Compile(rows)
	if err != nil {
		return fmt.Errorf("make policies: %w", err)
	}
	s.book.Store(book)
	return nil
}

// Book is what people decided about places, ready for decisions.
func (s *Store) Book() *access.Book { return s.book.Load() }

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readAccess(ctx context.Context, from queryer) (access.Rows, error) {
	var out access.Rows
	for _, read := range []func() error{
		func() error {
			return readEach(ctx, from, AccessSchedules, func(id string, x access.Schedule) { x.ID = id; out.Schedules = append(out.Schedules, x) })
		},
		func() error {
			return readEach(ctx, from, AccessRows, func(id string, x access.Row) { x.ID = id; out.Rows = append(out.Rows, x) })
		},
		func() error {
			return readEach(ctx, from, Lockdowns, func(id string, x access.Scenario) { x.ID = id; out.Scenarios = append(out.Scenarios, x) })
		},
		func() error {
			return readEach(ctx, from, Areas, func(id string, x access.Area) { x.ID = id; out.Areas = append(out.Areas, x) })
		},
		func() error {
			return readEach(ctx, from, Airlocks, func(id string, x access.Airlock) { x.ID = id; out.Airlocks = append(out.Airlocks, x) })
		},
		func() error {
			return readEach(ctx, from, WrittenPolicies, func(id string, x access.Written) { x.ID = id; out.Written = append(out.Written, x) })
		},
		func() error {
			return readEach(ctx, from, HolidayTable, func(id string, x Holidays) { out.Calendars = append(out.Calendars, x.calendar(id)) })
		},
	} {
		if err := read(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func readEach[T any](ctx context.Context, from queryer, table AccessTable, add func(id string, x T)) error {
	rows, err := from.QueryContext(ctx, `SELECT id, data FROM `+string(table)+` ORDER BY id`)
	if err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, data string
		if err := rows.Scan(&id, &data); err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		var x T
		if err := json.Unmarshal([]byte(data), &x); err != nil {
			return fmt.Errorf("decode %s %s: %w", table, id, err)
		}
		add(id, x)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	return nil
}

func (x *Holidays) calendar(id string) access.Calendar {
	c := access.Calendar{ID: id, Days: make(map[access.Date]string, len(x.Days))}
	for day, name := range x.Days {
		if t, err := time.Parse(time.DateOnly, day); err == nil {
			c.Days[access.DateOf(t)] = name
		}
	}
	return c
}

// changeAccess writes, and takes what all rows say then as what holds. Rows that
// policies cannot be made of are refused.
func (s *Store) changeAccess(ctx context.Context, by Actor, action, subject string, detail any, write func(*sql.Tx) error) error {
	s.bookMu.Lock()
	defer s.bookMu.Unlock()
	var book *access.Book
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := write(tx); err != nil {
			return err
		}
		rows, err := readAccess(ctx, tx)
		if err != nil {
			return err
		}
		if book, err = access.Compile(rows); err != nil {
			return &InvalidError{"", err.Error()}
		}
		return s.audit(tx, by, action, subject, detail)
	})
	if err == nil {
		s.book.Store(book)
	}
	return err
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxAccessName || !readable(name, false) {
		return "", &InvalidError{"name", "1 to 100 printable characters"}
	}
	return name, nil
}

// entry is what saving and removing need of a kind of entry.
type entry struct {
	table  AccessTable
	prefix string
	action string // of the audit log, before the dot
}

func (s *Store) saveEntry(ctx context.Context, by Actor, of entry, id *string, name string, body any) (time.Time, error) {
	return s.saveEntryAs(ctx, by, "save", of, id, name, body)
}

func (s *Store) saveEntryAs(ctx context.Context, by Actor, verb string, of entry, id *string, name string, body any) (time.Time, error) {
	made := *id == ""
	if made {
		*id = newID(of.prefix)
	}
	at := fromMillis(millis(s.now()))
	err := s.changeAccess(ctx, by, of.action+"."+verb, of.action+"/"+*id, body, func(tx *sql.Tx) error {
		return putDocument(tx, string(of.table), maxAccess, made, *id, name, body, at)
	})
	return at, err
}

func (s *Store) dropEntry(ctx context.Context, by Actor, of entry, id string, inUse func(*sql.Tx) error) error {
	return s.changeAccess(ctx, by, of.action+".delete", of.action+"/"+id, nil, func(tx *sql.Tx) error {
		if inUse != nil {
			if err := inUse(tx); err != nil {
				return err
			}
		}
		return dropDocument(tx, string(of.table), id)
	})
}
