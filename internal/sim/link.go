package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// link is the station's end of a connection.
type link interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, frame []byte) error
	Drop()   // close at once
	Freeze() // stay open and dead, as behind a lost network; Drop ends it
}

// dialer opens links. Tests in a bubble of fake time bring their own.
type dialer interface {
	Dial(ctx context.Context, id, password string, v Version) (link, error)
}

// socketDialer dials WebSockets.
type socketDialer struct {
	base   string
	client *http.Client
}

const (
	dialTimeout  = 30 * time.Second
	writeTimeout = 30 * time.Second
	readLimit    = 1 << 20
)

// newSocketDialer checks the URL and prepares one shared HTTP client.
func newSocketDialer(base string, tlsConfig *tls.Config, sources int) (*socketDialer, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("parse URL: %w", err)
	}
	if u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" {
		return nil, fmt.Errorf("URL %q: want ws://HOST/PATH or wss://HOST/PATH", base)
	}
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: -1}
	next := make(chan int, 1)
	next <- 0
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dial := *d
			if sources > 1 {
				// One loopback address has about 28,000 free ports towards one
				// server; more stations need more addresses.
				n := <-next
				next <- n + 1
				dial.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n%sources))}
			}
			conn, err := dial.DialContext(ctx, network, addr)
			if g, ok := ctx.Value(gateKey{}).(*gate); ok && err == nil {
				conn = &gatedConn{conn, g}
			}
			return conn, err
		},
		TLSClientConfig:    tlsConfig,
		DisableKeepAlives:  true,
		DisableCompression: true,
		ReadBufferSize:     2048,
		WriteBufferSize:    2048,
	}
	present(transport)
	trust(transport)
	return &socketDialer{base: strings.TrimRight(base, "/"), client: &http.Client{Transport: transport}}, nil
}

// Dial opens one station's connection.
func (d *socketDialer) Dial(ctx context.Context, id, password string, v Version) (link, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	header := http.Header{}
	if password != "" {
		header.Set("Authorization", basic(id, password, v))
	}
	g := &gate{}
	c, resp, err := websocket.Dial(withGate(ctx, g), d.base+"/"+url.PathEscape(id), &websocket.DialOptions{
		HTTPClient: d.client, HTTPHeader: header, Subprotocols: []string{v.Subprotocol()},
	})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("handshake: the server says %s", resp.Status)
		}
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if c.Subprotocol() == "" {
		c.CloseNow()
		return nil, errors.New("handshake: the server chose no OCPP version")
	}
	c.SetReadLimit(readLimit)
	return &socketLink{c, g}, nil
}

type socketLink struct {
	c *websocket.Conn
	g *gate
}

func (l *socketLink) Read(ctx context.Context) ([]byte, error) {
	_, b, err := l.c.Read(ctx)
	return b, err
}

func (l *socketLink) Write(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return l.c.Write(ctx, websocket.MessageText, frame)
}

func (l *socketLink) Drop() {
	l.g.end()
	l.c.CloseNow()
}

func (l *socketLink) Freeze() { l.g.freeze() }
