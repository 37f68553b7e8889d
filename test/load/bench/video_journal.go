package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// besideResult is how quickly calls are acknowledged, which is after they are on
// the disk, while cameras are recorded or not.
type besideResult struct {
	Cameras int       `json:"camerasRecorded"`
	Eyes    bool      `json:"motionAndTamper"`
	PerSec  float64   `json:"callsPerSecondOffered"`
	Done    float64   `json:"callsPerSecondDone"`
	Core    float64   `json:"serverCoreShare"` // its decoders included
	Latency latency   `json:"latency"`         // from the intended send time
	Rounds  []latency `json:"rounds"`
	Failed  int64     `json:"failedStations"`
	Load    float64   `json:"loadAverage"`

	hist  histogram
	times float64 // seconds
	cpu   time.Duration
}

func (r *besideResult) row() (head, row []string) {
	eyes := "no"
	if r.Eyes {
		eyes = "yes"
	}
	var each []string
	for _, l := range r.Rounds {
		each = append(each, fmt.Sprintf("%.1f", l.P99))
	}
	l := r.Latency
	return []string{"cameras recorded", "motion and tamper", "calls/s offered", "done/s", "server core", "p50 / p95 / p99 / max ms", "p99 of each round", "stations lost", "load average"},
		[]string{fmt.Sprint(r.Cameras), eyes, fmt.Sprintf("%.0f", r.PerSec), fmt.Sprintf("%.0f", r.Done), fmt.Sprintf("%.2f", r.Core),
			fmt.Sprintf("%.2f / %.2f / %.2f / %.0f", l.P50, l.P95, l.P99, l.Max), strings.Join(each, ", "), fmt.Sprint(r.Failed), fmt.Sprintf("%.1f", r.Load)}
}

// besidePairs is how often cameras come or go. Blocks with and without them follow
// each other as ABBAABBA...: what else the machine does, and what changes with time,
// falls on both alike, and neighbours of one kind say how much it is.
const besidePairs = 10

// videoJournal paces calls while cameras are recorded and while they are not, turn
// by turn against the same server.
func videoJournal(ctx context.Context, b *bench) error {
	f, err := b.lab.film(ctx, b.video.cameras)
	if f != nil && f.farm != nil {
		defer f.farm.kill()
	}
	if err != nil {
		return err
	}
	for _, eyes := range []bool{false, true} {
		if err := b.beside(ctx, f, eyes); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) beside(ctx context.Context, f *filming, eyes bool) error {
	srv, err := b.lab.startSeeing(ctx, f, eyes, "--webrtc", "off")
	if srv != nil {
		defer srv.stop()
	}
	if err != nil {
		return err
	}
	if err := f.sites(ctx, srv); err != nil {
		return err
	}
	stations, _, err := connectAll(ctx, &srv.target, "LOAD-", b.stations, 64)
	if err != nil {
		return err
	}
	defer closeAll(stations)
	for _, s := range stations {
		if err := s.begin(time.Now()); err != nil {
			return err
		}
	}
	// Stations go on while cameras come and go; only blocks count.
	t := &tally{srv: srv, length: b.rateFor / besidePairs}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	defer func() { stop(); wg.Wait() }()
	start := time.Now().Add(500 * time.Millisecond)
	for _, s := range stations {
		wg.Go(func() { t.pace(running, s, start.Add(time.Duration(s.n)*time.Second/time.Duration(len(stations)))) })
	}
	without, with := &besideResult{}, &besideResult{Cameras: f.n, Eyes: eyes}
	err = b.pairs(ctx, f, srv, t, without, with)
	if len(with.Rounds) == 0 {
		return err
	}
	for _, r := range []*besideResult{without, with} { // what was read counts, though a run is cut short
		r.finish(b.stations)
		r.Failed = t.failed.Load()
		b.report.add("video-journal", r)
	}
	return err
}

// pairs reads the blocks, with cameras and without.
func (b *bench) pairs(ctx context.Context, f *filming, srv *server, t *tally, without, with *besideResult) error {
	if err := rest(ctx, 5*time.Second); err != nil {
		return err
	}
	for pair := range besidePairs {
		first, second, change := without, with, b.film
		if pair%2 == 1 {
			first, second, change = with, without, b.unfilm
		}
		if err := first.block(ctx, t); err != nil {
			return err
		}
		if err := change(ctx, f, srv); err != nil {
			return err
		}
		if err := second.block(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// film has all cameras recorded, unfilm none any more.
func (b *bench) film(ctx context.Context, f *filming, srv *server) error {
	if err := f.add(ctx, srv, "continuous"); err != nil {
		return err
	}
	if err := f.live(ctx, srv); err != nil {
		return err
	}
	return rest(ctx, 10*time.Second) // files are synced every 8 s
}

func (b *bench) unfilm(ctx context.Context, f *filming, srv *server) error {
	if err := f.remove(ctx, srv); err != nil {
		return err
	}
	return rest(ctx, 5*time.Second)
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// tally charges each call to the block in which it was meant to be sent.
type tally struct {
	srv    *server
	length time.Duration
	failed atomic.Int64

	mu       sync.Mutex
	from, to time.Time
	hist     histogram
}

// pace sends one call a second. A call that is late is charged from when it was
// due, and so are those behind it.
func (t *tally) pace(ctx context.Context, s *station, due time.Time) {
	for n := int64(0); ctx.Err() == nil; n++ {
		time.Sleep(time.Until(due))
		if err := s.alternate(n, time.Now()); err != nil {
			t.failed.Add(1)
			return
		}
		took := time.Since(due)
		t.mu.Lock()
		if !due.Before(t.from) && due.Before(t.to) {
			t.hist.add(took)
		}
		t.mu.Unlock()
		due = due.Add(time.Second)
	}
}

// lateCalls is how long is waited for calls of a block that is over.
const lateCalls = 2 * time.Second

// block reads one stretch of time.
func (r *besideResult) block(ctx context.Context, t *tally) error {
	t.mu.Lock()
	t.hist = histogram{}
	t.from = time.Now()
	t.to = t.from.Add(t.length)
	t.mu.Unlock()
	cpu := childrenCPU(t.srv.pid())
	if err := rest(ctx, t.length); err != nil {
		return err
	}
	r.cpu += childrenCPU(t.srv.pid()) - cpu
	r.times += t.length.Seconds()
	if err := rest(ctx, lateCalls); err != nil {
		return err
	}
	t.mu.Lock()
	h := t.hist
	t.mu.Unlock()
	r.hist.merge(&h)
	r.Rounds = append(r.Rounds, h.latency())
	if l := loadAverage(); len(l) > 0 {
		r.Load = max(r.Load, l[0])
	}
	log.Printf("video-journal: %d cameras, %d calls, p50 %.2f p99 %.1f ms", r.Cameras, h.n, h.latency().P50, h.latency().P99)
	if t.failed.Load() > 0 {
		return errors.New("stations were lost")
	}
	return nil
}

func (r *besideResult) finish(stations int) {
	r.Latency, r.PerSec = r.hist.latency(), float64(stations)
	r.Done, r.Core = round(float64(r.hist.n)/r.times, 1), round(r.cpu.Seconds()/r.times, 3)
}

// compare sets each block with cameras beside its neighbour without.
func (r *besideResult) compare(list []any) string {
	var out []string
	for i := 0; i+1 < len(list); i += 2 {
		without, with := list[i].(*besideResult), list[i+1].(*besideResult)
		what := "recording"
		if with.Eyes {
			what = "recording, motion and tamper"
		}
		for _, q := range []struct {
			name string
			of   func(latency) float64
		}{{"p50", func(l latency) float64 { return l.P50 }}, {"p95", func(l latency) float64 { return l.P95 }}, {"p99", func(l latency) float64 { return l.P99 }}} {
			c := pairwise(without.Rounds, with.Rounds, q.of)
			out = append(out, fmt.Sprintf("%s of %d cameras, %s of calls with to without, pair by pair: %s. Neighbours alike: %s.", what, with.Cameras, q.name, c.pairs, c.alike))
		}
	}
	return strings.Join(out, "\n\n")
}

// contrast is what neighbouring blocks are to each other.
type contrast struct{ pairs, alike spread }

// pairwise compares blocks that were taken as ABBAABBA...
func pairwise(a, b []latency, of func(latency) float64) contrast {
	var pairs, alike []float64
	ratio := func(x, y latency) (float64, bool) { return of(x) / of(y), of(x) > 0 && of(y) > 0 }
	for i := range min(len(a), len(b)) {
		if x, ok := ratio(b[i], a[i]); ok {
			pairs = append(pairs, x)
		}
		// Behind an even pair two blocks of the second kind meet, behind an odd one of the first.
		list := b
		if i%2 == 1 {
			list = a
		}
		if i+1 < len(list) {
			if x, ok := ratio(list[i+1], list[i]); ok {
				alike = append(alike, x)
			}
		}
	}
	return contrast{spreadOf(pairs), spreadOf(alike)}
}

// spread is the median of some figures and where it lies with 95 % certainty,
// whatever their distribution is; of fewer than six nobody can say that, and it is
// all of them.
type spread struct {
	n                   int
	median, least, most float64
}

func (s spread) String() string {
	if s.n == 0 {
		return "none"
	}
	return fmt.Sprintf("median %.2f (%.2f to %.2f, n = %d)", s.median, s.least, s.most, s.n)
}

func spreadOf(list []float64) spread {
	n := len(list)
	if n == 0 {
		return spread{}
	}
	list = slices.Sorted(slices.Values(list))
	// The median lies below the k-th smallest or above the k-th largest as seldom as
	// fewer than k of n coins fall on one side.
	k, tail, choose := 0, 0.0, 1.0
	for i := range n {
		if tail += choose / math.Pow(2, float64(n)); tail > 0.025 {
			break
		}
		k = i + 1
		choose = choose * float64(n-i) / float64(i+1)
	}
	k = max(k, 1)
	return spread{n, (list[(n-1)/2] + list[n/2]) / 2, list[k-1], list[n-k]}
}

// remove takes all cameras out of the product.
func (f *filming) remove(ctx context.Context, srv *server) error {
	for i := range f.n {
		if err := srv.api.do(ctx, http.MethodDelete, "/api/v1/cameras/"+camID(i), nil, nil); err != nil {
			return fmt.Errorf("remove camera: %w", err)
		}
	}
	return nil
}
