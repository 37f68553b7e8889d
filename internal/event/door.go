package event

import "time"

// ControllerConfigured carries what people decided about a controller of doors, as
// far as others need it; addresses and secrets stay in the store.
type ControllerConfigured struct {
	SiteID    string `json:"siteId,omitempty"`
	Label     string `json:"label,omitempty"`
	Driver    string `json:"driver"`
	Simulated bool   `json:"simulated,omitempty"`
	By        string `json:"by,omitempty"`
}

// ControllerRemoved ends a controller.
type ControllerRemoved struct {
	By string `json:"by,omitempty"`
}

// ControllerFault says that something about a controller is wrong, or right again.
type ControllerFault struct {
	SiteID string              `json:"siteId,omitempty"`
	Fault  ControllerFaultKind `json:"fault"`
	Active bool                `json:"active,omitempty"`
	Detail string              `json:"detail,omitempty"` // in words, without card numbers or secrets
	// OffsetS is how far its clock is before ours, in seconds.
	OffsetS float64   `json:"offsetS,omitempty"`
	Since   time.Time `json:"since,omitzero"`
}

// ControllerFaultKind is the closed set of what can be wrong with a controller.
type ControllerFaultKind string

// What can be wrong with a controller.
const (
	ControllerOffline    ControllerFaultKind = "offline"    // it does not answer
	ControllerClock      ControllerFaultKind = "clock"      // its clock is wrong
	ControllerListener   ControllerFaultKind = "listener"   // it tells its events to somebody else
	ControllerUnrecorded ControllerFaultKind = "unrecorded" // a message in its name that it has no record of
	ControllerDrift      ControllerFaultKind = "drift"      // its lists are not what we gave it
	ControllerForeign    ControllerFaultKind = "foreign"    // a door was opened from afar, not by us
	ControllerLost       ControllerFaultKind = "lost"       // records were overwritten before they were read
	ControllerKeypad     ControllerFaultKind = "keypad"     // codes are asked for where no keypad is on
	ControllerRules      ControllerFaultKind = "rules"      // the anti-passback that it keeps is not what it should be
	ControllerAirlock    ControllerFaultKind = "airlock"    // two doors of an airlock stand open
	ControllerPolicy     ControllerFaultKind = "policy"     // a policy could not be evaluated, or not be given to it
)

// DoorConfigured carries what people decided about a door, gate, barrier or cabinet.
type DoorConfigured struct {
	SiteID     string   `json:"siteId,omitempty"`
	Label      string   `json:"label,omitempty"`
	Place      string   `json:"place"` // door, gate, barrier or cabinet
	Controller string   `json:"controller,omitempty"`
	Number     int      `json:"number,omitempty"`
	CameraID   string   `json:"cameraId,omitempty"`
	Ports      []string `json:"ports,omitempty"` // station/ID or station/ID/EVSE: what is behind it
	HeldAfterS int      `json:"heldAfterS,omitempty"`
	Simulated  bool     `json:"simulated,omitempty"`
	By         string   `json:"by,omitempty"`
}

// DoorRemoved ends a door.
type DoorRemoved struct {
	By string `json:"by,omitempty"`
}

// DoorState says that a door's condition changed.
type DoorState struct {
	SiteID string        `json:"siteId,omitempty"`
	State  DoorCondition `json:"state"`
	Was    DoorCondition `json:"was,omitempty"`
	// Reason is a code: opened, closed, forced, held, fire, duress, button, remote,
	// schedule, lockdown, released, unreachable, back and so on.
	Reason string `json:"reason,omitempty"`
	// Record is the index under which the controller keeps it; zero: it keeps none.
	Record uint32 `json:"record,omitempty"`
	// Since is when it became so, which is before it was said.
	Since time.Time `json:"since,omitzero"`
}

// DoorCondition is the closed set of conditions of a door.
type DoorCondition string

// The conditions of a door.
const (
	DoorLocked   DoorCondition = "locked"   // closed, and asks for a credential
	DoorUnlocked DoorCondition = "unlocked" // opens for everybody
	DoorOpen     DoorCondition = "open"     // somebody who may went through
	DoorHeld     DoorCondition = "held"     // open for longer than it may
	DoorForced   DoorCondition = "forced"   // open, and nobody was let in
	DoorLockdown DoorCondition = "lockdown" // opens for nobody from outside
	DoorOffline  DoorCondition = "offline"  // its controller does not answer
	DoorUnknown  DoorCondition = "unknown"
)

// DoorAlarm says that a person or a sensor at a door calls for help.
type DoorAlarm struct {
	SiteID string        `json:"siteId,omitempty"`
	Alarm  DoorAlarmKind `json:"alarm"`
	Active bool          `json:"active,omitempty"`
	Record uint32        `json:"record,omitempty"`
}

// DoorAlarmKind is the closed set of alarms at a door.
type DoorAlarmKind string

// The alarms of a door.
const (
	AlarmDuress    DoorAlarmKind = "duress"
	AlarmFire      DoorAlarmKind = "fire"
	AlarmEmergency DoorAlarmKind = "emergency"
	AlarmTamper    DoorAlarmKind = "tamper" // the case of the controller
)

// Access says that somebody showed something at a door and what came of it.
type Access struct {
	SiteID       string `json:"siteId,omitempty"`
	CredentialID string `json:"credentialId,omitempty"` // empty: nobody knows it
	TokenID      string `json:"tokenId,omitempty"`      // opaque
	PersonID     string `json:"personId,omitempty"`
	Allowed      bool   `json:"allowed,omitempty"`
	// DecidedBy is controller (by its lists), policy (by us) or person (from afar).
	DecidedBy string `json:"decidedBy"`
	// Code and Policy are those of access.Decision, or of the controller's own reason
	// where it decided.
	Code   string `json:"code,omitempty"`
	Policy string `json:"policy,omitempty"`
	Reason string `json:"reason,omitempty"` // in words
	// Differs is set where the controller decided and the policies say otherwise; Why
	// is what they say.
	Differs bool   `json:"differs,omitempty"`
	Why     string `json:"why,omitempty"`
	Method  string `json:"method,omitempty"` // card, pin, button, remote, plate, pass
	Out     bool   `json:"out,omitempty"`    // it was the way out
	By      string `json:"by,omitempty"`     // who opened it from afar
	// Passback is set where somebody who was let through did not fit to who is inside of an
	// area: inside (came in, and was), unsure (the same, but may have left unseen), outside
	// (went out, and had not come in).
	Passback string `json:"passback,omitempty"`
	// With is the other person where a door wants two.
	With   string `json:"with,omitempty"`
	Record uint32 `json:"record,omitempty"`
}

// DoorCommand says what a person wanted a door to do, and whether it did.
type DoorCommand struct {
	SiteID  string  `json:"siteId,omitempty"`
	Command string  `json:"command"` // unlock, lockdown, release; unlockAsked and unlockDeclined where a second person is wanted
	Seconds float64 `json:"seconds,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	By      string  `json:"by,omitempty"`
	// ApprovedBy is the second person where a door wants two.
	ApprovedBy string `json:"approvedBy,omitempty"`
	Done       bool   `json:"done,omitempty"`
	Error      string `json:"error,omitempty"`
}

// Presence says that somebody comes to work at a site on an order, or goes.
type Presence struct {
	Order   string `json:"order"`
	Station string `json:"station,omitempty"`
	By      string `json:"by,omitempty"`
	Present bool   `json:"present,omitempty"`
}

// Kind names the body.
func (*Presence) Kind() Kind { return KindPresence }

func (*Presence) isBody() {}

// Kind names the body.
func (*ControllerConfigured) Kind() Kind { return KindControllerConfigured }

// Kind names the body.
func (*ControllerRemoved) Kind() Kind { return KindControllerRemoved }

// Kind names the body.
func (*ControllerFault) Kind() Kind { return KindControllerFault }

// Kind names the body.
func (*DoorConfigured) Kind() Kind { return KindDoorConfigured }

// Kind names the body.
func (*DoorRemoved) Kind() Kind { return KindDoorRemoved }

// Kind names the body.
func (*DoorState) Kind() Kind { return KindDoorState }

// Kind names the body.
func (*DoorAlarm) Kind() Kind { return KindDoorAlarm }

// Kind names the body.
func (*Access) Kind() Kind { return KindAccess }

// Kind names the body.
func (*DoorCommand) Kind() Kind { return KindDoorCommand }

func (*ControllerConfigured) isBody() {}
func (*ControllerRemoved) isBody()    {}
func (*ControllerFault) isBody()      {}
func (*DoorConfigured) isBody()       {}
func (*DoorRemoved) isBody()          {}
func (*DoorState) isBody()            {}
func (*DoorAlarm) isBody()            {}
func (*Access) isBody()               {}
func (*DoorCommand) isBody()          {}
