package station

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// observer is a system that hears what a relayed station says and is not heard: its
// questions are refused by us, its answers go nowhere, and whether it is there at
// all makes no difference to the station.
type observer struct {
	relay   *relay
	to      *Upstream
	health  *Health
	header  http.Header // of its handshake; kept while the station is connected
	segment string
	offered []string

	mu    sync.Mutex
	queue []observed
	bytes int
	boot  []byte // the last BootNotification, for an observer that comes later
	wake  chan struct{}
	done  chan struct{}
	ended bool
}

type observed struct {
	typ  websocket.MessageType
	call string // id, if it is a CALL
	data []byte
}

const (
	observedFrames = 128
	observedBytes  = 512 << 10
	// observerAnswers is how long an observer may take to answer before it is told
	// the next.
	observerAnswers = 10 * time.Second
	observerRetry   = 5 * time.Second
	observerRetries = 5 * time.Minute
)

func newObserver(r *relay, to *Upstream, header http.Header, segment string, offered []string) *observer {
	return &observer{
		relay: r, to: to, health: r.link.ep.healthOf(to.ID), header: header, segment: segment, offered: offered,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// push keeps a copy of a frame of the station. Answers to upstream's questions are
// not for observers.
func (o *observer) push(typ websocket.MessageType, t ocppj.Type, id string, frame []byte) {
	if t != ocppj.Call && t != ocppj.Send {
		return
	}
	x := observed{typ: typ, data: slices.Clone(frame)}
	if t == ocppj.Call {
		x.call = id
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if isBoot(frame) {
		o.boot = x.data
	}
	if len(o.queue) >= observedFrames || o.bytes+len(frame) > observedBytes {
		o.health.Gaps.Add(1)
		return
	}
	o.queue = append(o.queue, x)
	o.bytes += len(frame)
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// isBoot looks for the action where it stands in a CALL.
func isBoot(frame []byte) bool {
	return bytes.Contains(frame[:min(len(frame), 128)], []byte(`"BootNotification"`))
}

func (o *observer) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.ended = true
		close(o.done)
	}
}

// run keeps a connection to the observer while the station is connected.
func (o *observer) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { <-o.done; cancel() }()
	for wait := observerRetry; ; wait = min(2*wait, observerRetries) {
		begun := time.Now()
		o.serve(ctx)
		if time.Since(begun) > time.Minute {
			wait = observerRetry
		}
		select {
		case <-o.done:
			return
		case <-time.After(jitter(wait)):
		}
	}
}

// serve is one connection to the observer.
func (o *observer) serve(ctx context.Context) {
	ep, l := o.relay.link.ep, o.relay.link
	dialling, cancel := context.WithTimeout(ctx, dialLimit)
	up, resp, err := ep.dial(dialling, o.to, o.segment, o.header, o.offered)
	cancel()
	switch {
	case ctx.Err() != nil:
		if err == nil {
			up.Cut()
		}
		return
	case err != nil && resp != nil && resp.StatusCode >= 400:
		o.health.refused(l.station, http.StatusText(resp.StatusCode), resp.StatusCode)
		return
	case err != nil:
		code, why := unreachable(err)
		o.health.unreached(l.station, code, why)
		return
	}
	o.health.Stations.Add(1)
	defer o.health.Stations.Add(-1)
	answered := make(chan string, 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		o.listen(ctx, up, answered)
	}()
	o.tell(up, answered, gone)
	select {
	case <-o.done:
		up.Close(websocket.StatusGoingAway, "")
	default:
		o.health.lost(l.station, TroubleLost, "the connection to the observer ended", 0)
	}
	up.Cut()
	<-gone
}

// tell sends what the station says, one CALL at a time.
func (o *observer) tell(up *wire, answered <-chan string, gone <-chan struct{}) {
	o.mu.Lock()
	if o.boot != nil && !slices.ContainsFunc(o.queue, func(x observed) bool { return isBoot(x.data) }) {
		_, id, _ := ocppj.Head(o.boot)
		o.queue = slices.Insert(o.queue, 0, observed{websocket.MessageText, id, o.boot})
		o.bytes += len(o.boot)
	}
	o.mu.Unlock()
	for {
		x, ok := o.next()
		if !ok {
			select {
			case <-o.wake:
				continue
			case <-o.done:
				return
			case <-gone:
				return
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), observerAnswers)
		err := up.Write(ctx, x.typ, x.data)
		cancel()
		if err != nil {
			return
		}
		o.health.Frames.Add(1)
		if x.call != "" && !o.heardOut(x.call, answered, gone) {
			return
		}
	}
}

func (o *observer) next() (observed, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return observed{}, false
	}
	x := o.queue[0]
	o.queue = slices.Delete(o.queue, 0, 1)
	o.bytes -= len(x.data)
	return x, true
}

// heardOut waits for the answer to a CALL, which nobody reads.
func (o *observer) heardOut(id string, answered <-chan string, gone <-chan struct{}) bool {
	late := time.After(observerAnswers)
	for {
		select {
		case of := <-answered:
			if of == id {
				return true
			}
		case <-late:
			return true
		case <-o.done:
			return false
		case <-gone:
			return false
		}
	}
}

// listen reads what the observer says and refuses what it asks.
func (o *observer) listen(ctx context.Context, up *wire, answered chan<- string) {
	l := o.relay.link
	for {
		_, in, err := up.Reader(ctx)
		if err != nil {
			return
		}
		frame, _, err := readMessage(in, make([]byte, 0, 1024), l.ep.o.FirstFrameLimit, l.ep.o.FirstFrameLimit, func(int64) bool { return false })
		if err != nil {
			return
		}
		t, id, ok := ocppj.Head(frame)
		switch {
		case !ok:
		case t == ocppj.Call:
			no := ocppj.AppendError(nil, ocppj.RawID(id), ocppj.SecurityError, "this connection is for reading only", nil)
			write, cancel := context.WithTimeout(ctx, observerAnswers)
			err := up.Write(write, websocket.MessageText, no)
			cancel()
			if err != nil {
				return
			}
		case t == ocppj.CallResult || t == ocppj.CallError:
			select {
			case answered <- id:
			default:
			}
		}
	}
}
