package proof

import (
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

func (p *pile) proofs(t *testing.T) (out []*event.Proof) {
	t.Helper()
	events, _, err := p.log.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindProof}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Backward(events) {
		out = append(out, e.Body.(*event.Proof))
	}
	return out
}

func TestTheDaysBeforeAnEnd(t *testing.T) {
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		left time.Duration
		days int
		soon bool
	}{
		"31 days": {31 * day, 0, false}, "29 days": {29 * day, 30, true}, "8 days": {8 * day, 30, true}, "6 days": {6 * day, 7, true}, "over": {-time.Second, 0, true},
	} {
		if days, soon := within(now, now.Add(tc.left)); days != tc.days || soon != tc.soon {
			t.Errorf("%s: %d %t", name, days, soon)
		}
	}
}

// A station that comes by less than it must is told once, after a start too, and that it
// is over once it stayed for an hour as it must.
func TestAWeakerProofIsToldOnce(t *testing.T) {
	p, x, s := begin(t, false)
	steps(t, p, x, s, t.Context())
	s.watch(t.Context(), true)
	if told := p.proofs(t); len(told) != 0 {
		t.Fatalf("told %+v", told)
	}
	s.Weaker("S1", 1)
	s.watch(t.Context(), false)
	s = p.start(t, x)
	s.watch(t.Context(), true)
	s.Weaker("S1", 1)
	s.watch(t.Context(), true)
	told := p.proofs(t)
	if len(told) != 1 || told[0].Weaker == nil || told[0].Weaker.Must != 2 || told[0].Weaker.Came != 1 || told[0].Weaker.Let {
		t.Fatalf("told %+v", told)
	}
	p.now = p.now.Add(2 * time.Hour)
	s.watch(t.Context(), true)
	if told := p.proofs(t); len(told) != 2 || told[1].Weaker != nil {
		t.Errorf("told %+v", told)
	}
}

// A station that took its profile and falls back is told, and that it came after all.
func TestAStationThatFallsBackIsTold(t *testing.T) {
	p, x, s := begin(t, false)
	x.says = map[string]string{"ChangeConfiguration": "Accepted"}
	steps(t, p, x, s, t.Context())
	s.watch(t.Context(), true)
	s.watch(t.Context(), true)
	if told := p.proofs(t); len(told) != 1 || told[0].Weaker == nil || !told[0].Weaker.Let || told[0].Weaker.Must != 2 {
		t.Fatalf("told %+v", told)
	}
	x.wants = 2
	x.restart()
	steps(t, p, x, s, t.Context())
	s.watch(t.Context(), true)
	if u, _ := s.o.Store.Upgrade("S1"); u.State != store.UpgradeDone {
		t.Fatalf("%+v", u)
	}
	if told := p.proofs(t); len(told) != 2 || told[1].Weaker != nil {
		t.Errorf("told %+v", told)
	}
}
