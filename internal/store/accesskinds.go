package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/access"
)

// AccessSchedule is when rows of access hold.
type AccessSchedule struct {
	access.Schedule
	ChangedAt time.Time `json:"-"`
}

// AccessRow permits.
type AccessRow struct {
	access.Row
	ChangedAt time.Time `json:"-"`
}

// Lockdown is a scenario that keeps people out while it is active.
type Lockdown struct {
	access.Scenario
	// Reason, By and Since are of the last time it was activated or released.
	Reason    string    `json:"reason,omitempty"`
	By        Actor     `json:"by,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	ChangedAt time.Time `json:"-"`
}

// WrittenPolicy forbids in Cedar.
type WrittenPolicy struct {
	access.Written
	ChangedAt time.Time `json:"-"`
}

func kindCompany() entry  { return entry{Companies, "co-", "company"} }
func kindGroup() entry    { return entry{Groups, "ag-", "accessGroup"} }
func kindSchedule() entry { return entry{AccessSchedules, "as-", "accessSchedule"} }
func kindHolidays() entry { return entry{HolidayTable, "ho-", "holidays"} }
func kindRow() entry      { return entry{AccessRows, "ar-", "accessRow"} }
func kindLockdown() entry { return entry{Lockdowns, "lo-", "lockdown"} }
func kindWritten() entry  { return entry{WrittenPolicies, "wp-", "writtenPolicy"} }

// Companies lists companies by name.
func (s *Store) Companies(ctx context.Context) ([]Named, error) {
	return documents[Named](ctx, s, string(Companies), setNamed)
}

// Groups lists groups of people by name.
func (s *Store) Groups(ctx context.Context) ([]Named, error) {
	return documents[Named](ctx, s, string(Groups), setNamed)
}

func setNamed(x *Named, id string, at time.Time) { x.ID, x.ChangedAt = id, at }

// SaveCompany adds a company (id empty) or renames one.
func (s *Store) SaveCompany(ctx context.Context, by Actor, x Named) (*Named, error) {
	return s.saveNamed(ctx, by, kindCompany(), x)
}

// SaveGroup adds a group of people (id empty) or renames one.
func (s *Store) SaveGroup(ctx context.Context, by Actor, x Named) (*Named, error) {
	return s.saveNamed(ctx, by, kindGroup(), x)
}

func (s *Store) saveNamed(ctx context.Context, by Actor, of entry, x Named) (_ *Named, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	x.ChangedAt, err = s.saveEntry(ctx, by, of, &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// DeleteCompany removes a company that nobody is of and no row is about.
func (s *Store) DeleteCompany(ctx context.Context, by Actor, id string) error {
	return s.dropEntry(ctx, by, kindCompany(), id, usedBy(id, peopleOf("company"), rowsOf("company"), lockdownsOf("company")))
}

// DeleteGroup removes a group that nobody is in and no row is about.
func (s *Store) DeleteGroup(ctx context.Context, by Actor, id string) error {
	return s.dropEntry(ctx, by, kindGroup(), id, usedBy(id, `SELECT people.name FROM people, json_each(people.data, '$.groups') AS j WHERE j.value = ? LIMIT 1`,
		rowsOf("group"), lockdownsOf("group")))
}

func peopleOf(field string) string {
	return `SELECT name FROM people WHERE data ->> '` + field + `' = ? LIMIT 1`
}

func rowsOf(field string) string {
	return `SELECT access_rows.name FROM access_rows, json_each(access_rows.data, '$.to') AS j WHERE j.value ->> '` + field + `' = ? LIMIT 1`
}

func lockdownsOf(field string) string {
	return `SELECT lockdowns.name FROM lockdowns, json_each(lockdowns.data, '$.except') AS j WHERE j.value ->> '` + field + `' = ? LIMIT 1`
}

// usedBy refuses to remove what one of some questions finds the user of.
func usedBy(id string, questions ...string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		for _, q := range questions {
			var name string
			err := tx.QueryRow(q, id).Scan(&name)
			if err == nil {
				return &InUseError{fmt.Sprintf("%q uses it", name)}
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("look for who uses %s: %w", id, err)
			}
		}
		return nil
	}
}

// AccessSchedules lists schedules by name.
func (s *Store) AccessSchedules(ctx context.Context) ([]AccessSchedule, error) {
	return documents[AccessSchedule](ctx, s, string(AccessSchedules), func(x *AccessSchedule, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// SaveAccessSchedule adds a schedule (id empty) or changes one.
func (s *Store) SaveAccessSchedule(ctx context.Context, by Actor, x AccessSchedule) (_ *AccessSchedule, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	if len(x.Open) > 50 {
		return nil, &InvalidError{"open", "at most 50 times"}
	}
	for i := range x.Open {
		if !x.Open[i].Valid() {
			return nil, &InvalidError{fmt.Sprintf("open[%d]", i), "days of the week, and times of a day"}
		}
	}
	switch x.OnHoliday {
	case "":
		x.OnHoliday = access.Closed
	case access.Closed, access.AsSunday, access.AsUsual:
	default:
		return nil, &InvalidError{"onHoliday", "closed, sunday or usual"}
	}
	x.ChangedAt, err = s.saveEntry(ctx, by, kindSchedule(), &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// DeleteAccessSchedule removes a schedule that no row needs.
func (s *Store) DeleteAccessSchedule(ctx context.Context, by Actor, id string) error {
	return s.dropEntry(ctx, by, kindSchedule(), id, usedBy(id, `SELECT name FROM access_rows WHERE data ->> 'schedule' = ? LIMIT 1`))
}

// AllHolidays lists calendars of days off by name.
func (s *Store) AllHolidays(ctx context.Context) ([]Holidays, error) {
	return documents[Holidays](ctx, s, string(HolidayTable), func(x *Holidays, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// SaveHolidays adds days off (id empty) or changes them.
func (s *Store) SaveHolidays(ctx context.Context, by Actor, x Holidays) (_ *Holidays, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	if len(x.Days) > 500 {
		return nil, &InvalidError{"days", "at most 500"}
	}
	for day, name := range x.Days {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return nil, &InvalidError{"days." + day, "a date like 2026-12-25"}
		}
		if x.Days[day], err = checkName(name); err != nil {
			return nil, &InvalidError{"days." + day, "a name of 1 to 100 printable characters"}
		}
	}
	x.ChangedAt, err = s.saveEntry(ctx, by, kindHolidays(), &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// DeleteHolidays removes days off that no schedule needs.
func (s *Store) DeleteHolidays(ctx context.Context, by Actor, id string) error {
	return s.dropEntry(ctx, by, kindHolidays(), id, usedBy(id, `SELECT name FROM access_schedules WHERE data ->> 'calendar' = ? LIMIT 1`))
}

// AccessRows lists rows by name.
func (s *Store) AccessRows(ctx context.Context) ([]AccessRow, error) {
	return documents[AccessRow](ctx, s, string(AccessRows), func(x *AccessRow, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// SaveAccessRow adds a row (id empty) or changes one.
func (s *Store) SaveAccessRow(ctx context.Context, by Actor, x AccessRow) (_ *AccessRow, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	if len(x.To) == 0 {
		return nil, &InvalidError{"to", "at least one"}
	}
	if err := s.checkScope("to", x.To, x.Kinds, x.Places, x.Sites); err != nil {
		return nil, err
	}
	if !x.Until.IsZero() && !x.Until.After(x.From) {
		return nil, &InvalidError{"until", "must come after from"}
	}
	x.ChangedAt, err = s.saveEntry(ctx, by, kindRow(), &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// checkScope looks whom a row or scenario is about, and where.
func (s *Store) checkScope(field string, to []access.Principal, kinds []access.PlaceKind, places, sites []string) error {
	for what, n := range map[string]int{field: len(to), "kinds": len(kinds), "places": len(places), "sites": len(sites)} {
		if n > 200 {
			return &InvalidError{what, "at most 200"}
		}
	}
	for i, x := range to {
		set := 0
		for _, id := range []string{x.Person, x.Group, x.Company, x.Credential} {
			if len(id) > 64 {
				return &InvalidError{fmt.Sprintf("%s[%d]", field, i), "an id of at most 64 characters"}
			}
			if id != "" {
				set++
			}
		}
		if x.Anyone {
			set++
		}
		if set != 1 {
			return &InvalidError{fmt.Sprintf("%s[%d]", field, i), "one of person, group, company, credential or anyone"}
		}
	}
	for i, k := range kinds {
		if !slices.Contains(access.PlaceKinds(), k) {
			return &InvalidError{fmt.Sprintf("kinds[%d]", i), "door, gate, barrier, cabinet or evse"}
		}
	}
	for i, p := range places {
		if p == "" || len(p) > 100 || !readable(p, false) {
			return &InvalidError{fmt.Sprintf("places[%d]", i), "an id of 1 to 100 printable characters"}
		}
	}
	for i, id := range sites {
		if _, ok := s.sites.get(id); !ok {
			return &InvalidError{fmt.Sprintf("sites[%d]", i), "is not known"}
		}
	}
	return nil
}

// DeleteAccessRow removes a row; what it permitted is not permitted any more.
func (s *Store) DeleteAccessRow(ctx context.Context, by Actor, id string) error {
	return s.dropEntry(ctx, by, kindRow(), id, nil)
}

// Lockdowns lists scenarios by name.
func (s *Store) Lockdowns(ctx context.Context) ([]Lockdown, error) {
	return documents[Lockdown](ctx, s, string(Lockdowns), func(x *Lockdown, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

const maxLockdownReason = 500

// SetLockdown activates or releases a scenario, for a reason.
func (s *Store) SetLockdown(ctx context.Context, by Actor, id string, active bool, reason string) (*Lockdown, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > maxLockdownReason || !readable(reason, true) {
		return nil, &InvalidError{"reason", "1 to 500 printable characters"}
	}
	x, err := s.lockdown(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case x.Active && active:
		return nil, &InUseError{"it is active already"}
	case !x.Active && !active:
		return nil, &InUseError{"it is not active"}
	}
	x.Active, x.Reason = active, reason
	return s.SaveLockdown(ctx, by, *x)
}

func (s *Store) lockdown(ctx context.Context, id string) (*Lockdown, error) {
	all, err := s.Lockdowns(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(x Lockdown) bool { return x.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("lockdown %s: %w", id, ErrNotFound)
	}
	return &all[i], nil
}

// SaveLockdown adds a scenario (id empty), changes, activates or releases one.
func (s *Store) SaveLockdown(ctx context.Context, by Actor, x Lockdown) (_ *Lockdown, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	if err := s.checkScope("except", x.Except, x.Kinds, x.Places, x.Sites); err != nil {
		return nil, err
	}
	was := &Lockdown{}
	if x.ID != "" {
		if was, err = s.lockdown(ctx, x.ID); err != nil {
			return nil, err
		}
	}
	verb := "save"
	if was.Active == x.Active {
		x.Reason, x.By, x.Since = was.Reason, was.By, was.Since
	} else {
		x.By, x.Since, verb = by, fromMillis(millis(s.now())), "release"
		if x.Active {
			verb = "activate"
		}
	}
	x.ChangedAt, err = s.saveEntryAs(ctx, by, verb, kindLockdown(), &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// DeleteLockdown removes a scenario.
func (s *Store) DeleteLockdown(ctx context.Context, by Actor, id string) error {
	return s.dropEntry(ctx, by, kindLockdown(), id, func(tx *sql.Tx) error {
		var active sql.NullBool
		err := tx.QueryRow(`SELECT data ->> 'active' FROM lockdowns WHERE id = ?`, id).Scan(&active)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read lockdown: %w", err)
		}
		if active.Bool {
			return &InUseError{"it is active; release it first"}
		}
		return nil
	})
}

// WrittenPolicies lists policies that people wrote by name.
func (s *Store) WrittenPolicies(ctx context.Context) ([]WrittenPolicy, error) {
	return documents[WrittenPolicy](ctx, s, string(WrittenPolicies), func(x *WrittenPolicy, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// SaveWrittenPolicy adds a policy (id empty) or changes one.
func (s *Store) SaveWrittenPolicy(ctx context.Context, by Actor, x WrittenPolicy) (_ *WrittenPolicy, err error) {
	if x.Name, err = checkName(x.Name); err != nil {
		return nil, err
	}
	if err := access.CheckWritten(x.Text); err != nil {
		return nil, &InvalidError{"text", err.Error()}
	}
	if err := s.checkScope("", nil, nil, nil, x.Sites); err != nil {
		return nil, err
	}
	x.ChangedAt, err = s.saveEntry(ctx, by, kindWritten(), &x.ID, x.Name, x)
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// DeleteWrittenPolicy removes a policy.
func (s *Store) DeleteWrittenPolicy(ctx context.Context, by Actor, id string) error {
	return s.dropEntry(ctx, by, kindWritten(), id, nil)
}
