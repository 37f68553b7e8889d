// Package door simulates UHPPOTE door controllers, and relays with contacts on an
// MQTT broker: real datagrams on a real socket, cards with PINs and time profiles, modes, a memory of what happened, a
// clock that can be wrong.
//
// It decides as boards do: the card's dates, the PIN if the keypad asks for one,
// the privilege at the door, its time profile, the mode. What a board cannot be
// brought to do in a test is a method here: a door forced or held open, duress,
// fire, a drifting clock, a loss of power. Controllers share one socket and are
// told apart by their serial numbers; one that has no power answers nobody. Devices
// on a broker say what those of their make say.
package door

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/uhppote"
)

// Options configures a Farm.
type Options struct {
	// Listen is host:port; port 0 takes a free one.
	Listen string
	// Keep is how many records a controller remembers; 0: 20,000.
	Keep int
	// HeldAfter is how long a door may stand open; 0: 30 s.
	HeldAfter time.Duration
	Logger    *slog.Logger
}

// Farm is a socket with controllers behind it.
type Farm struct {
	o    Options
	conn *net.UDPConn

	mu   sync.Mutex
	list map[uint32]*Controller
}

// New listens. Nothing is answered before Run.
func New(o Options) (*Farm, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Keep == 0 {
		o.Keep = 20_000
	}
	if o.HeldAfter == 0 {
		o.HeldAfter = 30 * time.Second
	}
	at, err := netip.ParseAddrPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("simulated controllers: %w", err)
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("simulated controllers: %w", err)
	}
	return &Farm{o: o, conn: conn, list: map[uint32]*Controller{}}, nil
}

// Address is where they listen.
func (f *Farm) Address() netip.AddrPort { return f.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Add makes a controller with power and a right clock, in the zone of its place.
func (f *Farm) Add(serial uint32, zone *time.Location) *Controller {
	c := newController(f, serial, zone)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list[serial] = c
	return c
}

// Controller finds one.
func (f *Farm) Controller(serial uint32) (*Controller, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.list[serial]
	return c, ok
}

func (f *Farm) all() []*Controller {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*Controller
	for _, c := range f.list {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *Controller) int { return int(int64(a.serial) - int64(b.serial)) })
	return out
}

// Close ends the socket; Run ends then too.
func (f *Farm) Close() { f.conn.Close() }

// lookEvery is how often doors are looked at that stand open.
const lookEvery = 100 * time.Millisecond

// Run answers until ctx ends.
func (f *Farm) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, f.Close)()
	var ticks sync.WaitGroup
	ticks.Go(func() {
		t := time.NewTicker(lookEvery)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				for _, c := range f.all() {
					c.look()
				}
			}
		}
	})
	defer ticks.Wait()
	defer cancel()
	var b [2 * uhppote.Size]byte
	for {
		n, from, err := f.conn.ReadFromUDPAddrPort(b[:])
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("simulated controllers: %w", err)
		}
		serial, m, err := uhppote.DecodeRequest(b[:n])
		if err != nil {
			f.o.Logger.Debug("a simulated controller does not understand", "err", err)
			continue
		}
		for _, c := range f.all() {
			if _, everybody := m.(*uhppote.GetDevice); c.serial != serial && (serial != 0 || !everybody) {
				continue
			}
			if reply := c.answer(m); reply != nil {
				f.send(c.serial, reply, from)
			}
		}
	}
}

func (f *Farm) send(serial uint32, m uhppote.Message, to netip.AddrPort) {
	b := uhppote.Encode(serial, m)
	if _, err := f.conn.WriteToUDPAddrPort(b[:], to); err != nil && !errors.Is(err, net.ErrClosed) {
		f.o.Logger.Debug("a simulated controller cannot send", "err", err)
	}
}
