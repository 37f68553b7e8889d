package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// The streams of a camera.
const (
	MainStream = "main"
	SubStream  = "sub"
)

// Spec is a camera to be simulated.
type Spec struct {
	// Name is the first part of its path: rtsp://HOST/NAME/main and /sub.
	Name string
	// View is where it stands; empty: yard-day.
	View string
	// Scene is what it shows over and over; empty: its bays, as Bays says.
	Scene string
	// Clip is shown over and over in place of all scenes: H.264 in Annex B form, 15
	// pictures a second, one slice each, in the order in which they are shown. It is
	// the main stream; there is no other.
	Clip []byte
	// Sound is a tone of 440 Hz beside the main stream, in AAC.
	Sound bool
	// Password of the user; empty: that of the farm.
	Password string
	// OnPicture is told which picture of the main stream's clip goes out and when it
	// was due, if it is set: who painted a clock into a clip of one's own knows then
	// when the camera saw it. It must not wait.
	OnPicture func(n int, due time.Time)
}

// Options configures a Farm.
type Options struct {
	// Listen is host:port of the RTSP server; port 0 takes a free one.
	Listen string
	// User and Password are asked of whoever wants to see; empty: nobody is asked.
	User, Password string
	// OnSeen is told what begins and ends in the pictures, if it is set. It must not
	// wait.
	OnSeen func(Seen)
	Logger *slog.Logger
}

// Farm is an RTSP server with many cameras.
type Farm struct {
	o      Options
	server *gortsplib.Server
	shelf  shelf
	table  clips.Table
	names  map[string]bool

	mu   sync.Mutex
	cams map[string]*cam
	eyes []func(Seen)
}

// observe adds somebody who is told what is seen.
func (f *Farm) observe(eye func(Seen)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.eyes = append(f.eyes, eye)
}

// Errors of a farm.
var (
	ErrUnknown = errors.New("no such camera")
	ErrExists  = errors.New("there is a camera of that name")
)

// New listens. The cameras move while Run runs.
func New(o Options) (*Farm, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Farm{o: o, cams: make(map[string]*cam)}
	if o.OnSeen != nil {
		f.eyes = append(f.eyes, o.OnSeen)
	}
	names, err := clips.Names()
	if err != nil {
		return nil, err
	}
	f.names = make(map[string]bool, len(names))
	for _, n := range names {
		f.names[n] = true
	}
	f.server = &gortsplib.Server{RTSPAddress: o.Listen, Handler: handler{f}, WriteQueueSize: 1024, ReadTimeout: 20 * time.Second}
	if err := f.server.Start(); err != nil {
		return nil, fmt.Errorf("listen for RTSP: %w", err)
	}
	return f, nil
}

// Close ends all connections.
func (f *Farm) Close() {
	f.server.Close()
	_ = f.server.Wait() // says no more than that it was closed
}

// Address is where the farm listens.
func (f *Farm) Address() netip.AddrPort {
	a, _ := f.server.NetListener().Addr().(*net.TCPAddr)
	if a == nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
}

// URL is the address of a stream.
func (f *Farm) URL(name, stream string) string {
	return "rtsp://" + f.Address().String() + "/" + name + "/" + stream
}

// Add makes a camera.
func (f *Farm) Add(s Spec) error {
	if s.View == "" {
		s.View = Views()[0]
	}
	if s.Name == "" || strings.ContainsAny(s.Name, "/? ") {
		return fmt.Errorf("camera %q: want a name without slashes", s.Name)
	}
	if !slices.Contains(Views(), s.View) {
		return fmt.Errorf("view %q: want one of %s", s.View, strings.Join(Views(), ", "))
	}
	c := &cam{farm: f, spec: s, program: program{view: s.View, follows: s.Scene == ""}}
	if s.Clip != nil {
		var err error
		if c.own, err = f.shelf.ready(s.Clip); err != nil {
			return err
		}
	}
	if s.Sound {
		var err error
		if c.tone, err = newTone(); err != nil {
			return err
		}
	}
	now := time.Now()
	if s.Scene != "" {
		scene, err := FindScene(s.View, s.Scene)
		if err != nil {
			return err
		}
		c.program.play(scene, false, now)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cams[s.Name] != nil {
		return fmt.Errorf("%s: %w", s.Name, ErrExists)
	}
	if err := c.turn(now); err != nil {
		return err
	}
	// Cameras do not take their pictures at the same moment.
	c.playing.began = now.Add(-time.Duration(len(f.cams)%17) * time.Second / clips.MainRate / 17)
	if c.own != nil { // nor those that show one clip their key pictures
		c.playing.next = 7 * len(f.cams) % group(clips.MainRate)
		c.playing.began = c.playing.began.Add(-time.Duration(c.playing.next) * period)
	}
	if err := c.open(); err != nil {
		return err
	}
	f.cams[s.Name] = c
	return nil
}

// Remove ends a camera.
func (f *Farm) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.cams[name]; c != nil {
		c.close()
		delete(f.cams, name)
	}
}

// Names lists the cameras.
func (f *Farm) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for n := range f.cams {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

func (f *Farm) with(name string, do func(*cam) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.cams[name]
	if c == nil {
		return fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	return do(c)
}

// Play shows a scene over and over from the next key picture on; an empty name
// shows the bays.
func (f *Farm) Play(name, scene string) error {
	return f.with(name, func(c *cam) error { return c.start(scene, false) })
}

// Perform shows a scene once and then the bays again.
func (f *Farm) Perform(name, scene string) error {
	return f.with(name, func(c *cam) error { return c.start(scene, true) })
}

// Show shows clips of the camera's place one after the other, by the ends of their
// names such as -walks: once and then the bays again, or over and over.
func (f *Farm) Show(name string, once bool, endings ...string) error {
	return f.with(name, func(c *cam) error {
		s, err := c.scene(endings)
		if err != nil {
			return err
		}
		now := time.Now()
		c.program.play(*s, once, now)
		return c.cut(now)
	})
}

// Then says what follows over and over when what is shown once has ended.
func (f *Farm) Then(name string, endings ...string) error {
	return f.with(name, func(c *cam) error {
		next, err := c.scene(endings)
		if err == nil {
			c.program.then = next
		}
		return err
	})
}

// Sees reports whether something is in a camera's picture now.
func (f *Farm) Sees(name, what string) bool {
	seen := false
	err := f.with(name, func(c *cam) error {
		seen = slices.Contains(c.told, what)
		return nil
	})
	return err == nil && seen
}

// Has reports whether there is a clip of that name, with the view before it.
func (f *Farm) Has(clip string) bool { return f.names[clip] }

// SetBays says in which bays cars stand; they come and leave so that it becomes
// so.
func (f *Farm) SetBays(name string, cars [2]bool) error {
	return f.with(name, func(c *cam) error {
		if Bays(c.spec.View) == 1 {
			cars[1] = false
		}
		c.program.wanted = cars
		return nil
	})
}

// SetView moves a camera to another place from its next clip on: the same place
// at night, for instance.
func (f *Farm) SetView(name, view string) error {
	if !slices.Contains(Views(), view) {
		return fmt.Errorf("view %q: want one of %s", view, strings.Join(Views(), ", "))
	}
	return f.with(name, func(c *cam) error {
		c.spec.View, c.program.view = view, view
		if Bays(view) == 1 {
			c.program.shown[1], c.program.wanted[1] = false, false
		}
		return nil
	})
}

// SetFault brings a fault about, or ends it.
func (f *Farm) SetFault(name string, fault Fault) error {
	return f.with(name, func(c *cam) error { return c.setFault(fault) })
}

// Showing says what a camera shows and when its loop began.
func (f *Farm) Showing(name string) (scene string, began time.Time, err error) {
	err = f.with(name, func(c *cam) error {
		began = c.program.begin
		if c.program.scene != nil {
			scene = c.program.scene.Name
		}
		return nil
	})
	return scene, began, err
}

// Run moves the pictures until ctx ends.
func (f *Farm) Run(ctx context.Context) error {
	tick := time.NewTicker(11 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			f.move(now)
		}
	}
}

func (f *Farm) move(now time.Time) {
	var seen []Seen
	f.mu.Lock()
	for _, c := range f.cams {
		if err := c.move(now, func(s Seen) { seen = append(seen, s) }); err != nil {
			f.o.Logger.Error("a simulated camera fails", "camera", c.spec.Name, "err", err)
			c.close()
			delete(f.cams, c.spec.Name)
		}
	}
	eyes := f.eyes
	f.mu.Unlock()
	for _, s := range seen {
		for _, tell := range eyes {
			tell(s)
		}
	}
}

// handler answers for the server.
type handler struct{ f *Farm }

// find returns the output that a request asks for.
func (h handler) find(conn *gortsplib.ServerConn, req *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	f := h.f
	f.mu.Lock()
	defer f.mu.Unlock()
	name, stream, _ := strings.Cut(strings.Trim(path, "/"), "/")
	c := f.cams[name]
	user, password := f.o.User, f.o.Password
	if c != nil && c.spec.Password != "" {
		password = c.spec.Password
	}
	if c != nil && c.fault == WrongPassword {
		user, password = "admin", "nobody knows it"
	}
	if user != "" && !conn.VerifyCredentials(req, user, password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	if c == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	if c.fault == Offline {
		return &base.Response{StatusCode: base.StatusServiceUnavailable}, nil, nil
	}
	out := c.out[stream == SubStream]
	if out == nil || stream != MainStream && stream != SubStream {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, out.stream, nil
}

func (h handler) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return h.find(c.Conn, c.Request, c.Path)
}

func (h handler) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return h.find(c.Conn, c.Request, c.Path)
}

func (h handler) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}
