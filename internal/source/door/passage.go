package door

import (
	"context"
	"errors"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Inside knows who is inside of areas, by what happened at all of their doors.
type Inside interface {
	// Judge says what is known of somebody who wants through a door.
	Judge(d DoorConfig, who string, out bool, at time.Time) access.Passage
	// Went notes that somebody was let through, Opened that a door was opened, Emptied
	// that it burns there: nobody stays inside.
	Went(d DoorConfig, who string, out bool, at time.Time)
	Opened(d DoorConfig, at time.Time)
	Emptied(d DoorConfig, at time.Time)
}

// Codes of refusals at doors of areas and airlocks.
const (
	isInside  = string(AntiPassback)
	airlocked = string(Interlock)
)

// Whose is who showed something, for who is inside; empty: nobody knows.
func Whose(a *event.Access) string {
	switch {
	case a.PersonID != "":
		return a.PersonID
	case a.CredentialID != "":
		return "credential/" + a.CredentialID
	}
	return ""
}

// guarded holds what is wanted beside a right where we let in: not to be inside already,
// the other doors of an airlock shut, a second person. Who goes out is let out. It returns
// what is told of the first of two.
func (c *one) guarded(d DoorConfig, a *event.Access, at time.Time) (first *event.Access) {
	if p := c.remark(d, a, at); a.Allowed && p.Refused() {
		a.Passback = ""
		refuse(a, isInside, "is inside of “"+p.Area.Name+"” already")
	}
	switch {
	case !a.Allowed:
		return nil
	case a.Out:
		c.s.airlocks.mu.Lock()
		c.s.opening(d, time.Now())
		c.s.airlocks.mu.Unlock()
		return nil
	}
	if why := c.s.claim(d, false); why != "" {
		refuse(a, airlocked, why)
		return nil
	}
	if first = c.second(d, a, at); !a.Allowed {
		return nil
	}
	if why := c.s.claim(d, true); why != "" { // somebody was faster at the other door
		refuse(a, airlocked, why)
		return nil
	}
	return first
}

// remark notes of somebody who is let through what does not fit to who is inside.
func (c *one) remark(d DoorConfig, a *event.Access, at time.Time) access.Passage {
	if c.s.o.Inside == nil || !a.Allowed {
		return access.Passage{}
	}
	p := c.s.o.Inside.Judge(d, Whose(a), a.Out, at)
	a.Passback = string(p.Kind)
	return p
}

// follows takes over what was told and is durable.
func (c *one) follows(ctx context.Context, e *event.Event) {
	d, err := c.config.called(e.Subject.ID)
	if err != nil {
		return
	}
	switch b := e.Body.(type) {
	case *event.Access:
		if b.Allowed && c.s.o.Inside != nil {
			c.s.o.Inside.Went(d, Whose(b), b.Out, e.At)
		}
	case *event.DoorAlarm:
		if b.Alarm == event.AlarmFire && b.Active && c.s.o.Inside != nil {
			c.s.o.Inside.Emptied(d, e.At)
		}
	case *event.DoorState:
		c.moved(ctx, d, b, e.At)
	}
}

var errNoDoor = errors.New("no such door")

// called finds a door by its id.
func (c *Config) called(id string) (DoorConfig, error) {
	for _, d := range c.Doors {
		if d.ID == id {
			return d, nil
		}
	}
	return DoorConfig{}, errNoDoor
}

// Forgive makes a controller that keeps anti-passback by itself begin anew: it knows of
// nobody then.
func (s *Service) Forgive(ctx context.Context, controller string) error {
	s.mu.RLock()
	c := s.list[controller]
	s.mu.RUnlock()
	if c == nil {
		return ErrAway
	}
	e, ok := c.driver.(Enforcer)
	if !ok || c.config.Rules.Passback == "" {
		return nil
	}
	return e.SetPassback(ctx, c.config.Rules.Passback)
}

// holdRules brings what a controller keeps by itself to what people want, and tells what
// somebody else changed. A form is set only if another is there: whoever is inside would
// be forgotten. Of airlocks nobody can ask it: they are set again now and then.
func (c *one) holdRules(ctx context.Context) error {
	e, ok := c.driver.(Enforcer)
	want := c.config.Rules
	if !ok || c.ruled && c.unruly && want == (access.BoardRules{}) {
		return nil
	}
	first := !c.ruled
	have, err := e.Passback(ctx)
	switch {
	case err != nil && !errors.Is(err, ErrAway) || ctx.Err() != nil:
		return err
	case err != nil:
		c.ruled, c.unruly = true, true
		if want.Passback != "" {
			c.fault(ctx, event.ControllerRules, "it does not say which anti-passback it keeps: its firmware may know none", 0)
		}
	case have != want.Passback:
		if !first {
			c.fault(ctx, event.ControllerRules, "somebody else changed the anti-passback that it keeps", 0)
		}
		if err := e.SetPassback(ctx, want.Passback); err != nil {
			return err
		}
		c.ruled, c.unruly = true, false
	default:
		c.ruled, c.unruly = true, false
		c.right(ctx, event.ControllerRules)
	}
	if first && !c.unruly || want.Airlock != "" && time.Since(c.airlockAt) >= readEvery {
		if err := e.SetAirlock(ctx, want.Airlock); err != nil {
			return err
		}
		c.airlockAt = time.Now()
	}
	return nil
}
