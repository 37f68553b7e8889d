// Package attempt tells tries to charge from what a station said: who tried
// where, how far it came, and why it went no further.
//
// It is a pure fold over the events of one station in their order, so that the
// same history always tells the same tries: a call desk asks it about the last
// minutes, statistics about years. A try begins when a car is plugged in, a
// token shown, a start asked for from afar or a transaction opened, whichever
// comes first, and ends when the port is given back. One that moved less than
// FailedBelowWh failed, whatever the station said about it.
package attempt

import (
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
	At     time.Time
	EndsAt time.Time // zero while it goes on
	EVSE   int       // 0: it never came to a port
	// Token is the opaque id; empty if none was shown.
	Token         string
	Stage         Stage
	Failed        bool
	Reason        Reason
	Detail        string   // the word of the station behind Reason
	EnergyWh      *float64 // nil: not told
	TransactionID string
	// Tries is how often the token was shown for it.
	Tries int
	// Remote is true when it was asked for from afar.
	Remote bool
}

// Kinds are the events that Of reads.
func Kinds() []event.Kind {
	return []event.Kind{
		event.KindStatus, event.KindTransaction, event.KindAuthorize, event.KindConnected, event.KindDisconnected,
		event.KindBoot, event.KindCommand, event.KindCommandResult, event.KindSessionInferred,
	}
}

// Of returns the tries in the events of one station, oldest first, as known at
// a time. The events come in the order of At.
func Of(events []*event.Event, now time.Time) []Attempt {
	f := fold{ports: make(map[int]*port), commands: make(map[string]*asked)}
	for _, e := range events {
		f.expire(e.At)
		f.apply(e)
	}
	f.expire(now)
	return f.finish()
}
