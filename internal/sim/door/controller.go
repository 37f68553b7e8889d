package door

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/uhppote"
)

// Controller is one board with four doors.
type Controller struct {
	farm   *Farm
	serial uint32
	zone   *time.Location

	mu       sync.Mutex
	dead     bool // without power
	drift    time.Duration
	listener uhppote.Listener
	saidAt   time.Time
	special  bool
	cards    []uhppote.Card
	profiles map[byte]uhppote.Profile
	keypads  [uhppote.Doors]bool
	doors    [uhppote.Doors]door
	fire     bool
	records  []uhppote.Record // a part of all, in order
	last     uint32           // index of the newest that there ever was
	kept     uint32           // an index that somebody keeps here
	sequence uint32
	deaf     bool // sends nothing by itself
	passback uhppote.Passback
	barred   map[pass]bool // by anti-passback
	airlock  uhppote.Airlock
}

type door struct {
	mode     uhppote.Mode
	delay    byte
	unlocked time.Time // until when
	open     time.Time // since when; zero: shut
	held     bool      // and it was said that it stands open too long
}

func newController(f *Farm, serial uint32, zone *time.Location) *Controller {
	c := &Controller{farm: f, serial: serial, zone: zone, profiles: map[byte]uhppote.Profile{}, barred: map[pass]bool{}}
	for i := range c.doors {
		c.doors[i] = door{mode: uhppote.Controlled, delay: 5}
	}
	return c
}

// Serial is its number.
func (c *Controller) Serial() uint32 { return c.serial }

// now is what its clock shows.
func (c *Controller) now() time.Time { return time.Now().Add(c.drift).In(c.zone) }

// Outcome is what a board decided.
type Outcome struct {
	Granted bool
	Reason  uhppote.Reason
	Index   uint32 // of the record
}

// Swipe shows a card at a door from outside, with a PIN if one is typed in; 0:
// none. The door is unlocked if it is let in, and not opened.
func (c *Controller) Swipe(n int, card, pin uint32) Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || n < 1 || n > uhppote.Doors {
		return Outcome{}
	}
	reason := c.judge(n, card, pin)
	granted := reason == uhppote.Swipe
	if granted {
		c.unlock(n)
		c.passed(n, card)
	}
	index := c.record(uhppote.Record{Type: uhppote.Swiped, Granted: granted, Door: byte(n), Direction: uhppote.In, Card: card, Reason: reason})
	return Outcome{granted, reason, index}
}

// Duress shows a card with a code that says that somebody is made to open.
func (c *Controller) Duress(n int, card uint32) Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || n < 1 || n > uhppote.Doors {
		return Outcome{}
	}
	c.unlock(n)
	index := c.record(uhppote.Record{Type: uhppote.Warning, Granted: true, Door: byte(n), Direction: uhppote.In, Card: card, Reason: uhppote.Threat})
	return Outcome{true, uhppote.Threat, index}
}

func (c *Controller) judge(n int, number, pin uint32) uhppote.Reason {
	i := slices.IndexFunc(c.cards, func(x uhppote.Card) bool { return x.Number == number })
	if i < 0 {
		return uhppote.Denied
	}
	card, now := c.cards[i], c.now()
	if today := uhppote.DateOf(now); today.Before(card.From) || card.To.Before(today) {
		return uhppote.Denied
	}
	if card.PIN != 0 && c.keypads[n-1] && pin != card.PIN {
		return uhppote.WrongPIN
	}
	switch right := card.Doors[n-1]; {
	case right == uhppote.Never || right > uhppote.LastProfile:
		return uhppote.NoPrivilege
	case right != uhppote.Always && !c.within(right, now):
		return uhppote.OutsideProfile
	}
	if c.doors[n-1].mode == uhppote.NormallyClosed && !c.fire {
		return uhppote.NormallyShut
	}
	switch {
	case c.locksOut(n):
		return uhppote.Interlock
	case c.barred[pass{number, n}]:
		return uhppote.AntiPassback
	}
	return uhppote.Swipe
}

// within looks at a profile and those it is linked to. A board lets in whom a
// profile holds that it does not have.
func (c *Controller) within(id byte, now time.Time) bool {
	today, minute := uhppote.DateOf(now), uhppote.Minute(now.Hour()*60+now.Minute())
	for seen := map[byte]bool{}; id >= uhppote.FirstProfile && id <= uhppote.LastProfile && !seen[id]; {
		seen[id] = true
		p, ok := c.profiles[id]
		if !ok {
			return true
		}
		if !today.Before(p.From) && !p.To.Before(today) && p.Days[now.Weekday()] {
			for _, s := range p.Segments {
				if s != (uhppote.Segment{}) && minute >= s.From && minute <= s.To {
					return true
				}
			}
		}
		id = p.Linked
	}
	return false
}

func (c *Controller) unlock(n int) {
	d := &c.doors[n-1]
	d.unlocked = time.Now().Add(time.Duration(d.delay) * time.Second)
}

func (c *Controller) isUnlocked(n int) bool {
	d := &c.doors[n-1]
	return c.fire || d.mode == uhppote.NormallyOpen || time.Now().Before(d.unlocked)
}

// Press pushes the button inside: the way out is never locked but by a mode that
// somebody set on the board.
func (c *Controller) Press(n int) {
	c.at(n, func() {
		if c.doors[n-1].mode == uhppote.NormallyClosed {
			c.record(uhppote.Record{Type: uhppote.Warning, Door: byte(n), Direction: uhppote.In, Card: 6, Reason: uhppote.ButtonLocked})
			return
		}
		if c.locksOut(n) { // so do boards: the handle and the fire input open all the same
			c.record(uhppote.Record{Type: uhppote.Warning, Door: byte(n), Direction: uhppote.In, Card: 6, Reason: uhppote.ButtonInterlock})
			return
		}
		c.unlock(n)
		c.note(n, 1, uhppote.Button)
	})
}

// Open opens the door: by force if it is locked.
func (c *Controller) Open(n int) {
	c.at(n, func() {
		d := &c.doors[n-1]
		if !d.open.IsZero() {
			return
		}
		forced := !c.isUnlocked(n)
		d.open, d.held = time.Now(), false
		if forced {
			c.record(uhppote.Record{Type: uhppote.Warning, Door: byte(n), Direction: uhppote.In, Card: 5, Reason: uhppote.ForcedOpen})
		} else {
			c.note(n, 8, uhppote.Opened)
		}
	})
}

// Shut closes the door.
func (c *Controller) Shut(n int) {
	c.at(n, func() {
		d := &c.doors[n-1]
		if !d.open.IsZero() {
			d.open, d.held, d.unlocked = time.Time{}, false, time.Time{}
			c.note(n, 9, uhppote.Closed)
		}
	})
}

// Fire turns the fire input on or off; while it is on every door is unlocked.
func (c *Controller) Fire(on bool) {
	c.at(1, func() {
		if on && !c.fire {
			c.record(uhppote.Record{Type: uhppote.Warning, Card: 7, Reason: uhppote.Fire})
		}
		c.fire = on
	})
}

// Drift makes the clock wrong.
func (c *Controller) Drift(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drift = by
}

// Power takes it away or brings it back. Lists, modes and records stay.
func (c *Controller) Power(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if was := c.dead; on && was {
		c.dead = false
		c.record(uhppote.Record{Type: uhppote.Warning, Reason: uhppote.PowerOn})
	}
	c.dead = !on
}

// Mute keeps it from sending anything by itself, as a network does that loses
// datagrams.
func (c *Controller) Mute(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = on
}

// Wipe is a board that was set back at the factory: it has nothing any more.
func (c *Controller) Wipe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cards, c.records, c.kept, c.last = nil, nil, 0, 0
	c.profiles = map[byte]uhppote.Profile{}
}

// GoOn makes records follow on one that an earlier run of the same controller had.
func (c *Controller) GoOn(after uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last, after)
}

// Listen sets where it sends what happens, as somebody else on the network can.
func (c *Controller) Listen(to netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listener.To = to
}

// Cards are those it lets in, by number.
func (c *Controller) Cards() map[uint32]uhppote.Card {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[uint32]uhppote.Card{}
	for _, x := range c.cards {
		out[x.Number] = x
	}
	return out
}

// PutCard adds a card, as somebody else on the network can.
func (c *Controller) PutCard(x uhppote.Card) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(x)
}

func (c *Controller) put(x uhppote.Card) {
	if i := slices.IndexFunc(c.cards, func(have uhppote.Card) bool { return have.Number == x.Number }); i >= 0 {
		c.cards[i] = x
	} else {
		c.cards = append(c.cards, x)
	}
}

// Profiles are its time profiles.
func (c *Controller) Profiles() map[byte]uhppote.Profile {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.profiles)
}

// Mode is how a door is controlled.
func (c *Controller) Mode(n int) uhppote.Mode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doors[n-1].mode
}

// Unlocked reports whether a door can be opened now.
func (c *Controller) Unlocked(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isUnlocked(n)
}

// Now is what its clock shows.
func (c *Controller) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// Listener is where it sends what happens.
func (c *Controller) Listener() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listener.To
}

func (c *Controller) at(n int, do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead && n >= 1 && n <= uhppote.Doors {
		do()
	}
}

// note records what a board records only when it was asked to.
func (c *Controller) note(n int, card uint32, why uhppote.Reason) {
	if c.special {
		c.record(uhppote.Record{Type: uhppote.DoorRecord, Granted: true, Door: byte(n), Direction: uhppote.In, Card: card, Reason: why})
	}
}

func (c *Controller) record(r uhppote.Record) uint32 {
	c.last++
	r.Index = c.last
	r.At = uhppote.ClockOf(c.now())
	c.records = append(c.records, r)
	if over := len(c.records) - c.farm.o.Keep; over > 0 {
		c.records = slices.Delete(c.records, 0, over)
	}
	c.say()
	return r.Index
}

// say sends how it is to whoever listens.
func (c *Controller) say() {
	if c.dead || c.deaf || !c.listener.To.IsValid() || c.listener.To.Port() == 0 {
		return
	}
	c.sequence++
	c.saidAt = time.Now()
	c.farm.send(c.serial, c.status(), c.listener.To)
}

// look finds doors that stand open too long, and says again how it is when that
// is wanted.
func (c *Controller) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return
	}
	now := time.Now()
	for i := range c.doors {
		d := &c.doors[i]
		if !d.open.IsZero() && !d.held && d.mode != uhppote.NormallyOpen && !c.fire && now.Sub(d.open) >= c.farm.o.HeldAfter {
			d.held = true
			c.record(uhppote.Record{Type: uhppote.Warning, Door: byte(i + 1), Direction: uhppote.In, Card: 4, Reason: uhppote.HeldOpen})
		}
	}
	if every := time.Duration(c.listener.Interval) * time.Second; every > 0 && now.Sub(c.saidAt) >= every {
		c.say()
	}
}

func (c *Controller) status() *uhppote.Status {
	s := &uhppote.Status{Now: uhppote.ClockOf(c.now()), Sequence: c.sequence, Fire: c.fire}
	if n := len(c.records); n > 0 {
		s.Last = c.records[n-1]
	}
	for i := range c.doors {
		s.Open[i], s.Unlocked[i] = !c.doors[i].open.IsZero(), c.isUnlocked(i+1)
	}
	return s
}

// Seen finds the record of an index, for those who compare.
func (c *Controller) Seen(index uint32) (uhppote.Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.find(index); r.Index == index {
		return r, nil
	}
	return uhppote.Record{}, fmt.Errorf("no record %d", index)
}

func (c *Controller) find(index uint32) uhppote.Record {
	n := len(c.records)
	switch {
	case n == 0:
		return uhppote.Record{}
	case index == 0:
		return c.records[0]
	case index < c.records[0].Index:
		return uhppote.Record{Type: uhppote.Overwritten}
	case index > c.records[n-1].Index:
		return uhppote.Record{}
	}
	return c.records[index-c.records[0].Index]
}
