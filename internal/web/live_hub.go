package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Bounds of the feed.
const (
	maxClients   = 1000
	maxPerPerson = 64
	maxTopics    = 100
	// maxUrgent frames may wait for a slow client; beyond that its revision
	// skips, so that it starts over from snapshots.
	maxUrgent = 1000
	// maxCasual events a client is given per beat; the journal has the rest.
	maxCasual   = 100
	maxMessages = 200

	tickEvery    = 2 * time.Second
	hiddenFlush  = time.Second
	stationEvery = 5 * time.Second
)

// hub is the live feed. Its goroutine alone touches the board and the clients'
// state; a client's own goroutines read its requests and write its frames. A
// client that has not taken its last batch is passed over and sees the newest
// values once it has: nothing queues but what must not be lost, and that is
// bounded.
type hub struct {
	s       *Server
	epoch   string
	ops     chan func()
	heard   chan heard
	frames  chan Frame
	done    chan struct{}
	clients map[*client]struct{}
	board   *board

	size      atomic.Int64  // clients, for metrics
	passed    atomic.Uint64 // flushes that a client was too slow to take
	told      atomic.Uint64 // sequence up to which the journal was followed
	followers map[string]*follower
	stations  map[string]json.RawMessage // encoded this beat
}

// heard is something that happened, encoded for those who may see tokens and
// for those who may not.
type heard struct {
	topic   string // "commands" or "events"
	frame   string // type of the frame
	site    string
	urgent  bool // never coalesced, flushed at once
	whole   json.RawMessage
	masked  json.RawMessage
	private bool // for those who see all sites only
	// needs is a right beside that of the topic, at the site; empty: none.
	needs Permission
}

// client is one socket or stream. All fields but out and gone are the hub's.
type client struct {
	out  chan []frame  // holds at most one batch
	gone chan struct{} // closed by the hub when it lets go

	principal *Principal
	topics    map[string]bool
	hidden    bool
	revision  uint64
	flushed   time.Time // last flush of values
	sent      time.Time // last frame of any kind

	structure, version uint64 // of the ports it has
	hasPorts           bool
	summary            uint64
	stations           map[string]sentStation
	urgent             []frame
	casual             []frame
	messages           map[string][]Frame
	overflow           bool
}

type sentStation struct {
	st    *fleet.Station
	heard time.Time
	at    time.Time
}

// frame is one message; the tail may be shared between clients.
type frame struct {
	kind     string
	revision uint64
	tail     []byte // from the comma after the revision to the end
}

func newHub(s *Server) *hub {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // documented never to fail
	return &hub{
		s: s, epoch: hex.EncodeToString(b[:]), ops: make(chan func()), heard: make(chan heard, 256),
		frames: make(chan Frame, 1024), done: make(chan struct{}), clients: make(map[*client]struct{}), board: newBoard(),
		followers: make(map[string]*follower), stations: make(map[string]json.RawMessage),
	}
}

func (h *hub) run(ctx context.Context) {
	defer close(h.done)
	beat := time.NewTicker(h.s.o.FlushEvery)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			for c := range h.clients {
				h.drop(c)
			}
			return
		case op := <-h.ops:
			op()
		case x := <-h.heard:
			h.tell(x)
		case f := <-h.frames:
			h.message(f)
		case <-beat.C:
			h.beat()
		}
	}
}

// do runs op in the hub's goroutine; false when the hub has ended.
func (h *hub) do(op func()) bool {
	ran := make(chan struct{})
	select {
	case h.ops <- func() { op(); close(ran) }:
		<-ran
		return true
	case <-h.done:
		return false
	}
}

// join adds a client; false when there is no room or the hub has ended.
func (h *hub) join(p *Principal) (*client, bool) {
	c := &client{
		out: make(chan []frame, 1), gone: make(chan struct{}), principal: p, topics: make(map[string]bool),
		stations: make(map[string]sentStation), messages: make(map[string][]Frame),
	}
	joined := false
	ok := h.do(func() {
		mine := 0
		for other := range h.clients {
			if other.principal.ID == p.ID {
				mine++
			}
		}
		if len(h.clients) >= maxClients || mine >= maxPerPerson {
			return
		}
		joined = true
		h.clients[c] = struct{}{}
		h.size.Add(1)
		hello, err := json.Marshal(map[string]any{"serverTime": h.s.now().UTC(), "build": h.s.o.Build})
		if err != nil { // a time and a text always encode
			hello = []byte("{}")
		}
		c.out <- []frame{{kind: "hello", tail: append([]byte{','}, hello[1:]...)}}
		c.sent = h.s.now()
	})
	return c, ok && joined
}

// leave removes a client.
func (h *hub) leave(c *client) { h.do(func() { h.drop(c) }) }

func (h *hub) drop(c *client) {
	if _, ok := h.clients[c]; !ok {
		return
	}
	delete(h.clients, c)
	h.size.Add(-1)
	close(c.gone)
	h.followWanted()
}

// subscribe replaces a client's topics. What it has is sent again, since a
// client subscribes anew when it lost track.
func (h *hub) subscribe(c *client, topics []string, hidden bool) {
	h.do(func() {
		c.topics, c.hidden = make(map[string]bool, len(topics)), hidden
		for _, t := range topics {
			if len(c.topics) < maxTopics {
				c.topics[t] = true
			}
		}
		c.reset()
		h.followWanted()
		h.board.update(h.s.o.Fleet.Snapshot(), h.s.now())
		h.flush(c, h.s.now(), true)
	})
}

// reset makes the next flush send everything.
func (c *client) reset() {
	c.hasPorts, c.summary, c.overflow = false, 0, false
	clear(c.stations)
	clear(c.messages)
	c.urgent, c.casual = nil, nil
}

// repeat gives a client its rights as they are now.
func (h *hub) repeat(c *client, p *Principal) {
	h.do(func() {
		c.principal = p
		c.reset()
		h.followWanted()
	})
}

func (h *hub) beat() {
	if len(h.clients) == 0 {
		h.board.forget(nil)
		return
	}
	now := h.s.now()
	h.board.update(h.s.o.Fleet.Snapshot(), now)
	clear(h.stations)
	used := make(map[string]bool)
	for c := range h.clients {
		people := c.principal.Scope(PeopleRead)
		used[viewKey(c.principal.Scope(SummaryRead), people)] = true
		used[viewKey(c.principal.Scope(StationsRead), people)] = true
		h.flush(c, now, false)
	}
	h.board.forget(used)
}

// flush hands a client what changed, unless it is still busy with the last.
func (h *hub) flush(c *client, now time.Time, atOnce bool) {
	if len(c.out) > 0 {
		h.passed.Add(1)
		return
	}
	batch := h.takeUrgent(c, nil)
	if atOnce || !c.hidden || now.Sub(c.flushed) >= hiddenFlush {
		c.flushed = now
		batch = h.values(c, now, batch)
	}
	if len(batch) == 0 && now.Sub(c.sent) >= tickEvery {
		batch = h.push(c, batch, "tick", []byte{'}'})
	}
	if len(batch) > 0 {
		c.sent = now
		c.out <- batch
	}
}

func (h *hub) push(c *client, batch []frame, kind string, tail []byte) []frame {
	c.revision++
	return append(batch, frame{kind: kind, revision: c.revision, tail: tail})
}

func (h *hub) takeUrgent(c *client, batch []frame) []frame {
	if c.overflow {
		c.revision++ // a gap: the client starts over
		c.reset()
	}
	for _, f := range c.urgent {
		batch = h.push(c, batch, f.kind, f.tail)
	}
	c.urgent = nil
	return batch
}

// values appends the coalesced topics.
func (h *hub) values(c *client, now time.Time, batch []frame) []frame {
	if allowed := c.principal.Scope(SummaryRead); c.topics["summary"] && !allowed.Empty() {
		v := h.board.view(allowed, c.principal.Scope(PeopleRead))
		h.summarise(v, now)
		if c.summary != v.summarySerial {
			c.summary = v.summarySerial
			batch = h.push(c, batch, "summary", dataTail(v.summary))
		}
	}
	allowed := c.principal.Scope(StationsRead)
	if allowed.Empty() {
		return batch
	}
	if c.topics["ports"] {
		batch = h.ports(c, h.board.view(allowed, c.principal.Scope(PeopleRead)), batch)
	}
	for topic := range c.topics {
		if id, ok := strings.CutPrefix(topic, "station/"); ok {
			batch = h.station(c, id, allowed, now, batch)
		}
	}
	for station, frames := range c.messages {
		batch = h.messageFrames(c, station, frames, batch)
	}
	clear(c.messages)
	for _, f := range c.casual {
		batch = h.push(c, batch, f.kind, f.tail)
	}
	c.casual = nil
	return batch
}

func dataTail(data []byte) []byte {
	out := make([]byte, 0, len(data)+10)
	out = append(out, `,"data":`...)
	out = append(out, data...)
	return append(out, '}')
}

// summarise renews a view's summary: at every beat in a small network, less
// often where counting takes longer, and at least every 10 s.
func (h *hub) summarise(v *view, now time.Time) {
	since := now.Sub(v.summaryAt)
	if v.summary != nil && (since < min(400*v.summaryTook, 2*time.Second) || v.summaryOf == h.board.snap && since < 10*time.Second) {
		return
	}
	start := time.Now()
	data, err := json.Marshal(h.s.summary(h.board.snap, v.scope, v.people))
	if err != nil {
		h.s.log.Error("summary not encoded", "err", err)
		return
	}
	v.summaryTook, v.summaryAt, v.summaryOf, v.summary = time.Since(start), now, h.board.snap, data
	v.summarySerial++
}

func (h *hub) ports(c *client, v *view, batch []frame) []frame {
	tails := [][]byte(nil)
	if !c.hasPorts || c.structure != h.board.structure {
		tails = h.board.snapshotTails(v)
	} else {
		tails = h.board.deltaTails(v, c.version)
	}
	c.hasPorts, c.structure, c.version = true, h.board.structure, h.board.version
	for _, tail := range tails {
		batch = h.push(c, batch, "ports", tail)
	}
	return batch
}

func (h *hub) station(c *client, id string, allowed Scope, now time.Time, batch []frame) []frame {
	st, ok := h.board.snap.Station(id)
	if !ok || !allowed.Allows(st.SiteID) {
		delete(c.stations, id)
		return batch
	}
	was := c.stations[id]
	if was.st == st {
		if now.Sub(was.at) < stationEvery || !h.s.lastFrame(st).After(was.heard) {
			return batch
		}
	}
	data, ok := h.stations[id]
	if !ok {
		var err error
		if data, err = json.Marshal(h.s.stationShape(st)); err != nil {
			h.s.log.Error("station not encoded", "station", id, "err", err)
			return batch
		}
		h.stations[id] = data
	}
	c.stations[id] = sentStation{st: st, heard: h.s.lastFrame(st), at: now}
	return h.push(c, batch, "station", dataTail(data))
}

// tell hands an event or a command to those who asked for it.
func (h *hub) tell(x heard) {
	for c := range h.clients {
		if !c.topics[x.topic] {
			continue
		}
		permission := EventsRead
		switch x.topic {
		case "commands":
			permission = StationsRead
		case "incidents":
			permission = IncidentsRead
		case "cameras":
			permission = CamerasRead
		case "doors":
			permission = DoorsRead
		case "access":
			permission = PeopleRead
		case "outputs":
			permission = OutputsRead
		}
		allowed := c.principal.Scope(permission)
		if x.private && !allowed.All() || !x.private && !allowed.Allows(x.site) {
			continue
		}
		if x.needs != "" && !c.principal.Scope(x.needs).Allows(x.site) {
			continue
		}
		data := x.masked
		if c.principal.Scope(IDTokensRead).Allows(x.site) {
			data = x.whole
		}
		f := frame{kind: x.frame, tail: dataTail(data)}
		if !x.urgent {
			if len(c.casual) >= maxCasual {
				c.casual = c.casual[1:]
			}
			c.casual = append(c.casual, f)
			continue
		}
		if len(c.urgent) >= maxUrgent {
			c.overflow = true
			continue
		}
		c.urgent = append(c.urgent, f)
		if len(c.out) == 0 {
			c.sent = h.s.now()
			c.out <- h.takeUrgent(c, nil)
		}
	}
}

// appendFrame writes a frame whole.
func (h *hub) appendFrame(dst []byte, f frame) []byte {
	dst = append(dst, `{"type":"`...)
	dst = append(dst, f.kind...)
	dst = append(dst, `","epoch":"`...)
	dst = append(dst, h.epoch...)
	dst = append(dst, `","revision":`...)
	dst = strconv.AppendUint(dst, f.revision, 10)
	return append(dst, f.tail...)
}
