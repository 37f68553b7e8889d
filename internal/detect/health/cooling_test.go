package health

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestCoolingLost(t *testing.T) {
	set := func(a *tale) {
		for _, id := range []string{"A", "B", "C"} {
			a.station(id, "yard", "DC", 150000, 1, "")
		}
	}
	warm := func(w, c float64) []event.Sample {
		return []event.Sample{sample("Power.Active.Import", w), at("Body", sample("Temperature", c)), at("Outlet", sample("Temperature", 20))}
	}
	// together lets all three charge for so many minutes; excess is how much
	// warmer A gets.
	together := func(a *tale, minutes int, wA, wOthers, air, excess float64) {
		ids := []string{"A", "B", "C"}
		var tx [3]string
		for k, id := range ids {
			tx[k] = a.begin(id, 1, fmt.Sprint("t", k))
		}
		for i := range minutes {
			a.wait(time.Minute)
			for k, id := range ids {
				w, c := wOthers, air+15*wOthers/150000
				if k == 0 {
					w, c = wA, air+15*wA/150000+excess
				}
				if i < 10 {
					c = air + (c-air)*float64(i)/10
				}
				a.meter(id, 1, tx[k], warm(w, c))
			}
		}
		for k, id := range ids {
			a.end(id, 1, tx[k], nil)
		}
		a.wait(time.Hour)
	}
	alone := func(a *tale, n int, w, excess float64) {
		for i := range n {
			air := 15 + float64(i%3)*5
			a.charge(charge{station: "A", token: fmt.Sprint("t", i), samples: 30, values: func(i int) []event.Sample {
				s := warm(w, air+15*w/150000+excess)
				s[2].Value = air + float64(min(i, 10))
				return s
			}})
		}
	}
	fan := func(a *tale, value string) {
		a.tell(event.Station("A"), &event.Component{Items: []event.ComponentEvent{{Component: "AirCoolingSystem", EVSE: 1, Variable: "Problem", Value: value}}})
	}
	tellAll(t, coolingLost, map[string]story{
		"20 K warmer than its neighbours, then mended": {func(a *tale) {
			set(a)
			together(a, 45, 110000, 105000, 20, 20)
			together(a, 30, 110000, 105000, 20, 0)
			together(a, 30, 110000, 105000, 20, 0)
		}, []string{
			"raised S3 coolingLost station/A/1: The cabinet is at 51 °C at 73 % load, 20 K warmer than 2 neighbours at equal load.",
			"cleared coolingLost station/A/1",
		}},
		"warmer than it was itself": {func(a *tale) {
			set(a)
			alone(a, 8, 110000, 0)
			alone(a, 3, 110000, 20)
		}, []string{"raised S3 coolingLost station/A/1: The cabinet is at 51 °C at 73 % load, 20 K warmer than it was at that load before."}},
		"a fan tells of a fault and it is 9 K warmer": {func(a *tale) {
			set(a)
			fan(a, "true")
			together(a, 30, 110000, 105000, 25, 9)
		}, []string{"raised S3 coolingLost station/A/1: The cabinet is at 45 °C at 72 % load, 10 K warmer than 2 neighbours at equal load."}},
		"the same by the status of OCPP 1.6": {func(a *tale) {
			set(a)
			tx := a.begin("B", 1, "t")
			tx2 := a.begin("A", 1, "u")
			a.tell(event.Port("A", 1, 1), &event.Status{Status: "Charging", ErrorCode: "InternalError", VendorErrorCode: "PM-0107", Info: "power module 3 fan"})
			for range 25 {
				a.wait(time.Minute)
				a.meter("B", 1, tx, warm(100000, 35))
				a.meter("A", 1, tx2, warm(100000, 45))
			}
		}, []string{"raised S3 coolingLost station/A/1: The cabinet is at 45 °C at 66 % load, 10 K warmer than 1 neighbour at equal load."}},
		"9 K are below": {func(a *tale) {
			set(a)
			together(a, 60, 110000, 105000, 25, 9)
		}, nil},
		"the fan mended itself": {func(a *tale) {
			set(a)
			fan(a, "true")
			fan(a, "false")
			together(a, 30, 110000, 105000, 25, 9)
		}, nil},
		"the sun is on all of them": {func(a *tale) {
			set(a)
			together(a, 60, 110000, 105000, 42, 0)
		}, nil},
		"neighbours with less load are no measure": {func(a *tale) {
			set(a)
			together(a, 60, 140000, 50000, 20, 20)
		}, nil},
		"twenty minutes are too short": {func(a *tale) {
			set(a)
			together(a, 30, 110000, 105000, 20, 20)
			together(a, 60, 110000, 105000, 20, 0)
		}, nil},
		"a cold cabinet is no matter": {func(a *tale) {
			set(a)
			together(a, 60, 110000, 105000, -10, 20)
		}, nil},
	})
}
