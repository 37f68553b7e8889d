package access

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/week"
)

// lets decides as a controller does.
func (l Lists) lets(number uint32, door int, keypad bool, pin uint32, local time.Time) bool {
	c, ok := l.Cards[number]
	if !ok || keypad && c.PIN != 0 && pin != c.PIN || !within(c.From, c.To, local) {
		return false
	}
	right := c.Rights[door]
	if right == Never || right == Always {
		return right == Always
	}
	minute := local.Hour()*60 + local.Minute()
	for id := right; id != 0; {
		p, ok := l.Profiles[id]
		if !ok {
			return true // as boards do
		}
		if within(p.From, p.To, local) && p.Days.Has(local.Weekday()) {
			for _, s := range p.Segments {
				if s != (Segment{}) && minute >= s.First && minute <= s.Last {
					return true
				}
			}
		}
		id = p.Linked
	}
	return false
}

func within(from, to Date, t time.Time) bool {
	day := func(d Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }
	at := day(DateOf(t))
	return !at.Before(day(from)) && !at.After(day(to))
}

// What a controller does by its lists is what is decided here, whatever the rows.
func TestListsDecideAsTheRowsDo(t *testing.T) {
	zone := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		rows, people := drawRows(t)
		for i := range people {
			people[i].Suspended = rapid.IntRange(0, 5).Draw(t, "suspended") == 0
		}
		book, err := Compile(rows)
		if err != nil {
			t.Fatal(err)
		}
		base := time.Date(2026, 12, 20, 0, 0, 0, 0, zone)
		r := ListRequest{Now: base, Zone: zone}
		for n := range 2 {
			r.Doors[n] = ListDoor{Keypad: rapid.Bool().Draw(t, "keypad"), Place: Place{
				ID: placeIDs()[n], Kind: rapid.SampledFrom([]PlaceKind{Door, Gate, Cabinet}).Draw(t, "kind"), Site: rapid.SampledFrom(append(siteIDs(), "")).Draw(t, "site"),
			}}
		}
		for i, id := range credentialIDs() {
			h := Holder{Number: uint32(i + 1), Credential: &Credential{ID: id, Status: rapid.SampledFrom([]Status{Accepted, Accepted, Blocked}).Draw(t, "status")}}
			if i < len(people) {
				h.Person, h.Credential.Person = &people[i], people[i].ID
			}
			if rapid.Bool().Draw(t, "pin") {
				h.PIN = 4711
			}
			if rapid.Bool().Draw(t, "expires") {
				h.Credential.ExpiresAt = base.Add(time.Duration(rapid.IntRange(1, 14*24*60).Draw(t, "at")) * time.Minute)
			}
			if rapid.Bool().Draw(t, "begins") {
				h.Credential.From = base.Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "at")) * time.Minute)
			}
			r.Holders = append(r.Holders, h)
		}
		first := book.Lists(r)
		r.Have = first.Lists
		got := book.Lists(r)
		if d := first.To(got.Lists); !d.None() {
			t.Fatalf("made again it differs: %+v", d)
		}
		for range 20 {
			i, n := rapid.IntRange(0, 2).Draw(t, "who"), rapid.IntRange(0, 1).Draw(t, "door")
			at := base.Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "minute"))*time.Minute + 30*time.Second)
			h, d := r.Holders[i], r.Doors[n]
			decide := func(at time.Time) Decision {
				return book.Decide(Request{Now: at, TokenID: "t", Credential: h.Credential, Person: h.Person, Zone: zone, Action: Enter, Place: d.Place, PINGiven: d.Keypad && h.PIN != 0})
			}
			want := decide(at)
			lets := got.lets(h.Number, n, d.Keypad, h.PIN, at) && !got.Locked[n]
			if lets && want.Status != Accepted {
				t.Fatalf("%s enters %d at %s, though %s\n%+v", h.Credential.ID, n, at, want.Reason, got)
			}
			// A minute in which something begins or ends is outside.
			whole := decide(at.Add(-time.Minute)).Status == Accepted && decide(at.Add(time.Minute)).Status == Accepted
			if !lets && want.Status == Accepted && whole {
				t.Fatalf("%s does not enter %d at %s, though %s\n%+v", h.Credential.ID, n, at, want.Reason, got)
			}
		}
	})
}

func TestWhatIsOnNoList(t *testing.T) {
	row := Row{ID: "r", Name: "row", To: []Principal{{Anyone: true}}}
	door := ListDoor{Place: Place{ID: "d", Kind: Door, Site: "s"}}
	holder := Holder{Number: 7, Credential: &Credential{ID: "c", Status: Accepted}}
	pin := row
	pin.PIN = true
	many := Rows{}
	for i := range 300 {
		id := fmt.Sprintf("r%d", i)
		many.Schedules = append(many.Schedules, Schedule{ID: id, Open: []week.Span{{Days: week.Every, From: i, To: i + 1}}})
		many.Rows = append(many.Rows, Row{ID: id, To: []Principal{{Credential: id}}, Schedule: id})
	}
	tests := map[string]struct {
		rows Rows
		r    ListRequest
		left []Left
	}{
		"where a door cannot ask for the code": {Rows{Rows: []Row{pin}}, ListRequest{Doors: [4]ListDoor{door}, Holders: []Holder{holder}}, []Left{{"c", 1, "r", LeftNoKeypad}}},
		"who has no code":                      {Rows{Rows: []Row{pin}}, ListRequest{Doors: [4]ListDoor{{Place: door.Place, Keypad: true}}, Holders: []Holder{holder}}, []Left{{"c", 1, "r", LeftNoPIN}}},
		"two with the same number":             {Rows{Rows: []Row{row}}, ListRequest{Doors: [4]ListDoor{door}, Holders: []Holder{holder, {Number: 7, Credential: &Credential{ID: "e", Status: Accepted}}}}, []Left{{"c", 0, "", LeftTwice}, {"e", 0, "", LeftTwice}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			book, err := Compile(tc.rows)
			if err != nil {
				t.Fatal(err)
			}
			tc.r.Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
			got := book.Lists(tc.r)
			if !slices.Equal(got.Left, tc.left) || len(got.Cards) != 0 {
				t.Errorf("left %+v, cards %v", got.Left, got.Cards)
			}
		})
	}
	t.Run("more times than a controller has room for", func(t *testing.T) {
		book, err := Compile(many)
		if err != nil {
			t.Fatal(err)
		}
		r := ListRequest{Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Doors: [4]ListDoor{door}}
		for i := range 300 {
			r.Holders = append(r.Holders, Holder{Number: uint32(i + 1), Credential: &Credential{ID: fmt.Sprintf("r%d", i), Status: Accepted}})
		}
		if got := book.Lists(r); len(got.Cards) != 253 || len(got.Left) != 47 || got.Left[0].Why != LeftFull {
			t.Errorf("%d cards, %d left, %+v", len(got.Cards), len(got.Left), got.Left[0])
		}
	})
}

// A lockdown that leaves out nobody is a mode of the door; one that leaves out
// some is a change of the lists.
func TestLockdownsOnControllers(t *testing.T) {
	rows := Rows{
		Rows:      []Row{{ID: "r", To: []Principal{{Anyone: true}}}},
		Scenarios: []Scenario{{ID: "l", Active: true, Places: []string{"d1"}}, {ID: "m", Active: true, Places: []string{"d2"}, Except: []Principal{{Credential: "boss"}}}, {ID: "n", Places: []string{"d3"}}},
		Written:   []Written{{ID: "w", Text: `forbid (principal, action, resource);`, Sites: []string{"s"}}},
	}
	book, err := Compile(rows)
	if err != nil {
		t.Fatal(err)
	}
	r := ListRequest{Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	for n, id := range []string{"d1", "d2", "d3"} {
		r.Doors[n].Place = Place{ID: id, Kind: Door, Site: []string{"s", "", ""}[n]}
	}
	for i, id := range []string{"boss", "other"} {
		r.Holders = append(r.Holders, Holder{Number: uint32(i + 1), Credential: &Credential{ID: id, Status: Accepted}})
	}
	got := book.Lists(r)
	if got.Locked != [4]bool{true} || got.Cards[1].Rights != [4]uint8{1, 1, 1} || got.Cards[2].Rights != [4]uint8{1, 0, 1} {
		t.Errorf("locked %v, cards %+v", got.Locked, got.Cards)
	}
	if len(got.Online[0]) != 1 || got.Online[0][0] != "w" || got.Online[1] != nil {
		t.Errorf("only here: %v", got.Online)
	}
}

// While lists change, no card gets times that nobody wanted for it.
func TestChangedTimesGetNewNumbers(t *testing.T) {
	compiled := func(to int, have Lists) Lists {
		book, err := Compile(Rows{
			Schedules: []Schedule{{ID: "day", Open: []week.Span{{Days: week.Every, From: 360, To: to}}}, {ID: "night", Open: []week.Span{{Days: week.Every, From: 1320, To: 360}}}},
			Rows:      []Row{{ID: "a", To: []Principal{{Credential: "c1"}}, Schedule: "day"}, {ID: "b", To: []Principal{{Credential: "c2"}}, Schedule: "night"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return book.Lists(ListRequest{Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Doors: [4]ListDoor{{Place: Place{ID: "d", Kind: Door}}}, Have: have, Holders: []Holder{
			{Number: 1, Credential: &Credential{ID: "c1", Status: Accepted}}, {Number: 2, Credential: &Credential{ID: "c2", Status: Accepted}},
		}}).Lists
	}
	before := compiled(1200, Lists{})
	after := compiled(1260, before)
	d := before.To(after)
	if len(d.Put) != 1 || d.Put[0] != 1 || len(d.Profiles) != 1 || before.Profiles[d.Profiles[0]] != (Profile{}) {
		t.Errorf("before %+v\nafter %+v\nby %+v", before, after, d)
	}
}
