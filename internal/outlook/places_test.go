package outlook

import (
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Two outlets of which one charges at a time are one place to charge at, whatever made
// that known.
func TestPlacesOfAStation(t *testing.T) {
	one := func(evse int, group string, alone bool) fleet.EVSE {
		return fleet.EVSE{ID: evse, Status: fleet.Available, Layout: &event.EVSELayout{EVSE: evse, Group: group, Exclusive: alone}}
	}
	st := &fleet.Station{ID: "A", Online: true, EVSEs: []fleet.EVSE{
		one(1, "dc", true), one(2, "dc", true), one(3, "ac", false), one(4, "ac", false), {ID: 5, Status: fleet.Available},
	}}
	count := func() (all, busy, fit int) {
		for p := range places(st) {
			all++
			_, _, b, f := useOfAny(st, p)
			if b {
				busy++
			}
			if f {
				fit++
			}
		}
		return all, busy, fit
	}
	if all, busy, fit := count(); all != 4 || busy != 0 || fit != 4 {
		t.Errorf("idle: %d places, %d busy, %d fit", all, busy, fit)
	}
	st.EVSEs[1].Status = fleet.Charging
	if all, busy, fit := count(); all != 4 || busy != 1 || fit != 4 {
		t.Errorf("one of two charges: %d places, %d busy, %d fit", all, busy, fit)
	}
	st.EVSEs[1].Status = fleet.Faulted
	if _, busy, fit := count(); busy != 0 || fit != 4 {
		t.Errorf("one of two is broken: %d busy, %d fit", busy, fit)
	}
	st.EVSEs[0].Status = fleet.Faulted
	if _, busy, fit := count(); busy != 0 || fit != 3 {
		t.Errorf("both are broken: %d busy, %d fit", busy, fit)
	}
	st.EVSEs[0].Layout, st.EVSEs[1].Layout = nil, nil // nobody describes the model any more
	if all, _, _ := count(); all != 5 {
		t.Errorf("without a layout: %d places", all)
	}
}
