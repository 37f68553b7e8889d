package v2

import (
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
)

// Message is a decoded request of a station: one of the pointers to the structs
// of this package.
type Message interface{ Action() string }

// EVSE names a place: the station if ID is 0, and all connectors of the EVSE if
// Connector is 0.
type EVSE struct {
	ID        int64
	Connector int64
}

// IDToken identifies a driver.
type IDToken struct {
	ID   string
	Type string
}

// StatusInfo is a reason beside a status.
type StatusInfo struct {
	Reason string
	Info   string
}

// BootNotification is what a station says of itself when it starts.
type BootNotification struct {
	Reason   string
	Vendor   string
	Model    string
	Serial   string
	Firmware string
	ICCID    string
	IMSI     string
}

// Heartbeat says that the station is alive.
type Heartbeat struct{}

// StatusNotification is the status of a connector.
type StatusNotification struct {
	At     reading.Time
	Status string
	EVSE   EVSE
}

// TransactionEvent is one step of a transaction.
type TransactionEvent struct {
	Type    string // Started, Updated, Ended
	At      reading.Time
	Trigger string
	SeqNo   int64
	Offline bool

	Transaction   string
	ChargingState string
	StoppedReason string
	TimeCharging  *int64 // seconds
	RemoteStart   *int64
	OperationMode string // 2.1
	Tariff        string // 2.1

	EVSE            *EVSE
	IDToken         *IDToken
	Reservation     *int64
	Phases          *int64
	CableMaxCurrent *float64
	Preconditioning string // 2.1
	EVSESleep       *bool  // 2.1
	Values          []reading.MeterValue
}

// MeterValues are samples outside a transaction.
type MeterValues struct {
	EVSE   int64
	Values []reading.MeterValue
}

// Authorize asks whether a token may charge.
type Authorize struct {
	IDToken     IDToken
	Certificate string
	OCSP        []OCSPRequest
}

// OCSPRequest is what is needed to ask whether a certificate is revoked.
type OCSPRequest struct {
	Hash         string
	IssuerName   string
	IssuerKey    string
	Serial       string
	ResponderURL string
}

// Component is a part of a station in the device model.
type Component struct {
	Name     string
	Instance string
	EVSE     *EVSE
}

// Variable is a property of a component.
type Variable struct {
	Name     string
	Instance string
}

// NotifyEvent reports what monitors saw.
type NotifyEvent struct {
	Generated reading.Time
	SeqNo     int64
	More      bool // another part follows
	Events    []Event
}

// Event is one observation of a monitor.
type Event struct {
	ID           int64
	At           reading.Time
	Trigger      string // Alerting, Delta, Periodic
	Cause        *int64
	Value        string
	TechCode     string
	TechInfo     string
	Cleared      bool
	Transaction  string
	Component    Component
	Variable     Variable
	Monitor      *int64
	Notification string
	Severity     *int64 // 2.1; in 2.0.1 it is that of the monitor
}

// NotifyReport is a part of the device model.
type NotifyReport struct {
	Request   int64
	Generated reading.Time
	SeqNo     int64
	More      bool
	Data      []ReportData
}

// ReportData is one variable with its values.
type ReportData struct {
	Component       Component
	Variable        Variable
	Attributes      []Attribute
	Characteristics *Characteristics
}

// Attribute is one value of a variable.
type Attribute struct {
	Type       string // Actual if not given
	Value      string
	Mutability string
	Persistent bool
	Constant   bool
}

// Characteristics say what a variable can hold.
type Characteristics struct {
	Unit       string
	DataType   string
	Min, Max   *float64
	ValuesList string
	Monitoring bool
}

// NotifyMonitoringReport lists monitors.
type NotifyMonitoringReport struct {
	Request   int64
	Generated reading.Time
	SeqNo     int64
	More      bool
	Data      []MonitoringData
}

// MonitoringData are the monitors of one variable.
type MonitoringData struct {
	Component Component
	Variable  Variable
	Monitors  []Monitor
}

// Monitor watches a variable.
type Monitor struct {
	ID           int64
	Transaction  bool
	Value        float64
	Type         string
	Severity     int64
	Notification string // 2.1
}

// SecurityEventNotification reports a security event.
type SecurityEventNotification struct {
	Type     string
	At       reading.Time
	TechInfo string
}

// LogStatusNotification tells how an upload of a log goes.
type LogStatusNotification struct {
	Status  string
	Request *int64
	Info    *StatusInfo // 2.1
}

// FirmwareStatusNotification tells how an update goes.
type FirmwareStatusNotification struct {
	Status  string
	Request *int64
	Info    *StatusInfo // 2.1
}

// PublishFirmwareStatusNotification tells how a local controller publishes
// firmware.
type PublishFirmwareStatusNotification struct {
	Status    string
	Locations []string
	Request   *int64
	Info      *StatusInfo // 2.1
}

// ReservationStatusUpdate says that a reservation came to an end.
type ReservationStatusUpdate struct {
	Reservation int64
	Status      string
}

// NotifyChargingLimit says that somebody else limits charging. Schedules is the
// source of the array of charging schedules.
type NotifyChargingLimit struct {
	EVSE            *int64
	Source          string
	GridCritical    *bool
	LocalGeneration *bool // 2.1
	Schedules       []byte
}

// ClearedChargingLimit says that such a limit is gone.
type ClearedChargingLimit struct {
	EVSE   *int64
	Source string
}

// ReportChargingProfiles reports profiles; they stay JSON, as they are kept and
// sent back as JSON.
type ReportChargingProfiles struct {
	Request  int64
	EVSE     int64
	Source   string
	More     bool
	Profiles []ChargingProfile
}

// ChargingProfile is the head of a profile and its source.
type ChargingProfile struct {
	ID          int64
	StackLevel  int64
	Purpose     string
	Kind        string
	Transaction string
	JSON        []byte
}

// NotifyEVChargingNeeds tells what a vehicle wants. Needs is the source of the
// whole, as it has many forms.
type NotifyEVChargingNeeds struct {
	EVSE           int64
	EnergyTransfer string
	Departure      reading.Time
	// SoC is the state of charge in percent, for DC.
	SoC *int64
	// EnergyWh is the energy that is asked for.
	EnergyWh *float64
	Needs    []byte
}

// NotifyEVChargingSchedule tells how a vehicle plans to charge.
type NotifyEVChargingSchedule struct {
	EVSE     int64
	TimeBase reading.Time
	Schedule []byte
}

// NotifyCustomerInformation is a part of what a station knows of a customer.
type NotifyCustomerInformation struct {
	Request   int64
	Generated reading.Time
	SeqNo     int64
	More      bool
	Data      string
}

// NotifyDisplayMessages lists the messages on a display.
type NotifyDisplayMessages struct {
	Request  int64
	More     bool
	Messages []DisplayMessage
}

// DisplayMessage is one of them.
type DisplayMessage struct {
	ID          int64
	Priority    string
	State       string
	Start, End  reading.Time
	Transaction string
	Format      string
	Language    string
	Content     string
}

// DataTransfer is a message of a vendor's own. Data is the source of its JSON.
type DataTransfer struct {
	VendorID  string
	MessageID string
	Data      []byte
}

// SignCertificate asks to have a certificate request signed.
type SignCertificate struct {
	CSR     string
	Type    string
	Request *int64 // 2.1
}

// Get15118EVCertificate relays a vehicle's request for a contract certificate.
type Get15118EVCertificate struct {
	Schema  string
	Update  bool // otherwise the first installation
	Request string
}

// GetCertificateStatus asks whether a certificate is revoked.
type GetCertificateStatus struct{ OCSP OCSPRequest }
