package journaltest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// listsOfSites writes sessions and events of three sites and reads them page
// by page.
func listsOfSites(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	sites := []string{"a", "b", "c"}
	say := func(subject event.Subject, body event.Body) {
		t.Helper()
		now := clock.Now()
		must(t, r, &event.Event{Subject: subject, At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice, Body: body})
	}
	for i, site := range sites {
		for n := range 2 {
			id := fmt.Sprintf("%s%d", site, n)
			say(event.Station(id), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted})
			say(event.Station(id), &event.Connected{ConnID: id, Protocol: "ocpp2.0.1"})
			for k := range 5 {
				clock.Add(time.Duration(i+1) * time.Minute)
				tx := fmt.Sprintf("%s-%d", id, k)
				say(event.Port(id, 1, 1), &event.Transaction{Stage: event.TransactionStarted, TransactionID: tx, TokenID: "t-" + site, TokenStatus: "Accepted"})
				say(event.Port(id, 1, 1), &event.Meter{TransactionID: tx, Samples: event.Samples{{At: clock.Now(), Values: []event.Sample{{Measurand: "Voltage", Value: 230}}}}})
				say(event.Port(id, 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: tx, Reason: "Local"})
			}
		}
	}
	// A stop without a start is a doubtful session.
	say(event.Port("c1", 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: "lost", Reason: "Local"})
	active := false
	many := make([]string, 0, 300)
	for i := range 300 {
		many = append(many, fmt.Sprintf("other-%d", i))
	}
	for name, tc := range map[string]struct {
		q    journal.SessionQuery
		want int
	}{
		"no limit":                   {journal.SessionQuery{}, 31},
		"no site at all":             {journal.SessionQuery{Sites: []string{}}, 0},
		"one site":                   {journal.SessionQuery{Sites: []string{"b"}}, 10},
		"two sites":                  {journal.SessionQuery{Sites: []string{"c", "a"}}, 21},
		"two among many":             {journal.SessionQuery{Sites: append(slices.Clone(many), "c", "a")}, 21},
		"a station of the site":      {journal.SessionQuery{Station: "a1", Sites: []string{"a"}}, 5},
		"a station of another":       {journal.SessionQuery{Station: "a1", Sites: []string{"b"}}, 0},
		"a token at its site":        {journal.SessionQuery{TokenID: "t-c", Sites: []string{"c", "b"}}, 10},
		"a token at another":         {journal.SessionQuery{TokenID: "t-c", Sites: []string{"b"}}, 0},
		"a transaction":              {journal.SessionQuery{Transaction: "b1-3"}, 1},
		"a transaction elsewhere":    {journal.SessionQuery{Transaction: "b1-3", Sites: []string{"a"}}, 0},
		"what is doubtful":           {journal.SessionQuery{Flagged: true}, 1},
		"what is doubtful at a site": {journal.SessionQuery{Flagged: true, Sites: []string{"a"}}, 0},
		"what has ended at one site": {journal.SessionQuery{Active: &active, Sites: []string{"a"}}, 10},
		"before it all":              {journal.SessionQuery{Sites: []string{"a"}, To: clock.Now().Add(-24 * time.Hour)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			whole := pages(t, journal.MaxLimit, func(limit int, before journal.Cursor) ([]*fleet.Session, journal.Cursor, error) {
				tc.q.Limit, tc.q.Before = limit, before
				return r.Sessions(t.Context(), tc.q)
			})
			if len(whole) != tc.want {
				t.Fatalf("%d sessions, want %d", len(whole), tc.want)
			}
			for i, s := range whole {
				if i > 0 && s.StartedAt.After(whole[i-1].StartedAt) {
					t.Errorf("%s is newer than what stands before it", s.ID)
				}
				if tc.q.Sites != nil && !slices.Contains(tc.q.Sites, s.SiteID) {
					t.Errorf("%s is of site %q", s.ID, s.SiteID)
				}
			}
			few := pages(t, 3, func(limit int, before journal.Cursor) ([]*fleet.Session, journal.Cursor, error) {
				tc.q.Limit, tc.q.Before = limit, before
				return r.Sessions(t.Context(), tc.q)
			})
			if !slices.EqualFunc(whole, few, func(a, b *fleet.Session) bool { return a.ID == b.ID }) {
				t.Error("small pages hold something else")
			}
		})
	}

	of := func(ids ...string) []event.Subject {
		list := []event.Subject{}
		for _, id := range ids {
			list = append(list, event.Station(id))
		}
		return list
	}
	meter := []event.Kind{event.KindMeter}
	both := []event.Kind{event.KindMeter, event.KindTransaction}
	for name, tc := range map[string]struct {
		q    journal.EventQuery
		want int
	}{
		"events of nothing":                    {journal.EventQuery{Among: of()}, 0},
		"events of two stations":               {journal.EventQuery{Among: of("a0", "c1"), Kinds: []event.Kind{event.KindTransaction}}, 21},
		"events of many":                       {journal.EventQuery{Among: append(of(many...), of(many...)...), Kinds: []event.Kind{event.KindTransaction}}, 0},
		"one station that is among them":       {journal.EventQuery{Subject: event.Port("a0", 1, 0), Among: of("a0"), Kinds: []event.Kind{event.KindTransaction}}, 10},
		"one station that is not":              {journal.EventQuery{Subject: event.Station("a0"), Among: of("a1")}, 0},
		"one port that is not there":           {journal.EventQuery{Subject: event.Port("a0", 2, 0), Kinds: both}, 0},
		"measurements":                         {journal.EventQuery{Kinds: meter}, 30},
		"measurements of a station":            {journal.EventQuery{Kinds: meter, Subject: event.Station("b0")}, 5},
		"measurements of two stations":         {journal.EventQuery{Kinds: meter, Among: of("b0", "b1")}, 10},
		"measurements and transactions":        {journal.EventQuery{Kinds: both, Subject: event.Station("b0")}, 15},
		"measurements of a time before it all": {journal.EventQuery{Kinds: meter, To: clock.Now().Add(-24 * time.Hour)}, 0},
		"measurements of a time after it all":  {journal.EventQuery{Kinds: meter, From: clock.Now().Add(time.Hour)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			read := func(limit int) []*event.Event {
				return pages(t, limit, func(limit int, before journal.Cursor) ([]*event.Event, journal.Cursor, error) {
					tc.q.Limit, tc.q.Before = limit, before
					return r.Events(t.Context(), tc.q)
				})
			}
			whole := read(journal.MaxLimit)
			if len(whole) != tc.want {
				t.Fatalf("%d events, want %d", len(whole), tc.want)
			}
			if !slices.IsSortedFunc(whole, func(a, b *event.Event) int { return b.At.Compare(a.At) }) {
				t.Error("not newest first")
			}
			if !slices.EqualFunc(whole, read(3), func(a, b *event.Event) bool { return a.Seq == b.Seq }) {
				t.Error("small pages hold something else")
			}
		})
	}
}

// pages reads a list to its end.
func pages[T any](t *testing.T, limit int, read func(limit int, before journal.Cursor) ([]T, journal.Cursor, error)) []T {
	t.Helper()
	var all []T
	before := journal.Cursor("")
	for range 1000 {
		page, next, err := read(limit, before)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("a page of %d, asked for %d", len(page), limit)
		}
		all = append(all, page...)
		if before = next; next == "" {
			return all
		}
	}
	t.Fatal("the list has no end")
	return nil
}
