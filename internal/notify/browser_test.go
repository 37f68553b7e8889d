package notify_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

// A browser of others, and the push service before it: the npm package http_ece
// decrypts (RFC 8188, 8291), jose checks who sends (RFC 8292), with the key of the
// header as a service does. "npm ci" in test/schemas installs them; make test does
// that.
const (
	subscribe = `
const crypto = require('crypto')
const browser = crypto.createECDH('prime256v1')
browser.generateKeys()
const text = (b) => b.toString('base64url')
console.log(JSON.stringify({p256dh: text(browser.getPublicKey()), secret: text(browser.getPrivateKey()), auth: text(crypto.randomBytes(16))}))
`
	receive = `
const crypto = require('crypto'), ece = require('http_ece'), {importJWK, jwtVerify} = require('jose')
const came = JSON.parse(require('fs').readFileSync(0))
const browser = crypto.createECDH('prime256v1')
browser.setPrivateKey(came.secret, 'base64url')
const [, token, k] = /^vapid t=([^,]+), k=([^,]+)$/.exec(came.authorization)
const point = Buffer.from(k, 'base64url')
const key = {kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url')}
importJWK(key, 'ES256').then((sender) => jwtVerify(token, sender, {audience: came.audience, algorithms: ['ES256']})).then(({payload}) => {
  const plain = ece.decrypt(Buffer.from(came.body, 'base64'), {version: 'aes128gcm', privateKey: browser, authSecret: came.auth})
  console.log(JSON.stringify({plain: JSON.parse(plain), subject: payload.sub, lasts: payload.exp - Math.floor(Date.now() / 1000), key: k}))
}).catch((err) => console.log(JSON.stringify({error: String(err)})))
`
)

// peer runs a script of the browser of others.
func peer(t *testing.T, script string, in, out any) {
	t.Helper()
	given, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	limit, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(limit, "node", "-e", script)
	cmd.Dir = "../../test/schemas"
	cmd.Stdin = strings.NewReader(string(given))
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("make test installs the peer, or npm ci in test/schemas: %v", err)
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func TestABrowserOfOthersReadsWhatIsPushed(t *testing.T) {
	var browser struct{ P256DH, Secret, Auth string }
	peer(t, subscribe, nil, &browser)
	for name, text := range map[string]string{
		"a short text": "Port 2 is dead",
		"umlauts":      "Säule 4: Stecker überhitzt, 92 °C",
		"a long text":  strings.Repeat("Nobody can charge here. ", 400),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCatcher(t, true)
			d := newDesk(t)
			d.kinds = append(d.kinds, notify.WebPush())
			n := opened("i1", "S2")
			n.Text = text
			got := d.told(c, store.Channel{Type: "webPush", Settings: map[string]any{"contact": "mailto:ops@example.org", "caCertificate": c.authority()}, Secrets: store.Secrets{
				"endpoint": c.URL + "/push/abc", "p256dh": browser.P256DH, "auth": browser.Auth,
			}}, n)
			if len(got.body) > 4096 {
				t.Errorf("%d bytes: services take 4096", len(got.body))
			}
			var read struct {
				Plain               struct{ Title, Body, URL string }
				Subject, Key, Error string
				Lasts               int
			}
			peer(t, receive, map[string]string{
				"secret": browser.Secret, "auth": browser.Auth, "authorization": got.header.Get("Authorization"), "audience": c.URL,
				"body": base64.StdEncoding.EncodeToString(got.body),
			}, &read)
			key, err := d.PushKey(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			begin := text[:min(len(text), 200)]
			if read.Error != "" || !strings.Contains(read.Plain.Body, begin) || read.Plain.URL != "https://watch.example.org/incidents/i1" {
				t.Errorf("%+v", read)
			}
			if read.Key != key || read.Subject != "mailto:ops@example.org" || read.Lasts <= 0 || read.Lasts > 24*60*60 {
				t.Errorf("who sends: %+v", read)
			}
			var other struct{ Error string }
			peer(t, receive, map[string]string{
				"secret": browser.Secret, "auth": browser.Auth, "authorization": got.header.Get("Authorization"), "audience": "https://another.example.org",
				"body": base64.StdEncoding.EncodeToString(got.body),
			}, &other)
			if !strings.Contains(other.Error, "aud") {
				t.Errorf("another service takes the statement: %q", other.Error)
			}
		})
	}
}
