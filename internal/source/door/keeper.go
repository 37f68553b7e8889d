package door

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Config is what people decided about a controller and its doors.
type Config struct {
	ID, SiteID string
	Driver     string
	Serial     uint32
	Address    netip.AddrPort // of a board
	Line       Line           // to a broker or a bridge
	Zone       *time.Location
	Doors      []DoorConfig
	Rules      access.BoardRules // that it keeps by itself
}

// Line is how a broker or a bridge is reached. Seal changes with its secret, which
// is not kept here.
type Line struct{ URL, User, Authority, Seal string }

// DoorConfig is one of its doors.
type DoorConfig struct {
	ID        string
	Number    int // from 1
	Place     access.Place
	HeldAfter time.Duration // 0: the controller says when
	Keypad    bool          // codes are asked for
	TwoPerson bool          // it opens for two people
	Airlock   string        // ids of the doors that have to be shut for it to open, with commas
	// Online is set where only this server lets in: its controller knows the cards and
	// lets none of them in.
	Online bool
	Wiring Wiring // where its controller is no board
}

// Wiring is what a door is made of on a broker, or what it is called at a bridge.
type Wiring struct {
	Preset string // of the device that unlocks it
	Device string // its name
	Output int    // of its outputs, from 1
	PulseS int    // how long it is unlocked; 0: 5
	// Of a device that no preset knows: where it is told to unlock and lock, with which
	// words, where it says how it is, and whether it is there.
	Command, Unlock, Lock, State, Field, Online string
	Contact                                     Contact
	// Forced is set where nobody opens the door from inside without our hearing of it:
	// what opens it without being unlocked is force.
	Forced bool
	Reader string // topic of a reader or keypad
	// SilentS is after how long without a word its device is away; 0: only when the
	// broker says so.
	SilentS int
}

// Contact sees whether a door is open.
type Contact struct {
	Preset   string // empty: there is none
	Device   string
	Input    int // from 1
	Topic    string
	Field    string
	Open     string // the word for open; that for closed is any other
	Inverted bool   // on means open
}

// same reports whether nothing changed.
func (c Config) same(o Config) bool {
	return c.ID == o.ID && c.SiteID == o.SiteID && c.Driver == o.Driver && c.Rules == o.Rules && c.Line == o.Line && c.Serial == o.Serial && c.Address == o.Address && c.Zone.String() == o.Zone.String() && slices.Equal(c.Doors, o.Doors)
}

// door finds one by its number.
func (c *Config) door(n int) (DoorConfig, bool) {
	i := slices.IndexFunc(c.Doors, func(d DoorConfig) bool { return d.Number == n })
	if i < 0 {
		return DoorConfig{}, false
	}
	return c.Doors[i], true
}

// Cursor is how far a controller's records became events: the last record of
// which there is one, and how many of its events there are.
type Cursor struct {
	Record uint32
	Parts  int
}

// Journal is where what happened is told. Tell commits an event with the cursor.
type Journal interface {
	Append(ctx context.Context, e *event.Event) error
	Tell(ctx context.Context, controller string, to Cursor, e *event.Event) error
	Cursor(ctx context.Context, controller string) (Cursor, error)
	// Pass moves the cursor over what was told already.
	Pass(ctx context.Context, controller string, to Cursor) error
	// Once commits an event under a key; one that has the key of another is left out.
	Once(ctx context.Context, controller, key string, e *event.Event) error
}

// Policy decides by what people wrote.
type Policy interface {
	// Decide says what would be decided here about who showed a card at a door.
	Decide(ctx context.Context, a Asked) (Decided, error)
	// Lists are what a controller is to have, of which it has some.
	Lists(ctx context.Context, c Config, have access.Lists) (access.Compiled, error)
	// Locked reports whether a lockdown that leaves out nobody holds at a door.
	Locked(d DoorConfig) bool
}

// Asked is a card that was shown.
type Asked struct {
	Door     DoorConfig
	Zone     *time.Location
	Card     uint32
	Token    string // instead of a number
	PINGiven bool
	PIN      string // that is still to be looked at
	At       time.Time
}

// Decided is what we say about it. Without a credential nobody knows the card.
type Decided struct {
	access.Decision
	TokenID string
	// Duress is set where the code was one of somebody who is made to open: what is
	// decided is as ever, and help is called.
	Duress bool
}

// Memory is what the journal has of a controller.
type Memory struct {
	Doors  map[string]event.DoorState // by id
	Faults []event.ControllerFaultKind
}

// Options configures a Service.
type Options struct {
	Journal Journal
	Policy  Policy
	Inside  Inside // nil: there are no areas
	// Open makes the driver of a controller, and what ends it.
	Open func(c Config) (Driver, func())
	// Told is what the journal has of it.
	Told   func(ctx context.Context, c Config) (Memory, error)
	Poll   time.Duration // 0: 5 s
	Logger *slog.Logger
}

// Times of the keeper.
const (
	pollEvery    = 5 * time.Second
	awayPolls    = 2.4 // so many without an answer: two questions, and their tries
	inspectEvery = time.Minute
	readEvery    = 5 * time.Minute // the lists, which takes a while
	clockWrong   = time.Minute
	clockDrifts  = 5 * time.Second // is set without a word
	expectFor    = 15 * time.Second
	quietFor     = 10 * time.Minute // after a fault of a moment
	ringPause    = 200 * time.Millisecond
	atOnce       = 64 // records
)

// Service keeps all controllers.
type Service struct {
	o   Options
	log *slog.Logger

	applying sync.Mutex

	mu   sync.RWMutex
	ctx  context.Context // of Run; nil before and after
	list map[string]*one
	at   map[string]*one // by door

	airlocks airlocks
}

// New returns a service that follows nothing until Run.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Poll == 0 {
		o.Poll = pollEvery
	}
	return &Service{o: o, log: o.Logger, list: map[string]*one{}, at: map[string]*one{}}
}

// Run follows what Apply names until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	s.applying.Lock()
	s.mu.Lock()
	s.ctx = ctx
	all := slices.Collect(maps.Values(s.list))
	s.mu.Unlock()
	for _, c := range all {
		c.begin(ctx)
	}
	s.applying.Unlock()
	<-ctx.Done()
	s.applying.Lock()
	defer s.applying.Unlock()
	s.mu.Lock()
	all = slices.Collect(maps.Values(s.list))
	s.ctx, s.list, s.at = nil, map[string]*one{}, map[string]*one{}
	s.mu.Unlock()
	for _, c := range all {
		c.end()
	}
	return nil
}

// Apply makes the list the one that is followed; who is in it as before does not
// notice.
func (s *Service) Apply(list []Config) {
	s.applying.Lock()
	defer s.applying.Unlock()
	s.mu.Lock()
	ctx := s.ctx
	next, at := map[string]*one{}, map[string]*one{}
	var begins []*one
	for _, x := range list {
		c := s.list[x.ID]
		if c == nil || !c.config.same(x) {
			c = newOne(s, x)
			begins = append(begins, c)
		}
		next[x.ID] = c
		for _, d := range x.Doors {
			at[d.ID] = c
		}
	}
	ends := map[string]*one{}
	for id, c := range s.list {
		if next[id] != c {
			ends[id] = c
		}
	}
	s.list, s.at = next, at
	s.mu.Unlock()
	for id, c := range ends {
		c.end()
		if after := next[id]; after != nil {
			after.succeed(c)
		}
	}
	if ctx == nil {
		return
	}
	for _, c := range begins {
		c.begin(ctx)
	}
}

// Sync makes controllers have what people decided now; without ids, all of them.
func (s *Service) Sync(ids ...string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, c := range s.list {
		if len(ids) > 0 && !slices.Contains(ids, id) {
			continue
		}
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// Status is how a controller is.
type Status struct {
	Online   bool
	Since    time.Time
	Firmware string
	Offset   time.Duration // its clock less ours
	Faults   []Fault
	Cards    int
	SyncedAt time.Time // its lists were found right
	Record   uint32
}

// Fault is something wrong with a controller.
type Fault struct {
	Kind   event.ControllerFaultKind
	Detail string
	Since  time.Time
}

// Controller is how a controller is.
func (s *Service) Controller(id string) (Status, bool) {
	s.mu.RLock()
	c := s.list[id]
	s.mu.RUnlock()
	if c == nil {
		return Status{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.status
	for kind, f := range c.faults {
		out.Faults = append(out.Faults, Fault{kind, f.Detail, f.Since})
	}
	slices.SortFunc(out.Faults, func(a, b Fault) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	return out, true
}

// Door is how a door is.
func (s *Service) Door(id string) (event.DoorState, bool) {
	s.mu.RLock()
	c := s.at[id]
	s.mu.RUnlock()
	if c == nil {
		return event.DoorState{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x, ok := c.doors[id]
	return x, ok
}

// Blind reports a door of which nobody sees whether it stands open.
func (s *Service) Blind(id string) bool {
	s.mu.RLock()
	c := s.at[id]
	s.mu.RUnlock()
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blind[id]
}

// Try asks a controller how it is, now.
func (s *Service) Try(ctx context.Context, id string) (Look, error) {
	s.mu.RLock()
	c := s.list[id]
	s.mu.RUnlock()
	if c == nil {
		return Look{}, ErrAway
	}
	if p, ok := c.driver.(Prober); ok {
		if err := p.Probe(ctx); err != nil {
			return Look{}, err
		}
	}
	return c.driver.Look(ctx)
}

// of finds the controller of a door.
func (s *Service) of(id string) (*one, DoorConfig, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.at[id]
	if c == nil {
		return nil, DoorConfig{}, ErrAway
	}
	i := slices.IndexFunc(c.config.Doors, func(d DoorConfig) bool { return d.ID == id })
	return c, c.config.Doors[i], nil
}

// Unlock opens a door; for zero as long as its controller opens.
func (s *Service) Unlock(ctx context.Context, id string, long time.Duration) error {
	c, d, err := s.of(id)
	if err != nil {
		return err
	}
	if s.claim(d, true) != "" {
		return ErrAirlock
	}
	c.expect(d.Number, false)
	return c.driver.Do(ctx, Order{Door: d.Number, For: long})
}

// Lockdown keeps everybody out; Release ends it.
func (s *Service) Lockdown(ctx context.Context, id string) error { return s.order(ctx, id, true) }

// Release ends what Lockdown began.
func (s *Service) Release(ctx context.Context, id string) error { return s.order(ctx, id, false) }

func (s *Service) order(ctx context.Context, id string, lock bool) error {
	c, d, err := s.of(id)
	if err != nil {
		return err
	}
	return c.lock(ctx, d, lock)
}
