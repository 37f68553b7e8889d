package camera

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// How long to wait before the next try.
const (
	firstPause = time.Second
	longPause  = 30 * time.Second
	// lockPause spares an account that is locked after wrong passwords.
	lockPause = 2 * time.Minute
	// wellAfter is how long pictures came when the next try is a first one again.
	wellAfter = 30 * time.Second
	// linger is how long a stream is pulled on when nobody looks any more: who goes
	// from one wall to another and back finds it there.
	linger = time.Minute
)

// source is stream.Source.
type source interface {
	Run(ctx context.Context) error
	Retarget(t stream.Target)
	Health() stream.Health
}

// pull follows one stream of one camera while it is wanted.
type pull struct {
	hub *stream.Hub
	src source

	mu      sync.Mutex
	target  stream.Target
	users   int                // who wants it
	ended   bool               // for good
	cancel  context.CancelFunc // of the loop; nil: it does not run
	done    chan struct{}
	again   chan struct{} // try at once, with what is new
	restart context.CancelFunc
	failed  *stream.Failure // the last one, nil while it plays
	idle    *time.Timer
}

// want starts pulling. The release may be called more than once.
func (p *pull) want(ctx context.Context) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users++
	if p.idle != nil {
		p.idle.Stop()
		p.idle = nil
	}
	if p.cancel == nil && p.target.URL != "" && !p.ended {
		p.start(ctx)
	}
	var once sync.Once
	return func() { once.Do(p.leave) }
}

// start is called under the lock.
func (p *pull) start(ctx context.Context) {
	ctx, p.cancel = context.WithCancel(ctx)
	before, done, again := p.done, make(chan struct{}), make(chan struct{}, 1)
	p.done, p.again = done, again
	go func() {
		defer close(done)
		if before != nil {
			<-before // a source runs once at a time
		}
		p.loop(ctx, again)
	}()
}

func (p *pull) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users--
	if p.users > 0 || p.cancel == nil {
		return
	}
	p.idle = time.AfterFunc(linger, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.users == 0 {
			p.stop()
		}
	})
}

// stop is called under the lock. It does not wait.
func (p *pull) stop() {
	if p.cancel != nil {
		p.cancel()
		p.cancel = nil
	}
	p.failed = nil
}

// move goes to another address, without losing who follows.
func (p *pull) move(ctx context.Context, t stream.Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.target == t {
		return
	}
	p.target = t
	p.src.Retarget(t)
	switch {
	case t.URL == "":
		p.stop()
	case p.cancel == nil && p.users > 0 && ctx != nil && !p.ended:
		p.start(ctx)
	case p.cancel != nil:
		p.failed = nil
		select {
		case p.again <- struct{}{}:
		default:
		}
		if p.restart != nil {
			p.restart()
		}
	}
}

// end ends it for good and waits.
func (p *pull) end() {
	p.mu.Lock()
	done := p.done
	p.ended = true
	if p.idle != nil {
		p.idle.Stop()
	}
	p.stop()
	p.mu.Unlock()
	if done != nil {
		<-done
	}
	p.hub.Close()
}

func (p *pull) loop(ctx context.Context, again <-chan struct{}) {
	pause := firstPause
	for {
		run, restart := context.WithCancel(ctx)
		p.mu.Lock()
		p.restart = restart
		p.mu.Unlock()
		began := time.Now()
		err := p.src.Run(run)
		p.hub.Rest()
		restart()
		if ctx.Err() != nil {
			return
		}
		var f *stream.Failure
		if errors.As(err, &f) {
			p.mu.Lock()
			p.failed = f
			p.mu.Unlock()
		}
		if time.Since(began) > wellAfter {
			pause = firstPause
		}
		wait := pause
		if f != nil && f.Reason == stream.ReasonAuthentication {
			wait = lockPause
		}
		timer := time.NewTimer(jitter(wait))
		select {
		case <-ctx.Done():
		case <-again:
			pause = firstPause
		case <-timer.C:
			pause = min(2*pause, longPause)
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// jitter keeps a hundred cameras behind one switch from coming back at once.
func jitter(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(rand.Int64N(int64(d/2)))
}

// why is the last failure, nil while it plays or is not pulled.
func (p *pull) why() *stream.Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.src.Health().Connected {
		p.failed = nil
	}
	return p.failed
}

func (p *pull) pulled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cancel != nil
}
