package web

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
)

func pushKeys(t *testing.T, endpoint string) string {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"name":"Chrome, Android","language":"de","endpoint":%q,"p256dh":%q,"auth":%q}`, endpoint, b64(key.PublicKey().Bytes()), b64(make([]byte, 16)))
}

func TestADeviceIsItsOwners(t *testing.T) {
	p, _, _ := newTelling(t)
	p.site(own)
	tess, tech := p.person("Tess", store.RoleTechnician, own)
	_, other := p.person("Theo", store.RoleTechnician, own)
	_, viewer := p.person("Vera", store.RoleViewer, own)
	admin := p.script(store.RoleAdmin)
	var d, again DeviceShape
	good := pushKeys(t, "https://push.example/abc")
	viewer.want(http.StatusForbidden, "POST", "/me/devices", good, nil)
	admin.want(http.StatusForbidden, "POST", "/me/devices", good, nil) // a script has no browser
	for name, body := range map[string]string{
		"no key":                        `{"name":"x","endpoint":"https://push.example/abc","p256dh":"AAAA","auth":"AAAA"}`,
		"in the clear":                  strings.Replace(good, "https://", "http://", 1),
		"a language that is not spoken": strings.Replace(good, `"de"`, `"xx"`, 1),
		"another scheme":                strings.Replace(good, "https://push", "file://push", 1),
		"unknown field":                 strings.Replace(good, `"name"`, `"owner":"u-1","name"`, 1),
	} {
		if got, text := tech.do("POST", "/me/devices", body); got != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, got, text)
		}
	}
	tech.want(http.StatusCreated, "POST", "/me/devices", good, &d)
	tech.want(http.StatusCreated, "POST", "/me/devices", pushKeys(t, "https://push.example/abc"), &again)
	if d.ID != again.ID || !d.Enabled || d.Routed {
		t.Errorf("told twice: %+v, %+v", d, again)
	}
	var list struct {
		Items   []DeviceShape
		PushKey string
	}
	tech.get("/me/devices", &list)
	if len(list.Items) != 1 || list.PushKey == "" {
		t.Errorf("%+v", list)
	}
	list.Items = nil
	other.get("/me/devices", &list)
	if len(list.Items) != 0 {
		t.Errorf("another sees %+v", list.Items)
	}
	var c ChannelShape
	admin.get("/channels/"+d.ID, &c)
	if c.Owner != tess.ID || c.Type != webPushType || strings.Contains(fmt.Sprint(c.Settings), "abc") || c.Settings["language"] != "de" {
		t.Errorf("as a channel: %+v", c)
	}
	var hook ChannelShape
	admin.want(http.StatusCreated, "POST", "/channels", `{"name":"Ops","type":"webhook","settings":{"url":"https://ops.example"},"secrets":{"secret":"sixteen or more characters"}}`, &hook)
	for _, path := range []string{"/me/devices/" + d.ID, "/me/devices/" + hook.ID} {
		other.want(http.StatusNotFound, "DELETE", path, "", nil)
		other.want(http.StatusNotFound, "POST", path+"/test", "", nil)
	}

	// A route of others leads to it: it is emptied and stays.
	var routing store.Routing
	admin.get("/routing", &routing)
	routing.Routes = []store.Route{{Name: "all", Channels: []string{d.ID}}}
	if _, err := p.store.PutRouting(t.Context(), store.System, routing); err != nil {
		t.Fatal(err)
	}
	tech.get("/me/devices", &list)
	if len(list.Items) != 1 || !list.Items[0].Routed {
		t.Errorf("routed: %+v", list.Items)
	}
	tech.want(http.StatusNoContent, "DELETE", "/me/devices/"+d.ID, "", nil)
	kept, err := p.store.Channel(t.Context(), d.ID)
	if err != nil || kept.Enabled || len(kept.Secrets) != 0 {
		t.Errorf("removed while routed: %+v, %v", kept, err)
	}
	for i := range maxDevices - 1 {
		tech.want(http.StatusCreated, "POST", "/me/devices", pushKeys(t, fmt.Sprintf("https://push.example/%d", i)), &d)
	}
	tech.want(http.StatusConflict, "POST", "/me/devices", pushKeys(t, "https://push.example/more"), nil)
	tech.want(http.StatusNoContent, "DELETE", "/me/devices/"+d.ID, "", nil)
	if _, err := p.store.Channel(t.Context(), d.ID); err == nil {
		t.Error("removed, and still there")
	}
}
