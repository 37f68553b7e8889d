package health

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// mix is what cars of a European road take in the middle of their battery, and
// how common they are.
func mix(r *rand.Rand) float64 {
	kinds := []struct{ w, weight float64 }{
		{105e3, 18}, {115e3, 14}, {130e3, 14}, {180e3, 12}, {225e3, 9}, {240e3, 3}, {190e3, 4}, {45e3, 6}, {49e3, 8}, {112e3, 9},
	}
	at := r.Float64() * 97
	for _, k := range kinds {
		if at -= k.weight; at <= 0 {
			return k.w * (0.92 + 0.16*r.Float64())
		}
	}
	return 105e3
}

// charges lets cars of the mix charge; only so much of what they want comes.
func (a *tale) mixed(r *rand.Rand, station string, n int, ratedW, ceiling float64, after time.Duration) {
	for range n {
		w := min(mix(r), ratedW, ceiling)
		a.charge(charge{station: station, token: fmt.Sprint("t", r.IntN(40)), samples: 6, values: powered(w, ratedW), after: after})
	}
}

func TestPowerDrift(t *testing.T) {
	tellAll(t, powerDrift, map[string]story{
		"half of what it gave, then mended": {func(a *tale) {
			r := rand.New(rand.NewPCG(1, 1))
			a.station("A", "yard", "DC", 150000, 1, "")
			a.mixed(r, "A", 30, 150000, 150000, 2*time.Hour)
			a.mixed(r, "A", 15, 150000, 60000, 2*time.Hour)
			a.mixed(r, "A", 20, 150000, 150000, 2*time.Hour)
		}, []string{
			"raised S3 powerDrift station/A/1: Cars get 44 % of what the port offers, down from 77 %.",
			"cleared powerDrift station/A/1",
		}},
		"a slow decline of a 50 kW port": {func(a *tale) {
			a.station("A", "yard", "DC", 50000, 1, "")
			for i := range 40 {
				a.charge(charge{station: "A", token: fmt.Sprint("t", i%9), values: powered(46000*(1-0.01*float64(max(0, i-20))), 50000)})
			}
		}, []string{"raised S3 powerDrift station/A/1: Cars get 81 % of what the port offers, down from 92 %."}},
		"all of the model give less at once": {func(a *tale) {
			for k := range 3 {
				a.station(fmt.Sprint("P", k), "elsewhere", "DC", 50000, 1, "")
			}
			a.station("A", "yard", "DC", 50000, 1, "")
			for i := range 44 {
				w := 46000.0
				if i >= 30 {
					w = 30000
				}
				for k := range 3 {
					a.charge(charge{station: fmt.Sprint("P", k), token: "p", samples: 8, values: powered(w, 50000), after: time.Minute})
				}
				a.charge(charge{station: "A", token: fmt.Sprint("t", i%9), samples: 8, values: powered(w, 50000)})
			}
		}, nil},
		"within what is normal for its cars": {func(a *tale) {
			r := rand.New(rand.NewPCG(7, 1))
			a.station("A", "yard", "DC", 300000, 1, "")
			a.mixed(r, "A", 80, 300000, 300000, 2*time.Hour)
		}, nil},
		"a twentieth less does not matter": {func(a *tale) {
			a.station("A", "yard", "DC", 50000, 1, "")
			for i := range 50 {
				w := 46000.0
				if i >= 22 {
					w = 43000
				}
				a.charge(charge{station: "A", token: fmt.Sprint("t", i%9), values: powered(w, 50000)})
			}
		}, nil},
		"two cars do not prove a port": {func(a *tale) {
			a.station("A", "yard", "DC", 50000, 1, "")
			for i := range 40 {
				w, n := 46000.0, 9
				if i >= 22 {
					w, n = 25000, 2
				}
				a.charge(charge{station: "A", token: fmt.Sprint("t", i%n), values: powered(w, 50000)})
			}
		}, nil},
	})
}

// How often healthy ports are accused, and how fast a fifth less is seen: the
// run lengths of the charts over the mix of cars.
func TestPowerDriftRunLengths(t *testing.T) {
	const ports, charges = 60, 150
	false_, missed, delay := 0, 0, 0
	for i := range ports {
		for _, broken := range []bool{false, true} {
			r := rand.New(rand.NewPCG(uint64(i), 5))
			a := newTale()
			a.station("A", "yard", "DC", 150000, 1, "")
			a.mixed(r, "A", 40, 150000, 150000, time.Hour)
			from := a.now
			ceiling := 150000.0
			if broken {
				ceiling = 70000
			}
			a.mixed(r, "A", charges-40, 150000, ceiling, time.Hour)
			var first time.Time
			already := false
			for _, f := range a.found(t, derated(), powerDrift()) {
				switch {
				case f.Detector != "D10":
				case f.State == event.FindingCleared:
					already = false
				case broken && f.At.Before(from):
					already = true
				case first.IsZero():
					first = f.At
				}
			}
			switch {
			case broken && already: // accused before: counted with the healthy ones
			case broken && first.IsZero():
				missed++
			case broken:
				delay += int(first.Sub(from) / (time.Hour + 6*time.Minute))
			case !first.IsZero():
				false_++
			}
		}
	}
	t.Logf("of %d ports, %d accused in %d charges; a lost half missed at %d, seen after %.1f charges", ports, false_, charges, missed, float64(delay)/float64(ports-missed))
	if false_ > ports/10 {
		t.Errorf("%d of %d healthy ports were accused within %d charges", false_, ports, charges)
	}
	if missed > 0 || float64(delay)/ports > 15 {
		t.Errorf("a lost half was missed at %d ports, and seen after %.1f charges", missed, float64(delay)/float64(max(1, ports-missed)))
	}
}
