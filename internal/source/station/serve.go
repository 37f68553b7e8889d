package station

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/source/station/normalise"
)

// told is a request understood: the event it becomes, if any, and how the
// station is answered once that is durable.
type told struct {
	event  *event.Event
	answer func(dst []byte, r fleet.Receipt) []byte
	// after runs when the event is durable, before the answer is written.
	after func(r fleet.Receipt)
}

// call serves one CALL. What the specification wants refused is refused here;
// the content of a known action never is.
func (l *link) call(ctx context.Context, f ocppj.Frame, data []byte, now time.Time, quirks []string) error {
	no, reason := l.forbidden(f)
	if no == "" {
		quirks = checked(quirks, l, f)
	}
	l.log(now, true, f.Action, data, quirks)
	if no != "" {
		return l.answer(f.Action, ocppj.AppendError(nil, f.RawID, no, reason, nil))
	}
	t, err := l.translate(ctx, f, now, quirks)
	if err != nil {
		return l.unavailable(err)
	}
	var receipt fleet.Receipt
	if t.event != nil {
		if receipt, err = l.record(ctx, t.event, f); err != nil {
			return l.unavailable(err)
		}
	}
	if t.after != nil {
		t.after(receipt)
	}
	b := l.ep.buffers.Get().(*[]byte)
	out := ocppj.AppendResultHead((*b)[:0], f.RawID)
	out = append(t.answer(out, receipt), ']')
	err = l.answer(f.Action, out)
	*b = out[:0]
	l.ep.buffers.Put(b)
	return err
}

// send serves one SEND of OCPP 2.1, which gets no answer.
func (l *link) send(ctx context.Context, f ocppj.Frame, data []byte, now time.Time, quirks []string) error {
	no, _ := l.forbidden(f)
	if no == "" {
		quirks = checked(quirks, l, f)
	}
	l.log(now, true, f.Action, data, quirks)
	if no != "" {
		return nil
	}
	t, err := l.translate(ctx, f, now, quirks)
	if err != nil || t.event == nil {
		return l.unavailable(err)
	}
	if _, err := l.record(ctx, t.event, f); err != nil {
		return l.unavailable(err)
	}
	return nil
}

// record appends the event of a request. One that cannot be stored for what is
// in it is stored as a message without its content: the station would send it
// for ever, and nothing behind it.
func (l *link) record(ctx context.Context, e *event.Event, f ocppj.Frame) (fleet.Receipt, error) {
	receipt, err := l.ep.journal.Append(ctx, e)
	if err == nil || errors.Is(err, journal.ErrUnavailable) || errors.Is(err, journal.ErrClosed) || ctx.Err() != nil {
		return receipt, err
	}
	l.ep.log.WarnContext(ctx, "request cannot be stored as what it is", "station", l.station, "action", f.Action, "err", err)
	return l.ep.journal.Append(ctx, &event.Event{
		Subject: l.self(), At: e.ReceivedAt, ReceivedAt: e.ReceivedAt, Quality: event.TimeReceived, Origin: e.Origin,
		Quirks: quirk(slices.Clone(e.Quirks), "unstorable"),
		Body:   &event.Message{Action: f.Action, Payload: json.RawMessage(fmt.Sprintf(`{"omittedBytes":%d}`, len(f.Payload.Raw())))},
	})
}

// unavailable ends a connection that cannot be answered truthfully: the station
// keeps what it had to say and tries again.
func (l *link) unavailable(err error) error {
	if err == nil {
		return nil
	}
	l.because("events could not be stored")
	l.conn.Close(websocket.StatusTryAgainLater, "events cannot be stored now")
	return fmt.Errorf("append event of %s: %w", l.station, err)
}

// forbidden returns the error code for what OCPP wants refused.
func (l *link) forbidden(f ocppj.Frame) (ocppj.ErrorCode, string) {
	switch {
	case !l.ep.table.Known(l.version, f.Action):
		return ocppj.NotImplemented, "this action is not known"
	case !l.ep.table.FromStation(l.version, f.Action):
		return ocppj.NotSupported, "a station does not send this action"
	}
	if l.onboarding != event.OnboardingAccepted {
		if e, ok := l.ep.directory.Enrolled(l.station); ok {
			l.onboarding = e.Onboarding
		}
	}
	if l.onboarding != event.OnboardingAccepted && f.Action != "BootNotification" {
		return ocppj.SecurityError, "the station is not accepted yet"
	}
	return "", ""
}

// checked adds what the specification says against the request.
func checked(quirks []string, l *link, f ocppj.Frame) []string {
	for _, fault := range l.ep.table.CheckRequest(l.version, f.Action, f.Payload) {
		quirks = quirk(quirks, fault.Quirk().String())
	}
	return quirks
}

const maxQuirks = 16

// quirk adds names that are not in the list yet, as far as there is room.
func quirk(list []string, names ...string) []string {
	for _, name := range names {
		if len(list) < maxQuirks && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func quirkNames(list []string, quirks []ocppj.Quirk) []string {
	for _, q := range quirks {
		list = quirk(list, q.String())
	}
	return list
}

func (l *link) translate(ctx context.Context, f ocppj.Frame, now time.Time, quirks []string) (told, error) {
	var t told
	var err error
	if l.version == ocppj.V16 {
		t, err = l.translate16(ctx, f, now, quirks)
	} else {
		t, err = l.translate2(ctx, f, now, quirks)
	}
	if err == nil && t.event != nil {
		t.event.Quirks = quirk(t.event.Quirks, normalise.Event(t.event)...)
	}
	return t, err
}

// report makes the event of a request about a subject.
func (l *link) report(subject event.Subject, deviceAt, now time.Time, quirks []string, body event.Body) *event.Event {
	at, quality := l.clock.estimate(deviceAt, now)
	return &event.Event{
		Subject: subject, At: at, DeviceAt: deviceAt, ReceivedAt: now, Quality: quality,
		Origin: event.FromStation, Quirks: quirks, Body: body,
	}
}

func (l *link) self() event.Subject { return event.Station(l.station) }

// bootAnswer decides what a BootNotification is told.
func (l *link) bootAnswer() (status string, interval int) {
	switch l.onboarding {
	case event.OnboardingAccepted:
		return "Accepted", int(l.ep.o.HeartbeatInterval / time.Second)
	case event.OnboardingRejected:
		return "Rejected", int(l.ep.o.PendingInterval / time.Second)
	default:
		return "Pending", int(l.ep.o.PendingInterval / time.Second)
	}
}

// boot makes the event of a boot and what follows from it.
func (l *link) boot(ctx context.Context, now time.Time, quirks []string, body *event.Boot) told {
	if e, ok := l.ep.directory.Enrolled(l.station); ok {
		l.onboarding = e.Onboarding
	}
	body.Status, body.IntervalS = l.bootAnswer()
	l.clock.reset()
	return told{
		event: l.report(l.self(), time.Time{}, now, quirks, body),
		after: func(fleet.Receipt) {
			l.interval.Store(int64(body.IntervalS))
			if body.Status == "Accepted" {
				l.booted = true
				return
			}
			if err := l.ep.directory.Describe(ctx, l.station, body); err != nil {
				l.ep.log.WarnContext(ctx, "pending station not described", "station", l.station, "err", err)
			}
		},
	}
}

// signing hands on the request for a certificate once it is durable, and answers whether
// it was taken.
func (l *link) signing(ctx context.Context, r CertificateRequest, say func(dst []byte, status, why string) []byte) (func(fleet.Receipt), func([]byte, fleet.Receipt) []byte) {
	status, why := "Rejected", ""
	take := func(fleet.Receipt) {
		if l.ep.o.Sign == nil {
			return
		}
		err := l.ep.o.Sign(ctx, l.station, r)
		if err == nil {
			status = "Accepted"
			return
		}
		why = err.Error()
		l.ep.log.WarnContext(ctx, "request for a certificate refused", "station", l.station, "err", err)
	}
	return take, func(dst []byte, _ fleet.Receipt) []byte { return say(dst, status, why) }
}

// maxPayload bounds a payload kept in an event; the raw log has the whole.
const maxPayload = 64 << 10

func payload(n jsondoc.Node) json.RawMessage {
	if !n.Exists() {
		return nil
	}
	raw := n.Raw()
	if len(raw) > maxPayload {
		return json.RawMessage(fmt.Sprintf(`{"omittedBytes":%d}`, len(raw)))
	}
	return append(json.RawMessage(nil), raw...)
}
