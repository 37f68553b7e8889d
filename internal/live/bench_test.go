package live_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/live"
)

// BenchmarkTraffic is the normal traffic of 10,000 stations through the whole
// pipeline: detectors, incidents and remedies, with all timers. Of 40 events 34
// are measurements, the rest is the life of sessions. At 1,000 events a second the
// pipeline takes as many thousandths of a core as an event takes microseconds.
func BenchmarkTraffic(b *testing.B) {
	const stations = 10_000
	p := live.NewPipeline(health.Detectors())
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	var seq uint64
	var out live.Conclusions
	made := func(s event.Subject, body event.Body) *event.Event {
		seq++
		return &event.Event{Seq: seq, Subject: s, At: now, ReceivedAt: now, RecordedAt: now, Body: body}
	}
	ids := make([]string, stations)
	for i := range ids {
		ids[i] = fmt.Sprintf("DE-HAM-%05d", i)
		s := event.Station(ids[i])
		for _, body := range []event.Body{
			&event.StationConfigured{SiteID: fmt.Sprintf("site-%04d", i/8), Label: "Parking deck", Onboarding: event.OnboardingAccepted},
			&event.Connected{ConnID: fmt.Sprint(i), Protocol: []string{"ocpp1.6", "ocpp2.0.1"}[i%2]},
			&event.Boot{Vendor: "Hypervolt", Model: "Duo", Firmware: "2.1.7", Serial: fmt.Sprint(i), ICCID: fmt.Sprintf("894920%013d", i), Status: "Accepted"},
		} {
			p.Apply(made(s, body), &out)
		}
		for evse := 1; evse <= 2; evse++ {
			p.Apply(made(event.Port(ids[i], evse, 1), &event.Status{Status: "Available", ErrorCode: "NoError"}), &out)
		}
	}
	wh := make([]float64, stations)
	tx := make([]string, stations)
	step := 0
	// turn is one event of every station, a millisecond apart.
	turn := func(list []*event.Event) []*event.Event {
		list = list[:0]
		for i := range stations {
			n := i * 7919 % stations
			now = now.Add(time.Millisecond)
			var body event.Body
			switch step % 40 {
			case 0:
				body = &event.Status{Status: "Preparing", ErrorCode: "NoError"}
			case 1:
				tx[n] = fmt.Sprint(seq)
				body = &event.Transaction{Stage: event.TransactionStarted, TransactionID: tx[n], TokenID: "t", MeterWh: new(wh[n])}
			case 2:
				body = &event.Status{Status: "Charging", ErrorCode: "NoError"}
			case 37:
				body = &event.Transaction{Stage: event.TransactionEnded, TransactionID: tx[n], MeterWh: new(wh[n]), Reason: "Local"}
			case 38:
				body = &event.Status{Status: "Finishing", ErrorCode: "NoError"}
			case 39:
				body = &event.Status{Status: "Available", ErrorCode: "NoError"}
			default:
				wh[n] += 300
				body = &event.Meter{TransactionID: tx[n], Samples: event.Samples{{At: now, Values: []event.Sample{
					{Measurand: "Energy.Active.Import.Register", Value: wh[n]}, {Measurand: "Power.Active.Import", Value: 11_000},
					{Measurand: "Current.Import", Phase: "L1", Value: 16}, {Measurand: "Current.Import", Phase: "L2", Value: 16},
					{Measurand: "Current.Import", Phase: "L3", Value: 16}, {Measurand: "Voltage", Phase: "L1", Value: 230},
				}}}}
			}
			list = append(list, made(event.Port(ids[n], 1+n%2, 1), body))
		}
		step++
		return list
	}
	var list []*event.Event
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if i == len(list) {
			b.StopTimer()
			list, i = turn(list), 0
			out = live.Conclusions{}
			b.StartTimer()
		}
		p.Apply(list[i], &out)
		i++
	}
	if len(out.Faults) > 0 {
		b.Fatal(out.Faults[0])
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1000*100, "%core@1000/s")
}
