package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/store"
)

const (
	writeLimit   = 10 * time.Second
	pingEvery    = 15 * time.Second
	recheckEvery = 30 * time.Second
	maxRequest   = 16 << 10
)

func (s *Server) registerLive() {
	s.raw(http.MethodGet, base+"/live", filtered(StationsRead), s.socket)
	s.raw(http.MethodGet, base+"/live/events", filtered(StationsRead), s.stream)
}

// subscription is what a client sends.
type subscription struct {
	Topics []string `json:"topics"`
	Hidden bool     `json:"hidden"`
}

// socket is the live feed over a WebSocket.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		writeProblem(w, problemf(http.StatusForbidden, "a socket from another origin"))
		return
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		writeProblem(w, problemf(http.StatusUpgradeRequired, "this is a WebSocket; /live/events is the same feed as a stream"))
		return
	}
	p := who(r.Context())
	c, ok := s.hub.join(p)
	if !ok {
		writeProblem(w, problemf(http.StatusServiceUnavailable, "too many live connections"))
		return
	}
	defer s.hub.leave(c)
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify:   true, // sameOrigin has looked at it
		CompressionMode:      websocket.CompressionNoContextTakeover,
		CompressionThreshold: 4 << 10,
	})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // closed already when all went well
	conn.SetReadLimit(maxRequest)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		defer cancel()
		s.serveClient(ctx, c, p, socketSink{conn: conn, hub: s.hub})
	})
	wg.Go(func() { pingSocket(ctx, cancel, conn) })
	for {
		kind, data, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var sub subscription
		if kind != websocket.MessageText || json.Unmarshal(data, &sub) != nil {
			_ = conn.Close(websocket.StatusPolicyViolation, "not a subscription") // closing is all there is to do
			return
		}
		s.hub.subscribe(c, sub.Topics, sub.Hidden)
	}
}

func pingSocket(ctx context.Context, cancel context.CancelFunc, conn *websocket.Conn) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			pong, stop := context.WithTimeout(ctx, pingEvery)
			err := conn.Ping(pong)
			stop()
			if err != nil {
				cancel()
				return
			}
		}
	}
}

// sink is where a client's frames go.
type sink interface {
	write(ctx context.Context, f frame) error
	// end says why the feed stops.
	end(reason string, going bool)
}

// serveClient writes what the hub hands over and lets go when a right ends.
func (s *Server) serveClient(ctx context.Context, c *client, p *Principal, to sink) {
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	changed := s.o.Store.AccessChanged()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.gone:
			to.end("the server is stopping", true)
			return
		case batch := <-c.out:
			for _, f := range batch {
				if err := to.write(ctx, f); err != nil {
					return
				}
			}
			continue
		case <-changed:
			changed = s.o.Store.AccessChanged()
		case <-recheck.C:
		}
		now, err := s.again(ctx, p)
		if errors.Is(err, store.ErrNotFound) || err == nil && now.Scope(StationsRead).Empty() {
			to.end("signed out", false)
			return
		}
		if err != nil {
			if ctx.Err() == nil {
				s.log.WarnContext(ctx, "rights of a live connection not checked", "err", err)
				to.end("your rights could not be checked", false)
			}
			return
		}
		if !sameRights(p, now) {
			s.hub.repeat(c, now)
		}
		p = now
	}
}

func sameRights(a, b *Principal) bool {
	if len(a.scopes) != len(b.scopes) {
		return false
	}
	for permission, scope := range a.scopes {
		if other, ok := b.scopes[permission]; !ok || other.key() != scope.key() {
			return false
		}
	}
	return true
}

type socketSink struct {
	conn *websocket.Conn
	hub  *hub
}

func (k socketSink) write(ctx context.Context, f frame) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return k.conn.Write(ctx, websocket.MessageText, k.hub.appendFrame(make([]byte, 0, 96+len(f.tail)), f))
}

func (k socketSink) end(reason string, going bool) {
	code := websocket.StatusPolicyViolation
	if going {
		code = websocket.StatusGoingAway
	}
	_ = k.conn.Close(code, reason) // the peer may be gone already
}

// stream is the live feed as server-sent events, for scripts.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	p := who(r.Context())
	c, ok := s.hub.join(p)
	if !ok {
		writeProblem(w, problemf(http.StatusServiceUnavailable, "too many live connections"))
		return
	}
	defer s.hub.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	topics := strings.FieldsFunc(r.URL.Query().Get("topics"), func(r rune) bool { return r == ',' })
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { s.hub.subscribe(c, topics, false) })
	s.serveClient(ctx, c, p, &streamSink{w: w, rc: http.NewResponseController(w), hub: s.hub})
}

type streamSink struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	hub *hub
}

func (k *streamSink) write(_ context.Context, f frame) error {
	if err := k.rc.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	out := append(make([]byte, 0, 128+len(f.tail)), "data: "...)
	out = append(k.hub.appendFrame(out, f), '\n', '\n')
	if _, err := k.w.Write(out); err != nil {
		return err
	}
	return k.rc.Flush()
}

func (k *streamSink) end(string, bool) {}
