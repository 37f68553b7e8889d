package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Hubs brings a camera's pictures; release says that they are no longer needed.
type Hubs interface {
	Hub(camera, stream string) (hub *stream.Hub, release func(), err error)
}

// Decoder makes a JPEG picture of a key picture.
type Decoder interface {
	JPEG(ctx context.Context, u *stream.Unit) ([]byte, error)
}

// Options say what a Service is made of.
type Options struct {
	Hubs Hubs
	// Decoder is nil where none is installed: there are no single pictures then.
	Decoder Decoder
	Logger  *slog.Logger
	// UDP and TCP carry all WebRTC sessions; without them there is none. The service
	// closes them.
	UDP net.PacketConn
	TCP net.Listener
	// MaxViewers bounds WebRTC sessions; 0: 256.
	MaxViewers int
}

// What can be wrong with a wish to look.
var (
	ErrNoWebRTC   = errors.New("WebRTC is not served here")
	ErrTooMany    = errors.New("too many people look at cameras")
	ErrNoPicture  = errors.New("the camera sends no picture now")
	ErrCodec      = errors.New("browsers do not take the camera's codec over WebRTC")
	ErrReordered  = errors.New("the camera sends pictures out of order (B-frames), which WebRTC does not carry")
	ErrOffer      = errors.New("not an offer that can be answered")
	ErrNoDecoder  = errors.New("no decoder is installed: single pictures need ffmpeg")
	ErrNoPlaylist = errors.New("no such part of the playlist")
)

const (
	maxOffer     = 64 << 10
	pictureWait  = 5 * time.Second
	ofNow        = 3 * time.Second // the newest picture of a stream that plays
	connectWait  = 15 * time.Second
	gatherWait   = 3 * time.Second
	idlePlaylist = 20 * time.Second
)

// Service shows live pictures.
type Service struct {
	o   Options
	api *webrtc.API

	mu       sync.Mutex
	closed   bool
	sessions map[string]*session
	lists    map[place]*playlist
	stills   map[place]*still
	work     sync.WaitGroup
}

// place names one stream of a camera.
type place struct{ camera, stream string }

// New makes a service.
func New(o Options) (*Service, error) {
	if o.MaxViewers <= 0 {
		o.MaxViewers = 256
	}
	s := &Service{
		o: o, sessions: make(map[string]*session), lists: make(map[place]*playlist), stills: make(map[place]*still),
	}
	if o.UDP == nil && o.TCP == nil {
		return s, nil
	}
	var err error
	if s.api, err = newAPI(o); err != nil {
		return nil, fmt.Errorf("set up WebRTC: %w", err)
	}
	return s, nil
}

// Close ends everything that is shown.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	var ends []func()
	for _, x := range s.sessions {
		ends = append(ends, x.end)
	}
	for _, x := range s.lists {
		ends = append(ends, x.end)
	}
	s.mu.Unlock()
	for _, end := range ends {
		end()
	}
	s.work.Wait()
	var errs []error
	if s.o.UDP != nil {
		errs = append(errs, ignoreClosed(s.o.UDP.Close()))
	}
	if s.o.TCP != nil {
		errs = append(errs, ignoreClosed(s.o.TCP.Close()))
	}
	return errors.Join(errs...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Viewers counts the WebRTC sessions, Playlists the HLS streams that are made.
func (s *Service) Viewers() (sessions, playlists int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions), len(s.lists)
}

// present is the key picture that a viewer can begin with at once, nil if the
// stream has none of now.
func present(hub *stream.Hub) *stream.Unit {
	u, last := hub.Key(), hub.Last()
	if u != nil && last != nil && time.Since(last.ReceivedAt) < ofNow {
		return u
	}
	return nil
}

// follow follows a hub from what is there on, if that is of now.
func follow(hub *stream.Hub) *stream.Reader {
	return hub.Follow(stream.FollowOptions{FromKey: present(hub) != nil})
}

// current waits for a unit of now.
func current(ctx context.Context, hub *stream.Hub) (*stream.Unit, error) {
	if u := present(hub); u != nil {
		return u, nil
	}
	ctx, done := context.WithTimeout(ctx, pictureWait)
	defer done()
	r := hub.Follow(stream.FollowOptions{Buffer: 1})
	defer r.Close()
	u, err := r.Next(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, stream.ErrClosed) {
		return nil, ErrNoPicture
	}
	return u, err
}
