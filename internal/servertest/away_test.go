package servertest_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// While the server is down for ten minutes, stations serve whom their list names and
// refuse others; what they did arrives after, once.
func TestStationsServeByTheirListsWhileTheServerIsDown(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	if _, err := s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "office", StationLists: true}); err != nil {
		t.Fatal(err)
	}
	plan := sim.Plan{Sites: []sim.Site{{ID: "office", TimeZone: "Europe/Berlin", Use: sim.Office}}}
	models := slices.DeleteFunc(sim.Hardware(), func(m sim.Model) bool { return len(m.EVSEs) < 2 })
	for _, v := range []sim.Version{sim.V16, sim.V201} {
		id := "CS-" + v.Subprotocol()
		plan.Stations = append(plan.Stations, sim.Spec{ID: id, Site: "office", Model: models[0], Version: v, Serial: id})
		if _, _, err := s.Store.EnrolStation(t.Context(), store.System, store.NewStation{ID: id, SiteID: "office"}); err != nil {
			t.Fatal(err)
		}
	}
	known, unknown := sim.Token{ID: "0455AA12", Type: "ISO14443"}, sim.Token{ID: "0455BB34", Type: "ISO14443"}
	s.Credential(t, known.ID)
	idle, err := sim.FindScenario("idle")
	if err != nil {
		t.Fatal(err)
	}
	const speed = 120
	stations, err := sim.New(sim.Options{
		URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Scenario: idle, Seed: 3, Speed: speed, Start: time.Now().Add(-2 * time.Hour), Ramp: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer work.Wait()
	defer stop()
	work.Go(func() {
		if err := stations.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	each := func(fn func(id string, st sim.Station)) {
		for _, id := range stations.Stations() {
			st, ok := stations.Station(id)
			if !ok {
				t.Fatalf("%s is not there", id)
			}
			fn(id, st)
		}
	}
	each(func(id string, _ sim.Station) {
		for range 3 {
			for range 100 {
				if x, ok := listOf(t, s, id); ok && x.State == "current" && x.There == 1 {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		x, _ := listOf(t, s, id)
		t.Fatalf("%s has no list: %+v", id, x)
	})

	address := s.OCPPAddress()
	s.Stop()
	each(func(id string, st sim.Station) {
		for port, token := range map[int]sim.Token{1: known, 2: unknown} {
			if err := st.Charge(port, token); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
		}
	})
	each(func(id string, st sim.Station) {
		servertest.Eventually(t, "a charge at "+id, func() bool { return st.Port(1).Tx })
	})
	time.Sleep(10 * time.Minute / speed)
	each(func(id string, st sim.Station) {
		if st.Port(2).Tx {
			t.Errorf("%s serves who is not on its list", id)
		}
		if !st.Port(1).Tx {
			t.Errorf("%s served %s for less than the outage", id, known.ID)
		}
		if err := st.Unplug(1); err != nil {
			t.Fatal(err)
		}
	})

	s = servertest.In(t, folder, func(c *config.Config) { c.OCPP = address })
	token, _, err := s.Store.FindToken(t.Context(), known.ID)
	if err != nil {
		t.Fatal(err)
	}
	each(func(id string, _ sim.Station) {
		// A station of 2.x tells of a car that was plugged in, also of one that was refused.
		var served, others []*fleet.Session
		for range 300 {
			list, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: id, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			served, others = nil, nil
			for _, x := range list {
				if x.TokenID == token {
					served = append(served, x)
				} else {
					others = append(others, x)
				}
			}
			if len(served) > 0 && served[0].State == fleet.SessionEnded {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if len(served) != 1 || served[0].State != fleet.SessionEnded || served[0].EnergyWh <= 0 {
			t.Errorf("%s: the charge while the server was down: %v", id, served)
		}
		for _, x := range others {
			if x.EnergyWh > 0 {
				t.Errorf("%s gave energy to who is not on its list: %+v", id, x)
			}
		}
	})
}
