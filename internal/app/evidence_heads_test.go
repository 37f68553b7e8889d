package app

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/web"
)

// leaving is a minute of recordings whose heads are left at a place.
func leaving(t *testing.T, to string, reachable ...netip.AddrPort) *headsAway {
	t.Helper()
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	k, err := evidence.OpenKey(data)
	if err != nil {
		t.Fatal(err)
	}
	store := minute(t, data, k, time.Now().Add(-time.Hour))
	t.Cleanup(func() { _ = store.Close(t.Context()) })
	heads, err := evidence.OpenHeads(data, store, k, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = heads.Close() })
	s := &Server{log: slog.New(slog.DiscardHandler), reach: outward.New(outward.Options{Exactly: reachable, Own: func() []int { return nil }})}
	return &headsAway{heads: heads, s: s, every: time.Hour, away: elsewhere{to: to, name: "chargewatch-heads", reach: s.reach}}
}

// ofGate reports whether a text is lists of signed heads of the one camera.
func ofGate(t *testing.T, text []byte, want int) {
	t.Helper()
	got, err := evidence.ParseHeads(bytes.NewReader(text))
	if err != nil || len(got) != want {
		t.Fatalf("%d heads, %v, want %d: %s", len(got), err, want, text)
	}
	for _, h := range got {
		if h.Camera != "gate" || h.Stream != "main" || h.Sign == "" {
			t.Errorf("head %+v", h)
		}
	}
}

func told(h *headsAway) (x web.EvidenceKeyShape) {
	h.tell(&x)
	return x
}

func TestHeadsAreLeftInAFolder(t *testing.T) {
	folder := t.TempDir()
	h := leaving(t, folder)
	if x := told(h); x.HeadsTo != "folder" || x.HeadsAt != nil || x.HeadsEverySeconds != 3600 {
		t.Errorf("before the first: %+v", x)
	}
	h.take(t.Context())
	h.take(t.Context())
	files, err := filepath.Glob(filepath.Join(folder, "chargewatch-heads-*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all []byte
	for _, f := range files { // two when the day ends in between
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	ofGate(t, all, 2)
	if x := told(h); x.HeadsAt == nil || x.HeadsFault != "" {
		t.Errorf("afterwards: %+v", x)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	at := *told(h).HeadsAt
	h.take(t.Context())
	if x := told(h); !strings.Contains(x.HeadsFault, "leave in the folder") || !x.HeadsAt.Equal(at) {
		t.Errorf("without the folder: %+v", x)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if h.take(t.Context()); told(h).HeadsFault != "" {
		t.Errorf("with the folder again: %+v", told(h))
	}
}

func TestHeadsAreLeftAtAnAddress(t *testing.T) {
	got := make(chan []byte, 1)
	status := http.StatusNoContent
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		got <- text
		w.WriteHeader(status)
	}))
	defer other.Close()
	at := netip.MustParseAddrPort(other.Listener.Addr().String())
	h := leaving(t, other.URL+"/heads", at)
	h.take(t.Context())
	ofGate(t, <-got, 1)
	if x := told(h); x.HeadsTo != "address" || x.HeadsAt == nil || x.HeadsFault != "" {
		t.Errorf("told %+v", x)
	}
	status = http.StatusInsufficientStorage
	h.take(t.Context())
	<-got
	if x := told(h); !strings.Contains(x.HeadsFault, "507") {
		t.Errorf("told %+v of a refusal", x)
	}
	h = leaving(t, other.URL+"/heads") // which nobody allowed
	h.take(t.Context())
	if x := told(h); x.HeadsFault == "" || x.HeadsAt != nil {
		t.Errorf("told %+v of an address out of reach", x)
	}
	if len(got) > 0 {
		t.Error("it was sent to an address out of reach")
	}
}
