package sim

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// authority makes certificates for one test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	n    int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue signs a certificate and writes NAME.pem and NAME.key.
func (a *authority) issue(name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.n++
	c.SerialNumber, c.Subject = big.NewInt(a.n), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// secureCentral accepts stations over TLS with a password, and with a client
// certificate when asked to.
func secureCentral(t *testing.T, a *authority, clients bool) (url string, hellos chan string) {
	t.Helper()
	a.issue("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	pair, err := tls.LoadX509KeyPair(a.file("server.pem"), a.file("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	hellos = make(chan string, 10)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if password != "secret" && !clients {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		who := r.URL.Path + " " + user
		if len(r.TLS.PeerCertificates) > 0 {
			who += " " + r.TLS.PeerCertificates[0].Subject.CommonName
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"ocpp2.0.1"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		hellos <- who + " " + c.Subprotocol()
		c.Read(r.Context())
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if clients {
		srv.TLS.ClientAuth = tls.RequireAndVerifyClientCert
		srv.TLS.ClientCAs = x509.NewCertPool()
		srv.TLS.ClientCAs.AddCert(a.cert)
	}
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return "wss://" + srv.Listener.Addr().String() + "/ocpp", hellos
}

func TestStationsProveWhoTheyAre(t *testing.T) {
	a := newAuthority(t)
	a.issue("device", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	for name, tt := range map[string]struct {
		clients bool
		args    []string
		want    string // hello; empty: refused
	}{
		"password and known authority": {false, []string{"--ca", a.file("ca.pem"), "--password", "secret"}, "/ocpp/SIM-0001 SIM-0001 ocpp2.0.1"},
		"password, nothing checked":    {false, []string{"--insecure", "--password", "secret"}, "/ocpp/SIM-0001 SIM-0001 ocpp2.0.1"},
		"a wrong password":             {false, []string{"--insecure", "--password", "wrong"}, ""},
		"an unknown authority":         {false, []string{"--password", "secret"}, ""},
		"a client certificate":         {true, []string{"--ca", a.file("ca.pem"), "--cert", a.file("device.pem"), "--key", a.file("device.key")}, "/ocpp/SIM-0001  device ocpp2.0.1"},
		"no client certificate":        {true, []string{"--ca", a.file("ca.pem")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			url, hellos := secureCentral(t, a, tt.clients)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var out bytes.Buffer
			done := make(chan int, 1)
			length := "1m"
			if tt.want == "" {
				length = "700ms"
			}
			go func() {
				done <- Main(ctx, append([]string{"stations", "--url", url, "--count", "1", "--version", "2.0.1", "--scenario", "idle", "--ramp", "1ms", "--stats", "0", "--for", length}, tt.args...), &out, &out)
			}()
			if tt.want == "" {
				if code := <-done; code != 0 {
					t.Errorf("exit status %d: %s", code, &out)
				}
				if !strings.Contains(out.String(), "online 0/1") || !strings.Contains(out.String(), "dial errors") {
					t.Errorf("the refusal is not reported: %s", &out)
				}
				select {
				case got := <-hellos:
					t.Errorf("let in: %s", got)
				default:
				}
				return
			}
			select {
			case got := <-hellos:
				if got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			case <-ctx.Done():
				t.Error("never connected")
			}
			cancel()
			<-done
		})
	}
}

func TestMainRefusesWrongUse(t *testing.T) {
	for name, args := range map[string][]string{
		"no command":           {},
		"an unknown command":   {"trains"},
		"no URL":               {"stations"},
		"a wrong version":      {"stations", "--url", "ws://127.0.0.1:1", "--version", "1.5"},
		"a wrong scenario":     {"stations", "--url", "ws://127.0.0.1:1", "--scenario", "chaos"},
		"a wrong quirk":        {"stations", "--url", "ws://127.0.0.1:1", "--quirks", "rude"},
		"no stations":          {"stations", "--url", "ws://127.0.0.1:1", "--count", "0"},
		"a wrong start":        {"stations", "--url", "ws://127.0.0.1:1", "--start", "soon"},
		"a word too many":      {"stations", "--url", "ws://127.0.0.1:1", "more"},
		"an unknown flag":      {"stations", "--fast"},
		"a speed of nothing":   {"stations", "--url", "ws://127.0.0.1:1", "--speed", "0"},
		"a wrong URL scheme":   {"stations", "--url", "http://127.0.0.1:1"},
		"sources out of range": {"stations", "--url", "ws://127.0.0.1:1", "--sources", "300"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if code := Main(ctx, args, &out, &out); code == 0 {
				t.Error("accepted")
			}
			if out.Len() == 0 {
				t.Error("says nothing")
			}
		})
	}
	var out bytes.Buffer
	if code := Main(t.Context(), []string{"scenarios"}, &out, &out); code != 0 || strings.Count(out.String(), "\n") != len(Scenarios()) {
		t.Errorf("scenarios: %d, %s", code, &out)
	}
}
