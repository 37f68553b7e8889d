package web

import "github.com/chargewatch/chargewatch/internal/store"

// DoorWiring is what a door is made of on a broker, or what it is called in another
// system.
type DoorWiring struct {
	Preset  string       `json:"preset,omitempty" enum:",zigbee2mqtt,zigbee2mqttLock,shelly1,shelly2,tasmota,custom" doc:"of the device that unlocks it; empty at another system"`
	Device  string       `json:"device,omitempty" maxLength:"200" doc:"its name on the broker, or what the door is called in the other system"`
	Output  int          `json:"output,omitempty" minimum:"0" maximum:"32" doc:"which of its relays, from 1"`
	PulseS  int          `json:"pulseSeconds,omitempty" minimum:"0" maximum:"600" doc:"how long it is unlocked; default 5"`
	Command string       `json:"command,omitempty" maxLength:"300" doc:"custom: topic for orders"`
	Unlock  string       `json:"unlock,omitempty" maxLength:"200" doc:"custom: what is said to unlock"`
	Lock    string       `json:"lock,omitempty" maxLength:"200" doc:"custom: what is said to lock"`
	State   string       `json:"state,omitempty" maxLength:"300" doc:"custom: topic on which it says the same words"`
	Field   string       `json:"field,omitempty" maxLength:"200" doc:"custom: member of an object there that is the word"`
	Online  string       `json:"online,omitempty" maxLength:"300" doc:"custom: topic that says online or offline"`
	Contact *DoorContact `json:"contact,omitempty" doc:"what sees whether it is open"`
	Forced  bool         `json:"forced,omitempty" doc:"what opens it without its being unlocked is force"`
	Reader  string       `json:"reader,omitempty" maxLength:"300" doc:"topic of a reader or keypad: an object with card, pin, id and at, or the card alone"`
	SilentS int          `json:"silentSeconds,omitempty" minimum:"0" maximum:"86400" doc:"after how long without a word its device is away; 0: when the broker says so"`
}

// DoorContact sees whether a door is open.
type DoorContact struct {
	Preset   string `json:"preset" enum:",zigbee2mqtt,shelly1,shelly2,tasmota,custom"`
	Device   string `json:"device,omitempty" maxLength:"200"`
	Input    int    `json:"input,omitempty" minimum:"0" maximum:"32" doc:"which of its inputs, from 1"`
	Topic    string `json:"topic,omitempty" maxLength:"300" doc:"custom"`
	Field    string `json:"field,omitempty" maxLength:"200" doc:"custom"`
	Open     string `json:"open,omitempty" maxLength:"200" doc:"custom: the word for open"`
	Inverted bool   `json:"inverted,omitempty" doc:"on means open"`
}

func (w *DoorWiring) stored() store.Wiring {
	if w == nil {
		return store.Wiring{}
	}
	out := store.Wiring{
		Preset: w.Preset, Device: w.Device, Output: w.Output, PulseS: w.PulseS, Command: w.Command, Unlock: w.Unlock, Lock: w.Lock, State: w.State,
		Field: w.Field, Online: w.Online, Forced: w.Forced, Reader: w.Reader, SilentS: w.SilentS,
	}
	if w.Contact != nil {
		out.Contact = store.WiringContact(*w.Contact)
	}
	return out
}

func wiringShape(w store.Wiring) *DoorWiring {
	if w == (store.Wiring{}) {
		return nil
	}
	out := &DoorWiring{
		Preset: w.Preset, Device: w.Device, Output: w.Output, PulseS: w.PulseS, Command: w.Command, Unlock: w.Unlock, Lock: w.Lock, State: w.State,
		Field: w.Field, Online: w.Online, Forced: w.Forced, Reader: w.Reader, SilentS: w.SilentS,
	}
	if w.Contact != (store.WiringContact{}) {
		out.Contact = new(DoorContact(w.Contact))
	}
	return out
}

// checkWiring says what is wrong with what a door is made of.
func (s *Server) checkWiring(b *DoorBody) error {
	c, ok := s.o.Store.Controller(b.Controller)
	if !ok || s.o.Controllers == nil {
		return nil // the store says so
	}
	return s.o.Controllers.CheckWiring(c.Driver, b.Wiring.stored())
}
