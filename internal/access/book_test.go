package access

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/week"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func people() []Person {
	return []Person{
		{ID: "tina", Groups: []string{"technicians"}, Company: "own"},
		{ID: "carl", Company: "cleaners"},
		{ID: "fred", Groups: []string{"technicians"}, Suspended: true},
		{ID: "paul", Groups: []string{"responders"}},
		{ID: "gone", Groups: []string{"technicians"}, Until: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
	}
}

func person(id string) *Person {
	for _, p := range people() {
		if p.ID == id {
			return &p
		}
	}
	return nil
}

// a small operator: technicians on shift, a cleaner on Saturdays, drivers.
func operator() Rows {
	weekdays := week.On(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)
	return Rows{
		Calendars: []Calendar{{ID: "by", Days: map[Date]string{{2026, time.December, 25}: "Christmas", {2026, time.December, 24}: "Christmas Eve"}}},
		Schedules: []Schedule{
			{ID: "shift", Name: "Shift", Open: []week.Span{{Days: weekdays, From: 6 * 60, To: 22 * 60}}, Calendar: "by", OnHoliday: Closed},
			{ID: "nights", Name: "Nights", Open: []week.Span{{Days: weekdays, From: 22 * 60, To: 6 * 60}}, Calendar: "by", OnHoliday: Closed},
			{ID: "saturdays", Name: "Saturdays", Open: []week.Span{{Days: week.On(time.Saturday), From: 8 * 60, To: 14 * 60}}},
		},
		Rows: []Row{
			{ID: "r1", Name: "Technicians on shift", To: []Principal{{Group: "technicians"}}, Kinds: []PlaceKind{Gate, Door, Cabinet}, Sites: []string{"north"}, Schedule: "shift"},
			{ID: "r2", Name: "Cleaning", To: []Principal{{Company: "cleaners"}}, Places: []string{"north-gate"}, Schedule: "saturdays"},
			{ID: "r3", Name: "Drivers", To: []Principal{{Anyone: true}}, Kinds: []PlaceKind{EVSE}},
			{ID: "r4", Name: "High voltage", To: []Principal{{Person: "tina"}}, Kinds: []PlaceKind{Cabinet}, Sites: []string{"south"}, PIN: true},
			{ID: "r5", Name: "Responders", To: []Principal{{Group: "responders"}}},
			{ID: "r6", Name: "Pass of order 7", To: []Principal{{Credential: "pass7"}}, Kinds: []PlaceKind{Gate}, Sites: []string{"south"},
				From: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)},
		},
		Scenarios: []Scenario{
			{ID: "s1", Name: "Night raid", Sites: []string{"north"}, Except: []Principal{{Group: "responders"}}},
			{ID: "s2", Name: "All plugs off", Kinds: []PlaceKind{EVSE}},
		},
	}
}

func TestWhoMayDoWhatWhereAndWhen(t *testing.T) {
	gate, cabinet := Place{"north-gate", Gate, "north", ""}, Place{"north-cabinet", Cabinet, "north", ""}
	southGate, southCabinet := Place{"south-gate", Gate, "south", ""}, Place{"south-cabinet", Cabinet, "south", ""}
	plug := Place{"station/CP1/1", EVSE, "north", "station/CP1"}
	const monday, night = "2026-11-23 10:00", "2026-11-24 02:00"
	for what, c := range map[string]struct {
		who    Credential
		at     Place
		when   string
		change func(*Rows, *Request)
		want   Code
		policy string
		says   string
	}{
		"a technician on shift enters":                    {Credential{ID: "c", Person: "tina"}, gate, monday, nil, Allowed, "r1", "allowed by “Technicians on shift”"},
		"not after the shift":                             {Credential{ID: "c", Person: "tina"}, gate, night, nil, OutsideHours, "r1", "denied: outside Mon-Fri 06:00-22:00 of “Technicians on shift”"},
		"not on a day off":                                {Credential{ID: "c", Person: "tina"}, gate, "2026-12-25 10:00", nil, Holiday, "r1", "denied: Christmas is a day off for “Technicians on shift”"},
		"a night after a day off is a night as all":       {Credential{ID: "c", Person: "tina"}, gate, "2026-12-26 02:00", func(r *Rows, _ *Request) { r.Rows[0].Schedule = "nights" }, Holiday, "r1", ""},
		"the night before belongs to the day it began on": {Credential{ID: "c", Person: "tina"}, gate, "2026-12-24 02:00", func(r *Rows, _ *Request) { r.Rows[0].Schedule = "nights" }, Allowed, "r1", ""},
		"not at another site":                             {Credential{ID: "c", Person: "tina"}, southGate, monday, nil, NoRight, "", "denied: no right at this place"},
		"a suspended one does not":                        {Credential{ID: "c", Person: "fred"}, gate, monday, nil, Suspended, "", "the person is suspended"},
		"one whose time is over does not":                 {Credential{ID: "c", Person: "gone"}, gate, monday, nil, HasExpired, "", ""},
		"a cleaner enters the gate on Saturday":           {Credential{ID: "c", Person: "carl"}, gate, "2026-11-28 08:00", nil, Allowed, "r2", ""},
		"but no cabinet":                                  {Credential{ID: "c", Person: "carl"}, cabinet, "2026-11-28 08:00", nil, NoRight, "", ""},
		"high voltage wants a PIN as well":                {Credential{ID: "c", Person: "tina"}, southCabinet, night, nil, NeedsPIN, "r4", "denied: “High voltage” wants a PIN as well"},
		"and is opened with it":                           {Credential{ID: "c", Person: "tina"}, southCabinet, night, func(_ *Rows, r *Request) { r.PINGiven = true }, Allowed, "r4", ""},
		"a pass opens in its time":                        {Credential{ID: "pass7", Kind: Pass}, southGate, "2026-11-23 09:00", nil, Allowed, "r6", ""},
		"and not after it":                                {Credential{ID: "pass7", Kind: Pass}, southGate, "2026-11-23 17:00", nil, NotInForce, "r6", "denied: “Pass of order 7” held until 2026-11-23 17:00"},
		"whoever shows a valid credential charges":        {Credential{ID: "c"}, plug, night, nil, Allowed, "r3", ""},
		"and enters nowhere":                              {Credential{ID: "c"}, gate, monday, nil, NoRight, "", ""},
		"without that row nobody charges":                 {Credential{ID: "c"}, plug, night, func(r *Rows, _ *Request) { r.Rows = nil }, NoRight, "", ""},
		"a station by name is all of its EVSEs": {Credential{ID: "c"}, plug, night, func(r *Rows, _ *Request) {
			r.Rows = []Row{{ID: "r", Name: "Ours", To: []Principal{{Anyone: true}}, Places: []string{"station/CP1"}}}
		}, Allowed, "r", ""},
		"and no other": {Credential{ID: "c"}, plug, night, func(r *Rows, _ *Request) {
			r.Rows = []Row{{ID: "r", Name: "Ours", To: []Principal{{Anyone: true}}, Places: []string{"station/CP2"}}}
		}, NoRight, "", ""},
		"but at a free site":                         {Credential{ID: "c"}, plug, night, func(r *Rows, q *Request) { r.Rows, q.FreeVend = nil, true }, Free, "", ""},
		"free sites have no free doors":              {Credential{ID: "c"}, gate, monday, func(_ *Rows, q *Request) { q.FreeVend = true }, NoRight, "", ""},
		"a blocked credential opens nothing":         {Credential{ID: "c", Person: "tina", Status: Blocked}, gate, monday, nil, IsBlocked, "", ""},
		"a credential of nobody known opens nothing": {Credential{ID: "c", Person: "nobody"}, plug, monday, nil, NotValid, "", ""},
		"a place nobody knows stays shut":            {Credential{ID: "c", Person: "paul"}, Place{"x", "window", "north", ""}, monday, nil, UnknownPlace, "", ""},
		"a responder goes where there is a door":     {Credential{ID: "c", Person: "paul"}, southCabinet, night, nil, Allowed, "r5", ""},
		"a lockdown keeps technicians out":           {Credential{ID: "c", Person: "tina"}, gate, monday, func(r *Rows, _ *Request) { r.Scenarios[0].Active = true }, Lockdown, "s1", "denied: “Night raid” is active"},
		"and lets responders in":                     {Credential{ID: "c", Person: "paul"}, gate, monday, func(r *Rows, _ *Request) { r.Scenarios[0].Active = true }, Allowed, "r5", ""},
		"it is about its site":                       {Credential{ID: "c", Person: "paul"}, southGate, monday, func(r *Rows, _ *Request) { r.Scenarios[0].Active, r.Scenarios[0].Except = true, nil }, Allowed, "r5", ""},
		"and leaves plugs alone":                     {Credential{ID: "c"}, plug, monday, func(r *Rows, _ *Request) { r.Scenarios[0].Active = true }, Allowed, "r3", ""},
		"one for plugs shuts free sites too":         {Credential{ID: "c"}, plug, monday, func(r *Rows, q *Request) { r.Scenarios[1].Active, q.FreeVend = true, true }, Lockdown, "s2", ""},
		"a written policy forbids":                   {Credential{ID: "c", Person: "tina"}, gate, monday, write(`forbid(principal, action, resource) when { context.minute < 660 };`), Forbidden, "w", "denied by “Written”"},
		"one that cannot be evaluated is a refusal":  {Credential{ID: "c", Person: "tina"}, gate, monday, write(`forbid(principal, action, resource) when { context.minute == 600 && context.nonsense };`), PolicyFault, "w", ""},
		"written in Cedar, a name is a name": {Credential{ID: "c", Person: "tina"}, gate, monday, func(r *Rows, _ *Request) {
			r.Rows[0].Name = "a\"); permit(principal,action,resource);//\n"
		}, Allowed, "r1", ""},
	} {
		t.Run(what, func(t *testing.T) {
			rows := operator()
			at, err := time.ParseInLocation("2006-01-02 15:04", c.when, berlin(t))
			if err != nil {
				t.Fatal(err)
			}
			who := c.who
			if who.Status == "" {
				who.Status = Accepted
			}
			r := Request{Now: at, TokenID: "t", Credential: &who, Person: person(who.Person), Action: Enter, Place: c.at, Zone: berlin(t)}
			if c.at.Kind == EVSE {
				r.Action = Charge
			}
			if c.change != nil {
				c.change(&rows, &r)
			}
			b, err := Compile(rows)
			if err != nil {
				t.Fatal(err)
			}
			got := b.Decide(r)
			if got.Code != c.want || got.Policy != c.policy || c.says != "" && got.Reason != c.says {
				t.Errorf("got %s by %q: %s", got.Code, got.Policy, got.Reason)
			}
			if in := got.Code == Allowed || got.Code == Free; (got.Status == Accepted) != in {
				t.Errorf("status %s for %s", got.Status, got.Code)
			}
			if got.Reason == "" || (got.Fault != "") != (got.Code == PolicyFault) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func write(text string) func(*Rows, *Request) {
	return func(r *Rows, _ *Request) { r.Written = []Written{{ID: "w", Name: "Written", Text: text}} }
}

func TestWrittenPoliciesOnlyForbid(t *testing.T) {
	for text, want := range map[string]string{
		`forbid(principal, action, resource) when { context.minute < 360 && !context.pin };`:                                "",
		`forbid(principal, action == Action::"enter", resource in Site::"north") unless { principal in Group::"g:staff" };`: "",
		`permit(principal, action, resource);`:                                      "can only forbid",
		`forbid(principal, action, resource); forbid(principal, action, resource);`: "is one policy, not 2",
		``: "is one policy, not 0",
		`forbid(principal, action, resource) when { principal.salary > 3 };`: "cannot be evaluated",
		`forbid(principal, action, resource) when { resource.kind > 3 };`:    "cannot be evaluated",
		`forbid(`: "is not Cedar",
		`forbid(principal, action, resource) when { "` + strings.Repeat("x", maxWritten) + `" == "" };`: "has at most",
	} {
		err := CheckWritten(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
}

func TestRowsThatDoNotStandAreRefused(t *testing.T) {
	rows := operator()
	rows.Rows[0].Schedule = "nowhere"
	if _, err := Compile(rows); err == nil {
		t.Error("a schedule that is not there")
	}
}

// What policies decide is what the rows say in words.
func TestPoliciesSayWhatTheirRowsSay(t *testing.T) {
	zone := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		rows, all := drawRows(t)
		b, err := Compile(rows)
		if err != nil {
			t.Fatal(err)
		}
		who := rapid.SampledFrom(append([]Person{{}}, all...)).Draw(t, "person")
		c := &Credential{ID: rapid.SampledFrom(credentialIDs()).Draw(t, "credential"), Status: Accepted, Person: who.ID}
		r := Request{
			TokenID: "t", Credential: c, Action: Enter, Zone: zone, PINGiven: rapid.Bool().Draw(t, "pin"),
			Now: time.Date(2026, 12, 20, 0, 0, 0, 0, zone).Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "minute")) * time.Minute),
			Place: Place{
				ID: rapid.SampledFrom(placeIDs()).Draw(t, "place"), Kind: rapid.SampledFrom(PlaceKinds()).Draw(t, "kind"), Site: rapid.SampledFrom(append(siteIDs(), "")).Draw(t, "site"), Within: rapid.SampledFrom(append(placeIDs(), "")).Draw(t, "within"),
			},
		}
		if who.ID != "" {
			r.Person = &who
		}
		var permitted, locked bool
		for i := range rows.Rows {
			_, _, near := b.judge(&rows.Rows[i], &r)
			permitted = permitted || near == permits
		}
		for i := range rows.Scenarios {
			x := &rows.Scenarios[i]
			locked = locked || x.Active && about(x.Kinds, x.Places, x.Sites, r.Place) && !names(x.Except, c, r.Person)
		}
		got := b.Decide(r)
		if want := permitted && !locked; (got.Status == Accepted) != want || got.Fault != "" {
			t.Fatalf("decided %+v; the rows say %v, locked %v", got, permitted, locked)
		}
		if got.Status != Accepted && locked != (got.Code == Lockdown) {
			t.Fatalf("the reason is %s, locked %v", got.Code, locked)
		}
	})
}

func credentialIDs() []string { return []string{"c1", "c2", `c"3`} }
func placeIDs() []string      { return []string{"d1", "d2", "d\n3"} }
func siteIDs() []string       { return []string{"north", "süd"} }

func drawRows(t *rapid.T) (rows Rows, all []Person) {
	some := func(from []string, name string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID[string]).Draw(t, name)
	}
	groups, companies := []string{"g1", "g2", "anyone"}, []string{"k1", "k2"}
	principals := func(name string) []Principal {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Principal {
			switch rapid.IntRange(0, 4).Draw(t, "of") {
			case 0:
				return Principal{Anyone: true}
			case 1:
				return Principal{Person: rapid.SampledFrom([]string{"p0", "p1", "p2"}).Draw(t, "id")}
			case 2:
				return Principal{Group: rapid.SampledFrom(groups).Draw(t, "id")}
			case 3:
				return Principal{Company: rapid.SampledFrom(companies).Draw(t, "id")}
			}
			return Principal{Credential: rapid.SampledFrom(credentialIDs()).Draw(t, "id")}
		}), 0, 3).Draw(t, name)
	}
	kinds := func(name string) []PlaceKind {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(PlaceKinds()), 0, 2, rapid.ID[PlaceKind]).Draw(t, name)
	}
	rows = Rows{Calendars: []Calendar{{ID: "cal", Days: map[Date]string{{2026, time.December, 25}: "x", {2026, time.December, 26}: "y", {2027, time.January, 1}: "z"}}}}
	for i := range rapid.IntRange(0, 3).Draw(t, "people") {
		p := Person{ID: fmt.Sprintf("p%d", i), Groups: some(groups, "groups")}
		if k := some(companies, "company"); len(k) > 0 {
			p.Company = k[0]
		}
		all = append(all, p)
	}
	for i := range rapid.IntRange(1, 2).Draw(t, "schedules") {
		s := Schedule{ID: fmt.Sprintf("s%d", i), Name: "s", OnHoliday: rapid.SampledFrom([]OnHoliday{Closed, AsSunday, AsUsual}).Draw(t, "holiday")}
		if rapid.Bool().Draw(t, "calendar") {
			s.Calendar = "cal"
		}
		for range rapid.IntRange(0, 2).Draw(t, "spans") {
			s.Open = append(s.Open, week.Span{Days: week.Days(rapid.IntRange(1, 127).Draw(t, "days")), From: 30 * rapid.IntRange(0, 47).Draw(t, "from"), To: 30 * rapid.IntRange(0, 48).Draw(t, "to")})
		}
		rows.Schedules = append(rows.Schedules, s)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "rows") {
		x := Row{ID: fmt.Sprintf("r%d", i), Name: "row", To: principals("to"), Kinds: kinds("kinds"), Places: some(placeIDs(), "places"), Sites: some(siteIDs(), "sites"), PIN: rapid.Bool().Draw(t, "pin")}
		if rapid.Bool().Draw(t, "scheduled") {
			x.Schedule = rows.Schedules[rapid.IntRange(0, len(rows.Schedules)-1).Draw(t, "schedule")].ID
		}
		if rapid.IntRange(0, 3).Draw(t, "bounded") == 0 {
			x.From, x.Until = time.Date(2026, 12, 24, 10, 0, 0, 1e6, time.UTC), time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC)
		}
		rows.Rows = append(rows.Rows, x)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "scenarios") {
		rows.Scenarios = append(rows.Scenarios, Scenario{ID: fmt.Sprintf("l%d", i), Name: "lock", Kinds: kinds("kinds"), Places: some(placeIDs(), "places"), Sites: some(siteIDs(), "sites"), Except: principals("except"), Active: rapid.Bool().Draw(t, "active")})
	}
	return rows, all
}

// A decision among 10,000 people at 200 sites with ten rows each.
func BenchmarkDecide(b *testing.B) {
	var rows Rows
	var all []Person
	for i := range 10_000 {
		all = append(all, Person{ID: fmt.Sprintf("p%d", i), Groups: []string{fmt.Sprintf("g%d", i%50), "staff"}, Company: fmt.Sprintf("k%d", i%20)})
	}
	rows.Schedules = []Schedule{{ID: "shift", Name: "Shift", Open: []week.Span{{Days: week.Every, From: 6 * 60, To: 22 * 60}}}}
	for s := range 200 {
		for n := range 10 {
			rows.Rows = append(rows.Rows, Row{ID: fmt.Sprintf("r%d-%d", s, n), Name: "row", To: []Principal{{Group: fmt.Sprintf("g%d", (s+n*5)%50)}}, Sites: []string{fmt.Sprintf("s%d", s)}, Schedule: "shift"})
		}
	}
	rows.Rows = append(rows.Rows, Row{ID: "drivers", Name: "Drivers", To: []Principal{{Anyone: true}}, Kinds: []PlaceKind{EVSE}})
	book, err := Compile(rows)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := &Credential{ID: "c", Status: Accepted}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := &all[i%len(all)]
		c.Person = p.ID
		if d := book.Decide(Request{Now: now, TokenID: "t", Credential: c, Person: p, Action: Enter, Place: Place{"gate", Gate, fmt.Sprintf("s%d", i%200), ""}}); d.Fault != "" {
			b.Fatal(d)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	rows := operator()
	for range 2000 {
		rows.Rows = append(rows.Rows, rows.Rows[0])
	}
	for b.Loop() {
		if _, err := Compile(rows); err != nil {
			b.Fatal(err)
		}
	}
}
