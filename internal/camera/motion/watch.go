package motion

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Decoder makes grey pictures.
type Decoder interface {
	Missing() error
	Gray(ctx context.Context, camera string, u *stream.Unit) ([]byte, error)
	Follow(ctx context.Context, camera string, next func(context.Context) (*stream.Unit, error), each func([]byte, *stream.Unit)) error
	Forget(camera string)
}

// Streams brings a stream that is not followed all the time.
type Streams interface {
	Hub(camera, stream string) (hub *stream.Hub, release func(), err error)
	// Tampered is told how and when a camera stopped showing its site; empty: it does
	// again.
	Tampered(camera, how string, since time.Time)
}

// Options are what a Watch is made of.
type Options struct {
	Decoder Decoder
	Journal camera.Appender
	Streams func() Streams
	// Views keep how places look over restarts; nil: nothing is kept.
	Views *Folder
	// Armed says whether a site is to be watched now.
	Armed  func(site string) bool
	Logger *slog.Logger
}

// Watch follows cameras with a Detector each and tells the journal what it sees.
type Watch struct {
	o Options
	// scratch is shared: of all detectors only as many look at once as pictures are
	// decoded side by side.
	scratch *sync.Pool
	mu      sync.Mutex
	own     map[string]*eyes
}

// Status is how one camera is watched.
type Status struct {
	// Interval is how far apart the key pictures of its main stream are.
	Interval time.Duration
	// Slow says that they are too far apart, Close that the sub stream is looked at
	// picture by picture.
	Slow, Close bool
	Tampered    event.SceneKind
	Moving      []string // zones; "" is the whole picture
	LookedAt    time.Time
}

const (
	// slowInterval is how far apart key pictures may be at most.
	slowInterval = 2500 * time.Millisecond
	reviewEvery  = 10 * time.Second
	quietAfter   = 15 * time.Second
	closeEvery   = 190 * time.Millisecond // of the sub stream
	tellWithin   = 10 * time.Second
	retryAfter   = 5 * time.Second
)

// NewWatch returns a tap for the camera service.
func NewWatch(o Options) *Watch {
	return &Watch{o: o, own: make(map[string]*eyes), scratch: &sync.Pool{New: func() any { return new(scratch) }}}
}

// detector is one that knows nothing.
func (w *Watch) detector(c camera.Config) *Detector {
	d := New(watchZones(c))
	d.scratch = w.scratch
	return d
}

// Wants says that the main stream of every camera is followed.
func (w *Watch) Wants(_ camera.Config, name string) bool {
	return name == camera.Main && w.o.Decoder.Missing() == nil
}

// Camera returns how a camera is watched.
func (w *Watch) Camera(id string) (Status, bool) {
	w.mu.Lock()
	y := w.own[id]
	w.mu.Unlock()
	if y == nil {
		return Status{}, false
	}
	return y.status(), true
}

// Follow watches a camera until ctx ends.
func (w *Watch) Follow(ctx context.Context, c camera.Config, _ string, hub *stream.Hub) {
	w.mu.Lock()
	y := w.own[c.ID]
	if y == nil {
		y = newEyes(w)
		w.own[c.ID] = y
	}
	w.mu.Unlock()
	y.configure(c)
	tell, done := make(chan *event.Event, 64), make(chan struct{})
	y.mu.Lock()
	y.tell = tell
	y.mu.Unlock()
	// What is seen is told in order, and telling does not hold up looking.
	go func() {
		defer close(done)
		for e := range tell {
			w.append(context.WithoutCancel(ctx), e)
		}
	}()
	var wg sync.WaitGroup
	wg.Go(func() { y.near(ctx) })
	y.keys(ctx, hub)
	wg.Wait()
	// Whatever moves, nobody looks any more; what was done to the view stays so.
	y.quiet(time.Now(), fromMain)
	y.quiet(time.Now(), fromSub)
	y.remember(y.status().LookedAt, true)
	y.mu.Lock()
	y.tell = nil
	y.mu.Unlock()
	close(tell)
	<-done
}

// Forget drops what is known of cameras that are no more.
func (w *Watch) Forget(exists func(id string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.own {
		if !exists(id) {
			delete(w.own, id)
			w.o.Decoder.Forget(id)
			if w.o.Views != nil {
				if err := w.o.Views.forget(id); err != nil {
					w.o.Logger.Warn("what a camera showed is still kept", "camera", id, "err", err)
				}
			}
		}
	}
}

func (w *Watch) append(ctx context.Context, e *event.Event) {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	if _, err := w.o.Journal.Append(ctx, e); err != nil {
		w.o.Logger.Warn("what a camera saw is not recorded", "camera", e.Subject.ID, "err", err)
	}
}

// The streams by which a scene is seen.
const (
	fromMain = 1 << iota
	fromSub
)

type sceneKey struct {
	what event.SceneKind
	zone string
}

// scene is something that goes on.
type scene struct {
	id      string
	by      int // the streams that see it
	since   time.Time
	score   float64
	percent float64
}

// eyes watch one camera.
type eyes struct {
	watch *Watch

	mu       sync.Mutex
	config   camera.Config
	main     *Detector
	sub      *Detector // nil until the sub stream is looked at, which it mostly never is
	tell     chan<- *event.Event
	open     map[sceneKey]*scene
	close    bool
	slow     bool          // the key pictures of the main stream are too far apart
	slowed   chan struct{} // they have become so
	lookedAt time.Time
	clock    clock
	// rememberAt is when it is kept how the place looks, writtenAt when it was written.
	rememberAt, writtenAt time.Time
}

// newEyes are complete: whoever asks how a camera is watched may come before they
// are configured.
func newEyes(w *Watch) *eyes {
	y := &eyes{watch: w, open: make(map[sceneKey]*scene), slowed: make(chan struct{}, 1)}
	y.fresh()
	return y
}

func (y *eyes) configure(c camera.Config) {
	y.mu.Lock()
	defer y.mu.Unlock()
	moved := y.config.Main.URL != c.Main.URL || y.config.Sub.URL != c.Sub.URL
	y.config = c
	if moved {
		y.fresh()
		y.recall(c)
		return
	}
	zones := watchZones(c)
	y.main.SetZones(zones)
	if y.sub != nil {
		y.sub.SetZones(zones)
	}
}

// fresh begins with detectors that know nothing. It is called under the lock, or
// before anybody else has the eyes.
func (y *eyes) fresh() {
	y.main, y.sub = y.watch.detector(y.config), nil
}

func watchZones(c camera.Config) []Zone {
	zones := make([]Zone, 0, len(c.Zones))
	for _, z := range c.Zones {
		p := make(area.Polygon, len(z.Polygon))
		for i, at := range z.Polygon {
			p[i] = at
		}
		zones = append(zones, Zone{ID: z.ID, Kind: event.ZoneKind(z.Kind), Polygon: p})
	}
	return zones
}

func (y *eyes) status() Status {
	y.mu.Lock()
	defer y.mu.Unlock()
	s := Status{Interval: y.main.Interval(), Close: y.close, Tampered: y.main.Tampered(), LookedAt: y.lookedAt}
	s.Slow = s.Interval > slowInterval
	if s.Tampered == "" && y.sub != nil {
		s.Tampered = y.sub.Tampered()
	}
	for k := range y.open {
		if k.what == event.SceneMotion {
			s.Moving = append(s.Moving, k.zone)
		}
	}
	slices.Sort(s.Moving)
	return s
}

// keys looks at the key pictures of the main stream.
func (y *eyes) keys(ctx context.Context, hub *stream.Hub) {
	r := hub.Follow(stream.FollowOptions{Buffer: 2, FromKey: true, KeysOnly: true})
	defer r.Close()
	id := y.config.ID
	for {
		wait, cancel := context.WithTimeout(ctx, quietAfter)
		u, err := r.Next(wait)
		cancel()
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			y.quiet(time.Now(), fromMain)
			continue
		default:
			return
		}
		y.clocked(u)
		gray, err := y.watch.o.Decoder.Gray(ctx, id, u)
		if err != nil {
			if ctx.Err() == nil {
				y.watch.o.Logger.Debug("a picture is not looked at", "camera", id, "err", err)
			}
			continue
		}
		y.look(gray, u, fromMain)
		y.remember(u.At, false)
	}
}

// look judges a picture and tells what began and ended.
func (y *eyes) look(gray []byte, u *stream.Unit, by int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	d := y.main
	if by == fromSub {
		if y.sub == nil {
			y.sub = y.watch.detector(y.config)
		}
		d = y.sub
	}
	y.lookedAt = u.At
	changes := d.Look(gray, u.At)
	if slow := y.main.Interval() > slowInterval; slow != y.slow {
		if y.slow = slow; slow {
			select {
			case y.slowed <- struct{}{}:
			default:
			}
		}
	}
	// Of the view itself the main stream is judge, unless it comes too seldom.
	if by == fromSub && y.main.Interval() <= slowInterval {
		changes = slices.DeleteFunc(changes, func(c Change) bool { return c.What.Tampering() })
	}
	y.changed(changes, by)
}

// quiet ends motion that nobody sees any more.
func (y *eyes) quiet(at time.Time, by int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	d := y.main
	if by == fromSub {
		if d = y.sub; d == nil {
			return
		}
	}
	y.changed(d.Lost(at), by)
}

// changed is called under the lock.
func (y *eyes) changed(changes []Change, by int) {
	if len(changes) == 0 {
		return
	}
	tampering := false
	for _, c := range changes {
		tampering = tampering || c.What.Tampering()
		key := sceneKey{c.What, c.Zone}
		s := y.open[key]
		if c.Ended {
			if s == nil {
				continue
			}
			s.score, s.percent = max(s.score, c.Score), max(s.percent, c.Percent)
			if s.by &^= by; s.by == 0 {
				delete(y.open, key)
				y.say(key, s, event.SceneEnded, c.Since)
			}
			continue
		}
		if s != nil {
			s.by |= by
			continue
		}
		s = &scene{by: by, since: c.Since, score: c.Score, percent: c.Percent}
		s.id = y.config.ID + "/" + string(c.What) + "/" + c.Since.UTC().Format("20060102T150405.000Z")
		if c.Zone != "" {
			s.id += "/" + c.Zone
		}
		y.open[key] = s
		y.say(key, s, event.SceneStarted, c.Since)
	}
	if tampering {
		how := y.main.Tampered()
		if how == "" && y.main.Interval() > slowInterval && y.sub != nil {
			how = y.sub.Tampered()
		}
		since := time.Now()
		if s := y.open[sceneKey{what: how}]; s != nil {
			since = s.since
		}
		y.watch.o.Streams().Tampered(y.config.ID, string(how), since)
	}
}

// say is called under the lock.
func (y *eyes) say(k sceneKey, s *scene, phase event.ScenePhase, since time.Time) {
	body := &event.Scene{
		ID: s.id, SiteID: y.config.SiteID, What: k.what, Phase: phase, Source: "picture", Zone: k.zone,
		Armed: y.watch.o.Armed(y.config.SiteID), Score: round(s.score, 100), Percent: round(s.percent, 10), Since: since,
	}
	for _, z := range y.config.Zones {
		if z.ID == k.zone && k.zone != "" {
			body.Ports, body.Doors = slices.Clone(z.Ports), slices.Clone(z.Doors)
		}
	}
	now := time.Now()
	e := &event.Event{Subject: event.Camera(y.config.ID), At: now, ReceivedAt: now, Origin: event.FromUs, Body: body}
	if y.tell == nil {
		return
	}
	select {
	case y.tell <- e:
	default:
		y.watch.o.Logger.Warn("what a camera saw is not recorded: the journal is behind", "camera", y.config.ID)
	}
}

func round(x, parts float64) float64 { return float64(int64(x*parts+0.5)) / parts }

// Cameras are all that are watched, by id.
func (w *Watch) Cameras() map[string]Status {
	w.mu.Lock()
	all := maps.Clone(w.own)
	w.mu.Unlock()
	out := make(map[string]Status, len(all))
	for id, y := range all {
		out[id] = y.status()
	}
	return out
}
