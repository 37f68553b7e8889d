package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// wide is a disk with room, and a hold on each camera.
type wide struct{}

func (wide) VideoSpace() (VideoSpace, error) {
	return VideoSpace{Bytes: 1, FreeBytes: 2, TotalBytes: 3, RoomBytes: 4}, nil
}
func (wide) HeldTimes(string) int { return 1 }

func TestHowLongPicturesStayIsDecidedByAdminsWithAPurpose(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Footage, o.Keeping = noFootage{}, wide{} })
	p.site("hh")
	admin, guard := p.script(store.RoleAdmin), p.script(store.RoleSecurity)
	for _, path := range []string{"/video/retention", "/sites/hh/video-retention"} {
		guard.want(http.StatusForbidden, "PUT", path, `{"days":1}`, nil)
	}
	for body, field := range map[string]string{
		`{"days":7}`:                 "body.purpose",
		`{"days":-1}`:                "body.days",
		`{"days":400,"purpose":"x"}`: "body.days",
		`{"incidentDays":90}`:        "body.purpose",
		`{"maxBytes":5}`:             "body.maxBytes",
		`{"days":"seven"}`:           "body.days",
		`{"weeks":1}`:                "body.weeks",
		`{"purpose":"` + strings.Repeat("x", 501) + `"}`: "body.purpose",
	} {
		status, text := admin.do("PUT", base+"/sites/hh/video-retention", body)
		if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"`+field+`"`) {
			t.Errorf("%s: %d %s, want a fault at %s", body, status, text, field)
		}
	}
	if status, text := admin.do("PUT", base+"/video/retention", `{"days":7,"purpose":"x"}`); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"body.days"`) {
		t.Errorf("longer everywhere: %d %s", status, text)
	}
	var rule RetentionRule
	admin.want(http.StatusOK, "PUT", "/video/retention", `{"days":2,"maxBytes":1000000000}`, &rule)
	admin.want(http.StatusOK, "PUT", "/sites/hh/video-retention", `{"days":7,"incidentDays":60,"purpose":" two raids in May "}`, &rule)
	if rule.Purpose != "two raids in May" || rule.ChangedAt == nil || rule.ChangedBy == "" {
		t.Errorf("%+v", rule)
	}
	admin.want(http.StatusNotFound, "PUT", "/sites/none/video-retention", `{"days":1}`, nil)
	var camera CameraShape
	admin.want(http.StatusCreated, "POST", "/cameras", `{"id":"gate","siteId":"hh","mainUrl":"rtsp://10.0.0.9/x"}`, &camera)
	if camera.Retention.PromisedDays != 7 || camera.Retention.OwnDays != 0 {
		t.Errorf("%+v", camera.Retention)
	}
	admin.want(http.StatusOK, "PATCH", "/cameras/gate", `{"promisedDays":10,"maxBytes":2000000000}`, &camera)
	if camera.Retention.PromisedDays != 10 || camera.Retention.OwnDays != 10 || camera.Retention.MaxBytes != 2_000_000_000 {
		t.Errorf("with the purpose of its site: %+v", camera.Retention)
	}
	status, text := admin.do("PUT", base+"/sites/hh/video-retention", `{"days":1}`)
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"body.purpose"`) {
		t.Errorf("a purpose that is leant on: %d %s", status, text)
	}
	var all RetentionShapeAll
	guard.want(http.StatusOK, "GET", "/video/retention", "", &all)
	if all.Everywhere.Days != 2 || all.Everywhere.MaxBytes != 1_000_000_000 || len(all.Sites) != 1 || all.Sites[0].IncidentDays != 60 || all.Space == nil || all.Space.RoomBytes != 4 {
		t.Errorf("%+v", all)
	}
}

func TestCamerasThatWereRemovedAreListedToThoseWhoMayReview(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Viewing, o.Footage, o.Keeping = noPictures{}, noFootage{}, wide{} })
	p.site("hh")
	admin := p.script(store.RoleAdmin)
	for _, id := range []string{"a", "b", "c"} {
		admin.want(http.StatusCreated, "POST", "/cameras", `{"id":"`+id+`","siteId":"hh","label":"Gate `+id+`","mainUrl":"rtsp://10.0.0.9/`+id+`"}`, nil)
	}
	admin.want(http.StatusNoContent, "DELETE", "/cameras/b", "", nil)
	list := func(role store.Role, query string) string {
		t.Helper()
		var got Items[CameraKept]
		p.script(role).want(http.StatusOK, "GET", "/video/kept"+query, "", &got)
		var names []string
		for _, x := range got.Items {
			name := x.Label
			if x.RemovedAt != nil {
				name += " removed"
			}
			if x.PromisedDays != 3 || *x.EffectiveDays != 1.5 || x.HeldTimes != 1 {
				t.Errorf("%+v", x)
			}
			names = append(names, name)
		}
		if got.NextCursor != "" {
			names = append(names, "…")
		}
		return strings.Join(names, ", ")
	}
	for _, c := range []struct {
		role        store.Role
		query, want string
	}{
		{store.RoleSecurity, "", "Gate a, Gate b removed, Gate c"},
		{store.RoleSecurity, "?removed=true", "Gate b removed"},
		{store.RoleSecurity, "?limit=2", "Gate a, Gate b removed, …"},
		{store.RoleOperator, "", "Gate a, Gate c"},
		{store.RoleOperator, "?removed=true", ""},
		{store.RoleSecurity, "?site=none", ""},
	} {
		if got := list(c.role, c.query); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.role, c.query, got, c.want)
		}
	}
	guard := p.script(store.RoleSecurity)
	const span = "?from=2026-11-22T12:00:00Z&to=2026-11-22T12:10:00Z"
	for _, path := range []string{"recordings" + span, "clip.mp4" + span, "playback/index.m3u8" + span, "playback/picture.jpg?at=2026-11-22T12:00:00Z"} {
		guard.want(http.StatusOK, "GET", "/cameras/b/"+path, "", nil)
		p.script(store.RoleOperator).want(http.StatusForbidden, "GET", "/cameras/b/"+path, "", nil)
	}
	guard.want(http.StatusNotFound, "GET", "/cameras/b", "", nil)
	guard.want(http.StatusNotFound, "GET", "/cameras/b/snapshot.jpg", "", nil)
	entries, err := p.store.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	took := 0
	for _, e := range entries {
		if e.Action == "camera.clip" && e.Subject == "camera/b" && json.Valid(e.Detail) {
			took++
		}
	}
	if took != 1 {
		t.Errorf("%d clips of the removed camera in the audit log", took)
	}
}

func TestWhatHappenedAtACameraIsToldToThoseWhoReviewItsSite(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Viewing, o.Footage, o.Keeping = noPictures{}, noFootage{}, wide{} })
	p.site("hh")
	p.site("kiel")
	admin := p.script(store.RoleAdmin)
	for _, id := range []string{"there", "gone"} {
		admin.want(http.StatusCreated, "POST", "/cameras", `{"id":"`+id+`","siteId":"hh","mainUrl":"rtsp://10.0.0.9/`+id+`"}`, nil)
		p.say(event.Camera(id), &event.Scene{ID: "m-" + id, What: event.SceneMotion, Phase: event.SceneStarted})
		p.say(event.Camera(id), &event.Labels{Source: event.LabelsOfWebhook, Items: []event.Label{{What: event.ScenePerson}}})
	}
	admin.want(http.StatusNoContent, "DELETE", "/cameras/gone", "", nil)
	told := func(c *caller, camera string) int {
		t.Helper()
		var got Items[EventShape]
		c.want(http.StatusOK, "GET", "/events?kind=camera.scene&subject=camera/"+camera, "", &got)
		return len(got.Items)
	}
	here, elsewhere, viewer := p.script(store.RoleSecurity, "hh"), p.script(store.RoleSecurity, "kiel"), p.script(store.RoleViewer, "hh")
	for sentence, c := range map[string]struct {
		by     *caller
		camera string
		want   int
	}{
		"a guard of the site":                     {here, "there", 1},
		"and of a camera that was removed":        {here, "gone", 1},
		"a guard of another site":                 {elsewhere, "there", 0},
		"and of its removed camera":               {elsewhere, "gone", 0},
		"a viewer of the site":                    {viewer, "there", 1},
		"who knows of no camera that was removed": {viewer, "gone", 0},
	} {
		if got := told(c.by, c.camera); got != c.want {
			t.Errorf("%s: told %d, want %d", sentence, got, c.want)
		}
	}
	var seen Items[LabelsShape]
	if here.want(http.StatusOK, "GET", "/cameras/gone/labels", "", &seen); len(seen.Items) != 1 {
		t.Errorf("labels of the removed camera: %+v", seen)
	}
	elsewhere.want(http.StatusNotFound, "GET", "/cameras/gone/labels", "", nil)
	var mark BookmarkShape
	here.want(http.StatusCreated, "POST", "/cameras/gone/bookmarks", `{"at":"`+time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)+`","text":"the van"}`, &mark)
	elsewhere.want(http.StatusNotFound, "DELETE", "/cameras/gone/bookmarks/"+mark.ID, "", nil)
	here.want(http.StatusNoContent, "DELETE", "/cameras/gone/bookmarks/"+mark.ID, "", nil)
}
