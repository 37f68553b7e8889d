package main

import (
	"context"
	"time"
)

// idleResult is the memory of connected stations that say nothing.
type idleResult struct {
	Server     string  `json:"server"`
	Stations   int     `json:"stations"`
	TLS        bool    `json:"tls"`
	Before     int64   `json:"rssBeforeBytes"`
	After      int64   `json:"rssAfterBytes"`
	PerStation float64 `json:"kilobytesPerStation"`
	PerSecond  float64 `json:"connectsPerSecond"` // TCP, upgrade, boot
	IdleCPU    float64 `json:"idleCoreShare"`
}

// idle connects n stations, boots them and lets them be. Each tells the state
// of its connectors once, as a station does, so that live state is included.
func idle(ctx context.Context, srv *server, n int, secure bool, settle time.Duration) (*idleResult, error) {
	time.Sleep(2 * time.Second)
	r := &idleResult{Server: srv.name, Stations: n, TLS: secure, Before: srv.rss()}
	stations, took, err := connectAll(ctx, &srv.target, "IDLE-", n, 64)
	if err != nil {
		return nil, err
	}
	defer closeAll(stations)
	for _, s := range stations {
		if _, err := s.call(statusTemplate("Available"), time.Now()); err != nil {
			return nil, err
		}
	}
	// The generator must answer pings while it waits.
	for _, s := range stations {
		go func() {
			for {
				if _, err := s.c.read(); err != nil {
					return
				}
			}
		}()
	}
	r.PerSecond = round(float64(n)/took.Seconds(), 1)
	cpu := srv.cpu()
	select {
	case <-time.After(settle):
	case <-ctx.Done():
	}
	r.IdleCPU = round((srv.cpu()-cpu).Seconds()/settle.Seconds(), 4)
	r.After = srv.rss()
	r.PerStation = round(float64(r.After-r.Before)/float64(n)/1024, 2)
	return r, ctx.Err()
}
