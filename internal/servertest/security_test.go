package servertest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// authority opens the server's own authority.
func authority(t *testing.T, folder string) *pki.Authority {
	t.Helper()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	a, err := pki.Own(root, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func enrol(t *testing.T, s *servertest.Server, id string, auth store.Auth) {
	t.Helper()
	if _, _, err := s.Store.EnrolStation(t.Context(), store.System, store.NewStation{ID: id, Auth: auth}); err != nil {
		t.Fatal(err)
	}
}

func TestSecurityProfiles(t *testing.T) {
	t.Parallel()
	const (
		plain1 = iota
		tls2
		tls3
		legacy2
	)
	folder := t.TempDir()
	s := servertest.In(t, folder, func(c *config.Config) {
		c.Listeners = []config.Listener{
			{Address: "127.0.0.1:0", Profile: 1},
			{Address: "127.0.0.1:0", Profile: 2, TLS: "auto"},
			{Address: "127.0.0.1:0", Profile: 3, TLS: "auto"},
			{Address: "127.0.0.1:0", Profile: 2, TLS: "auto", LegacyRSA: true},
		}
	})
	ca := authority(t, filepath.Join(folder, "tls"))
	client := func(a *pki.Authority, name string) []tls.Certificate {
		c, err := a.Client(time.Now(), name)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{c}
	}
	const secret = "correct-horse-16"
	enrol(t, s, "NONE", store.Auth{})
	enrol(t, s, "ONE", store.Auth{Profile: 1, Password: secret})
	enrol(t, s, "TWO", store.Auth{Profile: 2, Password: secret})
	enrol(t, s, "THREE", store.Auth{Profile: 3})
	enrol(t, s, "NAMED", store.Auth{Profile: 3, CertSubject: "SN-4711"})

	ecdsa := &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, MaxVersion: tls.VersionTLS12}
	rsa := &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, MaxVersion: tls.VersionTLS12}
	old := &tls.Config{CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, MaxVersion: tls.VersionTLS12}
	const alert = 0 // no HTTP answer: the TLS handshake fails
	for name, tt := range map[string]struct {
		listener     int
		id, password string
		tls          *tls.Config
		want         int // HTTP status
		profile      int
		key          x509.PublicKeyAlgorithm
	}{
		"profile 1":                                  {plain1, "ONE", secret, nil, 101, 1, 0},
		"profile 1 with a wrong password":            {plain1, "ONE", "wrong", nil, 401, 0, 0},
		"profile 1 without a password":               {plain1, "ONE", "", nil, 401, 0, 0},
		"no password enrolled, where one is asked":   {plain1, "NONE", "", nil, 403, 0, 0},
		"profile 2 enrolled, profile 1 shown":        {plain1, "TWO", secret, nil, 403, 0, 0},
		"profile 2, TLS 1.3":                         {tls2, "TWO", secret, &tls.Config{}, 101, 2, 0},
		"profile 2, ECDSA":                           {tls2, "TWO", secret, ecdsa, 101, 2, x509.ECDSA},
		"profile 2, RSA":                             {tls2, "TWO", secret, rsa, 101, 2, x509.RSA},
		"profile 2 shown where 1 would do":           {tls2, "ONE", secret, &tls.Config{}, 101, 2, 0},
		"profile 2 with a wrong password":            {tls2, "TWO", "wrong", &tls.Config{}, 401, 0, 0},
		"profile 2 without a password":               {tls2, "NONE", "", &tls.Config{}, 403, 0, 0},
		"profile 2, a suite of long ago":             {tls2, "TWO", secret, old, alert, 0, 0},
		"profile 2, the suite of long ago allowed":   {legacy2, "TWO", secret, old, 101, 2, x509.RSA},
		"profile 2, a modern station there":          {legacy2, "TWO", secret, &tls.Config{}, 101, 2, 0},
		"profile 2, TLS 1.1":                         {legacy2, "TWO", secret, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, alert, 0, 0},
		"profile 3":                                  {tls3, "THREE", "", &tls.Config{Certificates: client(ca, "THREE")}, 101, 3, 0},
		"profile 3, the name of a certificate given": {tls3, "NAMED", "", &tls.Config{Certificates: client(ca, "SN-4711")}, 101, 3, 0},
		"profile 3, a password need not be sent too": {tls3, "TWO", "", &tls.Config{Certificates: client(ca, "TWO")}, 101, 3, 0},
		"profile 3, another station's certificate":   {tls3, "THREE", "", &tls.Config{Certificates: client(ca, "TWO")}, 403, 0, 0},
		"profile 3, a stranger's certificate":        {tls3, "THREE", "", &tls.Config{Certificates: client(authority(t, t.TempDir()), "THREE")}, alert, 0, 0},
		"profile 3 without a certificate":            {tls3, "THREE", "", &tls.Config{}, alert, 0, 0},
		"profile 3 enrolled, profile 2 shown":        {tls2, "THREE", secret, &tls.Config{}, 403, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}, HTTPHeader: http.Header{}}
			scheme := "ws"
			var seen *tls.ConnectionState
			if tt.tls != nil {
				scheme = "wss"
				conf := tt.tls.Clone()
				conf.RootCAs = ca.Pool()
				conf.VerifyConnection = func(c tls.ConnectionState) error { seen = &c; return nil }
				o.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: conf}}
			}
			if tt.password != "" {
				o.HTTPHeader.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(tt.id+":"+tt.password)))
			}
			c, r, err := websocket.Dial(t.Context(), scheme+"://"+s.ListenerAddress(tt.listener)+"/ocpp/"+tt.id, o)
			got := alert
			if r != nil {
				got = r.StatusCode
			}
			if got != tt.want {
				t.Fatalf("got %d (%v), want %d", got, err, tt.want)
			}
			if err != nil {
				return
			}
			defer c.CloseNow()
			if a := ask(t, c, `[2,"1","Heartbeat",{}]`); !strings.HasPrefix(a, `[3,"1",`) {
				t.Errorf("heartbeat: %s", a)
			}
			if st := s.Station(t, tt.id); !st.Online || st.SecurityProfile != tt.profile {
				t.Errorf("profile %d, online %v", st.SecurityProfile, st.Online)
			}
			version, cipher := "", ""
			if seen != nil {
				version, cipher = strings.TrimPrefix(tls.VersionName(seen.Version), "TLS "), tls.CipherSuiteName(seen.CipherSuite)
			}
			if st := s.Station(t, tt.id); st.TLS != version || st.Cipher != cipher {
				t.Errorf("TLS %q with %q, the station saw %q with %q", st.TLS, st.Cipher, version, cipher)
			}
			if cert := connectedWith(t, s, tt.id); (cert != nil) != (tt.profile == 3) || cert != nil && !cert.NotAfter.After(time.Now()) {
				t.Errorf("the journal names the certificate %+v", cert)
			}
			if tt.key != 0 && seen.PeerCertificates[0].PublicKeyAlgorithm != tt.key {
				t.Errorf("served with a certificate of %v", seen.PeerCertificates[0].PublicKeyAlgorithm)
			}
		})
	}
}

// handshake sends an opens by hand and returns the answer.
func handshake(t *testing.T, s *servertest.Server, path, headers string) (net.Conn, *http.Response) {
	t.Helper()
	c, err := net.Dial("tcp", s.OCPPAddress())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: server\r\n%s\r\n", path, headers); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

const (
	upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	opens   = upgrade + "Connection: Upgrade\r\n"
	speaks  = "Sec-WebSocket-Protocol: ocpp1.6\r\n"
)

// Stations write addresses, passwords and headers in their own ways.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *config.Config) { c.Onboarding, c.Station.DefaultProtocol = "closed", "ocpp1.6" })
	long := strings.Repeat("x", 48)
	key := []byte("\x00\xff:0123456789abcdef!") // 20 bytes, a colon and no text
	s.Enrol(t, "CP1", "DE*ABC*E1", "CP+1", long)
	enrol(t, s, "HEX", store.Auth{Profile: 1, Password: fmt.Sprintf("%x", key)})
	enrol(t, s, "TEXT", store.Auth{Profile: 1, Password: "secret:with:colons"})
	basic := func(id, password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+password)) + "\r\n"
	}
	for name, tt := range map[string]struct {
		path, headers string
		want          int
		id            string
	}{
		"as in the book":                      {"/ocpp/CP1", opens + speaks, 101, "CP1"},
		"percent-encoded":                     {"/ocpp/DE%2AABC%2AE1", opens + speaks, 101, "DE*ABC*E1"},
		"a plus is no blank":                  {"/ocpp/CP+1", opens + speaks, 101, "CP+1"},
		"48 characters":                       {"/ocpp/" + long, opens + speaks, 101, long},
		"behind folders":                      {"/ocpp/site/7/CP1", opens + speaks, 101, "CP1"},
		"with a slash at the end":             {"/ocpp/CP1/", opens + speaks, 101, "CP1"},
		"with a query":                        {"/ocpp/CP1?x=1", opens + speaks, 101, "CP1"},
		"49 characters":                       {"/ocpp/" + long + "x", opens + speaks, 404, ""},
		"a colon":                             {"/ocpp/CP%3A1", opens + speaks, 404, ""},
		"a slash in the name":                 {"/ocpp/CP%2F1", opens + speaks, 404, ""},
		"no name":                             {"/ocpp/", opens + speaks, 404, ""},
		"another address":                     {"/CP1", opens + speaks, 404, ""},
		"a control character":                 {"/ocpp/CP%001", opens + speaks, 404, ""},
		"an unknown name":                     {"/ocpp/NOBODY", opens + speaks, 404, ""},
		"without Connection: Upgrade":         {"/ocpp/CP1", upgrade + speaks, 101, "CP1"},
		"Connection with more words":          {"/ocpp/CP1", upgrade + "Connection: keep-alive, Upgrade\r\n" + speaks, 101, "CP1"},
		"several versions":                    {"/ocpp/CP1", opens + "Sec-WebSocket-Protocol: ocpp1.5, ocpp1.6\r\n", 101, "CP1"},
		"no version, a default stands for it": {"/ocpp/CP1", opens, 101, "CP1"},
		"a browser":                           {"/ocpp/CP1", opens + speaks + "Sec-Fetch-Mode: websocket\r\n", 403, ""},
		"no WebSocket":                        {"/ocpp/CP1", "Connection: close\r\n", 426, ""},
		"a key as raw bytes":                  {"/ocpp/HEX", opens + speaks + basic("HEX", string(key)), 101, "HEX"},
		"a key as hexadecimal":                {"/ocpp/HEX", opens + speaks + basic("HEX", fmt.Sprintf("%x", key)), 101, "HEX"},
		"a key as HEXADECIMAL":                {"/ocpp/HEX", opens + speaks + basic("HEX", fmt.Sprintf("%X", key)), 101, "HEX"},
		"a password with colons":              {"/ocpp/TEXT", opens + speaks + basic("TEXT", "secret:with:colons"), 101, "TEXT"},
		"a password in hexadecimal":           {"/ocpp/TEXT", opens + speaks + basic("TEXT", fmt.Sprintf("%x", "secret:with:colons")), 101, "TEXT"},
		"a password without padding":          {"/ocpp/TEXT", opens + speaks + strings.Replace(basic("TEXT", "secret:with:colons"), "=", "", 2), 101, "TEXT"},
		"a beginning of the password":         {"/ocpp/TEXT", opens + speaks + basic("TEXT", "secret"), 401, ""},
		"another's name with the password":    {"/ocpp/TEXT", opens + speaks + basic("HEX", "secret:with:colons"), 401, ""},
		"no Basic":                            {"/ocpp/TEXT", opens + speaks + "Authorization: Bearer secret\r\n", 401, ""},
		"broken Basic":                        {"/ocpp/TEXT", opens + speaks + "Authorization: Basic !!!\r\n", 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, r := handshake(t, s, tt.path, tt.headers)
			if r.StatusCode != tt.want {
				t.Fatalf("got %d, want %d", r.StatusCode, tt.want)
			}
			if tt.want == 401 && !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Error("401 names no way in")
			}
			if tt.id != "" {
				servertest.Eventually(t, "online", func() bool {
					st, ok := s.Journal.Snapshot().Station(tt.id)
					return ok && st.Online && st.Protocol == "ocpp1.6"
				})
			}
			c.Close()
			if tt.id != "" { // the next one may come
				servertest.Eventually(t, "offline", func() bool { return !s.Station(t, tt.id).Online })
			}
		})
	}
}

// Without a default, a station that names no version we speak is told so.
func TestNoCommonVersion(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.Enrol(t, "CP1")
	for name, versions := range map[string][]string{"none": nil, "others": {"ocpp1.5", "ocpp2.0"}} {
		t.Run(name, func(t *testing.T) {
			c, _, err := websocket.Dial(t.Context(), s.URL+"CP1", &websocket.DialOptions{Subprotocols: versions})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusProtocolError {
				t.Errorf("got %v", err)
			}
		})
	}
	servertest.Eventually(t, "the note for people", func() bool {
		for _, h := range s.Store.Handshakes() {
			if h.Identity == "CP1" && strings.Contains(h.Reason, "no OCPP version") && h.Count == 2 {
				return true
			}
		}
		return false
	})
}

// Failures are limited by source and identity; the right secret always passes.
func TestManyWrongPasswords(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	enrol(t, s, "SEC", store.Auth{Profile: 1, Password: "correct-horse-16"})
	enrol(t, s, "OTHER", store.Auth{Profile: 1, Password: "correct-horse-16"})
	try := func(id, password string) int {
		o := &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}, HTTPHeader: http.Header{}}
		o.HTTPHeader.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+password)))
		c, r, err := websocket.Dial(context.Background(), s.URL+id, o)
		if err == nil {
			c.CloseNow()
		}
		if r == nil {
			t.Fatal(err)
		}
		return r.StatusCode
	}
	var last int
	for range 40 {
		last = try("SEC", "wrong")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the fortieth wrong password: %d", last)
	}
	if got := try("OTHER", "wrong"); got != http.StatusUnauthorized {
		t.Errorf("another identity from the same address: %d", got)
	}
	if got := try("SEC", "correct-horse-16"); got != http.StatusSwitchingProtocols {
		t.Errorf("the right password afterwards: %d", got)
	}
}

// connectedWith is the certificate of a station's last connection.
func connectedWith(t *testing.T, s *servertest.Server, station string) *event.Certificate {
	t.Helper()
	last, _, err := s.Journal.Events(t.Context(), journal.EventQuery{
		Subject: event.Station(station), Kinds: []event.Kind{event.KindConnected}, Limit: 1,
	})
	if err != nil || len(last) != 1 {
		t.Fatalf("%d connections, %v", len(last), err)
	}
	return last[0].Body.(*event.Connected).Cert
}
