package door

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// hear makes events of what happened at a device that keeps no records, and lets in
// who asks and may. Who is let in was written down before: nobody enters without a
// trace.
func (c *one) hear(ctx context.Context, x Told) {
	open, err := c.note(ctx, x)
	if x.Done != nil {
		x.Done(err)
	}
	if err != nil && ctx.Err() == nil {
		c.s.log.WarnContext(ctx, "what happened at a door was not told", "controller", c.config.ID, "err", err)
	}
	if err != nil || !open {
		return
	}
	c.ends.Go(func() { // the next who shows a card does not wait for this door
		if err := c.driver.Do(ctx, Order{Door: x.Door, Answers: true}); err != nil && ctx.Err() == nil {
			c.s.log.WarnContext(ctx, "a door did not open for somebody who may enter", "controller", c.config.ID, "door", x.Door, "err", err)
		}
	})
}

// note tells what happened; open says that somebody is to be let in.
func (c *one) note(ctx context.Context, x Told) (open bool, err error) {
	r := x.Record
	var made []*event.Event
	if x.Asks {
		d, known := c.config.door(r.Door)
		if !known {
			return false, fmt.Errorf("door %d: %w", r.Door, ErrRefused)
		}
		a, first, duress, err := c.decide(ctx, d, &x)
		if err != nil {
			return false, err
		}
		at, quality := c.when(r.At)
		of := func(b event.Body) *event.Event {
			return &event.Event{Subject: event.Door(d.ID), At: at, DeviceAt: r.At, ReceivedAt: time.Now(), Quality: quality, Body: b}
		}
		if first != nil {
			made = append(made, of(first))
		}
		made, open = append(made, of(a)), a.Allowed
		if duress { // also where the door stays shut
			made = append(made, of(&event.DoorAlarm{SiteID: c.config.SiteID, Alarm: event.AlarmDuress, Active: true}))
		}
	} else if made, _, err = c.events(ctx, r); err != nil {
		return false, err
	}
	for i, e := range made {
		state, isState := e.Body.(*event.DoorState)
		if isState && state.State == state.Was {
			continue // it was seen already
		}
		var told event.DoorState
		if isState {
			told = *state
		}
		door := e.Subject.ID
		if x.Key == "" {
			err = c.s.o.Journal.Append(ctx, e)
		} else {
			err = c.s.o.Journal.Once(ctx, c.config.ID, x.Key+"#"+strconv.Itoa(i), e)
		}
		if err != nil {
			return false, err
		}
		if isState {
			c.mu.Lock()
			c.doors[door] = told
			c.mu.Unlock()
		}
		c.follows(ctx, e)
	}
	return open, nil
}

// lateAfter is how old what somebody showed may be: the door opens for nobody who
// left long ago.
const lateAfter = 10 * time.Second

// Codes of refusals that no row says.
const (
	lockedDown = string(access.Lockdown)
	tooLate    = "late"
)

// Bounds of guessing codes where we ask for them.
const (
	guessesMost = 5
	guessesIn   = time.Minute
)

// guessed notes a code that was wrong and reports whether there were too many.
func (c *one) guessed(n int, now time.Time, wrong bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.DeleteFunc(c.guesses[n], func(at time.Time) bool { return now.Sub(at) >= guessesIn })
	tooMany := len(list) >= guessesMost
	if wrong && !tooMany {
		list = append(list, now)
	}
	c.guesses[n] = list
	return tooMany
}

// decide lets in who showed something, or does not. Duress leaves no trace in what is
// told of it.
func (c *one) decide(ctx context.Context, d DoorConfig, x *Told) (a, first *event.Access, duress bool, err error) {
	a = &event.Access{SiteID: c.config.SiteID, DecidedBy: "policy", Method: "card", Out: x.Out}
	if x.Token == "" {
		a.Method = "pin"
	}
	now := time.Now()
	got, err := c.s.o.Policy.Decide(ctx, Asked{Door: d, Zone: c.config.Zone, Card: x.Card, Token: x.Token, PIN: x.PIN, At: now})
	if err != nil {
		return nil, nil, false, err
	}
	if got.Fault != "" {
		c.fault(ctx, event.ControllerPolicy, got.Fault, 0)
	}
	a.CredentialID, a.PersonID, a.TokenID = got.CredentialID, got.Person, got.TokenID
	a.Allowed, a.Code, a.Policy, a.Reason = got.Status == access.Accepted, string(got.Code), got.Policy, got.Reason
	tooMany := x.PIN != "" && c.guessed(d.Number, now, !a.Allowed)
	switch {
	case tooMany:
		refuse(a, "tooMany", "too many codes were wrong within a minute")
	case !a.Allowed:
	case c.want(d.Number) == Locked:
		refuse(a, lockedDown, "a lockdown holds at this door")
	case !x.At.IsZero() && now.Sub(x.At) > lateAfter, !x.Heard.IsZero() && now.Sub(x.Heard) > lateAfter:
		refuse(a, tooLate, "it was told too late to open the door")
	}
	return a, c.guarded(d, a, now), got.Duress, nil
}
