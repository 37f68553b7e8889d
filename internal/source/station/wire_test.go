package station

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestALeanConnectionKeepsWhatCameEarly(t *testing.T) {
	for name, early := range map[string]string{
		"nothing came early":          "",
		"one small frame came early":  "hello",
		"more than our buffer did so": strings.Repeat("x", 3000),
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, rw, err := (&line{ResponseWriter: w}).Hijack()
				if err != nil {
					t.Error(err)
					got <- ""
					return
				}
				defer conn.Close()
				b := make([]byte, len(early))
				if len(early) > 0 {
					// What had arrived must be in the buffer: the WebSocket
					// library asks for that and drops the reader below it.
					n := rw.Reader.Buffered()
					if n == 0 {
						t.Error("nothing is buffered")
					}
					if _, err := io.ReadFull(rw, b); err != nil {
						t.Error(err)
					}
				}
				if rw.Reader.Size() > max(readBuffer, 4096) || rw.Writer.Size() != writeBuffer {
					t.Errorf("buffers of %d and %d bytes", rw.Reader.Size(), rw.Writer.Size())
				}
				got <- string(b)
			}))
			defer srv.Close()
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			w := bufio.NewWriterSize(conn, 8192)
			fmt.Fprintf(w, "GET / HTTP/1.1\r\nHost: x\r\n\r\n%s", early)
			w.Flush()
			if s := <-got; s != early {
				t.Errorf("%d bytes came through, want %d", len(s), len(early))
			}
		})
	}
}
