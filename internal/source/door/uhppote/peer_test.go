package uhppote

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/source/door/doortest"
)

// peer is the simulator of the uhppoted project, whose authors know the boards, as
// a process of its own.
type peer struct {
	udp, rest netip.AddrPort
	devices   atomic.Uint32
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "uhppote-simulator")
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", program, "github.com/uhppoted/uhppote-simulator/cmd/uhppote-simulator")
	build.Dir = "../../../../test/peers/uhppote"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the peer: %v\n%s", err, out)
	}
	p := &peer{udp: freePort(t), rest: freePort(t)}
	if err := os.Mkdir(filepath.Join(dir, "devices"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--bind", p.udp.String(), "--rest", p.rest.String(), "--devices", filepath.Join(dir, "devices"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it ends by being killed
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if t.Failed() {
			t.Logf("the peer said:\n%s", said.String())
		}
	})
	for {
		if c, err := net.Dial("tcp", p.rest.String()); err == nil {
			c.Close()
			return p
		}
		select {
		case <-ended:
			t.Fatalf("the peer ended:\n%s", said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freePort is one that is free for UDP and TCP just now.
func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func (p *peer) do(t *testing.T, path, body string) {
	t.Helper()
	r, err := http.Post("http://"+p.rest.String()+"/uhppote/simulator"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode >= 300 {
		var why bytes.Buffer
		_, _ = why.ReadFrom(r.Body)
		t.Fatalf("%s %s: %s %s", path, body, r.Status, why.String())
	}
}

// An implementation by others of the protocol and of what boards do passes the same
// suite.
func TestPeer(t *testing.T) {
	p := startPeer(t)
	doortest.Run(t, func(t *testing.T) doortest.Rig {
		n, err := Listen(Options{Listen: local(t)})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- n.Run(t.Context()) }()
		t.Cleanup(func() {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		device := 405_000_000 + p.devices.Add(1)
		at := fmt.Sprintf("/%d", device)
		p.do(t, "", fmt.Sprintf(`{"device-id":%d,"device-type":"UT0311-L04","compressed":false}`, device))
		act := func(what string) func(*testing.T, int) {
			return func(t *testing.T, n int) { p.do(t, fmt.Sprintf("%s/door/%d", at, n), `{"action":"`+what+`"}`) }
		}
		b := n.Board(device, p.udp, time.Local)
		if err := b.SetClock(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		return doortest.Rig{
			Driver: b, Lenient: true, Forgetful: true, Open: act("open"), Shut: act("close"),
			Swipe: func(t *testing.T, n int, card, pin uint32) {
				p.do(t, at+"/swipe", fmt.Sprintf(`{"door":%d,"card-number":%d,"direction":1,"PIN":%d}`, n, card, pin))
			},
		}
	})
}
