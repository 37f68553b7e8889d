package health

import (
	"fmt"
	"testing"
	"time"
)

func TestModuleLost(t *testing.T) {
	// A day's charges at a port of 150 kW that does not tell what it offers.
	day := func(a *tale, cars int, ws ...float64) {
		start := a.now
		for i, w := range ws {
			a.charge(charge{station: "A", token: fmt.Sprint("t", i%cars), samples: 6, values: powered(w, 0)})
		}
		a.now = start.Add(24 * time.Hour)
	}
	set := func(a *tale) { a.station("A", "yard", "DC", 150000, 1, "") }
	tellAll(t, moduleLost, map[string]story{
		"one of four is gone, then replaced": {func(a *tale) {
			set(a)
			day(a, 9, 149000, 110000, 48000)
			day(a, 9, 112500, 112000, 48000)
			day(a, 9, 112000, 112400, 60000)
			day(a, 9, 46000, 112500, 112600)
			day(a, 9, 148000)
		}, []string{
			"raised S3 moduleLost station/A/1: Gives at most 113 kW of 150 kW on 3 days running, as if 3 of 4 power modules were left; 3 vehicles stopped there.",
			"cleared moduleLost station/A/1",
		}},
		"a new port that offers no more than two of three": {func(a *tale) {
			set(a)
			for range 3 {
				for i := range 2 {
					a.charge(charge{station: "A", token: fmt.Sprint("t", i, a.now.Day()), samples: 6, values: powered(99900, 100000)})
				}
				a.wait(20 * time.Hour)
			}
		}, []string{"raised S3 moduleLost station/A/1: Gives at most 100 kW of 150 kW on 3 days running, as if 2 of 3 power modules were left; 5 vehicles stopped there."}},
		"two days are too few": {func(a *tale) {
			set(a)
			day(a, 9, 149000, 110000)
			day(a, 9, 112000, 112400, 112000)
			day(a, 9, 112500, 112600, 112000)
			day(a, 9, 149000)
		}, nil},
		"two cars that take no more": {func(a *tale) {
			set(a)
			day(a, 9, 149000)
			for range 4 {
				day(a, 2, 112000, 112400)
			}
		}, nil},
		"nobody came who could take more": {func(a *tale) {
			set(a)
			for range 4 {
				day(a, 9, 112000, 112400, 112000)
			}
		}, nil},
		"it offers all, and cars of one type stop by themselves": {func(a *tale) {
			set(a)
			day(a, 9, 149000)
			for range 4 {
				for i := range 3 {
					a.charge(charge{station: "A", token: fmt.Sprint("t", i), samples: 6, values: powered(112500, 150000)})
				}
				a.wait(18 * time.Hour)
			}
		}, nil},
		"charges that stop anywhere": {func(a *tale) {
			set(a)
			day(a, 9, 149000)
			day(a, 9, 120000, 90000, 80000)
			day(a, 9, 100000, 112000, 70000)
			day(a, 9, 85000, 118000, 90000)
		}, nil},
		"the other port takes of the cabinet": {func(a *tale) {
			a.station("A", "yard", "DC", 150000, 2, "dc")
			day(a, 9, 149000)
			other := a.begin("A", 2, "x")
			for range 4 {
				day(a, 9, 75000, 75000, 75000)
			}
			a.end("A", 2, other, nil)
		}, nil},
	})
}

func TestModuleStep(t *testing.T) {
	for name, tt := range map[string]struct {
		share   float64
		modules int
		k, n    int
		ok      bool
	}{
		"a half":                     {0.5, 0, 1, 2, true},
		"three quarters":             {0.745, 0, 3, 4, true},
		"two of five that are known": {0.4, 5, 2, 5, true},
		"a half of three is no step": {0.5, 3, 0, 0, false},
		"nearly all is no loss":      {0.97, 0, 0, 0, false},
		"two thirds, a little below": {0.65, 0, 2, 3, true},
		"less than one of eight":     {0.05, 0, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if k, n, ok := moduleStep(tt.share, tt.modules, 0.04); k != tt.k || n != tt.n || ok != tt.ok {
				t.Errorf("got %d of %d, %v", k, n, ok)
			}
		})
	}
}
