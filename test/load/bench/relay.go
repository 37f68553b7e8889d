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
	Latency   latency `json:"latency"` // from the intended send time
	// LaterP50 and LaterP99 are against the way without anything between.
	LaterP50 float64 `json:"laterP50Ms"`
	LaterP99 float64 `json:"laterP99Ms"`
	AddedP50 float64 `json:"addedP50Ms"` // as the product says of itself
	AddedP99 float64 `json:"addedP99Ms"`
	Gaps     int64   `json:"gapFrames"`
	Failed   int64   `json:"failedStations"`
}

func (r *relayResult) row() (head, row []string) {
	f := func(format string, v ...any) string { return fmt.Sprintf(format, v...) }
	later, added := "-", "-"
	if r.LaterP99 != 0 {
		later = f("%.2f / %.2f", r.LaterP50, r.LaterP99)
	}
	if r.AddedP99 > 0 {
		added = f("%.2f / %.2f", r.AddedP50, r.AddedP99)
	}
	return []string{"way", "stations", "calls/s done", "CPU s per 100 k calls", "CPU s per 100 k frames", "p50 / p95 / p99 / max ms", "later than directly p50 / p99 ms, median of rounds", "added p50 / p99 ms, by its own histogram", "frames not read", "stations lost"},
		[]string{r.Way, f("%d", r.Stations), f("%.0f", r.Done), f("%.2f", r.CPUCalls), f("%.2f", r.CPUFrames),
			f("%.2f / %.2f / %.2f / %.0f", r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.Max), later, added, f("%d", r.Gaps), f("%d", r.Failed)}
}

// relayRounds is how often the ways take turns: what the machine does beside them
// falls on each alike.
const relayRounds = 6

// relay puts the same paced load on the product that answers itself, and then in
// turns on another system directly, through a forwarder that only copies bytes, and
// through the product. That other system runs on the generator's core, so that what
// stands before it has its own.
func (b *bench) relay(ctx context.Context) error {
	if b.lab.peer == "" {
		return errors.New("relay: needs the peer")
	}
	alone, err := b.lab.startChargewatch(ctx, "", false)
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	log.Print("relay: chargewatch answers")
	r, err := rate(ctx, alone, b.stations, b.rateFor)
	alone.stop()
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	b.report.add("relay", &relayResult{Way: "chargewatch answers", Stations: r.Stations, Done: r.Done, CPUCalls: r.CPU, CPUFrames: round(r.CPU/2, 2), Latency: r.Latency, Failed: r.Failed})
	peer, err := b.onOwnCore(func() (*server, error) { return b.lab.startPeer(ctx, false) })
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	defer peer.stop()
	copier, err := b.lab.startForward(ctx, peer)
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	defer copier.stop()
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
	ways := []*way{{name: "ocpp-go directly", srv: peer, prefix: "DIRECT-", frames: 2}, {name: "bytes copied to ocpp-go", srv: copier, prefix: "COPIED-", frames: 4}, {name: "chargewatch in front of ocpp-go", srv: srv, prefix: "LOAD-", frames: 4}}
	for round := range relayRounds {
		log.Print("relay: round ", round+1)
		for _, w := range ways {
			if err := w.turn(ctx, b.stations, b.rateFor/relayRounds); err != nil {
				return fmt.Errorf("relay: %s: %w", w.name, err)
			}
		}
	}
	var health struct {
		Health struct {
			AddedP50Seconds, AddedP99Seconds float64
			GapFrames                        int64
		}
	}
	if err := srv.api.do(ctx, "GET", "/api/v1/upstreams/peer", nil, &health); err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	for _, w := range ways {
		out := w.result(ways[0])
		if w.srv == srv {
			out.AddedP50, out.AddedP99, out.Gaps = round(health.Health.AddedP50Seconds*1000, 3), round(health.Health.AddedP99Seconds*1000, 3), health.Health.GapFrames
		}
		b.report.add("relay", out)
	}
	return nil
}

// way is one of the ways to a central system.
type way struct {
	name     string
	srv      *server
	prefix   string
	frames   float64 // that srv reads or makes for a call
	stations int

	rounds []*rateResult
}

// turn connects stations for one round: who is silent while others have their turn
// answers no pings.
func (w *way) turn(ctx context.Context, n int, length time.Duration) error {
	stations, _, err := connectAll(ctx, &w.srv.target, w.prefix, n, 64)
	if err != nil {
		return err
	}
	defer closeAll(stations)
	for _, s := range stations {
		if err := s.begin(time.Now()); err != nil {
			return err
		}
	}
	w.stations = n
	w.rounds = append(w.rounds, paced(ctx, w.srv, stations, length))
	return ctx.Err()
}

// result is all rounds as one. What is later than on another way is the median of the
// rounds, each against the round of that way just before it.
func (w *way) result(direct *way) *relayResult {
	out := &relayResult{Way: w.name, Stations: w.stations}
	var all histogram
	var cpu, done float64
	var p50, p99 []float64
	for i, r := range w.rounds {
		all.merge(&r.all)
		cpu, done, out.Failed = cpu+r.CPU*float64(r.all.n), done+r.Done/float64(len(w.rounds)), max(out.Failed, r.Failed)
		p50 = append(p50, r.Latency.P50-direct.rounds[i].Latency.P50)
		p99 = append(p99, r.Latency.P99-direct.rounds[i].Latency.P99)
	}
	if all.n > 0 {
		out.CPUCalls = round(cpu/float64(all.n), 2)
	}
	out.Done, out.CPUFrames, out.Latency = round(done, 1), round(out.CPUCalls/w.frames, 2), all.latency()
	if w != direct {
		out.LaterP50, out.LaterP99 = round(median(p50), 2), round(median(p99), 2)
	}
	return out
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
