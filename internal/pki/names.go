package pki

import (
	"crypto"
	_ "crypto/sha256" // OCPP names certificates by hashes of these
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
)

// Named is how OCPP names a certificate: by hashes of its issuer and its serial number.
type Named struct {
	HashAlgorithm  string `json:"hashAlgorithm"`
	IssuerNameHash string `json:"issuerNameHash"`
	IssuerKeyHash  string `json:"issuerKeyHash"`
	SerialNumber   string `json:"serialNumber"`
}

// NameOf names a root with a hash algorithm of OCPP; ok is false if there is no such.
func NameOf(root *x509.Certificate, algorithm string) (n Named, ok bool) {
	of, ok := map[string]crypto.Hash{"SHA256": crypto.SHA256, "SHA384": crypto.SHA384, "SHA512": crypto.SHA512}[algorithm]
	if !ok {
		return Named{}, false
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(root.RawSubjectPublicKeyInfo, &info); err != nil {
		return Named{}, false
	}
	sum := func(b []byte) string {
		h := of.New()
		h.Write(b)
		return hex.EncodeToString(h.Sum(nil))
	}
	return Named{algorithm, sum(root.RawIssuer), sum(info.Key.Bytes), root.SerialNumber.Text(16)}, true
}

// Is reports whether this names a root, however a station writes its digits.
func (n Named) Is(root *x509.Certificate) bool {
	want, ok := NameOf(root, n.HashAlgorithm)
	plain := func(digits string) string { return strings.TrimLeft(strings.ToLower(digits), "0") }
	return ok && plain(n.SerialNumber) == plain(want.SerialNumber) && strings.EqualFold(n.IssuerKeyHash, want.IssuerKeyHash) &&
		strings.EqualFold(n.IssuerNameHash, want.IssuerNameHash)
}

// maxRoot is what OCPP allows a certificate that is installed.
const maxRoot = 5500

// ReadRoot reads the certificate of an authority in PEM.
func ReadRoot(text []byte) (*x509.Certificate, error) {
	if len(text) > maxRoot {
		return nil, errors.New("the certificate has more than 5500 characters")
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("there is no certificate in PEM")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("there is more than one certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return nil, errors.New("the certificate cannot be read")
	case !c.IsCA || !c.BasicConstraintsValid:
		return nil, errors.New("the certificate is not one of an authority")
	case c.CheckSignatureFrom(c) != nil:
		return nil, errors.New("the certificate is not signed by itself: it is no root")
	}
	return c, nil
}

// ReadRoots reads several.
func ReadRoots(text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return out, nil
		}
		c, err := ReadRoot(pem.EncodeToMemory(block))
		if err != nil {
			return nil, err
		}
		out, text = append(out, c), rest
	}
}

// Text is a certificate in PEM.
func Text(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}
