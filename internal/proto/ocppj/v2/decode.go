// Package v2 reads what OCPP 2.0.1 and 2.1 stations say and writes what they are
// told. 2.1 is so nearly a superset of 2.0.1 that one set of values serves both:
// what only 2.1 has is empty in a message of 2.0.1.
//
// Decode turns the payloads that monitoring needs into plain values and never
// fails: an absent or unreadable field is its zero value and a quirk, see package
// reading. The builders of answers are strict; what they write passes the check
// of package spec.
package v2

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
)

const (
	need = reading.Required
	opt  = reading.Optional
)

// Decode reads the payload of a request. It returns nothing for an action that
// is not one of this package; which version has an action is for package spec to
// say.
func Decode(action string, payload jsondoc.Node) (Message, []ocppj.Quirk) {
	var r reading.Reader
	m := decode(&r, action, payload)
	return m, r.Quirks()
}

func decode(r *reading.Reader, action string, p jsondoc.Node) Message {
	switch action {
	case "Heartbeat":
		return &Heartbeat{}
	case "TransactionEvent":
		return decodeTransactionEvent(r, p)
	case "StatusNotification":
		return &StatusNotification{
			At:     r.Time(p, "/timestamp", need),
			Status: r.Word(p, "/connectorStatus", need),
			EVSE: EVSE{
				ID:        r.Int(p, "/evseId", need),
				Connector: r.Int(p, "/connectorId", need),
			},
		}
	case "MeterValues":
		return &MeterValues{
			EVSE:   r.Int(p, "/evseId", need),
			Values: r.MeterValues(p, "/meterValue", need, reading.Form2),
		}
	case "NotifyEvent":
		return decodeNotifyEvent(r, p)
	case "BootNotification":
		return decodeBoot(r, p)
	case "Authorize":
		return decodeAuthorize(r, p)
	case "NotifyReport":
		return decodeReport(r, p)
	case "NotifyMonitoringReport":
		return decodeMonitoringReport(r, p)
	case "NotifyPeriodicEventStream":
		return decodeStream(r, p)
	}
	if m := decodeStatuses(r, action, p); m != nil {
		return m
	}
	if m := decodeCharging(r, action, p); m != nil {
		return m
	}
	if m := decodeRequests(r, action, p); m != nil {
		return m
	}
	return decode21(r, action, p)
}

func decodeBoot(r *reading.Reader, p jsondoc.Node) *BootNotification {
	s := r.Object(p, "/chargingStation", need)
	modem := r.Object(s, "/chargingStation/modem", opt)
	return &BootNotification{
		Reason:   r.Word(p, "/reason", need),
		Vendor:   r.Text(s, "/chargingStation/vendorName", need),
		Model:    r.Text(s, "/chargingStation/model", need),
		Serial:   r.Text(s, "/chargingStation/serialNumber", opt),
		Firmware: r.Text(s, "/chargingStation/firmwareVersion", opt),
		ICCID:    r.Text(modem, "/chargingStation/modem/iccid", opt),
		IMSI:     r.Text(modem, "/chargingStation/modem/imsi", opt),
	}
}

func decodeTransactionEvent(r *reading.Reader, p jsondoc.Node) *TransactionEvent {
	t := r.Object(p, "/transactionInfo", need)
	m := &TransactionEvent{
		Type:    r.Word(p, "/eventType", need),
		At:      r.Time(p, "/timestamp", need),
		Trigger: r.Word(p, "/triggerReason", need),
		SeqNo:   r.Int(p, "/seqNo", need),
		Offline: r.Bool(p, "/offline", opt),

		Transaction:   r.Text(t, "/transactionInfo/transactionId", need),
		ChargingState: r.Word(t, "/transactionInfo/chargingState", opt),
		StoppedReason: r.Word(t, "/transactionInfo/stoppedReason", opt),
		TimeCharging:  r.OptInt(t, "/transactionInfo/timeSpentCharging"),
		RemoteStart:   r.OptInt(t, "/transactionInfo/remoteStartId"),
		OperationMode: r.Word(t, "/transactionInfo/operationMode", opt),
		Tariff:        r.Text(t, "/transactionInfo/tariffId", opt),

		EVSE:            decodeEVSE(r, p, "/evse"),
		Reservation:     r.OptInt(p, "/reservationId"),
		Phases:          r.OptInt(p, "/numberOfPhasesUsed"),
		CableMaxCurrent: r.OptFloat(p, "/cableMaxCurrent"),
		Preconditioning: r.Word(p, "/preconditioningStatus", opt),
		EVSESleep:       r.OptBool(p, "/evseSleep"),
		Values:          r.MeterValues(p, "/meterValue", opt, reading.Form2),
	}
	if m.Type == "Ended" && m.StoppedReason == "" {
		m.StoppedReason = "Local" // what the specification says its absence means
	}
	if n := r.Object(p, "/idToken", opt); n.Exists() {
		m.IDToken = new(decodeToken(r, n, "/idToken"))
	}
	return m
}

// decodeEVSE reads the optional EVSE that path leads to.
func decodeEVSE(r *reading.Reader, obj jsondoc.Node, path string) *EVSE {
	n := r.Object(obj, path, opt)
	if !n.Exists() {
		return nil
	}
	before := r.Under(path)
	defer r.Back(before)
	return &EVSE{ID: r.Int(n, "/id", need), Connector: r.Int(n, "/connectorId", opt)}
}

func decodeToken(r *reading.Reader, n jsondoc.Node, path string) IDToken {
	before := r.Under(path)
	defer r.Back(before)
	return IDToken{ID: r.Text(n, "/idToken", need), Type: r.Word(n, "/type", need)}
}

func decodeAuthorize(r *reading.Reader, p jsondoc.Node) *Authorize {
	m := &Authorize{
		IDToken:     decodeToken(r, r.Object(p, "/idToken", need), "/idToken"),
		Certificate: r.Text(p, "/certificate", opt),
	}
	r.List(p, "/iso15118CertificateHashData", opt, func(n jsondoc.Node) {
		m.OCSP = append(m.OCSP, decodeOCSP(r, n, "/iso15118CertificateHashData/*"))
	})
	return m
}

func decodeOCSP(r *reading.Reader, n jsondoc.Node, path string) OCSPRequest {
	before := r.Under(path)
	defer r.Back(before)
	return OCSPRequest{
		Hash:         r.Text(n, "/hashAlgorithm", need),
		IssuerName:   r.Text(n, "/issuerNameHash", need),
		IssuerKey:    r.Text(n, "/issuerKeyHash", need),
		Serial:       r.Text(n, "/serialNumber", need),
		ResponderURL: r.Text(n, "/responderURL", opt),
	}
}

func decodeStream(r *reading.Reader, p jsondoc.Node) *NotifyPeriodicEventStream {
	m := &NotifyPeriodicEventStream{
		ID:      r.Int(p, "/id", need),
		Pending: r.Int(p, "/pending", need),
		Base:    r.Time(p, "/basetime", need),
	}
	r.List(p, "/data", need, func(n jsondoc.Node) {
		v := StreamValue{Offset: r.Float(n, "/data/*/t", need), Value: r.Text(n, "/data/*/v", need)}
		if limit := float64(math.MaxInt64 / int64(time.Second)); !m.Base.At.IsZero() && math.Abs(v.Offset) < limit {
			v.At.At = m.Base.At.Add(time.Duration(v.Offset * float64(time.Second)))
		}
		m.Values = append(m.Values, v)
	})
	return m
}
