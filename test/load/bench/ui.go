package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// uiPlan is what the browser modes are told on the command line.
type uiPlan struct {
	stations int           // of the large network
	active   int           // of the latency mode
	rate     float64       // updates a second of the live mode
	window   time.Duration // of one view
	starts   int
	soak     time.Duration
	soakPage string
}

// stage starts a server with a connected network and a signed-in browser's
// cookie. Server, generator and browser share the cores.
func (b *bench) stage(ctx context.Context, stations int, fn func(*server, *network, cookie) (any, error), mode string) error {
	restore, err := b.lab.unpinned()
	if err != nil {
		return err
	}
	defer restore()
	b.report.Machine.Pinned = false
	srv, err := b.lab.startChargewatch(ctx, "", false)
	if err == nil {
		srv.api.token, err = b.lab.mint(srv.data)
	}
	return b.measure(mode, srv, err, func(s *server) (any, error) {
		c, err := s.signIn(ctx)
		if err != nil {
			return nil, err
		}
		net, err := enrolNetwork(ctx, s.api, max(1, stations/50), stations)
		if err != nil {
			return nil, err
		}
		defer net.close()
		if err := net.connect(ctx, &s.target); err != nil {
			return nil, err
		}
		if err := net.wake(ctx, 0.4); err != nil {
			return nil, err
		}
		return fn(s, net, c)
	})
}

// browserModes runs the modes in which a real browser looks on. They are not
// part of a run unless named: they need Chromium, and node to drive it.
func (b *bench) browserModes(ctx context.Context, has func(string) bool) error {
	var failed error
	if has("ui-start") {
		for _, n := range []int{b.ui.active, b.ui.stations} {
			failed = errors.Join(failed, b.stage(ctx, n, func(s *server, net *network, c cookie) (any, error) {
				return uiStart(ctx, s, net, c, b.ui, b.lab.dir)
			}, "ui-start"))
		}
	}
	if has("ui-latency") {
		failed = errors.Join(failed, b.stage(ctx, b.ui.active, func(s *server, net *network, c cookie) (any, error) {
			return uiLatency(ctx, s, net, c)
		}, "ui-latency"))
	}
	if has("ui-live") {
		failed = errors.Join(failed, b.stage(ctx, b.ui.stations, func(s *server, net *network, c cookie) (any, error) {
			results, err := uiLive(ctx, s, net, c, b.ui)
			for _, r := range results {
				b.report.add("ui-live "+r.Feed, r)
			}
			return nil, err
		}, "ui-live"))
	}
	if has("kiosk-soak") {
		failed = errors.Join(failed, b.stage(ctx, b.ui.active, func(s *server, net *network, c cookie) (any, error) {
			return soak(ctx, s, net, c, b.ui)
		}, "kiosk-soak"))
	}
	return failed
}

// uiLiveResult is what a browser makes of a busy network.
type uiLiveResult struct {
	Feed      string   `json:"feed"` // server: server and generator beside the browser; recorded: their frames played again
	Ports     int      `json:"ports"`
	Load      driven   `json:"load"`
	ServerCPU float64  `json:"serverCoreShare"`
	OwnCPU    float64  `json:"generatorCoreShare"`
	Browser   float64  `json:"browserCoreShare"`
	Average   float64  `json:"loadAverage"`
	Views     []uiView `json:"views"`
}

type uiView struct {
	View       string  `json:"view"`
	FPS        float64 `json:"fps"`
	P95        float64 `json:"p95FrameMs"`
	Worst      float64 `json:"worstFrameMs"`
	LongTasks  float64 `json:"longTaskMs"`
	MainThread float64 `json:"mainThread"`    // wall time of its tasks
	CPU        float64 `json:"mainThreadCpu"` // processor time of its tasks
	Script     float64 `json:"script"`        // of that, in script
}

// uiLive opens the wall and the tables while every port moves.
func uiLive(ctx context.Context, srv *server, net *network, c cookie, p uiPlan) ([]*uiLiveResult, error) {
	driving, stop := context.WithCancel(ctx)
	defer stop()
	load := net.start(driving, p.rate)
	time.Sleep(3 * time.Second)
	tape, err := recordFeed(ctx, srv, 30*time.Second)
	if err != nil {
		return nil, err
	}
	ports := 2 * len(net.members)
	first := &uiLiveResult{Feed: "server", Ports: ports}
	if err := first.measure(ctx, srv, srv.api.base, c, p); err != nil {
		return nil, err
	}
	stop()
	end := <-load
	if first.Load = end.driven; end.err != nil {
		return nil, end.err
	}
	second := &uiLiveResult{Feed: "recorded", Ports: ports, Load: driven{Offered: p.rate, Done: tape.perSecond()}}
	player, err := tape.play(srv.api.base)
	if err != nil {
		return nil, err
	}
	defer player.close()
	time.Sleep(2 * time.Second)
	return []*uiLiveResult{first, second}, second.measure(ctx, srv, player.base, c, p)
}

func (r *uiLiveResult) measure(ctx context.Context, srv *server, base string, c cookie, p uiPlan) error {
	page, err := browse(ctx, map[string]any{
		"mode": "live", "base": base, "cookie": c, "settleMs": 3000, "windowMs": p.window.Milliseconds(),
	})
	if err != nil {
		return err
	}
	server, own, browser, began := srv.cpu(), processCPU(os.Getpid()), childrenCPU(page.cmd.Process.Pid), time.Now()
	share := func(now, before time.Duration) float64 {
		return round((now-before).Seconds()/time.Since(began).Seconds(), 2)
	}
	err = page.result(&r.Views, func(key string, value json.RawMessage) {
		log.Printf("ui-live: %s: %s %s", r.Feed, key, value)
		r.Browser = share(childrenCPU(page.cmd.Process.Pid), browser)
	})
	r.ServerCPU, r.OwnCPU = share(srv.cpu(), server), share(processCPU(os.Getpid()), own)
	if a := loadAverage(); len(a) > 0 {
		r.Average = a[0]
	}
	return err
}

// uiLatencyResult is the way from a station's frame to the pixel.
type uiLatencyResult struct {
	Active  int     `json:"activeStations"`
	Load    driven  `json:"load"`
	Toggles int     `json:"toggles"`
	Missed  int     `json:"changesNeverSeen"`
	Average float64 `json:"loadAverage"`
	Latency latency `json:"latency"` // sent on the station's socket until drawn
	Commit  latency `json:"commit"`  // sent until answered, of the same frames
}

// uiLatency toggles one port and watches its tile while all others are active.
func uiLatency(ctx context.Context, srv *server, net *network, c cookie) (*uiLatencyResult, error) {
	r := &uiLatencyResult{Active: len(net.members)}
	quiet := net.members[0]
	v := newVoice(0)
	for p := range quiet.ports { // a tile that says no figure, so that it changes for its state only
		if quiet.ports[p].tx != 0 {
			if _, err := quiet.say(v.stop, time.Now(), quiet.ports[p].energy, quiet.ports[p].tx); err != nil {
				return nil, err
			}
			quiet.ports[p].tx = 0
		}
		if err := quiet.tell(v, p, "Available", time.Now()); err != nil {
			return nil, err
		}
	}
	others := *net
	others.members = net.members[1:]
	driving, stop := context.WithCancel(ctx)
	defer stop()
	load := others.start(driving, float64(len(others.members))/5) // each says something every 5 s
	page, err := browse(ctx, map[string]any{"mode": "latency", "base": srv.api.base, "cookie": c, "settleMs": 4000, "station": quiet.id})
	if err != nil {
		return nil, err
	}
	key, value, err := page.next()
	if err != nil {
		return nil, err
	}
	log.Printf("ui-latency: %s %s", key, value)
	var sent, done []time.Time
	for i := range 120 {
		time.Sleep(700*time.Millisecond + time.Duration(v.chance.IntN(300))*time.Millisecond)
		sent = append(sent, time.Now())
		if err := quiet.tell(v, 0, []string{"Faulted", "Available"}[i%2], time.Now()); err != nil {
			return nil, err
		}
		done = append(done, time.Now())
	}
	time.Sleep(2 * time.Second)
	fmt.Fprintln(page.in, "over")
	var seen struct{ Changes []float64 }
	if err := page.result(&seen, nil); err != nil {
		return nil, err
	}
	stop()
	end := <-load
	r.Load = end.driven
	var pixel, commit histogram
	for i, at := range sent {
		commit.add(done[i].Sub(at))
		until := time.Now()
		if i+1 < len(sent) {
			until = sent[i+1]
		}
		found := slices.IndexFunc(seen.Changes, func(ms float64) bool {
			change := time.UnixMicro(int64(ms * 1000))
			return change.After(at) && change.Before(until)
		})
		if found < 0 {
			r.Missed++
			continue
		}
		pixel.add(time.UnixMicro(int64(seen.Changes[found] * 1000)).Sub(at))
	}
	r.Toggles, r.Latency, r.Commit = len(sent), pixel.latency(), commit.latency()
	if a := loadAverage(); len(a) > 0 {
		r.Average = a[0]
	}
	return r, end.err
}

// uiStartResult is the way from the address to an Overview that can be used.
type uiStartResult struct {
	Stations int     `json:"stations"`
	Runs     int     `json:"runs"`
	Figures  latency `json:"figuresPainted"`
	Wall     latency `json:"wallPainted"`
	Usable   latency `json:"usable"`
	Average  float64 `json:"loadAverage"`
}

func uiStart(ctx context.Context, srv *server, net *network, c cookie, p uiPlan, dir string) (*uiStartResult, error) {
	r := &uiStartResult{Stations: len(net.members), Runs: p.starts}
	page, err := browse(ctx, map[string]any{
		"mode": "start", "base": srv.api.base, "cookie": c, "runs": p.starts, "ports": 2 * len(net.members),
		"picture": filepath.Join(dir, fmt.Sprintf("overview-%d.png", len(net.members))),
	})
	if err != nil {
		return nil, err
	}
	var runs []struct{ Figures, Wall, Usable float64 }
	if err := page.result(&runs, nil); err != nil {
		return nil, err
	}
	var figures, wall, usable histogram
	for _, x := range runs {
		for h, ms := range map[*histogram]float64{&figures: x.Figures, &wall: x.Wall, &usable: x.Usable} {
			h.add(time.Duration(ms * float64(time.Millisecond)))
		}
	}
	r.Figures, r.Wall, r.Usable = figures.latency(), wall.latency(), usable.latency()
	if a := loadAverage(); len(a) > 0 {
		r.Average = a[0]
	}
	return r, nil
}

// soakResult is the heap of a page that is never closed.
type soakResult struct {
	Stations int          `json:"stations"`
	Page     string       `json:"page"`
	Load     driven       `json:"load"`
	Minutes  float64      `json:"minutes"`
	First    float64      `json:"firstHeapMB"` // mean of the first fifth, after the warm-up
	Last     float64      `json:"lastHeapMB"`  // mean of the last fifth
	Low      float64      `json:"lowestHeapMB"`
	High     float64      `json:"highestHeapMB"`
	Growth   float64      `json:"growthPercent"`
	ServerMB float64      `json:"serverGrowthMB"`
	Faults   []string     `json:"scriptErrors"`
	Samples  []soakSample `json:"samples"`
}

type soakSample struct {
	Second    int     `json:"second"`
	HeapMB    float64 `json:"heapMB"`
	Nodes     int     `json:"nodes"`
	Listeners int     `json:"listeners"`
}

func soak(ctx context.Context, srv *server, net *network, c cookie, p uiPlan) (*soakResult, error) {
	r := &soakResult{Stations: len(net.members), Page: p.soakPage, Minutes: round(p.soak.Minutes(), 1)}
	driving, stop := context.WithCancel(ctx)
	defer stop()
	load := net.start(driving, 200)
	page, err := browse(ctx, map[string]any{
		"mode": "soak", "base": srv.api.base, "cookie": c, "path": p.soakPage,
		"lengthMs": p.soak.Milliseconds(), "everyMs": min(30_000, p.soak.Milliseconds()/20),
	})
	if err != nil {
		return nil, err
	}
	before := srv.rss()
	var got struct {
		Samples []soakSample
		Faults  []string
	}
	if err := page.result(&got, func(key string, value json.RawMessage) { log.Printf("kiosk-soak: %s", value) }); err != nil {
		return nil, err
	}
	stop()
	end := <-load
	r.Load, r.Samples, r.Faults = end.driven, got.Samples, got.Faults
	r.ServerMB = round(float64(srv.rss()-before)/1e6, 1)
	if len(r.Samples) < 8 {
		return r, errors.Join(end.err, errors.New("too short for a trend"))
	}
	settled := r.Samples[2:] // caches fill in the first minute
	mean := func(list []soakSample) (sum float64) {
		for _, x := range list {
			sum += x.HeapMB
		}
		return round(sum/float64(len(list)), 2)
	}
	fifth := max(1, len(settled)/5)
	r.First, r.Last = mean(settled[:fifth]), mean(settled[len(settled)-fifth:])
	r.Low, r.High = settled[0].HeapMB, settled[0].HeapMB
	for _, x := range settled {
		r.Low, r.High = min(r.Low, x.HeapMB), max(r.High, x.HeapMB)
	}
	r.Growth = round((r.Last/r.First-1)*100, 1)
	return r, end.err
}

func (r *uiLiveResult) markdown() string {
	var b strings.Builder
	b.WriteString("\n| view | fps | p95 frame ms | worst frame ms | long tasks ms | main thread % | its processor time % | of that script % |\n|---|---|---|---|---|---|---|---|\n")
	for _, x := range r.Views {
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %.0f | %.1f | %.1f | %.1f |\n", x.View, x.FPS, x.P95, x.Worst, x.LongTasks, x.MainThread*100, x.CPU*100, x.Script*100)
	}
	return b.String()
}

// outcome is how a load in the background ended.
type outcome struct {
	driven
	err error
}

// start drives in the background until ctx ends.
func (n *network) start(ctx context.Context, perSecond float64) <-chan outcome {
	end := make(chan outcome, 1)
	go func() {
		d, err := n.drive(ctx, perSecond)
		end <- outcome{d, err}
	}()
	return end
}
