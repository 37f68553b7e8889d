package health

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// powered is a DC charge that gives so much, from 10 to 50 % of the battery.
func powered(w, offered float64) func(i int) []event.Sample {
	return func(i int) []event.Sample {
		s := []event.Sample{sample("Power.Active.Import", w-float64(i%3)*50), at("EV", sample("SoC", float64(10+2*i)))}
		if offered > 0 {
			s = append(s, sample("Power.Offered", offered))
		}
		return s
	}
}

// peers are three more stations at which cars charge as they do.
func peers(a *tale, ratedW float64, ws ...float64) {
	for k := range 3 {
		id := fmt.Sprint("P", k)
		a.station(id, "elsewhere", "DC", ratedW, 1, "")
		for i, w := range ws {
			a.charge(charge{station: id, token: fmt.Sprint("p", i), values: powered(w, ratedW), after: time.Minute})
		}
	}
}

func TestDerated(t *testing.T) {
	set := func(a *tale) { a.station("A", "yard", "DC", 50000, 2, "") }
	charges := func(a *tale, n, tokens int, values func(int) []event.Sample) {
		for i := range n {
			a.charge(charge{station: "A", token: fmt.Sprint("t", i%tokens), values: values})
		}
	}
	profile := func(a *tale, status string) {
		a.tell(event.Station("A"), &event.Command{CommandID: "c1", Action: "SetChargingProfile", Payload: json.RawMessage(
			`{"connectorId":1,"csChargingProfiles":{"chargingProfileId":9,"chargingProfilePurpose":"TxDefaultProfile","chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":20000}]}}}`)})
		a.tell(event.Station("A"), &event.CommandResult{CommandID: "c1", Status: "answered", Response: json.RawMessage(`{"status":"` + status + `"}`)})
	}
	raised := func(w, of string, n, last, cars int) string {
		return fmt.Sprintf("raised S3 derated station/A/1: Delivers %s kW where %s kW are expected, in %d of the last %d charges of %d vehicles.", w, of, n, last, cars)
	}
	tellAll(t, derated, map[string]story{
		"gives 20 of 50 kW to four cars, until it is mended": {func(a *tale) {
			set(a)
			charges(a, 3, 3, powered(48000, 50000))
			charges(a, 5, 4, powered(20000, 50000))
			charges(a, 3, 3, powered(48000, 50000))
		}, []string{raised("20", "40", 4, 6, 4), "cleared derated station/A/1"}},
		"gives 60 kW where cars take 130 elsewhere": {func(a *tale) {
			peers(a, 150000, 120000, 130000, 140000, 135000, 50000)
			a.station("A", "yard", "DC", 150000, 1, "")
			charges(a, 8, 4, powered(60000, 150000))
		}, []string{raised("60", "130", 8, 8, 4)}},
		"six city cars in a row, where one in five is one": {func(a *tale) {
			peers(a, 150000, 120000, 130000, 140000, 135000, 50000)
			a.station("A", "yard", "DC", 150000, 1, "")
			charges(a, 6, 6, powered(48000, 150000))
		}, nil},
		"less than the car said it takes": {func(a *tale) {
			a.station("A", "yard", "DC", 150000, 1, "")
			for i := range 4 {
				tx := a.begin("A", 1, fmt.Sprint("t", i))
				a.tell(event.Port("A", 1, 1), &event.Message{Action: "NotifyEVChargingNeeds", Payload: json.RawMessage(
					`{"evseId":1,"chargingNeeds":{"requestedEnergyTransfer":"DC","dcChargingParameters":{"evMaxCurrent":300,"evMaxVoltage":400}}}`)})
				for k := range 10 {
					a.wait(time.Minute)
					a.meter("A", 1, tx, powered(55000, 150000)(k))
				}
				a.end("A", 1, tx, nil)
			}
		}, []string{raised("55", "120", 4, 4, 4)}},
		"three low charges, then one that is fine": {func(a *tale) {
			set(a)
			for range 4 {
				charges(a, 3, 3, powered(20000, 50000))
				charges(a, 1, 1, powered(45000, 50000))
			}
		}, nil},
		"two cars do not prove a port": {func(a *tale) {
			set(a)
			charges(a, 8, 2, powered(20000, 50000))
		}, nil},
		"city cars at a fast port": {func(a *tale) {
			a.station("A", "yard", "DC", 300000, 1, "")
			charges(a, 8, 8, powered(46000, 300000))
		}, nil},
		"nearly full batteries": {func(a *tale) {
			set(a)
			charges(a, 8, 8, func(i int) []event.Sample {
				return []event.Sample{sample("Power.Active.Import", 9000), sample("Power.Offered", 50000), sample("SoC", float64(70+i))}
			})
		}, nil},
		"an operator's limit": {func(a *tale) {
			set(a)
			profile(a, "Accepted")
			charges(a, 8, 8, powered(20000, 20000))
			charges(a, 8, 8, powered(11000, 0))
		}, nil},
		"a limit that the station refused": {func(a *tale) {
			set(a)
			profile(a, "Rejected")
			charges(a, 4, 4, powered(20000, 0))
		}, []string{raised("20", "40", 4, 4, 4)}},
		"the offer is low and is kept": {func(a *tale) {
			set(a)
			charges(a, 8, 8, powered(19000, 20000))
		}, nil},
		"a cabinet that two share": {func(a *tale) {
			a.station("A", "yard", "DC", 50000, 2, "dc")
			other := a.begin("A", 2, "x")
			charges(a, 8, 8, powered(20000, 50000))
			a.end("A", 2, other, nil)
		}, nil},
		"the cold": {func(a *tale) {
			set(a)
			charges(a, 8, 8, func(i int) []event.Sample {
				return append(powered(20000, 50000)(i), at("Body", sample("Temperature", -8+float64(i))))
			})
		}, nil},
		"slow everywhere today, for whatever reason": {func(a *tale) {
			peers(a, 150000, 120000, 130000, 140000, 135000, 50000)
			a.station("A", "yard", "DC", 150000, 1, "")
			a.wait(30 * time.Hour)
			for range 4 {
				for k := range 3 {
					a.charge(charge{station: fmt.Sprint("P", k), token: "p", values: powered(60000, 150000), after: time.Minute})
				}
			}
			charges(a, 5, 5, powered(60000, 150000))
		}, nil},
		"AC is not judged: its cars differ threefold": {func(a *tale) {
			a.station("A", "yard", "AC", 22000, 1, "")
			charges(a, 8, 8, powered(3600, 22000))
		}, nil},
	})
}

// A threshold that people decided for a model is followed.
func TestDeratedByThreshold(t *testing.T) {
	a := newTale()
	value, err := json.Marshal(detect.Threshold{Detector: "D09", Scope: "model/Acme/Volt", Values: map[string]float64{"ratio": 40}})
	if err != nil {
		t.Fatal(err)
	}
	a.tell(event.Self(), &event.Policy{Type: "threshold", ID: "D09@model/Acme/Volt", Value: value})
	a.station("A", "yard", "DC", 50000, 1, "")
	for i := range 6 {
		a.charge(charge{station: "A", token: fmt.Sprint("t", i), values: powered(20000, 50000)})
	}
	if got := a.findings(t, derated(), 0); len(got) != 0 {
		t.Errorf("half of what is expected is above 40 %%, got %q", got)
	}
}
