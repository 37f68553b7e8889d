package uhppote

import (
	"context"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	wire "github.com/chargewatch/chargewatch/internal/proto/uhppote"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/week"
)

// maxCards bounds what is read of a controller that says that it has more cards
// than any of them can.
const maxCards = 40_000

// maxHoles is how many empty places in a row end a list.
const maxHoles = 4096

// Lists reads cards and the profiles that they have.
func (b *Board) Lists(ctx context.Context) (access.Lists, error) {
	out := access.Lists{Cards: map[uint32]access.ListCard{}, Profiles: map[uint8]access.Profile{}}
	n, err := ask[*wire.Number](ctx, b, &wire.GetCards{}, nil)
	if err != nil {
		return out, fmt.Errorf("count the cards: %w", err)
	}
	if n.Value > maxCards {
		return out, fmt.Errorf("the controller says that it has %d cards: %w", n.Value, door.ErrRefused)
	}
	var wanted []uint8
	// Deleted cards leave empty places behind; whoever has all cards stops.
	for i, empty := uint32(1), 0; len(out.Cards) < int(n.Value) && empty <= maxHoles; i++ {
		c, err := ask[*wire.CardReply](ctx, b, wire.CardAt(i), nil)
		if err != nil {
			return out, fmt.Errorf("read a card: %w", err)
		}
		if c.Number == 0 || c.Number == 0xffffffff {
			empty++
			continue
		}
		empty = 0
		x := access.ListCard{From: access.Date(c.From), To: access.Date(c.To), Rights: c.Doors, PIN: c.PIN}
		out.Cards[c.Number] = x
		for _, right := range x.Rights {
			if right >= wire.FirstProfile && right <= wire.LastProfile {
				wanted = append(wanted, right)
			}
		}
	}
	for len(wanted) > 0 {
		id := wanted[0]
		wanted = wanted[1:]
		if _, have := out.Profiles[id]; have {
			continue
		}
		p, err := ask(ctx, b, &wire.GetProfile{ID: id}, func(p *wire.ProfileReply) bool { return p.Profile.ID == id || p.Profile.ID == 0 })
		if err != nil {
			return out, fmt.Errorf("read a time profile: %w", err)
		}
		out.Profiles[id] = profileOf(p.Profile)
		if linked := p.Linked; linked >= wire.FirstProfile && linked <= wire.LastProfile {
			wanted = append(wanted, linked)
		}
	}
	return out, nil
}

// Change brings the lists from one to the other. Profiles come first: a
// controller lets in whom a profile holds that it does not have.
func (b *Board) Change(ctx context.Context, from, to access.Lists) error {
	d := from.To(to)
	for _, n := range d.Delete {
		if err := b.order(ctx, wire.WithoutCard(n), tries); err != nil {
			if have, asked := b.card(ctx, n); asked == nil && have.Number == 0 {
				continue // an earlier try did it, and its answer was lost
			}
			return fmt.Errorf("delete a card: %w", err)
		}
	}
	for _, id := range d.Profiles {
		if err := b.order(ctx, &wire.SetProfile{Profile: wireProfile(id, to.Profiles[id])}, tries); err != nil {
			return fmt.Errorf("set a time profile: %w", err)
		}
	}
	for _, n := range d.Put {
		c := to.Cards[n]
		m := &wire.PutCard{Card: wire.Card{Number: n, From: wire.Date(c.From), To: wire.Date(c.To), Doors: c.Rights, PIN: c.PIN}}
		if err := b.order(ctx, m, tries); err != nil {
			return fmt.Errorf("put a card: %w", err)
		}
	}
	return nil
}

func (b *Board) card(ctx context.Context, n uint32) (*wire.CardReply, error) {
	return ask(ctx, b, wire.CardNumber(n), func(c *wire.CardReply) bool { return c.Number == n || c.Number == 0 })
}

func profileOf(p wire.Profile) access.Profile {
	out := access.Profile{From: access.Date(p.From), To: access.Date(p.To), Linked: p.Linked}
	for d, on := range p.Days {
		if on {
			out.Days |= week.On(time.Weekday(d))
		}
	}
	for i, s := range p.Segments {
		out.Segments[i] = access.Segment{First: int(s.From), Last: int(s.To)}
	}
	return out
}

func wireProfile(id uint8, p access.Profile) wire.Profile {
	out := wire.Profile{ID: id, From: wire.Date(p.From), To: wire.Date(p.To), Linked: p.Linked}
	for d := time.Sunday; d <= time.Saturday; d++ {
		out.Days[d] = p.Days.Has(d)
	}
	for i, s := range p.Segments {
		out.Segments[i] = wire.Segment{From: wire.Minute(s.First), To: wire.Minute(s.Last)}
	}
	return out
}
