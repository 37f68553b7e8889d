package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// ledger remembers what is kept because of bookmarks.
type ledger struct {
	noFootage
	kept map[string]store.Keep
}

func (l *ledger) KeepFor(b store.Bookmark) error { l.kept[b.ID] = b.Keep; return nil }
func (l *ledger) LetGo(id string) error          { delete(l.kept, id); return nil }

func newMarked(t *testing.T) (*plant, *ledger) {
	t.Helper()
	l := &ledger{kept: make(map[string]store.Keep)}
	p := newPlant(t, func(o *Options) { o.Viewing, o.Footage = noPictures{}, l })
	for _, site := range []string{"a", "b"} {
		p.site(site)
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: "cam-" + site, SiteID: site, MainURL: "rtsp://10.0.0.9/" + site}, ""); err != nil {
			t.Fatal(err)
		}
	}
	return p, l
}

func TestAMomentIsMarkedListedAndForgotten(t *testing.T) {
	p, l := newMarked(t)
	guard := p.script(store.RoleSecurity)
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	text := at.Format(time.RFC3339)
	var moment, stretch BookmarkShape
	guard.want(http.StatusCreated, "POST", "/cameras/cam-a/bookmarks", `{"at":"`+text+`","text":" Van at the gate "}`, &moment)
	guard.want(http.StatusCreated, "POST", "/cameras/cam-a/bookmarks",
		`{"at":"`+text+`","until":"`+at.Add(time.Minute).Format(time.RFC3339)+`","text":"Cable cut","keep":"evidence"}`, &stretch)
	guard.want(http.StatusCreated, "POST", "/cameras/cam-b/bookmarks", `{"at":"`+text+`","text":"Elsewhere"}`, nil)
	if moment.Text != "Van at the gate" || moment.Until != nil || !moment.Mine || !moment.MayDelete || !strings.Contains(moment.Path, "cams=cam-a") || !moment.At.Equal(at) {
		t.Errorf("%+v", moment)
	}
	if stretch.Until == nil || l.kept[stretch.ID] != store.KeepEvidence || len(l.kept) != 1 {
		t.Errorf("%+v, kept %v", stretch, l.kept)
	}
	listed := func(c *caller, query string) []string {
		t.Helper()
		var page Items[BookmarkShape]
		c.want(http.StatusOK, "GET", "/bookmarks"+query, "", &page)
		var out []string
		for _, b := range page.Items {
			out = append(out, b.Text)
		}
		slices.Sort(out)
		return out
	}
	late := at.Add(30 * time.Second).Format(time.RFC3339)
	for query, want := range map[string][]string{
		"":                               {"Cable cut", "Elsewhere", "Van at the gate"},
		"?camera=cam-a":                  {"Cable cut", "Van at the gate"},
		"?camera=cam-a,cam-b":            {"Cable cut", "Elsewhere", "Van at the gate"},
		"?site=b":                        {"Elsewhere"},
		"?from=" + late:                  {"Cable cut"}, // it reaches into that time
		"?to=" + at.Format(time.RFC3339): nil,
		"?camera=nobody":                 nil,
		"?site=b&camera=cam-a":           nil,
	} {
		if got := listed(guard, query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	var first, second Items[BookmarkShape]
	guard.want(http.StatusOK, "GET", "/bookmarks?limit=2", "", &first)
	guard.want(http.StatusOK, "GET", "/bookmarks?limit=2&cursor="+first.NextCursor, "", &second)
	if len(first.Items) != 2 || len(second.Items) != 1 || second.NextCursor != "" || first.Items[1].ID == second.Items[0].ID {
		t.Errorf("%+v then %+v", first, second)
	}
	guard.want(http.StatusUnprocessableEntity, "GET", "/bookmarks?cursor=abc", "", nil)
	for _, body := range []string{
		`{}`, `{"at":"` + text + `","text":"  "}`, `{"at":"` + text + `","text":"x","keep":"forever"}`,
		`{"at":"2999-01-01T00:00:00Z","text":"x"}`, `{"at":"` + text + `","text":"` + strings.Repeat("x", 501) + `"}`,
		`{"at":"` + text + `","until":"` + at.Add(7*time.Hour).Format(time.RFC3339) + `","text":"x"}`, `{"at":"` + text + `","until":"2020-01-01T00:00:00Z","text":"x"}`,
	} {
		guard.want(http.StatusUnprocessableEntity, "POST", "/cameras/cam-a/bookmarks", body, nil)
	}
	// Somebody else of the same right sees it and may not remove it; who sets cameras up may.
	other := p.script(store.RoleSecurity)
	other.want(http.StatusForbidden, "DELETE", "/cameras/cam-a/bookmarks/"+stretch.ID, "", nil)
	guard.want(http.StatusNotFound, "DELETE", "/cameras/cam-b/bookmarks/"+stretch.ID, "", nil)
	p.script(store.RoleAdmin).want(http.StatusNoContent, "DELETE", "/cameras/cam-a/bookmarks/"+stretch.ID, "", nil)
	guard.want(http.StatusNoContent, "DELETE", "/cameras/cam-a/bookmarks/"+moment.ID, "", nil)
	if len(l.kept) != 0 {
		t.Errorf("still kept: %v", l.kept)
	}
	if got := listed(guard, ""); !slices.Equal(got, []string{"Elsewhere"}) {
		t.Errorf("%v", got)
	}
	// Another site's are nobody's business, and those without recordings have no bookmarks.
	abroad := p.script(store.RoleSecurity, "a")
	if got := listed(abroad, ""); got != nil {
		t.Errorf("%v", got)
	}
	for _, role := range []store.Role{store.RoleViewer, store.RoleHost, store.RoleTechnician, store.RoleOperator} {
		p.script(role).want(http.StatusForbidden, "GET", "/bookmarks", "", nil)
		p.script(role).want(http.StatusForbidden, "POST", "/cameras/cam-a/bookmarks", `{"at":"`+text+`","text":"x"}`, nil)
	}
	acts := make(map[string]int)
	list, err := p.store.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		acts[e.Action]++
	}
	if acts["bookmark.create"] != 3 || acts["bookmark.delete"] != 2 {
		t.Errorf("%v", acts)
	}
}

func TestWallsAreSavedSharedAndShownFirst(t *testing.T) {
	p, _ := newMarked(t)
	guard, boss := p.script(store.RoleSecurity), p.script(store.RoleAdmin)
	var own, all WallShape
	guard.want(http.StatusCreated, "POST", "/walls", `{"name":"Mine","tiles":[{"camera":"cam-b"},{"camera":"cam-a","large":true}]}`, &own)
	boss.want(http.StatusCreated, "POST", "/walls", `{"name":"Night","shared":true,"tiles":[{"camera":"cam-a"},{"camera":"cam-b"}]}`, &all)
	if len(own.Tiles) != 2 || own.Tiles[0].Camera != "cam-b" || !own.Tiles[1].Large || !own.Mine || own.Shared {
		t.Errorf("%+v", own)
	}
	listed := func(c *caller) map[string]WallShape {
		t.Helper()
		var page Items[WallShape]
		c.want(http.StatusOK, "GET", "/walls", "", &page)
		out := make(map[string]WallShape)
		for _, w := range page.Items {
			out[w.Name] = w
		}
		return out
	}
	if got := listed(guard); len(got) != 2 || got["Night"].Mine || got["Night"].MayDelete || !got["Mine"].MayDelete {
		t.Errorf("%+v", got)
	}
	if got := listed(boss); len(got) != 1 {
		t.Errorf("a wall that is not shared is seen: %+v", got)
	}
	// Who knows one site sees the part of it that is theirs; who knows neither, not its name.
	if got := listed(p.script(store.RoleViewer, "a")); len(got) != 1 || len(got["Night"].Tiles) != 1 || got["Night"].Tiles[0].Camera != "cam-a" {
		t.Errorf("%+v", got)
	}
	p.site("c")
	if got := listed(p.script(store.RoleViewer, "c")); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	// The same name again is a change, and stays what a site shows first.
	boss.want(http.StatusNoContent, "PUT", "/sites/a/wall", `{"wall":"`+all.ID+`"}`, nil)
	boss.want(http.StatusCreated, "POST", "/walls", `{"name":"Night","shared":true,"tiles":[{"camera":"cam-a"}]}`, nil)
	if got := listed(guard)["Night"]; len(got.Tiles) != 1 || !slices.Equal(got.FirstOf, []string{"a"}) || got.ID != all.ID {
		t.Errorf("%+v", got)
	}
	for body, want := range map[string]int{
		`{"wall":"` + own.ID + `"}`: http.StatusUnprocessableEntity, // is not shared, nor the boss's
		`{"wall":"nobody"}`:         http.StatusUnprocessableEntity,
		`{"wall":""}`:               http.StatusNoContent,
	} {
		boss.want(want, "PUT", "/sites/a/wall", body, nil)
	}
	boss.want(http.StatusUnprocessableEntity, "PUT", "/sites/b/wall", `{"wall":"`+all.ID+`"}`, nil) // shows none of its cameras
	guard.want(http.StatusForbidden, "PUT", "/sites/a/wall", `{"wall":""}`, nil)
	tiles := strings.TrimSuffix(strings.Repeat(`{"camera":"cam-a"},`, 13), ",")
	for _, body := range []string{
		`{"name":"x","tiles":[]}`, `{"name":"x","tiles":[{"camera":"nobody"}]}`, `{"name":" ","tiles":[{"camera":"cam-a"}]}`,
		`{"name":"x","tiles":[{"camera":"cam-a"},{"camera":"cam-a"}]}`, `{"name":"x","tiles":[` + tiles + `]}`,
	} {
		guard.want(http.StatusUnprocessableEntity, "POST", "/walls", body, nil)
	}
	p.script(store.RoleSecurity, "a").want(http.StatusUnprocessableEntity, "POST", "/walls", `{"name":"x","tiles":[{"camera":"cam-b"}]}`, nil)
	p.script(store.RoleViewer).want(http.StatusForbidden, "POST", "/walls", `{"name":"x","tiles":[{"camera":"cam-a"}]}`, nil)
	guard.want(http.StatusForbidden, "DELETE", "/walls/"+all.ID, "", nil)
	boss.want(http.StatusNotFound, "DELETE", "/walls/"+own.ID, "", nil)
	guard.want(http.StatusNoContent, "DELETE", "/walls/"+own.ID, "", nil)
	boss.want(http.StatusNoContent, "DELETE", "/walls/"+all.ID, "", nil)
	if got := listed(guard); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
