package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// closedResult is one server under saturation.
type closedResult struct {
	Server   string   `json:"server"`
	Mix      string   `json:"mix"`
	Stations int      `json:"stations"`
	Windows  []window `json:"windows"`
	Best     float64  `json:"bestCallsPerSecond"`
	Median   float64  `json:"medianCallsPerSecond"`
	CPU      float64  `json:"cpuSecondsPer100kCalls"`
	Latency  latency  `json:"latency"`
	RSS      int64    `json:"rssBytes"`
	Failed   int64    `json:"failedStations"`
}

type window struct {
	CallsPerSecond float64 `json:"callsPerSecond"`
	CoreShare      float64 `json:"serverCoreShare"`
}

// connectAll brings up n stations, a bounded number at a time.
func connectAll(ctx context.Context, t *target, prefix string, n, parallel int) ([]*station, time.Duration, error) {
	began := time.Now()
	stations := make([]*station, n)
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	var first atomic.Pointer[error]
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			s := newStation(prefix, i)
			var err error
			for try := range 3 { // a busy accept queue drops connections now and then
				if err = s.connect(ctx, t); err == nil || ctx.Err() != nil {
					break
				}
				time.Sleep(time.Duration(try+1) * 200 * time.Millisecond)
			}
			if err != nil {
				first.CompareAndSwap(nil, &err)
				return
			}
			stations[i] = s
		})
	}
	wg.Wait()
	if e := first.Load(); e != nil {
		closeAll(stations)
		return nil, 0, fmt.Errorf("connect stations: %w", *e)
	}
	return stations, time.Since(began), nil
}

func closeAll(stations []*station) {
	for _, s := range stations {
		if s != nil && s.c != nil {
			s.c.Close()
		}
	}
}

// closed saturates a server: each station sends as soon as it is answered.
func closed(ctx context.Context, srv *server, n, windows int, length time.Duration, sessions bool) (*closedResult, error) {
	stations, _, err := connectAll(ctx, &srv.target, "LOAD-", n, 64)
	if err != nil {
		return nil, err
	}
	r := &closedResult{Server: srv.name, Stations: n, Mix: "MeterValues:StatusNotification 1:1"}
	if sessions {
		r.Mix = "whole sessions: Start, 10 MeterValues, Stop"
	}
	var stop atomic.Bool
	var failed atomic.Int64
	var wg sync.WaitGroup
	for _, s := range stations {
		wg.Go(func() {
			err := s.saturate(&stop, sessions)
			if err != nil && !stop.Load() {
				failed.Add(1)
			}
		})
	}
	total := func() (sum int64) {
		for _, s := range stations {
			sum += s.calls.Load()
		}
		return sum
	}
	time.Sleep(2 * time.Second)
	calls0, cpu0 := total(), srv.cpu()
	for range windows {
		calls, cpu, began := total(), srv.cpu(), time.Now()
		select {
		case <-time.After(length):
		case <-ctx.Done():
		}
		took := time.Since(began).Seconds()
		r.Windows = append(r.Windows, window{round(float64(total()-calls)/took, 1), round((srv.cpu()-cpu).Seconds()/took, 3)})
	}
	done, cpu := total()-calls0, srv.cpu()-cpu0
	r.RSS = srv.rss()
	stop.Store(true)
	time.AfterFunc(5*time.Second, func() { closeAll(stations) })
	wg.Wait()
	closeAll(stations)
	r.Failed = failed.Load()
	rates := make([]float64, len(r.Windows))
	for i, w := range r.Windows {
		rates[i] = w.CallsPerSecond
	}
	slices.Sort(rates)
	r.Best, r.Median = rates[len(rates)-1], rates[len(rates)/2]
	if done > 0 {
		r.CPU = round(cpu.Seconds()/float64(done)*100_000, 2)
	}
	var h histogram
	for _, s := range stations {
		h.merge(s.hist)
	}
	r.Latency = h.latency()
	return r, ctx.Err()
}

// saturate sends until stop. The time in the frames moves on by a second per
// call, so that no two calls are the same.
func (s *station) saturate(stop *atomic.Bool, sessions bool) error {
	at := time.Now()
	if !sessions {
		if err := s.begin(at); err != nil {
			return err
		}
	}
	for n := int64(0); !stop.Load(); n++ {
		at = time.Now()
		var err error
		switch {
		case !sessions:
			err = s.alternate(n, at)
		case n%12 == 0:
			err = s.begin(at)
		case n%12 == 11:
			s.energy++
			_, err = s.call(s.stop, at)
		default:
			s.energy += 150
			_, err = s.call(s.meter, at)
		}
		if err != nil {
			return err
		}
		s.done(at)
	}
	if !sessions {
		_, err := s.call(s.stop, time.Now())
		return err
	}
	return nil
}
