package horn_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/sim/horn"
)

func TestADeviceObeysWhoeverSigns(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	f, err := horn.New(horn.Options{Listen: "127.0.0.1:0", Secret: "a secret of a test", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	post := func(body, signature string) (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL("siren"), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(outward.SignatureHeader, signature)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		return resp.StatusCode, nil
	}
	sign := func(body, secret string, at time.Time) string { return outward.Sign([]byte(secret), at, []byte(body)) }
	const on = `{"on":true,"seconds":30}`
	for name, tc := range map[string]struct {
		body, signature string
		status          int
	}{
		"nobody's":           {on, "", http.StatusForbidden},
		"another's":          {on, sign(on, "another secret of it", now), http.StatusForbidden},
		"an old one":         {on, sign(on, "a secret of a test", now.Add(-time.Hour)), http.StatusForbidden},
		"a changed one":      {`{"on":true,"seconds":3000}`, sign(on, "a secret of a test", now), http.StatusForbidden},
		"one that is none":   {`[]`, sign(`[]`, "a secret of a test", now), http.StatusBadRequest},
		"one that is huge":   {strings.Repeat(" ", 70_000), "", http.StatusRequestEntityTooLarge},
		"a broken signature": {on, "t=x,v1=y", http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := post(tc.body, tc.signature); err != nil || got != tc.status || f.Device("siren").On {
				t.Errorf("%d %v", got, err)
			}
		})
	}
	if got, err := post(on, sign(on, "a secret of a test", now)); err != nil || got != http.StatusNoContent || !f.Device("siren").On {
		t.Errorf("%d %v", got, err)
	}
	mu.Lock()
	now = now.Add(30 * time.Second)
	mu.Unlock()
	if d := f.Device("siren"); d.On || d.Heard != 1 {
		t.Errorf("it does not go off by itself: %+v", d)
	}
	f.Cut("siren", true)
	if got, err := post(on, sign(on, "a secret of a test", clock())); err == nil {
		t.Errorf("a device without a network answers %d", got)
	}
}
