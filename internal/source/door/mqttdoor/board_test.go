package mqttdoor

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/mqtt/mqtttest"
	simdoor "github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/source/door/doortest"
)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

const readerTopic = "yard/reader"

// yard is a broker with a device at it, and our driver.
type yard struct {
	t      *testing.T
	broker *mqtttest.Broker
	hand   *mqtt.Client // of whoever else is on the broker
	device *simdoor.Device
	*Board
}

func newYard(t *testing.T, w door.Wiring) *yard {
	t.Helper()
	y := &yard{t: t, broker: mqtttest.Start(t, mqtttest.Options{})}
	up := make(chan struct{}, 100)
	y.hand = mqtt.Dial(t.Context(), mqtt.Options{Broker: mqtt.Broker{Dial: dial, Address: y.broker.Address}, Changed: func(on bool, _ error) {
		if on {
			up <- struct{}{}
		}
	}})
	<-up
	var err error
	if w.Preset != Custom {
		if y.device, err = simdoor.NewDevice(t.Context(), y.hand, simdoor.DeviceKind(w.Preset), w.Device); err != nil {
			t.Fatal(err)
		}
	}
	w.Reader = readerTopic
	y.Board, err = Open(Options{Broker: mqtt.Broker{Dial: dial, Address: y.broker.Address}, Doors: []door.DoorConfig{{ID: "gate", Number: 1, Wiring: w}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(y.Board.Close)
	return y
}

func (y *yard) say(topic, payload string, retain bool) {
	y.t.Helper()
	if err := y.hand.Publish(y.t.Context(), mqtt.Message{Topic: topic, Payload: []byte(payload), Retain: retain}); err != nil {
		y.t.Fatal(err)
	}
}

// is waits for the door to be as it should be.
func (y *yard) is(what string, is func(door.DoorLook) bool) {
	y.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		l, err := y.Look(y.t.Context())
		if err == nil && is(l.Doors[0]) {
			return
		}
		if time.Now().After(end) {
			y.t.Fatalf("never %s: %+v, %v", what, l, err)
		}
	}
}

func seen(l door.DoorLook) bool { return !l.Unseen && !l.Away }

func (y *yard) next() door.Told {
	y.t.Helper()
	select {
	case x := <-y.Told():
		return x
	case <-time.After(10 * time.Second):
		y.t.Fatal("nothing was told")
	}
	return door.Told{}
}

// wirings are the presets as their devices have them.
func wirings() map[string]door.Wiring {
	return map[string]door.Wiring{
		"Zigbee2MQTT relay":  {Preset: Zigbee, Device: "yard/gate", PulseS: 60, Contact: door.Contact{Preset: Zigbee, Device: "yard/gate"}},
		"Zigbee2MQTT lock":   {Preset: ZigbeeLock, Device: "Gate lock", PulseS: 60, Contact: door.Contact{Preset: Zigbee, Device: "Gate lock-contact"}},
		"Shelly of the past": {Preset: Shelly1, Device: "shelly1-AABBCC", PulseS: 60, Contact: door.Contact{Preset: Shelly1, Device: "shelly1-AABBCC"}},
		"Shelly of today":    {Preset: Shelly2, Device: "shellyplus1-aabbcc", PulseS: 60, Contact: door.Contact{Preset: Shelly2, Device: "shellyplus1-aabbcc"}},
		"Tasmota":            {Preset: Tasmota, Device: "gate", PulseS: 60, Contact: door.Contact{Preset: Tasmota, Device: "gate"}},
	}
}

func TestContract(t *testing.T) {
	for name, w := range wirings() {
		t.Run(name, func(t *testing.T) {
			doortest.Run(t, func(t *testing.T) doortest.Rig {
				y := newYard(t, w)
				y.is("seen", seen)
				return doortest.Rig{
					Driver: y.Board,
					Swipe: func(t *testing.T, _ int, card, pin uint32) {
						text, err := json.Marshal(map[string]any{"card": strconv.FormatUint(uint64(card), 10)})
						if err != nil {
							t.Fatal(err)
						}
						y.say(readerTopic, string(text), false)
					},
					Open:  func(*testing.T, int) { y.device.Stand(true) },
					Shut:  func(*testing.T, int) { y.device.Stand(false) },
					Power: func(_ *testing.T, on bool) { y.device.Power(on) },
					Relay: func(int) bool { return y.device.On() },
				}
			})
		})
	}
}

func TestARelayThatSomebodyElseTurnsOn(t *testing.T) {
	w := wirings()["Tasmota"]
	y := newYard(t, w)
	y.is("seen", seen)
	y.device.Turn(true)
	if x := y.next(); x.Cause != door.RemoteOpen || x.Asks {
		t.Errorf("told %+v", x)
	}
	y.is("unlocked", func(l door.DoorLook) bool { return l.Unlocked })
	if err := y.Do(t.Context(), door.Order{Door: 1, Mode: door.Locked}); err != nil {
		t.Fatal(err)
	}
	y.is("locked", func(l door.DoorLook) bool { return !l.Unlocked })
	y.device.Turn(true)
	if x := y.next(); x.Cause != door.RemoteOpen {
		t.Errorf("told %+v", x)
	}
	y.is("off again", func(l door.DoorLook) bool { return !l.Unlocked && !y.device.On() })
}

func TestARelayThatIsOnWhenWeBeginIsTurnedOff(t *testing.T) {
	y := newYard(t, wirings()["Shelly of the past"])
	y.is("seen", seen)
	y.device.Turn(true)
	y.next()
	y.is("unlocked", func(l door.DoorLook) bool { return l.Unlocked })
	w := wirings()["Shelly of the past"]
	again, err := Open(Options{Broker: mqtt.Broker{Dial: dial, Address: y.broker.Address}, Doors: []door.DoorConfig{{ID: "gate", Number: 1, Wiring: w}}})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	y.is("off", func(l door.DoorLook) bool { return !l.Unlocked && !y.device.On() })
}

func TestABrokerThatGoesAndComesBack(t *testing.T) {
	y := newYard(t, wirings()["Shelly of today"])
	y.is("seen", seen)
	if err := y.Do(t.Context(), door.Order{Door: 1, For: time.Hour, Answers: true}); err != nil {
		t.Fatal(err)
	}
	y.broker.Stop()
	for {
		if _, err := y.Look(t.Context()); err != nil {
			if away, ok := errors.AsType[*door.AwayError](err); !ok || !errors.Is(err, door.ErrAway) || away.Why == "" {
				t.Fatalf("without a broker: %v", err)
			}
			break
		}
		<-y.Rings()
	}
	if err := y.Do(t.Context(), door.Order{Door: 1}); !errors.Is(err, door.ErrAway) {
		t.Errorf("without a broker it was opened: %v", err)
	}
	y.device.Turn(false)
	y.broker.Begin()
	y.is("back", func(l door.DoorLook) bool { return seen(l) && !l.Unlocked })
	for y.hand.State().Up == false {
		time.Sleep(time.Millisecond)
	}
	y.say(readerTopic, "6154410", false)
	if x := y.next(); x.Token != "6154410" || !x.Asks {
		t.Errorf("told %+v", x)
	}
}

// What was kept or is said again happens once, and what is no message of a reader
// does not happen.
func TestWhatAReaderCannotHaveSaid(t *testing.T) {
	y := newYard(t, wirings()["Tasmota"])
	y.is("seen", seen)
	deep := ""
	for range 500 {
		deep += "["
	}
	for _, payload := range []string{
		"", "{}", `{"card":NaN}`, `{"card":1.5}`, `{"card":1e300}`, `{"card":-`, `{"card":true}`, `{"card":["1"]}`, `{"card":{"card":"1"}}`, `{"card":null}`,
		`{"card":"<b>1</b>"}`, `{"card":"1","pin":4711}`, `{"card":"1","pin":"12"}`, `{"card":"1","card":"2"}`, `{"card":"1","at":"yesterday"}`, `{"card":"1","id":{}}`,
		`{"card":"1"} {"card":"2"}`, deep, `{"card":"` + fmt.Sprintf("%065d", 1) + `"}`, "'; DROP TABLE doors", "\xff\xfe", fmt.Sprintf("%5000d", 1), fmt.Sprintf("%100000d", 1),
	} {
		y.say(readerTopic, payload, false)
	}
	y.say(readerTopic, `{"card":"kept"}`, true)
	y.say(readerTopic, "", true)
	y.say(readerTopic, `{"card":"1","pin":"0042","id":"a"}`, false)
	y.say(readerTopic, `{"card":"1","pin":"0042","id":"a"}`, false)
	y.say(readerTopic, `{"card":7}`, false)
	y.say(readerTopic, `{"card":7}`, false)
	y.say(readerTopic, `{"pin":"471100"}`, false)
	for i, want := range []door.Told{{PIN: "0042", Record: door.Record{Token: "1"}}, {Record: door.Record{Token: "7"}}, {PIN: "471100"}} {
		if i == 0 {
			if x := y.next(); x.Token != "kept" { // it was said while we listened, and kept for others
				t.Errorf("told %+v", x)
			}
		}
		if x := y.next(); x.Token != want.Token || x.PIN != want.PIN || !x.Asks || x.Granted {
			t.Errorf("%d: told %+v", i, x)
		}
	}
	for n := range 100 {
		y.say(readerTopic, strconv.Itoa(1000+n), false)
	}
	y.say("stat/gate/POWER", "ON", false)
	got := 0
	for y.next().Cause == door.Swiped {
		got++
	}
	if got > 30 {
		t.Errorf("%d of a hundred cards at once were asked about", got)
	}
}

func TestACardThatWasKeptOpensNothing(t *testing.T) {
	y := newYard(t, wirings()["Tasmota"])
	y.is("seen", seen)
	y.say(readerTopic, "1", true)
	y.next()
	w := wirings()["Tasmota"]
	w.Reader = readerTopic
	again, err := Open(Options{Broker: mqtt.Broker{Dial: dial, Address: y.broker.Address}, Doors: []door.DoorConfig{{ID: "gate", Number: 1, Wiring: w}}})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for again.client.State().Up == false {
		<-again.Rings()
	}
	y.say(readerTopic, "2", false)
	if x := <-again.Told(); x.Token != "2" {
		t.Errorf("told %+v", x)
	}
}

func TestWhyABrokerIsNotConnected(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{User: "me", Password: "pw"})
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go func() {
		for {
			conn, err := other.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write(bytes.Repeat([]byte("SSH"), 100)) // whoever hung up before does not read it
			defer conn.Close()
		}
	}()
	for want, broker := range map[string]mqtt.Broker{
		"user or password":  {Address: b.Address, User: "me", Password: "no"},
		"nothing listens":   {Address: "127.0.0.1:1"},
		"does not speak":    {Address: other.Addr().String()},
		"name is not known": {Address: "broker.invalid:1883"},
		"hung up":           {Address: b.Address, TLS: &tls.Config{ServerName: "b"}},
		"not allowed":       {Address: b.Address, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, door.ErrDenied }},
	} {
		t.Run(want, func(t *testing.T) {
			if broker.Dial == nil {
				broker.Dial = dial
			}
			x, err := Open(Options{Broker: broker, Doors: []door.DoorConfig{{ID: "gate", Number: 1, Wiring: wirings()["Tasmota"]}}})
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			<-x.Rings()
			if _, err := x.Look(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTopicsOfOnesOwn(t *testing.T) {
	w := door.Wiring{
		Preset: Custom, Command: "esp/gate/set", Unlock: "OPEN", Lock: "CLOSE", State: "esp/gate", Field: "lock", Online: "esp/status", Forced: true,
		Contact: door.Contact{Preset: Custom, Topic: "esp/door", Open: "open"},
	}
	y := newYard(t, w)
	commands := make(chan string, 100)
	if err := y.hand.Subscribe(t.Context(), "esp/gate/set", func(m mqtt.Message) { commands <- string(m.Payload) }); err != nil {
		t.Fatal(err)
	}
	for y.client.State().Up == false {
		<-y.Rings()
	}
	if l, err := y.Look(t.Context()); err != nil || !l.Doors[0].Unseen {
		t.Errorf("before anything was heard it is %+v, %v", l, err)
	}
	y.say("esp/gate", `{"lock":"CLOSE"}`, false)
	y.say("esp/door", "closed", false)
	y.is("seen", seen)
	y.say("esp/door", "open", false)
	if x := y.next(); x.Cause != door.ForcedOpen {
		t.Errorf("told %+v", x)
	}
	y.say("esp/door", "shut", false)
	if x := y.next(); x.Cause != door.Closed {
		t.Errorf("told %+v", x)
	}
	y.o.Confirm = 50 * time.Millisecond
	if err := y.Do(t.Context(), door.Order{Door: 1, Answers: true}); !errors.Is(err, door.ErrAway) {
		t.Errorf("it said nothing, and was opened: %v", err)
	}
	if got := <-commands; got != "OPEN" {
		t.Errorf("it was told %s", got)
	}
	y.say("esp/status", "offline", false)
	y.is("away", func(l door.DoorLook) bool { return l.Away })
	if err := y.Do(t.Context(), door.Order{Door: 1}); !errors.Is(err, door.ErrAway) {
		t.Errorf("it is away, and was opened: %v", err)
	}
}

func TestADoorIsLockedWhenWeEnd(t *testing.T) {
	y := newYard(t, wirings()["Shelly of the past"]) // which does not turn itself off
	y.is("seen", seen)
	if err := y.Do(t.Context(), door.Order{Door: 1, For: time.Hour}); err != nil {
		t.Fatal(err)
	}
	y.Board.Close()
	for y.device.On() {
		time.Sleep(time.Millisecond)
	}
}
