package fleet

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

const benchStations, benchBatch = 1000, 512

func benchTime(n int) time.Time {
	return time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

// benchFleet has stations of two ports, each with an open session.
func benchFleet(stations int, sessions bool) *State {
	l := newTeller()
	at := benchTime(0)
	var events []*event.Event
	tell := func(sub event.Subject, origin event.Origin, body event.Body) {
		events = append(events, &event.Event{Subject: sub, At: at, DeviceAt: at, ReceivedAt: at, RecordedAt: at,
			Quality: event.TimeDevice, Origin: origin, Body: body})
	}
	for i := range stations {
		id := fmt.Sprintf("DE-HAM-%05d", i)
		tell(event.Station(id), event.FromUs, &event.StationConfigured{SiteID: "hamburg-1", Onboarding: event.OnboardingAccepted})
		tell(event.Station(id), event.FromUs, &event.Connected{ConnID: fmt.Sprintf("c%d", i), Protocol: "ocpp1.6", RemoteAddr: "10.0.0.1:50000"})
		tell(event.Station(id), event.FromStation, &event.Boot{Vendor: "Acme", Model: "Fast 50", Serial: fmt.Sprintf("SN%08d", i), Firmware: "1.2.3", Status: "Accepted"})
		for c := range 2 {
			sub := event.Subject{Type: event.StationSubject, ID: id, Connector: c + 1}
			tell(sub, event.FromStation, &event.Status{Status: "Available", ErrorCode: "NoError"})
			if sessions {
				tell(sub, event.FromStation, &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: "t", MeterWh: new(1000.0)})
				tell(sub, event.FromStation, &event.Status{Status: "Charging", ErrorCode: "NoError"})
			}
		}
	}
	l.fold(events...)
	return l.state
}

func BenchmarkApply(b *testing.B) {
	bodies := map[string]func(station, n int) event.Body{
		"status": func(_, n int) event.Body {
			words := [...]string{"Charging", "SuspendedEV"}
			return &event.Status{Status: words[n%2], ErrorCode: "NoError"}
		},
		"meter": func(station, n int) event.Body {
			return &event.Meter{TransactionID: fmt.Sprint(2*station + 1), Samples: event.Samples{{At: benchTime(n), Values: []event.Sample{
				{Measurand: "Energy.Active.Import.Register", Value: float64(1000 + n)},
				{Measurand: "Power.Active.Import", Value: 11000},
				{Measurand: "Current.Import", Phase: "L1", Value: 16}, {Measurand: "Current.Import", Phase: "L2", Value: 16}, {Measurand: "Current.Import", Phase: "L3", Value: 16},
				{Measurand: "Voltage", Phase: "L1-N", Value: 230}, {Measurand: "Voltage", Phase: "L2-N", Value: 231}, {Measurand: "Voltage", Phase: "L3-N", Value: 229},
				{Measurand: "SoC", Value: 50}, {Measurand: "Temperature", Value: 30},
			}}}}
		},
	}
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) {
			s := benchFleet(benchStations, true)
			events := make([]event.Event, 4*benchStations)
			for i := range events {
				station, round := i%benchStations, i/benchStations
				events[i] = event.Event{
					Subject: event.Subject{Type: event.StationSubject, ID: fmt.Sprintf("DE-HAM-%05d", station), Connector: 1},
					Quality: event.TimeDevice, Body: body(station, round),
				}
			}
			seq, n := s.Meta().Seq, 0
			b.ReportAllocs()
			for b.Loop() {
				batch := s.Begin(memory{})
				for range benchBatch {
					e := events[n%len(events)]
					n++
					seq++
					at := benchTime(n / benchStations)
					e.Seq, e.At, e.DeviceAt, e.ReceivedAt, e.RecordedAt = seq, at, at, at, at
					batch.Advance(at)
					batch.Apply(&e)
				}
				batch.Changes()
				batch.Commit()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchBatch, "ns/event")
		})
	}
}

func BenchmarkIdleStation(b *testing.B) {
	const stations = 10_000
	kinds := map[string]func() *State{
		"folded": func() *State { return benchFleet(stations, false) },
		"restored": func() *State {
			from := benchFleet(stations, false)
			var list []*Station
			for st := range from.Snapshot().Stations() {
				again := new(Station)
				if err := json.Unmarshal(mustJSON(b, st), again); err != nil {
					b.Fatal(err)
				}
				list = append(list, again)
			}
			s := New()
			s.Restore(from.Meta(), list)
			return s
		},
	}
	for name, build := range kinds {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				s := build()
				s.TakeDirty()
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/stations, "B/station")
				runtime.KeepAlive(s)
			}
		})
	}
}
