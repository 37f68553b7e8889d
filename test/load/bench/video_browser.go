package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
)

// videoYard is a site with painted cameras, each with its shutter; a camera's sub
// stream is a simulated camera of its own.
type videoYard struct {
	farm *simcam.Farm
	eyes map[byte]*shutter // by the number in the cells
}

// subNumber is added to a camera's number in the cells of its sub stream.
const subNumber = 128

func cameraID(i int) string { return fmt.Sprintf("cam-%02d", i+1) }

// videoStage starts simulated cameras and a server that may reach them. Nothing
// is pinned: cameras, server and browser share the cores.
func (b *bench) videoStage(ctx context.Context, mode string, fn func(context.Context, *server, *videoYard) (any, error), extra ...string) error {
	restore, err := b.lab.unpinned()
	if err != nil {
		return err
	}
	defer restore()
	b.report.Machine.Pinned = false
	farm, err := simcam.New(simcam.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- farm.Run(running) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			log.Print(err)
		}
		farm.Close()
	}()
	yard := &videoYard{farm: farm, eyes: make(map[byte]*shutter)}
	srv, err := b.lab.startChargewatch(ctx, "", false, append([]string{"--allow-net", farm.Address().String(), "--webrtc", "127.0.0.1:0"}, extra...)...)
	if err == nil {
		srv.api.token, err = b.lab.mint(srv.data)
	}
	return b.measure(mode, srv, err, func(s *server) (any, error) { return fn(ctx, s, yard) })
}

// makeSite creates a site over the API.
func makeSite(ctx context.Context, a *api, id string) error {
	err := a.do(ctx, "POST", "/api/v1/sites", map[string]any{"id": id, "name": "Yard " + id, "timeZone": "UTC"}, nil)
	if err != nil {
		return fmt.Errorf("create site: %w", err)
	}
	return nil
}

// build puts n painted cameras up, with clips of so many seconds and sub streams if
// they are wanted, and waits until all are live.
func (y *videoYard) build(ctx context.Context, a *api, n, seconds int, subs bool) error {
	if err := makeSite(ctx, a, "yard"); err != nil {
		return err
	}
	var list []paint
	for i := range n {
		list = append(list, paint{camera: byte(i + 1), width: 1280, height: 720, kbit: 1000, seconds: seconds})
		if subs {
			list = append(list, paint{camera: byte(i+1) + subNumber, width: 640, height: 360, kbit: 250, seconds: seconds})
		}
	}
	log.Printf("painting %d clips", len(list))
	clips, err := paintAll(ctx, list)
	if err != nil {
		return err
	}
	for i, p := range list {
		eye := newShutter(p)
		y.eyes[p.camera] = eye
		if err := y.farm.Add(simcam.Spec{Name: fmt.Sprint("painted-", p.camera), Clip: clips[i], OnPicture: eye.note}); err != nil {
			return err
		}
	}
	for i := range n {
		body := map[string]any{"id": cameraID(i), "siteId": "yard", "label": fmt.Sprintf("Bay %02d", i+1), "mainUrl": y.farm.URL(fmt.Sprint("painted-", i+1), simcam.MainStream), "recording": "continuous"}
		if subs {
			body["subUrl"] = y.farm.URL(fmt.Sprint("painted-", i+1+subNumber), simcam.MainStream)
		}
		if err := a.do(ctx, "POST", "/api/v1/cameras", body, nil); err != nil {
			return fmt.Errorf("create camera: %w", err)
		}
	}
	return allLive(ctx, a, n)
}

// allLive waits until so many cameras are live.
func allLive(ctx context.Context, a *api, n int) error {
	for range 300 {
		var got struct{ Items []struct{ ID, State string } }
		if err := a.do(ctx, "GET", "/api/v1/cameras?state=live&limit=1000", nil, &got); err != nil {
			return err
		}
		if len(got.Items) >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return errors.New("the cameras did not become live within a minute")
}

// shot is a picture on the browser's screen.
type shot struct {
	At     float64 // ms, the browser's clock, which is this machine's
	Camera int     // -1: the cells cannot be read
	N      int
}

func (s shot) when() time.Time { return time.UnixMicro(int64(s.At * 1000)) }

// age is how long ago the picture was taken when it was on the screen.
func (y *videoYard) age(s shot) (time.Duration, bool) {
	eye := y.eyes[byte(s.Camera)]
	if s.Camera < 0 || eye == nil {
		return 0, false
	}
	taken, ok := eye.taken(s.N, s.when())
	return s.when().Sub(taken), ok
}

// videoLatencyResult is the way from the camera to the screen.
type videoLatencyResult struct {
	Way        string  `json:"way"`
	Picture    string  `json:"picture"`
	Frames     int     `json:"frames"`
	Unreadable int     `json:"framesThatCouldNotBeRead"`
	Decode     float64 `json:"decodeMs"` // mean, as the browser tells it
	Buffer     float64 `json:"jitterBufferMs"`
	Average    float64 `json:"loadAverage"`
	Latency    latency `json:"latency"` // taken by the camera until the browser presents it
}

func (r *videoLatencyResult) table() (head, row []string) {
	return []string{"way", "picture", "frames", "unreadable", "camera to screen p50 / p95 / p99 / max ms", "of that waiting in the browser ms", "decoding ms", "load average"},
		[]string{r.Way, r.Picture, fmt.Sprint(r.Frames), fmt.Sprint(r.Unreadable), quantiles(r.Latency), fmt.Sprintf("%.1f", r.Buffer), fmt.Sprintf("%.1f", r.Decode), fmt.Sprintf("%.1f", r.Average)}
}

// watch looks at one camera alone and reads each picture that is shown.
func (y *videoYard) watch(ctx context.Context, srv *server, c cookie, way string) (*videoLatencyResult, error) {
	page, err := browse(ctx, map[string]any{
		"mode": "videoLatency", "base": srv.api.base, "cookie": c, "path": "/cameras?grid=1&focus=" + cameraID(0), "way": way, "settleMs": 4000, "lengthMs": 40_000,
	})
	if err != nil {
		return nil, err
	}
	var seen struct {
		Shots          []shot
		Decode, Buffer float64
		Width, Height  int
	}
	if err := page.result(&seen, nil); err != nil {
		return nil, err
	}
	r := &videoLatencyResult{
		Way: way, Picture: fmt.Sprintf("%dx%d, %d fps, 1 Mbit/s", seen.Width, seen.Height, paintedRate),
		Frames: len(seen.Shots), Decode: round(seen.Decode, 2), Buffer: round(seen.Buffer, 2), Average: loadAverage()[0],
	}
	var h histogram
	for _, s := range seen.Shots {
		age, ok := y.age(s)
		if !ok {
			r.Unreadable++
			continue
		}
		h.add(age)
	}
	r.Latency = h.latency()
	if h.n < 300 {
		return r, fmt.Errorf("%s: only %d pictures were read", way, h.n)
	}
	return r, nil
}

// videoModes runs the modes in which somebody looks at cameras. They are not part
// of a run unless named.
func (b *bench) videoModes(ctx context.Context, has func(string) bool) error {
	var failed error
	if has("video-latency") {
		failed = errors.Join(failed, b.videoStage(ctx, "video-latency", func(ctx context.Context, s *server, y *videoYard) (any, error) {
			if err := y.build(ctx, s.api, 1, 60, false); err != nil {
				return nil, err
			}
			c, err := s.signIn(ctx)
			if err != nil {
				return nil, err
			}
			for _, way := range []string{"webrtc", "hls"} {
				r, err := y.watch(ctx, s, c, way)
				if r != nil {
					b.report.add("video-latency", r)
				}
				if err != nil {
					return nil, err
				}
			}
			return nil, nil
		}))
	}
	if has("video-wall") {
		failed = errors.Join(failed, b.videoStage(ctx, "video-wall", func(ctx context.Context, s *server, y *videoYard) (any, error) {
			if err := y.build(ctx, s.api, wallTiles, 30, true); err != nil {
				return nil, err
			}
			return videoWall(ctx, s, y, max(1, b.ui.starts/2), b.ui.soak)
		}))
	}
	if has("video-review") {
		failed = errors.Join(failed, b.videoReview(ctx))
	}
	if has("video-alarm") {
		failed = errors.Join(failed, b.videoStage(ctx, "video-alarm", func(ctx context.Context, s *server, y *videoYard) (any, error) {
			results, err := videoAlarm(ctx, s, y)
			for _, r := range results {
				b.report.add("video-alarm", r)
			}
			return nil, err
		}))
	}
	return failed
}

func quantiles(l latency) string {
	return fmt.Sprintf("%.0f / %.0f / %.0f / %.0f", l.P50, l.P95, l.P99, l.Max)
}
