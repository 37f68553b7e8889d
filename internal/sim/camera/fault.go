package camera

import (
	"fmt"
	"strings"
)

// Fault is what is wrong with a camera.
type Fault string

// The faults.
const (
	NoFault       Fault = ""
	Drop          Fault = "drop"           // connections end, once; new ones are served
	Offline       Fault = "offline"        // connections end, new ones are refused
	Stall         Fault = "stall"          // connections stay, nothing comes
	NoParameters  Fault = "no-parameters"  // no SPS and PPS, neither in the pictures nor in the description
	InBandOnly    Fault = "in-band-only"   // none in the description
	OutOfBandOnly Fault = "out-of-band"    // none in the pictures
	TimeJump      Fault = "time-jump"      // timestamps jump ahead by an hour, once
	TimeBack      Fault = "time-back"      // every tenth picture's timestamp goes back
	ClockWrong    Fault = "clock-wrong"    // sender reports tell another day
	Freeze        Fault = "freeze"         // one picture, again and again
	Cover         Fault = "cover"          // something over the lens
	Collapse      Fault = "collapse"       // hardly a byte gets out of the encoder
	WrongPassword Fault = "wrong-password" // the password is another one now
	Slow          Fault = "slow"           // pictures come at a third of their speed
	Lossy         Fault = "lossy"          // every fiftieth packet is missing
)

// Faults lists them.
func Faults() []Fault {
	return []Fault{Drop, Offline, Stall, NoParameters, InBandOnly, OutOfBandOnly, TimeJump, TimeBack, ClockWrong, Freeze, Cover, Collapse, WrongPassword, Slow, Lossy}
}

// ParseFault reads the name of a fault.
func ParseFault(name string) (Fault, error) {
	var names []string
	for _, f := range Faults() {
		if string(f) == name {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("fault %q: want one of %s", name, strings.Join(names, ", "))
}

// picture is the condition a fault brings about in the picture.
func (f Fault) picture() string {
	switch f {
	case Freeze:
		return Frozen
	case Cover:
		return Covered
	}
	return ""
}

// describes reports whether the description must be another one, which ends
// connections.
func (f Fault) describes() bool { return f == NoParameters || f == InBandOnly }
