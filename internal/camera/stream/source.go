package stream

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
)

// Deadlines of a connection.
const (
	stepTime     = 8 * time.Second  // for the connection, and for each answer
	setupTime    = 25 * time.Second // for all of it up to PLAY
	pictureTime  = 10 * time.Second // between two pictures
	keyTime      = time.Minute      // for the first key picture
	writeTime    = 3 * time.Second
	maxRedirects = 3
)

// Target is where a stream is and how to ask for it.
type Target struct {
	URL      string // rtsp or rtsps, without credentials
	Username string
	Password string
	// UDP asks for packets that may be lost instead of one connection.
	UDP bool
	// Sound asks for the sound beside the pictures as well. Without it none of it
	// crosses the wire.
	Sound bool
	// Fingerprint pins the camera's certificate (rtsps); empty: as this machine trusts.
	Fingerprint string
}

// SourceOptions configures a Source.
type SourceOptions struct {
	Target
	Hub *Hub
	// Dial checks the address as it connects.
	Dial DialFunc
	// Roots are trusted beside a pinned fingerprint; nil: those of the machine.
	Roots  *x509.CertPool
	Logger *slog.Logger
	Now    func() time.Time // nil: time.Now
}

// Source reads one stream of one camera into a hub.
type Source struct {
	o      SourceOptions
	target atomic.Pointer[Target]
	epoch  uint64 // of Run only
	watch  watch
}

// NewSource returns a source that does nothing until Run.
func NewSource(o SourceOptions) *Source {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Source{o: o}
	s.Retarget(o.Target)
	return s
}

// Retarget is for the next Run: a camera that moved keeps its hub, and its epochs
// go on.
func (s *Source) Retarget(t Target) { s.target.Store(&t) }

// Health is how a source does.
type Health struct {
	// Connected is set while the camera plays.
	Connected bool
	// FrameAt is when the last picture was whole, decodable or not.
	FrameAt time.Time
	Units   uint64 // published
	Keys    uint64 // among them
	Holes   uint64 // lost packets, counted as events
	Damaged uint64 // what could not be read
	Bytes   uint64 // of published pictures
	// Sound is what is heard: a codec, or why there is nothing; empty: it was not asked
	// for.
	Sound string
	// KeyEvery is how far the last two key pictures are apart.
	KeyEvery time.Duration
}

// Health may be asked at any time.
func (s *Source) Health() Health { return s.watch.health() }

// Run connects, publishes and returns when the connection has ended: always with
// a *Failure, except when ctx ended it. It may be called again, not twice at once.
func (s *Source) Run(ctx context.Context) error {
	s.epoch++
	defer s.watch.connected.Store(false)
	t := *s.target.Load()
	for range maxRedirects + 1 {
		to, err := s.play(ctx, t)
		if to == "" {
			if ctx.Err() != nil {
				return fmt.Errorf("follow the camera: %w", ctx.Err())
			}
			return failure(err)
		}
		if t, err = redirected(t, to); err != nil {
			return err
		}
	}
	return &Failure{Reason: ReasonProtocol, Detail: "the camera sends us from address to address"}
}

// redirected is the target that a camera sends us to. Another machine is not told
// the password.
func redirected(t Target, to string) (Target, error) {
	from, err := url.Parse(t.URL)
	if err != nil {
		return t, &Failure{Reason: ReasonAddress, err: err}
	}
	u, err := url.Parse(to)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "rtsp" && u.Scheme != "rtsps":
		return t, &Failure{Reason: ReasonAddress, Detail: "the camera sends us to an address that is none"}
	case from.Scheme == "rtsps" && u.Scheme != "rtsps":
		return t, &Failure{Reason: ReasonAddress, Detail: "the camera sends us from an encrypted address to a plain one"}
	}
	u.User = nil
	if u.Host != from.Host {
		t.Username, t.Password = "", ""
	}
	t.URL = u.String()
	return t, nil
}

// session is one connection.
type session struct {
	client   *gortsplib.Client
	playing  atomic.Bool
	camera   net.IP
	redirect string
	over     chan error
	broke    error // what the wire or the guard said, which the library may hide
}

// end ends the session from inside one of its goroutines, which cannot close it.
func (s *session) end(err error) {
	select {
	case s.over <- err:
	default:
	}
}

// play follows one address. It returns where the camera sends us, or why it ended.
func (s *Source) play(ctx context.Context, t Target) (redirect string, err error) {
	u, err := base.ParseURL(t.URL)
	if err != nil {
		return "", &Failure{Reason: ReasonAddress, Detail: "the address cannot be read", err: err}
	}
	if t.Username != "" || t.Password != "" {
		u.User = url.UserPassword(t.Username, t.Password)
	}
	se := &session{over: make(chan error, 1)}
	proto := gortsplib.ProtocolTCP
	if t.UDP {
		proto = gortsplib.ProtocolUDP
	}
	se.client = &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Protocol: &proto,
		ReadTimeout: stepTime, WriteTimeout: writeTime, UserAgent: "chargewatch",
		DialContext:    s.dial(se),
		DialTLSContext: s.dialTLS(se, u.Hostname(), t.Fingerprint),
		ListenPacket: func(network, address string) (net.PacketConn, error) {
			return listenFor(se.camera, network, address)
		},
		ResolveIPAddr: func(string, string) (*net.IPAddr, error) {
			return nil, &Failure{Reason: ReasonAddress, Detail: "the camera names another machine as the source of its pictures"}
		},
		// Redirects go through our own hands: see redirected.
		OnResponse: func(r *base.Response) {
			if to := r.Header["Location"]; len(to) == 1 && r.StatusCode >= base.StatusMovedPermanently && r.StatusCode <= base.StatusUseProxy {
				se.redirect = to[0]
				delete(r.Header, "Location")
			}
		},
		OnTransportSwitch: func(error) {},
		OnPacketsLost:     func(uint64) {},
		OnDecodeError:     func(error) { s.watch.damaged.Add(1) },
	}
	if err := se.client.Start(); err != nil {
		return "", fmt.Errorf("start the client: %w", err)
	}
	defer se.client.Close()
	setup, cancel := context.WithTimeout(ctx, setupTime)
	defer cancel()
	stop := context.AfterFunc(setup, se.client.Close)
	err = s.begin(se, u, t.Sound)
	inTime := stop()
	if se.redirect != "" {
		return se.redirect, nil
	}
	switch {
	case se.broke != nil:
		return "", se.broke
	case err != nil && !inTime && ctx.Err() == nil:
		return "", &Failure{Reason: ReasonUnreachable, Detail: "the camera takes too long to answer", err: err}
	case err != nil:
		return "", err
	}
	return "", s.follow(ctx, se)
}

// begin asks for the stream and lets it play.
func (s *Source) begin(se *session, u *base.URL, sound bool) error {
	desc, _, err := se.client.Describe(u)
	if err != nil {
		return fmt.Errorf("ask for the stream: %w", err)
	}
	media, f, err := video(desc)
	if err != nil {
		return err
	}
	a, err := newAssembler(f, &s.watch)
	if err != nil {
		return err
	}
	a.epoch, a.now, a.publish = s.epoch, s.o.Now, func(u *Unit) {
		s.watch.bytes.Add(uint64(u.Size()))
		s.o.Hub.Publish(u)
	}
	a.taken = func(p *rtp.Packet) (time.Time, bool) { return se.client.PacketNTP(media, p) }
	if _, err := se.client.Setup(desc.BaseURL, media, 0, 0); err != nil {
		return fmt.Errorf("set the stream up: %w", err)
	}
	s.watch.sound.Store("")
	if sound {
		s.listen(se, desc, a)
	}
	se.client.OnPacketRTP(media, f, s.guarded(se, func(p *rtp.Packet) {
		if err := a.packet(p); err != nil {
			se.end(err)
		}
	}))
	s.watch.begin(s.o.Now())
	s.watch.connected.Store(true)
	se.playing.Store(true)
	if _, err := se.client.Play(nil); err != nil {
		return fmt.Errorf("let the stream play: %w", err)
	}
	return nil
}

// listen asks for sound as well. Pictures come also without it.
func (s *Source) listen(se *session, desc *description.Session, a *assembler) {
	media, f, what := audible(desc)
	s.watch.sound.Store(what)
	if media == nil {
		return
	}
	h, err := newHearing(f, &s.watch, s.o.Now)
	if err == nil {
		_, err = se.client.Setup(desc.BaseURL, media, 0, 0)
	}
	if err != nil {
		s.o.Logger.Warn("a camera's sound is not heard", "err", err)
		s.watch.sound.Store(SoundRefused)
		return
	}
	a.hears, a.sets.sound, a.sets.format = h, h.format, nil
	se.client.OnPacketRTP(media, f, s.guarded(se, h.packet))
}

// guarded is for what goes through parsers of others: whatever a camera does to one
// of them ends its connection, not the house.
func (s *Source) guarded(se *session, read func(*rtp.Packet)) func(*rtp.Packet) {
	return func(p *rtp.Packet) {
		defer func() {
			if r := recover(); r != nil {
				s.o.Logger.Error("a packet broke its reader", "panic", r, "stack", string(debug.Stack()))
				se.end(&Failure{Reason: ReasonProtocol, Detail: "what the camera sends cannot be read"})
			}
		}()
		read(p)
	}
}

// follow waits until it is over, and looks whether pictures come.
func (s *Source) follow(ctx context.Context, se *session) error {
	ended := make(chan error, 1)
	go func() { ended <- se.client.Wait() }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-se.over:
			return err
		case err := <-ended:
			select { // what we said ourselves is the cause
			case cause := <-se.over:
				return cause
			default:
			}
			return err
		case <-tick.C:
			if err := s.watch.check(s.o.Now()); err != nil {
				return err
			}
		}
	}
}

// dial connects through the guard and remembers what it said.
func (s *Source) dial(se *session) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := s.o.Dial(ctx, network, address)
		if err != nil {
			se.broke = err
			return nil, err
		}
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			se.camera = a.IP
		}
		return &wire{Conn: c, playing: &se.playing}, nil
	}
}

func (s *Source) dialTLS(se *session, host, pinned string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := s.dial(se)(ctx, network, address)
		if err != nil {
			return nil, err
		}
		t, err := handshake(ctx, c, host, pinned, s.o.Roots)
		if err != nil {
			se.broke = err
			return nil, err
		}
		return t, nil
	}
}

// video finds the first stream of pictures that we can follow.
func video(desc *description.Session) (*description.Media, format.Format, error) {
	var others []string
	for _, m := range desc.Medias {
		if m.IsBackChannel || m.Type != description.MediaTypeVideo {
			continue
		}
		for _, f := range m.Formats {
			switch f.(type) {
			case *format.H264, *format.H265:
				return m, f, nil
			}
			if len(others) < 4 {
				name, _, _ := strings.Cut(f.RTPMap(), "/")
				others = append(others, name)
			}
		}
	}
	if len(others) == 0 {
		return nil, nil, &Failure{Reason: ReasonCodec, Detail: "the stream holds no pictures"}
	}
	return nil, nil, &Failure{Reason: ReasonCodec, Detail: "the stream is " + strings.Join(others, ", ") + ", not H.264 or H.265"}
}

// watch counts what comes, for whoever asks from outside.
type watch struct {
	connected             atomic.Bool
	frameAt, keyAt, since atomic.Int64 // Unix nanoseconds
	units, keys           atomic.Uint64
	holes, damaged, bytes atomic.Uint64
	sound                 atomic.Value // string
	keyEvery, keyDTS      atomic.Int64
}

func (w *watch) begin(now time.Time) {
	w.since.Store(now.UnixNano())
	w.frameAt.Store(0)
	w.keyAt.Store(0)
}

func (w *watch) frame(now time.Time) { w.frameAt.Store(now.UnixNano()) }

func (w *watch) unit(u *Unit) {
	w.units.Add(1)
	if !u.Key {
		return
	}
	w.keys.Add(1)
	if d := u.DTS - time.Duration(w.keyDTS.Load()); d > 0 && w.keyAt.Load() != 0 && !u.Broken {
		w.keyEvery.Store(int64(d))
	}
	w.keyDTS.Store(int64(u.DTS))
	w.keyAt.Store(u.ReceivedAt.UnixNano())
}

// check says that too little comes.
func (w *watch) check(now time.Time) error {
	since, n := w.since.Load(), now.UnixNano()
	if n-max(w.frameAt.Load(), since) > int64(pictureTime) {
		return &Failure{Reason: ReasonNoFrames, Detail: "no whole picture comes"}
	}
	if w.keyAt.Load() == 0 && n-since > int64(keyTime) {
		return &Failure{Reason: ReasonNoFrames, Detail: "the camera sends no key picture"}
	}
	return nil
}

func (w *watch) health() Health {
	h := Health{
		Connected: w.connected.Load(), Units: w.units.Load(), Keys: w.keys.Load(),
		Holes: w.holes.Load(), Damaged: w.damaged.Load(), Bytes: w.bytes.Load(),
		KeyEvery: time.Duration(w.keyEvery.Load()),
	}
	h.Sound, _ = w.sound.Load().(string)
	if at := w.frameAt.Load(); at != 0 {
		h.FrameAt = time.Unix(0, at)
	}
	return h
}
