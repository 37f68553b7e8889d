package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// floodResult is a whole network coming back after an hour.
type floodResult struct {
	Server     string  `json:"server"`
	Stations   int     `json:"stations"`
	Calls      int64   `json:"callsAcknowledged"`
	Took       float64 `json:"secondsUntilAllAcknowledged"`
	LastBoot   float64 `json:"secondsUntilLastStationAccepted"`
	Handshakes latency `json:"handshakeLatency"`
	Latency    latency `json:"callLatency"`
	Retries    int64   `json:"connectionRetries"`
	Failed     int64   `json:"stationsThatGaveUp"`
	First      string  `json:"firstFailure,omitempty"`
	CPU        float64 `json:"serverCpuSeconds"`
	RSS        int64   `json:"rssBytes"`
	Sessions   int     `json:"sessionsInTheApi"`
	Right      int     `json:"sessionsWithTheRightEnergy"`
	Missing    int     `json:"eventsMissingInSample"`
	Sampled    int     `json:"stationsSampled"`
	Restart    float64 `json:"secondsFromProcessStartToFirstAcceptedStationAfterKill,omitempty"`
}

const (
	floodMeters = 60
	floodWh     = 120 // per meter value
)

// flood lets n stations return at the same moment over TLS with a password.
// Each flushes the session it had without a network.
func flood(ctx context.Context, srv *server, n int, enrol bool) (*floodResult, error) {
	r := &floodResult{Server: srv.name, Stations: n}
	if enrol {
		if err := enrolAll(ctx, srv.api, "BACK-", n); err != nil {
			return nil, err
		}
	}
	t := srv.target
	t.password = benchPassword
	stations := make([]*station, n)
	for i := range stations {
		stations[i] = newStation("BACK-", i)
	}
	hour := time.Now().Add(-time.Hour)
	began := time.Now()
	cpu := srv.cpu()
	var wg sync.WaitGroup
	var acknowledged, retries, failed, lastBoot atomic.Int64
	var first atomic.Pointer[string]
	handshakes := make([]histogram, 1)
	var mu sync.Mutex
	for _, s := range stations {
		wg.Go(func() {
			defer func() {
				if s.c != nil {
					s.c.Close()
				}
			}()
			step := 0 // messages of the queue that are acknowledged
			for try := range 30 {
				t0 := time.Now()
				err := s.connect(ctx, &t)
				if err == nil {
					mu.Lock()
					handshakes[0].add(time.Since(t0))
					mu.Unlock()
					if step == 0 {
						for at := int64(time.Since(began)); ; {
							old := lastBoot.Load()
							if at <= old || lastBoot.CompareAndSwap(old, at) {
								break
							}
						}
					}
					step, err = s.flush(step, hour)
				}
				if err == nil {
					acknowledged.Add(int64(step))
					return
				}
				first.CompareAndSwap(nil, new(err.Error()))
				if ctx.Err() != nil {
					break
				}
				retries.Add(1)
				if s.c != nil {
					s.c.Close()
				}
				time.Sleep(time.Duration(1+min(try, 4)) * 500 * time.Millisecond)
			}
			failed.Add(1)
		})
	}
	wg.Wait()
	r.Took = round(time.Since(began).Seconds(), 2)
	r.CPU = round((srv.cpu() - cpu).Seconds(), 1)
	r.RSS = srv.rss()
	r.LastBoot = round(time.Duration(lastBoot.Load()).Seconds(), 2)
	r.Calls, r.Retries, r.Failed = acknowledged.Load(), retries.Load(), failed.Load()
	if e := first.Load(); e != nil {
		r.First = *e
	}
	var h histogram
	for _, s := range stations {
		h.merge(s.hist)
	}
	r.Latency, r.Handshakes = h.latency(), handshakes[0].latency()
	if srv.api != nil {
		if err := r.check(ctx, srv.api, hour); err != nil {
			return r, err
		}
	}
	return r, ctx.Err()
}

// flush sends the queue of an hour without a network from a step on and
// returns how far it got.
func (s *station) flush(step int, since time.Time) (int, error) {
	base := int64(s.n) * 1000
	for ; step < floodMeters+2; step++ {
		at := since.Add(time.Duration(step) * time.Minute * 58 / 60)
		t0 := time.Now()
		var err error
		switch step {
		case 0:
			s.energy = base
			err = s.begin(at)
		case floodMeters + 1:
			s.energy = base + floodMeters*floodWh
			_, err = s.call(s.stop, at)
		default:
			s.energy = base + int64(step)*floodWh
			_, err = s.call(s.meter, at)
		}
		if err != nil {
			return step, err
		}
		s.done(t0)
	}
	return step, nil
}

// check counts what the API shows.
func (r *floodResult) check(ctx context.Context, a *api, since time.Time) error {
	err := pages(ctx, a, "/api/v1/sessions", url.Values{}, func(x loggedSession) {
		if !strings.HasPrefix(x.Station, "BACK-") {
			return
		}
		r.Sessions++
		if x.State == "ended" && x.EnergyWh == floodMeters*floodWh {
			r.Right++
		}
	})
	if err != nil {
		return err
	}
	for i := 0; i < r.Stations; i += max(1, r.Stations/100) {
		id := fmt.Sprintf("BACK-%05d", i+1)
		events, err := a.events(ctx, id, "transaction")
		if err != nil {
			return err
		}
		values, err := a.values(ctx, id, since)
		if err != nil {
			return err
		}
		r.Sampled++
		r.Missing += max(0, 2-len(events)) + max(0, floodMeters-values)
	}
	return nil
}

const benchPassword = "0123456789abcdef"

// enrolAll creates stations before a run; this is not measured.
func enrolAll(ctx context.Context, a *api, prefix string, n int) error {
	slots := make(chan struct{}, 32)
	var wg sync.WaitGroup
	var first atomic.Pointer[error]
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := a.enrol(ctx, fmt.Sprintf("%s%05d", prefix, i+1), benchPassword); err != nil {
				first.CompareAndSwap(nil, &err)
			}
		})
	}
	wg.Wait()
	if e := first.Load(); e != nil {
		return fmt.Errorf("enrol stations: %w", *e)
	}
	return nil
}

// restart kills the server with all that data in its folder, starts it again
// and waits until a station is accepted.
func (r *floodResult) restart(ctx context.Context, l *lab, srv *server) error {
	srv.kill()
	again, err := l.startChargewatch(ctx, srv.data, srv.target.tls != nil)
	if err != nil {
		return fmt.Errorf("restart after the flood: %w", err)
	}
	defer again.stop()
	t := again.target
	t.password = benchPassword
	for ctx.Err() == nil {
		s := newStation("BACK-", 0)
		if err = s.connect(ctx, &t); err == nil {
			r.Restart = round(time.Since(again.began).Seconds(), 3)
			s.c.Close()
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("restart after the flood: %w", err)
}
