package uhppote

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	wire "github.com/chargewatch/chargewatch/internal/proto/uhppote"
	simdoor "github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/source/door/doortest"
)

const serial = 405419896

func local(t *testing.T) netip.AddrPort {
	t.Helper()
	return netip.MustParseAddrPort("127.0.0.1:0")
}

// rig is a simulated controller with our driver.
func rig(t *testing.T, o simdoor.Options) (*simdoor.Controller, *simdoor.Farm, *Network, *Board) {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	farm, err := simdoor.New(o)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Listen(Options{Listen: local(t), Wait: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() { ended <- farm.Run(t.Context()) }()
	go func() { ended <- n.Run(t.Context()) }()
	t.Cleanup(func() {
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return farm.Add(serial, time.Local), farm, n, n.Board(serial, farm.Address(), time.Local)
}

func TestContract(t *testing.T) {
	doortest.Run(t, func(t *testing.T) doortest.Rig {
		c, _, _, b := rig(t, simdoor.Options{})
		return doortest.Rig{
			Driver: b,
			Swipe:  func(_ *testing.T, n int, card, pin uint32) { c.Swipe(n, card, pin) },
			Open:   func(_ *testing.T, n int) { c.Open(n) },
			Shut:   func(_ *testing.T, n int) { c.Shut(n) },
			Power:  func(_ *testing.T, on bool) { c.Power(on) },
		}
	})
}

func TestWhatCannotBeDoneByHand(t *testing.T) {
	c, _, _, b := rig(t, simdoor.Options{HeldAfter: time.Millisecond})
	if err := b.Adopt(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	c.Open(2)
	for {
		if x, err := c.Seen(2); err == nil {
			if x.Reason != wire.HeldOpen {
				t.Fatalf("recorded %+v", x)
			}
			break
		}
		<-b.Rings()
	}
	c.Shut(2)
	c.Duress(1, 77)
	c.Fire(true)
	c.Power(false)
	c.Power(true)
	list, err := b.Records(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []door.Cause
	for _, x := range list {
		got = append(got, x.Cause)
	}
	want := []door.Cause{door.ForcedOpen, door.HeldOpen, door.Closed, door.Duress, door.Fire, door.PowerOn}
	if len(got) != len(want) {
		t.Fatalf("recorded %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("record %d is %s, want %s", i, got[i], want[i])
		}
	}
	if l, err := b.Look(t.Context()); err != nil || !l.Fire || !l.Doors[3].Unlocked {
		t.Errorf("on fire it is %+v, %v", l, err)
	}
}

func TestWhatWasOverwrittenIsToldAsLost(t *testing.T) {
	c, _, _, b := rig(t, simdoor.Options{Keep: 10})
	for n := range uint32(25) {
		c.Swipe(1, 1+n, 0)
	}
	list, err := b.Records(t.Context(), 3, 100)
	if err != nil || len(list) != 11 || !list[0].Lost || list[0].Index != 15 || list[1].Index != 16 || list[10].Index != 25 {
		t.Errorf("%+v, %v", list, err)
	}
}

// A datagram is looked at only if it comes from where its controller is.
func TestForgedDatagrams(t *testing.T) {
	c, farm, n, b := rig(t, simdoor.Options{})
	c.Mute(true)
	c.Swipe(1, 5, 0)
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), n.Port())
	from := func(address string) *net.UDPConn {
		conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)), net.UDPAddrFromAddrPort(to))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	say := func(conn *net.UDPConn, b []byte) {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	forged := wire.Encode(serial, &wire.Status{Last: wire.Record{Index: 900, Type: wire.Swiped, Granted: true, Door: 1, Card: 5}})
	unknown := wire.Encode(serial+1, &wire.Status{})
	elsewhere := from("127.0.0.9:0")
	say(elsewhere, forged[:])
	say(elsewhere, unknown[:])
	say(elsewhere, []byte("not a datagram of a controller"))
	neighbour := from("127.0.0.1:0") // another port of the controller's address
	say(neighbour, forged[:])
	if ring := <-b.Rings(); ring.Index != 900 || ring.From.Port() == farm.Address().Port() {
		t.Errorf("rang %+v", ring)
	}
	if n.Strays() != 3 || len(b.Rings()) != 0 {
		t.Errorf("%d strays, %d rings", n.Strays(), len(b.Rings()))
	}
	// What it says is not believed.
	if list, err := b.Records(t.Context(), 0, 10); err != nil || len(list) != 1 || list[0].Index != 1 || list[0].Granted {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAnAddressOutOfReachIsNotAsked(t *testing.T) {
	n, err := Listen(Options{Listen: local(t), Check: func(netip.AddrPort) error { return errors.New("no") }})
	if err != nil {
		t.Fatal(err)
	}
	defer n.conn.Close()
	if _, err := n.Board(serial, netip.MustParseAddrPort("127.0.0.1:9"), time.UTC).Look(t.Context()); !errors.Is(err, door.ErrDenied) {
		t.Errorf("got %v", err)
	}
}

func TestSearch(t *testing.T) {
	_, farm, n, _ := rig(t, simdoor.Options{})
	farm.Add(serial+7, time.UTC)
	found, err := n.Search(t.Context(), []netip.AddrPort{farm.Address()}, 300*time.Millisecond)
	if err != nil || len(found) != 2 || found[0].Serial != serial || found[1].Serial != serial+7 || found[0].Firmware != "8.92" {
		t.Errorf("%+v, %v", found, err)
	}
}
