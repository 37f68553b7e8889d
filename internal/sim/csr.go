package sim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
)

// Habit is what a station does with new passwords and certificates.
type Habit uint8

// The habits.
const (
	Obeys            Habit = iota
	RejectsPassword        // says that it does not want it
	KeepsPassword          // says that it took it, and goes on with the old one
	MuteWithPassword       // takes it, and loses its connection before it answers
	RebootsForIt           // uses it only after a restart
	RejectsSigned          // asks for a certificate and does not want it
	NoCertificates         // does not know how to ask for one
	RejectsProfile         // does not want a higher security profile
	FallsBack              // says that it took one, and comes as before
	StaysAway              // says that it took one, and never comes again
	RejectsRoot            // does not want a root certificate
)

// identity is the key and the certificate of a station, as it has them.
type identity struct {
	asked *ecdsa.PrivateKey // whose request is on its way
	pair  *tls.Certificate
	count int // certificates that it took
	roots []root
}

// askSigned makes a key and asks for its certificate.
func (st *station) askSigned() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return
	}
	st.own.asked = key
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: st.spec.ID, Organization: []string{"CWD"}}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return
	}
	request := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	var body any = struct {
		Request string `json:"csr"`
	}{request}
	if st.version != V16 {
		body = struct {
			Request string `json:"csr"`
			Type    string `json:"certificateType"`
		}{request, "ChargingStationCertificate"}
	}
	st.say(&call{action: "SignCertificate", payload: body})
}

// signed takes a certificate if it is of the key that was asked for.
func (st *station) signed(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Chain string `json:"certificateChain"`
	}](raw)
	if err != nil {
		return nil, err
	}
	if st.spec.Habit == RejectsSigned || st.own.asked == nil {
		return answer("Rejected")
	}
	der, err := x509.MarshalPKCS8PrivateKey(st.own.asked)
	if err != nil {
		return answer("Rejected")
	}
	pair, err := tls.X509KeyPair([]byte(r.Chain), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		return answer("Rejected")
	}
	st.own.pair, st.own.asked = &pair, nil
	st.own.count++
	return answer("Accepted")
}

// triggerSigned answers who wants the station to ask for a certificate.
func (st *station) triggerSigned() (any, error) {
	if st.spec.Habit == NoCertificates {
		return answer("NotImplemented")
	}
	st.after(0, st.askSigned)
	return answer("Accepted")
}

// newPassword takes a password, or does with it what its habit is.
func (st *station) newPassword(value string) string {
	switch st.spec.Habit {
	case RejectsPassword:
		return "Rejected"
	case KeepsPassword:
		return "Accepted"
	case RebootsForIt:
		st.afterReboot = value
		return "RebootRequired"
	case MuteWithPassword:
		if st.password == "" && st.wire != nil { // once: the next time it answers
			st.wire.link.Drop()
		}
	}
	st.password = value
	return "Accepted"
}

// basic is what a station proves itself with: bytes in 1.6, which its key is the hex
// digits of, characters in 2.x.
func basic(id, password string, v Version) string {
	sent := []byte(password)
	if raw, err := hex.DecodeString(password); err == nil && v == V16 && len(raw) >= 16 {
		sent = raw
	}
	return "Basic " + base64.StdEncoding.EncodeToString(append([]byte(id+":"), sent...))
}

type pairKey struct{}

// withPair hands a station's certificate to the TLS handshake.
func withPair(ctx context.Context, pair *tls.Certificate) context.Context {
	if pair == nil {
		return ctx
	}
	return context.WithValue(ctx, pairKey{}, pair)
}

// present makes a transport show the certificate of the station that dials.
func present(t *http.Transport) {
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	own, conf := t.TLSClientConfig, t.TLSClientConfig.Clone()
	t.TLSClientConfig, conf.Certificates = conf, nil
	conf.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if pair, ok := r.Context().Value(pairKey{}).(*tls.Certificate); ok {
			return pair, nil
		}
		if len(own.Certificates) > 0 {
			return &own.Certificates[0], nil
		}
		return &tls.Certificate{}, nil
	}
}

// Certificates is how many certificates each station took.
func (f *Fleet) Certificates() map[string]int {
	out := make(map[string]int, len(f.stations))
	for _, st := range f.stations {
		st.mu.Lock()
		out[st.spec.ID] = st.own.count
		st.mu.Unlock()
	}
	return out
}

// Present gives a station a certificate, as its maker would.
func (f *Fleet) Present(id string, pair tls.Certificate) error {
	st, ok := f.byID[id]
	if !ok {
		return fmt.Errorf("no station %s", id)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.own.pair = &pair
	return nil
}

// Pairs are the certificates that stations have, with their keys.
func (f *Fleet) Pairs() map[string]tls.Certificate {
	out := make(map[string]tls.Certificate)
	for _, st := range f.stations {
		st.mu.Lock()
		if st.own.pair != nil {
			out[st.spec.ID] = *st.own.pair
		}
		st.mu.Unlock()
	}
	return out
}
