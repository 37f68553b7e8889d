package mqttdoor

import (
	"errors"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/source/door"
)

func TestWiringThatCannotBe(t *testing.T) {
	good := door.Wiring{Preset: Tasmota, Device: "gate"}
	for field, change := range map[string]func(*door.Wiring){
		"":               func(*door.Wiring) {},
		"preset":         func(w *door.Wiring) { w.Preset = "other" },
		"device":         func(w *door.Wiring) { w.Device = "gate/#" },
		"output":         func(w *door.Wiring) { w.Output = 33 },
		"pulseSeconds":   func(w *door.Wiring) { w.PulseS = 601 },
		"silentSeconds":  func(w *door.Wiring) { w.SilentS = 3 },
		"reader":         func(w *door.Wiring) { w.Reader = "+/card" },
		"forced":         func(w *door.Wiring) { w.Forced = true },
		"contact.preset": func(w *door.Wiring) { w.Contact = door.Contact{Preset: "eye", Device: "x"} },
		"contact.device": func(w *door.Wiring) { w.Contact = door.Contact{Preset: Shelly1, Device: "a#"} },
		"contact.input":  func(w *door.Wiring) { w.Contact = door.Contact{Preset: Shelly1, Device: "a", Input: 99} },
		"contact.topic":  func(w *door.Wiring) { w.Contact = door.Contact{Preset: Custom, Open: "x", Topic: "#"} },
		"contact.open":   func(w *door.Wiring) { w.Contact = door.Contact{Preset: Custom, Topic: "x"} },
		"unlock":         func(w *door.Wiring) { *w = door.Wiring{Preset: Custom, Command: "x", Lock: "0"} },
		"lock":           func(w *door.Wiring) { *w = door.Wiring{Preset: Custom, Command: "x", Lock: "0", Unlock: "0"} },
		"command":        func(w *door.Wiring) { *w = door.Wiring{Preset: Custom, Command: "$SYS/x", Lock: "0", Unlock: "1"} },
		"state": func(w *door.Wiring) {
			*w = door.Wiring{Preset: Custom, Command: "x", Lock: "0", Unlock: "1", State: "+"}
		},
		"online": func(w *door.Wiring) {
			*w = door.Wiring{Preset: Custom, Command: "x", Lock: "0", Unlock: "1", Online: "a\nb"}
		},
	} {
		w := good
		change(&w)
		err := Check(w)
		wrong, ok := errors.AsType[*WiringError](err)
		if (field == "") != (err == nil) || ok && wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWhatDevicesSay(t *testing.T) {
	hears := func(w door.Wiring) map[string]func([]byte) (report, bool) {
		p, err := planOf(w)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]func([]byte) (report, bool){}
		for _, e := range p.ears {
			before := out[e.topic]
			out[e.topic] = func(b []byte) (report, bool) {
				if before != nil {
					if r, ok := before(b); ok {
						return r, ok
					}
				}
				return e.read(b)
			}
		}
		return out
	}
	z := hears(door.Wiring{Preset: ZigbeeLock, Device: "lock", Contact: door.Contact{Preset: Zigbee, Device: "sensor"}})
	s1 := hears(door.Wiring{Preset: Shelly1, Device: "s", Output: 2, Contact: door.Contact{Preset: Shelly1, Device: "s", Input: 2, Inverted: true}})
	s2 := hears(door.Wiring{Preset: Shelly2, Device: "s", Contact: door.Contact{Preset: Shelly2, Device: "s"}})
	ta := hears(door.Wiring{Preset: Tasmota, Device: "t", Contact: door.Contact{Preset: Tasmota, Device: "t"}})
	for _, tc := range []struct {
		hears   map[string]func([]byte) (report, bool)
		topic   string
		payload string
		want    report
	}{
		{z, "zigbee2mqtt/lock", `{"state":"LOCK","lock_state":"unlocked"}`, report{relay: yes}},
		{z, "zigbee2mqtt/lock", `{"state":"LOCK","lock_state":"not_fully_locked"}`, report{relay: no}},
		{z, "zigbee2mqtt/lock", `{"state":"UNLOCK"}`, report{relay: yes}},
		{z, "zigbee2mqtt/lock", `{"battery":12}`, report{}},
		{z, "zigbee2mqtt/lock/availability", `{"state":"offline"}`, report{online: no}},
		{z, "zigbee2mqtt/lock/availability", `online`, report{online: yes}},
		{z, "zigbee2mqtt/sensor", `{"contact":true,"tamper":true}`, report{open: no, tamper: yes}},
		{z, "zigbee2mqtt/sensor", `{"contact":"true"}`, report{}},
		{s1, "shellies/s/relay/1", "on", report{relay: yes}},
		{s1, "shellies/s/relay/1", "overpower", report{relay: no}},
		{s1, "shellies/s/relay/1", "1", report{}},
		{s1, "shellies/s/input/1", "1", report{open: yes}},
		{s1, "shellies/s/online", "false", report{online: no}},
		{s2, "s/status/switch:0", `{"id":0,"output":true}`, report{relay: yes}},
		{s2, "s/status/switch:0", `{"id":0,"output":1}`, report{}},
		{s2, "s/status/input:0", `{"id":0,"state":false}`, report{open: yes}},
		{s2, "s/status/input:0", `{"id":0,"state":null}`, report{}},
		{ta, "stat/t/RESULT", `{"POWER":"ON"}`, report{relay: yes}},
		{ta, "stat/t/RESULT", `{"POWER1":"OFF"}`, report{relay: no}},
		{ta, "stat/t/RESULT", `{"Switch1":{"Action":"OFF"}}`, report{open: yes}},
		{ta, "tele/t/SENSOR", `{"Time":"x","Switch1":"ON"}`, report{open: no}},
		{ta, "stat/t/STATUS10", `{"StatusSNS":{"Switch1":"OFF"}}`, report{open: yes}},
		{ta, "tele/t/LWT", "Offline", report{online: no}},
	} {
		read := tc.hears[tc.topic]
		if read == nil {
			t.Errorf("nobody hears %s", tc.topic)
			continue
		}
		got, ok := read([]byte(tc.payload))
		if !ok {
			got = report{}
		}
		if got != tc.want || ok != (tc.want != report{}) {
			t.Errorf("%s %s: %+v, %v", tc.topic, tc.payload, got, ok)
		}
	}
}

// Whatever is said, nothing else than what can be said comes out.
func FuzzSaid(f *testing.F) {
	for _, s := range []string{`{"card":"1","pin":"4711","id":"x","at":"2026-07-01T08:00:00Z"}`, `{"state":"ON","contact":false}`, "on", "6154410", `{"StatusSNS":{"Switch1":"ON"}}`, strings.Repeat("[", 99)} {
		f.Add([]byte(s))
	}
	var ears []ear
	for _, preset := range []string{Zigbee, ZigbeeLock, Shelly1, Shelly2, Tasmota} {
		c := preset
		if c == ZigbeeLock {
			c = Zigbee
		}
		p, err := planOf(door.Wiring{Preset: preset, Device: "d", Reader: "r", Contact: door.Contact{Preset: c, Device: "d"}})
		if err != nil {
			f.Fatal(err)
		}
		ears = append(ears, p.ears...)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, e := range ears {
			r, ok := e.read(payload)
			if !ok {
				continue
			}
			if e.reader != (r.card != "" || r.pin != "") {
				t.Errorf("%s: %+v", e.topic, r)
			}
			if !isCard(r.card) || r.pin != "" && !isPIN(r.pin) || len(r.id) > maxID {
				t.Errorf("%s: %+v of %q", e.topic, r, payload)
			}
			if !e.reader && r.relay == unsaid && r.open == unsaid && r.online == unsaid && r.tamper == unsaid {
				t.Errorf("%s: nothing was said by %q", e.topic, payload)
			}
		}
	})
}
