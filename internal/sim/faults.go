package sim

import (
	"slices"
	"strings"
	"time"
)

// faultKind is one thing that breaks, in the words of both protocol families.
type faultKind struct {
	code      string // 1.6 errorCode
	vendor    string // vendorErrorCode; CX... are the public ChargeX codes
	info      string
	component string // 2.x component that reports Problem
	warning   bool   // the port keeps working
	min, max  time.Duration
	weight    int
	dc, ac    bool
}

// faultKinds are drawn by weight; most faults clear by themselves, some need a
// visit.
var faultKinds = []faultKind{
	{"GroundFailure", "CX002", "residual current device tripped", "GroundFaultProtection", false, 20 * time.Minute, 6 * time.Hour, 6, true, true},
	{"ConnectorLockFailure", "CX001", "lock motor blocked", "ConnectorPlugRetentionLock", false, 5 * time.Minute, 90 * time.Minute, 10, false, true},
	{"HighTemperature", "CX003", "cabinet 71 C, derated", "TemperatureSensor", true, 10 * time.Minute, time.Hour, 8, true, false},
	{"OverCurrentFailure", "CX004", "over-current L2", "OverCurrentProtection", false, 5 * time.Minute, 40 * time.Minute, 5, true, true},
	{"UnderVoltage", "CX006", "L3 197 V", "ElectricalFeed", false, 2 * time.Minute, 20 * time.Minute, 5, true, true},
	{"OtherError", "CX008", "emergency stop pressed", "EmergencyStopSensor", false, 10 * time.Minute, 3 * time.Hour, 5, true, true},
	{"OtherError", "CX011", "cable check failed, isolation 88 kOhm", "CableCheck", false, 2 * time.Minute, 30 * time.Minute, 9, true, false},
	{"EVCommunicationError", "CX014", "control pilot out of range", "ControlPilot", true, time.Minute, 10 * time.Minute, 14, true, true},
	{"PowerSwitchFailure", "CX017", "contactor welded", "PowerContactor", false, 3 * time.Hour, 20 * time.Hour, 2, true, true},
	{"HighTemperature", "CX019", "cable 92 C, session stopped", "TemperatureSensor", false, 10 * time.Minute, 50 * time.Minute, 5, true, false},
	{"PowerMeterFailure", "0x3E11", "meter does not answer on bus", "FiscalMetering", false, 10 * time.Minute, 8 * time.Hour, 4, true, true},
	{"ReaderFailure", "E42", "card reader lost", "TokenReader", true, 10 * time.Minute, 5 * time.Hour, 6, true, true},
	{"InternalError", "PM-0107", "power module 3 fan", "Controller", false, 15 * time.Minute, 10 * time.Hour, 6, true, false},
	{"WeakSignal", "RSSI-109", "modem signal weak", "ModemLink", true, 5 * time.Minute, 2 * time.Hour, 6, true, true},
}

// rareKinds are not drawn: they come only where a failure asks for them.
func rareKinds() []faultKind {
	return []faultKind{
		{code: "OverVoltage", vendor: "CX005", info: "L1 262 V", component: "ElectricalFeed"},
		{code: "OtherError", vendor: "CX012", info: "pre-charge did not reach pack voltage", component: "AcDcConverter"},
		{code: "OtherError", vendor: "CX015", info: "grid lost", component: "ElectricalFeed"},
		{code: "HighTemperature", vendor: "CX018", info: "cable 84 C, derated", component: "TemperatureSensor", warning: true},
		{code: "OtherError", vendor: "CX023", info: "proximity out of range", component: "Connector"},
		{code: "OtherError", vendor: "CX024", info: "voltage at the open plug", component: "Connector"},
		{code: "OtherError", vendor: "CX025", info: "latch broken", component: "ConnectorPlugRetentionLock"},
		{code: "OtherError", vendor: "CX026", info: "cable cut", component: "CableBreakawaySensor"},
	}
}

// softTrip is a residual current trip that the recloser mends.
func softTrip() *faultKind {
	return &faultKind{code: "OtherError", vendor: "GFCI-SOFT", info: "residual current soft trip, reclosed", component: "RCDRecloser", warning: true}
}

// looseContact is a fault that comes and goes.
func looseContact() *faultKind {
	return &faultKind{code: "OtherError", vendor: "DOOR-01", info: "cabinet door contact open", component: "CaseAccessSensor"}
}

// findFault looks a kind up by its vendor code or its code of 1.6.
func findFault(code string, dc bool) *faultKind {
	var found *faultKind
	for _, list := range [][]faultKind{faultKinds, rareKinds()} {
		for i := range list {
			k := new(list[i])
			if !strings.EqualFold(k.vendor, code) && !strings.EqualFold(k.code, code) {
				continue
			}
			if found == nil || dc && k.dc && !found.dc {
				found = k
			}
		}
	}
	if found == nil {
		found = &faultKind{code: code, info: "as asked for", component: "Controller"}
	}
	return found
}

// fault is one occurrence on one EVSE.
type fault struct {
	kind  *faultKind
	since time.Time
	event int // 2.x eventId of the raise, for the clear to point at
}

// drawFault picks what breaks on this kind of port.
func (e *evse) drawFault() *faultKind {
	total := 0
	fits := func(k *faultKind) bool { return e.model.Phases == 0 && k.dc || e.model.Phases > 0 && k.ac }
	for i := range faultKinds {
		if fits(new(faultKinds[i])) {
			total += faultKinds[i].weight
		}
	}
	n := e.st.trouble.IntN(total)
	for i := range faultKinds {
		if !fits(new(faultKinds[i])) {
			continue
		}
		if n -= faultKinds[i].weight; n < 0 {
			return new(faultKinds[i])
		}
	}
	return new(faultKinds[0])
}

// drawStop picks a fault that stops the port.
func (e *evse) drawStop() *faultKind {
	k := e.drawFault()
	for k.warning {
		k = e.drawFault()
	}
	return k
}

// raise breaks a port. What ends the session and what only warns is the
// kind's business.
func (e *evse) raise(k *faultKind, lasting time.Duration) {
	if e.fault != nil {
		return
	}
	e.fault = &fault{kind: k, since: e.st.now}
	if !k.warning {
		reason := reasonEmergency
		switch k.component {
		case "GroundFaultProtection":
			reason = reasonGroundFault
		case "ElectricalFeed":
			reason = reasonPowerLoss
		case "OverCurrentProtection":
			reason = reasonOverCurrent
		case "EmergencyStopSensor":
		default:
			reason = reasonOther
		}
		e.stopTx(reason)
	}
	e.st.d.faulted(e, e.fault, false)
	e.refresh()
	if k.warning {
		e.st.d.status(e.primary(), false)
	}
	e.healing = e.st.timers.set(e.st.now.Add(lasting), e.recover)
}

// recover repairs the port.
func (e *evse) recover() {
	f := e.fault
	if f == nil {
		return
	}
	e.st.timers.stop(e.healing)
	e.fault, e.healing = nil, nil
	e.lastFault = f
	e.st.d.faulted(e, f, true)
	e.refresh()
	if f.kind.warning {
		e.primary().changed = e.st.now // the status is the same, what it says of the fault is not
		e.st.d.status(e.primary(), false)
	}
	if st := e.st; !f.kind.warning && st.now.Sub(f.since) >= visited && !st.inUse() {
		// Somebody came, repaired it and switched it off and on.
		st.reboot(reasonReboot, "LocalReset", between(st.trouble, time.Minute, 5*time.Minute))
	}
}

// visited is how long a fault lasts that somebody has to come for.
const visited = 3 * time.Hour

func (st *station) inUse() bool {
	return slices.ContainsFunc(st.evses, func(e *evse) bool { return e.visit != nil })
}
