package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/proof"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// proofs joins the keeper of how stations prove themselves with the endpoint, with who
// makes certificates and with the API.
type proofs struct {
	*proof.Service
	s         *Server
	elsewhere *tls.Config // see Options.authorityTLS

	mu        sync.Mutex
	authority *pki.Stations
}

var (
	_ proof.Stations  = (*proofs)(nil)
	_ proof.Signer    = (*proofs)(nil)
	_ proof.Ways      = (*proofs)(nil)
	_ proof.Authority = (*proofs)(nil)
	_ web.Proofs      = (*proofs)(nil)
)

func (s *Server) newProofs(elsewhere *tls.Config) *proofs {
	p := &proofs{s: s, elsewhere: elsewhere}
	p.Service = proof.New(proof.Options{Store: s.Store, Fleet: s.Journal, Stations: p, Signer: p, Ways: p, Authority: p, Logger: s.log, Return: time.Duration(s.Config.Station.ReturnWithin)})
	return p
}

// Proofs changes how stations prove themselves.
func (s *Server) Proofs() *proof.Service { return s.proofs.Service }

// own is our authority of stations, made when it is needed first.
func (p *proofs) own() (*pki.Stations, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.authority != nil {
		return p.authority, nil
	}
	root, err := openTLS(p.s.data)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	p.authority, err = pki.OwnStations(root, time.Now())
	return p.authority, err
}

// stationRoot is the certificate of our authority of stations.
func (p *proofs) stationRoot() (*x509.Certificate, error) {
	own, err := p.own()
	if err != nil {
		return nil, err
	}
	return own.Certificate(), nil
}

// clientsOf are the authorities of stations' certificates: those that the operator names,
// and ours; none where no certificate is asked for.
func clientsOf(named *x509.CertPool, own *x509.Certificate) *x509.CertPool {
	if own == nil {
		return nil
	}
	pool := x509.NewCertPool()
	if named != nil {
		pool = named.Clone()
	}
	pool.AddCert(own)
	return pool
}

// StationAuthority is our own authority of stations as PEM.
func (p *proofs) StationAuthority() (string, error) {
	own, err := p.own()
	if err != nil {
		return "", err
	}
	return string(own.PEM()), nil
}

// ProfileNeeds are the preconditions of a security profile as the API tells them.
func (p *proofs) ProfileNeeds(ctx context.Context, id string, profile int) ([]web.ProfileNeedShape, string, error) {
	needs, url, err := p.Preconditions(ctx, id, profile, "")
	out := make([]web.ProfileNeedShape, 0, len(needs))
	for _, n := range needs {
		out = append(out, web.ProfileNeedShape(n))
	}
	return out, url, err
}

// Ask sends a command as anybody's are sent.
func (p *proofs) Ask(ctx context.Context, by store.Actor, id, action string, payload json.RawMessage) event.CommandResult {
	x, err := p.s.Web.CommandFor(ctx, by, id, action, payload)
	if err != nil {
		return event.CommandResult{Status: "refused", Description: err.Error()}
	}
	return resultOf(x)
}

// Hide has a password go no further when a station says it.
func (p *proofs) Hide(id, secret string) { p.s.Endpoint.Hide(id, secret) }

// Disconnect has a station come again.
func (p *proofs) Disconnect(id, reason string) { p.s.Endpoint.Disconnect(id, reason) }

// Organization is the only one that may stand in a request.
func (p *proofs) Organization() string {
	x, err := p.s.Store.Signing(context.Background())
	if err != nil {
		p.s.log.Warn("who signs certificates is not known", "err", err)
	}
	return x.Organization
}

// Sign makes the certificate of a request, or has it made.
func (p *proofs) Sign(ctx context.Context, id, request string, r *pki.Request) (*x509.Certificate, [][]byte, error) {
	x, err := p.s.Store.Signing(ctx)
	if err != nil {
		return nil, nil, err
	}
	if x.URL != "" {
		return p.signElsewhere(ctx, x, id, request, r)
	}
	own, err := p.own()
	if err != nil {
		return nil, nil, err
	}
	leaf, err := own.Sign(time.Now(), r, pki.StationLife)
	return leaf, nil, err
}

// What is waited for from another authority, and how much is read of its answer.
const (
	elsewhereLimit = 30 * time.Second
	elsewhereBytes = 64 << 10
)

// signElsewhere has another authority make a certificate. What it gives is checked as if it
// were a stranger's.
func (p *proofs) signElsewhere(ctx context.Context, x store.Signing, id, request string, r *pki.Request) (*x509.Certificate, [][]byte, error) {
	secret, err := p.s.Store.SigningSecret(x)
	if err != nil {
		return nil, nil, err
	}
	body, err := json.Marshal(map[string]string{"station": id, "csr": request, "certificateType": "ChargingStationCertificate"})
	if err != nil {
		return nil, nil, fmt.Errorf("write the request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, elsewhereLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.URL, bytes.NewReader(body))
	if err != nil {
		return nil, nil, errors.New("the address of the authority cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(outward.SignatureHeader, outward.Sign([]byte(secret), time.Now(), body))
	client := p.s.reach.Client(p.elsewhere)
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, errors.New("the authority cannot be reached")
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, elsewhereBytes))
	if err != nil {
		return nil, nil, errors.New("the authority broke off")
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("the authority says %d", resp.StatusCode)
	}
	var answer struct {
		Chain string `json:"certificateChain"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, nil, errors.New("the authority's answer cannot be read")
	}
	leaf, rest, err := pki.ReadChain([]byte(answer.Chain), r, time.Now())
	if err != nil {
		return nil, nil, fmt.Errorf("what the authority made cannot be used: %w", err)
	}
	return leaf, rest, nil
}

// sign takes the request of a station for the endpoint.
func (p *proofs) sign(ctx context.Context, id string, r station.CertificateRequest) error {
	return p.Requested(ctx, id, proof.Asked{Request: r.PEM, Type: r.Type, ID: r.ID})
}

// verify checks the password of a station for the endpoint, and says more of one that is
// refused.
func (p *proofs) verify(e *store.Enrolment) (check func([]byte) bool, why func() string) {
	reason := ""
	check = func(sent []byte) bool {
		switch which := p.s.Store.WhichPassword(e, sent); which {
		case store.PasswordCurrent, store.PasswordNext:
			serial := e.Serial
			if st, ok := p.s.Journal.Snapshot().Station(e.ID); ok {
				serial = st.Serial
			}
			p.See(e.ID, serial, sent)
			p.Proved(e.ID, which)
			return true
		case store.PasswordBefore:
			reason = "the password from before it was changed"
		}
		return false
	}
	return check, func() string { return reason }
}

// certificate says whether a certificate was made for a station, and whether it is still
// to be taken.
func (p *proofs) certificate(id string) func(*x509.Certificate) (bool, string) {
	return func(c *x509.Certificate) (bool, string) {
		x, ok := p.s.Store.StationCertificate(store.FingerprintOf(c.Raw))
		switch {
		case !ok:
			p.Came(id, c)
			return false, ""
		case x.State == store.CertificateRevoked:
			return false, "the certificate was revoked"
		case x.Station != id:
			return false, "the certificate was made for another station"
		}
		p.Came(id, c)
		return true, ""
	}
}
