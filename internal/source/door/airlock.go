package door

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// opensFor is how long a door may be opened after it was unlocked, if its own wiring does
// not say.
const opensFor = 8 * time.Second

// airlocks are doors of which only one opens at a time: those that we unlocked just now.
// Whether they stand open their controllers say.
type airlocks struct {
	mu       sync.Mutex
	unlocked map[string]time.Time // until when, by id
}

// others are the doors that have to be shut for a door of an airlock to open.
func (d DoorConfig) others() []string {
	if d.Airlock == "" {
		return nil
	}
	return strings.Split(d.Airlock, ",")
}

// claim reports why a door of an airlock may not be opened from outside now; empty: it may,
// and if it is taken the other doors may not until it is shut again. Fire opens all.
func (s *Service) claim(d DoorConfig, take bool) (why string) {
	list := d.others()
	if len(list) == 0 {
		return ""
	}
	s.airlocks.mu.Lock()
	defer s.airlocks.mu.Unlock()
	now := time.Now()
	if _, _, fire := s.standing(d.ID); fire {
		return ""
	}
	for _, id := range list {
		switch state, blind, fire := s.standing(id); {
		case fire:
			return ""
		case now.Before(s.airlocks.unlocked[id]):
			return "another door of the airlock is being opened"
		case isOpen(state), state == event.DoorUnlocked:
			return "another door of the airlock is not shut"
		case !known(state) && !blind:
			return "nobody knows whether another door of the airlock is shut"
		}
	}
	if take {
		s.opening(d, now)
	}
	return ""
}

// opening notes that a door is about to be opened. The lock is the caller's.
func (s *Service) opening(d DoorConfig, now time.Time) {
	if s.airlocks.unlocked == nil {
		s.airlocks.unlocked = make(map[string]time.Time)
	}
	s.airlocks.unlocked[d.ID] = now.Add(max(opensFor, time.Duration(d.Wiring.PulseS)*time.Second))
}

// standing is how a door is.
func (s *Service) standing(id string) (state event.DoorCondition, blind, fire bool) {
	s.mu.RLock()
	c := s.at[id]
	s.mu.RUnlock()
	if c == nil {
		return "", false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doors[id].State, c.blind[id], c.fire
}

func isOpen(s event.DoorCondition) bool {
	return s == event.DoorOpen || s == event.DoorHeld || s == event.DoorForced
}

// moved notes that a door was opened or shut: who was let in went through, and of an
// airlock it is told when two stand open.
func (c *one) moved(ctx context.Context, d DoorConfig, b *event.DoorState, at time.Time) {
	open := isOpen(b.State)
	if open && c.s.o.Inside != nil {
		c.s.o.Inside.Opened(d, at)
	}
	list := d.others()
	if len(list) == 0 {
		return
	}
	if !open && isOpen(b.Was) {
		c.s.airlocks.mu.Lock()
		delete(c.s.airlocks.unlocked, d.ID)
		c.s.airlocks.mu.Unlock()
	}
	var standing int
	controllers := map[*one]bool{c: true}
	if open {
		standing++
	}
	for _, id := range list {
		state, _, fire := c.s.standing(id)
		if fire {
			return
		}
		if isOpen(state) {
			standing++
		}
		c.s.mu.RLock()
		if o := c.s.at[id]; o != nil {
			controllers[o] = true
		}
		c.s.mu.RUnlock()
	}
	if standing > 1 {
		c.fault(ctx, event.ControllerAirlock, "two doors of an airlock stand open at once", 0)
		return
	}
	for o := range controllers {
		o.right(ctx, event.ControllerAirlock)
	}
}
