package sim

import (
	"context"
	"net"
	"sync"
)

// gate can hold back everything a connection receives. A station behind a dead
// modem does not close its socket: the far side only notices that nothing
// comes any more.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // not nil while frozen; closed when the link ends
}

type gateKey struct{}

// withGate hands a gate to the dial function of the HTTP transport.
func withGate(ctx context.Context, g *gate) context.Context {
	return context.WithValue(ctx, gateKey{}, g)
}

func (g *gate) freeze() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = make(chan struct{})
	}
}

func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		return
	}
	select {
	case <-g.closed:
	default:
		close(g.closed)
	}
}

// wait blocks while the gate is frozen, until the link ends.
func (g *gate) wait() error {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed == nil {
		return nil
	}
	<-closed
	return net.ErrClosed
}

// gatedConn is a connection behind a gate.
type gatedConn struct {
	net.Conn
	g *gate
}

func (c *gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if held := c.g.wait(); held != nil {
		return 0, held
	}
	return n, err
}

func (c *gatedConn) Write(b []byte) (int, error) {
	if held := c.g.wait(); held != nil {
		return 0, held
	}
	return c.Conn.Write(b)
}

func (c *gatedConn) Close() error {
	c.g.end()
	return c.Conn.Close()
}
