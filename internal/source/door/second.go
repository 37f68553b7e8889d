package door

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// secondWithin is how long somebody waits at a door for the second person that it wants.
const secondWithin = 30 * time.Second

// Codes of what this room decides beside the policies.
const (
	waitsForSecond = "waits"
	nameless       = "nameless"
)

// waiting is somebody whom the policies let in and who waits for a second person.
type waiting struct {
	access event.Access
	at     time.Time
}

// second holds the rule of two people at a door that has it: whoever comes first waits,
// and both are let in when somebody else with a right comes in time. Two cards of one
// person are one person, and a card of nobody by name is nobody. Who goes out needs no
// second. It returns what is told of the first.
func (c *one) second(d DoorConfig, a *event.Access, at time.Time) *event.Access {
	if !d.TwoPerson || !a.Allowed || a.Out {
		return nil
	}
	if a.PersonID == "" {
		refuse(a, nameless, "this door wants two people, and the credential is nobody's by name")
		return nil
	}
	if w, waits := c.waits[d.Number]; waits && w.access.PersonID != a.PersonID && at.Sub(w.at).Abs() <= secondWithin {
		delete(c.waits, d.Number)
		first := w.access
		first.With, a.With = a.PersonID, first.PersonID
		return &first
	}
	c.waits[d.Number] = waiting{*a, at}
	refuse(a, waitsForSecond, "waits for a second person")
	return nil
}

// refuse makes a refusal of what the policies permit.
func refuse(a *event.Access, code, reason string) {
	a.Allowed, a.Code, a.Policy, a.Reason = false, code, "", reason
}

// admit lets in where the lists of a controller let nobody in, because it cannot know what
// has to be known: it recorded who was there, we decide and open from afar.
func (c *one) admit(d DoorConfig, a *event.Access, at time.Time) (first *event.Access) {
	a.DecidedBy = "policy"
	switch {
	case !a.Allowed:
	case c.want(d.Number) == Locked:
		refuse(a, lockedDown, "a lockdown holds at this door")
	case time.Since(at) > lateAfter:
		refuse(a, tooLate, "it was told too late to open the door")
	}
	return c.guarded(d, a, at)
}
