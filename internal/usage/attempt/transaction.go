package attempt

import (
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func (s *state) transaction(at time.Time, evse int, b *event.Transaction, behind bool) {
	id := clip(b.TransactionID)
	p := s.running(id)
	if p == nil {
		if evse <= 0 {
			return
		}
		if b.Stage == event.TransactionEnded {
			// It began before what is known, and so did what looked like a try.
			if x := s.port(evse); x != nil && !behind {
				*x = port{slot: evse}
			}
			return
		}
		if behind && b.Stage != event.TransactionStarted {
			return
		}
		if p = s.open(at, s.slot(at, evse, behind), id, b); p == nil {
			return
		}
	} else if p.slot < 0 && !behind {
		s.promote(p)
	}
	p.told(at, b)
	if p.open.Token == "" {
		p.open.Token = clip(b.TokenID)
	}
	switch {
	case b.Stage == event.TransactionEnded:
		s.endTransaction(at, p, None, clip(b.Reason))
	case b.TokenStatus != "" && b.TokenStatus != "Accepted" && b.Stage == event.TransactionStarted:
		s.close(at, p, refusal(b.TokenStatus), clip(b.TokenStatus))
	}
}

// slot is where a transaction belongs. One that is told late belongs to the car
// that waited then, if that is still the one at the port; else beside it.
func (s *state) slot(at time.Time, evse int, behind bool) int {
	if !behind {
		return evse
	}
	if p := s.find(evse); p != nil && p.open != nil && !p.started && !p.open.At.After(at) {
		return evse
	}
	return -evse
}

// promote moves a transaction that was told late to its port when it turns out
// to go on: what looked like a new try there is the same car.
func (s *state) promote(p *port) {
	evse := -p.slot
	if x := s.find(evse); x != nil {
		if x.open != nil && x.started {
			return
		}
		p.charging = x.charging
		s.ports = slices.DeleteFunc(s.ports, func(y *port) bool { return y == x })
	}
	p.slot = evse
	slices.SortFunc(s.ports, func(a, b *port) int { return a.slot - b.slot })
}

// open begins a transaction at a port.
func (s *state) open(at time.Time, slot int, id string, b *event.Transaction) *port {
	p := s.port(slot)
	if p == nil {
		return nil
	}
	if p.open != nil && p.started {
		// The station began another without ending this one.
		s.endTransaction(at, p, EndUnknown, "")
	}
	p.begin(at, Locked)
	token := clip(b.TokenID)
	if token != "" && p.open.Token != token || token == "" && p.open.Token == "" {
		fits := func(w *Attempt) bool {
			return (w.EVSE == 0 || w.EVSE == p.open.EVSE) && (token == "" || w.Token == token)
		}
		if i := slices.IndexFunc(s.waiting, fits); i >= 0 && slot > 0 {
			s.take(p, i)
		}
	}
	if token != "" {
		p.open.Token = token
	}
	p.started, p.startedAt = true, at
	p.open.TransactionID = id
	return p
}

// told takes energy and power from a report.
func (p *port) told(at time.Time, b *event.Transaction) {
	p.reading(b.MeterWh, b.Samples)
	switch {
	case b.ChargingState == "Charging":
		if p.charging.IsZero() {
			p.charging = at
		}
		p.faulted, p.suspended = false, ""
	case b.ChargingState != "":
		p.pause(at)
		if b.ChargingState == "SuspendedEV" || b.ChargingState == "SuspendedEVSE" {
			p.suspended = b.ChargingState
		}
	}
}

// meter takes energy from measurements of a running transaction.
func (s *state) meter(evse int, b *event.Meter) {
	p := s.find(evse)
	if b.TransactionID != "" {
		p = s.running(clip(b.TransactionID))
	}
	if p != nil && p.open != nil && p.started {
		p.reading(nil, b.Samples)
	}
}

func (p *port) reading(register *float64, samples event.Samples) {
	for i := range samples {
		for j := range samples[i].Values {
			s := &samples[i].Values[j]
			if s.Measurand == "Energy.Active.Import.Register" && s.Phase == "" && (s.Location == "" || s.Location == "Outlet") {
				register = &s.Value
			}
		}
	}
	if register == nil {
		return
	}
	start := *register
	if p.meterStart != nil {
		start = *p.meterStart
	}
	moved := max(0, *register-start)
	if math.IsInf(moved, 0) || math.IsNaN(moved) {
		return
	}
	p.meterStart, p.open.EnergyWh = new(start), new(moved)
	if moved > 0 {
		p.reach(Energy)
	}
}

// endTransaction judges what a transaction came to.
func (s *state) endTransaction(at time.Time, p *port, why Reason, detail string) {
	p.pause(at)
	a := p.open
	if p.charged > 0 {
		p.reach(Energy)
	}
	// The first reading of a transaction alone says nothing about its energy.
	worked := p.charged >= runningAt
	if a.EnergyWh != nil && (*a.EnergyWh > 0 || why == None) {
		worked = *a.EnergyWh >= FailedBelowWh
	}
	switch {
	case worked:
		a.CutShort = p.cutShort(detail)
		s.close(at, p, None, detail)
	case p.faulted:
		if p.fault != "" {
			detail = p.fault
		}
		s.close(at, p, Faulted, detail)
	case why == None:
		s.close(at, p, ended(detail), detail)
	default:
		s.close(at, p, why, detail)
	}
}

// cutShort is what ended a transaction in which power flowed, if that was nobody's
// wish.
func (p *port) cutShort(reason string) Reason {
	if p.faulted {
		return Faulted
	}
	switch why := ended(reason); why {
	case Faulted, PowerLoss, EmergencyStop, Restarted, Deauthorised:
		return why
	}
	return None
}

// ended reads the reason that a station gave for the end of a transaction.
func ended(reason string) Reason {
	switch reason {
	case "EVDisconnected":
		return UnpluggedEarly
	case "DeAuthorized":
		return Deauthorised
	case "EmergencyStop":
		return EmergencyStop
	case "HardReset", "SoftReset", "ImmediateReset", "Reboot":
		return Restarted
	case "PowerLoss", "PowerQuality":
		return PowerLoss
	case "LocalOutOfCredit":
		return TokenNoCredit
	case "GroundFault", "OvercurrentFault":
		return Faulted
	case "StoppedByEV", "SOCLimitReached":
		return VehicleRefused
	case "Local", "MasterPass":
		return StoppedAtStation
	case "Remote", "UnlockCommand":
		return StoppedRemotely
	case "Timeout":
		return PlugTimeout
	}
	return NoEnergy
}
