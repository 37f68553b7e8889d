package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// upstreams joins what people said of other central systems with the endpoint, and
// the endpoint's relays with the API.
type upstreams struct {
	s *Server

	mu    sync.Mutex
	known map[string]opened
}

// opened is an upstream system with its secret, as long as nobody changes it.
type opened struct {
	of *store.Upstream
	as *station.Upstream
}

var _ web.Relays = (*upstreams)(nil)

// as is an upstream system as the endpoint needs it. One whose secret cannot be read
// is still the one: without a proof it refuses, and says so.
func (u *upstreams) as(of *store.Upstream) *station.Upstream {
	u.mu.Lock()
	defer u.mu.Unlock()
	if x, ok := u.known[of.ID]; ok && x.of == of {
		return x.as
	}
	as, err := u.open(of)
	if err != nil {
		u.s.log.Error("an upstream system's proof cannot be read", "upstream", of.ID, "err", err)
	}
	if u.known == nil {
		u.known = make(map[string]opened)
	}
	u.known[of.ID] = opened{of, as}
	return as
}

func (u *upstreams) open(of *store.Upstream) (*station.Upstream, error) {
	as := &station.Upstream{ID: of.ID, URL: of.URL, PassOn: of.Proof == store.ProofStation}
	if of.Secure() {
		as.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
		if of.Authority != "" {
			as.TLS.RootCAs = x509.NewCertPool()
			as.TLS.RootCAs.AppendCertsFromPEM([]byte(of.Authority))
		}
	}
	secret, err := u.s.Store.UpstreamSecret(of.ID)
	if err != nil {
		return as, err
	}
	switch of.Proof {
	case store.ProofPassword:
		as.Password = secret
	case store.ProofCertificate:
		pair, err := tls.X509KeyPair([]byte(of.Certificate), []byte(secret))
		if err != nil {
			return as, fmt.Errorf("certificate of %s: %w", of.ID, err)
		}
		as.TLS.Certificates = []tls.Certificate{pair}
	case store.ProofStation:
	}
	return as, nil
}

// dial reaches upstream systems within what is allowed.
func (u *upstreams) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return u.s.reach.Dial(ctx, network, address)
}

// record is the form of a payload that may be kept.
func (u *upstreams) record(ctx context.Context, payload []byte) (json.RawMessage, error) {
	return u.s.Web.ForRecord(ctx, payload)
}

// RelayHealth is how it goes with an upstream system.
func (u *upstreams) RelayHealth(id string) web.RelayHealth {
	h := u.s.Endpoint.Health(id)
	lost, refused, unreached := h.Last()
	return web.RelayHealth{
		Stations: int(h.Stations.Load()), Connects: h.Connects.Load(), Frames: h.Frames.Load(), Held: h.Held.Load(), Gaps: h.Gaps.Load(), Losses: h.Losses.Load(),
		Refusals: h.Refusals.Load(), Unreached: h.Unreached.Load(), AddedP50: h.Added(0.5), AddedP99: h.Added(0.99),
		Added: web.RelaySpread(h.Spread()), Reached: h.Reached(),
		LastLost: web.RelayTrouble(lost), LastRefused: web.RelayTrouble(refused), LastUnreached: web.RelayTrouble(unreached),
	}
}

// Relayed is the system that a connected station is relayed to now.
func (u *upstreams) Relayed(id string) string { return u.s.Endpoint.Relayed(id) }

// RelayPassage is the relayed connection of a station, if it has one.
func (u *upstreams) RelayPassage(id string) (web.RelayPassage, bool) {
	p, ok := u.s.Endpoint.Passage(id)
	return web.RelayPassage(p), ok
}

// TryUpstream connects to a system under an identity, and leaves at once.
func (u *upstreams) TryUpstream(ctx context.Context, id, identity string) web.UpstreamTrialShape {
	of, ok := u.s.Store.Upstream(id)
	if !ok {
		return web.UpstreamTrialShape{Reason: store.ErrNotFound.Error()}
	}
	t := u.s.Endpoint.Try(ctx, u.as(of), identity)
	return web.UpstreamTrialShape{OK: t.OK, Status: t.Status, Protocol: t.Protocol, Code: t.Code, Reason: t.Reason, TookSeconds: t.Took.Seconds()}
}

// ReachUpstream says why an address may not be reached. A name that is not known now
// may be later: each connection is checked anyway.
func (u *upstreams) ReachUpstream(ctx context.Context, address string) error {
	at, err := url.Parse(address)
	if err != nil || at.Hostname() == "" {
		return nil //nolint:nilerr // the store says what an address is
	}
	port := at.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[at.Scheme]
	}
	where, err := resolve(ctx, net.JoinHostPort(at.Hostname(), port))
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if u.s.reach == nil {
		return errors.New("the server is starting")
	}
	return u.s.reach.Check(where)
}
