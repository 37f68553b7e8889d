package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// MaxPending is how many unknown stations may wait for approval. A full list
// lets go of the one not seen for longest, if that is a day ago; else it
// refuses.
const MaxPending = 500

const pendingStale = 24 * time.Hour

// Announcement is what an unknown station tells of itself.
type Announcement struct {
	ID         string
	Vendor     string
	Model      string
	Serial     string
	Protocol   string
	RemoteAddr string
	Onboarding event.Onboarding // pending, or accepted where onboarding is open
}

// Announce notes a station nobody enrolled, or news of one that waits. A
// station that people decided about is returned as it is.
func (s *Store) Announce(ctx context.Context, a Announcement) (*Enrolment, error) {
	if err := validID("identity", a.ID); err != nil {
		return nil, err
	}
	if _, known := s.stations.get(a.ID); !known && a.Onboarding == event.OnboardingPending {
		// Strangers come in one by one: many who look for room at the same time
		// would all find the last place free.
		s.announcing.Lock()
		defer s.announcing.Unlock()
	}
	if err := s.makeRoom(ctx, a); err != nil {
		return nil, err
	}
	defer s.lock(a.ID).Unlock()
	e := &Enrolment{ID: a.ID, Onboarding: a.Onboarding, CreatedAt: fromMillis(millis(s.now()))}
	old, known := s.stations.get(a.ID)
	if known {
		if old.Onboarding != event.OnboardingPending {
			return old, nil
		}
		*e = *old
		if a.Onboarding == event.OnboardingAccepted {
			e.Onboarding = a.Onboarding
		}
	}
	keep := func(into *string, said string) {
		if said != "" {
			*into = clip(said, 255)
		}
	}
	keep(&e.Vendor, a.Vendor)
	keep(&e.Model, a.Model)
	keep(&e.Serial, a.Serial)
	keep(&e.Protocol, a.Protocol)
	keep(&e.RemoteAddr, a.RemoteAddr)
	e.SeenAt = fromMillis(millis(s.now()))
	action := "station.announce"
	if e.Onboarding == event.OnboardingAccepted {
		action = "station.admit"
	}
	if known && e.same(old) {
		return old, nil
	}
	if err := s.putStation(ctx, System, action, e); err != nil {
		return nil, err
	}
	return e, nil
}

// same reports whether an announcement brings no news but the time, and that
// not since an hour ago.
func (e *Enrolment) same(old *Enrolment) bool {
	return e.Onboarding == old.Onboarding && e.Vendor == old.Vendor && e.Model == old.Model && e.Serial == old.Serial &&
		e.Protocol == old.Protocol && e.RemoteAddr == old.RemoteAddr && e.SeenAt.Sub(old.SeenAt) < time.Hour
}

func (s *Store) makeRoom(ctx context.Context, a Announcement) error {
	if a.Onboarding != event.OnboardingPending {
		return nil
	}
	if _, ok := s.stations.get(a.ID); ok || s.Pending() < MaxPending {
		return nil
	}
	var oldest *Enrolment
	for e := range s.stations.all() {
		if e.Onboarding == event.OnboardingPending && (oldest == nil || e.SeenAt.Before(oldest.SeenAt)) {
			oldest = e
		}
	}
	if oldest == nil || s.now().Sub(oldest.SeenAt) < pendingStale {
		return fmt.Errorf("stations waiting for approval: %w", ErrFull)
	}
	if err := s.RemoveStation(ctx, System, oldest.ID); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// Pending is the number of stations that wait for approval.
func (s *Store) Pending() int {
	s.pendingMu.Lock()
	defer s.pendingMu.Unlock()
	return s.pending
}

func (s *Store) countPending(delta int) {
	s.pendingMu.Lock()
	defer s.pendingMu.Unlock()
	s.pending += delta
}

// clip cuts text to at most n bytes at a character's edge.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n]
}
