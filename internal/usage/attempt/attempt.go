// Package attempt tells tries to charge from what a station said: who tried
// where, how far it came, and why it went no further.
//
// It is a pure fold over the events of one station in their order, so that the
// same history always tells the same tries: a call desk asks it about the last
// minutes (Of), detectors follow it event by event (Fold), statistics about
// years. A try begins when a car is plugged in, a token shown, a start asked for
// from afar or a transaction opened, whichever comes first, and ends when the
// port is given back. One that moved less than FailedBelowWh failed, whatever
// the station said about it; one that moved more and was ended by a fault is
// CutShort.
package attempt

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// FailedBelowWh is the energy below which nobody would say that they charged.
const FailedBelowWh = 100

// Waits that end a try nothing more was heard of.
const (
	// tokenWait is how long an accepted token waits for its car.
	tokenWait = 5 * time.Minute
	// againWithin joins refusals of one token: people tap more than once.
	againWithin = 2 * time.Minute
	// runningAt is charging long enough to have moved FailedBelowWh at 3 kW; it
	// counts where the meter said nothing.
	runningAt = 2 * time.Minute
	// commandWait is how long the answer to a start from afar is waited for.
	commandWait = 10 * time.Minute
	// patience is how long a driver may wait for power in vain before their
	// giving up says nothing against them.
	patience = time.Minute
)

// What one station can make us remember. A station that has more of it loses
// the oldest.
const (
	maxPorts    = 256
	maxWaiting  = 16
	maxCommands = 16
	maxRefused  = 8
	maxText     = 128
)

// Stage is how far a try came. The order is that of a session.
type Stage string

// The stages.
const (
	Presented  Stage = "presented"  // a token was shown or a start asked for; it was not accepted
	Plugged    Stage = "plugged"    // a car was plugged in
	Authorised Stage = "authorised" // the token was accepted
	Locked     Stage = "locked"     // the station opened a transaction: the plug is locked
	Energy     Stage = "energy"     // power flowed
)

func (s Stage) rank() int {
	switch s {
	case Plugged:
		return 1
	case Authorised:
		return 2
	case Locked:
		return 3
	case Energy:
		return 4
	}
	return 0
}

// Reason says why a try went no further. The codes are for ever; more may come.
type Reason string

// The reasons. None is what a try has that worked or still runs.
const (
	None             Reason = ""
	TokenUnknown     Reason = "tokenUnknown"     // Invalid, Unknown: nobody decided about it, or it is not valid
	TokenBlocked     Reason = "tokenBlocked"     // Blocked
	TokenExpired     Reason = "tokenExpired"     // Expired
	TokenInUse       Reason = "tokenInUse"       // ConcurrentTx: it charges elsewhere
	TokenNotHere     Reason = "tokenNotHere"     // NotAtThisLocation, NotAtThisTime, NotAllowedTypeEVSE
	TokenNoCredit    Reason = "tokenNoCredit"    // NoCredit
	TokenRefused     Reason = "tokenRefused"     // any other refusal
	RemoteRefused    Reason = "remoteRefused"    // the station refused a start that was asked from afar
	RemoteLost       Reason = "remoteLost"       // a start that was asked from afar did not reach it
	NeverPlugged     Reason = "neverPlugged"     // the token was accepted; no car came
	NoToken          Reason = "noToken"          // plugged in and out again; no token was shown
	NotStarted       Reason = "notStarted"       // the token was accepted; the station opened no transaction
	Faulted          Reason = "faulted"          // the port reported a fault; Detail has its code
	TakenOut         Reason = "takenOut"         // the port went out of service
	StationLost      Reason = "stationLost"      // the station lost its connection before anything started
	Restarted        Reason = "restarted"        // the station restarted
	PowerLoss        Reason = "powerLoss"        // its supply failed
	EmergencyStop    Reason = "emergencyStop"    // someone pressed it
	Deauthorised     Reason = "deauthorised"     // the token was refused after the start
	VehicleRefused   Reason = "vehicleRefused"   // the car ended it or never drew power
	UnpluggedEarly   Reason = "unpluggedEarly"   // unplugged before power flowed
	StoppedAtStation Reason = "stoppedAtStation" // stopped at the station before power flowed
	StoppedRemotely  Reason = "stoppedRemotely"  // stopped from afar before power flowed
	PlugTimeout      Reason = "plugTimeout"      // the station waited for the plug in vain
	NoEnergy         Reason = "noEnergy"         // a transaction in which no power flowed; nobody said why
	EndUnknown       Reason = "endUnknown"       // no power known and no end reported
)

// Attempt is one try to charge.
type Attempt struct {
	At     time.Time `json:"at"`
	EndsAt time.Time `json:"endsAt,omitzero"` // zero while it goes on
	EVSE   int       `json:"evse,omitempty"`  // 0: it never came to a port
	// Token is the opaque id; empty if none was shown.
	Token    string   `json:"token,omitempty"`
	Stage    Stage    `json:"stage"`
	Failed   bool     `json:"failed,omitempty"`
	Reason   Reason   `json:"reason,omitempty"`
	Detail   string   `json:"detail,omitempty"`   // the word of the station behind Reason
	EnergyWh *float64 `json:"energyWh,omitempty"` // nil: not told
	// CutShort is what ended a try that had charged, if that was nobody's wish:
	// the driver left with less than they came for. Failed tries have a Reason.
	CutShort Reason `json:"cutShort,omitempty"`
	// Code is the last error that the station reported at the port meanwhile and
	// did not take back: a vendor's code if there was one, else that of OCPP.
	Code string `json:"code,omitempty"`
	// Side says who has to change something; empty unless it failed or was cut
	// short.
	Side          Side   `json:"side,omitempty"`
	TransactionID string `json:"transactionId,omitempty"`
	// Tries is how often the token was shown for it.
	Tries int `json:"tries,omitempty"`
	// Remote is true when it was asked for from afar.
	Remote bool `json:"remote,omitempty"`
	// Late is true when its end was told long after it happened: history, no
	// alarm of now.
	Late bool `json:"late,omitempty"`
	// Again is true on a refusal that Fold told before: the same token was shown
	// once more. It replaces the one with the same At, Token, EVSE and Reason and is
	// not to be counted twice.
	Again bool `json:"again,omitempty"`
}

// Kinds are the events that tries are told from. A Fold also reads measurements
// (event.KindMeter) where it is given them; they only sharpen the energy of
// sessions whose end nobody reports.
func Kinds() []event.Kind {
	return []event.Kind{
		event.KindStatus, event.KindTransaction, event.KindAuthorize, event.KindConnected, event.KindDisconnected,
		event.KindBoot, event.KindCommand, event.KindCommandResult, event.KindSessionInferred, event.KindComponent,
	}
}

// Of returns the tries in the events of one station, oldest first, as known at
// a time. The events come in the order of At.
func Of(events []*event.Event, now time.Time) []Attempt {
	var f Fold
	var all []Attempt
	for _, e := range events {
		all = Merge(all, f.Apply(e)...)
	}
	all = Merge(all, f.Expire(now)...)
	all = append(all, f.Open()...)
	slices.SortStableFunc(all, func(a, b Attempt) int { return a.At.Compare(b.At) })
	return all
}

// Merge adds what a Fold told to a list in which each try stands once.
func Merge(list []Attempt, told ...Attempt) []Attempt {
	for _, a := range told {
		i := -1
		if a.Again {
			a.Again = false
			for i = len(list) - 1; i >= 0; i-- {
				if x := list[i]; x.At.Equal(a.At) && x.Token == a.Token && x.EVSE == a.EVSE && x.Reason == a.Reason {
					break
				}
			}
		}
		if i < 0 {
			list = append(list, a)
		} else {
			list[i] = a
		}
	}
	return list
}
