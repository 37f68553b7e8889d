// Package rawsocket writes WebSocket frames by hand, so that a test can write
// them badly: half, too large, in pieces without end, or one byte a second.
package rawsocket

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Conn is the client's end of a WebSocket.
type Conn struct {
	net.Conn
	r *bufio.Reader
}

// Opening is what a handshake needs beside its address.
const Opening = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\n"

// Speaks16 names the subprotocol of OCPP 1.6.
const Speaks16 = "Sec-WebSocket-Protocol: ocpp1.6\r\n"

// Open does the client's part of a handshake; headers are whole lines.
func Open(conn net.Conn, path, headers string) (*Conn, *http.Response, error) {
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: server\r\n%s\r\n", path, headers); err != nil {
		return nil, nil, fmt.Errorf("send handshake: %w", err)
	}
	c := &Conn{Conn: conn, r: bufio.NewReaderSize(conn, 512)}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("read answer to handshake: %w", err)
	}
	return c, res, nil
}

// Opcodes of frames.
const (
	Continuation = 0
	Text         = 1
	Close        = 8
	Ping         = 9
	Pong         = 10
)

// Head is the beginning of a masked frame of n bytes; the mask of zeros changes
// nothing.
func Head(op byte, fin bool, n int) []byte {
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

// Frame is a whole frame.
func Frame(op byte, payload string) []byte {
	return append(Head(op, true, len(payload)), payload...)
}

// Next reads one frame of the server.
func (c *Conn) Next() (op byte, payload string, err error) {
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

// Drain reads what comes and answers nothing.
func (c *Conn) Drain() {
	for {
		if _, _, err := c.Next(); err != nil {
			return
		}
	}
}
