package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/source/door/uhppote"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// doors joins the keeper of doors with what people decided and with the API.
type doors struct {
	*door.Service
	s *Server

	mu      sync.Mutex
	network *uhppote.Network // nil: there is no controller yet
}

var (
	_ web.Doors       = (*doors)(nil)
	_ web.Controllers = (*doors)(nil)
	_ door.Journal    = (*doorJournal)(nil)
	_ door.Policy     = (*doorPolicy)(nil)
)

// cardHolders are those whose cards controllers can read, as of a change.
type cardHolders struct {
	version uint64
	list    []access.Holder
}

func (s *Server) newDoors(poll time.Duration) *doors {
	d := &doors{s: s}
	d.Service = door.New(door.Options{
		Journal: doorJournal{s}, Policy: &doorPolicy{s: s}, Open: d.open, Told: d.told, Poll: poll, Logger: s.log,
	})
	return d
}

// lookForChanges is how often is looked whether the lists of controllers are to
// change: what people decide about cards is on the doors a moment later.
const lookForChanges = time.Second

// run keeps the doors that people set up.
func (d *doors) run(ctx context.Context) error {
	ended := make(chan error, 2)
	go func() { ended <- d.Service.Run(ctx) }()
	tick := time.NewTicker(lookForChanges)
	defer tick.Stop()
	listens := false
	for ctx.Err() == nil {
		changed := d.s.Store.DoorsChanged()
		list := d.configs(ctx)
		if len(list) > 0 && !listens {
			network, err := d.listen(ctx)
			if err != nil {
				return errors.Join(err, <-ended)
			}
			listens = true
			go func() { ended <- network.Run(ctx) }()
		}
		d.Apply(list)
		book, holders := d.s.Store.Book(), d.s.Store.HoldersVersion()
		for again := true; again; {
			select {
			case <-changed:
				again = false
			case <-ctx.Done():
				again = false
			case <-tick.C:
				if b, h := d.s.Store.Book(), d.s.Store.HoldersVersion(); b != book || h != holders {
					book, holders = b, h
					again = len(list) == 0 || d.sameKeypads(list)
					d.Sync()
				}
			}
		}
	}
	err := <-ended
	if listens {
		err = errors.Join(err, <-ended)
	}
	return err
}

// sameKeypads reports whether the rows want codes where they wanted them before.
func (d *doors) sameKeypads(list []door.Config) bool {
	book := d.s.Store.Book()
	for _, c := range list {
		for _, x := range c.Doors {
			if x.Keypad != book.WantsPIN(x.Place) {
				return false
			}
		}
	}
	return true
}

// listen opens the port to which controllers tell what happens; they are told which.
func (d *doors) listen(ctx context.Context) (*uhppote.Network, error) {
	at, err := doorAddress(d.s.Config.DoorListen)
	if err != nil {
		return nil, err
	}
	n, err := uhppote.Listen(uhppote.Options{Listen: at, Check: d.s.reach.Check, Logger: d.s.log})
	if err != nil {
		return nil, err
	}
	d.s.log.InfoContext(ctx, "door controllers are told where to tell what happens", "port", n.Port())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.network = n
	return n, nil
}

func doorAddress(text string) (netip.AddrPort, error) {
	if text == "off" {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0), nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the address of door controllers: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the port of door controllers: %w", err)
	}
	addr := netip.IPv4Unspecified()
	if host != "" {
		if addr, err = netip.ParseAddr(host); err != nil {
			return netip.AddrPort{}, fmt.Errorf("read the address of door controllers: %w", err)
		}
	}
	return netip.AddrPortFrom(addr, uint16(n)), nil
}

// open makes the driver of a controller.
func (d *doors) open(c door.Config) (door.Driver, func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.network.Board(c.Serial, c.Address, c.Zone)
	return b, b.Close
}

// configs are the controllers as they are to be kept.
func (d *doors) configs(ctx context.Context) []door.Config {
	st := d.s.Store
	book := st.Book()
	at := map[string][]door.DoorConfig{}
	for _, x := range st.Doors() {
		if x.Controller != "" {
			at[x.Controller] = append(at[x.Controller], door.DoorConfig{
				ID: x.ID, Number: x.Number, Place: x.Place(), HeldAfter: time.Duration(x.HeldAfterS) * time.Second, Keypad: book.WantsPIN(x.Place()),
			})
		}
	}
	var out []door.Config
	for _, c := range st.Controllers() {
		if c.Driver != store.DriverUHPPOTE {
			continue
		}
		address, err := resolve(ctx, c.Address)
		if err != nil {
			d.s.log.WarnContext(ctx, "the address of a door controller is not known", "controller", c.ID, "err", err)
			continue
		}
		out = append(out, door.Config{ID: c.ID, SiteID: c.SiteID, Serial: c.Serial, Address: address, Zone: st.ZoneOf(c.SiteID), Doors: at[c.ID]})
	}
	return out
}

// resolve finds the address of HOST:PORT.
func resolve(ctx context.Context, address string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddrPort(address); err == nil {
		return a, nil
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, resolveFor)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(found) == 0 {
		return netip.AddrPort{}, errors.New("the name has no address")
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(port)), nil
}

// told is what the journal has of a controller and its doors.
func (d *doors) told(ctx context.Context, c door.Config) (door.Memory, error) {
	out := door.Memory{Doors: map[string]event.DoorState{}}
	for _, x := range c.Doors {
		found, _, err := d.s.Journal.Events(ctx, journal.EventQuery{Subject: event.Door(x.ID), Kinds: []event.Kind{event.KindDoorState, event.KindDoorRemoved}, Limit: 1})
		if err != nil {
			return out, fmt.Errorf("read the condition of a door: %w", err)
		}
		for _, e := range found {
			if b, ok := e.Body.(*event.DoorState); ok {
				out.Doors[x.ID] = *b
			}
		}
	}
	found, _, err := d.s.Journal.Events(ctx, journal.EventQuery{
		Subject: event.Controller(c.ID), Kinds: []event.Kind{event.KindControllerFault, event.KindControllerRemoved}, Limit: 100,
	})
	if err != nil {
		return out, fmt.Errorf("read the faults of a controller: %w", err)
	}
	seen := map[event.ControllerFaultKind]bool{}
	for _, e := range found { // the newest first
		b, ok := e.Body.(*event.ControllerFault)
		if !ok {
			break
		}
		if !seen[b.Fault] && b.Active {
			out.Faults = append(out.Faults, b.Fault)
		}
		seen[b.Fault] = true
	}
	return out, nil
}

// DoorStatus is how a door is.
func (d *doors) DoorStatus(id string) (web.DoorStatus, bool) {
	x, ok := d.Service.Door(id)
	if !ok {
		return web.DoorStatus{}, false
	}
	if x.State == "" {
		x.State = event.DoorUnknown
	}
	return web.DoorStatus{State: x.State, Since: x.Since, Reason: x.Reason, WhenOffline: "list"}, true
}

// Unlock opens a door.
func (d *doors) Unlock(ctx context.Context, id string, long time.Duration) error {
	return doorError(d.Service.Unlock(ctx, id, long))
}

// Lockdown keeps everybody out of a door.
func (d *doors) Lockdown(ctx context.Context, id string) error {
	return doorError(d.Service.Lockdown(ctx, id))
}

// Release ends that.
func (d *doors) Release(ctx context.Context, id string) error {
	return doorError(d.Service.Release(ctx, id))
}

// doorError says an error in the words of the API.
func doorError(err error) error {
	switch {
	case errors.Is(err, door.ErrAway), errors.Is(err, door.ErrDenied):
		return fmt.Errorf("%w: %w", web.ErrDoorUnreachable, err)
	case errors.Is(err, door.ErrRefused):
		return fmt.Errorf("%w: %w", web.ErrDoorUnable, err)
	}
	return err
}

// ControllerStatus is how a controller is.
func (d *doors) ControllerStatus(id string) (web.ControllerStatus, bool) {
	x, ok := d.Controller(id)
	if !ok {
		return web.ControllerStatus{}, false
	}
	out := web.ControllerStatus{
		Online: x.Online, Since: x.Since, Firmware: x.Firmware, OffsetS: x.Offset.Seconds(), Cards: x.Cards, SyncedAt: x.SyncedAt, LastIndex: x.Record,
	}
	for _, f := range x.Faults {
		shape := web.ControllerFaultShape{Fault: f.Kind, Detail: f.Detail}
		if !f.Since.IsZero() {
			shape.Since = new(f.Since.UTC())
		}
		out.Faults = append(out.Faults, shape)
	}
	return out, true
}

// ReachController says why an address may not be reached. A name that is not known
// now may be later: each question is checked anyway.
func (d *doors) ReachController(ctx context.Context, driver store.Driver, address string) error {
	if driver != store.DriverUHPPOTE {
		return nil
	}
	at, err := resolve(ctx, address)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	return d.s.reach.Check(at)
}

// searchFor is how long controllers have to answer who is there.
const searchFor = 2 * time.Second

// FindControllers asks the networks of this machine.
func (d *doors) FindControllers(ctx context.Context) ([]web.FoundController, error) {
	d.mu.Lock()
	n := d.network
	d.mu.Unlock()
	if n == nil {
		at, err := doorAddress(":0")
		if err != nil {
			return nil, err
		}
		if n, err = uhppote.Listen(uhppote.Options{Listen: at, Logger: d.s.log}); err != nil {
			return nil, err
		}
		run, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- n.Run(run) }()
		defer func() { stop(); <-done }()
	}
	targets, err := broadcasts()
	if err != nil {
		return nil, err
	}
	found, err := n.Search(ctx, targets, searchFor)
	if err != nil {
		return nil, err
	}
	var out []web.FoundController
	for _, x := range found {
		f := web.FoundController{Serial: x.Serial, Address: x.Address.String(), MAC: x.MAC, Firmware: x.Firmware}
		for _, c := range d.s.Store.Controllers() {
			if c.Driver == store.DriverUHPPOTE && c.Serial == x.Serial {
				f.Known = c.ID
			}
		}
		out = append(out, f)
	}
	return out, nil
}

const uhppotePort = 60000

// broadcasts are the addresses at which the networks of this machine are asked.
func broadcasts() ([]netip.AddrPort, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the networks of this machine: %w", err)
	}
	var out []netip.AddrPort
	for _, a := range list {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || n.IP.IsLoopback() || len(n.Mask) != net.IPv4len {
			continue
		}
		b := [4]byte(n.IP.To4())
		for i := range b {
			b[i] |= ^n.Mask[i]
		}
		out = append(out, netip.AddrPortFrom(netip.AddrFrom4(b), uhppotePort))
	}
	return out, nil
}

// SyncController gives a controller its lists anew.
func (d *doors) SyncController(_ context.Context, id string) error {
	if _, ok := d.Controller(id); !ok {
		return fmt.Errorf("controller %s: %w", id, store.ErrNotFound)
	}
	d.Sync(id)
	return nil
}

// doorJournal tells what happened at doors.
type doorJournal struct{ s *Server }

func (j doorJournal) Append(ctx context.Context, e *event.Event) error {
	_, err := j.s.Journal.Append(ctx, e)
	return err
}

func (j doorJournal) Tell(ctx context.Context, controller string, to door.Cursor, e *event.Event) error {
	return j.s.Store.Tell(ctx, controller, store.ControllerCursor{Record: to.Record, Parts: to.Parts}, e)
}

func (j doorJournal) Cursor(ctx context.Context, controller string) (door.Cursor, error) {
	c, err := j.s.Store.ControllerCursor(ctx, controller)
	return door.Cursor{Record: c.Record, Parts: c.Parts}, err
}

// doorPolicy decides by what people wrote.
type doorPolicy struct {
	s *Server

	mu   sync.Mutex
	held *cardHolders // nil: not read yet
}

// Decide says what would be decided here.
func (p *doorPolicy) Decide(ctx context.Context, a door.Asked) (door.Decided, error) {
	st := p.s.Store
	token, c, err := st.Lookup(ctx, "", strconv.FormatUint(uint64(a.Card), 10))
	if err != nil {
		return door.Decided{}, fmt.Errorf("look up a card: %w", err)
	}
	if c != nil && c.Kind != access.RFID && c.Kind != "" {
		c = nil // a code or a plate with the same digits is no card
	}
	r := access.Request{Now: a.At, TokenID: token, Credential: c, Action: access.Enter, Place: a.Door.Place, Zone: a.Zone, PINGiven: a.PINGiven}
	if c != nil && c.Person != "" {
		r.Person, _ = st.PersonOf(c.Person)
	}
	return door.Decided{Decision: st.Book().Decide(r), TokenID: token}, nil
}

const listPage = 500

// Lists makes the lists of a controller of everybody whose card it can read.
func (p *doorPolicy) Lists(ctx context.Context, c door.Config, have access.Lists) (access.Compiled, error) {
	r := access.ListRequest{Now: time.Now(), Zone: c.Zone, Have: have}
	for _, d := range c.Doors {
		if d.Number <= access.ListDoors {
			r.Doors[d.Number-1] = access.ListDoor{Place: d.Place, Keypad: d.Keypad}
		}
	}
	var err error
	if r.Holders, err = p.holders(ctx); err != nil {
		return access.Compiled{}, err
	}
	return p.s.Store.Book().Lists(r), nil
}

// holders are all whose card a controller can read; they are read once after each
// change, whatever the number of controllers.
func (p *doorPolicy) holders(ctx context.Context) ([]access.Holder, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.s.Store
	now := &cardHolders{version: st.HoldersVersion()}
	if p.held != nil && p.held.version == now.version {
		return p.held.list, nil
	}
	pins := map[string]uint32{}
	for after := ""; ; {
		page, err := st.Credentials(ctx, "", after, listPage)
		if err != nil {
			return nil, fmt.Errorf("read the cards: %w", err)
		}
		for _, x := range page {
			after = x.ID
			switch number, ok := cardNumber(x.Token.Value); {
			case !ok:
			case x.Kind == access.PIN && x.Person != "" && x.Status == access.Accepted && number < 1_000_000:
				pins[x.Person] = number
			case x.Kind == access.RFID || x.Kind == "":
				h := access.Holder{Number: number, Credential: &x.Credential}
				if x.Person != "" {
					h.Person, _ = st.PersonOf(x.Person)
				}
				now.list = append(now.list, h)
			}
		}
		if len(page) < listPage {
			break
		}
	}
	for i := range now.list {
		now.list[i].PIN = pins[now.list[i].Credential.Person]
	}
	p.held = now
	return now.list, nil
}

// cardNumber reads the number that a controller knows a card by.
func cardNumber(value string) (uint32, bool) {
	if value == "" || strings.TrimLeft(value, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(value, 10, 32)
	return uint32(n), err == nil && n > 0
}
