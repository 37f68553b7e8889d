package uhppote

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	wire "github.com/chargewatch/chargewatch/internal/proto/uhppote"
	"github.com/chargewatch/chargewatch/internal/source/door"
)

// Board is one controller.
type Board struct {
	network *Network
	serial  uint32
	at      netip.AddrPort
	zone    *time.Location
	rings   chan door.Ring

	turn sync.Mutex // one question at a time

	mu     sync.Mutex
	wanted wire.Code
	answer chan wire.Message // nil: nothing is asked
}

var (
	_ door.Driver   = (*Board)(nil)
	_ door.Recorder = (*Board)(nil)
	_ door.Keeper   = (*Board)(nil)
	_ door.Settings = (*Board)(nil)
)

// Rings says that something may have happened.
func (b *Board) Rings() <-chan door.Ring { return b.rings }

// answered gives an answer to whoever asked.
func (b *Board) answered(m wire.Message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answer == nil || b.wanted != m.Code() {
		return false
	}
	b.answer <- m
	b.answer = nil
	return true
}

// tries is how often a question is asked that changes nothing by being repeated.
const tries = 3

// ask sends a question until there is an answer that fits.
func ask[T wire.Message](ctx context.Context, b *Board, m wire.Message, fits func(T) bool) (T, error) {
	return askTimes(ctx, b, m, tries, fits)
}

func askTimes[T wire.Message](ctx context.Context, b *Board, m wire.Message, times int, fits func(T) bool) (T, error) {
	var none T
	if err := b.network.check(b.at); err != nil {
		return none, err
	}
	b.turn.Lock()
	defer b.turn.Unlock()
	for range times {
		if err := ctx.Err(); err != nil {
			return none, fmt.Errorf("%w: %w", door.ErrAway, err)
		}
		answer := make(chan wire.Message, 1)
		b.mu.Lock()
		b.wanted, b.answer = m.Code(), answer
		b.mu.Unlock()
		if err := b.network.send(b.serial, m, b.at); err != nil {
			return none, err
		}
		late := time.NewTimer(b.network.o.Wait)
		select {
		case got := <-answer:
			late.Stop()
			if x, ok := got.(T); ok && (fits == nil || fits(x)) {
				return x, nil
			}
		case <-late.C:
		case <-ctx.Done():
			late.Stop()
		}
		b.mu.Lock()
		b.answer = nil
		b.mu.Unlock()
	}
	return none, door.ErrAway
}

// order asks for something to be done.
func (b *Board) order(ctx context.Context, m wire.Message, times int) error {
	done, err := askTimes[*wire.Done](ctx, b, m, times, nil)
	if err != nil {
		return err
	}
	if !done.OK {
		return door.ErrRefused
	}
	return nil
}

// Look asks how it is now.
func (b *Board) Look(ctx context.Context) (door.Look, error) {
	s, err := ask[*wire.Status](ctx, b, &wire.GetStatus{}, nil)
	if err != nil {
		return door.Look{}, fmt.Errorf("look at the controller: %w", err)
	}
	out := door.Look{Clock: b.moment(s.Now), Fire: s.Fire}
	if s.Last.Type != wire.NoRecord {
		out.Newest = s.Last.Index
	}
	for i := range wire.Doors {
		out.Doors = append(out.Doors, door.DoorLook{Open: s.Open[i], Unlocked: s.Unlocked[i]})
	}
	return out, nil
}

// Records reads in order what was recorded after an index.
func (b *Board) Records(ctx context.Context, after uint32, most int) ([]door.Record, error) {
	newest, err := b.record(ctx, wire.NewestEvent())
	if err != nil || newest.Type == wire.NoRecord || newest.Index <= after {
		return nil, err
	}
	var out []door.Record
	next := after + 1
	if after == 0 {
		oldest, err := b.record(ctx, &wire.GetEvent{Index: 0})
		if err != nil {
			return nil, err
		}
		next = max(oldest.Index, 1)
	}
	for len(out) < most && next <= newest.Index {
		r, err := b.record(ctx, &wire.GetEvent{Index: next})
		if err != nil {
			return out, err
		}
		switch {
		case r.Type == wire.Overwritten:
			oldest, err := b.record(ctx, &wire.GetEvent{Index: 0})
			if err != nil {
				return out, err
			}
			if oldest.Index <= next {
				return out, fmt.Errorf("record %d is gone and nothing older is there: %w", next, door.ErrRefused)
			}
			out = append(out, door.Record{Index: oldest.Index - 1, Lost: true, Cause: door.Other})
			next = oldest.Index
			continue
		case r.Type == wire.NoRecord || r.Index != next:
			return out, nil
		}
		out = append(out, b.read(r))
		next++
	}
	return out, nil
}

func (b *Board) record(ctx context.Context, of *wire.GetEvent) (wire.Record, error) {
	// An answer to an earlier question that was late is not one to this.
	r, err := ask(ctx, b, of, func(r *wire.EventReply) bool {
		return of.Newest() || of.Index == 0 || r.Index == of.Index || r.Type == wire.NoRecord || r.Type == wire.Overwritten
	})
	if err != nil {
		return wire.Record{}, fmt.Errorf("read a record of the controller: %w", err)
	}
	return r.Record, nil
}

// moment is when the clock showed that; of two, as the clock is put back, the one
// closer to now.
func (b *Board) moment(c wire.Clock) time.Time {
	first := c.In(b.zone)
	if again := first.Add(time.Hour); !c.IsZero() && wire.ClockOf(again.In(b.zone)) == c && time.Since(again).Abs() < time.Since(first).Abs() {
		return again
	}
	return first
}

func (b *Board) read(r wire.Record) door.Record {
	why := cause(r.Reason)
	if r.Reason == wire.ButtonInterlock && r.Type == wire.Swiped {
		why = door.Interlock // some firmware says so of cards too
	}
	return door.Record{
		Index: r.Index, At: b.moment(r.At), Door: int(r.Door), Out: r.Direction == wire.Out,
		Card: r.Card, Granted: r.Granted, Cause: why, Code: int(r.Reason),
	}
}

// causes are the reasons that firmware gives.
var causes = map[wire.Reason]door.Cause{
	wire.Swipe: door.Swiped, wire.NoPrivilege: door.NoPrivilege, wire.WrongPIN: door.WrongPIN, wire.AntiPassback: door.AntiPassback,
	wire.MoreCards: door.MoreCards, wire.FirstCard: door.FirstCard, wire.NormallyShut: door.LockedDown, wire.Interlock: door.Interlock,
	wire.LimitedTimes: door.OutsideHours, wire.OutsideProfile: door.OutsideHours, wire.Denied: door.UnknownCard, wire.DeniedByServer: door.ByServer,
	wire.Button: door.Button, wire.ButtonLocked: door.ButtonRefused, wire.ButtonOffline: door.ButtonRefused, wire.ButtonInterlock: door.ButtonRefused,
	wire.Opened: door.Opened, wire.Closed: door.Closed, wire.SuperPassword: door.SuperPassword, wire.RemoteOpen: door.RemoteOpen, wire.RemoteOpenUSB: door.RemoteOpen,
	wire.PowerOn: door.PowerOn, wire.Reset: door.Reset, wire.Threat: door.Duress, wire.HeldOpen: door.HeldOpen, wire.ForcedOpen: door.ForcedOpen,
	wire.Fire: door.Fire, wire.ForcedClosed: door.Alarm, wire.Theft: door.Alarm, wire.DayZone: door.Alarm, wire.Emergency: door.Alarm,
}

func cause(r wire.Reason) door.Cause {
	if c, ok := causes[r]; ok {
		return c
	}
	return door.Other
}

// Do does what somebody ordered.
func (b *Board) Do(ctx context.Context, o door.Order) error {
	if o.Door < 1 || o.Door > wire.Doors {
		return fmt.Errorf("door %d: %w", o.Door, door.ErrRefused)
	}
	open := &wire.Open{Door: byte(o.Door)}
	if o.Mode == "" && o.For == 0 {
		return b.order(ctx, open, 1)
	}
	now, err := ask(ctx, b, &wire.GetControl{Door: byte(o.Door)}, func(r *wire.ControlReply) bool { return r.Door == byte(o.Door) })
	if err != nil {
		return fmt.Errorf("read the mode of a door: %w", err)
	}
	if o.Mode == "" {
		return b.openFor(ctx, open, now.Control, o.For)
	}
	return b.control(ctx, wire.Control{Door: byte(o.Door), Mode: modeOf(o.Mode), Delay: now.Delay})
}

// openFor opens a door for as long as somebody wants; then it is as before.
func (b *Board) openFor(ctx context.Context, m *wire.Open, as wire.Control, long time.Duration) error {
	seconds := (long + time.Second - 1) / time.Second
	if seconds > maxDelay {
		return fmt.Errorf("a controller opens for at most %d s: %w", maxDelay, door.ErrRefused)
	}
	longer := as
	longer.Delay = byte(seconds)
	if err := b.control(ctx, longer); err != nil {
		return err
	}
	err := b.order(ctx, m, 1)
	return errors.Join(err, b.control(context.WithoutCancel(ctx), as))
}

const maxDelay = 255

// control sets how a door is controlled.
func (b *Board) control(ctx context.Context, want wire.Control) error {
	got, err := ask(ctx, b, &wire.SetControl{Control: want}, func(r *wire.ControlReply) bool { return r.Door == want.Door })
	if err != nil {
		return fmt.Errorf("set the mode of a door: %w", err)
	}
	if got.Mode != want.Mode || got.Delay != want.Delay {
		return door.ErrRefused
	}
	return nil
}

func modeOf(m door.Mode) wire.Mode {
	switch m {
	case door.Locked:
		return wire.NormallyClosed
	case door.Unlocked:
		return wire.NormallyOpen
	}
	return wire.Controlled
}

// SetClock sets the clock to what clocks of its place show.
func (b *Board) SetClock(ctx context.Context, now time.Time) error {
	want := wire.ClockOf(now.In(b.zone))
	got, err := ask[*wire.ClockReply](ctx, b, &wire.SetClock{To: want}, nil)
	if err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	if off := got.In(b.zone).Sub(want.In(b.zone)); off < -2*time.Second || off > 2*time.Second {
		return fmt.Errorf("set the clock: %w", door.ErrRefused)
	}
	return nil
}

// Inspect reads what is seldom changed.
func (b *Board) Inspect(ctx context.Context) (door.Setup, error) {
	device, err := ask[*wire.Device](ctx, b, &wire.GetDevice{}, nil)
	if err != nil {
		return door.Setup{}, fmt.Errorf("ask the controller who it is: %w", err)
	}
	listener, err := ask[*wire.ListenerReply](ctx, b, &wire.GetListener{}, nil)
	if err != nil {
		return door.Setup{}, fmt.Errorf("read the listener: %w", err)
	}
	out := door.Setup{Firmware: device.Version.String(), Us: b.us()}
	if to := listener.To; to.Port() != 0 && !to.Addr().IsUnspecified() {
		out.Tells = to
	}
	for n := range byte(wire.Doors) {
		c, err := ask(ctx, b, &wire.GetControl{Door: n + 1}, func(r *wire.ControlReply) bool { return r.Door == n+1 })
		if err != nil {
			return door.Setup{}, fmt.Errorf("read the mode of a door: %w", err)
		}
		mode := door.Controlled
		switch c.Mode {
		case wire.NormallyClosed:
			mode = door.Locked
		case wire.NormallyOpen:
			mode = door.Unlocked
		}
		out.Modes = append(out.Modes, mode)
	}
	return out, nil
}

// Adopt makes the controller tell us, record doors and buttons too, and ask for
// PINs where there is a keypad.
func (b *Board) Adopt(ctx context.Context, keypads []bool) error {
	us := b.us()
	if !us.IsValid() {
		return errors.New("no way to the controller is known")
	}
	pads := &wire.Keypads{}
	copy(pads.On[:], keypads)
	for _, m := range []wire.Message{&wire.SetListener{Listener: wire.Listener{To: us}}, &wire.RecordSpecial{On: true}, pads} {
		if err := b.order(ctx, m, tries); err != nil {
			return fmt.Errorf("set up the controller: %w", err)
		}
	}
	return nil
}
