package motion_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/motion"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	simcamera "github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// annex has a sub stream beside the main stream.
type annex struct {
	house
	hub *stream.Hub
}

func (a *annex) Hub(_, name string) (*stream.Hub, func(), error) {
	if name != camera.Sub {
		return nil, nil, camera.ErrNoStream
	}
	return a.hub, func() {}, nil
}

// unitsOf are the pictures of clips, one after the other, from a time on.
func unitsOf(t *testing.T, from time.Time, every time.Duration, name string, names ...string) []*stream.Unit {
	t.Helper()
	f := &stream.Format{Codec: stream.H264, Width: 320, Height: 180}
	var units []*stream.Unit
	var sets [][]byte
	for _, clip := range names {
		data, err := clips.Read(name, clip)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range bytes.Split(data, []byte{0, 0, 1}) {
			n = bytes.TrimRight(n, "\x00")
			if len(n) < 2 {
				continue
			}
			at := from.Add(time.Duration(len(units)) * every)
			switch n[0] & 0x1F {
			case 7:
				sets = [][]byte{n}
			case 8:
				sets = append(sets, n)
			case 5:
				units = append(units, &stream.Unit{Format: f, Key: true, NALUs: append(slices.Clone(sets), n), At: at, ReceivedAt: at})
			case 1:
				units = append(units, &stream.Unit{Format: f, NALUs: [][]byte{n}, At: at, ReceivedAt: at})
			}
		}
	}
	return units
}

func TestTheSubStreamIsLookedAtWhereItIsWorthIt(t *testing.T) {
	all := [][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}}
	charger := []camera.Zone{{ID: "bay", Kind: "watch", Polygon: all, Ports: []string{"station/S/1"}}}
	for name, c := range map[string]struct {
		zones    []camera.Zone
		armed    bool
		interval time.Duration // of the main stream's key pictures
		close    bool
		slow     bool
	}{
		"chargers at an armed site":       {charger, true, 2 * time.Second, true, false},
		"chargers, and it is not armed":   {charger, false, 2 * time.Second, false, false},
		"armed, without chargers":         {nil, true, 2 * time.Second, false, false},
		"key pictures that are far apart": {nil, false, 4 * time.Second, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			pool := decode.New(decode.Options{Workers: 1, Within: time.Minute, Logger: slog.New(slog.DiscardHandler)})
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			defer wg.Wait()
			defer cancel()
			wg.Go(func() { _ = pool.Run(ctx) })
			b, h := &book{}, &annex{hub: new(stream.Hub)}
			w := motion.NewWatch(motion.Options{
				Decoder: pool, Journal: b, Streams: func() motion.Streams { return h },
				Armed: func(string) bool { return c.armed }, Logger: slog.New(slog.DiscardHandler),
			})
			var hub stream.Hub
			config := camera.Config{ID: "gate", SiteID: "yard", Main: stream.Target{URL: "rtsp://x/main"}, Sub: stream.Target{URL: "rtsp://x/sub"}, Zones: c.zones}
			wg.Go(func() { w.Follow(ctx, config, camera.Main, &hub) })
			for hub.Readers() == 0 {
				time.Sleep(time.Millisecond)
			}
			start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
			for _, u := range unitsOf(t, start, c.interval/30, simcamera.MainStream, "yard-day-bays-00", "yard-day-bays-00") {
				if !u.Key {
					continue
				}
				hub.Publish(u)
				for s, _ := w.Camera("gate"); !s.LookedAt.Equal(u.At); s, _ = w.Camera("gate") {
					time.Sleep(time.Millisecond)
				}
			}
			if s, _ := w.Camera("gate"); s.Slow != c.slow {
				t.Errorf("it is %+v", s)
			}
			if !c.close {
				if h.hub.Readers() > 0 {
					t.Error("it looks at the sub stream")
				}
				return
			}
			for h.hub.Readers() == 0 {
				time.Sleep(time.Millisecond)
			}
			if s, _ := w.Camera("gate"); !s.Close {
				t.Errorf("it is %+v", s)
			}
			// Somebody walks past, and the main stream shows nothing of it.
			from := start.Add(time.Minute)
			walk := unitsOf(t, from, 200*time.Millisecond, simcamera.SubStream, "yard-day-bays-00", "yard-day-bays-00", "yard-day-walks")
			for i, u := range walk {
				h.hub.Publish(u)
				for s, _ := w.Camera("gate"); i > 20 && s.LookedAt.Before(walk[i-20].At); s, _ = w.Camera("gate") {
					time.Sleep(time.Millisecond)
				}
			}
			for len(b.scenes()) == 0 {
				time.Sleep(time.Millisecond)
			}
			var table clips.Table
			sights, err := table.Sights("yard-day-walks")
			if err != nil {
				t.Fatal(err)
			}
			x := b.scenes()[0]
			began := from.Add(8*time.Second + time.Duration(sights[0].From*float64(time.Second)))
			if late := x.Since.Sub(began); x.What != event.SceneMotion || late < -time.Second || late > 700*time.Millisecond {
				t.Errorf("%+v, %s after somebody came", x, late)
			}
		})
	}
}

func (b *book) scenes() (list []*event.Scene) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.list {
		list = append(list, e.Body.(*event.Scene))
	}
	return list
}
