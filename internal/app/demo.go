package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// demoCommand runs the server and a simulated network against it, over real
// sockets on loopback.
func demoCommand(ctx context.Context, args []string, s streams) error {
	var seed uint64
	var speed float64
	var days int
	c, rest, err := load("demo", args, s, func(set *flag.FlagSet) {
		set.Uint64Var(&seed, "seed", 1, "`NUMBER`: same seed, same network")
		set.Float64Var(&speed, "speed", 1, "`FACTOR`: simulated seconds per second")
		set.IntVar(&days, "past", pastDays, "`DAYS` of history to make in a data folder that is new; 0 makes none")
	})
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	if days < 0 || days > pastMost {
		return misused("--past %d: want 0 to %d days", days, pastMost)
	}
	if c.Data == "./data" { // a demo leaves nothing behind unless told where
		dir, err := os.MkdirTemp("", "chargewatch-demo-")
		if err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		defer os.RemoveAll(dir)
		c.Data = dir
	}
	log := logger(c, s)
	plan := sim.Network(seed)
	was, err := newPast(c, plan, seed, speed, days, log)
	if err != nil {
		return err
	}
	srv, err := New(ctx, c, Options{Logger: log, Demo: true, past: was})
	if err != nil {
		return unlessStopped(ctx, err)
	}
	told := ctx
	ctx, stop := context.WithCancel(told)
	var work sync.WaitGroup
	var served, simulated error
	work.Go(func() {
		defer stop()
		served = srv.Run(ctx)
	})
	simulated = srv.simulate(ctx, s, was, sim.Options{Plan: plan, Seed: seed, Speed: speed, Logger: log})
	stop()
	work.Wait()
	if told.Err() != nil {
		simulated = nil // it was stopped
	}
	return errors.Join(served, simulated)
}

const (
	pastDays = 90
	pastMost = 365
)

// simulate lives the life of a network until ctx ends: on from its past, if
// that was just made.
func (s *Server) simulate(ctx context.Context, out streams, was *past, o sim.Options) error {
	if err := EnrolNetwork(ctx, s.Store, o.Plan); err != nil {
		return err
	}
	stations := was.stations()
	if stations == nil {
		o.History, o.Replay = 6*time.Hour, true
		var err error
		if stations, err = sim.New(o); err != nil {
			return err
		}
	}
	if err := stations.Aim("ws://" + s.OCPPAddress() + "/ocpp"); err != nil {
		return err
	}
	if err := s.greet(ctx, out, true); err != nil {
		return err
	}
	return ended(ctx, stations.Run(ctx))
}

// EnrolNetwork makes the sites, stations and credentials of a simulated
// network, unless an earlier demo in this folder did.
func EnrolNetwork(ctx context.Context, st *store.Store, plan sim.Plan) error {
	for _, x := range plan.Sites {
		if _, ok := st.Site(x.ID); ok {
			continue
		}
		_, err := st.CreateSite(ctx, store.System, store.Site{
			ID: x.ID, Name: x.Name, Address: x.Address, Latitude: &x.Latitude, Longitude: &x.Longitude, TimeZone: x.TimeZone,
			OpeningHours: x.OpeningHours, GridLimitW: x.GridLimitW, FreeVend: x.FreeVend, Public: true,
		})
		if err != nil {
			return fmt.Errorf("make site %s: %w", x.ID, err)
		}
	}
	for _, x := range plan.Stations {
		if _, ok := st.Station(x.ID); ok {
			continue
		}
		n := store.NewStation{
			ID: x.ID, SiteID: x.Site, Label: x.Label, Simulated: true, CommissionedAt: x.Commissioned, Layout: layoutOf(x),
		}
		if x.Password != "" {
			n.Auth = store.Auth{Profile: 1, Password: x.Password}
		}
		if _, _, err := st.EnrolStation(ctx, store.System, n); err != nil {
			return fmt.Errorf("enrol %s: %w", x.ID, err)
		}
	}
	for _, t := range plan.Tokens {
		if _, c, err := st.Lookup(ctx, t.Type, t.ID); err != nil {
			return fmt.Errorf("look up token: %w", err)
		} else if c != nil {
			continue
		}
		if _, err := st.PutCredential(ctx, store.System, "", store.CredentialInput{IDToken: t.ID, Type: t.Type, Status: "Accepted"}); err != nil {
			return fmt.Errorf("make credential: %w", err)
		}
	}
	return nil
}

// layoutOf says what a planned station is built of, as an operator would enter
// it from the data sheet. OCPP 1.6 counts plugs through the whole station.
func layoutOf(x sim.Spec) []event.EVSELayout {
	version := x.Version
	if version == 0 {
		version = x.Model.Version
	}
	var out []event.EVSELayout
	plugs := 0
	for i, m := range x.Model.EVSEs {
		l := event.EVSELayout{EVSE: i + 1, RatedW: m.RatedW, Current: "AC"}
		if m.Phases == 0 {
			l.Current = "DC"
		}
		if i < len(x.PublicIDs) {
			l.PublicID = x.PublicIDs[i]
		}
		if x.Model.SharedW > 0 {
			l.Group, l.GroupW = "cabinet", x.Model.SharedW
		}
		for n, p := range m.Plugs {
			plugs++
			id := n + 1
			if version == sim.V16 {
				id = plugs
			}
			l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: id, Type: string(p)})
		}
		out = append(out, l)
	}
	return out
}
