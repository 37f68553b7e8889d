package station

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// An ear keeps copies of the frames of one relayed link until they are read. It
// never makes a frame wait: what it has no room for went on all the same, and is
// counted as a gap.
type ear struct {
	relay *relay
	mind  mind // what reading knows; of the reader alone

	mu     sync.Mutex
	queue  []heard
	bytes  int
	listed bool
	gap    gap
}

// heard is a frame, or what the link itself has to say.
type heard struct {
	at   time.Time
	from event.Origin
	data []byte
	body event.Body
}

// gap counts frames that passed unread.
type gap struct {
	from, to time.Time
	frames   int
}

const (
	// What an ear keeps: minutes of a busy station while the journal is away.
	earFrames = 512
	earBytes  = 1 << 20
	// What all ears keep.
	allEarBytes = 64 << 20
	// earPause is how long frames gather before they are read together. One commit for
	// many costs a fraction of one for each, but on one core frames that pass wait
	// while many are read: ten times as long cost a third less and delayed twice as
	// many of them noticeably.
	earPause = 5 * time.Millisecond
	// earBatch is how many events are appended at once.
	earBatch = 512
)

// push keeps a copy of a frame.
func (e *ear) push(at time.Time, from event.Origin, frame []byte) {
	ears := &e.relay.link.ep.ears
	e.mu.Lock()
	if len(e.queue) >= earFrames || e.bytes+len(frame) > earBytes || ears.bytes.Load()+int64(len(frame)) > allEarBytes {
		e.lose(at, at, 1)
		e.mu.Unlock()
		e.relay.health.Gaps.Add(1)
		return
	}
	e.queue = append(e.queue, heard{at: at, from: from, data: slices.Clone(frame)})
	e.bytes += len(frame)
	ears.bytes.Add(int64(len(frame)))
	e.list()
	e.mu.Unlock()
}

// say keeps what the link itself noticed; there is little of it, and none is lost.
func (e *ear) say(body event.Body) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue = append(e.queue, heard{at: time.Now(), from: event.FromUs, body: body})
	e.list()
}

func (e *ear) list() {
	if !e.listed {
		e.listed = true
		e.relay.link.ep.listen(e)
	}
}

func (e *ear) lose(from, to time.Time, frames int) {
	if e.gap.frames == 0 {
		e.gap.from = from
	}
	e.gap.to = to
	e.gap.frames += frames
}

// take empties the queue.
func (e *ear) take() (list []heard, lost gap) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list, lost = e.queue, e.gap
	e.relay.link.ep.ears.bytes.Add(-int64(e.bytes))
	e.queue, e.bytes, e.gap, e.listed = nil, 0, gap{}, false
	return list, lost
}

// ears are those that have something to read. One goroutine reads them all, and
// there is none while nothing is said.
type ears struct {
	bytes atomic.Int64

	mu     sync.Mutex
	listed []*ear
	awake  bool
}

func (ep *Endpoint) listen(e *ear) {
	ep.ears.mu.Lock()
	defer ep.ears.mu.Unlock()
	ep.ears.listed = append(ep.ears.listed, e)
	if !ep.ears.awake {
		ep.ears.awake = true
		ep.running.Go(ep.read)
	}
}

// read turns what was heard into events until there is nothing more.
func (ep *Endpoint) read() {
	ctx := context.Background()
	var said []saying
	for {
		select {
		case <-time.After(earPause):
		case <-ep.stopping:
		}
		ep.ears.mu.Lock()
		list := ep.ears.listed
		ep.ears.listed = nil
		ep.ears.awake = len(list) > 0
		ep.ears.mu.Unlock()
		if len(list) == 0 {
			return
		}
		said = said[:0]
		for _, e := range list {
			frames, lost := e.take()
			for _, x := range frames {
				for _, event := range e.understand(ctx, x) {
					said = append(said, saying{e, event})
				}
			}
			if lost.frames > 0 {
				said = append(said, saying{e, e.relay.link.ownEvent(e.gapOf(lost, "full"))})
			}
		}
		ep.store(ctx, said)
		clear(said)
	}
}

func (e *ear) gapOf(g gap, reason string) *event.RelayGap {
	return &event.RelayGap{Upstream: e.relay.to.ID, ConnID: e.relay.link.id, From: g.from, To: g.to, Frames: g.frames, Reason: reason}
}

// saying is an event and whose it is.
type saying struct {
	ear   *ear
	event *event.Event
}

// store makes events durable, however long the journal takes: what is said
// meanwhile waits in the ears, and what they cannot keep is a gap.
func (ep *Endpoint) store(ctx context.Context, said []saying) {
	for wait := 100 * time.Millisecond; len(said) > 0; wait = min(2*wait, time.Second) {
		said = ep.storeOnce(ctx, said)
		if len(said) == 0 {
			return
		}
		select {
		case <-ep.stopping:
			ep.log.Warn("what relayed stations said is lost: the server stops and events cannot be stored", "events", len(said))
			for _, x := range said {
				x.ear.relay.health.Gaps.Add(1)
			}
			return
		case <-time.After(wait):
		}
	}
}

// storeOnce returns what could not be stored and may be later.
func (ep *Endpoint) storeOnce(ctx context.Context, said []saying) (left []saying) {
	for chunk := range slices.Chunk(said, earBatch) {
		events := make([]*event.Event, len(chunk))
		for i, x := range chunk {
			e := *x.event // the journal takes over what it is given
			events[i] = &e
		}
		for i, err := range ep.journal.AppendEach(ctx, events) {
			switch {
			case err == nil:
			case errors.Is(err, journal.ErrUnavailable), errors.Is(err, journal.ErrClosed):
				left = append(left, chunk[i])
			default:
				l := chunk[i].ear.relay.link
				ep.log.WarnContext(ctx, "what a relayed station said cannot be stored as what it is", "station", l.station, "kind", chunk[i].event.Body.Kind(), "err", err)
				if _, is := chunk[i].event.Body.(*event.Message); !is {
					left = append(left, saying{chunk[i].ear, l.unstorable(chunk[i].event)})
				}
			}
		}
	}
	return left
}

// unstorable is what is left of an event that the journal will not have.
func (l *link) unstorable(e *event.Event) *event.Event {
	return &event.Event{
		Subject: l.self(), At: e.ReceivedAt, ReceivedAt: e.ReceivedAt, Quality: event.TimeReceived, Origin: e.Origin,
		Quirks: quirk(slices.Clone(e.Quirks), "unstorable"), Body: &event.Message{Action: string(e.Body.Kind())},
	}
}

// ownEvent is what the link itself noticed, as of now.
func (l *link) ownEvent(body event.Body) *event.Event { return l.ownEventAt(time.Now(), body) }

func (l *link) ownEventAt(at time.Time, body event.Body) *event.Event {
	return &event.Event{Subject: l.self(), At: at, ReceivedAt: at, Origin: event.FromUs, Body: body}
}
