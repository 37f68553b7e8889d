package output_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/mqtt/mqtttest"
	"github.com/chargewatch/chargewatch/internal/output"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// relay is a device behind a broker: what it hears, and how it answers.
type relay struct {
	mu     sync.Mutex
	heard  []string
	answer func(topic, payload string) (to, text string)
}

func (r *relay) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.heard...)
}

// plug connects a device that listens to a filter.
func plug(t *testing.T, b mqtt.Broker, filter string, answer func(topic, payload string) (to, text string)) *relay {
	t.Helper()
	r := &relay{answer: answer}
	ctx, stop := context.WithCancel(context.Background())
	up := make(chan struct{})
	var once sync.Once
	c := mqtt.New(mqtt.Options{Broker: b, Changed: func(on bool, _ error) {
		if on {
			once.Do(func() { close(up) })
		}
	}})
	tell := make(chan mqtt.Message, 10)
	if err := c.Subscribe(ctx, filter, func(m mqtt.Message) {
		r.mu.Lock()
		r.heard = append(r.heard, m.Topic+" "+string(m.Payload))
		r.mu.Unlock()
		if to, text := r.answer(m.Topic, string(m.Payload)); to != "" {
			tell <- mqtt.Message{Topic: to, Payload: []byte(text)}
		}
	}); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-tell:
				if err := c.Publish(ctx, m); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		}
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	select {
	case <-up:
	case <-time.After(30 * time.Second):
		t.Fatal("the device does not reach its broker")
	}
	return r
}

func silent(string, string) (string, string) { return "", "" }

func TestDevicesBehindABroker(t *testing.T) {
	y := newYard(t)
	mosquitto := mqtttest.Start(t, mqtttest.Options{User: "guard", Password: "a password"})
	y.reach = outward.New(outward.Options{Exactly: []netip.AddrPort{netip.MustParseAddrPort(mosquitto.Address)}})
	y.halt()
	y.start()
	b := mqtt.Broker{Dial: y.reach.Dial, Address: mosquitto.Address, User: "guard", Password: "a password"}
	add := func(o store.Output) *store.Output {
		t.Helper()
		o.SiteID, o.Driver, o.Address = "yard", store.OutputMQTT, "mqtt://"+mosquitto.Address
		if o.Username == "" {
			o.Username = "guard"
		}
		made, err := y.store.CreateOutput(t.Context(), "admin", o, "a password")
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	for name, tc := range map[string]struct {
		o      store.Output
		listen string
		answer func(topic, payload string) (string, string)
		heard  []string // on for 30 s, then off
		want   error
	}{
		"a Shelly of the second generation goes off by itself": {
			o: store.Output{Preset: store.PresetShelly, Topic: "shellyplus1-a"}, listen: "shellyplus1-a/rpc",
			answer: func(_, payload string) (string, string) {
				var call struct{ Src string }
				if err := json.Unmarshal([]byte(payload), &call); err != nil {
					t.Error(err)
				}
				return call.Src + "/rpc", `{"id":1,"src":"shellyplus1-a","result":{"was_on":false}}`
			},
			heard: []string{`"method":"Switch.Set","params":{"id":0,"on":true,"toggle_after":30}`, `"params":{"id":0,"on":false}`},
		},
		"a Shelly that cannot": {
			o: store.Output{Preset: store.PresetShelly, Topic: "shellyplus1-b"}, listen: "shellyplus1-b/rpc",
			answer: func(_, payload string) (string, string) {
				var call struct{ Src string }
				if err := json.Unmarshal([]byte(payload), &call); err != nil {
					t.Error(err)
				}
				return call.Src + "/rpc", `{"id":1,"error":{"code":-105,"message":"no such component"}}`
			},
			want: output.ErrRefused,
		},
		"a Shelly of the first": {
			o: store.Output{Preset: store.PresetShelly1, Topic: "shellies/one"}, listen: "shellies/one/relay/0/command",
			answer: func(_, payload string) (string, string) { return "shellies/one/relay/0", payload },
			heard:  []string{"shellies/one/relay/0/command on", "shellies/one/relay/0/command off"},
		},
		"Tasmota": {
			o: store.Output{Preset: store.PresetTasmota, Topic: "horn"}, listen: "cmnd/horn/#",
			answer: func(_, payload string) (string, string) {
				state := "OFF"
				if strings.HasSuffix(payload, "ON") {
					state = "ON"
				}
				return "stat/horn/RESULT", `{"POWER":"` + state + `"}`
			},
			heard: []string{"cmnd/horn/Backlog PulseTime1 130; Power1 ON", "cmnd/horn/Power1 OFF"},
		},
		"Zigbee2MQTT": {
			o: store.Output{Preset: store.PresetZigbee, Topic: "zigbee2mqtt/flood light"}, listen: "zigbee2mqtt/flood light/set",
			answer: func(_, payload string) (string, string) { return "zigbee2mqtt/flood light", payload },
			heard:  []string{`zigbee2mqtt/flood light/set {"on_time":30,"state":"ON"}`, `zigbee2mqtt/flood light/set {"state":"OFF"}`},
		},
		"a siren behind Zigbee2MQTT": {
			o: store.Output{Preset: store.PresetZigbeeSiren, Topic: "zigbee2mqtt/siren"}, listen: "zigbee2mqtt/siren/set", answer: silent,
			heard: []string{`"duration":30,"level":"very_high","mode":"burglar"`, `"mode":"stop"`},
		},
		"what somebody made": {
			o: store.Output{
				Kind: store.Speaker, Preset: store.PresetCustom, Topic: "yard/horn", OnPayload: `{"for":{seconds},"say":"{text}","in":"{language}"}`, OffPayload: "stop",
				Announcements: []store.Phrase{{Key: "go", Text: `Go "now"`, Language: "en"}},
			}, listen: "yard/horn", answer: silent,
			heard: []string{`yard/horn {"for":30,"say":"Go \"now\"","in":"en"}`, "yard/horn stop"},
		},
		"a device that hears nothing": {
			o: store.Output{Preset: store.PresetTasmota, Topic: "gone"}, listen: "cmnd/gone/#", answer: silent, want: output.ErrNoAnswer,
		},
		"a device that says something else": {
			o: store.Output{Preset: store.PresetTasmota, Topic: "stubborn"}, listen: "cmnd/stubborn/#",
			answer: func(string, string) (string, string) { return "stat/stubborn/RESULT", `{"POWER":"OFF","POWER2":"ON"}` }, want: output.ErrNoAnswer,
		},
	} {
		t.Run(name, func(t *testing.T) {
			device := plug(t, b, tc.listen, tc.answer)
			if tc.o.Kind == "" {
				tc.o.Kind = store.Siren
			}
			o := add(tc.o)
			st, err := y.s.Switch(t.Context(), output.Wish{Output: o.ID, On: true, For: 30 * time.Second, By: "ada", Reason: "burglar"})
			if !errors.Is(err, tc.want) {
				t.Fatalf("%v, want %v: %+v", err, tc.want, device.list())
			}
			if tc.want != nil {
				return
			}
			if !st.Confirmed {
				t.Errorf("%+v", st)
			}
			if st := y.want(o.ID, output.Wish{By: "ada"}); st.On {
				t.Errorf("%+v", st)
			}
			y.until("the device has heard both", func() bool { return len(device.list()) == 2 })
			for i, got := range device.list() {
				if !strings.Contains(got, tc.heard[i]) {
					t.Errorf("heard %s, want %s", got, tc.heard[i])
				}
			}
		})
	}
	t.Run("a broker that lets us not in", func(t *testing.T) {
		o := add(store.Output{Kind: store.Siren, Username: "stranger", Preset: store.PresetTasmota, Topic: "horn"})
		if _, err := y.s.Switch(t.Context(), output.Wish{Output: o.ID, On: true, By: "ada"}); !errors.Is(err, output.ErrRefused) {
			t.Error(err)
		}
	})
	t.Run("a broker that is gone, and one that is not allowed", func(t *testing.T) {
		mosquitto.Stop()
		o := add(store.Output{Kind: store.Siren, Preset: store.PresetTasmota, Topic: "horn"})
		if _, err := y.s.Switch(t.Context(), output.Wish{Output: o.ID, On: true, By: "ada"}); !errors.Is(err, output.ErrUnreachable) {
			t.Error(err)
		}
		o, err := y.store.ChangeOutput(t.Context(), "admin", o.ID, new("a password"), func(x *store.Output) { x.Address = "mqtt://127.0.0.1:1" })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := y.s.Switch(t.Context(), output.Wish{Output: o.ID, On: true, By: "ada"}); !errors.Is(err, output.ErrUnreachable) || y.s.Status(o.ID).Failure != "denied" {
			t.Errorf("%v, %+v", err, y.s.Status(o.ID))
		}
	})
}
