package sim

import (
	"fmt"
	"strings"
	"time"
)

// Station is a handle on one simulated station, for tests and for people who
// want to see something happen. Its methods take effect at once.
type Station struct{ st *station }

// Station finds a station by identity.
func (f *Fleet) Station(id string) (Station, bool) {
	st, ok := f.byID[id]
	return Station{st}, ok
}

// Stations lists the identities in the order of the plan.
func (f *Fleet) Stations() []string {
	ids := make([]string, len(f.stations))
	for i, st := range f.stations {
		ids[i] = st.spec.ID
	}
	return ids
}

// Port is what one EVSE shows.
type Port struct {
	Status     Status
	PowerW     float64
	RegisterWh float64
	Tx         bool
	Fault      bool // something is wrong, and be it only a warning
	Heard      bool // the station is connected and accepted
}

// Port reads the state of an EVSE; the zero Port means there is none.
func (s Station) Port(port int) Port {
	var p Port
	s.st.do(func() {
		if e := s.st.evse(port); e != nil {
			s.st.step()
			p = Port{e.primary().status, e.powerW, e.reg, e.tx != nil, e.fault != nil, s.st.wire != nil && s.st.accepted}
		}
	})
	return p
}

// Charge plugs a common car in at an EVSE and presents a token.
func (s Station) Charge(port int, token Token) error {
	return s.at(port, func(e *evse) error {
		if !e.free() {
			return fmt.Errorf("EVSE %d of %s is not free", port, s.st.spec.ID)
		}
		e.plugIn(e.newVisit(new(cars[1]), token, s.st.life))
		e.visit.do(e, 2*time.Second, func() { e.swipe(token) })
		return nil
	})
}

// Unplug takes the car at an EVSE away.
func (s Station) Unplug(port int) error {
	return s.at(port, func(e *evse) error {
		e.unplug()
		return nil
	})
}

// Fault breaks an EVSE for a while. The code is a vendor code such as CX002 or
// a 1.6 error code such as GroundFailure.
func (s Station) Fault(port int, code string, lasting time.Duration) error {
	return s.at(port, func(e *evse) error {
		for _, list := range [][]faultKind{faultKinds, rareKinds()} {
			for i := range list {
				if k := new(list[i]); strings.EqualFold(k.vendor, code) || strings.EqualFold(k.code, code) {
					e.raise(k, lasting)
					return nil
				}
			}
		}
		return fmt.Errorf("no fault %q", code)
	})
}

// Repair clears the fault of an EVSE.
func (s Station) Repair(port int) error {
	return s.at(port, func(e *evse) error {
		e.hidden = nil
		e.recover()
		return nil
	})
}

// Offline drops the network for a while. A silent loss leaves the socket open:
// the central system only sees that nothing comes any more.
func (s Station) Offline(d time.Duration, silent bool) {
	s.st.do(func() { s.st.lose(d, silent) })
}

// Reboot cuts the power.
func (s Station) Reboot() {
	s.st.do(func() { s.st.reboot(reasonPowerLoss, "PowerUp", 20*time.Second) })
}

func (s Station) at(id int, fn func(*evse) error) (err error) {
	s.st.do(func() {
		e := s.st.evse(id)
		if e == nil {
			err = fmt.Errorf("%s has no EVSE %d", s.st.spec.ID, id)
			return
		}
		err = fn(e)
	})
	return err
}
