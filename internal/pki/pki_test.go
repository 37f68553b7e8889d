package pki

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func own(t *testing.T) (*Authority, *os.Root) {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	a, err := Own(root, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a, root
}

// shake runs one TLS handshake over a pipe and returns the client's view.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		s := tls.Server(c, server)
		if s.Handshake() == nil {
			io.WriteString(s, "ok")
		}
		s.Close()
	}()
	c, err := tls.Dial("tcp", ln.Addr().String(), client)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		return tls.ConnectionState{}, err
	}
	return c.ConnectionState(), nil
}

func TestBothKindsOfCertificateServe(t *testing.T) {
	a, root := own(t)
	pairs, err := a.Server(time.Now(), []string{"127.0.0.1", "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Server(time.Now(), []string{"127.0.0.1"})
	if err != nil || !bytes.Equal(again[0].Certificate[0], pairs[0].Certificate[0]) {
		t.Errorf("certificates were not kept: %v", err)
	}
	reopened, err := Own(root, time.Now())
	if err != nil || reopened.Fingerprint() != a.Fingerprint() {
		t.Errorf("the authority was not kept: %v", err)
	}
	for name, suite := range map[string]uint16{
		"ECDSA": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "RSA": tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	} {
		client := &tls.Config{RootCAs: a.Pool(), MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
		if cs, err := shake(t, Config(pairs, nil, false), client); err != nil || cs.CipherSuite != suite {
			t.Errorf("%s: %v, suite %x", name, err, cs.CipherSuite)
		}
	}
	old := &tls.Config{RootCAs: a.Pool(), MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}
	if _, err := shake(t, Config(pairs, nil, false), old); err == nil {
		t.Error("a client with RSA key exchange only was served without the legacy option")
	}
	if _, err := shake(t, Config(pairs, nil, true), old); err != nil {
		t.Errorf("the legacy listener refused the suite OCPP requires: %v", err)
	}
}

func TestAClientCertificateIsRequiredAndChecked(t *testing.T) {
	a, _ := own(t)
	stranger, _ := own(t)
	pairs, err := a.Server(time.Now(), []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	good, err := a.Client(time.Now(), "CP-1")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := stranger.Client(time.Now(), "CP-1")
	if err != nil {
		t.Fatal(err)
	}
	server := Config(pairs, a.Pool(), false)
	for name, c := range map[string]struct {
		certs []tls.Certificate
		ok    bool
	}{
		"of our authority": {[]tls.Certificate{good}, true},
		"of another":       {[]tls.Certificate{bad}, false},
		"none":             {nil, false},
	} {
		_, err := shake(t, server, &tls.Config{RootCAs: a.Pool(), Certificates: c.certs})
		if (err == nil) != c.ok {
			t.Errorf("certificate %s: %v", name, err)
		}
	}
}

func TestFilesNamesWhatIsMissing(t *testing.T) {
	_, root := own(t)
	if _, _, err := Files(root); err != nil {
		t.Errorf("a folder with a pair: %v", err)
	}
	if err := root.Remove(caFile); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Files(root); err == nil {
		t.Error("a key without certificate was accepted")
	}
}
