package output

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Run switches off what has been on for its time, lets requests expire and does what
// incidents want, until ctx ends. Then it switches off what could not do so by itself.
func (s *Service) Run(ctx context.Context) error {
	var work sync.WaitGroup
	if s.o.Incidents != nil {
		work.Go(func() { s.follow(ctx) })
	}
	for {
		wait := time.Hour
		if at := s.due(); !at.IsZero() {
			wait = max(at.Sub(s.o.Now()), 0)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			work.Wait()
			s.leave(context.WithoutCancel(ctx))
			return nil
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
		s.fire(ctx, &work)
	}
}

// due is when something is to be done next; zero: nothing is.
func (s *Service) due() time.Time {
	var next time.Time
	first := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.units {
		if u.on != nil && !u.busy {
			first(later(u.on.Until, u.again))
		}
		if u.request != nil {
			first(u.request.Until)
		}
	}
	for _, at := range s.waiting {
		first(at)
	}
	return next
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// fire does what is due.
func (s *Service) fire(ctx context.Context, work *sync.WaitGroup) {
	now := s.o.Now()
	over := make(map[string]*Request)
	s.mu.Lock()
	for id, u := range s.units {
		if u.on != nil && !u.busy && !now.Before(later(u.on.Until, u.again)) {
			u.busy = true
			incident := u.on.Incident
			work.Go(func() { s.expire(ctx, id, u, incident) })
		}
		if u.request != nil && !now.Before(u.request.Until) {
			over[id] = u.request
			u.request = nil
		}
	}
	var acts []waits
	for w, at := range s.waiting {
		if !now.Before(at) {
			delete(s.waiting, w)
			acts = append(acts, w)
		}
	}
	s.mu.Unlock()
	for id, r := range over {
		if o, ok := s.o.Store.Output(id); ok {
			if err := s.noteRequest(ctx, o, r, "expired", ""); err != nil && ctx.Err() == nil {
				s.o.Logger.WarnContext(ctx, "the end of a request is not in the journal", "output", id, "err", err)
			}
		}
		s.o.Changed(ctx, id)
	}
	for _, w := range acts {
		work.Go(func() { s.automatic(ctx, w) })
	}
}

// expire switches off what has been on for its time.
func (s *Service) expire(ctx context.Context, id string, u *unit, incident string) {
	defer func() {
		s.mu.Lock()
		u.busy = false
		s.mu.Unlock()
		s.stir()
	}()
	_, err := s.Switch(ctx, Wish{Output: id, Incident: incident, cause: event.OutputTime})
	if err == nil || ctx.Err() != nil {
		return
	}
	if errors.Is(err, store.ErrNotFound) {
		s.mu.Lock()
		delete(s.units, id)
		s.mu.Unlock()
		return
	}
	s.o.Logger.WarnContext(ctx, "an output does not go off", "output", id, "err", err)
}

// leave switches off, as we stop, what would stay on without us.
func (s *Service) leave(ctx context.Context) {
	var work sync.WaitGroup
	s.mu.Lock()
	for id, u := range s.units {
		o, ok := s.o.Store.Output(id)
		if !ok || u.on == nil || timesItself(o) {
			continue
		}
		incident := u.on.Incident
		work.Go(func() {
			if _, err := s.Switch(ctx, Wish{Output: id, Incident: incident, cause: event.OutputStop}); err != nil {
				s.o.Logger.WarnContext(ctx, "an output does not go off as we stop", "output", id, "err", err)
			}
		})
	}
	s.mu.Unlock()
	work.Wait()
}

// timesItself reports whether the device goes off without us.
func timesItself(o *store.Output) bool {
	return o.Driver == store.OutputWebhook || o.Preset == store.PresetShelly || o.Preset == store.PresetTasmota || o.Preset == store.PresetZigbeeSiren
}
