// Package setting sets stations as profiles ask (package provision).
//
// After a boot a station is read, what differs is set, and what it measures from then on
// says whether that helped: a station that accepts everything and measures nothing is
// not taken for one that measures. Few stations are at work at once, each with one
// command at a time and a budget for the day, so that nothing goes round in circles
// whatever a station answers. What needs a restart waits until nobody is at the station.
//
// What somebody changed after it was as wanted is said, and set again only where the
// profile asks for that.
package setting

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/provision"
)

// Journal is what is heard of stations.
type Journal interface {
	Snapshot() *fleet.Snapshot
	Subscribe(ctx context.Context, from journal.Cursor) iter.Seq2[journal.Batch, error]
	Append(ctx context.Context, e *event.Event) (fleet.Receipt, error)
}

// Stations asks a station and says what came of it. What is asked is recorded.
type Stations interface {
	Ask(ctx context.Context, station, id, action string, payload any) event.CommandResult
}

// Rules is what people decided.
type Rules interface {
	// Version is another number after each change of what Profiles and Place say.
	Version() uint64
	Profiles() []*provision.Profile
	Place(station string) Place
}

// Place is where a station stands, as far as its settings go.
type Place struct {
	Site    string
	Zone    *time.Location
	List    bool // its list of cards is kept
	Foreign bool // its settings are those of another system, which has not agreed
}

// Memory is what is known of stations.
type Memory interface {
	Records(ctx context.Context) (map[string]*Record, error)
	PutRecord(ctx context.Context, station string, r *Record) error
	DropRecord(ctx context.Context, station string) error
	// Taken is what stations of a kind take, by the setting.
	Taken(ctx context.Context) (map[Make]map[string]*provision.Taken, error)
	PutTaken(ctx context.Context, of Make, setting string, t *provision.Taken) error
	// Settings is what a station last said, by what it calls them in small letters.
	Settings(ctx context.Context, station string, asOf uint64) (map[string]*provision.Value, error)
}

// Make is a kind of station.
type Make struct{ Vendor, Model, Firmware, Protocol string }

// Record is what is remembered of a station.
type Record struct {
	Make        Make                `json:"make"`
	Verdicts    []provision.Verdict `json:"verdicts"`
	ReadAt      time.Time           `json:"readAt,omitzero"`
	SetAt       time.Time           `json:"setAt,omitzero"`
	SeenAt      time.Time           `json:"seenAt,omitzero"`
	Problem     Problem             `json:"problem,omitempty"`
	Said        string              `json:"said,omitempty"` // beside the problem, the station's word
	Restarts    int                 `json:"restarts,omitempty"`
	RestartedAt time.Time           `json:"restartedAt,omitzero"`
	Told        bool                `json:"told,omitempty"` // that it drifted
	Day         string              `json:"day,omitempty"`
	Asked       int                 `json:"asked,omitempty"` // commands of that day
	DC          bool                `json:"dc,omitempty"`    // it was seen to charge with direct current

	room map[string]int // for how many measurands a setting has room
}

// Problem is why work at a station ended.
type Problem string

// The problems.
const (
	NoProblem     Problem = ""
	NoAnswer      Problem = "noAnswer"
	WentAway      Problem = "offline"
	Unreadable    Problem = "unreadable" // it answers what nobody understands, or that it cannot
	OutOfBudget   Problem = "budget"     // of commands for the day
	RestartFailed Problem = "restart"    // it does not restart, or not into the settings
)

// Options configures a Service. Journal, Stations, Rules and Memory are needed.
type Options struct {
	Journal  Journal
	Stations Stations
	Rules    Rules
	Memory   Memory
	Logger   *slog.Logger     // default: discard
	Now      func() time.Time // default: time.Now
	// Every is how often is looked what is to be done; default 1 s. AtOnce is how many
	// stations are at work, default 16, Gap the time between two commands to one,
	// default 150 ms, Budget how many it gets in a day, default 200.
	Every, Gap     time.Duration
	AtOnce, Budget int
	// Settle is how long after a boot a station is left alone, and up to how much longer
	// by chance; default 3 s. Idle is how long nobody has been at a station before it is
	// restarted; default 2 min.
	Settle, Idle time.Duration
}

// Bounds of what is tried.
const (
	maxRestarts = 2
	readEvery   = 24 * time.Hour
	firstRetry  = 2 * time.Minute
	lastRetry   = 6 * time.Hour
	bootWithin  = 10 * time.Minute
)

// ErrUnknown is returned for a station that is not there.
var ErrUnknown = errors.New("no such station")

// ErrOffline is returned for a station that is to be asked and is not connected.
var ErrOffline = errors.New("the station is not connected")

// ErrForeign is returned for a station whose settings are those of another system.
var ErrForeign = errors.New("the station is relayed to another system, and nobody agreed to its being set here")

// ErrNoProfile is returned for a station that is to be set and for which no profile holds.
var ErrNoProfile = errors.New("no profile holds for the station")

// ErrBusy is returned for a station that is being worked on.
var ErrBusy = errors.New("the station is at work already")

// Service sets stations.
type Service struct {
	o        Options
	tasks    map[string]*task // of the goroutine of Run
	taken    map[Make]map[string]*provision.Taken
	profiles []*provision.Profile
	version  uint64
	working  int
	done     chan *job
	requests chan *request
	theirs   map[string]string // commands of others that change or read settings, and where

	mu     sync.Mutex
	shown  map[string]*Standing
	ours   map[string]struct{} // commands that are on their way
	direct map[model]struct{}  // of which one was seen to charge with direct current
}

// model is what a maker calls a station.
type model struct{ vendor, name string }

// New returns a service that is idle until Run is called.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	orElse := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	orElse(&o.Every, time.Second)
	orElse(&o.Gap, 150*time.Millisecond)
	orElse(&o.Settle, 3*time.Second)
	orElse(&o.Idle, 2*time.Minute)
	if o.AtOnce <= 0 {
		o.AtOnce = 16
	}
	if o.Budget <= 0 {
		o.Budget = 200
	}
	return &Service{
		o: o, tasks: make(map[string]*task), done: make(chan *job), requests: make(chan *request), theirs: make(map[string]string),
		shown: make(map[string]*Standing), ours: make(map[string]struct{}), direct: make(map[model]struct{}),
	}
}

// task is what is to be done at a station.
type task struct {
	id     string
	rec    *Record
	plan   provision.Plan
	place  Place
	st     provision.Station
	due    time.Time // when it is to be worked on; zero: not at all
	busy   bool
	all    bool // what drifted and was refused is set too
	seq    uint64
	stale  bool // what it says of its settings was told to others
	fails  int
	seen   map[int]*watch
	shown  bool
	offers bool // it was accepted and has a plan
	booted bool // since it was worked on last
}

// watch is what one port measures in one session.
type watch struct {
	tx string
	provision.Seen
}

// request is what somebody wants done now.
type request struct {
	station string
	apply   bool
	answer  chan error
}

// Run sets stations until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	records, err := s.o.Memory.Records(ctx)
	if err != nil {
		return err
	}
	if s.taken, err = s.o.Memory.Taken(ctx); err != nil {
		return err
	}
	for id, r := range records {
		s.tasks[id] = &task{id: id, rec: r}
		if r.DC {
			s.learned(r)
		}
	}
	batches, failed := journal.Channel(ctx, s.o.Journal.Subscribe(ctx, journal.CursorAt(s.o.Journal.Snapshot().Seq)))
	var work sync.WaitGroup
	defer work.Wait()
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-failed:
			return err
		case b := <-batches:
			for _, e := range b.Events {
				s.hear(ctx, e)
			}
		case j := <-s.done:
			s.finish(ctx, j)
		case r := <-s.requests:
			s.want(ctx, r, &work)
		case <-tick.C:
			s.round(ctx, &work)
		}
	}
}

// round begins what is due, as far as the pace allows.
func (s *Service) round(ctx context.Context, work *sync.WaitGroup) {
	now := s.o.Now()
	again := s.profiles == nil
	if v := s.o.Rules.Version(); v != s.version || again {
		s.version, s.profiles, again = v, s.o.Rules.Profiles(), true
		if s.profiles == nil {
			s.profiles = []*provision.Profile{}
		}
	}
	snapshot := s.o.Journal.Snapshot()
	for st := range snapshot.Stations() {
		t := s.tasks[st.ID]
		if t == nil {
			t = &task{id: st.ID}
			s.tasks[st.ID] = t
		}
		if again || !t.shown || s.as(st, &t.place) != t.st { // what it is made of may be told later
			s.replan(t, st, now)
		}
		s.look(ctx, t, st, now, work)
		if !t.shown {
			s.show(t, st)
		}
	}
}

// replan says anew how a station is to be set.
func (s *Service) replan(t *task, st *fleet.Station, now time.Time) {
	t.place = s.o.Rules.Place(st.ID)
	t.st = s.as(st, &t.place)
	before := t.plan
	t.plan = provision.For(s.profiles, &t.st)
	t.offers = served(st) && len(t.plan.Wants) > 0
	t.shown = false
	if t.offers && t.due.IsZero() && (t.rec == nil || !covers(t.rec.Verdicts, &t.plan)) && (before.Wants == nil || !same(&before, &t.plan)) {
		t.due = s.soon(now)
	}
}

// as is what of a station decides how it is to be set.
func (s *Service) as(st *fleet.Station, place *Place) provision.Station {
	return provision.Station{
		Site: place.Site, Vendor: st.Vendor, Model: st.Model, Protocol: st.Protocol, DC: direct(st) || !described(st) && s.seenDirect(st), List: place.List,
	}
}

// served reports whether a station was accepted and speaks to us.
func served(st *fleet.Station) bool {
	return st.Onboarding == event.OnboardingAccepted && st.Protocol != "" && !st.BootedAt.IsZero()
}

// soon is a moment after things settled, spread so that a site that comes back does not
// get everything at once.
func (s *Service) soon(now time.Time) time.Time {
	return now.Add(s.o.Settle + time.Duration(rand.Int64N(int64(3*s.o.Settle)+1))) //nolint:gosec // spread, not a secret
}

// covers reports whether all that is wanted was judged.
func covers(list []provision.Verdict, plan *provision.Plan) bool {
	have := make(map[string]string, len(list))
	for i := range list {
		have[list[i].Name] = list[i].Want
	}
	for i := range plan.Wants {
		if v, ok := have[plan.Wants[i].Name]; !ok || v != plan.Wants[i].Value {
			return false
		}
	}
	return true
}

// same reports whether two plans ask for the same, in whatever order.
func same(a, b *provision.Plan) bool {
	if len(a.Wants) != len(b.Wants) {
		return false
	}
	for i := range a.Wants {
		x := &a.Wants[i]
		if !slices.ContainsFunc(b.Wants, func(y provision.Want) bool { return x.Word == y.Word && x.Value == y.Value }) {
			return false
		}
	}
	return true
}

// look begins the next work at a station, if there is any.
func (s *Service) look(ctx context.Context, t *task, st *fleet.Station, now time.Time, work *sync.WaitGroup) {
	if t.busy || !t.offers || t.place.Foreign {
		return
	}
	if t.stale {
		s.begin(ctx, t, st, readKept, work)
		return
	}
	if !st.Online || s.working >= s.o.AtOnce {
		return
	}
	if t.rec != nil && t.due.IsZero() && now.Sub(t.rec.ReadAt) > readEvery && t.rec.Problem == NoProblem {
		t.due = s.soon(now)
	}
	switch {
	case !t.due.IsZero() && !now.Before(t.due):
		s.begin(ctx, t, st, apply, work)
	case t.due.IsZero() && s.restartable(t, st, now):
		s.begin(ctx, t, st, restart, work)
	}
}

// want answers a wish of a person.
func (s *Service) want(ctx context.Context, r *request, work *sync.WaitGroup) {
	st, ok := s.o.Journal.Snapshot().Station(r.station)
	t := s.tasks[r.station]
	switch {
	case !ok || t == nil:
		r.answer <- ErrUnknown
	case t.busy:
		r.answer <- ErrBusy
	case t.place.Foreign:
		r.answer <- ErrForeign
	case !st.Online:
		r.answer <- ErrOffline
	default:
		if s.replan(t, st, s.o.Now()); !t.offers {
			r.answer <- ErrNoProfile
			return
		}
		what := readNow
		if r.apply {
			what, t.all = apply, true
			if t.rec != nil {
				t.rec.Restarts = 0
			}
		}
		s.begin(ctx, t, st, what, work).answer = r.answer
	}
}

// Apply sets a station as its profiles ask, what was refused or changed by others too,
// and waits for what comes of it.
func (s *Service) Apply(ctx context.Context, station string) error { return s.ask(ctx, station, true) }

// Read asks a station for its settings and changes nothing.
func (s *Service) Read(ctx context.Context, station string) error { return s.ask(ctx, station, false) }

func (s *Service) ask(ctx context.Context, station string, set bool) error {
	r := &request{station, set, make(chan error, 1)}
	select {
	case s.requests <- r:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-r.answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Standing is how a station stands; false before the first look.
func (s *Service) Standing(station string) (*Standing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.shown[station]
	return x, ok
}

// Standings is how all stations stand.
func (s *Service) Standings() map[string]*Standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.shown)
}
