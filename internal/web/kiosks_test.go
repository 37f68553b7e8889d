package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

const screenSecret = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEF"

// pair makes a browser show a code.
func (c *caller) pair(secret string) string {
	c.t.Helper()
	var x PairingShape
	c.want(http.StatusOK, "POST", "/kiosks/pair", `{"secret":"`+secret+`"}`, &x)
	if len(x.QR.Path) < 1000 || x.QR.Size < 29 {
		c.t.Errorf("QR code: %+v", x.QR)
	}
	return x.Code
}

// screen lets a browser in as a screen of some sites.
func (p *plant) screen(name string, sites string) (*caller, KioskShape) {
	p.t.Helper()
	c := p.browser()
	secret := fmt.Sprintf("%s-%040d", name, 1)
	code := c.pair(secret)
	var k KioskShape
	p.script(store.RoleAdmin).want(http.StatusCreated, "POST", "/kiosks", `{"code":"`+code+`","name":"`+name+`","sites":[`+sites+`]}`, &k)
	c.want(http.StatusOK, "POST", "/kiosks/claim", `{"secret":"`+secret+`"}`, nil)
	return c, k
}

func TestAScreenIsLetInByItsCode(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.site("b")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1})
	p.enrol("b", "S2", event.EVSELayout{EVSE: 1})
	wall, admin := p.browser(), p.script(store.RoleAdmin)
	claim := `{"secret":"` + screenSecret + `"}`

	if got, _ := wall.do("POST", "/kiosks/claim", claim); got != http.StatusNotFound {
		t.Errorf("claimed before asking: %d", got)
	}
	code := wall.pair(screenSecret)
	if again := wall.pair(screenSecret); again != code {
		t.Errorf("the same screen shows %s, then %s", code, again)
	}
	if _, text := wall.do("POST", "/kiosks/claim", claim); !strings.Contains(text, "waiting") {
		t.Errorf("not approved: %s", text)
	}
	if got, _ := wall.do("GET", "/me", ""); got != http.StatusUnauthorized {
		t.Errorf("in before approval: %d", got)
	}
	var seen PendingKioskShape
	admin.get("/kiosks/pending/"+strings.ToLower(code[:3])+"-"+code[3:], &seen)
	if seen.Code != code || seen.RemoteAddr != "127.0.0.1" {
		t.Errorf("got %+v", seen)
	}
	admin.want(http.StatusUnprocessableEntity, "POST", "/kiosks", `{"code":"`+code+`","name":"w","sites":["a"],"views":["https://evil.example/"]}`, nil)
	var k KioskShape
	admin.want(http.StatusCreated, "POST", "/kiosks", `{"code":"`+code+`","name":"Lobby","sites":["a"],"views":["/","/stations?state=faulted"],"rotateSeconds":20}`, &k)
	admin.want(http.StatusNotFound, "POST", "/kiosks", `{"code":"`+code+`","name":"Twice","sites":["a"]}`, nil)

	if _, text := p.browser().do("POST", "/kiosks/claim", `{"secret":"another-secret-that-is-long-enough-0000"}`); !strings.Contains(text, "no screen waits") {
		t.Errorf("a stranger: %s", text)
	}
	if _, text := wall.do("POST", "/kiosks/claim", claim); !strings.Contains(text, "approved") {
		t.Fatalf("approved: %s", text)
	}
	if got, _ := p.browser().do("POST", "/kiosks/claim", claim); got != http.StatusNotFound {
		t.Errorf("claimed twice: %d", got)
	}

	var me Me
	wall.get("/me", &me)
	if me.Role != store.RoleViewer || me.Kiosk == nil || me.Kiosk.RotateSeconds != 20 || len(me.Kiosk.Views) != 2 {
		t.Errorf("got %+v", me)
	}
	if got, _ := wall.do("GET", "/stations/S1", ""); got != http.StatusOK {
		t.Errorf("its site: %d", got)
	}
	if got, _ := wall.do("GET", "/stations/S2", ""); got != http.StatusNotFound {
		t.Errorf("another site: %d", got)
	}
	for path, body := range map[string]string{
		"/stations/S1/commands": `{"action":"Reset"}`, "/users": `{"name":"x","grants":[]}`, "/me/password": `{"password":"long enough it is"}`,
		"/kiosks": `{"code":"x","name":"x","sites":["*"]}`,
	} {
		if got, text := wall.do("POST", path, body); got != http.StatusForbidden {
			t.Errorf("%s: %d %s", path, got, text)
		}
	}
	var audit listBody[AuditShape]
	admin.get("/audit", &audit)
	if len(audit.Items) < 2 || audit.Items[0].Action != "kiosk.claim" || audit.Items[0].ActorName != "Lobby" || audit.Items[1].Action != "kiosk.create" {
		t.Errorf("audit: %+v", audit.Items)
	}
}

type listBody[T any] struct {
	Items []T `json:"items"`
}

func TestAScreenIsShutOutAtOnce(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1})
	wall, k := p.screen("Lobby", `"a"`)
	v := wall.live("ports")
	v.until(func(m message) bool { return m.Type == "ports" && m.Total == 1 })
	admin := p.script(store.RoleAdmin)
	admin.want(http.StatusOK, "PATCH", "/kiosks/"+k.ID, `{"sites":["elsewhere"],"name":"Hall"}`, nil)
	v.until(func(m message) bool { return m.Type == "ports" && m.Snapshot && m.Total == 0 })
	admin.want(http.StatusNoContent, "DELETE", "/kiosks/"+k.ID, "", nil)
	for {
		if _, err := v.read(); err != nil {
			if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("ended with %v", err)
			}
			break
		}
	}
	if got, _ := wall.do("GET", "/me", ""); got != http.StatusUnauthorized {
		t.Errorf("still in: %d", got)
	}
	admin.want(http.StatusNotFound, "DELETE", "/kiosks/"+k.ID, "", nil)
}

func TestTheCookieOfAScreen(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Secure = true })
	code := p.browser().pair(screenSecret)
	p.script(store.RoleAdmin).want(http.StatusCreated, "POST", "/kiosks", `{"code":"`+code+`","name":"w","sites":["*"]}`, nil)
	r, err := http.Post(p.url+base+"/kiosks/claim", "application/json", strings.NewReader(`{"secret":"`+screenSecret+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	got := r.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-chargewatch-kiosk=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}

func TestPairings(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	p := newPairings(func() time.Time { return now })
	secret := func(i int) string { return fmt.Sprintf("%040d", i) }
	codes := make(map[string]bool)
	for i := range maxPairingsPer {
		x, ok := p.ask(secret(i), "192.0.2.1", "192.0.2.1", "")
		if !ok || len(x.Code) != codeLength || strings.ContainsAny(x.Code, "01EILOU") || codes[x.Code] {
			t.Errorf("%+v %v", x, ok)
		}
		codes[x.Code] = true
	}
	if _, ok := p.ask(secret(99), "192.0.2.1", "192.0.2.1", ""); ok {
		t.Error("one source has no bound")
	}
	if _, ok := p.ask(secret(0), "192.0.2.1", "192.0.2.1", ""); !ok {
		t.Error("one that waits is refused")
	}
	for i := range maxPairings {
		p.ask(secret(1000+i), "192.0.2.2", fmt.Sprint("source ", i), "")
	}
	if len(p.byCode) != maxPairings {
		t.Errorf("%d wait", len(p.byCode))
	}
	now = now.Add(pairingLife)
	if _, ok := p.waits(secret(0)); ok {
		t.Error("an old code is good")
	}
	if _, ok := p.ask(secret(99), "192.0.2.1", "192.0.2.1", ""); !ok || len(p.byCode) != 1 {
		t.Errorf("%d are kept for ever", len(p.byCode))
	}
}

func TestAScreenThatDoesNotComeInTime(t *testing.T) {
	p := newPlant(t)
	claim := store.HashSecret(screenSecret)
	k := store.Kiosk{Name: "w", Sites: []string{"*"}, Rotate: 30 * time.Second}
	if _, err := p.store.CreateKiosk(t.Context(), store.System, k, claim); err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.CreateKiosk(t.Context(), store.System, k, claim); !errors.Is(err, store.ErrExists) {
		t.Errorf("twice: %v", err)
	}
	found, err := p.store.Kiosks(t.Context(), "", 10)
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	if _, err := p.store.KioskByID(t.Context(), found[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("in before it came: %v", err)
	}
}

func TestAScreenShowsCamerasOnlyWhereItsSettingsPermitIt(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Viewing, o.Footage = noPictures{}, noFootage{} })
	p.site("a")
	p.site("b")
	for id, zones := range map[string][]store.CameraZone{
		"open": nil, "private": {{ID: "w", Kind: event.ZonePrivacy, Polygon: [][2]float64{{0, 0}, {1, 0}, {1, 1}}}},
	} {
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: id, SiteID: "a", MainURL: "rtsp://10.0.0.9/" + id, Zones: zones}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: "elsewhere", SiteID: "b", MainURL: "rtsp://10.0.0.9/b"}, ""); err != nil {
		t.Fatal(err)
	}
	wall, k := p.screen("hall", `"a"`)
	admin := p.script(store.RoleAdmin)
	const span = "?from=2026-11-22T12:00:00Z&to=2026-11-22T12:10:00Z"
	see := func(open int) {
		t.Helper()
		for _, id := range []string{"open", "private"} {
			wall.want(open, "GET", "/cameras/"+id+"/snapshot.jpg", "", nil)
			for _, past := range []string{"recordings", "clip.mp4", "playback/index.m3u8", "playback/sound.m4a"} {
				wall.want(http.StatusForbidden, "GET", "/cameras/"+id+"/"+past+span, "", nil)
			}
		}
		if got, _ := wall.do("GET", "/cameras/elsewhere/snapshot.jpg", ""); got == http.StatusOK {
			t.Error("it sees a camera of another site")
		}
	}
	see(http.StatusForbidden)
	if k.Video {
		t.Error("a screen shows cameras though nobody said so")
	}
	admin.want(http.StatusOK, "PATCH", "/kiosks/"+k.ID, `{"video":true}`, &k)
	see(http.StatusOK)
	var me struct{ Permissions []Permission }
	wall.get("/me", &me)
	if !k.Video || !slices.Contains(me.Permissions, VideoLive) || slices.Contains(me.Permissions, VideoUnmasked) || slices.Contains(me.Permissions, VideoReview) {
		t.Errorf("%v: %v", k.Video, me.Permissions)
	}
	var cam CameraShape
	if wall.get("/cameras/private", &cam); !cam.Masked {
		t.Error("what is private in a picture is not hidden from a screen")
	}
	admin.want(http.StatusOK, "PATCH", "/kiosks/"+k.ID, `{"video":false}`, &k)
	see(http.StatusForbidden)
}
