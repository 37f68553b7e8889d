package decode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// What a call may fail with beside the end of its context.
var (
	// ErrMissing: no ffmpeg was found.
	ErrMissing = errors.New("ffmpeg is not installed: no pictures can be decoded")
	// ErrBusy: a picture of this camera is still waiting.
	ErrBusy = errors.New("the picture before is still being decoded")
	// ErrLate: there was no time for the picture.
	ErrLate = errors.New("no decoder was free in time")
	// ErrDamaged: the decoder found fault with the picture.
	ErrDamaged = errors.New("the picture is damaged")
	// ErrResting: the camera sent damaged pictures again and again.
	ErrResting = errors.New("the camera sent damaged pictures and rests")
)

// GrayWidth and GrayHeight are the size of grey pictures, whatever the camera's.
const (
	GrayWidth  = 320
	GrayHeight = 180
)

const (
	pictureWithin = 5 * time.Second
	idleAfter     = time.Minute
	maxRest       = time.Minute
	maxShown      = 3 // children of different picture sizes beside each other
)

// Options configure a Pool.
type Options struct {
	// Path of ffmpeg; "": it is looked for in PATH.
	Path string
	// Workers make grey pictures at the same time; 0: one per core, at most 4.
	Workers int
	// Painters make coloured pictures at the same time; 0: 1.
	Painters int
	// Within is how long a picture may wait, and how long it may take then; 0: 5 s.
	Within time.Duration
	// Sequences are how many whole streams may be decoded at the same time; 0: 12.
	Sequences int
	Logger    *slog.Logger
}

// Pool decodes.
type Pool struct {
	o       Options
	missing error
	legacy  atomic.Bool
	gray    chan *job
	colour  chan *job
	done    chan struct{}

	mu        sync.Mutex
	cameras   map[string]*cameraState
	sequences int
	stats     Stats
	children  int
}

// Stats count what the pool did since its start.
type Stats struct {
	Decoded  uint64 `json:"decoded"`
	Dropped  uint64 `json:"dropped"` // no time for them
	Damaged  uint64 `json:"damaged"`
	Restarts uint64 `json:"restarts"`
	Children int    `json:"children"`
	// Took is how long pictures took in all, their wait included.
	Took time.Duration `json:"took"`
}

// CameraStats count what the pool did for one camera.
type CameraStats struct {
	Decoded uint64 `json:"decoded"`
	Dropped uint64 `json:"dropped"`
	Damaged uint64 `json:"damaged"`
	// Fault is why the last damaged picture was dropped.
	Fault string `json:"fault,omitempty"`
}

type cameraState struct {
	CameraStats
	busy    [2]bool // for motion, for people
	strikes int
	rest    time.Time
}

// job is one picture on its way.
type job struct {
	ctx    context.Context
	class  class
	nalus  [][]byte
	answer chan answer
}

type answer struct {
	picture []byte
	err     error
}

// New prepares a pool. Without ffmpeg it is made too: Missing says so.
func New(o Options) *Pool {
	if o.Workers <= 0 {
		o.Workers = min(4, runtime.NumCPU())
	}
	o.Painters = max(1, o.Painters)
	if o.Within <= 0 {
		o.Within = pictureWithin
	}
	if o.Sequences <= 0 {
		o.Sequences = 12
	}
	p := &Pool{
		o: o, gray: make(chan *job), colour: make(chan *job), done: make(chan struct{}), cameras: make(map[string]*cameraState),
	}
	path, err := exec.LookPath(cmp.Or(o.Path, "ffmpeg"))
	if err != nil {
		p.missing = fmt.Errorf("%w (%w)", ErrMissing, err)
	}
	p.o.Path = path
	return p
}

// Missing is nil if pictures can be decoded.
func (p *Pool) Missing() error { return p.missing }

// Run decodes until ctx ends; then no child is left.
func (p *Pool) Run(ctx context.Context) error {
	defer close(p.done)
	if p.missing != nil {
		p.o.Logger.Warn("no ffmpeg found: motion, tamper and snapshots are not available", "error", p.missing)
		<-ctx.Done()
		return nil
	}
	var wg sync.WaitGroup
	for range p.o.Workers {
		wg.Go(func() { p.work(ctx, p.gray) })
	}
	for range p.o.Painters {
		wg.Go(func() { p.work(ctx, p.colour) })
	}
	wg.Wait()
	return nil
}

// Stats returns the counts.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Children = p.children
	return s
}

// Camera returns the counts of one camera.
func (p *Pool) Camera(id string) CameraStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.cameras[id]; c != nil {
		return c.CameraStats
	}
	return CameraStats{}
}

// Forget drops what is known of a camera that is no more.
func (p *Pool) Forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.cameras[id]; c != nil && !c.busy[0] && !c.busy[1] {
		delete(p.cameras, id)
	}
}

// Gray is the picture of a key unit in grey, GrayWidth x GrayHeight, row by row.
// One picture of a camera is at work at a time.
func (p *Pool) Gray(ctx context.Context, camera string, u *stream.Unit) ([]byte, error) {
	return p.decode(ctx, camera, u, class{width: GrayWidth, height: GrayHeight}, p.gray)
}

func (p *Pool) decode(ctx context.Context, camera string, u *stream.Unit, c class, jobs chan<- *job) ([]byte, error) {
	if p.missing != nil {
		return nil, p.missing
	}
	began := time.Now()
	if err := p.admit(camera, c.shown(), began); err != nil {
		return nil, err
	}
	nalus, err := keyPicture(u)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
		p.settle(camera, c.shown(), began, err)
		return nil, err
	}
	c.codec = u.Format.Codec
	j := &job{ctx: ctx, class: c, nalus: nalus, answer: make(chan answer, 1)}
	wait, cancel := context.WithTimeoutCause(ctx, p.o.Within, ErrLate)
	defer cancel()
	var a answer
	select { // who waits longest is served first
	case jobs <- j:
		a = <-j.answer
	case <-wait.Done():
		a.err = context.Cause(wait)
	case <-p.done:
		a.err = context.Canceled
	}
	p.settle(camera, c.shown(), began, a.err)
	return a.picture, a.err
}

// shown reports whether the picture is for people, who wait for nobody's motion.
func (c class) shown() bool { return c.colour && !c.watched }

func lane(shown bool) int {
	if shown {
		return 1
	}
	return 0
}

// admit lets a camera's picture in, if none of it is at work and it does not rest.
func (p *Pool) admit(camera string, shown bool, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if camera == "" {
		return nil
	}
	c := p.cameras[camera]
	if c == nil {
		c = &cameraState{}
		p.cameras[camera] = c
	}
	switch {
	case c.busy[lane(shown)]:
		c.Dropped++
		p.stats.Dropped++
		return ErrBusy
	case now.Before(c.rest):
		c.Dropped++
		p.stats.Dropped++
		return ErrResting
	}
	c.busy[lane(shown)] = true
	return nil
}

// settle counts how it went. One damaged picture may be the network's fault; from
// the second in a row on the camera rests, each time twice as long.
func (p *Pool) settle(camera string, shown bool, began time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.cameras[camera]
	if c == nil {
		c = &cameraState{}
	}
	c.busy[lane(shown)] = false
	switch {
	case err == nil:
		c.Decoded++
		p.stats.Decoded++
		p.stats.Took += time.Since(began)
		c.strikes = 0
	case errors.Is(err, ErrDamaged):
		c.Damaged++
		p.stats.Damaged++
		c.Fault = strings.TrimPrefix(err.Error(), ErrDamaged.Error()+": ")
		c.strikes++
		if c.strikes > 1 {
			c.rest = time.Now().Add(min(maxRest, time.Second<<min(c.strikes, 6)))
		}
	default:
		c.Dropped++
		p.stats.Dropped++
	}
}

// work serves jobs, with a child for each class that is asked for.
func (p *Pool) work(ctx context.Context, jobs <-chan *job) {
	children := make(map[class]*child)
	defer func() {
		for _, d := range children {
			p.end(d)
		}
	}()
	idle := time.NewTicker(idleAfter / 2)
	defer idle.Stop()
	for {
		select {
		case j := <-jobs:
			picture, err := p.serve(j, children)
			j.answer <- answer{picture, err}
		case <-idle.C:
			for c, d := range children {
				if time.Since(d.used) > idleAfter {
					delete(children, c)
					p.end(d)
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

func (p *Pool) serve(j *job, children map[class]*child) ([]byte, error) {
	d := children[j.class]
	if d == nil {
		if len(children) >= maxShown {
			oldest := class{}
			for c, x := range children {
				if old := children[oldest]; old == nil || x.used.Before(old.used) {
					oldest = c
				}
			}
			p.end(children[oldest])
			delete(children, oldest)
		}
		var err error
		if d, err = p.start(j.ctx, j.class); err != nil {
			return nil, fmt.Errorf("start a decoder: %w", err)
		}
		children[j.class] = d
	}
	// The time for its wait is not taken off: that the machine is busy is not the
	// picture's fault.
	ctx, cancel := context.WithTimeoutCause(j.ctx, p.o.Within, ErrLate)
	defer cancel()
	picture, err := d.picture(ctx, j.nalus)
	if err == nil {
		return picture, nil
	}
	delete(children, j.class)
	p.end(d)
	p.mu.Lock()
	p.stats.Restarts++
	p.mu.Unlock()
	// Whoever lets the decoder think for seconds has sent it no honest picture
	// either, unless somebody did not want to wait.
	if cause := context.Cause(ctx); errors.Is(err, errFault) || errors.Is(cause, ErrLate) {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, cmp.Or(cause, err))
	}
	return nil, err
}

// start starts a child in the words that this ffmpeg understands.
func (p *Pool) start(ctx context.Context, c class) (*child, error) {
	legacy := p.legacy.Load()
	d, err := start(ctx, p.o.Path, legacy, c)
	if err != nil && !legacy && strings.Contains(err.Error(), "fps_mode") {
		p.legacy.Store(true)
		d, err = start(ctx, p.o.Path, true, c)
	}
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.children++
	p.mu.Unlock()
	return d, nil
}

func (p *Pool) end(d *child) {
	d.end()
	p.mu.Lock()
	p.children--
	p.mu.Unlock()
}
