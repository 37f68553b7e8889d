package health

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestSoCStall(t *testing.T) {
	set := func(a *tale) { a.station("A", "yard", "DC", 150000, 1, "") }
	flow := func(w, soc, slope float64) func(int) []event.Sample {
		return func(i int) []event.Sample {
			return []event.Sample{sample("Power.Active.Import", w), at("EV", sample("SoC", float64(int(soc+slope*float64(i)))))}
		}
	}
	cars := func(a *tale, n, tokens int, values func(int) []event.Sample) {
		for i := range n {
			a.charge(charge{station: "A", token: fmt.Sprint("t", i%tokens), samples: 30, values: values})
		}
	}
	tellAll(t, socStall, map[string]story{
		"it stands still for two cars, then is fine": {func(a *tale) {
			set(a)
			cars(a, 2, 2, flow(50000, 33, 0))
			cars(a, 2, 2, flow(50000, 33, 1))
		}, []string{
			"raised S4 socStall station/A/1: The state of charge stands at 33 % for 20 min while 16.7 kWh flowed.",
			"updated S3 socStall station/A/1: The state of charge stands at 33 % for 20 min while 16.7 kWh flowed.",
			"cleared socStall station/A/1",
		}},
		"a low car gets nothing": {func(a *tale) {
			set(a)
			cars(a, 1, 1, flow(120, 22, 0))
		}, []string{"raised S4 socStall station/A/1: A car at 22 % gets 120 W for 20 min, though the port says that it charges."}},
		"one car alone stays S4": {func(a *tale) {
			set(a)
			cars(a, 3, 1, flow(50000, 33, 0))
		}, []string{"raised S4 socStall station/A/1: The state of charge stands at 33 % for 20 min while 16.7 kWh flowed."}},
		"slow charging of a large battery": {func(a *tale) {
			set(a)
			cars(a, 3, 3, flow(9000, 33, 0.1))
		}, nil},
		"a full battery": {func(a *tale) {
			set(a)
			cars(a, 3, 3, flow(15000, 97, 0))
		}, nil},
		"a whole percent at a time": {func(a *tale) {
			set(a)
			cars(a, 3, 3, flow(60000, 33, 0.2))
		}, nil},
		"a battery that has to warm up": {func(a *tale) {
			set(a)
			cars(a, 3, 3, func(i int) []event.Sample {
				return append(flow(100, 22, 0)(i), at("Body", sample("Temperature", -9)))
			})
		}, nil},
		"an operator's limit": {func(a *tale) {
			set(a)
			a.tell(event.Station("A"), &event.Command{CommandID: "c1", Action: "SetChargingProfile", Payload: json.RawMessage(
				`{"evseId":1,"chargingProfile":{"id":3,"chargingProfilePurpose":"TxDefaultProfile"}}`)})
			a.tell(event.Station("A"), &event.CommandResult{CommandID: "c1", Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)})
			cars(a, 3, 3, flow(0, 22, 0))
		}, nil},
		"the port pauses": {func(a *tale) {
			set(a)
			tx := a.begin("A", 1, "t")
			a.tell(event.Port("A", 1, 1), &event.Status{Status: "SuspendedEVSE"})
			for i := range 40 {
				a.wait(60e9)
				a.meter("A", 1, tx, flow(0, 22, 0)(i))
			}
			a.end("A", 1, tx, nil)
		}, nil},
	})
}
