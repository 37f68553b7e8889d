// Package plug keeps the lists by which stations decide while nobody can be asked.
//
// It makes the list of each station of what people wrote (package access), within what
// the station has room for, and pushes what is missing as commands of the outbox: one
// station at a time gets one message at a time, few stations a second, nobody while a
// driver stands there with a card. A list is trusted while the version that the station
// tells is the one it accepted; it is asked after each boot and each day, and gets all
// of it anew where it is not. Who may charge no longer goes first.
//
// A station that cannot be given a list, or not all of one, is said: nothing is done
// silently by halves.
package plug

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Journal is what commands go through.
type Journal interface {
	Snapshot() *fleet.Snapshot
	Subscribe(ctx context.Context, from journal.Cursor) iter.Seq2[journal.Batch, error]
	Conclude(ctx context.Context, c journal.Conclusions) error
}

// Rules is what people decided.
type Rules interface {
	// Version is another number after each change of what Book, Holders and Place say.
	Version() uint64
	Book() *access.Book
	Holders(ctx context.Context) ([]Holder, error)
	// Place is where a station stands, and whether its list is to be kept there.
	Place(station string) (site string, zone *time.Location, kept bool)
}

// Memory is what is known of stations.
type Memory interface {
	// Station is what it agreed to, as of an event of the journal.
	Station(ctx context.Context, station string, asOf uint64) (Agreed, error)
	// Seen are tokens that charged there, the newest first.
	Seen(ctx context.Context, station string) ([]string, error)
	Ours
}

// Ours remembers which stations have a list by us.
type Ours interface {
	Kept(ctx context.Context) (map[string]map[string]string, error)
	Keep(ctx context.Context, station string, was map[string]string) error
	Drop(ctx context.Context, station string) error
}

// Holder is somebody with a card that stations read.
type Holder struct {
	access.Holder
	Type   string // OCPP 2.x IdTokenEnumType; empty: not known
	Length int    // of its value
	Parent int    // length of the value of its group; 0: none
}

// Agreed is what a station accepted and said.
type Agreed struct {
	Version  int               // of the list that it accepted last; 0: none
	Reported *int              // what it said when asked
	Stale    bool              // there is more on it than is known here
	Entries  map[string]string // token id to the information sent along
	Types    map[string]string // of these tokens
	Settings map[string]string // COMPONENT/VARIABLE or KEY; with ;MaxLimit the limit of a variable
}

// Options configures a Service. Journal, Rules and Memory are needed.
type Options struct {
	Journal Journal
	Rules   Rules
	Memory  Memory
	Logger  *slog.Logger     // default: discard
	Now     func() time.Time // default: time.Now
	// Every is how often is looked what is to be done; default 1 s. At most Pace
	// commands are given then, and Urgent more that take somebody off a list; default
	// 10 and 30.
	Every        time.Duration
	Pace, Urgent int
}

const name = "station lists"

// Service keeps the lists of all stations.
type Service struct {
	o     Options
	tasks map[string]*task // by station; of the goroutine of Run
	made  *made
	left  map[bool]int // commands that may be given until the next round; true: urgent ones

	mu     sync.Mutex
	shown  map[string]Status
	pushes map[string]struct{} // stations that somebody wants sent to now
}

// New returns a service that is idle until Run is called.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Pace <= 0 {
		o.Pace = 10
	}
	if o.Urgent <= 0 {
		o.Urgent = 30
	}
	return &Service{o: o, tasks: make(map[string]*task), shown: make(map[string]Status), pushes: make(map[string]struct{})}
}

// Run keeps lists until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ours, err := s.o.Memory.Kept(ctx)
	if err != nil {
		return err
	}
	for id, was := range ours {
		s.tasks[id] = &task{id: id, ours: true, was: was}
	}
	from := journal.CursorAt(s.o.Journal.Snapshot().Seq)
	batches, failed := journal.Channel(ctx, s.o.Journal.Subscribe(ctx, from))
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-failed:
			return err
		case b := <-batches:
			from = b.Next
			for _, e := range b.Events {
				if t := s.hear(ctx, e); t != nil {
					s.goOn(ctx, t, from)
				}
			}
		case <-tick.C:
			s.left = map[bool]int{true: s.o.Urgent, false: s.o.Pace}
			s.round(ctx, from)
		}
	}
}

// Push has all of a list sent to a station anew.
func (s *Service) Push(station string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushes[station] = struct{}{}
}

// Status is how the list of a station is; false before the first look.
func (s *Service) Status(station string) (Status, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.shown[station]
	return x, ok
}

// hear takes what a station said to a command, and what makes a list doubtful. A
// station that answered one of ours is returned.
func (s *Service) hear(ctx context.Context, e *event.Event) *task {
	t := s.tasks[e.Subject.ID]
	if t == nil || e.Subject != event.Station(e.Subject.ID) {
		return nil
	}
	switch b := e.Body.(type) {
	case *event.Boot:
		t.booted()
	case *event.Connected:
		t.retry = time.Time{}
	case *event.Report:
		t.stale = true
	case *event.CommandResult:
		t.seq, t.stale = e.Seq, true
		if t.work != nil && t.work.key == b.CommandID {
			if err := s.answered(ctx, t, b); err != nil && ctx.Err() == nil {
				s.o.Logger.WarnContext(ctx, "what came of the list of a station is not known", "station", t.id, "err", err)
			}
			return t
		}
	case *event.StationRemoved:
		delete(s.tasks, t.id)
	}
	return nil
}

// goOn gives a station its next command right after it answered one, within the pace.
func (s *Service) goOn(ctx context.Context, t *task, at journal.Cursor) {
	st, ok := s.o.Journal.Snapshot().Station(t.id)
	if !ok || s.made == nil {
		return
	}
	site, zone, kept := s.o.Rules.Place(t.id)
	w, err := s.next(ctx, t, &scene{st: st, site: site, zone: zone, kept: kept, now: s.o.Now()})
	if err != nil || w == nil || s.left[w.urgent] <= 0 {
		return // the next round looks again
	}
	s.give(ctx, []*wish{w}, at)
}

// round does what is to be done, as far as the pace allows.
func (s *Service) round(ctx context.Context, at journal.Cursor) {
	now := s.o.Now()
	if err := s.make(ctx, now); err != nil {
		if ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "the lists of stations cannot be made", "err", err)
		}
		return
	}
	s.mu.Lock()
	pushes := s.pushes
	s.pushes = make(map[string]struct{})
	s.mu.Unlock()
	shown := make(map[string]Status)
	var ready []*wish
	for st := range s.o.Journal.Snapshot().Stations() {
		site, zone, kept := s.o.Rules.Place(st.ID)
		t := s.tasks[st.ID]
		if t == nil && (!kept || st.Onboarding != event.OnboardingAccepted) {
			continue
		}
		if t == nil {
			t = &task{id: st.ID}
			s.tasks[st.ID] = t
		}
		if _, ok := pushes[st.ID]; ok {
			t.push()
		}
		w, err := s.next(ctx, t, &scene{st: st, site: site, zone: zone, kept: kept, now: now})
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			s.o.Logger.WarnContext(ctx, "the list of a station cannot be looked at", "station", st.ID, "err", err)
			t.retry = now.Add(time.Minute)
		}
		if w != nil {
			ready = append(ready, w)
		}
		if !kept && !t.ours {
			delete(s.tasks, st.ID)
			continue
		}
		shown[st.ID] = t.status
	}
	s.mu.Lock()
	s.shown = shown
	s.mu.Unlock()
	slices.SortStableFunc(ready, func(a, b *wish) int { return a.t.asked.Compare(b.t.asked) })
	s.give(ctx, ready, at)
}

// give gives commands, as far as the pace allows.
func (s *Service) give(ctx context.Context, ready []*wish, at journal.Cursor) {
	now := s.o.Now()
	var give []fleet.Intent
	for _, w := range ready {
		if s.left[w.urgent] > 0 {
			s.left[w.urgent]--
			give = append(give, w.begin(now))
		}
	}
	if len(give) == 0 {
		return
	}
	if err := s.o.Journal.Conclude(ctx, journal.Conclusions{Name: name, Cursor: at, Intents: give}); err != nil {
		if ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "the lists of stations cannot be sent", "err", err)
		}
		for _, in := range give {
			s.tasks[in.Station].work = nil
		}
	}
}

// make makes ready what lists are made of: after a change, and as hours pass.
func (s *Service) make(ctx context.Context, now time.Time) error {
	version := s.o.Rules.Version()
	minute := now.Truncate(time.Minute)
	if s.made != nil && s.made.version == version && s.made.minute.Equal(minute) {
		return nil
	}
	next := &made{version: version, minute: minute, now: now, book: s.o.Rules.Book(), lists: make(map[string]*list)}
	var err error
	if next.holders, err = s.o.Rules.Holders(ctx); err != nil {
		return err
	}
	next.plain = make([]access.Holder, len(next.holders))
	next.byID = make(map[string]*Holder, len(next.holders))
	for i := range next.holders {
		next.plain[i] = next.holders[i].Holder
		next.byID[next.holders[i].Credential.ID] = &next.holders[i]
	}
	if s.made != nil {
		next.generation = s.made.generation + 1
	}
	s.made = next
	return nil
}

// clone copies settings that a caller may change.
func clone(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}
