package raid

import (
	"reflect"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestAStoryIsTheSameBySeed(t *testing.T) {
	for i, kind := range Kinds() {
		if seed := uint64(i); !reflect.DeepEqual(Raid(seed, kind), Raid(seed, kind)) {
			t.Errorf("%s differs", kind)
		}
	}
	a, _ := Night(7)
	if b, _ := Night(7); !reflect.DeepEqual(a, b) {
		t.Error("a night differs")
	}
}

// Each story is in order, says what it needs, and does not tell its own end.
func TestStoriesAreWhole(t *testing.T) {
	for seed := range uint64(200) {
		kind := Kinds()[int(seed)%len(Kinds())]
		s := Raid(seed, kind)
		night, days := Night(seed)
		if s.Cut.IsZero() || !s.End.After(s.Cut) || !night.Cut.IsZero() || days < 2 {
			t.Fatalf("%d %s: %v to %v; %v", seed, kind, s.Cut, s.End, night.Cut)
		}
		for _, x := range []*Story{s, night} {
			for i, e := range x.Said {
				if i > 0 && e.At.Before(x.Said[i-1].At) {
					t.Fatalf("%d %s: %v comes after %v", seed, x.Kind, x.Said[i-1].At, e.At)
				}
				_, labels := e.Body.(*event.Labels)
				if labels != (e.Needs == Labels) || e.Subject.Type == event.StationSubject && e.Needs != Charger {
					t.Fatalf("%d %s: %s needs %d", seed, x.Kind, e.Body.Kind(), e.Needs)
				}
			}
		}
	}
}
