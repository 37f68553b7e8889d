package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

const (
	stationsFile    = "stations-ca.pem"
	stationsKeyFile = "stations-ca.key"
)

// StationLife is how long a station's certificate is good.
const StationLife = 397 * 24 * time.Hour

// Stations is the authority of stations' certificates. It is not that of the server:
// who gets hold of the one can pretend to be a station and not the server, and either
// is replaced without the other.
type Stations struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// OwnStations opens the authority of stations in the folder, made at first use.
func OwnStations(root *os.Root, now time.Time) (*Stations, error) {
	cert, key, err := load(folder{root}, stationsFile, stationsKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		cert, key, err = makeCA(folder{root}, now, "Chargewatch stations", stationsFile, stationsKeyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("open the authority of stations: %w", err)
	}
	return &Stations{cert, key}, nil
}

// Certificate is that of the authority.
func (a *Stations) Certificate() *x509.Certificate { return a.cert }

// PEM is the authority's certificate, for those who are to trust it.
func (a *Stations) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Request is what a station asks to have signed, checked: it holds the key, the key is
// strong enough, and it does not ask for more than a station may have.
type Request struct {
	CommonName   string
	Organization string
	key          crypto.PublicKey
}

// ErrRequest is wrapped by what is wrong with a request.
var ErrRequest = errors.New("the request cannot be signed")

// maxRequest is above what OCPP allows a request (5500 characters).
const maxRequest = 8 << 10

// ReadRequest reads and checks a PKCS #10 request in PEM.
func ReadRequest(text []byte) (*Request, error) {
	refuse := func(why string) (*Request, error) { return nil, fmt.Errorf("%w: %s", ErrRequest, why) }
	if len(text) > maxRequest {
		return refuse("it is too long")
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return refuse("it is not a request in PEM")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return refuse("there is more than one")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return refuse("it cannot be read")
	}
	if weakSignature(csr.SignatureAlgorithm) {
		return refuse("its signature is made with " + csr.SignatureAlgorithm.String())
	}
	if err := csr.CheckSignature(); err != nil {
		return refuse("its signature is wrong")
	}
	switch key := csr.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return refuse("its curve is not P-256, P-384 or P-521")
		}
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < 2048 || n > 4096 {
			return refuse(fmt.Sprintf("its RSA key has %d bits, not 2048 to 4096", n))
		}
	default:
		return refuse("its key is neither RSA nor ECDSA")
	}
	if asksForAuthority(csr.Extensions) {
		return refuse("it asks to be an authority")
	}
	r := &Request{CommonName: csr.Subject.CommonName, key: csr.PublicKey}
	if len(csr.Subject.Organization) > 0 {
		r.Organization = csr.Subject.Organization[0]
	}
	if r.CommonName == "" || len(r.CommonName) > 64 || len(csr.Subject.Organization) > 1 || len(r.Organization) > 64 {
		return refuse("its subject has no single common name and organization")
	}
	return r, nil
}

func weakSignature(a x509.SignatureAlgorithm) bool {
	return !slices.Contains([]x509.SignatureAlgorithm{
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	}, a)
}

// asksForAuthority reports a request for a certificate that could sign others.
func asksForAuthority(extensions []pkix.Extension) bool {
	for _, x := range extensions {
		switch {
		case x.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 19}): // basic constraints
			var c struct {
				IsCA bool `asn1:"optional"`
				Path int  `asn1:"optional,default:-1"`
			}
			if _, err := asn1.Unmarshal(x.Value, &c); err != nil || c.IsCA {
				return true
			}
		case x.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 15}): // key usage
			var bits asn1.BitString
			if _, err := asn1.Unmarshal(x.Value, &bits); err != nil || bits.At(5) != 0 || bits.At(6) != 0 {
				return true
			}
		}
	}
	return false
}

// Sign makes the certificate of a request. Of what the request says only the name and
// the organization are taken over.
func (a *Stations) Sign(now time.Time, r *Request, life time.Duration) (*x509.Certificate, error) {
	t, err := template(now, min(life, a.cert.NotAfter.Sub(now)), r.CommonName)
	if err != nil {
		return nil, err
	}
	if r.Organization != "" {
		t.Subject.Organization = []string{r.Organization}
	}
	t.BasicConstraintsValid = true
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, ok := r.key.(*rsa.PublicKey); ok {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, a.cert, r.key, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	return x509.ParseCertificate(raw)
}

// maxChain is above what OCPP allows a chain (10000 characters).
const maxChain = 16 << 10

// ReadChain reads what somebody else made of a request: a certificate of the key that
// asked, good for a client and not for an authority, with those above it.
func ReadChain(text []byte, r *Request, now time.Time) (*x509.Certificate, [][]byte, error) {
	refuse := func(why string) (*x509.Certificate, [][]byte, error) { return nil, nil, errors.New(why) }
	if len(text) > maxChain {
		return refuse("the chain is too long")
	}
	var certs []*x509.Certificate
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil || len(certs) == 5 {
			return refuse("the chain cannot be read")
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return refuse("there is no certificate in it")
	}
	leaf := certs[0]
	switch key, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); {
	case !ok || !key.Equal(r.key):
		return refuse("the certificate is of another key")
	case leaf.IsCA:
		return refuse("the certificate is one of an authority")
	case leaf.Subject.CommonName != r.CommonName:
		return refuse("the certificate names somebody else")
	case !now.Before(leaf.NotAfter):
		return refuse("the certificate has expired")
	case !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny):
		return refuse("the certificate is not for clients")
	}
	var rest [][]byte
	for i, c := range certs[1:] {
		if certs[i].CheckSignatureFrom(c) != nil {
			return refuse("the certificates do not follow each other")
		}
		if c.Subject.String() != c.Issuer.String() { // a root is known or is of no use
			rest = append(rest, c.Raw)
		}
	}
	return leaf, rest, nil
}
