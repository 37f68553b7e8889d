package health

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// counted is a charge of half an hour at 22 kW whose register counts so much
// too much, in steps of res.
func (a *tale) counted(token string, over, res float64) {
	wh := a.startWh
	shown := func() float64 { return float64(int(wh/res)) * res }
	tx := a.begin("A", 1, token)
	for i := range 31 {
		if i > 0 {
			a.wait(time.Minute)
			wh += 22000.0 / 60 * (1 + over)
		}
		a.meter("A", 1, tx, []event.Sample{sample("Energy.Active.Import.Register", shown()), sample("Power.Active.Import", 22000)})
	}
	a.end("A", 1, tx, new(shown()))
	a.startWh = shown()
	a.wait(time.Hour)
}

func TestMeterDrift(t *testing.T) {
	set := func(a *tale) { a.station("A", "yard", "AC", 22000, 1, ""); a.startWh = 1234567 }
	many := func(a *tale, n int, over func(i int) float64) {
		for i := range n {
			a.counted(fmt.Sprint("t", i), over(i), 1)
		}
	}
	const stepped = "raised S2 meterStep station/A/1: The energy register jumped "
	tellAll(t, meterDrift, map[string]story{
		"three percent too much, then another meter": {func(a *tale) {
			set(a)
			many(a, 10, func(int) float64 { return 0.001 })
			many(a, 12, func(int) float64 { return 0.03 })
			many(a, 4, func(int) float64 { return 0.001 })
		}, []string{
			"raised S3 meterDrift station/A/1: The meter counts 3.0 % more than the power it shows adds up to; it used to be +0.1 %.",
			"cleared meterDrift station/A/1",
		}},
		"too little": {func(a *tale) {
			set(a)
			many(a, 8, func(int) float64 { return 0 })
			many(a, 9, func(int) float64 { return -0.05 })
		}, []string{"raised S3 meterDrift station/A/1: The meter counts 5.0 % less than the power it shows adds up to; it used to be +0.0 %."}},
		"losses of a rectifier behind the meter": {func(a *tale) {
			set(a)
			many(a, 40, func(i int) float64 { return 0.07 + 0.003*float64(i%3) })
		}, nil},
		"one percent more is below": {func(a *tale) {
			set(a)
			many(a, 8, func(int) float64 { return 0 })
			many(a, 40, func(int) float64 { return 0.01 })
		}, nil},
		"three odd charges do not last": {func(a *tale) {
			set(a)
			many(a, 8, func(int) float64 { return 0 })
			many(a, 3, func(int) float64 { return 0.03 })
			many(a, 20, func(int) float64 { return 0 })
		}, nil},
		"a register in kWh": {func(a *tale) {
			set(a)
			for i := range 30 {
				r := float64(1000 + i*11)
				tx := a.begin("A", 1, "t")
				for k := range 31 {
					a.wait(time.Minute)
					a.meter("A", 1, tx, []event.Sample{sample("Energy.Active.Import.Register", r+float64(k)*0.37), sample("Power.Active.Import", 22000)})
				}
				a.end("A", 1, tx, new(r+11))
				a.startWh = r + 11
			}
		}, nil},
		"starts and stops in Wh, in between kWh": {func(a *tale) {
			set(a)
			for range 12 {
				tx := a.begin("A", 1, "t")
				for k := range 31 {
					a.wait(time.Minute)
					a.meter("A", 1, tx, []event.Sample{sample("Energy.Active.Import.Register", (a.startWh+float64(k)*367)/1000), sample("Power.Active.Import", 22000)})
				}
				a.startWh += 11000
				a.end("A", 1, tx, new(a.startWh))
			}
		}, nil},
		"it goes back within a charge": {func(a *tale) {
			set(a)
			many(a, 2, func(int) float64 { return 0 })
			tx := a.begin("A", 1, "t")
			for k := range 20 {
				a.wait(time.Minute)
				back := 0.0
				if k >= 10 {
					back = 40000
				}
				a.meter("A", 1, tx, []event.Sample{sample("Energy.Active.Import.Register", a.startWh+float64(k)*367-back)})
			}
			a.startWh -= 33000
			a.end("A", 1, tx, new(a.startWh))
			many(a, 6, func(int) float64 { return 0 })
		}, []string{stepped + "back by 39.6 kWh, from 1259.9 to 1220.2 kWh.", "cleared meterStep station/A/1"}},
		"it goes back between charges": {func(a *tale) {
			set(a)
			many(a, 2, func(int) float64 { return 0 })
			a.startWh -= 100000
			many(a, 1, func(int) float64 { return 0 })
		}, []string{stepped + "back by 100.0 kWh, from 1256.6 to 1156.6 kWh."}},
		"it jumps ahead within a charge": {func(a *tale) {
			set(a)
			tx := a.begin("A", 1, "t")
			for k := range 20 {
				a.wait(time.Minute)
				ahead := 0.0
				if k >= 10 {
					ahead = 500000
				}
				a.meter("A", 1, tx, []event.Sample{sample("Energy.Active.Import.Register", a.startWh+float64(k)*367+ahead)})
			}
			a.end("A", 1, tx, nil)
		}, []string{stepped + "forward by 500.4 kWh, from 1237.9 to 1738.2 kWh."}},
		"one reading of zero is a whim": {func(a *tale) {
			set(a)
			tx := a.begin("A", 1, "t")
			for k := range 20 {
				a.wait(time.Minute)
				wh := a.startWh + float64(k)*367
				if k == 9 {
					wh = 0
				}
				a.meter("A", 1, tx, []event.Sample{sample("Energy.Active.Import.Register", wh)})
			}
			a.end("A", 1, tx, nil)
		}, nil},
		"a meter that counts each charge by itself": {func(a *tale) {
			set(a)
			for i := range 20 {
				a.startWh = 0
				a.counted(fmt.Sprint("t", i), 0, 1)
			}
		}, nil},
		"another meter was built in": {func(a *tale) {
			set(a)
			boot := func(serial string) {
				a.tell(event.Station("A"), &event.Boot{Vendor: "Acme", Model: "Volt", Firmware: "1.2", Status: "Accepted", MeterSerial: serial})
			}
			boot("m1")
			many(a, 2, func(int) float64 { return 0 })
			a.startWh = 12
			boot("m2")
			many(a, 2, func(int) float64 { return 0 })
		}, nil},
		"a charge that we have not heard of lies between": {func(a *tale) {
			set(a)
			many(a, 2, func(int) float64 { return 0 })
			a.startWh += 70000
			many(a, 2, func(int) float64 { return 0 })
		}, nil},
		"a register that counts whole kWh, but starts in Wh": {func(a *tale) {
			set(a)
			for i := range 30 {
				a.counted(fmt.Sprint("t", i), 0.001*float64(i%2), 1000)
			}
		}, nil},
	})
}
