package station

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

const (
	// dialLimit bounds a handshake with upstream; the station waits for it.
	dialLimit = 15 * time.Second
	// dialsAtOnce bounds the handshakes under way when a whole network comes back.
	dialsAtOnce = 256
)

// serveRelayed admits a station as upstream does: it is asked first, and what it
// refuses is refused.
func (ep *Endpoint) serveRelayed(w http.ResponseWriter, r *http.Request, h hello) {
	if no := ep.clearWay(h); no != nil {
		ep.refuse(w, h, no)
		return
	}
	offered := offers(r)
	up, no := ep.dialFor(w.Header(), r, h, offered)
	if no != nil {
		ep.refuseThere(w, h, no)
		return
	}
	h.proven = h.proven || h.vouched
	r.Header.Set("Connection", "Upgrade")
	under := &line{ResponseWriter: w}
	o := &websocket.AcceptOptions{InsecureSkipVerify: true}
	if chosen := up.Subprotocol(); chosen != "" {
		o.Subprotocols = []string{chosen}
	}
	conn, err := websocket.Accept(under, r, o)
	if err != nil {
		up.Cut()
		ep.directory.Refused(h.identity, h.remote, "not a WebSocket handshake")
		return
	}
	conn.SetReadLimit(-1)
	l := newLink(ep, &wire{Conn: conn, under: under.conn}, relayedVersion(up.Subprotocol(), h.fallback), h)
	rel := newRelay(l, h.upstream, up)
	for _, to := range h.observers {
		rel.observers = append(rel.observers, newObserver(rel, to, passedOn(r, to, h.identity), segment(r), offered))
	}
	if !ep.start(l) {
		up.Cut()
		conn.Close(websocket.StatusGoingAway, "the server is stopping")
	}
}

// relayedVersion is how we read a connection whose version upstream chose.
func relayedVersion(chosen, fallback string) ocppj.Version {
	for _, name := range []string{chosen, fallback} {
		if v, ok := ocppj.VersionOf(name); ok {
			return v
		}
	}
	if strings.HasPrefix(chosen, "ocpp2") {
		return ocppj.V201
	}
	return ocppj.V16
}

// clearWay ends an older connection of the station before upstream hears of a
// newer one: some refuse a second under the same identity. One that nobody vouches
// for must wait until the old one misses a ping, as makeRoom says.
func (ep *Endpoint) clearWay(h hello) *refusal {
	ep.mu.Lock()
	old := ep.links[h.identity]
	ep.mu.Unlock()
	if old == nil || old.gone.Load() {
		return nil
	}
	switch {
	case h.proven:
		old.goAway("a newer connection of the station took over")
	case h.vouched:
		// Whether this one is the station only upstream can say. If it is, the old
		// one hardly answers.
		if old.answers(patience) {
			return nil
		}
		old.because("missed a ping while another connection asked for its place")
		old.conn.Cut()
	default:
		if no := ep.makeRoom(h); no != nil {
			return no
		}
	}
	if old.relay != nil {
		select {
		case <-old.relay.upEnded:
		case <-time.After(goodbye):
			old.conn.Cut()
		}
	}
	return nil
}

// dialFor connects to the upstream of a station on its behalf.
func (ep *Endpoint) dialFor(answer http.Header, r *http.Request, h hello, offered []string) (*wire, *refusal) {
	health := ep.healthOf(h.upstream.ID)
	ctx, cancel := context.WithTimeout(r.Context(), dialLimit)
	defer cancel()
	select {
	case ep.dials <- struct{}{}:
		defer func() { <-ep.dials }()
	case <-ctx.Done():
		return nil, &refusal{http.StatusServiceUnavailable, "too many stations connect at once"}
	}
	header := passedOn(r, h.upstream, h.identity)
	up, resp, err := ep.dial(ctx, h.upstream, segment(r), header, offered)
	if err == nil {
		health.connected()
		return up, nil
	}
	if resp != nil && resp.StatusCode >= 400 {
		reason := fmt.Sprintf("the upstream system %s refused: %d %s", h.upstream.ID, resp.StatusCode, http.StatusText(resp.StatusCode))
		health.refused(h.identity, reason, resp.StatusCode)
		for _, name := range []string{"WWW-Authenticate", "Retry-After"} {
			if v := resp.Header.Get(name); v != "" {
				answer.Set(name, v)
			}
		}
		return nil, &refusal{resp.StatusCode, reason}
	}
	code, why := unreachable(err)
	health.unreached(h.identity, code, why)
	if resp != nil {
		return nil, &refusal{http.StatusBadGateway, fmt.Sprintf("the upstream system %s serves no stations there: %s", h.upstream.ID, why)}
	}
	return nil, &refusal{http.StatusServiceUnavailable, fmt.Sprintf("the upstream system %s is not reached: %s", h.upstream.ID, why)}
}

// refuseThere passes the refusal of upstream on as it is: how often the station may
// try is not for us to say.
func (ep *Endpoint) refuseThere(w http.ResponseWriter, h hello, no *refusal) {
	ep.Stats.Refused.Add(1)
	if ep.failures.note(h.remote+"|"+h.identity, time.Now()) {
		ep.directory.Refused(h.identity, h.remote, no.reason)
	}
	w.Header().Set("Connection", "close")
	http.Error(w, no.reason, no.status)
}

// dial makes a WebSocket to upstream. The address check is the dialer's.
func (ep *Endpoint) dial(ctx context.Context, to *Upstream, segment string, header http.Header, offered []string) (*wire, *http.Response, error) {
	var under atomic.Pointer[tap]
	client := &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := ep.o.Dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				t := &tap{Conn: conn}
				t.heard.Store(time.Now().UnixNano())
				under.Store(t)
				return t, nil
			},
			TLSClientConfig: to.TLS, TLSHandshakeTimeout: dialLimit, DisableKeepAlives: false, MaxResponseHeaderBytes: 32 << 10,
			ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	conn, resp, err := websocket.Dial(ctx, strings.TrimSuffix(to.URL, "/")+"/"+segment, &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: header, Subprotocols: offered, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, resp, err
	}
	conn.SetReadLimit(-1)
	return &wire{Conn: conn, under: under.Load()}, resp, nil
}

// offers are the subprotocols that a station names, in its order.
func offers(r *http.Request) []string {
	var out []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" && len(out) < 16 {
				out = append(out, name)
			}
		}
	}
	return out
}

// segment is the last part of the path as the station sent it.
func segment(r *http.Request) string {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// passedOn is what upstream is shown of a station's handshake.
func passedOn(r *http.Request, to *Upstream, identity string) http.Header {
	out := http.Header{}
	if agent := r.UserAgent(); agent != "" {
		out.Set("User-Agent", agent)
	}
	switch {
	case to.PassOn:
		if proof := r.Header.Get("Authorization"); proof != "" {
			out.Set("Authorization", proof)
		}
	case to.Password != "":
		out.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(identity+":"+to.Password)))
	}
	return out
}

// unreachable says why a connection did not come about, without addresses.
func unreachable(err error) (code, why string) {
	var dns *net.DNSError
	var op *net.OpError
	var tlsError *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return TroubleTimeout, "no answer in time"
	case strings.Contains(err.Error(), "not allowed"):
		return TroubleDenied, "its address is not within reach, see --allow-net"
	case errors.As(err, &dns):
		return TroubleName, "its name is not known"
	case errors.As(err, &tlsError):
		return TroubleTLS, "its certificate is not trusted: " + cut(tlsError.Err.Error(), 120)
	case strings.Contains(err.Error(), "tls: "):
		_, why, _ := strings.Cut(err.Error(), "tls: ")
		return TroubleTLS, "TLS: " + cut(why, 120)
	case errors.As(err, &op) && op.Op == "dial":
		return TroubleNobody, "nothing listens there"
	case strings.Contains(err.Error(), "handshake"), strings.Contains(err.Error(), "WebSocket"):
		return TroubleProtocol, "it did not answer as a WebSocket does"
	}
	return TroubleLost, "the connection was lost"
}

// Trial is what a test of an upstream system found.
type Trial struct {
	OK       bool
	Status   int // of its HTTP answer; 0: there was none
	Protocol string
	Code     string
	Reason   string
	Took     time.Duration
}

// Try connects to an upstream system under an identity, and leaves at once.
func (ep *Endpoint) Try(ctx context.Context, to *Upstream, identity string) Trial {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	begun := time.Now()
	r := &http.Request{Header: http.Header{}}
	header := passedOn(r, to, identity)
	var offered []string
	for _, v := range ocppj.Versions() {
		offered = append([]string{v.String()}, offered...)
	}
	up, resp, err := ep.dial(ctx, to, identity, header, offered)
	t := Trial{Took: time.Since(begun)}
	if resp != nil {
		t.Status = resp.StatusCode
	}
	if err != nil {
		t.Code, t.Reason = unreachable(err)
		if t.Status >= 400 {
			t.Code, t.Reason = TroubleRefused, http.StatusText(t.Status)
		}
		return t
	}
	t.OK, t.Protocol = true, up.Subprotocol()
	up.Close(websocket.StatusNormalClosure, "")
	up.Cut()
	return t
}
