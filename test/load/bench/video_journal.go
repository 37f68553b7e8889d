package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// besideResult is how quickly calls are acknowledged, which is after they are on
// the disk, while cameras are recorded or not.
type besideResult struct {
	Cameras int       `json:"camerasRecorded"`
	Eyes    bool      `json:"motionAndTamper"`
	PerSec  float64   `json:"callsPerSecondOffered"`
	Done    float64   `json:"callsPerSecondDone"`
	Core    float64   `json:"serverCoreShare"` // its decoders included
	Latency latency   `json:"latency"`         // from the intended send time
	Rounds  []latency `json:"rounds"`
	Failed  int64     `json:"failedStations"`
	Load    float64   `json:"loadAverage"`

	hist  histogram
	times float64 // seconds
	cpu   time.Duration
}

func (r *besideResult) row() (head, row []string) {
	eyes := "no"
	if r.Eyes {
		eyes = "yes"
	}
	var each []string
	for _, l := range r.Rounds {
		each = append(each, fmt.Sprintf("%.1f", l.P99))
	}
	l := r.Latency
	return []string{"cameras recorded", "motion and tamper", "calls/s offered", "done/s", "server core", "p50 / p95 / p99 / max ms", "p99 of each round", "stations lost", "load average"},
		[]string{fmt.Sprint(r.Cameras), eyes, fmt.Sprintf("%.0f", r.PerSec), fmt.Sprintf("%.0f", r.Done), fmt.Sprintf("%.2f", r.Core),
			fmt.Sprintf("%.2f / %.2f / %.2f / %.0f", l.P50, l.P95, l.P99, l.Max), strings.Join(each, ", "), fmt.Sprint(r.Failed), fmt.Sprintf("%.1f", r.Load)}
}

// besideRounds is how often cameras come and go: what else the machine does falls
// on both alike.
const besideRounds = 3

// videoJournal paces calls while cameras are recorded and while they are not, turn
// by turn against the same server.
func videoJournal(ctx context.Context, b *bench) error {
	f, err := b.lab.film(ctx, b.video.cameras)
	if f != nil && f.farm != nil {
		defer f.farm.kill()
	}
	if err != nil {
		return err
	}
	for _, eyes := range []bool{false, true} {
		if err := b.beside(ctx, f, eyes); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) beside(ctx context.Context, f *filming, eyes bool) error {
	srv, err := b.lab.startSeeing(ctx, f, eyes, "--webrtc", "off")
	if srv != nil {
		defer srv.stop()
	}
	if err != nil {
		return err
	}
	if err := f.sites(ctx, srv); err != nil {
		return err
	}
	without, with := &besideResult{}, &besideResult{Cameras: f.n, Eyes: eyes}
	for range besideRounds {
		if err := without.round(ctx, srv, b.stations, b.rateFor/besideRounds); err != nil {
			return err
		}
		if err := f.add(ctx, srv, "continuous"); err != nil {
			return err
		}
		if err := f.live(ctx, srv); err != nil {
			return err
		}
		time.Sleep(10 * time.Second) // files are synced every 8 s
		if err := with.round(ctx, srv, b.stations, b.rateFor/besideRounds); err != nil {
			return err
		}
		if err := f.remove(ctx, srv); err != nil {
			return err
		}
		time.Sleep(3 * time.Second)
	}
	for _, r := range []*besideResult{without, with} {
		r.finish(b.stations)
		b.report.add("video-journal", r)
	}
	return nil
}

// round sends one call a second from each of n stations.
func (r *besideResult) round(ctx context.Context, srv *server, n int, length time.Duration) error {
	stations, _, err := connectAll(ctx, &srv.target, "LOAD-", n, 64)
	if err != nil {
		return err
	}
	defer closeAll(stations)
	for _, s := range stations {
		if err := s.begin(time.Now()); err != nil {
			return err
		}
	}
	start := time.Now().Add(500 * time.Millisecond)
	cpu := childrenCPU(srv.pid())
	var wg sync.WaitGroup
	var failed atomic.Int64
	for _, s := range stations {
		wg.Go(func() {
			if s.pace(ctx, start.Add(time.Duration(s.n)*time.Second/time.Duration(n)), start.Add(length), time.Second) != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	var h histogram
	for _, s := range stations {
		h.merge(s.hist)
	}
	r.hist.merge(&h)
	r.Rounds = append(r.Rounds, h.latency())
	r.times += time.Since(start).Seconds()
	r.cpu += childrenCPU(srv.pid()) - cpu
	r.Failed += failed.Load()
	if l := loadAverage(); len(l) > 0 {
		r.Load = max(r.Load, l[0])
	}
	log.Printf("video-journal: %d cameras, p99 %.1f ms", r.Cameras, h.latency().P99)
	if failed.Load() > 0 {
		return errors.New("stations were lost")
	}
	return ctx.Err()
}

func (r *besideResult) finish(stations int) {
	r.Latency, r.PerSec = r.hist.latency(), float64(stations)
	r.Done, r.Core = round(float64(r.hist.n)/r.times, 1), round(r.cpu.Seconds()/r.times, 3)
}

// remove takes all cameras out of the product.
func (f *filming) remove(ctx context.Context, srv *server) error {
	for i := range f.n {
		if err := srv.api.do(ctx, http.MethodDelete, "/api/v1/cameras/"+camID(i), nil, nil); err != nil {
			return fmt.Errorf("remove camera: %w", err)
		}
	}
	return nil
}
