package app

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Way is where a station can come by a security profile: the host where it found us, and
// the port of ours that serves the profile.
func (p *proofs) Way(id string, profile int) (string, bool) {
	i := p.listener(profile)
	if i < 0 {
		return "", false
	}
	at, err := url.Parse(p.s.Endpoint.Reached(id))
	if err != nil || at.Hostname() == "" {
		return "", true
	}
	port := system{p.s}.Listeners()[i].Port
	u := url.URL{Scheme: "wss", Host: net.JoinHostPort(at.Hostname(), strconv.Itoa(port)), Path: station.PathPrefix[:len(station.PathPrefix)-1]}
	return u.String(), true
}

// Roots are the authorities of our certificates where a profile is served.
func (p *proofs) Roots(profile int) []*x509.Certificate {
	m := p.s.tls
	if i := p.listener(profile); i < 0 {
		return nil
	} else if i > 0 {
		m = p.s.listenerTLS[i-1]
	}
	return m.roots()
}

// listener is the place of the one that serves a profile, the main one first; less than
// zero: none.
func (p *proofs) listener(profile int) int {
	for i, l := range (system{p.s}).Listeners() {
		if l.TLS && l.ClientCertificates == (profile == 3) {
			return i
		}
	}
	return -1
}

// Ends are when certificates of ours end: those of listeners with their roots, that of
// the authority of stations, those by which we come to other systems.
func (p *proofs) Ends() []event.CertificateEnd {
	var out []event.CertificateEnd
	add := func(of, name string, c *x509.Certificate) {
		x := event.CertificateEnd{Of: of, Name: name, Serial: c.SerialNumber.Text(16), At: c.NotAfter.UTC()}
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	for _, m := range p.materials() {
		for _, pair := range m.now.Load().pairs {
			if c, err := x509.ParseCertificate(pair.Certificate[0]); err == nil {
				add(event.EndOfServer, c.Subject.CommonName, c)
			}
		}
		for _, c := range m.roots() {
			add(event.EndOfRoot, c.Subject.CommonName, c)
		}
	}
	p.mu.Lock()
	if p.authority != nil {
		add(event.EndOfStationRoot, "", p.authority.Certificate())
	}
	p.mu.Unlock()
	for _, u := range p.s.Store.Upstreams() {
		if block, _ := pem.Decode([]byte(u.Certificate)); block != nil {
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				add(event.EndOfClient, u.Name, c)
			}
		}
	}
	return out
}

// materials are those of listeners that serve TLS.
func (p *proofs) materials() []*material {
	var out []*material
	for _, m := range append([]*material{p.s.tls, p.s.fileTLS}, p.s.listenerTLS...) {
		if m != nil {
			out = append(out, m)
		}
	}
	return out
}

// MakeRoot makes the root that our own authority is to have next.
func (p *proofs) MakeRoot() (*x509.Certificate, error) {
	if !slices.ContainsFunc(p.materials(), func(m *material) bool { return m.own }) {
		return nil, &store.InvalidError{Field: "certificate", Reason: "give it: the certificates of this server are files of yours"}
	}
	root, err := openTLS(p.s.data)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return pki.NextRoot(root, time.Now())
}

// UseRoot has the listeners serve certificates under a root from the next handshake on.
func (p *proofs) UseRoot(want *x509.Certificate, made bool) error {
	if made {
		root, err := openTLS(p.s.data)
		if err != nil {
			return err
		}
		defer root.Close()
		if err := pki.UseNextRoot(root, want); err != nil {
			return err
		}
	}
	// All are looked at before any is served: a root that one listener cannot stand under
	// is served by none.
	fresh := make(map[*material]*loaded)
	for _, m := range p.materials() {
		if made && !m.own {
			continue
		}
		l, err := m.load()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(l.roots, want.Equal) {
			return errors.New("the certificate files of the server do not stand under this root: put a certificate that it signed there first, with the root at the end of its chain")
		}
		fresh[m] = l
	}
	for m, l := range fresh {
		m.now.Store(l)
	}
	return nil
}

// DropRoot forgets a root that was made and is not used.
func (p *proofs) DropRoot() error {
	root, err := openTLS(p.s.data)
	if err != nil {
		return err
	}
	defer root.Close()
	return pki.DropNextRoot(root)
}

// keepCertificates renews the certificates of the server before they end, and takes over
// files that the operator changed.
func (s *Server) keepCertificates(ctx context.Context) error {
	t := time.NewTicker(12 * time.Hour)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
		for _, m := range s.proofs.materials() {
			if err := m.reload(); err != nil {
				s.log.WarnContext(ctx, "the certificates of the server are not loaded again; the old ones stay", "err", err)
			}
		}
	}
}
