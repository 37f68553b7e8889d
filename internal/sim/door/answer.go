package door

import (
	"net"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/uhppote"
)

// answer does what is asked; nil: it has nothing to say.
func (c *Controller) answer(m uhppote.Message) uhppote.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return nil
	}
	done := func(ok bool) uhppote.Message { return &uhppote.Done{Of: m.Code(), OK: ok} }
	switch m := m.(type) {
	case *uhppote.GetDevice:
		at := c.farm.Address().Addr().Unmap()
		return &uhppote.Device{
			Address: at, MAC: net.HardwareAddr{0x00, 0x66, byte(c.serial >> 24), byte(c.serial >> 16), byte(c.serial >> 8), byte(c.serial)},
			Version: uhppote.Version{8, 0x92}, Released: uhppote.Date{Year: 2018, Month: time.November, Day: 5},
		}
	case *uhppote.GetStatus:
		return c.status()
	case *uhppote.GetClock:
		return &uhppote.ClockReply{Of: m.Code(), Clock: uhppote.ClockOf(c.now())}
	case *uhppote.SetClock:
		if !m.To.IsZero() {
			c.drift = time.Until(m.To.In(c.zone))
		}
		return &uhppote.ClockReply{Of: m.Code(), Clock: uhppote.ClockOf(c.now())}
	case *uhppote.GetListener:
		return &uhppote.ListenerReply{Listener: c.listener}
	case *uhppote.SetListener:
		c.listener = m.Listener
		return done(true)
	case *uhppote.RecordSpecial:
		c.special = m.On
		return done(true)
	case *uhppote.GetPassback:
		return &uhppote.PassbackReply{Passback: c.passback}
	case *uhppote.SetPassback:
		if m.Passback > uhppote.Passback1To234 {
			return done(false)
		}
		c.keep(m.Passback)
		return done(true)
	case *uhppote.SetAirlock:
		c.airlock = m.Airlock
		return done(true)
	case *uhppote.Keypads:
		c.keypads = m.On
		return done(true)
	case *uhppote.Open:
		if c.doors[m.Door-1].mode == uhppote.NormallyClosed {
			return done(false)
		}
		c.unlock(int(m.Door))
		c.record(uhppote.Record{Type: uhppote.DoorRecord, Granted: true, Door: m.Door, Direction: uhppote.In, Reason: uhppote.RemoteOpen})
		return done(true)
	case *uhppote.GetControl:
		return c.control(m.Code(), m.Door)
	case *uhppote.SetControl:
		if m.Mode >= uhppote.NormallyOpen && m.Mode <= uhppote.Controlled {
			d := &c.doors[m.Door-1]
			d.mode, d.delay = m.Mode, m.Delay
			if m.Mode == uhppote.NormallyClosed {
				d.unlocked = time.Time{}
			}
		}
		return c.control(m.Code(), m.Door)
	case *uhppote.GetEvent:
		if m.Newest() && len(c.records) > 0 {
			return &uhppote.EventReply{Record: c.records[len(c.records)-1]}
		}
		return &uhppote.EventReply{Record: c.find(m.Index)}
	case *uhppote.GetEventIndex:
		return &uhppote.Number{Of: m.Code(), Value: c.kept}
	case *uhppote.SetEventIndex:
		c.kept = m.Index
		return done(true)
	}
	return c.answerLists(m)
}

func (c *Controller) answerLists(m uhppote.Message) uhppote.Message {
	done := func(ok bool) uhppote.Message { return &uhppote.Done{Of: m.Code(), OK: ok} }
	switch m := m.(type) {
	case *uhppote.GetCards:
		return &uhppote.Number{Of: m.Code(), Value: uint32(len(c.cards))}
	case *uhppote.GetCard:
		reply := &uhppote.CardReply{Of: m.Code()}
		if i := slices.IndexFunc(c.cards, func(x uhppote.Card) bool { return x.Number == m.Number }); i >= 0 {
			reply.Card = c.cards[i]
		}
		return reply
	case *uhppote.GetCardAt:
		reply := &uhppote.CardReply{Of: m.Code()}
		if m.Number >= 1 && int(m.Number) <= len(c.cards) {
			reply.Card = c.cards[m.Number-1]
		}
		return reply
	case *uhppote.PutCard:
		if m.Number == 0 || m.From.IsZero() || m.To.IsZero() {
			return done(false)
		}
		c.put(m.Card)
		return done(true)
	case *uhppote.DeleteCard:
		before := len(c.cards)
		c.cards = slices.DeleteFunc(c.cards, func(x uhppote.Card) bool { return x.Number == m.Number })
		return done(len(c.cards) < before)
	case *uhppote.DeleteCards:
		c.cards = nil
		return done(true)
	case *uhppote.GetProfile:
		return &uhppote.ProfileReply{Profile: c.profiles[m.ID]}
	case *uhppote.SetProfile:
		if m.Profile.ID < uhppote.FirstProfile || m.Profile.ID > uhppote.LastProfile {
			return done(false)
		}
		c.profiles[m.Profile.ID] = m.Profile
		return done(true)
	case *uhppote.ClearProfiles:
		clear(c.profiles)
		return done(true)
	}
	return nil
}

func (c *Controller) control(of uhppote.Code, n byte) uhppote.Message {
	d := c.doors[n-1]
	return &uhppote.ControlReply{Of: of, Control: uhppote.Control{Door: n, Mode: d.mode, Delay: d.delay}}
}
