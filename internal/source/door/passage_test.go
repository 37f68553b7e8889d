package door

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// room is one area whose way in is "in" and whose way out is "out".
type room struct {
	mu sync.Mutex
	*access.Inside
	access.Area
}

func (r *room) Judge(d DoorConfig, who string, out bool, at time.Time) access.Passage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Inside.Judge(&r.Area, d.Place.ID, who, out, at)
}

func (r *room) Went(d DoorConfig, who string, out bool, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Inside.Went(&r.Area, d.Place.ID, who, out, at, false)
}

func (r *room) Opened(d DoorConfig, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Inside.Opened(d.Place.ID, at)
}

func (r *room) Emptied(_ DoorConfig, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Pardon(r.ID, "", at)
}

// site is two doors at a relay or at a board: 1 is the way in, 2 the way out, and both are
// an airlock where that is wanted.
type site struct {
	*paper
	t     *testing.T
	relay *relay
	board *ordered
	s     *Service
}

func newSite(t *testing.T, relays bool, mode access.Passback, airlock bool) *site {
	t.Helper()
	x := &site{paper: newPaper(), t: t, relay: newRelay(), board: &ordered{board: newBoard()}}
	x.s = New(Options{
		Journal: x.paper, Policy: callers{}, Told: x.told,
		Inside: &room{Inside: access.NewInside(), Area: access.Area{ID: "vault", Name: "Vault", In: []string{"door/in"}, Out: []string{"door/out"}, Mode: mode}},
		Open: func(Config) (Driver, func()) {
			if relays {
				x.relay.looks = []DoorLook{{}, {}}
				return unrecorded{x.relay, x.relay}, func() {}
			}
			return x.board, func() {}
		},
	})
	doors := []DoorConfig{{ID: "in", Number: 1, Place: access.Place{ID: "door/in"}}, {ID: "out", Number: 2, Place: access.Place{ID: "door/out"}}}
	if airlock {
		doors[0].Airlock, doors[1].Airlock = "out", "in"
	}
	for i := range doors {
		doors[i].Online = !relays && (airlock || mode == access.PassbackHard && i == 0)
	}
	x.s.Apply([]Config{{ID: "c", SiteID: "yard", Zone: time.UTC, Doors: doors}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return x
}

func (x *site) tell(r Record, asks bool) {
	x.relay.told <- Told{Asks: asks, Record: r, Heard: time.Now()}
	synctest.Wait()
}

// codes are what was decided, with what does not fit to who is inside.
func (x *site) codes() (out []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, b := range x.events {
		if a, ok := b.(*event.Access); ok {
			if code := a.Code; a.Passback == "" {
				out = append(out, code)
			} else {
				out = append(out, code+" "+a.Passback)
			}
		}
	}
	return out
}

func TestWhoIsInsideDoesNotComeInAgain(t *testing.T) {
	for name, c := range map[string]struct {
		mode access.Passback
		want []string
	}{
		"a hard rule refuses":  {access.PassbackHard, []string{"allowed", "antiPassback", "allowed", "allowed", "allowed outside"}},
		"a soft rule tells it": {access.PassbackSoft, []string{"allowed", "allowed inside", "allowed", "allowed", "allowed outside"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := newSite(t, true, c.mode, false)
				show := func(n int, card uint32) {
					time.Sleep(time.Minute)
					x.tell(Record{Door: n, Card: card, Cause: Swiped}, true)
				}
				show(1, 1)
				show(1, 11) // another card of the same person
				show(2, 1)
				show(1, 1)
				show(2, 2) // who was never seen to come in is let out all the same
				if got := x.codes(); !slices.Equal(got, c.want) {
					t.Errorf("told %q", got)
				}
			})
		})
	}
}

func TestAfterAFireNobodyIsInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSite(t, true, access.PassbackHard, false)
		x.tell(Record{Door: 1, Card: 1, Cause: Swiped}, true)
		time.Sleep(time.Minute)
		x.tell(Record{Cause: Fire}, false)
		time.Sleep(time.Minute)
		x.tell(Record{Door: 1, Card: 1, Cause: Swiped}, true)
		if got := x.codes(); !slices.Equal(got, []string{"allowed", "allowed"}) {
			t.Errorf("told %q", got)
		}
	})
}

func TestOfAnAirlockOneDoorOpens(t *testing.T) {
	type act func(x *site)
	swipe := func(n int, out bool) act {
		return func(x *site) { x.tell(Record{Door: n, Card: 1, Cause: Swiped, Out: out}, true) }
	}
	stand := func(n int, open bool) act {
		return func(x *site) {
			x.relay.set(func() { x.relay.looks = slices.Clone(x.relay.looks); x.relay.looks[n-1].Open = open })
			x.tell(Record{Door: n, Cause: map[bool]Cause{true: Opened, false: Closed}[open]}, false)
		}
	}
	later := func(x *site) { time.Sleep(10 * time.Second); synctest.Wait() }
	for name, c := range map[string]struct {
		acts []act
		want []string
	}{
		"the first is let in":                     {[]act{swipe(1, false)}, []string{"allowed"}},
		"the other waits while one is unlocked":   {[]act{swipe(1, false), swipe(2, false)}, []string{"allowed", "interlock"}},
		"and while it stands open":                {[]act{swipe(1, false), stand(1, true), later, swipe(2, false)}, []string{"allowed", "interlock"}},
		"not when it is shut again":               {[]act{swipe(1, false), stand(1, true), stand(1, false), swipe(2, false)}, []string{"allowed", "allowed"}},
		"nor when nobody went":                    {[]act{swipe(1, false), later, swipe(2, false)}, []string{"allowed", "allowed"}},
		"the same door opens again":               {[]act{swipe(1, false), swipe(1, false)}, []string{"allowed", "allowed"}},
		"who goes out is let out, whatever opens": {[]act{swipe(1, false), stand(1, true), swipe(2, true)}, []string{"allowed", "allowed"}},
		"in a fire all open":                      {[]act{swipe(1, false), stand(1, true), func(x *site) { x.s.list["c"].set(true) }, swipe(2, false)}, []string{"allowed", "allowed"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := newSite(t, true, access.PassbackSoft, true)
				for _, a := range c.acts {
					a(x)
				}
				got := x.codes()
				for i := range got { // who is inside is no matter here
					for _, code := range []string{"allowed", "interlock"} {
						if len(got[i]) > len(code) && got[i][:len(code)] == code {
							got[i] = code
						}
					}
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

// set is a fire input.
func (c *one) set(fire bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fire = fire
}

func TestTwoOpenDoorsOfAnAirlockAreAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newSite(t, true, access.PassbackSoft, true)
		x.tell(Record{Door: 1, Cause: Opened}, false)
		x.tell(Record{Door: 2, Cause: ForcedOpen}, false)
		x.tell(Record{Door: 1, Cause: Closed}, false)
		if err := x.s.Unlock(t.Context(), "in", 0); err != ErrAirlock { //nolint:errorlint // it is that one
			t.Errorf("from afar: %v", err)
		}
		wants(t, x.paper, "locked", "locked", "open", "forced", "fault airlock", "locked", "right airlock")
	})
}

// keeper is a board that keeps anti-passback by itself.
type keeper struct {
	*board
	form, lock string
	set        []string
	none       bool // it knows of no such thing
}

func (k *keeper) Passback(context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.none {
		return "", ErrAway
	}
	return k.form, nil
}

func (k *keeper) SetPassback(_ context.Context, form string) error {
	k.board.set(func() { k.form, k.set = form, append(k.set, "passback "+form) })
	return nil
}

func (k *keeper) SetAirlock(_ context.Context, form string) error {
	k.board.set(func() { k.lock, k.set = form, append(k.set, "airlock "+form) })
	return nil
}

func (k *keeper) SetClock(context.Context, time.Time) error { return nil }
func (k *keeper) Inspect(context.Context) (Setup, error)    { return Setup{}, nil }
func (k *keeper) Adopt(context.Context, []bool) error       { return nil }

func TestABoardKeepsWhatItIsToKeep(t *testing.T) {
	for name, c := range map[string]struct {
		has   keeper
		wants access.BoardRules
		set   []string
		told  []string
	}{
		"it is told once, and told again when somebody else changed it": {
			keeper{}, access.BoardRules{Passback: "1:23", Airlock: "12"},
			[]string{"passback 1:23", "airlock 12", "airlock 12", "passback 1:23"}, []string{"locked", "fault rules", "right rules"},
		},
		"where nothing is wanted nothing stays": {
			keeper{form: "1:2,3:4"}, access.BoardRules{},
			[]string{"passback ", "airlock ", "passback "}, []string{"locked", "fault rules", "right rules"},
		},
		"what it does not know is told": {
			keeper{none: true}, access.BoardRules{Passback: "1:23"}, nil, []string{"locked", "fault rules"},
		},
		"what it does not know and nobody wants is no matter": {keeper{none: true}, access.BoardRules{}, nil, []string{"locked"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, p := c.has, newPaper()
				k.board = newBoard()
				s := New(Options{Journal: p, Policy: strict{}, Told: p.told, Open: func(Config) (Driver, func()) { return &k, func() {} }})
				s.Apply([]Config{{ID: "c", SiteID: "yard", Zone: time.UTC, Doors: []DoorConfig{{ID: "gate", Number: 1}}, Rules: c.wants}})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- s.Run(ctx) }()
				time.Sleep(5*time.Minute + 30*time.Second)
				k.board.set(func() { k.form = "13:24" })
				time.Sleep(3 * time.Minute)
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if !slices.Equal(k.set, c.set) {
					t.Errorf("set %q", k.set)
				}
				wants(t, p, c.told...)
			})
		})
	}
}
