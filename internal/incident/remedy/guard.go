package remedy

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// The budgets and limits that hold for every playbook.
const (
	softEvery    = 30 * time.Minute
	hardEvery    = 6 * time.Hour
	resetsPerDay = 3
	portEvery    = 15 * time.Minute // cycles and unlocks of a port
	fleetPercent = 5
	day          = 24 * time.Hour
	drainFor     = time.Minute // after the last report of the past, and after a station connected
	arrivingFor  = 15 * time.Minute
)

// attempt is something done to a station that counts towards its budgets.
type attempt struct {
	At   time.Time `json:"at"`
	What Do        `json:"what"`
	EVSE int       `json:"evse,omitempty"`
	Key  string    `json:"key"`
}

// count adds to the budget of a station; a command counts once, whoever sent it.
func (x *Engine) count(station string, a attempt) {
	list := x.ledger[station]
	if slices.ContainsFunc(list, func(b attempt) bool { return b.Key == a.Key && b.What == a.What }) {
		return
	}
	list = slices.DeleteFunc(list, func(b attempt) bool { return x.now.Sub(b.At) >= day })
	if len(list) < 100 {
		list = append(list, a)
	}
	x.ledger[station] = list
}

// uncount gives back what a command cost that was never sent.
func (x *Engine) uncount(station, key string) {
	if list, ok := x.ledger[station]; ok {
		x.ledger[station] = slices.DeleteFunc(list, func(b attempt) bool { return b.Key == key })
	}
}

// rest begins the cool-down of a port after a run.
func (x *Engine) rest(r *Run) {
	if len(x.cool) > 10_000 {
		for k, at := range x.cool {
			if x.now.Sub(at) > day {
				delete(x.cool, k)
			}
		}
	}
	x.cool[portKey(r.Station, r.EVSE)+"/"+r.Book.ID] = x.now
}

// guard says which rail forbids a step now, empty if none.
func (x *Engine) guard(c *Case, r *Run, st *detect.Station, a PlaybookStep) Reason {
	manual := r.By != ""
	if !st.Accepted {
		return NotAccepted
	}
	if !manual {
		if x.security(st.ID) {
			return SecurityIncident
		}
		if c.Part {
			return LargerCause
		}
	}
	if a.Do == Wait {
		return ""
	}
	p := st.Port(r.EVSE)
	if r.EVSE > 0 && p == nil {
		return NoSuchPort
	}
	if a.Do != Trigger {
		if reason := x.nature(c, r, st, p, a, manual); reason != "" {
			return reason
		}
	}
	if !st.Online {
		return StationOffline
	}
	if a.Do == Trigger {
		return ""
	}
	if reason := x.inUse(st, r.EVSE, a.Do); reason != "" {
		return reason
	}
	if x.draining(st) {
		return Draining
	}
	if !manual {
		if at, ok := x.cool[portKey(st.ID, r.EVSE)+"/"+r.Book.ID]; ok && !r.Acts && x.now.Sub(at) < r.Book.Limits.coolDown() {
			return CoolDown
		}
	}
	if reason := x.budget(st.ID, r, a.Do); reason != "" {
		return reason
	}
	if reason := x.blast(st, r); reason != "" {
		return reason
	}
	if a.Do.reset() && !x.confirmed(r, st) {
		return Unconfirmed
	}
	return ""
}

// nature refuses what is wrong about such a fault at any time.
func (x *Engine) nature(c *Case, r *Run, st *detect.Station, p *detect.Port, a PlaybookStep, manual bool) Reason {
	if a.Do == Disable {
		switch {
		case x.isOut(st, r):
			return AlreadyOut
		case c.cable() && !manual:
			return CableSuspected
		}
		return ""
	}
	if x.unsafe(st) {
		return SafetyCode
	}
	switch a.Do {
	case AvailabilityCycle:
		if x.isOut(st, r) {
			return AlreadyOut
		}
	case Unlock:
		switch {
		case r.EVSE == 0 || len(st.Connectors(r.EVSE)) != 1:
			return WhichConnector
		case !manual && (!c.lock() || !unplugged(p)):
			return LockNotProven
		}
	}
	return ""
}

// security reports whether a security incident is open at a station.
func (x *Engine) security(station string) bool {
	return slices.ContainsFunc(x.byStation[station], func(id string) bool { return x.cases[id].Security })
}

// unsafe reports whether a safety code stands at any port of a station, or an
// incident with one is open.
func (x *Engine) unsafe(st *detect.Station) bool {
	if slices.ContainsFunc(x.byStation[st.ID], func(id string) bool { return x.cases[id].Safety }) {
		return true
	}
	return unsafeFault(st.Own.Fault) || slices.ContainsFunc(st.Ports, func(p detect.Port) bool { return unsafeFault(p.Fault) })
}

func unsafeFault(f *detect.Fault) bool { return f != nil && unsafe(f.Code, f.VendorCode) }

// unplugged reports whether a port is known to hold no cable. A fault hides
// that; the state before it tells.
func unplugged(p *detect.Port) bool {
	if p == nil || p.Tx != nil || p.Left {
		return false
	}
	return p.Status == fleet.Available || p.Status == fleet.Faulted && p.Was == fleet.Available
}

// inUse looks for drivers: at every port for what takes the whole station, else
// at the one.
func (x *Engine) inUse(st *detect.Station, evse int, d Do) Reason {
	all := d.reset() || evse == 0
	for i := range st.Ports {
		p := &st.Ports[i]
		if !all && p.EVSE != evse {
			continue
		}
		if p.Tx != nil || p.Status == fleet.Charging || p.Status == fleet.SuspendedEV || p.Status == fleet.SuspendedEVSE {
			return SessionRunning
		}
		if all && p.EVSE != evse && p.Status == fleet.Preparing && p.Since.Ago(x.now) < arrivingFor {
			return DriverArriving
		}
	}
	return ""
}

// draining reports whether the station may still tell what happened while it
// was offline: sessions we do not know of.
func (x *Engine) draining(st *detect.Station) bool {
	if st.LinkAt.Ago(x.now) < drainFor {
		return true
	}
	at, ok := x.late[st.ID]
	if ok && x.now.Sub(at) >= drainFor {
		delete(x.late, st.ID)
		return false
	}
	return ok
}

func (x *Engine) budget(station string, r *Run, d Do) Reason {
	most := or(r.Book.Limits.PerDay, resetsPerDay)
	resets, same := 0, 0
	for _, a := range x.ledger[station] {
		ago := x.now.Sub(a.At)
		switch {
		case ago >= day:
			continue
		case a.What.reset():
			resets++
		case a.What == d && a.EVSE == r.EVSE:
			same++
		}
		switch {
		case d == SoftReset && a.What.reset() && ago < softEvery:
			return BudgetSoft
		case d == HardReset && a.What == HardReset && ago < hardEvery:
			return BudgetHard
		case !d.reset() && d != Disable && a.What == d && a.EVSE == r.EVSE && ago < portEvery:
			return BudgetPort
		}
	}
	if d.reset() && resets >= most || !d.reset() && d != Disable && same >= most {
		return BudgetDay
	}
	return ""
}

// blast bounds how much of a site and of the fleet is touched at once.
func (x *Engine) blast(st *detect.Station, r *Run) Reason {
	touched := map[string]bool{}
	for station := range x.acting {
		if station == st.ID {
			continue
		}
		touched[station] = true
		if other := x.n.Station(station); other != nil && other.SiteID != "" && other.SiteID == st.SiteID {
			return SiteLimit
		}
	}
	for _, o := range x.owed {
		if o.Station != st.ID {
			touched[o.Station] = true
		}
	}
	if len(touched) >= max(1, x.n.Len()*or(r.Book.Limits.FleetPercent, fleetPercent)/100) {
		return FleetLimit
	}
	return ""
}

// confirmed reports whether every port said how it is within the last minute
// because we asked.
func (x *Engine) confirmed(r *Run, st *detect.Station) bool {
	if r.HeardAt.IsZero() || x.now.Sub(r.HeardAt) > freshFor || !told(st, -1, r.AskedAt) {
		return false
	}
	for i := range st.Ports {
		if st.Ports[i].HeardAt.Ago(x.now) > freshFor {
			return false
		}
	}
	return true
}

// modelOf names a model as playbooks do.
func modelOf(st *detect.Station) string { return strings.Join([]string{st.Vendor, st.Model}, "/") }
