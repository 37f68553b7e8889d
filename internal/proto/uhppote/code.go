package uhppote

import "fmt"

// Code is the kind of a message; a request and its answer have the same.
type Code byte

// The kinds we speak.
const (
	CodeStatus        Code = 0x20 // and what a controller says by itself
	CodeSetClock      Code = 0x30
	CodeClock         Code = 0x32
	CodeOpen          Code = 0x40
	CodePutCard       Code = 0x50
	CodeDeleteCard    Code = 0x52
	CodeDeleteCards   Code = 0x54
	CodeCards         Code = 0x58
	CodeCard          Code = 0x5a
	CodeCardAt        Code = 0x5c
	CodeSetControl    Code = 0x80
	CodeControl       Code = 0x82
	CodeSetPassback   Code = 0x84
	CodePassback      Code = 0x86
	CodeSetProfile    Code = 0x88
	CodeClearProfiles Code = 0x8a
	CodeRecordSpecial Code = 0x8e
	CodeSetListener   Code = 0x90
	CodeListener      Code = 0x92
	CodeDevice        Code = 0x94
	CodeProfile       Code = 0x98
	CodeSetAirlock    Code = 0xa2
	CodeKeypads       Code = 0xa4
	CodeEvent         Code = 0xb0
	CodeSetEventIndex Code = 0xb2
	CodeEventIndex    Code = 0xb4
)

func (c Code) String() string { return fmt.Sprintf("message %#02x", byte(c)) }

// RecordType is the kind of a record; 0 is none.
type RecordType byte

// The kinds of records.
const (
	NoRecord    RecordType = 0
	Swiped      RecordType = 1
	DoorRecord  RecordType = 2 // and, in some firmware, a swipe that was granted
	Warning     RecordType = 3
	Overwritten RecordType = 0xff
)

// Reason is why a controller recorded something.
type Reason byte

// The reasons that firmware gives.
const (
	Swipe           Reason = 1
	DeniedByServer  Reason = 5
	NoPrivilege     Reason = 6
	WrongPIN        Reason = 7
	AntiPassback    Reason = 8
	MoreCards       Reason = 9
	FirstCard       Reason = 10
	NormallyShut    Reason = 11
	Interlock       Reason = 12
	LimitedTimes    Reason = 13
	OutsideProfile  Reason = 15
	Denied          Reason = 18 // a card that is not on the list
	Button          Reason = 20
	Opened          Reason = 23
	Closed          Reason = 24
	SuperPassword   Reason = 25
	PowerOn         Reason = 28
	Reset           Reason = 29
	ButtonLocked    Reason = 31
	ButtonOffline   Reason = 32
	ButtonInterlock Reason = 33
	Threat          Reason = 34
	HeldOpen        Reason = 37
	ForcedOpen      Reason = 38
	Fire            Reason = 39
	ForcedClosed    Reason = 40
	Theft           Reason = 41
	DayZone         Reason = 42
	Emergency       Reason = 43
	RemoteOpen      Reason = 44
	RemoteOpenUSB   Reason = 45
)

// Mode is how a door is controlled.
type Mode byte

// The modes of a door.
const (
	NormallyOpen   Mode = 1
	NormallyClosed Mode = 2
	Controlled     Mode = 3
)

// Direction is the side a card was shown at.
type Direction byte

// The sides.
const (
	In  Direction = 1
	Out Direction = 2
)

// Privileges of a card at a door; what lies between is a time profile.
const (
	Never          byte = 0
	Always         byte = 1
	FirstProfile   byte = 2
	LastProfile    byte = 254
	maxPIN              = 999_999
	lastEventIndex      = 0xffffffff
)
