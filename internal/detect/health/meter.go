package health

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// meterDrift is D19: a meter that counts what did not flow, or whose register
// goes back or jumps.
//
// Each charge's register is held against the integral of the power (or of volts
// times amperes) over the same time. What differs always, as the losses of a
// rectifier behind the meter do, is learnt first; what grows from there adds up
// in a cumulative sum (Page 1954) that forgives half of the drift looked for.
// A register in another unit than it names is a thousand times off, and no
// drift.
func meterDrift() detect.Detector {
	return detect.Detector{
		ID: "D19", Code: "meterDrift",
		Params: []detect.Param{
			{Name: "drift", Default: 2, Unit: "Percent", Doc: "how much more or less than before matters"},
			{Name: "sessions", Default: 10, Doc: "charges over which it has to last"},
			{Name: "learn", Default: 8, Doc: "charges from which the usual difference is learnt"},
			{Name: "back", Default: 10, Unit: "Wh", Doc: "a step back of less is rounding"},
			{Name: "jump", Default: 10000, Unit: "Wh", Doc: "a jump of less is never called one"},
			{Name: "clean", Default: 5, Doc: "charges without a step after which it is over"},
		},
		Kinds: []event.Kind{event.KindMeter, event.KindTransaction, event.KindBoot},
		On:    registerRead,
		Ended: registerEnded,
		New:   func() any { return new(registerMemory) },
	}
}

const (
	meterStep = "meterStep"
	// Power further apart is no integral.
	registerGap = 5 * time.Minute
	// A charge is judged from so much energy and so many readings on.
	registerWh    = 3000
	registerReads = 8
	// What no port gives, for those whose rating is not known.
	mostW = 500_000
)

// registerMemory follows the register of a port. The station's (EVSE 0) holds
// the serial number of its meter.
type registerMemory struct {
	Serial string `json:"serial,omitempty"`

	Tx      string    `json:"tx,omitempty"` // that the last reading was of
	LastWh  float64   `json:"lastWh,omitempty"`
	LastAt  time.Time `json:"lastAt,omitzero"`   // recorded
	ToldAt  time.Time `json:"toldAt,omitzero"`   // by the device
	FromNil bool      `json:"fromNil,omitempty"` // the last charge began at zero

	// A step waits for the next reading to confirm it.
	Doubt   bool      `json:"doubt,omitempty"`
	WasWh   float64   `json:"wasWh,omitempty"`
	NewWh   float64   `json:"newWh,omitempty"`
	DoubtAt time.Time `json:"doubtAt,omitzero"`
	Clean   int       `json:"clean,omitempty"`

	Now      *registerNow `json:"now,omitempty"`
	Learnt   []float64    `json:"learnt,omitempty"`
	Baseline float64      `json:"baseline,omitempty"`
	Ready    bool         `json:"ready,omitempty"`
	Up       float64      `json:"up,omitempty"` // cumulative sums
	Down     float64      `json:"down,omitempty"`
	Recent   []float64    `json:"recent,omitempty"` // differences of the last charges
	Since    time.Time    `json:"since,omitzero"`
}

// registerNow is the running charge.
type registerNow struct {
	Tx      string    `json:"tx"`
	FirstWh float64   `json:"firstWh"` // at the first reading with power
	LastWh  float64   `json:"lastWh"`
	Wh      float64   `json:"wh"` // of the integral over the same time
	Pending float64   `json:"pending,omitempty"`
	PowerW  float64   `json:"powerW,omitempty"`
	At      time.Time `json:"at,omitzero"`
	N       int       `json:"n,omitempty"`
	Fine    bool      `json:"fine,omitempty"`   // it counts in less than 100 Wh
	Broken  bool      `json:"broken,omitempty"` // a gap or a step: not judged
}

func registerRead(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Boot:
		if b.MeterSerial == "" {
			return
		}
		m := detect.Memory[registerMemory](c, 0)
		if m.Serial != "" && m.Serial != b.MeterSerial { // another meter begins anew
			for i := range c.Station.Ports {
				c.Forget(c.Station.Ports[i].EVSE)
			}
		}
		m.Serial = b.MeterSerial
		return
	case *event.Transaction:
		if b.MeterWh != nil && e.Subject.EVSE > 0 {
			p := c.Station.Port(e.Subject.EVSE)
			if p != nil && (b.Stage == event.TransactionEnded || p.Tx != nil && p.Tx.ID == b.TransactionID) {
				registerTakes(c, p, *b.MeterWh, e.RecordedAt, time.Time{})
			}
		}
	}
	tx, samples := measuredIn(e)
	if len(samples) == 0 {
		return
	}
	p := metering(c, e, tx)
	if p == nil {
		return
	}
	for i := range samples {
		r := read(samples[i].Values)
		at := measuredAt(e, samples, i)
		if told(r.energyWh) {
			if !registerTakes(c, p, r.energyWh, at, samples[i].At) {
				r.energyWh = math.NaN()
			}
		}
		registerSums(c, p, &r, at)
	}
}

// registerTakes holds a reading against the last one and tells whether it goes
// on from there.
func registerTakes(c *detect.Context, p *detect.Port, wh float64, at, toldAt time.Time) bool {
	m := detect.Memory[registerMemory](c, p.EVSE)
	first := p.Tx != nil && p.Tx.ID != m.Tx // of its charge
	if first {
		m.Tx = p.Tx.ID
	}
	if m.LastAt.IsZero() || wh < 0 {
		m.LastWh, m.LastAt, m.ToldAt, m.FromNil = wh, at, toldAt, wh < 1000
		return wh >= 0
	}
	if !toldAt.IsZero() && toldAt.Before(m.ToldAt) && m.ToldAt.Sub(toldAt) < time.Hour {
		return false // told out of order
	}
	step := wh - m.LastWh
	most := c.Param("jump")
	rated := p.RatedW
	if rated <= 0 {
		rated = mostW
	}
	most = max(most, 2*rated*at.Sub(m.LastAt).Hours())
	// Between charges more than one may have passed that we are told of later.
	odd := step < -c.Param("back") && !rounded(wh, step) || step > most && !first
	switch {
	case m.Doubt && wh >= m.WasWh-c.Param("back") && wh-m.WasWh <= 2*most:
		m.Doubt, odd = false, false // one reading was a whim
	case m.Doubt && step >= -c.Param("back") && step <= most:
		m.Doubt = false
		registerStepped(c, p, m)
	case odd && (thousandfold(wh, m.LastWh) || thousandfold(m.LastWh, wh)):
		registerBreaks(m)
		m.Baseline, m.Ready, m.Learnt, m.Up, m.Down = 0, false, nil, 0, 0
		odd = true // a unit, not a step: begin again
	case odd && step < 0 && first && wh < 1000 && m.FromNil: // it counts each charge by itself
		odd = false
	case odd:
		m.Doubt, m.WasWh, m.NewWh, m.DoubtAt = true, m.LastWh, wh, c.Now
		registerBreaks(m)
	}
	if first {
		m.FromNil = wh < 1000
	}
	m.LastWh, m.LastAt = wh, at
	if !toldAt.IsZero() {
		m.ToldAt = toldAt
	}
	return !odd
}

// rounded reports that a reading went back because it is told in whole kWh or
// tenths of them, and the one before was not.
func rounded(wh, step float64) bool {
	return step > -1000 && math.Mod(wh, 1000) == 0 || step > -100 && math.Mod(wh, 100) == 0
}

func registerBreaks(m *registerMemory) {
	if m.Now != nil {
		m.Now.Broken = true
	}
}

func thousandfold(a, b float64) bool { return b > 0 && a/b > 700 && a/b < 1400 }

func registerStepped(c *detect.Context, p *detect.Port, m *registerMemory) {
	m.Clean = 0
	wh := m.NewWh
	word, by := detect.Phrase("back"), m.WasWh-wh
	if wh > m.WasWh {
		word, by = "forward", wh-m.WasWh
	}
	c.Raise(p.EVSE, event.Finding{
		Code: meterStep, Severity: event.S2, Since: m.DoubtAt,
		Text: c.Say("The energy register jumped %s by %.1f kWh, from %.1f to %.1f kWh.", word, by/1000, m.WasWh/1000, wh/1000),
		Facts: []event.Fact{
			detect.Value("step", (wh-m.WasWh)/1000, "kWh"), detect.Value("before", m.WasWh/1000, "kWh"), detect.Value("after", wh/1000, "kWh"), since(m.DoubtAt),
		},
		Shared: commonWith(c.Station),
	})
}

// registerSums integrates power beside the register.
func registerSums(c *detect.Context, p *detect.Port, r *reading, at time.Time) {
	w := r.powerW
	if !told(w) {
		switch {
		case p.DC() && told(r.currentA) && told(r.voltageV):
			w = r.currentA * r.voltageV
		default:
			w = apparent(r)
		}
	}
	if !told(w) {
		return
	}
	m := detect.Memory[registerMemory](c, p.EVSE)
	n := m.Now
	if n == nil || n.Tx != p.Tx.ID {
		if !told(r.energyWh) {
			return
		}
		m.Now = &registerNow{Tx: p.Tx.ID, FirstWh: r.energyWh, LastWh: r.energyWh, PowerW: w, At: at}
		return
	}
	dt := at.Sub(n.At)
	if dt > registerGap {
		n.Broken = true
	}
	n.Pending += (n.PowerW + w) / 2 * dt.Hours()
	n.PowerW, n.At = w, at
	if !told(r.energyWh) {
		return
	}
	n.Wh += n.Pending
	n.Pending = 0
	if math.Mod(r.energyWh, 100) != 0 {
		n.Fine = true
	}
	n.LastWh = r.energyWh
	n.N++
}

// apparent is volts times amperes of all phases: what flowed, cars being near
// to unity in power factor.
func apparent(r *reading) float64 {
	w, n := 0.0, 0
	for i := range r.amps {
		if told(r.amps[i]) && told(r.volts[i]) {
			w += r.amps[i] * r.volts[i]
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return w
}

func registerEnded(c *detect.Context, t *detect.Ended) {
	m := detect.Recall[registerMemory](c, t.Port.EVSE)
	if m == nil || m.Now == nil {
		return
	}
	n := m.Now
	m.Now = nil
	if n.Tx != t.ID {
		return
	}
	if c.Station.IsOpen(meterStep, t.Port.EVSE) && !m.Doubt && n.N >= 2 && !n.Broken {
		if m.Clean++; float64(m.Clean) >= c.Param("clean") {
			c.Clear(meterStep, t.Port.EVSE, detect.Value("sessions", float64(m.Clean), ""))
		}
	}
	least := float64(registerWh)
	if !n.Fine {
		least = 20000 // a coarse register needs more to be judged by
	}
	if n.Broken || n.N < registerReads || n.Wh < least {
		return
	}
	diff := (n.LastWh - n.FirstWh - n.Wh) / n.Wh
	if math.Abs(diff) > 0.5 { // a unit or a register that stands: not a drift
		return
	}
	registerJudge(c, t.Port.EVSE, m, diff)
}

func registerJudge(c *detect.Context, evse int, m *registerMemory, diff float64) {
	drift, sessions := c.Param("drift")/100, c.Param("sessions")
	if !m.Ready {
		m.Learnt = append(m.Learnt, diff)
		if n := int(c.Param("learn")); len(m.Learnt) >= max(3, min(n, 60)) {
			m.Baseline, m.Ready, m.Learnt = median(m.Learnt), true, nil
		}
		return
	}
	m.Recent = keepLast(m.Recent, diff, 10)
	z := min(3*drift, max(-3*drift, diff-m.Baseline)) // one odd charge must not do it
	if m.Up == 0 && m.Down == 0 {
		m.Since = c.Now
	}
	m.Up, m.Down = max(0, m.Up+z-drift/2), max(0, m.Down-z-drift/2)
	if c.Station.IsOpen("meterDrift", evse) {
		if fineAgain(m.Recent, func(d *float64) bool { return math.Abs(*d-m.Baseline) < drift/2 }) {
			m.Up, m.Down = 0, 0
			c.Clear("meterDrift", evse, detect.Value("difference", 100*diff, "Percent"), detect.Value("baseline", 100*m.Baseline, "Percent"))
		}
		return
	}
	if max(m.Up, m.Down) <= sessions*drift/2*0.999 {
		return
	}
	last := append([]float64(nil), m.Recent[max(0, len(m.Recent)-5):]...)
	now := median(last)
	if math.Abs(now-m.Baseline) < drift*0.8 {
		return // it was, and is no more
	}
	word := detect.Phrase("more")
	if now < m.Baseline {
		word = "less"
	}
	c.Raise(evse, event.Finding{
		Severity: event.S3, Since: m.Since,
		Text: c.Say("The meter counts %.1f %% %s than the power it shows adds up to; it used to be %+.1f %%.", 100*math.Abs(now), word, 100*m.Baseline),
		Facts: []event.Fact{
			detect.Value("difference", 100*now, "Percent"), detect.Value("baseline", 100*m.Baseline, "Percent"),
			detect.Value("sessions", float64(len(m.Recent)), ""), since(m.Since),
		},
		Shared: commonWith(c.Station),
	})
}
