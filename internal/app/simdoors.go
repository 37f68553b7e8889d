package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	simdoor "github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/store"
)

// simDoors are the gates and cabinet rooms of a simulated network: controllers that
// speak over UDP on loopback, and people who come and go.
type simDoors struct {
	s      *Server
	farm   *simdoor.Farm
	list   []simSite
	badged map[string]bool // work orders whose technician came in

	mu   sync.Mutex
	held map[string]time.Time // by site: until when a story has its doors
}

// hold leaves the doors of a site to a story for a while.
func (d *simDoors) hold(site string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[site] = until
}

// busy reports whether somebody is at the doors of a site.
func (d *simDoors) busy(x *simSite, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Before(x.busy) || now.Before(d.held[x.id])
}

// simSite is a site with a controller, a gate and a cabinet room.
type simSite struct {
	id    string
	board *simdoor.Controller
	busy  time.Time // until when somebody is at its doors
}

const (
	simDoorSites  = 6
	simDoorSerial = 405_419_801
	simGate       = 1
	simCabinet    = 2
)

// openSimDoors listens, if possible where the controllers were before, and enrols
// those that are missing.
func openSimDoors(ctx context.Context, s *Server, by store.Actor, plan sim.Plan) (*simDoors, error) {
	d := &simDoors{s: s, badged: map[string]bool{}, held: map[string]time.Time{}}
	listen := "127.0.0.1:0"
	for _, c := range s.Store.Controllers() {
		if a, err := netip.ParseAddrPort(c.Address); c.Simulated && err == nil && a.Addr().IsLoopback() {
			listen = c.Address
		}
	}
	var err error
	o := simdoor.Options{Listen: listen, HeldAfter: 10 * time.Minute, Logger: s.log}
	if d.farm, err = simdoor.New(o); err != nil {
		o.Listen = "127.0.0.1:0"
		if d.farm, err = simdoor.New(o); err != nil {
			return nil, err
		}
	}
	s.simulatedDoors.Store(&[]netip.AddrPort{d.farm.Address()})
	for i, x := range plan.Sites[:min(simDoorSites, len(plan.Sites))] {
		board := d.farm.Add(simDoorSerial+uint32(i), s.Store.ZoneOf(x.ID))
		if err := d.enrol(ctx, by, x, plan, board); err != nil {
			d.farm.Close()
			return nil, fmt.Errorf("simulated doors of %s: %w", x.ID, err)
		}
		d.list = append(d.list, simSite{id: x.ID, board: board})
	}
	return d, nil
}

func (d *simDoors) enrol(ctx context.Context, by store.Actor, x sim.Site, plan sim.Plan, board *simdoor.Controller) error {
	st, address := d.s.Store, d.farm.Address().String()
	id := "ctl-" + x.ID
	switch old, ok := st.Controller(id); {
	case !ok:
		_, err := st.CreateController(ctx, by, store.Controller{
			ID: id, SiteID: x.ID, Label: "Gate house", Driver: store.DriverUHPPOTE, Address: address, Serial: board.Serial(), Simulated: true,
		}, "")
		if err != nil {
			return err
		}
	case old.Address != address:
		if _, err := st.ChangeController(ctx, by, id, nil, func(c *store.Controller) { c.Address = address }); err != nil {
			return err
		}
	}
	cursor, err := st.ControllerCursor(ctx, id)
	if err != nil {
		return err
	}
	board.GoOn(cursor.Record)
	camera := "cam-" + x.ID + "-1"
	if _, ok := st.Camera(camera); !ok {
		camera = ""
	}
	var stations []string
	for _, s := range plan.Stations {
		if s.Site == x.ID {
			stations = append(stations, event.Station(s.ID).String())
		}
	}
	for _, door := range []store.Door{
		{ID: "gate-" + x.ID, Label: "Gate", Kind: access.Gate, Number: simGate, CameraID: camera, HeldAfterS: 120},
		{ID: "cabinet-" + x.ID, Label: "Cabinet room", Kind: access.Cabinet, Number: simCabinet, Ports: stations, HeldAfterS: 1800},
	} {
		if _, ok := st.Door(door.ID); ok {
			continue
		}
		door.SiteID, door.Controller, door.Simulated = x.ID, id, true
		if _, err := st.CreateDoor(ctx, by, door); err != nil {
			return err
		}
	}
	return nil
}

// Times at the simulated doors.
const (
	simDoorLook  = 2 * time.Second
	firstVisit   = 15 * time.Second
	visitEvery   = 50 * time.Second
	strangerIn   = 12 // one visitor in so many has a card that nobody knows
	firstCard    = 6_154_401
	strangerCard = 7_000_000
)

// run lets people come and go until ctx ends.
func (d *simDoors) run(ctx context.Context) error {
	defer d.s.simulatedDoors.Store(nil)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- d.farm.Run(ctx) }()
	visit := time.Now().Add(firstVisit)
	tick := time.NewTicker(simDoorLook)
	defer tick.Stop()
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return <-done
		case now = <-tick.C:
		}
		people, err := d.people(ctx)
		if err == nil {
			err = d.workers(ctx, people, now)
		}
		if err != nil && ctx.Err() == nil {
			d.s.log.ErrorContext(ctx, "the script of the simulated doors fails", "err", err)
		}
		if err == nil && now.After(visit) && len(people) > 0 {
			visit = now.Add(visitEvery/2 + rand.N(visitEvery))
			card := people[rand.IntN(len(people))].card
			if rand.IntN(strangerIn) == 0 {
				card = strangerCard + rand.Uint32N(1000)
			}
			d.comes(ctx, &d.list[rand.IntN(len(d.list))], card, false, now)
		}
	}
}

// comer is somebody with a card for doors.
type comer struct {
	name string
	card uint32
}

// people are those of the demo who have a card that doors read; who has none is
// given one. A server with people of its own is left alone.
func (d *simDoors) people(ctx context.Context) ([]comer, error) {
	if !d.s.demo {
		return nil, nil
	}
	list, err := d.s.Store.People(ctx, store.PeopleQuery{Limit: 50})
	if err != nil {
		return nil, err
	}
	var out []comer
	next := uint32(firstCard)
	for _, p := range list {
		own, err := d.s.Store.CredentialsOf(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		next++
		i := slices.IndexFunc(own, func(c *store.Credential) bool {
			_, ok := cardNumber(c.Token.Value)
			return ok && (c.Kind == access.RFID || c.Kind == "")
		})
		if i >= 0 {
			n, _ := cardNumber(own[i].Token.Value)
			out = append(out, comer{p.Name, n})
			continue
		}
		if p.Suspended || !p.Until.IsZero() && time.Now().After(p.Until) {
			continue
		}
		in := store.CredentialInput{IDToken: strconv.FormatUint(uint64(next), 10), Kind: access.RFID, Person: p.ID, Label: "Door card"}
		if _, err := d.s.Store.PutCredential(ctx, store.System, "", in); err != nil && !errors.Is(err, store.ErrExists) {
			return nil, fmt.Errorf("hand out a door card: %w", err)
		}
		in.IDToken, in.Kind, in.Label = strconv.FormatUint(uint64(next)%900_000+100_000, 10), access.PIN, "Code at doors"
		if _, err := d.s.Store.PutCredential(ctx, store.System, "", in); err != nil && !errors.Is(err, store.ErrExists) {
			return nil, fmt.Errorf("hand out a code: %w", err)
		}
		out = append(out, comer{p.Name, next})
	}
	return out, nil
}

// workers come in where their work orders say that they are.
func (d *simDoors) workers(ctx context.Context, people []comer, now time.Time) error {
	orders, err := d.s.Store.WorkOrders(ctx, store.OrderQuery{States: []string{string(store.OrderOnSite)}, Limit: 50})
	if err != nil {
		return err
	}
	for _, w := range orders {
		at := slices.IndexFunc(d.list, func(x simSite) bool { return x.id == w.SiteID })
		if at < 0 || d.badged[w.ID] || d.busy(&d.list[at], now) {
			continue
		}
		u, err := d.s.Store.User(ctx, string(w.Assignee))
		if err != nil {
			continue // it is nobody's, or somebody's who left
		}
		if i := slices.IndexFunc(people, func(p comer) bool { return p.name == u.Name }); i >= 0 {
			d.badged[w.ID] = true
			d.comes(ctx, &d.list[at], people[i].card, true, now)
		}
	}
	return nil
}

// comes lets somebody in at a gate, and on into the cabinet room if there is work
// to do. They type their code where they are asked for one.
func (d *simDoors) comes(ctx context.Context, x *simSite, card uint32, works bool, now time.Time) {
	if d.busy(x, now) {
		return
	}
	x.busy = now.Add(time.Minute)
	board := x.board
	go func() {
		pause := func(long time.Duration) bool {
			select {
			case <-ctx.Done():
				return false
			case <-time.After(long):
				return true
			}
		}
		through := func(n int, open time.Duration) bool {
			if !board.Swipe(n, card, board.Cards()[card].PIN).Granted || !pause(time.Second) {
				return false
			}
			board.Open(n)
			defer board.Shut(n)
			return pause(open)
		}
		if through(simGate, 8*time.Second) && works && pause(10*time.Second) {
			through(simCabinet, 20*time.Second)
		}
	}()
}

// removeSimDoors ends the enrolment of simulated doors and controllers.
func removeSimDoors(ctx context.Context, st *store.Store, by store.Actor) error {
	for _, x := range st.Doors() {
		if !x.Simulated {
			continue
		}
		// One that a policy of people names is theirs now.
		if err := st.DeleteDoor(ctx, by, x.ID); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrInUse) {
			return fmt.Errorf("remove simulated door: %w", err)
		}
	}
	for _, x := range st.Controllers() {
		if !x.Simulated {
			continue
		}
		if err := st.DeleteController(ctx, by, x.ID); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrInUse) {
			return fmt.Errorf("remove simulated controller: %w", err)
		}
	}
	return nil
}
