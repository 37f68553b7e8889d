// Package demand says how many drivers want to charge at a site, not how many
// could.
//
// A full site turns drivers away unseen: who counts sessions measures the site
// and not the demand. Here an hour counts as far as a port was free in it (only
// that time is exposure), and a session counts if it began then. What begins
// just after a full time may be a driver who had waited, so that some minutes
// after it count neither as time nor as sessions. Whether a moment counts is
// known before it comes, so that the rate is free of bias in this respect
// whether drivers wait or leave; simulated sites hold it to five per cent.
//
// Time in which a port was not observed or out of order is no exposure either:
// a closed site has no low demand, it has none that could be seen.
package demand

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Week is the hours of a week, Monday 00-01 first, by the clock of the site.
const Week = simulate.Week

// Input is what is known of a site.
type Input struct {
	Sessions []rollup.Session // in any order
	Points   []rollup.Point   // one for each hour that the site was known
	Ports    []Port
	Zone     *time.Location
	From, To time.Time
	// HalfLife is how fast older weeks lose weight in the rates; 0: not at all.
	HalfLife time.Duration
}

// Port is a port of the site as it stands now.
type Port struct {
	Station string
	EVSE    int
	Kind    simulate.Kind
	PowerW  float64
	// Assumed is set where kind and power follow from sessions, not from a layout.
	Assumed bool
	// Shared names ports of one kind of which not all serve at once; Serves is how
	// many do. Empty: it stands alone.
	Shared string
	Serves int
}

// Rate is the arrivals of drivers of one kind.
type Rate struct {
	Kind     simulate.Kind
	PerHour  [Week]float64
	Low      [Week]float64 // of the 80 % interval
	High     [Week]float64
	Exposure [Week]float64 // hours in which a port was free
	Observed [Week]float64 // hours in which the site was observed
	Full     [Week]float64 // hours of them in which no port was free
	Starts   [Week]float64 // sessions that began, counted or not
}

// Estimate is the demand of a site.
type Estimate struct {
	Rates []Rate
	// DayVariance and HourVariance are what remains beyond chance, as variances of
	// factors with mean one.
	DayVariance, HourVariance float64
	// Censored is the share of drivers that found no port, as estimated: of those
	// who would have come in the observed time.
	Censored float64
	PerWeek  float64 // drivers who would come
	Seen     float64 // sessions a week of observed time
	Days     float64 // observed
	Sessions int
	Wishes   []Wishes
	Trend    Trend
}

// Least is what an estimate needs.
const (
	LeastDays     = 21
	LeastSessions = 40
)

// Enough reports whether an estimate stands on enough, and what is missing.
func (e *Estimate) Enough() (days, sessions int) {
	return max(0, LeastDays-int(e.Days)), max(0, LeastSessions-e.Sessions)
}

// after is how long a full time casts its shadow.
const after = 3 * time.Minute

// hourOf is the hour of the week of a time by the clock of a place.
func hourOf(t time.Time, zone *time.Location) int {
	l := t.In(zone)
	return (int(l.Weekday())+6)%7*24 + l.Hour()
}

// posterior is mean and 80 % interval of a rate with n starts in an exposure and
// a prior worth some hours, by the Wilson-Hilferty form of the gamma quantile.
func posterior(n, exposure, prior, hours float64) (mean, low, high float64) {
	shape, scale := n+prior*hours, exposure+hours
	if scale == 0 {
		return 0, 0, 0
	}
	mean = shape / scale
	const z = 1.2815515655446004
	quantile := func(shape, z float64) float64 {
		if shape <= 0 {
			return 0
		}
		x := 1 - 1/(9*shape) + z/(3*math.Sqrt(shape))
		return shape * math.Pow(max(0, x), 3)
	}
	return mean, quantile(shape, -z) / scale, quantile(shape+0.5, z) / scale
}
