package servertest_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/servertest/rawsocket"
	"github.com/chargewatch/chargewatch/internal/store"
)

// attack is one thing that a hostile client does with a connection; it may
// leave the connection hanging.
type attack func(conn net.Conn, n int) error

func opening(path, more string) attack {
	return func(conn net.Conn, _ int) error {
		_, _, err := rawsocket.Open(conn, path, rawsocket.Opening+rawsocket.Speaks16+more)
		return err
	}
}

// after does a handshake as a station that has been let in and then sends what
// no station sends.
func after(send func(n int) []byte) attack {
	return func(conn net.Conn, n int) error {
		c, r, err := rawsocket.Open(conn, fmt.Sprintf("/ocpp/BAD-%d", n), rawsocket.Opening+rawsocket.Speaks16)
		if err != nil {
			return err
		}
		if r.StatusCode != 101 {
			return fmt.Errorf("not let in: %d", r.StatusCode)
		}
		_, err = c.Write(send(n))
		return err
	}
}

func attacks() []attack {
	wrong := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("HONEST-0:guess")) + "\r\n"
	return []attack{
		opening("/ocpp/NOBODY", ""),
		opening("/ocpp/HONEST-0", wrong),
		opening("/ocpp/HONEST-1", ""),
		opening("/ocpp/"+strings.Repeat("x", 500), ""),
		opening("/ocpp/"+strings.Repeat("%2F", 40), ""),
		func(conn net.Conn, _ int) error { return nil }, // says nothing
		func(conn net.Conn, _ int) error { // half a handshake
			_, err := fmt.Fprint(conn, "GET /ocpp/HONEST-2 HTTP/1.1\r\nHost: server\r\nUpgr")
			return err
		},
		func(conn net.Conn, _ int) error { // a header without end
			_, err := fmt.Fprintf(conn, "GET /ocpp/HONEST-3 HTTP/1.1\r\nX: %s", strings.Repeat("x", 40<<10))
			return err
		},
		func(conn net.Conn, _ int) error { // a handshake and nobody who waits for its answer
			_, err := fmt.Fprintf(conn, "GET /ocpp/HONEST-4 HTTP/1.1\r\nHost: server\r\n%s\r\n", rawsocket.Opening+rawsocket.Speaks16)
			conn.Close()
			return err
		},
		after(func(int) []byte { return rawsocket.Head(rawsocket.Text, true, 1<<40) }),                 // promises a terabyte
		after(func(int) []byte { return rawsocket.Frame(rawsocket.Text, strings.Repeat("[", 60000)) }), // deep
		after(func(int) []byte { // half a frame
			return rawsocket.Frame(rawsocket.Text, `[2,"1","Heartbeat",{"a":"`+strings.Repeat("x", 9000)+`"}]`)[:8000]
		}),
		after(func(int) []byte { // larger than is allowed
			return rawsocket.Frame(rawsocket.Text, strings.Repeat(" ", 70<<10))
		}),
		after(func(int) []byte { // pieces without end
			var b []byte
			for range 100 {
				b = append(b, rawsocket.Head(rawsocket.Continuation, false, 500)...)
				b = append(b, make([]byte, 500)...)
			}
			return append(rawsocket.Head(rawsocket.Text, false, 0), b...)
		}),
		after(func(int) []byte { // pings without end
			var b []byte
			for range 500 {
				b = append(b, rawsocket.Frame(rawsocket.Ping, "12345678")...)
			}
			return b
		}),
		after(func(int) []byte { return []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }), // no WebSocket at all
		after(func(int) []byte { // values without end
			return rawsocket.Frame(rawsocket.Text, `[2,"1","Heartbeat",[`+strings.Repeat("0,", 25000)+`0]]`)
		}),
		after(func(int) []byte { // names that differ by a letter
			var b strings.Builder
			for i := range 5000 {
				fmt.Fprintf(&b, `"k%d":0,`, i)
			}
			return rawsocket.Frame(rawsocket.Text, `[2,"1","Heartbeat",{`+b.String()+`"k0":1}]`)
		}),
	}
}

// Hostile clients come from the address of honest stations. The honest ones
// have every call answered on the connection they have, and when the others
// are gone nothing of them is left.
func TestHostileClients(t *testing.T) {
	const honest, hostile, calls = 60, 720, 25
	s := servertest.Start(t, func(c *config.Config) { c.Onboarding = "closed" })
	connections := make([]*talker, honest)
	for i := range connections {
		id := fmt.Sprintf("HONEST-%d", i)
		if i == 0 {
			enrol(t, s, id, store.Auth{})
		} else {
			s.Enrol(t, id)
		}
		connections[i] = &talker{c: dial(t, s, id, "ocpp1.6")}
	}
	kinds := attacks()
	for i := range hostile {
		if i%len(kinds) >= len(kinds)/2 { // those that must be let in first
			s.Enrol(t, fmt.Sprintf("BAD-%d", i))
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var talking sync.WaitGroup
	for _, k := range connections {
		talking.Go(func() { k.talk(ctx, t) })
	}
	servertest.Eventually(t, "everybody's first answer", func() bool {
		for _, k := range connections {
			if k.answered.Load() == 0 {
				return false
			}
		}
		return true
	})
	before := runtime.NumGoroutine()

	var mu sync.Mutex
	var hanging []net.Conn
	var failed atomic.Int64
	var work sync.WaitGroup
	slots := make(chan struct{}, 48)
	for i := range hostile {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			conn, err := net.Dial("tcp", s.OCPPAddress())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			hanging = append(hanging, conn)
			mu.Unlock()
			if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Error(err)
			}
			if err := kinds[i%len(kinds)](conn, i); err != nil {
				failed.Add(1) // the server may hang up at any time
			}
		})
	}
	work.Wait()
	servertest.Eventually(t, "some more answers to everybody", func() bool {
		for _, k := range connections {
			if k.answered.Load() < calls {
				return false
			}
		}
		return true
	})
	for _, conn := range hanging {
		conn.Close()
	}
	servertest.Eventually(t, "the end of the hostile connections", func() bool { return s.Endpoint.Stats.Connections.Load() == honest })
	servertest.Eventually(t, "the end of their goroutines", func() bool { return runtime.NumGoroutine() <= before+5 })
	stop()
	talking.Wait()
	for i, k := range connections {
		if k.answered.Load() != int64(k.sent) {
			t.Errorf("HONEST-%d: %d of %d calls answered", i, k.answered.Load(), k.sent)
		}
		if !s.Station(t, fmt.Sprintf("HONEST-%d", i)).Online {
			t.Errorf("HONEST-%d lost its connection", i)
		}
	}
	if failed.Load() > hostile/2 {
		t.Errorf("%d of %d attacks did not take place", failed.Load(), hostile)
	}
	t.Logf("%d handshakes refused, %d frames too large, %d unreadable", s.Endpoint.Stats.Refused.Load(), s.Endpoint.Stats.TooLarge.Load(), s.Endpoint.Stats.Unreadable.Load())
}
