package raid_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
)

func all() []string { return slices.Concat(raid.Kinds(), raid.Others(), raid.Nights()) }

func draw(t *testing.T, seed uint64, kind string) *raid.Story {
	t.Helper()
	s, err := raid.Draw(seed, kind)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStoryIsTheSameBySeed(t *testing.T) {
	for i, kind := range all() {
		seed := uint64(i)
		a, b := draw(t, seed, kind), draw(t, seed, kind)
		first, _ := a.Tell()
		second, _ := b.Tell()
		if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(first, second) {
			t.Errorf("%s differs", kind)
		}
	}
	a, _ := raid.Night(7)
	if b, _ := raid.Night(7); !reflect.DeepEqual(a, b) {
		t.Error("a night differs")
	}
	if s, err := raid.Draw(1, "picnic"); err == nil {
		t.Errorf("there is a story of a picnic: %v", s)
	}
}

// Each story is in order, says what it needs, and does not tell its own end.
func TestStoriesAreWhole(t *testing.T) {
	for seed := range uint64(100) {
		night, days := raid.Night(seed)
		if days < 2 {
			t.Fatalf("night %d: %v station-days", seed, days)
		}
		whole(t, seed, night)
		for _, kind := range all() {
			whole(t, seed, draw(t, seed, kind))
		}
	}
}

func whole(t *testing.T, seed uint64, s *raid.Story) {
	t.Helper()
	harm := false
	for i, a := range s.Acts {
		harm = harm || a.Harm
		if i > 0 && a.At.Before(s.Acts[i-1].At) {
			t.Fatalf("%d %s: %v comes after %v", seed, s.Kind, s.Acts[i-1].At, a.At)
		}
		if a.At.Before(s.Begin) || a.At.After(s.End) && s.Kind != "night" || a.Station < 0 || a.Station >= s.Stations || a.At.Before(s.Curtain) && a.Do != raid.Plugs {
			t.Fatalf("%d %s: %+v does not belong there", seed, s.Kind, a)
		}
	}
	if raids := !s.Cut.IsZero(); harm && !raids || raids != slices.Contains(slices.Concat(raid.Kinds(), raid.Others()), s.Kind) || !s.End.After(s.Curtain) {
		t.Fatalf("%d %s: cut at %v, harm %v, from %v to %v", seed, s.Kind, s.Cut, harm, s.Curtain, s.End)
	}
	said, _ := s.Tell()
	for i, e := range said {
		if i > 0 && e.At.Before(said[i-1].At) {
			t.Fatalf("%d %s: %v is told after %v", seed, s.Kind, said[i-1].At, e.At)
		}
		_, labels := e.Body.(*event.Labels)
		if labels != (e.Needs == raid.Labels) || e.Subject.Type == event.StationSubject && e.Needs != raid.Charger {
			t.Fatalf("%d %s: %s needs %d", seed, s.Kind, e.Body.Kind(), e.Needs)
		}
	}
}
