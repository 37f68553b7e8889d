package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"
)

// startForward runs a process that copies bytes between its port and another
// server's and looks at none: what any process between two others costs on this
// machine.
func (l *lab) startForward(ctx context.Context, to *server) (*server, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	u, err := url.Parse(to.target.ws)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s, err := l.launch("forward", own, "-forward", fmt.Sprintf("127.0.0.1:%d=%s", port, u.Host))
	if err != nil {
		return nil, err
	}
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s.target = target{ws: u.String(), sources: 1}
	return s, s.waitPort(ctx, port)
}

// forward is that process.
func forward(from, to string) {
	l, err := net.Listen("tcp", from)
	if err != nil {
		log.Fatal(err)
	}
	for {
		in, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer in.Close()
			out, err := net.DialTimeout("tcp", to, 5*time.Second)
			if err != nil {
				return
			}
			defer out.Close()
			go func() {
				defer out.Close()
				// Plain reads and writes, as every server of frames does: no splice in the kernel.
				io.Copy(struct{ io.Writer }{out}, struct{ io.Reader }{in})
			}()
			io.Copy(struct{ io.Writer }{in}, struct{ io.Reader }{out})
		}()
	}
}
