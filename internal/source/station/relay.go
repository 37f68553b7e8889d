package station

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// Upstream is another central system that stations are relayed to. It is never
// changed in place.
type Upstream struct {
	ID string
	// URL is where it serves stations, without the identity: ws or wss.
	URL string
	// PassOn gives it the proof that the station sent. It is not kept.
	PassOn bool
	// Password proves all stations relayed to it.
	Password string
	// TLS holds its authority and our certificate; nil: what everybody knows.
	TLS *tls.Config
}

// relay joins a link with a connection of its own to another central system, as
// the Local Controller of OCPP-J does: each of the two ends with the other, and
// all that one says the other hears, byte for byte. Two goroutines move frames:
// the link's own those of the station, one more those of upstream. What the
// frames tell is read behind them, by the ear, which neither waits for.
type relay struct {
	link   *link
	to     *Upstream
	up     socket
	health *Health
	ear    *ear

	observers []*observer

	since         time.Time
	frames, added atomic.Int64 // passed on, both ways, and by how many nanoseconds later than without us

	upBusy, upWriting atomic.Int64 // UnixNano since when a frame of upstream is being read, or one for it written; 0: none is
	upPonged, pinging atomic.Bool
	waits             atomic.Int64  // UnixNano since when the station waits for an answer; 0: it does not
	upEnded           chan struct{} // closed when the connection to upstream is over
}

func newRelay(l *link, to *Upstream, up socket) *relay {
	r := &relay{link: l, to: to, up: up, health: l.ep.healthOf(to.ID), since: time.Now(), upEnded: make(chan struct{})}
	r.ear = &ear{relay: r}
	l.relay, l.access = r, naming{l.ep.access}
	l.booted = true // its limits are those of a station we know
	return r
}

// relayed serves a relayed connection until either side ends.
func (l *link) relayed() {
	r := l.relay
	defer l.conn.Cut()
	defer r.up.Cut()
	old, ok := l.ep.enter(l)
	if !ok {
		r.up.Close(websocket.StatusGoingAway, "")
		l.conn.Close(websocket.StatusGoingAway, "the server is stopping")
		return
	}
	defer l.ep.leave(l)
	connected := &event.Connected{
		ConnID: l.id, Protocol: l.version.String(), SecurityProfile: l.profile, RemoteAddr: l.remote, TLS: l.tls, Cipher: l.cipher, Cert: l.cert, Upstream: r.to.ID,
	}
	if old != nil {
		connected.Replaced = old.id
		l.ep.Stats.Replaced.Add(1)
		old.goAway("a newer connection of the station took over")
	}
	r.ear.say(connected)
	l.ep.Stats.Connections.Add(1)
	defer l.ep.Stats.Connections.Add(-1)
	r.health.Stations.Add(1)
	defer r.health.Stations.Add(-1)
	l.ep.wheel.add(l, min(jitter(firstPing), l.ep.o.Ping))
	for _, o := range r.observers {
		l.ep.running.Go(o.run)
	}
	l.ep.running.Go(r.fromUpstream)
	err := l.read(context.Background())
	l.gone.Store(true)
	l.ep.wheel.drop(l)
	l.calls.fail()
	r.endUpstream(err)
	for _, o := range r.observers {
		o.stop()
	}
	reason := closeReason(err)
	if why := l.reason.Load(); why != nil {
		reason = *why
	}
	r.ear.say(&event.Disconnected{ConnID: l.id, Reason: reason, LastFrameAt: l.heard()})
}

// endUpstream closes the connection to upstream with the code that the station
// gave, and waits until nothing more comes from there.
func (r *relay) endUpstream(err error) {
	code := websocket.CloseStatus(err)
	if code == -1 {
		code = websocket.StatusGoingAway
	}
	r.up.Close(code, "")
	r.up.Cut()
	<-r.upEnded
}

// fromStation passes on what the station sent, unless it answers us.
func (r *relay) fromStation(typ websocket.MessageType, frame []byte, now time.Time) error {
	l := r.link
	t, id, ok := ocppj.Head(frame)
	switch {
	case ok && (t == ocppj.CallResult || t == ocppj.CallError):
		if l.askedByUs(id) {
			return r.answered(frame, now)
		}
	case !ok && l.calls.open():
		if l.answersUs(frame) {
			return r.answered(frame, now)
		}
	case ok && t == ocppj.Call:
		r.waits.CompareAndSwap(0, now.UnixNano())
	}
	r.ear.push(now, event.FromStation, frame)
	for _, o := range r.observers {
		o.push(typ, t, id, frame)
	}
	r.upWriting.Store(now.UnixNano())
	err := r.up.Write(context.Background(), typ, frame)
	r.upWriting.Store(0)
	if err != nil {
		r.up.Cut()
		<-r.upEnded
		return fmt.Errorf("pass on to %s: %w", r.to.ID, err)
	}
	r.passed(now)
	return nil
}

// passed counts a frame that was whole at a moment and is written now.
func (r *relay) passed(whole time.Time) {
	d := time.Since(whole)
	r.frames.Add(1)
	r.added.Add(int64(d))
	r.health.passed(d)
}

// answered hands a frame that answers a CALL of ours to who asked. It goes nowhere
// else, however late it comes.
func (r *relay) answered(frame []byte, now time.Time) error {
	l := r.link
	doc := l.ep.docs.Get()
	defer l.ep.docs.Put(doc)
	f, err := ocppj.Parse(doc, l.version, frame)
	if bad, ok := errors.AsType[*ocppj.FrameError](err); ok {
		l.log(now, true, bad.Action, frame, []string{"unreadable"})
		l.noteUnreadable(bad, frame, now)
		return nil
	}
	l.log(now, true, l.calls.about(f.ID), frame, quirkNames(nil, f.Quirks))
	l.result(f)
	return nil
}

// answersUs looks whole at a frame whose head cannot be read, while we wait.
func (l *link) answersUs(frame []byte) bool {
	doc := l.ep.docs.Get()
	defer l.ep.docs.Put(doc)
	f, err := ocppj.Parse(doc, l.version, frame)
	return err == nil && (f.Type == ocppj.CallResult || f.Type == ocppj.CallError) && l.askedByUs(f.ID)
}

// fromUpstream moves what upstream says until it ends, and then ends the station's
// connection with the same code: the station queues what it has to say, as it
// would without us.
func (r *relay) fromUpstream() {
	defer close(r.upEnded)
	err := r.readUpstream(context.Background())
	l := r.link
	if l.gone.Load() {
		return
	}
	code, why, reason := websocket.StatusGoingAway, TroubleLost, "the upstream system was lost"
	switch sent := websocket.CloseStatus(err); {
	case sent != -1:
		code, why, reason = sent, TroubleClosed, fmt.Sprintf("the upstream system closed the connection with %d", int(sent))
	case errors.Is(err, errTooLarge):
		why, reason = TroubleTooLarge, "the upstream system sent a frame above the limit"
	case errors.Is(err, errNoMemory):
		reason = errNoMemory.Error()
	}
	if l.reason.Load() == nil {
		status := 0
		if why == TroubleClosed {
			status = int(code)
		}
		r.health.lost(l.station, why, reason, status)
	}
	l.because(reason)
	l.ep.running.Go(func() { // its answer to the close is read by the link's own goroutine
		text := cut(reason, 120)
		if code == websocket.StatusNoStatusRcvd {
			text = ""
		}
		l.conn.Close(code, text)
		l.conn.Cut()
	})
}

func (r *relay) readUpstream(ctx context.Context) error {
	l := r.link
	for {
		typ, in, err := r.up.Reader(ctx)
		if err != nil {
			return err
		}
		r.upBusy.Store(time.Now().UnixNano())
		b := l.ep.buffers.Get().(*[]byte)
		frame, held, err := r.message(in, (*b)[:0])
		r.upBusy.Store(0)
		if err == nil {
			err = r.toStation(typ, frame)
		}
		l.release(b, frame, held)
		if err != nil {
			return err
		}
	}
}

// message reads one message of upstream within the limits that stations have.
func (r *relay) message(in io.Reader, buf []byte) ([]byte, int64, error) {
	l := r.link
	frame, held, err := readMessage(in, buf, l.ep.o.FrameLimit, l.ep.o.FirstFrameLimit, func(n int64) bool { return l.ep.large.take(n, budgetWait) })
	if errors.Is(err, errTooLarge) && l.ep.failures.note("upstream|"+r.to.ID, time.Now()) {
		l.finding("upstreamFrameTooLarge", "S3", fmt.Sprintf("the upstream system %s sent %s a frame of more than %d bytes; the connection was closed", r.to.ID, l.station, l.ep.o.FrameLimit),
			fmt.Sprintf("limit %d bytes", l.ep.o.FrameLimit))
	}
	return frame, held, err
}

// toStation passes a frame of upstream on. A CALL waits while one of ours is with
// the station; answers and SENDs never do.
func (r *relay) toStation(typ websocket.MessageType, frame []byte) error {
	now := time.Now()
	t, id, ok := ocppj.Head(frame)
	switch {
	case ok && t == ocppj.Call:
		if r.link.ep.ours.made(id) && r.link.ep.failures.note("forged|"+r.link.station, now) {
			r.link.finding("upstreamForgedID", "S3", fmt.Sprintf("the upstream system %s asked %s under a message id of ours", r.to.ID, r.link.station), "id "+id)
		}
		if r.link.calls.hold(id, typ, frame, now) {
			r.health.Held.Add(1)
			return nil
		}
	case ok && (t == ocppj.CallResult || t == ocppj.CallError):
		r.waits.Store(0)
	}
	return r.pass(typ, frame, now)
}

// pass gives the station a frame of upstream.
func (r *relay) pass(typ websocket.MessageType, frame []byte, since time.Time) error {
	l := r.link
	r.ear.push(since, event.FromUpstream, frame)
	l.writing.Store(time.Now().UnixNano())
	err := l.conn.Write(context.Background(), typ, frame)
	l.writing.Store(0)
	if err != nil {
		return fmt.Errorf("write to %s: %w", l.station, err)
	}
	l.ep.Stats.FramesOut.Add(1)
	r.passed(since)
	return nil
}

// flush passes on the CALLs of upstream that waited for one of ours.
func (r *relay) flush() {
	for {
		x, ok := r.link.calls.nextHeld(time.Now())
		if !ok {
			return
		}
		if err := r.pass(x.typ, x.data, time.Now()); err != nil {
			r.link.because("the connection was lost")
			r.link.conn.Cut()
		}
	}
}

// unheard is how long a station may wait for an answer while upstream, which has
// never answered a ping, says nothing at all.
const unheard = 2 * time.Minute

// alive is the wheel's look at the connection to upstream.
func (r *relay) alive(now time.Time) bool {
	for _, since := range []int64{r.upBusy.Load(), r.upWriting.Load()} {
		if since != 0 && now.Sub(time.Unix(0, since)) > transferLimit {
			return r.hung(TroubleStuck, "the upstream system never finished a message")
		}
	}
	asked := time.Unix(0, r.waits.Load())
	if !r.upPonged.Load() && asked.UnixNano() != 0 && now.Sub(asked) > unheard && r.up.Heard().Before(asked) {
		return r.hung(TroubleSilent, "the upstream system does not answer")
	}
	return true
}

func (r *relay) hung(code, reason string) bool {
	r.health.lost(r.link.station, code, reason, 0)
	r.link.because(reason)
	go r.up.Cut()
	return false
}

// checkPing sends upstream a ping; one that has answered before must answer.
func (r *relay) checkPing(ctx context.Context) {
	if !r.pinging.CompareAndSwap(false, true) {
		return
	}
	defer r.pinging.Store(false)
	ctx, cancel := context.WithTimeout(ctx, r.link.ep.o.Pong)
	defer cancel()
	before := r.up.Heard()
	if err := r.up.Ping(ctx); err == nil {
		r.upPonged.Store(true)
		return
	}
	if !r.upPonged.Load() || r.up.Heard().After(before) || r.link.writing.Load() != 0 || errors.Is(context.Cause(ctx), context.Canceled) {
		return
	}
	r.hung(TroubleSilent, "the upstream system answers no ping")
}
