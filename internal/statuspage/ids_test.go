package statuspage

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestPublicIdsAreUniqueAndTellNothing(t *testing.T) {
	n := newNetwork(t)
	n.site(store.Site{ID: "a", Public: true})
	n.site(store.Site{ID: "b", Public: true})
	n.station("a", "SECRET-1", "secret 1", plug(1, "DE*X*1", "cCCS2", "DC", 50_000), plug(2, "", "cCCS2", "DC", 50_000))
	n.station("b", "SECRET-2", "", plug(1, "de-x-1", "cCCS2", "DC", 50_000)) // the same, written otherwise
	x := n.now().index()
	seen := make(map[string]bool)
	for key, id := range x.names {
		if seen[canonical(id)] || id == "" || strings.Contains(canonical(id), "SECRET") {
			t.Errorf("%v is %q", key, id)
		}
		seen[canonical(id)] = true
	}
	if len(seen) != 3 || x.names[portKey{"SECRET-1", 1}] != "DE*X*1" {
		t.Errorf("ids %v", x.names)
	}
	other := newNetwork(t, func(o *Options) { o.Key = []byte("another key") })
	if same := n.opaque(portKey{"A", 1}); same != n.opaque(portKey{"A", 1}) || same == n.opaque(portKey{"A", 2}) || same == other.opaque(portKey{"A", 1}) {
		t.Error("opaque ids neither stay nor differ")
	}
	if text := n.get("/status/a"); strings.Contains(strings.ToUpper(text), "SECRET") {
		t.Errorf("a label that gives the identity away is shown: %s", text)
	}
	for _, form := range []string{"DE*X*1", "dex1", "DE-X-1", "DE%20X%201"} {
		if resp := n.status(http.StatusFound, "GET", "/status/p/"+form, nil); resp.Header.Get("Location") != "/status/a#p-DEX1" {
			t.Errorf("%s leads to %s", form, resp.Header.Get("Location"))
		}
	}
	if resp := n.status(http.StatusFound, "GET", "/status/p/DE*X*1?lang=de", nil); resp.Header.Get("Location") != "/status/a?lang=de#p-DEX1" {
		t.Errorf("leads to %s", resp.Header.Get("Location"))
	}
}

func TestANewPublicIdIsFoundAtOnce(t *testing.T) {
	n := newNetwork(t)
	n.site(store.Site{ID: "a", Public: true})
	n.station("a", "S-1", "", plug(1, "OLD*1", "cCCS2", "DC", 50_000))
	n.status(http.StatusFound, "GET", "/status/p/OLD*1", nil)
	layout := []event.EVSELayout{plug(1, "NEW*1", "cCCS2", "DC", 50_000)}
	if _, _, err := n.store.ChangeStation(t.Context(), "u", "S-1", store.StationChange{Layout: &layout}); err != nil {
		t.Fatal(err)
	}
	n.next()
	n.status(http.StatusNotFound, "GET", "/status/p/OLD*1", nil)
	n.status(http.StatusFound, "GET", "/status/p/NEW*1", nil)
	n.station("a", "S-2", "", plug(1, "MORE*1", "cCCS2", "DC", 50_000))
	n.next()
	n.status(http.StatusFound, "GET", "/status/p/MORE*1", nil)
	was := n.now().index()
	n.say(event.Port("S-1", 1, 1), &event.Status{Status: "Charging"})
	n.next()
	if n.now().index() != was {
		t.Error("the index is made again although nothing was rebuilt")
	}
}

func TestAStickerLeadsToThePageOfALongList(t *testing.T) {
	n := newNetwork(t)
	n.site(store.Site{ID: "a", Public: true})
	for i := range 3 {
		var layout []event.EVSELayout
		for k := range 50 {
			layout = append(layout, plug(k+1, "P*"+strconv.Itoa(i)+"*"+strconv.Itoa(k), "sType2", "AC", 22_000))
		}
		n.station("a", "S-"+strconv.Itoa(i), "", layout...)
	}
	resp := n.status(http.StatusFound, "GET", "/status/p/P*2*7", nil)
	if got := resp.Header.Get("Location"); got != "/status/a?page=2#p-P27" {
		t.Fatalf("leads to %s", got)
	}
	if text := n.get("/status/a?page=2"); !strings.Contains(text, `id="p-P27"`) {
		t.Error("and is not there")
	}
}

// modules reads a drawing back.
func modules(t *testing.T, svg string) map[[2]int]bool {
	t.Helper()
	dark := make(map[[2]int]bool)
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1H(\d+)z`).FindAllStringSubmatch(svg, -1) {
		var v [4]int
		for i := range v {
			var err error
			if v[i], err = strconv.Atoi(m[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if v[0] != v[3] {
			t.Fatalf("a crooked run: %v", m)
		}
		for x := range v[2] {
			dark[[2]int{v[0] + x, v[1]}] = true
		}
	}
	return dark
}

func TestCodesHoldTheAddress(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	resp := n.request("GET", "https://charge.example/status/qr/DE*CWD*E1*1.svg", nil)
	svg := n.text(resp)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "image/svg+xml" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	want, err := qr.Encode("https://charge.example/status/p/DE*CWD*E1*1", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	dark := modules(t, svg)
	side := want.Size + 2*quiet
	if !strings.Contains(svg, `viewBox="0 0 `+strconv.Itoa(side)+" "+strconv.Itoa(side)+`"`) {
		t.Errorf("not %d wide: %s", side, svg[:200])
	}
	for y := range side {
		for x := range side {
			if got := dark[[2]int{x, y}]; got != want.Black(x-quiet, y-quiet) {
				t.Fatalf("module %d,%d is %v", x, y, got)
			}
		}
	}
	n.status(http.StatusNotFound, "GET", "/status/qr/DE*CWD*E1*1", nil)
	n.status(http.StatusNotFound, "GET", "/status/qr/NONE.svg", nil)
}

func TestStickersOfAHiddenSiteSayThatTheyLeadNowhereYet(t *testing.T) {
	n := newNetwork(t)
	n.site(store.Site{ID: "hidden", Name: "Depot"})
	n.station("hidden", "SECRET-1", "", plug(1, "DE*H*1", "cCCS2", "DC", 50_000), plug(2, "", "", "", 0))
	r := httptest.NewRequestWithContext(t.Context(), "GET", "https://charge.example/api/v1/sites/hidden/stickers", nil)
	w := httptest.NewRecorder()
	n.Stickers(w, r, "hidden")
	text := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(text, "is not published") || strings.Count(text, "<svg") != 2 || strings.Contains(text, "SECRET") {
		t.Errorf("%d %s", w.Code, text)
	}
	if !strings.Contains(text, "https://charge.example/status/p/DE*H*1") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v %s", w.Header(), text)
	}
	r = httptest.NewRequestWithContext(t.Context(), "GET", "https://charge.example/", nil)
	w = httptest.NewRecorder()
	if n.Stickers(w, r, "nowhere"); w.Code != http.StatusNotFound {
		t.Errorf("of no site: %d", w.Code)
	}
}
