package output

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Request is a wish that waits for a second person.
type Request struct {
	ID    string
	Wish  Wish
	At    time.Time
	Until time.Time
}

// newID returns an opaque id with 80 random bits.
func newID() string {
	var b [10]byte
	rand.Read(b[:]) //nolint:errcheck // documented never to fail
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// ask opens a request. A newer one replaces an older: there is one button.
func (s *Service) ask(ctx context.Context, o *store.Output, w Wish) error {
	if _, err := phrase(o, w.Phrase, w.Language); err != nil {
		return err
	}
	now := s.o.Now()
	if _, err := span(o, w.For, time.Time{}, now); err != nil {
		return err
	}
	r := &Request{ID: newID(), Wish: w, At: now, Until: now.Add(askFor)}
	s.mu.Lock()
	u := s.unit(o.ID)
	old := u.request
	u.request = r
	s.mu.Unlock()
	if old != nil {
		if err := s.noteRequest(ctx, o, old, "expired", ""); err != nil {
			return err
		}
	}
	if err := s.noteRequest(ctx, o, r, "asked", w.By); err != nil {
		s.mu.Lock()
		if u.request == r {
			u.request = nil
		}
		s.mu.Unlock()
		return err
	}
	s.stir()
	s.o.Changed(ctx, o.ID)
	return nil
}

func (s *Service) noteRequest(ctx context.Context, o *store.Output, r *Request, state string, by store.Actor) error {
	return s.o.Store.NoteOutputRequest(context.WithoutCancel(ctx), o.ID, event.OutputRequest{
		SiteID: o.SiteID, Label: o.Name(), Output: string(o.Kind), Request: r.ID, State: state, Seconds: r.Wish.For.Seconds(),
		Announcement: r.Wish.Phrase, Reason: r.Wish.Reason, Incident: r.Wish.Incident, AskedBy: string(r.Wish.By), By: string(by),
	})
}

// take ends the open request of an output, if it is this one and may is satisfied.
func (s *Service) take(id, request string, may func(*Request) error) (*Request, error) {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.units[id]
	if u == nil || u.request == nil || u.request.ID != request || !now.Before(u.request.Until) {
		return nil, ErrOver
	}
	if err := may(u.request); err != nil {
		return nil, err
	}
	r := u.request
	u.request = nil
	return r, nil
}

// Accept switches what somebody else asked for. The second person is one who is signed
// in: a script is nobody.
func (s *Service) Accept(ctx context.Context, id, request string, by store.Actor, signedIn bool) (Status, error) {
	o, ok := s.o.Store.Output(id)
	if !ok {
		return Status{}, fmt.Errorf("output %s: %w", id, store.ErrNotFound)
	}
	if !signedIn {
		return s.Status(id), ErrNobody
	}
	second, known := s.o.Person(ctx, by)
	if !known {
		return s.Status(id), ErrNobody
	}
	asked := s.Status(id).Request
	if asked == nil || asked.ID != request {
		return s.Status(id), ErrOver
	}
	first, known := s.o.Person(ctx, asked.Wish.By)
	r, err := s.take(id, request, func(r *Request) error {
		if r.Wish.By == by || known && first == second {
			return ErrNobody
		}
		return nil
	})
	if err != nil {
		return s.Status(id), err
	}
	if err := s.noteRequest(ctx, o, r, "accepted", by); err != nil {
		return s.Status(id), err
	}
	w := r.Wish
	w.agreed, w.approved = true, by
	return s.Switch(ctx, w)
}

// Decline ends a request. Whoever asked may do so as well.
func (s *Service) Decline(ctx context.Context, id, request string, by store.Actor) (Status, error) {
	o, ok := s.o.Store.Output(id)
	if !ok {
		return Status{}, fmt.Errorf("output %s: %w", id, store.ErrNotFound)
	}
	r, err := s.take(id, request, func(*Request) error { return nil })
	if err != nil {
		return s.Status(id), err
	}
	err = s.noteRequest(ctx, o, r, "declined", by)
	s.o.Changed(ctx, id)
	return s.Status(id), err
}
