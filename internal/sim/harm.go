package sim

import (
	"slices"
	"strings"
	"time"
)

// What people do to stations that is no wear: stories are played with it.

// Break breaks an EVSE with a code of OCPP 1.6 and nothing that explains it. A station
// of 2.x has a sensor at its cables that tells of those that a cut makes.
func (s Station) Break(port int, code string, lasting time.Duration) error {
	return s.at(port, func(e *evse) error {
		e.raise(harmed(code), lasting)
		return nil
	})
}

// Hide breaks an EVSE so that the station does not notice before it is asked how it is.
func (s Station) Hide(port int, code string, lasting time.Duration) error {
	return s.at(port, func(e *evse) error {
		e.hidden = &hidden{harmed(code), e.st.now.Add(lasting)}
		return nil
	})
}

// Tamper opens the case of the station.
func (s Station) Tamper() {
	s.st.do(func() { s.st.d.security("TamperDetectionActivated", "case open") })
}

// Return ends a loss of the network.
func (s Station) Return() {
	s.st.do(func() {
		if s.st.away {
			s.st.backAt = s.st.now
			s.st.comeBack()
		}
	})
}

// hidden is what breaks as soon as somebody asks.
type hidden struct {
	kind  *faultKind
	until time.Time
}

// look is a station that was asked how it is.
func (st *station) look() {
	for _, e := range st.evses {
		if x := e.hidden; x != nil {
			e.hidden = nil
			if st.now.Before(x.until) {
				e.raise(x.kind, x.until.Sub(st.now))
			}
		}
	}
}

func harmed(code string) *faultKind {
	k := &faultKind{code: code, component: "Controller"}
	if slices.ContainsFunc([]string{"HighTemperature", "ConnectorLockFailure", "GroundFailure", "EVCommunicationError"}, func(x string) bool { return strings.EqualFold(x, code) }) {
		k.component = "CableBreakawaySensor"
	}
	return k
}
