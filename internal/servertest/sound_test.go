package servertest_test

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	mp4 "github.com/abema/go-mp4"

	"github.com/chargewatch/chargewatch/internal/servertest"
	sim "github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestSoundIsRecordedWhereItIsPermitted(t *testing.T) {
	farm, err := sim.New(sim.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = farm.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; farm.Close() })
	if err := farm.Add(sim.Spec{Name: "hall", Sound: true}); err != nil {
		t.Fatal(err)
	}
	s := servertest.Start(t)
	if _, err := s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "mall"}); err != nil {
		t.Fatal(err)
	}
	s.AllowSimulated([]netip.AddrPort{farm.Address()})
	admin := as(t, s, store.RoleAdmin)
	address := farm.URL("hall", sim.MainStream)
	for _, body := range []map[string]any{
		{"id": "heard", "siteId": "mall", "mainUrl": address, "audio": true, "audioReason": "the operator talks to people here"},
		{"id": "silent", "siteId": "mall", "mainUrl": address},
	} {
		if status, text := admin.call("POST", "/cameras", body); status != http.StatusCreated {
			t.Fatalf("added: %d %s", status, text)
		}
	}
	guard := as(t, s, store.RoleSecurity)
	begin := time.Now().Add(-time.Minute)
	span := "?" + url.Values{"from": {begin.UTC().Format(time.RFC3339)}, "to": {begin.Add(25 * time.Minute).UTC().Format(time.RFC3339)}}.Encode()
	tracks := func(camera string) (pictures, sounds int) {
		status, raw := guard.call("GET", "/cameras/"+camera+"/clip.mp4"+span, nil)
		x, err := mp4.Probe(bytes.NewReader(raw))
		if status != http.StatusOK || err != nil {
			return 0, 0
		}
		pictures = len(x.Tracks[0].Samples)
		for _, track := range x.Tracks[1:] {
			sounds += len(track.Samples)
		}
		return pictures, sounds
	}
	servertest.Eventually(t, "some seconds are recorded with sound", func() bool {
		pictures, sounds := tracks("heard")
		return pictures > 60 && sounds > 40
	})
	servertest.Eventually(t, "some seconds are recorded without", func() bool {
		pictures, _ := tracks("silent")
		return pictures > 60
	})
	if _, sounds := tracks("silent"); sounds > 0 {
		t.Errorf("%d pieces of sound that nobody permitted", sounds)
	}
	if status, raw := guard.call("GET", "/cameras/heard/playback/sound.m4a"+span, nil); status != http.StatusOK || !bytes.Contains(raw, []byte("mp4a")) || bytes.Contains(raw, []byte("avc1\x00")) {
		t.Errorf("the sound alone: %d, %d bytes", status, len(raw))
	}
	if status, text := guard.call("GET", "/cameras/silent/playback/sound.m4a"+span, nil); status != http.StatusNotFound {
		t.Errorf("the sound of a silent camera: %d %s", status, text)
	}
	if status, text := as(t, s, store.RoleOperator).call("GET", "/cameras/heard/playback/sound.m4a"+span, nil); status != http.StatusForbidden {
		t.Errorf("an operator listens: %d %s", status, text)
	}
	if _, text := guard.call("GET", "/cameras/heard", nil); !strings.Contains(string(text), `"sound":"aac"`) {
		t.Errorf("what is heard: %s", text)
	}
	// Whoever takes the permission back has silence from then on.
	if status, text := admin.call("PATCH", "/cameras/heard", map[string]any{"audio": false, "audioReason": ""}); status != http.StatusOK {
		t.Fatalf("changed: %d %s", status, text)
	}
	servertest.Eventually(t, "the camera is not asked for sound any more", func() bool {
		_, text := guard.call("GET", "/cameras/heard", nil)
		return strings.Contains(string(text), `"sound":""`)
	})
}
