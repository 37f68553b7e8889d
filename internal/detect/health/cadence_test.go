package health

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestMeterCadence(t *testing.T) {
	set := func(a *tale) { a.station("A", "yard", "AC", 22000, 1, "") }
	// paced charges with measurements so far apart, by a lognormal spread.
	paced := func(a *tale, r *rand.Rand, n int, mean time.Duration, spread float64) {
		for i := range n {
			tx := a.begin("A", 1, fmt.Sprint("t", i))
			for range 30 {
				a.wait(time.Duration(float64(mean) * math.Exp(spread*r.NormFloat64())).Round(time.Second))
				a.meter("A", 1, tx, []event.Sample{sample("Power.Active.Import", 11000)})
			}
			a.end("A", 1, tx, nil)
			a.wait(3 * time.Hour)
		}
	}
	told := func(a *tale, action, payload, status string) {
		a.tell(event.Station("A"), &event.Command{CommandID: "c1", Action: action, Payload: json.RawMessage(payload)})
		a.tell(event.Station("A"), &event.CommandResult{CommandID: "c1", Status: "answered", Response: json.RawMessage(status)})
	}
	tellAll(t, meterCadence, map[string]story{
		"out of step for half a day, then in step again": {func(a *tale) {
			r := rand.New(rand.NewPCG(1, 2))
			set(a)
			paced(a, r, 4, time.Minute, 0.02)
			paced(a, r, 5, time.Minute, 0.5)
			paced(a, r, 3, time.Minute, 0.02)
		}, []string{
			"raised S4 meterCadence station/A/1: Measurements come every 67 s give or take 30 s, for 15 h; usual is 60 s give or take 1 s.",
			"cleared meterCadence station/A/1",
		}},
		"out of step for an evening": {func(a *tale) {
			r := rand.New(rand.NewPCG(1, 2))
			set(a)
			paced(a, r, 4, time.Minute, 0.02)
			paced(a, r, 3, time.Minute, 0.5)
			paced(a, r, 5, time.Minute, 0.02)
		}, nil},
		"an operator sets another interval": {func(a *tale) {
			r := rand.New(rand.NewPCG(1, 2))
			set(a)
			paced(a, r, 4, time.Minute, 0.02)
			told(a, "ChangeConfiguration", `{"key":"MeterValueSampleInterval","value":"300"}`, `{"status":"Accepted"}`)
			paced(a, r, 6, 5*time.Minute, 0.1)
		}, nil},
		"an operator sets another interval of OCPP 2.x": {func(a *tale) {
			r := rand.New(rand.NewPCG(1, 2))
			set(a)
			paced(a, r, 4, time.Minute, 0.02)
			told(a, "SetVariables", `{"setVariableData":[{"component":{"name":"SampledDataCtrlr"},"variable":{"name":"TxUpdatedInterval"},"attributeValue":"70"}]}`,
				`{"setVariableResult":[{"attributeStatus":"Accepted"}]}`)
			paced(a, r, 6, 70*time.Second, 0.12)
		}, nil},
		"somebody sets it at the station": {func(a *tale) {
			r := rand.New(rand.NewPCG(1, 2))
			set(a)
			paced(a, r, 4, time.Minute, 0.02)
			paced(a, r, 6, 5*time.Minute, 0.02)
		}, nil},
		"it always was like this": {func(a *tale) {
			r := rand.New(rand.NewPCG(1, 2))
			set(a)
			paced(a, r, 20, time.Minute, 0.4)
		}, nil},
		"the link was away for a while": {func(a *tale) {
			set(a)
			for i := range 14 {
				tx := a.begin("A", 1, fmt.Sprint("t", i))
				for k := range 30 {
					a.wait(time.Minute)
					if i > 6 && k == 15 {
						a.wait(4 * time.Minute)
						a.tell(event.Station("A"), &event.Disconnected{ConnID: "A-1"})
						a.tell(event.Station("A"), &event.Connected{ConnID: "A-1", Protocol: "ocpp1.6"})
						a.wait(time.Second)
					}
					a.meter("A", 1, tx, []event.Sample{sample("Power.Active.Import", 11000)})
				}
				a.end("A", 1, tx, nil)
				a.wait(3 * time.Hour)
			}
		}, nil},
		"aligned with the clock as well": {func(a *tale) {
			set(a)
			for i := range 14 {
				tx := a.begin("A", 1, fmt.Sprint("t", i))
				for k := range 30 {
					a.wait(time.Minute)
					a.meter("A", 1, tx, []event.Sample{sample("Power.Active.Import", 11000)})
					if i > 5 && k%7 == 0 {
						a.wait(20 * time.Second)
						a.meter("A", 1, tx, []event.Sample{{Measurand: "Power.Active.Import", Value: 11000, Context: "Sample.Clock"}})
						a.wait(-20 * time.Second)
					}
				}
				a.end("A", 1, tx, nil)
				a.wait(3 * time.Hour)
			}
		}, nil},
	})
}
