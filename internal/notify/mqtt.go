package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/store"
)

// MQTT publishes with QoS 1 to a broker, by MQTT 3.1.1 or 5. Nothing is subscribed to.
func MQTT() Kind {
	return Kind{
		Spec: Spec{Type: "mqtt", Together: 1, Timeout: mqttTimeout, Fields: []Field{
			{Name: "url", Form: URL, Choices: []string{"mqtts", "mqtt"}, Required: true, Doc: "such as mqtts://broker.example.org:8883"},
			{Name: "topic", Form: Text, Default: "chargewatch/incidents", Doc: "the id of the incident is added to it"},
			{Name: "version", Form: Choice, Choices: []string{"3.1.1", "5"}, Default: "3.1.1"},
			{Name: "retain", Form: Boolean, Default: false, Doc: "the broker keeps the newest message of each incident"},
			{Name: "username", Form: Text}, {Name: "password", Form: Text, Secret: true},
			authority(),
		}},
		Make: newMQTT,
	}
}

// mqttTimeout is how long a broker may take.
const mqttTimeout = 10 * time.Second

// maxMQTTTopic leaves room for the id of the incident.
const maxMQTTTopic = 200

type broker struct {
	mqtt.Broker
	topic  string
	retain bool
}

func newMQTT(c store.Channel, t Tools) (Channel, error) {
	x := settings{&c}
	at, err := mqtt.ParseURL(x.text("url"))
	if err != nil {
		return nil, &store.InvalidError{Field: "settings.url", Reason: err.Error()}
	}
	topic := strings.Trim(x.text("topic"), "/")
	if mqtt.CheckTopic(topic) != nil || len(topic) > maxMQTTTopic {
		return nil, &store.InvalidError{Field: "settings.topic", Reason: "1 to 200 bytes without +, # and a $ in front"}
	}
	if x.secret("password") != "" && x.text("username") == "" {
		return nil, &store.InvalidError{Field: "settings.username", Reason: "a password needs a user"}
	}
	m := &broker{topic: topic, Broker: mqtt.Broker{
		Dial: t.Reach.Dial, Address: at.Address, User: x.text("username"), Password: x.secret("password"), Five: x.text("version") == "5",
	}}
	m.retain, _ = c.Settings["retain"].(bool)
	if at.Secure {
		if m.TLS, err = trust(x.text("caCertificate"), at.Host); err != nil {
			return nil, &store.InvalidError{Field: "settings.caCertificate", Reason: err.Error()}
		}
	}
	return m, nil
}

func (m *broker) Send(ctx context.Context, msg Message) error {
	list := make([]mqtt.Message, 0, len(msg.Items))
	for k := range msg.Items {
		i := &msg.Items[k]
		data, err := json.Marshal(hook{Version: 1, IdempotencyKey: i.Key, Test: msg.Test, Notice: i.Notice, Page: i.Page, Acknowledge: i.Acknowledge})
		if err != nil {
			return fmt.Errorf("encode the message: %w", err)
		}
		list = append(list, mqtt.Message{
			Topic: m.topic + "/" + mqtt.Level(cut(i.Incident, 80)), Payload: data, Retain: m.retain && !msg.Test, ContentType: "application/json", Key: cut(i.Key, 1000),
		})
	}
	err := m.Broker.Send(ctx, list...)
	if refused, ok := errors.AsType[*mqtt.RefusedError](err); ok {
		return &Refused{Reason: refused.Reason}
	}
	return err
}
