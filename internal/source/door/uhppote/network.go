// Package uhppote drives controllers of UHPPOTE over UDP.
//
// One socket serves all of them. A datagram is looked at only if it comes from the
// address that people wrote down for its controller, and an answer only if it was
// asked for; what a controller sends by itself rings a bell, and nothing it says
// is believed.
package uhppote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	wire "github.com/chargewatch/chargewatch/internal/proto/uhppote"
	"github.com/chargewatch/chargewatch/internal/source/door"
)

// Options configures a Network.
type Options struct {
	// Listen is where controllers tell us what happens; port 0 takes a free one.
	Listen netip.AddrPort
	// Check says whether an address may be reached; nil: any.
	Check func(netip.AddrPort) error
	// Wait is how long an answer is waited for; 0: 500 ms.
	Wait   time.Duration
	Logger *slog.Logger
}

// Network is the socket.
type Network struct {
	o      Options
	log    *slog.Logger
	conn   *net.UDPConn
	strays atomic.Uint64

	mu     sync.Mutex
	boards map[uint32]*Board
	found  func(Found) // while somebody searches
}

// Found is a controller that answered a search.
type Found struct {
	Serial   uint32
	Address  netip.AddrPort
	Firmware string
	MAC      string
}

// Listen opens the socket. Nothing is heard before Run.
func Listen(o Options) (*Network, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Wait == 0 {
		o.Wait = 500 * time.Millisecond
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(o.Listen))
	if err != nil {
		return nil, fmt.Errorf("listen to door controllers: %w", err)
	}
	return &Network{o: o, log: o.Logger, conn: conn, boards: map[uint32]*Board{}}, nil
}

// Port is where it listens.
func (n *Network) Port() uint16 { return n.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// Strays is how many datagrams came from addresses that are not those of the
// controllers they speak for.
func (n *Network) Strays() uint64 { return n.strays.Load() }

// Run reads until ctx ends.
func (n *Network) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { n.conn.Close() })()
	b := make([]byte, 2*wire.Size)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil && ctx.Err() == nil:
			// What an earlier datagram met on its way is told here. The next read goes on.
			n.log.Debug("a datagram of a door controller was not read", "err", err)
			continue
		case err != nil:
			return nil
		}
		serial, m, err := wire.DecodeReply(b[:size])
		if err != nil {
			n.strays.Add(1)
			continue
		}
		n.hear(serial, m, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}

func (n *Network) hear(serial uint32, m wire.Message, from netip.AddrPort) {
	n.mu.Lock()
	b, found := n.boards[serial], n.found
	n.mu.Unlock()
	if d, ok := m.(*wire.Device); ok && found != nil {
		found(Found{serial, from, d.Version.String(), d.MAC.String()})
		if b == nil {
			return
		}
	}
	if b == nil || b.at.Addr() != from.Addr() {
		n.strays.Add(1)
		return
	}
	if from == b.at && b.answered(m) {
		return
	}
	if s, ok := m.(*wire.Status); ok {
		select {
		case b.rings <- door.Ring{Index: s.Last.Index, From: from}:
		default:
		}
		return
	}
	n.strays.Add(1)
}

// Search asks who is there, at broadcast addresses or those of controllers, and
// waits for answers.
func (n *Network) Search(ctx context.Context, at []netip.AddrPort, wait time.Duration) ([]Found, error) {
	var mu sync.Mutex
	var out []Found
	n.mu.Lock()
	if n.found != nil {
		n.mu.Unlock()
		return nil, errors.New("somebody else is searching")
	}
	n.found = func(f Found) {
		mu.Lock()
		defer mu.Unlock()
		if len(out) < maxFound && !slices.ContainsFunc(out, func(x Found) bool { return x.Serial == f.Serial }) {
			out = append(out, f)
		}
	}
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.found = nil
	}()
	for _, to := range at {
		// A network that is down has nobody to find.
		if err := n.send(0, &wire.GetDevice{}, to); err != nil {
			n.log.InfoContext(ctx, "a network cannot be asked for door controllers", "at", to.String(), "err", err)
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	mu.Lock()
	defer mu.Unlock()
	slices.SortFunc(out, func(a, b Found) int { return int(int64(a.Serial) - int64(b.Serial)) })
	return out, nil
}

const maxFound = 256

func (n *Network) check(at netip.AddrPort) error {
	if n.o.Check == nil {
		return nil
	}
	if err := n.o.Check(at); err != nil {
		return fmt.Errorf("%w: %w", door.ErrDenied, err)
	}
	return nil
}

func (n *Network) send(serial uint32, m wire.Message, to netip.AddrPort) error {
	b := wire.Encode(serial, m)
	if _, err := n.conn.WriteToUDPAddrPort(b[:], to); err != nil {
		return fmt.Errorf("%w: %w", door.ErrAway, err)
	}
	return nil
}

// Board returns the controller with a serial number at an address, whose clock is
// that of a place. It is heard until it is closed.
func (n *Network) Board(serial uint32, at netip.AddrPort, zone *time.Location) *Board {
	b := &Board{
		network: n, serial: serial, at: netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), zone: zone,
		rings: make(chan door.Ring, 64),
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.boards[serial] = b
	return b
}

// Close ends it.
func (b *Board) Close() {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	if b.network.boards[b.serial] == b {
		delete(b.network.boards, b.serial)
	}
}

// us is where a controller reaches us.
func (b *Board) us() netip.AddrPort {
	if local := b.network.conn.LocalAddr().(*net.UDPAddr).AddrPort(); !local.Addr().IsUnspecified() {
		return netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	}
	c, err := net.Dial("udp4", b.at.String()) // sends nothing: it only finds the way there
	if err != nil {
		return netip.AddrPort{}
	}
	defer c.Close()
	return netip.AddrPortFrom(c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), b.network.Port())
}
