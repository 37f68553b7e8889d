package station

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// Three ask at once on each of several connections: the station asks upstream,
// upstream asks the station, and so do we, some of it under ids that others use too.
// Every answer says what was asked, so one that goes astray is seen. The number of
// calls is CHARGEWATCH_TEST_CALLS, if set.
func TestNoAnswerGoesAstray(t *testing.T) {
	calls := 6000
	if n, err := strconv.Atoi(os.Getenv("CHARGEWATCH_TEST_CALLS")); err == nil {
		calls = n
	}
	const stations = 4
	each := calls / stations / 3
	h := serve(t, Options{})
	var wrong atomic.Int64
	astray := func(who, what string) {
		if wrong.Add(1) <= 5 {
			t.Errorf("%s heard %.120s", who, what)
		}
	}
	var work sync.WaitGroup
	for n := range stations {
		id := fmt.Sprintf("CP%d", n)
		up := newAsker(t, each, func(what string) { astray("upstream of "+id, what) })
		h.relay(id, up.central.upstream())
		c := h.connect(t, id, "ocpp1.6")
		s := &asker{conn: c, want: make(map[string]string), free: make(chan struct{}, 1), wrong: func(what string) { astray(id, what) }}
		work.Go(func() { s.read(t.Context(), func() {}) })
		eventually(t, "connected", func() bool { return h.ep.Relayed(id) != "" })
		var asking sync.WaitGroup
		asking.Go(func() { s.ask(t, "station", each) })
		asking.Go(func() { up.ask(t, each) })
		asking.Go(func() {
			for i := range each {
				what := fmt.Sprintf("us-%d", i)
				o := h.ep.Send(t.Context(), id, strconv.Itoa(i), "DataTransfer", []byte(`{"vendorId":"`+what+`"}`))
				if o.Status != Answered || string(o.Response) != `{"data":"`+what+`"}` {
					astray("we", o.Status+" "+string(o.Response)+" for "+what)
				}
			}
		})
		work.Go(func() {
			asking.Wait()
			c.Close(websocket.StatusNormalClosure, "")
		})
	}
	work.Wait()
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d answers went astray", n)
	}
	t.Logf("%d calls", each*3*stations)
}

// asker is one end of a connection: it asks one thing at a time and answers what it
// is asked with what was asked.
type asker struct {
	conn  *websocket.Conn
	free  chan struct{}
	wrong func(what string)

	mu      sync.Mutex
	want    map[string]string
	central *central
	writing sync.Mutex
}

func (a *asker) write(ctx context.Context, text string) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	return a.conn.Write(ctx, websocket.MessageText, []byte(text))
}

func (a *asker) heed(ctx context.Context, text string) {
	t, id, ok := ocppj.Head([]byte(text))
	switch {
	case !ok:
		a.wrong(text)
	case t == ocppj.Call:
		_, what, _ := strings.Cut(text, `"vendorId":"`)
		what, _, _ = strings.Cut(what, `"`)
		if err := a.write(ctx, `[3,"`+id+`",{"data":"`+what+`"}]`); err != nil {
			a.wrong(err.Error())
		}
	default:
		a.mu.Lock()
		want, asked := a.want[id]
		delete(a.want, id)
		a.mu.Unlock()
		if !asked || text != `[3,"`+id+`",{"data":"`+want+`"}]` {
			a.wrong(text)
		}
		a.free <- struct{}{}
	}
}

func (a *asker) read(ctx context.Context, end func()) {
	defer end()
	for {
		_, data, err := a.conn.Read(ctx)
		if err != nil {
			return
		}
		a.heed(ctx, string(data))
	}
}

func (a *asker) ask(t *testing.T, who string, calls int) {
	for i := range calls {
		// The ids of both ends are the same: they belong to different directions.
		id, what := strconv.Itoa(i), fmt.Sprintf("%s-%d", who, i)
		a.mu.Lock()
		a.want[id] = what
		a.mu.Unlock()
		if err := a.write(t.Context(), `[2,"`+id+`","DataTransfer",{"vendorId":"`+what+`"}]`); err != nil {
			a.wrong(err.Error())
			return
		}
		select {
		case <-a.free:
		case <-time.After(30 * time.Second):
			a.wrong("no answer to " + what)
			return
		}
	}
}

type upstreamAsker struct {
	*asker
	calls int
}

func newAsker(t *testing.T, calls int, wrong func(string)) *upstreamAsker {
	u := &upstreamAsker{asker: &asker{want: make(map[string]string), free: make(chan struct{}, 1), wrong: wrong}, calls: calls}
	u.central = newCentral(t)
	u.central.answer = func(text string) string {
		if u.asker.conn == nil {
			u.asker.conn = u.central.last()
		}
		u.heed(context.Background(), text)
		return ""
	}
	return u
}

func (u *upstreamAsker) ask(t *testing.T, calls int) {
	eventually(t, "the station came to upstream", func() bool { return len(u.central.all()) > 0 })
	u.asker.ask(t, "upstream", calls)
}

// An upstream system that keeps its connection and does nothing any more is as good
// as one that is gone: the station is told, and queues.
func TestUpstreamThatHangs(t *testing.T) {
	h := serve(t, Options{Ping: time.Second, Pong: 300 * time.Millisecond})
	up := newCentral(t)
	hang := make(chan struct{})
	defer close(hang)
	up.answer = func(string) string { <-hang; return "" }
	h.relay("CP1", up.upstream())
	c := h.connect(t, "CP1", "ocpp1.6")
	eventually(t, "connected", func() bool { return h.ep.Relayed("CP1") != "" })
	read := make(chan error, 1)
	go func() { _, _, err := c.Read(context.Background()); read <- err }()
	h.ep.mu.Lock()
	l := h.ep.links["CP1"]
	h.ep.mu.Unlock()
	eventually(t, "a pong of upstream", func() bool { return l.relay.upPonged.Load() })
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`[2,"1","Heartbeat",{}]`)); err != nil {
		t.Fatal(err)
	}
	if err := <-read; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("%v", err)
	}
	if lost, _, _ := h.ep.Health("theirs").Last(); lost.Station != "CP1" || lost.Reason == "" {
		t.Errorf("%+v", lost)
	}
}
