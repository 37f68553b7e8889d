package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// incidentResult is how quickly a fault is told while the network is busy.
type incidentResult struct {
	Server    string  `json:"server"`
	Stations  int     `json:"stations"`
	PerSec    float64 `json:"callsPerSecondOffered"`
	Done      float64 `json:"callsPerSecondDone"`
	Core      float64 `json:"serverCoreShare"`
	Faults    int     `json:"faults"`
	NeverFed  int     `json:"neverOnTheFeed"`
	NeverSent int     `json:"neverAtTheChannel"`
	Feed      latency `json:"frameToFeed"`
	Channel   latency `json:"frameToChannel"`
}

// watchFor collects when something was told of each station.
type watchFor struct {
	mu    sync.Mutex
	sent  map[string]time.Time
	heard map[string]time.Time
}

func (w *watchFor) note(text string) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.sent {
		if _, ok := w.heard[id]; !ok && strings.Contains(text, id) {
			w.heard[id] = now
		}
	}
}

func (w *watchFor) result() (h histogram, never int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range w.sent {
		if heard, ok := w.heard[id]; ok {
			h.add(heard.Sub(at))
		} else {
			never++
		}
	}
	return h, never
}

// receiver is a channel's other end: a web server that takes notices.
type receiver struct {
	*http.Server
	addr string
	told *watchFor
}

func newReceiver() (*receiver, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for notices: %w", err)
	}
	r := &receiver{addr: ln.Addr().String(), told: &watchFor{sent: map[string]time.Time{}, heard: map[string]time.Time{}}}
	r.Server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var body json.RawMessage
		if json.NewDecoder(http.MaxBytesReader(w, q.Body, 1<<20)).Decode(&body) == nil {
			r.told.note(string(body))
		}
	})}
	go r.Serve(ln) //nolint:errcheck // ends with Close
	return r, nil
}

// incidents sends one call a second per station and, meanwhile, a ground fault
// from one station after another; each is timed to the live feed and to a
// webhook.
func incidents(ctx context.Context, srv *server, to *receiver, n int, length time.Duration) (*incidentResult, error) {
	if err := notifyBy(ctx, srv.api, to.addr); err != nil {
		return nil, err
	}
	stations, _, err := connectAll(ctx, &srv.target, "LOAD-", n, 64)
	if err != nil {
		return nil, err
	}
	defer closeAll(stations)
	for _, s := range stations {
		if err := s.begin(time.Now()); err != nil {
			return nil, err
		}
	}
	faults := int(length / (500 * time.Millisecond))
	broken, _, err := connectAll(ctx, &srv.target, "FAULT-", faults, 64)
	if err != nil {
		return nil, err
	}
	defer closeAll(broken)
	for _, s := range broken { // each of a make of its own, or many faults would be one cause
		if _, err := s.call(call("BootNotification", `{"chargePointVendor":"Bench","chargePointModel":"`+s.id+`"}`), time.Now()); err != nil {
			return nil, err
		}
	}
	feed := &watchFor{sent: map[string]time.Time{}, heard: map[string]time.Time{}}
	hearing, stop := context.WithCancel(ctx)
	defer stop()
	if err := listen(hearing, srv, feed); err != nil {
		return nil, err
	}
	r := &incidentResult{Server: srv.name, Stations: n, PerSec: float64(n), Faults: faults}
	start := time.Now().Add(500 * time.Millisecond)
	end := start.Add(length)
	cpu := srv.cpu()
	var wg sync.WaitGroup
	for _, s := range stations {
		wg.Go(func() {
			_ = s.pace(ctx, start.Add(time.Duration(s.n)*time.Second/time.Duration(n)), end, time.Second) // counted below
		})
	}
	fault := call("StatusNotification", `{"connectorId":1,"errorCode":"GroundFailure","status":"Faulted","timestamp":"`+timeMark+`"}`)
	for i, s := range broken {
		time.Sleep(time.Until(start.Add(time.Duration(i) * 500 * time.Millisecond)))
		now := time.Now()
		for _, w := range []*watchFor{feed, to.told} {
			w.mu.Lock()
			w.sent[s.id] = now
			w.mu.Unlock()
		}
		if _, err := s.call(fault, now); err != nil {
			return nil, err
		}
	}
	wg.Wait()
	r.Core = round((srv.cpu()-cpu).Seconds()/time.Since(start).Seconds(), 3)
	var calls int64
	for _, s := range stations {
		calls += s.calls.Load()
	}
	r.Done = round(float64(calls)/length.Seconds(), 1)
	time.Sleep(3 * time.Second)
	fed, neverFed := feed.result()
	sent, neverSent := to.told.result()
	r.Feed, r.NeverFed, r.Channel, r.NeverSent = fed.latency(), neverFed, sent.latency(), neverSent
	if neverFed+neverSent > 0 {
		return r, errors.New("faults were not told")
	}
	return r, ctx.Err()
}

func notifyBy(ctx context.Context, a *api, addr string) error {
	var channel struct{ ID string }
	err := a.do(ctx, "POST", "/api/v1/channels", map[string]any{
		"name": "bench", "type": "webhook", "settings": map[string]any{"url": "http://" + addr + "/"},
		"secrets": map[string]string{"secret": "a secret of the load test"},
	}, &channel)
	if err != nil {
		return err
	}
	return a.do(ctx, "PUT", "/api/v1/routing", map[string]any{
		"routes": []any{map[string]any{"name": "all", "channels": []string{channel.ID}}},
	}, nil)
}

// listen notes which stations incidents on the live feed name.
func listen(ctx context.Context, srv *server, w *watchFor) error {
	conn, _, err := websocket.Dial(ctx, strings.Replace(srv.api.base, "http", "ws", 1)+"/api/v1/live", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + srv.api.token}}, HTTPClient: &http.Client{},
	})
	if err != nil {
		return fmt.Errorf("listen to the live feed: %w", err)
	}
	conn.SetReadLimit(64 << 20)
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"topics":["incidents"]}`)); err != nil {
		return errors.Join(fmt.Errorf("ask for incidents: %w", err), conn.CloseNow())
	}
	go func() {
		defer conn.CloseNow() //nolint:errcheck // nothing is left to say
		for {
			_, data, err := conn.Read(ctx)
			if err != nil {
				return
			}
			if strings.HasPrefix(string(data), `{"type":"incident"`) {
				w.note(string(data))
			}
		}
	}()
	return nil
}
