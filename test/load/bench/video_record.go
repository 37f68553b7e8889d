package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// recordResult is what recording all cameras costs one program.
type recordResult struct {
	Server  string `json:"server"`
	Mode    string `json:"mode"`
	Cameras int    `json:"cameras"`
	Usage   usage  `json:"usage"`
	// Farm is what the simulated cameras cost meanwhile.
	Farm  float64 `json:"simulatedCamerasCore"`
	Whole *whole  `json:"recorded,omitempty"`
	Gaps  int     `json:"gapsInTheIndex"`
}

func (r *recordResult) row() (head, row []string) {
	mb := func(n int64) string { return fmt.Sprintf("%.0f", float64(n)/1e6) }
	return []string{"server", "mode", "cameras", "core", "RSS MB", "PSS MB", "processes", "recorded", "gaps in the index", "seconds read", "load average"},
		[]string{r.Server, r.Mode, fmt.Sprint(r.Cameras), fmt.Sprintf("%.3f", r.Usage.Core), mb(r.Usage.RSS), mb(r.Usage.PSS), fmt.Sprint(r.Usage.N), r.Whole.String(),
			fmt.Sprint(r.Gaps), fmt.Sprintf("%.0f", r.Usage.For), fmt.Sprintf("%.1f", r.Usage.Load)}
}

// compare sets the product beside the peers.
func (r *recordResult) compare(all []any) string {
	var peers, ours []*recordResult
	for _, x := range all {
		if x, ok := x.(*recordResult); ok && strings.HasPrefix(x.Server, "Chargewatch") {
			ours = append(ours, x)
		} else if ok {
			peers = append(peers, x)
		}
	}
	var text []string
	for _, o := range ours {
		for _, p := range peers {
			if p.Usage.Core > 0 && p.Usage.PSS > 0 {
				text = append(text, fmt.Sprintf("%s (%s) to %s: %.2f of its processor time, %.2f of its memory (PSS).", o.Server, o.Mode, p.Server,
					o.Usage.Core/p.Usage.Core, float64(o.Usage.PSS)/float64(p.Usage.PSS)))
			}
		}
	}
	return strings.Join(text, "\n")
}

// videoRecord lets each program record the same cameras, one after the other.
func videoRecord(ctx context.Context, b *bench) error {
	f, err := b.lab.film(ctx, b.video.cameras)
	if f != nil && f.farm != nil {
		defer f.farm.kill()
	}
	if err != nil {
		return err
	}
	var failed error
	measure := func(mode string, kept bool, start func() (*recorder, *server, error)) {
		if ctx.Err() != nil {
			return
		}
		res, err := b.video.record(ctx, f, mode, kept, start)
		if res != nil {
			b.report.add("video-record", res)
		}
		failed = errors.Join(failed, err)
	}
	measure("continuous", true, func() (*recorder, *server, error) { r, err := b.lab.startFFmpeg(f); return r, nil, err })
	if b.video.mediamtx != "none" {
		bin, err := b.lab.mediamtx(ctx, b.video.mediamtx)
		if err != nil {
			return err
		}
		measure("continuous", true, func() (*recorder, *server, error) { r, err := b.lab.startMediaMTX(bin, f); return r, nil, err })
	}
	measure("continuous", true, func() (*recorder, *server, error) { return b.lab.ours(ctx, f, "Chargewatch", "continuous", false) })
	measure("event", false, func() (*recorder, *server, error) { return b.lab.ours(ctx, f, "Chargewatch", "event", false) })
	return failed
}

// videoMotion records all cameras and looks at each key picture for motion and
// tamper.
func videoMotion(ctx context.Context, b *bench) error {
	f, err := b.lab.film(ctx, b.video.cameras)
	if f != nil && f.farm != nil {
		defer f.farm.kill()
	}
	if err != nil {
		return err
	}
	var looked *lookedAt
	res, err := b.video.record(ctx, f, "continuous, motion and tamper", true, func() (*recorder, *server, error) {
		r, srv, err := b.lab.ours(ctx, f, "Chargewatch", "continuous", true)
		if err == nil {
			stop := r.stop
			r.stop = func() { looked, _ = scenes(ctx, srv, f); stop() }
		}
		return r, srv, err
	})
	if res != nil {
		b.report.add("video-motion", &motionResult{recordResult: *res, Looked: looked})
	}
	return err
}

// record measures one program.
func (p videoPlan) record(ctx context.Context, f *filming, mode string, kept bool, start func() (*recorder, *server, error)) (*recordResult, error) {
	r, srv, err := start()
	if err != nil {
		if r != nil {
			r.stop()
		}
		return nil, err
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			r.stop()
		}
	}
	defer stop()
	log.Printf("%s, %s: waits for %d cameras", r.name, mode, f.n)
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(p.warm):
	}
	began, farm := time.Now(), f.farm.cpu()
	res := &recordResult{Server: r.name, Mode: mode, Cameras: f.n}
	if res.Usage, err = used(ctx, p.window, r.pids...); err != nil {
		return nil, err
	}
	res.Farm = round((f.farm.cpu()-farm).Seconds()/res.Usage.For, 4)
	log.Printf("%s, %s: %.3f core, %d MB PSS", r.name, mode, res.Usage.Core, res.Usage.PSS/1_000_000)
	if srv != nil && kept {
		if res.Gaps, err = gaps(ctx, srv, f, began); err != nil {
			return res, err
		}
	}
	stop()
	if kept {
		if res.Whole, err = f.check(r); err != nil {
			return res, err
		}
		if want := int(p.window.Seconds()*videoRate) - 1; res.Whole.Least < want {
			err = fmt.Errorf("%s: %d pictures of a camera that sent %d", r.name, res.Whole.Least, want)
		}
	}
	for i := range f.n {
		list, _ := r.files(i)
		for _, name := range list {
			_ = os.Remove(name) // the disk is needed for the next
		}
	}
	return res, err
}

// gaps counts what the index says is missing since a time.
func gaps(ctx context.Context, srv *server, f *filming, since time.Time) (n int, err error) {
	for i := range f.n {
		var r struct{ Gaps []struct{ Reason string } }
		q := url.Values{"from": {since.UTC().Format(time.RFC3339)}, "to": {time.Now().UTC().Format(time.RFC3339)}}
		if err := srv.api.do(ctx, http.MethodGet, "/api/v1/cameras/"+camID(i)+"/recordings?"+q.Encode(), nil, &r); err != nil {
			return n, err
		}
		n += len(r.Gaps)
	}
	return n, nil
}
