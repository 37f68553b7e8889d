package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// killResult is the server killed again and again under load.
type killResult struct {
	Server       string    `json:"server"`
	Stations     int       `json:"stations"`
	Kills        int       `json:"kills"`
	Acknowledged int       `json:"acknowledgedCalls"`
	Lost         int       `json:"acknowledgedCallsLost"`
	Examples     []string  `json:"lostExamples,omitempty"`
	Integrity    string    `json:"integrityCheck"`
	Restart      []float64 `json:"secondsFromProcessStartToFirstAcceptedStation"`
	Slowest      float64   `json:"slowestRestartSeconds"`
	TxReused     int       `json:"transactionIdsGivenTwice"`
}

// acknowledged is what the generator knows the server said yes to.
type acknowledged struct {
	mu    sync.Mutex
	calls map[string][]string // station to "kind time"
	tx    map[int64]string    // transaction id to station and start time
	twice int
}

const stampLayout = "2006-01-02T15:04:05.000Z"

// killLoop kills the server at random moments under load and looks afterwards
// for every call it had acknowledged.
func killLoop(ctx context.Context, l *lab, n, kills int) (*killResult, error) {
	r := &killResult{Server: "chargewatch", Stations: n, Kills: kills}
	srv, err := l.startChargewatch(ctx, "", false)
	if err != nil {
		return nil, err
	}
	data := srv.data
	token, err := l.mint(data)
	if err != nil {
		srv.kill()
		return nil, err
	}
	book := &acknowledged{calls: make(map[string][]string), tx: make(map[int64]string)}
	stations := make([]*station, n)
	for i := range stations {
		stations[i] = newStation("KILL-", i)
	}
	for range kills {
		round1, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		var first atomic.Int64
		for _, s := range stations {
			wg.Go(func() { s.live(round1, &srv.target, book, func() { first.CompareAndSwap(0, time.Now().UnixNano()) }) })
		}
		time.Sleep(time.Duration(1500+rand.IntN(2500)) * time.Millisecond)
		srv.kill()
		stop()
		wg.Wait()
		if at := first.Load(); at != 0 {
			r.Restart = append(r.Restart, round(time.Unix(0, at).Sub(srv.began).Seconds(), 3))
		}
		if srv, err = l.startChargewatch(ctx, data, false); err != nil {
			return r, fmt.Errorf("restart after a kill: %w", err)
		}
	}
	defer func() { srv.kill() }()
	r.Slowest = slices.Max(append(slices.Clone(r.Restart), 0))
	srv.api.token = token
	for _, s := range stations {
		events, err := srv.api.events(ctx, s.id, "meter", "status", "transaction")
		if err != nil {
			return r, err
		}
		have := make(map[string]bool)
		for _, e := range events {
			if e.DeviceAt != nil {
				have[e.Kind+" "+e.DeviceAt.UTC().Format(stampLayout)] = true
			}
		}
		for _, want := range book.calls[s.id] {
			r.Acknowledged++
			if !have[want] {
				r.Lost++
				if len(r.Examples) < 10 {
					r.Examples = append(r.Examples, s.id+" "+want)
				}
			}
		}
	}
	r.TxReused = book.twice
	srv.stop()
	out, err := exec.Command(l.chargewatch, "verify", "--data", data).CombinedOutput()
	r.Integrity = "clean"
	if err != nil {
		r.Integrity = strings.TrimSpace(string(out))
	}
	return r, ctx.Err()
}

// live plays sessions until the connection ends, and notes what was
// acknowledged.
func (s *station) live(ctx context.Context, t *target, book *acknowledged, accepted func()) {
	for ctx.Err() == nil {
		if err := s.connect(ctx, t); err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		break
	}
	if ctx.Err() != nil {
		return
	}
	accepted()
	stop := context.AfterFunc(ctx, func() { s.c.Close() })
	defer stop()
	defer s.c.Close()
	note := func(kind string, at time.Time) {
		book.mu.Lock()
		book.calls[s.id] = append(book.calls[s.id], kind+" "+at.UTC().Format(stampLayout))
		book.mu.Unlock()
	}
	for n := int64(0); ctx.Err() == nil; n++ {
		// One message per millisecond at most: the time names the message.
		time.Sleep(time.Duration(20+s.n%20) * time.Millisecond)
		at := time.Now().Truncate(time.Millisecond)
		var err error
		kind := "transaction"
		switch n % 8 {
		case 0:
			if err = s.begin(at); err == nil {
				key := s.id + at.String()
				book.mu.Lock()
				if other, ok := book.tx[s.tx]; ok && other != key {
					book.twice++
				}
				book.tx[s.tx] = key
				book.mu.Unlock()
			}
		case 7:
			_, err = s.call(s.stop, at)
		case 1, 4:
			kind = "status"
			_, err = s.call(s.status[n%8/4], at)
		default:
			kind = "meter"
			s.energy += 10
			_, err = s.call(s.meter, at)
		}
		if err != nil {
			return
		}
		note(kind, at)
	}
}
