package web

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// recentCommands bounds the commands remembered to complete their results.
const recentCommands = 5000

// tail reads the journal from now on and passes on what the feed tells. It
// resumes where it was should reading fail.
func (h *hub) tail(ctx context.Context) {
	from := journal.CursorAt(h.s.o.Fleet.Snapshot().Seq)
	recent := &commandRing{byID: make(map[string]CommandShape)}
	h.told.Store(h.s.o.Fleet.Snapshot().Seq)
	for ctx.Err() == nil {
		for batch, err := range h.s.o.Log.Subscribe(ctx, from) {
			if err != nil {
				if ctx.Err() == nil {
					h.s.log.WarnContext(ctx, "live feed does not follow the journal", "err", err)
				}
				break
			}
			for _, e := range batch.Events {
				if !h.pass(ctx, e, recent) {
					return
				}
			}
			from = batch.Next
			if n := len(batch.Events); n > 0 {
				h.told.Store(batch.Events[n-1].Seq)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// placeOf is the site of what an event is about; false for what is not known, or is of
// no site.
func (s *Server) placeOf(subject event.Subject) (site string, placed bool) {
	switch subject.Type {
	case event.StationSubject:
		return s.siteOf(subject.ID)
	case event.CameraSubject:
		if c, ok := s.o.Store.Camera(subject.ID); ok {
			return c.SiteID, true
		}
	case event.DoorSubject:
		if d, ok := s.o.Store.Door(subject.ID); ok {
			return d.SiteID, true
		}
	case event.ControllerSubject:
		if c, ok := s.o.Store.Controller(subject.ID); ok {
			return c.SiteID, true
		}
	case event.OutputSubject:
		if o, ok := s.o.Store.Output(subject.ID); ok {
			return o.SiteID, true
		}
	case event.SiteSubject:
		return subject.ID, true
	}
	return "", false
}

// pass hands one event to the hub; false when it has ended.
func (h *hub) pass(ctx context.Context, e *event.Event, recent *commandRing) bool {
	site, placed := h.s.placeOf(e.Subject)
	if !h.passCamera(ctx, e, site) || !h.passDoor(ctx, e, site) {
		return false
	}
	var x heard
	switch b := e.Body.(type) {
	case *event.Meter, *event.Report, *event.Message:
		return true // too many or too large: series, settings and messages have them
	case *event.Access:
		return true // with names, for those who may see people: passDoor
	case *event.OutputSwitch, *event.OutputRequest:
		return true // for those who may see outputs, who are told how they are
	case *event.Command:
		shape := CommandShape{
			ID: b.CommandID, Station: e.Subject.ID, Action: b.Action, Payload: b.Payload, Status: "sent", RequestedBy: b.By,
			RequestedAt: e.At.UTC(),
		}
		recent.put(shape)
		x = h.encodeCommand(ctx, shape)
	case *event.CommandResult:
		shape := recent.byID[b.CommandID]
		shape.ID, shape.Station, shape.Status, shape.Response = b.CommandID, e.Subject.ID, b.Status, b.Response
		shape.ErrorCode, shape.ErrorDescription, shape.Late = b.ErrorCode, b.Description, b.Late
		shape.FinishedAt = instant(e.At)
		recent.put(shape)
		x = h.encodeCommand(ctx, shape)
	default:
		data, err := json.Marshal(eventShape(e))
		if err != nil {
			h.s.log.WarnContext(ctx, "event not encoded", "seq", e.Seq, "err", err)
			return true
		}
		x = heard{topic: "events", frame: "event", whole: data, masked: data, urgent: urgent(e.Body)}
	}
	if x.topic == "" {
		return true
	}
	x.needs, _ = h.s.beyond(e)
	x.site, x.private = site, !placed || site == ""
	select {
	case h.heard <- x:
		return true
	case <-h.done:
		return false
	case <-ctx.Done():
		return false
	}
}

// urgent events are told at once and never left out.
func urgent(b event.Body) bool {
	switch b.(type) {
	case *event.Finding, *event.DriverReport, *event.Security, *event.SessionInferred, *event.ServerStarted, *event.ServerStopped:
		return true
	}
	return false
}

func (h *hub) encodeCommand(ctx context.Context, shape CommandShape) heard {
	x := heard{topic: "commands", frame: "command", urgent: true}
	for _, whole := range []bool{true, false} {
		c := shape
		err := h.s.forReader(ctx, whole, &c.Payload, &c.Response)
		var data []byte
		if err == nil {
			data, err = json.Marshal(c)
		}
		if err != nil {
			h.s.log.WarnContext(ctx, "command not encoded", "command", c.ID, "err", err)
			return heard{}
		}
		if whole {
			x.whole = data
		} else {
			x.masked = data
		}
	}
	return x
}

// commandRing remembers the newest commands.
type commandRing struct {
	byID  map[string]CommandShape
	order []string
}

func (r *commandRing) put(c CommandShape) {
	if _, known := r.byID[c.ID]; !known {
		r.order = append(r.order, c.ID)
	}
	r.byID[c.ID] = c
	for len(r.order) > recentCommands {
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
}

// follower feeds the messages of one station to the hub.
type follower struct{ stop context.CancelFunc }

// followWanted starts and stops followers so that each station whose messages
// someone may and wants to see has one.
func (h *hub) followWanted() {
	wanted := make(map[string]bool)
	for c := range h.clients {
		for topic := range c.topics {
			if id, ok := messagesTopic(topic); ok && h.mayRead(c, id) {
				wanted[id] = true
			}
		}
	}
	for id, f := range h.followers {
		if !wanted[id] {
			f.stop()
			delete(h.followers, id)
		}
	}
	if h.s.o.Frames == nil {
		return
	}
	for id := range wanted {
		if h.followers[id] != nil {
			continue
		}
		ctx, stop := context.WithCancel(context.Background())
		h.followers[id] = &follower{stop: stop}
		go func() {
			err := h.s.o.Frames.Follow(ctx, id, func(f Frame) {
				select {
				case h.frames <- f:
				default: // the page asks for what it missed
				}
			})
			if err != nil && ctx.Err() == nil {
				h.s.log.Warn("messages not followed", "station", id, "err", err)
			}
		}()
	}
}

func messagesTopic(topic string) (string, bool) {
	const prefix = "messages/"
	if len(topic) > len(prefix) && topic[:len(prefix)] == prefix {
		return topic[len(prefix):], true
	}
	return "", false
}

func (h *hub) mayRead(c *client, station string) bool {
	site, ok := h.s.siteOf(station)
	return ok && c.principal.Scope(MessagesRead).Allows(site)
}

// message keeps a frame for the next beat of those who want it.
func (h *hub) message(f Frame) {
	topic := "messages/" + f.Station
	for c := range h.clients {
		if !c.topics[topic] || !h.mayRead(c, f.Station) {
			continue
		}
		kept := c.messages[f.Station]
		if len(kept) >= maxMessages {
			kept = kept[1:]
		}
		c.messages[f.Station] = append(kept, f)
	}
}

func (h *hub) messageFrames(c *client, station string, frames []Frame, batch []frame) []frame {
	site, ok := h.s.siteOf(station)
	if !ok {
		return batch
	}
	whole := c.principal.Scope(IDTokensRead).Allows(site)
	items := make([]MessageShape, 0, len(frames))
	for i := len(frames) - 1; i >= 0; i-- { // newest first, as GET lists them
		items = append(items, messageShape(frames[i], whole))
	}
	data, err := json.Marshal(items)
	if err != nil {
		h.s.log.Warn("messages not encoded", "station", station, "err", err)
		return batch
	}
	tail := appendText([]byte(`,"station":`), station)
	tail = append(tail, `,"items":`...)
	tail = append(tail, data...)
	return h.push(c, batch, "messages", append(tail, '}'))
}
