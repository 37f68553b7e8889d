package mqtt

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Options configures a Client.
type Options struct {
	Broker Broker
	// KeepAlive is how long nothing may be heard, in whole seconds; 0: 30 s.
	KeepAlive time.Duration
	// Changed hears that the connection began or ended, and why; it must not wait for
	// the client. nil: nobody does.
	Changed func(up bool, why error)
	Logger  *slog.Logger
}

// Times and bounds of a client.
const (
	keepAlive   = 30 * time.Second
	dialFor     = 15 * time.Second
	answerFor   = 10 * time.Second
	retryFirst  = time.Second
	retryMost   = time.Minute
	steadyAfter = time.Minute // a connection that held so long begins the pauses anew
	maxFilters  = 1000
	maxWaiting  = 256 // messages without a receipt
)

// Client stays connected to a broker.
type Client struct {
	o   Options
	log *slog.Logger

	mu      sync.Mutex
	filters []subscription
	on      *session // nil: not connected
	state   State
}

type subscription struct {
	filter string
	hear   func(Message)
}

// State is how the connection is.
type State struct {
	Up    bool
	Since time.Time
	Err   error // why it is not up
	Cut   uint64
}

// New returns a client that is not connected before Run.
func New(o Options) *Client {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.KeepAlive < time.Second {
		o.KeepAlive = keepAlive
	}
	o.Broker.Five = false
	return &Client{o: o, log: o.Logger}
}

// Dial is New with Run in the background until ctx ends; what it returns need not be
// connected yet.
func Dial(ctx context.Context, o Options) *Client {
	c := New(o)
	go c.Run(ctx) //nolint:errcheck // it ends without an error
	return c
}

// State is how the connection is now.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Run connects, again and again with growing pauses, until ctx ends.
func (c *Client) Run(ctx context.Context) error {
	pause := retryFirst
	for {
		began := time.Now()
		err := c.serve(ctx)
		if ctx.Err() != nil {
			c.changed(false, nil)
			return nil
		}
		c.changed(false, err)
		if time.Since(began) >= steadyAfter {
			pause = retryFirst
		}
		late := time.NewTimer(pause/2 + rand.N(pause)) // so that not all come back at once
		select {
		case <-ctx.Done():
			late.Stop()
			return nil
		case <-late.C:
		}
		pause = min(2*pause, retryMost)
	}
}

func (c *Client) changed(up bool, why error) {
	c.mu.Lock()
	was := c.state
	c.state.Up, c.state.Err = up, why
	news := was.Up != up || was.Since.IsZero()
	if news {
		c.state.Since = time.Now()
	}
	c.mu.Unlock()
	if !news {
		return
	}
	if why != nil {
		c.log.Warn("a broker is not connected", "broker", c.o.Broker.Address, "err", why)
	}
	if c.o.Changed != nil {
		c.o.Changed(up, why)
	}
}

// serve is one connection.
func (c *Client) serve(ctx context.Context) error {
	dial, cancel := context.WithTimeout(ctx, dialFor)
	conn, r, err := c.o.Broker.open(dial, c.o.KeepAlive)
	cancel()
	if err != nil {
		return err
	}
	s := &session{conn: conn, gone: make(chan struct{}), waits: map[uint16]chan []byte{}}
	defer context.AfterFunc(ctx, func() {
		_ = s.write([]byte{disconnect << 4, 0}) // a farewell that need not arrive
		conn.Close()
	})()
	var reading sync.WaitGroup
	var why error
	reading.Go(func() { why = c.read(s, r); s.end() })
	err = c.ask(ctx, s)
	if err == nil {
		c.changed(true, nil)
		s.stay(ctx, c.o.KeepAlive)
	}
	s.end()
	c.mu.Lock()
	if c.on == s {
		c.on = nil
	}
	c.mu.Unlock()
	reading.Wait()
	if err != nil && !errors.Is(err, ErrAway) {
		return err
	}
	return why
}

// ask subscribes to everything that was asked for so far; what is asked for from then
// on is subscribed by whoever asks.
func (c *Client) ask(ctx context.Context, s *session) error {
	for next := 0; ; next++ {
		c.mu.Lock()
		if next == len(c.filters) {
			c.on = s
			c.mu.Unlock()
			return nil
		}
		filter := c.filters[next].filter
		c.mu.Unlock()
		if err := s.subscribe(ctx, filter); err != nil {
			return err
		}
	}
}

// read hears the broker until the connection ends.
func (c *Client) read(s *session, r *bufio.Reader) error {
	for {
		if err := s.conn.SetReadDeadline(time.Now().Add(c.o.KeepAlive * 3 / 2)); err != nil {
			return fmt.Errorf("bound the connection: %w", err)
		}
		head, body, cut, err := read(r)
		if err != nil {
			return fmt.Errorf("the connection to the broker ended: %w", err)
		}
		switch head >> 4 {
		case publish:
			m, id, err := heard(head, body, cut)
			if err != nil {
				return err
			}
			c.hear(m)
			if id != 0 {
				if err := s.write(acknowledged(id)); err != nil {
					return err
				}
			}
		case pubAck, subAck:
			if len(body) < 2 {
				return ErrProtocol
			}
			s.answered(binary.BigEndian.Uint16(body), body[2:])
		case pingResp:
		case disconnect:
			return &RefusedError{"the broker hung up"}
		default:
			return ErrProtocol
		}
	}
}

func (c *Client) hear(m Message) {
	c.mu.Lock()
	if m.Cut {
		c.state.Cut++
	}
	var to []func(Message)
	for _, x := range c.filters {
		if matches(x.filter, m.Topic) {
			to = append(to, x.hear)
		}
	}
	c.mu.Unlock()
	for _, hear := range to {
		hear(m)
	}
}

// Subscribe asks for what a filter names, now and after each return of the
// connection. hear is called for one message after the other: it must not wait for
// the client, and what it keeps of a payload is its own.
func (c *Client) Subscribe(ctx context.Context, filter string, hear func(Message)) error {
	if err := CheckFilter(filter); err != nil {
		return fmt.Errorf("topic: %w", err)
	}
	c.mu.Lock()
	if len(c.filters) >= maxFilters {
		c.mu.Unlock()
		return fmt.Errorf("at most %d topics of one broker", maxFilters)
	}
	c.filters = append(c.filters, subscription{filter, hear})
	s := c.on
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.subscribe(ctx, filter)
}

// Publish hands a message over and waits for the receipt of the broker.
func (c *Client) Publish(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	c.mu.Lock()
	s := c.on
	c.mu.Unlock()
	if s == nil {
		return ErrAway
	}
	_, err := s.exchange(ctx, func(id uint16) []byte { return published(m, id, false) })
	return err
}

// session is a connection that the broker accepted.
type session struct {
	conn net.Conn

	writing sync.Mutex

	mu    sync.Mutex
	next  uint16
	waits map[uint16]chan []byte
	ended bool
	gone  chan struct{}
}

func (s *session) write(b []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(answerFor)); err != nil {
		return fmt.Errorf("bound the connection: %w", err)
	}
	if _, err := s.conn.Write(b); err != nil {
		s.conn.Close() // half a packet may be out
		return fmt.Errorf("write to the broker: %w", err)
	}
	return nil
}

func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		close(s.gone)
		s.conn.Close()
	}
}

// stay asks for a sign of life until the connection ends.
func (s *session) stay(ctx context.Context, alive time.Duration) {
	t := time.NewTicker(alive / 2)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.gone:
			return
		case <-t.C:
			if s.write([]byte{pingReq << 4, 0}) != nil {
				return
			}
		}
	}
}

// exchange writes a packet and waits for its answer.
func (s *session) exchange(ctx context.Context, packet func(id uint16) []byte) ([]byte, error) {
	answer := make(chan []byte, 1)
	s.mu.Lock()
	if s.ended || len(s.waits) >= maxWaiting {
		s.mu.Unlock()
		return nil, ErrAway
	}
	for {
		if s.next++; s.next != 0 && s.waits[s.next] == nil {
			break
		}
	}
	id := s.next
	s.waits[id] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waits, id)
		s.mu.Unlock()
	}()
	if err := s.write(packet(id)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	late := time.NewTimer(answerFor)
	defer late.Stop()
	select {
	case body := <-answer:
		return body, nil
	case <-s.gone:
		return nil, ErrAway
	case <-late.C:
		return nil, fmt.Errorf("%w: no receipt", ErrAway)
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrAway, context.Cause(ctx))
	}
}

func (s *session) answered(id uint16, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if answer := s.waits[id]; answer != nil {
		delete(s.waits, id)
		answer <- body
	}
}

func (s *session) subscribe(ctx context.Context, filter string) error {
	codes, err := s.exchange(ctx, func(id uint16) []byte { return subscribed(filter, id) })
	switch {
	case err != nil:
		return err
	case len(codes) != 1:
		return ErrProtocol
	case codes[0] > 1:
		return &RefusedError{"the broker does not let us hear " + filter}
	}
	return nil
}
