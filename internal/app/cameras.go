package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	camlive "github.com/chargewatch/chargewatch/internal/camera/live"
	"github.com/chargewatch/chargewatch/internal/camera/motion"
	"github.com/chargewatch/chargewatch/internal/camera/preview"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// cameras joins what follows cameras with what shows them.
type cameras struct {
	*camera.Service
	s    *Server
	pool *decode.Pool
	live *camlive.Service
	eyes *motion.Watch
	// views are how places look, over restarts.
	views *motion.Folder
}

// openCameras makes the parts; nothing is followed before run.
func (s *Server) openCameras(ctx context.Context) error {
	nets, exactly, err := outward.ParseAllow(s.Config.AllowNet)
	if err != nil {
		return fmt.Errorf("allow-net: %w", err)
	}
	s.reach = outward.New(outward.Options{Allow: nets, Exactly: exactly, Own: s.ownPorts, Also: s.simulatedPorts})
	c := &cameras{s: s, pool: decode.New(decode.Options{Logger: s.log})}
	s.footage.previews = preview.New(preview.Options{Store: s.footage.Store, Decoder: c.pool, Recorded: s.footage.recs.has, Logger: s.log})
	if c.views, err = motion.OpenFolder(s.data); err != nil {
		return err
	}
	c.eyes = motion.NewWatch(motion.Options{
		Views:   c.views,
		Decoder: preview.Shared{Pool: c.pool, Previews: s.footage.previews}, Journal: watching{s}, Streams: func() motion.Streams { return c.Service }, Armed: s.Store.Armed, Logger: s.log,
	})
	c.Service = camera.New(camera.Options{
		Journal: s.Journal, Dial: s.reach.Dial, Taps: []camera.Tap{s.footage, c.eyes}, Recorder: s.footage, Logger: s.log,
		Changed: func(ctx context.Context, id string) { s.Web.CameraChanged(ctx, id) },
		Told:    func(id string) event.CameraCondition { return s.toldCamera(ctx, id) },
	})
	udp, tcp, err := webRTCPorts(ctx, s.Config, s.log)
	if err != nil {
		return errors.Join(err, c.views.Close())
	}
	o := camlive.Options{Hubs: c.Service, Logger: s.log, UDP: udp, TCP: tcp}
	if c.pool.Missing() == nil {
		o.Decoder = c.pool
	}
	if c.live, err = camlive.New(o); err != nil {
		return errors.Join(err, c.views.Close())
	}
	s.cameras = c
	return nil
}

// toldCamera is the condition of a camera that the journal has; empty: none of this
// life of the camera.
func (s *Server) toldCamera(ctx context.Context, id string) event.CameraCondition {
	found, _, err := s.Journal.Events(context.WithoutCancel(ctx), journal.EventQuery{
		Subject: event.Camera(id), Kinds: []event.Kind{event.KindCameraState, event.KindCameraRemoved}, Limit: 1,
	})
	if err != nil {
		s.log.WarnContext(ctx, "the last condition of a camera is not known", "camera", id, "err", err)
		return ""
	}
	for _, e := range found {
		if b, ok := e.Body.(*event.CameraState); ok {
			return b.State
		}
	}
	return ""
}

// simulatedPorts are those of simulated devices, which live in this process or
// were started by it.
func (s *Server) simulatedPorts() []netip.AddrPort {
	var out []netip.AddrPort
	for _, list := range []*[]netip.AddrPort{s.simulated.Load(), s.simulatedDoors.Load(), s.simulatedHorns.Load()} {
		if list != nil {
			out = append(out, *list...)
		}
	}
	return out
}

// AllowSimulated lets us reach simulated devices at these addresses, and no
// others of before.
func (s *Server) AllowSimulated(list []netip.AddrPort) { s.simulated.Store(&list) }

// run follows the cameras that people set up.
func (c *cameras) run(ctx context.Context) error {
	ended := make(chan error, 2)
	go func() { ended <- c.Service.Run(ctx) }()
	go func() { ended <- c.pool.Run(ctx) }()
	for ctx.Err() == nil {
		changed := c.s.Store.CamerasChanged()
		c.Apply(c.configs(ctx))
		exists := func(id string) bool { _, is := c.Camera(id); return is }
		c.eyes.Forget(exists)
		c.s.labels.Forget(exists)
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return errors.Join(<-ended, <-ended)
}

// configs are the cameras as they are to be followed.
func (c *cameras) configs(ctx context.Context) []camera.Config {
	var out []camera.Config
	for _, x := range c.s.Store.Cameras() {
		password, err := c.s.Store.CameraPassword(x.ID)
		if err != nil {
			// It is followed without, and says that it is not let in.
			c.s.log.ErrorContext(ctx, "a camera's password cannot be read", "camera", x.ID, "err", err)
		}
		target := func(address string) stream.Target {
			return stream.Target{URL: address, Username: x.Username, Password: password, UDP: x.UDP, Fingerprint: x.Fingerprint}
		}
		config := camera.Config{
			ID: x.ID, SiteID: x.SiteID, Label: x.Label, Main: target(x.MainURL), Recording: camera.Recording(x.Record),
		}
		config.Main.Sound = x.Audio
		if x.SubURL != "" {
			config.Sub = target(x.SubURL)
		}
		for _, z := range x.Zones {
			config.Zones = append(config.Zones, camera.Zone{
				ID: z.ID, Label: z.Label, Kind: string(z.Kind), Polygon: z.Polygon, Ports: z.Ports, Doors: z.Doors,
			})
		}
		out = append(out, config)
	}
	return out
}

var (
	_ web.Cameras = (*cameras)(nil)
	_ web.Viewing = (*cameras)(nil)
)

// AcceptView takes what a camera shows from now on for its place.
func (c *cameras) AcceptView(id string) bool { return c.eyes.Accept(id) }

// CameraStatus is how a camera is.
func (c *cameras) CameraStatus(id string) (web.CameraStatus, bool) {
	x, ok := c.Camera(id)
	if !ok {
		return web.CameraStatus{}, false
	}
	out := web.CameraStatus{State: x.State, Since: x.Since, Reason: x.Reason, Main: streamShape(x.Main), Sub: streamShape(x.Sub)}
	if kept, ok := c.s.footage.Retention(id); ok {
		out.EffectiveDays = kept.EffectiveDays
	}
	out.RecordedAt = c.s.footage.recs.wroteAt(id)
	out.Senses = c.senses(id)
	return out, true
}

func streamShape(x camera.StreamStatus) *web.CameraStream {
	if x.Format == nil {
		return nil
	}
	return &web.CameraStream{
		Codec: string(x.Format.Codec), Width: x.Format.Width, Height: x.Format.Height,
		FPS: tenths(x.UnitsPerSecond), BitsPerSecond: float64(int64(x.BitsPerSecond)), KeyEverySeconds: tenths(x.KeyEvery.Seconds()), Sound: x.Sound,
	}
}

func tenths(x float64) float64 { return float64(int64(x*10+0.5)) / 10 }

// resolveFor is how long a name may take to be found before it is kept unseen.
const resolveFor = 3 * time.Second

// ReachCamera says why an address may not be reached. A name that is not known
// now may be later: each connection is checked anyway.
func (c *cameras) ReachCamera(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("read the address: %w", err)
	}
	port := map[string]uint64{"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}[u.Scheme]
	if p := u.Port(); p != "" {
		if port, err = strconv.ParseUint(p, 10, 16); err != nil {
			return errors.New("not a port")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, resolveFor)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	for _, a := range found {
		if err := c.s.reach.Check(netip.AddrPortFrom(a, uint16(port))); err != nil {
			return outward.ErrDenied
		}
	}
	return nil
}

// TryCamera looks at an address once.
func (c *cameras) TryCamera(ctx context.Context, t web.CameraTry) (web.CameraTried, error) {
	r, err := c.Probe(ctx, stream.Target{URL: t.URL, Username: t.Username, Password: t.Password, UDP: t.UDP, Fingerprint: t.Fingerprint})
	var f *stream.Failure
	switch {
	case errors.Is(err, camera.ErrBusy):
		return web.CameraTried{}, &web.ViewingError{Status: http.StatusTooManyRequests, Code: "busy", Reason: err.Error()}
	case errors.As(err, &f):
		return web.CameraTried{Reason: string(f.Reason), Detail: f.Detail, Fingerprint: f.Fingerprint}, nil
	case err != nil:
		return web.CameraTried{}, fmt.Errorf("try the camera: %w", err)
	}
	out := web.CameraTried{
		Reordered: r.Reordered,
		Stream: &web.CameraStream{
			Codec: string(r.Format.Codec), Width: r.Format.Width, Height: r.Format.Height,
			FPS: tenths(r.UnitsPerSecond), BitsPerSecond: float64(int64(r.BitsPerSecond)), KeyEverySeconds: tenths(r.KeyEvery.Seconds()),
		},
	}
	if c.pool.Missing() == nil {
		if out.JPEG, err = c.pool.JPEG(ctx, r.Key); err != nil {
			c.s.log.InfoContext(ctx, "the first picture of a camera cannot be decoded", "err", err)
		}
	}
	return out, nil
}

// Watch begins a WebRTC session.
func (c *cameras) Watch(ctx context.Context, id, name, offer string) (web.Watching, error) {
	a, err := c.live.Watch(ctx, camlive.Offer{Camera: id, Stream: name, Instead: camera.Main, SDP: offer})
	return web.Watching{ID: a.ID, SDP: a.SDP, Done: a.Done}, whyNot(err)
}

// EndWatch ends one.
func (c *cameras) EndWatch(id, session string) bool { return c.live.End(id, session) }

// Playlist answers for a file of a playlist.
func (c *cameras) Playlist(w http.ResponseWriter, r *http.Request, id, name, file string) error {
	return whyNot(c.live.Playlist(w, r, id, name, file))
}

// Still is a single picture of now.
func (c *cameras) Still(ctx context.Context, id, name string, hide []store.CameraZone) (web.CameraStill, error) {
	var mask []camlive.Polygon
	for _, z := range hide {
		mask = append(mask, z.Polygon)
	}
	p, err := c.live.Still(ctx, id, name, mask)
	return web.CameraStill{JPEG: p.JPEG, At: p.At}, whyNot(err)
}

// whyNot says in the words of the API why somebody sees nothing.
func whyNot(err error) error {
	return inWords(err, []reason{
		{camlive.ErrNoWebRTC, http.StatusConflict, "noWebRTC"},
		{camlive.ErrTooMany, http.StatusServiceUnavailable, "busy"},
		{camlive.ErrNoPicture, http.StatusConflict, "noPicture"},
		{camlive.ErrCodec, http.StatusConflict, "codec"},
		{camlive.ErrReordered, http.StatusConflict, "reordered"},
		{camlive.ErrOffer, http.StatusUnprocessableEntity, "offer"},
		{camlive.ErrNoDecoder, http.StatusConflict, "noDecoder"},
		{camlive.ErrNoPlaylist, http.StatusNotFound, "noPlaylist"},
		{camera.ErrUnknown, http.StatusConflict, "noPicture"}, // it was just added, or we are about to stop
		{camera.ErrNoStream, http.StatusConflict, "noPicture"},
		{decode.ErrBusy, http.StatusServiceUnavailable, "busy"},
		{decode.ErrLate, http.StatusServiceUnavailable, "busy"},
		{decode.ErrDamaged, http.StatusConflict, "noPicture"},
		{decode.ErrResting, http.StatusConflict, "noPicture"},
	})
}

// reason is how the API says one of our errors.
type reason struct {
	is     error
	status int
	code   string
}

func inWords(err error, reasons []reason) error {
	for _, x := range reasons {
		if errors.Is(err, x.is) {
			return &web.ViewingError{Status: x.status, Code: x.code, Reason: x.is.Error()}
		}
	}
	return err
}
