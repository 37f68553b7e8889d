package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// simulation is the simulated network of a server: stations in the same
// process that speak real OCPP to it over loopback. It is on while simulated
// stations are enrolled, so that a restart finds it as people left it.
type simulation struct {
	s     *Server
	waits bool // for the demo to start it
	blind bool // its sites have no cameras

	switching sync.Mutex // held by who turns it on or off

	mu    sync.Mutex
	alive chan struct{}   // closed when Run has begun
	life  context.Context // of Run
	seed  uint64
	speed float64
	stop  context.CancelFunc // nil while no station lives
	ended chan struct{}
	back  time.Duration // how much past they remember

	raids simRaids // stories that people play there
}

const (
	simulatedSeed = 1
	seedSetting   = "simulation.seed"
	// offlineMost is how long a station remembers what nobody heard.
	offlineMost = 6 * time.Hour
)

// newSimulation finds a network as an earlier run left it. A demo says which it
// wants and starts its stations itself.
func newSimulation(ctx context.Context, s *Server, o Options) (*simulation, error) {
	n := &simulation{s: s, alive: make(chan struct{}), seed: o.seed, speed: o.speed, waits: o.Demo, blind: o.blind}
	n.raids.s = s
	if n.waits {
		return n, nil
	}
	n.seed, n.speed = simulatedSeed, 1
	err := s.db.Reader().QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, seedSetting).Scan(&n.seed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the seed of the simulated network: %w", err)
	}
	return n, nil
}

// run lets the network live while the server does.
func (n *simulation) run(ctx context.Context) error {
	n.mu.Lock()
	n.life = ctx
	n.mu.Unlock()
	close(n.alive)
	if !n.waits && n.on() {
		if err := n.start(ctx, nil); err != nil && ctx.Err() == nil {
			n.s.log.ErrorContext(ctx, "the simulated network does not start", "err", err)
		}
	}
	<-ctx.Done()
	n.halt()
	return nil
}

// start lets the stations live: those of a past that was made, else new ones.
func (n *simulation) start(ctx context.Context, was *past) error {
	n.switching.Lock()
	defer n.switching.Unlock()
	stations := was.stations()
	if stations != nil {
		n.mu.Lock()
		n.back = was.span
		n.mu.Unlock()
	}
	return n.begin(ctx, store.System, stations)
}

// on reports whether a simulated network is enrolled.
func (n *simulation) on() bool {
	stations, _ := n.s.Store.Simulated()
	return stations > 0
}

// Remembers is how much past its stations told, or will tell, of the time
// before they were turned on.
func (n *simulation) Remembers() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.back
}

// Switch makes the network and lets it live, or ends and removes it.
func (n *simulation) Switch(ctx context.Context, by store.Actor, on bool) error {
	n.switching.Lock()
	defer n.switching.Unlock()
	switch living := n.living(); {
	case on && living, !on && !living && !n.on():
		return nil
	case on:
		return n.begin(ctx, by, nil)
	}
	n.halt()
	return n.remove(ctx, by)
}

func (n *simulation) living() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stop != nil
}

// begin enrols what is missing and lets the stations live: those given, or new
// ones that go on from what is known of their plan.
func (n *simulation) begin(ctx context.Context, by store.Actor, stations *sim.Fleet) error {
	select {
	case <-n.alive:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	plan := sim.Network(n.seed)
	if stations == nil {
		found, since, err := n.found(ctx, plan)
		if err != nil {
			return err
		}
		back := min(offlineMost, time.Since(since))
		if stations, err = sim.New(sim.Options{
			Plan: plan, Seed: n.seed, Speed: n.speed, History: back, Replay: true, Found: found, Logger: n.s.log,
			Script: sim.NetworkScript(plan, n.seed),
		}); err != nil {
			return err
		}
		n.mu.Lock()
		n.back = back
		n.mu.Unlock()
	}
	err := n.s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			seedSetting, strconv.FormatUint(n.seed, 10))
		return err
	})
	if err != nil {
		return fmt.Errorf("note the seed of the simulated network: %w", err)
	}
	if err := enrol(ctx, n.s.Store, by, plan); err != nil {
		return err
	}
	if err := stations.Aim("ws://" + n.s.OCPPAddress() + "/ocpp"); err != nil {
		return err
	}
	var cameras *simCameras
	if !n.blind {
		var err error
		if cameras, err = openSimCameras(ctx, n.s, by, plan, stations); err != nil {
			return err
		}
	}
	doors, err := openSimDoors(ctx, n.s, by, plan)
	if err != nil {
		return err
	}
	horns, err := openSimOutputs(ctx, n.s, by, plan)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, n.stop = context.WithCancel(n.life)
	n.ended = make(chan struct{})
	done := n.ended
	n.raids.open(ctx, &simStage{plan: plan, stations: stations, cameras: cameras, doors: doors})
	go func() {
		defer close(done)
		defer n.raids.close()
		seen := make(chan error, 1)
		if cameras == nil {
			seen <- nil
		} else {
			go func() { seen <- cameras.run(ctx) }()
		}
		entered := make(chan error, 1)
		go func() { entered <- doors.run(ctx) }()
		sounded := make(chan error, 1)
		go func() { sounded <- horns.run(ctx) }()
		if err := ended(ctx, stations.Run(ctx)); err != nil {
			n.s.log.ErrorContext(ctx, "the simulated network ended", "err", err)
		}
		if err := ended(ctx, <-seen); err != nil {
			n.s.log.ErrorContext(ctx, "the simulated cameras ended", "err", err)
		}
		if err := ended(ctx, <-entered); err != nil {
			n.s.log.ErrorContext(ctx, "the simulated doors ended", "err", err)
		}
		if err := ended(ctx, <-sounded); err != nil {
			n.s.log.ErrorContext(ctx, "the simulated sirens ended", "err", err)
		}
	}()
	return nil
}

// halt ends the stations' lives and waits for it.
func (n *simulation) halt() {
	n.mu.Lock()
	stop, ended := n.stop, n.ended
	n.stop, n.ended = nil, nil
	n.mu.Unlock()
	if stop != nil {
		stop()
		<-ended
	}
}

// remove ends the enrolment of everything simulated. What it recorded stays.
func (n *simulation) remove(ctx context.Context, by store.Actor) error {
	st := n.s.Store
	for _, e := range st.Stations() {
		if !e.Simulated {
			continue
		}
		if err := st.RemoveStation(ctx, by, e.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("remove simulated station: %w", err)
		}
		n.s.Endpoint.Disconnect(e.ID, "the simulated network was turned off")
	}
	if err := removeSimDoors(ctx, st, by); err != nil {
		return err
	}
	if err := removeSimCameras(ctx, st, by); err != nil {
		return err
	}
	if err := removeSimOutputs(ctx, st, by); err != nil {
		return err
	}
	plan := sim.Network(n.seed)
	for _, x := range plan.Sites {
		// A site that people moved stations of their own to is theirs now.
		if err := st.DeleteSite(ctx, by, x.ID); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrInUse) {
			return fmt.Errorf("remove simulated site: %w", err)
		}
	}
	for _, t := range plan.Tokens {
		_, c, err := st.Lookup(ctx, t.Type, t.ID)
		if err == nil && c != nil {
			err = st.DeleteCredential(ctx, by, c.ID)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("remove simulated credential: %w", err)
		}
	}
	return nil
}

// found reads what is known of the ports of the plan, and when they were last
// heard.
func (n *simulation) found(ctx context.Context, plan sim.Plan) (list []sim.Found, since time.Time, err error) {
	snap := n.s.Journal.Snapshot()
	for i := range plan.Stations {
		id := plan.Stations[i].ID
		st, known := snap.Station(id)
		if known {
			since = later(since, later(st.LastFrameAt, st.DisconnectedAt))
		}
		// Of a station that was removed only its sessions are left.
		sessions, _, err := n.s.Journal.Sessions(ctx, journal.SessionQuery{Station: id, Limit: 20})
		if err != nil {
			return nil, since, fmt.Errorf("read the last sessions of %s: %w", id, err)
		}
		for e := range plan.Stations[i].Model.EVSEs {
			x := sim.Found{Station: id, EVSE: e + 1}
			for _, s := range sessions {
				if s.EVSE != x.EVSE {
					continue
				}
				since = later(since, later(s.UpdatedAt, s.EndedAt))
				for _, wh := range []*float64{s.MeterStartWh, s.Meter.LastWh, s.MeterStopWh} {
					if wh != nil {
						x.RegisterWh = max(x.RegisterWh, *wh)
					}
				}
				if x.Session == nil && s.State == fleet.SessionActive && known {
					if x.Session, err = n.session(ctx, s); err != nil {
						return nil, since, err
					}
				}
			}
			if x.RegisterWh > 0 {
				list = append(list, x)
			}
		}
	}
	return list, since, nil
}

func (n *simulation) session(ctx context.Context, s *fleet.Session) (*sim.FoundSession, error) {
	x := &sim.FoundSession{TxID: s.TransactionID, NextSeq: s.Order.Last + 1, StartedAt: s.StartedAt}
	if s.MeterStartWh != nil {
		x.StartWh = *s.MeterStartWh
	}
	if s.SoCEnd != nil {
		x.Percent = *s.SoCEnd
	}
	t, ok, err := n.s.Store.TokenByID(ctx, s.TokenID)
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	if ok {
		x.Token = sim.Token{ID: t.Value, Type: t.Type}
	}
	return x, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// EnrolNetwork makes the sites, stations and credentials of a simulated network
// as nobody's doing.
func EnrolNetwork(ctx context.Context, st *store.Store, plan sim.Plan) error {
	return enrol(ctx, st, store.System, plan)
}

// enrol makes the sites, stations and credentials of a simulated network,
// unless an earlier one in this folder did.
func enrol(ctx context.Context, st *store.Store, by store.Actor, plan sim.Plan) error {
	for _, x := range plan.Sites {
		if _, ok := st.Site(x.ID); ok {
			continue
		}
		_, err := st.CreateSite(ctx, by, store.Site{
			ID: x.ID, Name: x.Name, Address: x.Address, Latitude: &x.Latitude, Longitude: &x.Longitude, TimeZone: x.TimeZone,
			OpeningHours: x.OpeningHours, GridLimitW: x.GridLimitW, FreeVend: x.FreeVend, Public: true,
		})
		if err != nil {
			return fmt.Errorf("make site %s: %w", x.ID, err)
		}
	}
	for _, x := range plan.Stations {
		if _, ok := st.Station(x.ID); ok {
			continue
		}
		n := store.NewStation{
			ID: x.ID, SiteID: x.Site, Label: x.Label, Simulated: true, CommissionedAt: x.Commissioned, Layout: layoutOf(x),
		}
		if x.Password != "" {
			n.Auth = store.Auth{Profile: 1, Password: x.Password}
		}
		if _, _, err := st.EnrolStation(ctx, by, n); err != nil {
			return fmt.Errorf("enrol %s: %w", x.ID, err)
		}
	}
	for _, t := range plan.Tokens {
		if _, c, err := st.Lookup(ctx, t.Type, t.ID); err != nil {
			return fmt.Errorf("look up token: %w", err)
		} else if c != nil {
			continue
		}
		if _, err := st.PutCredential(ctx, by, "", store.CredentialInput{IDToken: t.ID, Type: t.Type, Status: "Accepted"}); err != nil {
			return fmt.Errorf("make credential: %w", err)
		}
	}
	return nil
}

// layoutOf says what a planned station is built of, as an operator would enter
// it from the data sheet. OCPP 1.6 counts plugs through the whole station.
func layoutOf(x sim.Spec) []event.EVSELayout {
	var out []event.EVSELayout
	plugs := 0
	for i, m := range x.Model.EVSEs {
		l := event.EVSELayout{EVSE: i + 1, RatedW: m.RatedW, Current: "AC"}
		if m.Phases == 0 {
			l.Current = "DC"
		}
		if i < len(x.PublicIDs) {
			l.PublicID = x.PublicIDs[i]
		}
		if x.Model.SharedW > 0 {
			l.Group, l.GroupW = "cabinet", x.Model.SharedW
		}
		for n, p := range m.Plugs {
			plugs++
			id := n + 1
			if x.Protocol() == "ocpp1.6" {
				id = plugs
			}
			l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: id, Type: string(p)})
		}
		out = append(out, l)
	}
	return out
}
