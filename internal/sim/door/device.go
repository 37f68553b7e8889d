package door

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
)

// DeviceKind is a make of devices on a broker.
type DeviceKind string

// The makes.
const (
	Zigbee     DeviceKind = "zigbee2mqtt"
	ZigbeeLock DeviceKind = "zigbee2mqttLock"
	Shelly1    DeviceKind = "shelly1"
	Shelly2    DeviceKind = "shelly2"
	Tasmota    DeviceKind = "tasmota"
)

// Device is a relay with a contact on a broker, which speaks as one of its make does.
// A lock of Zigbee2MQTT has its contact in a sensor of its own, NAME-contact.
type Device struct {
	kind   DeviceKind
	name   string
	client *mqtt.Client
	ctx    context.Context

	mu    sync.Mutex
	off   bool // it has no power
	relay bool
	open  bool
	ends  *time.Timer
	says  chan mqtt.Message
}

// NewDevice returns a device that speaks by a client until ctx ends.
func NewDevice(ctx context.Context, client *mqtt.Client, kind DeviceKind, name string) (*Device, error) {
	d := &Device{kind: kind, name: name, client: client, ctx: ctx, says: make(chan mqtt.Message, 256)}
	topics := map[DeviceKind][]string{
		Zigbee: {"zigbee2mqtt/" + name + "/set", "zigbee2mqtt/" + name + "/get"}, ZigbeeLock: {"zigbee2mqtt/" + name + "/set", "zigbee2mqtt/" + name + "/get"},
		Shelly1: {"shellies/" + name + "/relay/0/command", "shellies/" + name + "/command"},
		Shelly2: {name + "/rpc", name + "/command"}, Tasmota: {"cmnd/" + name + "/+"},
	}[kind]
	if topics == nil {
		return nil, fmt.Errorf("a device of the make %q is not known", kind)
	}
	go d.speak()
	for _, topic := range topics {
		if err := client.Subscribe(ctx, topic, d.told); err != nil {
			return nil, fmt.Errorf("listen as %s: %w", name, err)
		}
	}
	d.there()
	return d, nil
}

// speak publishes in order, again and again until the broker is there.
func (d *Device) speak() {
	for {
		select {
		case <-d.ctx.Done():
			return
		case m := <-d.says:
			for d.client.Publish(d.ctx, m) != nil {
				select {
				case <-d.ctx.Done():
					return
				case <-time.After(100 * time.Millisecond):
				}
			}
		}
	}
}

func (d *Device) say(topic, payload string, retain bool) {
	select {
	case d.says <- mqtt.Message{Topic: topic, Payload: []byte(payload), Retain: retain}:
	case <-d.ctx.Done():
	}
}

// told is a command.
func (d *Device) told(m mqtt.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off || m.Retain {
		return
	}
	last := m.Topic[strings.LastIndexByte(m.Topic, '/')+1:]
	text := string(m.Payload)
	switch d.kind {
	case Zigbee, ZigbeeLock:
		if last == "get" {
			d.report()
			return
		}
		var set struct {
			State  string  `json:"state"`
			OnTime float64 `json:"on_time"`
		}
		if json.Unmarshal(m.Payload, &set) == nil {
			d.turn(set.State == "ON" || set.State == "UNLOCK", time.Duration(set.OnTime*float64(time.Second)))
		}
	case Shelly1:
		if text == "update" {
			d.report()
			return
		}
		d.turn(text == "on", 0)
	case Shelly2:
		if text == "status_update" {
			d.report()
			return
		}
		var call struct {
			Method string
			Params struct {
				On    bool    `json:"on"`
				After float64 `json:"toggle_after"`
			}
		}
		if json.Unmarshal(m.Payload, &call) == nil && call.Method == "Switch.Set" {
			d.turn(call.Params.On, time.Duration(call.Params.After*float64(time.Second)))
		}
	case Tasmota:
		d.tasmota(last, text)
	}
}

func (d *Device) tasmota(command, text string) {
	switch {
	case command == "STATE", command == "STATUS":
		d.report()
	case command == "Backlog":
		for part := range strings.SplitSeq(text, ";") {
			if tenths, ok := strings.CutPrefix(strings.TrimSpace(part), "Delay "); ok {
				n, err := strconv.Atoi(tenths)
				if err == nil {
					d.turn(true, time.Duration(n)*100*time.Millisecond)
				}
			}
		}
	case strings.HasPrefix(command, "POWER"):
		d.turn(text == "ON", 0)
	}
}

// turn switches the relay; after a while it goes off by itself. The caller holds the
// lock.
func (d *Device) turn(on bool, long time.Duration) {
	if d.ends != nil {
		d.ends.Stop()
		d.ends = nil
	}
	d.relay = on
	if on && long > 0 {
		d.ends = time.AfterFunc(long, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if !d.off {
				d.relay = false
				d.report()
			}
		})
	}
	d.report()
}

// report says how it is. The caller holds the lock.
func (d *Device) report() {
	switch d.kind {
	case Zigbee:
		d.say("zigbee2mqtt/"+d.name, fmt.Sprintf(`{"state":%q,"contact":%v,"linkquality":120}`, pick(d.relay, "ON", "OFF"), !d.open), false)
	case ZigbeeLock:
		d.say("zigbee2mqtt/"+d.name, fmt.Sprintf(`{"state":%q,"lock_state":%q,"battery":88}`, pick(d.relay, "UNLOCK", "LOCK"), pick(d.relay, "unlocked", "locked")), false)
		d.say("zigbee2mqtt/"+d.name+"-contact", fmt.Sprintf(`{"contact":%v,"tamper":false,"battery":91}`, !d.open), true)
	case Shelly1:
		d.say("shellies/"+d.name+"/relay/0", pick(d.relay, "on", "off"), true)
		d.say("shellies/"+d.name+"/input/0", pick(d.open, "0", "1"), true)
	case Shelly2:
		d.say(d.name+"/status/switch:0", fmt.Sprintf(`{"id":0,"source":"MQTT","output":%v,"temperature":{"tC":41.2,"tF":106.2}}`, d.relay), false)
		d.say(d.name+"/status/input:0", fmt.Sprintf(`{"id":0,"state":%v}`, !d.open), false)
	case Tasmota:
		d.say("stat/"+d.name+"/RESULT", fmt.Sprintf(`{"POWER":%q}`, pick(d.relay, "ON", "OFF")), false)
		d.say("stat/"+d.name+"/POWER", pick(d.relay, "ON", "OFF"), false)
		d.say("stat/"+d.name+"/STATUS10", fmt.Sprintf(`{"StatusSNS":{"Time":"2026-07-01T08:00:00","Switch1":%q}}`, pick(d.open, "OFF", "ON")), false)
	}
}

func pick(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}

// there says whether it has power, as its last will does. The caller holds the lock,
// or nobody else knows the device yet.
func (d *Device) there() {
	switch d.kind {
	case Zigbee, ZigbeeLock:
		d.say("zigbee2mqtt/"+d.name+"/availability", pick(d.off, `{"state":"offline"}`, `{"state":"online"}`), true)
	case Shelly1:
		d.say("shellies/"+d.name+"/online", pick(d.off, "false", "true"), true)
	case Shelly2:
		d.say(d.name+"/online", pick(d.off, "false", "true"), true)
	case Tasmota:
		d.say("tele/"+d.name+"/LWT", pick(d.off, "Offline", "Online"), true)
	}
	if !d.off {
		d.report()
	}
}

// Power gives or takes its power. Without, its relay is off.
func (d *Device) Power(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off, d.relay = !on, false
	d.there()
}

// Stand opens or shuts the door.
func (d *Device) Stand(open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = open
	if !d.off {
		d.report()
	}
}

// Turn switches its relay by hand.
func (d *Device) Turn(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn(on, 0)
}

// On reports whether its relay is on.
func (d *Device) On() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.relay
}
