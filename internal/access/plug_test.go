package access

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/week"
)

// Whom a station serves by its list would be served here, at each of its EVSEs and
// whenever; and who would be served everywhere now is on it.
func TestAStationServesNobodyWhomTheRowsRefuse(t *testing.T) {
	zone := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		rows, people := drawRows(t)
		for i := range people {
			people[i].Suspended = rapid.IntRange(0, 5).Draw(t, "suspended") == 0
			if rapid.Bool().Draw(t, "leaves") {
				people[i].Until = time.Date(2026, 12, 27, 3, 17, 0, 0, time.UTC)
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "written") == 0 {
			rows.Written = []Written{{ID: "w", Name: "w", Text: `forbid (principal, action, resource) when { context.minute > 720 };`}}
		}
		book, err := Compile(rows)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 12, 20, 0, 0, 0, 0, zone).Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "now")) * time.Minute)
		site := rapid.SampledFrom(append(siteIDs(), "")).Draw(t, "site")
		r := PlugRequest{Now: now, Zone: zone}
		for n := range rapid.IntRange(1, 2).Draw(t, "evses") {
			r.Places = append(r.Places, Place{ID: placeIDs()[n], Kind: EVSE, Site: site})
		}
		for i, id := range credentialIDs() {
			h := Holder{Credential: &Credential{ID: id, Status: rapid.SampledFrom([]Status{Accepted, Accepted, Blocked}).Draw(t, "status")}}
			if i < len(people) {
				h.Person, h.Credential.Person = &people[i], people[i].ID
			}
			if rapid.Bool().Draw(t, "expires") {
				h.Credential.ExpiresAt = now.Add(time.Duration(rapid.IntRange(-10, 14*24*60).Draw(t, "at")) * time.Minute)
			}
			if rapid.Bool().Draw(t, "begins") {
				h.Credential.From = now.Add(time.Duration(rapid.IntRange(-10, 10).Draw(t, "at")) * time.Minute)
			}
			r.Holders = append(r.Holders, h)
		}
		got := book.Plugs(r)
		accepted := func(h *Holder, at time.Time) (Decision, bool) {
			for _, p := range r.Places {
				if d := book.Decide(Request{Now: at, TokenID: "t", Credential: h.Credential, Person: h.Person, Zone: zone, Action: Charge, Place: p}); d.Status != Accepted {
					return d, false
				}
			}
			return Decision{}, true
		}
		for i := range r.Holders {
			h := &r.Holders[i]
			on := slices.IndexFunc(got.Allowed, func(x Plug) bool { return x.Credential.ID == h.Credential.ID })
			if _, ok := accepted(h, now); ok != (on >= 0) {
				t.Fatalf("%s may charge now: %t, and the list is %+v", h.Credential.ID, ok, got)
			}
			if on < 0 || len(rows.Written) > 0 {
				continue
			}
			for range 10 {
				at := now.Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "minute"))*time.Minute + 30*time.Second)
				if until := got.Allowed[on].Until; !until.IsZero() && !at.Before(until) {
					continue
				}
				if d, ok := accepted(h, at); !ok {
					t.Fatalf("%s is served at %s, though %s\n%+v", h.Credential.ID, at, d.Reason, got)
				}
			}
		}
	})
}

func TestUntilWhenAStationServes(t *testing.T) {
	zone := berlin(t)
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, zone) // a Monday
	day := []week.Span{{Days: week.Every, From: 6 * 60, To: 22 * 60}}
	schedules := []Schedule{{ID: "day", Open: day}, {ID: "night", Open: []week.Span{{Days: week.Every, From: 22 * 60, To: 6 * 60}}},
		{ID: "weekdays", Open: []week.Span{{Days: week.Every &^ week.On(time.Sunday), From: 0, To: 24 * 60}}}}
	row := func(change func(*Row)) []Row {
		x := Row{ID: "r", To: []Principal{{Anyone: true}}, Kinds: []PlaceKind{EVSE}}
		change(&x)
		return []Row{x}
	}
	tests := map[string]struct {
		rows  []Row
		until string // empty: on no list; "-": without an end
		named bool
		why   LeftWhy
	}{
		"always":                          {row(func(*Row) {}), "-", false, ""},
		"a group that a row names":        {row(func(x *Row) { x.To = []Principal{{Group: "staff"}} }), "-", true, ""},
		"by day":                          {row(func(x *Row) { x.Schedule = "day" }), "2026-11-23 22:00", false, ""},
		"by night":                        {row(func(x *Row) { x.Schedule = "night" }), "", false, LeftHours},
		"from day to day up to the pause": {row(func(x *Row) { x.Schedule = "weekdays" }), "2026-11-29 00:00", false, ""},
		"a row that ends":                 {row(func(x *Row) { x.Until = now.Add(26 * time.Hour) }), "2026-11-24 12:00", false, ""},
		"with a code":                     {row(func(x *Row) { x.PIN = true }), "", false, LeftNoKeypad},
		"at one EVSE of two":              {row(func(x *Row) { x.Kinds, x.Places = nil, []string{"station/CS1/1"} }), "", false, LeftPart},
		"at the station by name":          {row(func(x *Row) { x.Kinds, x.Places = nil, []string{"station/CS1"} }), "-", false, ""},
		"nobody":                          {nil, "", false, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			book, err := Compile(Rows{Schedules: schedules, Rows: tc.rows})
			if err != nil {
				t.Fatal(err)
			}
			r := PlugRequest{Now: now, Zone: zone, Holders: []Holder{{Credential: &Credential{ID: "c", Person: "p", Status: Accepted}, Person: &Person{ID: "p", Groups: []string{"staff"}}}}}
			for n := 1; n <= 2; n++ {
				r.Places = append(r.Places, Place{ID: fmt.Sprintf("station/CS1/%d", n), Kind: EVSE, Site: "s", Within: "station/CS1"})
			}
			got := book.Plugs(r)
			until, named := "", false
			for _, x := range got.Allowed {
				if until, named = "-", x.Named; !x.Until.IsZero() {
					until = x.Until.In(zone).Format("2006-01-02 15:04")
				}
			}
			if until != tc.until || named != tc.named {
				t.Errorf("served until %q, named %t", until, named)
			}
			if tc.why == "" && len(got.Left) != 0 || tc.why != "" && (len(got.Left) != 1 || got.Left[0].Why != tc.why) {
				t.Errorf("left %+v", got.Left)
			}
		})
	}
}

func BenchmarkPlugs(b *testing.B) {
	book, err := Compile(Rows{Schedules: []Schedule{{ID: "day", Open: []week.Span{{Days: week.Every, From: 6 * 60, To: 22 * 60}}}},
		Rows: []Row{{ID: "r", To: []Principal{{Anyone: true}}, Kinds: []PlaceKind{EVSE}}, {ID: "q", To: []Principal{{Group: "staff"}}, Kinds: []PlaceKind{EVSE}, Schedule: "day"}}})
	if err != nil {
		b.Fatal(err)
	}
	r := PlugRequest{Now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Places: []Place{{ID: "a", Kind: EVSE}, {ID: "b", Kind: EVSE}}}
	for i := range 10_000 {
		r.Holders = append(r.Holders, Holder{Credential: &Credential{ID: fmt.Sprint("c", i), Status: Accepted, Person: "p"}, Person: &Person{ID: "p", Groups: []string{"staff"}}})
	}
	for b.Loop() {
		if got := book.Plugs(r); len(got.Allowed) != 10_000 {
			b.Fatal(len(got.Allowed))
		}
	}
}
