package fleet

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// measured folds MeterValues. Only those that tell of now touch the live
// values; those of a known session always count for it.
func (b *Batch) measured(st *Station, e *event.Event, body *event.Meter, fx *Effects) {
	st.locate(e)
	if body.TransactionID != "" {
		st.LastTxAt = e.RecordedAt
	}
	known := b.meterOf(st, e, body, fx)
	if known == nil {
		if !e.Late() {
			b.live(st, e, body.Samples)
		}
		return
	}
	s := b.own(st, known)
	if body.TransactionID != "" && body.TransactionID != s.TransactionID {
		s.flag(FlagUnknownID)
	}
	if e.Subject.EVSE == 0 {
		e.Subject.EVSE = s.EVSE
	}
	if !e.Late() {
		b.goesOn(st, s, e, fx)
	}
	b.samples(st, s, e, body.Samples, e.Late())
}

// meterOf finds the session that measurements belong to: the one they name,
// else the one at their port. A port that charges for a transaction we never
// heard the start of gets one.
func (b *Batch) meterOf(st *Station, e *event.Event, body *event.Meter, fx *Effects) *Session {
	if known := b.byTransaction(st, body.TransactionID); known != nil {
		return known
	}
	evse := st.evse(e.Subject.EVSE)
	if evse == nil || e.Late() {
		return nil
	}
	if evse.Session != nil {
		return evse.Session
	}
	if body.TransactionID == "" || noID(body.TransactionID) || !inUse(evse.Status) {
		return nil
	}
	s := b.begin(st, e, &event.Transaction{TransactionID: body.TransactionID}, fx)
	s.flag(FlagStartMissing)
	b.place(st, s, e, false, fx)
	return s
}

// samples folds measurements of a session; those that tell of the past leave
// the live values alone.
func (b *Batch) samples(st *Station, s *Session, e *event.Event, samples event.Samples, past bool) {
	if len(samples) == 0 {
		return
	}
	var evse *EVSE
	if !past {
		evse = st.needEVSE(e.Subject.EVSE)
	}
	for _, g := range samples {
		at := sampleTime(e, g.At)
		r := ReadLive(g.Values)
		if evse != nil {
			evse.show(&r, at, e)
		}
		if s.State == SessionEnded && at.After(s.EndedAt) {
			continue // the session is over, whatever the meter goes on to say
		}
		if r.PowerW != nil {
			s.Meter.power(s, *r.PowerW, at)
		}
		if r.EnergyWh != nil {
			s.Meter.register(s, r.EnergyWh, at, e.Quality != event.TimeReceived)
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
	if evse != nil && evse.Session == s {
		b.refresh(st, evse, moment(e), e)
	}
}

// sampleTime moves a sample's time by what its event's time was moved, and
// never behind the moment we heard it.
func sampleTime(e *event.Event, at time.Time) time.Time {
	if at.IsZero() || e.Quality == event.TimeReceived {
		return moment(e)
	}
	if e.Quality == event.TimeCorrected && !e.DeviceAt.IsZero() {
		at = at.Add(e.At.Sub(e.DeviceAt))
	}
	return earliest(at, e.ReceivedAt)
}

// live shows measurements that belong to no session at their EVSE.
func (b *Batch) live(st *Station, e *event.Event, samples event.Samples) {
	if e.Subject.EVSE == 0 || len(samples) == 0 {
		return
	}
	evse := st.needEVSE(e.Subject.EVSE)
	if evse == nil {
		note(e, "tooManyPorts")
		return
	}
	for _, g := range samples {
		r := ReadLive(g.Values)
		evse.show(&r, sampleTime(e, g.At), e)
	}
}

// show takes over what was measured at a moment, unless something newer is
// known.
func (v *EVSE) show(r *Live, at time.Time, e *event.Event) {
	if at.Before(v.Live.At) && e.ReceivedAt.Sub(at) > event.LateAfter {
		return
	}
	v.Live.At = latest(at, v.Live.At)
	keep(&v.Live.PowerW, r.PowerW)
	keep(&v.Live.OfferedW, r.OfferedW)
	keep(&v.Live.CurrentA, r.CurrentA)
	keep(&v.Live.OfferedA, r.OfferedA)
	keep(&v.Live.VoltageV, r.VoltageV)
	keep(&v.Live.SoC, r.SoC)
	keep(&v.Live.TempC, r.TempC)
	keep(&v.Live.EnergyWh, r.EnergyWh)
}

func keep(into **float64, v *float64) {
	if v != nil {
		*into = v
	}
}

// What is shown and counted of a measurand.
const (
	showPower = iota
	showOffered
	showCurrent
	showOfferedA
	showVoltage
	showSoC
	showTemperature
	showEnergy
	shown
)

func slotOf(measurand string) int {
	switch measurand {
	case "Energy.Active.Import.Register":
		return showEnergy
	case "Power.Active.Import":
		return showPower
	case "Power.Offered":
		return showOffered
	case "Current.Import":
		return showCurrent
	case "Current.Offered":
		return showOfferedA
	case "Voltage":
		return showVoltage
	case "SoC":
		return showSoC
	case "Temperature":
		return showTemperature
	}
	return -1
}

// phases is what one measurand came in.
type phases struct {
	whole, sum, highest float64
	n                   int
	hasWhole            bool
}

// ReadLive sums one group of samples up: the overall value where the station gives
// it, else what the phases make of it. What cannot be a measurement is left
// out.
func ReadLive(values []event.Sample) Live {
	var of [shown]phases
	for i := range values {
		v := &values[i]
		slot := slotOf(v.Measurand)
		if slot < 0 || v.Location == "Inlet" || v.Unit != "" || math.IsNaN(v.Value) || math.Abs(v.Value) > 1e12 {
			continue
		}
		p := &of[slot]
		switch {
		case v.Phase == "":
			if !p.hasWhole {
				p.whole, p.hasWhole = v.Value, true
			}
		case v.Phase != "N":
			if p.n == 0 || v.Value > p.highest {
				p.highest = v.Value
			}
			p.sum += v.Value
			p.n++
		}
	}
	var l Live
	kept := new([shown]float64) // one allocation for all that is kept
	for slot := range of {
		p := &of[slot]
		switch {
		case p.hasWhole:
			kept[slot] = p.whole
		case p.n == 0:
			continue
		case slot == showPower || slot == showOffered || slot == showEnergy:
			kept[slot] = p.sum
		case slot == showVoltage:
			kept[slot] = p.sum / float64(p.n)
		default:
			kept[slot] = p.highest
		}
		v := &kept[slot]
		switch slot {
		case showPower:
			l.PowerW = v
		case showOffered:
			l.OfferedW = v
		case showCurrent:
			l.CurrentA = v
		case showOfferedA:
			l.OfferedA = v
		case showVoltage:
			l.VoltageV = v
		case showSoC:
			if *v >= 0 && *v <= 100 {
				l.SoC = v
			}
		case showTemperature:
			l.TempC = v
		case showEnergy:
			l.EnergyWh = v
		}
	}
	return l
}
