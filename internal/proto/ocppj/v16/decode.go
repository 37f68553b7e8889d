// Package v16 reads what OCPP 1.6 stations say and writes what they are told.
//
// Decode turns the payloads that monitoring needs into plain values and never
// fails: an absent or unreadable field is its zero value and a quirk, see package
// reading. The builders of answers are strict; what they write passes the check
// of package spec.
package v16

import (
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
)

// Message is a decoded request of a station: one of the pointers to the structs
// of this package.
type Message interface{ Action() string }

// BootNotification is what a station says of itself when it starts.
type BootNotification struct {
	Vendor      string
	Model       string
	Serial      string // of the charge point
	BoxSerial   string // the older field for it
	Firmware    string
	ICCID       string
	IMSI        string
	MeterType   string
	MeterSerial string
}

// Heartbeat says that the station is alive.
type Heartbeat struct{}

// StatusNotification is the status of a connector, or of the station itself if
// Connector is 0.
type StatusNotification struct {
	Connector   int64
	Status      string
	ErrorCode   string
	Info        string
	VendorID    string
	VendorError string
	At          reading.Time
}

// MeterValues are samples, of a transaction if one is named.
type MeterValues struct {
	Connector   int64
	Transaction *int64
	Values      []reading.MeterValue
}

// Authorize asks whether a token may charge.
type Authorize struct{ IDTag string }

// StartTransaction reports that a transaction began.
type StartTransaction struct {
	Connector   int64
	IDTag       string
	MeterStart  int64 // Wh
	Reservation *int64
	At          reading.Time
}

// StopTransaction reports that a transaction ended.
type StopTransaction struct {
	Transaction int64
	IDTag       string
	MeterStop   int64 // Wh
	Reason      string
	At          reading.Time
	Values      []reading.MeterValue
}

// DataTransfer is a message of a vendor's own. Data is the text, or the source
// of the JSON that some stations send in its place.
type DataTransfer struct {
	VendorID  string
	MessageID string
	Data      string
}

// DiagnosticsStatusNotification tells how an upload of diagnostics goes.
type DiagnosticsStatusNotification struct{ Status string }

// FirmwareStatusNotification tells how an update goes.
type FirmwareStatusNotification struct{ Status string }

// SecurityEventNotification reports a security event.
type SecurityEventNotification struct {
	Type     string
	TechInfo string
	At       reading.Time
}

// LogStatusNotification tells how an upload of a log goes.
type LogStatusNotification struct {
	Status  string
	Request *int64
}

// SignedFirmwareStatusNotification tells how a signed update goes.
type SignedFirmwareStatusNotification struct {
	Status  string
	Request *int64
}

// SignCertificate asks to have a certificate request signed.
type SignCertificate struct{ CSR string }

// Action names the message as OCPP does.
func (*BootNotification) Action() string { return "BootNotification" }

// Action names the message as OCPP does.
func (*Heartbeat) Action() string { return "Heartbeat" }

// Action names the message as OCPP does.
func (*StatusNotification) Action() string { return "StatusNotification" }

// Action names the message as OCPP does.
func (*MeterValues) Action() string { return "MeterValues" }

// Action names the message as OCPP does.
func (*Authorize) Action() string { return "Authorize" }

// Action names the message as OCPP does.
func (*StartTransaction) Action() string { return "StartTransaction" }

// Action names the message as OCPP does.
func (*StopTransaction) Action() string { return "StopTransaction" }

// Action names the message as OCPP does.
func (*DataTransfer) Action() string { return "DataTransfer" }

// Action names the message as OCPP does.
func (*DiagnosticsStatusNotification) Action() string { return "DiagnosticsStatusNotification" }

// Action names the message as OCPP does.
func (*FirmwareStatusNotification) Action() string { return "FirmwareStatusNotification" }

// Action names the message as OCPP does.
func (*SecurityEventNotification) Action() string { return "SecurityEventNotification" }

// Action names the message as OCPP does.
func (*LogStatusNotification) Action() string { return "LogStatusNotification" }

// Action names the message as OCPP does.
func (*SignedFirmwareStatusNotification) Action() string { return "SignedFirmwareStatusNotification" }

// Action names the message as OCPP does.
func (*SignCertificate) Action() string { return "SignCertificate" }

const (
	need = reading.Required
	opt  = reading.Optional
)

// Decode reads the payload of a request. It returns nothing for an action that
// is not one of those above.
func Decode(action string, payload jsondoc.Node) (Message, []ocppj.Quirk) {
	var r reading.Reader
	m := decode(&r, action, payload)
	return m, r.Quirks()
}

func decode(r *reading.Reader, action string, p jsondoc.Node) Message {
	switch action {
	case "Heartbeat":
		return &Heartbeat{}
	case "StatusNotification":
		return decodeStatus(r, p)
	case "MeterValues":
		m := &MeterValues{
			Connector:   r.Int(p, "/connectorId", need),
			Transaction: r.OptInt(p, "/transactionId"),
			Values:      r.MeterValues(p, "/meterValue", need, reading.Form16),
		}
		if m.Transaction != nil {
			sign(r, *m.Transaction)
		}
		return m
	case "BootNotification":
		return decodeBoot(r, p)
	case "Authorize":
		return &Authorize{IDTag: r.Text(p, "/idTag", need)}
	case "StartTransaction":
		return &StartTransaction{
			Connector:   r.Int(p, "/connectorId", need),
			IDTag:       r.Text(p, "/idTag", need),
			MeterStart:  r.Int(p, "/meterStart", need),
			Reservation: r.OptInt(p, "/reservationId"),
			At:          r.Time(p, "/timestamp", need),
		}
	case "StopTransaction":
		return decodeStop(r, p)
	case "DataTransfer":
		return decodeDataTransfer(r, p)
	case "DiagnosticsStatusNotification":
		return &DiagnosticsStatusNotification{Status: r.Word(p, "/status", need)}
	case "FirmwareStatusNotification":
		return &FirmwareStatusNotification{Status: r.Word(p, "/status", need)}
	case "SecurityEventNotification":
		return &SecurityEventNotification{
			Type:     r.Text(p, "/type", need),
			TechInfo: r.Text(p, "/techInfo", opt),
			At:       r.Time(p, "/timestamp", need),
		}
	case "LogStatusNotification":
		return &LogStatusNotification{
			Status:  r.Word(p, "/status", need),
			Request: r.OptInt(p, "/requestId"),
		}
	case "SignedFirmwareStatusNotification":
		return &SignedFirmwareStatusNotification{
			Status:  r.Word(p, "/status", need),
			Request: r.OptInt(p, "/requestId"),
		}
	case "SignCertificate":
		return &SignCertificate{CSR: r.Text(p, "/csr", need)}
	}
	return nil
}

func decodeBoot(r *reading.Reader, p jsondoc.Node) *BootNotification {
	return &BootNotification{
		Vendor:      r.Text(p, "/chargePointVendor", need),
		Model:       r.Text(p, "/chargePointModel", need),
		Serial:      r.Text(p, "/chargePointSerialNumber", opt),
		BoxSerial:   r.Text(p, "/chargeBoxSerialNumber", opt),
		Firmware:    r.Text(p, "/firmwareVersion", opt),
		ICCID:       r.Text(p, "/iccid", opt),
		IMSI:        r.Text(p, "/imsi", opt),
		MeterType:   r.Text(p, "/meterType", opt),
		MeterSerial: r.Text(p, "/meterSerialNumber", opt),
	}
}

func decodeStatus(r *reading.Reader, p jsondoc.Node) *StatusNotification {
	return &StatusNotification{
		Connector:   r.Int(p, "/connectorId", need),
		Status:      r.Word(p, "/status", need),
		ErrorCode:   r.Word(p, "/errorCode", need),
		Info:        r.Text(p, "/info", opt),
		VendorID:    r.Text(p, "/vendorId", opt),
		VendorError: r.Text(p, "/vendorErrorCode", opt),
		At:          r.Time(p, "/timestamp", opt),
	}
}

func decodeStop(r *reading.Reader, p jsondoc.Node) *StopTransaction {
	m := &StopTransaction{
		Transaction: r.Int(p, "/transactionId", need),
		IDTag:       r.Text(p, "/idTag", opt),
		MeterStop:   r.Int(p, "/meterStop", need),
		Reason:      r.Word(p, "/reason", opt),
		At:          r.Time(p, "/timestamp", need),
		Values:      r.MeterValues(p, "/transactionData", opt, reading.Form16),
	}
	if m.Reason == "" {
		m.Reason = "Local" // what the specification says its absence means
	}
	sign(r, m.Transaction)
	return m
}

// sign records a transaction id that we cannot have handed out: stations make
// such ids up while they are offline.
func sign(r *reading.Reader, id int64) {
	if id < 0 {
		r.Quirk(ocppj.QuirkNegativeID, "/transactionId", "an id the station made up")
	}
}

func decodeDataTransfer(r *reading.Reader, p jsondoc.Node) *DataTransfer {
	m := &DataTransfer{
		VendorID:  r.Text(p, "/vendorId", need),
		MessageID: r.Text(p, "/messageId", opt),
	}
	switch n := p.Get("data"); n.Kind() {
	case jsondoc.None, jsondoc.Null:
	case jsondoc.String:
		m.Data = string(n.Text())
	default:
		r.Quirk(ocppj.QuirkWrongType, "/data", "given as "+n.Kind().String())
		m.Data = string(n.Raw())
	}
	return m
}
