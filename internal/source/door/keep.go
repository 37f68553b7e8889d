package door

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// keep looks after what is seldom changed until ctx ends: whom the controller
// tells, the modes of its doors, its lists.
func (c *one) keep(ctx context.Context) {
	t := time.NewTicker(inspectEvery)
	defer t.Stop()
	var readAt time.Time
	for ctx.Err() == nil {
		asked := readAt.IsZero()
		if err := c.inspect(ctx); err == nil {
			if whole := asked || time.Since(readAt) >= readEvery; whole || c.outdated(ctx) {
				if err = c.sync(ctx); err == nil {
					readAt = time.Now()
				}
			}
			c.noteSync(ctx, err)
		} else if ctx.Err() == nil && !errors.Is(err, ErrAway) {
			c.s.log.WarnContext(ctx, "a door controller was not looked after", "controller", c.config.ID, "err", err)
		}
		wait := t.C
		if readAt.IsZero() {
			wait = time.After(c.s.o.Poll) // it was not there yet
		}
		select {
		case <-ctx.Done():
		case <-wait:
		case <-c.wake:
			readAt = time.Time{}
		}
	}
}

// noteSync tells whether the lists could be given to the controller.
func (c *one) noteSync(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrAway) {
		return
	}
	c.s.log.WarnContext(ctx, "the lists of a door controller are not what they should be", "controller", c.config.ID, "err", err)
	c.fault(ctx, event.ControllerDrift, "its lists cannot be brought to what they should be", 0)
}

// outdated reports whether the lists should be others than they were.
func (c *one) outdated(ctx context.Context) bool {
	c.mu.Lock()
	have := c.applied
	c.mu.Unlock()
	if have == nil {
		return true
	}
	want, err := c.s.o.Policy.Lists(ctx, c.config, *have)
	return err != nil || !have.To(want.Lists).None()
}

// inspect looks at settings and modes and sets back what somebody else changed.
func (c *one) inspect(ctx context.Context) error {
	settings, ok := c.driver.(Settings)
	if !ok {
		return c.assume(ctx)
	}
	setup, err := settings.Inspect(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	first := len(c.modes) == 0
	c.status.Firmware = setup.Firmware
	for i, m := range setup.Modes {
		c.modes[i+1] = m
	}
	c.mu.Unlock()
	switch foreign := setup.Tells.IsValid() && setup.Tells.Addr() != setup.Us.Addr(); {
	case foreign:
		c.fault(ctx, event.ControllerListener, "it told somebody else what happens at its doors: "+setup.Tells.String(), 0)
	case setup.Tells == setup.Us:
		c.right(ctx, event.ControllerListener)
	}
	if first || setup.Tells != setup.Us {
		if err := c.adopt(ctx, settings); err != nil {
			return err
		}
	}
	if err := c.holdModes(ctx); err != nil {
		return err
	}
	return c.holdRules(ctx)
}

// assume begins with the modes that were told of doors whose controllers cannot be
// asked for them, and brings them to what people want.
func (c *one) assume(ctx context.Context) error {
	c.mu.Lock()
	for _, d := range c.config.Doors {
		if c.modes[d.Number] != "" {
			continue
		}
		c.modes[d.Number] = Controlled
		if c.doors[d.ID].State == event.DoorLockdown && !c.ordered[d.Number] {
			c.modes[d.Number] = Locked
		}
	}
	c.mu.Unlock()
	return c.holdModes(ctx)
}

func (c *one) adopt(ctx context.Context, s Settings) error {
	var pads []bool
	for _, d := range c.config.Doors {
		for len(pads) < d.Number {
			pads = append(pads, false)
		}
		pads[d.Number-1] = d.Keypad
	}
	return s.Adopt(ctx, pads)
}

// want is the mode that a door should have.
func (c *one) want(n int) Mode {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ordered[n] || c.locked[n] {
		return Locked
	}
	return Controlled
}

// holdModes brings the modes of doors to what people want.
func (c *one) holdModes(ctx context.Context) error {
	for _, d := range c.config.Doors {
		c.mu.Lock()
		have, known := c.modes[d.Number]
		c.mu.Unlock()
		want := c.want(d.Number)
		if !known || have == want {
			continue
		}
		if have == Unlocked {
			c.noteDrift(ctx, fmt.Sprintf("door %d stood unlocked for everybody", d.Number))
		}
		if err := c.setMode(ctx, d, want); err != nil {
			return err
		}
	}
	return nil
}

func (c *one) setMode(ctx context.Context, d DoorConfig, want Mode) error {
	if err := c.driver.Do(ctx, Order{Door: d.Number, Mode: want}); err != nil {
		return err
	}
	c.mu.Lock()
	c.modes[d.Number] = want
	x := c.doors[d.ID]
	c.mu.Unlock()
	switch x.State {
	case event.DoorLocked, event.DoorUnlocked, event.DoorLockdown:
		rests, why := c.rests(d)
		c.become(ctx, d, rests, why, time.Now())
	}
	return nil
}

// lock keeps everybody out of a door, or ends that.
func (c *one) lock(ctx context.Context, d DoorConfig, on bool) error {
	c.mu.Lock()
	was, scenario := c.ordered[d.Number], c.locked[d.Number]
	c.ordered[d.Number] = on
	c.mu.Unlock()
	if !on && scenario {
		return fmt.Errorf("a lockdown of the site holds: %w", ErrRefused)
	}
	mode := Controlled
	if on {
		mode = Locked
	}
	err := c.setMode(ctx, d, mode)
	if err != nil {
		c.mu.Lock()
		c.ordered[d.Number] = was
		c.mu.Unlock()
	}
	return err
}

// sync reads the lists, tells what somebody else changed, and brings them to what
// people decided.
func (c *one) sync(ctx context.Context) error {
	keeper, ok := c.driver.(Keeper)
	if !ok {
		c.mu.Lock()
		for _, d := range c.config.Doors {
			c.locked[d.Number] = c.s.o.Policy.Locked(d)
		}
		c.mu.Unlock()
		return c.holdModes(ctx)
	}
	have, err := keeper.Lists(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	applied, midway := c.applied, c.midway
	c.mu.Unlock()
	drifted := applied != nil && !midway && !applied.To(have).None()
	if drifted {
		d := applied.To(have)
		c.noteDrift(ctx, fmt.Sprintf("somebody else changed %d of its cards and profiles", d.Size()))
	}
	want, err := c.s.o.Policy.Lists(ctx, c.config, have)
	if err != nil {
		return err
	}
	if applied == nil && !midway && !c.adopted {
		if n := surplus(have, want.Lists); n > 0 {
			c.noteDrift(ctx, fmt.Sprintf("%d of its cards open what nobody gave them", n))
		}
	}
	if err := c.lockAll(ctx, want); err != nil {
		return err
	}
	c.notePolicy(ctx, want)
	if !have.To(want.Lists).None() {
		c.mu.Lock()
		c.midway = true
		c.mu.Unlock()
		if err := keeper.Change(ctx, have, want.Lists); err != nil {
			return err
		}
		if have, err = keeper.Lists(ctx); err != nil {
			return err
		}
		if d := have.To(want.Lists); !d.None() {
			return fmt.Errorf("%d differences after they were changed: %w", d.Size(), ErrRefused)
		}
	} else if !drifted {
		c.right(ctx, event.ControllerDrift)
	}
	c.mu.Lock()
	c.applied, c.midway = &have, false
	c.status.Cards, c.status.SyncedAt = len(have.Cards), time.Now()
	c.mu.Unlock()
	return nil
}

// surplus counts cards that may more than they should.
func surplus(have, want access.Lists) int {
	n := 0
	for number, c := range have.Cards {
		should := want.Cards[number]
		for i, right := range c.Rights {
			if right != access.Never && should.Rights[i] == access.Never {
				n++
				break
			}
		}
	}
	return n
}

// lockAll brings lockdowns of sites to the doors.
func (c *one) lockAll(ctx context.Context, want access.Compiled) error {
	c.mu.Lock()
	for i, on := range want.Locked {
		c.locked[i+1] = on
	}
	c.mu.Unlock()
	return c.holdModes(ctx)
}

func (c *one) noteDrift(ctx context.Context, detail string) {
	c.fault(ctx, event.ControllerDrift, detail, 0)
}

// notePolicy tells what the rows want and the controller cannot.
func (c *one) notePolicy(ctx context.Context, want access.Compiled) {
	var full, twice, pins int
	for _, x := range want.Left {
		switch x.Why {
		case access.LeftFull:
			full++
		case access.LeftTwice:
			twice++
		case access.LeftNoKeypad, access.LeftNoPIN:
			pins++
		}
	}
	if full+twice > 0 {
		c.fault(ctx, event.ControllerPolicy, fmt.Sprintf("%d rights have no room on the controller, %d cards have the number of another", full, twice), 0)
	} else {
		c.right(ctx, event.ControllerPolicy)
	}
	if pins > 0 {
		c.fault(ctx, event.ControllerKeypad, fmt.Sprintf("%d rights want a code that the person does not have or the door cannot ask for", pins), 0)
	} else {
		c.right(ctx, event.ControllerKeypad)
	}
}
