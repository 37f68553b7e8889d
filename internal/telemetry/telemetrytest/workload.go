// Package telemetrytest makes the measurements of a believable charging
// network, for tests and benchmarks of telemetry.
//
// The same options give the same events. Cars arrive by hour of day; DC follows
// constant current, then constant voltage with a taper that depends on the
// state of charge, AC the car's on-board charger on one or three phases.
// Voltages wander slowly and carry noise, meters round: 0.1 V, 0.1 A, 1 W, 1 Wh,
// 1 % and 0.5 °C. A port sends nothing while no car charges, as stations do that
// sample within transactions.
package telemetrytest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Options describe a network.
type Options struct {
	Seed     uint64
	Stations int           // of two ports each; default 10
	Start    time.Time     // default 2026-06-01 00:00 UTC
	Step     time.Duration // between samples of a port; default 30 s
	Busy     float64       // share of ports that charge, mean over the day; default 0.2
}

// Workload is a network in the course of time.
type Workload struct {
	o     Options
	now   time.Time
	seq   uint64
	ports []*port
}

type kind int

const (
	ac1 kind = iota
	ac3
	dc
)

type port struct {
	station string
	evse    int
	kind    kind
	rng     *rand.Rand
	second  int // of the station's sampling within a step

	registerWh float64
	ratedW     float64
	volts      [3]float64 // slow wander of each phase
	celsius    float64

	charging  bool
	soc       float64 // 0..1
	target    float64
	packWh    float64
	carA      float64 // on-board charger per phase, or the pack's limit
	idleSteps int     // connected, no longer charging
}

// New returns a network at its start.
func New(o Options) *Workload {
	if o.Stations == 0 {
		o.Stations = 10
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.Step == 0 {
		o.Step = 30 * time.Second
	}
	if o.Busy == 0 {
		o.Busy = 0.2
	}
	w := &Workload{o: o, now: o.Start}
	for i := range o.Stations {
		k := [...]kind{ac3, dc, ac3, ac1, dc}[i%5]
		rng := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		second := rng.IntN(int(o.Step / time.Second))
		for evse := range 2 {
			rng := rand.New(rand.NewPCG(o.Seed, uint64(i)<<8|uint64(evse)|1<<40))
			p := &port{station: StationID(i), evse: evse + 1, kind: k, rng: rng, second: second,
				registerWh: float64(rng.IntN(40_000_000)), celsius: 18}
			p.ratedW = map[kind]float64{ac1: 7400, ac3: 22_000, dc: []float64{50_000, 150_000, 300_000}[rng.IntN(3)]}[k]
			for ph := range p.volts {
				p.volts[ph] = 230 + rng.NormFloat64()*2
			}
			w.ports = append(w.ports, p)
		}
	}
	return w
}

// StationID is the identity of the n-th station.
func StationID(n int) string { return fmt.Sprintf("DE-CW-%05d", n) }

// Now is the time up to which Step has produced.
func (w *Workload) Now() time.Time { return w.now }

// Step appends the events of the next sampling period, in order of time.
func (w *Workload) Step(dst []*event.Event) []*event.Event {
	hour := float64(w.now.Hour()) + float64(w.now.Minute())/60
	share := dayShape(hour) * w.o.Busy
	for _, p := range w.ports {
		p.advance(w.o.Step, share)
		if !p.charging && p.idleSteps == 0 {
			continue
		}
		at := w.now.Add(time.Duration(p.second) * time.Second)
		w.seq++
		dst = append(dst, &event.Event{
			Seq: w.seq, Subject: event.Port(p.station, p.evse, 1), At: at, DeviceAt: at,
			ReceivedAt: at.Add(300 * time.Millisecond), RecordedAt: at.Add(350 * time.Millisecond), Quality: event.TimeDevice,
			Body: &event.Meter{TransactionID: "1", Samples: event.Samples{{At: at, Values: p.values()}}},
		})
	}
	w.now = w.now.Add(w.o.Step)
	return dst
}

// dayShape is the relative demand by hour, 1 in the mean: low at night, high
// at noon and in the early evening.
func dayShape(hour float64) float64 {
	peak := func(at, width float64) float64 {
		d := math.Abs(hour - at)
		d = math.Min(d, 24-d)
		return math.Exp(-d * d / (2 * width * width))
	}
	return 0.3 + 1.35*peak(12.5, 3) + 1.25*peak(18, 2.2)
}

func (p *port) advance(step time.Duration, share float64) {
	for ph := range p.volts {
		p.volts[ph] += (230-p.volts[ph])*0.002 + p.rng.NormFloat64()*0.12
	}
	if p.idleSteps > 0 {
		p.idleSteps--
		return
	}
	if !p.charging {
		mean := map[kind]float64{ac1: 5.5, ac3: 3.5, dc: 0.55}[p.kind] // hours of a session
		rate := share / math.Max(1-share, 0.05) / (mean * 3600) * step.Seconds()
		if p.rng.Float64() < rate {
			p.plugIn()
		}
		return
	}
	watts := p.power()
	wh := watts * step.Hours()
	p.registerWh += wh
	p.soc += wh * 0.93 / p.packWh
	p.celsius += (18+watts/p.ratedW*30-p.celsius)*0.01 + p.rng.NormFloat64()*0.03
	if p.soc >= p.target {
		p.charging = false
		p.idleSteps = p.rng.IntN(40)
	}
}

func (p *port) plugIn() {
	p.charging = true
	p.packWh = []float64{38_000, 52_000, 64_000, 77_000, 100_000}[p.rng.IntN(5)]
	p.soc = 0.08 + p.rng.Float64()*0.5
	p.target = 0.8 + p.rng.Float64()*0.2
	switch p.kind {
	case ac1:
		p.carA = []float64{16, 20, 32}[p.rng.IntN(3)]
	case ac3:
		p.carA = []float64{16, 16, 16, 32}[p.rng.IntN(4)]
	default:
		p.carA = 125 + float64(p.rng.IntN(5))*75
	}
}

// limit is the current the car takes: constant, then tapering with the state
// of charge.
func (p *port) limit() float64 {
	knee := 0.97
	if p.kind == dc {
		knee = 0.55
	}
	if p.soc <= knee {
		return p.carA
	}
	return p.carA * math.Max(0.06, 1-(p.soc-knee)/(1.02-knee)*0.95)
}

func (p *port) packVolts() float64 { return 350 + 60*p.soc }

func (p *port) power() float64 {
	switch p.kind {
	case ac1:
		return p.volts[0] * p.limit()
	case ac3:
		return (p.volts[0] + p.volts[1] + p.volts[2]) * p.limit()
	default:
		return math.Min(p.packVolts()*p.limit(), p.ratedW)
	}
}

func round(v, to float64) float64 { return math.Round(v/to) / math.Round(1/to) }

// values are the eight measurands of the moment.
func (p *port) values() []event.Sample {
	noise := func(sigma float64) float64 { return p.rng.NormFloat64() * sigma }
	amps := 0.0
	if p.charging {
		amps = p.limit()
	}
	energy := event.Sample{Measurand: "Energy.Active.Import.Register", Value: math.Round(p.registerWh)}
	temperature := event.Sample{Measurand: "Temperature", Location: "Body", Value: math.Round(p.celsius*2) / 2}
	switch p.kind {
	case dc:
		volts := p.packVolts() + noise(0.25)
		if p.charging {
			amps = math.Min(amps, p.ratedW/volts) + noise(0.15)
		}
		return []event.Sample{energy,
			{Measurand: "Power.Active.Import", Value: math.Round(volts * amps)},
			{Measurand: "Current.Import", Value: round(amps, 0.1)},
			{Measurand: "Voltage", Value: round(volts, 0.1)},
			{Measurand: "SoC", Location: "EV", Value: math.Floor(p.soc * 100)},
			temperature,
			{Measurand: "Current.Offered", Value: p.carA},
			{Measurand: "Power.Offered", Value: p.ratedW},
		}
	case ac1:
		volts := p.volts[0] + noise(0.3)
		if p.charging {
			amps += noise(0.06)
		}
		return []event.Sample{energy,
			{Measurand: "Power.Active.Import", Value: math.Round(volts * amps)},
			{Measurand: "Current.Import", Phase: "L1", Value: round(amps, 0.1)},
			{Measurand: "Voltage", Phase: "L1-N", Value: round(volts, 0.1)},
			temperature,
			{Measurand: "Frequency", Value: round(50+noise(0.012), 0.01)},
			{Measurand: "Current.Offered", Value: 32},
			{Measurand: "Power.Offered", Value: p.ratedW},
		}
	}
	watts := 0.0
	var volts, current [3]float64
	for ph := range 3 {
		volts[ph] = p.volts[ph] + noise(0.3)
		if p.charging {
			current[ph] = amps + noise(0.06)
		}
		watts += volts[ph] * current[ph]
	}
	return []event.Sample{energy,
		{Measurand: "Power.Active.Import", Value: math.Round(watts)},
		{Measurand: "Current.Import", Phase: "L1", Value: round(current[0], 0.1)},
		{Measurand: "Current.Import", Phase: "L2", Value: round(current[1], 0.1)},
		{Measurand: "Current.Import", Phase: "L3", Value: round(current[2], 0.1)},
		{Measurand: "Voltage", Phase: "L1-N", Value: round(volts[0], 0.1)},
		{Measurand: "Voltage", Phase: "L2-N", Value: round(volts[1], 0.1)},
		{Measurand: "Voltage", Phase: "L3-N", Value: round(volts[2], 0.1)},
	}
}
