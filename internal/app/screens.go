package app

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/frames"
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/web"
)

// Here the rooms behind the screens are brought into the form that web asks
// for; the rooms do not know each other.

// commander sends commands over the endpoint.
type commander struct {
	*station.Endpoint
	fleet  snapshots
	tokens tokenValues
}

// snapshots is the live state.
type snapshots interface{ Snapshot() *fleet.Snapshot }

// tokenValues knows the values of tokens, which what is recorded only refers to.
type tokenValues interface {
	PutTokens(ctx context.Context, payload string) (string, error)
}

func (c commander) Send(ctx context.Context, id, commandID, action string, payload []byte) web.Outcome {
	o := c.Endpoint.Send(ctx, id, commandID, action, payload)
	return web.Outcome{Status: o.Status, Response: o.Response, ErrorCode: o.ErrorCode, Description: o.Description, Sent: o.Sent}
}

// resultOf is what is known of a command that was recorded.
func resultOf(o web.Outcome) event.CommandResult {
	return event.CommandResult{CommandID: o.Command, Status: o.Status, Response: o.Response, ErrorCode: o.ErrorCode, Description: o.Description}
}

// Perform does what the core wants, for the outbox. The key of the intent is the
// id of the message if it fits, so that an answer that comes late finds it.
func (c commander) Perform(ctx context.Context, in fleet.Intent) event.CommandResult {
	id := in.Key
	if len(id) > 36 {
		id = uuid.NewString()
	}
	if why := c.disturbs(in); why != "" {
		return event.CommandResult{CommandID: id, Status: "refused", Description: why}
	}
	payload, err := c.tokens.PutTokens(ctx, in.Payload)
	if err != nil {
		return event.CommandResult{CommandID: id, Status: "refused", Description: "a token in it is not known any more"}
	}
	o := c.Endpoint.Send(ctx, in.Station, id, in.Action, []byte(payload))
	return event.CommandResult{
		CommandID: id, Status: o.Status, Response: o.Response, ErrorCode: o.ErrorCode, Description: o.Description,
	}
}

// validator checks a request to a station against the specification.
func validator() web.Validate {
	table := spec.New()
	return func(version, action string, payload []byte) []web.Fault {
		v, ok := ocppj.VersionOf(version)
		if !ok {
			return []web.Fault{{Text: fmt.Sprintf("the station speaks %q, which has no commands", version)}}
		}
		if !table.ToStation(v, action) {
			return []web.Fault{{Text: fmt.Sprintf("%s is not a request to a station in %s", action, version)}}
		}
		var doc jsondoc.Doc
		if err := doc.Parse(payload); err != nil {
			return []web.Fault{{Text: err.Error()}}
		}
		var faults []web.Fault
		for _, f := range table.CheckRequest(v, action, doc.Root()) {
			faults = append(faults, web.Fault{Path: f.Path, Text: f.Message})
		}
		return faults
	}
}

// curves answers for what was measured.
type curves struct{ *telemetry.Store }

func (c curves) Series(ctx context.Context, q web.SeriesQuery) (web.Series, error) {
	s, err := c.Range(ctx, telemetry.Query{
		Port: telemetry.Port{Station: q.Station, EVSE: q.EVSE}, Measurand: q.Measurand, From: q.From, To: q.To, Step: q.Step,
	})
	if err != nil {
		return web.Series{}, err
	}
	out := web.Series{Unit: s.Unit, Step: s.Step, Points: make([]web.SeriesPoint, 0, len(s.Points))}
	for _, p := range s.Points {
		out.Points = append(out.Points, web.SeriesPoint{At: p.At, Min: p.Min, Mean: p.Mean, Max: p.Max})
	}
	return out, nil
}

// Flow is what one port drew, for the sums of sites and of the network.
func (c curves) Flow(ctx context.Context, id string, evse int, from time.Time, step time.Duration, n int) (web.Flow, error) {
	f, err := c.Store.Flow(ctx, telemetry.Port{Station: id, EVSE: evse}, from, step, n)
	return web.Flow(f), err
}

// wire is the raw frame log as the endpoint writes and the screens read it.
type wire struct{ *frames.Log }

func (w wire) Add(f station.Frame) {
	d := frames.Out
	if f.FromStation {
		d = frames.In
	}
	w.Log.Add(frames.Frame{
		At: f.At, Station: f.Station, ConnID: f.Conn, Direction: d, Action: f.Action, Data: f.Data, Quirks: f.Quirks,
	})
}

func (w wire) Read(ctx context.Context, q web.FrameQuery) ([]web.Frame, string, error) {
	ask := frames.Query{Station: q.Station, Before: frames.Cursor(q.Before), Limit: q.Limit, Action: q.Action}
	switch q.Direction {
	case "in":
		ask.Direction = new(frames.In)
	case "out":
		ask.Direction = new(frames.Out)
	}
	records, next, err := w.Log.Read(ctx, ask)
	if err != nil {
		return nil, "", err
	}
	out := make([]web.Frame, 0, len(records))
	for _, r := range records {
		out = append(out, frame(r))
	}
	return out, string(next), nil
}

func (w wire) Follow(ctx context.Context, id string, fn func(web.Frame)) error {
	for r, err := range w.Log.Follow(ctx, id) {
		if err != nil {
			return err
		}
		fn(frame(r))
	}
	return nil
}

func frame(r frames.Record) web.Frame {
	return web.Frame{Cursor: string(r.Cursor), At: r.At, Station: r.Station, In: r.Direction == frames.In, Data: r.Data, Quirks: r.Quirks}
}

// networks reads prefixes and single addresses; config has checked them.
func networks(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range list {
		text = strings.TrimSpace(text)
		if p, err := netip.ParsePrefix(text); err == nil {
			out = append(out, p)
		} else if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}
