package app

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/store"
)

// simCameras are the cameras of the simulated network: a real RTSP server in the
// same process. What they show follows what stands at the simulated ports; now
// and then somebody walks past, hangs about, or comes for the cables.
type simCameras struct {
	s        *Server
	farm     *simcam.Farm
	device   *simcam.Device
	stations *sim.Fleet
	list     []simCamera
	night    bool

	mu   sync.Mutex
	held map[string]time.Time // by site: until when a story has its cameras
}

// hold leaves the cameras of a site to a story for a while.
func (c *simCameras) hold(site string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[site] = until
}

// busy reports whether a camera shows something already.
func (c *simCameras) busy(x *simCamera, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Before(x.busyUntil) || now.Before(c.held[x.site])
}

// told reports whether a story has any camera: then nothing else is stolen.
func (c *simCameras) told(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, until := range c.held {
		if now.Before(until) {
			return true
		}
	}
	return false
}

// simCamera is a camera and what it looks at: at most two ports.
type simCamera struct {
	id, site, label, view string
	bays                  []simPort
	busyUntil             time.Time // a scene is being shown
}

type simPort struct {
	station string
	evse    int
}

func (p simPort) subject() string { return event.Port(p.station, p.evse, 0).String() }

const (
	simCameraUser = "chargewatch"
	cableCut      = "CX026"
)

// planCameras says which cameras a simulated network has: one to three a site,
// each over the bays of a station.
func planCameras(plan sim.Plan, night bool) []simCamera {
	var list []simCamera
	for _, site := range plan.Sites {
		var here []sim.Spec
		for _, x := range plan.Stations {
			if x.Site == site.ID {
				here = append(here, x)
			}
		}
		count := min(max(len(here)/4, 1), 3)
		for i := range count {
			at := i * len(here) / count
			if i > 0 && i == count-1 { // where the cables are thickest
				at = len(here) - 2
			}
			c := simCamera{id: fmt.Sprintf("cam-%s-%d", site.ID, i+1), site: site.ID, view: viewOf(site, night)}
			for _, x := range here[at:min(at+2, len(here))] {
				for e := range x.Model.EVSEs {
					if len(c.bays) < simcam.Bays(c.view) {
						c.bays = append(c.bays, simPort{x.ID, e + 1})
					}
				}
			}
			c.label = strings.TrimPrefix(c.bays[0].station, "DE-")
			if last := c.bays[len(c.bays)-1].station; last != c.bays[0].station {
				c.label += ", " + strings.TrimPrefix(last, "DE-")
			}
			list = append(list, c)
		}
	}
	return list
}

// viewOf is what a site looks like.
func viewOf(site sim.Site, night bool) string {
	switch {
	case site.Use == sim.Motorway:
		return "lot"
	case site.Use == sim.Airport, strings.Contains(site.Name, "Parkhaus"), strings.Contains(site.Name, "Tiefgarage"):
		return "garage"
	case night:
		return "yard-night"
	}
	return "yard-day"
}

// dark reports whether it is night where the simulated sites are.
func dark(now time.Time) bool {
	if zone, err := time.LoadLocation("Europe/Berlin"); err == nil {
		now = now.In(zone)
	}
	return now.Hour() < 7 || now.Hour() >= 17
}

// openSimCameras listens, if possible where the cameras were before, and enrols
// those that are missing.
func openSimCameras(ctx context.Context, s *Server, by store.Actor, plan sim.Plan, stations *sim.Fleet) (*simCameras, error) {
	night := dark(time.Now())
	c := &simCameras{s: s, stations: stations, list: planCameras(plan, night), night: night, held: make(map[string]time.Time)}
	listen, device, password := c.before()
	if password == "" {
		password = crand.Text()
	}
	o := simcam.Options{Listen: listen, User: simCameraUser, Password: password, Logger: s.log}
	var err error
	if c.farm, err = simcam.New(o); err != nil {
		o.Listen = "127.0.0.1:0"
		if c.farm, err = simcam.New(o); err != nil {
			return nil, fmt.Errorf("simulated cameras: %w", err)
		}
	}
	if c.device, err = simcam.NewDevice(c.farm, simcam.DeviceOptions{Listen: device}); err != nil {
		if c.device, err = simcam.NewDevice(c.farm, simcam.DeviceOptions{Listen: "127.0.0.1:0"}); err != nil {
			c.farm.Close()
			return nil, fmt.Errorf("simulated cameras: %w", err)
		}
	}
	s.AllowSimulated([]netip.AddrPort{c.farm.Address(), c.device.Address()})
	for _, x := range c.list {
		err = c.farm.Add(simcam.Spec{Name: x.id, View: x.view})
		if err == nil {
			err = c.enrol(ctx, by, x, password)
		}
		if err != nil {
			c.farm.Close()
			c.device.Close()
			return nil, fmt.Errorf("simulated camera %s: %w", x.id, err)
		}
	}
	return c, nil
}

// before is where the cameras listened in an earlier run, and their password.
func (c *simCameras) before() (listen, device, password string) {
	listen, device = "127.0.0.1:0", "127.0.0.1:0"
	for _, x := range c.list {
		old, ok := c.s.Store.Camera(x.id)
		if !ok {
			continue
		}
		own, err := c.s.Store.CameraPassword(x.id)
		if err != nil {
			continue
		}
		for address, into := range map[string]*string{old.MainURL: &listen, old.OnvifURL: &device} {
			if u, err := url.Parse(address); err == nil {
				if a, err := netip.ParseAddrPort(u.Host); err == nil && a.Addr().IsLoopback() {
					*into = u.Host
				}
			}
		}
		return listen, device, own
	}
	return listen, device, ""
}

func (c *simCameras) enrol(ctx context.Context, by store.Actor, x simCamera, password string) error {
	main, sub, device := c.farm.URL(x.id, simcam.MainStream), c.farm.URL(x.id, simcam.SubStream), c.device.URL(x.id)
	if old, ok := c.s.Store.Camera(x.id); ok {
		if old.MainURL == main && old.OnvifURL == device {
			return nil
		}
		_, err := c.s.Store.ChangeCamera(ctx, by, x.id, &password, func(n *store.Camera) { n.MainURL, n.SubURL, n.OnvifURL = main, sub, device })
		return err
	}
	n := store.Camera{
		ID: x.id, SiteID: x.site, Label: x.label, MainURL: main, SubURL: sub, OnvifURL: device, Username: simCameraUser, Record: store.RecordContinuous, Simulated: true,
	}
	for i, p := range x.bays {
		corners, err := simcam.Zone(x.view, i)
		if err != nil {
			return err
		}
		n.Zones = append(n.Zones, store.CameraZone{
			ID: fmt.Sprintf("bay-%d", i+1), Label: fmt.Sprintf("%s/%d", p.station, p.evse), Kind: event.ZoneWatch, Polygon: corners, Ports: []string{p.subject()},
		})
	}
	_, err := c.s.Store.CreateCamera(ctx, by, n, password)
	return err
}

// Times of what happens at the simulated sites.
const (
	simLook      = 2 * time.Second
	firstWalk    = 20 * time.Second
	walkEvery    = 75 * time.Second
	firstLoiter  = 2 * time.Minute
	loiterEvery  = 11 * time.Minute
	firstRaid    = 4 * time.Minute
	raidEvery    = 25 * time.Minute
	raidLastsFor = 40 * time.Minute // until the cable is mended
)

// run lets the cameras see until ctx ends.
func (c *simCameras) run(ctx context.Context) error {
	defer c.farm.Close()
	defer c.s.AllowSimulated(nil)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	moves := make(chan error, 2)
	go func() { moves <- c.farm.Run(ctx) }()
	go func() { moves <- c.device.Run(ctx) }()
	start := time.Now()
	walk, loiter, raid := start.Add(firstWalk), start.Add(firstLoiter), start.Add(firstRaid)
	var cut time.Time
	var cable simPort
	tick := time.NewTicker(simLook)
	defer tick.Stop()
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return errors.Join(<-moves, <-moves)
		case now = <-tick.C:
		}
		err := c.follow(now)
		switch {
		case err != nil:
		case !cut.IsZero() && now.After(cut):
			cut = time.Time{}
			if st, ok := c.stations.Station(cable.station); ok {
				err = st.Fault(cable.evse, cableCut, raidLastsFor)
			}
		case now.After(raid) && !c.told(now):
			raid = now.Add(raidEvery)
			var begins time.Duration
			if cable, begins, err = c.perform("raid", now); begins > 0 {
				cut = now.Add(begins)
			}
		case now.After(loiter):
			loiter = now.Add(loiterEvery)
			_, _, err = c.perform("loiter", now)
		case now.After(walk):
			walk = now.Add(walkEvery)
			_, _, err = c.perform("person", now)
		}
		if err != nil {
			// One that cannot play its part does not end the others.
			c.s.log.ErrorContext(ctx, "the script of the simulated cameras fails", "err", err)
		}
	}
}

// follow shows cars where they stand.
func (c *simCameras) follow(now time.Time) error {
	night := dark(now)
	for i := range c.list {
		x := &c.list[i]
		if night != c.night && strings.HasPrefix(x.view, "yard") {
			x.view = map[bool]string{false: "yard-day", true: "yard-night"}[night]
			if err := c.farm.SetView(x.id, x.view); err != nil {
				return err
			}
		}
		if c.busy(x, now) {
			continue
		}
		if err := c.farm.SetBays(x.id, c.cars(x)); err != nil {
			return err
		}
	}
	c.night = night
	return nil
}

// cars says in which bays of a camera a car stands. What is broken or reserved
// tells nothing of that: there is none.
func (c *simCameras) cars(x *simCamera) (there [2]bool) {
	for i, p := range x.bays {
		if st, ok := c.stations.Station(p.station); ok {
			switch st.Port(p.evse).Status {
			case sim.Preparing, sim.Charging, sim.SuspendedEV, sim.SuspendedEVSE, sim.Finishing:
				there[i] = true
			}
		}
	}
	return there
}

// perform shows a scene at a camera whose bays are empty; of a raid it says
// which cable is cut, and when.
func (c *simCameras) perform(scene string, now time.Time) (simPort, time.Duration, error) {
	for _, i := range rand.Perm(len(c.list)) {
		x := &c.list[i]
		fits := x.view == "garage" || x.view == "yard-night" || scene == "loiter" && x.view == "yard-day" || scene == "person"
		if scene == "loiter" && x.view == "garage" {
			fits = false
		}
		if !fits || c.busy(x, now) || c.cars(x) != [2]bool{} || !c.whole(x) {
			continue
		}
		s, err := simcam.FindScene(x.view, scene)
		if err != nil {
			return simPort{}, 0, err
		}
		long, begins, err := c.farm.Length(s, "-cuts")
		if err != nil {
			return simPort{}, 0, err
		}
		x.busyUntil = now.Add(long + 5*time.Second)
		return x.bays[0], begins, c.farm.Perform(x.id, scene)
	}
	return simPort{}, 0, nil
}

// whole reports whether nothing is broken at a camera's ports.
func (c *simCameras) whole(x *simCamera) bool {
	for _, p := range x.bays {
		if st, ok := c.stations.Station(p.station); !ok || st.Port(p.evse).Status != sim.Available {
			return false
		}
	}
	return len(x.bays) > 0
}

// removeSimCameras ends the enrolment of simulated cameras.
func removeSimCameras(ctx context.Context, st *store.Store, by store.Actor) error {
	for _, x := range st.Cameras() {
		if !x.Simulated {
			continue
		}
		if err := st.DeleteCamera(ctx, by, x.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("remove simulated camera: %w", err)
		}
	}
	return nil
}
