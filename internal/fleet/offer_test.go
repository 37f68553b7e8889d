package fleet_test

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

func TestWhetherADriverCouldStart(t *testing.T) {
	shared := func(evse int) *event.EVSELayout {
		return &event.EVSELayout{EVSE: evse, Group: "dc", Exclusive: true}
	}
	tests := map[string]struct {
		change        func(st *fleet.Station)
		free, unheard bool // unheard: free as far as is known
	}{
		"an idle port":                            {func(*fleet.Station) {}, true, true},
		"a port in use":                           {func(st *fleet.Station) { st.EVSEs[0].Status = fleet.Charging }, false, false},
		"offline":                                 {func(st *fleet.Station) { st.Online = false }, false, true},
		"waiting for approval":                    {func(st *fleet.Station) { st.Onboarding = event.OnboardingPending }, false, false},
		"the station is broken":                   {func(st *fleet.Station) { st.Own = own(fleet.Faulted) }, false, false},
		"the station is closed":                   {func(st *fleet.Station) { st.Own = own(fleet.Unavailable) }, false, false},
		"the station is well":                     {func(st *fleet.Station) { st.Own = own(fleet.Available) }, true, true},
		"the neighbour charges":                   {func(st *fleet.Station) { st.EVSEs[1].Status = fleet.Charging }, false, false},
		"the neighbour plugs in":                  {func(st *fleet.Station) { st.EVSEs[1].Status = fleet.Preparing }, false, false},
		"the neighbour is done":                   {func(st *fleet.Station) { st.EVSEs[1].Status = fleet.Finishing }, true, true},
		"the neighbour broke":                     {func(st *fleet.Station) { st.EVSEs[1].Status = fleet.Faulted }, true, true},
		"the neighbour has a session nobody sees": {func(st *fleet.Station) { st.EVSEs[1].Session = &fleet.Session{} }, false, false},
		"the neighbour is of another group": {func(st *fleet.Station) {
			st.EVSEs[1].Status, st.EVSEs[1].Layout = fleet.Charging, &event.EVSELayout{EVSE: 2, Group: "ac", Exclusive: true}
		}, true, true},
		"the group can serve both": {func(st *fleet.Station) {
			st.EVSEs[1].Status, st.EVSEs[0].Layout = fleet.Charging, &event.EVSELayout{EVSE: 1, Group: "dc"}
		}, true, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			st := &fleet.Station{ID: "A", Online: true, Onboarding: event.OnboardingAccepted, EVSEs: []fleet.EVSE{
				{ID: 1, Status: fleet.Available, Layout: shared(1)}, {ID: 2, Status: fleet.Available, Layout: shared(2)},
			}}
			tc.change(st)
			if got := st.Free(&st.EVSEs[0]); got != tc.free {
				t.Errorf("free: %v, want %v", got, tc.free)
			}
			if got := st.FreeButForLink(&st.EVSEs[0]); got != tc.unheard {
				t.Errorf("free as far as is known: %v, want %v", got, tc.unheard)
			}
		})
	}
}

func own(s fleet.Status) fleet.ConnectorState {
	return fleet.ConnectorState{Status: s, Raw: s.String(), At: time.Unix(1, 0)}
}

func TestPowerClassOfAPort(t *testing.T) {
	tests := map[string]struct {
		layout *event.EVSELayout
		want   fleet.PowerClass
	}{
		"nobody said":           {nil, fleet.ClassUnknown},
		"nothing was said":      {&event.EVSELayout{}, fleet.ClassUnknown},
		"AC of unknown power":   {&event.EVSELayout{Current: "AC"}, fleet.ClassAC},
		"AC with 43 kW":         {&event.EVSELayout{Current: "AC", RatedW: 43_000}, fleet.ClassAC},
		"22 kW of unknown kind": {&event.EVSELayout{RatedW: 22_000}, fleet.ClassAC},
		"DC of unknown power":   {&event.EVSELayout{Current: "DC"}, fleet.ClassDC},
		"50 kW of unknown kind": {&event.EVSELayout{RatedW: 50_000}, fleet.ClassDC},
		"just below":            {&event.EVSELayout{Current: "DC", RatedW: 149_999}, fleet.ClassDC},
		"150 kW":                {&event.EVSELayout{Current: "DC", RatedW: 150_000}, fleet.ClassHPC},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := fleet.EVSE{ID: 1, Layout: tc.layout}
			if got := v.PowerClass(); got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}
