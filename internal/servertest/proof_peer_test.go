package servertest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/extendedtriggermessage"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/security"
	"github.com/lorenzodonini/ocpp-go/ws"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// signer16 is a charge point of ocpp-go that asks for a certificate when it is told to.
type signer16 struct {
	point16
	asked  chan struct{}
	chains chan string
	take   bool
}

func (p *signer16) OnExtendedTriggerMessage(r *extendedtriggermessage.ExtendedTriggerMessageRequest) (*extendedtriggermessage.ExtendedTriggerMessageResponse, error) {
	if r.RequestedMessage != "SignChargePointCertificate" {
		return extendedtriggermessage.NewExtendedTriggerMessageResponse(extendedtriggermessage.ExtendedTriggerMessageStatusNotImplemented), nil
	}
	p.asked <- struct{}{}
	return extendedtriggermessage.NewExtendedTriggerMessageResponse(extendedtriggermessage.ExtendedTriggerMessageStatusAccepted), nil
}

func (p *signer16) OnCertificateSigned(r *security.CertificateSignedRequest) (*security.CertificateSignedResponse, error) {
	p.chains <- r.CertificateChain
	if !p.take {
		return security.NewCertificateSignedResponse("Rejected"), nil
	}
	return security.NewCertificateSignedResponse("Accepted"), nil
}

func csr(t *testing.T, key *ecdsa.PrivateKey, name string) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// A charge point of ocpp-go is told to ask for a certificate, is refused one for another
// name, gets its own and is let in with it where certificates are wanted.
func TestAnOCPPGoChargePointGetsACertificate(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *config.Config) {
		c.Listeners = []config.Listener{{Address: "127.0.0.1:0", TLS: "auto", Profile: 3}}
	})
	s.Enrol(t, "GO16")
	p := &signer16{asked: make(chan struct{}, 1), chains: make(chan string, 1), take: true}
	cp := ocpp16.NewChargePoint("GO16", nil, ws.NewClient())
	cp.SetCoreHandler(p)
	cp.SetSecurityHandler(p)
	cp.SetExtendedTriggerMessageHandler(p)
	if err := cp.Start(strings.TrimSuffix(s.URL, "/")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cp.Stop)
	if _, err := cp.BootNotification("Model X", "Vendor Y"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Proofs().Renew(t.Context(), store.System, "GO16"); err != nil {
		t.Fatal(err)
	}
	<-p.asked
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := cp.SignCertificate(csr(t, key, "SOMEBODY-ELSE")); err != nil || r.Status != "Rejected" {
		t.Errorf("a request for another name: %+v %v", r, err)
	}
	if r, err := cp.SignCertificate(csr(t, key, "GO16")); err != nil || r.Status != "Accepted" {
		t.Fatalf("its own request: %+v %v", r, err)
	}
	chain := <-p.chains
	servertest.Eventually(t, "the renewal is done", func() bool {
		r, ok := s.Store.Renewal("GO16")
		return ok && r.State == store.RenewalDone
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(chain), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(s.Config.Data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	come := func(id string) int {
		c, resp, err := websocket.Dial(t.Context(), "wss://"+s.ListenerAddress(0)+"/ocpp/"+id, &websocket.DialOptions{
			HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}},
			Subprotocols: []string{"ocpp1.6"},
		})
		if err == nil {
			c.CloseNow()
			return http.StatusSwitchingProtocols
		}
		if resp == nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	s.Enrol(t, "OTHER")
	if code := come("OTHER"); code != http.StatusForbidden {
		t.Errorf("under the name of another station it is told %d", code)
	}
	if code := come("GO16"); code != http.StatusSwitchingProtocols {
		t.Errorf("with its certificate it is told %d", code)
	}
	x := s.Store.StationCertificates("GO16")[0]
	if x.State != store.CertificateAccepted || x.UsedAt.IsZero() {
		t.Errorf("the certificate: %+v", x)
	}
	if _, err := s.Proofs().Revoke(t.Context(), store.System, "GO16", x.Fingerprint, "sold"); err != nil {
		t.Fatal(err)
	}
	if code := come("GO16"); code != http.StatusForbidden {
		t.Errorf("with a revoked certificate it is told %d", code)
	}
}
