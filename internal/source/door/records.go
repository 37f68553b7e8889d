package door

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// catchUp reads what the controller recorded and tells it, each record once. False:
// it could not go on.
func (c *one) catchUp(ctx context.Context, l Look) bool {
	recorder, ok := c.driver.(Recorder)
	if !ok {
		return true
	}
	if c.cursor.Record == fresh {
		c.cursor = Cursor{Record: l.Newest}
	}
	if l.Newest < c.cursor.Record {
		// Somebody set it back, or put another in its place.
		c.noted[event.ControllerLost] = time.Now()
		c.fault(ctx, event.ControllerLost, "its records begin anew", 0)
		c.cursor = Cursor{}
	}
	for c.cursor.Record < l.Newest || c.cursor.Parts > 0 {
		after := c.cursor.Record
		if c.cursor.Parts > 0 {
			after-- // not all of it was told
		}
		list, err := recorder.Records(ctx, after, atOnce)
		for _, r := range list {
			if !c.tell(ctx, r) {
				return false
			}
		}
		if err != nil {
			c.missed(ctx, err)
			return false
		}
		if len(list) == 0 {
			c.cursor.Parts = 0
			return true
		}
	}
	return true
}

// tell makes events of a record. Those of it that were told before are left out;
// a record makes the same ones each time.
func (c *one) tell(ctx context.Context, r Record) bool {
	events, open, err := c.events(ctx, r)
	if err != nil {
		if ctx.Err() == nil {
			c.s.log.WarnContext(ctx, "what happened at a door cannot be decided about", "controller", c.config.ID, "err", err)
		}
		return false
	}
	from := 0
	if r.Index == c.cursor.Record {
		from = min(c.cursor.Parts, len(events))
	}
	for i := from; i < len(events); i++ {
		to := Cursor{r.Index, i + 1}
		if i+1 == len(events) {
			to.Parts = 0
		}
		e := events[i]
		state, isState := e.Body.(*event.DoorState)
		var told event.DoorState
		if isState {
			told = *state
		}
		door := e.Subject.ID
		if err := c.s.o.Journal.Tell(ctx, c.config.ID, to, e); err != nil {
			if ctx.Err() == nil {
				c.s.log.WarnContext(ctx, "what happened at a door was not told", "controller", c.config.ID, "err", err)
			}
			return false
		}
		c.cursor = to
		if isState {
			c.mu.Lock()
			c.doors[door] = told
			c.mu.Unlock()
		}
		c.follows(ctx, e)
	}
	if r.Cause == RemoteOpen && len(events) == 0 {
		// Read again after a start it would be somebody else's.
		if err := c.s.o.Journal.Pass(ctx, c.config.ID, Cursor{Record: r.Index}); err != nil {
			if ctx.Err() == nil {
				c.s.log.WarnContext(ctx, "how far a door controller was read is not kept", "controller", c.config.ID, "err", err)
			}
			return false
		}
	}
	c.cursor = Cursor{Record: r.Index}
	if open {
		c.expect(r.Door, true)
		c.ends.Go(func() {
			if err := c.driver.Do(ctx, Order{Door: r.Door, Answers: true}); err != nil && ctx.Err() == nil {
				c.s.log.WarnContext(ctx, "a door did not open for somebody who may enter", "controller", c.config.ID, "door", r.Door, "err", err)
			}
		})
	}
	return true
}

// events are what a record means, and whether somebody is to be let in. Which ones they
// are depends on the record alone, and on who was there before where two are wanted.
func (c *one) events(ctx context.Context, r Record) (_ []*event.Event, open bool, _ error) {
	at, quality := c.when(r.At)
	made := func(s event.Subject, b event.Body) *event.Event {
		return &event.Event{Subject: s, At: at, DeviceAt: r.At, ReceivedAt: time.Now(), Quality: quality, Body: b}
	}
	if r.Lost {
		c.noted[event.ControllerLost] = time.Now()
		c.fault(ctx, event.ControllerLost, fmt.Sprintf("records up to %d were overwritten before they were read", r.Index), 0)
		return nil, false, nil
	}
	var out []*event.Event
	alarm := func(kind event.DoorAlarmKind) {
		for _, d := range c.config.Doors {
			if r.Door == 0 || d.Number == r.Door {
				out = append(out, made(event.Door(d.ID), &event.DoorAlarm{SiteID: c.config.SiteID, Alarm: kind, Active: true, Record: r.Index}))
			}
		}
	}
	d, known := c.config.door(r.Door)
	switch r.Cause {
	case Fire:
		alarm(event.AlarmFire)
	case Alarm:
		alarm(alarmOf(r.Code))
	case Duress:
		alarm(event.AlarmDuress)
	}
	if !known {
		return out, false, nil
	}
	state := func(to event.DoorCondition, why string) {
		c.mu.Lock()
		was := c.doors[d.ID].State
		c.mu.Unlock()
		out = append(out, made(event.Door(d.ID), &event.DoorState{SiteID: c.config.SiteID, State: to, Was: was, Reason: why, Record: r.Index, Since: at.UTC()}))
	}
	switch r.Cause {
	case Opened:
		state(event.DoorOpen, "opened")
	case Closed:
		rests, _ := c.rests(d)
		state(rests, "closed")
	case ForcedOpen:
		state(event.DoorForced, "forced")
	case HeldOpen:
		state(event.DoorHeld, "held")
	}
	a, first, err := c.attempt(ctx, d, r, at)
	if err != nil {
		return nil, false, err
	}
	for _, x := range []*event.Access{first, a} {
		if x != nil {
			out = append(out, made(event.Door(d.ID), x))
		}
	}
	return out, d.Online && a != nil && a.Allowed && !r.Granted, nil
}

// alarmOf are the alarms of a board that are neither fire nor duress.
func alarmOf(code int) event.DoorAlarmKind {
	if code == 43 {
		return event.AlarmEmergency
	}
	return event.AlarmTamper
}

// when is when something happened that a controller says the time of.
func (c *one) when(said time.Time) (time.Time, event.TimeQuality) {
	now := time.Now()
	if said.IsZero() {
		return now, event.TimeReceived
	}
	c.mu.Lock()
	offset := c.status.Offset
	c.mu.Unlock()
	quality := event.TimeDevice
	if offset.Abs() > clockWrong {
		said, quality = said.Add(-offset), event.TimeCorrected
	}
	if said.After(now) {
		said = now
	}
	return said, quality
}

// attempt says who wanted to go through a door, if a record is about that, and who is let
// in with them.
func (c *one) attempt(ctx context.Context, d DoorConfig, r Record, at time.Time) (a, first *event.Access, _ error) {
	a = &event.Access{
		SiteID: c.config.SiteID, Allowed: r.Granted, DecidedBy: "controller", Code: string(r.Cause), Method: "card", Out: r.Out, Record: r.Index,
	}
	switch r.Cause {
	case Button, ButtonRefused:
		a.Method, a.Out, a.Allowed = "button", true, r.Cause == Button
		return a, nil, nil
	case SuperPassword:
		a.Method, a.Differs, a.Why = "pin", true, "a code of the controller, which belongs to nobody"
		return a, nil, nil
	case RemoteOpen:
		a.Method, a.Allowed = "remote", true
		switch ours, told := c.ours(r.Door); {
		case told:
			return nil, nil, nil
		case ours:
			a.DecidedBy = "person"
			return a, nil, nil
		}
		a.Differs, a.Why = true, "nobody opened it from here"
		c.noted[event.ControllerForeign] = time.Now()
		c.fault(ctx, event.ControllerForeign, fmt.Sprintf("door %d was opened from afar, not by this server", r.Door), 0)
		return a, nil, nil
	}
	if !r.Cause.Attempt() && r.Cause != Duress {
		return nil, nil, nil
	}
	if r.Card == 0 && r.Token == "" {
		return a, nil, nil
	}
	got, err := c.s.o.Policy.Decide(ctx, Asked{Door: d, Zone: c.config.Zone, Card: r.Card, Token: r.Token, PINGiven: (r.Granted || d.Online && r.Cause == NoPrivilege) && d.Keypad && c.withPIN(r.Card), At: at})
	if err != nil {
		return nil, nil, err
	}
	if got.Fault != "" {
		c.fault(ctx, event.ControllerPolicy, got.Fault, 0)
	}
	a.CredentialID, a.PersonID, a.TokenID = got.CredentialID, got.Person, got.TokenID
	allowed := got.Status == access.Accepted
	if d.Online && !r.Granted && (r.Cause == NoPrivilege || r.Cause == UnknownCard) {
		a.Allowed, a.Code, a.Policy, a.Reason = allowed, string(got.Code), got.Policy, got.Reason
		return a, c.admit(d, a, at), nil
	}
	// What the device alone knows, such as a wrong code or who is inside already, is no
	// disagreement.
	lists := []Cause{NoPrivilege, OutsideHours, UnknownCard}
	a.Differs = r.Granted && !allowed || !r.Granted && allowed && slices.Contains(lists, r.Cause)
	if a.Differs {
		a.Why = got.Reason
	}
	if allowed == r.Granted {
		a.Code, a.Policy, a.Reason = string(got.Code), got.Policy, got.Reason
	}
	if r.Cause == Duress {
		a.Code = string(Duress)
	}
	c.remark(d, a, at)
	return a, nil, nil
}

// withPIN reports whether a card needs a code where there is a keypad.
func (c *one) withPIN(card uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.applied != nil && c.applied.Cards[card].PIN != 0
}
