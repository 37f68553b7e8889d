package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func publicPort(p *plant) {
	p.t.Helper()
	if _, err := p.store.CreateSite(p.t.Context(), store.System, store.Site{ID: "own", Name: "Own", Public: true}); err != nil {
		p.t.Fatal(err)
	}
	p.enrol("own", "SECRET", event.EVSELayout{EVSE: 1, PublicID: "DE*CWD*E1*1", RatedW: 50_000, Current: "DC"})
	p.connect("SECRET", "ocpp1.6")
	p.say(event.Port("SECRET", 1, 1), &event.Status{Status: "Available"})
}

func TestDriversNeedNoSignIn(t *testing.T) {
	p := newPlant(t)
	publicPort(p)
	nobody := &caller{t: t, url: p.url, http: &http.Client{}}
	for _, path := range []string{"/status", "/status/own", "/status.json", "/status/own.json", "/status/p/DE*CWD*E1*1/report", "/status/qr/DE*CWD*E1*1.svg"} {
		status, text := nobody.do("GET", "!"+path, "")
		if status != http.StatusOK || strings.Contains(text, "SECRET") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, _ := nobody.do("GET", "/sites/own/stickers", ""); status != http.StatusUnauthorized {
		t.Errorf("stickers for anyone: %d", status)
	}
	status, text := p.script(store.RoleViewer, "own").do("GET", "/sites/own/stickers", "")
	if status != http.StatusOK || !strings.Contains(text, p.url+"/status/p/DE*CWD*E1*1") || strings.Contains(text, "SECRET") {
		t.Errorf("stickers: %d %s", status, text)
	}
}

func TestAReportFromAnotherOriginIsRefused(t *testing.T) {
	p := newPlant(t)
	publicPort(p)
	post := func(header ...string) int {
		t.Helper()
		form := url.Values{"category": {"cable"}}
		r, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"/status/p/DE*CWD*E1*1/report", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := post("Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"); got != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", got)
	}
	if got := post("Origin", "https://elsewhere.example"); got != http.StatusForbidden {
		t.Errorf("from elsewhere by an older browser: %d", got)
	}
	if got := post("Origin", p.url, "Sec-Fetch-Site", "same-origin"); got != http.StatusSeeOther {
		t.Errorf("from our own page: %d", got)
	}
	var list struct{ Items []EventShape }
	p.script(store.RoleOperator, "own").get("/events?kind=driver.report", &list)
	if len(list.Items) != 1 || list.Items[0].Subject != "station/SECRET/1" {
		t.Errorf("operators see %+v", list.Items)
	}
}

// The limit counts people behind a proxy one by one, and nobody can pretend to
// be another.
func TestTheLimitSeesBehindTrustedProxiesOnly(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	ask := func(from, forwarded string) int {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/status.json", nil)
		r.RemoteAddr = from + ":1"
		r.Header.Set("X-Forwarded-For", forwarded)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Code
	}
	drain := func(from, forwarded string) {
		t.Helper()
		for range 2000 {
			if ask(from, forwarded) == http.StatusTooManyRequests {
				return
			}
		}
		t.Fatalf("%s for %s is never stopped", from, forwarded)
	}
	drain("10.0.0.1", "192.0.2.1")
	if got := ask("10.0.0.1", "192.0.2.2"); got != http.StatusOK {
		t.Errorf("another behind the proxy: %d", got)
	}
	drain("198.51.100.1", "192.0.2.3")
	if got := ask("198.51.100.1", "192.0.2.4"); got != http.StatusTooManyRequests {
		t.Errorf("one who says to be another: %d", got)
	}
}
