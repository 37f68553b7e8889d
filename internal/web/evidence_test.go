package web

import (
	"bytes"
	"context"
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
	return EvidenceShape{ID: "pack-" + site, State: "done", SiteIDs: []string{site}, Cameras: []EvidenceCamera{{ID: "cam-" + site}}, Links: []EvidenceLinkShape{}}
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

func (p onePack) UnlockPack(token, passcode string, _ bool) (EvidenceShape, string, error) {
	x, err := p.SharedPack(token)
	if err == nil && passcode != "AAAA" {
		err = &ViewingError{http.StatusForbidden, "passcode", "not the passcode"}
	}
	return x, "l1", err
}

func (onePack) HidePack(_ context.Context, id string, h EvidenceHiding) (EvidenceShape, error) {
	site, _ := strings.CutPrefix(id, "pack-")
	x := packOf(site)
	x.ID, x.Original, x.Reason, x.State = "hidden-"+site, id, h.Reason, "queued"
	return x, nil
}

func (onePack) DeletePack(id string, d EvidenceDeletion) (EvidenceShape, error) {
	site, _ := strings.CutPrefix(id, "pack-")
	x := packOf(site)
	x.State, x.Deletion = "deleted", &d
	return x, nil
}

func (onePack) PackContent(string) (EvidenceContent, error) {
	return EvidenceContent{Cameras: []EvidenceContentCamera{{Name: "<Gate>", Clips: []EvidenceClip{{File: "clips/gate-main.mp4", Bytes: 3}}}}}, nil
}

func (onePack) OpenPackFile(_, file string) (FootageClip, error) {
	if file != "clips/gate-main.mp4" && file != "clips/index.m3u8" && file != "COVER.html" {
		return FootageClip{}, &ViewingError{http.StatusNotFound, "unknown", "no such pack"}
	}
	return FootageClip{ReadSeeker: strings.NewReader("mp4"), Closer: io.NopCloser(nil)}, nil
}

func (onePack) EvidenceKey() EvidenceKeyShape {
	return EvidenceKeyShape{Fingerprint: "print", PEM: "PEM"}
}

func (onePack) ChainHeads() (time.Time, []ChainHead) {
	return time.Time{}, []ChainHead{{Camera: "cam-own", Stream: "main", Seq: 7}}
}

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
	form := func(token, passcode, do string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"/shared", strings.NewReader(url.Values{"t": {token}, "p": {passcode}, "do": {do}}.Encode()))
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
	if status, text := form("token", "wrong", ""); status != http.StatusForbidden || !strings.Contains(text, "not the passcode") {
		t.Errorf("a wrong passcode: %d %s", status, text)
	}
	if status, _ := form("nonsense", "AAAA", "take"); status != http.StatusNotFound {
		t.Errorf("a wrong link: %d", status)
	}
	if status, text := form("token", "AAAA", ""); status != http.StatusOK || !strings.Contains(text, "&lt;Gate&gt;") || !strings.Contains(text, "clips/gate-main.mp4") {
		t.Errorf("what it holds: %d %s", status, text)
	}
	if status, text := form("token", "AAAA", "take"); status != http.StatusOK || text != "pack-own" {
		t.Errorf("the pack: %d %s", status, text)
	}
	if status, text := form("token", "AAAA", "clips/gate-main.mp4"); status != http.StatusOK || text != "mp4" {
		t.Errorf("a clip: %d %s", status, text)
	}
	if status, text := form("token", "AAAA", "key"); status != http.StatusOK || text != "PEM" {
		t.Errorf("the key: %d %s", status, text)
	}
	if status, _ := form("token", "AAAA", "../job.json"); status != http.StatusNotFound {
		t.Errorf("a file that is not of the pack: %d", status)
	}
	const areas = `{"reason":"neighbours","areas":[{"camera":"cam-own","polygon":[[0,0],[1,0],[1,1]]}]}`
	boss.want(http.StatusAccepted, "POST", "/evidence/pack-own/hidden", areas, &got)
	if got.Original != "pack-own" || got.State != "queued" {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{
		`{"reason":"neighbours"}`, // nothing to hide
		`{"reason":"neighbours","areas":[{"camera":"other","polygon":[[0,0],[1,0],[1,1]]}]}`, `{"reason":"neighbours","areas":[{"camera":"cam-own","polygon":[[0,0],[2,0],[1,1]]}]}`,
		`{"areas":[{"camera":"cam-own","polygon":[[0,0],[1,0],[1,1]]}]}`,
	} {
		boss.want(http.StatusUnprocessableEntity, "POST", "/evidence/pack-own/hidden", bad, nil)
	}
	boss.want(http.StatusUnprocessableEntity, "POST", "/evidence/pack-own/delete", `{}`, nil)
	boss.want(http.StatusOK, "POST", "/evidence/pack-own/delete", `{"reason":"handed over"}`, &got)
	if got.State != "deleted" || got.Deletion == nil || got.Deletion.Reason != "handed over" || got.Deletion.ByName == "" {
		t.Errorf("%+v", got)
	}
	p.script(store.RoleSecurity).want(http.StatusForbidden, "POST", "/evidence/pack-own/delete", `{"reason":"handed over"}`, nil) // a script gave no password
	p.script(store.RoleSecurity).want(http.StatusForbidden, "POST", "/evidence/pack-own/hidden", areas, nil)
	var log Items[AuditShape]
	boss.want(http.StatusOK, "GET", "/evidence/pack-own/log", "", &log)
	actions := make(map[string]int)
	for _, e := range log.Items {
		actions[e.Action]++
	}
	for action, want := range map[string]int{"evidence.share": 1, "evidence.unshare": 1, "evidence.take": 3, "evidence.open": 1, "evidence.passcode": 1, "evidence.hide": 1, "evidence.delete": 1} {
		if actions[action] != want {
			t.Errorf("%s is %d times in the log of the pack", action, actions[action])
		}
	}
	list, err := p.store.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, e := range list {
		count[e.Action]++
	}
	for action, want := range map[string]int{"evidence.ask": 3, "evidence.share": 1, "evidence.unshare": 1, "evidence.take": 3, "evidence.passcode": 1} {
		if count[action] != want {
			t.Errorf("%s is %d times in the audit log", action, count[action])
		}
	}
}
