// Package queue answers how long cars wait where the answer has a closed form.
//
// It is for answers that are wanted at once, beneath a slider, and it is the
// yardstick of the simulation. All formulas need arrivals that stay the same
// over time; a real week does not, so that each says how far it can be trusted
// and refuses what lies outside (ErrRange) instead of returning a number that
// only looks like one.
//
// Times are in any unit, the same everywhere; load is in erlang: arrivals in
// the time of one mean session.
package queue

import (
	"errors"
	"fmt"
	"math"
)

// ErrRange is wrapped by every refusal of a question outside the range of its
// formula.
var ErrRange = errors.New("outside the range of the formula")

// Limits of what is asked: beyond them recursions stay right, but no site is
// that large.
const (
	MostPorts = 10_000
	MostLoad  = 1e6
)

func refuse(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrRange)...)
}

func check(load float64, ports int) error {
	switch {
	case math.IsNaN(load) || load < 0 || load > MostLoad:
		return refuse("a load of %g erlang", load)
	case ports < 1 || ports > MostPorts:
		return refuse("%d ports", ports)
	}
	return nil
}

func positive(what string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
		return refuse("%s of %g", what, v)
	}
	return nil
}
