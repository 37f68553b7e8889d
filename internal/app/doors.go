package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/source/door/httpdoor"
	"github.com/chargewatch/chargewatch/internal/source/door/uhppote"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// doors joins the keeper of doors with what people decided and with the API.
type doors struct {
	*door.Service
	s *Server

	inside  *inside
	mu      sync.Mutex
	network *uhppote.Network            // nil: there is no controller yet
	bridges map[string]*httpdoor.Bridge // by controller
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
	d := &doors{s: s, bridges: map[string]*httpdoor.Bridge{}, inside: &inside{s: s, known: access.NewInside()}}
	d.Service = door.New(door.Options{
		Journal: doorJournal{s}, Policy: &doorPolicy{s: s}, Inside: d.inside, Open: d.open, Told: d.told, Poll: poll, Logger: s.log,
	})
	return d
}

// lookForChanges is how often is looked whether the lists of controllers are to
// change: what people decide about cards is on the doors a moment later.
const lookForChanges = time.Second

// run keeps the doors that people set up.
func (d *doors) run(ctx context.Context) error {
	if err := d.inside.load(ctx); err != nil && ctx.Err() == nil {
		d.s.log.WarnContext(ctx, "who is inside is not known: everybody may come in once", "err", err)
	}
	ended := make(chan error, 2)
	go func() { ended <- d.Service.Run(ctx) }()
	tick := time.NewTicker(lookForChanges)
	defer tick.Stop()
	listens := false
	for ctx.Err() == nil {
		changed := d.s.Store.DoorsChanged()
		list := d.configs(ctx)
		if !listens && slices.ContainsFunc(list, func(c door.Config) bool { return c.Driver == string(store.DriverUHPPOTE) }) {
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
			set, _ := d.s.Store.Door(x.ID)
			if set != nil && x.Keypad != d.asks(book, set) {
				return false
			}
		}
	}
	return true
}

// asks reports whether a board is to ask for codes at a door. Other readers ask as they were
// made to: their connection is not made anew for it, in which what is shown would be lost.
func (d *doors) asks(book *access.Book, x *store.Door) bool {
	return d.board(x.Controller) && x.Keypad.Asks(book.WantsPIN(x.Place()))
}

func (d *doors) board(controller string) bool {
	c, ok := d.s.Store.Controller(controller)
	return ok && c.Driver == store.DriverUHPPOTE
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

// configs are the controllers as they are to be kept.
func (d *doors) configs(ctx context.Context) []door.Config {
	st := d.s.Store
	book := st.Book()
	at := map[string][]door.DoorConfig{}
	for _, x := range st.Doors() {
		if x.Controller != "" {
			at[x.Controller] = append(at[x.Controller], door.DoorConfig{
				ID: x.ID, Number: x.Number, Place: x.Place(), HeldAfter: time.Duration(x.HeldAfterS) * time.Second, Keypad: d.asks(book, x), TwoPerson: x.TwoPerson,
				Online: d.board(x.Controller) && needsServer(st, book, x), Airlock: airlockOf(book, x.Place().ID), Wiring: wiringOf(x.Wiring),
			})
		}
	}
	var out []door.Config
	for _, c := range st.Controllers() {
		if c.Driver != store.DriverUHPPOTE {
			out = append(out, door.Config{
				ID: c.ID, SiteID: c.SiteID, Driver: string(c.Driver), Line: door.Line{URL: c.Address, User: c.User, Authority: c.Authority, Seal: c.Seal()},
				Zone: st.ZoneOf(c.SiteID), Doors: at[c.ID],
			})
			continue
		}
		address, err := resolve(ctx, c.Address)
		if err != nil {
			d.s.log.WarnContext(ctx, "the address of a door controller is not known", "controller", c.ID, "err", err)
			continue
		}
		rules, _ := book.BoardRules(st.BoardPlaces(c.ID))
		out = append(out, door.Config{ID: c.ID, SiteID: c.SiteID, Driver: string(c.Driver), Serial: c.Serial, Address: address, Zone: st.ZoneOf(c.SiteID), Doors: at[c.ID], Rules: rules})
	}
	return out
}

// needsServer reports whether only we can let in at a door of a board: it cannot tell people
// apart, or knows no form for what it was to keep by itself.
func needsServer(st *store.Store, book *access.Book, x *store.Door) bool {
	place := x.Place().ID
	if x.TwoPerson || book.NeedsServer(place) {
		return true
	}
	if !keptByBoard(book, place) {
		return false
	}
	_, whole := book.BoardRules(st.BoardPlaces(x.Controller))
	return !whole
}

// keptByBoard reports whether a board is to keep something at a door by itself.
func keptByBoard(book *access.Book, place string) bool {
	return slices.ContainsFunc(book.Areas(place), func(a *access.Area) bool { return a.Board }) ||
		slices.ContainsFunc(book.Airlocks(place), func(a *access.Airlock) bool { return a.Board })
}

// airlockOf are the doors that have to be shut for a door to open.
func airlockOf(book *access.Book, place string) string {
	var ids []string
	for _, x := range book.Airlocks(place) {
		for _, p := range x.Doors {
			if id := strings.TrimPrefix(p, string(event.DoorSubject)+"/"); p != place && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, ",")
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
	out := web.DoorStatus{State: x.State, Since: x.Since, Reason: x.Reason, WhenOffline: "list", Blind: d.Blind(id)}
	if known, ok := d.s.Store.Door(id); ok {
		if c, ok := d.s.Store.Controller(known.Controller); ok {
			switch c.Driver {
			case store.DriverUHPPOTE:
				if needsServer(d.s.Store, d.s.Store.Book(), known) {
					out.WhenOffline = "deny"
				}
			case store.DriverMQTT:
				out.WhenOffline = "deny"
			case store.DriverHTTP:
				out.WhenOffline = "system"
			}
		}
	}
	return out, true
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
	case errors.Is(err, door.ErrAirlock):
		return fmt.Errorf("%w: %w", web.ErrDoorAirlock, err)
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
		var err error
		if address, err = hostPort(address); err != nil {
			return nil //nolint:nilerr // the store says what an address is
		}
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

func (j doorJournal) Pass(ctx context.Context, controller string, to door.Cursor) error {
	return j.s.Store.PassRecord(ctx, controller, store.ControllerCursor{Record: to.Record, Parts: to.Parts})
}

func (j doorJournal) Once(ctx context.Context, controller, key string, e *event.Event) error {
	return j.s.Store.TellOnce(ctx, controller, key, e)
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
	shown, kinds := a.Token, []access.Kind{access.RFID, ""}
	switch {
	case a.Card != 0:
		shown = strconv.FormatUint(uint64(a.Card), 10)
	case shown == "":
		shown, kinds = a.PIN, []access.Kind{access.PIN, access.Duress}
	}
	token, c, err := st.Lookup(ctx, "", shown)
	if err != nil {
		return door.Decided{}, fmt.Errorf("look up a card: %w", err)
	}
	if c != nil && !slices.Contains(kinds, c.Kind) {
		c = nil // a code or a plate with the same digits is no card
	}
	duress := false
	switch {
	case c == nil:
	case c.Kind == access.Duress:
		// Whoever looks over a shoulder sees what is seen with the PIN.
		token, c, duress = st.InsteadOf(token, c)
	case a.PIN != "" && !c.Kind.Coded():
		var kind access.Kind
		kind, a.PINGiven = st.CodeOf(c.Person, a.PIN)
		duress = kind == access.Duress
	}
	r := access.Request{Now: a.At, TokenID: token, Credential: c, Action: access.Enter, Place: a.Door.Place, Zone: a.Zone, PINGiven: a.PINGiven}
	if c != nil && c.Person != "" {
		r.Person, _ = st.PersonOf(c.Person)
	}
	return door.Decided{Decision: st.Book().Decide(r), TokenID: token, Duress: duress}, nil
}

// Locked reports whether a lockdown that leaves out nobody holds at a door.
func (p *doorPolicy) Locked(d door.DoorConfig) bool { return p.s.Store.Book().Locked(d.Place) }

const listPage = 500

// Lists makes the lists of a controller of everybody whose card it can read.
func (p *doorPolicy) Lists(ctx context.Context, c door.Config, have access.Lists) (access.Compiled, error) {
	r := access.ListRequest{Now: time.Now(), Zone: c.Zone, Have: have}
	for _, d := range c.Doors {
		if d.Number <= access.ListDoors {
			r.Doors[d.Number-1] = access.ListDoor{Place: d.Place, Keypad: d.Keypad, Online: d.Online}
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
			number, numbered := cardNumber(x.Token.Value)
			switch {
			case x.Kind == access.PIN && x.Person != "" && x.Status == access.Accepted:
				// Its digits are sealed: what stands in their place is no number.
				digits, err := st.PIN(ctx, x.ID)
				if err != nil {
					p.s.log.WarnContext(ctx, "a PIN cannot be given to door controllers", "credential", x.ID, "err", err)
					continue
				}
				if pin, ok := cardNumber(digits); ok && pin < 1_000_000 && pins[x.Person] == 0 {
					pins[x.Person] = pin
				}
			case numbered && (x.Kind == access.RFID || x.Kind == ""):
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
