package station

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/v2"
)

// translate2 turns a request of OCPP 2.0.1 or 2.1 into an event.
func (l *link) translate2(ctx context.Context, f ocppj.Frame, now time.Time, quirks []string) (told, error) {
	msg, more := v2.Decode(f.Action, f.Payload)
	quirks = quirkNames(quirks, more)
	empty := func(dst []byte, _ fleet.Receipt) []byte { return v2.AppendEmpty(dst) }
	now1 := func(body event.Body) told {
		return told{event: l.report(l.self(), time.Time{}, now, quirks, body), answer: empty}
	}
	at := func(t time.Time, body event.Body) told {
		return told{event: l.report(l.self(), t, now, quirks, body), answer: empty}
	}
	switch m := msg.(type) {
	case *v2.Heartbeat:
		return told{answer: func(dst []byte, _ fleet.Receipt) []byte { return v2.AppendHeartbeat(dst, time.Now()) }}, nil
	case *v2.StatusNotification:
		return told{event: l.report(l.place(&m.EVSE), m.At.At, now, quirks, &event.Status{Status: m.Status}), answer: empty}, nil
	case *v2.TransactionEvent:
		return l.transaction2(ctx, m, now, quirks)
	case *v2.MeterValues:
		samples, more := readings(m.Values)
		quirks = quirk(quirks, more...)
		return told{
			event: l.report(l.place(&v2.EVSE{ID: m.EVSE}), newest(samples), now, quirks, &event.Meter{Samples: samples}), answer: empty,
		}, nil
	case *v2.BootNotification:
		body := &event.Boot{
			Vendor: m.Vendor, Model: m.Model, Serial: m.Serial, Firmware: m.Firmware, ICCID: m.ICCID, IMSI: m.IMSI, Reason: m.Reason,
		}
		t := l.boot(ctx, now, quirks, body)
		t.answer = func(dst []byte, _ fleet.Receipt) []byte {
			return v2.AppendBoot(dst, body.Status, time.Now(), body.IntervalS, nil)
		}
		return t, nil
	case *v2.Authorize:
		return l.authorize2(ctx, m, now, quirks)
	case *v2.NotifyEvent:
		return at(m.Generated.At, components(m)), nil
	case *v2.NotifyReport:
		return at(m.Generated.At, &event.Report{
			Type: "base", RequestID: int(m.Request), SeqNo: int(m.SeqNo), More: m.More, Data: payload(f.Payload), Layout: layout(m.Data),
		}), nil
	case *v2.NotifyMonitoringReport:
		return at(m.Generated.At, &event.Report{
			Type: "monitoring", RequestID: int(m.Request), SeqNo: int(m.SeqNo), More: m.More, Data: payload(f.Payload),
		}), nil
	case *v2.ReportChargingProfiles:
		return now1(&event.Report{Type: "chargingProfiles", RequestID: int(m.Request), More: m.More, Data: payload(f.Payload)}), nil
	case *v2.SecurityEventNotification:
		return at(m.At.At, &event.Security{Type: m.Type, TechInfo: m.TechInfo}), nil
	case *v2.LogStatusNotification:
		return now1(&event.Log{Status: m.Status, RequestID: small(m.Request)}), nil
	case *v2.FirmwareStatusNotification:
		return now1(&event.Firmware{Status: m.Status, RequestID: small(m.Request)}), nil
	case *v2.ReservationStatusUpdate:
		return now1(&event.Reservation{ReservationID: int(m.Reservation), Status: m.Status}), nil
	case *v2.DataTransfer:
		t := now1(&event.DataTransfer{VendorID: m.VendorID, MessageID: m.MessageID, Data: payload(f.Payload.Get("data")), Status: "UnknownVendorId"})
		t.answer = func(dst []byte, _ fleet.Receipt) []byte { return v2.AppendDataTransfer(dst, "UnknownVendorId", nil) }
		return t, nil
	}
	t := now1(&event.Message{Action: f.Action, Payload: payload(f.Payload)})
	t.answer = refusal2(msg)
	if m, ok := msg.(*v2.SignCertificate); ok {
		t.after, t.answer = l.signing(ctx, CertificateRequest{PEM: m.CSR, Type: m.Type, ID: small(m.Request)}, func(dst []byte, status, why string) []byte {
			if why == "" {
				return v2.AppendStatus(dst, status, nil)
			}
			return v2.AppendStatus(dst, status, &v2.StatusInfo{Reason: "InvalidCSR", Info: cut(why, 512)})
		})
	}
	return t, nil
}

// refusal2 answers what monitoring has no use for as the specification says.
func refusal2(msg v2.Message) func([]byte, fleet.Receipt) []byte {
	return func(dst []byte, _ fleet.Receipt) []byte {
		switch m := msg.(type) {
		case *v2.NotifyEVChargingNeeds, *v2.OpenPeriodicEventStream:
			return v2.AppendStatus(dst, "Rejected", nil)
		case *v2.NotifyEVChargingSchedule:
			return v2.AppendStatus(dst, "Accepted", nil)
		case *v2.Get15118EVCertificate:
			return v2.AppendGet15118EVCertificate(dst, "Failed", "", nil)
		case *v2.GetCertificateStatus:
			return v2.AppendGetCertificateStatus(dst, "Failed", "", nil)
		case *v2.GetCertificateChainStatus:
			unknown := make([]v2.ChainStatus, len(m.Requests))
			for i := range unknown {
				unknown[i] = v2.ChainStatus{Status: "Failed", Next: time.Now()}
			}
			return v2.AppendGetCertificateChainStatus(dst, m, unknown)
		case *v2.NotifySettlement:
			return v2.AppendNotifySettlement(dst, "", "")
		case *v2.PullDynamicScheduleUpdate:
			return v2.AppendPullDynamicScheduleUpdate(dst, "Rejected", nil, nil)
		case *v2.VatNumberValidation:
			return v2.AppendVatNumberValidation(dst, "Rejected", m, nil)
		}
		return v2.AppendEmpty(dst)
	}
}

func (l *link) authorize2(ctx context.Context, m *v2.Authorize, now time.Time, quirks []string) (told, error) {
	d, err := l.access.Authorize(ctx, l.station, 0, Token{Value: m.IDToken.ID, Type: m.IDToken.Type}, false)
	if err != nil {
		return told{}, err
	}
	certificate := ""
	if m.Certificate != "" || len(m.OCSP) > 0 {
		certificate = "NoCertificateAvailable"
	}
	return told{
		event:  l.report(l.self(), time.Time{}, now, quirks, &event.Authorize{TokenID: d.TokenID, Status: d.Status, Reason: d.Reason}),
		answer: func(dst []byte, _ fleet.Receipt) []byte { return v2.AppendAuthorize(dst, tokenInfo(d), certificate) },
	}, nil
}

func (l *link) transaction2(ctx context.Context, m *v2.TransactionEvent, now time.Time, quirks []string) (told, error) {
	samples, more := readings(m.Values)
	quirks = quirk(quirks, more...)
	body := &event.Transaction{
		TransactionID: m.Transaction, Trigger: m.Trigger, Offline: m.Offline, ChargingState: m.ChargingState,
		Reason: m.StoppedReason, RemoteStartID: small(m.RemoteStart), ReservationID: small(m.Reservation),
		MaxCurrentA: m.CableMaxCurrent, Samples: samples,
	}
	if !slices.Contains(quirks, "missing:/seqNo") {
		body.SeqNo = new(int(m.SeqNo))
	}
	switch m.Type {
	case "Started":
		body.Stage = event.TransactionStarted
	case "Ended":
		body.Stage = event.TransactionEnded
	default:
		body.Stage = event.TransactionUpdated
	}
	var answer v2.TransactionAnswer
	if m.IDToken != nil && m.IDToken.Type != "NoAuthorization" {
		evse := 0
		if m.EVSE != nil {
			evse = int(m.EVSE.ID)
		}
		d, err := l.access.Authorize(ctx, l.station, evse, Token{Value: m.IDToken.ID, Type: m.IDToken.Type}, body.Stage == event.TransactionStarted)
		if err != nil {
			return told{}, err
		}
		body.TokenID, body.TokenStatus, body.TokenReason = d.TokenID, d.Status, d.Reason
		answer.Info = new(tokenInfo(d))
	}
	return told{
		event:  l.report(l.place(m.EVSE), m.At.At, now, quirks, body),
		answer: func(dst []byte, _ fleet.Receipt) []byte { return v2.AppendTransactionEvent(dst, answer) },
	}, nil
}

// place is the subject of an EVSE; nothing and 0 mean the station.
func (l *link) place(e *v2.EVSE) event.Subject {
	s := l.self()
	if e != nil && e.ID > 0 && e.ID < 1<<16 && e.Connector >= 0 && e.Connector < 1<<16 {
		s.EVSE, s.Connector = int(e.ID), int(e.Connector)
	}
	return s
}

func tokenInfo(d Decision) v2.IDTokenInfo {
	info := v2.IDTokenInfo{Status: d.Status, Expiry: d.ExpiresAt}
	if d.ParentID != "" {
		info.Group = &v2.IDToken{ID: d.ParentID, Type: "Central"}
	}
	return info
}

func components(m *v2.NotifyEvent) *event.Component {
	body := &event.Component{Items: make([]event.ComponentEvent, 0, len(m.Events))}
	for _, e := range m.Events {
		item := event.ComponentEvent{
			EventID: int(e.ID), At: e.At.At, Component: e.Component.Name, Instance: e.Component.Instance,
			Variable: e.Variable.Name, VariableInst: e.Variable.Instance, Value: e.Value, Trigger: e.Trigger,
			Notification: e.Notification, Cause: small(e.Cause), Cleared: e.Cleared, Severity: small(e.Severity),
			MonitorID: small(e.Monitor), TechCode: e.TechCode, TechInfo: e.TechInfo, Transaction: e.Transaction,
		}
		if e.Component.EVSE != nil {
			item.EVSE, item.Connector = int(e.Component.EVSE.ID), int(e.Component.EVSE.Connector)
		}
		body.Items = append(body.Items, item)
	}
	return body
}

// layout reads from a part of the device model what the station is built of:
// EVSE.Power (its MaxLimit is the rated power), Connector.ConnectorType, SupplyPhases of
// either, and that there is an EVSE or a connector at all, which AvailabilityState says.
func layout(data []v2.ReportData) []event.EVSELayout {
	var out []event.EVSELayout
	of := func(evse int64) *event.EVSELayout {
		for i := range out {
			if out[i].EVSE == int(evse) {
				return &out[i]
			}
		}
		out = append(out, event.EVSELayout{EVSE: int(evse)})
		return &out[len(out)-1]
	}
	for _, d := range data {
		if d.Component.EVSE == nil || d.Component.EVSE.ID <= 0 || d.Component.EVSE.ID > 64 {
			continue
		}
		switch {
		case d.Component.Name == "EVSE":
			e := of(d.Component.EVSE.ID)
			switch d.Variable.Name {
			case "Power":
				if w, ok := ratedPower(d); ok {
					e.RatedW = w
				}
			case "SupplyPhases":
				e.Phases = supplyPhases(d)
			case "EvseId":
				if len(d.Attributes) > 0 {
					e.PublicID = d.Attributes[0].Value
				}
			}
		case d.Component.Name == "Connector" && d.Component.EVSE.Connector > 0 && d.Component.EVSE.Connector <= 16:
			e := of(d.Component.EVSE.ID)
			id := int(d.Component.EVSE.Connector)
			i := slices.IndexFunc(e.Connectors, func(c event.ConnectorLayout) bool { return c.Connector == id })
			if i < 0 {
				e.Connectors = append(e.Connectors, event.ConnectorLayout{Connector: id})
				i = len(e.Connectors) - 1
			}
			switch {
			case d.Variable.Name == "ConnectorType" && len(d.Attributes) > 0:
				e.Connectors[i].Type = d.Attributes[0].Value
				e.Current = currentOf(d.Attributes[0].Value)
			case d.Variable.Name == "SupplyPhases" && e.Phases == 0:
				e.Phases = supplyPhases(d)
			}
		}
	}
	return out
}

// supplyPhases is a number of phases, 0 if it is none.
func supplyPhases(d v2.ReportData) int {
	for _, a := range d.Attributes {
		if a.Type == "" || a.Type == "Actual" {
			if n, err := strconv.Atoi(strings.TrimSpace(a.Value)); err == nil && n >= 1 && n <= 3 {
				return n
			}
		}
	}
	return 0
}

func ratedPower(d v2.ReportData) (float64, bool) {
	if c := d.Characteristics; c != nil && c.Max != nil && *c.Max > 0 {
		w := *c.Max
		if strings.EqualFold(c.Unit, "kW") {
			w *= 1000
		}
		return w, !math.IsInf(w, 0)
	}
	for _, a := range d.Attributes {
		if a.Type == "MaxSet" {
			if w, err := strconv.ParseFloat(a.Value, 64); err == nil && w > 0 && !math.IsInf(w, 0) {
				return w, true
			}
		}
	}
	return 0, false
}

// currentOf tells AC from DC by the connector type of OCPP 2.0.1.
func currentOf(connector string) string {
	switch connector {
	case "cCCS1", "cCCS2", "cG105", "cChaoJi", "cGBT-DC", "cLECCS", "cMCS", "cNACS-CCS1", "cUltraChaoJi":
		return "DC"
	case "cType1", "cType2", "s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7", "sType2", "sType3", "Other1PhMax16A", "Other1PhOver16A", "Other3Ph", "cGBT":
		return "AC"
	}
	return ""
}
