package web

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chargewatch/chargewatch/internal/store"
)

func TestStaticFiles(t *testing.T) {
	p := newPlant(t, func(o *Options) {
		o.UI = fstest.MapFS{
			"index.html":                {Data: []byte("<html>app")},
			"assets/app-1a2b.js":        {Data: []byte("plain")},
			"assets/app-1a2b.js.br":     {Data: []byte("brotli")},
			"assets/app-1a2b.js.gz":     {Data: []byte("gzip")},
			"assets/style-3c4d.css":     {Data: []byte("css")},
			"mark.svg":                  {Data: []byte("<svg>")},
			".gitkeep":                  {Data: []byte("")},
			"assets/font-5e6f.woff2.gz": {Data: []byte("no plain twin")},
		}
	})
	tests := map[string]struct {
		path, accept                  string
		status                        int
		body, kind, cache, compressed string
	}{
		"the app":                     {"/", "", 200, "<html>app", "text/html; charset=utf-8", "no-cache", ""},
		"a page of the app":           {"/stations/DE-1", "", 200, "<html>app", "text/html; charset=utf-8", "no-cache", ""},
		"brotli where it is taken":    {"/assets/app-1a2b.js", "gzip, deflate, br", 200, "brotli", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "br"},
		"gzip where brotli is not":    {"/assets/app-1a2b.js", "gzip;q=0.8, br;q=0", 200, "gzip", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "gzip"},
		"plain where nothing is":      {"/assets/app-1a2b.js", "identity", 200, "plain", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", ""},
		"plain where no twin is":      {"/assets/style-3c4d.css", "br", 200, "css", "text/css; charset=utf-8", "public, max-age=31536000, immutable", ""},
		"a file beside":               {"/mark.svg", "", 200, "<svg>", "image/svg+xml", "no-cache", ""},
		"an old asset is not the app": {"/assets/app-old.js", "", 404, "", "", "no-store", ""},
		"a twin is no file":           {"/assets/app-1a2b.js.gz", "", 404, "", "", "no-store", ""},
		"a hidden file":               {"/.gitkeep", "", 404, "", "", "no-store", ""},
		"a path upwards":              {"/x/..%2f..%2f..%2fetc%2fpasswd", "", 200, "<html>app", "", "", ""},
		"an API route of nobody":      {"/api/v1/nothing", "", 404, `"no such route"`, "application/problem+json", "no-store", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), "GET", p.url+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", tc.accept)
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			h := resp.Header
			if resp.StatusCode != tc.status || !strings.Contains(string(body), tc.body) || tc.kind != "" && h.Get("Content-Type") != tc.kind ||
				tc.cache != "" && h.Get("Cache-Control") != tc.cache || h.Get("Content-Encoding") != tc.compressed {
				t.Errorf("%d %q %v", resp.StatusCode, body, h)
			}
			if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src") || strings.Contains(policy, "unsafe-eval") ||
				strings.Contains(policy, "http") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", h)
			}
		})
	}
	c := p.script(store.RoleViewer)
	if status, _ := c.do("POST", "!/", "x"); status != http.StatusMethodNotAllowed {
		t.Errorf("a POST to a page: %d", status)
	}
}

func TestAServerWithoutTheInterfaceSaysHowToBuildIt(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.UI = fstest.MapFS{".gitkeep": {}} })
	if status, text := p.browser().do("GET", "!/stations", ""); status != http.StatusOK || !strings.Contains(text, "make build") {
		t.Errorf("%d %s", status, text)
	}
}

// The docs page loads from us alone.
func TestDocs(t *testing.T) {
	p := newPlant(t)
	c := p.script(store.RoleViewer)
	for path, want := range map[string]string{
		"/api/docs": "docs.js", "/api/docs.js": "openapi.json", "/api/docs.css": "font", "/api/openapi.json": `"openapi":"3.1.0"`,
	} {
		status, text := c.do("GET", path, "")
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %.100s", path, status, text)
		}
		if path != "/api/openapi.json" && strings.Contains(text, "://") {
			t.Errorf("%s names another host", path)
		}
	}
}

// broken is a fleet whose journal cannot commit.
type broken struct{ Fleet }

func (broken) Ready() error { return errors.New("no disk") }

func TestHealthAndReadiness(t *testing.T) {
	p := newPlant(t)
	b := p.browser()
	for _, path := range []string{"!/healthz", "!/readyz"} {
		if status, _ := b.do("GET", path, ""); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	sick := newPlant(t, func(o *Options) { o.Fleet = broken{o.Fleet} })
	if status, _ := sick.browser().do("GET", "!/healthz", ""); status != http.StatusOK {
		t.Errorf("the process is alive: %d", status)
	}
	if status, _ := sick.browser().do("GET", "!/readyz", ""); status != http.StatusServiceUnavailable {
		t.Errorf("ready without a journal: %d", status)
	}
	var sum Summary
	sick.script(store.RoleViewer).get("/summary", &sum)
	if sum.Observing {
		t.Error("observing without a journal")
	}
}

func TestExposure(t *testing.T) {
	tests := map[string]struct {
		listen     string
		tls, proxy bool
		ok         bool
	}{
		"loopback":                {"127.0.0.1:8080", false, false, true},
		"loopback of IPv6":        {"[::1]:8080", false, false, true},
		"localhost":               {"localhost:8080", false, false, true},
		"every address":           {":8080", false, false, false},
		"every address of IPv4":   {"0.0.0.0:8080", false, false, false},
		"an address of a network": {"192.0.2.1:8080", false, false, false},
		"a name":                  {"cw.example:8080", false, false, false},
		"with TLS":                {"0.0.0.0:8443", true, false, true},
		"behind a proxy":          {"10.0.0.1:8080", false, true, true},
		"no port":                 {"127.0.0.1", false, false, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if err := CheckExposure(tc.listen, tc.tls, tc.proxy); (err == nil) != tc.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	tests := map[string]struct {
		remote, forwarded, want string
	}{
		"straight":                   {"192.0.2.1:5", "", "192.0.2.1"},
		"a stranger's claim":         {"192.0.2.1:5", "198.51.100.7", "192.0.2.1"},
		"behind a proxy":             {"10.0.0.1:5", "198.51.100.7", "198.51.100.7"},
		"behind two":                 {"10.0.0.1:5", "198.51.100.7, 10.0.0.2", "198.51.100.7"},
		"a claim before the proxy":   {"10.0.0.1:5", "1.1.1.1, 198.51.100.7", "198.51.100.7"},
		"nonsense":                   {"10.0.0.1:5", "x", "10.0.0.1"},
		"a proxy that says nothing":  {"10.0.0.1:5", "", "10.0.0.1"},
		"an address of IPv4 in IPv6": {"[::ffff:10.0.0.1]:5", "198.51.100.7", "198.51.100.7"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tc.remote, Header: http.Header{}}
			if tc.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tc.forwarded)
			}
			if got := clientAddr(r, trusted).String(); got != tc.want {
				t.Errorf("got %s", got)
			}
		})
	}
}
