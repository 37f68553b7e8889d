package main

import (
	"context"
	"encoding/binary"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// hostileResult is honest load beside an attack from the same address.
type hostileResult struct {
	Server   string           `json:"server"`
	Stations int              `json:"honestStations"`
	Before   latency          `json:"honestLatencyBefore"`
	During   latency          `json:"honestLatencyDuring"`
	Lost     int64            `json:"honestStationsLost"`
	Attacks  map[string]int64 `json:"attacks"`
	Refused  int64            `json:"wrongPasswordsRefused"`
	Let      int64            `json:"wrongPasswordsLetIn"`
	Rejoined bool             `json:"honestStationReconnectsDuringTheAttack"`
	RSS      int64            `json:"rssBytesAfter"`
}

// hostile runs honest stations at one call a second while others behave as
// badly as they can.
func hostile(ctx context.Context, srv *server, n, handshakes int) (*hostileResult, error) {
	r := &hostileResult{Server: srv.name, Stations: n, Attacks: make(map[string]int64)}
	if err := enrolAll(ctx, srv.api, "GOOD-", n); err != nil {
		return nil, err
	}
	t := srv.target
	t.password = benchPassword
	stations, _, err := connectAll(ctx, &t, "GOOD-", n, 64)
	if err != nil {
		return nil, err
	}
	defer closeAll(stations)
	phase := func(length time.Duration) (latency, int64) {
		for _, s := range stations {
			s.hist = &histogram{}
		}
		start := time.Now().Add(100 * time.Millisecond)
		var wg sync.WaitGroup
		var lost atomic.Int64
		for _, s := range stations {
			wg.Go(func() {
				if s.pace(ctx, start.Add(time.Duration(s.n)*time.Second/time.Duration(n)), start.Add(length), time.Second) != nil {
					lost.Add(1)
				}
			})
		}
		wg.Wait()
		var h histogram
		for _, s := range stations {
			h.merge(s.hist)
		}
		return h.latency(), lost.Load()
	}
	r.Before, _ = phase(10 * time.Second)

	attack, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := func(name string) {
		mu.Lock()
		r.Attacks[name]++
		mu.Unlock()
	}
	left := make(chan int, handshakes)
	for i := range handshakes {
		left <- i
	}
	close(left)
	const length = 30 * time.Second
	began := time.Now()
	for range 16 {
		wg.Go(func() {
			for i := range left {
				// Spread over the phase: the generator shares its core with
				// the honest stations.
				time.Sleep(time.Until(began.Add(length * time.Duration(i) / time.Duration(handshakes))))
				if attack.Err() != nil {
					return
				}
				c, err := t.dialAs(attack, stations[i%n].id, "wrong-password-00", 0)
				if err != nil {
					atomic.AddInt64(&r.Refused, 1)
				} else {
					atomic.AddInt64(&r.Let, 1)
					c.Close()
				}
				count("wrong password")
			}
		})
	}
	for i, name := range []string{"oversized frame", "deep nesting", "half-sent frame", "endless frame", "half-sent handshake"} {
		wg.Go(func() {
			bad := t
			bad.password = ""
			for k := 0; attack.Err() == nil; k++ {
				misbehave(attack, &bad, name, i*1000+k)
				count(name)
				time.Sleep(200 * time.Millisecond)
			}
		})
	}
	time.AfterFunc(length/2, func() {
		s := newStation("GOOD-", n) // one more, enrolled below
		if err := srv.api.enrol(ctx, s.id, benchPassword); err == nil && s.connect(ctx, &t) == nil {
			mu.Lock()
			r.Rejoined = true
			mu.Unlock()
			s.c.Close()
		}
	})
	r.During, r.Lost = phase(length)
	stop()
	wg.Wait()
	r.RSS = srv.rss()
	return r, ctx.Err()
}

// misbehave plays one bad connection for at most three seconds.
func misbehave(ctx context.Context, t *target, how string, n int) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	s := newStation("EVIL-", n%500)
	if how == "half-sent handshake" {
		raw := *t
		c, err := raw.dialHalf(ctx)
		if err == nil {
			<-ctx.Done()
			c.Close()
		}
		return
	}
	c, err := t.dial(ctx, s.id, 0)
	if err != nil {
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	switch how {
	case "oversized frame":
		c.Write(frame([]byte(`[2,"1","DataTransfer",{"vendorId":"x","data":"` + strings.Repeat("x", 8<<20) + `"}]`)))
	case "deep nesting":
		c.Write(frame([]byte(`[2,"1","DataTransfer",` + strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000) + `]`)))
	case "half-sent frame":
		f := frame([]byte(`[2,"1","Heartbeat",{}]`))
		c.Write(f[:len(f)/2])
	case "endless frame":
		h := []byte{0x01, 0x80 | 127} // text, not final
		h = binary.BigEndian.AppendUint64(h, 1<<40)
		h = append(h, 0, 0, 0, 0)
		c.Write(h)
		block := make([]byte, 16<<10)
		for range 256 {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
	io.Copy(io.Discard, io.LimitReader(c.r, 1<<16))
}
