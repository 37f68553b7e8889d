// Package outlook tells how a site will be used: the forecast of the coming week
// and how likely a free port is in the next hour, made of the roll-ups of usage
// and of what is plugged in now.
//
// It promises to cost little and to be honest. A forecast is made when somebody
// asks for it, one at a time, and kept for the hour, what it is learned from for
// a day; nothing is stored, since making one anew takes a fraction of a second. A
// site of which too little is known gets no forecast but a sentence that says
// what is missing.
package outlook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/planning/forecast"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Usage is what is known of the past.
type Usage interface {
	// Series is what a site did in equal steps; steps of which nothing is known are
	// absent.
	Series(ctx context.Context, site string, from, to time.Time, step time.Duration) ([]rollup.Point, error)
	Sessions(ctx context.Context, site string, from, to time.Time) ([]rollup.Session, error)
}

// Fleet is what is now.
type Fleet interface {
	Snapshot() *fleet.Snapshot
}

// Sites knows where sites are.
type Sites interface {
	ZoneOf(site string) *time.Location
}

// Options configures a Service. Usage, Fleet and Sites are required.
type Options struct {
	Usage Usage
	Fleet Fleet
	Sites Sites
	// Counting is how many days of ports of the past are still to be counted; nil:
	// none ever.
	Counting func() int64
	Logger   *slog.Logger     // default: discard
	Now      func() time.Time // default: time.Now
}

// Target is what is forecast.
type Target string

// The targets.
const (
	Occupied Target = "occupied" // ports with a car, on average over the hour
	Energy   Target = "energy"   // Wh in the hour
	Power    Target = "power"    // W, of the highest quarter of the hour
)

const (
	past     = 26 * 7 * 24 * time.Hour // that models are fitted to
	stays    = 13 * 7 * 24 * time.Hour // whose departures are learned
	settling = 4 * time.Minute         // until the last quarter of an hour is counted
	retry    = 30 * time.Second        // after which a site with too little data is looked at again
	again    = time.Minute             // after which one with much unobserved is
	gapsFew  = 24                      // hours
	kept     = 2000                    // forecasts in memory
)

// ErrNoEnergy says that a site tells no energy.
var ErrNoEnergy = errors.New("not enough data: needs meter readings")

// Outlook is the forecast of one target at a site.
type Outlook struct {
	*forecast.Forecast
	Target Target
	Zone   *time.Location
	Ports  int // that the site has
	Gaps   int // hours of the last eight weeks that were not observed
}

// Service answers questions about what will be.
type Service struct {
	o    Options
	log  *slog.Logger
	work chan struct{} // one forecast at a time

	pools map[string]*pool // by zone; of who has the turn

	wanted chan string // sites that somebody looked at

	mu      sync.Mutex
	made    map[key]*entry
	ports   map[string]*learned
	glances map[string]*Glance
}

type key struct {
	site   string
	target Target
}

type entry struct {
	hour    time.Time // the first that was not over
	outlook *Outlook
	err     error
	until   time.Time
}

// New makes a Service.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o: o, log: o.Logger, work: make(chan struct{}, 1), made: make(map[key]*entry), ports: make(map[string]*learned), pools: make(map[string]*pool),
		wanted: make(chan string, glanceQueue), glances: make(map[string]*Glance)}
}

// Counting is how many days of ports of the past are still to be counted: until
// then less is known than there is to know.
func (s *Service) Counting() int64 {
	if s.o.Counting == nil {
		return 0
	}
	return s.o.Counting()
}

// turn waits until nobody else computes.
func (s *Service) turn(ctx context.Context) (func(), error) {
	select {
	case s.work <- struct{}{}:
		return func() { <-s.work }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another forecast: %w", ctx.Err())
	}
}

// Forecast is the coming week of a site: *forecast.TooLittleError or ErrNoEnergy
// if there can't be one.
func (s *Service) Forecast(ctx context.Context, site string, target Target) (*Outlook, error) {
	if out, err, ok := s.known(site, target); ok {
		return out, err
	}
	done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if out, err, ok := s.known(site, target); ok { // made while we waited
		return out, err
	}
	began := s.o.Now()
	hour := began.Add(-settling).Truncate(time.Hour)
	out, err := s.forecast(ctx, site, target, hour)
	var little *forecast.TooLittleError
	e := &entry{hour: hour, outlook: out, err: err, until: hour.Add(time.Hour + settling)}
	switch {
	case errors.As(err, &little), errors.Is(err, ErrNoEnergy):
		e.until = began.Add(retry)
	case err == nil && (out.Gaps > gapsFew || s.Counting() > 0):
		e.until = earlier(e.until, began.Add(again))
	case err != nil:
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.made) >= kept {
		clear(s.made)
	}
	s.made[key{site, target}] = e
	s.log.DebugContext(ctx, "a site was forecast", "site", site, "target", target, "took", s.o.Now().Sub(began))
	return out, err
}

func (s *Service) known(site string, target Target) (*Outlook, error, bool) { //nolint:revive,staticcheck // what is kept is an answer, and that may be an error
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.made[key{site, target}]
	if e == nil || !s.o.Now().Before(e.until) {
		return nil, nil, false
	}
	return e.outlook, e.err, true
}

func (s *Service) forecast(ctx context.Context, site string, target Target, hour time.Time) (*Outlook, error) {
	from := hour.Add(-past)
	points, err := s.o.Usage.Series(ctx, site, from, hour, quarter)
	if err != nil {
		return nil, fmt.Errorf("read the usage of %s: %w", site, err)
	}
	sessions, err := s.o.Usage.Sessions(ctx, site, from.Add(-3*24*time.Hour), hour)
	if err != nil {
		return nil, fmt.Errorf("read the sessions of %s: %w", site, err)
	}
	zone := s.o.Sites.ZoneOf(site)
	series := hours(points, target, from, hour)
	if target != Occupied && !series.measured {
		return nil, ErrNoEnergy
	}
	x := &forecast.Series{Start: from, Y: series.y, Late: series.late, Stays: staysOf(sessions, target), Zone: zone, DayOff: DaysOff(zone.String())}
	if target == Occupied {
		x.Most = float64(series.ports)
	}
	f, err := forecast.Make(x)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all that is to be said
	}
	out := &Outlook{Forecast: f, Target: target, Zone: zone, Ports: series.ports}
	for _, v := range series.y[max(0, len(series.y)-8*7*24):] {
		if math.IsNaN(v) {
			out.Gaps++
		}
	}
	return out, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
