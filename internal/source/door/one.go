package door

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// one is a controller that is kept. Two goroutines speak to it: follow reads what
// happens, keep looks after lists, modes and settings.
type one struct {
	s      *Service
	config Config
	driver Driver
	closes func()
	wake   chan struct{} // keep: what people decided changed
	cancel context.CancelFunc
	ends   sync.WaitGroup

	adopted bool // its past is not ours

	// Of keep: whether it was brought to its rules, whether it knows none, and when its
	// airlocks were set.
	ruled, unruly bool
	airlockAt     time.Time

	cursor    Cursor // of follow
	awaySince time.Time
	noted     map[event.ControllerFaultKind]time.Time // faults of a moment, by when
	waits     map[int]waiting                         // for a second person, by door

	mu       sync.Mutex
	status   Status
	faults   map[event.ControllerFaultKind]Fault
	doors    map[string]event.DoorState // as told, by id
	modes    map[int]Mode               // as found
	ordered  map[int]bool               // locked down by a person
	locked   map[int]bool               // by a scenario
	blind    map[string]bool            // doors without a contact, by id
	guesses  map[int][]time.Time        // codes that were refused, by door
	expected map[int][]opening          // doors that we are about to open
	fire     bool
	applied  *access.Lists // as last found right; nil: not yet
	midway   bool          // we began to change them
}

func newOne(s *Service, c Config) *one {
	x := &one{
		s: s, config: c, wake: make(chan struct{}, 1), faults: map[event.ControllerFaultKind]Fault{}, doors: map[string]event.DoorState{},
		noted: map[event.ControllerFaultKind]time.Time{}, modes: map[int]Mode{}, ordered: map[int]bool{}, locked: map[int]bool{}, expected: map[int][]opening{}, waits: map[int]waiting{}, blind: map[string]bool{}, guesses: map[int][]time.Time{},
	}
	x.driver, x.closes = s.o.Open(c)
	return x
}

// succeed takes over what the one before knew of the lists of the same controller: who does
// not know how they were takes a change of people's mind for one by somebody else.
func (c *one) succeed(before *one) {
	if before.config.Address != c.config.Address || before.config.Serial != c.config.Serial {
		return
	}
	c.applied, c.midway, c.adopted = before.applied, before.midway, before.adopted
}

func (c *one) begin(ctx context.Context) {
	ctx, c.cancel = context.WithCancel(ctx)
	c.ends.Go(func() {
		if c.remember(ctx) {
			c.ends.Go(func() { c.keep(ctx) })
			c.follow(ctx)
		}
	})
}

func (c *one) end() {
	if c.cancel != nil {
		c.cancel()
		c.ends.Wait()
	}
	c.closes()
}

// remember loads what the journal has of it; false: ctx ended.
func (c *one) remember(ctx context.Context) bool {
	for {
		told, err := c.s.o.Told(ctx, c.config)
		if err == nil {
			c.cursor, err = c.s.o.Journal.Cursor(ctx, c.config.ID)
		}
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			for id, state := range told.Doors {
				c.doors[id] = state
			}
			for _, d := range c.config.Doors {
				x := c.doors[d.ID]
				c.ordered[d.Number] = x.State == event.DoorLockdown && x.Reason == byPerson
			}
			for _, kind := range told.Faults {
				c.faults[kind] = Fault{Kind: kind}
			}
			if c.cursor == (Cursor{}) && !met(told) {
				c.cursor.Record, c.adopted = fresh, true
			}
			return true
		}
		c.s.log.WarnContext(ctx, "what is known of a door controller cannot be read", "controller", c.config.ID, "err", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pollEvery):
		}
	}
}

// met reports whether a controller ever answered.
func met(told Memory) bool {
	for _, x := range told.Doors {
		if known(x.State) {
			return true
		}
	}
	return false
}

// known reports a condition that was seen.
func known(x event.DoorCondition) bool {
	return x != "" && x != event.DoorOffline && x != event.DoorUnknown
}

// fresh is the cursor of a controller of which nothing was ever read: its past is
// not ours.
const fresh = ^uint32(0)

// Reasons of a lockdown.
const (
	byPerson   = "lockdown"
	byScenario = "scenario"
)

// follow reads what happens until ctx ends.
func (c *one) follow(ctx context.Context) {
	poll := time.NewTicker(c.s.o.Poll)
	defer poll.Stop()
	var told <-chan Told
	if t, ok := c.driver.(Teller); ok {
		told = t.Told()
	}
	c.look(ctx, 0)
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-told:
			c.hear(ctx, x)
		case <-poll.C:
			c.look(ctx, 0)
		case ring := <-c.driver.Rings():
			newest := ring.Index
			for len(c.driver.Rings()) > 0 {
				newest = max(newest, (<-c.driver.Rings()).Index)
			}
			if newest != 0 && newest <= c.cursor.Record {
				continue // it was read already
			}
			if !c.look(ctx, newest) {
				// Nothing had happened: who rings for nothing does not keep us busy.
				select {
				case <-ctx.Done():
					return
				case <-time.After(ringPause):
				}
			}
		}
	}
}

// look asks how the controller is and reads what is new; rung is the index that a
// ring spoke of, if one did. It reports whether there was something new.
func (c *one) look(ctx context.Context, rung uint32) bool {
	began := c.cursor.Record
	for range 4 { // what happens while we read is read too
		l, err := c.driver.Look(ctx)
		if err != nil {
			c.missed(ctx, err)
			return false
		}
		now := time.Now()
		c.heard(ctx, l, now)
		before := c.cursor.Record
		if !c.catchUp(ctx, l) {
			return c.cursor.Record != began
		}
		if rung > l.Newest && rung > c.cursor.Record {
			c.noted[event.ControllerUnrecorded] = now
			c.fault(ctx, event.ControllerUnrecorded, fmt.Sprintf("a message spoke of record %d; the newest is %d", rung, l.Newest), 0)
		}
		for _, kind := range []event.ControllerFaultKind{event.ControllerUnrecorded, event.ControllerForeign, event.ControllerLost} {
			if now.Sub(c.noted[kind]) >= quietFor {
				c.right(ctx, kind)
			}
		}
		rung = 0
		if c.cursor.Record == before {
			c.settle(ctx, l, now)
			break
		}
	}
	return c.cursor.Record != began
}

// missed notes that it does not answer.
func (c *one) missed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	if c.awaySince.IsZero() {
		c.awaySince = now
	}
	detail := "it does not answer"
	if away, ok := errors.AsType[*AwayError](err); ok {
		detail = away.Why
	}
	if errors.Is(err, ErrDenied) {
		detail = "its address may not be reached"
	} else if now.Sub(c.awaySince) < time.Duration(awayPolls*float64(c.s.o.Poll)) {
		return
	}
	c.mu.Lock()
	c.status.Online = false
	if c.status.Since.IsZero() || c.faults[event.ControllerOffline].Kind == "" {
		c.status.Since = c.awaySince
	}
	c.mu.Unlock()
	c.fault(ctx, event.ControllerOffline, detail, 0)
	for _, d := range c.config.Doors {
		c.become(ctx, d, event.DoorOffline, "unreachable", c.awaySince)
	}
}

// heard notes that it answered, and how its clock goes.
func (c *one) heard(ctx context.Context, l Look, now time.Time) {
	c.awaySince = time.Time{}
	offset := l.Clock.Sub(now).Round(time.Second)
	if l.Clock.IsZero() {
		offset = 0
	}
	c.mu.Lock()
	if !c.status.Online && !l.Unheard {
		c.status.Online, c.status.Since = true, now
	}
	c.status.Offset, c.status.Record = offset, l.Newest
	c.fire = l.Fire
	c.mu.Unlock()
	if !l.Unheard {
		c.noteAway(ctx, l)
	}
	settings, can := c.driver.(Settings)
	switch {
	case !can: // it has no clock that is ours to set
	case l.Clock.IsZero():
		c.fault(ctx, event.ControllerClock, "its clock was never set", 0)
	case offset.Abs() > clockWrong:
		c.fault(ctx, event.ControllerClock, fmt.Sprintf("its clock is wrong by %s", offset), offset)
	default:
		c.right(ctx, event.ControllerClock)
		can = can && offset.Abs() > clockDrifts
	}
	if can {
		if err := settings.SetClock(ctx, time.Now()); err != nil && ctx.Err() == nil {
			c.s.log.WarnContext(ctx, "the clock of a door controller was not set", "controller", c.config.ID, "err", err)
		}
	}
}

// noteAway tells of doors whose devices do not answer while their controller does.
func (c *one) noteAway(ctx context.Context, l Look) {
	var away []string
	for _, d := range c.config.Doors {
		if d.Number >= 1 && d.Number <= len(l.Doors) && l.Doors[d.Number-1].Away {
			away = append(away, strconv.Itoa(d.Number))
		}
	}
	if l.Trouble != "" {
		c.fault(ctx, event.ControllerOffline, l.Trouble, 0)
		return
	}
	if len(away) == 0 {
		c.right(ctx, event.ControllerOffline)
		return
	}
	c.fault(ctx, event.ControllerOffline, "the device does not answer at door "+strings.Join(away, ", "), 0)
}

// settle brings the conditions of doors to what was seen, where nothing was
// recorded of it.
func (c *one) settle(ctx context.Context, l Look, now time.Time) {
	for _, d := range c.config.Doors {
		if d.Number < 1 || d.Number > len(l.Doors) {
			continue
		}
		seen := l.Doors[d.Number-1]
		open := seen.Open
		c.mu.Lock()
		x := c.doors[d.ID]
		c.blind[d.ID] = seen.Blind
		c.mu.Unlock()
		switch unheard := x.State == "" || x.State == event.DoorOffline; {
		case seen.Away:
			c.become(ctx, d, event.DoorOffline, "unreachable", now)
			continue
		case seen.Unseen && unheard:
			c.become(ctx, d, event.DoorUnknown, "unseen", now)
			continue
		case seen.Unseen:
			continue
		}
		was := x.State == event.DoorOpen || x.State == event.DoorHeld || x.State == event.DoorForced
		rests, why := c.rests(d)
		if _, relay := c.driver.(Teller); relay && seen.Unlocked && rests == event.DoorLocked {
			rests, why = event.DoorUnlocked, "relay"
		}
		switch {
		case open && !was:
			c.become(ctx, d, event.DoorOpen, "open", now)
		case open && x.State == event.DoorOpen && d.HeldAfter > 0 && now.Sub(x.Since) >= d.HeldAfter:
			c.become(ctx, d, event.DoorHeld, "held", now)
		case !open && was:
			c.become(ctx, d, rests, "closed", now)
		case !open:
			if x.State == event.DoorOffline {
				why = "back"
			}
			c.become(ctx, d, rests, why, now)
		}
	}
}

// rests is how a door is that is shut, and why.
func (c *one) rests(d DoorConfig) (event.DoorCondition, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mode := c.modes[d.Number]
	switch {
	case c.fire:
		return event.DoorUnlocked, "fire"
	case mode == Locked && c.ordered[d.Number]:
		return event.DoorLockdown, byPerson
	case mode == Locked:
		return event.DoorLockdown, byScenario
	case mode == Unlocked:
		return event.DoorUnlocked, "mode"
	case mode == "" && c.doors[d.ID].State == event.DoorLockdown:
		return event.DoorLockdown, c.doors[d.ID].Reason // it was not inspected yet
	}
	return event.DoorLocked, "released"
}

// become tells that a door is in another condition.
func (c *one) become(ctx context.Context, d DoorConfig, to event.DoorCondition, why string, since time.Time) {
	c.mu.Lock()
	was := c.doors[d.ID]
	c.mu.Unlock()
	if was.State == to {
		return
	}
	if was.State == "" && to == event.DoorLocked {
		why = "adopted"
	}
	next := event.DoorState{SiteID: c.config.SiteID, State: to, Was: was.State, Reason: why, Since: since.UTC()}
	e := &event.Event{Subject: event.Door(d.ID), At: since, ReceivedAt: time.Now(), Quality: event.TimeReceived, Body: &next}
	told := next
	var err error
	if first := !known(was.State) && known(to) && c.cursor.Record != fresh; first {
		// What was recorded before is not ours; what comes after is, from here on.
		err = c.s.o.Journal.Tell(ctx, c.config.ID, c.cursor, e)
	} else {
		err = c.s.o.Journal.Append(ctx, e)
	}
	if err != nil {
		if ctx.Err() == nil {
			c.s.log.WarnContext(ctx, "the condition of a door was not told", "door", d.ID, "err", err)
		}
		return // it is told at the next look
	}
	c.mu.Lock()
	c.doors[d.ID] = told
	c.mu.Unlock()
	c.moved(ctx, d, &told, since)
}

// fault tells that something is wrong; what is told already only gets new words.
func (c *one) fault(ctx context.Context, kind event.ControllerFaultKind, detail string, offset time.Duration) {
	now := time.Now()
	c.mu.Lock()
	f, told := c.faults[kind]
	if told {
		f.Detail = detail
		if f.Since.IsZero() {
			f.Since = now
		}
		c.faults[kind] = f
	}
	c.mu.Unlock()
	if !told && c.say(ctx, &event.ControllerFault{Fault: kind, Active: true, Detail: detail, OffsetS: offset.Seconds(), Since: now.UTC()}, now) {
		c.mu.Lock()
		c.faults[kind] = Fault{kind, detail, now}
		c.mu.Unlock()
	}
}

// right tells that it is not wrong any more.
func (c *one) right(ctx context.Context, kind event.ControllerFaultKind) {
	c.mu.Lock()
	_, told := c.faults[kind]
	c.mu.Unlock()
	now := time.Now()
	if told && c.say(ctx, &event.ControllerFault{Fault: kind, Since: now.UTC()}, now) {
		c.mu.Lock()
		delete(c.faults, kind)
		c.mu.Unlock()
	}
}

func (c *one) say(ctx context.Context, b *event.ControllerFault, now time.Time) bool {
	b.SiteID = c.config.SiteID
	err := c.s.o.Journal.Append(ctx, &event.Event{Subject: event.Controller(c.config.ID), At: now, ReceivedAt: now, Quality: event.TimeReceived, Body: b})
	if err != nil && ctx.Err() == nil {
		c.s.log.WarnContext(ctx, "a fault of a door controller was not told", "controller", c.config.ID, "err", err)
	}
	return err == nil
}

// opening is one of a door from afar that we are about to do.
type opening struct {
	at time.Time
	// answers is set where it lets in who showed something, which was told.
	answers bool
}

// expect notes that we are about to open a door.
func (c *one) expect(n int, answers bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected[n] = append(c.expected[n], opening{time.Now(), answers})
}

// ours reports whether a door was opened from afar by us, and whether that was told;
// each time counts once.
func (c *one) ours(n int) (ours, answers bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.expected[n]) > 0 {
		x := c.expected[n][0]
		c.expected[n] = c.expected[n][1:]
		if time.Since(x.at) <= expectFor {
			return true, x.answers
		}
	}
	return false, false
}
