package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/chargewatch/chargewatch/internal/provision"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// demoCommand runs the server and a simulated network against it, over real
// sockets on loopback.
func demoCommand(ctx context.Context, args []string, s streams) error {
	var seed uint64
	var speed float64
	var days int
	cameras := true
	c, rest, err := load("demo", args, s, func(set *flag.FlagSet) {
		set.Uint64Var(&seed, "seed", 1, "`NUMBER`: same seed, same network")
		set.Float64Var(&speed, "speed", 1, "`FACTOR`: simulated seconds per second")
		set.IntVar(&days, "past", pastDays, "`DAYS` of history to make in a data folder that is new; 0 makes none")
		set.BoolVar(&cameras, "cameras", cameras, "simulated cameras at the sites, whose pictures take most of a demo's processor time")
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
	srv, err := New(ctx, c, Options{Logger: log, Demo: true, past: was, seed: seed, speed: speed, blind: !cameras})
	if err != nil {
		return unlessStopped(ctx, err)
	}
	// The stations of the demo measure already; who wants to see a profile at work
	// switches it on.
	if was == nil || was.made {
		if _, err := srv.Store.ChangeConfigurationProfile(ctx, store.System, provision.BuiltIn, func(p *provision.Profile) { p.Off = true }); err != nil {
			return unlessStopped(ctx, err)
		}
	}
	told := ctx
	ctx, stop := context.WithCancel(told)
	served := make(chan error, 1)
	go func() {
		defer stop()
		served <- srv.Run(ctx)
	}()
	err = srv.simulation.start(ctx, was)
	if err == nil {
		err = srv.greet(ctx, s, true)
	}
	if told.Err() != nil {
		err = nil // it was stopped
	}
	if err != nil {
		stop()
	}
	return errors.Join(err, <-served)
}
