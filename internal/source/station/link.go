package station

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// socket is what a link needs of a WebSocket.
type socket interface {
	Reader(ctx context.Context) (websocket.MessageType, io.Reader, error)
	Write(ctx context.Context, typ websocket.MessageType, p []byte) error
	Ping(ctx context.Context) error
	// Heard returns when the last byte came.
	Heard() time.Time
	// Close says why and waits for the other side, some seconds at the most.
	Close(code websocket.StatusCode, reason string) error
	// Cut ends the connection at once, whatever is under way.
	Cut()
}

// link is one connection of one station. Its goroutine reads, appends, waits
// for the commit and writes the answer; nothing else runs while it is idle.
type link struct {
	ep         *Endpoint
	conn       socket
	version    ocppj.Version
	station    string
	id         string
	remote     string
	reached    string
	profile    int
	tls        string // version; empty: in clear
	cipher     string
	cert       *event.Certificate
	onboarding event.Onboarding
	booted     bool // accepted at some time, now or before
	clock      clock
	access     Authorizer
	relay      *relay // nil: the station speaks to us

	busy     atomic.Int64 // UnixNano since when a message is being read; 0 between messages
	serving  atomic.Bool  // a message is being acted on: pongs are not read meanwhile
	writing  atomic.Int64 // UnixNano since when an answer is being written
	interval atomic.Int64 // heartbeat interval we gave, in seconds
	ponged   atomic.Bool
	pinging  atomic.Bool
	probe    atomic.Pointer[probe]
	probed   atomic.Int64 // UnixNano of the last probe that was answered
	gone     atomic.Bool
	reason   atomic.Pointer[string] // why we closed it, if we did

	spoke  spoke // guarded by the wheel
	hidden hidden
	calls  calls
}

func newLink(ep *Endpoint, conn socket, v ocppj.Version, h hello) *link {
	l := &link{
		ep: ep, conn: conn, version: v, station: h.identity, remote: h.remote, reached: h.reached, profile: h.profile,
		tls: h.tls, cipher: h.cipher, cert: h.cert,
		onboarding: h.onboarding, access: ep.access, id: fmt.Sprintf("%s-%d", ep.bootID, ep.connSeq.Add(1)),
	}
	if string(h.secret) != h.identity {
		l.hidden.add(h.secret)
	}
	return l
}

// run serves the connection until it ends.
func (l *link) run() {
	if l.relay != nil {
		l.relayed()
		return
	}
	ctx := context.Background()
	defer l.conn.Cut()
	old, ok := l.ep.enter(l)
	if !ok {
		l.conn.Close(websocket.StatusGoingAway, "the server is stopping")
		return
	}
	defer l.ep.leave(l)
	connected := &event.Connected{
		ConnID: l.id, Protocol: l.version.String(), SecurityProfile: l.profile, RemoteAddr: l.remote, TLS: l.tls, Cipher: l.cipher, Cert: l.cert,
	}
	if old != nil {
		connected.Replaced = old.id
		l.ep.Stats.Replaced.Add(1)
		old.goAway("a newer connection of the station took over")
	}
	if _, err := l.append(ctx, event.Station(l.station), connected); err != nil {
		l.because("events could not be stored")
		l.conn.Close(websocket.StatusTryAgainLater, "events cannot be stored now")
		l.leftBehind(err) // the commit may succeed after all, and then nobody else would end it
		return
	}
	if st, ok := l.ep.journal.Snapshot().Station(l.station); ok {
		l.booted = !st.CommissionAt.IsZero()
	}
	l.ep.Stats.Connections.Add(1)
	defer l.ep.Stats.Connections.Add(-1)
	// An early ping tells whether this station pongs, before its cable can break.
	l.ep.wheel.add(l, min(jitter(firstPing), l.ep.o.Ping))
	err := l.read(ctx)
	l.gone.Store(true)
	l.ep.wheel.drop(l)
	l.calls.fail()
	l.leftBehind(err)
}

// leftBehind records the end of the connection, however long the journal takes.
func (l *link) leftBehind(err error) {
	reason := closeReason(err)
	if r := l.reason.Load(); r != nil {
		reason = *r
	}
	body := &event.Disconnected{ConnID: l.id, Reason: reason, LastFrameAt: l.heard()}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		if _, err := l.append(context.Background(), event.Station(l.station), body); err == nil {
			return
		}
		select {
		case <-l.ep.stopping: // the next start marks every station offline
			return
		case <-time.After(wait):
		}
	}
}

func closeReason(err error) string {
	if code := websocket.CloseStatus(err); code != -1 {
		return fmt.Sprintf("closed by the station with %d", int(code))
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection dropped"
	case errors.Is(err, errTooLarge), errors.Is(err, errNoMemory):
		return err.Error()
	}
	return "connection lost"
}

// What ends a connection while a message is read.
var (
	errTooLarge = errors.New("frame too large")
	errNoMemory = errors.New("too many large frames at once")
)

// read reads messages until the connection ends.
func (l *link) read(ctx context.Context) error {
	for {
		typ, r, err := l.conn.Reader(ctx)
		if err != nil {
			return err
		}
		l.busy.Store(time.Now().UnixNano())
		b := l.ep.buffers.Get().(*[]byte)
		frame, held, err := l.message(r, (*b)[:0])
		l.busy.Store(0)
		if err == nil {
			l.serving.Store(true)
			err = l.heed(ctx, typ, frame)
			l.serving.Store(false)
		}
		l.release(b, frame, held)
		if err != nil {
			return err
		}
	}
}

// heed acts on a message that has arrived.
func (l *link) heed(ctx context.Context, typ websocket.MessageType, frame []byte) error {
	now := time.Now()
	l.ep.Stats.FramesIn.Add(1)
	l.ep.Stats.BytesIn.Add(int64(len(frame)))
	if l.relay != nil {
		return l.relay.fromStation(typ, frame, now)
	}
	return l.handle(ctx, l.hidden.in(frame), now)
}

func newBuffer() any { return new(make([]byte, 0, 4096)) }

func (l *link) release(b *[]byte, frame []byte, held int64) {
	if held > 0 {
		l.ep.large.give(held)
	}
	if cap(frame) <= 64<<10 {
		*b = frame[:0]
	}
	l.ep.buffers.Put(b)
}

// message reads one message within its limits. What grows above the first
// limit is taken from the budget that all large frames share.
func (l *link) message(r io.Reader, buf []byte) (frame []byte, held int64, err error) {
	limit := l.ep.o.FirstFrameLimit
	if l.booted {
		limit = l.ep.o.FrameLimit
	}
	frame, held, err = readMessage(r, buf, limit, l.ep.o.FirstFrameLimit, l.borrow)
	if errors.Is(err, errTooLarge) {
		l.tooLarge(limit)
	}
	return frame, held, err
}

// readMessage reads one message of at most limit bytes. What grows above free is
// borrowed; held says how much was.
func readMessage(r io.Reader, buf []byte, limit, free int, borrow func(n int64) bool) (frame []byte, held int64, err error) {
	for {
		if len(buf) > limit {
			return buf, held, errTooLarge
		}
		if len(buf) == cap(buf) {
			grow := cap(buf)
			if cap(buf)+grow > free {
				if !borrow(int64(grow)) {
					return buf, held, errNoMemory
				}
				held += int64(grow)
			}
			bigger := make([]byte, len(buf), cap(buf)+grow)
			copy(bigger, buf)
			buf = bigger
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			if len(buf) > limit {
				return buf, held, errTooLarge
			}
			return buf, held, nil
		}
		if err != nil {
			return buf, held, err
		}
	}
}

// budgetWait is how long a large frame waits for others to be done.
const budgetWait = 5 * time.Second

// borrow takes from the budget of large frames. It waits for others to be done:
// that there are many is not this station's fault.
func (l *link) borrow(n int64) bool {
	l.serving.Store(true)
	defer l.serving.Store(false)
	if l.ep.large.take(n, budgetWait) {
		return true
	}
	l.because(errNoMemory.Error())
	l.conn.Close(websocket.StatusTryAgainLater, errNoMemory.Error())
	return false
}

func (l *link) tooLarge(limit int) {
	l.ep.Stats.TooLarge.Add(1)
	l.because("sent a frame above the limit")
	if l.ep.failures.note("large|"+l.station, time.Now()) {
		l.finding("frameTooLarge", "S3", fmt.Sprintf("%s sent a frame of more than %d bytes; the connection was closed", l.station, limit),
			fmt.Sprintf("limit %d bytes", limit))
	}
	l.conn.Close(websocket.StatusMessageTooBig, "frame too large")
}

// finding records what a frame told about its sender.
func (l *link) finding(code string, severity event.Severity, text, evidence string) {
	if l.relay != nil {
		l.relay.ear.say(&event.Finding{Code: code, Severity: severity, Text: text, Evidence: evidence})
		return
	}
	_, err := l.append(context.Background(), event.Station(l.station),
		&event.Finding{Code: code, Severity: severity, Text: text, Evidence: evidence})
	if err != nil {
		l.ep.log.Warn("finding not stored", "station", l.station, "code", code, "err", err)
	}
}

// handle acts on one frame.
func (l *link) handle(ctx context.Context, data []byte, now time.Time) error {
	doc := l.ep.docs.Get()
	defer l.ep.docs.Put(doc)
	f, err := ocppj.Parse(doc, l.version, data)
	if bad, ok := errors.AsType[*ocppj.FrameError](err); ok {
		return l.unreadable(ctx, bad, data, now)
	}
	quirks := quirkNames(nil, f.Quirks)
	switch f.Type {
	case ocppj.Call:
		return l.call(ctx, f, data, now, quirks)
	case ocppj.Send:
		return l.send(ctx, f, data, now, quirks)
	default:
		l.log(now, true, l.calls.about(f.ID), data, quirks)
		l.result(f)
	}
	return nil
}

// unreadable keeps what no message could be made of, and answers as the
// version wants. The connection stays.
func (l *link) unreadable(_ context.Context, bad *ocppj.FrameError, data []byte, now time.Time) error {
	l.log(now, true, bad.Action, data, []string{"unreadable"})
	l.noteUnreadable(bad, data, now)
	if !bad.Answer {
		return nil
	}
	return l.answer(bad.Action, bad.AppendAnswer(nil))
}

func (l *link) noteUnreadable(bad *ocppj.FrameError, data []byte, now time.Time) {
	l.ep.Stats.Unreadable.Add(1)
	l.ep.rejected.add(Unreadable{At: now, Station: l.station, Reason: bad.Reason, Head: cut(string(data[:min(len(data), 256)]), 256)})
	if errors.Is(bad, jsondoc.ErrTooDeep) || errors.Is(bad, jsondoc.ErrDuplicateKey) {
		if l.ep.failures.note("hostile|"+l.station, now) {
			l.finding("hostileFrame", "S3", l.station+" sent a frame that no honest station sends: "+bad.Reason, bad.Reason)
		}
	}
}

// answer sends what the link's own goroutine has to say. It has no deadline of
// its own: the wheel looks at writing.
func (l *link) answer(action string, data []byte) error {
	l.writing.Store(time.Now().UnixNano())
	defer l.writing.Store(0)
	return l.write(context.Background(), action, data)
}

// write sends one frame and keeps it in the raw log. The connection does not
// survive a ctx that ends while the frame leaves.
func (l *link) write(ctx context.Context, action string, data []byte) error {
	if err := l.conn.Write(ctx, websocket.MessageText, data); err != nil {
		return fmt.Errorf("write to %s: %w", l.station, err)
	}
	l.ep.Stats.FramesOut.Add(1)
	l.log(time.Now(), false, action, data, nil)
	return nil
}

// log keeps a frame in the raw log.
func (l *link) log(at time.Time, fromStation bool, action string, data []byte, quirks []string) {
	l.ep.frames.Add(Frame{
		At: at, Station: l.station, Conn: l.id, FromStation: fromStation, Action: action, Data: data, Quirks: quirks,
	})
}

// append records what the link itself noticed, as of now.
func (l *link) append(ctx context.Context, subject event.Subject, body event.Body) (string, error) {
	now := time.Now()
	r, err := l.ep.journal.Append(ctx, &event.Event{
		Subject: subject, At: now, ReceivedAt: now, Origin: event.FromUs, Body: body,
	})
	return r.TransactionID, err
}

func (l *link) heard() time.Time { return l.conn.Heard() }

func (l *link) because(reason string) { l.reason.CompareAndSwap(nil, &reason) }

// goAway closes the connection in an orderly way without waiting for it.
func (l *link) goAway(reason string) {
	l.because(reason)
	go l.conn.Close(websocket.StatusGoingAway, cut(reason, 120))
}

// How long a message may take to arrive or to leave.
const transferLimit = 60 * time.Second

// alive is the wheel's look at a link: it ends one that is stuck in a message
// or silent for too long. A station that never ponged is judged by its frames.
func (l *link) alive(now time.Time) bool {
	for _, since := range []int64{l.busy.Load(), l.writing.Load()} {
		if since != 0 && now.Sub(time.Unix(0, since)) > transferLimit {
			l.because("a message was never finished")
			go l.conn.Cut()
			return false
		}
	}
	if l.relay != nil && !l.relay.alive(now) {
		return false
	}
	interval := time.Duration(max(l.interval.Load(), int64(l.ep.o.HeartbeatInterval/time.Second))) * time.Second
	if !l.ponged.Load() && now.Sub(l.heard()) > 2*interval+30*time.Second {
		l.because("silent for more than two heartbeat intervals")
		go l.conn.Cut()
		return false
	}
	return true
}

// checkPing sends a ping; a link that has ponged before must pong again, unless
// it is heard otherwise or we are not reading.
func (l *link) checkPing(ctx context.Context) {
	if !l.pinging.CompareAndSwap(false, true) {
		return
	}
	defer l.pinging.Store(false)
	ctx, cancel := context.WithTimeout(ctx, l.ep.o.Pong)
	defer cancel()
	before := l.heard()
	if err := l.ping(ctx); err == nil || !l.ponged.Load() || l.heard().After(before) || l.serving.Load() && l.writing.Load() == 0 {
		return
	}
	if errors.Is(context.Cause(ctx), context.Canceled) { // we are stopping
		return
	}
	l.because("no pong")
	l.conn.Cut()
}

func (l *link) ping(ctx context.Context) error {
	if err := l.conn.Ping(ctx); err != nil {
		return fmt.Errorf("ping %s: %w", l.station, err)
	}
	l.ponged.Store(true)
	return nil
}

// probe is one look at whether a connection lives, shared by all who ask at the
// same time and for a second after: a crowd of newcomers makes no crowd of
// pings.
type probe struct {
	done  chan struct{}
	lives bool
}

// answers reports whether the connection shows life within d.
func (l *link) answers(d time.Duration) bool {
	p := &probe{done: make(chan struct{})}
	for !l.probe.CompareAndSwap(nil, p) {
		if other := l.probe.Load(); other != nil {
			<-other.done
			return other.lives
		}
	}
	now := time.Now()
	switch {
	case l.gone.Load():
	case now.Sub(time.Unix(0, l.probed.Load())) < time.Second:
		p.lives = true
	case l.respond(d):
		p.lives = true
		l.probed.Store(now.UnixNano())
	}
	l.probe.Store(nil)
	close(p.done)
	return p.lives
}

func (l *link) respond(d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	before := l.heard()
	return l.ping(ctx) == nil || l.heard().After(before) || l.serving.Load() && l.writing.Load() == 0
}

// enter makes the link the one of its station and returns the one before.
func (ep *Endpoint) enter(l *link) (*link, bool) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.closing {
		return nil, false
	}
	old := ep.links[l.station]
	ep.links[l.station] = l
	return old, true
}

func (ep *Endpoint) leave(l *link) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.links[l.station] == l {
		delete(ep.links, l.station)
	}
}

// newID returns a random UUID (RFC 9562 version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
