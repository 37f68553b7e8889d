package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// stormResult is many commands at once while all stations send.
type stormResult struct {
	Server   string  `json:"server"`
	Stations int     `json:"stations"`
	Commands int     `json:"commands"`
	Answered int64   `json:"answered"`
	Failed   int64   `json:"failed"`
	First    string  `json:"firstFailure,omitempty"`
	Took     float64 `json:"secondsUntilAllAnswered"`
	Longest  float64 `json:"longestPauseOfAnyStationMs"`
	Before   float64 `json:"longestPauseBeforeMs"` // same load, no commands
	Calls    int64   `json:"callsAnsweredDuring"`
	Stuck    int     `json:"stationsWithoutAnswerAfterwards"`
	Command  latency `json:"commandLatency"`
}

// storm sends one command to every station at the same moment.
func storm(ctx context.Context, srv *server, n int) (*stormResult, error) {
	stations, _, err := connectAll(ctx, &srv.target, "LOAD-", n, 64)
	if err != nil {
		return nil, err
	}
	defer closeAll(stations)
	var stop atomic.Bool
	var wg sync.WaitGroup
	start := time.Now().Add(100 * time.Millisecond)
	for _, s := range stations {
		wg.Go(func() {
			intended := start.Add(time.Duration(s.n) * time.Second / time.Duration(n))
			for i := int64(0); !stop.Load(); i++ {
				time.Sleep(time.Until(intended))
				s.open.Store(intended.UnixNano())
				if s.alternate(i, time.Now()) != nil {
					return
				}
				s.done(intended)
				intended = intended.Add(time.Second)
			}
		})
	}
	r := &stormResult{Server: srv.name, Stations: n, Commands: n}
	time.Sleep(6 * time.Second)
	r.Before = round(float64(pause(stations))/1e6, 1)
	callsBefore := sumCalls(stations)

	began := time.Now()
	var h histogram
	var mu sync.Mutex
	var first atomic.Pointer[string]
	var commands sync.WaitGroup
	for _, s := range stations {
		commands.Go(func() {
			t0 := time.Now()
			if err := srv.command(ctx, s.id); err != nil {
				atomic.AddInt64(&r.Failed, 1)
				first.CompareAndSwap(nil, new(err.Error()))
				return
			}
			atomic.AddInt64(&r.Answered, 1)
			mu.Lock()
			h.add(time.Since(t0))
			mu.Unlock()
		})
	}
	commands.Wait()
	r.Took = round(time.Since(began).Seconds(), 3)
	mark := time.Now().UnixNano()
	time.Sleep(5 * time.Second)
	for _, s := range stations {
		if s.last.Load() < mark {
			r.Stuck++
		}
	}
	r.Longest = round(float64(pause(stations))/1e6, 1)
	r.Calls = sumCalls(stations) - callsBefore
	r.Command = h.latency()
	if e := first.Load(); e != nil {
		r.First = *e
	}
	stop.Store(true)
	time.AfterFunc(3*time.Second, func() { closeAll(stations) })
	wg.Wait()
	return r, ctx.Err()
}

func sumCalls(stations []*station) (sum int64) {
	for _, s := range stations {
		sum += s.calls.Load()
	}
	return sum
}

// command asks a station for something through the server's own interface and
// waits for its answer.
func (s *server) command(ctx context.Context, station string) error {
	if s.api != nil {
		return s.api.command(ctx, station, "TriggerMessage", `{"requestedMessage":"Heartbeat"}`)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.control+"/command/"+station, nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	client := http.Client{Timeout: 40 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("command: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("command: %s: %s", resp.Status, b)
	}
	return nil
}
