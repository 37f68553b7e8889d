package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/proto/signed"
	"github.com/chargewatch/chargewatch/internal/store"
)

// otherAuthority is one outside of the server, reached by HTTPS.
type otherAuthority struct {
	t      *testing.T
	key    *ecdsa.PrivateKey
	answer func(w http.ResponseWriter, csr *x509.CertificateRequest)
}

const authoritySecret = "what both of them know"

func (a *otherAuthority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	if s, ok := signed.Parse(r.Header.Get(outward.SignatureHeader)); !ok || !s.By([]byte(authoritySecret), body) {
		a.t.Errorf("the request is signed %q", r.Header.Get(outward.SignatureHeader))
	}
	var asked struct{ Station, CSR, CertificateType string }
	if err := json.Unmarshal(body, &asked); err != nil || asked.Station != "CP-1" || asked.CertificateType != "ChargingStationCertificate" {
		a.t.Errorf("asked: %s, %v", body, err)
	}
	block, _ := pem.Decode([]byte(asked.CSR))
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		a.t.Error(err)
	}
	a.answer(w, csr)
}

// made is the answer with a certificate as change says.
func (a *otherAuthority) made(change func(*x509.Certificate), key any) func(http.ResponseWriter, *x509.CertificateRequest) {
	return func(w http.ResponseWriter, csr *x509.CertificateRequest) {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: csr.Subject.CommonName}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		if change != nil {
			change(c)
		}
		of := key
		if of == nil {
			of = csr.PublicKey
		}
		der, err := x509.CreateCertificate(rand.Reader, c, c, of, a.key)
		if err != nil {
			a.t.Error(err)
		}
		chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		if err := json.NewEncoder(w).Encode(map[string]string{"certificateChain": chain}); err != nil {
			a.t.Error(err)
		}
	}
}

// What another authority answers is checked as if it were a stranger's; its words do not
// reach people.
func TestAnotherAuthoritySigns(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &otherAuthority{t: t, key: key}
	outside := httptest.NewTLSServer(a)
	t.Cleanup(outside.Close)
	roots := x509.NewCertPool()
	roots.AddCert(outside.Certificate())

	s := reaching(t, strings.TrimPrefix(outside.URL, "https://"), Options{authorityTLS: &tls.Config{RootCAs: roots}})
	secret := authoritySecret
	if _, err := s.Store.SetSigning(t.Context(), store.System, store.Signing{URL: outside.URL + "/sign"}, &secret); err != nil {
		t.Fatal(err)
	}

	station, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "CP-1"}}, station)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	request, err := pki.ReadRequest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	said := func(status int, body string) func(http.ResponseWriter, *x509.CertificateRequest) {
		return func(w http.ResponseWriter, _ *x509.CertificateRequest) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for _, x := range []struct {
		name   string
		answer func(http.ResponseWriter, *x509.CertificateRequest)
		why    string // "": it signs
	}{
		{"signs", a.made(nil, nil), ""},
		{"does not want to", said(http.StatusForbidden, "password of the database: hunter2"), "the authority says 403"},
		{"is somewhere else", func(w http.ResponseWriter, _ *x509.CertificateRequest) {
			w.Header().Set("Location", "http://169.254.169.254/latest")
			w.WriteHeader(http.StatusFound)
		}, "the authority says 302"},
		{"answers rubbish", said(http.StatusOK, "<html>"), "the authority's answer cannot be read"},
		{"answers without end", func(w http.ResponseWriter, _ *x509.CertificateRequest) {
			for range 100 {
				if _, err := io.WriteString(w, strings.Repeat("x", 64<<10)); err != nil {
					return
				}
			}
		}, "the authority's answer cannot be read"},
		{"gives nothing", said(http.StatusOK, `{"certificateChain":""}`), "there is no certificate in it"},
		{"breaks off", func(http.ResponseWriter, *x509.CertificateRequest) { panic(http.ErrAbortHandler) }, "the authority cannot be reached"},
		{"signs another key", a.made(nil, &key.PublicKey), "the certificate is of another key"},
		{"signs another name", a.made(func(c *x509.Certificate) { c.Subject.CommonName = "CP-2" }, nil), "names somebody else"},
		{"makes an authority", a.made(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }, nil), "one of an authority"},
		{"makes a server", a.made(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, nil), "not for clients"},
		{"signs too late", a.made(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}, nil), "has expired"},
	} {
		a.answer = x.answer
		leaf, _, err := s.proofs.Sign(t.Context(), "CP-1", text, request)
		switch {
		case x.why == "" && (err != nil || leaf.Subject.CommonName != "CP-1"):
			t.Errorf("%s: %v", x.name, err)
		case x.why != "" && (err == nil || !strings.Contains(err.Error(), x.why) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v, not %q", x.name, err, x.why)
		}
	}

	hung := make(chan struct{})
	a.answer = func(_ http.ResponseWriter, _ *x509.CertificateRequest) { <-hung }
	limited, end := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer end()
	if _, _, err := s.proofs.Sign(limited, "CP-1", text, request); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("one that does not answer: %v", err)
	}
	close(hung)
}
