// Package fleet folds events into the state of a charging network: stations,
// their EVSEs, the sessions at them.
//
// It knows no protocol version and no vendor quirk; what a station said has
// become events before it comes here. The fold is pure: no IO, no clock, no
// goroutine. The same observed events give the same state and the same derived
// events, whatever the batches they came in (see Batch). One goroutine owns a
// State; everyone else reads a Snapshot.
package fleet

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Version of the fold. A checkpoint of another version is not loaded; the
// state is rebuilt from what the journal retains.
const Version = 1

// Status is what a port can do now, in the words of OCPP 1.6, which also name
// what 2.x splits between connector status and charging state.
type Status uint8

// The states of a port. The order is the wire order of the live feed.
const (
	Available Status = iota
	Preparing
	Charging
	SuspendedEV
	SuspendedEVSE
	Finishing
	Reserved
	Unavailable
	Faulted
	Unknown
)

// Statuses is the number of states.
const Statuses = int(Unknown) + 1

func (s Status) String() string {
	switch s {
	case Available:
		return "Available"
	case Preparing:
		return "Preparing"
	case Charging:
		return "Charging"
	case SuspendedEV:
		return "SuspendedEV"
	case SuspendedEVSE:
		return "SuspendedEVSE"
	case Finishing:
		return "Finishing"
	case Reserved:
		return "Reserved"
	case Unavailable:
		return "Unavailable"
	case Faulted:
		return "Faulted"
	}
	return "Unknown"
}

// MarshalText writes the word.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word; another word is Unknown.
func (s *Status) UnmarshalText(text []byte) error {
	*s = ParseStatus(string(text))
	return nil
}

// ParseStatus reads a status word; another word is Unknown.
func ParseStatus(word string) Status {
	for s := Available; s < Unknown; s++ {
		if s.String() == word {
			return s
		}
	}
	return Unknown
}

// Station is the live state of one charging station. A published Station is
// never changed: a change makes a copy.
type Station struct {
	ID         string           `json:"id"`
	SiteID     string           `json:"siteId,omitempty"`
	Label      string           `json:"label,omitempty"`
	Onboarding event.Onboarding `json:"onboarding,omitempty"`
	Simulated  bool             `json:"simulated,omitempty"`
	FreeVend   bool             `json:"freeVend,omitempty"`

	Vendor       string    `json:"vendor,omitempty"`
	Model        string    `json:"model,omitempty"`
	Serial       string    `json:"serial,omitempty"`
	Firmware     string    `json:"firmware,omitempty"`
	ICCID        string    `json:"iccid,omitempty"`
	IMSI         string    `json:"imsi,omitempty"`
	BootedAt     time.Time `json:"bootedAt,omitzero"`
	BootReason   string    `json:"bootReason,omitempty"`
	Boots        int       `json:"boots,omitempty"`
	CommissionAt time.Time `json:"commissionedAt,omitzero"` // first accepted boot

	Online          bool      `json:"online,omitempty"`
	ConnID          string    `json:"connId,omitempty"`
	Protocol        string    `json:"protocol,omitempty"`
	SecurityProfile int       `json:"securityProfile,omitempty"`
	TLS             string    `json:"tls,omitempty"` // version; empty: in clear
	Cipher          string    `json:"cipher,omitempty"`
	RemoteAddr      string    `json:"remoteAddr,omitempty"`
	ConnectedAt     time.Time `json:"connectedAt,omitzero"`
	DisconnectedAt  time.Time `json:"disconnectedAt,omitzero"`
	OfflineReason   string    `json:"offlineReason,omitempty"`
	LastFrameAt     time.Time `json:"lastFrameAt,omitzero"` // as far as the journal knows; the link knows better while it stands
	LastTxAt        time.Time `json:"lastTxAt,omitzero"`    // last transaction message, by RecordedAt

	// Own is the state of the station itself (connector 0 of OCPP 1.6).
	Own   ConnectorState `json:"own,omitzero"`
	EVSEs []EVSE         `json:"evses,omitempty"` // by ID

	// Layout as decided by people, else as reported, else from the catalogue.
	Layout       []event.EVSELayout `json:"layout,omitempty"`
	LayoutSource string             `json:"layoutSource,omitempty"` // "person", "report", "catalogue" or ""
	// Reported is what a station of OCPP 2.x said of itself, whoever decided.
	Reported []event.EVSELayout `json:"reported,omitempty"`

	// Backlog holds open sessions that no live evidence places at an EVSE: starts
	// that were reported late.
	Backlog []*Session `json:"backlog,omitempty"`
	Timers  []Timer    `json:"timers,omitempty"`
	Seq     uint64     `json:"seq"` // last event folded
}

// EVSE is one port: what availability is counted on.
type EVSE struct {
	ID         int               `json:"id"`
	Connectors []Connector       `json:"connectors,omitempty"` // by ID
	Status     Status            `json:"status"`
	StatusAt   time.Time         `json:"statusAt,omitzero"`
	Fault      *Fault            `json:"fault,omitempty"`
	Live       Live              `json:"live,omitzero"`
	Session    *Session          `json:"session,omitempty"` // the open one
	Ended      bool              `json:"ended,omitempty"`   // a transaction ended and the car is still there
	Layout     *event.EVSELayout `json:"-"`                 // of the station's Layout
	// Track is the newest point written of the port: a report from the past may
	// have put it after the last change of the live status.
	Track Track `json:"track,omitzero"`
}

// Track is the newest state of a port's history.
type Track struct {
	At    time.Time `json:"at,omitzero"`
	State Status    `json:"state"`
}

// Connector is one plug of an EVSE.
type Connector struct {
	ID int `json:"id"`
	ConnectorState
	Type string `json:"type,omitempty"`
}

// ConnectorState is what was last reported of a connector.
type ConnectorState struct {
	Status Status    `json:"status"`
	Raw    string    `json:"raw,omitempty"` // the station's word
	At     time.Time `json:"at,omitzero"`
	Fault  *Fault    `json:"fault,omitempty"`
}

// Fault is an error code as reported. With a status other than Faulted it is a
// warning (OCPP 1.6 section 4.9).
type Fault struct {
	Code       string    `json:"code"`
	VendorCode string    `json:"vendorCode,omitempty"`
	Info       string    `json:"info,omitempty"`
	Since      time.Time `json:"since,omitzero"`
}

// Live is the newest measured values of an EVSE; At is when each was measured.
type Live struct {
	At       time.Time `json:"at,omitzero"`
	PowerW   *float64  `json:"powerW,omitempty"`
	OfferedW *float64  `json:"offeredW,omitempty"`
	CurrentA *float64  `json:"currentA,omitempty"`
	OfferedA *float64  `json:"offeredA,omitempty"`
	VoltageV *float64  `json:"voltageV,omitempty"`
	SoC      *float64  `json:"soc,omitempty"`
	TempC    *float64  `json:"tempC,omitempty"`
	EnergyWh *float64  `json:"energyWh,omitempty"` // register
}

// SessionState says how a session stands.
type SessionState string

// The states of a session.
const (
	SessionActive   SessionState = "active"
	SessionEnded    SessionState = "ended"
	SessionInferred SessionState = "inferred" // ended by us from evidence; a late stop corrects it
)

// Session is what a driver experiences of one transaction.
type Session struct {
	ID            string       `json:"id"`
	Station       string       `json:"station"`
	SiteID        string       `json:"siteId,omitempty"`
	EVSE          int          `json:"evse"`
	Connector     int          `json:"connector,omitempty"`
	TransactionID string       `json:"transactionId"`
	TokenID       string       `json:"tokenId,omitempty"`
	TokenStatus   string       `json:"tokenStatus,omitempty"` // the decision its start met
	State         SessionState `json:"state"`
	ChargingState string       `json:"chargingState,omitempty"`
	ChangedAt     time.Time    `json:"changedAt,omitzero"` // when the charging state was last told

	StartedAt    time.Time `json:"startedAt"`
	EndedAt      time.Time `json:"endedAt,omitzero"`
	UpdatedAt    time.Time `json:"updatedAt,omitzero"` // RecordedAt of the last change
	MeterStartWh *float64  `json:"meterStartWh,omitempty"`
	MeterStopWh  *float64  `json:"meterStopWh,omitempty"`
	EnergyWh     float64   `json:"energyWh"`
	PeakPowerW   float64   `json:"peakPowerW,omitempty"`
	SoCStart     *float64  `json:"socStart,omitempty"`
	SoCEnd       *float64  `json:"socEnd,omitempty"`
	StopReason   string    `json:"stopReason,omitempty"`
	Reservation  *int      `json:"reservationId,omitempty"`
	RemoteStart  *int      `json:"remoteStartId,omitempty"`
	// Flags say what is doubtful about the record; see the Flag constants.
	Flags    []Flag `json:"flags,omitempty"`
	Evidence string `json:"evidence,omitempty"`

	// Keys recognise a repeated start or stop by content.
	StartKey string `json:"startKey,omitempty"`
	StopKey  string `json:"stopKey,omitempty"`
	// GivenID is the transaction id given to a start that came after its stop.
	GivenID string   `json:"givenId,omitempty"`
	Meter   Metering `json:"meter,omitzero"`
	Order   Sequence `json:"order,omitzero"`
}

// Flag is one doubt about a session's record.
type Flag string

// The integrity flags of a session.
const (
	FlagStartRetried   Flag = "startRetried"     // the start came more than once; one session was kept
	FlagStopRetried    Flag = "stopRetried"      // the stop came more than once
	FlagStartMissing   Flag = "startMissing"     // first heard of in the middle or at its end
	FlagOrphanStop     Flag = "orphanStop"       // a stop without any start we know
	FlagUnknownID      Flag = "unknownId"        // a report named another transaction and was matched by place, token and time
	FlagInferredEnd    Flag = "inferredEnd"      // the station never ended it
	FlagLateStop       Flag = "lateStop"         // the stop came after we had inferred the end
	FlagReopened       Flag = "reopened"         // it went on after we had inferred the end
	FlagSecondStop     Flag = "secondStop"       // two different stops; the first was kept
	FlagOffline        Flag = "offline"          // reported after the station had been offline
	FlagGap            Flag = "gap"              // sequence numbers are missing
	FlagRegisterReset  Flag = "registerReset"    // the energy register went back; segments were added up
	FlagRegisterJump   Flag = "registerJump"     // an impossible step of the register was left out
	FlagRegisterInKWh  Flag = "registerInKWh"    // the register counts kWh although it says Wh
	FlagRegisterInWh   Flag = "registerInWh"     // the register counts Wh although it says kWh
	FlagRegisterStuck  Flag = "registerStuck"    // the register stood still while power flowed; the energy is integrated power
	FlagNegativeEnergy Flag = "negativeEnergy"   // the stop register is below the start register
	FlagClock          Flag = "clockImplausible" // the station's clock could not be used
)

// Point is one bitemporal fact: as known from KnownAt on, the track was in
// State from ValidFrom until the next point's ValidFrom. Of equal ValidFrom the
// point of the higher Seq counts.
type Point struct {
	Station   string
	EVSE      int // 0 is the station's connectivity
	ValidFrom time.Time
	KnownAt   time.Time
	State     string // a Status word, or "online" / "offline"
	Seq       uint64
}

// Timer is something a station waits for.
type Timer struct {
	Due time.Time `json:"due"`
	Key string    `json:"key"`
}

// Receipt is what the writer tells the source that appended an event.
type Receipt struct {
	Seq uint64
	// TransactionID is the one given, or the one given before to the same start.
	TransactionID string
	// Retry is true when the content was recorded before; TokenStatus is then the
	// decision given the first time.
	Retry       bool
	TokenStatus string
	// Onboarding is the station's admission as the fold knows it.
	Onboarding event.Onboarding
}

// Intent asks the edge to act. It is stored with the event that caused it and
// performed once.
type Intent struct {
	Key     string    `json:"key"` // deterministic; a second intent of the same key is the same
	Station string    `json:"station"`
	Action  string    `json:"action"`
	Payload string    `json:"payload"` // JSON
	Due     time.Time `json:"due"`
	Expires time.Time `json:"expires"`
	Reason  string    `json:"reason"`
}

// Effects is what folding one event brought about.
type Effects struct {
	// Derived events follow what caused them; of a batch's Advance they precede
	// the event about to be applied.
	Derived []*event.Event
	Intents []Intent
	Receipt Receipt
}

// History answers for sessions that are no longer open, as of the last event
// folded: the newest (by the number in its ID) that matches. The journal
// implements it on its session table; tests in memory.
type History interface {
	SessionByStart(station, startKey string) (*Session, bool)
	SessionByStop(station, stopKey string) (*Session, bool)
	SessionByTransaction(station, transactionID string) (*Session, bool)
}

// Changes is what a batch wants stored beside its events.
type Changes struct {
	Sessions []*Session // changed or new
	Points   []Point
}
