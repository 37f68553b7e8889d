package motion_test

import (
	"bytes"
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
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// book keeps what is appended.
type book struct {
	mu   sync.Mutex
	list []*event.Event
}

func (b *book) Append(_ context.Context, e *event.Event) (fleet.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, e)
	return fleet.Receipt{}, nil
}

// house has no sub streams and remembers who was said to be tampered with.
type house struct {
	mu  sync.Mutex
	how []string
}

func (h *house) Hub(string, string) (*stream.Hub, func(), error) {
	return nil, nil, camera.ErrNoStream
}

func (h *house) Tampered(_, how string, _ time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.how = append(h.how, how)
}

// referenceUnits are the key pictures of the reference clip, two seconds apart.
func referenceUnits(t *testing.T, from time.Time) []*stream.Unit {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.h264")
	if err != nil {
		t.Fatal(err)
	}
	f := &stream.Format{Codec: stream.H264, Width: 640, Height: 360}
	var units []*stream.Unit
	var sets [][]byte
	for _, n := range bytes.Split(data, []byte{0, 0, 1}) {
		n = bytes.TrimRight(n, "\x00")
		if len(n) < 2 {
			continue
		}
		switch n[0] & 0x1F {
		case 7:
			sets = [][]byte{n}
		case 8:
			sets = append(sets, n)
		case 5:
			at := from.Add(time.Duration(len(units)) * 2 * time.Second)
			u := &stream.Unit{Format: f, Key: true, NALUs: append(slices.Clone(sets), n), At: at, ReceivedAt: at, CameraAt: at.Add(time.Hour)}
			if len(units) > 20 {
				u.CameraAt = u.CameraAt.Add(time.Minute)
			}
			units = append(units, u)
		}
	}
	return units
}

func TestWhatACameraSeesReachesTheJournal(t *testing.T) {
	pool := decode.New(decode.Options{Workers: 1, Within: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = pool.Run(ctx) })
	b, h := &book{}, &house{}
	w := motion.NewWatch(motion.Options{
		Decoder: pool, Journal: b, Streams: func() motion.Streams { return h },
		Armed: func(site string) bool { return site == "yard" }, Logger: slog.New(slog.DiscardHandler),
	})
	all := [][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}}
	c := camera.Config{ID: "gate", SiteID: "yard", Zones: []camera.Zone{{ID: "bay", Kind: "watch", Polygon: all, Ports: []string{"station/S/1"}}}}
	if !w.Wants(c, camera.Main) || w.Wants(c, camera.Sub) {
		t.Error("it follows main streams")
	}
	var hub stream.Hub
	wg.Go(func() { w.Follow(ctx, c, camera.Main, &hub) })
	for hub.Readers() == 0 {
		time.Sleep(time.Millisecond)
	}
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, u := range referenceUnits(t, start) {
		hub.Publish(u)
		for s, _ := w.Camera("gate"); !s.LookedAt.Equal(u.At); s, _ = w.Camera("gate") {
			time.Sleep(time.Millisecond)
		}
	}
	s, _ := w.Camera("gate")
	if s.Tampered != event.SceneTurned || s.Slow || s.Interval != 2*time.Second {
		t.Errorf("at the end it is %+v", s)
	}
	cancel()
	wg.Wait()

	var said []string
	ids := make(map[string]string)
	for _, e := range b.list {
		x := e.Body.(*event.Scene)
		if e.Subject != event.Camera("gate") || x.SiteID != "yard" || !x.Armed || x.Source != "picture" {
			t.Errorf("said is %+v of %v", x, e.Subject)
		}
		if x.What == event.SceneMotion && (len(x.Ports) != 1 || x.Percent <= 0 || x.Score <= 0) {
			t.Errorf("motion without its place: %+v", x)
		}
		switch x.Phase {
		case event.SceneStarted:
			ids[x.ID] = string(x.What)
		case event.SceneEnded:
			if ids[x.ID] != string(x.What) {
				t.Errorf("%s ends and never began", x.ID)
			}
		case event.SceneSeen:
		}
		said = append(said, fmt.Sprintf("%s %s %.0f %s", x.What, x.Phase, x.Since.Sub(start).Seconds(), x.Zone))
	}
	want := []string{
		"motion started 30 bay", "clockJump seen 44 ", "motion ended 40 bay", "motion started 50 bay", "motion ended 60 bay",
		"covered started 96 ", "covered ended 108 ", "turned started 112 ",
	}
	if !slices.Equal(said, want) {
		t.Errorf("the journal has %q, want %q", said, want)
	}
	if !slices.Equal(h.how, []string{"covered", "", "turned"}) {
		t.Errorf("the camera was said to be %q", h.how)
	}
}
