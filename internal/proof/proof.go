// Package proof changes how stations prove themselves: their passwords, their
// certificates, their security profile.
//
// It promises that no step of it locks a station out: what is sent is on the disk
// before, what the station did with it is believed only when the station comes with it,
// and until then what it had before counts too. What is under way goes on after a
// crash. Passwords are known to the station and to the sealed row alone.
//
// Stations that are relayed are left alone: how they prove themselves is between them
// and the other system.
package proof

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Fleet is the live state.
type Fleet interface{ Snapshot() *fleet.Snapshot }

// Stations is how stations are asked.
type Stations interface {
	// Ask records a request, without secrets, sends it and returns what came of it.
	Ask(ctx context.Context, by store.Actor, station, action string, payload json.RawMessage) event.CommandResult
	// Hide has a password go no further when a station says it.
	Hide(station, secret string)
	// Disconnect has a station come again.
	Disconnect(station, reason string)
}

// Signer makes certificates of requests that were checked.
type Signer interface {
	// Organization is the only one that may stand in a request; empty: any.
	Organization() string
	Sign(ctx context.Context, station, request string, r *pki.Request) (*x509.Certificate, [][]byte, error)
}

// Options configures a Service. Store, Fleet, Stations, Signer, Ways and Authority are needed.
type Options struct {
	Store     *store.Store
	Fleet     Fleet
	Stations  Stations
	Signer    Signer
	Ways      Ways
	Authority Authority
	Logger    *slog.Logger     // default: discard
	Now       func() time.Time // default: time.Now
	// Every is how often is looked what is to be done; default 1 s. AtOnce is at how
	// many stations; default 16.
	Every  time.Duration
	AtOnce int
	// Settle is how long a station has to store a password before it is to come again;
	// default 2 s.
	Settle time.Duration
	// Again is how long is waited after something failed, as a multiple of the
	// attempts; default 10 s. AgainRefused is that after a certificate was refused;
	// default 1 h.
	Again, AgainRefused time.Duration
	// Return is how long a station has to come by its new security profile; default 15 min.
	Return time.Duration
}

// Service is the keeper of proofs.
type Service struct {
	o     Options
	wake  chan struct{}
	begun time.Time

	// of Run alone
	rooted   time.Time
	rootless bool // no root is being changed

	using sync.Mutex // while the server comes under another root

	mu       sync.Mutex
	atWork   map[string]bool
	due      map[string]time.Time // of rotations, by station; those of renewals are in their rows
	seen     map[string]sight
	requests map[string][]time.Time // for certificates, by station
	weaker   map[string]int         // profile by which stations came and were refused
	shown    map[string]event.CertificateEnd
	look     map[string]struct{} // stations of which there may be something to tell
	marks    marks
}

// sight is the password that a station came with last, while its password is changed.
type sight struct {
	which store.Password
	at    time.Time
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
	if o.AtOnce <= 0 {
		o.AtOnce = 16
	}
	if o.Settle <= 0 {
		o.Settle = 2 * time.Second
	}
	if o.Again <= 0 {
		o.Again = 10 * time.Second
	}
	if o.AgainRefused <= 0 {
		o.AgainRefused = time.Hour
	}
	if o.Return <= 0 {
		o.Return = 15 * time.Minute
	}
	return &Service{
		o: o, wake: make(chan struct{}, 1), begun: o.Now(), atWork: make(map[string]bool), due: make(map[string]time.Time), seen: make(map[string]sight),
		requests: make(map[string][]time.Time), weaker: make(map[string]int), shown: make(map[string]event.CertificateEnd),
		look: make(map[string]struct{}), marks: newMarks(),
	}
}

// Run does what is to be done until ctx ends, and waits for what is at work.
func (s *Service) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	var renewed time.Time
	for {
		if now := s.o.Now(); now.Sub(renewed) >= renewalLook {
			renewed = now
			s.renewDue(ctx)
			s.watch(ctx, true)
		} else {
			s.watch(ctx, false)
		}
		s.round(ctx, &group)
		s.roots(ctx, &group)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// round begins what is due, as far as there is room.
func (s *Service) round(ctx context.Context, group *sync.WaitGroup) {
	now := s.o.Now()
	for _, r := range s.o.Store.Rotations() {
		if (!r.State.Active() || s.dueAt(r.Station).After(now)) && !s.sawNext(r) {
			continue
		}
		s.begin(ctx, group, r.Station, func() (time.Duration, error) { return s.rotate(ctx, r.Station) })
	}
	for _, u := range s.o.Store.Upgrades() {
		// A new password and a new profile at once: nobody could say which it was.
		if r, ok := s.o.Store.Rotation(u.Station); ok && r.State.Active() || !s.raisable(u) {
			continue
		}
		s.begin(ctx, group, u.Station, func() (time.Duration, error) { return 0, s.raise(ctx, u.Station) })
	}
	for _, r := range s.o.Store.Renewals() {
		if !r.State.Active() || r.DueAt.After(now) || !s.worth(r) {
			continue
		}
		s.begin(ctx, group, r.Station, func() (time.Duration, error) { return 0, s.renew(ctx, r.Station) })
	}
}

// begin does one thing at a station unless something is done there. What it returns is
// how long is waited before the next.
func (s *Service) begin(ctx context.Context, group *sync.WaitGroup, station string, do func() (time.Duration, error)) {
	s.mu.Lock()
	if s.atWork[station] || len(s.atWork) >= s.o.AtOnce {
		s.mu.Unlock()
		return
	}
	s.atWork[station] = true
	s.mu.Unlock()
	group.Go(func() {
		wait, err := do()
		if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrNotFound) {
			s.o.Logger.WarnContext(ctx, "how a station proves itself was not changed", "station", station, "err", err)
			wait = max(wait, s.o.Again)
		}
		s.mu.Lock()
		delete(s.atWork, station)
		delete(s.due, station)
		s.look[station] = struct{}{}
		if wait > 0 {
			s.due[station] = s.o.Now().Add(wait)
		}
		s.mu.Unlock()
		s.kick()
	})
}

func (s *Service) dueAt(station string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.due[station]
}

func (s *Service) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// station is one that is connected to us and can be asked.
func (s *Service) station(id string) (*fleet.Station, bool) {
	if to, _ := s.o.Store.RelayOf(id); to != nil {
		return nil, false
	}
	st, ok := s.o.Fleet.Snapshot().Station(id)
	return st, ok && st.Online
}

// charging reports that a driver is there: what may cost the station its connection
// waits.
func charging(st *fleet.Station) bool {
	return slices.ContainsFunc(st.EVSEs, func(v fleet.EVSE) bool { return v.InUse() })
}

// word is the status in an answer, or why there is none.
func word(o event.CommandResult) string {
	if o.Status != answered {
		if o.ErrorCode != "" {
			return o.ErrorCode
		}
		return o.Status
	}
	var r struct {
		Status string `json:"status"`
		Set    []struct {
			Status string `json:"attributeStatus"`
		} `json:"setVariableResult"`
	}
	if json.Unmarshal(o.Response, &r) != nil {
		return "unreadable"
	}
	if len(r.Set) > 0 {
		return r.Set[0].Status
	}
	return r.Status
}

const answered = "answered"

// unable reports a word that says that the station does not know what it was asked.
func unable(word string) bool {
	switch word {
	case "NotSupported", "NotImplemented", "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType":
		return true
	}
	return false
}
