package mqtt

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
)

// Dialler reaches addresses, checking each as the connection is made.
type Dialler func(ctx context.Context, network, address string) (net.Conn, error)

// Broker is whom we speak to.
type Broker struct {
	Dial           Dialler
	Address        string      // HOST:PORT
	TLS            *tls.Config // nil: in the clear
	User, Password string
	// Five speaks MQTT 5; Send alone can.
	Five bool
}

// open connects and says hello.
func (b *Broker) open(ctx context.Context, keepAlive time.Duration) (net.Conn, *bufio.Reader, error) {
	conn, err := b.Dial(ctx, "tcp", b.Address)
	if err != nil {
		return nil, nil, fmt.Errorf("not reached: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	secured, r, err := b.begin(ctx, conn, keepAlive)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return secured, r, nil
}

func (b *Broker) begin(ctx context.Context, conn net.Conn, keepAlive time.Duration) (net.Conn, *bufio.Reader, error) {
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return nil, nil, fmt.Errorf("bound the connection: %w", err)
		}
	}
	if b.TLS != nil {
		secured := tls.Client(conn, b.TLS)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, nil, fmt.Errorf("TLS: %w", err)
		}
		conn = secured
	}
	r := bufio.NewReader(conn)
	if err := greet(conn, r, hello{five: b.Five, user: b.User, password: b.Password, keepAlive: uint16(keepAlive / time.Second)}); err != nil {
		return nil, nil, err
	}
	return conn, r, nil
}

// Send hands messages over, in order, on a connection of its own; each has a receipt
// of the broker when it returns without an error. ctx should have an end.
func (b *Broker) Send(ctx context.Context, list ...Message) error {
	for _, m := range list {
		if err := m.check(); err != nil {
			return err
		}
	}
	conn, r, err := b.open(ctx, time.Minute)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for i, m := range list {
		id := uint16(i%0xffff) + 1
		if _, err := conn.Write(published(m, id, b.Five)); err != nil {
			return fmt.Errorf("write to the broker: %w", err)
		}
		if err := receipt(r, id); err != nil {
			return err
		}
	}
	// What was published is acknowledged; a broker that does not hear this loses nothing.
	_, _ = conn.Write([]byte{disconnect << 4, 0})
	return nil
}

// receipt waits for that of a message. Nothing else is asked for, but brokers may chat.
func receipt(r *bufio.Reader, id uint16) error {
	for range 16 {
		head, body, _, err := read(r)
		switch {
		case errors.Is(err, ErrProtocol):
			return err
		case err != nil:
			return fmt.Errorf("no receipt of the broker: %w", err)
		case head>>4 == disconnect:
			return &RefusedError{"the broker hung up"}
		case head>>4 != pubAck || len(body) < 2 || binary.BigEndian.Uint16(body) != id:
			continue
		case len(body) > 2 && body[2] >= 0x80:
			return &RefusedError{fmt.Sprintf("the broker refused the message with code %d", body[2])}
		}
		return nil
	}
	return ErrProtocol
}

func (m *Message) check() error {
	if err := CheckTopic(m.Topic); err != nil {
		return fmt.Errorf("topic: %w", err)
	}
	if len(m.Payload) > maxSend || len(m.Key) > 0xffff || len(m.ContentType) > 0xffff {
		return fmt.Errorf("message: at most %d bytes", maxSend)
	}
	return nil
}
