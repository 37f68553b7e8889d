package app

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim"
	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
)

func TestEverySimulatedSiteHasCamerasOverItsPorts(t *testing.T) {
	plan := sim.Network(1)
	evses := make(map[string]int)
	site := make(map[string]string)
	for _, x := range plan.Stations {
		evses[x.ID], site[x.ID] = len(x.Model.EVSEs), x.Site
	}
	for _, night := range []bool{false, true} {
		sites, ports, ids := make(map[string]int), make(map[simPort]bool), make(map[string]bool)
		for _, c := range planCameras(plan, night) {
			sites[c.site]++
			if ids[c.id] || len(c.bays) == 0 || len(c.bays) > simcam.Bays(c.view) {
				t.Errorf("%+v", c)
			}
			ids[c.id] = true
			for i, p := range c.bays {
				if _, err := simcam.Zone(c.view, i); err != nil {
					t.Error(err)
				}
				if ports[p] || p.evse < 1 || p.evse > evses[p.station] || site[p.station] != c.site {
					t.Errorf("%s looks at %+v", c.id, p)
				}
				ports[p] = true
			}
		}
		for _, s := range plan.Sites {
			if n := sites[s.ID]; n < 1 || n > 4 {
				t.Errorf("%s has %d cameras", s.ID, n)
			}
		}
	}
}

func TestACableOfEverySimulatedPortCanBeCut(t *testing.T) {
	plan := sim.Network(1)
	f, err := sim.New(sim.Options{Plan: plan, Seed: 1, Speed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range planCameras(plan, true) {
		for _, p := range c.bays {
			st, ok := f.Station(p.station)
			if !ok {
				t.Fatalf("no station %s", p.station)
			}
			if err := st.Fault(p.evse, cableCut, time.Minute); err != nil {
				t.Error(err)
			}
		}
	}
}
