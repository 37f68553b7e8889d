package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Options configures a Fleet. URL and Plan are required.
type Options struct {
	URL      string // ws://HOST/ocpp or wss://...; the identity is appended
	Plan     Plan
	Scenario Scenario // default: the "day" scenario
	Seed     uint64
	Password string // Basic auth of stations without one of their own

	Speed   float64       // simulated seconds per second; default 1
	Start   time.Time     // simulated time of the start; default now
	History time.Duration // how long stations have been alive before the start
	Replay  bool          // at first contact, send the finished sessions of the history too
	// Failures are put into the run on purpose; Script makes them once it is known
	// when the run starts.
	Failures []Failure
	Script   func(start time.Time) []Failure
	// Detail makes Relive tell all that the present would: every reading of the
	// meter, every card shown, commands.
	Detail bool
	// Slice is how much past is lived in detail before it is told: between two
	// slices stations take an Order. Default one hour.
	Slice time.Duration
	Found []Found       // what is known of an earlier run, as of the beginning of the history
	Ramp  time.Duration // first connections are spread over this; default 1 s per 200 stations

	// ByProfile is where stations of 1.6 come by a higher security profile than the
	// one they have at first; their makers know by what rule.
	ByProfile [4]string
	TLS       *tls.Config
	Sources   int // dial from 127.0.0.1 to 127.0.0.Sources, for very many stations
	Dials     int // handshakes at the same time; default 64

	Logger  *slog.Logger // default: discard
	Observe func(Frame)  // sees every frame; called under the station's lock, must not block
}

// Frame is one OCPP frame as a station sent or received it.
type Frame struct {
	Station string
	At      time.Time // simulated
	Out     bool
	Data    []byte
}

// Stats counts what all stations did.
type Stats struct {
	Stations, Online                                int64
	Dials, DialErrors                               int64
	Calls, Answered, Refused, Timeouts              int64
	Accepted, BootRefused, Commands, Stray, Garbled int64
	FramesIn, FramesOut, BytesOut                   int64
	Charging, Sessions, Queued                      int64
	PowerW                                          float64
	LastDialError                                   string
}

type counters struct {
	online, dials, dialErrors, calls, answered, refused, timeouts atomic.Int64
	accepted, bootRefused, commands, stray, garbled               atomic.Int64
	framesIn, framesOut, bytesOut                                 atomic.Int64
	lastDial                                                      atomic.Pointer[string]
}

func (c *counters) dialFailed(err error) {
	if errors.Is(err, errNoLink) || errors.Is(err, context.Canceled) {
		return
	}
	c.dialErrors.Add(1)
	c.lastDial.Store(new(err.Error()))
}

// Fleet runs simulated stations.
type Fleet struct {
	o          Options
	dialer     dialer
	dialersMu  sync.Mutex
	dialers    map[string]dialer // of other addresses
	transport  *transport        // of files; nil: they are played
	clock      clock
	schedule   *schedule
	stations   []*station
	byID       map[string]*station
	catalogues map[string]*catalogue
	slots      chan struct{}
	stats      counters
	ctx        context.Context
	work       sync.WaitGroup
	relived    bool
	harmed     []Harm
	healings   []Healing
	restarts   restartCounters
}

// New checks the options and builds the stations; nothing is dialled before
// Run. The URL may be left to Aim.
func New(o Options) (*Fleet, error) {
	f, err := build(o, nil)
	if err != nil || o.URL == "" {
		return f, err
	}
	return f, f.Aim(o.URL)
}

// Aim says where the stations connect, for who learns it late. Call it before
// Run.
func (f *Fleet) Aim(url string) error {
	d, err := newSocketDialer(url, f.o.TLS, f.o.Sources)
	if err != nil {
		return err
	}
	f.dialer = d
	f.transport = newTransport(url, f.o.TLS)
	return nil
}

var errNoURL = errors.New("simulate: no URL to connect to")

func build(o Options, d dialer) (*Fleet, error) {
	if o.Speed < 0 || len(o.Plan.Stations) == 0 || len(o.Plan.Sites) == 0 {
		return nil, errors.New("simulate: need stations, sites and a speed that is not negative")
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Scenario.Name == "" {
		o.Scenario = Scenarios()[0]
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Dials <= 0 {
		o.Dials = 64
	}
	if o.Ramp == 0 {
		o.Ramp = time.Duration(len(o.Plan.Stations)) * time.Second / 200
	}
	if len(o.Plan.Tokens) == 0 {
		o.Plan.Tokens = Tokens(o.Seed, 100)
	}
	f := &Fleet{
		o: o, dialer: d, schedule: newSchedule(), slots: make(chan struct{}, o.Dials), ctx: context.Background(),
		byID: make(map[string]*station), catalogues: make(map[string]*catalogue),
	}
	now := time.Now()
	f.clock = clock{wall0: now, sim0: o.Start, speed: o.Speed}
	if o.Start.IsZero() {
		f.clock.sim0 = now
	}
	sites := make(map[string]*Site)
	for i := range o.Plan.Sites {
		sites[o.Plan.Sites[i].ID] = &o.Plan.Sites[i]
	}
	for i := range o.Plan.Stations {
		s := &o.Plan.Stations[i]
		site := sites[s.Site]
		switch {
		case site == nil:
			return nil, fmt.Errorf("station %s: unknown site %q", s.ID, s.Site)
		case f.byID[s.ID] != nil:
			return nil, fmt.Errorf("station %s is planned twice", s.ID)
		case len(s.Model.EVSEs) == 0 || len(s.Model.EVSEs) > 8:
			return nil, fmt.Errorf("station %s: want 1 to 8 EVSEs", s.ID)
		}
		key := s.Model.Name + "\x00" + s.version().String()
		if f.catalogues[key] == nil {
			f.catalogues[key] = newCatalogue(&s.Model, s.version())
		}
		st := newStation(f, i, s, site)
		f.stations = append(f.stations, st)
		f.byID[s.ID] = st
	}
	return f, nil
}

// Run lets the stations live until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	if f.dialer == nil {
		return errNoURL
	}
	f.ctx = ctx
	f.clock.wall0 = time.Now()
	if f.o.Start.IsZero() {
		f.clock.sim0 = f.clock.wall0
	}
	if !f.relived {
		f.write()
	}
	f.work.Go(func() { f.schedule.run(ctx) })
	f.o.Logger.Info("simulated stations start", "stations", len(f.stations), "scenario", f.o.Scenario.Name, "seed", f.o.Seed, "speed", f.o.Speed)
	found := make(map[string][]Found)
	for _, x := range f.o.Found {
		found[x.Station] = append(found[x.Station], x)
	}
	ramp := newRand(f.o.Seed, "fleet", "ramp")
	for _, st := range f.stations {
		if ctx.Err() != nil {
			break
		}
		dialIn := between(ramp, 0, f.o.Ramp) - time.Since(f.clock.wall0)
		if f.relived {
			st.resume(max(0, dialIn))
			continue
		}
		st.begin(f.clock.sim0, f.o.History, max(0, dialIn), found[st.spec.ID])
	}
	<-ctx.Done()
	for _, st := range f.stations {
		st.mu.Lock()
		if st.wire != nil {
			st.wire.link.Drop()
		}
		st.dropStale()
		st.mu.Unlock()
	}
	f.work.Wait()
	return nil
}

// write puts the script in, now that the start is known.
func (f *Fleet) write() {
	if f.o.Script != nil {
		f.o.Failures = append(f.o.Failures, f.o.Script(f.clock.sim0)...)
	}
}

// dial opens a link for a station, a bounded number at a time.
func (f *Fleet) dial(st *station) (link, error) {
	select {
	case f.slots <- struct{}{}:
	case <-f.ctx.Done():
		return nil, f.ctx.Err()
	}
	defer func() { <-f.slots }()
	has, secret := st.packed(), st.secret()
	d, err := f.dialerOf(has.way.url)
	if err != nil {
		return nil, err
	}
	if has.way.profile == 3 {
		secret = ""
	}
	return d.Dial(context.WithValue(withPair(f.ctx, has.pair), rootsKey{}, has.roots), st.spec.ID, secret, st.version)
}

// secret is the station's Basic auth password.
func (st *station) secret() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.password != "":
		return st.password
	case st.spec.Password != "":
		return st.spec.Password
	}
	return st.f.o.Password
}

func (f *Fleet) catalogue(st *station) *catalogue {
	return f.catalogues[st.spec.Model.Name+"\x00"+st.version.String()]
}

func (f *Fleet) token(r *rand.Rand) Token { return pick(r, f.o.Plan.Tokens) }

// Stats counts what happened so far. It visits every station.
func (f *Fleet) Stats() Stats {
	c := &f.stats
	s := Stats{
		Stations: int64(len(f.stations)), Online: c.online.Load(), Dials: c.dials.Load(), DialErrors: c.dialErrors.Load(),
		Calls: c.calls.Load(), Answered: c.answered.Load(), Refused: c.refused.Load(), Timeouts: c.timeouts.Load(),
		Accepted: c.accepted.Load(), BootRefused: c.bootRefused.Load(), Commands: c.commands.Load(), Stray: c.stray.Load(), Garbled: c.garbled.Load(),
		FramesIn: c.framesIn.Load(), FramesOut: c.framesOut.Load(), BytesOut: c.bytesOut.Load(),
	}
	if e := c.lastDial.Load(); e != nil {
		s.LastDialError = *e
	}
	for _, st := range f.stations {
		st.mu.Lock()
		for _, e := range st.evses {
			if e.tx != nil {
				s.Sessions++
			}
			if e.visit != nil && e.visit.phase == charging {
				s.Charging++
				s.PowerW += e.powerW
			}
		}
		s.Queued += int64(len(st.queue.tx))
		st.mu.Unlock()
	}
	return s
}
