package notify

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// WebPush sends to one browser through its push service (RFC 8030, 8291, 8292).
func WebPush() Kind {
	return Kind{
		Spec: Spec{Type: "webPush", Together: 10, Needs: "internet and TLS", Fields: []Field{
			{Name: "endpoint", Form: URL, Choices: []string{"https"}, Required: true, Secret: true, Doc: "of the browser's subscription"},
			{Name: "p256dh", Form: Text, Required: true, Secret: true, Doc: "of the browser's subscription"},
			{Name: "auth", Form: Text, Required: true, Secret: true, Doc: "of the browser's subscription"},
			{Name: "contact", Form: Text, Required: true, Doc: "whom the push service can write to, such as mailto:ops@example.org"},
			language(),
			authority(),
		}},
		Make: newWebPush,
	}
}

type webPush struct {
	client            *http.Client
	endpoint, contact string
	origin            string
	browser           *ecdh.PublicKey
	auth              []byte
	store             *store.Store
	owner             store.Actor
	now               func() time.Time
}

func newWebPush(c store.Channel, t Tools) (Channel, error) {
	x := settings{&c}
	u, err := url.Parse(x.secret("endpoint"))
	if err != nil {
		return nil, &store.InvalidError{Field: "secrets.endpoint", Reason: "not an address"}
	}
	point, err := fromBase64(x.secret("p256dh"))
	if err != nil {
		return nil, &store.InvalidError{Field: "secrets.p256dh", Reason: "not the key of a subscription"}
	}
	browser, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, &store.InvalidError{Field: "secrets.p256dh", Reason: "not the key of a subscription"}
	}
	auth, err := fromBase64(x.secret("auth"))
	if err != nil || len(auth) != 16 {
		return nil, &store.InvalidError{Field: "secrets.auth", Reason: "not the secret of a subscription"}
	}
	if to := x.text("contact"); !strings.HasPrefix(to, "mailto:") && !strings.HasPrefix(to, "https://") {
		return nil, &store.InvalidError{Field: "settings.contact", Reason: "must begin with mailto: or https://"}
	}
	client, err := chatClient(&c, t)
	return &webPush{
		client: client, endpoint: x.secret("endpoint"), contact: x.text("contact"), origin: u.Scheme + "://" + u.Host,
		browser: browser, auth: auth, store: t.Store, now: t.Now, owner: c.Owner,
	}, err
}

// fromBase64 reads what browsers and libraries write: either alphabet, with
// padding or without.
func fromBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	return base64.RawURLEncoding.DecodeString(text)
}

// maxPush is what a push service takes as plain text.
const maxPush = 3000

func (p *webPush) Send(ctx context.Context, m Message) error {
	m, err := p.visible(ctx, m)
	if err != nil || len(m.Items) == 0 {
		return err
	}
	body := map[string]any{"title": cut(m.title(), 200), "body": cut(m.plain(), 1200), "tag": cut(m.Key, 100), "severity": m.worst()}
	if len(m.Items) == 1 && m.Items[0].Page != "" {
		body["url"] = m.Items[0].Page
	}
	plain, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	if len(plain) > maxPush { // JSON made much of few characters
		if plain, err = json.Marshal(map[string]any{"title": cut(m.title(), 200), "severity": m.worst()}); err != nil {
			return fmt.Errorf("encode the message: %w", err)
		}
	}
	sealed, err := p.seal(plain)
	if err != nil {
		return err
	}
	token, key, err := p.vapid(ctx)
	if err != nil {
		return err
	}
	urgency := "normal"
	if m.worst() <= "S2" && !m.over() {
		urgency = "high"
	}
	_, err = post(ctx, p.client, http.MethodPost, p.endpoint, "application/octet-stream", sealed, http.Header{
		"Content-Encoding": {"aes128gcm"}, "Ttl": {"86400"}, "Urgency": {urgency}, "Authorization": {"vapid t=" + token + ", k=" + key},
	})
	if r, ok := errors.AsType[*Refused](err); ok && strings.HasPrefix(r.Reason, "answered 404") {
		r.Permanent = true // the browser has ended its subscription
	}
	return err
}

// visible is what of a message the owner of the browser may see, as of now.
func (p *webPush) visible(ctx context.Context, m Message) (Message, error) {
	if p.owner == "" {
		return m, nil
	}
	u, err := p.store.User(ctx, string(p.owner))
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Disabled {
		return m, &Refused{Reason: "its owner may not sign in any more", Permanent: true}
	}
	if err != nil {
		return m, fmt.Errorf("read whose browser it is: %w", err)
	}
	if m.Test {
		return m, nil
	}
	sees := func(i Item) bool {
		return slices.ContainsFunc(u.Grants, func(g store.Grant) bool {
			if i.Discreet && !g.Role.SeesPeople() {
				return false // whoever threatens somebody may look at their telephone
			}
			return slices.Contains(g.Sites, store.AllSites) || i.SiteID != "" && slices.Contains(g.Sites, i.SiteID)
		})
	}
	m.Items = slices.DeleteFunc(slices.Clone(m.Items), func(i Item) bool { return !sees(i) })
	return m, nil
}

// seal encrypts for the browser alone: RFC 8291 over RFC 8188, in one record.
func (p *webPush) seal(plain []byte) ([]byte, error) {
	mine, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	salt := make([]byte, 16)
	rand.Read(salt) //nolint:errcheck // documented never to fail
	return p.sealWith(plain, mine, salt)
}

func (p *webPush) sealWith(plain []byte, mine *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	shared, err := mine.ECDH(p.browser)
	if err != nil {
		return nil, fmt.Errorf("agree on a key: %w", err)
	}
	public := mine.PublicKey().Bytes()
	info := "WebPush: info\x00" + string(p.browser.Bytes()) + string(public)
	secret, err := hkdf.Key(sha256.New, shared, p.auth, info, 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	key, err := hkdf.Key(sha256.New, secret, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, secret, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, fmt.Errorf("derive a nonce: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("prepare AES: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("prepare GCM: %w", err)
	}
	out := append([]byte{}, salt...)
	out = binary.BigEndian.AppendUint32(out, 4096)
	out = append(append(out, byte(len(public))), public...)
	return gcm.Seal(out, nonce, append(append([]byte{}, plain...), 2), nil), nil // 2: the last record
}

// vapid says who we are: a signed statement for this push service.
func (p *webPush) vapid(ctx context.Context) (token, key string, err error) {
	private, err := pushKey(ctx, p.store)
	if err != nil {
		return "", "", err
	}
	point, err := public(private)
	if err != nil {
		return "", "", err
	}
	claims, err := json.Marshal(map[string]any{"aud": p.origin, "exp": p.now().Add(12 * time.Hour).Unix(), "sub": p.contact})
	if err != nil {
		return "", "", fmt.Errorf("encode the claims: %w", err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + b64(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
	if err != nil {
		return "", "", fmt.Errorf("sign the claims: %w", err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + b64(signature[:]), b64(point.Bytes()), nil
}
