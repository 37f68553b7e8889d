// Package mqtt speaks to brokers: a client that stays connected, and messages that
// are handed over one by one.
//
// It promises that whoever publishes on a broker cannot make us hold or read more
// than a bounded part of it: the size of a packet is looked at before it is read,
// what is too large is passed over, and topics are those that were asked for. It
// reaches brokers only by the dialler it is given, which checks addresses. MQTT
// 3.1.1; messages that are handed over go by MQTT 5 too. Nothing is published or
// asked for with more than QoS 1: whoever hears a message twice must not mind.
package mqtt

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Errors of connections.
var (
	// ErrAway is returned while there is no connection to the broker.
	ErrAway = errors.New("the broker is not connected")
	// ErrProtocol is returned when the other side does not speak MQTT.
	ErrProtocol = errors.New("the other side does not speak MQTT")
)

// RefusedError is what a broker does not want.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Message is what is published under a topic.
type Message struct {
	Topic   string
	Payload []byte
	// Retain asks the broker to keep it; of what is heard it says that it was kept
	// from before we asked.
	Retain bool
	// Again says of what is heard that it may have been told before.
	Again bool
	// Cut says of what is heard that it was too large; there is no payload then.
	Cut bool
	// ContentType and Key go along by MQTT 5 alone.
	ContentType, Key string
}

// Types of packets, in the upper half of their first byte.
const (
	connect    = 1
	connAck    = 2
	publish    = 3
	pubAck     = 4
	subscribe  = 8
	subAck     = 9
	pingReq    = 12
	pingResp   = 13
	disconnect = 14
)

// Bounds of what is written and read.
const (
	maxTopic = 300
	maxRead  = 64 << 10 // of a packet; what is larger is passed over
	maxSend  = 1 << 20  // of a message
)

// hello is how a connection begins.
type hello struct {
	five           bool
	user, password string
	keepAlive      uint16 // seconds
}

// packet returns the CONNECT of a clean session under a name that nobody else has.
func (h hello) packet() []byte {
	version, flags := byte(4), byte(0x02)
	if h.five {
		version = 5
	}
	if h.user != "" {
		flags |= 0x80
	}
	if h.password != "" {
		flags |= 0x40
	}
	body := append(text(nil, "MQTT"), version, flags)
	body = binary.BigEndian.AppendUint16(body, h.keepAlive)
	if h.five {
		body = append(body, 0) // no properties
	}
	var id [8]byte
	rand.Read(id[:]) //nolint:errcheck // documented never to fail
	body = text(body, "cw"+hex.EncodeToString(id[:]))
	if h.user != "" {
		body = text(body, h.user)
	}
	if h.password != "" {
		body = text(body, h.password)
	}
	return packet(connect<<4, body)
}

// greet says hello and hears whether we are welcome.
func greet(w io.Writer, r *bufio.Reader, h hello) error {
	if _, err := w.Write(h.packet()); err != nil {
		return fmt.Errorf("write to the broker: %w", err)
	}
	head, body, _, err := read(r)
	switch {
	case errors.Is(err, ErrProtocol):
		return err
	case err != nil:
		return fmt.Errorf("no answer of the broker: %w", err)
	case head>>4 != connAck || len(body) < 2:
		return ErrProtocol
	case body[1] != 0:
		return &RefusedError{fmt.Sprintf("the broker refused the connection with code %d", body[1])}
	}
	return nil
}

// published returns the PUBLISH of a message with QoS 1.
func published(m Message, id uint16, five bool) []byte {
	head := byte(publish<<4 | 1<<1)
	if m.Retain {
		head |= 1
	}
	body := binary.BigEndian.AppendUint16(text(nil, m.Topic), id)
	if five {
		var properties []byte
		if m.ContentType != "" {
			properties = text(append(properties, 0x03), m.ContentType)
		}
		if m.Key != "" {
			properties = text(text(append(properties, 0x26), "idempotencyKey"), m.Key)
		}
		body = append(size(body, len(properties)), properties...)
	}
	return packet(head, append(body, m.Payload...))
}

// subscribed returns the SUBSCRIBE of a filter with QoS 1.
func subscribed(filter string, id uint16) []byte {
	return packet(subscribe<<4|0x02, append(text(binary.BigEndian.AppendUint16(nil, id), filter), 1))
}

func acknowledged(id uint16) []byte {
	return packet(pubAck<<4, binary.BigEndian.AppendUint16(nil, id))
}

// heard reads a PUBLISH of MQTT 3.1.1; id is 0 when no receipt is wanted. Of a
// message that was cut only what came is there.
func heard(head byte, body []byte, cut bool) (m Message, id uint16, err error) {
	qos := head >> 1 & 3
	if head>>4 != publish || qos > 1 || len(body) < 2 {
		return m, 0, ErrProtocol
	}
	n := int(binary.BigEndian.Uint16(body))
	rest := body[2:]
	if n > len(rest) {
		return m, 0, ErrProtocol
	}
	m.Topic, rest = string(rest[:n]), rest[n:]
	if qos == 1 {
		if len(rest) < 2 {
			return m, 0, ErrProtocol
		}
		if id, rest = binary.BigEndian.Uint16(rest), rest[2:]; id == 0 {
			return m, 0, ErrProtocol
		}
	}
	// A name that is longer than what can be asked for is for nobody, and no fault.
	if m.Topic == "" || !utf8.ValidString(m.Topic) || strings.ContainsAny(m.Topic, "+#\x00") {
		return m, 0, ErrProtocol
	}
	m.Retain, m.Again, m.Cut = head&1 != 0, head&8 != 0, cut
	if !cut {
		m.Payload = rest
	}
	return m, id, nil
}

// read reads one packet. Of a message that is too large it reads the begin and
// passes over the rest.
func read(r *bufio.Reader) (head byte, body []byte, cut bool, err error) {
	if head, err = r.ReadByte(); err != nil {
		return 0, nil, false, err
	}
	n := 0
	for shift := 0; ; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, nil, false, err
		}
		if n |= int(b&0x7f) << shift; b&0x80 == 0 {
			break
		}
		if shift == 21 {
			return 0, nil, false, ErrProtocol
		}
	}
	rest := 0
	if n > maxRead {
		if head>>4 != publish {
			return 0, nil, false, ErrProtocol
		}
		n, rest = maxRead, n-maxRead
	}
	body = make([]byte, n)
	if _, err = io.ReadFull(r, body); err == nil && rest > 0 {
		_, err = io.CopyN(io.Discard, r, int64(rest))
	}
	return head, body, rest > 0, err
}

func packet(head byte, body []byte) []byte { return append(size([]byte{head}, len(body)), body...) }

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// size appends a length of variable size.
func size(b []byte, n int) []byte {
	for n >= 0x80 {
		b, n = append(b, byte(n)|0x80), n>>7
	}
	return append(b, byte(n))
}
