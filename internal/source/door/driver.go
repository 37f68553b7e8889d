// Package door keeps doors: what their controllers recorded, how they are now, the
// lists by which they decide, and what people order from afar.
//
// The controller at the door decides, with the lists that were made of the rows
// people wrote, so that a door opens and stays shut as they want it while this
// server is away. What it decided is decided here again, and told when the two do
// not agree. A datagram that says that something happened is never believed: it is
// a doorbell. What happened is read back from the controller by its index, and
// what the controller does not have is a finding.
//
// Relays and readers on a broker keep neither lists nor records. There this server
// decides, nobody is let in while it is away, and what happens then is not known
// afterwards: such a driver is a Teller and no Recorder.
package door

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
)

// Errors of drivers.
var (
	// ErrAway is returned when a controller does not answer.
	ErrAway = errors.New("the controller does not answer")
	// ErrRefused is returned when it says no.
	ErrRefused = errors.New("the controller refuses")
	// ErrAirlock is returned when another door of an airlock is not shut.
	ErrAirlock = errors.New("another door of the airlock is not shut")
	// ErrDenied is returned when its address may not be reached.
	ErrDenied = errors.New("the address of the controller is not allowed")
)

// AwayError is an ErrAway of which the reason is known, in words without secrets.
type AwayError struct{ Why string }

func (e *AwayError) Error() string { return e.Why }

// Is makes it one of ErrAway.
func (e *AwayError) Is(target error) bool { return target == ErrAway }

// Driver speaks to one controller. Whoever calls while another waits takes turns.
type Driver interface {
	// Look asks how it is now.
	Look(ctx context.Context) (Look, error)
	// Do does what somebody ordered. It is tried once: who does not hear that it was
	// done looks.
	Do(ctx context.Context, o Order) error
	// Rings says that something may have happened. A ring that nobody waits for is
	// lost, as all of them may be.
	Rings() <-chan Ring
}

// Recorder is a driver of a controller that keeps what happened.
type Recorder interface {
	// Records reads in order what was recorded after an index, at most so many; with
	// 0 it begins with the oldest there is. It finds nothing after the newest.
	Records(ctx context.Context, after uint32, most int) ([]Record, error)
}

// Teller is a driver of what keeps no records: it says what happens as it happens.
type Teller interface {
	// Told gives what happened, in order.
	Told() <-chan Told
}

// Keeper is a driver of a controller that decides by lists.
type Keeper interface {
	// Lists reads them.
	Lists(ctx context.Context) (access.Lists, error)
	// Change brings what is on the controller from one to the other.
	Change(ctx context.Context, from, to access.Lists) error
}

// Prober is a driver of what answers questions that Look does not ask.
type Prober interface {
	Probe(ctx context.Context) error
}

// Settings is a driver of a controller with a clock and somebody to tell.
type Settings interface {
	SetClock(ctx context.Context, now time.Time) error
	// Inspect reads what is seldom changed.
	Inspect(ctx context.Context) (Setup, error)
	// Adopt makes the controller tell us, record everything and ask for PINs at the
	// doors with a keypad.
	Adopt(ctx context.Context, keypads []bool) error
}

// Enforcer is a driver of a controller that keeps anti-passback and interlocks by itself,
// in the forms of access.BoardRules.
type Enforcer interface {
	// Passback reads which form of anti-passback it keeps.
	Passback(ctx context.Context) (string, error)
	SetPassback(ctx context.Context, form string) error
	// SetAirlock makes it keep an interlock, which cannot be read back.
	SetAirlock(ctx context.Context, form string) error
}

// Look is how a controller is.
type Look struct {
	Newest uint32    // index of the newest record; 0: none
	Clock  time.Time // what its clock shows, by the zone of its place; zero: never set
	Fire   bool
	// Trouble is why it cannot be ordered anything though it is heard.
	Trouble string
	// Unheard is what has not said anything yet and need not: whether it is there is not
	// known.
	Unheard bool
	Doors   []DoorLook
}

// DoorLook is how a door is.
type DoorLook struct {
	Open, Unlocked bool
	// Unseen is a door of which nothing was heard yet, Away one whose own device does
	// not answer while its controller does.
	Unseen, Away bool
	// Blind is a door without a contact: nobody sees whether it stands open.
	Blind bool
}

// Setup is what is seldom changed.
type Setup struct {
	Firmware string
	Tells    netip.AddrPort // whom it tells; not valid: nobody
	Us       netip.AddrPort // whom it is to tell
	Modes    []Mode
}

// Mode is how a door is controlled.
type Mode string

// The modes.
const (
	Controlled Mode = "controlled" // by cards
	Locked     Mode = "locked"     // nobody enters; the way out stays free
	Unlocked   Mode = "unlocked"   // everybody enters
)

// Order is what somebody wants done.
type Order struct {
	Door int // from 1
	// Mode is to hold from now on; empty: the door is opened once.
	Mode Mode
	// For is how long it stays open then; zero: as long as the controller opens.
	For time.Duration
	// Answers is set where somebody showed a card and we let them in: there is nothing
	// more to be told of it.
	Answers bool
}

// Ring says that something may have happened.
type Ring struct {
	Index uint32 // of the record that it speaks of; 0: of none
	From  netip.AddrPort
}

// Record is one thing that a controller recorded.
type Record struct {
	Index   uint32
	At      time.Time // by the clock of the controller; zero: it has none
	Door    int       // from 1; 0: of the controller as a whole
	Out     bool      // shown inside
	Card    uint32
	Token   string // what was shown, of a device that does not say it as a number
	Granted bool
	Cause   Cause
	Code    int // as the device says it
	// Lost is set in place of all that was overwritten before it could be read; Index
	// is the last of it.
	Lost bool
}

// Told is one thing that happened at a device that keeps no records.
type Told struct {
	Record
	// Key is the name of it that its device gave: it becomes events once. Empty: it has
	// none.
	Key string
	// Asks is set where nobody decided yet: we do, and the door is opened or not.
	Asks bool
	PIN  string // that was given too, or alone
	// Heard is when.
	Heard time.Time
	// Done hears whether it is durable; nil: nobody does.
	Done func(error)
}

// Cause is why something was recorded.
type Cause string

// The causes. A swipe is granted or refused for one of those that follow it.
const (
	Swiped       Cause = "swiped"
	NoPrivilege  Cause = "noPrivilege"
	WrongPIN     Cause = "wrongPin"
	AntiPassback Cause = "antiPassback"
	MoreCards    Cause = "moreCards"
	FirstCard    Cause = "firstCard"
	LockedDown   Cause = "lockedDown"
	Interlock    Cause = "interlock"
	OutsideHours Cause = "outsideHours"
	UnknownCard  Cause = "unknownCard"
	ByServer     Cause = "byServer"

	Button        Cause = "button"
	ButtonRefused Cause = "buttonRefused"
	Opened        Cause = "opened"
	Closed        Cause = "closed"
	SuperPassword Cause = "superPassword"
	RemoteOpen    Cause = "remoteOpen"
	PowerOn       Cause = "powerOn"
	Reset         Cause = "reset"
	Duress        Cause = "duress"
	HeldOpen      Cause = "heldOpen"
	ForcedOpen    Cause = "forcedOpen"
	Fire          Cause = "fire"
	Alarm         Cause = "alarm"
	Other         Cause = "other"
)

// Attempt reports whether somebody showed something.
func (c Cause) Attempt() bool {
	switch c {
	case Swiped, NoPrivilege, WrongPIN, AntiPassback, MoreCards, FirstCard, LockedDown, Interlock, OutsideHours, UnknownCard, ByServer:
		return true
	}
	return false
}
