package event

import (
	"encoding/json"
	"slices"
	"time"
)

// Kind names a body in storage and in the API.
type Kind string

// Body is the closed set of things an event can say.
type Body interface {
	Kind() Kind
	isBody()
}

// The kinds. A kind is for ever; see testdata/events.
const (
	KindServerStarted   Kind = "server.started"
	KindServerStopped   Kind = "server.stopped"
	KindConfigured      Kind = "station.configured"
	KindRemoved         Kind = "station.removed"
	KindConnected       Kind = "connected"
	KindDisconnected    Kind = "disconnected"
	KindBoot            Kind = "boot"
	KindStatus          Kind = "status"
	KindMeter           Kind = "meter"
	KindTransaction     Kind = "transaction"
	KindAuthorize       Kind = "authorize"
	KindComponent       Kind = "component"
	KindReport          Kind = "report"
	KindSecurity        Kind = "security"
	KindFirmware        Kind = "firmware"
	KindLog             Kind = "log"
	KindDataTransfer    Kind = "dataTransfer"
	KindReservation     Kind = "reservation"
	KindMessage         Kind = "message"
	KindCommand         Kind = "command"
	KindCommandResult   Kind = "commandResult"
	KindSessionInferred Kind = "session.inferred"
	KindFinding         Kind = "finding"
	KindDriverReport    Kind = "driver.report"
	KindExternalAlert   Kind = "alert.external"
	KindPolicy          Kind = "policy"
	KindIncidentAction  Kind = "incident.action"
	KindIncident        Kind = "incident"

	KindCameraConfigured Kind = "camera.configured"
	KindCameraRemoved    Kind = "camera.removed"
	KindCameraState      Kind = "camera.state"
	KindScene            Kind = "camera.scene"
	KindLabels           Kind = "camera.labels"
	KindRecordingGap     Kind = "recording.gap"
	KindArming           Kind = "site.arming"

	KindRecordingRetention Kind = "recording.retention"
	KindRecordingCopy      Kind = "recording.copy"

	KindControllerConfigured Kind = "controller.configured"
	KindControllerRemoved    Kind = "controller.removed"
	KindControllerFault      Kind = "controller.fault"
	KindDoorConfigured       Kind = "door.configured"
	KindDoorRemoved          Kind = "door.removed"
	KindDoorState            Kind = "door.state"
	KindDoorAlarm            Kind = "door.alarm"
	KindAccess               Kind = "access"
	KindDoorCommand          Kind = "door.command"
	KindPresence             Kind = "site.presence"

	KindOutputSwitch  Kind = "output.switch"
	KindOutputRequest Kind = "output.request"
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{
		KindServerStarted, KindServerStopped, KindConfigured, KindRemoved, KindConnected, KindDisconnected,
		KindBoot, KindStatus, KindMeter, KindTransaction, KindAuthorize, KindComponent, KindReport, KindSecurity,
		KindFirmware, KindLog, KindDataTransfer, KindReservation, KindMessage, KindCommand, KindCommandResult,
		KindSessionInferred, KindFinding, KindDriverReport, KindPolicy, KindIncidentAction, KindIncident, KindExternalAlert,
		KindCameraConfigured, KindCameraRemoved, KindCameraState, KindScene, KindLabels, KindRecordingGap, KindArming,
		KindRecordingRetention, KindRecordingCopy,
		KindControllerConfigured, KindControllerRemoved, KindControllerFault, KindDoorConfigured, KindDoorRemoved, KindDoorState,
		KindDoorAlarm, KindAccess, KindDoorCommand, KindPresence,
		KindOutputSwitch, KindOutputRequest,
		KindRelayGap, KindSettings, KindProof,
	}
}

// ServerStarted opens a time of observation. Between LastAlive and the event
// nothing was observed.
type ServerStarted struct {
	Version   string    `json:"version"`
	LastAlive time.Time `json:"lastAlive,omitzero"`
}

// ServerStopped closes a time of observation in an orderly way.
type ServerStopped struct {
	Reason string `json:"reason,omitempty"`
}

// StationConfigured carries what people decided about a station; secrets stay
// in the store.
type StationConfigured struct {
	SiteID     string     `json:"siteId,omitempty"`
	Label      string     `json:"label,omitempty"`
	Onboarding Onboarding `json:"onboarding"`
	Simulated  bool       `json:"simulated,omitempty"`
	FreeVend   bool       `json:"freeVend,omitempty"`
	// Layout overrides the model catalogue when not empty.
	Layout []EVSELayout `json:"layout,omitempty"`
	By     string       `json:"by,omitempty"`
}

// EVSELayout says what an EVSE is made of. Zero and empty mean unknown.
type EVSELayout struct {
	EVSE       int               `json:"evse"`
	PublicID   string            `json:"publicId,omitempty"`
	RatedW     float64           `json:"ratedW,omitempty"`
	Current    string            `json:"current,omitempty"` // "AC" or "DC"
	Phases     int               `json:"phases,omitempty"`  // of AC
	Group      string            `json:"group,omitempty"`   // EVSEs of a group share power
	GroupW     float64           `json:"groupW,omitempty"`
	Exclusive  bool              `json:"exclusive,omitempty"` // only one EVSE of the group can charge at a time
	Connectors []ConnectorLayout `json:"connectors,omitempty"`
}

// SameLayout reports whether two layouts say the same.
func SameLayout(a, b []EVSELayout) bool {
	return slices.EqualFunc(a, b, func(a, b EVSELayout) bool {
		return a.EVSE == b.EVSE && a.PublicID == b.PublicID && a.RatedW == b.RatedW && a.Current == b.Current && a.Phases == b.Phases &&
			a.Group == b.Group && a.GroupW == b.GroupW && a.Exclusive == b.Exclusive && slices.Equal(a.Connectors, b.Connectors)
	})
}

// ConnectorLayout names a plug by its OCPP 2.0.1 ConnectorEnumType.
type ConnectorLayout struct {
	Connector int    `json:"connector"`
	Type      string `json:"type,omitempty"`
}

// Onboarding is the state of a station's admission.
type Onboarding string

// The states of admission.
const (
	OnboardingAccepted Onboarding = "accepted"
	OnboardingPending  Onboarding = "pending"
	OnboardingRejected Onboarding = "rejected"
)

// StationRemoved ends a station's presence in the fleet; its history stays.
type StationRemoved struct {
	By string `json:"by,omitempty"`
}

// Connected says that a station's socket was accepted.
type Connected struct {
	ConnID          string `json:"connId"`
	Protocol        string `json:"protocol"`
	SecurityProfile int    `json:"securityProfile"`
	RemoteAddr      string `json:"remoteAddr,omitempty"`
	Replaced        string `json:"replaced,omitempty"` // the connection this one took over from
	// Upstream is the other system that the station is relayed to.
	Upstream string `json:"upstream,omitempty"`
	// TLS is the version of TLS, such as 1.3, and Cipher its suite; empty: the connection
	// came to us in clear.
	TLS    string `json:"tls,omitempty"`
	Cipher string `json:"cipher,omitempty"`
	// Cert is the certificate the station proved itself with.
	Cert *Certificate `json:"cert,omitempty"`
}

// Certificate is what a TLS certificate says of itself.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer,omitempty"`
	Serial    string    `json:"serial,omitempty"` // hexadecimal
	NotBefore time.Time `json:"notBefore,omitzero"`
	NotAfter  time.Time `json:"notAfter,omitzero"`
}

// Disconnected says that a station's socket ended and when it was last heard.
type Disconnected struct {
	ConnID      string    `json:"connId"`
	Reason      string    `json:"reason"`
	LastFrameAt time.Time `json:"lastFrameAt,omitzero"`
}

// Boot is a BootNotification with the status that it met.
type Boot struct {
	Vendor      string `json:"vendor,omitempty"`
	Model       string `json:"model,omitempty"`
	Serial      string `json:"serial,omitempty"`
	Firmware    string `json:"firmware,omitempty"`
	ICCID       string `json:"iccid,omitempty"`
	IMSI        string `json:"imsi,omitempty"`
	MeterType   string `json:"meterType,omitempty"`
	MeterSerial string `json:"meterSerial,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Status      string `json:"status"`
	IntervalS   int    `json:"intervalS,omitempty"`
	// Upstream is the other system that gave the status, if it was not us.
	Upstream string `json:"upstream,omitempty"`
}

// Status is the reported state of one connector, in the words of the station's
// protocol; connector 0 of OCPP 1.6 is the station itself.
type Status struct {
	Status          string `json:"status"`
	ErrorCode       string `json:"errorCode,omitempty"`
	Info            string `json:"info,omitempty"`
	VendorID        string `json:"vendorId,omitempty"`
	VendorErrorCode string `json:"vendorErrorCode,omitempty"`
}

// Meter carries measurements, with the transaction they belong to if stated.
type Meter struct {
	TransactionID string  `json:"transactionId,omitempty"`
	Samples       Samples `json:"samples"`
}

// TransactionStage is where in its life a transaction is.
type TransactionStage string

// The stages of OCPP 2.0.1 TransactionEventEnumType; StartTransaction and
// StopTransaction of 1.6 are the first and the last.
const (
	TransactionStarted TransactionStage = "started"
	TransactionUpdated TransactionStage = "updated"
	TransactionEnded   TransactionStage = "ended"
)

// Transaction is one report about a transaction. In 1.6 the writer gives the
// transaction id of a start, so the id is part of what is recorded.
type Transaction struct {
	Stage         TransactionStage `json:"stage"`
	TransactionID string           `json:"transactionId,omitempty"`
	Trigger       string           `json:"trigger,omitempty"`
	SeqNo         *int             `json:"seqNo,omitempty"`
	Offline       bool             `json:"offline,omitempty"`
	ChargingState string           `json:"chargingState,omitempty"`
	Reason        string           `json:"reason,omitempty"`
	TokenID       string           `json:"tokenId,omitempty"` // opaque; the value is in the token table
	TokenStatus   string           `json:"tokenStatus,omitempty"`
	TokenReason   string           `json:"tokenReason,omitempty"`
	MeterWh       *float64         `json:"meterWh,omitempty"`
	ReservationID *int             `json:"reservationId,omitempty"`
	RemoteStartID *int             `json:"remoteStartId,omitempty"`
	MaxCurrentA   *float64         `json:"maxCurrentA,omitempty"` // cable limit
	Samples       Samples          `json:"samples,omitempty"`
	// AssignID asks the writer for a transaction id (OCPP 1.6 starts).
	AssignID bool `json:"assignId,omitempty"`
	// Upstream is the other system that answered, if it was not us: ids and token
	// status are its own, and of ours none is given.
	Upstream string `json:"upstream,omitempty"`
}

// Authorize is a token shown at a station and the decision it met.
type Authorize struct {
	TokenID string `json:"tokenId"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
}

// Component carries NotifyEvent data of OCPP 2.x.
type Component struct {
	Items []ComponentEvent `json:"items"`
}

// ComponentEvent is one change of one variable.
type ComponentEvent struct {
	EventID      int       `json:"eventId"`
	At           time.Time `json:"at,omitzero"`
	Component    string    `json:"component"`
	Instance     string    `json:"instance,omitempty"`
	EVSE         int       `json:"evse,omitempty"`
	Connector    int       `json:"connector,omitempty"`
	Variable     string    `json:"variable"`
	VariableInst string    `json:"variableInstance,omitempty"`
	Value        string    `json:"value"`
	Trigger      string    `json:"trigger,omitempty"`
	Notification string    `json:"notification,omitempty"`
	Cause        *int      `json:"cause,omitempty"`
	Cleared      bool      `json:"cleared,omitempty"`
	Severity     *int      `json:"severity,omitempty"`
	MonitorID    *int      `json:"monitorId,omitempty"`
	TechCode     string    `json:"techCode,omitempty"`
	TechInfo     string    `json:"techInfo,omitempty"`
	Transaction  string    `json:"transactionId,omitempty"`
}

// Report carries one part of a device model or monitoring report.
type Report struct {
	Type      string          `json:"type"` // "base", "monitoring", "chargingProfiles", "customer", ...
	RequestID int             `json:"requestId"`
	SeqNo     int             `json:"seqNo"`
	More      bool            `json:"more,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Layout    []EVSELayout    `json:"layout,omitempty"` // what the part says about EVSEs and connectors
}

// Security is a SecurityEventNotification.
type Security struct {
	Type     string `json:"type"`
	TechInfo string `json:"techInfo,omitempty"`
}

// Firmware is a step of a firmware update.
type Firmware struct {
	Status    string `json:"status"`
	RequestID *int   `json:"requestId,omitempty"`
	Signed    bool   `json:"signed,omitempty"`
}

// Log is a step of a diagnostics or log upload.
type Log struct {
	Status    string `json:"status"`
	RequestID *int   `json:"requestId,omitempty"`
	Type      string `json:"type,omitempty"` // "diagnostics" for the 1.6 core message
}

// DataTransfer is a vendor's own message.
type DataTransfer struct {
	VendorID  string          `json:"vendorId"`
	MessageID string          `json:"messageId,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Status    string          `json:"status"`
}

// Reservation is a change of a reservation, asked by us or told by the station.
type Reservation struct {
	ReservationID int       `json:"reservationId"`
	Status        string    `json:"status"`
	TokenID       string    `json:"tokenId,omitempty"`
	ExpiresAt     time.Time `json:"expiresAt,omitzero"`
}

// Message is any other action, kept as it came.
type Message struct {
	Action  string          `json:"action"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Command is a request that we send to a station.
type Command struct {
	CommandID string          `json:"commandId"`
	Action    string          `json:"action"`
	Payload   json.RawMessage `json:"payload,omitempty"`
	By        string          `json:"by"`
	Deadline  time.Time       `json:"deadline,omitzero"`
}

// CommandResult is what became of a command.
type CommandResult struct {
	CommandID   string          `json:"commandId"`
	Status      string          `json:"status"` // answered, error, timeout, offline, refused
	Response    json.RawMessage `json:"response,omitempty"`
	ErrorCode   string          `json:"errorCode,omitempty"`
	Description string          `json:"errorDescription,omitempty"`
	Late        bool            `json:"late,omitempty"`
}

// SessionInferred ends a session that the station never ended, with the
// evidence; a late stop reopens and corrects it.
type SessionInferred struct {
	SessionID     string    `json:"sessionId"`
	TransactionID string    `json:"transactionId"`
	EndedAt       time.Time `json:"endedAt"`
	Evidence      string    `json:"evidence"`
}

// Finding is one detector's statement with its evidence. One without a State
// tells of a moment; the others tell of a condition, which is one per code and
// subject until it is cleared.
type Finding struct {
	Code     string       `json:"code"`
	Severity Severity     `json:"severity"`
	Text     string       `json:"text"`
	TextDE   string       `json:"textDe,omitempty"` // the same in German
	Evidence string       `json:"evidence,omitempty"`
	Detector string       `json:"detector,omitempty"` // D01 to D27, rule/ID or external; empty: concluded by the fleet's fold or a source
	State    FindingState `json:"state,omitempty"`
	Since    time.Time    `json:"since,omitzero"` // of the condition
	Safety   bool         `json:"safety,omitempty"`
	// Shared names what others may have in common with it: site/ID, carrier/NAME,
	// firmware/VENDOR/MODEL/VERSION, us.
	Shared []string `json:"shared,omitempty"`
	Facts  []Fact   `json:"facts,omitempty"`
}

// Severity is the one scale: S1 safety, S2 urgent, S3 work order, S4 to know.
type Severity string

// The severities.
const (
	S1 Severity = "S1"
	S2 Severity = "S2"
	S3 Severity = "S3"
	S4 Severity = "S4"
)

// FindingState is where a condition is.
type FindingState string

// The states of a condition.
const (
	FindingRaised  FindingState = "raised"
	FindingUpdated FindingState = "updated"
	FindingCleared FindingState = "cleared"
)

// Fact is one piece of evidence: a value with its unit, or a word.
type Fact struct {
	Name  string    `json:"name"` // a key that screens have words for
	Value *float64  `json:"value,omitempty"`
	Unit  string    `json:"unit,omitempty"`
	Text  string    `json:"text,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Seq   uint64    `json:"seq,omitempty"` // the event it stands in
}

// Policy is a decision of people that detection and incidents follow. It is an
// event, so that a replay decides as was decided then.
type Policy struct {
	Type  string          `json:"type"` // rule, threshold, silence, window, playbook, remedies, model
	ID    string          `json:"id"`
	Value json.RawMessage `json:"value,omitempty"` // empty: it is gone
	By    string          `json:"by,omitempty"`
}

// IncidentAction is what a person did about an incident.
type IncidentAction struct {
	Action   string    `json:"action"`
	By       string    `json:"by"` // opaque id of a person, a token or a signed link
	Note     string    `json:"note,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Assignee string    `json:"assignee,omitempty"`
	Into     string    `json:"into,omitempty"` // the incident it is merged into
	Severity Severity  `json:"severity,omitempty"`
	Response string    `json:"response,omitempty"`
	Verdict  string    `json:"verdict,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Playbook string    `json:"playbook,omitempty"` // that a person starts
	DryRun   bool      `json:"dryRun,omitempty"`   // only to see what it would do
	Session  string    `json:"session,omitempty"`  // the charge that proves a repair
	// FalseReason says what a false alarm was: animal, weather, driver, ...
	FalseReason string `json:"falseReason,omitempty"`
	// Evidence is the pack that was taken, NoEvidence why none was.
	Evidence   string `json:"evidence,omitempty"`
	NoEvidence string `json:"noEvidence,omitempty"`
	// Undone says why steps that are required were left out.
	Undone string `json:"undone,omitempty"`
	// Second says that two people close it.
	Second    bool   `json:"second,omitempty"`
	Class     string `json:"class,omitempty"`     // what it is about, as a person sees it
	Procedure string `json:"procedure,omitempty"` // the list that a step stands in
	Step      string `json:"step,omitempty"`
	// Outcome of a step (done, skipped, open) or of a call (reached, noAnswer,
	// voicemail).
	Outcome string `json:"outcome,omitempty"`
	// Contact is who was called, by the id in the call list; Role what they are there.
	Contact string `json:"contact,omitempty"`
	Role    string `json:"role,omitempty"`
}

// Incident is a change of an incident, as concluded.
type Incident struct {
	ID       string   `json:"id"`
	Change   string   `json:"change"` // opened, escalated, acknowledged, repaired, closed, ...
	State    string   `json:"state"`
	Severity Severity `json:"severity"`
	Type     string   `json:"kind"`
	Title    string   `json:"title"`
	SiteID   string   `json:"siteId,omitempty"`
}

// DriverReport is a problem that a driver told us of on the public page. It says
// nothing about who told it.
type DriverReport struct {
	Category string `json:"category"`           // plug, start, cable, screen, blocked or other
	Text     string `json:"text,omitempty"`     // the driver's own words: text of a stranger
	PublicID string `json:"publicId,omitempty"` // the port as the driver saw it
	Language string `json:"language,omitempty"` // of the page
}

func (*ServerStarted) Kind() Kind     { return KindServerStarted }
func (*ServerStopped) Kind() Kind     { return KindServerStopped }
func (*StationConfigured) Kind() Kind { return KindConfigured }
func (*StationRemoved) Kind() Kind    { return KindRemoved }
func (*Connected) Kind() Kind         { return KindConnected }
func (*Disconnected) Kind() Kind      { return KindDisconnected }
func (*Boot) Kind() Kind              { return KindBoot }
func (*Status) Kind() Kind            { return KindStatus }
func (*Meter) Kind() Kind             { return KindMeter }
func (*Transaction) Kind() Kind       { return KindTransaction }
func (*Authorize) Kind() Kind         { return KindAuthorize }
func (*Component) Kind() Kind         { return KindComponent }
func (*Report) Kind() Kind            { return KindReport }
func (*Security) Kind() Kind          { return KindSecurity }
func (*Firmware) Kind() Kind          { return KindFirmware }
func (*Log) Kind() Kind               { return KindLog }
func (*DataTransfer) Kind() Kind      { return KindDataTransfer }
func (*Reservation) Kind() Kind       { return KindReservation }
func (*Message) Kind() Kind           { return KindMessage }
func (*Command) Kind() Kind           { return KindCommand }
func (*CommandResult) Kind() Kind     { return KindCommandResult }
func (*SessionInferred) Kind() Kind   { return KindSessionInferred }
func (*Finding) Kind() Kind           { return KindFinding }
func (*DriverReport) Kind() Kind      { return KindDriverReport }
func (*Policy) Kind() Kind            { return KindPolicy }
func (*IncidentAction) Kind() Kind    { return KindIncidentAction }
func (*Incident) Kind() Kind          { return KindIncident }

func (*ServerStarted) isBody()     {}
func (*ServerStopped) isBody()     {}
func (*StationConfigured) isBody() {}
func (*StationRemoved) isBody()    {}
func (*Connected) isBody()         {}
func (*Disconnected) isBody()      {}
func (*Boot) isBody()              {}
func (*Status) isBody()            {}
func (*Meter) isBody()             {}
func (*Transaction) isBody()       {}
func (*Authorize) isBody()         {}
func (*Component) isBody()         {}
func (*Report) isBody()            {}
func (*Security) isBody()          {}
func (*Firmware) isBody()          {}
func (*Log) isBody()               {}
func (*DataTransfer) isBody()      {}
func (*Reservation) isBody()       {}
func (*Message) isBody()           {}
func (*Command) isBody()           {}
func (*CommandResult) isBody()     {}
func (*SessionInferred) isBody()   {}
func (*Finding) isBody()           {}
func (*DriverReport) isBody()      {}
func (*Policy) isBody()            {}
func (*IncidentAction) isBody()    {}
func (*Incident) isBody()          {}
