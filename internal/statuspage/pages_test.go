package statuspage

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// TestMain adds a flag without a variable of the package.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "write what pages look like now")
	os.Exit(m.Run())
}

func TestPagesReadAsTheyDid(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	hashes := regexp.MustCompile(`\?v=[0-9a-f]+`)
	for name, path := range map[string]string{
		"list": "/status", "site": "/status/ham", "report": "/status/p/DE*CWD*E1*1/report", "feed": "/status/ham.json",
	} {
		for _, lang := range []string{"en", "de"} {
			if name == "feed" && lang == "de" {
				continue
			}
			t.Run(name+" "+lang, func(t *testing.T) {
				got := hashes.ReplaceAllString(n.get(path, "Accept-Language", lang), "?v=HASH")
				file := filepath.Join("testdata", name+"."+lang+".txt")
				if updating() {
					if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("it reads differently; run with -update if that is meant\n%s", got)
				}
			})
		}
	}
}

func TestWhatWeCannotSeeIsNeverFree(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	text := n.get("/status/ham")
	if !strings.Contains(text, "<b>Unknown</b>") || !strings.Contains(text, "last seen free 12\u00a0min ago") {
		t.Errorf("an offline port: %s", text)
	}
	if !strings.Contains(text, "<strong>2 of 5 free</strong>") || !strings.Contains(text, "1 not sure") {
		t.Errorf("counts: %s", text)
	}
	n.live.broken.Store(true)
	n.next()
	text = n.get("/status/ham")
	if !strings.Contains(text, "<strong>0 of 5 free</strong>") || strings.Contains(text, "<b>Free</b>") || !strings.Contains(text, "We cannot see the chargers") {
		t.Errorf("while nothing can be stored: %s", text)
	}
	if !strings.Contains(text, "last seen in use") || !strings.Contains(text, "last seen out of order") {
		t.Errorf("what was before: %s", text)
	}
	if feed := n.get("/status.json"); !strings.Contains(feed, `"observing":false`) || !strings.Contains(feed, `"free":0`) {
		t.Errorf("the feed: %s", feed)
	}
	n.live.broken.Store(false)
	n.next()
	if text := n.get("/status/ham"); !strings.Contains(text, "<strong>2 of 5 free</strong>") {
		t.Errorf("when it can again: %s", text)
	}
}

func TestAPortThatItsNeighbourKeepsFromChargingIsNotFree(t *testing.T) {
	n := newNetwork(t)
	n.site(store.Site{ID: "s", Public: true})
	one, two := plug(1, "A*1", "cCCS2", "DC", 50_000), plug(2, "A*2", "cG105", "DC", 50_000)
	one.Group, one.Exclusive, two.Group, two.Exclusive = "dc", true, "dc", true
	n.station("s", "ST", "", one, two)
	n.say(event.Port("ST", 1, 1), &event.Status{Status: "Charging"})
	if text := n.get("/status/s"); !strings.Contains(text, "In use next to it") || !strings.Contains(text, "0 of 2 free") {
		t.Error(text)
	}
}

func TestAHiddenSiteIsLikeNone(t *testing.T) {
	n := newNetwork(t)
	n.site(store.Site{ID: "hidden", Name: "Secret place"})
	n.station("hidden", "H", "Hidden label", plug(1, "DE*HID*1", "cCCS2", "DC", 150_000))
	for _, pair := range [][2]string{
		{"/status/hidden", "/status/nowhere"}, {"/status/hidden.json", "/status/nowhere.json"},
		{"/status/p/DE*HID*1", "/status/p/DE*NOT*1"}, {"/status/p/DE*HID*1/report", "/status/p/DE*NOT*1/report"},
		{"/status/qr/DE*HID*1.svg", "/status/qr/DE*NOT*1.svg"}, {"/status?q=DE*HID*1", "/status?q=DE*NOT*1"},
	} {
		a, b := n.request("GET", pair[0], nil), n.request("GET", pair[1], nil)
		ta, tb := n.text(a), n.text(b)
		ta = strings.ReplaceAll(ta, "HID", "NOT")
		tb = strings.ReplaceAll(tb, "HID", "NOT")
		if a.StatusCode != b.StatusCode || fmt.Sprint(a.Header) != fmt.Sprint(b.Header) && a.StatusCode != http.StatusOK || ta != tb {
			t.Errorf("%s: %d %v %s\n%s: %d %v %s", pair[0], a.StatusCode, a.Header, ta, pair[1], b.StatusCode, b.Header, tb)
		}
		if strings.HasPrefix(pair[0], "/status?") {
			continue
		}
		if a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", pair[0], a.StatusCode)
		}
	}
	for _, path := range []string{"/status", "/status.json"} {
		if text := n.get(path); strings.Contains(text, "Secret") || strings.Contains(text, "hidden\"") {
			t.Errorf("%s: %s", path, text)
		}
	}
	if _, err := n.store.UpdateSite(t.Context(), "u", "hidden", func(x *store.Site) { x.Public = true }); err != nil {
		t.Fatal(err)
	}
	n.next()
	n.get("/status/hidden")
}

func TestNamesOfStrangersAreText(t *testing.T) {
	n := newNetwork(t)
	const bad = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{.}}`
	n.site(store.Site{
		ID: "s", PublicName: bad, Address: bad, OpeningHours: bad, Public: true, Notices: []store.Notice{{Text: bad + "\n" + bad}},
	})
	n.station("s", "ST", bad, plug(1, bad, bad, "DC", 50_000))
	id := escape(bad)
	for _, path := range []string{"/status", "/status/s", "/status?q=" + id, "/status?plug=" + id, "/status/s?plug=" + id, "/status/p/" + id + "/report", "/status/" + id} {
		for _, lang := range []string{"", "de", id} {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			resp := n.request("GET", path+sep+"lang="+lang, nil)
			text := n.text(resp)
			for _, tag := range []string{"<script>alert", "<img", "alert(1)</"} {
				if strings.Contains(text, tag) {
					t.Errorf("%s: %s", path, text)
				}
			}
			if got := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
				t.Errorf("%s: policy %q", path, got)
			}
		}
	}
	if text := n.get("/status/s"); !strings.Contains(text, "&lt;script&gt;") {
		t.Error("the names are not shown at all")
	}
	if resp := n.status(http.StatusFound, "GET", "/status/p/"+id, nil); strings.ContainsAny(resp.Header.Get("Location"), "<>\"' ") {
		t.Errorf("leads to %q", resp.Header.Get("Location"))
	}
}

func TestAThousandSitesArePaged(t *testing.T) {
	n := newNetwork(t)
	for i := range 1000 {
		n.site(store.Site{ID: fmt.Sprintf("s%04d", i), Name: fmt.Sprintf("Site %04d", i), Address: "Long Street 12, 20457 Hamburg", OpeningHours: "Mo-Fr 06:00-22:00", Public: true})
	}
	seen, next := 0, "/status"
	for next != "" {
		text := n.get(next)
		if len(text) > 30_000 {
			t.Errorf("%s has %d bytes", next, len(text))
		}
		seen += strings.Count(text, "<h2><a href=\"/status/s")
		m := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(text)
		next = ""
		if m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if seen != 1000 {
		t.Errorf("%d sites on all pages", seen)
	}
	if text := n.get("/status?q=hamburg+0123"); strings.Count(text, "<h2>") != 1 {
		t.Errorf("searched: %s", text)
	}
	if text := n.get("/status?q=nothing"); !strings.Contains(text, "No site matches") {
		t.Errorf("searched in vain: %s", text)
	}
	if text := n.get("/status?page=9999"); !strings.Contains(text, "Page 25 of 25") {
		t.Errorf("a page too far: %s", text)
	}
}

func TestFiltersNarrowSitesAndPorts(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	n.site(store.Site{ID: "ac", Name: "Only AC", Public: true})
	n.station("ac", "AC-1", "", plug(1, "X*1", "sType2", "AC", 22_000))
	for query, want := range map[string][]string{
		"?":                       {"2 sites", "3 of 6 free"},
		"?plug=cCCS2":             {"1 sites", "1 of 2 free"},
		"?plug=sType2":            {"2 sites", "1 of 3 free"},
		"?power=hpc":              {"1 sites", "1 of 2 free"},
		"?plug=sType2&power=hpc":  {"0 sites", "0 of 0 free"},
		"?plug=unknown":           {"1 sites", "1 of 1 free"},
		"?plug=nonsense":          {"0 sites", "0 of 0 free"},
		"?plug=cCCS2&q=hafencity": {"1 sites", "1 of 2 free"},
		"?plug=cCCS2&q=elsewhere": {"0 sites", "0 of 0 free"},
		"?power=ac&plug=&lang=en": {"2 sites", "1 of 3 free"},
		"?power=unknown":          {"1 sites", "1 of 1 free"},
	} {
		text := n.get("/status" + query)
		if got := fmt.Sprint(strings.Count(text, "<h2>"), " sites"); got != want[0] || !strings.Contains(text, want[1]) {
			t.Errorf("%s: %s, want %v: %s", query, got, want, text)
		}
	}
	text := n.get("/status/ham?plug=cCCS2")
	if strings.Count(text, "<li id=") != 2 || !strings.Contains(text, "1 of 2 free") {
		t.Errorf("ports of one plug: %s", text)
	}
	if resp := n.status(http.StatusFound, "GET", "/status?q=de+cwd+e1-2", nil); resp.Header.Get("Location") != "/status/p/DE*CWD*E1*2" {
		t.Errorf("the number of a sticker leads to %s", resp.Header.Get("Location"))
	}
}

// The whole of a page on the wire: markup, style and script.
func TestPagesAreSmall(t *testing.T) {
	n := newNetwork(t)
	n.site(store.Site{ID: "big", Name: "A site with an uncommonly long name", Address: "Some street 12, 20457 Hamburg", OpeningHours: "Mo-Fr 06:00-22:00", Public: true})
	for i := range 60 {
		n.station("big", fmt.Sprintf("S-%02d", i), fmt.Sprintf("Charger %d on level %d", i, i/10),
			plug(1, fmt.Sprintf("DE*CWD*E%05d*1", i), "cCCS2", "DC", 150_000), plug(2, fmt.Sprintf("DE*CWD*E%05d*2", i), "cG105", "DC", 50_000))
	}
	for i := range 60 {
		n.site(store.Site{ID: fmt.Sprintf("s%02d", i), Name: fmt.Sprintf("Site number %d", i), Address: "Some street 12, 20457 Hamburg", OpeningHours: "Mo-Fr 06:00-22:00", Public: true})
		n.station(fmt.Sprintf("s%02d", i), fmt.Sprintf("T-%02d", i), "", plug(1, fmt.Sprintf("T%d*1", i), "cCCS2", "DC", 150_000), plug(2, fmt.Sprintf("T%d*2", i), "sType2", "AC", 22_000))
	}
	n.next()
	link := regexp.MustCompile(`/status/assets/[a-z.]+\?v=[0-9a-f]+`)
	for _, path := range []string{"/status", "/status/big", "/status/big?page=2", "/status/p/DE*CWD*E00001*1/report"} {
		total := 0
		for _, one := range append([]string{path}, link.FindAllString(n.get(path), -1)...) {
			resp := n.status(http.StatusOK, "GET", one, nil, "Accept-Encoding", "gzip")
			total += len(n.text(resp))
			for name, values := range resp.Header {
				total += len(name) + len(strings.Join(values, "")) + 4
			}
		}
		t.Logf("%s: %d bytes on the wire", path, total)
		if total >= 30_000 {
			t.Errorf("%s: %d bytes on the wire", path, total)
		}
	}
}

func TestTimeOfPageAndOpeningHours(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	if text := n.get("/status/ham"); !strings.Contains(text, "As of 14:22:05 CET.") || !strings.Contains(text, "Data at most 20\u00a0s old.") ||
		!strings.Contains(text, "Open now, closes at 22:00") || !strings.Contains(text, "Monday to Friday") {
		t.Error(text)
	}
	if text := n.get("/status/ham?lang=de"); !strings.Contains(text, "Stand 14:22:05\u00a0Uhr MEZ.") || !strings.Contains(text, "schließt um 22:00\u00a0Uhr") {
		t.Error(text)
	}
	n.clock.pass(9 * time.Hour)
	if text := n.get("/status/ham"); !strings.Contains(text, "Closed now, opens tomorrow at 06:00") {
		t.Error(text)
	}
	if _, err := n.store.UpdateSite(t.Context(), "u", "ham", func(x *store.Site) { x.OpeningHours, x.Notices = "Apr-Sep 08:00+ <b>", nil }); err != nil {
		t.Fatal(err)
	}
	n.next()
	if text := n.get("/status/ham"); !strings.Contains(text, "Apr-Sep 08:00&#43; &lt;b&gt;") || strings.Contains(text, "Open now") || strings.Contains(text, "Lift out") {
		t.Error(text)
	}
}
