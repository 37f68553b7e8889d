// Package output switches what people have at a site against those who should not be
// there: sirens, lights, speakers, relays.
//
// It promises:
//
//   - Nothing stays on. How long it is on is decided when it is switched on, within the
//     longest time of the output, and written down before its device is told. We switch it
//     off when that time is over, also after a restart, and try until the device says
//     that it is off; devices that can are told to go off by themselves as well.
//   - Whoever presses a button hears within two seconds whether the device did it. What
//     is not known is said to be not known.
//   - What needs two people is switched by two: the second is a person who is signed in
//     and is not the first, by whatever token the first one asked. Off needs nobody else.
//   - An incident switches an output by itself at most once, and not again because we
//     started anew.
//   - Each switch is an event, and an entry of the audit log, with those who wanted it
//     and what came of it.
//
// The rows of the store are the truth about what is on; the Service holds a copy and
// what went wrong last.
package output

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Options configures a Service. Store and Reach are needed.
type Options struct {
	Store *store.Store
	Reach *outward.Guard
	// Person is who stands behind an actor: a user for a session or a token that they
	// made. False: nobody knows.
	Person func(ctx context.Context, by store.Actor) (store.Actor, bool)
	// Incidents is asked about what may switch outputs by itself; nil: nothing does.
	Incidents Incidents
	// Changed is called when an output changed, by any goroutine.
	Changed func(ctx context.Context, id string)
	Logger  *slog.Logger     // default: discard
	Now     func() time.Time // default: time.Now
}

// Times of a Service.
const (
	sendFor    = 1500 * time.Millisecond // of one try: who pressed a button waits for it
	askFor     = time.Minute             // of a request for a second person
	againFirst = 2 * time.Second         // after a device did not say that it is off
	againMost  = time.Minute
	testFor    = 2 * time.Second
)

// Service switches outputs. Run switches off what is due.
type Service struct {
	o       Options
	drivers map[store.OutputDriver]driver
	wake    chan struct{}

	mu      sync.Mutex
	units   map[string]*unit // by output
	waiting map[waits]time.Time
	known   map[string]bool // serious incidents that were looked at
}

// unit is what is known of an output.
type unit struct {
	wire sync.Mutex // held while its device is spoken to

	// the rest is guarded by Service.mu
	on      *store.OutputOn // nil: it is off
	tried   int             // how often it did not go off
	again   time.Time       // when that is tried next
	busy    bool            // it is being tried
	failure string          // of the last try, as a code
	failed  time.Time
	request *Request
}

// New returns a service that knows what is on. Run it.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Changed == nil {
		o.Changed = func(context.Context, string) {}
	}
	if o.Person == nil {
		o.Person = func(_ context.Context, by store.Actor) (store.Actor, bool) { return by, true }
	}
	s := &Service{
		o: o, wake: make(chan struct{}, 1), units: make(map[string]*unit), waiting: make(map[waits]time.Time), known: make(map[string]bool),
		drivers: map[store.OutputDriver]driver{
			store.OutputWebhook: &webhook{client: o.Reach.Client(nil), now: o.Now}, store.OutputMQTT: &broker{dial: o.Reach.Dial},
		},
	}
	on, err := o.Store.OutputsOn(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which outputs are on: %w", err)
	}
	for _, x := range on {
		s.unit(x.Output).on = &x
	}
	return s, nil
}

// unit is what is known of an output. The caller holds the lock, or is alone.
func (s *Service) unit(id string) *unit {
	u := s.units[id]
	if u == nil {
		u = &unit{}
		s.units[id] = u
	}
	return u
}

// Status is how an output is, as far as we know.
type Status struct {
	On        bool
	Confirmed bool // its device said so; else it may be on
	Since     time.Time
	Until     time.Time
	Overdue   bool // it should be off and does not say that it is
	By        store.Actor
	Approved  store.Actor
	Cause     event.OutputCause
	Incident  string
	Reason    string
	Phrase    string
	Failure   string // of the last try, as a code; empty: it went well
	FailedAt  time.Time
	Request   *Request
}

// Status is how an output is.
func (s *Service) Status(id string) Status {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.units[id]
	if u == nil {
		return Status{}
	}
	out := Status{Failure: u.failure, FailedAt: u.failed}
	if x := u.on; x != nil {
		out.On, out.Confirmed, out.Since, out.Until, out.By, out.Approved = true, x.Confirmed, x.At, x.Until, x.By, x.ApprovedBy
		out.Cause, out.Incident, out.Reason, out.Phrase = x.Cause, x.Incident, x.Reason, x.Announcement
		out.Overdue = u.tried > 0 && !now.Before(x.Until)
	}
	if u.request != nil && now.Before(u.request.Until) {
		r := *u.request
		out.Request = &r
	}
	return out
}

// Wish is what somebody wants of an output.
type Wish struct {
	Output   string
	On       bool
	For      time.Duration // zero: as long as it may, or as its kind usually is
	Phrase   string        // of a speaker; empty: its first
	Language string
	Reason   string
	Incident string
	By       store.Actor // empty: nobody but us

	cause    event.OutputCause
	approved store.Actor
	agreed   bool // the second person did
}

// Switch does what somebody wants, or asks for a second person: then the status holds
// the request. What came of it is committed before it returns.
func (s *Service) Switch(ctx context.Context, w Wish) (Status, error) {
	o, ok := s.o.Store.Output(w.Output)
	if !ok {
		return Status{}, fmt.Errorf("output %s: %w", w.Output, store.ErrNotFound)
	}
	if w.cause == "" {
		w.cause = event.OutputPerson
	}
	var err error
	switch {
	case !w.On:
		err = s.off(ctx, o, w)
	case o.TwoPerson && !w.agreed && w.cause == event.OutputPerson:
		err = s.ask(ctx, o, w)
	default:
		err = s.on(ctx, o, w)
	}
	return s.Status(o.ID), err
}

// Test switches an output on for a moment, by itself or by whoever set it up.
func (s *Service) Test(ctx context.Context, id string, by store.Actor) (Status, error) {
	return s.Switch(ctx, Wish{Output: id, On: true, For: testFor, By: by, cause: event.OutputTest})
}

// span is for how long an output is to be on from now; it was on since then.
func span(o *store.Output, want time.Duration, since, now time.Time) (time.Duration, error) {
	longest := o.Longest()
	if want > longest {
		return 0, fmt.Errorf("%w: %d s at most", ErrTooLong, o.LongestS)
	}
	if want <= 0 {
		want = min(longest, usually(o.Kind))
	}
	if !since.IsZero() { // what is on is not kept on for ever by asking again
		want = min(want, since.Add(longest).Sub(now))
		if want < time.Second {
			return 0, fmt.Errorf("%w: it has been on for %d s", ErrTooLong, o.LongestS)
		}
	}
	return want.Round(time.Second), nil
}

// usually is for how long an output is switched on if nobody says.
func usually(k store.OutputKind) time.Duration {
	switch k {
	case store.Siren, store.Speaker:
		return 30 * time.Second
	case store.Light:
		return 15 * time.Minute
	case store.Relay:
	}
	return time.Minute
}

func (s *Service) on(ctx context.Context, o *store.Output, w Wish) error {
	said, err := phrase(o, w.Phrase, w.Language)
	if err != nil {
		return err
	}
	s.mu.Lock()
	u := s.unit(o.ID)
	s.mu.Unlock()
	u.wire.Lock()
	defer u.wire.Unlock()
	ctx = context.WithoutCancel(ctx) // who hangs up leaves nothing half done
	now := s.o.Now()
	s.mu.Lock()
	was := u.on
	s.mu.Unlock()
	var since time.Time
	if was != nil {
		since = was.At
	}
	long, err := span(o, w.For, since, now)
	if err != nil {
		return err
	}
	x := &store.OutputOn{
		Output: o.ID, At: now, Until: now.Add(long), By: w.By, ApprovedBy: w.approved, Cause: w.cause, Incident: w.Incident, Reason: w.Reason,
	}
	if said != nil {
		x.Announcement = said.Key
	}
	if was != nil {
		x.At = was.At
		if was.Until.After(x.Until) && !was.Confirmed {
			x.Until = was.Until // the device may still hold to what it was told before
		}
	}
	if err := s.o.Store.NoteOutputOn(ctx, *x); err != nil {
		return err
	}
	failed := s.send(ctx, o, order{on: true, seconds: int(long.Seconds()), test: w.cause == event.OutputTest, incident: w.Incident, phrase: said})
	x.Confirmed = failed == nil
	if failed != nil && !errors.Is(failed, ErrNoAnswer) {
		x = was // it is as it was
	}
	body := event.OutputSwitch{
		On: true, Seconds: long.Seconds(), Cause: w.cause, Reason: w.Reason, Incident: w.Incident, By: string(w.By), ApprovedBy: string(w.approved),
	}
	if said != nil {
		body.Announcement = said.Key
	}
	return s.settle(ctx, o, u, body, x, failed)
}

func (s *Service) off(ctx context.Context, o *store.Output, w Wish) error {
	s.mu.Lock()
	u := s.unit(o.ID)
	s.mu.Unlock()
	u.wire.Lock()
	defer u.wire.Unlock()
	ctx = context.WithoutCancel(ctx)
	s.mu.Lock()
	was := u.on
	s.mu.Unlock()
	if w.cause == event.OutputTime && was == nil {
		return nil // somebody was faster
	}
	failed := s.send(ctx, o, order{incident: w.Incident})
	body := event.OutputSwitch{Cause: w.cause, Reason: w.Reason, Incident: w.Incident, By: string(w.By)}
	var x *store.OutputOn
	if failed != nil && was != nil {
		still := *was
		still.Until = earlier(still.Until, s.o.Now())
		x = &still
		s.mu.Lock()
		again := u.tried > 0 && w.cause == event.OutputTime
		s.mu.Unlock()
		if again { // it was said when it began
			s.keep(ctx, o.ID, u, x, failed)
			return failed
		}
	}
	return s.settle(ctx, o, u, body, x, failed)
}

// earlier is the earlier of two times.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// send tells the device, for as long as somebody waits at a button.
func (s *Service) send(ctx context.Context, o *store.Output, x order) error {
	d, ok := s.drivers[o.Driver]
	if !ok {
		return fmt.Errorf("%w: nothing here speaks %s", ErrUnreachable, o.Driver)
	}
	secret, err := s.o.Store.OutputSecret(o.ID)
	if err != nil {
		return err
	}
	x.id = newID()
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	return d.send(ctx, o, secret, x)
}

// settle commits what became of a switch; x is what is on since, nil nothing. The wire
// is the caller's.
func (s *Service) settle(ctx context.Context, o *store.Output, u *unit, body event.OutputSwitch, x *store.OutputOn, failed error) error {
	body.SiteID, body.Label, body.Output, body.Done, body.Error = o.SiteID, o.Name(), string(o.Kind), failed == nil, code(failed)
	err := s.o.Store.NoteOutputSwitch(ctx, o.ID, body, x)
	s.keep(ctx, o.ID, u, x, failed)
	if failed != nil && err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil {
		return failed
	}
	return err
}

// keep takes over how an output is, and says so.
func (s *Service) keep(ctx context.Context, id string, u *unit, x *store.OutputOn, failed error) {
	now := s.o.Now()
	s.mu.Lock()
	u.on, u.failure, u.failed = x, code(failed), time.Time{}
	switch {
	case failed == nil:
		u.tried, u.again = 0, time.Time{}
	case x != nil && !now.Before(x.Until): // it should be off
		u.failed = now
		u.again = now.Add(min(againFirst<<min(u.tried, 10), againMost))
		u.tried++
	default:
		u.failed = now
	}
	s.mu.Unlock()
	s.stir()
	s.o.Changed(ctx, id)
}

// stir has Run look again at what is due.
func (s *Service) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
