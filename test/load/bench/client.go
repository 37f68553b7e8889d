package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// conn is a WebSocket client reduced to what a load generator needs: frames
// are written from templates without copying and read into one small buffer,
// so that the generator costs a fraction of the server.
type conn struct {
	net.Conn
	r   *bufio.Reader
	buf []byte
	hdr [8]byte
}

// target is where stations connect.
type target struct {
	ws       string // ws://127.0.0.1:8887/ocpp
	tls      *tls.Config
	password string
	sources  int // loopback addresses to dial from
}

const handshakeTimeout = 60 * time.Second

var errRefused = errors.New("handshake refused")

// dial opens the connection of one station.
func (t *target) dial(ctx context.Context, id string, n int) (*conn, error) {
	return t.dialAs(ctx, id, t.password, n)
}

func (t *target) dialAs(ctx context.Context, id, password string, n int) (*conn, error) {
	u, err := url.Parse(t.ws)
	if err != nil {
		return nil, fmt.Errorf("parse address: %w", err)
	}
	d := net.Dialer{Timeout: handshakeTimeout, KeepAlive: -1}
	if t.sources > 1 {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n%t.sources))}
	}
	raw, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	raw.SetDeadline(time.Now().Add(handshakeTimeout))
	c := &conn{Conn: raw, buf: make([]byte, 0, 256)}
	if t.tls != nil {
		s := tls.Client(raw, t.tls)
		if err := s.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		c.Conn = s
	}
	c.r = bufio.NewReaderSize(c.Conn, 512)
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s/%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: ocpp1.6\r\n",
		u.Path, id, u.Host, base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%-16.16s", id))))
	if password != "" {
		fmt.Fprintf(&b, "Authorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(id+":"+password)))
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(c.Conn, b.String()); err != nil {
		c.Close()
		return nil, fmt.Errorf("write handshake: %w", err)
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("read handshake: %w", err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		c.Close()
		return nil, fmt.Errorf("%w: %s", errRefused, resp.Status)
	}
	raw.SetDeadline(time.Time{})
	return c, nil
}

// frame wraps a payload in a masked text frame. The mask is zero: it changes
// nothing, so templates can be patched in place.
func frame(payload []byte) []byte {
	b := []byte{0x81, 0}
	switch n := len(payload); {
	case n < 126:
		b[1] = 0x80 | byte(n)
	case n < 1<<16:
		b[1] = 0x80 | 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] = 0x80 | 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// read returns the next text message; it answers pings. The bytes are valid
// until the next read.
func (c *conn) read() ([]byte, error) {
	for {
		if _, err := io.ReadFull(c.r, c.hdr[:2]); err != nil {
			return nil, err
		}
		op := c.hdr[0] & 0x0f
		n := int(c.hdr[1] & 0x7f)
		switch n {
		case 126:
			if _, err := io.ReadFull(c.r, c.hdr[:2]); err != nil {
				return nil, err
			}
			n = int(binary.BigEndian.Uint16(c.hdr[:2]))
		case 127:
			if _, err := io.ReadFull(c.r, c.hdr[:8]); err != nil {
				return nil, err
			}
			n = int(binary.BigEndian.Uint64(c.hdr[:8]))
		}
		if n > 1<<20 {
			return nil, fmt.Errorf("frame of %d bytes from the server", n)
		}
		if cap(c.buf) < n {
			c.buf = make([]byte, 0, n)
		}
		b := c.buf[:n]
		if _, err := io.ReadFull(c.r, b); err != nil {
			return nil, err
		}
		switch op {
		case 1, 2:
			return b, nil
		case 8:
			code := 0
			if n >= 2 {
				code = int(binary.BigEndian.Uint16(b))
			}
			return nil, fmt.Errorf("closed by the server with %d: %w", code, io.EOF)
		case 9:
			pong := append([]byte{0x8a, 0x80 | byte(n), 0, 0, 0, 0}, b...)
			if _, err := c.Write(pong); err != nil {
				return nil, err
			}
		}
	}
}

// dialHalf connects and sends half a request.
func (t *target) dialHalf(ctx context.Context) (net.Conn, error) {
	u, err := url.Parse(t.ws)
	if err != nil {
		return nil, fmt.Errorf("parse address: %w", err)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if _, err := io.WriteString(c, "GET "+u.Path+"/EVIL HTTP/1.1\r\nHost: x\r\nUpg"); err != nil {
		c.Close()
		return nil, fmt.Errorf("write: %w", err)
	}
	return c, nil
}
