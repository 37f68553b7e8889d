// Package station is the OCPP endpoint: it hears charging stations over
// WebSockets and turns what they say into events.
//
// It promises that a station is answered only after its event is durable, that
// no content is a reason to refuse a known action, and that the newest proven
// connection of an identity is the one that counts. The path of a frame:
//
//	ServeHTTP (handshake.go) -> link.run (link.go) -> ocppj.Parse
//	  -> translate (translate16.go, translate2.go) -> normalise -> Journal.Append
//	  -> answer written by the same goroutine
//
// One goroutine per connection does all of that, so back-pressure needs no
// queue; commands write from their caller's goroutine (command.go); one shared
// wheel sends pings and notices silence (wheel.go).
package station

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
)

// Journal makes events durable.
type Journal interface {
	Append(ctx context.Context, e *event.Event) (fleet.Receipt, error)
	// AppendEach is Append for many, with what became of each.
	AppendEach(ctx context.Context, events []*event.Event) []error
	Snapshot() *fleet.Snapshot
}

// Directory knows which stations are enrolled and keeps note of those that are
// not.
type Directory interface {
	// Enrolled returns what is enrolled under the identity.
	Enrolled(identity string) (Enrolment, bool)
	// Pend notes an unknown station that waits for approval, as accepted reports
	// whether it is to be admitted at once. ErrFull means no more may wait.
	Pend(ctx context.Context, identity, remoteAddr string, accept bool) error
	// Describe adds to a pending station what its boot told.
	Describe(ctx context.Context, identity string, boot *event.Boot) error
	// Refused notes a handshake that failed, for the page that shows them.
	Refused(identity, remoteAddr, reason string)
}

// Enrolment is what is enrolled under an identity.
type Enrolment struct {
	Onboarding event.Onboarding
	// Profile is the OCPP security profile asked of the station; a stronger one
	// is accepted too.
	Profile int
	// Verify checks a password in constant time; nil means none is set.
	Verify func(password []byte) bool
	// Why says more of a password that Verify refused; nil: nothing is known.
	Why func() string
	// Weaker is told of a station that proved itself by less than Profile; may be nil.
	Weaker func(profile int)
	// Certificate says of a client certificate that is otherwise good whether it was
	// made for this station, whatever name it bears, and why it is refused; nil: the
	// name decides.
	Certificate func(c *x509.Certificate) (ours bool, refused string)
	// CertSubject is the common name of the client certificate; empty means the
	// identity itself.
	CertSubject string
	// DefaultProtocol serves a station that offers no subprotocol; empty means it
	// is refused.
	DefaultProtocol string
	// Upstream is the system that the station is relayed to; nil: it speaks to us.
	Upstream *Upstream
	// Observers are systems that hear what a relayed station says and are not heard.
	Observers []*Upstream
}

// Token is an identifier shown at a station.
type Token struct {
	Value string
	Type  string
}

// Decision is what a token met. TokenID is its opaque name in events.
type Decision struct {
	TokenID   string
	Status    string // OCPP 2.0.1 AuthorizationStatusEnumType
	Reason    string
	ExpiresAt time.Time
	ParentID  string // value of the parent or group token
}

// Authorizer decides at the plug.
type Authorizer interface {
	Authorize(ctx context.Context, station string, evse int, t Token, start bool) (Decision, error)
	// Name gives a token its opaque name without deciding.
	Name(ctx context.Context, t Token) (string, error)
}

// Frames keeps raw frames. It never blocks.
type Frames interface {
	Add(f Frame)
}

// Frame is one raw frame. Data belongs to the caller.
type Frame struct {
	At            time.Time
	Station, Conn string
	FromStation   bool
	Action        string // of an answer: what was asked
	Data          []byte
	Quirks        []string
}

// Onboarding says what becomes of unknown identities.
type Onboarding string

// The onboarding modes.
const (
	Open    Onboarding = "open"
	Approve Onboarding = "approve"
	Closed  Onboarding = "closed"
)

// Options configures an Endpoint. The zero value is usable.
type Options struct {
	Logger     *slog.Logger // default: discard
	Onboarding Onboarding   // default: Approve
	// HeartbeatInterval is given to stations at boot; default 300 s.
	HeartbeatInterval time.Duration
	// PendingInterval is given while a station waits for approval; default 60 s.
	PendingInterval time.Duration
	// FrameLimit bounds a frame of a station that has booted; default 4 MiB.
	// Before that it is FirstFrameLimit, default 64 KiB.
	FrameLimit, FirstFrameLimit int
	// LargeBudget bounds what all large frames hold at once; default 64 MiB.
	LargeBudget int64
	// Ping is the shortest time between two pings of a connection, the longest is
	// 1.5 times as much; default 20 s. Pong is how long a pong may take; default
	// 12 s. Together they bound how long a dead cable looks alive.
	Ping, Pong time.Duration
	// CommandTimeout is how long a station may take to answer; default 30 s.
	CommandTimeout time.Duration
	// OnLate is told of answers that came after their command had timed out.
	OnLate func(station, commandID string, o Outcome)
	// Dial connects to upstream systems; the default reaches any address.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Record is the form of a payload of upstream that may be kept, without secrets;
	// without it none is.
	Record func(ctx context.Context, payload []byte) (json.RawMessage, error)
	// Sign takes the request of a station for a certificate, which it is sent later; an
	// error refuses it. Without it all are refused.
	Sign func(ctx context.Context, station string, r CertificateRequest) error
}

// CertificateRequest is what a station asks to have signed.
type CertificateRequest struct {
	PEM  string
	Type string // of 2.x; empty: it is not said
	ID   *int   // of 2.1
}

// Endpoint serves OCPP-J to charging stations.
type Endpoint struct {
	o         Options
	log       *slog.Logger
	journal   Journal
	directory Directory
	access    Authorizer
	frames    Frames

	mu       sync.Mutex
	links    map[string]*link
	closing  bool
	paused   atomic.Bool
	stopping chan struct{} // closed when closing is set
	running  sync.WaitGroup
	buffers  sync.Pool // of *[]byte, shared so that an idle link holds none
	docs     jsondoc.Pool
	wheel    wheel
	large    budget
	failures failures
	connSeq  atomic.Uint64
	bootID   string
	rejected quarantine
	table    *spec.Table
	Stats    Stats

	ours    marks
	ears    ears
	healths healths
	dials   chan struct{}
}

// Stats counts what the endpoint saw, for /metrics.
type Stats struct {
	Connections, Replaced, Refused, FramesIn, FramesOut, BytesIn, Unreadable, TooLarge atomic.Int64
}

// New returns an endpoint that is idle until it serves.
func New(journal Journal, directory Directory, access Authorizer, frames Frames, o Options) *Endpoint {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Onboarding, Approve)
	setDefault(&o.HeartbeatInterval, 300*time.Second)
	setDefault(&o.PendingInterval, 60*time.Second)
	setDefault(&o.FrameLimit, 4<<20)
	setDefault(&o.FirstFrameLimit, 64<<10)
	setDefault(&o.LargeBudget, 64<<20)
	setDefault(&o.Ping, 20*time.Second)
	setDefault(&o.Pong, 12*time.Second)
	setDefault(&o.CommandTimeout, 30*time.Second)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	ep := &Endpoint{
		o: o, log: o.Logger, journal: journal, directory: directory, access: access, frames: frames,
		links: make(map[string]*link), large: budget{free: o.LargeBudget},
		stopping: make(chan struct{}), buffers: sync.Pool{New: newBuffer},
		failures: failures{seen: make(map[string]*failure)},
		bootID:   newID()[:8],
		table:    spec.New(),
		ours:     newMarks(),
		healths:  healths{of: make(map[string]*Health)},
		dials:    make(chan struct{}, dialsAtOnce),
	}
	return ep
}

func setDefault[T comparable](into *T, value T) {
	var zero T
	if *into == zero {
		*into = value
	}
}

// goodbye is how long stations may take to answer a close.
const goodbye = 3 * time.Second

// Run turns the ping wheel until ctx ends; then it closes every connection with
// 1001 and waits for them. It may be called once.
func (ep *Endpoint) Run(ctx context.Context) error {
	ep.wheel.run(ctx, ep)
	ep.mu.Lock()
	ep.closing = true
	close(ep.stopping)
	links := slices.Collect(maps.Values(ep.links))
	ep.mu.Unlock()
	for _, l := range links {
		l.goAway("the server is stopping")
	}
	done := make(chan struct{})
	go func() { ep.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(goodbye):
		for _, l := range links {
			go l.conn.Cut()
		}
		<-done
	}
	return context.Cause(ctx)
}

// start runs a link in a goroutine of its own, which gives back the stack of
// the HTTP server's.
func (ep *Endpoint) start(l *link) bool {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.closing {
		return false
	}
	ep.running.Go(l.run)
	return true
}

// Pause refuses new connections while it is set; those that stand are served.
func (ep *Endpoint) Pause(on bool) { ep.paused.Store(on) }

// Connected is how many stations are connected.
func (ep *Endpoint) Connected() int {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return len(ep.links)
}

// LastFrame returns when a connected station was last heard, pings and pongs
// included.
func (ep *Endpoint) LastFrame(station string) (time.Time, bool) {
	ep.mu.Lock()
	l := ep.links[station]
	ep.mu.Unlock()
	if l == nil {
		return time.Time{}, false
	}
	return l.heard(), true
}

// Reached is the scheme and host by which a connected station found us, empty if it is
// not connected or did not say.
func (ep *Endpoint) Reached(station string) string {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if l := ep.links[station]; l != nil {
		return l.reached
	}
	return ""
}

// Disconnect closes the connection of a station whose enrolment changed.
func (ep *Endpoint) Disconnect(station, reason string) {
	ep.mu.Lock()
	l := ep.links[station]
	ep.mu.Unlock()
	if l != nil {
		l.goAway(reason)
	}
}

// Quarantine returns frames that could not be read, newest last.
func (ep *Endpoint) Quarantine() []Unreadable { return ep.rejected.list() }

var _ http.Handler = (*Endpoint)(nil)
