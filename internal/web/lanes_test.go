package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

var midnight = time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return midnight.Add(time.Duration(n) * time.Minute) }

// point is a state from a minute on, told after some minutes.
func point(state string, from, after int) fleet.Point {
	return fleet.Point{State: state, ValidFrom: minute(from), KnownAt: minute(from + after)}
}

func (s segment) String() string {
	out := fmt.Sprintf("%g-%g %s", s.from.Sub(midnight).Minutes(), s.to.Sub(midnight).Minutes(), s.status)
	out += map[link]string{linkUnknown: " link?", linkOffline: " offline", linkOnline: ""}[s.link]
	if s.unseen {
		out += " unseen"
	}
	if s.late {
		out += " late"
	}
	return out
}

func told(list []segment) string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, s.String())
	}
	return strings.Join(out, ", ")
}

func TestWalk(t *testing.T) {
	online := []fleet.Point{point("online", -60, 0)}
	tests := map[string]struct {
		states, links []fleet.Point
		unseen        []journal.Interval
		want          string
	}{
		"nothing is known": {nil, nil, nil, "0-60 Unknown link?"},
		"the state from before holds": {
			[]fleet.Point{point("Available", -30, 0), point("Charging", 20, 0)}, online, nil, "0-20 Available, 20-60 Charging",
		},
		"offline cuts a state": {
			[]fleet.Point{point("Charging", -30, 0)}, []fleet.Point{online[0], point("offline", 10, 0), point("online", 25, 0)}, nil,
			"0-10 Charging, 10-25 Charging offline, 25-60 Charging",
		},
		"told late is true and marked": {
			[]fleet.Point{point("Available", -30, 0), point("Charging", 20, 30), point("Available", 40, 0)}, online, nil,
			"0-20 Available, 20-40 Charging late, 40-60 Available",
		},
		"time without us is not observed": {
			[]fleet.Point{point("Available", -30, 0)}, online, []journal.Interval{{From: minute(15), To: minute(30)}},
			"0-15 Available, 15-30 Available unseen, 30-60 Available",
		},
		"told late about time without us": {
			[]fleet.Point{point("Available", -30, 0), point("Charging", 20, 30)}, online, []journal.Interval{{From: minute(15), To: minute(30)}},
			"0-15 Available, 15-20 Available unseen, 20-30 Charging unseen late, 30-50 Charging late, 50-60 Charging",
		},
		"several changes at once end in the last": {
			[]fleet.Point{point("Preparing", 20, 0), point("Charging", 20, 0)}, online, nil, "0-20 Unknown, 20-60 Charging",
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			var got []segment
			walk(c.states, c.links, c.unseen, minute(0), minute(60), func(s segment) { got = append(got, s) })
			if told(got) != c.want {
				t.Errorf("%s\nwant %s", told(got), c.want)
			}
		})
	}
}

func TestGaps(t *testing.T) {
	tests := map[string]struct {
		observed []journal.Interval
		want     string
	}{
		"never up":       {nil, "[0-60]"},
		"always up":      {[]journal.Interval{{From: minute(0), To: minute(60)}}, "[]"},
		"a restart":      {[]journal.Interval{{From: minute(0), To: minute(10)}, {From: minute(12), To: minute(60)}}, "[10-12]"},
		"only later":     {[]journal.Interval{{From: minute(50), To: minute(60)}}, "[0-50]"},
		"runs that meet": {[]journal.Interval{{From: minute(0), To: minute(30)}, {From: minute(20), To: minute(40)}}, "[40-60]"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got := []string{}
			for _, g := range gaps(c.observed, minute(0), minute(60)) {
				got = append(got, fmt.Sprintf("%g-%g", g.From.Sub(midnight).Minutes(), g.To.Sub(midnight).Minutes()))
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}

func TestLane(t *testing.T) {
	charging, free := laneState{status: fleet.Charging, link: linkOnline}, laneState{status: fleet.Available, link: linkOnline}
	faulted, away := laneState{status: fleet.Faulted, link: linkOnline}, laneState{status: fleet.Available, link: linkOffline}
	tests := map[string]struct {
		step time.Duration
		in   []segment
		want string
	}{
		"exact, equal neighbours joined": {0, []segment{{minute(0), minute(1), free}, {minute(1), minute(3), free}, {minute(3), minute(4), charging}},
			"0-3 Available, 3-4 Charging"},
		"what held longest names the step": {10 * time.Minute, []segment{{minute(0), minute(4), free}, {minute(4), minute(10), charging}},
			"0-10 Charging"},
		"held longest in sum": {10 * time.Minute, []segment{{minute(0), minute(3), free}, {minute(3), minute(7), charging}, {minute(7), minute(10), free}},
			"0-10 Available"},
		"a short fault is not hidden": {10 * time.Minute, []segment{{minute(0), minute(9), free}, {minute(9), minute(10), faulted}, {minute(10), minute(20), free}},
			"0-10 Faulted, 10-20 Available"},
		"a fault outranks being away": {10 * time.Minute, []segment{{minute(0), minute(9), away}, {minute(9), minute(10), faulted}}, "0-10 Faulted"},
		"whole steps in between stay one": {10 * time.Minute, []segment{{minute(0), minute(3), charging}, {minute(3), minute(58), free}, {minute(58), minute(60), charging}},
			"0-60 Available"},
		"the last step may be short": {10 * time.Minute, []segment{{minute(0), minute(20), free}, {minute(20), minute(23), charging}},
			"0-20 Available, 20-23 Charging"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			l := lane{from: minute(0), step: c.step}
			for _, s := range c.in {
				l.add(s)
			}
			l.close()
			if got := told(l.list); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// Whatever comes in: a lane has no hole, no overlap, and its bound.
func TestLaneStaysBounded(t *testing.T) {
	l := lane{from: minute(0)}
	end := minute(0)
	for i := range 50_000 {
		next := end.Add(time.Duration(1+i*7919%400) * time.Second)
		l.add(segment{end, next, laneState{status: fleet.Status(i % 7), link: linkOnline}})
		if end = next; l.full {
			l.coarsen(wholeStep(minute(0), minute(0).Add(50_000*200*time.Second)))
		}
	}
	l.close()
	if len(l.list) > maxIntervals+1 || l.step == 0 {
		t.Errorf("%d intervals in steps of %s", len(l.list), l.step)
	}
	if !l.list[0].from.Equal(minute(0)) || !l.list[len(l.list)-1].to.Equal(end) {
		t.Errorf("from %s to %s, want %s to %s", l.list[0].from, l.list[len(l.list)-1].to, minute(0), end)
	}
	if i := slices.IndexFunc(l.list[1:], func(s segment) bool { return !s.from.Before(s.to) }); i >= 0 {
		t.Errorf("interval %d is empty", i+1)
	}
	for i := 1; i < len(l.list); i++ {
		if !l.list[i].from.Equal(l.list[i-1].to) {
			t.Fatalf("a hole or overlap at %s: %s, %s", l.list[i].from, l.list[i-1], l.list[i])
		}
	}
}
