package health

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestConnectorHeat(t *testing.T) {
	// A plug that warms up by k kelvin at rated current, with time.
	warming := func(air, k, amps, rated float64) func(i int) []event.Sample {
		c, share := air, amps/rated
		return func(int) []event.Sample {
			c += (air + k*share*share - c) * (1 - 0.8187) // a minute of five
			return []event.Sample{sample("Current.Import", amps), at("Outlet", sample("Temperature", c)), at("Body", sample("Temperature", air+30))}
		}
	}
	steady := func(c float64) func(int) []event.Sample {
		return func(int) []event.Sample {
			return []event.Sample{sample("Current.Import", 120), sample("Temperature", c)}
		}
	}
	set := func(a *tale) { a.station("A", "yard", "DC", 50000, 1, "") } // 125 A
	// charges with what a plug warms up by: cars that take other currents, in
	// warm and cold air.
	charges := func(a *tale, n int, tokens int, k func(i int) float64) {
		for i := range n {
			a.charge(charge{
				station: "A", token: fmt.Sprint("t", i%tokens), samples: 30,
				values: warming([]float64{5, 25, 12}[i%3], k(i), []float64{125, 90, 110, 80}[i%4], 125),
			})
		}
	}
	tellAll(t, connectorHeat, map[string]story{
		"hot, then too hot, then mended": {func(a *tale) {
			set(a)
			for _, c := range []float64{60, 74, 93, 75, 40, 41} {
				a.charge(charge{station: "A", token: "t", values: steady(c)})
			}
		}, []string{
			"raised S3 connectorHeat station/A/1: The plug is at 74 °C, limit 70 °C, with 120 A.",
			"updated S2 connectorHeat station/A/1: The plug is at 93 °C, limit 90 °C, with 120 A.",
			"cleared connectorHeat station/A/1",
		}},
		"contacts that get worse": {func(a *tale) {
			set(a)
			charges(a, 12, 5, func(int) float64 { return 25 })
			charges(a, 8, 5, func(int) float64 { return 38 })
			charges(a, 3, 5, func(int) float64 { return 24 })
		}, []string{
			"raised S3 contactResistance station/A/1: The contacts warm up by 38 K at rated current, 52 % more than the 25 K they began with.",
			"cleared contactResistance station/A/1",
		}},
		"one sample is a sensor's whim": {func(a *tale) {
			set(a)
			a.charge(charge{station: "A", values: func(i int) []event.Sample {
				c := 35.0
				if i == 7 {
					c = 127
				}
				return []event.Sample{sample("Current.Import", 120), sample("Temperature", c)}
			}})
		}, nil},
		"a summer's day is no contact": {func(a *tale) {
			set(a)
			for i := range 30 {
				a.charge(charge{station: "A", token: fmt.Sprint("t", i%5), samples: 30, values: warming(float64(i), 25, 110, 125)})
			}
		}, nil},
		"a fifth more is below": {func(a *tale) {
			set(a)
			charges(a, 12, 5, func(int) float64 { return 25 })
			charges(a, 10, 5, func(int) float64 { return 30 })
		}, nil},
		"two cars do not prove a port": {func(a *tale) {
			set(a)
			charges(a, 12, 5, func(int) float64 { return 25 })
			charges(a, 10, 2, func(int) float64 { return 38 })
		}, nil},
		"light load is not judged": {func(a *tale) {
			set(a)
			charges(a, 12, 5, func(int) float64 { return 25 })
			for i := range 10 {
				a.charge(charge{station: "A", token: fmt.Sprint("t", i), samples: 30, values: warming(20, 60, 60, 125)})
			}
		}, nil},
		"five minutes are too short": {func(a *tale) {
			set(a)
			charges(a, 12, 5, func(int) float64 { return 25 })
			for i := range 10 {
				a.charge(charge{station: "A", token: fmt.Sprint("t", i), samples: 6, values: warming(20, 60, 120, 125)})
			}
		}, nil},
		"a warm cabinet is not the plug": {func(a *tale) {
			set(a)
			a.charge(charge{station: "A", values: func(int) []event.Sample {
				return []event.Sample{sample("Current.Import", 120), at("Body", sample("Temperature", 95)), at("EV", sample("Temperature", 99))}
			}})
		}, nil},
		"told by components, with the air of the site": {func(a *tale) {
			set(a)
			a.tell(event.Station("A"), &event.Component{Items: []event.ComponentEvent{{Component: "ExternalTemperatureSensor", Variable: "Temperature", Value: "21.5"}}})
			tx := a.begin("A", 1, "t")
			for _, c := range []string{"50", "72", "broken", "91", "92"} {
				a.wait(time.Minute)
				a.tell(event.Station("A"), &event.Component{Items: []event.ComponentEvent{{Component: "Connector", EVSE: 1, Connector: 1, Variable: "Temperature", Value: c}}})
			}
			a.end("A", 1, tx, nil)
		}, []string{"raised S2 connectorHeat station/A/1: The plug is at 91 °C, limit 90 °C."}},
	})
}
