package sim

import (
	"math/rand/v2"
	"time"
)

// SecondCarrier begins the card numbers of the sites of the demo that are with
// another carrier than the rest.
const SecondCarrier = "894902"

// NetworkScript is what goes wrong in the demo network on purpose, beside the
// random faults of its days: some of it in the past that it may have, some
// while people watch. The same seed breaks the same things.
func NetworkScript(plan Plan, seed uint64) func(start time.Time) []Failure {
	return func(start time.Time) []Failure {
		r := newRand(seed, "network", "script")
		s := script{plan: &plan, r: r, taken: make(map[string]bool)}
		ago := func(days int, at time.Duration) time.Time {
			return start.UTC().Truncate(24*time.Hour).AddDate(0, 0, -days).Add(at)
		}
		fast := func(x *Spec, n int) bool { return x.Model.EVSEs[n-1].Phases == 0 && len(x.Model.EVSEs) > 1 }
		slow := func(x *Spec, n int) bool { return x.Model.EVSEs[n-1].Phases == 3 && x.version() == V16 }
		travel := func(x *Spec, n int) bool { return fast(x, n) && s.use(x) == Motorway }

		// While people watch.
		s.add(slow, Failure{Mode: Breaks, Code: "CX001", From: start.Add(25 * time.Second), For: 3 * time.Hour})
		s.add(travel, Failure{Mode: StartFails, Size: 1, Code: "energy", From: start.Add(-9 * time.Hour), For: 15 * time.Hour})
		s.add(fast, Failure{Mode: ModuleLost, Size: 0.33, From: start.Add(-8 * 24 * time.Hour), For: 12 * 24 * time.Hour})
		s.add(slow, Failure{Mode: Chatters, Size: 20, From: start.Add(-40 * time.Minute), For: 4 * time.Hour})
		s.list = append(s.list, Failure{Mode: LinkLost, Carrier: SecondCarrier, From: start.Add(4 * time.Minute), For: 35 * time.Minute})

		// What was.
		s.list = append(s.list,
			Failure{Mode: LinkLost, Carrier: SecondCarrier, From: ago(34, 13*time.Hour), For: 95 * time.Minute},
			Failure{Mode: PowerLost, Site: "cgn-ring", From: ago(9, 5*time.Hour+20*time.Minute), For: 50 * time.Minute},
			Failure{Mode: PowerLost, Site: "drs-neustadt", From: ago(57, 16*time.Hour), For: 2 * time.Hour})
		s.add(slow, Failure{Mode: LockFails, Size: 0.5, From: ago(41, 8*time.Hour), For: 9 * 24 * time.Hour})
		s.add(travel, Failure{Mode: NoEnergy, From: ago(20, 7*time.Hour), For: 30 * time.Hour})
		s.add(travel, Failure{Mode: ReaderDead, From: ago(51, 9*time.Hour), For: 26 * time.Hour})
		s.add(fast, Failure{Mode: Breaks, Code: "CX017", From: ago(28, 15*time.Hour), For: 31 * time.Hour})
		s.add(slow, Failure{Mode: Stuck, Code: string(Unavailable), From: ago(12, 18*time.Hour), For: 40 * time.Hour})
		s.add(slow, Failure{Mode: Breaks, Code: "CX026", From: ago(16, 2*time.Hour), For: 4 * 24 * time.Hour})

		// While people watch, and only a monitor tells of it.
		s.add(func(x *Spec, n int) bool { return fast(x, n) && x.version() != V16 },
			Failure{Mode: Overheats, Size: 82, From: start.Add(6 * time.Minute), For: 50 * time.Minute})
		return s.list
	}
}

// script gathers failures, each at a station of its own.
type script struct {
	plan  *Plan
	r     *rand.Rand
	taken map[string]bool
	list  []Failure
}

func (s *script) use(x *Spec) Use {
	for i := range s.plan.Sites {
		if s.plan.Sites[i].ID == x.Site {
			return s.plan.Sites[i].Use
		}
	}
	return ""
}

// add puts a failure at a port that fits and that nothing else ails.
func (s *script) add(fits func(x *Spec, evse int) bool, f Failure) {
	dark := make(map[string]bool)
	for i := range s.plan.Sites {
		dark[s.plan.Sites[i].ID] = s.plan.Sites[i].DarkFor > 0
	}
	evse := 0
	x := s.plan.pick(s.r, func(x *Spec) bool {
		return !s.taken[x.ID] && !dark[x.Site] && !x.Flaps && x.Worn == nil && fits(x, 1)
	})
	if x == nil {
		return
	}
	for n := range x.Model.EVSEs {
		if fits(x, n+1) && (evse == 0 || s.r.IntN(2) == 0) {
			evse = n + 1
		}
	}
	s.taken[x.ID] = true
	f.Station, f.EVSE = x.ID, evse
	s.list = append(s.list, f)
}
