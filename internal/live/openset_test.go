package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
)

func ids(list []*incident.Incident) []string {
	out := make([]string, 0, len(list))
	for _, in := range list {
		out = append(out, fmt.Sprintf("%s/%d", in.ID, in.Total))
	}
	return out
}

// A set that was handed out stays as it was, whatever follows, and each is what
// a map would hold.
func TestOpenSetsFollowChangesAndStayAsTheyWere(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	closed := time.Unix(1, 0)
	want := make(map[string]*incident.Incident)
	var set openSet
	type kept struct {
		set  openSet
		want []string
	}
	var all []kept
	for round := range 600 {
		var changed []*incident.Incident
		for range random.IntN(40) {
			in := &incident.Incident{ID: fmt.Sprintf("%04d", random.IntN(2000)), Total: round}
			// It grows, shrinks to nothing and grows again.
			if random.IntN(100) < []int{10, 90, 50}[round/200] {
				in.ClosedAt = &closed
				delete(want, in.ID)
			} else {
				want[in.ID] = in
			}
			changed = append(changed, in)
		}
		if round == 399 {
			for _, id := range slices.Sorted(maps.Keys(want)) {
				changed = append(changed, &incident.Incident{ID: id, ClosedAt: &closed})
			}
			clear(want)
		}
		set = set.with(changed)
		list := make([]*incident.Incident, 0, len(want))
		for _, id := range slices.Sorted(maps.Keys(want)) {
			list = append(list, want[id])
		}
		all = append(all, kept{set, ids(list)})
		if set.count != len(want) || round == 399 && len(set.pages) != 0 {
			t.Fatalf("round %d: %d of %d, %d pages", round, set.count, len(want), len(set.pages))
		}
		for _, page := range set.pages {
			if len(page) == 0 || len(page) > pageSize {
				t.Fatalf("round %d: a page of %d", round, len(page))
			}
		}
	}
	for round, k := range all {
		if got := ids(k.set.all()); !slices.Equal(got, k.want) {
			t.Fatalf("the set of round %d is not what it was: %d, want %d", round, len(got), len(k.want))
		}
	}
	if got := ids(newOpenSet(set.all()).all()); !slices.Equal(got, all[len(all)-1].want) {
		t.Error("a set made of a list is another")
	}
}

// BenchmarkView is what one changed incident costs to show beside 10,000 others:
// by copying all, as was done once, and by copying a page.
func BenchmarkView(b *testing.B) {
	const n = 10_000
	list := make([]*incident.Incident, 0, n)
	for i := range n {
		list = append(list, &incident.Incident{
			ID: fmt.Sprintf("%06d", i), Subjects: []string{"station/A/1"}, Findings: make([]incident.Found, 3), Evidence: make([]incident.Evidence, 12),
			Labels: map[string]string{"site": "ham"}, Detectors: []string{"D03"},
		})
	}
	change := func(i int) []*incident.Incident {
		return []*incident.Incident{{ID: fmt.Sprintf("%06d", i*7919%n), Total: i}}
	}
	b.Run("copied", func(b *testing.B) {
		fold := incident.New()
		for _, in := range list {
			data, err := json.Marshal(in)
			if err != nil {
				b.Fatal(err)
			}
			if err := fold.Load(in.ID, data); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			if len(fold.Open()) != n {
				b.Fatal("some are missing")
			}
		}
	})
	b.Run("paged", func(b *testing.B) {
		b.ReportAllocs()
		set, i := newOpenSet(list), 0
		for b.Loop() {
			set = set.with(change(i))
			i++
		}
	})
	b.Run("paged and listed", func(b *testing.B) {
		b.ReportAllocs()
		set, i := newOpenSet(list), 0
		for b.Loop() {
			set = set.with(change(i))
			_ = set.all()
			i++
		}
	})
}
