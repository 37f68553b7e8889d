// Package notify tells people and other systems about incidents.
//
// It promises that every notice that a route leads somewhere is handed over at
// least once, or listed as failed with the reason; that what may have arrived
// twice is counted and carries the same idempotency key; that one channel which
// hangs or fails delays no other, and nothing before it; and that nobody hears
// of what was over before they could have been told.
//
// Notices are read behind a durable cursor. What follows from one (deliveries,
// steps of an escalation, repetitions) is committed together with the cursor.
// One worker per channel sends, marks before it sends, and marks again after.
package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Reach connects to addresses that people typed in.
type Reach interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Client(conf *tls.Config) *http.Client
}

// State is how an incident stands.
type State struct {
	Acknowledged bool
	Over         bool // repaired or closed
}

// Incidents knows how incidents stand.
type Incidents interface {
	State(ctx context.Context, id string) (State, error)
}

// Kind is one type of channel: what it must be told, and how it is made.
type Kind struct {
	Spec
	Make func(c store.Channel, t Tools) (Channel, error)
}

// Tools are what channels are made with.
type Tools struct {
	Reach Reach
	Store *store.Store
	Now   func() time.Time
}

// Channel hands messages over. Send returns when the other side has taken the
// message, or says why not; it ends when ctx does.
type Channel interface {
	Send(ctx context.Context, m Message) error
}

// keeper is a channel that has something to do besides sending.
type keeper interface {
	// Keep runs until ctx ends.
	Keep(ctx context.Context) error
}

// Options configures a Service. Store, Kinds and Reach are required.
type Options struct {
	Store *store.Store
	Kinds []Kind
	Reach Reach
	// Incidents defaults to what the notices themselves say.
	Incidents Incidents
	Logger    *slog.Logger     // default: discard
	Now       func() time.Time // default: time.Now
	// Poll is how often notices and follow-ups are looked for; default 250 ms.
	Poll time.Duration
	// MaxAge is how old a notice may be when it is first seen and still ask
	// somebody to act; default 6 h.
	MaxAge time.Duration
	// Pictures are what cameras saw; nil: nothing.
	Pictures Pictures
	// Well says whether the server does its work; the heartbeat stops when not.
	Well func() bool
}

// Service routes and sends. It is idle until Run is called.
type Service struct {
	o      Options
	kinds  map[string]Kind
	links  *Links
	german *detect.Words
	kick   chan struct{}
	again  chan struct{} // channels changed
	tests  chan struct{} // slots

	mu      sync.Mutex
	workers map[string]*worker
	routed  atomic.Uint64
	dups    atomic.Uint64
	faults  atomic.Uint64 // rounds that failed
	beaten  beaten
}

// New returns a service.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poll <= 0 {
		o.Poll = 250 * time.Millisecond
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 6 * time.Hour
	}
	if o.Incidents == nil {
		o.Incidents = told{o.Store}
	}
	key, err := o.Store.LinkKey(ctx)
	if err != nil {
		return nil, err
	}
	s := &Service{
		o: o, kinds: make(map[string]Kind), links: NewLinks(key, o.Now), german: detect.German(), kick: make(chan struct{}, 1), again: make(chan struct{}, 1),
		tests: make(chan struct{}, 4), workers: make(map[string]*worker),
	}
	for _, k := range o.Kinds {
		s.kinds[k.Type] = k
	}
	return s, nil
}

// Links makes and reads the signed links of messages.
func (s *Service) Links() *Links { return s.links }

// Kick says that there are new notices. It never waits.
func (s *Service) Kick() { nudge(s.kick) }

// Changed says that channels, routes or calendars changed. It never waits.
func (s *Service) Changed() { nudge(s.again) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run routes and sends until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() { s.follow(ctx) })
	group.Go(func() { s.supervise(ctx) })
	group.Go(func() { s.beat(ctx) })
	group.Go(func() { s.tidy(ctx) })
	group.Wait()
	return context.Cause(ctx)
}

// follow routes notices and follow-ups as they fall due.
func (s *Service) follow(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := s.round(ctx)
		if err != nil && ctx.Err() == nil {
			s.faults.Add(1)
			s.o.Logger.WarnContext(ctx, "notices not routed", "err", err)
			wait = max(s.o.Poll, time.Second)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.kick:
		case <-t.C:
		}
		t.Stop()
	}
}

const routeAtOnce = 200

// round routes what is there and says when to look again.
func (s *Service) round(ctx context.Context) (time.Duration, error) {
	if err := s.news(ctx); err != nil {
		return 0, err
	}
	if err := s.followUps(ctx); err != nil {
		return 0, err
	}
	due, ok, err := s.o.Store.NextFollowUp(ctx)
	if err != nil || !ok {
		return s.o.Poll, err
	}
	return max(0, min(s.o.Poll, due.Sub(s.o.Now()))), nil
}

// news routes the notices behind the cursor.
func (s *Service) news(ctx context.Context) error {
	for {
		seq, err := s.o.Store.NoticeCursor(ctx)
		if err != nil {
			return err
		}
		rows, err := s.o.Store.NoticesAfter(ctx, seq, routeAtOnce)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		book, err := s.book(ctx)
		if err != nil {
			return err
		}
		all := make([]store.Dispatch, 0, len(rows))
		for _, row := range rows {
			n, err := incident.DecodeNotice(row.Seq, row.Data)
			if err != nil {
				// It cannot be told and must not be in the way of the next.
				s.faults.Add(1)
				s.o.Logger.ErrorContext(ctx, "notice cannot be read", "seq", row.Seq, "err", err)
				all = append(all, store.Dispatch{Notice: row.Seq})
				continue
			}
			if !n.Raises() { // who hears of it depends on who was told before
				if err := s.commit(ctx, all); err != nil {
					return err
				}
				all = all[:0]
			}
			d, err := s.plan(ctx, book, &n)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		if err := s.commit(ctx, all); err != nil {
			return err
		}
		s.routed.Add(uint64(len(rows)))
	}
}

func (s *Service) commit(ctx context.Context, all []store.Dispatch) error {
	if len(all) == 0 {
		return nil
	}
	if err := s.o.Store.Dispatch(ctx, all); err != nil {
		return fmt.Errorf("commit what follows: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range all {
		for _, x := range d.Deliveries {
			if w := s.workers[x.Channel]; w != nil {
				nudge(w.wake)
			}
		}
	}
	return nil
}

// tidy deletes what is old.
func (s *Service) tidy(ctx context.Context) {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = s.o.Store.PruneDeliveries(ctx); err != nil && ctx.Err() == nil {
				s.o.Logger.WarnContext(ctx, "old deliveries not deleted", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// told reads how incidents stand from what was told about them.
type told struct{ store *store.Store }

func (t told) State(ctx context.Context, id string) (State, error) {
	rows, err := t.store.NoticesOf(ctx, id, 50)
	if err != nil {
		return State{}, err
	}
	for _, row := range rows {
		n, err := incident.DecodeNotice(row.Seq, row.Data)
		if err != nil {
			continue
		}
		switch {
		case n.Ends():
			return State{Over: true}, nil
		case n.Change == incident.ChangeAcknowledged:
			return State{Acknowledged: true}, nil
		case n.Raises() && n.Change != incident.ChangeReminder:
			return State{}, nil
		}
	}
	if len(rows) == 0 {
		return State{Over: true}, nil
	}
	return State{}, nil
}

// Check says whether a channel can be made of its settings; a fault is a
// *store.InvalidError with the place. Settings are brought into their form.
func (s *Service) Check(c *store.Channel) error {
	k, ok := s.kinds[c.Type]
	if !ok {
		return &store.InvalidError{Field: "type", Reason: "no such type of channel"}
	}
	if err := k.check(c); err != nil {
		return err
	}
	if _, err := k.Make(*c, s.tools()); err != nil {
		if bad, ok := errors.AsType[*store.InvalidError](err); ok {
			return bad
		}
		return &store.InvalidError{Field: "settings", Reason: err.Error()}
	}
	return nil
}

func (s *Service) tools() Tools { return Tools{Reach: s.o.Reach, Store: s.o.Store, Now: s.o.Now} }

// Specs lists the types of channels.
func (s *Service) Specs() []Spec {
	out := make([]Spec, len(s.o.Kinds))
	for i, k := range s.o.Kinds {
		out[i] = k.Spec
	}
	return out
}

// Test sends a message that says it is a test, now, past queue and routes.
func (s *Service) Test(ctx context.Context, c store.Channel) error {
	select {
	case s.tests <- struct{}{}:
		defer func() { <-s.tests }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	k, ok := s.kinds[c.Type]
	if !ok {
		return fmt.Errorf("there is no type %q", c.Type)
	}
	if c.SecretsLost {
		return errors.New(c.Failure)
	}
	made, err := k.Make(c, s.tools())
	if err != nil {
		return err
	}
	now := s.o.Now().UTC()
	n := incident.Notice{
		Key: fmt.Sprintf("test/%s/%d", c.ID, now.UnixMilli()), Incident: "test-" + c.ID, Change: incident.ChangeOpened, Severity: "S4", Kind: "test",
		Title: fmt.Sprintf("Test of the channel %s", c.Name), Text: "If you can read this, the channel works. Nothing has to be done.", At: now, OpenedAt: now,
		TitleDE: s.german.Sentence("Test of the channel %s", c.Name), TextDE: s.german.Translate("If you can read this, the channel works. Nothing has to be done."),
	}
	ctx, done := context.WithTimeout(ctx, k.timeout())
	defer done()
	err = made.Send(ctx, Message{Key: n.Key, Test: true, Items: []Item{{Notice: n, Key: n.Key, Words: s.wordsOf(&c)}}})
	if c.ID != "" {
		reason := ""
		if err != nil {
			reason = err.Error()
		}
		if noted := s.o.Store.NoteChannel(context.WithoutCancel(ctx), c.ID, err == nil, reason); noted != nil {
			s.o.Logger.WarnContext(ctx, "test of a channel not noted", "err", noted)
		}
	}
	return err
}
