package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// onePack has a pack of each site: pack-SITE.
type onePack struct{}

func packOf(site string) EvidenceShape {
	return EvidenceShape{ID: "pack-" + site, State: "done", SiteIDs: []string{site}, Cameras: []string{"cam-" + site}, Links: []EvidenceLinkShape{}}
}

func (onePack) Ask(_ context.Context, r EvidenceRequest) (EvidenceShape, error) {
	x := packOf(r.Cameras[0].SiteID)
	x.From, x.To, x.Reason, x.State, x.Incident = r.From, r.To, r.Reason, "queued", r.Incident
	return x, nil
}
func (onePack) Packs() []EvidenceShape { return []EvidenceShape{packOf(own), packOf(foreign)} }
func (onePack) Pack(id string) (EvidenceShape, bool) {
	site, ok := strings.CutPrefix(id, "pack-")
	return packOf(site), ok
}

func (onePack) OpenPack(id string) (FootageClip, error) {
	return FootageClip{ReadSeeker: bytes.NewReader([]byte(id)), Closer: io.NopCloser(nil)}, nil
}

func (onePack) SharePack(_ string, until time.Time) (EvidenceLinkShape, string, error) {
	return EvidenceLinkShape{ID: "l1", ExpiresAt: until, Passcode: "AAAA"}, "token", nil
}
func (onePack) UnsharePack(string, string) error { return nil }
func (onePack) SharedPack(token string) (EvidenceShape, error) {
	if token != "token" {
		return EvidenceShape{}, &ViewingError{http.StatusUnprocessableEntity, "link", "not valid"}
	}
	x := packOf(own)
	x.Bytes = int64(len(x.ID))
	return x, nil
}

func (p onePack) UnlockPack(token, passcode string) (EvidenceShape, string, error) {
	x, err := p.SharedPack(token)
	if err == nil && passcode != "AAAA" {
		err = &ViewingError{http.StatusForbidden, "passcode", "not the passcode"}
	}
	return x, "l1", err
}
func (onePack) EvidenceKey() (pem []byte, fingerprint string) { return []byte("PEM"), "print" }
func (onePack) ChainHeads() []ChainHead {
	return []ChainHead{{Camera: "cam-own", Stream: "main", Seq: 7}}
}
func (onePack) SignHeads(b []byte) []byte { return []byte(fmt.Sprint(len(b))) }

func TestEvidenceIsAskedForWithAPasswordAndNoted(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Evidence = onePack{} })
	p.site(own)
	p.site(foreign)
	for id, site := range map[string]string{"gate": own, "other": foreign} {
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: id, SiteID: site, MainURL: "rtsp://10.0.0.9/" + id}, ""); err != nil {
			t.Fatal(err)
		}
	}
	const body = `{"cameras":["gate"],"from":"2026-11-22T12:00:00Z","to":"2026-11-22T13:00:00Z","reason":"cable theft"}`
	p.script(store.RoleAdmin).want(http.StatusForbidden, "POST", "/evidence", body, nil) // a script gave no password
	p.script(store.RoleOperator).want(http.StatusForbidden, "GET", "/evidence", "", nil)
	boss := p.admin()
	var got EvidenceShape
	boss.want(http.StatusAccepted, "POST", "/evidence", body, &got)
	if got.State != "queued" || got.Reason != "cable theft" {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{
		`{}`, `{"cameras":["gate"],"reason":"cable theft"}`, `{"cameras":["nobody"],"from":"2026-11-22T12:00:00Z","to":"2026-11-22T13:00:00Z","reason":"cable theft"}`,
		`{"cameras":["gate"],"incident":"x","from":"2026-11-22T12:00:00Z","to":"2026-11-22T13:00:00Z","reason":"cable theft"}`,
		`{"cameras":["gate"],"from":"2026-11-22T12:00:00Z","to":"2026-11-24T13:00:00Z","reason":"cable theft"}`,
		`{"cameras":["gate"],"from":"2026-11-22T12:00:00Z","to":"2026-11-22T13:00:00Z","reason":"x"}`,
		`{"cameras":["gate"],"from":"2026-11-22T12:00:00Z","to":"2026-11-22T13:00:00Z","reason":"cable theft","more":1}`,
	} {
		boss.want(http.StatusUnprocessableEntity, "POST", "/evidence", bad, nil)
	}
	p.enrol(own, "S1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	p.connect("S1", "ocpp1.6")
	incident := p.incidentAt("S1")
	boss.want(http.StatusAccepted, "POST", "/evidence", `{"incident":"`+incident+`","reason":"cable theft"}`, &got)
	if got.Incident != incident || got.From.IsZero() || !got.To.After(got.From) {
		t.Errorf("%+v", got)
	}
	var link EvidenceLinkShape
	boss.want(http.StatusCreated, "POST", "/evidence/pack-own/links", `{"expiresAt":"2026-11-29T12:00:00Z"}`, &link)
	if link.URL != "/shared?t=token" || link.Passcode != "AAAA" {
		t.Errorf("%+v", link)
	}
	boss.want(http.StatusNoContent, "DELETE", "/evidence/pack-own/links/l1", "", nil)
	boss.want(http.StatusOK, "GET", "/evidence/pack-own/pack.zip", "", nil)
	guest := &http.Client{}
	form := func(token, passcode string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"/shared", strings.NewReader(url.Values{"t": {token}, "p": {passcode}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := guest.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	if status, text := form("token", "wrong"); status != http.StatusForbidden || !strings.Contains(text, "not the passcode") {
		t.Errorf("a wrong passcode: %d %s", status, text)
	}
	if status, _ := form("nonsense", "AAAA"); status != http.StatusNotFound {
		t.Errorf("a wrong link: %d", status)
	}
	if status, text := form("token", "AAAA"); status != http.StatusOK || text != "pack-own" {
		t.Errorf("the pack: %d %s", status, text)
	}
	list, err := p.store.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, e := range list {
		count[e.Action]++
	}
	for action, want := range map[string]int{"evidence.ask": 2, "evidence.share": 1, "evidence.unshare": 1, "evidence.take": 2, "evidence.passcode": 1} {
		if count[action] != want {
			t.Errorf("%s is %d times in the audit log", action, count[action])
		}
	}
}
