package fleet

import (
	"math"
	"time"
)

// Metering follows the energy register and the power of one session.
//
// The register is what is paid for, so it decides. Power is integrated beside
// it to notice a register whose unit is not the one it names, or that stands
// still. Readings are kept in the register's own unit; settle converts.
type Metering struct {
	FirstAt    time.Time `json:"firstAt,omitzero"`
	LastWh     *float64  `json:"lastWh,omitempty"`
	LastAt     time.Time `json:"lastAt,omitzero"`
	SegmentWh  float64   `json:"segmentWh,omitempty"` // register where the current segment began
	BaseWh     float64   `json:"baseWh,omitempty"`    // energy of the segments before
	IntegralWh float64   `json:"integralWh,omitempty"`
	SeenWh     float64   `json:"seenWh,omitempty"` // the integral at the last reading
	PowerW     float64   `json:"powerW,omitempty"`
	PowerAt    time.Time `json:"powerAt,omitzero"`
}

const (
	// No port delivers more; a step above it is the register's fault.
	impossibleW = 1.5e6
	// Steps below are never called impossible: two readings may carry one time.
	harmlessWh = 10_000
	// A step that no car takes, whatever the clocks say.
	impossibleWh = 1e6
	// Power integrated over less proves nothing.
	provenWh = 500
	// Longer steps between two powers are gaps.
	powerGap = 15 * time.Minute
)

// thousandfold reports whether a is about a thousand times b.
func thousandfold(a, b float64) bool { return b > 0 && a/b > 700 && a/b < 1400 }

// register takes a reading of the register and keeps the pointer. timed tells
// whether the reading's time can be trusted.
func (m *Metering) register(s *Session, reading *float64, at time.Time, timed bool) {
	wh := *reading
	switch {
	case m.LastWh == nil:
		m.FirstAt, m.LastWh, m.LastAt, m.SegmentWh, m.SeenWh = at, reading, at, wh, m.IntegralWh
		if s.MeterStartWh == nil {
			s.MeterStartWh = reading
		}
		return
	case at.Before(m.FirstAt): // the beginning, told out of order
		if m.BaseWh == 0 && wh <= m.SegmentWh {
			m.FirstAt, m.SegmentWh = at, wh
			s.MeterStartWh = reading
		}
		return
	case at.Before(m.LastAt):
		return
	}
	step, limit := wh-*m.LastWh, impossibleWh
	if timed {
		limit = max(harmlessWh, impossibleW*at.Sub(m.LastAt).Hours())
	}
	if s.has(FlagRegisterInWh) {
		limit *= 1000
	} else if step > limit && step <= 1000*limit && thousandfold(step, m.IntegralWh-m.SeenWh) {
		s.flag(FlagRegisterInWh)
		limit *= 1000
	}
	switch {
	case step < -1:
		s.flag(FlagRegisterReset)
		m.BaseWh += *m.LastWh - m.SegmentWh
		m.SegmentWh = wh
		if wh >= 0 && wh < 1000 { // it began again at zero
			m.SegmentWh = 0
		}
	case step > limit:
		s.flag(FlagRegisterJump)
		m.BaseWh += *m.LastWh - m.SegmentWh
		m.SegmentWh = wh
	}
	m.LastWh, m.LastAt, m.SeenWh = reading, at, m.IntegralWh
}

// power takes a reading of the active power.
func (m *Metering) power(s *Session, w float64, at time.Time) {
	if w > impossibleW || w < -impossibleW {
		return
	}
	if dt := at.Sub(m.PowerAt); !m.PowerAt.IsZero() && dt > 0 && dt <= powerGap {
		m.IntegralWh += (m.PowerW + w) / 2 * dt.Hours()
	}
	if !at.Before(m.PowerAt) {
		m.PowerW, m.PowerAt = w, at
	}
	s.PeakPowerW = max(s.PeakPowerW, w)
}

// settle computes the session's energy from the register, or from power where
// the station sends no register at all.
func (m *Metering) settle(s *Session) {
	m.judge(s)
	s.EnergyWh = math.Round(s.EnergyWh*1000) / 1000 // what a sum of decimals leaves behind is no energy
}

func (m *Metering) judge(s *Session) {
	if m.LastWh == nil {
		s.EnergyWh = max(m.IntegralWh, 0)
		return
	}
	wh := max(m.BaseWh+*m.LastWh-m.SegmentWh, 0)
	proven := m.IntegralWh > provenWh
	switch {
	case s.has(FlagRegisterInWh):
		s.EnergyWh = wh / 1000
		return
	case proven && thousandfold(m.IntegralWh, wh):
		s.flag(FlagRegisterInKWh)
	case proven && m.IntegralWh < 30*wh: // clearly not; gaps in the power alone do not take the flag away
		s.unflag(FlagRegisterInKWh)
	}
	if s.has(FlagRegisterInKWh) {
		s.unflag(FlagRegisterStuck)
		s.EnergyWh = wh * 1000
		return
	}
	if proven && wh < m.IntegralWh/100 {
		s.flag(FlagRegisterStuck)
		s.EnergyWh = m.IntegralWh
		return
	}
	s.unflag(FlagRegisterStuck)
	s.EnergyWh = wh
}
