package notify_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

// tree is decoded JSON.
type tree map[string]any

func (x tree) at(t *testing.T, path ...any) any {
	t.Helper()
	var v any = map[string]any(x)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("no %v of %v in %v", p, path, v)
			}
			v = m[p]
		case int:
			l, ok := v.([]any)
			if !ok || p >= len(l) {
				t.Fatalf("no %v of %v in %v", p, path, v)
			}
			v = l[p]
		}
	}
	return v
}

func (k taken) json(t *testing.T) tree {
	t.Helper()
	var x tree
	if err := json.Unmarshal(k.body, &x); err != nil {
		t.Fatalf("%v: %s", err, k.body)
	}
	return x
}

// told sends notices through a channel of the queue and returns what came.
func (d *desk) told(c *catcher, x store.Channel, notices ...incident.Notice) taken {
	d.t.Helper()
	id := d.channel(x)
	d.routes(store.Route{Channels: []string{id}})
	d.start()
	d.tell(notices...)
	d.eventually("it is never sent", func() bool {
		s := d.states()
		return s[store.DeliverySent] == len(notices) && s[store.DeliveryWaiting]+s[store.DeliverySending] == 0
	})
	return c.last(d.t)
}

func markup(id string) incident.Notice {
	n := opened(id, "S2")
	n.Title, n.Text = "Port *1* is <dead>", "It said [x](http://evil.example)\nand more"
	return n
}

func TestWhatEachServiceIsSent(t *testing.T) {
	for name, tc := range map[string]struct {
		kind    notify.Kind
		channel func(url string) store.Channel
		check   func(t *testing.T, got taken)
	}{
		"slack": {notify.Slack(), func(url string) store.Channel {
			return store.Channel{Type: "slack", Secrets: store.Secrets{"url": url + "/services/T/B/X"}}
		}, func(t *testing.T, got taken) {
			x := got.json(t)
			if got.path != "/services/T/B/X" || x.at(t, "text") != "S2 New: Port *1* is &lt;dead&gt; · Hamburg" ||
				x.at(t, "blocks", 1, "text", "type") != "plain_text" || x.at(t, "blocks", 2, "elements", 0, "text", "text") != "Acknowledge" {
				t.Errorf("%s", got.body)
			}
		}},
		"teams": {notify.Teams(), func(url string) store.Channel {
			return store.Channel{Type: "teams", Secrets: store.Secrets{"url": url + "/workflows/1"}}
		}, func(t *testing.T, got taken) {
			x := got.json(t)
			card := []any{"attachments", 0, "content"}
			if x.at(t, append(card, "type")...) != "AdaptiveCard" || x.at(t, append(card, "body", 0, "text")...) != `S2 New: Port \*1\* is <dead> · Hamburg` ||
				x.at(t, append(card, "body", 0, "color")...) != "Attention" || !strings.HasPrefix(x.at(t, append(card, "actions", 0, "url")...).(string), "https://watch.example.org/ack?t=") {
				t.Errorf("%s", got.body)
			}
		}},
		"telegram": {notify.Telegram(), func(url string) store.Channel {
			return store.Channel{Type: "telegram", Settings: map[string]any{"chatId": "-100", "url": url}, Secrets: store.Secrets{"token": "1:abc"}}
		}, func(t *testing.T, got taken) {
			x := got.json(t)
			if got.path != "/bot1:abc/sendMessage" || x.at(t, "chat_id") != "-100" || x["parse_mode"] != nil || x.at(t, "disable_notification") != false ||
				!strings.Contains(x.at(t, "text").(string), "Port *1* is <dead>") || x.at(t, "link_preview_options", "is_disabled") != true {
				t.Errorf("%s %s", got.path, got.body)
			}
		}},
		"ntfy": {notify.Ntfy(), func(url string) store.Channel {
			return store.Channel{Type: "ntfy", Settings: map[string]any{"topic": "watch_1", "url": url}, Secrets: store.Secrets{"token": "tk"}}
		}, func(t *testing.T, got taken) {
			x := got.json(t)
			if got.header.Get("Authorization") != "Bearer tk" || x.at(t, "topic") != "watch_1" || x.at(t, "priority") != 4.0 ||
				x.at(t, "actions", 0, "action") != "view" || x.at(t, "click") != "https://watch.example.org/incidents/i1" {
				t.Errorf("%s", got.body)
			}
		}},
		"pagerduty": {notify.PagerDuty(), func(url string) store.Channel {
			return store.Channel{Type: "pagerduty", Settings: map[string]any{"url": url}, Secrets: store.Secrets{"routingKey": "rk"}}
		}, func(t *testing.T, got taken) {
			x := got.json(t)
			if got.path != "/v2/enqueue" || x.at(t, "event_action") != "trigger" || x.at(t, "dedup_key") != "chargewatch/i1" || x.at(t, "routing_key") != "rk" ||
				x.at(t, "payload", "severity") != "error" || x.at(t, "payload", "source") != "DE-HAM-0042" {
				t.Errorf("%s", got.body)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCatcher(t, true)
			d := newDesk(t)
			d.kinds = append(d.kinds, tc.kind)
			x := tc.channel(c.URL)
			if x.Settings == nil {
				x.Settings = map[string]any{}
			}
			x.Settings["caCertificate"] = c.authority()
			tc.check(t, d.told(c, x, markup("i1")))
		})
	}
}

func TestAnIncidentHasOneLifeInPagerDuty(t *testing.T) {
	c := newCatcher(t, false)
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.PagerDuty())
	x := store.Channel{Type: "pagerduty", Settings: map[string]any{"url": c.URL}, Secrets: store.Secrets{"routingKey": "rk"}}
	d.told(c, x, opened("i1", "S1"))
	for i, change := range []string{incident.ChangeAcknowledged, incident.ChangeRepaired} {
		d.tell(changed("i1", "S1", change))
		d.eventually("it is never sent", func() bool { return d.states()[store.DeliverySent] == i+2 })
	}
	var actions []string
	for _, k := range c.all {
		actions = append(actions, k.json(t).at(t, "event_action").(string)+" "+k.json(t).at(t, "dedup_key").(string))
	}
	if got := strings.Join(actions, ", "); got != "trigger chargewatch/i1, acknowledge chargewatch/i1, resolve chargewatch/i1" {
		t.Error(got)
	}
}

func TestAnAlertmanagerIsToldBeginningAndEndOfTheSameAlert(t *testing.T) {
	c := newCatcher(t, false)
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Alertmanager())
	n := opened("i1", "S1")
	n.Labels = map[string]string{"owner.name": "city", "tags": "hpc"}
	got := d.told(c, store.Channel{Type: "alertmanager", Settings: map[string]any{"url": c.URL, "username": "me"}, Secrets: store.Secrets{"password": "pw"}}, n)
	user, password, _ := (&http.Request{Header: got.header}).BasicAuth()
	if got.path != "/api/v2/alerts" || user != "me" || password != "pw" {
		t.Errorf("%+v", got)
	}
	type alert struct {
		Labels, Annotations map[string]string
		StartsAt, EndsAt    time.Time
	}
	read := func(k taken) alert {
		var all []alert
		if err := json.Unmarshal(k.body, &all); err != nil || len(all) != 1 {
			t.Fatalf("%s: %v", k.body, err)
		}
		return all[0]
	}
	first := read(got)
	if first.Labels["incident"] != "i1" || first.Labels["severity"] != "S1" || first.Labels["owner_name"] != "city" || !first.EndsAt.After(time.Now().Add(2*time.Minute)) {
		t.Errorf("%+v", first)
	}
	if rows, err := d.store.Standing(t.Context(), d.rows()[0].Channel); err != nil || len(rows) != 1 {
		t.Errorf("%d stand, %v", len(rows), err)
	}
	end := changed("i1", "S3", incident.ChangeClosed) // milder by now, but the same alert
	end.OpenedAt = first.StartsAt
	d.tell(end)
	d.eventually("its end is never sent", func() bool { return d.states()[store.DeliverySent] == 2 })
	last := read(c.last(t))
	if last.Labels["severity"] != "S1" || !last.StartsAt.Equal(first.StartsAt) || last.EndsAt.After(time.Now()) {
		t.Errorf("%+v", last)
	}
	if rows, err := d.store.Standing(t.Context(), d.rows()[0].Channel); err != nil || len(rows) != 0 {
		t.Errorf("%d stand, %v", len(rows), err)
	}
}

// A push service that is one to the letter: it checks who sends, and the browser
// behind it decrypts.
func TestABrowserCanReadWhatIsPushed(t *testing.T) {
	browser, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	if _, err := rand.Read(auth); err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding
	c := newCatcher(t, true)
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.WebPush())
	got := d.told(c, store.Channel{Type: "webPush", Settings: map[string]any{"contact": "mailto:ops@example.org", "caCertificate": c.authority()}, Secrets: store.Secrets{
		"endpoint": c.URL + "/push/abc", "p256dh": b64.EncodeToString(browser.PublicKey().Bytes()), "auth": b64.EncodeToString(auth),
	}}, markup("i1"))
	if got.header.Get("Content-Encoding") != "aes128gcm" || got.header.Get("TTL") == "" || got.header.Get("Urgency") != "high" {
		t.Errorf("%v", got.header)
	}
	var plain tree
	if err := json.Unmarshal(unseal(t, got.body, browser, auth), &plain); err != nil {
		t.Fatal(err)
	}
	if plain.at(t, "title") != "S2 New: Port *1* is <dead> · Hamburg" || plain.at(t, "url") != "https://watch.example.org/incidents/i1" {
		t.Errorf("%v", plain)
	}
	// The statement of who sends: signed by the key that the browser was given.
	key, err := d.PushKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, k, _ := strings.Cut(strings.TrimPrefix(got.header.Get("Authorization"), "vapid t="), ", k=")
	if k != key {
		t.Errorf("key %s, the browser was given %s", k, key)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %q", token)
	}
	point, err := b64.DecodeString(k)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := b64.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is wrong")
	}
	claims, err := b64.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(claims), `"aud":"`+c.URL+`"`) || !strings.Contains(string(claims), `"sub":"mailto:ops@example.org"`) {
		t.Errorf("%s, %v", claims, err)
	}
}

// unseal is the browser's side of RFC 8291.
func unseal(t *testing.T, body []byte, browser *ecdh.PrivateKey, auth []byte) []byte {
	t.Helper()
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	salt, size := body[:16], int(body[20])
	sender, err := ecdh.P256().NewPublicKey(body[21 : 21+size])
	if err != nil {
		t.Fatal(err)
	}
	shared := must(browser.ECDH(sender))
	secret := must(hkdf.Key(sha256.New, shared, auth, "WebPush: info\x00"+string(browser.PublicKey().Bytes())+string(sender.Bytes()), 32))
	block, err := aes.NewCipher(must(hkdf.Key(sha256.New, secret, salt, "Content-Encoding: aes128gcm\x00", 16)))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain := must(gcm.Open(nil, must(hkdf.Key(sha256.New, secret, salt, "Content-Encoding: nonce\x00", 12)), body[21+size:], nil))
	if plain[len(plain)-1] != 2 {
		t.Fatal("not the last record")
	}
	return plain[:len(plain)-1]
}

func TestTheHeartbeatStopsWhenWeAreNotWell(t *testing.T) {
	c := newCatcher(t, false)
	d := newDesk(t)
	if err := d.store.PutHeartbeat(t.Context(), store.System, store.Heartbeat{Enabled: true, URL: c.URL + "/ping", Method: "GET", EverySeconds: 10}); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.eventually("nobody hears us", func() bool { at, _ := d.Heard(); return !at.IsZero() })
	if got := c.last(t); got.method != "GET" || got.path != "/ping" {
		t.Errorf("%+v", got)
	}
	d.stop()
	n := c.count()
	d.well.Store(false)
	d.start()
	// Whatever else goes through the service shows that it runs.
	a := d.papers("a")
	d.routes(store.Route{Channels: []string{a}})
	d.tell(opened("i1", "S1"))
	d.paper.wait(t, 1)
	if c.count() != n {
		t.Error("it says that it is well")
	}
}
