package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// asleep opens a socket, asks for everything and then reads nothing any more,
// as a laptop does whose lid was closed.
func (c *caller) asleep(topics string) net.Conn {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	fmt.Fprintf(conn, "GET %s/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nAuthorization: Bearer %s\r\n\r\n", base, c.token)
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatal(err, resp)
	}
	ask := []byte(topics)
	frame := append([]byte{0x81, 0x80 | 126, byte(len(ask) >> 8), byte(len(ask)), 0, 0, 0, 0}, ask...)
	if _, err := conn.Write(frame); err != nil {
		c.t.Fatal(err)
	}
	return conn
}

// waiting is what the server keeps for all clients that have not taken it.
func (h *hub) waiting() (bytes, frames int) {
	add := func(f frame) { bytes, frames = bytes+len(f.tail), frames+1 }
	for c := range h.clients {
		for _, list := range [][]frame{c.urgent, c.casual} {
			for _, f := range list {
				add(f)
			}
		}
		for _, list := range c.messages {
			for _, f := range list {
				bytes, frames = bytes+len(f.Data), frames+1
			}
		}
		select {
		case batch := <-c.out:
			for _, f := range batch {
				add(f)
			}
			c.out <- batch
		default:
		}
	}
	return bytes, frames
}

// A browser that sleeps costs what it has not taken once, however much happens
// meanwhile, and others see everything.
func TestASleepingBrowserDoesNotGrowTheServer(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	for i := range 40 {
		layout := make([]event.EVSELayout, 50)
		for n := range layout {
			layout[n] = event.EVSELayout{EVSE: n + 1, RatedW: 22_000}
		}
		p.enrol("a", fmt.Sprint("S", i), layout...)
	}
	p.connect("S1", "ocpp1.6")
	p.connect("S2", "ocpp1.6")
	// Big frames, so that what the network buffers for it is soon full.
	conn := p.script(store.RoleViewer).asleep(`{"topics":["summary","ports","events","commands","station/S1","station/S2","station/S3","station/S4","station/S5"]}` + strings.Repeat(" ", 126))
	awake := p.script(store.RoleViewer).live("ports")
	awake.until(func(m message) bool { return m.Type == "ports" && m.Total == 2000 })
	// As if everything had changed: the largest batch there is.
	everything := func() (waits int) {
		p.hub.do(func() {
			for c := range p.hub.clients {
				if c.topics["events"] {
					c.hasPorts, c.summary = false, 0
					clear(c.stations)
				}
			}
			p.hub.beat()
			waits, _ = p.hub.waiting()
		})
		return waits
	}
	for full := 0; full < 10; { // until the network between takes no more
		if full++; everything() == 0 {
			full = 0
		}
	}
	most := 0
	for round := range 30 {
		for station := 1; station <= 2; station++ {
			id := fmt.Sprint("S", station)
			p.say(event.Port(id, round%50+1, 1), &event.Status{Status: []string{"Available", "Charging"}[round%2], ErrorCode: "NoError"})
			p.say(event.Station(id), &event.Security{Type: "SettingSystemTime", TechInfo: strings.Repeat("x", 200)})
		}
		awake.until(func(m message) bool { return m.Type == "ports" && len(m.Index) > 0 })
		most = max(most, everything())
	}
	// One batch of everything, and the urgent events by their bound.
	if limit := 2<<20 + maxUrgent*1000; most > limit {
		t.Errorf("%d bytes wait for a browser that sleeps, more than %d", most, limit)
	}
	// When it is gone nothing of it is left.
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	for p.hub.size.Load() != 1 {
		time.Sleep(5 * time.Millisecond)
	}
	_, _ = io.Copy(io.Discard, conn)
}

// A hidden tab is told once a second at most, the newest values only.
func TestAHiddenTabIsToldSeldomAndQueuesNothing(t *testing.T) {
	var shift atomic.Int64
	p := newPlant(t, func(o *Options) {
		start := time.Now()
		o.Now = func() time.Time { return start.Add(time.Duration(shift.Load())) }
	})
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	p.connect("S1", "ocpp1.6")
	c := p.idle("ports")
	p.hub.subscribe(c.client, []string{"ports", "events"}, true)
	for whole := false; !whole; {
		for _, m := range c.take() {
			whole = whole || m.Snapshot && m.Total == 1
		}
	}
	p.hub.do(p.hub.beat)
	for len(c.out) > 0 { // the second snapshot, where asking met a beat
		c.take()
	}
	for n := range 60 {
		p.say(event.Port("S1", 1, 1), &event.Status{Status: []string{"Preparing", "Charging", "SuspendedEV"}[n%3], ErrorCode: "NoError"})
		p.hub.do(p.hub.beat)
		if len(c.out) > 0 {
			t.Fatalf("told after %d changes within the same second: %+v", n+1, c.take())
		}
	}
	shift.Add(int64(hiddenFlush))
	p.hub.do(p.hub.beat)
	var deltas []message
	for _, m := range c.take() {
		if m.Type == "ports" {
			deltas = append(deltas, m)
		}
	}
	if len(deltas) != 1 || len(deltas[0].Status) != 1 || deltas[0].Status[0] != 3 {
		t.Errorf("after a second: %+v", deltas)
	}
}
