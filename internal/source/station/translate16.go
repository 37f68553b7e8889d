package station

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/v16"
	"github.com/chargewatch/chargewatch/internal/source/station/normalise"
)

// translate16 turns a request of OCPP 1.6 into an event in the words of 2.0.1.
func (l *link) translate16(ctx context.Context, f ocppj.Frame, now time.Time, quirks []string) (told, error) {
	msg, more := v16.Decode(f.Action, f.Payload)
	quirks = quirkNames(quirks, more)
	empty := func(dst []byte, _ fleet.Receipt) []byte { return v16.AppendEmpty(dst) }
	switch m := msg.(type) {
	case *v16.Heartbeat:
		return told{answer: func(dst []byte, _ fleet.Receipt) []byte { return v16.AppendHeartbeat(dst, time.Now()) }}, nil
	case *v16.StatusNotification:
		body := &event.Status{
			Status: m.Status, ErrorCode: m.ErrorCode, Info: m.Info, VendorID: m.VendorID, VendorErrorCode: m.VendorError,
		}
		return told{event: l.report(l.connector(m.Connector), m.At.At, now, quirks, body), answer: empty}, nil
	case *v16.MeterValues:
		samples, more := readings(m.Values)
		quirks = quirk(quirks, more...)
		body := &event.Meter{Samples: samples}
		if m.Transaction != nil {
			body.TransactionID = strconv.FormatInt(*m.Transaction, 10)
		}
		return told{event: l.report(l.connector(m.Connector), newest(samples), now, quirks, body), answer: empty}, nil
	case *v16.BootNotification:
		serial := m.Serial
		if serial == "" {
			serial = m.BoxSerial
		}
		body := &event.Boot{
			Vendor: m.Vendor, Model: m.Model, Serial: serial, Firmware: m.Firmware, ICCID: m.ICCID, IMSI: m.IMSI,
			MeterType: m.MeterType, MeterSerial: m.MeterSerial,
		}
		t := l.boot(ctx, now, quirks, body)
		t.answer = func(dst []byte, _ fleet.Receipt) []byte {
			return v16.AppendBoot(dst, body.Status, time.Now(), body.IntervalS)
		}
		return t, nil
	case *v16.Authorize:
		d, err := l.access.Authorize(ctx, l.station, 0, Token{Value: m.IDTag}, false)
		if err != nil {
			return told{}, err
		}
		body := &event.Authorize{TokenID: d.TokenID, Status: d.Status, Reason: d.Reason}
		return told{
			event:  l.report(l.self(), time.Time{}, now, quirks, body),
			answer: func(dst []byte, _ fleet.Receipt) []byte { return v16.AppendAuthorize(dst, tagInfo(d)) },
		}, nil
	case *v16.StartTransaction:
		return l.start16(ctx, m, now, quirks)
	case *v16.StopTransaction:
		return l.stop16(ctx, m, now, quirks)
	case *v16.DataTransfer:
		body := &event.DataTransfer{VendorID: m.VendorID, MessageID: m.MessageID, Data: text(m.Data), Status: "UnknownVendorId"}
		return told{
			event:  l.report(l.self(), time.Time{}, now, quirks, body),
			answer: func(dst []byte, _ fleet.Receipt) []byte { return v16.AppendDataTransfer(dst, body.Status, "") },
		}, nil
	case *v16.SecurityEventNotification:
		body := &event.Security{Type: m.Type, TechInfo: m.TechInfo}
		return told{event: l.report(l.self(), m.At.At, now, quirks, body), answer: empty}, nil
	case *v16.FirmwareStatusNotification:
		return told{event: l.report(l.self(), time.Time{}, now, quirks, &event.Firmware{Status: m.Status}), answer: empty}, nil
	case *v16.SignedFirmwareStatusNotification:
		body := &event.Firmware{Status: m.Status, RequestID: small(m.Request), Signed: true}
		return told{event: l.report(l.self(), time.Time{}, now, quirks, body), answer: empty}, nil
	case *v16.DiagnosticsStatusNotification:
		body := &event.Log{Status: m.Status, Type: "diagnostics"}
		return told{event: l.report(l.self(), time.Time{}, now, quirks, body), answer: empty}, nil
	case *v16.LogStatusNotification:
		body := &event.Log{Status: m.Status, RequestID: small(m.Request)}
		return told{event: l.report(l.self(), time.Time{}, now, quirks, body), answer: empty}, nil
	}
	body := &event.Message{Action: f.Action, Payload: payload(f.Payload)}
	t := told{event: l.report(l.self(), time.Time{}, now, quirks, body), answer: empty}
	if m, ok := msg.(*v16.SignCertificate); ok {
		t.after, t.answer = l.signing(ctx, CertificateRequest{PEM: m.CSR}, func(dst []byte, status, _ string) []byte { return v16.AppendStatus(dst, status) })
	}
	return t, nil
}

func (l *link) start16(ctx context.Context, m *v16.StartTransaction, now time.Time, quirks []string) (told, error) {
	d, err := l.access.Authorize(ctx, l.station, int(m.Connector), Token{Value: m.IDTag}, true)
	if err != nil {
		return told{}, err
	}
	body := &event.Transaction{
		Stage: event.TransactionStarted, AssignID: true, TokenID: d.TokenID, TokenStatus: d.Status, TokenReason: d.Reason,
		MeterWh: new(float64(m.MeterStart)), ReservationID: small(m.Reservation),
	}
	return told{
		event: l.report(l.connector(m.Connector), m.At.At, now, quirks, body),
		answer: func(dst []byte, r fleet.Receipt) []byte {
			id, err := strconv.ParseInt(r.TransactionID, 10, 64)
			if err != nil { // the writer gives numbers
				id = 0
			}
			info := tagInfo(d)
			if r.Retry && r.TokenStatus != "" {
				info.Status = status16(r.TokenStatus)
			}
			return v16.AppendStart(dst, id, info)
		},
	}, nil
}

func (l *link) stop16(ctx context.Context, m *v16.StopTransaction, now time.Time, quirks []string) (told, error) {
	samples, more := readings(m.Values)
	quirks = quirk(quirks, more...)
	body := &event.Transaction{
		Stage: event.TransactionEnded, TransactionID: strconv.FormatInt(m.Transaction, 10), Reason: m.Reason,
		MeterWh: new(float64(m.MeterStop)), Samples: samples,
	}
	var info *v16.IDTagInfo
	if m.IDTag != "" {
		d, err := l.access.Authorize(ctx, l.station, 0, Token{Value: m.IDTag}, false)
		if err != nil {
			return told{}, err
		}
		body.TokenID = d.TokenID
		info = new(tagInfo(d))
	}
	return told{
		event:  l.report(l.self(), m.At.At, now, quirks, body),
		answer: func(dst []byte, _ fleet.Receipt) []byte { return v16.AppendStop(dst, info) },
	}, nil
}

// connector is the subject of a 1.6 connector; 0 is the station itself. Which
// EVSE it belongs to, the fold knows.
func (l *link) connector(id int64) event.Subject {
	s := l.self()
	if id > 0 && id < 1<<16 {
		s.Connector = int(id)
	}
	return s
}

func tagInfo(d Decision) v16.IDTagInfo {
	return v16.IDTagInfo{Status: status16(d.Status), Expiry: d.ExpiresAt, Parent: cut(d.ParentID, 20)}
}

// status16 says a decision with the five words that 1.6 has.
func status16(word string) string {
	switch word {
	case "Accepted", "Blocked", "Expired", "ConcurrentTx":
		return word
	}
	return "Invalid"
}

// readings turns decoded meter values into samples in the units of the journal.
func readings(values []reading.MeterValue) (event.Samples, []string) {
	if len(values) == 0 {
		return nil, nil
	}
	var quirks []string
	out := make(event.Samples, 0, len(values))
	for _, v := range values {
		g := event.SampleGroup{At: v.At.At, Values: make([]event.Sample, 0, len(v.Samples))}
		for _, s := range v.Samples {
			if !s.OK {
				continue
			}
			sample := event.Sample{Measurand: s.Measurand, Phase: s.Phase, Unit: s.Unit, Value: scaled(s.Value, s.Multiplier)}
			if s.Location != reading.DefaultLocation {
				sample.Location = s.Location
			}
			if s.Context != reading.DefaultContext {
				sample.Context = s.Context
			}
			if q := normalise.Unit(&sample); q != "" {
				quirks = quirk(quirks, q)
			}
			g.Values = append(g.Values, sample)
		}
		out = append(out, g)
	}
	return out, quirks
}

func scaled(v float64, power int) float64 {
	for ; power > 0; power-- {
		v *= 10
	}
	for ; power < 0; power++ {
		v /= 10
	}
	return v
}

func newest(samples event.Samples) time.Time {
	var t time.Time
	for _, g := range samples {
		if g.At.After(t) {
			t = g.At
		}
	}
	return t
}

func small(v *int64) *int {
	if v == nil {
		return nil
	}
	return new(int(*v))
}

func text(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(ocppj.AppendString(nil, cut(s, maxPayload)))
}
