package health

import (
	"fmt"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

// phasesAt is what a three-phase meter shows.
func phasesAt(a1, a2, a3, v1, v2, v3 float64) func(int) []event.Sample {
	return func(int) []event.Sample {
		return []event.Sample{
			on("L1", sample("Current.Import", a1)), on("L2", sample("Current.Import", a2)), on("L3", sample("Current.Import", a3)),
			on("L1-N", sample("Voltage", v1)), on("L2-N", sample("Voltage", v2)), on("L3-N", sample("Voltage", v3)),
		}
	}
}

func TestPhaseFault(t *testing.T) {
	set := func(a *tale) { a.station("A", "yard", "AC", 22000, 1, "") }
	cars := func(a *tale, n, tokens int, values func(int) []event.Sample) {
		for i := range n {
			a.charge(charge{station: "A", token: fmt.Sprint("t", i%tokens), values: values})
		}
	}
	tellAll(t, phaseFault, map[string]story{
		"a phase is gone with its voltage, then back": {func(a *tale) {
			set(a)
			cars(a, 1, 1, phasesAt(16, 0.1, 16, 231, 4, 229))
			cars(a, 1, 1, phasesAt(16, 16, 16, 231, 230, 229))
		}, []string{
			"raised S2 phaseLoss station/A/1: Phase L2 is gone: 4 V where the others have 230 V.",
			"cleared phaseLoss station/A/1",
		}},
		"a contact of one phase does not close": {func(a *tale) {
			set(a)
			cars(a, 3, 3, phasesAt(15.8, 16, 0, 231, 230, 229))
		}, []string{"raised S2 phaseLoss station/A/1: Phase L3 carries no current: 16, 16 and 0 A; 3 vehicles in a row left it out."}},
		"voltages that are apart, then together": {func(a *tale) {
			set(a)
			cars(a, 1, 1, phasesAt(16, 16, 16, 231, 230, 212))
			cars(a, 1, 1, phasesAt(16, 16, 16, 231, 230, 229))
		}, []string{
			"raised S2 voltageImbalance station/A: The voltages are 5.5 % apart: 231, 230 and 212 V.",
			"cleared voltageImbalance station/A",
		}},
		"cars that charge on one phase, and pull it down": {func(a *tale) {
			set(a)
			cars(a, 9, 9, phasesAt(32, 0, 0, 219, 231, 231))
		}, nil},
		"a car that charges on two phases comes every day": {func(a *tale) {
			set(a)
			cars(a, 9, 1, phasesAt(16, 16, 0, 230, 230, 230))
		}, nil},
		"two-phase cars between those with three": {func(a *tale) {
			set(a)
			for i := range 6 {
				cars(a, 2, 2, phasesAt(16, 16, 0, 230, 230, 230))
				a.charge(charge{station: "A", token: fmt.Sprint("full", i), values: phasesAt(16, 16, 16, 230, 230, 230)})
			}
		}, nil},
		"four minutes are too short": {func(a *tale) {
			set(a)
			for range 3 {
				a.charge(charge{station: "A", token: "t", samples: 5, values: phasesAt(16, 16, 0, 230, 230, 4)})
			}
		}, nil},
		"two percent apart": {func(a *tale) {
			set(a)
			cars(a, 5, 5, phasesAt(16, 16, 16, 231, 230, 224))
		}, nil},
		"a car that draws nothing": {func(a *tale) {
			set(a)
			cars(a, 5, 5, phasesAt(0.4, 0.3, 0, 230, 230, 230))
		}, nil},
	})
}
