package servertest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	mp4 "github.com/abema/go-mp4"

	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// person calls the API as somebody with a role.
type person struct {
	t      *testing.T
	base   string
	secret string
}

func as(t *testing.T, s *servertest.Server, role store.Role) *person {
	t.Helper()
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: string(role), Grants: []store.Grant{{Role: role, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	return &person{t, "http://" + s.HTTPAddress() + "/api/v1", secret}
}

func (p *person) call(method, path string, body any) (int, []byte) {
	p.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, bytes.NewReader(data))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.secret)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, b
}

// What a camera shows is on the disk a moment later and can be looked at.
func TestWhatACameraShowsCanBeLookedAtAgain(t *testing.T) {
	_, at := newGate(t)
	s := servertest.Start(t)
	if _, err := s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "mall"}); err != nil {
		t.Fatal(err)
	}
	s.AllowSimulated([]netip.AddrPort{at})
	admin := as(t, s, store.RoleAdmin)
	if status, text := admin.call("POST", "/cameras", map[string]any{"id": "gate", "siteId": "mall", "mainUrl": fmt.Sprintf("rtsp://%s/main", at)}); status != http.StatusCreated {
		t.Fatalf("added: %d %s", status, text)
	}
	guard := as(t, s, store.RoleSecurity)
	var got struct {
		Items []struct{ From, To time.Time }
		Bytes int64
	}
	begin := time.Now().Add(-time.Minute)
	span := "?" + url.Values{"from": {begin.UTC().Format(time.RFC3339)}, "to": {begin.Add(time.Hour).UTC().Format(time.RFC3339)}}.Encode()
	servertest.Eventually(t, "some seconds are recorded", func() bool {
		status, text := guard.call("GET", "/cameras/gate/recordings"+span, nil)
		if err := json.Unmarshal(text, &got); err != nil || status != http.StatusOK {
			t.Fatalf("recordings: %d %s", status, text)
		}
		return len(got.Items) == 1 && got.Items[0].To.Sub(got.Items[0].From) > 3*time.Second && got.Bytes > 0
	})
	status, clip := guard.call("GET", "/cameras/gate/clip.mp4"+span, nil)
	if status != http.StatusOK {
		t.Fatalf("clip: %d %s", status, clip)
	}
	if x, err := mp4.Probe(bytes.NewReader(clip)); err != nil || len(x.Tracks) != 1 || len(x.Tracks[0].Samples) < 40 {
		t.Errorf("clip: %v", err)
	}
	status, list := guard.call("GET", "/cameras/gate/playback/index.m3u8"+span, nil)
	if status != http.StatusOK || !bytes.HasPrefix(list, []byte("#EXTM3U")) {
		t.Fatalf("playlist: %d %s", status, list)
	}
	files := 0
	for line := range strings.Lines(string(list)) {
		line = strings.TrimSpace(line)
		if file, ok := strings.CutPrefix(line, `#EXT-X-MAP:URI="`); ok {
			line = strings.TrimSuffix(file, `"`)
		} else if strings.HasPrefix(line, "#") {
			continue
		}
		if status, b := guard.call("GET", "/cameras/gate/playback/"+line, nil); status != http.StatusOK || len(b) < 500 {
			t.Errorf("%s: %d, %d bytes", line, status, len(b))
		}
		files++
	}
	if files < 2 {
		t.Errorf("playlist:\n%s", list)
	}
	at1 := url.QueryEscape(got.Items[0].From.Add(time.Second).UTC().Format(time.RFC3339Nano))
	status, picture := guard.call("GET", "/cameras/gate/playback/picture.jpg?at="+at1, nil)
	if m, err := jpeg.Decode(bytes.NewReader(picture)); status != http.StatusOK || err != nil || m.Bounds().Dx() != 192 {
		t.Errorf("picture: %d %.200s %v", status, picture, err)
	}
	if status, _ := guard.call("GET", "/cameras/gate/playback/picture.jpg?at=2020-01-01T00:00:00Z", nil); status != http.StatusNotFound {
		t.Errorf("a picture of years ago: %d", status)
	}
	if status, text := as(t, s, store.RoleOperator).call("GET", "/cameras/gate/clip.mp4"+span, nil); status != http.StatusForbidden {
		t.Errorf("an operator takes a clip: %d %s", status, text)
	}
	servertest.Eventually(t, "the camera says since when it is on the disk", func() bool {
		_, text := guard.call("GET", "/cameras/gate", nil)
		return strings.Contains(string(text), `"recordedAt":"20`)
	})
	if status, text := guard.call("GET", "/cameras/gate/retention", nil); status != http.StatusOK || !strings.Contains(string(text), `"promisedDays":3`) {
		t.Errorf("retention: %d %s", status, text)
	}
}
