package door

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
)

// relay is a device in memory that keeps no records.
type relay struct {
	*board
	told  chan Told
	did   []Order
	looks []DoorLook
}

func (r *relay) Look(ctx context.Context) (Look, error) {
	l, err := r.board.Look(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	l.Newest, l.Clock = 0, time.Time{}
	if r.looks != nil {
		l.Doors = r.looks
	}
	return l, err
}

func (r *relay) Do(_ context.Context, o Order) error {
	r.set(func() { r.did = append(r.did, o) })
	return nil
}

func (r *relay) Told() <-chan Told { return r.told }

// Records is hidden: a relay has none.
type unrecorded struct {
	Driver
	Teller
}

// lenient lets everybody in, unless a lockdown holds.
type lenient struct {
	strict
	locked *atomic.Bool
}

func (l lenient) Locked(DoorConfig) bool { return l.locked != nil && l.locked.Load() }

func (lenient) Decide(_ context.Context, a Asked) (Decided, error) {
	d := access.Decision{Status: access.Accepted, Code: access.Allowed, CredentialID: "c-" + a.Token}
	if a.PIN == "0000" {
		d.Status, d.Code = access.Invalid, access.NeedsPIN
	}
	return Decided{Decision: d}, nil
}

func keepRelay(t *testing.T, r *relay, p *paper, locked *atomic.Bool) *Service {
	t.Helper()
	s := New(Options{Journal: p, Policy: lenient{locked: locked}, Told: p.told, Open: func(Config) (Driver, func()) { return unrecorded{r, r}, func() {} }})
	s.Apply([]Config{{ID: "c", SiteID: "yard", Zone: time.UTC, Doors: []DoorConfig{{ID: "gate", Number: 1}}}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return s
}

func newRelay() *relay { return &relay{board: newBoard(), told: make(chan Told)} }

func TestWhoAsksAtARelayIsLetInAfterItWasWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := newRelay(), newPaper()
		s := keepRelay(t, r, p, nil)
		swipe := func(x Told) {
			x.Asks, x.Door, x.Cause = true, 1, Swiped
			r.told <- x
			synctest.Wait()
		}
		swipe(Told{Record: Record{Token: "1"}})
		wants(t, p, "locked", "access allowed")
		if len(r.did) != 1 || !r.did[0].Answers || r.did[0].Mode != "" {
			t.Errorf("ordered %+v", r.did)
		}
		swipe(Told{Record: Record{Token: "1", At: time.Now().Add(-time.Minute)}})
		swipe(Told{Record: Record{Token: "1"}, Heard: time.Now().Add(-time.Minute)})
		wants(t, p, "locked", "access allowed", "access late", "access late")
		if err := s.Lockdown(t.Context(), "gate"); err != nil {
			t.Fatal(err)
		}
		swipe(Told{Record: Record{Token: "1"}})
		wants(t, p, "locked", "access allowed", "access late", "access late", "lockdown", "access lockdown")
		if len(r.did) != 2 || r.did[1].Mode != Locked {
			t.Errorf("ordered %+v", r.did)
		}
	})
}

// A lockdown of a site reaches a relay and leaves it, also if it ended while we were
// away.
func TestALockdownOfASiteHoldsAtARelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := newRelay(), newPaper()
		var locked atomic.Bool
		s := keepRelay(t, r, p, &locked)
		modes := func(want ...Mode) {
			t.Helper()
			synctest.Wait()
			var got []Mode
			r.set(func() {
				for _, o := range r.did {
					got = append(got, o.Mode)
				}
			})
			if !slices.Equal(got, want) {
				t.Errorf("ordered %q, want %q", got, want)
			}
		}
		locked.Store(true)
		s.Sync()
		modes(Locked)
		if err := s.Release(t.Context(), "gate"); !errors.Is(err, ErrRefused) {
			t.Errorf("released below a lockdown of the site: %v", err)
		}
		locked.Store(false)
		s.Sync()
		modes(Locked, Controlled)
		wants(t, p, "locked", "lockdown", "locked")
		locked.Store(true)
		s.Sync()
		synctest.Wait()
		s.Apply(nil)
		locked.Store(false)
		r.set(func() { r.did = nil })
		s.Apply([]Config{{ID: "c", SiteID: "yard", Zone: time.UTC, Doors: []DoorConfig{{ID: "gate", Number: 1}}}})
		modes(Controlled)
		wants(t, p, "locked", "lockdown", "locked", "lockdown", "locked")
	})
}

func TestCodesAreNotGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := newRelay(), newPaper()
		keepRelay(t, r, p, nil)
		for range guessesMost {
			r.told <- Told{Asks: true, PIN: "0000", Record: Record{Door: 1, Token: "1", Cause: Swiped}}
		}
		r.told <- Told{Asks: true, PIN: "4711", Record: Record{Door: 1, Token: "1", Cause: Swiped}}
		synctest.Wait()
		if said := p.said(); said[len(said)-1] != "access tooMany" || len(r.did) != 0 {
			t.Errorf("told %q, ordered %+v", said, r.did)
		}
		time.Sleep(guessesIn)
		r.told <- Told{Asks: true, PIN: "4711", Record: Record{Door: 1, Token: "1", Cause: Swiped}}
		synctest.Wait()
		if said := p.said(); said[len(said)-1] != "access allowed" || len(r.did) != 1 {
			t.Errorf("told %q, ordered %+v", said, r.did)
		}
	})
}

func TestWhatIsToldTwiceUnderAKeyIsThereOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := newRelay(), newPaper()
		keepRelay(t, r, p, nil)
		for range 2 {
			done := make(chan error, 1)
			r.told <- Told{Key: "k", Record: Record{Door: 1, Cause: Duress, Granted: true, Token: "1"}, Done: func(err error) { done <- err }}
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		wants(t, p, "locked", "alarm duress", "access duress")
		done := make(chan error, 1)
		r.told <- Told{Asks: true, Record: Record{Door: 9, Token: "1", Cause: Swiped}, Done: func(err error) { done <- err }}
		if err := <-done; !errors.Is(err, ErrRefused) {
			t.Errorf("at a ninth door: %v", err)
		}
	})
}

func TestADoorOfWhichNothingIsHeardIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := newRelay(), newPaper()
		r.looks = []DoorLook{{Unseen: true}}
		s := keepRelay(t, r, p, nil)
		wants(t, p, "unknown")
		look := func(l DoorLook) {
			r.set(func() { r.looks = []DoorLook{l} })
			r.rings <- Ring{}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		look(DoorLook{Blind: true, Unlocked: true})
		look(DoorLook{Blind: true})
		if !s.Blind("gate") {
			t.Error("somebody sees whether it stands open")
		}
		look(DoorLook{Away: true, Blind: true})
		look(DoorLook{Blind: true, Unseen: true})
		look(DoorLook{Blind: true})
		wants(t, p, "unknown", "unlocked", "locked", "fault offline", "offline", "right offline", "unknown", "locked")
	})
}
