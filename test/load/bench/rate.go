package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// rateResult is one server at a paced load.
type rateResult struct {
	Server   string  `json:"server"`
	Stations int     `json:"stations"`
	PerSec   float64 `json:"callsPerSecondOffered"`
	Done     float64 `json:"callsPerSecondDone"`
	Core     float64 `json:"serverCoreShare"`
	CPU      float64 `json:"cpuSecondsPer100kCalls"`
	Latency  latency `json:"latency"` // from the intended send time
	Failed   int64   `json:"failedStations"`

	all histogram
}

// rate sends one call a second per station. Latency counts from the time a
// call should have gone out, so a stall is charged to every call it delays.
func rate(ctx context.Context, srv *server, n int, length time.Duration) (*rateResult, error) {
	stations, _, err := connectAll(ctx, &srv.target, "LOAD-", n, 64)
	if err != nil {
		return nil, err
	}
	defer closeAll(stations)
	for _, s := range stations {
		if err := s.begin(time.Now()); err != nil {
			return nil, err
		}
	}
	return paced(ctx, srv, stations, length), ctx.Err()
}

// paced is one call a second of each of some connected stations.
func paced(ctx context.Context, srv *server, stations []*station, length time.Duration) *rateResult {
	n := len(stations)
	r := &rateResult{Server: srv.name, Stations: n, PerSec: float64(n)}
	var failed atomic.Int64
	start := time.Now().Add(500 * time.Millisecond)
	end := start.Add(length)
	for _, s := range stations {
		s.hist = &histogram{}
	}
	cpu := srv.cpu()
	var wg sync.WaitGroup
	for _, s := range stations {
		wg.Go(func() {
			if s.pace(ctx, start.Add(time.Duration(s.n)*time.Second/time.Duration(n)), end, time.Second) != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(start).Seconds()
	for _, s := range stations {
		r.all.merge(s.hist)
	}
	used := (srv.cpu() - cpu).Seconds()
	r.Latency, r.Failed = r.all.latency(), failed.Load()
	r.Done, r.Core = round(float64(r.all.n)/took, 1), round(used/took, 3)
	if r.all.n > 0 {
		r.CPU = round(used/float64(r.all.n)*100_000, 2)
	}
	return r
}

// pace sends at intended times until end.
func (s *station) pace(ctx context.Context, intended, end time.Time, every time.Duration) error {
	for n := int64(0); intended.Before(end) && ctx.Err() == nil; n++ {
		time.Sleep(time.Until(intended))
		if err := s.alternate(n, time.Now()); err != nil {
			return err
		}
		s.done(intended)
		intended = intended.Add(every)
	}
	return nil
}
