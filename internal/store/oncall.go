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

	"github.com/chargewatch/chargewatch/internal/week"
)

// Bounds of schedules.
const (
	maxSchedules = 200
	maxLayers    = 10
	maxMembers   = 50
	maxOverrides = 200
)

// Schedule says who is on call when, on the clock of a place. Of several layers
// the last that applies counts; an override goes before them all.
type Schedule struct {
	ID        string     `json:"id,omitempty"`
	Name      string     `json:"name" minLength:"1" maxLength:"64"`
	TimeZone  string     `json:"timeZone" maxLength:"64" doc:"such as Europe/Berlin"`
	Layers    []Layer    `json:"layers" required:"false" maxItems:"10"`
	Overrides []Override `json:"overrides" required:"false" maxItems:"200"`
	ChangedAt time.Time  `json:"-"`
}

// Layer is a rotation: its members take turns, handing over at a time of the day.
type Layer struct {
	Name         string   `json:"name" required:"false" maxLength:"64"`
	Members      []Member `json:"members" minItems:"1" maxItems:"50"`
	Start        string   `json:"start" maxLength:"10" doc:"day of the first turn, such as 2026-01-05"`
	Handover     string   `json:"handover" maxLength:"5" doc:"time of the day, such as 08:00"`
	RotationDays int      `json:"rotationDays" minimum:"1" maximum:"366" doc:"how long a turn lasts; 7: a week"`
	Hours        []Window `json:"hours" required:"false" maxItems:"20" doc:"only then; none: always"`
}

// Window is a part of the week on the schedule's clock.
type Window struct {
	Days []string `json:"days" required:"false" maxItems:"7" doc:"mon to sun; none: every day"`
	From string   `json:"from" maxLength:"5"`
	To   string   `json:"to" maxLength:"5"`
}

// Member is who can be on call and how they are reached.
type Member struct {
	Name     string   `json:"name" minLength:"1" maxLength:"64"`
	Channels []string `json:"channels" maxItems:"50"`
}

// Override puts somebody else on call for a time.
type Override struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Member Member    `json:"member"`
}

// Shift is who is on call from when to when.
type Shift struct {
	From, To time.Time
	Member   Member
	Override bool
}

func (x *Schedule) validate(channels map[string]bool) error {
	if x.Name = strings.TrimSpace(x.Name); utf8.RuneCountInString(x.Name) > 64 || x.Name == "" || !readable(x.Name, false) {
		return &InvalidError{"name", "1 to 64 printable characters"}
	}
	if _, err := zone(x.TimeZone); err != nil {
		return &InvalidError{"timeZone", err.Error()}
	}
	if len(x.Layers) > maxLayers {
		return &InvalidError{"layers", fmt.Sprintf("at most %d", maxLayers)}
	}
	for i := range x.Layers {
		if err := x.Layers[i].validate(fmt.Sprintf("layers[%d]", i), x.TimeZone, channels); err != nil {
			return err
		}
	}
	if len(x.Overrides) > maxOverrides {
		return &InvalidError{"overrides", fmt.Sprintf("at most %d", maxOverrides)}
	}
	for i := range x.Overrides {
		o, at := &x.Overrides[i], fmt.Sprintf("overrides[%d]", i)
		if !o.To.After(o.From) {
			return &InvalidError{at + ".to", "must come after from"}
		}
		if o.To.Sub(o.From) > 366*24*time.Hour {
			return &InvalidError{at + ".to", "at most a year after from"}
		}
		if err := o.Member.validate(at+".member", channels); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layer) validate(at, timeZone string, channels map[string]bool) error {
	if len(l.Name) > 64 || !readable(l.Name, false) {
		return &InvalidError{at + ".name", "at most 64 printable characters"}
	}
	if len(l.Members) == 0 || len(l.Members) > maxMembers {
		return &InvalidError{at + ".members", fmt.Sprintf("1 to %d", maxMembers)}
	}
	for k := range l.Members {
		if err := l.Members[k].validate(fmt.Sprintf("%s.members[%d]", at, k), channels); err != nil {
			return err
		}
	}
	if _, err := time.Parse(time.DateOnly, l.Start); err != nil {
		return &InvalidError{at + ".start", "must be a day like 2026-01-05"}
	}
	if _, err := timeOfDay(at+".handover", l.Handover); err != nil {
		return err
	}
	if l.RotationDays < 1 || l.RotationDays > 366 {
		return &InvalidError{at + ".rotationDays", "must be 1 to 366"}
	}
	if len(l.Hours) > 20 {
		return &InvalidError{at + ".hours", "at most 20"}
	}
	for k, w := range l.Hours {
		h := Hours{Days: w.Days, From: w.From, To: w.To, TimeZone: timeZone}
		if err := h.validate(fmt.Sprintf("%s.hours[%d]", at, k)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Member) validate(field string, channels map[string]bool) error {
	if m.Name = strings.TrimSpace(m.Name); m.Name == "" || utf8.RuneCountInString(m.Name) > 64 || !readable(m.Name, false) {
		return &InvalidError{field + ".name", "1 to 64 printable characters"}
	}
	if len(m.Channels) == 0 {
		return &InvalidError{field + ".channels", "nobody is reached without a channel"}
	}
	return checkChannels(channels, field+".channels", m.Channels)
}

// At returns who is on call, nil for nobody.
func (x *Schedule) At(t time.Time) (*Member, bool) {
	for i := range slices.Backward(x.Overrides) {
		if o := &x.Overrides[i]; !t.Before(o.From) && t.Before(o.To) {
			return &o.Member, true
		}
	}
	loc, err := zone(x.TimeZone)
	if err != nil {
		return nil, false
	}
	for i := range slices.Backward(x.Layers) {
		if m := x.Layers[i].at(t, x.TimeZone, loc); m != nil {
			return m, false
		}
	}
	return nil, false
}

func (l *Layer) at(t time.Time, timeZone string, loc *time.Location) *Member {
	if len(l.Hours) > 0 && !slices.ContainsFunc(l.Hours, func(w Window) bool {
		h := Hours{Days: w.Days, From: w.From, To: w.To, TimeZone: timeZone}
		return !h.Until(t).IsZero()
	}) {
		return nil
	}
	first, err := time.Parse(time.DateOnly, l.Start)
	if err != nil || len(l.Members) == 0 || l.RotationDays < 1 {
		return nil
	}
	y, m, d := t.In(loc).Date()
	// Turns are counted in days of the calendar, which are 23 and 25 hours long
	// when the clock is changed.
	days := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(first) / (24 * time.Hour))
	if t.Before(l.handover(y, m, d, loc)) {
		days--
	}
	if days < 0 {
		return nil
	}
	return &l.Members[days/l.RotationDays%len(l.Members)]
}

func (l *Layer) handover(y int, m time.Month, d int, loc *time.Location) time.Time {
	at, err := timeOfDay("", l.Handover)
	if err != nil {
		at = 0
	}
	return week.Wall(y, m, d, at, loc)
}

// Shifts lists who is on call between two times; times of nobody are left out.
func (x *Schedule) Shifts(from, to time.Time) []Shift {
	loc, err := zone(x.TimeZone)
	if err != nil || !to.After(from) {
		return nil
	}
	turns := []time.Time{from, to}
	for _, o := range x.Overrides {
		turns = append(turns, o.From, o.To)
	}
	for day := from.In(loc).AddDate(0, 0, -2); day.Before(to.AddDate(0, 0, 2)); day = day.AddDate(0, 0, 1) {
		y, m, d := day.Date()
		for i := range x.Layers {
			l := &x.Layers[i]
			turns = append(turns, l.handover(y, m, d, loc))
			for _, w := range l.Hours {
				h := Hours{Days: w.Days, From: w.From, To: w.To, TimeZone: x.TimeZone}
				span, err := h.span("")
				if err != nil {
					continue
				}
				if begin, end, ok := span.Begun(y, m, d, loc); ok {
					turns = append(turns, begin, end)
				}
			}
		}
	}
	slices.SortFunc(turns, time.Time.Compare)
	var out []Shift
	for i, t := range turns[:len(turns)-1] {
		next := turns[i+1]
		if t.Before(from) || !t.Before(to) || !next.After(t) {
			continue
		}
		m, override := x.At(t)
		if m == nil {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To.Equal(t) && out[n-1].Member.Name == m.Name && out[n-1].Override == override {
			out[n-1].To = next
			continue
		}
		out = append(out, Shift{From: t.UTC(), To: next.UTC(), Member: *m, Override: override})
	}
	for i := range out {
		out[i].To = out[i].To.UTC()
	}
	return out
}

// Schedules lists all schedules by name.
func (s *Store) Schedules(ctx context.Context) ([]Schedule, error) {
	return documents[Schedule](ctx, s, "schedules", func(x *Schedule, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// Schedule returns one schedule.
func (s *Store) Schedule(ctx context.Context, id string) (*Schedule, error) {
	return document[Schedule](ctx, s, "schedules", id, func(x *Schedule, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// SaveSchedule adds a schedule, or replaces the one of that id.
func (s *Store) SaveSchedule(ctx context.Context, by Actor, x Schedule) (*Schedule, error) {
	made := x.ID == ""
	if made {
		x.ID = newID("oc-")
	}
	x.ChangedAt = fromMillis(millis(s.now()))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		channels, err := knownChannels(tx)
		if err != nil {
			return err
		}
		if err := x.validate(channels); err != nil {
			return err
		}
		if err := putDocument(tx, "schedules", maxSchedules, made, x.ID, x.Name, x, x.ChangedAt); err != nil {
			return err
		}
		return s.audit(tx, by, "schedule.save", "schedule/"+x.ID, map[string]any{"layers": len(x.Layers), "overrides": len(x.Overrides)})
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// DeleteSchedule removes a schedule that no escalation leads to.
func (s *Store) DeleteSchedule(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var name string
		err := tx.QueryRow(`SELECT name FROM escalations, json_tree(escalations.data) AS j WHERE j.atom = ? LIMIT 1`, id).Scan(&name)
		if err == nil {
			return &InUseError{fmt.Sprintf("the escalation %q leads to it", name)}
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("look for who uses a schedule: %w", err)
		}
		if err := dropDocument(tx, "schedules", id); err != nil {
			return err
		}
		return s.audit(tx, by, "schedule.delete", "schedule/"+id, nil)
	})
}

// documents reads a table of named documents.
func documents[T any](ctx context.Context, s *Store, table string, set func(*T, string, time.Time)) ([]T, error) {
	var out []T
	err := s.query(ctx, table, `SELECT id, data, changed_at FROM `+table+` ORDER BY name COLLATE NOCASE, id`, nil, func(r *sql.Rows) error {
		x, err := scanDocument(r, set)
		out = append(out, x)
		return err
	})
	return out, err
}

func document[T any](ctx context.Context, s *Store, table, id string, set func(*T, string, time.Time)) (*T, error) {
	x, err := scanDocument(s.db.Reader().QueryRowContext(ctx, `SELECT id, data, changed_at FROM `+table+` WHERE id = ?`, id), set)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s %s: %w", table, id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	return &x, nil
}

func scanDocument[T any](r interface{ Scan(...any) error }, set func(*T, string, time.Time)) (T, error) {
	var x T
	var id, data string
	var changed int64
	if err := r.Scan(&id, &data, &changed); err != nil {
		return x, err
	}
	if err := json.Unmarshal([]byte(data), &x); err != nil {
		return x, fmt.Errorf("decode %s: %w", id, err)
	}
	set(&x, id, fromMillis(changed))
	return x, nil
}

func putDocument(tx *sql.Tx, table string, most int, made bool, id, name string, x any, at time.Time) error {
	data, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("encode %s: %w", id, err)
	}
	if !made {
		res, err := tx.Exec(`UPDATE `+table+` SET name = ?, data = ?, changed_at = ? WHERE id = ?`, name, string(data), millis(at), id)
		if err != nil {
			return fmt.Errorf("write %s: %w", id, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("%s %s: %w", table, id, ErrNotFound))
		}
		return nil
	}
	var n int
	if err := tx.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil {
		return fmt.Errorf("count %s: %w", table, err)
	}
	if n >= most {
		return fmt.Errorf("%s: %w", table, ErrFull)
	}
	if _, err := tx.Exec(`INSERT INTO `+table+` (id, name, data, changed_at) VALUES (?,?,?,?)`, id, name, string(data), millis(at)); err != nil {
		return fmt.Errorf("write %s: %w", id, err)
	}
	return nil
}

func dropDocument(tx *sql.Tx, table, id string) error {
	res, err := tx.Exec(`DELETE FROM `+table+` WHERE id = ?`, id)
	if err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("%s %s: %w", table, id, ErrNotFound))
	}
	return nil
}
