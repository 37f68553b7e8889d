package servertest_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/servertest/rawsocket"
	"github.com/chargewatch/chargewatch/internal/store"
)

// findings of a station, newest first.
func findings(t *testing.T, s *servertest.Server, id string) []*event.Finding {
	t.Helper()
	events, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Subject: event.Station(id), Kinds: []event.Kind{event.KindFinding}})
	if err != nil {
		t.Fatal(err)
	}
	var out []*event.Finding
	for _, e := range events {
		out = append(out, e.Body.(*event.Finding))
	}
	return out
}

func finding(t *testing.T, s *servertest.Server, id, code string) *event.Finding {
	t.Helper()
	var found *event.Finding
	servertest.Eventually(t, "the finding "+code, func() bool {
		for _, f := range findings(t, s, id) {
			if f.Code == code {
				found = f
				return true
			}
		}
		return false
	})
	return found
}

const boot16 = `[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M","chargePointSerialNumber":"S1"}]`

// The limits of a server that nobody configured.
func TestLargeFrames(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.Enrol(t, "NEW", "OLD", "TORN", "ENDLESS")
	text := func(n int) string {
		return `[2,"big","DataTransfer",{"vendorId":"x","data":"` + strings.Repeat("x", n) + `"}]`
	}
	tooBig := func(t *testing.T, c *websocket.Conn, frame string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := c.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("got %v, want 1009", err)
		}
	}
	t.Run("60 KiB before the first boot", func(t *testing.T) {
		if a := ask(t, dial(t, s, "NEW", "ocpp1.6"), text(60<<10)); !strings.HasPrefix(a, `[3,"big"`) {
			t.Errorf("got %s", a)
		}
	})
	t.Run("65 KiB before the first boot", func(t *testing.T) {
		tooBig(t, dial(t, s, "TORN", "ocpp1.6"), text(65<<10))
		f := finding(t, s, "TORN", "frameTooLarge")
		if !strings.Contains(f.Text, "TORN") || !strings.Contains(f.Text+f.Evidence, "65536") {
			t.Errorf("the finding names neither station nor size: %+v", f)
		}
	})
	t.Run("a StopTransaction of 2 MiB after it", func(t *testing.T) {
		c := dial(t, s, "OLD", "ocpp1.6")
		ask(t, c, boot16)
		now := time.Now().UTC().Format(time.RFC3339)
		start := ask(t, c, `[2,"s","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":0,"timestamp":"`+now+`"}]`)
		var id int
		if _, err := fmt.Sscanf(start, `[3,"s",{"transactionId":%d,`, &id); err != nil {
			t.Fatal(start, err)
		}
		var b strings.Builder
		fmt.Fprintf(&b, `[2,"big","StopTransaction",{"transactionId":%d,"meterStop":20000,"timestamp":%q,"transactionData":[`, id, now)
		for i := 0; b.Len() < 2<<20; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"timestamp":%q,"sampledValue":[{"value":"%d","context":"Sample.Periodic","format":"Raw","measurand":"Energy.Active.Import.Register","location":"Outlet","unit":"Wh"}]}`, now, i)
		}
		b.WriteString(`]}]`)
		if a := ask(t, c, b.String()); !strings.HasPrefix(a, `[3,"big",{`) {
			t.Errorf("got %.200s", a)
		}
		sessions, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: "OLD"})
		if err != nil || len(sessions) != 1 || sessions[0].EnergyWh != 20000 {
			t.Errorf("sessions: %+v %v", sessions, err)
		}
		c.CloseNow()
		servertest.Eventually(t, "offline", func() bool { return !s.Station(t, "OLD").Online })
	})
	t.Run("more than 4 MiB after it", func(t *testing.T) {
		tooBig(t, dial(t, s, "OLD", "ocpp1.6"), text(4<<20))
		finding(t, s, "OLD", "frameTooLarge")
	})
	t.Run("a message in pieces without end", func(t *testing.T) {
		conn, err := net.Dial("tcp", s.OCPPAddress())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c, _, err := rawsocket.Open(conn, "/ocpp/ENDLESS", rawsocket.Opening+rawsocket.Speaks16)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			op := byte(rawsocket.Text)
			for {
				if _, err := c.Write(append(rawsocket.Head(op, false, 1000), make([]byte, 1000)...)); err != nil {
					return
				}
				op = rawsocket.Continuation
			}
		}()
		c.Drain()
		finding(t, s, "ENDLESS", "frameTooLarge")
	})
}

// What breaks JSON costs nobody the connection, and is kept for people to see.
func TestUnreadableFrames(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.Enrol(t, "CP1")
	c := dial(t, s, "CP1", "ocpp1.6")
	const n = 300
	for i := range n {
		if err := c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, "}{ broken %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if a := ask(t, c, `[2,"1","Heartbeat",{}]`); !strings.HasPrefix(a, `[3,"1",`) {
		t.Errorf("after broken frames: %s", a)
	}
	kept := s.Endpoint.Quarantine()
	if len(kept) == 0 || len(kept) >= n || !strings.Contains(kept[len(kept)-1].Head, fmt.Sprint("broken ", n-1)) || kept[0].Station != "CP1" {
		t.Errorf("%d frames are kept, the last %+v", len(kept), kept[len(kept)-1])
	}
	ask(t, c, `[2,"2","Heartbeat",`+strings.Repeat(`{"a":`, 40)+`1`+strings.Repeat(`}`, 40)+`]`)
	if f := finding(t, s, "CP1", "hostileFrame"); !strings.Contains(f.Text, "CP1") {
		t.Errorf("the finding: %+v", f)
	}
}

// Two devices that take turns under one identity are told apart by their
// serials.
func TestTwoDevicesUnderOneIdentity(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	enrol(t, s, "TWIN", store.Auth{Profile: 1, Password: "correct-horse-16"})
	connect := func() *websocket.Conn {
		o := &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}, HTTPHeader: http.Header{}}
		r := &http.Request{Header: o.HTTPHeader}
		r.SetBasicAuth("TWIN", "correct-horse-16")
		c, _, err := websocket.Dial(t.Context(), s.URL+"TWIN", o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.CloseNow() })
		return c
	}
	first := connect()
	ask(t, first, boot16)
	second := connect()
	ask(t, second, strings.Replace(boot16, "S1", "S2", 1))
	if _, _, err := first.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the older one: %v", err)
	}
	if f := finding(t, s, "TWIN", "twoDevices"); f.Severity != "S2" || !strings.Contains(f.Evidence, "S1") || !strings.Contains(f.Evidence, "S2") {
		t.Errorf("the finding: %+v", f)
	}
	if !s.Station(t, "TWIN").Online {
		t.Error("the newer one is not online")
	}
}

// At most 500 strangers may wait for approval; known stations come in all the
// same.
func TestTooManyStrangers(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.Enrol(t, "KNOWN")
	statuses := make(map[int]int)
	var mu sync.Mutex
	var work sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range store.MaxPending + 10 {
		conn, err := net.Dial("tcp", s.OCPPAddress())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			_, r, err := rawsocket.Open(conn, fmt.Sprint("/ocpp/STRANGER-", i), rawsocket.Opening+rawsocket.Speaks16)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[r.StatusCode]++
		})
	}
	work.Wait()
	if statuses[101] != store.MaxPending || statuses[503] != 10 {
		t.Errorf("answers: %v", statuses)
	}
	if a := ask(t, dial(t, s, "KNOWN", "ocpp1.6"), boot16); !strings.Contains(a, `"Accepted"`) {
		t.Errorf("a known station: %s", a)
	}
}
