package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"
)

func request(t testing.TB, key crypto.Signer, change func(*x509.CertificateRequest)) string {
	t.Helper()
	c := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "CP-1", Organization: []string{"Operator"}}}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, c, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func TestRequestsOfStations(t *testing.T) {
	good, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	fine := request(t, good, nil)
	block, _ := pem.Decode([]byte(fine))
	forged := append([]byte(nil), block.Bytes...)
	forged[len(forged)-1] ^= 1
	authority, err := asn1.Marshal(struct{ IsCA bool }{true})
	if err != nil {
		t.Fatal(err)
	}
	extension := func(id []int, value []byte) func(*x509.CertificateRequest) {
		return func(c *x509.CertificateRequest) { c.ExtraExtensions = []pkix.Extension{{Id: id, Value: value}} }
	}
	signs, err := asn1.Marshal(asn1.BitString{Bytes: []byte{0x04}, BitLength: 6})
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct{ text, why string }{
		"ECDSA":                  {fine, ""},
		"RSA":                    {request(t, strong, nil), ""},
		"a curve that is weak":   {request(t, curve, nil), "curve"},
		"a key of another kind":  {request(t, edwards, nil), "Ed25519"},
		"a forged signature":     {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: forged})), "signature is wrong"},
		"an authority":           {request(t, good, extension([]int{2, 5, 29, 19}, authority)), "authority"},
		"who signs others":       {request(t, good, extension([]int{2, 5, 29, 15}, signs)), "authority"},
		"rubbish":                {"rubbish", "PEM"},
		"two":                    {fine + fine, "more than one"},
		"a certificate":          {strings.ReplaceAll(fine, " REQUEST", ""), "PEM"},
		"without a name":         {request(t, good, func(c *x509.CertificateRequest) { c.Subject = pkix.Name{} }), "subject"},
		"with two organizations": {request(t, good, func(c *x509.CertificateRequest) { c.Subject.Organization = []string{"A", "B"} }), "subject"},
		"too long":               {fine + strings.Repeat("\n", maxRequest), "too long"},
	} {
		r, err := ReadRequest([]byte(x.text))
		if (err == nil) != (x.why == "") || err != nil && !strings.Contains(err.Error(), x.why) {
			t.Errorf("%s: %v, want %q", name, err, x.why)
		}
		if err == nil && (r.CommonName != "CP-1" || r.Organization != "Operator") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestStationsGetWhatTheyMayHave(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	now := time.Now()
	a, err := OwnStations(root, now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OwnStations(root, now)
	if err != nil || !again.Certificate().Equal(a.Certificate()) {
		t.Errorf("the authority was not kept: %v", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadRequest([]byte(request(t, key, func(c *x509.CertificateRequest) { c.DNSNames = []string{"server.example.com"} })))
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Sign(now, r, StationLife)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate())
	if _, err := c.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: pool}); err == nil {
		t.Error("the certificate of a station is good for a server")
	}
	if c.IsCA || len(c.DNSNames) > 0 || c.Subject.CommonName != "CP-1" {
		t.Errorf("more than the name was taken over: %+v", c.Subject)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	if leaf, rest, err := ReadChain(append(chain, a.PEM()...), r, now); err != nil || !leaf.Equal(c) || len(rest) != 0 {
		t.Errorf("our own chain: %d %v", len(rest), err)
	}
	strange, err := ReadRequest([]byte(request(t, other, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		text string
		of   *Request
		at   time.Time
	}{
		"of another key": {string(chain), strange, now}, "that has ended": {string(chain), r, now.Add(2 * StationLife)},
		"of an authority": {string(a.PEM()), r, now}, "of nothing": {"", r, now}, "in disorder": {string(chain) + string(chain), r, now},
	} {
		if _, _, err := ReadChain([]byte(x.text), x.of, x.at); err == nil {
			t.Errorf("a chain %s was taken", name)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(request(f, key, nil)))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ReadRequest(b); err == nil && (r.key == nil || r.CommonName == "") {
			t.Errorf("read %+v", r)
		}
	})
}
