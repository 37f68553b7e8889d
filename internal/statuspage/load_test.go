package statuspage

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestWhatIsShownIsComputedOnceASecondForAll(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	n.next()
	n.live.asked.Store(0)
	var viewers sync.WaitGroup
	for i := range 50 {
		viewers.Go(func() {
			for _, path := range []string{"/status", "/status/ham", "/status.json", "/status/ham.json", "/status?lang=de"} {
				n.request("GET", path, nil, "From", fmt.Sprintf("192.0.2.%d:1", i))
			}
		})
	}
	viewers.Wait()
	if got := n.live.asked.Load(); got != 1 {
		t.Errorf("computed %d times", got)
	}
	n.clock.pass(999 * time.Millisecond)
	n.get("/status")
	n.clock.pass(time.Millisecond)
	n.get("/status")
	if got := n.live.asked.Load(); got != 2 {
		t.Errorf("computed %d times after a second", got)
	}
	n.clock.pass(-time.Hour) // a clock that is set back stops nothing
	n.get("/status")
	if got := n.live.asked.Load(); got != 3 {
		t.Errorf("computed %d times after the clock went back", got)
	}
}

func TestAnswersCanBeKept(t *testing.T) {
	n := newNetwork(t)
	hamburg(n)
	for _, path := range []string{"/status", "/status/ham", "/status.json", "/status/ham.json"} {
		for _, encoding := range []string{"", "gzip", "gzip;q=0"} {
			t.Run(path+" "+encoding, func(t *testing.T) {
				first := n.status(http.StatusOK, "GET", path, nil, "Accept-Encoding", encoding)
				if got := first.Header.Get("Content-Encoding"); (got == "gzip") != (encoding == "gzip") {
					t.Errorf("sent as %q", got)
				}
				tag := first.Header.Get("Etag")
				if first.Header.Get("Cache-Control") != "public, max-age=10" || tag == "" || !strings.Contains(fmt.Sprint(first.Header.Values("Vary")), "Accept-Encoding") {
					t.Errorf("%v", first.Header)
				}
				if html := !strings.HasSuffix(path, ".json"); html != strings.Contains(fmt.Sprint(first.Header.Values("Vary")), "Accept-Language") {
					t.Errorf("varies with %v", first.Header.Values("Vary"))
				}
				again := n.status(http.StatusNotModified, "GET", path, nil, "Accept-Encoding", encoding, "If-None-Match", `"other", `+tag)
				if text := n.text(again); text != "" || again.Header.Get("Etag") != tag {
					t.Errorf("%v %q", again.Header, text)
				}
				head := n.status(http.StatusOK, "HEAD", path, nil, "Accept-Encoding", encoding)
				if text := n.text(head); text != "" {
					t.Errorf("HEAD gives %q", text)
				}
			})
		}
	}
	tag := n.status(http.StatusOK, "GET", "/status/ham.json", nil).Header.Get("Etag")
	n.next()
	n.status(http.StatusNotModified, "GET", "/status/ham.json", nil, "If-None-Match", tag)
	n.say(event.Port("SECRET-1", 2, 2), &event.Status{Status: "Preparing"})
	n.next()
	n.status(http.StatusOK, "GET", "/status/ham.json", nil, "If-None-Match", tag)
	asset := n.request("GET", n.assets["style.css"].path, nil)
	if asset.StatusCode != http.StatusOK || !strings.Contains(asset.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("style: %d %v", asset.StatusCode, asset.Header)
	}
	n.status(http.StatusNotFound, "GET", "/status/assets/frame.html", nil)
}

func TestOneWhoAsksTooOftenWaits(t *testing.T) {
	n := newNetwork(t, func(o *Options) { o.Burst, o.PerSecond = 5, 1 })
	for range 5 {
		n.get("/status")
	}
	resp := n.status(http.StatusTooManyRequests, "GET", "/status.json", nil)
	var problem struct{ Status int }
	if err := json.Unmarshal([]byte(n.text(resp)), &problem); err != nil || problem.Status != 429 || resp.Header.Get("Retry-After") != "1" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %v %+v", err, resp.Header, problem)
	}
	if text := n.text(n.status(http.StatusTooManyRequests, "GET", "/status", nil, "Accept-Language", "de")); !strings.Contains(text, "Zu viele Anfragen") {
		t.Error(text)
	}
	n.get("/status/assets/style.css") // what the page of the refusal needs
	n.get("/status", "From", "192.0.2.2:1")
	n.get("/status", "From", "[2001:db8::1]:1")
	n.clock.pass(time.Second)
	n.get("/status")
	n.status(http.StatusTooManyRequests, "GET", "/status", nil)
}

func TestTheTableOfAddressesIsBounded(t *testing.T) {
	c := &clock{now: start()}
	b := newBuckets(c.Now, 1, 2)
	for i := range 3 * bucketsMost {
		b.take(fmt.Sprint(i))
	}
	if len(b.all) > bucketsMost {
		t.Errorf("%d addresses", len(b.all))
	}
	c.pass(time.Minute)
	for i := range bucketsMost {
		b.take(fmt.Sprint("later", i))
	}
	if len(b.all) > bucketsMost {
		t.Errorf("%d addresses", len(b.all))
	}
}

func TestTheFeedIsPaged(t *testing.T) {
	n := newNetwork(t)
	for i := range 7 {
		n.site(store.Site{ID: fmt.Sprintf("s%d", i), Public: i != 3})
	}
	var ids []string
	cursor := ""
	for {
		var page struct {
			Items      []struct{ ID string }
			NextCursor string
		}
		if err := json.Unmarshal([]byte(n.get("/status.json?limit=2&cursor="+cursor)), &page); err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Items {
			ids = append(ids, x.ID)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if got := fmt.Sprint(ids); got != "[s0 s1 s2 s4 s5 s6]" {
		t.Errorf("all pages: %s", got)
	}
	for _, bad := range []string{"0", "1001", "x", "-1"} {
		n.status(http.StatusUnprocessableEntity, "GET", "/status.json?limit="+bad, nil)
	}
}

// BenchmarkViewers asks for pages of a network of 2,000 stations over real
// sockets while the clock runs; board is what one second costs.
func BenchmarkViewers(b *testing.B) {
	n := newNetwork(b, func(o *Options) { o.Now, o.Burst = nil, 1<<30 })
	for i := range 100 {
		site := fmt.Sprintf("s%03d", i)
		n.site(store.Site{ID: site, Name: "Site " + site, Address: "Some street 12, 20457 Hamburg", OpeningHours: "Mo-Fr 06:00-22:00", Public: true})
		for k := range 20 {
			id := fmt.Sprintf("S-%03d-%03d", i, k)
			n.station(site, id, "", plug(1, fmt.Sprintf("DE*CWD*E%03d%03d*1", i, k), "cCCS2", "DC", 150_000), plug(2, fmt.Sprintf("DE*CWD*E%03d%03d*2", i, k), "sType2", "AC", 22_000))
		}
	}
	server := httptest.NewServer(n)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}}
	for _, path := range []string{"/status", "/status/s001", "/status.json", "/status/s001.json"} {
		b.Run(path, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, err := http.NewRequestWithContext(b.Context(), "GET", server.URL+path, nil)
					if err != nil {
						b.Error(err)
						return
					}
					r.Header.Set("Accept-Encoding", "gzip")
					resp, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
						b.Errorf("%d %v", resp.StatusCode, err)
					}
					resp.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
	b.Run("board", func(b *testing.B) {
		for b.Loop() {
			n.build(time.Now()).index()
		}
	})
}
