package station

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

// raw is a station that writes WebSocket frames by hand, so that it can write
// them badly.
type raw struct {
	net.Conn
	r *bufio.Reader
}

// shake does the client's part of a WebSocket handshake.
func shake(conn net.Conn, path, header string) (*raw, *http.Response, error) {
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", path, header); err != nil {
		return nil, nil, err
	}
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, nil, err
	}
	return &raw{Conn: conn, r: r}, res, nil
}

const station16 = "Connection: Upgrade\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"

// The opcodes of frames.
const (
	opText = 1
	opPing = 9
	opPong = 10
)

// head is the beginning of a masked frame; the mask of zeros changes nothing.
func head(op byte, fin bool, n int) []byte {
	b := []byte{op, 0x80}
	if fin {
		b[0] |= 0x80
	}
	switch {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return append(b, 0, 0, 0, 0)
}

func frame(op byte, payload string) []byte {
	return append(head(op, true, len(payload)), payload...)
}

// next reads one frame of the server.
func (c *raw) next() (op byte, payload string, err error) {
	var h [2]byte
	if _, err := io.ReadFull(c.r, h[:]); err != nil {
		return 0, "", err
	}
	n := uint64(h[1] & 0x7f)
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.r, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.r, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, "", err
	}
	data := make([]byte, n)
	_, err = io.ReadFull(c.r, data)
	return h[0] & 0x0f, string(data), err
}

// plugRaw connects a station that writes its frames by hand.
func (b *bench) plugRaw(t *testing.T, id string) *raw {
	t.Helper()
	b.people.set(id, Enrolment{Onboarding: event.OnboardingAccepted})
	near, far := net.Pipe()
	b.pipes.accept <- far
	c, res, err := shake(near, "/ocpp/"+id, station16)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res, err)
	}
	return c
}

// pong answers one ping.
func (c *raw) pong(t *testing.T) {
	t.Helper()
	op, payload, err := c.next()
	if err != nil || op != opPing {
		t.Fatalf("no ping but %d %q %v", op, payload, err)
	}
	if _, err := c.Write(frame(opPong, payload)); err != nil {
		t.Fatal(err)
	}
}

// drain reads what comes and answers nothing.
func (c *raw) drain() {
	for {
		if _, _, err := c.next(); err != nil {
			return
		}
	}
}
