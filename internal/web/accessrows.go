package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/week"
)

// Kept is an entry of a table of access, as it is stored.
type Kept struct {
	ID        string    `json:"id,omitempty" readOnly:"true"`
	ChangedAt time.Time `json:"changedAt,omitzero" readOnly:"true"`
}

// NamedShape is a company or a group of people.
type NamedShape struct {
	Kept
	Name string `json:"name" minLength:"1" maxLength:"100"`
}

// AccessHours are times of some days of the week.
type AccessHours struct {
	Days []int  `json:"days" minItems:"1" maxItems:"7" doc:"0 is Sunday"`
	From string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"HH:MM"`
	To   string `json:"to" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" doc:"at or before from: on the next day"`
}

// AccessScheduleShape is when policies hold, by the clock of the site.
type AccessScheduleShape struct {
	Kept
	Name      string           `json:"name" minLength:"1" maxLength:"100"`
	Open      []AccessHours    `json:"open" maxItems:"50"`
	Calendar  string           `json:"calendar,omitempty" maxLength:"64" doc:"id of days off"`
	OnHoliday access.OnHoliday `json:"onHoliday,omitempty" enum:"closed,sunday,usual" default:"closed" doc:"what it is on a day off"`
}

// HolidaysShape are days off.
type HolidaysShape struct {
	Kept
	Name string            `json:"name" minLength:"1" maxLength:"100"`
	Days map[string]string `json:"days" maxProperties:"500" doc:"names by date: 2026-12-25"`
}

// PolicyShape permits: these may enter or charge at those places, at those times.
type PolicyShape struct {
	Kept
	Name     string             `json:"name" minLength:"1" maxLength:"100" doc:"said with each decision"`
	To       []access.Principal `json:"to" minItems:"1" maxItems:"200" doc:"each is one of person, group, company, credential or anyone"`
	Kinds    []string           `json:"kinds,omitempty" maxItems:"5" doc:"door, gate, barrier, cabinet or evse; neither kinds nor places: all but EVSEs"`
	Places   []string           `json:"places,omitempty" maxItems:"200" doc:"by id, of any kind"`
	Sites    []string           `json:"sites,omitempty" maxItems:"200" doc:"missing: every site"`
	Schedule string             `json:"schedule,omitempty" maxLength:"64" doc:"missing: always"`
	From     *time.Time         `json:"from,omitempty"`
	Until    *time.Time         `json:"until,omitempty"`
	PIN      bool               `json:"pin,omitempty" doc:"a PIN is wanted beside the credential"`
	Cedar    string             `json:"cedar,omitempty" readOnly:"true" doc:"what decides: the policy in the Cedar language"`
}

// LockdownShape is a scenario that keeps people out while it is active. It never
// keeps anybody in.
type LockdownShape struct {
	Kept
	Name   string             `json:"name" minLength:"1" maxLength:"100"`
	Kinds  []string           `json:"kinds,omitempty" maxItems:"5"`
	Places []string           `json:"places,omitempty" maxItems:"200"`
	Sites  []string           `json:"sites,omitempty" maxItems:"200" doc:"missing: every site"`
	Except []access.Principal `json:"except,omitempty" maxItems:"200" doc:"who may enter all the same"`
	Active bool               `json:"active,omitempty"`
	Reason string             `json:"reason,omitempty" readOnly:"true" doc:"of the last time it was activated or released"`
	By     string             `json:"by,omitempty" readOnly:"true" doc:"who did that"`
	Since  *time.Time         `json:"since,omitempty" readOnly:"true"`
}

// ForbidShape is a policy that people wrote in the Cedar language; it can only
// forbid, and needs the server.
type ForbidShape struct {
	Kept
	Name  string   `json:"name" minLength:"1" maxLength:"100"`
	Text  string   `json:"text" minLength:"1" maxLength:"4096"`
	Sites []string `json:"sites,omitempty" maxItems:"200" doc:"missing: every site"`
}

type (
	entryInput[T any]       struct{ Body T }
	entryChangeInput[T any] struct {
		ID   string `path:"id" maxLength:"64"`
		Body T
	}
	entryDropInput struct {
		ID string `path:"id" maxLength:"64"`
	}
	entryOutput[T any] struct{ Body T }
	lockdownInput      struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			Reason string `json:"reason" minLength:"1" maxLength:"500"`
		}
	}
)

// entries are the routes of one table of access: X is how it is stored, T how it is
// told.
type entries[X, T any] struct {
	path, one, many string // in the path, and in the names of operations
	read, write     Permission
	list            func(context.Context) ([]X, error)
	save            func(context.Context, store.Actor, X) (*X, error)
	drop            func(context.Context, store.Actor, string) error
	shape           func(*X) T
	of              func(id string, t *T) X
}

func (e *entries[X, T]) register(s *Server) {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"access"}}
	}
	save := func(ctx context.Context, id string, body *T) (*entryOutput[T], error) {
		x, err := e.save(ctx, who(ctx).actor(), e.of(id, body))
		if err != nil {
			return nil, err
		}
		return &entryOutput[T]{Body: e.shape(x)}, nil
	}
	add(s, global(e.read), op("list"+e.many, http.MethodGet, e.path, "All, by name", 0), func(ctx context.Context, _ *struct{}) (*listOutput[T], error) {
		all, err := e.list(ctx)
		if err != nil {
			return nil, err
		}
		out := make([]T, 0, len(all))
		for i := range all {
			out = append(out, e.shape(&all[i]))
		}
		return listOf(out, ""), nil
	})
	add(s, global(e.write), op("create"+e.one, http.MethodPost, e.path, "Add one", http.StatusCreated), func(ctx context.Context, in *entryInput[T]) (*entryOutput[T], error) {
		return save(ctx, "", &in.Body)
	})
	add(s, global(e.write), op("change"+e.one, http.MethodPut, e.path+"/{id}", "Change one", 0), func(ctx context.Context, in *entryChangeInput[T]) (*entryOutput[T], error) {
		return save(ctx, in.ID, &in.Body)
	})
	add(s, global(e.write), op("delete"+e.one, http.MethodDelete, e.path+"/{id}", "Remove one that nothing needs", http.StatusNoContent), func(ctx context.Context, in *entryDropInput) (*noContent, error) {
		return nil, e.drop(ctx, who(ctx).actor(), in.ID)
	})
}

func (s *Server) registerAccess() {
	st := s.o.Store
	named := func(x *store.Named) NamedShape { return NamedShape{Kept{x.ID, x.ChangedAt}, x.Name} }
	ofNamed := func(id string, t *NamedShape) store.Named { return store.Named{ID: id, Name: t.Name} }
	(&entries[store.Named, NamedShape]{"/companies", "Company", "Companies", PeopleRead, PeopleWrite, st.Companies, st.SaveCompany, st.DeleteCompany, named, ofNamed}).register(s)
	(&entries[store.Named, NamedShape]{"/access/groups", "AccessGroup", "AccessGroups", PeopleRead, PeopleWrite, st.Groups, st.SaveGroup, st.DeleteGroup, named, ofNamed}).register(s)
	(&entries[store.AccessSchedule, AccessScheduleShape]{
		"/access/schedules", "AccessSchedule", "AccessSchedules", PoliciesRead, PoliciesWrite, st.AccessSchedules, st.SaveAccessSchedule, st.DeleteAccessSchedule,
		accessScheduleShape, accessScheduleOf,
	}).register(s)
	(&entries[store.Holidays, HolidaysShape]{
		"/access/holidays", "Holidays", "Holidays", PoliciesRead, PoliciesWrite, st.AllHolidays, st.SaveHolidays, st.DeleteHolidays,
		func(x *store.Holidays) HolidaysShape { return HolidaysShape{Kept{x.ID, x.ChangedAt}, x.Name, x.Days} },
		func(id string, t *HolidaysShape) store.Holidays {
			return store.Holidays{ID: id, Name: t.Name, Days: t.Days}
		},
	}).register(s)
	(&entries[store.AccessRow, PolicyShape]{
		"/policies", "Policy", "Policies", PoliciesRead, PoliciesWrite, st.AccessRows, st.SaveAccessRow, st.DeleteAccessRow, s.policyShape, policyOf,
	}).register(s)
	(&entries[store.Lockdown, LockdownShape]{
		"/access/lockdowns", "Lockdown", "Lockdowns", PoliciesRead, PoliciesWrite, st.Lockdowns, st.SaveLockdown, st.DeleteLockdown, lockdownShape, lockdownOf,
	}).register(s)
	(&entries[store.WrittenPolicy, ForbidShape]{
		"/access/forbids", "Forbid", "Forbids", PoliciesRead, PoliciesWrite, st.WrittenPolicies, st.SaveWrittenPolicy, st.DeleteWrittenPolicy,
		func(x *store.WrittenPolicy) ForbidShape {
			return ForbidShape{Kept{x.ID, x.ChangedAt}, x.Name, x.Text, x.Sites}
		},
		func(id string, t *ForbidShape) store.WrittenPolicy {
			return store.WrittenPolicy{Written: access.Written{ID: id, Name: t.Name, Text: t.Text, Sites: t.Sites}}
		},
	}).register(s)
	for _, x := range []struct {
		word, id, told string
		active         bool
	}{
		{"activate", "activateLockdown", "Keep people out of its places, until it is released", true},
		{"release", "releaseLockdown", "Let policies decide again", false},
	} {
		add(s, global(PoliciesWrite), huma.Operation{
			OperationID: x.id, Method: http.MethodPost, Path: "/access/lockdowns/{id}/" + x.word, Summary: x.told, Tags: []string{"access"},
		}, func(ctx context.Context, in *lockdownInput) (*entryOutput[LockdownShape], error) {
			set, err := st.SetLockdown(ctx, who(ctx).actor(), in.ID, x.active, in.Body.Reason)
			if err != nil {
				return nil, err
			}
			return &entryOutput[LockdownShape]{Body: lockdownShape(set)}, nil
		})
	}
	s.registerAccessCheck()
}

func accessScheduleShape(x *store.AccessSchedule) AccessScheduleShape {
	out := AccessScheduleShape{Kept: Kept{x.ID, x.ChangedAt}, Name: x.Name, Open: []AccessHours{}, Calendar: x.Calendar, OnHoliday: x.OnHoliday}
	for _, span := range x.Open {
		h := AccessHours{From: week.Clock(span.From), To: week.Clock(span.To)}
		for d := time.Sunday; d <= time.Saturday; d++ {
			if span.Days.Has(d) {
				h.Days = append(h.Days, int(d))
			}
		}
		out.Open = append(out.Open, h)
	}
	return out
}

func accessScheduleOf(id string, t *AccessScheduleShape) store.AccessSchedule {
	x := store.AccessSchedule{Schedule: access.Schedule{ID: id, Name: t.Name, Calendar: t.Calendar, OnHoliday: t.OnHoliday}}
	for _, h := range t.Open {
		var span week.Span
		span.From, _ = week.Minute(h.From) // the pattern let only times through
		span.To, _ = week.Minute(h.To)
		for _, d := range h.Days {
			if d < int(time.Sunday) || d > int(time.Saturday) {
				span.Days = 0 // refused by the store
				break
			}
			span.Days |= week.On(time.Weekday(d))
		}
		x.Open = append(x.Open, span)
	}
	return x
}

func kindWords(kinds []access.PlaceKind) []string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}

func kindsOf(words []string) []access.PlaceKind {
	var out []access.PlaceKind
	for _, w := range words {
		out = append(out, access.PlaceKind(w))
	}
	return out
}

func (s *Server) policyShape(x *store.AccessRow) PolicyShape {
	return PolicyShape{
		Kept: Kept{x.ID, x.ChangedAt}, Name: x.Name, To: x.To, Kinds: kindWords(x.Kinds), Places: x.Places, Sites: x.Sites, Schedule: x.Schedule,
		From: instant(x.From), Until: instant(x.Until), PIN: x.PIN, Cedar: s.o.Store.Book().Cedar(x.ID),
	}
}

func policyOf(id string, t *PolicyShape) store.AccessRow {
	x := store.AccessRow{Row: access.Row{
		ID: id, Name: t.Name, To: t.To, Kinds: kindsOf(t.Kinds), Places: t.Places, Sites: t.Sites, Schedule: t.Schedule, PIN: t.PIN,
	}}
	if t.From != nil {
		x.From = t.From.UTC()
	}
	if t.Until != nil {
		x.Until = t.Until.UTC()
	}
	return x
}

func lockdownShape(x *store.Lockdown) LockdownShape {
	return LockdownShape{
		Kept: Kept{x.ID, x.ChangedAt}, Name: x.Name, Kinds: kindWords(x.Kinds), Places: x.Places, Sites: x.Sites, Except: x.Except, Active: x.Active,
		Reason: x.Reason, By: string(x.By), Since: instant(x.Since),
	}
}

func lockdownOf(id string, t *LockdownShape) store.Lockdown {
	return store.Lockdown{Scenario: access.Scenario{
		ID: id, Name: t.Name, Kinds: kindsOf(t.Kinds), Places: t.Places, Sites: t.Sites, Except: t.Except, Active: t.Active,
	}}
}
