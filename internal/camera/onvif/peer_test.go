package onvif_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/onvif"
	"github.com/chargewatch/chargewatch/internal/event"
)

// The npm package onvif carries answers recorded from real devices for its own
// mock server. "npm ci" in test/schemas installs it; make test does that.
const recorded = "../../../test/schemas/node_modules/onvif/test/serverMockup"

// mock answers with what was recorded.
func mock(t *testing.T) *httptest.Server {
	t.Helper()
	hole := regexp.MustCompile(`\{\{[^}]*\}\}`)
	action := regexp.MustCompile(`<s:Body><(\w+)`)
	host := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		m := action.FindSubmatch(b)
		if err != nil || m == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer, err := os.ReadFile(filepath.Join(recorded, string(m[1])+".xml"))
		if err != nil {
			answer, err = os.ReadFile(filepath.Join(recorded, "events."+string(m[1])+".xml"))
		}
		if err != nil {
			if answer, err = os.ReadFile(filepath.Join(recorded, "Error.xml")); err != nil {
				t.Errorf("make test installs the answers, or npm ci in test/schemas: %v", err)
			}
		}
		answer = hole.ReplaceAllFunc(answer, func(x []byte) []byte {
			switch {
			case bytes.Contains(x, []byte("hostname")):
				return []byte(strings.Split(host, ":")[0])
			case bytes.Contains(x, []byte("port")):
				return []byte(strings.Split(host, ":")[1])
			case bytes.Contains(x, []byte("pullPointUrl")):
				return []byte("/onvif/subscription?Idx=6")
			case bytes.Contains(x, []byte("5000")):
				return []byte(time.Now().Add(5 * time.Second).UTC().Format(time.RFC3339))
			case bytes.Contains(x, []byte("Date")):
				return []byte(time.Now().UTC().Format(time.RFC3339))
			}
			return nil
		})
		_, _ = w.Write(answer)
	}))
	host = strings.TrimPrefix(s.URL, "http://")
	t.Cleanup(s.Close)
	return s
}

func TestAnswersOfRealDevicesAreRead(t *testing.T) {
	s := mock(t)
	f, err := client(t).Probe(t.Context(), onvif.Device{URL: s.URL + "/onvif/device_service", Username: "admin", Password: "9999"})
	if err != nil {
		t.Fatal(err)
	}
	if f.ClockOffset > -10*365*24*time.Hour || f.Vendor == "" || !f.Events || len(f.Profiles) == 0 {
		t.Errorf("%+v", f)
	}
	for _, p := range f.Profiles {
		if p.Token == "" || p.Codec == "" || p.Width == 0 || p.Height == 0 {
			t.Errorf("%+v", p)
		}
		// It says it is at an address that this client may not reach.
		if p.StreamURL != "" || p.Refused == "" {
			t.Errorf("its stream is taken: %+v", p)
		}
	}
}

func TestEventsOfRealDevicesAreRead(t *testing.T) {
	s := mock(t)
	_, told := follow(t, onvif.Device{URL: s.URL + "/onvif/device_service"})
	told.next(t, event.SceneMotion, event.SceneStarted)
}
