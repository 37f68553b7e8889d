package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// doorAskFor is how long a wish to open a door waits for the second person.
const doorAskFor = time.Minute

// doorAsk is the wish of somebody to open a door that wants two people.
type doorAsk struct {
	id      string
	by      store.Actor
	at      time.Time
	command event.DoorCommand
}

func (a *doorAsk) until() time.Time { return a.at.Add(doorAskFor) }

// doorAsks are the open wishes, one for each door: there is one button. A start forgets
// them; who still wants in asks again.
type doorAsks struct {
	mu     sync.Mutex
	byDoor map[string]*doorAsk
}

func (x *doorAsks) put(door string, a *doorAsk) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byDoor == nil {
		x.byDoor = make(map[string]*doorAsk)
	}
	x.byDoor[door] = a
}

func (x *doorAsks) of(door string, now time.Time) *doorAsk {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a := x.byDoor[door]; a != nil && now.Before(a.until()) {
		return a
	}
	return nil
}

// take ends a wish, once.
func (x *doorAsks) take(door string, a *doorAsk) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byDoor[door] != a {
		return false
	}
	delete(x.byDoor, door)
	return true
}

// DoorAskShape is a wish to open a door that waits for a second person.
type DoorAskShape struct {
	ID        string    `json:"id"`
	By        string    `json:"by" doc:"opaque id"`
	ByName    string    `json:"byName"`
	At        time.Time `json:"at"`
	ExpiresAt time.Time `json:"expiresAt"`
	Seconds   float64   `json:"seconds"`
	Reason    string    `json:"reason"`
}

func (s *Server) doorAskShape(ctx context.Context, a *doorAsk) *DoorAskShape {
	return &DoorAskShape{
		ID: a.id, By: string(a.by), ByName: s.actorName(ctx, a.by), At: a.at.UTC(), ExpiresAt: a.until().UTC(), Seconds: a.command.Seconds, Reason: a.command.Reason,
	}
}

type doorAnswerInput struct {
	Door string `path:"door" maxLength:"64"`
	Body struct {
		Request string `json:"request" minLength:"1" maxLength:"64" doc:"id of the wish that is answered"`
	}
}

func (s *Server) registerDoorSecond() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{"doors"}}
	}
	add(s, atDoor(DoorsCommand).reauthenticated(), op("agreeToUnlock", "/doors/{door}/unlock/accept", "Be the second person: open a door that somebody else wants open"), s.agreeToUnlock)
	add(s, atDoor(DoorsCommand), op("declineUnlock", "/doors/{door}/unlock/decline", "End the wish to open a door; whoever asked may too"), s.declineUnlock)
}

// askToUnlock waits for a second person. A newer wish takes the place of an older.
func (s *Server) askToUnlock(ctx context.Context, d *store.Door, c event.DoorCommand) (*doorOutput, error) {
	by := who(ctx).actor()
	a := &doorAsk{id: strings.ToLower(rand.Text()), by: by, at: s.now(), command: c}
	noted := c
	noted.Command, noted.SiteID, noted.Done = "unlockAsked", d.SiteID, true
	s.doorAsks.put(d.ID, a)
	if err := s.o.Store.NoteDoorCommand(context.WithoutCancel(ctx), by, d.ID, noted); err != nil {
		s.doorAsks.take(d.ID, a)
		return nil, err
	}
	return &doorOutput{Body: s.doorShape(ctx, d, who(ctx))}, nil
}

func (s *Server) agreeToUnlock(ctx context.Context, in *doorAnswerInput) (*doorOutput, error) {
	d, a, err := s.doorAsked(in)
	if err != nil {
		return nil, err
	}
	p := who(ctx)
	second, known := s.o.Store.PersonBehind(ctx, p.actor())
	first, someone := s.o.Store.PersonBehind(ctx, a.by)
	switch {
	case p.Session == nil || p.User == nil || !known, a.by == p.actor(), someone && first == second:
		return nil, problemf(http.StatusForbidden, "the second person is somebody else, who is signed in")
	case !s.doorAsks.take(d.ID, a):
		return nil, errAskOver
	}
	c := a.command
	c.ApprovedBy = string(p.actor())
	return s.commandDoor(ctx, a.by, d.ID, c, func(x Doors) error { return x.Unlock(ctx, d.ID, time.Duration(c.Seconds*float64(time.Second))) })
}

func (s *Server) declineUnlock(ctx context.Context, in *doorAnswerInput) (*doorOutput, error) {
	d, a, err := s.doorAsked(in)
	if err != nil {
		return nil, err
	}
	if !s.doorAsks.take(d.ID, a) {
		return nil, errAskOver
	}
	c := event.DoorCommand{SiteID: d.SiteID, Command: "unlockDeclined", Reason: a.command.Reason, Done: true}
	if err := s.o.Store.NoteDoorCommand(context.WithoutCancel(ctx), who(ctx).actor(), d.ID, c); err != nil {
		return nil, err
	}
	return &doorOutput{Body: s.doorShape(ctx, d, who(ctx))}, nil
}

var errAskOver = problemf(http.StatusConflict, "nobody asks for that any more")

func (s *Server) doorAsked(in *doorAnswerInput) (*store.Door, *doorAsk, error) {
	d, ok := s.o.Store.Door(in.Door)
	if !ok {
		return nil, nil, store.ErrNotFound
	}
	a := s.doorAsks.of(d.ID, s.now())
	if a == nil || a.id != in.Body.Request {
		return nil, nil, errAskOver
	}
	return d, a, nil
}
