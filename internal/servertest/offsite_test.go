package servertest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mp4 "github.com/abema/go-mp4"

	"github.com/chargewatch/chargewatch/internal/camera/offsite"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Somebody covers a camera: what it and its neighbour saw is at the second place,
// and plays there without us.
func TestTheLastMinuteIsCopiedWhenACameraIsCovered(t *testing.T) {
	_, at := newGate(t)
	s := servertest.Start(t)
	if _, err := s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "mall"}); err != nil {
		t.Fatal(err)
	}
	s.AllowSimulated([]netip.AddrPort{at})
	admin, guard := as(t, s, store.RoleAdmin), as(t, s, store.RoleSecurity)
	for _, id := range []string{"gate", "yard"} {
		if status, text := admin.call("POST", "/cameras", map[string]any{"id": id, "siteId": "mall", "mainUrl": fmt.Sprintf("rtsp://%s/main", at)}); status != http.StatusCreated {
			t.Fatalf("added: %d %s", status, text)
		}
	}
	place := t.TempDir()
	p := store.SecondPlace{Kind: store.PlaceFolder, Folder: place}
	if err := (&offsite.Folder{Path: place}).Choose(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.SetSecondPlace(t.Context(), store.System, p); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"gate", "yard"} {
		servertest.Eventually(t, "some seconds of "+id+" are recorded", func() bool {
			now := time.Now().UTC()
			status, _ := guard.call("GET", "/cameras/"+id+"/clip.mp4?from="+now.Add(-time.Minute).Format(time.RFC3339)+"&to="+now.Add(time.Minute).Format(time.RFC3339), nil)
			return status == http.StatusOK
		})
	}
	now := time.Now()
	if _, err := s.Journal.Append(t.Context(), &event.Event{
		Subject: event.Camera("gate"), At: now, ReceivedAt: now, Origin: event.FromUs,
		Body: &event.Scene{ID: "1", SiteID: "mall", What: event.SceneCovered, Phase: event.SceneStarted, Source: "picture"},
	}); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []struct{ CameraID, State, Name, Place, IncidentID string }
	}
	servertest.Eventually(t, "both are copied", func() bool {
		status, text := guard.call("GET", "/video/copies?state=done", nil)
		if err := json.Unmarshal(text, &list); err != nil || status != http.StatusOK {
			t.Fatalf("copies: %d %s", status, text)
		}
		return len(list.Items) >= 2
	})
	for _, c := range list.Items {
		var of struct{ Items []struct{ CameraID string } }
		if c.Place != place {
			t.Errorf("the copy of %s is said to be at %q", c.CameraID, c.Place)
		}
		if _, text := guard.call("GET", "/video/copies?incident="+c.IncidentID, nil); json.Unmarshal(text, &of) != nil || len(of.Items) == 0 {
			t.Errorf("copies of the incident: %s", text)
		}
	}
	files, err := filepath.Glob(filepath.Join(place, "chargewatch/mall/*/*.mp4"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		if x, err := mp4.Probe(f); err != nil || len(x.Tracks) != 1 || len(x.Tracks[0].Samples) < 5 {
			t.Errorf("%s does not play: %v", file, err)
		}
		_ = f.Close()
		if b, err := os.ReadFile(strings.TrimSuffix(file, ".mp4") + ".json"); err != nil || !strings.Contains(string(b), `"signature":"`) {
			t.Errorf("%s: %v", b, err)
		}
	}
	if status, text := as(t, s, store.RoleOperator).call("GET", "/video/copies", nil); status != http.StatusForbidden {
		t.Errorf("an operator sees copies: %d %s", status, text)
	}
	if status, text := admin.call("POST", "/video/second-place/test", map[string]any{"kind": "folder", "folder": place}); status != http.StatusOK || !strings.Contains(string(text), `"ok":true`) {
		t.Errorf("test of the folder: %d %s", status, text)
	}
	for _, c := range []struct{ body, says string }{
		{`{"kind":"folder","folder":"` + s.Config.Data + `/video"}`, `"reason":"sameFolder"`},
		{`{"kind":"folder","folder":"/nowhere/at/all"}`, `"reason":"notThere"`},
		{`{"kind":"s3","endpoint":"http://169.254.169.254","bucket":"pictures","accessKey":"a","secretKey":"b"}`, `"reason":"notAllowed"`},
		{`{"kind":"s3","endpoint":"http://` + s.HTTPAddress() + `","bucket":"pictures","accessKey":"a","secretKey":"b"}`, `"reason":"notAllowed"`},
		{`{"kind":"s3","endpoint":"https://10.0.0.1","bucket":"pictures","accessKey":"a"}`, `"body.secretKey"`},
	} {
		if _, text := admin.call("POST", "/video/second-place/test", json.RawMessage(c.body)); !strings.Contains(string(text), c.says) {
			t.Errorf("%s: %s", c.body, text)
		}
	}
	if status, text := admin.call("PUT", "/video/second-place", map[string]any{"kind": "folder", "folder": place}); status != http.StatusForbidden || !strings.Contains(string(text), "password") {
		t.Errorf("decided without a password: %d %s", status, text)
	}
}
