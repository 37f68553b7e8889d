package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
)

// RigOptions say of what a site is made, and at which server.
type RigOptions struct {
	ID    string
	OCPP  string // ws://HOST:PORT/ocpp
	API   string // http://HOST:PORT
	Token string // of an administrator
	Host  string // where cameras and controllers listen; the server has to reach it
	// Senses are what the site has beside stations.
	Senses raid.Sense
	Story  *raid.Story // which the site is made for
	Serial uint32      // of its controller
	Warm   time.Duration
	Seen   func(camera.Seen) // may be nil
	Logger *slog.Logger
}

// Rig is a site of simulated devices, set up at a server over its API.
type Rig struct {
	Site
	o      RigOptions
	desk   *desk
	device *camera.Device
	doors  *door.Farm
	stop   context.CancelFunc
	work   sync.WaitGroup
	order  string
	undo   []string // what is removed again, last first
}

const (
	rigCard  = 6_154_499
	rigUser  = "raid"
	readyFor = 90 * time.Second
)

// OpenRig makes devices, lets them live, sets them up and waits until all are there.
// Whoever opened it closes it, whatever it says.
func OpenRig(ctx context.Context, o RigOptions) (*Rig, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Rig{o: o, desk: newDesk(o.API, o.Token), Site: Site{ID: o.ID, Card: rigCard, Token: sim.Token{ID: "RAID" + strconv.FormatUint(uint64(o.Serial), 10), Type: "ISO14443"}}}
	r.Work = r.works
	live, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	ready, done := context.WithTimeout(ctx, readyFor)
	defer done()
	if err := r.desk.ask(ready, http.MethodPost, "/sites", map[string]any{"id": o.ID, "name": "Simulated site " + o.ID, "timeZone": "Europe/Berlin", "freeVend": true}, nil); err != nil {
		return r, err
	}
	r.undo = append(r.undo, "/sites/"+o.ID)
	err := r.stations(ready, live)
	if err == nil && o.Senses >= raid.Motion {
		if err = r.cameras(ready, live); err == nil {
			err = r.controller(ready, live)
		}
	}
	if err == nil {
		err = r.desk.ask(ready, http.MethodPut, "/sites/"+o.ID+"/arming", map[string]any{"armed": true}, nil)
	}
	if err == nil {
		err = r.ready(ready)
	}
	if err == nil && o.Senses >= raid.Motion { // what is usual must be known before something moves
		err = pause(ctx, o.Warm)
	}
	return r, err
}

// plan is a site of stations as the story has them.
func (r *Rig) plan() sim.Plan {
	model := "Duo ims"
	if r.o.Story.DC {
		model = "Terra 184 CC"
	}
	hardware := sim.Hardware()
	m := hardware[slices.IndexFunc(hardware, func(m sim.Model) bool { return m.Name == model })]
	m.BootOnReconnect = false
	p := sim.Plan{Sites: []sim.Site{{ID: r.ID, Name: r.ID, TimeZone: "Europe/Berlin", FreeVend: true, Use: sim.Depot}}, Tokens: []sim.Token{r.Token}}
	for i := range r.o.Story.Stations {
		p.Stations = append(p.Stations, sim.Spec{ID: fmt.Sprintf("%s-%d", r.ID, i+1), Site: r.ID, Model: m, Version: sim.V16, Serial: fmt.Sprintf("R%d-%d", r.o.Serial, i+1)})
	}
	return p
}

func (r *Rig) stations(ctx, live context.Context) (err error) {
	idle, err := sim.FindScenario("idle")
	if err != nil {
		return err
	}
	plan := r.plan()
	r.Fleet, err = sim.New(sim.Options{URL: r.o.OCPP, Plan: plan, Scenario: idle, Seed: uint64(r.o.Serial), Ramp: 200 * time.Millisecond, Logger: r.o.Logger})
	if err != nil {
		return err
	}
	for i, x := range plan.Stations {
		if err := r.desk.ask(ctx, http.MethodPost, "/stations", map[string]any{"id": x.ID, "siteId": r.ID, "simulated": true}, nil); err != nil {
			return err
		}
		r.undo = append(r.undo, "/stations/"+x.ID)
		for evse := range x.Model.EVSEs {
			port := Port{x.ID, evse + 1, -1}
			if i == 0 {
				port.Bay = evse
			}
			r.Ports = append(r.Ports, port)
		}
	}
	r.work.Go(func() { r.ended(r.Fleet.Run(live)) })
	return nil
}

func (r *Rig) ended(err error) {
	if err != nil {
		r.o.Logger.Error("simulated devices ended", "site", r.ID, "err", err)
	}
}

func (r *Rig) cameras(ctx, live context.Context) (err error) {
	password := "seen-" + strconv.FormatUint(uint64(r.o.Serial), 10)
	if r.Farm, err = camera.New(camera.Options{Listen: r.o.Host + ":0", User: rigUser, Password: password, OnSeen: r.o.Seen, Logger: r.o.Logger}); err != nil {
		return err
	}
	if r.o.Senses >= raid.Labels {
		if r.device, err = camera.NewDevice(r.Farm, camera.DeviceOptions{Listen: r.o.Host + ":0"}); err != nil {
			return err
		}
		r.work.Go(func() { r.ended(r.device.Run(live)) })
	}
	r.work.Go(func() { r.ended(r.Farm.Run(live)) })
	r.Cameras = map[string]Camera{raid.BayCamera: {r.ID + "-bays", "yard-night"}, raid.GateCamera: {r.ID + "-gate", "garage"}}
	for which, c := range r.Cameras {
		if err := r.Farm.Add(camera.Spec{Name: c.Name, View: c.View}); err != nil {
			return err
		}
		body := map[string]any{
			"id": c.Name, "siteId": r.ID, "label": c.Name, "recording": "continuous", "username": rigUser, "password": password,
			"mainUrl": r.Farm.URL(c.Name, camera.MainStream), "subUrl": r.Farm.URL(c.Name, camera.SubStream),
		}
		if r.device != nil {
			body["onvifUrl"] = r.device.URL(c.Name)
		}
		if which == raid.BayCamera {
			var zones []any
			for _, port := range r.Ports {
				if port.Bay < 0 {
					continue
				}
				corners, err := camera.Zone(c.View, port.Bay)
				if err != nil {
					return err
				}
				zones = append(zones, map[string]any{
					"id": fmt.Sprintf("bay-%d", port.Bay+1), "kind": event.ZoneWatch, "polygon": corners, "evses": []string{event.Port(port.Station, port.EVSE, 0).String()},
				})
			}
			body["zones"] = zones
		}
		if err := r.desk.ask(ctx, http.MethodPost, "/cameras", body, nil); err != nil {
			return err
		}
		r.undo = append(r.undo, "/cameras/"+c.Name)
	}
	if r.o.Senses < raid.Labels {
		return nil
	}
	var made struct{ Secret string }
	if err := r.desk.ask(ctx, http.MethodPost, "/sites/"+r.ID+"/labels/secret", nil, &made); err != nil {
		return err
	}
	r.Label = func(ctx context.Context, name string, items []event.Label) error {
		var labels []any
		for _, x := range items {
			label := map[string]any{"what": x.What, "score": x.Score}
			if x.Number > 1 {
				label["number"] = x.Number
			}
			labels = append(labels, label)
		}
		return r.desk.sign(ctx, "/cameras/"+name+"/labels", made.Secret, map[string]any{"camera": name, "engine": "simulated", "labels": labels})
	}
	return nil
}

func (r *Rig) controller(ctx, live context.Context) (err error) {
	if r.doors, err = door.New(door.Options{Listen: r.o.Host + ":0", HeldAfter: 10 * time.Minute, Logger: r.o.Logger}); err != nil {
		return err
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("zone of the controller: %w", err)
	}
	r.Board = r.doors.Add(r.o.Serial, zone)
	r.work.Go(func() { r.ended(r.doors.Run(live)) })
	id := r.ID + "-board"
	r.Doors = map[string]Door{raid.Gate: {r.ID + "-gate", 1}, raid.Room: {r.ID + "-room", 2}}
	var card struct{ ID string }
	for _, x := range []struct {
		path, id string
		body     map[string]any
		into     any
	}{
		{"/controllers", id, map[string]any{"siteId": r.ID, "driver": "uhppote", "address": r.doors.Address().String(), "serial": r.o.Serial}, nil},
		{"/doors", r.Doors[raid.Gate].ID, map[string]any{"siteId": r.ID, "kind": "gate", "controller": id, "number": 1, "cameraId": r.Cameras[raid.GateCamera].Name, "heldAfterSeconds": 600}, nil},
		{"/doors", r.Doors[raid.Room].ID, map[string]any{"siteId": r.ID, "kind": "cabinet", "controller": id, "number": 2, "heldAfterSeconds": 1800}, nil},
		{"/credentials", "", map[string]any{"idToken": strconv.Itoa(rigCard)}, &card},
	} {
		if x.id != "" {
			x.body["id"] = x.id
		}
		err := r.desk.ask(ctx, http.MethodPost, x.path, x.body, x.into)
		if refused, ok := errors.AsType[*refusal](err); ok && refused.status == http.StatusConflict && x.path == "/credentials" {
			card.ID, err = r.known(ctx) // another site's story has made it
		}
		if err != nil {
			return err
		}
		if x.id != "" {
			r.undo = append(r.undo, x.path+"/"+x.id)
		}
	}
	var policy struct{ ID string }
	if err := r.desk.ask(ctx, http.MethodPost, "/policies", map[string]any{"name": "Staff of " + r.ID, "to": []any{map[string]any{"credential": card.ID}}, "sites": []string{r.ID}}, &policy); err != nil {
		return err
	}
	r.undo = slices.Insert(r.undo, 1, "/policies/"+policy.ID) // with its controller there is no drift to tell of
	return nil
}

// known finds the card that stories use.
func (r *Rig) known(ctx context.Context) (string, error) {
	var page struct {
		Items []struct{ ID, IDToken string }
	}
	if err := r.desk.ask(ctx, http.MethodGet, "/credentials?q="+strconv.Itoa(rigCard), nil, &page); err != nil {
		return "", err
	}
	if i := slices.IndexFunc(page.Items, func(c struct{ ID, IDToken string }) bool { return c.IDToken == strconv.Itoa(rigCard) }); i >= 0 {
		return page.Items[i].ID, nil
	}
	return "", errors.New("the card of the story's staff is neither new nor known")
}

// ready waits until the server has everything.
func (r *Rig) ready(ctx context.Context) error {
	for _, port := range r.Ports {
		if err := r.desk.until(ctx, "/stations/"+port.Station, "status", "Available"); err != nil {
			return err
		}
	}
	for _, c := range r.Cameras {
		if err := r.desk.until(ctx, "/cameras/"+c.Name, "state", "live"); err != nil {
			return err
		}
	}
	for _, d := range r.Doors {
		if err := r.desk.until(ctx, "/doors/"+d.ID, "state", "locked"); err != nil {
			return err
		}
	}
	for r.Board != nil && r.device != nil && r.device.Subscriptions() < len(r.Cameras) || r.Board != nil && r.Board.Cards()[rigCard].Number == 0 {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("the cameras' events or the controller's cards: %w", err)
		}
	}
	return nil
}

// works lets a technician come with an order, or go.
func (r *Rig) works(ctx context.Context, station string, here bool) error {
	if here {
		var order struct{ ID string }
		if err := r.desk.ask(ctx, http.MethodPost, "/workorders", map[string]any{"siteId": r.ID, "station": station, "title": "Simulated work"}, &order); err != nil {
			return err
		}
		r.order = order.ID
		return r.desk.ask(ctx, http.MethodPost, "/workorders/"+r.order+"/arrive", map[string]any{}, nil)
	}
	return r.desk.ask(ctx, http.MethodPost, "/workorders/"+r.order+"/cancel", map[string]any{"reason": "The story is over."}, nil)
}

// Close ends the devices; unless it is to be kept, what was set up is removed.
func (r *Rig) Close(keep bool) (err error) {
	if !keep {
		ctx, done := context.WithTimeout(context.Background(), healFor)
		defer done()
		for _, path := range slices.Backward(r.undo) {
			err = errors.Join(err, r.desk.gone(ctx, path))
		}
	}
	r.stop()
	if r.Farm != nil {
		r.Farm.Close()
	}
	if r.doors != nil {
		r.doors.Close()
	}
	r.work.Wait()
	if err != nil {
		return fmt.Errorf("remove %s: %w", r.ID, err)
	}
	return nil
}
