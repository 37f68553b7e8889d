package door

import (
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/proto/uhppote"
)

// pass is a card at a door.
type pass struct {
	card uint32
	door int
}

// sides are the doors of both sides, for each part of a form of anti-passback.
func sides(form uhppote.Passback) [][2]string {
	switch form {
	case uhppote.Passback12And34:
		return [][2]string{{"1", "2"}, {"3", "4"}}
	case uhppote.Passback13To24:
		return [][2]string{{"13", "24"}}
	case uhppote.Passback1To23:
		return [][2]string{{"1", "23"}}
	case uhppote.Passback1To234:
		return [][2]string{{"1", "234"}}
	case uhppote.NoPassback:
	}
	return nil
}

func doorsOf(list string) (out []int) {
	for _, r := range list {
		out = append(out, int(r-'0'))
	}
	return out
}

// passed notes that a card was let through: not again at its side before the other.
func (c *Controller) passed(n int, card uint32) {
	for _, s := range sides(c.passback) {
		here, there := doorsOf(s[0]), doorsOf(s[1])
		if slices.Contains(there, n) {
			here, there = there, here
		}
		if !slices.Contains(here, n) {
			continue
		}
		for _, d := range here {
			c.barred[pass{card, d}] = true
		}
		for _, d := range there {
			delete(c.barred, pass{card, d})
		}
	}
}

// locksOut reports whether another door of an interlock is open.
func (c *Controller) locksOut(n int) bool {
	groups := map[uhppote.Airlock]string{
		uhppote.Airlock12: "12", uhppote.Airlock34: "34", uhppote.Airlock12And34: "12,34", uhppote.Airlock123: "123", uhppote.Airlock1234: "1234",
	}[c.airlock]
	for group := range strings.SplitSeq(groups, ",") {
		doors := doorsOf(group)
		if slices.Contains(doors, n) && slices.ContainsFunc(doors, func(d int) bool { return d != n && !c.doors[d-1].open.IsZero() }) {
			return !c.fire
		}
	}
	return false
}

// Passback is the form of anti-passback that it keeps.
func (c *Controller) Passback() uhppote.Passback {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passback
}

// SetPassback changes it, as somebody else on the network can.
func (c *Controller) SetPassback(form uhppote.Passback) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(form)
}

// keep begins with a form; who was where is forgotten.
func (c *Controller) keep(form uhppote.Passback) {
	c.passback = form
	clear(c.barred)
}

// Airlock is the form of interlock that it keeps.
func (c *Controller) Airlock() uhppote.Airlock {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.airlock
}
