package station

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// wire is a WebSocket and the connection under it.
type wire struct {
	*websocket.Conn
	under *tap
}

// Heard returns when the last byte came, of whatever kind of frame.
func (w *wire) Heard() time.Time { return time.Unix(0, w.under.heard.Load()) }

// Cut closes the connection under the WebSocket first, and under TLS too: the
// library's own way waits for a close handshake that is under way, TLS for its
// farewell to be written.
func (w *wire) Cut() {
	conn := w.under.Conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	conn.Close()
	w.CloseNow()
}

// tap notes when something arrives on a connection: within a long message on a
// slow line too, of which the WebSocket tells nothing until it is over.
type tap struct {
	net.Conn
	heard atomic.Int64 // UnixNano
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if n > 0 {
		t.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

// line gives a WebSocket smaller buffers than those of the HTTP server, which
// are 4 KiB each: they are what an idle station costs. Larger frames pass by
// them.
type line struct {
	http.ResponseWriter
	conn *tap
}

const (
	readBuffer  = 1536 // a MeterValues with ten samples
	writeBuffer = 256  // an answer
)

func (l *line) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, had, err := http.NewResponseController(l.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	l.conn = &tap{Conn: conn}
	l.conn.heard.Store(time.Now().UnixNano())
	early, err := had.Reader.Peek(had.Reader.Buffered()) // sent behind the handshake without waiting
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("read on: %w", err)
	}
	r := bufio.NewReaderSize(bytes.NewReader(bytes.Clone(early)), max(readBuffer, len(early)))
	if _, err := r.Peek(len(early)); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("read on: %w", err)
	}
	return l.conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, writeBuffer)), nil
}
