// Package retell turns what simulated stations told in virtual time into the
// events that the endpoint would have made of it.
//
// The demo's past and the labelled runs of the detectors read the same
// stations through it, so that what detection was judged on is what the
// journal holds.
package retell

import (
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
)

// hearing is how long a message of the past was on its way.
const hearing = 120 * time.Millisecond

// A clock this close is taken as right; a command lives this long.
const (
	settled     = 10 * time.Second
	commandLife = 30 * time.Second
)

// Hearer is the central system of a simulated time.
type Hearer struct {
	Free      map[string]bool // sites where anyone may charge
	Tokens    map[sim.Token]string
	Known     map[sim.Token]*access.Credential
	IntervalS int // of heartbeats, as the boot was answered
}

// Hear makes the event of one message.
func (l *Hearer) Hear(t *sim.Told) *event.Event {
	heard := t.HeardAt.Add(hearing).UTC()
	e := &event.Event{
		Subject: event.Port(t.Station.ID, t.EVSE, t.Plug), At: t.At.UTC(), DeviceAt: t.At.UTC(), ReceivedAt: heard,
		Quality: event.TimeDevice, Origin: event.FromStation,
	}
	if t.Skew != 0 {
		e.DeviceAt = e.DeviceAt.Add(t.Skew)
		if t.Skew.Abs() > settled {
			e.Quality = event.TimeCorrected
		}
	}
	untimed := func() { e.At, e.DeviceAt, e.Quality = heard, time.Time{}, event.TimeReceived }
	switch t.Kind {
	case sim.ToldLinked:
		untimed()
		e.Body = &event.Connected{
			ConnID: connID(t), Protocol: t.Station.Protocol(), RemoteAddr: "127.0.0.1",
		}
	case sim.ToldLost:
		last := t.At.UTC()
		untimed()
		e.Body = &event.Disconnected{ConnID: connID(t), Reason: t.Reason, LastFrameAt: last}
	case sim.ToldBoot:
		untimed()
		e.Body = &event.Boot{
			Vendor: t.Station.Model.Vendor, Model: t.Station.Model.Name, Serial: t.Word, Firmware: t.Firmware, ICCID: t.Station.Modem,
			Reason: t.Reason, Status: "Accepted", IntervalS: l.IntervalS,
		}
	case sim.ToldStatus:
		e.Body = l.status(t, e)
	case sim.ToldProblem:
		e.Subject = event.Station(t.Station.ID)
		e.Body = &event.Component{Items: []event.ComponentEvent{problem(t)}}
	case sim.ToldAuthorize:
		untimed()
		token, d := l.decide(t)
		e.Body = &event.Authorize{TokenID: token, Status: string(d.Status), Reason: d.Reason}
	case sim.ToldStarted, sim.ToldUpdated, sim.ToldEnded:
		e.Body = l.transaction(t)
	case sim.ToldMetered:
		e.Body = &event.Meter{TransactionID: t.TxID, Samples: samples(t.Curve)}
		if t.Measured != nil {
			e.Body = &event.Meter{TransactionID: t.TxID, Samples: measured(t)}
		} else if n := len(t.Curve); n > 0 {
			e.At, e.DeviceAt = t.Curve[n-1].At.UTC(), t.Curve[n-1].At.Add(t.Skew).UTC()
		}
	case sim.ToldFirmware:
		untimed()
		e.Body = &event.Firmware{Status: t.Word}
	case sim.ToldSecurity:
		e.Body = &event.Security{Type: t.Word, TechInfo: t.Reason}
	case sim.ToldAsked:
		untimed()
		e.Origin, e.Subject = event.FromUs, event.Station(t.Station.ID)
		e.Body = &event.Command{CommandID: t.TxID, Action: t.Word, Payload: t.Payload, By: t.Reason, Deadline: heard.Add(commandLife)}
	case sim.ToldAnswered:
		untimed()
		e.Subject = event.Station(t.Station.ID)
		e.Body = &event.CommandResult{CommandID: t.TxID, Status: "answered", Response: t.Payload}
	}
	return e
}

func connID(t *sim.Told) string { return t.Station.ID + "-" + strconv.Itoa(t.Link) }

func (l *Hearer) status(t *sim.Told, e *event.Event) event.Body {
	if t.Station.Protocol() == "ocpp1.6" {
		s := &event.Status{Status: t.Word, ErrorCode: "NoError"}
		if f := t.Fault; f != nil {
			s.ErrorCode, s.Info, s.VendorID, s.VendorErrorCode = f.Code, f.Info, t.Station.Model.Vendor, f.VendorCode
		}
		return s
	}
	if !t.Station.Model.AvailabilityEvents {
		return &event.Status{Status: t.Word}
	}
	e.Subject = event.Station(t.Station.ID)
	return &event.Component{Items: []event.ComponentEvent{{
		EventID: t.Seq, At: t.At.UTC(), Component: "Connector", EVSE: t.EVSE, Connector: t.Plug, Variable: "AvailabilityState",
		Value: t.Word, Trigger: "Delta", Notification: "HardWiredNotification",
	}}}
}

func problem(t *sim.Told) event.ComponentEvent {
	f := t.Fault
	x := event.ComponentEvent{
		EventID: f.Event, At: t.At.UTC(), Component: f.Component, EVSE: t.EVSE, Variable: "Problem", Value: strconv.FormatBool(!f.Cleared),
		Trigger: "Delta", Notification: "HardWiredNotification", Cleared: f.Cleared, TechCode: f.VendorCode, TechInfo: f.Info,
	}
	if f.Cause != 0 {
		x.Cause = new(f.Cause)
	}
	return x
}

// decide says what the plug was answered.
func (l *Hearer) decide(t *sim.Told) (token string, d access.Decision) {
	token = l.Tokens[t.Token]
	return token, access.Decide(access.Request{
		Now: t.At, TokenID: token, Credential: l.Known[t.Token], FreeVend: l.Free[t.Station.Site],
	})
}

func (l *Hearer) transaction(t *sim.Told) event.Body {
	b := &event.Transaction{TransactionID: t.TxID, Trigger: t.Trigger, Offline: t.Offline, ChargingState: t.State, Samples: samples(t.Curve)}
	if t.Token.ID != "" {
		var d access.Decision
		b.TokenID, d = l.decide(t)
		b.TokenStatus, b.TokenReason = string(d.Status), d.Reason
	}
	switch t.Kind {
	case sim.ToldStarted:
		b.Stage = event.TransactionStarted
	case sim.ToldEnded:
		b.Stage, b.Reason = event.TransactionEnded, t.Reason
	case sim.ToldUpdated:
		b.Stage = event.TransactionUpdated
		if t.Measured != nil {
			b.Samples = measured(t)
		}
	default:
		b.Stage = event.TransactionUpdated
	}
	if t.Station.Protocol() != "ocpp1.6" {
		b.SeqNo = new(t.Seq)
		return b
	}
	b.Offline = false // OCPP 1.6 does not say
	b.AssignID = t.Kind == sim.ToldStarted
	if t.RegisterWh != nil {
		b.MeterWh = new(float64(*t.RegisterWh))
	}
	if t.Kind == sim.ToldEnded {
		b.TokenStatus, b.TokenReason = "", ""
	}
	return b
}

func samples(curve []sim.Reading) event.Samples {
	if len(curve) == 0 {
		return nil
	}
	out := make(event.Samples, len(curve))
	values := make([]event.Sample, 0, 3*len(curve)) // one piece for all groups
	for i, r := range curve {
		from := len(values)
		values = append(values, event.Sample{Measurand: "Energy.Active.Import.Register", Value: r.RegisterWh})
		if r.PowerW >= 0 {
			values = append(values, event.Sample{Measurand: "Power.Active.Import", Value: r.PowerW})
		}
		if r.Percent >= 0 {
			values = append(values, event.Sample{Measurand: "SoC", Location: "EV", Value: r.Percent})
		}
		out[i] = event.SampleGroup{At: r.At.UTC(), Values: values[from:len(values):len(values)]}
	}
	return out
}

// measured is what the meter said at one moment, in the units of the journal.
func measured(t *sim.Told) event.Samples {
	values := make([]event.Sample, len(t.Measured))
	for i, m := range t.Measured {
		v := event.Sample{Measurand: m.Measurand, Phase: m.Phase, Location: m.Location, Value: m.Value}
		if v.Location == "Outlet" {
			v.Location = ""
		}
		values[i] = v
	}
	return event.Samples{{At: t.At.Add(t.Skew).UTC(), Values: values}}
}
