package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/proto/uhppote"
	simdoor "github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/store"
)

// yard is a site with a controller whose doors are a gate and a cabinet, and a
// server that can be ended and started again.
type yard struct {
	t     *testing.T
	c     config.Config
	board *simdoor.Controller
	farm  *simdoor.Farm
	s     *Server
	stop  func()
}

func newYard(t *testing.T) *yard {
	t.Helper()
	farm, err := simdoor.New(simdoor.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- farm.Run(ctx) }()
	y := &yard{t: t, farm: farm, c: config.Default()}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	y.board = farm.Add(405419896, zone)
	y.c.Data, y.c.HTTP, y.c.OCPP, y.c.WebRTC, y.c.DoorListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "off", "127.0.0.1:0"
	y.c.AllowNet = []string{farm.Address().String()}
	t.Cleanup(func() {
		if y.stop != nil {
			y.end()
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	y.begin()
	st := y.s.Store
	y.must(st.CreateSite(t.Context(), store.System, store.Site{ID: "yard", Name: "Yard", TimeZone: "Europe/Berlin"}))
	y.must(st.CreateController(t.Context(), store.System, store.Controller{ID: "board", SiteID: "yard", Driver: store.DriverUHPPOTE, Address: farm.Address().String(), Serial: y.board.Serial()}, ""))
	y.must(st.CreateDoor(t.Context(), store.System, store.Door{ID: "gate", SiteID: "yard", Kind: access.Gate, Controller: "board", Number: 1}))
	y.must(st.CreateDoor(t.Context(), store.System, store.Door{ID: "cabinet", SiteID: "yard", Kind: access.Cabinet, Controller: "board", Number: 2}))
	return y
}

func (y *yard) must(_ any, err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) begin() {
	y.t.Helper()
	s, err := New(y.t.Context(), y.c, Options{Logger: slog.New(slog.DiscardHandler), doorPoll: 200 * time.Millisecond})
	if err != nil {
		y.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	y.s = s
	y.stop = func() {
		stop()
		if err := <-done; err != nil {
			y.t.Error(err)
		}
	}
}

func (y *yard) end() {
	y.stop()
	y.stop = nil
}

// until waits for something to hold.
func (y *yard) until(what string, holds func() bool) {
	y.t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			y.t.Fatalf("never: %s", what)
		}
	}
}

func (y *yard) state(door string) event.DoorCondition {
	x, _ := y.s.doors.DoorStatus(door)
	return x.State
}

func (y *yard) faults() (out []event.ControllerFaultKind) {
	x, _ := y.s.doors.ControllerStatus("board")
	for _, f := range x.Faults {
		out = append(out, f.Fault)
	}
	return out
}

// attempts are who was at the doors, the oldest first.
func (y *yard) attempts() (out []*event.Access) {
	y.t.Helper()
	var before journal.Cursor
	for {
		found, next, err := y.s.Journal.Events(y.t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindAccess}, Limit: 500, Before: before})
		if err != nil {
			y.t.Fatal(err)
		}
		for _, e := range found {
			out = append(out, e.Body.(*event.Access))
		}
		if next == "" {
			slices.Reverse(out)
			return out
		}
		before = next
	}
}

// technician is somebody who may enter by a card.
func (y *yard) technician(card string) string {
	y.t.Helper()
	p, err := y.s.Store.SavePerson(y.t.Context(), store.System, store.Person{Name: "Ada Lock"})
	if err != nil {
		y.t.Fatal(err)
	}
	c, err := y.s.Store.PutCredential(y.t.Context(), store.System, "", store.CredentialInput{IDToken: card, Person: p.ID})
	if err != nil {
		y.t.Fatal(err)
	}
	return c.ID
}

func (y *yard) synced(card uint32, there bool) {
	y.t.Helper()
	y.until(fmt.Sprintf("card %d on the controller: %v", card, there), func() bool { _, is := y.board.Cards()[card]; return is == there })
}

// send is what anybody on the network of a controller can do.
func (y *yard) send(to netip.AddrPort, m uhppote.Message) {
	y.t.Helper()
	conn, err := net.Dial("udp4", to.String())
	if err != nil {
		y.t.Fatal(err)
	}
	defer conn.Close()
	b := uhppote.Encode(y.board.Serial(), m)
	if _, err := conn.Write(b[:]); err != nil {
		y.t.Fatal(err)
	}
}

func TestDoorsDecideByTheirListsAndEverythingArrivesOnce(t *testing.T) {
	y := newYard(t)
	y.until("the doors are locked", func() bool { return y.state("gate") == event.DoorLocked && y.state("cabinet") == event.DoorLocked })
	id := y.technician("6154410")
	y.must(y.s.Store.SaveAccessRow(t.Context(), store.System, store.AccessRow{Row: access.Row{Name: "Technicians", To: []access.Principal{{Credential: id}}, Kinds: []access.PlaceKind{access.Gate}}}))
	y.synced(6154410, true)

	y.board.Swipe(1, 6154410, 0) // may
	y.board.Swipe(2, 6154410, 0) // not here
	y.board.Swipe(1, 6154411, 0) // nobody
	y.until("three attempts", func() bool { return len(y.attempts()) == 3 })
	for i, want := range []struct {
		allowed bool
		code    string
		known   bool
	}{{true, "allowed", true}, {false, "noRight", true}, {false, "unknown", false}} {
		a := y.attempts()[i]
		if a.Allowed != want.allowed || a.Code != want.code || (a.CredentialID == id) != want.known || a.Differs || a.DecidedBy != "controller" || a.Record != uint32(i+1) {
			t.Errorf("attempt %d is %+v", i, a)
		}
	}

	// While we are away the doors decide by themselves; it is told once, afterwards.
	y.end()
	for range 100 {
		if got := y.board.Swipe(1, 6154410, 0); !got.Granted {
			t.Fatalf("refused: %+v", got)
		}
	}
	y.begin()
	y.until("all attempts", func() bool { return len(y.attempts()) >= 103 })
	for range 2 {
		y.end()
		y.begin()
		y.until("it is kept again", func() bool { return y.state("gate") == event.DoorLocked })
	}
	y.board.Swipe(1, 6154410, 0)
	y.until("the last attempt", func() bool { a := y.attempts(); return a[len(a)-1].Record == 104 })
	if all := y.attempts(); len(all) != 104 {
		t.Errorf("%d attempts of 104", len(all))
	}

	// A lost card.
	y.must(y.s.Store.PutCredential(t.Context(), store.System, id, store.CredentialInput{IDToken: "6154410", Status: access.Blocked}))
	y.synced(6154410, false)
	if got := y.board.Swipe(1, 6154410, 0); got.Granted {
		t.Error("a lost card opens")
	}
}

func TestWhatIsWrongAtDoors(t *testing.T) {
	y := newYard(t)
	y.until("the doors are locked", func() bool { return y.state("gate") == event.DoorLocked })
	y.until("it is adopted", func() bool { return y.board.Listener().IsValid() })

	y.board.Open(1)
	y.until("forced", func() bool { return y.state("gate") == event.DoorForced })
	y.board.Shut(1)
	y.until("shut again", func() bool { return y.state("gate") == event.DoorLocked })

	y.board.Drift(time.Hour)
	y.until("its clock is wrong", func() bool { return slices.Contains(y.faults(), event.ControllerClock) })
	y.until("its clock is right", func() bool { return !slices.Contains(y.faults(), event.ControllerClock) })
	if off := time.Until(y.board.Now()); off.Abs() > 2*time.Second {
		t.Errorf("the clock is off by %s", off)
	}

	// Somebody else on the network: another listener, a card, an open door.
	y.board.Listen(netip.MustParseAddrPort("127.0.0.77:60001"))
	y.board.PutCard(uhppote.Card{Number: 666, From: uhppote.DateOf(time.Now()), To: uhppote.DateOf(time.Now()), Doors: [4]byte{1, 1}})
	y.must(nil, y.s.doors.SyncController(t.Context(), "board"))
	y.until("its listener and lists are not ours", func() bool {
		f := y.faults()
		return slices.Contains(f, event.ControllerListener) && slices.Contains(f, event.ControllerDrift)
	})
	y.synced(666, false)
	y.must(nil, y.s.doors.SyncController(t.Context(), "board"))
	y.until("all is ours again", func() bool {
		f := y.faults()
		return !slices.Contains(f, event.ControllerListener) && !slices.Contains(f, event.ControllerDrift)
	})

	// Opened by us, and by somebody else.
	if err := y.s.doors.Unlock(t.Context(), "gate", 7*time.Second); err != nil {
		t.Fatal(err)
	}
	y.until("opened by a person", func() bool { a := y.attempts(); return len(a) == 1 && a[0].DecidedBy == "person" && !a[0].Differs })
	y.send(y.farm.Address(), &uhppote.Open{Door: 1})
	y.until("opened by somebody else", func() bool {
		a := y.attempts()
		return len(a) == 2 && a[1].Differs && slices.Contains(y.faults(), event.ControllerForeign)
	})

	// A message of something that nobody recorded.
	y.send(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), y.s.doors.network.Port()), &uhppote.Status{Last: uhppote.Record{Index: 5000, Type: uhppote.Swiped, Granted: true, Door: 1, Card: 1}})
	y.until("a message without a record", func() bool { return slices.Contains(y.faults(), event.ControllerUnrecorded) })
	if n := len(y.attempts()); n != 2 {
		t.Errorf("%d attempts: a forged one was believed", n)
	}

	// Lockdown holds on the controller.
	if err := y.s.doors.Lockdown(t.Context(), "gate"); err != nil {
		t.Fatal(err)
	}
	if y.state("gate") != event.DoorLockdown || y.board.Mode(1) != uhppote.NormallyClosed {
		t.Errorf("locked down it is %s, %v", y.state("gate"), y.board.Mode(1))
	}
	y.end()
	y.begin()
	y.until("still locked down", func() bool { return y.state("gate") == event.DoorLockdown })
	if err := y.s.doors.Release(t.Context(), "gate"); err != nil {
		t.Fatal(err)
	}
	if y.state("gate") != event.DoorLocked || y.board.Mode(1) != uhppote.Controlled {
		t.Errorf("released it is %s, %v", y.state("gate"), y.board.Mode(1))
	}
	y.must(y.s.Store.SaveLockdown(t.Context(), store.System, store.Lockdown{Scenario: access.Scenario{Name: "Raid", Sites: []string{"yard"}, Active: true}}))
	y.until("the scenario holds at both doors", func() bool {
		return y.state("gate") == event.DoorLockdown && y.state("cabinet") == event.DoorLockdown && y.board.Mode(2) == uhppote.NormallyClosed
	})

	y.board.Power(false)
	y.until("away", func() bool {
		return y.state("gate") == event.DoorOffline && slices.Contains(y.faults(), event.ControllerOffline)
	})
	if err := y.s.doors.Unlock(t.Context(), "gate", 0); err == nil {
		t.Error("a door was opened that is away")
	}
	y.board.Power(true)
	y.until("back", func() bool {
		return y.state("gate") == event.DoorLockdown && !slices.Contains(y.faults(), event.ControllerOffline)
	})
}
