package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// tape is what the live feed sent for a while: the frames that every client
// starts with, and those that followed. Played to a browser it costs the
// machine next to nothing, so what is measured is the browser.
type tape struct {
	hello   []byte
	first   [][]byte
	later   []taped
	updates int
}

type taped struct {
	after time.Duration
	data  []byte
}

func (t *tape) perSecond() float64 {
	if len(t.later) == 0 {
		return 0
	}
	return round(float64(t.updates)/t.later[len(t.later)-1].after.Seconds(), 1)
}

// recordFeed listens to the server's own feed.
func recordFeed(ctx context.Context, srv *server, length time.Duration) (*tape, error) {
	ctx, cancel := context.WithTimeout(ctx, length+time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(srv.api.base, "http", "ws", 1)+"/api/v1/live", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + srv.api.token}}, HTTPClient: &http.Client{},
		CompressionMode: websocket.CompressionNoContextTakeover,
	})
	if err != nil {
		return nil, fmt.Errorf("listen to the live feed: %w", err)
	}
	defer conn.CloseNow() //nolint:errcheck // nothing is left to say
	conn.SetReadLimit(64 << 20)
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"topics":["summary","ports"]}`)); err != nil {
		return nil, fmt.Errorf("ask for the live feed: %w", err)
	}
	t := &tape{}
	var began time.Time
	for have, total := 0, 1; began.IsZero() || time.Since(began) < length; {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the live feed: %w", err)
		}
		var f struct {
			Type     string
			Snapshot bool
			Total    int
			IDs      []json.RawMessage `json:"ids"`
			Index    []int
		}
		if err := json.Unmarshal(data, &f); err != nil {
			return nil, fmt.Errorf("decode the live feed: %w", err)
		}
		switch {
		case f.Type == "hello":
			t.hello = data
		case !began.IsZero():
			t.later = append(t.later, taped{time.Since(began), data})
			t.updates += len(f.Index)
		default:
			t.first = append(t.first, data)
			if f.Snapshot {
				if have, total = have+len(f.IDs), f.Total; have == total {
					began = time.Now()
				}
			}
		}
	}
	return t, nil
}

// player is the product's server with its live feed replaced by a tape.
type player struct {
	base   string
	server *http.Server
}

func (t *tape) play(base string) (*player, error) {
	behind, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("parse address: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/live", t.serve)
	mux.Handle("/", httputil.NewSingleHostReverseProxy(behind))
	p := &player{base: "http://" + l.Addr().String(), server: &http.Server{Handler: mux}}
	go p.server.Serve(l) //nolint:errcheck // it ends when it is closed
	return p, nil
}

func (p *player) close() { p.server.Close() }

// serve plays the tape to one socket, again and again.
func (t *tape) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		CompressionMode: websocket.CompressionNoContextTakeover, CompressionThreshold: 4 << 10,
	})
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // nothing is left to say
	asked := make(chan struct{}, 16)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		defer cancel()
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				return
			}
			select {
			case asked <- struct{}{}:
			default:
			}
		}
	}()
	revision := uint64(0)
	send := func(frame []byte) bool {
		err := conn.Write(ctx, websocket.MessageText, renumber(frame, revision))
		revision++
		return err == nil
	}
	if !send(t.hello) {
		return
	}
	select {
	case <-asked:
	case <-ctx.Done():
		return
	}
	for {
		for _, f := range t.first {
			if !send(f) {
				return
			}
		}
		began, again := time.Now(), false
		for i := 0; !again; i = (i + 1) % len(t.later) {
			if i == 0 {
				began = time.Now()
			}
			select {
			case <-ctx.Done():
				return
			case <-asked: // it asks again: everything from the start
				again = true
			case <-time.After(time.Until(began.Add(t.later[i].after))):
				if !send(t.later[i].data) {
					return
				}
			}
		}
	}
}

// renumber gives a frame its revision on this socket.
func renumber(frame []byte, revision uint64) []byte {
	const mark = `"revision":`
	at := bytes.Index(frame, []byte(mark))
	if at < 0 {
		return frame
	}
	at += len(mark)
	end := at
	for end < len(frame) && frame[end] >= '0' && frame[end] <= '9' {
		end++
	}
	out := append(make([]byte, 0, len(frame)+8), frame[:at]...)
	return append(strconv.AppendUint(out, revision, 10), frame[end:]...)
}
