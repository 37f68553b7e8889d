package attempt

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func (f *fold) transaction(at time.Time, evse int, b *event.Transaction) {
	var p *port
	for _, n := range f.order() { // later reports may leave out the port
		if x := f.ports[n]; x.open != nil && x.started && x.open.TransactionID == b.TransactionID {
			p = x
		}
	}
	if p == nil {
		if evse == 0 {
			return
		}
		if b.Stage == event.TransactionEnded {
			// It began before what is known, and so did what looked like a try.
			*f.port(evse) = port{}
			return
		}
		p = f.open(at, evse, b)
	}
	p.told(at, b)
	if p.open.Token == "" {
		p.open.Token = b.TokenID
	}
	switch {
	case b.Stage == event.TransactionEnded:
		f.endTransaction(at, p, None, b.Reason)
	case b.TokenStatus != "" && b.TokenStatus != "Accepted" && b.Stage == event.TransactionStarted:
		f.close(at, p, refusal(b.TokenStatus), b.TokenStatus)
	}
}

// open begins a transaction at a port.
func (f *fold) open(at time.Time, evse int, b *event.Transaction) *port {
	if p := f.ports[evse]; p != nil && p.open != nil && p.started {
		// The station began another without ending this one.
		f.endTransaction(at, p, EndUnknown, "")
	}
	p := f.begin(at, evse, Locked)
	if b.TokenID != "" && p.open.Token != b.TokenID || b.TokenID == "" && p.open.Token == "" {
		fits := func(w *Attempt) bool {
			return (w.EVSE == 0 || w.EVSE == evse) && (b.TokenID == "" || w.Token == b.TokenID)
		}
		if i := slices.IndexFunc(f.waiting, fits); i >= 0 {
			f.take(p, i)
		}
	}
	if b.TokenID != "" {
		p.open.Token = b.TokenID
	}
	p.started = true
	p.open.TransactionID = b.TransactionID
	return p
}

// told takes energy and power from a report.
func (p *port) told(at time.Time, b *event.Transaction) {
	register := b.MeterWh
	for _, s := range b.Samples.All() {
		if s.Measurand == "Energy.Active.Import.Register" && s.Phase == "" && (s.Location == "" || s.Location == "Outlet") {
			register = new(s.Value)
		}
	}
	if register != nil {
		if p.meterStart == nil {
			p.meterStart = register
		}
		p.open.EnergyWh = new(max(0, *register-*p.meterStart))
		if *p.open.EnergyWh > 0 {
			p.reach(Energy)
		}
	}
	switch {
	case b.ChargingState == "Charging" && p.charging.IsZero():
		p.charging = at
	case b.ChargingState != "" && b.ChargingState != "Charging" && !p.charging.IsZero():
		p.charged += max(0, at.Sub(p.charging))
		p.charging = time.Time{}
	}
}

// endTransaction judges what a transaction came to.
func (f *fold) endTransaction(at time.Time, p *port, why Reason, detail string) {
	if !p.charging.IsZero() {
		p.charged += max(0, at.Sub(p.charging))
		p.charging = time.Time{}
	}
	a := p.open
	if p.charged > 0 {
		p.reach(Energy)
	}
	// The first reading of a transaction alone says nothing about its energy.
	worked := p.charged >= runningAt
	if a.EnergyWh != nil && (*a.EnergyWh > 0 || why == None) {
		worked = *a.EnergyWh >= FailedBelowWh
	}
	if worked {
		f.close(at, p, None, detail)
		return
	}
	if p.fault != "" {
		f.close(at, p, Faulted, p.fault)
		return
	}
	if why == None {
		why = ended(detail)
	}
	f.close(at, p, why, detail)
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
