package door

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// callers knows people by their cards: 1 and 11 are Ida's, 2 is Bo's, 8 is nobody's by
// name, 9 may not.
type callers struct{ strict }

func (callers) Decide(_ context.Context, a Asked) (Decided, error) {
	d := access.Decision{Status: access.Accepted, Code: access.Allowed, Reason: "allowed"}
	switch a.Card {
	case 1, 11:
		d.Person = "ida"
	case 2:
		d.Person = "bo"
	case 8:
	default:
		d.Status, d.Code = access.Invalid, access.NoRight
	}
	return Decided{Decision: d}, nil
}

// ordered is a board that notes what it is ordered to do, and records that it did.
type ordered struct {
	*board
	did []Order
}

func (o *ordered) Do(_ context.Context, x Order) error {
	o.set(func() { o.did = append(o.did, x) })
	if x.Mode == "" {
		o.put(Record{Cause: RemoteOpen, Granted: true})
	}
	return nil
}

func (o *ordered) put(r Record) {
	o.set(func() {
		r.Index, r.Door = o.first+uint32(len(o.log)), 1
		if r.At.IsZero() {
			r.At = time.Now()
		}
		o.log = append(o.log, r)
	})
	o.rings <- Ring{}
}

// yard is a door for two people, at a relay or at a board, and how somebody shows a card.
func yard(t *testing.T, p *paper, relays bool, of DoorConfig) (show func(card uint32, out bool, late time.Duration), opened func() int) {
	t.Helper()
	of.ID, of.Number = "gate", 1
	r, b := newRelay(), &ordered{board: newBoard()}
	s := New(Options{Journal: p, Policy: callers{}, Told: p.told, Open: func(Config) (Driver, func()) {
		if relays {
			return unrecorded{r, r}, func() {}
		}
		return b, func() {}
	}})
	of.Online = !relays
	s.Apply([]Config{{ID: "c", SiteID: "yard", Zone: time.UTC, Doors: []DoorConfig{of}}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	show = func(card uint32, out bool, late time.Duration) {
		at := time.Now().Add(-late)
		if relays {
			r.told <- Told{Asks: true, Record: Record{Door: 1, Card: card, Cause: Swiped, Out: out, At: at}}
		} else {
			b.put(Record{Cause: NoPrivilege, Card: card, Out: out, At: at})
		}
		synctest.Wait()
		time.Sleep(ringPause) // a ring for what was read already has the keeper pause
		synctest.Wait()
	}
	opened = func() int {
		n := 0
		count := func(list []Order) {
			for _, x := range list {
				if x.Answers {
					n++
				}
			}
		}
		r.set(func() { count(r.did) })
		b.set(func() { count(b.did) })
		return n
	}
	return show, opened
}

func TestTwoPeopleAtADoor(t *testing.T) {
	type shown struct {
		card uint32
		wait time.Duration // before it
		late time.Duration // it was told so late
		out  bool
	}
	stories := map[string]struct {
		shown  []shown
		told   []string
		opened int
	}{
		"one person waits":                       {[]shown{{card: 1}}, []string{"waits"}, 0},
		"two people are let in":                  {[]shown{{card: 1}, {card: 2, wait: 20 * time.Second}}, []string{"waits", "allowed", "allowed"}, 1},
		"two cards of one person are one person": {[]shown{{card: 1}, {card: 11}}, []string{"waits", "waits"}, 0},
		"who comes too late waits":               {[]shown{{card: 1}, {card: 2, wait: 31 * time.Second}}, []string{"waits", "waits"}, 0},
		"who may not is no second":               {[]shown{{card: 1}, {card: 9}}, []string{"waits", "noRight"}, 0},
		"who may not does not end the waiting":   {[]shown{{card: 1}, {card: 9}, {card: 2}}, []string{"waits", "noRight", "allowed", "allowed"}, 1},
		"nobody by name is nobody":               {[]shown{{card: 1}, {card: 8}}, []string{"waits", "nameless"}, 0},
		"each pair opens once":                   {[]shown{{card: 1}, {card: 2}, {card: 2}}, []string{"waits", "allowed", "allowed", "waits"}, 1},
		"who goes out needs no second":           {[]shown{{card: 1, out: true}}, []string{"allowed"}, 1},
		"what is told too late opens nothing":    {[]shown{{card: 1}, {card: 2, late: 11 * time.Second}}, []string{"waits", "late"}, 0},
	}
	for name, story := range stories {
		for _, relays := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", at a relay", false: ", at a board"}[relays], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPaper()
					show, opened := yard(t, p, relays, DoorConfig{TwoPerson: true})
					for _, x := range story.shown {
						time.Sleep(x.wait)
						show(x.card, x.out, x.late)
					}
					var got []string
					for _, b := range p.events {
						if a, ok := b.(*event.Access); ok {
							got = append(got, a.Code)
							if a.DecidedBy != "policy" {
								t.Errorf("decided by %s: %+v", a.DecidedBy, a)
							}
							if a.Allowed && !a.Out && (a.With == "" || a.With == a.PersonID) {
								t.Errorf("let in with nobody: %+v", a)
							}
						}
					}
					if !slices.Equal(got, story.told) || opened() != story.opened {
						t.Errorf("told %q, opened %d times", got, opened())
					}
				})
			})
		}
	}
}
