package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"

	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/horn"
	"github.com/chargewatch/chargewatch/internal/store"
)

// simOutputs are the sirens, lights and speakers of a simulated network: devices that
// take webhooks on loopback.
type simOutputs struct {
	s    *Server
	farm *horn.Farm
}

const (
	simOutputSites = 6
	// simOutputSecret protects nothing: what knows it is played, on this machine.
	simOutputSecret = "simulated sirens and lights"
)

// openSimOutputs listens, if possible where the devices were before, and sets up those
// that are missing.
func openSimOutputs(ctx context.Context, s *Server, by store.Actor, plan sim.Plan) (*simOutputs, error) {
	listen := "127.0.0.1:0"
	for _, o := range s.Store.Outputs() {
		if u, err := url.Parse(o.Address); o.Simulated && err == nil {
			listen = u.Host
		}
	}
	o := horn.Options{Listen: listen, Secret: simOutputSecret, Logger: s.log}
	farm, err := horn.New(o)
	if err != nil {
		o.Listen = "127.0.0.1:0"
		if farm, err = horn.New(o); err != nil {
			return nil, err
		}
	}
	x := &simOutputs{s: s, farm: farm}
	s.simulatedHorns.Store(&[]netip.AddrPort{farm.Address()})
	for i, site := range plan.Sites[:min(simOutputSites, len(plan.Sites))] {
		if err := x.enrol(ctx, by, site, i); err != nil {
			return nil, errors.Join(fmt.Errorf("simulated sirens of %s: %w", site.ID, err), farm.Close())
		}
	}
	return x, nil
}

// enrol sets up what a site has: a light that comes on by itself, a siren, and at some a
// speaker; at every third the siren needs two people.
func (x *simOutputs) enrol(ctx context.Context, by store.Actor, site sim.Site, i int) error {
	list := []store.Output{
		{ID: "light-" + site.ID, Label: "Flood light", Kind: store.Light, LongestS: 1800, Automatic: store.Automatic{On: true, ForS: 900, PerHour: 3}},
		{ID: "siren-" + site.ID, Label: "Siren on the canopy", Kind: store.Siren, LongestS: 180, TwoPerson: i%3 == 2},
		{ID: "speaker-" + site.ID, Label: "Speaker at the chargers", Kind: store.Speaker, LongestS: 60},
	}
	for _, o := range list[:3-i%2] {
		o.SiteID, o.Driver, o.Address, o.Simulated = site.ID, store.OutputWebhook, x.farm.URL(o.ID), true
		old, ok := x.s.Store.Output(o.ID)
		var err error
		switch {
		case !ok:
			_, err = x.s.Store.CreateOutput(ctx, by, o, simOutputSecret)
		case old.Address != o.Address:
			secret := simOutputSecret
			_, err = x.s.Store.ChangeOutput(ctx, by, o.ID, &secret, func(y *store.Output) { y.Address = o.Address })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run plays the devices until ctx ends.
func (x *simOutputs) run(ctx context.Context) error {
	defer x.s.simulatedHorns.Store(nil)
	return x.farm.Run(ctx)
}

// removeSimOutputs ends the enrolment of simulated sirens, lights and speakers.
func removeSimOutputs(ctx context.Context, st *store.Store, by store.Actor) error {
	for _, o := range st.Outputs() {
		if !o.Simulated {
			continue
		}
		if err := st.DeleteOutput(ctx, by, o.ID); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrInUse) {
			return fmt.Errorf("remove simulated siren: %w", err)
		}
	}
	return nil
}
