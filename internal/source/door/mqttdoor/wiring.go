package mqttdoor

import (
	"fmt"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/source/door"
)

// The presets.
const (
	Zigbee     = "zigbee2mqtt"     // a switch or relay
	ZigbeeLock = "zigbee2mqttLock" // a lock
	Shelly1    = "shelly1"         // the first generation
	Shelly2    = "shelly2"         // those after it, by RPC
	Tasmota    = "tasmota"
	Custom     = "custom" // topics that people wrote down
)

// WiringError is what is wrong with the wiring of a door.
type WiringError struct{ Field, Reason string }

func (e *WiringError) Error() string { return e.Field + ": " + e.Reason }

// plan is what is done and heard on the broker for one door.
type plan struct {
	unlock func(time.Duration) mqtt.Message
	lock   mqtt.Message
	ears   []ear
	ask    []mqtt.Message // makes the devices say how they are
	states bool           // the relay is heard of
	sees   bool           // there is a contact
	pulse  time.Duration
	silent time.Duration
	forced bool
}

// ear is a topic that is listened to.
type ear struct {
	topic  string
	reader bool
	read   func(payload []byte) (report, bool)
}

const (
	pulseUsual = 5
	pulseMost  = 600
	maxOutput  = 32
	maxWord    = 200
	silentMost = 24 * 3600
)

// Check says what is wrong with the wiring of a door.
func Check(w door.Wiring) error {
	_, err := planOf(w)
	return err
}

func planOf(w door.Wiring) (*plan, error) {
	p := &plan{forced: w.Forced}
	n := max(w.Output, 1)
	switch {
	case w.Output < 0 || w.Output > maxOutput:
		return nil, &WiringError{"output", fmt.Sprintf("1 to %d", maxOutput)}
	case w.PulseS < 0 || w.PulseS > pulseMost:
		return nil, &WiringError{"pulseSeconds", fmt.Sprintf("at most %d", pulseMost)}
	case w.SilentS != 0 && (w.SilentS < 10 || w.SilentS > silentMost):
		return nil, &WiringError{"silentSeconds", "10 seconds to a day"}
	case w.Preset != Custom && w.Device == "":
		return nil, &WiringError{"device", "the name of the device on the broker"}
	}
	if w.PulseS == 0 {
		w.PulseS = pulseUsual
	}
	p.pulse, p.silent = time.Duration(w.PulseS)*time.Second, time.Duration(w.SilentS)*time.Second
	switch w.Preset {
	case Zigbee, ZigbeeLock:
		p.zigbee(w, n)
	case Shelly1:
		p.shelly1(w, n)
	case Shelly2:
		p.shelly2(w, n)
	case Tasmota:
		p.tasmota(w, n)
	case Custom:
		if err := p.custom(w); err != nil {
			return nil, err
		}
	default:
		return nil, &WiringError{"preset", "zigbee2mqtt, zigbee2mqttLock, shelly1, shelly2, tasmota or custom"}
	}
	if err := mqtt.CheckTopic(p.lock.Topic); err != nil {
		return nil, &WiringError{field(w.Preset, "device", "command"), err.Error()}
	}
	if err := p.contact(w.Contact); err != nil {
		return nil, err
	}
	if w.Reader != "" {
		if err := mqtt.CheckTopic(w.Reader); err != nil {
			return nil, &WiringError{"reader", err.Error()}
		}
		p.ears = append(p.ears, ear{topic: w.Reader, reader: true, read: readCard})
	}
	if w.Forced && !p.sees {
		return nil, &WiringError{"forced", "without a contact nobody sees that it was forced"}
	}
	return p, nil
}

// field is where a fault is shown.
func field(preset, usual, custom string) string {
	if preset == Custom {
		return custom
	}
	return usual
}

func say(topic, payload string) mqtt.Message {
	return mqtt.Message{Topic: topic, Payload: []byte(payload)}
}

func always(m mqtt.Message) func(time.Duration) mqtt.Message {
	return func(time.Duration) mqtt.Message { return m }
}

// seconds rounds up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (p *plan) hear(topic string, read func([]byte) (report, bool)) {
	p.ears = append(p.ears, ear{topic: topic, read: read})
}

func (p *plan) zigbee(w door.Wiring, n int) {
	at, key := "zigbee2mqtt/"+w.Device, "state"
	if n > 1 {
		key = "state_l" + strconv.Itoa(n)
	}
	p.states = true
	p.hear(at+"/availability", availability)
	if w.Preset == ZigbeeLock {
		p.hear(at, zigbeeLock)
		p.unlock, p.lock = always(say(at+"/set", `{"state":"UNLOCK"}`)), say(at+"/set", `{"state":"LOCK"}`)
	} else {
		p.hear(at, member(key, relayIs, "ON", "OFF"))
		p.unlock = func(d time.Duration) mqtt.Message {
			return say(at+"/set", fmt.Sprintf(`{%q:"ON","on_time":%d}`, key, seconds(d)))
		}
		p.lock = say(at+"/set", fmt.Sprintf(`{%q:"OFF"}`, key))
	}
	p.ask = append(p.ask, say(at+"/get", `{"state":""}`))
}

func (p *plan) shelly1(w door.Wiring, n int) {
	at := "shellies/" + w.Device
	relay := at + "/relay/" + strconv.Itoa(n-1)
	p.states = true
	p.hear(at+"/online", availability)
	p.hear(relay, word(relayIs, "on", "off", "overpower"))
	p.unlock, p.lock = always(say(relay+"/command", "on")), say(relay+"/command", "off")
	p.ask = append(p.ask, say(at+"/command", "update"))
}

func (p *plan) shelly2(w door.Wiring, n int) {
	p.states = true
	p.hear(w.Device+"/online", availability)
	p.hear(w.Device+"/status/switch:"+strconv.Itoa(n-1), flag("output", relayIs, false))
	set := func(params string) mqtt.Message {
		return say(w.Device+"/rpc", fmt.Sprintf(`{"id":1,"src":"chargewatch","method":"Switch.Set","params":{"id":%d,%s}}`, n-1, params))
	}
	p.unlock = func(d time.Duration) mqtt.Message { return set(fmt.Sprintf(`"on":true,"toggle_after":%d`, seconds(d))) }
	p.lock = set(`"on":false`)
	p.ask = append(p.ask, say(w.Device+"/command", "status_update"))
}

// tenths is the longest that one Delay of Tasmota can be.
const tenths = 3600

func (p *plan) tasmota(w door.Wiring, n int) {
	power := "POWER" + strconv.Itoa(n)
	p.states = true
	p.hear("tele/"+w.Device+"/LWT", availability)
	keys := []string{power}
	if n == 1 {
		keys = append(keys, "POWER")
	}
	for _, key := range keys {
		p.hear("stat/"+w.Device+"/"+key, word(relayIs, "ON", "OFF"))
		p.hear("stat/"+w.Device+"/RESULT", member(key, relayIs, "ON", "OFF"))
		p.hear("tele/"+w.Device+"/STATE", member(key, relayIs, "ON", "OFF"))
	}
	p.unlock = func(d time.Duration) mqtt.Message {
		return say("cmnd/"+w.Device+"/Backlog", fmt.Sprintf("%s ON; Delay %d; %s OFF", power, min(10*seconds(d), tenths), power))
	}
	p.lock = say("cmnd/"+w.Device+"/"+power, "OFF")
	p.ask = append(p.ask, say("cmnd/"+w.Device+"/STATE", ""))
}

func (p *plan) custom(w door.Wiring) error {
	for _, x := range []struct {
		name, word string
	}{{"unlock", w.Unlock}, {"lock", w.Lock}} {
		if x.word == "" || len(x.word) > maxWord {
			return &WiringError{x.name, fmt.Sprintf("what is said: 1 to %d bytes", maxWord)}
		}
	}
	if w.Unlock == w.Lock {
		return &WiringError{"lock", "another word than that which unlocks"}
	}
	p.unlock, p.lock = always(say(w.Command, w.Unlock)), say(w.Command, w.Lock)
	if w.State != "" {
		if err := mqtt.CheckTopic(w.State); err != nil {
			return &WiringError{"state", err.Error()}
		}
		if len(w.Field) > maxWord {
			return &WiringError{"field", fmt.Sprintf("at most %d bytes", maxWord)}
		}
		p.states = true
		p.hear(w.State, wordOrMember(w.Field, relayIs, w.Unlock, w.Lock))
	}
	if w.Online != "" {
		if err := mqtt.CheckTopic(w.Online); err != nil {
			return &WiringError{"online", err.Error()}
		}
		p.hear(w.Online, availability)
	}
	return nil
}

// contact adds what sees whether the door is open.
func (p *plan) contact(c door.Contact) error {
	n := max(c.Input, 1)
	switch {
	case c.Input < 0 || c.Input > maxOutput:
		return &WiringError{"contact.input", fmt.Sprintf("1 to %d", maxOutput)}
	case c.Preset != "" && c.Preset != Custom && c.Device == "":
		return &WiringError{"contact.device", "the name of the device on the broker"}
	}
	p.sees = c.Preset != ""
	before := len(p.ears)
	switch c.Preset {
	case "":
		return nil
	case Zigbee:
		p.hear("zigbee2mqtt/"+c.Device, zigbeeContact(c.Inverted))
		p.hear("zigbee2mqtt/"+c.Device+"/availability", availability)
	case Shelly1:
		on, off := opposite("1", "0", c.Inverted)
		p.hear("shellies/"+c.Device+"/input/"+strconv.Itoa(n-1), word(openIs, off, on))
		p.hear("shellies/"+c.Device+"/online", availability)
		p.ask = append(p.ask, say("shellies/"+c.Device+"/command", "update"))
	case Shelly2:
		p.hear(c.Device+"/status/input:"+strconv.Itoa(n-1), flag("state", openIs, !c.Inverted))
		p.hear(c.Device+"/online", availability)
		p.ask = append(p.ask, say(c.Device+"/command", "status_update"))
	case Tasmota:
		on, off := opposite("ON", "OFF", c.Inverted)
		read := member("Switch"+strconv.Itoa(n), openIs, off, on)
		p.hear("tele/"+c.Device+"/SENSOR", read)
		p.hear("stat/"+c.Device+"/STATUS10", within("StatusSNS", read))
		p.hear("stat/"+c.Device+"/RESULT", action("Switch"+strconv.Itoa(n), openIs, off, on))
		p.hear("tele/"+c.Device+"/LWT", availability)
		p.ask = append(p.ask, say("cmnd/"+c.Device+"/STATUS", "10"))
	case Custom:
		if c.Open == "" || len(c.Open) > maxWord || len(c.Field) > maxWord {
			return &WiringError{"contact.open", "the word that says that it is open"}
		}
		p.hear(c.Topic, wordOrMember(c.Field, openIs, c.Open, ""))
	default:
		return &WiringError{"contact.preset", "zigbee2mqtt, shelly1, shelly2, tasmota or custom"}
	}
	if err := mqtt.CheckTopic(p.ears[before].topic); err != nil {
		return &WiringError{field(c.Preset, "contact.device", "contact.topic"), err.Error()}
	}
	return nil
}

func opposite(on, off string, inverted bool) (string, string) {
	if inverted {
		return off, on
	}
	return on, off
}
