package fleet

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Metering follows the energy register and the power of one session.
//
// The register is what is paid for, so it decides; power is integrated beside
// it only to notice a register that counts kWh while it says Wh.
type Metering struct {
	LastWh     *float64  `json:"lastWh,omitempty"`
	LastAt     time.Time `json:"lastAt,omitzero"`
	SegmentWh  float64   `json:"segmentWh,omitempty"` // register where the current segment began
	BaseWh     float64   `json:"baseWh,omitempty"`    // energy of the segments before
	IntegralWh float64   `json:"integralWh,omitempty"`
	PowerW     float64   `json:"powerW,omitempty"`
	PowerAt    time.Time `json:"powerAt,omitzero"`
}

// No port delivers more; a step above it is the register's fault.
const impossibleW = 1.5e6

// register takes a reading of the register.
func (m *Metering) register(s *Session, wh float64, at time.Time) {
	if m.LastWh == nil {
		m.LastWh, m.LastAt, m.SegmentWh = new(wh), at, wh
		s.setStart(&wh)
		return
	}
	if at.Before(m.LastAt) {
		return
	}
	last := *m.LastWh
	switch {
	case wh < last-1:
		s.flag(FlagRegisterReset)
		m.BaseWh += last - m.SegmentWh
		m.SegmentWh = wh
		if wh < 1000 { // it began again at zero
			m.SegmentWh = 0
		}
	case wh-last > 10_000 && wh-last > impossibleW*at.Sub(m.LastAt).Hours():
		s.flag(FlagRegisterJump)
		m.BaseWh += last - m.SegmentWh
		m.SegmentWh = wh
	}
	m.LastWh, m.LastAt = new(wh), at
	m.settle(s)
}

// power takes a reading of the active power; steps of up to 15 min are
// integrated, longer ones are gaps.
func (m *Metering) power(s *Session, w float64, at time.Time) {
	if dt := at.Sub(m.PowerAt); !m.PowerAt.IsZero() && dt > 0 && dt <= 15*time.Minute {
		m.IntegralWh += (m.PowerW + w) / 2 * dt.Hours()
	}
	if !at.Before(m.PowerAt) {
		m.PowerW, m.PowerAt = w, at
	}
	if w > s.PeakPowerW && w < impossibleW {
		s.PeakPowerW = w
	}
}

// settle computes the session's energy from the register, or from power where
// the station sends no register at all.
func (m *Metering) settle(s *Session) {
	if m.LastWh == nil || s.MeterStartWh == nil {
		s.EnergyWh = max(m.IntegralWh, 0)
		return
	}
	wh := max(m.BaseWh+*m.LastWh-m.SegmentWh, 0)
	if m.IntegralWh > 500 && wh > 0 {
		if ratio := m.IntegralWh / wh; ratio > 700 && ratio < 1400 {
			s.flag(FlagRegisterInKWh)
		} else {
			s.unflag(FlagRegisterInKWh)
		}
	}
	if s.has(FlagRegisterInKWh) {
		wh *= 1000
	}
	s.EnergyWh = wh
}

// measured folds MeterValues.
func (b *Batch) measured(st *Station, e *event.Event, body *event.Meter, fx *Effects) {
	if e.Subject.EVSE == 0 && e.Subject.Connector > 0 {
		e.Subject.EVSE = st.evseOf(e.Subject.Connector)
	}
	evse := st.evse(e.Subject.EVSE)
	var known *Session
	if body.TransactionID != "" {
		st.LastTxAt = e.RecordedAt
		known = b.byTransaction(st, body.TransactionID)
	}
	if known == nil && evse != nil && evse.Session != nil && !e.Late() && body.TransactionID == "" {
		known = evse.Session
	}
	if known == nil {
		if !e.Late() {
			b.live(st, e, body.Samples)
		}
		return
	}
	s := b.own(st, known)
	if s.State == SessionActive && !e.Late() && b.waiting(st, s) {
		b.place(st, s, e, fx)
	}
	b.samples(st, s, e, body.Samples, false)
}

// samples folds measurements of a session; those of a station that is not
// telling of now leave the live values alone.
func (b *Batch) samples(st *Station, s *Session, e *event.Event, samples event.Samples, history bool) {
	if len(samples) == 0 {
		return
	}
	for _, g := range samples {
		at := sampleTime(e, g.At)
		r := read(g.Values)
		if r.EnergyWh != nil {
			s.Meter.register(s, *r.EnergyWh, at)
		}
		if r.PowerW != nil {
			s.Meter.power(s, *r.PowerW, at)
		}
		if r.SoC != nil {
			if s.SoCStart == nil {
				s.SoCStart = r.SoC
			}
			s.SoCEnd = r.SoC
		}
	}
	s.Meter.settle(s)
	s.UpdatedAt = e.RecordedAt
	if !history && !e.Late() {
		b.live(st, e, samples)
	}
}

// sampleTime moves a sample's time by what its event's time was moved, and
// never behind the moment we heard it.
func sampleTime(e *event.Event, at time.Time) time.Time {
	if at.IsZero() || e.Quality == event.TimeReceived {
		return e.At
	}
	if e.Quality == event.TimeCorrected && !e.DeviceAt.IsZero() {
		at = at.Add(e.At.Sub(e.DeviceAt))
	}
	if at.After(e.ReceivedAt) {
		at = e.ReceivedAt
	}
	return at
}

// live shows the newest measurements at their EVSE.
func (b *Batch) live(st *Station, e *event.Event, samples event.Samples) {
	if e.Subject.EVSE == 0 || len(samples) == 0 {
		return
	}
	evse := st.needEVSE(e.Subject.EVSE)
	for _, g := range samples {
		at := sampleTime(e, g.At)
		if at.Before(evse.Live.At) && e.ReceivedAt.Sub(at) > event.LateAfter {
			continue
		}
		r := read(g.Values)
		evse.Live.At = at
		keep(&evse.Live.PowerW, r.PowerW)
		keep(&evse.Live.OfferedW, r.OfferedW)
		keep(&evse.Live.CurrentA, r.CurrentA)
		keep(&evse.Live.OfferedA, r.OfferedA)
		keep(&evse.Live.VoltageV, r.VoltageV)
		keep(&evse.Live.SoC, r.SoC)
		keep(&evse.Live.TempC, r.TempC)
		keep(&evse.Live.EnergyWh, r.EnergyWh)
	}
}

func keep(into **float64, v *float64) {
	if v != nil {
		*into = v
	}
}

// read sums one group of samples up: the overall value where the station gives
// it, else what the phases make of it.
func read(values []event.Sample) Live {
	var l Live
	l.PowerW = combine(values, "Power.Active.Import", sum)
	l.OfferedW = combine(values, "Power.Offered", sum)
	l.CurrentA = combine(values, "Current.Import", highest)
	l.OfferedA = combine(values, "Current.Offered", highest)
	l.VoltageV = combine(values, "Voltage", mean)
	l.SoC = combine(values, "SoC", highest)
	l.TempC = combine(values, "Temperature", highest)
	l.EnergyWh = combine(values, "Energy.Active.Import.Register", sum)
	return l
}

func combine(values []event.Sample, measurand string, phases func([]float64) float64) *float64 {
	var of [8]float64
	n := 0
	for _, v := range values {
		if v.Measurand != measurand || v.Location == "Inlet" {
			continue
		}
		if v.Phase == "" {
			return new(v.Value)
		}
		if n < len(of) && v.Phase != "N" {
			of[n] = v.Value
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return new(phases(of[:n]))
}

func sum(v []float64) float64 {
	t := 0.0
	for _, x := range v {
		t += x
	}
	return t
}

func mean(v []float64) float64 { return sum(v) / float64(len(v)) }

func highest(v []float64) float64 {
	h := v[0]
	for _, x := range v[1:] {
		h = max(h, x)
	}
	return h
}
