package detect_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/event"
)

// arrive connects stations with two ports each.
func arrive(x *detect.Engine, n int, now time.Time) (seq uint64) {
	say := func(s event.Subject, b event.Body) {
		seq++
		x.Apply(&event.Event{Seq: seq, Subject: s, At: now, ReceivedAt: now, RecordedAt: now, Body: b})
	}
	for i := range n {
		id := fmt.Sprintf("DE-HAM-%05d", i)
		s := event.Station(id)
		say(s, &event.StationConfigured{SiteID: fmt.Sprintf("site-%04d", i/8), Label: "Parking deck", Onboarding: event.OnboardingAccepted})
		say(s, &event.Connected{ConnID: fmt.Sprintf("%s-%d", id, i), Protocol: []string{"ocpp1.6", "ocpp2.0.1"}[i%2]})
		say(s, &event.Boot{Vendor: "Hypervolt", Model: "Duo", Firmware: "2.1.7", Serial: fmt.Sprint(i), ICCID: fmt.Sprintf("894920%013d", i), Status: "Accepted"})
		for evse := 1; evse <= 2; evse++ {
			say(event.Port(id, evse, 1), &event.Status{Status: "Available", ErrorCode: "NoError"})
		}
	}
	return seq
}

// BenchmarkTraffic is the normal traffic of 10,000 stations: of 20 events 17 are
// measurements, the rest is the life of sessions. At 1,000 events a second, the
// detectors take as many thousandths of a core as an event takes microseconds.
func BenchmarkTraffic(b *testing.B) {
	const stations = 10_000
	x := detect.New(health.Detectors())
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	seq := arrive(x, stations, now)
	wh := make([]float64, stations)
	tx := make([]string, stations)
	ids := make([]string, stations)
	for i := range ids {
		ids[i] = fmt.Sprintf("DE-HAM-%05d", i)
	}
	event := func(i int) *event.Event {
		n := i * 7919 % stations
		port := event.Port(ids[n], 1+n%2, 1)
		now = now.Add(time.Millisecond)
		seq++
		e := &event.Event{Seq: seq, Subject: port, At: now, ReceivedAt: now, RecordedAt: now}
		step := i / stations % 40
		switch {
		case step == 0:
			e.Body = &event.Status{Status: "Preparing", ErrorCode: "NoError"}
		case step == 1:
			tx[n] = fmt.Sprint(seq)
			e.Body = &event.Transaction{Stage: event.TransactionStarted, TransactionID: tx[n], TokenID: "t", MeterWh: new(wh[n])}
		case step == 2:
			e.Body = &event.Status{Status: "Charging", ErrorCode: "NoError"}
		case step == 37:
			e.Body = &event.Transaction{Stage: event.TransactionEnded, TransactionID: tx[n], MeterWh: new(wh[n]), Reason: "Local"}
		case step == 38:
			e.Body = &event.Status{Status: "Finishing", ErrorCode: "NoError"}
		case step == 39:
			e.Body = &event.Status{Status: "Available", ErrorCode: "NoError"}
		default:
			wh[n] += 300
			e.Body = &event.Meter{TransactionID: tx[n], Samples: event.Samples{{At: now, Values: []event.Sample{
				{Measurand: "Energy.Active.Import.Register", Value: wh[n]}, {Measurand: "Power.Active.Import", Value: 11_000},
				{Measurand: "Current.Import", Phase: "L1", Value: 16}, {Measurand: "Current.Import", Phase: "L2", Value: 16},
				{Measurand: "Current.Import", Phase: "L3", Value: 16}, {Measurand: "Voltage", Phase: "L1", Value: 230},
			}}}}
		}
		return e
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		b.StopTimer()
		e := event(i)
		i++
		b.StartTimer()
		for due, ok := x.Due(); ok && !due.After(e.RecordedAt); due, ok = x.Due() {
			x.Fire()
		}
		x.Apply(e)
	}
}

// BenchmarkIdleStation tells how much one idle station of two ports costs.
func BenchmarkIdleStation(b *testing.B) {
	const stations = 10_000
	var before, after runtime.MemStats
	for b.Loop() {
		x := detect.New(health.Detectors())
		runtime.GC()
		runtime.ReadMemStats(&before)
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		arrive(x, stations, now)
		until := now.Add(90 * time.Minute)
		for due, ok := x.Due(); ok && due.Before(until); due, ok = x.Due() {
			x.Fire()
			x.Asked()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/stations, "bytes/station")
		runtime.KeepAlive(x)
	}
}
