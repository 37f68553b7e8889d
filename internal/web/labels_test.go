package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/seal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// taken collects what other systems tell.
type taken struct {
	mu   sync.Mutex
	list []LabelReport
	full bool
}

func (k *taken) AdmitLabels(string) bool { return !k.full }

func (k *taken) TakeLabels(_ context.Context, r LabelReport) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, r)
	return nil
}

// hooked is a plant that takes labels, with a secret of the camera, the site, or
// both.
func hooked(t *testing.T) (p *plant, k *taken, ofCamera, ofSite string) {
	t.Helper()
	k = &taken{}
	p = newPlant(t, func(o *Options) { o.Labels = k })
	p.site("mall")
	p.site("other")
	for id, site := range map[string]string{"gate": "mall", "yard": "mall", "far": "other"} {
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: id, SiteID: site, MainURL: "rtsp://10.0.0.9/" + id}, ""); err != nil {
			t.Fatal(err)
		}
	}
	admin := p.script(store.RoleAdmin)
	secret := func(path string) string {
		var out struct{ Secret string }
		admin.want(http.StatusCreated, "POST", path, "", &out)
		return out.Secret
	}
	return p, k, secret("/cameras/gate/labels/secret"), secret("/sites/mall/labels/secret")
}

func signHook(secret, body string, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(t + "." + body))
	return "t=" + t + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

func (p *plant) hook(camera, body, signature string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+base+"/cameras/"+camera+"/labels", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if signature != "" {
		r.Header.Set("X-Chargewatch-Signature", signature)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

const aPersonSeen = `{"engine":"box","labels":[{"what":"person","score":0.87,"box":[0.1,0.2,0.3,0.4]},{"what":"plate","plate":"B-CW 1"}]}`

func TestLabelsAreTakenWithASignatureOnce(t *testing.T) {
	p, k, ofCamera, ofSite := hooked(t)
	now := time.Now()
	good := signHook(ofCamera, aPersonSeen, now)
	if got, text := p.hook("gate", aPersonSeen, good); got != http.StatusOK || !strings.Contains(text, `"recorded":2`) {
		t.Fatalf("%d %s", got, text)
	}
	if x := k.list[0]; x.Camera != "gate" || x.Engine != "box" || x.Items[0].Box != [4]float64{0.1, 0.2, 0.3, 0.4} || x.Items[1].Text != "B-CW 1" {
		t.Errorf("taken %+v", x)
	}
	bySite := `{"camera":"yard",` + aPersonSeen[1:]
	for name, c := range map[string]struct {
		camera, body, signature string
		want                    int
		says                    string
	}{
		"the same again":                           {"gate", aPersonSeen, good, http.StatusConflict, "already"},
		"without a signature":                      {"gate", aPersonSeen, "", http.StatusUnauthorized, ""},
		"with half of one":                         {"gate", aPersonSeen, strings.Split(good, ",")[0], http.StatusUnauthorized, ""},
		"another body":                             {"gate", aPersonSeen + " ", good, http.StatusUnauthorized, ""},
		"another secret":                           {"gate", aPersonSeen, signHook("guess", aPersonSeen, now), http.StatusUnauthorized, ""},
		"from yesterday":                           {"gate", aPersonSeen, signHook(ofCamera, aPersonSeen, now.Add(-24*time.Hour)), http.StatusUnauthorized, "not of now"},
		"from before this process":                 {"gate", aPersonSeen, signHook(ofCamera, aPersonSeen, p.started.Add(-2*time.Second)), http.StatusUnauthorized, "not of now"},
		"from tomorrow":                            {"gate", aPersonSeen, signHook(ofCamera, aPersonSeen, now.Add(24*time.Hour)), http.StatusUnauthorized, "not of now"},
		"of a camera with another's secret":        {"yard", aPersonSeen, signHook(ofCamera, aPersonSeen, now), http.StatusUnauthorized, ""},
		"of a camera that nobody may tell of":      {"far", aPersonSeen, signHook(ofSite, aPersonSeen, now), http.StatusUnauthorized, ""},
		"of no camera":                             {"none", aPersonSeen, signHook(ofCamera, aPersonSeen, now), http.StatusUnauthorized, ""},
		"with the secret of the site":              {"yard", bySite, signHook(ofSite, bySite, now), http.StatusOK, ""},
		"meant for the site's other camera":        {"gate", bySite, signHook(ofSite, bySite, now.Add(time.Second)), http.StatusUnprocessableEntity, "body.camera"},
		"with the site's secret and for no camera": {"yard", aPersonSeen, signHook(ofSite, aPersonSeen, now.Add(2*time.Second)), http.StatusUnprocessableEntity, "body.camera"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, text := p.hook(c.camera, c.body, c.signature); got != c.want || !strings.Contains(text, c.says) {
				t.Errorf("%d %s", got, text)
			}
		})
	}
	p.script(store.RoleAdmin).want(http.StatusNoContent, "DELETE", "/cameras/gate/labels/secret", "", nil)
	if got, _ := p.hook("gate", `{"labels":[]}`, signHook(ofCamera, `{"labels":[]}`, now)); got != http.StatusUnauthorized {
		t.Errorf("with a secret that is void: %d", got)
	}
}

func TestLabelsThatAreWrongAreRefusedWithThePathOfEachFault(t *testing.T) {
	p, k, secret, _ := hooked(t)
	for name, c := range map[string]struct {
		body string
		want int
		says []string
	}{
		"no JSON":             {`<xml>`, http.StatusBadRequest, nil},
		"no labels":           {`{}`, 422, []string{"body"}},
		"an unknown field":    {`{"labels":[],"zone":"x"}`, 422, []string{"body.zone"}},
		"things nobody asked": {`{"labels":[{"what":"ship"}]}`, 422, []string{"body.labels[0].what"}},
		"a score in percent":  {`{"labels":[{"what":"person","score":87}]}`, 422, []string{"body.labels[0].score"}},
		"several":             {`{"labels":[{"what":"person","box":[0,0,2,1]},{"what":"person","plate":"X"},{"what":"plate","plate":"----"}]}`, 422, []string{"body.labels[0].box[2]", "body.labels[1].plate", "body.labels[2].plate"}},
		"a box over the edge": {`{"labels":[{"what":"person","box":[0.9,0,0.5,1]}]}`, 422, []string{"body.labels[0].box"}},
		"half a box":          {`{"labels":[{"what":"person","box":[0.9,0]}]}`, 422, []string{"body.labels[0].box"}},
		"of last week":        {`{"at":"2020-01-01T00:00:00Z","labels":[]}`, 422, []string{"body.at"}},
		"too many":            {`{"labels":[` + strings.Repeat(`{"what":"person"},`, 32) + `{"what":"person"}]}`, 422, []string{"body.labels"}},
		"too large":           {`{"labels":[],"engine":"` + strings.Repeat("x", maxSignedBody) + `"}`, 413, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, text := p.hook("gate", c.body, signHook(secret, c.body, time.Now()))
			if got != c.want {
				t.Errorf("%d %s", got, text)
			}
			for _, at := range c.says {
				if !strings.Contains(text, `"`+at+`"`) {
					t.Errorf("it does not name %s: %s", at, text)
				}
			}
		})
	}
	if len(k.list) != 0 {
		t.Errorf("taken all the same: %+v", k.list)
	}
	k.full = true
	if got, _ := p.hook("gate", aPersonSeen, signHook(secret, aPersonSeen, time.Now())); got != http.StatusTooManyRequests {
		t.Errorf("beyond the measure: %d", got)
	}
}

func TestLabelsAreShownToThoseWhoMaySeePictures(t *testing.T) {
	p, _, _, _ := hooked(t)
	plate, err := p.store.PlateID(t.Context(), "B CW 1")
	if err != nil {
		t.Fatal(err)
	}
	p.say(event.Camera("gate"), &event.Labels{SiteID: "mall", Source: event.LabelsOfVerifier, Engine: "x", Items: []event.Label{{What: event.ScenePerson, Score: 0.9, Box: [4]float64{0, 0, 1, 1}}, {What: event.ScenePlate, Plate: plate}}})
	var out struct{ Items []LabelsShape }
	p.script(store.RoleSecurity).want(http.StatusOK, "GET", "/cameras/gate/labels", "", &out)
	if len(out.Items) != 1 || len(out.Items[0].Items) != 2 || out.Items[0].Items[0].Box[3] != 1 || out.Items[0].Items[1].Plate != "BCW1" {
		t.Errorf("listed %+v", out.Items)
	}
	for _, role := range []store.Role{store.RoleViewer, store.RoleOperator} {
		if got, _ := p.script(role).do("GET", "/cameras/gate/labels", ""); got != http.StatusForbidden {
			t.Errorf("%s: %d", role, got)
		}
	}
	if got, text := p.script(store.RoleViewer).do("GET", "/events?kind=camera.labels", ""); got != http.StatusOK || strings.Contains(text, "BCW1") {
		t.Errorf("the journal shows the plate: %d %s", got, text)
	}
	p.script(store.RoleAdmin).want(http.StatusNoContent, "DELETE", "/plates/"+plate, "", nil)
	p.script(store.RoleSecurity).want(http.StatusOK, "GET", "/cameras/gate/labels", "", &out)
	if out.Items[0].Items[1].Plate != "" || out.Items[0].Items[1].PlateID != plate {
		t.Errorf("after it was erased: %+v", out.Items)
	}
}

// bare is a web server with one camera and its secret.
type bare struct {
	*Server
	secret string
}

func newBare(f *testing.F, k *taken) bare {
	db := coredbtest.Open(f)
	log, err := sqlite.Open(f.Context(), sqlite.Options{DB: db})
	if err != nil {
		f.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- log.Run(context.Background()) }()
	root, err := os.OpenRoot(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := errors.Join(log.Close(), <-ran, db.Close(), root.Close()); err != nil {
			f.Error(err)
		}
	})
	box, err := seal.Open(root)
	if err != nil {
		f.Fatal(err)
	}
	st, err := store.Open(f.Context(), store.Options{DB: db, Journal: log, Box: box})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := st.CreateSite(f.Context(), store.System, store.Site{ID: "mall", TimeZone: "Europe/Berlin"}); err != nil {
		f.Fatal(err)
	}
	if _, err := st.CreateCamera(f.Context(), store.System, store.Camera{ID: "gate", SiteID: "mall", MainURL: "rtsp://10.0.0.9/gate"}, ""); err != nil {
		f.Fatal(err)
	}
	secret, err := st.NewLabelSecret(f.Context(), store.System, event.Camera("gate"))
	if err != nil {
		f.Fatal(err)
	}
	return bare{New(Options{Store: st, Fleet: log, History: log, Past: log, Log: log, Labels: k}), secret}
}

// FuzzLabelBody sends bodies through the whole handler: whatever comes, it is taken
// within the bounds or refused as the caller's fault.
func FuzzLabelBody(f *testing.F) {
	for _, s := range []string{aPersonSeen, `{"labels":[]}`, `{"labels":[{"what":"plate","plate":"\u0000"}]}`, `{"labels":null}`, `[]`, `{"at":"x"}`, `{"labels":[{"what":"person","box":[1e400,0,0,0]}]}`} {
		f.Add([]byte(s))
	}
	var k taken
	s := newBare(f, &k)
	f.Fuzz(func(t *testing.T, body []byte) {
		k.list = nil
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, base+"/cameras/gate/labels", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Chargewatch-Signature", signHook(s.secret, string(body), time.Now()))
		s.ServeHTTP(w, r)
		switch {
		case w.Code == http.StatusOK && len(k.list) == 1:
			for _, x := range k.list[0].Items {
				if !x.What.Labelled() || !(x.Score >= 0 && x.Score <= 1) {
					t.Fatalf("taken %+v", x)
				}
				for i := range 4 {
					if !(x.Box[i] >= 0 && x.Box[i] <= 1) {
						t.Fatalf("taken %+v", x)
					}
				}
			}
		case w.Code == http.StatusConflict: // the same body within a second
		case w.Code >= 400 && w.Code < 500 && len(k.list) == 0 && json.Valid(w.Body.Bytes()):
		default:
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
