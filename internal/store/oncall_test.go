package store_test

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func person(name string) store.Member {
	return store.Member{Name: name, Channels: []string{"ch-" + name}}
}

func TestWhoIsOnCall(t *testing.T) {
	weekly := store.Layer{Members: []store.Member{person("ann"), person("bob"), person("cy")}, Start: "2026-01-05", Handover: "08:00", RotationDays: 7}
	daily := store.Layer{Members: []store.Member{person("ann"), person("bob")}, Start: "2026-03-23", Handover: "08:00", RotationDays: 1}
	office := store.Layer{Members: []store.Member{person("desk")}, Start: "2026-01-01", Handover: "00:00", RotationDays: 1,
		Hours: []store.Window{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00"}}}
	nights := store.Layer{Members: []store.Member{person("owl")}, Start: "2026-01-01", Handover: "12:00", RotationDays: 1,
		Hours: []store.Window{{Days: []string{"fri"}, From: "22:00", To: "06:00"}}}
	early := store.Layer{Members: []store.Member{person("ann"), person("bob")}, Start: "2026-10-24", Handover: "02:30", RotationDays: 1}
	for name, tc := range map[string]struct {
		layers []store.Layer
		over   []store.Override
		at     string
		want   string
	}{
		"before the first turn": {[]store.Layer{weekly}, nil, "2026-01-05T06:59:59Z", ""},
		"the first turn":        {[]store.Layer{weekly}, nil, "2026-01-05T07:00:00Z", "ann"},
		"the last moment of it": {[]store.Layer{weekly}, nil, "2026-01-12T06:59:59Z", "ann"},
		"the second turn":       {[]store.Layer{weekly}, nil, "2026-01-12T07:00:00Z", "bob"},
		"round again":           {[]store.Layer{weekly}, nil, "2026-01-26T07:00:00Z", "ann"},
		"in summer handed over at eight of summer time": {[]store.Layer{weekly}, nil, "2026-06-29T06:00:00Z", "bob"},
		"and not a moment before":                       {[]store.Layer{weekly}, nil, "2026-06-29T05:59:59Z", "ann"},
		"the day before the clock goes forward":         {[]store.Layer{daily}, nil, "2026-03-29T05:59:59Z", "bob"},
		"the day it went forward, an hour early by UTC": {[]store.Layer{daily}, nil, "2026-03-29T06:00:00Z", "ann"},
		"the day after": {[]store.Layer{daily}, nil, "2026-03-30T06:00:00Z", "bob"},
		"within the hour that comes twice, handed over":    {[]store.Layer{early}, nil, "2026-10-25T00:45:00Z", "bob"},
		"and not handed back when it comes again":          {[]store.Layer{early}, nil, "2026-10-25T01:15:00Z", "bob"},
		"a later layer goes before an earlier one":         {[]store.Layer{weekly, office}, nil, "2026-01-07T10:00:00Z", "desk"},
		"where it does not apply, the earlier one":         {[]store.Layer{weekly, office}, nil, "2026-01-10T10:00:00Z", "ann"},
		"hours over midnight belong to the day they begin": {[]store.Layer{nights}, nil, "2026-01-10T04:59:59Z", "owl"},
		"and end":                                      {[]store.Layer{nights}, nil, "2026-01-10T05:00:00Z", ""},
		"the night before is another day's":            {[]store.Layer{nights}, nil, "2026-01-09T04:00:00Z", ""},
		"an override goes before all":                  {[]store.Layer{weekly, office}, []store.Override{{From: instant(t, "2026-01-07T09:00:00Z"), To: instant(t, "2026-01-07T12:00:00Z"), Member: person("eve")}}, "2026-01-07T10:00:00Z", "eve"},
		"until it ends":                                {[]store.Layer{weekly}, []store.Override{{From: instant(t, "2026-01-07T09:00:00Z"), To: instant(t, "2026-01-07T12:00:00Z"), Member: person("eve")}}, "2026-01-07T12:00:00Z", "ann"},
		"of two overrides the one that was added last": {nil, []store.Override{{From: instant(t, "2026-01-07T09:00:00Z"), To: instant(t, "2026-01-07T12:00:00Z"), Member: person("eve")}, {From: instant(t, "2026-01-07T09:00:00Z"), To: instant(t, "2026-01-07T12:00:00Z"), Member: person("fay")}}, "2026-01-07T10:00:00Z", "fay"},
	} {
		t.Run(name, func(t *testing.T) {
			x := store.Schedule{TimeZone: "Europe/Berlin", Layers: tc.layers, Overrides: tc.over}
			got := ""
			if m, _ := x.At(instant(t, tc.at)); m != nil {
				got = m.Name
			}
			if got != tc.want {
				t.Errorf("%q is on call, want %q", got, tc.want)
			}
		})
	}
}

// Whatever a list of shifts says, it is what one moment says.
func TestShiftsAgreeWithEveryMoment(t *testing.T) {
	x := store.Schedule{TimeZone: "Europe/Berlin",
		Layers: []store.Layer{
			{Members: []store.Member{person("ann"), person("bob")}, Start: "2026-03-01", Handover: "02:30", RotationDays: 2},
			{Members: []store.Member{person("owl")}, Start: "2026-03-01", Handover: "00:00", RotationDays: 1, Hours: []store.Window{{Days: []string{"sat", "sun"}, From: "22:00", To: "06:00"}}},
		},
		Overrides: []store.Override{{From: instant(t, "2026-03-28T12:10:00Z"), To: instant(t, "2026-03-29T12:20:00Z"), Member: person("eve")}},
	}
	from, to := instant(t, "2026-03-20T00:00:00Z"), instant(t, "2026-04-05T00:00:00Z")
	shifts := x.Shifts(from, to)
	if len(shifts) < 10 {
		t.Fatalf("%d shifts", len(shifts))
	}
	for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
		want, got := "", ""
		if m, _ := x.At(at); m != nil {
			want = m.Name
		}
		for _, s := range shifts {
			if !at.Before(s.From) && at.Before(s.To) {
				got += s.Member.Name
			}
		}
		if got != want {
			t.Fatalf("at %s the list says %q, the moment %q", at, got, want)
		}
	}
}
