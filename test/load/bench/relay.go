package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"
)

// relayResult is the paced load on one way from the stations to a central system.
type relayResult struct {
	Way      string  `json:"way"`
	Stations int     `json:"stations"`
	Done     float64 `json:"callsPerSecondDone"`
	CPUCalls float64 `json:"cpuSecondsPer100kCalls"`
	// CPUFrames counts each frame that the server read or made: two of a call that it
	// answers, four of one that it relays (in and out, there and back).
	CPUFrames float64 `json:"cpuSecondsPer100kFrames"`
	Latency   latency `json:"latency"`    // from the intended send time
	AddedP50  float64 `json:"addedP50Ms"` // as the product says of itself
	AddedP99  float64 `json:"addedP99Ms"`
	Gaps      int64   `json:"gapFrames"`
	Failed    int64   `json:"failedStations"`
}

func (r *relayResult) row() (head, row []string) {
	f := func(format string, v ...any) string { return fmt.Sprintf(format, v...) }
	added := "-"
	if r.AddedP99 > 0 {
		added = f("%.2f / %.2f", r.AddedP50, r.AddedP99)
	}
	return []string{"way", "stations", "calls/s done", "CPU s per 100 k calls", "CPU s per 100 k frames", "p50 / p95 / p99 / max ms", "added p50 / p99 ms, by its own histogram", "frames not read", "stations lost"},
		[]string{r.Way, f("%d", r.Stations), f("%.0f", r.Done), f("%.2f", r.CPUCalls), f("%.2f", r.CPUFrames),
			f("%.2f / %.2f / %.2f / %.0f", r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.Max), added, f("%d", r.Gaps), f("%d", r.Failed)}
}

// relay puts the same paced load on the peer alone, on the product that answers
// itself, and on the product in front of the peer. The peer runs on the generator's
// core where it is relayed to, so that the product has its own.
func (b *bench) relay(ctx context.Context) error {
	if b.lab.peer == "" {
		return errors.New("relay: needs the peer")
	}
	alone := func(way string, start func() (*server, error)) error {
		srv, err := start()
		if err != nil {
			return err
		}
		defer srv.stop()
		log.Print("relay: ", way)
		r, err := rate(ctx, srv, b.stations, b.rateFor)
		if err != nil {
			return err
		}
		b.report.add("relay", &relayResult{Way: way, Stations: r.Stations, Done: r.Done, CPUCalls: r.CPU, CPUFrames: round(r.CPU/2, 2), Latency: r.Latency, Failed: r.Failed})
		return nil
	}
	if err := alone("ocpp-go directly", func() (*server, error) {
		return b.onOwnCore(func() (*server, error) { return b.lab.startPeer(ctx, false) })
	}); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	if err := alone("chargewatch answers", func() (*server, error) { return b.lab.startChargewatch(ctx, "", false) }); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	peer, err := b.onOwnCore(func() (*server, error) { return b.lab.startPeer(ctx, false) })
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	defer peer.stop()
	srv, err := b.lab.startChargewatch(ctx, "", false, "--allow-net", "127.0.0.1")
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	defer srv.stop()
	if srv.api.token, err = b.lab.mint(srv.data); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	if err := enrolRelayed(ctx, srv.api, peer.target.ws, b.stations); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	log.Print("relay: chargewatch in front of ocpp-go")
	r, err := rate(ctx, srv, b.stations, b.rateFor)
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	out := &relayResult{Way: "chargewatch in front of ocpp-go", Stations: r.Stations, Done: r.Done, CPUCalls: r.CPU, CPUFrames: round(r.CPU/4, 2), Latency: r.Latency, Failed: r.Failed}
	var health struct {
		Health struct {
			AddedP50Seconds, AddedP99Seconds float64
			GapFrames                        int64
		}
	}
	if err := srv.api.do(ctx, "GET", "/api/v1/upstreams/peer", nil, &health); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	out.AddedP50, out.AddedP99, out.Gaps = round(health.Health.AddedP50Seconds*1000, 3), round(health.Health.AddedP99Seconds*1000, 3), health.Health.GapFrames
	b.report.add("relay", out)
	return nil
}

// onOwnCore starts a server beside the generator.
func (b *bench) onOwnCore(start func() (*server, error)) (*server, error) {
	core := b.lab.serverCore
	b.lab.serverCore = b.lab.ownCore
	defer func() { b.lab.serverCore = core }()
	return start()
}

// enrolRelayed makes a site whose stations are relayed to the peer.
func enrolRelayed(ctx context.Context, a *api, url string, stations int) error {
	if err := a.do(ctx, "POST", "/api/v1/upstreams", map[string]any{"id": "peer", "name": "Peer", "url": url}, nil); err != nil {
		return fmt.Errorf("add the upstream system: %w", err)
	}
	if err := a.do(ctx, "POST", "/api/v1/sites", map[string]any{"id": "relayed", "upstream": "peer"}, nil); err != nil {
		return fmt.Errorf("add the site: %w", err)
	}
	table := "id,siteId\n"
	for i := range stations {
		table += fmt.Sprintf("LOAD-%05d,relayed\n", i+1)
	}
	var got struct{ Created, Failed int }
	if err := a.send(ctx, "POST", "/api/v1/stations/import", "text/csv", []byte(table), &got); err != nil {
		return fmt.Errorf("import stations: %w", err)
	}
	if got.Created != stations {
		return fmt.Errorf("import stations: %d created, %d failed", got.Created, got.Failed)
	}
	time.Sleep(time.Second)
	return nil
}
