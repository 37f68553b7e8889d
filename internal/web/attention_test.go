package web

import (
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestAttentionListsWhatFailsDrivers(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.site("b")
	dc := func(evse int) event.EVSELayout {
		return event.EVSELayout{EVSE: evse, RatedW: 100_000, Current: "DC"}
	}
	ac := func(evse int) event.EVSELayout {
		return event.EVSELayout{EVSE: evse, RatedW: 22_000, Current: "AC"}
	}
	p.enrol("a", "FINE", dc(1), dc(2), ac(3))
	p.enrol("a", "GONE", ac(1), ac(2))
	p.enrol("a", "OUT", dc(1))
	p.enrol("a", "CLOSED", ac(1), ac(2))
	p.enrol("b", "LAST", dc(1))
	for _, id := range []string{"FINE", "OUT", "CLOSED", "LAST"} {
		p.connect(id, "ocpp1.6")
	}
	p.say(event.Port("FINE", 1, 1), &event.Status{Status: "Available"})
	p.say(event.Port("FINE", 2, 2), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure"})
	p.say(event.Port("FINE", 3, 3), &event.Status{Status: "Available"})
	p.say(event.Port("OUT", 1, 1), &event.Status{Status: "Unavailable"})
	p.say(event.Port("CLOSED", 1, 1), &event.Status{Status: "Available"})
	p.say(event.Port("CLOSED", 2, 2), &event.Status{Status: "Available"})
	p.say(event.Station("CLOSED"), &event.Status{Status: "Faulted", ErrorCode: "InternalError"})
	p.say(event.Port("LAST", 1, 1), &event.Status{Status: "Faulted", ErrorCode: "HighTemperature"})

	var got Attention
	p.script(store.RoleViewer).get("/attention", &got)
	type row struct {
		station, reason string
		evses           []int
		others          Others
	}
	want := []row{
		{"LAST", "faulted", []int{1}, Others{}},
		{"CLOSED", "stationFaulted", []int{1, 2}, Others{Total: 3, Working: 1, Free: 1}},
		{"FINE", "faulted", []int{2}, Others{Total: 2, Working: 1, Free: 1}},
		{"GONE", "offline", []int{1, 2}, Others{Total: 3, Working: 1, Free: 1}},
		{"OUT", "unavailable", []int{1}, Others{Total: 2, Working: 1, Free: 1}},
	}
	if len(got.CannotCharge) != len(want) || got.Ports != 7 || got.Total != 5 || got.ByReason["offline"] != 2 || got.ByReason["faulted"] != 2 {
		t.Fatalf("%+v", got)
	}
	for _, w := range want {
		i := slices.IndexFunc(got.CannotCharge, func(o Outage) bool { return o.Station == w.station })
		if i < 0 {
			t.Errorf("%s is missing", w.station)
			continue
		}
		if o := got.CannotCharge[i]; o.Reason != w.reason || !slices.Equal(o.EVSEs, w.evses) || o.Others != w.others {
			t.Errorf("%s: %+v, want %+v", w.station, o, w)
		}
	}
	if got.CannotCharge[0].Station != "LAST" || got.CannotCharge[4].Station != "OUT" {
		t.Errorf("the order: %+v", got.CannotCharge)
	}
	if f := got.CannotCharge[0].Fault; f.FaultShape == nil || f.Code != "HighTemperature" || got.CannotCharge[0].Since == nil {
		t.Errorf("no fault or no time: %+v", got.CannotCharge[0])
	}
	// A site that went dark as a whole is one thing.
	p.site("dark")
	p.enrol("dark", "D1", dc(1), dc(2))
	p.enrol("dark", "D2", ac(1))
	var dark Attention
	p.script(store.RoleViewer).get("/attention?site=dark", &dark)
	if o := dark.CannotCharge; len(o) != 1 || o[0].Reason != "siteOffline" || o[0].Stations != 2 || o[0].Ports != 3 || dark.Ports != 3 || dark.Total != 1 ||
		o[0].SiteID != "dark" || o[0].Station != "" || dark.ByReason["offline"] != 3 {
		t.Errorf("a dark site: %+v", dark)
	}
	var one Attention
	p.script(store.RoleHost, "b").get("/attention?site=a", &one)
	if len(one.CannotCharge) != 0 {
		t.Errorf("the host of another site sees %+v", one)
	}
	var summary Summary
	p.script(store.RoleViewer).get("/summary?site=a", &summary)
	if summary.Ports.Total != 8 || summary.Ports.Offline != 2 || summary.Stations.Total != 4 {
		t.Errorf("the summary of one site: %+v", summary)
	}
	p.script(store.RoleHost, "b").get("/summary?site=a", &summary)
	if summary.Ports.Total != 0 {
		t.Errorf("the host of another site sees %+v", summary)
	}
	one = Attention{}
	p.script(store.RoleViewer).get("/attention?limit=1", &one)
	if len(one.CannotCharge) != 1 || one.Total != 6 {
		t.Errorf("limited: %+v", one)
	}
}

func TestWhatFailsAndWhatIsSlow(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	type port struct {
		status    fleet.Status
		class     string
		rated     float64
		offered   float64
		power     float64
		soc       float64
		minutes   float64
		energy    float64
		noSession bool
	}
	for name, tc := range map[string]struct {
		port   port
		reason string
		slow   bool
		could  float64
	}{
		"a third of a DC port":           {port: port{class: "DC", rated: 150_000, power: 22_000, soc: 40, minutes: 6, energy: 2000}, slow: true, could: 150_000},
		"what many cars take":            {port: port{class: "DC", rated: 400_000, power: 48_000, soc: 40, minutes: 6, energy: 2000}},
		"half of a DC port":              {port: port{class: "DC", rated: 150_000, power: 75_000, soc: 40, minutes: 6, energy: 2000}},
		"only just begun":                {port: port{class: "DC", rated: 150_000, power: 22_000, soc: 40, minutes: 3, energy: 1000}},
		"a car that is nearly full":      {port: port{class: "DC", rated: 150_000, power: 22_000, soc: 85, minutes: 30, energy: 9000}},
		"offered little":                 {port: port{class: "DC", rated: 150_000, offered: 25_000, power: 22_000, soc: 40, minutes: 6, energy: 2000}},
		"offered more than it is rated":  {port: port{class: "DC", rated: 50_000, offered: 90_000, power: 10_000, soc: 40, minutes: 6, energy: 2000}, slow: true, could: 50_000},
		"a small car on AC":              {port: port{class: "AC", rated: 22_000, power: 3600, minutes: 60, energy: 3000}},
		"less than any car takes on AC":  {port: port{class: "AC", rated: 22_000, power: 900, minutes: 60, energy: 900}, slow: true, could: 22_000},
		"nothing since the start":        {port: port{class: "DC", rated: 50_000, power: 0, minutes: 11, energy: 10}, reason: "nothing"},
		"nothing for a moment":           {port: port{class: "DC", rated: 50_000, power: 0, minutes: 4, energy: 0}},
		"nothing any more":               {port: port{class: "DC", rated: 50_000, power: 0, soc: 99, minutes: 50, energy: 30_000}},
		"a port that waits":              {port: port{status: fleet.SuspendedEV, class: "DC", rated: 50_000, power: 0, minutes: 50, energy: 30}},
		"nobody knows what it could":     {port: port{class: "DC", power: 1000, minutes: 50, energy: 800}},
		"in order":                       {port: port{status: fleet.Available, class: "DC", rated: 50_000, noSession: true}},
		"unknown":                        {port: port{status: fleet.Unknown, class: "DC", rated: 50_000, noSession: true}, reason: "unknown"},
		"out of service, charges anyway": {port: port{status: fleet.Unavailable, class: "DC", rated: 50_000}, reason: "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			x := tc.port
			if x.status == fleet.Available && !x.noSession {
				x.status = fleet.Charging
			}
			at := now.Add(-time.Duration(x.minutes * float64(time.Minute)))
			st := &fleet.Station{ID: "S", Online: true, Onboarding: event.OnboardingAccepted}
			v := fleet.EVSE{ID: 1, Status: x.status, StatusAt: at, Layout: &event.EVSELayout{EVSE: 1, RatedW: x.rated, Current: x.class}}
			v.Live.PowerW = &x.power
			if x.offered > 0 {
				v.Live.OfferedW = &x.offered
			}
			if x.soc > 0 {
				v.Live.SoC = &x.soc
			}
			if !x.noSession {
				v.Session = &fleet.Session{StartedAt: at, EnergyWh: x.energy}
			}
			st.EVSEs = []fleet.EVSE{v}
			if got := cannotCharge(st, &st.EVSEs[0], now); got != tc.reason {
				t.Errorf("cannot charge: %q, want %q", got, tc.reason)
			}
			got := slow(st, &st.EVSEs[0], now)
			if (got != nil) != tc.slow {
				t.Fatalf("slow: %+v, want %v", got, tc.slow)
			}
			if got != nil && got.CouldW != tc.could {
				t.Errorf("could %v, want %v", got.CouldW, tc.could)
			}
			st.Online = false
			if got := cannotCharge(st, &st.EVSEs[0], now); got != "offline" || slow(st, &st.EVSEs[0], now) != nil {
				t.Errorf("offline: %q", got)
			}
		})
	}
}
