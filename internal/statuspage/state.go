package statuspage

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// State is what a driver needs to know of a port; the feed uses these words.
type State string

// The states of a port, as drivers see them.
const (
	Free         State = "free"
	Blocked      State = "blocked"   // a neighbour in use keeps it from charging
	Connected    State = "connected" // a car is plugged in and does not charge
	Charging     State = "charging"
	Paused       State = "paused"
	Reserved     State = "reserved"
	OutOfService State = "outOfService"
	Faulted      State = "faulted"
	Unknown      State = "unknown"
)

// states lists them all.
func states() []State {
	return []State{Free, Blocked, Connected, Charging, Paused, Reserved, OutOfService, Faulted, Unknown}
}

// shape is the drawing and colour of a state.
func (s State) shape() string {
	switch s {
	case Blocked:
		return "unavailable"
	case OutOfService:
		return "unavailable"
	case Connected:
		return "preparing"
	case Paused:
		return "suspended"
	case Free:
		return "available"
	}
	return string(s)
}

// told is the state of a port as its station last told it, whether or not the
// station can still be heard.
func told(st *fleet.Station, v *fleet.EVSE) State {
	if st.FreeButForLink(v) {
		return Free
	}
	switch v.Status {
	case fleet.Available:
		switch {
		case st.Closed() && st.Own.Status == fleet.Faulted:
			return Faulted
		case st.Closed():
			return OutOfService
		}
		return Blocked
	case fleet.Preparing, fleet.Finishing:
		return Connected
	case fleet.Charging:
		return Charging
	case fleet.SuspendedEV, fleet.SuspendedEVSE:
		return Paused
	case fleet.Reserved:
		return Reserved
	case fleet.Unavailable:
		return OutOfService
	case fleet.Faulted:
		return Faulted
	}
	return Unknown
}

// port is one port as drivers see it. Nothing in it names the station as its
// operator does.
type port struct {
	id      string // public, unique
	name    string // what is written on it; empty: only a number can be said
	number  int    // within the site
	charger int    // index into site.chargers
	state   State
	last    State     // of an unknown one: what it was when last heard of
	since   time.Time // the state's beginning; zero: not known
	seen    time.Time // when its station was last heard; zero: never
	class   fleet.PowerClass
	ratedW  float64
	plugs   []string // connector types, without doubles
}

// counts sums ports up: the four add up to the total.
type counts struct {
	Total   int `json:"total"`
	Free    int `json:"free"`
	InUse   int `json:"inUse"`
	Unfit   int `json:"notUsable"`
	Unknown int `json:"unknown"`
}

func (c *counts) add(s State) {
	c.Total++
	switch s {
	case Free:
		c.Free++
	case Blocked, Connected, Charging, Paused, Reserved:
		c.InUse++
	case OutOfService, Faulted:
		c.Unfit++
	default:
		c.Unknown++
	}
}

// offer counts the ports of one plug and class of power. A port with two plugs
// is in two offers.
type offer struct {
	plug  string
	class fleet.PowerClass
	counts
}
