package notify

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// MQTT publishes with QoS 1 to a broker, by MQTT 3.1.1 or 5. Nothing is
// subscribed to, so the protocol is four packets long.
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

type mqtt struct {
	reach              Reach
	address            string
	topic              string
	five, retain       bool
	username, password string
	tls                *tls.Config
}

func newMQTT(c store.Channel, t Tools) (Channel, error) {
	x := settings{&c}
	u, err := url.Parse(x.text("url"))
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, &store.InvalidError{Field: "settings.url", Reason: "must be an address such as mqtts://broker.example.org:8883"}
	}
	topic := strings.Trim(x.text("topic"), "/")
	if topic == "" || len(topic) > 200 || strings.ContainsAny(topic, "+#") || strings.HasPrefix(topic, "$") {
		return nil, &store.InvalidError{Field: "settings.topic", Reason: "1 to 200 bytes without +, # and a $ in front"}
	}
	if x.secret("password") != "" && x.text("username") == "" {
		return nil, &store.InvalidError{Field: "settings.username", Reason: "a password needs a user"}
	}
	m := &mqtt{reach: t.Reach, topic: topic, five: x.text("version") == "5", username: x.text("username"), password: x.secret("password")}
	m.retain, _ = c.Settings["retain"].(bool)
	port := u.Port()
	if u.Scheme == "mqtts" {
		if m.tls, err = trust(x.text("caCertificate"), u.Hostname()); err != nil {
			return nil, &store.InvalidError{Field: "settings.caCertificate", Reason: err.Error()}
		}
		if port == "" {
			port = "8883"
		}
	}
	if port == "" {
		port = "1883"
	}
	m.address = net.JoinHostPort(u.Hostname(), port)
	return m, nil
}

// mqttTimeout is how long a broker may take.
const mqttTimeout = 10 * time.Second

// Types of packets, in the upper half of their first byte.
const (
	mqttConnect    = 1
	mqttConnAck    = 2
	mqttPublish    = 3
	mqttPubAck     = 4
	mqttDisconnect = 14
)

func (m *mqtt) Send(ctx context.Context, msg Message) error {
	conn, err := m.reach.Dial(ctx, "tcp", m.address)
	if err != nil {
		return fmt.Errorf("not reached: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return fmt.Errorf("bound the hand-over: %w", err)
		}
	}
	if m.tls != nil {
		secured := tls.Client(conn, m.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		conn = secured
	}
	r := bufio.NewReader(conn)
	if err := m.connect(conn, r); err != nil {
		return err
	}
	for k := range msg.Items {
		if err := m.publish(conn, r, &msg.Items[k], uint16(k+1), msg.Test); err != nil {
			return err
		}
	}
	// What was published is acknowledged; a broker that does not hear this loses nothing.
	_, _ = conn.Write([]byte{mqttDisconnect << 4, 0})
	return nil
}

func (m *mqtt) connect(w io.Writer, r *bufio.Reader) error {
	version, flags := byte(4), byte(0x02) // a clean session
	if m.five {
		version = 5
	}
	if m.username != "" {
		flags |= 0x80
	}
	if m.password != "" {
		flags |= 0x40
	}
	body := mqttText(nil, "MQTT")
	body = append(body, version, flags, 0, 60)
	if m.five {
		body = append(body, 0) // no properties
	}
	var id [8]byte
	rand.Read(id[:]) //nolint:errcheck // documented never to fail
	body = mqttText(body, "cw"+hex.EncodeToString(id[:]))
	if m.username != "" {
		body = mqttText(body, m.username)
	}
	if m.password != "" {
		body = mqttText(body, m.password)
	}
	if err := mqttWrite(w, mqttConnect<<4, body); err != nil {
		return err
	}
	kind, answer, err := mqttRead(r)
	switch {
	case err != nil:
		return fmt.Errorf("no answer of the broker: %w", err)
	case kind>>4 != mqttConnAck || len(answer) < 2:
		return errMQTT
	case answer[1] != 0:
		return &Refused{Reason: fmt.Sprintf("the broker refused the connection with code %d", answer[1])}
	}
	return nil
}

var errMQTT = errors.New("the other side does not speak MQTT")

func (m *mqtt) publish(w io.Writer, r *bufio.Reader, i *Item, id uint16, test bool) error {
	data, err := json.Marshal(hook{Version: 1, IdempotencyKey: i.Key, Test: test, Notice: i.Notice, Page: i.Page, Acknowledge: i.Acknowledge})
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	head := byte(mqttPublish<<4 | 1<<1)
	if m.retain && !test {
		head |= 1
	}
	body := mqttText(nil, m.topic+"/"+topicLevel(i.Incident))
	body = binary.BigEndian.AppendUint16(body, id)
	if m.five {
		// Content type, and the idempotency key as a user property.
		properties := mqttText([]byte{0x03}, "application/json")
		properties = mqttText(mqttText(append(properties, 0x26), "idempotencyKey"), cut(i.Key, 1000))
		body = append(mqttLength(body, len(properties)), properties...)
	}
	if err := mqttWrite(w, head, append(body, data...)); err != nil {
		return err
	}
	for range 16 { // nothing else is asked for, but brokers may chat
		kind, answer, err := mqttRead(r)
		if err != nil {
			return fmt.Errorf("no receipt of the broker: %w", err)
		}
		if kind>>4 == mqttDisconnect {
			return &Refused{Reason: "the broker hung up"}
		}
		if kind>>4 != mqttPubAck || len(answer) < 2 || binary.BigEndian.Uint16(answer) != id {
			continue
		}
		if len(answer) > 2 && answer[2] >= 0x80 {
			return &Refused{Reason: fmt.Sprintf("the broker refused the message with code %d", answer[2])}
		}
		return nil
	}
	return errMQTT
}

// topicLevel makes an id one level of a topic.
func topicLevel(id string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '+' || r == '#' || r == 0 {
			return '_'
		}
		return r
	}, cut(id, 200))
}

func mqttText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

// mqttLength appends a length of variable size.
func mqttLength(b []byte, n int) []byte {
	for n >= 0x80 {
		b, n = append(b, byte(n)|0x80), n>>7
	}
	return append(b, byte(n))
}

func mqttWrite(w io.Writer, head byte, body []byte) error {
	if _, err := w.Write(append(mqttLength([]byte{head}, len(body)), body...)); err != nil {
		return fmt.Errorf("write to the broker: %w", err)
	}
	return nil
}

// maxMQTT bounds what a broker may answer.
const maxMQTT = 64 << 10

// mqttRead reads one packet.
func mqttRead(r *bufio.Reader) (head byte, body []byte, err error) {
	if head, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n := 0
	for shift := 0; ; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		if n |= int(b&0x7f) << shift; b&0x80 == 0 {
			break
		}
		if shift == 21 {
			return 0, nil, errMQTT
		}
	}
	if n > maxMQTT {
		return 0, nil, errMQTT
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return head, body, err
}
