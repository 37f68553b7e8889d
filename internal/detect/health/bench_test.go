package health

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// readers are the detectors that read measurements.
func readers() []detect.Detector {
	return []detect.Detector{
		derated(), powerDrift(), moduleLost(), connectorHeat(), coolingLost(), groundTrend(), meterCadence(), meterDrift(), phaseFault(), socStall(),
	}
}

// measuring is a network of fast and slow ports, all charging.
func measuring(stations int) (a *tale, values [][]event.Sample) {
	a = newTale()
	for k := range stations {
		id, current, rated := fmt.Sprint("S", k), "AC", 22000.0
		if k%2 == 0 {
			current, rated = "DC", 150000
		}
		a.station(id, fmt.Sprint("site", k/8), current, rated, 1, "")
		a.begin(id, 1, fmt.Sprint("t", k))
		if k%2 == 0 {
			values = append(values, []event.Sample{
				sample("Energy.Active.Import.Register", 1e6), sample("Power.Active.Import", 110000), sample("Current.Import", 290),
				sample("Voltage", 380), sample("Power.Offered", 150000), at("EV", sample("SoC", 40)), at("Body", sample("Temperature", 33)), sample("Temperature", 41),
			})
		} else {
			values = append(values, append(phasesAt(16, 16, 16, 230, 231, 229)(0), sample("Energy.Active.Import.Register", 1e6), sample("Power.Active.Import", 11000)))
		}
	}
	return a, values
}

func run(x *detect.Engine, a *tale, values [][]event.Sample, n int) {
	for i := range n {
		k := i % len(values)
		if k == 0 {
			a.wait(time.Minute)
		}
		for j := range values[k] {
			if v := &values[k][j]; v.Measurand == "Energy.Active.Import.Register" {
				v.Value += 180
			}
		}
		e := &event.Event{
			Seq: uint64(len(a.events) + i + 1), Subject: event.Port(fmt.Sprint("S", k), 1, 1), At: a.now, ReceivedAt: a.now, RecordedAt: a.now,
			Body: &event.Meter{TransactionID: fmt.Sprint(k + 1), Samples: event.Samples{{At: a.now, Values: values[k]}}},
		}
		x.Apply(e)
	}
}

// BenchmarkMeter is what one measurement costs, without detectors and with
// those that read it.
func BenchmarkMeter(b *testing.B) {
	for name, list := range map[string][]detect.Detector{"view": nil, "detectors": readers()} {
		b.Run(name, func(b *testing.B) {
			a, values := measuring(64)
			x := detect.New(list)
			for _, e := range a.events {
				x.Apply(e)
			}
			run(x, a, values, 64*20)
			b.ReportAllocs()
			b.ResetTimer()
			run(x, a, values, b.N)
		})
	}
}

// Measurements are most of all traffic: reading them allocates nothing.
func TestReadingAllocatesNothing(t *testing.T) {
	cost := func(list []detect.Detector) float64 {
		a, values := measuring(8)
		x := detect.New(list)
		for _, e := range a.events {
			x.Apply(e)
		}
		run(x, a, values, 8*64)
		return testing.AllocsPerRun(20, func() { run(x, a, values, 64) })
	}
	if bare, all := cost(nil), cost(readers()); all > bare+1 {
		t.Errorf("64 measurements allocate %.0f times with detectors, %.0f without", all, bare)
	}
}

// Every threshold that is read is declared, and the other way round nothing is
// declared twice.
func TestReadersAreListed(t *testing.T) {
	for _, d := range readers() {
		if !slices.ContainsFunc(Detectors(), func(o detect.Detector) bool { return o.ID == d.ID && o.Code == d.Code }) {
			t.Errorf("%s is not in the list", d.ID)
		}
		for i, p := range d.Params {
			if p.Doc == "" || slices.ContainsFunc(d.Params[:i], func(o detect.Param) bool { return o.Name == p.Name }) {
				t.Errorf("%s: threshold %q has no words or stands twice", d.ID, p.Name)
			}
		}
	}
}
