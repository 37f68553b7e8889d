package station

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// Outcome is what became of a command.
type Outcome struct {
	Status      string // answered, error, timeout, offline, refused
	Response    json.RawMessage
	ErrorCode   string
	Description string
	At          time.Time
	Sent        bool // the station may have heard it, whatever came of it
}

// The outcomes of a command.
const (
	Answered  = "answered"
	Failed    = "error"
	TimedOut  = "timeout"
	IsOffline = "offline"
	RefusedBy = "refused"
)

// calls keeps what a link has asked and not yet heard. OCPP allows one CALL in
// flight per direction, so callers take turns; it stays empty on links that are
// never asked anything.
type calls struct {
	mu      sync.Mutex
	turn    chan struct{} // made at the first call
	id      string
	action  string
	answer  chan Outcome
	waiting int       // callers that wait for their turn
	expired []expired // whose answer may still come
	ended   bool

	// Of a relayed station: what upstream asks it, see relay_turn.go.
	theirs    []theirs
	held      []held
	heldBytes int
	flushing  bool
}

// expired is a CALL that was not answered in time: its message id and its command.
type expired struct{ id, command string }

const (
	expiredKept = 16
	// maxWaiting bounds the commands that wait for their turn at one station.
	maxWaiting = 64
)

// Send asks a station and waits for its answer. The id becomes the OCPP message
// id, so an answer after the deadline still finds its command. It never queues
// for a station that is offline.
func (ep *Endpoint) Send(ctx context.Context, station, id, action string, payload []byte) Outcome {
	ep.mu.Lock()
	l := ep.links[station]
	ep.mu.Unlock()
	if l == nil {
		return Outcome{Status: IsOffline, Description: "the station is not connected", At: time.Now()}
	}
	ctx, cancel := context.WithTimeout(ctx, ep.o.CommandTimeout)
	defer cancel()
	return l.ask(ctx, id, action, payload)
}

// Protocol returns the version a connected station speaks.
func (ep *Endpoint) Protocol(station string) (ocppj.Version, bool) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	l := ep.links[station]
	if l == nil {
		return 0, false
	}
	return l.version, true
}

func (l *link) ask(ctx context.Context, id, action string, payload []byte) Outcome {
	c := &l.calls
	c.mu.Lock()
	if c.turn == nil {
		c.turn = make(chan struct{}, maxWaiting)
	}
	turn := c.turn
	c.mu.Unlock()
	command := id
	if l.relay != nil {
		id = l.ep.ours.make(command)
	}
	answer, out := l.takeTurn(ctx, turn, id, action)
	if answer == nil {
		return out
	}
	if l.relay != nil { // upstream may be waiting
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, relayedCall)
		defer cancel()
	}
	if err := l.say(action, ocppj.AppendCall(nil, id, action, payload)); err != nil {
		l.endTurn(expired{})
		return Outcome{Status: IsOffline, Description: "the connection was lost", At: time.Now(), Sent: true}
	}
	select {
	case out := <-answer:
		l.endTurn(expired{})
		out.Sent = true
		return out
	case <-ctx.Done():
		l.endTurn(expired{id, command})
		return Outcome{Status: TimedOut, Description: "the station did not answer in time", At: time.Now(), Sent: true}
	}
}

// say writes a CALL under a deadline of its own: a caller who loses interest
// must not cost the station its connection.
func (l *link) say(action string, data []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), l.ep.o.CommandTimeout)
	defer cancel()
	return l.write(ctx, action, data)
}

func (l *link) takeTurn(ctx context.Context, turn chan struct{}, id, action string) (chan Outcome, Outcome) {
	c := &l.calls
	for {
		c.mu.Lock()
		if c.ended {
			c.mu.Unlock()
			return nil, Outcome{Status: IsOffline, Description: "the connection was lost", At: time.Now()}
		}
		until := c.taken(time.Now())
		if c.answer == nil && until.IsZero() {
			c.id, c.action, c.answer = id, action, make(chan Outcome, 1)
			answer := c.answer
			c.mu.Unlock()
			return answer, Outcome{}
		}
		if c.waiting == maxWaiting {
			c.mu.Unlock()
			return nil, Outcome{Status: RefusedBy, Description: "too many commands wait for this station", At: time.Now()}
		}
		c.waiting++
		c.mu.Unlock()
		var gaveUp bool
		var free <-chan time.Time
		if !until.IsZero() {
			free = time.After(time.Until(until))
		}
		select {
		case <-turn:
		case <-free:
		case <-ctx.Done():
			gaveUp = true
		}
		c.mu.Lock()
		c.waiting--
		c.mu.Unlock()
		if gaveUp {
			return nil, Outcome{Status: TimedOut, Description: "the station was busy with other commands", At: time.Now()}
		}
	}
}

// endTurn lets the next caller ask, upstream first.
func (l *link) endTurn(late expired) {
	c := &l.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.answer = "", nil
	if late.id != "" {
		if len(c.expired) == expiredKept {
			c.expired = append(c.expired[:0], c.expired[1:]...)
		}
		c.expired = append(c.expired, late)
	}
	if len(c.held) > 0 && !c.flushing {
		c.flushing = true
		go l.relay.flush()
	}
	c.signal()
}

// result hands a CALLRESULT or CALLERROR to whoever asked.
func (l *link) result(f ocppj.Frame) {
	out := Outcome{Status: Answered, At: time.Now()}
	switch f.Type {
	case ocppj.CallResult:
		out.Response = json.RawMessage("{}")
		if f.Payload.Exists() {
			out.Response = append(json.RawMessage(nil), f.Payload.Raw()...)
		}
	case ocppj.CallError:
		out.Status, out.ErrorCode, out.Description = Failed, string(f.Code), f.Description
	default:
		return // a CALLRESULTERROR tells of our own answer; the raw log has it
	}
	c := &l.calls
	c.mu.Lock()
	if c.answer != nil && c.id == f.ID {
		c.answer <- out
		c.id = "" // a second answer with the id finds nobody
		c.mu.Unlock()
		return
	}
	late := ""
	for i, x := range c.expired {
		if x.id == f.ID {
			c.expired = append(c.expired[:i], c.expired[i+1:]...)
			late = x.command
			break
		}
	}
	c.mu.Unlock()
	if late != "" && l.ep.o.OnLate != nil {
		go l.ep.o.OnLate(l.station, late, out)
	}
}

// about returns what an answer with the id is about, while it is waited for.
func (c *calls) about(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer == nil || c.id != id {
		return ""
	}
	return c.action
}

// fail tells the waiting caller that the connection is gone.
func (c *calls) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.answer != nil && c.id != "" {
		c.answer <- Outcome{Status: IsOffline, Description: "the connection was lost before the answer", At: time.Now()}
		c.id = ""
	}
	if c.turn != nil {
		for range maxWaiting {
			select {
			case c.turn <- struct{}{}:
			default:
			}
		}
	}
}
