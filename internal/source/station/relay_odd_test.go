package station

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
)

// A system that takes its time is not one that is gone: the answer passes as it is,
// however late, as long as its connection lives, and what we ask meanwhile is
// answered.
func TestUpstreamThatIsSlow(t *testing.T) {
	h := serve(t, Options{Ping: 100 * time.Millisecond, Pong: 5 * time.Second})
	up := newCentral(t)
	h.relay("CP1", up.upstream())
	c := h.connect(t, "CP1", "ocpp1.6")
	now := time.Now().UTC().Format(time.RFC3339)
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`[2,"slow","StartTransaction",{"connectorId":1,"idTag":"GOOD","meterStart":1000,"timestamp":"`+now+`"}]`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the question at upstream", func() bool { return len(up.all()) == 1 })
	h.ep.mu.Lock()
	l := h.ep.links["CP1"]
	h.ep.mu.Unlock()
	heard := make(chan message) // it reads all the while, and so answers pings
	go func() {
		for {
			typ, data, err := c.Read(context.Background())
			if err != nil {
				close(heard)
				return
			}
			heard <- message{typ, string(data)}
		}
	}()
	eventually(t, "a pong of upstream", func() bool { return l.relay.upPonged.Load() })
	asked := make(chan Outcome, 1)
	go func() {
		asked <- h.ep.Send(t.Context(), "CP1", "5f9c1c2e-0000-4000-8000-000000000001", "Reset", []byte(`{"type":"Soft"}`))
	}()
	id, action := idAndAction((<-heard).text)
	if action != "Reset" {
		t.Fatalf("the station is asked for %s", action)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`[3,"`+id+`",{"status":"Accepted"}]`)); err != nil {
		t.Fatal(err)
	}
	if o := <-asked; o.Status != Answered {
		t.Errorf("ours, while theirs waits: %+v", o)
	}
	l.relay.waits.Store(time.Now().Add(-time.Hour).UnixNano()) // as long as that
	if !l.relay.alive(time.Now()) {
		t.Error("given up although it answers pings")
	}
	const answer = `[3,"slow", {"transactionId":7001, "idTagInfo":{"status":"Accepted"}}]`
	up.say(t, websocket.MessageText, answer)
	if m := <-heard; m.text != answer {
		t.Errorf("the station hears %s", m)
	}
	eventually(t, "the session with upstream's id", func() bool {
		st, ok := h.journal.Snapshot().Station("CP1")
		return ok && len(st.EVSEs) == 1 && st.EVSEs[0].Session != nil && st.EVSEs[0].Session.TransactionID == "7001"
	})
	if n := h.ep.Health("theirs").Losses.Load(); n != 0 {
		t.Errorf("%d connections lost", n)
	}
	if len(up.all()) != 1 {
		t.Errorf("upstream heard of what was ours: %v", up.all())
	}
}

// Rubbish of upstream passes and disturbs nothing: the next answer is read.
func TestUpstreamThatSendsRubbish(t *testing.T) {
	h := serve(t, Options{})
	up := newCentral(t)
	h.relay("CP1", up.upstream())
	c := h.connect(t, "CP1", "ocpp1.6")
	rubbish := []string{
		"", "\x00\xff\xfe", "[", "{}", `[2]`, `[3,"nobody asked",{}]`, `[2,"1","Reset"`, `["3","x",{}]`, strings.Repeat("[", 5000),
		`[2,"same","Reset",{"type":"Soft"}]`, `[2,"same","Reset",{"type":"Hard"}]`, `[4]`, `[3,"` + strings.Repeat("i", 60000) + `",{}]`,
	}
	for _, x := range rubbish {
		typ := websocket.MessageText
		if strings.HasPrefix(x, "\x00") {
			typ = websocket.MessageBinary
		}
		up.say(t, typ, x)
		if m := read(t, c); m.text != x || m.typ != typ {
			t.Errorf("passed on as %s; want %.80q", m, x)
		}
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`[2,"b","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the boot at upstream", func() bool { return len(up.all()) == 1 })
	up.say(t, websocket.MessageText, `[3,"b",{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":120}]`)
	read(t, c)
	eventually(t, "the boot in the journal", func() bool {
		b := h.events(t, "CP1", event.KindBoot)
		return len(b) == 1 && b[0].Body.(*event.Boot).IntervalS == 120
	})
}
