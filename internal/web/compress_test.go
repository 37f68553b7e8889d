package web

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
)

func TestLargeAnswersAreCompressed(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	for i := range 40 {
		p.enrol("a", fmt.Sprintf("S%02d", i))
	}
	c := p.script(store.RoleAdmin)
	tests := map[string]struct {
		method, path, accept string
		compressed           bool
	}{
		"a long list":                          {"GET", "/stations", "gzip, br", true},
		"for a client that does not take it":   {"GET", "/stations", "", false},
		"for a client that refuses it":         {"GET", "/stations", "gzip;q=0", false},
		"a short answer":                       {"GET", "/me", "gzip", false},
		"an answer that is a problem":          {"GET", "/stations/none", "gzip", false},
		"an answer to writing":                 {"POST", "/stations/import?dryRun=true", "gzip", false},
		"a page":                               {"GET", "!/", "gzip", false},
		"the description, which has no secret": {"GET", "!/api/openapi.json", "gzip", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			body := ""
			if tc.method == "POST" {
				body = "id,label\n" + strings.Repeat("X", 20) + "," + strings.Repeat("y", 90) + "\n"
			}
			url := c.url + base + tc.path
			if path, ok := strings.CutPrefix(tc.path, "!"); ok {
				url = c.url + path
			}
			r, err := http.NewRequestWithContext(t.Context(), tc.method, url, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+c.token)
			r.Header.Set("Content-Type", "text/csv")
			r.Header.Set("Accept-Encoding", tc.accept)
			resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.Header.Get("Content-Encoding") == "gzip"; got != tc.compressed {
				t.Fatalf("%d, compressed: %v", resp.StatusCode, got)
			}
			if !tc.compressed {
				return
			}
			if !strings.Contains(resp.Header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("header %v", resp.Header)
			}
			unpacked, err := gzip.NewReader(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(unpacked)
			if err != nil {
				t.Fatal(err)
			}
			var list Items[StationShape]
			if err := json.Unmarshal(data, &list); err != nil || len(list.Items) != 40 {
				t.Errorf("%v: %d stations of %d bytes", err, len(list.Items), len(data))
			}
		})
	}
}
