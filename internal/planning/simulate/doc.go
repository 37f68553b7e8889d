// Package simulate plays weeks at a charging site, car by car.
//
// Closed forms need arrivals that never change, drivers who always or never
// wait and ports that share no power. Here arrivals follow the hours of the
// week and vary from day to day more than chance alone would, sessions are drawn
// from those that were seen, drivers wait as long as their patience lasts, cars
// share modules and a site's connection, ports fail and are repaired. Time moves
// from event to event, and power between two events is constant: what cars took
// is exact, not a sum of small steps.
//
// The same seed and replication bring the same drivers to every scenario, with
// the same wishes and the same patience (common random numbers): a difference
// between two scenarios is theirs and not luck. Growth keeps that too: more
// demand is the same drivers and some more.
//
// The package is pure: one call plays one replication to its end or until it is
// told to stop, and callers decide what runs beside what. Times are in hours,
// power in W, energy in Wh.
package simulate

import (
	"errors"
	"fmt"
	"math"
)

// Week is the hours of a week, Monday 00-01 first, by the clock of the site.
const Week = 168

// Kind is what a port gives and a car takes.
type Kind uint8

// Kinds.
const (
	AC Kind = iota
	DC
)

// Rule shares out power that does not suffice.
type Rule uint8

// Rules of allocation.
const (
	Equal  Rule = iota // the same for each car, what one cannot take goes to the others
	First              // who came first is served first
	Laxity             // who has least time to spare is served first, judged anew every five minutes
)

// Port is what one car can use at a time.
type Port struct {
	Kind   Kind
	PowerW float64 // 0: as much as the car takes
	Module int     // index into Site.Modules, or -1
}

// Module is what some ports share.
type Module struct {
	Cars   int     // that it serves at once
	PowerW float64 // 0: no limit of its own
}

// Site is what there is to plug into.
type Site struct {
	Ports   []Port
	Modules []Module
	CapW    float64 // 0: none
	Rule    Rule
}

// Wish is what one car wants.
type Wish struct {
	Dwell  float64 // hours it stays if it gets what it wants
	Energy float64 // Wh
	Power  float64 // W that it can take; 0 with no energy: not known
}

// Class is drivers who want alike.
type Class struct {
	Kind Kind
	Rate [Week]float64 // arrivals an hour
	// Draw draws what a car wants that arrives in an hour of the week.
	Draw func(s *Stream, hour int) Wish
	// Stretch is how many hours longer a driver stays for energy that a shared
	// connection has not delivered yet.
	Stretch float64
}

// Demand is who would come.
type Demand struct {
	Classes []Class
	// DayVariance and HourVariance are those of gamma factors with mean one on the
	// arrivals of a day and of an hour; 0: chance alone.
	DayVariance, HourVariance float64
}

// Behaviour is what drivers do at a site that has no free port.
type Behaviour struct {
	Patience float64 // mean hours; 0: nobody waits; +Inf: all do
	Leave    float64 // share that drives on at once where it would have to wait
	Room     int     // cars that can wait; 0: no limit
}

// Overstay is a rule against cars that stay when they are full.
type Overstay struct {
	After float64 // hours after the end of charging
	Obey  float64 // share of drivers that then leave
}

// Window is hours with another price.
type Window struct {
	Hours [Week]bool
	Move  float64 // share of drivers that come within two hours after it instead
}

// Failure is how ports fail and are repaired, both memoryless.
type Failure struct {
	Between float64 // mean hours up; 0: they do not fail
	Repair  float64 // mean hours down
}

// Scenario is one way a site could be.
type Scenario struct {
	Site      Site
	Growth    float64 // times the demand; 0: 1
	Behaviour Behaviour
	Overstay  Overstay
	Window    Window
	Failure   Failure
}

// Run is what one replication plays.
type Run struct {
	Demand   Demand
	Scenario Scenario
	Hours    float64 // that count
	WarmUp   float64 // hours before
	Late     float64 // hours of waiting that break the promise
	Seed     uint64
	// MostGrowth is the largest growth among scenarios that are compared: the same
	// for all of them, or they do not see the same drivers. 0: Scenario.Growth.
	MostGrowth float64
	// Of are the hours of the week in which those arrive whose waits make the
	// quantiles; nil: all.
	Of *[Week]bool
	// Each is told of every session when it ends, if set; also in the warm-up.
	Each func(Stay)
	// Stop is asked now and then; true ends the run with ErrStopped.
	Stop func() bool
}

// Stay is a session as it was played.
type Stay struct {
	Port       int
	Start, End float64
	EnergyWh   float64
}

// ErrStopped is returned by a run that was told to stop.
var ErrStopped = errors.New("the simulation was stopped")

// Limits of what is played.
const (
	MostPorts = 500
	MostHours = 100_000_000
	MostRate  = 10_000 // arrivals an hour
)

func (r *Run) check() error {
	s := &r.Scenario
	if s.Growth == 0 {
		s.Growth = 1
	}
	if r.MostGrowth == 0 {
		r.MostGrowth = s.Growth
	}
	r.WarmUp = math.Ceil(r.WarmUp)
	bad := func(v float64) bool { return math.IsNaN(v) || v < 0 }
	switch {
	case len(s.Site.Ports) == 0 || len(s.Site.Ports) > MostPorts:
		return fmt.Errorf("%d ports: 1 to %d can be simulated", len(s.Site.Ports), MostPorts)
	case bad(r.Hours) || bad(r.WarmUp) || r.Hours+r.WarmUp > MostHours || r.Hours == 0:
		return fmt.Errorf("a simulation of %g hours", r.Hours)
	case bad(s.Growth) || math.IsInf(s.Growth, 0) || s.Growth > r.MostGrowth:
		return fmt.Errorf("a growth of %g", s.Growth)
	case bad(s.Behaviour.Patience) || bad(s.Behaviour.Leave) || s.Behaviour.Leave > 1 || s.Behaviour.Room < 0:
		return errors.New("a patience that cannot be")
	case bad(s.Failure.Between) || bad(s.Failure.Repair) || bad(s.Site.CapW) || bad(r.Late):
		return errors.New("a negative time or power")
	case bad(r.Demand.DayVariance) || bad(r.Demand.HourVariance) || r.Demand.DayVariance > 100 || r.Demand.HourVariance > 100:
		return errors.New("a demand that varies without bound")
	}
	for _, p := range s.Site.Ports {
		if p.Module >= len(s.Site.Modules) || bad(p.PowerW) {
			return errors.New("a port that belongs to no module")
		}
	}
	for h := range Week {
		sum := 0.0
		for _, c := range r.Demand.Classes {
			if bad(c.Rate[h]) {
				return errors.New("a rate of arrivals that cannot be")
			}
			sum += c.Rate[h]
		}
		if sum*r.MostGrowth > MostRate {
			return fmt.Errorf("%g arrivals an hour: at most %d can be simulated", sum*r.MostGrowth, MostRate)
		}
	}
	return nil
}
