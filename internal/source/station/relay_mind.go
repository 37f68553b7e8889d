package station

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// mind is what reading a relayed link remembers: questions whose answer is to
// come, both ways.
type mind struct {
	station  []question // of the station to upstream
	upstream []question // of upstream to the station
}

// question is a CALL that was heard.
type question struct {
	id, action string
	at         time.Time
	event      *event.Event // waits for what the answer adds
	command    string       // of upstream's CALL: id of the command that was recorded
}

const (
	// questionsKept bounds the questions that wait; OCPP has one.
	questionsKept = 16
	// answerWithin is how long an answer is waited for.
	answerWithin = 5 * time.Minute
)

// naming gives tokens their opaque names and leaves the decision to upstream.
type naming struct{ Authorizer }

func (n naming) Authorize(ctx context.Context, _ string, _ int, t Token, _ bool) (Decision, error) {
	if t.Value == "" {
		return Decision{}, nil
	}
	id, err := n.Name(ctx, t)
	return Decision{TokenID: id}, err
}

// understand makes events of what was heard.
func (e *ear) understand(ctx context.Context, x heard) []*event.Event {
	l := e.relay.link
	if _, last := x.body.(*event.Disconnected); last {
		return append(e.unanswered(time.Time{}), l.ownEventAt(x.at, x.body))
	}
	if x.body != nil {
		return []*event.Event{l.ownEventAt(x.at, x.body)}
	}
	doc := l.ep.docs.Get()
	defer l.ep.docs.Put(doc)
	out := e.unanswered(x.at)
	if x.from == event.FromUpstream {
		return append(out, e.upstreamSaid(ctx, doc, x)...)
	}
	return append(out, e.stationSaid(ctx, doc, x)...)
}

func (e *ear) stationSaid(ctx context.Context, doc *jsondoc.Doc, x heard) []*event.Event {
	l := e.relay.link
	f, err := ocppj.Parse(doc, l.version, x.data)
	if bad, ok := errors.AsType[*ocppj.FrameError](err); ok {
		l.log(x.at, true, bad.Action, x.data, []string{"unreadable"})
		l.noteUnreadable(bad, x.data, x.at)
		return nil
	}
	quirks := quirkNames(nil, f.Quirks)
	switch f.Type {
	case ocppj.Call, ocppj.Send:
		return e.stationAsked(ctx, f, x, quirks)
	case ocppj.CallResult, ocppj.CallError:
		q, ok := take(&e.mind.upstream, f.ID)
		l.log(x.at, true, q.action, x.data, quirks)
		if ok && q.command != "" {
			return []*event.Event{e.commandResult(ctx, q, f, x.at)}
		}
	default: // a CALLRESULTERROR tells of upstream's own answer
		l.log(x.at, true, "", x.data, quirks)
	}
	return nil
}

// stationAsked reads a CALL or a SEND of the station. What does not depend on the
// answer is told at once.
func (e *ear) stationAsked(ctx context.Context, f ocppj.Frame, x heard, quirks []string) []*event.Event {
	l := e.relay.link
	no, _ := l.forbidden(f)
	if no == "" {
		quirks = checked(quirks, l, f)
	}
	l.log(x.at, true, f.Action, x.data, quirks)
	q := question{id: f.ID, action: f.Action, at: x.at}
	if no == "" {
		t, err := l.translate(ctx, f, x.at, quirks)
		for wait := 100 * time.Millisecond; err != nil; wait = min(2*wait, time.Second) {
			// Names of tokens are stored beside the journal; while that cannot be done
			// nothing else could be stored either.
			select {
			case <-l.ep.stopping:
				e.missed(x.at)
				return nil
			case <-time.After(wait):
			}
			t, err = l.translate(ctx, f, x.at, quirks)
		}
		q.event = t.event
	}
	if f.Type == ocppj.Send {
		return only(q.event)
	}
	var out []*event.Event
	if q.event != nil && !answerTells(q.event) {
		out, q.event = append(out, q.event), nil
	}
	if len(e.mind.station) == questionsKept {
		out = append(out, e.given(e.mind.station[0])...)
		e.mind.station = slices.Delete(e.mind.station, 0, 1)
	}
	e.mind.station = append(e.mind.station, q)
	return out
}

func (e *ear) missed(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lose(at, at, 1)
	e.relay.health.Gaps.Add(1)
}

func only(e *event.Event) []*event.Event {
	if e == nil {
		return nil
	}
	return []*event.Event{e}
}

// answerTells reports whether the answer to a request is part of what happened.
func answerTells(e *event.Event) bool {
	switch e.Body.(type) {
	case *event.Boot, *event.Authorize, *event.Transaction, *event.DataTransfer:
		return true
	}
	return false
}

// given is what is recorded of a request that was not answered with a result. A
// boot comes again until it is answered. All else is recorded as far as it is known:
// of what a station repeats, the journal knows the content again.
func (e *ear) given(q question) []*event.Event {
	if q.event == nil {
		return nil
	}
	switch body := q.event.Body.(type) {
	case *event.Boot:
		return nil
	case *event.Transaction:
		body.Upstream = e.relay.to.ID
	}
	return []*event.Event{q.event}
}

// unanswered gives up on questions that were asked long before now; at the end,
// with no time, on all.
func (e *ear) unanswered(now time.Time) []*event.Event {
	var out []*event.Event
	old := func(q question) bool { return now.IsZero() || now.Sub(q.at) > answerWithin }
	e.mind.station = slices.DeleteFunc(e.mind.station, func(q question) bool {
		if !old(q) {
			return false
		}
		out = append(out, e.given(q)...)
		return true
	})
	e.mind.upstream = slices.DeleteFunc(e.mind.upstream, func(q question) bool {
		if !old(q) {
			return false
		}
		if q.command != "" {
			out = append(out, e.relay.link.ownEvent(&event.CommandResult{CommandID: q.command, Status: TimedOut, Description: "the station did not answer"}))
		}
		return true
	})
	return out
}

// take removes the first question with the id.
func take(list *[]question, id string) (question, bool) {
	i := slices.IndexFunc(*list, func(q question) bool { return q.id == id })
	if i < 0 {
		return question{}, false
	}
	q := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return q, true
}

func (e *ear) upstreamSaid(ctx context.Context, doc *jsondoc.Doc, x heard) []*event.Event {
	l := e.relay.link
	t, id, ok := ocppj.Head(x.data)
	if ok && (t == ocppj.CallResult || t == ocppj.CallError) {
		q, _ := take(&e.mind.station, id)
		l.log(x.at, false, q.action, x.data, nil)
		if q.event == nil {
			return nil
		}
		f, err := ocppj.Parse(doc, l.version, x.data)
		if err != nil || f.Type != ocppj.CallResult {
			return e.given(q)
		}
		e.complete(q.event, f.Payload)
		return []*event.Event{q.event}
	}
	f, err := ocppj.Parse(doc, l.version, x.data)
	if bad, ok := errors.AsType[*ocppj.FrameError](err); ok {
		l.log(x.at, false, bad.Action, x.data, []string{"unreadable"})
		if l.ep.failures.note("rubbish|"+e.relay.to.ID, x.at) {
			return []*event.Event{l.ownEvent(&event.Finding{
				Code: "upstreamRubbish", Severity: event.S4,
				Text:     "the upstream system " + e.relay.to.ID + " sent " + l.station + " what is no message: " + bad.Reason,
				Evidence: bad.Reason,
			})}
		}
		return nil
	}
	l.log(x.at, false, f.Action, x.data, quirkNames(nil, f.Quirks))
	if f.Type != ocppj.Call {
		return nil
	}
	return e.upstreamAsked(ctx, f, x)
}

// upstreamAsked records a CALL of upstream as the command that it is.
func (e *ear) upstreamAsked(ctx context.Context, f ocppj.Frame, x heard) []*event.Event {
	q := question{id: f.ID, action: f.Action, at: x.at, command: newID()}
	body := &event.Command{CommandID: q.command, Action: f.Action, By: "upstream/" + e.relay.to.ID, Deadline: x.at.Add(answerWithin), Payload: e.recordable(ctx, f.Payload)}
	var out []*event.Event
	if len(e.mind.upstream) == questionsKept {
		first := e.mind.upstream[0]
		e.mind.upstream = slices.Delete(e.mind.upstream, 0, 1)
		out = append(out, e.relay.link.ownEvent(&event.CommandResult{CommandID: first.command, Status: TimedOut, Description: "the station did not answer"}))
	}
	e.mind.upstream = append(e.mind.upstream, q)
	asked := e.relay.link.ownEventAt(x.at, body)
	asked.Origin = event.FromUpstream
	return append(out, asked)
}

func (e *ear) commandResult(ctx context.Context, q question, f ocppj.Frame, at time.Time) *event.Event {
	body := &event.CommandResult{CommandID: q.command, Status: Answered}
	if f.Type == ocppj.CallError {
		body.Status, body.ErrorCode, body.Description = Failed, string(f.Code), f.Description
	} else {
		body.Response = e.recordable(ctx, f.Payload)
	}
	out := e.relay.link.ownEventAt(at, body)
	out.Origin = event.FromStation
	return out
}

// recordable is a payload without its secrets, or nothing.
func (e *ear) recordable(ctx context.Context, n jsondoc.Node) []byte {
	ep := e.relay.link.ep
	if ep.o.Record == nil || !n.Exists() || len(n.Raw()) > maxPayload {
		return nil
	}
	out, err := ep.o.Record(ctx, n.Raw())
	if err != nil {
		ep.log.WarnContext(ctx, "payload of an upstream system not recorded", "station", e.relay.link.station, "err", err)
		return nil
	}
	return out
}

// complete adds to a request what the answer of upstream tells.
func (e *ear) complete(ev *event.Event, answer jsondoc.Node) {
	word := func(n jsondoc.Node, key string) string {
		s, _ := n.Get(key).String()
		return cut(strings.TrimSpace(s), 64)
	}
	status := word(answer.Get("idTagInfo"), "status")
	if status == "" {
		status = word(answer.Get("idTokenInfo"), "status")
	}
	switch body := ev.Body.(type) {
	case *event.Boot:
		body.Status, body.Upstream, body.IntervalS = word(answer, "status"), e.relay.to.ID, 0
		if n, fit := answer.Get("interval").Int(); fit.OK() && n > 0 && n <= int64(24*time.Hour/time.Second) {
			body.IntervalS = int(n)
			e.relay.link.interval.Store(n)
		}
	case *event.Authorize:
		body.Status = status
	case *event.Transaction:
		body.TokenStatus, body.Upstream = status, e.relay.to.ID
		if !body.AssignID {
			return
		}
		if n, fit := answer.Get("transactionId").Int(); fit.OK() {
			body.TransactionID = strconv.FormatInt(n, 10)
		}
	case *event.DataTransfer:
		body.Status = word(answer, "status")
	}
}
