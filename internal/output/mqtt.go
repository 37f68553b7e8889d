package output

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/store"
)

// broker publishes to devices behind an MQTT broker, and waits until the device tells
// its new state where its kind does so.
type broker struct{ dial mqtt.Dialler }

// asked is what is published, and where the device answers.
type asked struct {
	mqtt.Message
	answer string // a filter; empty: the receipt of the broker is all there is
	// says reads an answer: whether it is one, and what it says.
	says func(payload []byte) (is bool, err error)
}

func (m *broker) send(ctx context.Context, o *store.Output, secret string, x order) error {
	at, err := mqtt.ParseURL(o.Address)
	if err != nil {
		return fmt.Errorf("read the address of the broker: %w", err)
	}
	b := mqtt.Broker{Dial: m.dial, Address: at.Address, User: o.Username, Password: secret}
	if b.TLS, err = at.TLS(""); err != nil {
		return fmt.Errorf("prepare TLS: %w", err)
	}
	a, err := speak(o, x)
	if err != nil {
		return err
	}
	if a.answer == "" {
		return published(b.Send(ctx, a.Message))
	}
	return converse(ctx, b, a)
}

// published says an error of a broker in our words.
func published(err error) error {
	if err == nil {
		return nil
	}
	if no, ok := errors.AsType[*mqtt.RefusedError](err); ok {
		return fmt.Errorf("%w: %w", ErrRefused, no)
	}
	return unanswered(err)
}

// converse publishes on a connection that hears the answer.
func converse(ctx context.Context, b mqtt.Broker, a asked) error {
	up, heard := make(chan error, 1), make(chan error, 1)
	tell := func(ch chan error, err error) {
		select {
		case ch <- err:
		default:
		}
	}
	c := mqtt.New(mqtt.Options{Broker: b, Changed: func(_ bool, why error) { tell(up, why) }})
	if err := c.Subscribe(ctx, a.answer, func(m mqtt.Message) {
		if m.Retain || m.Cut {
			return // of before
		}
		if is, err := a.says(m.Payload); is {
			tell(heard, err)
		}
	}); err != nil {
		return fmt.Errorf("listen for the device: %w", err)
	}
	inner, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(inner) }) // it ends without an error
	defer running.Wait()
	defer stop()
	select {
	case why := <-up:
		if why != nil {
			return published(why)
		}
	case <-ctx.Done():
		return fmt.Errorf("%w: the broker takes too long", ErrUnreachable)
	}
	if err := c.Publish(ctx, a.Message); err != nil {
		return published(err)
	}
	select {
	case err := <-heard:
		return err
	case <-ctx.Done():
		return ErrNoAnswer
	}
}

// speak says an order in the words of a device.
func speak(o *store.Output, x order) (asked, error) {
	word := "OFF"
	if x.on {
		word = "ON"
	}
	text := func(topic, payload string) mqtt.Message {
		return mqtt.Message{Topic: topic, Payload: []byte(payload)}
	}
	switch o.Preset {
	case store.PresetShelly:
		return shelly(o.Topic, x)
	case store.PresetShelly1:
		return asked{
			text(o.Topic+"/relay/0/command", strings.ToLower(word)), o.Topic + "/relay/0",
			func(p []byte) (bool, error) { return string(p) == strings.ToLower(word), nil },
		}, nil
	case store.PresetTasmota:
		m := text("cmnd/"+o.Topic+"/Power1", word)
		if x.on {
			m = text("cmnd/"+o.Topic+"/Backlog", fmt.Sprintf("PulseTime1 %d; Power1 ON", pulseTime(x.seconds)))
		}
		return asked{m, "stat/" + o.Topic + "/RESULT", stateIs(word, "POWER", "POWER1")}, nil
	case store.PresetZigbee:
		p := map[string]any{"state": word}
		if x.on {
			p["on_time"] = x.seconds
		}
		return said(o.Topic+"/set", p, o.Topic, stateIs(word, "state", "state_l1"))
	case store.PresetZigbeeSiren:
		p := map[string]any{"mode": "stop", "strobe": false, "duration": 0}
		if x.on {
			p = map[string]any{"mode": "burglar", "level": "very_high", "strobe": true, "duration": x.seconds}
		}
		return said(o.Topic+"/set", map[string]any{"warning": p}, "", nil)
	case store.PresetCustom:
		payload := o.OffPayload
		if x.on {
			payload = o.OnPayload
		}
		return asked{Message: text(o.Topic, filled(payload, x))}, nil
	}
	return asked{}, fmt.Errorf("%w: nobody knows the preset %q", ErrUnreachable, o.Preset)
}

func said(topic string, payload any, answer string, says func([]byte) (bool, error)) (asked, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return asked{}, fmt.Errorf("encode the message: %w", err)
	}
	return asked{mqtt.Message{Topic: topic, Payload: data}, answer, says}, nil
}

// shelly calls a method of a device of the second generation: it answers to whoever
// calls, and goes off by itself.
func shelly(device string, x order) (asked, error) {
	src := "chargewatch-" + x.id
	params := map[string]any{"id": 0, "on": x.on}
	if x.on {
		params["toggle_after"] = x.seconds
	}
	return said(device+"/rpc", map[string]any{"id": 1, "src": src, "method": "Switch.Set", "params": params}, src+"/rpc", func(p []byte) (bool, error) {
		var r struct {
			ID     int             `json:"id"`
			Result json.RawMessage `json:"result"`
			Error  *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		switch err := json.Unmarshal(p, &r); {
		case err != nil || r.ID != 1:
			return false, nil //nolint:nilerr // not the answer
		case r.Error != nil:
			return true, fmt.Errorf("%w: %q", ErrRefused, r.Error.Message)
		}
		return r.Result != nil, nil
	})
}

// stateIs reads a JSON object with the state under the first of some names that it has.
func stateIs(word string, names ...string) func([]byte) (bool, error) {
	return func(p []byte) (bool, error) {
		var r map[string]json.RawMessage
		if json.Unmarshal(p, &r) != nil {
			return false, nil
		}
		for _, n := range names {
			if state, ok := r[n]; ok {
				return string(state) == strconv.Quote(word), nil
			}
		}
		return false, nil
	}
}

// pulseTime is how Tasmota counts: tenths of a second up to 11 s, then seconds from 100.
func pulseTime(seconds int) int {
	if seconds <= 11 {
		return seconds * 10
	}
	return min(seconds+100, 64_900)
}

// filled puts what is known into a payload of one's own. Texts are escaped as JSON wants
// it, since most payloads are.
func filled(payload string, x order) string {
	p := store.Phrase{}
	if x.phrase != nil {
		p = *x.phrase
	}
	escaped := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil { // texts always encode
			return ""
		}
		return string(b[1 : len(b)-1])
	}
	return strings.NewReplacer("{seconds}", strconv.Itoa(x.seconds), "{key}", p.Key, "{language}", p.Language, "{text}", escaped(p.Text)).Replace(payload)
}
