package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

// taken is one request as another side took it.
type taken struct {
	method, path string
	header       http.Header
	body         []byte
}

// catcher is another side that answers as it is told.
type catcher struct {
	*httptest.Server
	mu     sync.Mutex
	all    []taken
	status int
	answer string
}

func newCatcher(t *testing.T, secure bool) *catcher {
	c := &catcher{status: http.StatusOK}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		c.all = append(c.all, taken{r.Method, r.URL.RequestURI(), r.Header.Clone(), body})
		status, answer := c.status, c.answer
		c.mu.Unlock()
		w.WriteHeader(status)
		if _, err := io.WriteString(w, answer); err != nil {
			t.Error(err)
		}
	})
	if secure {
		c.Server = httptest.NewTLSServer(h)
	} else {
		c.Server = httptest.NewServer(h)
	}
	t.Cleanup(c.Close)
	return c
}

func (c *catcher) last(t *testing.T) taken {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) == 0 {
		t.Fatal("nothing came")
	}
	return c.all[len(c.all)-1]
}

func (c *catcher) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

func (c *catcher) authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate().Raw}))
}

func TestAWebhookIsSignedAndCarriesItsKey(t *testing.T) {
	c := newCatcher(t, true)
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Webhook())
	const secret = "sixteen or more characters"
	id := d.channel(store.Channel{Type: "webhook", Settings: map[string]any{"url": c.URL + "/in?x=1", "caCertificate": c.authority()},
		Secrets: store.Secrets{"secret": secret, "authorization": "Bearer abc"}})
	d.routes(store.Route{Channels: []string{id}})
	d.start()
	d.tell(opened("i1", "S1"))
	d.eventually("it is never sent", func() bool { return d.states()[store.DeliverySent] == 1 })
	got := c.last(t)
	if got.method != "POST" || got.path != "/in?x=1" || got.header.Get("Authorization") != "Bearer abc" || got.header.Get("Idempotency-Key") != "i1/opened@"+id {
		t.Errorf("%+v", got)
	}
	stamp, sum, _ := strings.Cut(got.header.Get("X-Chargewatch-Signature"), ",")
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(strings.TrimPrefix(stamp, "t=") + "."))
	h.Write(got.body)
	if sum != "v1="+hex.EncodeToString(h.Sum(nil)) {
		t.Errorf("signature %s", got.header.Get("X-Chargewatch-Signature"))
	}
	var body struct {
		IdempotencyKey, Page, Acknowledge string
		Notice                            struct{ Incident, Change, SiteID string }
	}
	if err := json.Unmarshal(got.body, &body); err != nil {
		t.Fatal(err)
	}
	if body.IdempotencyKey != "i1/opened@"+id || body.Notice.Incident != "i1" || body.Page != "https://watch.example.org/incidents/i1" ||
		!strings.HasPrefix(body.Acknowledge, "https://watch.example.org/ack?t=") {
		t.Errorf("%s", got.body)
	}
}

func TestWhatAnotherSideAnswersIsToldWithoutSecrets(t *testing.T) {
	c := newCatcher(t, false)
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Webhook())
	make := func(url string) store.Channel {
		x, err := d.store.Channel(t.Context(), d.channel(store.Channel{Type: "webhook", Settings: map[string]any{"url": url}, Secrets: store.Secrets{"secret": "sixteen or more characters"}}))
		if err != nil {
			t.Fatal(err)
		}
		return *x
	}
	c.status, c.answer = http.StatusUnprocessableEntity, "no such\x00 room"
	err := d.Test(t.Context(), make(c.URL))
	r, ok := errors.AsType[*notify.Refused](err)
	if !ok || !r.Permanent || r.Reason != "answered 422 Unprocessable Entity: no such  room" {
		t.Errorf("%v", err)
	}
	c.status, c.answer = http.StatusFound, ""
	if err := d.Test(t.Context(), make(c.URL)); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("a redirect: %v", err)
	}
	c.Close()
	if err := d.Test(t.Context(), make(c.URL+"/token-in-the-path")); err == nil || strings.Contains(err.Error(), "token-in-the-path") {
		t.Errorf("an address is told: %v", err)
	}
	if err := d.Test(t.Context(), make("http://169.254.169.254/")); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("the metadata service: %v", err)
	}
}

func TestASettingThatCannotBeIsNamed(t *testing.T) {
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Webhook(), notify.Email())
	d.service()
	hook := func(url any) map[string]any { return map[string]any{"url": url} }
	good := store.Secrets{"secret": "sixteen or more characters"}
	mailed := func(k string, v any) map[string]any {
		m := map[string]any{"host": "mail.example.org", "from": "a@example.org", "to": []any{"b@example.org"}}
		m[k] = v
		return m
	}
	for name, tc := range map[string]struct {
		c     store.Channel
		field string
	}{
		"a type that is none":             {store.Channel{Type: "smoke"}, "type"},
		"no address":                      {store.Channel{Type: "webhook", Secrets: good}, "settings.url"},
		"an address that is a number":     {store.Channel{Type: "webhook", Settings: hook(7.0), Secrets: good}, "settings.url"},
		"another scheme":                  {store.Channel{Type: "webhook", Settings: hook("file:///etc/passwd"), Secrets: good}, "settings.url"},
		"a password in the address":       {store.Channel{Type: "webhook", Settings: hook("https://a:b@c.example"), Secrets: good}, "settings.url"},
		"a line break in the address":     {store.Channel{Type: "webhook", Settings: hook("https://c.example/\nX: y"), Secrets: good}, "settings.url"},
		"no secret":                       {store.Channel{Type: "webhook", Settings: hook("https://c.example")}, "secrets.secret"},
		"a short secret":                  {store.Channel{Type: "webhook", Settings: hook("https://c.example"), Secrets: store.Secrets{"secret": "short"}}, "secrets.secret"},
		"a secret among the settings":     {store.Channel{Type: "webhook", Settings: map[string]any{"url": "https://c.example", "secret": "x"}, Secrets: good}, "settings.secret"},
		"a setting nobody knows":          {store.Channel{Type: "webhook", Settings: map[string]any{"url": "https://c.example", "colour": "x"}, Secrets: good}, "settings.colour"},
		"a certificate that is none":      {store.Channel{Type: "webhook", Settings: map[string]any{"url": "https://c.example", "caCertificate": "x"}, Secrets: good}, "settings.caCertificate"},
		"a receiver that is none":         {store.Channel{Type: "email", Settings: mailed("to", []any{"a@b.c", "nobody"})}, "settings.to[1]"},
		"receivers that are no list":      {store.Channel{Type: "email", Settings: mailed("to", "a@b.c")}, "settings.to"},
		"a port out of range":             {store.Channel{Type: "email", Settings: mailed("port", 70000.0)}, "settings.port"},
		"a choice that is none":           {store.Channel{Type: "email", Settings: mailed("security", "perhaps")}, "settings.security"},
		"a user without a password":       {store.Channel{Type: "email", Settings: mailed("username", "me")}, "settings.username"},
		"a second header in the receiver": {store.Channel{Type: "email", Settings: mailed("to", []any{"a@b.c\r\nBcc: d@e.f"})}, "settings.to[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			err := d.Check(&tc.c)
			bad, ok := errors.AsType[*store.InvalidError](err)
			if !ok || bad.Field != tc.field {
				t.Errorf("%v, want a fault at %s", err, tc.field)
			}
		})
	}
}
