package notify_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/chargewatch/chargewatch/internal/mqtt/mqtttest"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestABrokerPassesOnWhatIsPublished(t *testing.T) {
	for name, tc := range map[string]struct{ version, password string }{
		"by MQTT 3.1.1": {"3.1.1", ""}, "by MQTT 5": {"5", ""}, "with a password by 3.1.1": {"3.1.1", "pw"}, "with a password by 5": {"5", "pw"},
	} {
		t.Run(name, func(t *testing.T) {
			b := mqtttest.Start(t, mqtttest.Options{User: map[bool]string{true: "me"}[tc.password != ""], Password: tc.password})
			d := newDesk(t)
			d.kinds = append(d.kinds, notify.MQTT())
			x := store.Channel{Type: "mqtt", Settings: map[string]any{"url": "mqtt://" + b.Address, "topic": "net/faults", "version": tc.version, "retain": true}}
			var more []string
			if tc.password != "" {
				x.Settings["username"], x.Secrets = "me", store.Secrets{"password": tc.password}
				more = []string{"-u", "me", "-P", tc.password}
			}
			id := d.channel(x)
			d.routes(store.Route{Channels: []string{id}})
			d.start()
			d.tell(opened("i/1", "S1"))
			d.eventually("the receipt is never noted", func() bool { return d.states()[store.DeliverySent] == 1 })
			topic, text := b.Kept("net/faults/#", more...)
			var body struct {
				IdempotencyKey string
				Notice         struct{ Incident string }
			}
			if err := json.Unmarshal([]byte(text), &body); err != nil || topic != "net/faults/i_1" || body.IdempotencyKey != "i/1/opened@"+id || body.Notice.Incident != "i/1" {
				t.Errorf("%s %s %v", topic, text, err)
			}
		})
	}
}

func TestABrokerThatRefusesIsHeard(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{User: "me", Password: "pw"})
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.MQTT())
	for _, version := range []string{"3.1.1", "5"} {
		x, err := d.store.Channel(t.Context(), d.channel(store.Channel{Type: "mqtt", Settings: map[string]any{"url": "mqtt://" + b.Address, "version": version}}))
		if err != nil {
			t.Fatal(err)
		}
		_, refused := errors.AsType[*notify.Refused](d.Test(t.Context(), *x))
		if !refused {
			t.Errorf("MQTT %s: it was not refused", version)
		}
	}
}
