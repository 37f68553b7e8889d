package station

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
)

// lean hands over a connection with small buffers. The HTTP server's are 4 KiB
// each way and would stay with every idle station for as long as it is
// connected; a frame larger than a buffer only costs another system call.
type lean struct{ http.ResponseWriter }

const (
	leanReader = 1024
	leanWriter = 512
)

// Hijack takes the connection from the HTTP server.
func (w lean) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	// A station in a hurry may have sent its first frame behind the request.
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn), max(leanReader, len(early)))
	if _, err := r.Peek(len(early)); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, leanWriter)), nil
}
