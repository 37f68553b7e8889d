package station

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/servertest/rawsocket"
)

// memory is a journal that folds and keeps nothing else, for tests in which
// time is simulated.
type memory struct {
	mu    sync.Mutex
	state *fleet.State
	seq   uint64
	ended []*event.Disconnected
}

type noHistory struct{}

func (noHistory) SessionByStart(string, string) (*fleet.Session, bool)       { return nil, false }
func (noHistory) SessionByStop(string, string) (*fleet.Session, bool)        { return nil, false }
func (noHistory) SessionByTransaction(string, string) (*fleet.Session, bool) { return nil, false }

func (m *memory) Append(_ context.Context, e *event.Event) (fleet.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	e.Seq, e.RecordedAt = m.seq, time.Now()
	b := m.state.Begin(noHistory{})
	b.Advance(e.RecordedAt)
	r := b.Apply(e).Receipt
	b.Commit()
	if d, ok := e.Body.(*event.Disconnected); ok {
		m.ended = append(m.ended, d)
	}
	return r, nil
}

func (m *memory) AppendEach(ctx context.Context, events []*event.Event) []error {
	errs := make([]error, len(events))
	for i, e := range events {
		_, errs[i] = m.Append(ctx, e)
	}
	return errs
}

func (m *memory) Snapshot() *fleet.Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.Snapshot()
}

func (m *memory) online(id string) bool {
	st, ok := m.Snapshot().Station(id)
	return ok && st.Online
}

func (m *memory) reason() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ended) == 0 {
		return ""
	}
	return m.ended[len(m.ended)-1].Reason
}

// cable is the server's end of a connection that can be pulled: nothing arrives
// any more, and what is written vanishes as it does in the buffers of a kernel.
type cable struct {
	net.Conn
	pulled chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (c *cable) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	select {
	case <-c.pulled:
		<-c.closed
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (c *cable) Write(p []byte) (int, error) {
	select {
	case <-c.pulled:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

func (c *cable) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	accept chan net.Conn
	end    chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.end:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.end) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// bench is an endpoint in simulated time.
type bench struct {
	ep      *Endpoint
	journal *memory
	people  *people
	pipes   *pipes
	stop    context.CancelFunc
	work    sync.WaitGroup
	server  *http.Server
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{
		journal: &memory{state: fleet.New()}, people: &people{enrolled: map[string]Enrolment{}, room: 500},
		pipes: &pipes{accept: make(chan net.Conn), end: make(chan struct{})},
	}
	b.ep = New(b.journal, b.people, b.people, &frameLog{}, o)
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.server = &http.Server{Handler: b.ep}
	b.work.Go(func() { b.ep.Run(ctx) })
	b.work.Go(func() { b.server.Serve(b.pipes) })
	return b
}

func (b *bench) close() {
	b.stop()
	b.server.Close()
	b.work.Wait()
	b.ep.running.Wait()
}

// plug connects a station and returns what pulls its cable.
func (b *bench) plug(t *testing.T, id string, o *websocket.DialOptions) (*websocket.Conn, func()) {
	t.Helper()
	b.people.set(id, Enrolment{Onboarding: event.OnboardingAccepted})
	var wire *cable
	o.Subprotocols = []string{"ocpp1.6"}
	o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		wire = &cable{Conn: far, pulled: make(chan struct{}), closed: make(chan struct{})}
		b.pipes.accept <- wire
		return near, nil
	}}}
	c, _, err := websocket.Dial(context.Background(), "ws://server/ocpp/"+id, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, sync.OnceFunc(func() { close(wire.pulled) })
}

// listen reads, and so answers pings, until the connection ends.
func listen(c *websocket.Conn) {
	for {
		if _, _, err := c.Read(context.Background()); err != nil {
			return
		}
	}
}

func mute() *websocket.DialOptions {
	return &websocket.DialOptions{OnPingReceived: func(context.Context, []byte) bool { return false }}
}

// The figure people see: a dropped cable, without FIN, is offline within 45 s
// with the intervals that a server has when nobody configured any.
func TestADroppedCableIsOfflineWithin45Seconds(t *testing.T) {
	var worst time.Duration
	for after := 5 * time.Second; after < 65*time.Second; after += 1700 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, Options{})
			defer b.close()
			c, pull := b.plug(t, "CP", &websocket.DialOptions{})
			go listen(c)
			defer c.CloseNow()
			time.Sleep(after)
			if !b.journal.online("CP") {
				t.Fatalf("offline after %v although it answers pings", after)
			}
			pull()
			at := time.Now()
			for b.journal.online("CP") && time.Since(at) < 2*time.Hour {
				time.Sleep(100 * time.Millisecond)
			}
			worst = max(worst, time.Since(at))
			if b.journal.reason() != "no pong" {
				t.Errorf("reason: %q", b.journal.reason())
			}
			if _, ok := b.ep.LastFrame("CP"); ok {
				t.Error("the endpoint still has the link")
			}
		})
	}
	if worst > 45*time.Second {
		t.Errorf("the slowest took %v", worst)
	}
	t.Logf("the slowest took %v", worst)
}

// A station that never ponged is judged by its frames alone.
func TestAStationWithoutPongsIsJudgedByItsFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		defer b.close()
		c, pull := b.plug(t, "MUTE", mute())
		go listen(c)
		defer c.CloseNow()
		for i := range 20 {
			time.Sleep(300 * time.Second)
			if !b.journal.online("MUTE") {
				t.Fatalf("offline after %d heartbeats: %s", i, b.journal.reason())
			}
			if err := c.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, `[2,"%d","Heartbeat",{}]`, i)); err != nil {
				t.Fatal(err)
			}
		}
		pull()
		time.Sleep(10 * time.Minute)
		if !b.journal.online("MUTE") {
			t.Error("judged before two heartbeat intervals were over")
		}
		time.Sleep(2 * time.Minute)
		if b.journal.online("MUTE") {
			t.Error("silent for more than two heartbeat intervals and still online")
		}
	})
}

// Frames count as life where a pong is missing.
func TestFramesCountWherePongsAreMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		defer b.close()
		pongs := true
		var mu sync.Mutex
		c, _ := b.plug(t, "CP", &websocket.DialOptions{OnPingReceived: func(context.Context, []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			return pongs
		}})
		go listen(c)
		defer c.CloseNow()
		time.Sleep(time.Minute)
		mu.Lock()
		pongs = false
		mu.Unlock()
		for i := range 30 {
			if err := c.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, `[2,"%d","Heartbeat",{}]`, i)); err != nil {
				t.Fatalf("after %d frames: %v (%s)", i, err, b.journal.reason())
			}
			time.Sleep(5 * time.Second)
		}
		if !b.journal.online("CP") {
			t.Error("talks every 5 s and is offline")
		}
	})
}

// A station that stops reading cannot hold its link.
func TestAStationThatStopsReading(t *testing.T) {
	for name, tt := range map[string]struct {
		pongs bool
		limit time.Duration
	}{
		"and has ponged before":                {true, 45 * time.Second},
		"and has not, while we write to it":    {false, 90 * time.Second},
		"and has not, with a ping in its pipe": {false, 11 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Options{})
				defer b.close()
				c := b.plugRaw(t, "DEAF")
				defer c.Close()
				if tt.pongs {
					pong(t, c)
				}
				at := time.Now()
				if tt.limit == 90*time.Second {
					if _, err := c.Write(rawsocket.Frame(rawsocket.Text, `[2,"1","Heartbeat",{}]`)); err != nil {
						t.Fatal(err)
					}
				}
				for b.journal.online("DEAF") && time.Since(at) < time.Hour {
					time.Sleep(time.Second)
				}
				if d := time.Since(at); d > tt.limit {
					t.Errorf("online for %v", d)
				}
			})
		})
	}
}

// A long message on a slow line is a sign of life, for as long as a message may
// take: no pong can come between its bytes.
func TestASlowMessage(t *testing.T) {
	for name, tt := range map[string]struct {
		gap    time.Duration
		online bool
	}{
		"of 50 s arrives":           {500 * time.Millisecond, true},
		"of 100 s is cut":           {time.Second, false},
		"that never comes, is lost": {time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Options{})
				defer b.close()
				c := b.plugRaw(t, "SLOW")
				defer c.Close()
				pong(t, c)
				go c.Drain()
				payload := `[2,"1","StatusNotification",{"connectorId":1,"status":"Charging","errorCode":"NoError","info":"` + strings.Repeat("x", 900) + `"}]`
				if _, err := c.Write(rawsocket.Head(rawsocket.Text, true, len(payload))); err != nil {
					t.Fatal(err)
				}
				at := time.Now()
				for part := range slices.Chunk([]byte(payload), 10) {
					if _, err := c.Write(part); err != nil {
						break
					}
					time.Sleep(tt.gap)
				}
				synctest.Wait()
				st, _ := b.journal.Snapshot().Station("SLOW")
				if st.Online != tt.online || (len(st.EVSEs) == 1) != tt.online {
					t.Errorf("after %v: %+v (%s)", time.Since(at), st, b.journal.reason())
				}
			})
		})
	}
}

// A stop is over in 8 s though nobody answers the close handshake, reads or
// pongs.
func TestAStopDoesNotWaitForStations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		for i := range 20 {
			c, pull := b.plug(t, fmt.Sprint("CP", i), &websocket.DialOptions{})
			defer c.CloseNow()
			switch i % 3 {
			case 0:
				go listen(c)
			case 1:
				pull()
			}
		}
		time.Sleep(2 * time.Second)
		at := time.Now()
		b.stop()
		b.ep.running.Wait()
		if d := time.Since(at); d > 8*time.Second {
			t.Errorf("took %v", d)
		}
		b.close()
		for i := range 20 {
			if b.journal.online(fmt.Sprint("CP", i)) {
				t.Errorf("CP%d is still online", i)
			}
		}
	})
}

// Without a password a newcomer has no more right than the connection that
// stands: it must be dead to be replaced, and hanging up does not kill it.
func TestANewcomerWithoutPassword(t *testing.T) {
	arrive := func(b *bench, id string) net.Conn {
		near, far := net.Pipe()
		b.pipes.accept <- far
		return near
	}
	t.Run("who hangs up leaves the old one alone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, Options{})
			defer b.close()
			old := b.plugRaw(t, "FREE")
			defer old.Close()
			pong(t, old)
			time.Sleep(10 * time.Second)
			conn := arrive(b, "FREE")
			if _, err := fmt.Fprintf(conn, "GET /ocpp/FREE HTTP/1.1\r\nHost: s\r\n%s\r\n", rawsocket.Opening+rawsocket.Speaks16); err != nil {
				t.Fatal(err)
			}
			conn.Close()
			time.Sleep(4 * time.Second) // a slow line, but within the patience
			pong(t, old)
			time.Sleep(4 * time.Second)
			if !b.journal.online("FREE") {
				t.Errorf("offline: %s", b.journal.reason())
			}
		})
	})
	t.Run("is refused while the old one answers, and many make few pings", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, Options{})
			defer b.close()
			old := b.plugRaw(t, "FREE")
			defer old.Close()
			var pings atomic.Int32
			go func() {
				for {
					op, payload, err := old.Next()
					if err != nil {
						return
					}
					if op == rawsocket.Ping {
						pings.Add(1)
						time.Sleep(300 * time.Millisecond)
						old.Write(rawsocket.Frame(rawsocket.Pong, payload))
					}
				}
			}()
			time.Sleep(10 * time.Second)
			pings.Store(0)
			var work sync.WaitGroup
			for range 100 {
				conn := arrive(b, "FREE")
				work.Go(func() {
					defer conn.Close()
					if _, res, err := rawsocket.Open(conn, "/ocpp/FREE", rawsocket.Opening+rawsocket.Speaks16); err != nil || res.StatusCode != http.StatusConflict {
						t.Errorf("got %v %v", res, err)
					}
				})
			}
			work.Wait()
			if pings.Load() > 2 || !b.journal.online("FREE") {
				t.Errorf("%d pings, online %v", pings.Load(), b.journal.online("FREE"))
			}
		})
	})
	t.Run("takes the place of one that is dead", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, Options{})
			defer b.close()
			old := b.plugRaw(t, "FREE")
			defer old.Close()
			go old.Drain()
			time.Sleep(10 * time.Second)
			conn := arrive(b, "FREE")
			defer conn.Close()
			at := time.Now()
			_, res, err := rawsocket.Open(conn, "/ocpp/FREE", rawsocket.Opening+rawsocket.Speaks16)
			if err != nil || res.StatusCode != http.StatusSwitchingProtocols || time.Since(at) > 6*time.Second {
				t.Errorf("got %v %v after %v", res, err, time.Since(at))
			}
			synctest.Wait()
			if !b.journal.online("FREE") || b.ep.Stats.Connections.Load() != 1 {
				t.Errorf("online %v, %d connections", b.journal.online("FREE"), b.ep.Stats.Connections.Load())
			}
		})
	})
}

// A caller who loses interest does not cost the station its connection.
func TestACommandGivenUpLeavesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		defer b.close()
		c := b.plugRaw(t, "CP")
		defer c.Close()
		synctest.Wait()
		ctx, giveUp := context.WithCancel(context.Background())
		done := make(chan Outcome, 1)
		go func() { done <- b.ep.Send(ctx, "CP", "id1", "Reset", []byte(`{"type":"Soft"}`)) }()
		time.Sleep(time.Second) // the write blocks: the pipe has no buffer
		giveUp()
		time.Sleep(time.Second)
		if op, text, err := c.Next(); err != nil || op != rawsocket.Text || text != `[2,"id1","Reset",{"type":"Soft"}]` {
			t.Errorf("got %d %s %v", op, text, err)
		}
		if o := <-done; o.Status != TimedOut {
			t.Errorf("outcome: %+v", o)
		}
		go c.Drain()
		time.Sleep(time.Second)
		if !b.journal.online("CP") {
			t.Errorf("offline: %s", b.journal.reason())
		}
	})
}
