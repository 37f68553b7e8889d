package telemetry

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry/telemetrytest"
)

// BenchmarkConsume stores the events of 1,000 stations, a sampling period each.
func BenchmarkConsume(b *testing.B) {
	w := telemetrytest.New(telemetrytest.Options{Stations: 1000, Busy: 0.5})
	s := openStore(b, Options{Now: w.Now})
	samples := 0
	for b.Loop() {
		b.StopTimer()
		events := w.Step(nil)
		for _, e := range events {
			samples += len(e.Body.(*event.Meter).Samples[0].Values)
		}
		b.StartTimer()
		if err := s.Consume(b.Context(), events, "c"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(samples)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkSeal seals an hour of 1,000 stations.
func BenchmarkSeal(b *testing.B) {
	w := telemetrytest.New(telemetrytest.Options{Stations: 1000, Busy: 0.5})
	s := openStore(b, Options{Now: w.Now})
	before := uint64(0)
	samples := uint64(0)
	for b.Loop() {
		b.StopTimer()
		for range 120 {
			if err := s.Consume(b.Context(), w.Step(nil), "c"); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if err := s.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
		samples += s.Stats().Samples - before
		before = s.Stats().Samples
	}
	b.ReportMetric(float64(samples)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkSitePower draws the week of a site of 20 ports by the minute.
func BenchmarkSitePower(b *testing.B) {
	w := telemetrytest.New(telemetrytest.Options{Stations: 10})
	s := openStore(b, Options{Now: w.Now})
	var ports []Port
	for i := range 10 {
		ports = append(ports, Port{telemetrytest.StationID(i), 1}, Port{telemetrytest.StationID(i), 2})
	}
	for range 7 * 24 * 12 {
		var events []*event.Event
		for range 10 {
			events = w.Step(events)
		}
		if err := s.Consume(b.Context(), events, "c"); err != nil {
			b.Fatal(err)
		}
		if err := s.Tick(b.Context(), w.Now()); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		got, err := s.Power(b.Context(), ports, w.Now().Add(-7*24*time.Hour), w.Now(), time.Minute)
		if err != nil || len(got) < 5000 {
			b.Fatal(len(got), err)
		}
	}
}
