package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/onvif"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// devices is the ONVIF side of cameras: what they see by themselves, and where
// their streams are.
type devices struct {
	s      *Server
	client *onvif.Client
	watch  *onvif.Watch
	asking sync.Mutex // one device or one search at a time
}

var _ web.Finder = (*devices)(nil)

func newDevices(s *Server) *devices {
	d := &devices{s: s}
	d.client = onvif.New(onvif.Options{Dial: s.reach.Dial, Check: s.cameras.ReachCamera})
	d.watch = onvif.NewWatch(onvif.WatchOptions{Client: d.client, Report: d.report, Logger: s.log})
	return d
}

// run follows the devices of the cameras that people set up.
func (d *devices) run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- d.watch.Run(ctx) }()
	for ctx.Err() == nil {
		changed := d.s.Store.CamerasChanged()
		var list []onvif.Watched
		for _, c := range d.s.Store.Cameras() {
			if c.OnvifURL == "" {
				continue
			}
			password, err := d.s.Store.CameraPassword(c.ID)
			if err != nil {
				d.s.log.ErrorContext(ctx, "a camera's password cannot be read", "camera", c.ID, "err", err)
				continue
			}
			list = append(list, onvif.Watched{ID: c.ID, MainURL: c.MainURL, Device: onvif.Device{URL: c.OnvifURL, Username: c.Username, Password: password}})
		}
		d.watch.Apply(list)
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return <-ended
}

// reportFor bounds how long the journal may take for what a camera saw.
const reportFor = 10 * time.Second

// report makes what a camera saw durable.
func (d *devices) report(ctx context.Context, id string, seen onvif.Sighting) error {
	ctx, cancel := context.WithTimeout(ctx, reportFor)
	defer cancel()
	c, ok := d.s.Store.Camera(id)
	if !ok {
		return nil // it was removed meanwhile
	}
	scene := seen.Scene
	scene.SiteID, scene.Armed = c.SiteID, d.s.Store.Armed(c.SiteID)
	if moves := scene.What == event.SceneMotion || scene.What == event.SceneLineCrossing || scene.What.Labelled(); moves && len(scene.Ports) == 0 {
		scene.Ports = portsInView(c.Zones)
	}
	now := time.Now()
	if _, err := (watching{d.s}).Append(ctx, &event.Event{Subject: event.Camera(id), At: now, ReceivedAt: now, Origin: event.FromUs, Body: &scene}); err != nil {
		return err
	}
	return d.s.labels.seenBy(ctx, id, seen)
}

// portsInView are the ports of a camera that looks at ports and at no door. What it says
// by itself names no place in the picture: whoever it sees may be at any of them.
func portsInView(zones []store.CameraZone) []string {
	var ports []string
	for _, z := range zones {
		if len(z.Doors) > 0 {
			return nil
		}
		if z.Kind == event.ZoneWatch {
			ports = append(ports, z.Ports...)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

func busyDevices() error {
	return &web.ViewingError{Status: http.StatusTooManyRequests, Code: "busy", Reason: "another camera is being asked; try again"}
}

// FindCameras calls into the networks of this machine.
func (d *devices) FindCameras(ctx context.Context) ([]web.FoundCamera, error) {
	if !d.asking.TryLock() {
		return nil, busyDevices()
	}
	defer d.asking.Unlock()
	list, err := d.client.Discover(ctx, onvif.DiscoverOptions{})
	if err != nil {
		return nil, &web.ViewingError{Status: http.StatusConflict, Code: "noNetwork", Reason: err.Error()}
	}
	var out []web.FoundCamera
	for _, x := range list {
		out = append(out, web.FoundCamera{OnvifURL: x.URL, Name: x.Name, Hardware: x.Hardware, Location: x.Location})
	}
	return out, nil
}

// AskCamera asks one device for its streams.
func (d *devices) AskCamera(ctx context.Context, t web.CameraTry) (web.AskedCamera, error) {
	if !d.asking.TryLock() {
		return web.AskedCamera{}, busyDevices()
	}
	defer d.asking.Unlock()
	f, err := d.client.Probe(ctx, onvif.Device{URL: t.URL, Username: t.Username, Password: t.Password})
	if ctx.Err() != nil {
		return web.AskedCamera{}, fmt.Errorf("ask the camera: %w", context.Cause(ctx))
	}
	out := web.AskedCamera{Vendor: f.Vendor, Model: f.Model, Firmware: f.Firmware, Serial: f.Serial, ClockOffset: f.ClockOffset, Events: f.Events}
	switch {
	case err == nil:
	case errors.Is(err, outward.ErrDenied):
		// Whether something answers there is not for whoever asks to know.
		return web.AskedCamera{Reason: "address", Detail: outward.ErrDenied.Error()}, nil
	case errors.Is(err, onvif.ErrUnauthorized):
		out.Reason = "authentication"
	case errors.Is(err, onvif.ErrUnsupported):
		out.Reason = "unsupported"
	case errors.Is(err, onvif.ErrUnreachable):
		out.Reason = "unreachable"
	default:
		out.Reason = "protocol"
	}
	if err != nil {
		out.Detail = onvif.Readable(err.Error())
	}
	for _, p := range f.Profiles {
		out.Streams = append(out.Streams, web.AskedStream{Name: p.Name, URL: p.StreamURL, Codec: p.Codec, Width: p.Width, Height: p.Height, FPS: p.FPS, Refused: p.Refused})
	}
	return out, nil
}
