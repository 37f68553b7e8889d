package motion_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/motion"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	simcamera "github.com/chargewatch/chargewatch/internal/sim/camera"
)

// TestACameraThatWasCoveredWhileWeWereDownIsFoundAfterTheStart has two servers, one
// after the other, with one data folder.
func TestACameraThatWasCoveredWhileWeWereDownIsFoundAfterTheStart(t *testing.T) {
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	serve := func(from time.Time, names ...string) (said []string) {
		views, err := motion.OpenFolder(data)
		if err != nil {
			t.Fatal(err)
		}
		defer views.Close()
		pool := decode.New(decode.Options{Workers: 1, Within: time.Minute, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = pool.Run(ctx) })
		b, h := &book{}, &house{}
		w := motion.NewWatch(motion.Options{
			Views: views, Decoder: pool, Journal: b, Streams: func() motion.Streams { return h },
			Armed: func(string) bool { return false }, Logger: slog.New(slog.DiscardHandler),
		})
		var hub stream.Hub
		config := camera.Config{ID: "gate", SiteID: "yard", Main: stream.Target{URL: "rtsp://x/main"}}
		wg.Go(func() { w.Follow(ctx, config, camera.Main, &hub) })
		for hub.Readers() == 0 {
			time.Sleep(time.Millisecond)
		}
		for _, u := range unitsOf(t, from, 2*time.Second/30, simcamera.MainStream, names...) {
			if !u.Key {
				continue
			}
			hub.Publish(u)
			for s, _ := w.Camera("gate"); !s.LookedAt.Equal(u.At); s, _ = w.Camera("gate") {
				time.Sleep(time.Millisecond)
			}
		}
		cancel()
		wg.Wait()
		for _, x := range b.scenes() {
			said = append(said, fmt.Sprintf("%s %s %.0f", x.What, x.Phase, x.Since.Sub(from).Seconds()))
		}
		return said
	}
	day := slices.Repeat([]string{"yard-day-bays-00"}, 35)
	if said := serve(noon, day...); said != nil {
		t.Fatalf("%q", said)
	}
	tomorrow := noon.Add(24 * time.Hour)
	if said := serve(tomorrow, day[:5]...); said != nil {
		t.Errorf("of a camera that hangs as it did: %q", said)
	}
	if said, want := serve(tomorrow.Add(time.Minute), "covered", "covered", "covered"), []string{"covered started 2"}; !slices.Equal(said, want) {
		t.Errorf("of a camera that was covered: %q, want %q", said, want)
	}
	if said, want := serve(tomorrow.Add(time.Hour), "yard-day-turned", "yard-day-turned", "yard-day-bays-00", "yard-day-bays-00"), []string{"turned started 2", "turned ended 10"}; !slices.Equal(said, want) {
		t.Errorf("of one that was turned, and then turned back: %q, want %q", said, want)
	}
}
