package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// noFootage answers with the name of the camera.
type noFootage struct{}

func (noFootage) Recordings(_ context.Context, _, stream string, from, to time.Time) (FootageShape, error) {
	return FootageShape{Items: []FootageSpan{{from, to}}, Stream: stream}, nil
}

func (noFootage) Retention(string) (RetentionState, bool) {
	return RetentionState{EffectiveDays: new(1.5), LimitedBy: "disk", Short: true}, true
}

func (noFootage) Clip(_ context.Context, camera, _ string, from, to time.Time) (FootageClip, error) {
	return FootageClip{ReadSeeker: bytes.NewReader([]byte(camera)), Closer: io.NopCloser(nil), From: from, To: to}, nil
}

func (noFootage) Sound(_ context.Context, camera, _ string, from, to time.Time) (FootageClip, error) {
	return FootageClip{ReadSeeker: bytes.NewReader([]byte(camera)), Closer: io.NopCloser(nil), From: from, To: to}, nil
}

func (noFootage) Replay(_ context.Context, camera, _ string, _, _ time.Time) ([]byte, error) {
	return []byte(camera), nil
}

func (noFootage) ReplayPiece(_ context.Context, camera, _, file string) (FootagePiece, error) {
	if file == "2.m4s" {
		return FootagePiece{}, &ViewingError{http.StatusNotFound, "noRecording", "no such recording"}
	}
	return FootagePiece{WriterTo: strings.NewReader(camera), Closer: io.NopCloser(nil), Size: int64(len(camera))}, nil
}

func (noFootage) Past(_ context.Context, camera, _ string, at time.Time) (CameraStill, error) {
	return CameraStill{JPEG: []byte(camera), At: at}, nil
}

func (noFootage) Thumbnail(_ context.Context, camera string, at time.Time, hide []store.CameraZone) (CameraStill, error) {
	for _, z := range hide {
		camera += " without " + z.ID
	}
	return CameraStill{JPEG: []byte(camera), At: at}, nil
}

func (noFootage) KeepFor(store.Bookmark) error { return nil }
func (noFootage) LetGo(string) error           { return nil }

func TestWhatCamerasSawIsShownToThoseWhoMaySeeItAndNoted(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Viewing, o.Footage = noPictures{}, noFootage{} })
	p.site("hh")
	for id, zones := range map[string][]store.CameraZone{
		"open": nil, "private": {{ID: "w", Kind: event.ZonePrivacy, Polygon: [][2]float64{{0, 0}, {1, 0}, {1, 1}}}},
	} {
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: id, SiteID: "hh", MainURL: "rtsp://10.0.0.9/" + id, Zones: zones}, ""); err != nil {
			t.Fatal(err)
		}
	}
	const span = "?from=2026-11-22T12:00:00Z&to=2026-11-22T12:10:00Z"
	for _, role := range []store.Role{store.RoleViewer, store.RoleHost, store.RoleTechnician, store.RoleOperator} {
		for _, path := range []string{"recordings" + span, "clip.mp4" + span, "playback/sound.m4a" + span, "playback/index.m3u8" + span, "playback/main/1-init.mp4", "playback/picture.jpg?at=2026-11-22T12:00:00Z", "playback/thumbnail.jpg?at=2026-11-22T12:00:00Z"} {
			p.script(role).want(http.StatusForbidden, "GET", "/cameras/open/"+path, "", nil)
		}
	}
	guard := p.script(store.RoleSecurity)
	var got FootageShape
	guard.want(http.StatusOK, "GET", "/cameras/open/recordings"+span, "", &got)
	if len(got.Items) != 1 || got.Stream != "main" {
		t.Errorf("%+v", got)
	}
	var kept RetentionState
	guard.want(http.StatusOK, "GET", "/cameras/open/retention", "", &kept)
	if kept.PromisedDays != 3 || *kept.EffectiveDays != 1.5 || !kept.Short {
		t.Errorf("%+v", kept)
	}
	for range 3 {
		for _, path := range []string{"clip.mp4" + span, "playback/sound.m4a" + span, "playback/index.m3u8" + span, "playback/main/1-init.mp4", "playback/picture.jpg?at=2026-11-22T12:00:00Z", "playback/thumbnail.jpg?at=2026-11-22T12:00:00Z"} {
			guard.want(http.StatusOK, "GET", "/cameras/open/"+path, "", nil)
			guard.want(http.StatusOK, "GET", "/cameras/private/"+path, "", nil) // security sees it unmasked
		}
	}
	list, err := p.store.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, e := range list {
		count[e.Action+" "+e.Subject]++
	}
	for _, want := range []string{"camera.clip camera/open", "camera.review camera/open", "camera.listen camera/open", "camera.clip camera/private"} {
		if count[want] != 1 {
			t.Errorf("%q is %d times in the audit log", want, count[want])
		}
	}
	for _, path := range []string{
		"recordings", "recordings?from=2026-11-22T12:00:00Z&to=2026-11-22T11:00:00Z", "clip.mp4", "clip.mp4?from=yesterday&to=now",
		"clip.mp4?from=2026-11-22T12:00:00Z&to=2026-11-29T12:00:00Z", "clip.mp4" + span + "&stream=third", "playback/third/1-init.mp4",
		"recordings?from=2026-01-22T12:00:00Z&to=2026-11-22T11:00:00Z", "playback/picture.jpg?at=", "playback/thumbnail.jpg",
	} {
		guard.want(http.StatusUnprocessableEntity, "GET", "/cameras/open/"+path, "", nil)
	}
	guard.want(http.StatusNotFound, "GET", "/cameras/open/playback/main/2.m4s", "", nil)
	guard.want(http.StatusNotFound, "GET", "/cameras/nobody/clip.mp4"+span, "", nil)
}

func TestAThumbnailIsPaintedOverForWhoMayNotSeeAllOfThePicture(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Viewing, o.Footage = noPictures{}, noFootage{} })
	p.site("hh")
	for id, zones := range map[string][]store.CameraZone{
		"open": nil, "private": {
			{ID: "window", Kind: event.ZonePrivacy, Polygon: [][2]float64{{0, 0}, {1, 0}, {1, 1}}},
			{ID: "bay", Kind: event.ZoneWatch, Polygon: [][2]float64{{0, 0}, {1, 0}, {1, 1}}},
		},
	} {
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: id, SiteID: "hh", MainURL: "rtsp://10.0.0.9/" + id, Zones: zones}, ""); err != nil {
			t.Fatal(err)
		}
	}
	review := Scope{all: true}
	for sentence, c := range map[string]struct {
		camera string
		scopes map[Permission]Scope
		want   string
	}{
		"a camera without private parts": {"open", map[Permission]Scope{VideoReview: review}, "open"},
		"with the right":                 {"private", map[Permission]Scope{VideoReview: review, VideoUnmasked: review}, "private"},
		"without it":                     {"private", map[Permission]Scope{VideoReview: review}, "private without window"},
		"with the right at another site": {"private", map[Permission]Scope{VideoReview: review, VideoUnmasked: {sites: map[string]struct{}{"b": {}}}}, "private without window"},
	} {
		t.Run(sentence, func(t *testing.T) {
			who := &Principal{ID: "t", scopes: c.scopes}
			r := httptest.NewRequestWithContext(context.WithValue(t.Context(), principalKey{}, who), "GET", "/?at=2026-11-22T12:00:00Z", nil)
			r.SetPathValue("camera", c.camera)
			w := httptest.NewRecorder()
			p.view(p.thumbnail)(w, r)
			if w.Body.String() != c.want || w.Header().Get("Chargewatch-At") != "2026-11-22T12:00:00Z" || w.Header().Get("Cache-Control") != "private, no-store" {
				t.Errorf("%q, want %q; %v", w.Body, c.want, w.Header())
			}
		})
	}
}
