package v2

import "github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"

// The messages that 2.1 adds.

// NotifyPeriodicEventStream carries values of a stream; it is a SEND and gets no
// answer.
type NotifyPeriodicEventStream struct {
	ID      int64
	Pending int64
	Base    reading.Time
	Values  []StreamValue
}

// StreamValue is a value and the seconds after the base time at which it was
// seen. At is zero if there is no base time.
type StreamValue struct {
	Offset float64
	At     reading.Time
	Value  string
}

// OpenPeriodicEventStream announces a stream of what a monitor sees.
type OpenPeriodicEventStream struct {
	ID       int64
	Monitor  int64
	Interval *int64 // seconds between two messages
	Values   *int64 // values after which a message is sent
}

// ClosePeriodicEventStream ends a stream.
type ClosePeriodicEventStream struct{ ID int64 }

// NotifyDERAlarm reports that the grid is outside its bounds, or again inside.
type NotifyDERAlarm struct {
	Control string
	Fault   string
	Ended   bool
	At      reading.Time
	Info    string
}

// NotifyDERStartStop reports that a grid control began or ended.
type NotifyDERStartStop struct {
	Control    string
	Started    bool
	At         reading.Time
	Superseded []string
}

// ReportDERControl is a part of the grid controls of a station, as source.
type ReportDERControl struct {
	Request int64
	More    bool
	JSON    []byte
}

// BatterySwap reports batteries put in or taken out.
type BatterySwap struct {
	Request   int64
	Event     string
	IDToken   IDToken
	Batteries []Battery
}

// Battery is one of them.
type Battery struct {
	EVSE     int64
	Serial   string
	SoC, SoH float64
	Produced reading.Time
	Vendor   string
}

// NotifySettlement reports a payment at the station.
type NotifySettlement struct {
	Transaction string
	PSPRef      string
	Status      string
	Info        string
	Amount      float64
	At          reading.Time
	ReceiptID   string
	ReceiptURL  string
	VATNumber   string
}

// VatNumberValidation asks whether a VAT number is valid.
type VatNumberValidation struct {
	Number string
	EVSE   *int64
}

// NotifyPriorityCharging reports that priority charging began or ended.
type NotifyPriorityCharging struct {
	Transaction string
	Activated   bool
}

// PullDynamicScheduleUpdate asks for the present values of a dynamic profile.
type PullDynamicScheduleUpdate struct{ Profile int64 }

// GetCertificateChainStatus asks which of several certificates are revoked.
type GetCertificateChainStatus struct{ Requests []ChainRequest }

// ChainRequest is one of them.
type ChainRequest struct {
	OCSP   OCSPRequest
	Source string // CRL or OCSP
	URLs   []string
}
