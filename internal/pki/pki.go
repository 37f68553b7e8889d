// Package pki gives the server certificates: its own authority for those who
// have none, or the files of those who do.
//
// Every server gets an ECDSA and an RSA certificate, because OCPP 2.0.1
// (A00.FR.318 and following) asks for both kinds of cipher suite.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// Names of the files in the folder.
const (
	caFile      = "ca.pem"
	caKeyFile   = "ca.key"
	serverECDSA = "server-ecdsa"
	serverRSA   = "server-rsa"
)

const (
	caLife     = 10 * 365 * 24 * time.Hour
	serverLife = 397 * 24 * time.Hour
	renewAt    = 30 * 24 * time.Hour
)

// Authority is the server's own certificate authority, kept in a folder.
type Authority struct {
	root files
	cert *x509.Certificate
	key  crypto.Signer
	old  *x509.Certificate // before the last change; nil: none
}

// Own opens the authority in the folder, made at first use.
func Own(root *os.Root, now time.Time) (*Authority, error) { return openOwn(folder{root}, now) }

func openOwn(root files, now time.Time) (*Authority, error) {
	if err := settle(root); err != nil {
		return nil, err
	}
	cert, key, err := load(root, caFile, caKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		cert, key, err = makeCA(root, now, "Chargewatch own authority", caFile, caKeyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("open the certificate authority: %w", err)
	}
	a := &Authority{root: root, cert: cert, key: key}
	if text, err := root.ReadFile(oldFile); err == nil {
		if a.old, err = ReadRoot(text); err != nil {
			return nil, fmt.Errorf("open the certificate authority from before: %w", err)
		}
	}
	return a, nil
}

// Fingerprint is the SHA-256 of the authority's certificate, for comparing it
// by eye.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// PEM is the authority's certificate, for those who are to trust it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// errPair is returned for a certificate and a key that do not belong together: a crash came
// between the two.
var errPair = errors.New("not of one pair")

// Server returns certificates for the names and addresses, renewed when they
// near their end or when the names changed.
func (a *Authority) Server(now time.Time, names []string) ([]tls.Certificate, error) {
	var out []tls.Certificate
	for _, kind := range []string{serverECDSA, serverRSA} {
		cert, key, err := load(a.root, kind+".pem", kind+".key")
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errPair) {
			return nil, fmt.Errorf("open %s: %w", kind, err)
		}
		if err != nil || now.Add(renewAt).After(cert.NotAfter) || !covers(cert, names) || cert.CheckSignatureFrom(a.cert) != nil {
			if cert, key, err = a.issue(kind, now, names); err != nil {
				return nil, err
			}
		}
		out = append(out, tls.Certificate{Certificate: [][]byte{cert.Raw, a.cert.Raw}, PrivateKey: key, Leaf: cert})
	}
	return out, nil
}

// Client issues a certificate for a station, for tests and small sites.
func (a *Authority) Client(now time.Time, commonName string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	t, err := template(now, serverLife, commonName)
	if err != nil {
		return tls.Certificate{}, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	raw, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, nil
}

// Pool returns the authority as a pool of roots; what it signed before its root was
// changed is good until it ends.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	if a.old != nil {
		pool.AddCert(a.old)
	}
	return pool
}

func covers(cert *x509.Certificate, names []string) bool {
	for _, n := range names {
		if cert.VerifyHostname(n) != nil {
			return false
		}
	}
	return true
}

func makeCA(root files, now time.Time, name, certFile, keyFile string) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	t, err := template(now, caLife, name)
	if err != nil {
		return nil, nil, err
	}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	raw, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate: %w", err)
	}
	return save(root, certFile, keyFile, raw, key)
}

func (a *Authority) issue(kind string, now time.Time, names []string) (*x509.Certificate, crypto.Signer, error) {
	var key crypto.Signer
	var err error
	if kind == serverRSA {
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	t, err := template(now, serverLife, "Chargewatch")
	if err != nil {
		return nil, nil, err
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if n != "" {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate: %w", err)
	}
	return save(a.root, kind+".pem", kind+".key", raw, key)
}

func template(now time.Time, life time.Duration, name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make serial: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life), // stations' clocks run behind
	}, nil
}

func save(root files, certFile, keyFile string, raw []byte, key crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode key: %w", err)
	}
	if err := root.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return nil, nil, fmt.Errorf("write key: %w", err)
	}
	if err := root.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o644); err != nil {
		return nil, nil, fmt.Errorf("write certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("read back certificate: %w", err)
	}
	return cert, key, nil
}

func load(root files, certFile, keyFile string) (*x509.Certificate, crypto.Signer, error) {
	certPEM, err := root.ReadFile(certFile)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := root.ReadFile(keyFile)
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: %w", certFile, errPair, err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("%s: not a signing key", keyFile)
	}
	return pair.Leaf, key, nil
}

// Roots are the roots that chains end with; a chain that ends below its root tells none.
func Roots(pairs []tls.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, pair := range pairs {
		c, err := x509.ParseCertificate(pair.Certificate[len(pair.Certificate)-1])
		if err == nil && c.IsCA && c.CheckSignatureFrom(c) == nil && !slices.ContainsFunc(out, c.Equal) {
			out = append(out, c)
		}
	}
	return out
}

// Files reads every pair NAME.pem (or .crt) and NAME.key of a folder, and
// clients.pem as the authorities of client certificates.
func Files(root *os.Root) (pairs []tls.Certificate, clients *x509.CertPool, err error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, nil, fmt.Errorf("read certificate folder: %w", err)
	}
	for _, e := range entries {
		name, isKey := strings.CutSuffix(e.Name(), ".key")
		if !isKey {
			continue
		}
		keyPEM, err := root.ReadFile(e.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		i := slices.IndexFunc(entries, func(o fs.DirEntry) bool { return o.Name() == name+".pem" || o.Name() == name+".crt" })
		if i < 0 {
			return nil, nil, fmt.Errorf("%s has no certificate %s.pem beside it", e.Name(), name)
		}
		certPEM, err := root.ReadFile(entries[i].Name())
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", entries[i].Name(), err)
		}
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", entries[i].Name(), err)
		}
		pairs = append(pairs, pair)
	}
	if len(pairs) == 0 {
		return nil, nil, errors.New("the certificate folder has no NAME.pem with NAME.key")
	}
	data, err := root.ReadFile("clients.pem")
	if err == nil {
		clients = x509.NewCertPool()
		if !clients.AppendCertsFromPEM(data) {
			return nil, nil, errors.New("clients.pem has no certificate")
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read clients.pem: %w", err)
	}
	return pairs, clients, nil
}

// Config is the TLS configuration of a listener: TLS 1.2 at least. With
// clients, a client certificate is asked for and must be of their authorities.
// Legacy adds the RSA key-exchange suites that OCPP requires and nobody else
// should use.
func Config(pairs []tls.Certificate, clients *x509.CertPool, legacy bool) *tls.Config {
	c := &tls.Config{Certificates: pairs, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if clients != nil {
		c.ClientCAs, c.ClientAuth = clients, tls.RequireAndVerifyClientCert
	}
	if legacy {
		c.CipherSuites = []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		}
	}
	return c
}
