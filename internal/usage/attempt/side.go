package attempt

// Side says who has to change something so that the next try works.
type Side string

// The sides. What stands at the site counts as the charger, its supply included.
const (
	Charger     Side = "charger"
	Driver      Side = "driver"
	Vehicle     Side = "vehicle"
	Backend     Side = "backend" // the operator's decisions and systems, ours included
	Network     Side = "network" // between the station and the backend
	UnknownSide Side = "unknown"
)

// Side is whose matter a reason is when nothing else is known.
func (r Reason) Side() Side {
	switch r {
	case None:
		return ""
	case NotStarted, Faulted, Restarted, PowerLoss, RemoteRefused:
		return Charger
	case TokenUnknown, TokenBlocked, TokenExpired, TokenInUse, TokenNotHere, TokenNoCredit, TokenRefused,
		NeverPlugged, NoToken, UnpluggedEarly, StoppedAtStation, PlugTimeout, EmergencyStop:
		return Driver
	case VehicleRefused:
		return Vehicle
	case Deauthorised, StoppedRemotely:
		return Backend
	case RemoteLost, StationLost:
		return Network
	}
	return UnknownSide // NoEnergy, EndUnknown, TakenOut
}

// side weighs a reason with what was seen at the port: a driver who gave up
// after waiting in vain is not to blame, and an error the station reported says
// more than how the try ended.
func (p *port) side(why Reason, detail string, waited bool) Side {
	base := why.Side()
	switch why {
	case Faulted, NotStarted, NoToken, UnpluggedEarly, StoppedAtStation, NoEnergy, EndUnknown, PlugTimeout, TakenOut:
	default:
		return base
	}
	if code := p.open.Code; code != "" {
		return sideOfCode(code)
	}
	if !p.started || why == Faulted {
		return base
	}
	switch {
	case p.suspended == "SuspendedEV":
		return Vehicle
	case why == NoEnergy && detail != "": // "Other" and its like: the station ended it by itself
		return Charger
	case (why == UnpluggedEarly || why == StoppedAtStation) && waited:
		return UnknownSide
	}
	return base
}

// sideOfCode reads codes of OCPP 1.6 and of the ChargeX set. What is not listed
// is a matter of the charger.
func sideOfCode(code string) Side {
	switch code {
	case "EVCommunicationError", "CX010", "InvalidVehicleMode", "CX016", "EVContactorFault":
		return Vehicle
	case "CX008", "EmergencyStop", "CX009", "AuthorizationTimeout", "CX020", "PartialInsertion":
		return Driver
	case "CX007", "WeakSignal", "CX013", "NoInternet":
		return Network
	case "LocalListConflict":
		return Backend
	}
	return Charger
}

// Step is a part of a try, in the order in which they are done.
type Step string

// The steps.
const (
	StepPlug       Step = "plug"
	StepAuthorise  Step = "authorise"
	StepLock       Step = "lock"
	StepCableCheck Step = "cableCheck" // the charger tests lock, cable and insulation before power
	StepEnergy     Step = "energy"     // the first FailedBelowWh
	StepEnd        Step = "end"
)

// FailedStep is the step that did not succeed; empty if all did or it goes on.
func (a *Attempt) FailedStep() Step {
	if a.CutShort != None {
		return StepEnd
	}
	if !a.Failed {
		return ""
	}
	if a.Stage.rank() < Energy.rank() { // the code names the step where it is one of these
		switch a.Code {
		case "ConnectorLockFailure", "CX001", "CX025", "BrokenLatch":
			return StepLock
		case "CX011", "CableCheckFault", "CX022", "ResistanceFault", "CX012", "PreChargeFailure", "CX021", "CapacitanceFault", "GroundFailure", "CX002":
			return StepCableCheck
		case "ReaderFailure", "CX009", "AuthorizationTimeout":
			return StepAuthorise
		}
	}
	switch {
	case a.Reason == NeverPlugged || a.Reason == PlugTimeout:
		return StepPlug
	case a.Stage == Presented || a.Stage == Plugged || a.refused():
		return StepAuthorise
	case a.Stage == Authorised:
		return StepLock
	}
	return StepEnergy
}

// refused reports whether a token was turned away.
func (a *Attempt) refused() bool {
	switch a.Reason {
	case TokenUnknown, TokenBlocked, TokenExpired, TokenInUse, TokenNotHere, TokenNoCredit, TokenRefused, Deauthorised:
		return true
	}
	return false
}
