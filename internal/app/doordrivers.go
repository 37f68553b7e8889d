package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/source/door/httpdoor"
	"github.com/chargewatch/chargewatch/internal/source/door/mqttdoor"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// open makes the driver of a controller.
func (d *doors) open(c door.Config) (door.Driver, func()) {
	var x interface {
		door.Driver
		Close()
	}
	var err error
	switch store.Driver(c.Driver) {
	case store.DriverMQTT:
		x, err = d.openBroker(c)
	case store.DriverHTTP:
		x, err = d.openBridge(c)
	default:
		d.mu.Lock()
		defer d.mu.Unlock()
		x = d.network.Board(c.Serial, c.Address, c.Zone)
	}
	if err != nil {
		return unable{err}, func() {}
	}
	return x, x.Close
}

// dialDoor reaches a broker or a bridge, in the words of doors where it may not be.
func (d *doors) dialDoor(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.s.reach.Dial(ctx, network, address)
	if errors.Is(err, outward.ErrDenied) {
		return nil, fmt.Errorf("%w: %w", door.ErrDenied, err)
	}
	return conn, err
}

func (d *doors) openBroker(c door.Config) (*mqttdoor.Board, error) {
	at, err := mqtt.ParseURL(c.Line.URL)
	if err != nil {
		return nil, err
	}
	conf, err := at.TLS(c.Line.Authority)
	if err != nil {
		return nil, err
	}
	password, err := d.s.Store.ControllerSecret(c.ID)
	if err != nil {
		return nil, err
	}
	return mqttdoor.Open(mqttdoor.Options{
		Broker: mqtt.Broker{Dial: d.dialDoor, Address: at.Address, TLS: conf, User: c.Line.User, Password: password}, Doors: c.Doors, Logger: d.s.log,
	})
}

func (d *doors) openBridge(c door.Config) (*httpdoor.Bridge, error) {
	secret, err := d.s.Store.ControllerSecret(c.ID)
	if err != nil {
		return nil, err
	}
	var conf *tls.Config
	if u, err := url.Parse(c.Line.URL); err == nil && u.Scheme == "https" {
		if conf, err = (mqtt.Endpoint{Host: u.Hostname(), Secure: true}).TLS(c.Line.Authority); err != nil {
			return nil, err
		}
	}
	client := d.s.reach.Client(conf)
	if t, ok := client.Transport.(*http.Transport); ok {
		t.DialContext = d.dialDoor
	}
	b := httpdoor.Open(httpdoor.Options{URL: c.Line.URL, Secret: []byte(secret), Client: client, Doors: c.Doors, Logger: d.s.log})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bridges[c.ID] = b
	return b, nil
}

// unable stands for a controller that cannot be driven as it is set up.
type unable struct{ why error }

func (u unable) Look(context.Context) (door.Look, error) {
	return door.Look{}, &door.AwayError{Why: "it cannot be driven as it is set up: " + u.why.Error()}
}
func (u unable) Do(context.Context, door.Order) error { return door.ErrAway }
func (u unable) Rings() <-chan door.Ring              { return nil }

// wiringOf puts what people wrote into the words of the drivers.
func wiringOf(w store.Wiring) door.Wiring {
	return door.Wiring{
		Preset: w.Preset, Device: w.Device, Output: w.Output, PulseS: w.PulseS, Command: w.Command, Unlock: w.Unlock, Lock: w.Lock, State: w.State,
		Field: w.Field, Online: w.Online, Forced: w.Forced, Reader: w.Reader, SilentS: w.SilentS, Contact: door.Contact(w.Contact),
	}
}

// CheckWiring says what is wrong with what a door is made of.
func (d *doors) CheckWiring(driver store.Driver, w store.Wiring) error {
	switch {
	case driver == store.DriverMQTT:
		wrong, ok := errors.AsType[*mqttdoor.WiringError](mqttdoor.Check(wiringOf(w)))
		if ok {
			return &store.InvalidError{Field: "wiring." + wrong.Field, Reason: wrong.Reason}
		}
	case driver == store.DriverHTTP && w.Device == "":
		return &store.InvalidError{Field: "wiring.device", Reason: "what the door is called in the other system"}
	}
	return nil
}

// TryController asks a controller how it is, now.
func (d *doors) TryController(ctx context.Context, id string) error {
	look, err := d.Try(ctx, id)
	if err == nil && look.Trouble != "" {
		return errors.New(look.Trouble)
	}
	return err
}

// TakeDoorEvent records what a bridge tells.
func (d *doors) TakeDoorEvent(ctx context.Context, controller string, e web.DoorEvent) error {
	d.mu.Lock()
	b := d.bridges[controller]
	d.mu.Unlock()
	if b == nil {
		return web.ErrDoorUnreachable
	}
	err := b.Take(ctx, httpdoor.Event{ID: e.ID, At: e.At, Door: e.Door, Kind: httpdoor.Kind(e.Kind), Card: e.Card, Reason: e.Reason})
	switch {
	case errors.Is(err, httpdoor.ErrUnknownDoor):
		return web.ErrDoorUnknownThere
	case errors.Is(err, httpdoor.ErrTooOld):
		return web.ErrDoorEventOld
	case errors.Is(err, httpdoor.ErrBusy):
		return web.ErrDoorEventsMany
	}
	return doorError(err)
}

// hostPort is where a URL leads to.
func hostPort(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("read the address: %w", errors.Join(err, errors.ErrUnsupported))
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "mqtt": "1883", "mqtts": "8883"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
