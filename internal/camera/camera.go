package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Errors that callers tell apart.
var (
	ErrUnknown  = errors.New("there is no such camera")
	ErrNoStream = errors.New("the camera has no such stream")
)

// Appender is the journal.
type Appender interface {
	Append(ctx context.Context, e *event.Event) (fleet.Receipt, error)
}

// Options configures a Service.
type Options struct {
	Journal Appender
	// Dial checks each address as it connects.
	Dial     stream.DialFunc
	Taps     []Tap
	Recorder Recorder // nil: nothing is recorded
	// Told is the condition of a camera that the journal has; only another one is
	// told. Nil: it has none.
	Told func(camera string) event.CameraCondition
	// Changed is told when a camera is again as the journal has it, which makes no
	// event. Nil: nobody minds.
	Changed func(ctx context.Context, camera string)
	Logger  *slog.Logger
}

// tick is how often all cameras are looked at.
const tick = 500 * time.Millisecond

// Service follows all cameras.
type Service struct {
	o       Options
	log     *slog.Logger
	open    func(stream.SourceOptions) source
	version atomic.Uint64
	wake    chan struct{} // the teller: something is to be said
	probes  chan struct{} // one for each that runs

	applying sync.Mutex // one change at a time; not held by those who only ask

	mu      sync.RWMutex
	ctx     context.Context // of Run; nil before and after
	cameras map[string]*one
}

// one is a camera.
type one struct {
	pulls map[string]*pull

	mu       sync.Mutex // innermost
	config   Config
	cond     condition
	tampered string
	since    time.Time             // of tampered
	told     event.CameraCondition // in the journal
	shown    event.CameraCondition // to those who look on
	rates    map[string]*rate

	release []func()
	taps    context.CancelFunc
	tapped  sync.WaitGroup
}

// New returns a service that follows nothing until Run.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{
		o: o, log: o.Logger, wake: make(chan struct{}, 1), probes: make(chan struct{}, maxProbes), cameras: map[string]*one{},
		open: func(s stream.SourceOptions) source { return stream.NewSource(s) },
	}
}

// Run follows what Apply names until ctx ends, and then ends all.
func (s *Service) Run(ctx context.Context) error {
	s.applying.Lock()
	s.mu.Lock()
	s.ctx = ctx
	all := slices.Collect(maps.Values(s.cameras))
	s.mu.Unlock()
	for _, c := range all {
		s.follow(ctx, c)
	}
	s.applying.Unlock()
	var teller sync.WaitGroup
	teller.Go(func() { s.tell(ctx) })
	t := time.NewTicker(tick)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case now := <-t.C:
			s.look(now)
		}
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	s.mu.Lock()
	ending := s.cameras
	s.ctx, s.cameras = nil, map[string]*one{}
	s.mu.Unlock()
	var ends sync.WaitGroup
	for _, c := range ending {
		ends.Go(c.end)
	}
	ends.Wait()
	teller.Wait()
	return nil
}

// Apply makes the list the one that is followed. Cameras that are in it as before
// do not notice. It waits for those that change to come to an end.
func (s *Service) Apply(list []Config) {
	s.applying.Lock()
	defer s.applying.Unlock()
	told := s.told(list)
	s.mu.Lock()
	ctx := s.ctx
	gone := maps.Clone(s.cameras)
	kept := map[*one]Config{}
	var fresh []*one
	for _, config := range list {
		if c, known := s.cameras[config.ID]; known {
			kept[c] = config
		} else {
			c := s.add(config)
			c.told = told[config.ID]
			fresh = append(fresh, c)
		}
		delete(gone, config.ID)
	}
	for id := range gone {
		delete(s.cameras, id)
	}
	s.mu.Unlock()
	for _, c := range fresh {
		s.follow(ctx, c)
	}
	for c, config := range kept {
		s.change(ctx, c, config)
	}
	for _, c := range gone {
		c.end()
	}
	s.version.Add(1)
}

// told asks for what the journal has of those that are new.
func (s *Service) told(list []Config) map[string]event.CameraCondition {
	out := make(map[string]event.CameraCondition)
	if s.o.Told == nil {
		return out
	}
	for _, config := range list {
		if _, known := s.Camera(config.ID); !known {
			out[config.ID] = s.o.Told(config.ID)
		}
	}
	return out
}

func (s *Service) add(config Config) *one {
	c := &one{config: config, pulls: map[string]*pull{}, rates: map[string]*rate{}, cond: condition{began: time.Now().Round(0)}}
	for _, name := range []string{Main, Sub} {
		hub := &stream.Hub{}
		c.pulls[name] = &pull{hub: hub, target: config.target(name), src: s.open(stream.SourceOptions{
			Target: config.target(name), Hub: hub, Dial: s.o.Dial,
			Logger: s.log.With("camera", config.ID, "stream", name),
		})}
		c.rates[name] = &rate{}
	}
	s.cameras[config.ID] = c
	return c
}

// follow starts what is followed all the time. Without ctx nothing runs yet.
func (s *Service) follow(ctx context.Context, c *one) {
	if ctx == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	config := c.config
	if c.cond.state == "" {
		c.cond.began = time.Now().Round(0)
	}
	tapping, cancel := context.WithCancel(ctx)
	c.taps = cancel
	c.release = append(c.release, c.pulls[Main].want(ctx))
	for _, name := range []string{Main, Sub} {
		if config.target(name).URL == "" {
			continue
		}
		p := c.pulls[name]
		for _, tap := range s.o.Taps {
			if !tap.Wants(config, name) {
				continue
			}
			c.release = append(c.release, p.want(ctx))
			c.tapped.Go(func() { tap.Follow(tapping, config, name, p.hub) })
		}
	}
}

func (s *Service) change(ctx context.Context, c *one, config Config) {
	c.mu.Lock()
	before := c.config
	c.config = config
	release, stop := c.release, c.taps
	c.mu.Unlock()
	alike := before.followedAlike(config) && (before.Sub.URL == "") == (config.Sub.URL == "")
	if ctx != nil && !alike {
		stop()
		c.tapped.Wait()
		c.mu.Lock()
		c.release = nil
		c.mu.Unlock()
		s.follow(ctx, c) // before what was held is let go: a stream is not pulled anew for it
		for _, r := range release {
			r()
		}
	}
	for name, p := range c.pulls {
		p.move(ctx, config.target(name))
	}
}

func (c *one) end() {
	c.mu.Lock()
	stop := c.taps
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
	for _, p := range c.pulls {
		p.end()
	}
	c.tapped.Wait()
}

// Hub is that of a stream, which is pulled until release is called, or the camera
// is removed. Who calls it calls release.
func (s *Service) Hub(id, name string) (hub *stream.Hub, release func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.cameras[id]
	if !ok || s.ctx == nil {
		return nil, nil, fmt.Errorf("%q: %w", id, ErrUnknown)
	}
	p, ok := c.pulls[name]
	if !ok {
		return nil, nil, fmt.Errorf("%q: %w", name, ErrNoStream)
	}
	c.mu.Lock()
	has := c.config.target(name).URL != ""
	c.mu.Unlock()
	if !has {
		return nil, nil, fmt.Errorf("%q: %w", name, ErrNoStream)
	}
	return p.hub, p.want(s.ctx), nil
}

// Why is the code of why a stream sends no pictures; empty if it does, or nobody
// wants it.
func (s *Service) Why(id, name string) string {
	s.mu.RLock()
	c, ok := s.cameras[id]
	s.mu.RUnlock()
	if !ok {
		return ""
	}
	if f := c.pulls[name].why(); f != nil {
		return string(f.Reason)
	}
	return ""
}

// Tampered says that a camera shows nothing of its site any more, how and since
// when; empty: it does again.
func (s *Service) Tampered(id, how string, since time.Time) {
	s.mu.RLock()
	c, ok := s.cameras[id]
	s.mu.RUnlock()
	if !ok {
		return
	}
	c.mu.Lock()
	c.tampered, c.since = how, since
	c.mu.Unlock()
}

// Version changes whenever a camera comes, goes or is in another condition.
func (s *Service) Version() uint64 { return s.version.Load() }

// look judges all cameras.
func (s *Service) look(now time.Time) {
	changed := false
	s.mu.RLock()
	for id, c := range s.cameras {
		if c.look(id, s.o.Recorder, now.Round(0)) {
			changed = true
		}
	}
	s.mu.RUnlock()
	if !changed {
		return
	}
	s.version.Add(1)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (c *one) look(id string, rec Recorder, now time.Time) bool {
	h := c.pulls[Main].src.Health()
	v := sight{frameAt: h.FrameAt, units: h.Units}
	if f := c.pulls[Main].why(); f != nil {
		v.reason, v.detail = string(f.Reason), f.Detail
	}
	if rec != nil {
		v.bytes, v.wanted, v.writes = rec.Recorded(id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v.tampered, v.tamperedAt = c.tampered, c.since
	for name, r := range c.rates {
		r.look(c.pulls[name].src.Health(), now)
	}
	return c.cond.look(v, now)
}

// tell appends the conditions that the journal does not know yet. While the
// journal cannot commit, changes coalesce: what is told is where they ended.
func (s *Service) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for _, id := range s.back() {
			s.o.Changed(ctx, id)
		}
		for _, e := range s.news() {
			if _, err := s.o.Journal.Append(ctx, e.event); err != nil {
				if ctx.Err() != nil {
					return
				}
				s.log.Warn("a camera's condition is not recorded yet", "camera", e.event.Subject.ID, "err", err)
				retry := time.AfterFunc(time.Second, func() {
					select {
					case s.wake <- struct{}{}:
					default:
					}
				})
				context.AfterFunc(ctx, func() { retry.Stop() })
				break
			}
			e.said()
		}
	}
}

// back lists the cameras that came to be as the journal has them.
func (s *Service) back() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []string
	for id, c := range s.cameras {
		c.mu.Lock()
		if c.cond.state != c.shown {
			c.shown = c.cond.state
			if s.o.Changed != nil && c.shown == c.told {
				out = append(out, id)
			}
		}
		c.mu.Unlock()
	}
	slices.Sort(out)
	return out
}

// saying is an event that is to be appended.
type saying struct {
	event *event.Event
	said  func()
}

func (s *Service) news() []saying {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []saying
	now := time.Now()
	for _, id := range slices.Sorted(maps.Keys(s.cameras)) {
		c := s.cameras[id]
		c.mu.Lock()
		if state := c.cond.state; state != "" && state != event.CameraConnecting && state != c.told {
			body := &event.CameraState{SiteID: c.config.SiteID, State: state, Was: c.told, Reason: c.cond.why, Detail: c.cond.words, Since: c.cond.since}
			out = append(out, saying{
				event: &event.Event{Subject: event.Camera(id), At: now, ReceivedAt: now, Origin: event.FromUs, Body: body},
				said: func() {
					c.mu.Lock()
					defer c.mu.Unlock()
					c.told = state
				},
			})
		}
		c.mu.Unlock()
	}
	return out
}

// Follows reports whether there is any camera.
func (s *Service) Follows() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.cameras) > 0
}

// Camera is how one camera does.
func (s *Service) Camera(id string) (Status, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.cameras[id]
	if !ok {
		return Status{}, false
	}
	return c.status(id), true
}

// Cameras are all of them, by id.
func (s *Service) Cameras() []Status {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Status, 0, len(s.cameras))
	for id, c := range s.cameras {
		out = append(out, c.status(id))
	}
	slices.SortFunc(out, func(a, b Status) int { return strings.Compare(a.ID, b.ID) })
	return out
}
