package notify_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// A browser belongs to somebody: it is told what they may see, as of now.
func TestABrowserIsToldWhatItsOwnerMaySee(t *testing.T) {
	browser, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	rand.Read(auth) //nolint:errcheck // documented never to fail
	b64 := base64.RawURLEncoding
	c := newCatcher(t, true)
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.WebPush())
	tess, err := d.store.CreateUser(t.Context(), store.System, store.User{Name: "Tess", Grants: []store.Grant{{Role: store.RoleTechnician, Sites: []string{"ham"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.CreateUser(t.Context(), store.System, store.User{Name: "Ada", Password: "x", Grants: []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}}}); err != nil {
		t.Fatal(err)
	}
	id := d.channel(store.Channel{
		Type: "webPush", Owner: store.Actor(tess.ID), Settings: map[string]any{"contact": "https://watch.example.org", "caCertificate": c.authority()},
		Secrets: store.Secrets{"endpoint": c.URL + "/push/abc", "p256dh": b64.EncodeToString(browser.PublicKey().Bytes()), "auth": b64.EncodeToString(auth)},
	})
	row, err := d.store.Channel(t.Context(), id)
	if err != nil || row.Owner != store.Actor(tess.ID) {
		t.Fatalf("%+v, %v", row, err)
	}
	kind := notify.WebPush()
	reach := outward.New(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	made, err := kind.Make(*row, notify.Tools{Reach: reach, Store: d.store, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	tell := func(site string, discreet bool) error {
		n := opened("i1", "S2")
		n.SiteID, n.Discreet = site, discreet
		return made.Send(t.Context(), notify.Message{Key: "k", Items: []notify.Item{{Notice: n, Key: "k"}}})
	}
	for _, tt := range []struct {
		name, site string
		before     func(*store.User)
		want       int // messages in all
		discreet   bool
		ends       bool // with an error
	}{
		{"of their site", "ham", nil, 1, false, false},
		{"of another site", "ber", nil, 1, false, false},
		{"of no site", "", nil, 1, false, false},
		{"of all sites", "ber", func(u *store.User) { u.Grants[0].Sites = []string{store.AllSites} }, 2, false, false},
		{"of duress, and they may not see people", "ber", nil, 2, true, false},
		{"of duress, and they may", "ber", func(u *store.User) { u.Grants[0].Role = store.RoleSecurity }, 3, true, false},
		{"of somebody who left", "ham", func(u *store.User) { u.Disabled = true }, 3, false, true},
	} {
		if tt.before != nil {
			if _, err := d.store.UpdateUser(t.Context(), store.System, tess.ID, tt.before); err != nil {
				t.Fatal(err)
			}
		}
		err := tell(tt.site, tt.discreet)
		if (err != nil) != tt.ends || c.count() != tt.want {
			t.Errorf("%s: %d messages, %v", tt.name, c.count(), err)
		}
	}
}
