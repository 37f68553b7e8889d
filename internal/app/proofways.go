package app

import (
	"crypto/x509"
	"net"
	"net/url"
	"strconv"

	"github.com/chargewatch/chargewatch/internal/source/station"
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
	if m == nil {
		return nil
	}
	return m.roots
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
