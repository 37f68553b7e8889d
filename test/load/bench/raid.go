package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/raid"
	"github.com/chargewatch/chargewatch/internal/sim/stage"
)

const (
	raidSites = 4 // at the same time
	raidWarm  = 20 * time.Second
	raidPause = 45 * time.Second // the longest that nothing happens
	clipFor   = 15 * time.Second // how long is waited for a clip
)

// raidPlan is how many stories are played.
type raidPlan struct {
	each, nights int // per case
	seed         uint64
}

// raidResult is what became of stories whose sites have the same senses.
type raidResult struct {
	Senses  string         `json:"senses"`
	Stories int            `json:"stories"`
	Found   int            `json:"found"`
	Missed  map[string]int `json:"missed"`
	By      map[string]int `json:"firstAlarmBy"`
	// Decided is from the act or sight that decided to the alarm on the live feed;
	// Timed are alarms that silence or a span of time decides.
	Decided  latency `json:"decidingEventToAlarm"`
	Timed    int     `json:"decidedByTimeOrSilence"`
	Clip     latency `json:"decidingEventToClip"`
	Clips    int     `json:"clipsPlayable"`
	NoClip   int     `json:"clipsNotPlayable"`
	FirstCut latency `json:"firstCutToAlarm"` // alarms before it count as at once
	Before   int     `json:"alarmsBeforeTheFirstCut"`
	Average  float64 `json:"loadAverage"`

	decided, clip, cut histogram
}

func (r *raidResult) row() (head, row []string) {
	seconds := func(l latency) string {
		if l.Count == 0 {
			return "-"
		}
		return fmt.Sprintf("%.2f / %.2f / %.2f (%d)", l.P50/1000, l.P95/1000, l.Max/1000, l.Count)
	}
	clips := "-"
	if r.Clips+r.NoClip > 0 {
		clips = fmt.Sprintf("%s; %d of %d playable", seconds(r.Clip), r.Clips, r.Clips+r.NoClip)
	}
	return []string{
			"senses", "found", "missed", "first alarm by", "deciding event to alarm p50 / p95 / max s (of)", "decided by time or silence",
			"deciding event to first clip p50 / p95 / max s", "first cut to alarm p50 / p95 / max s (before it)", "load average",
		}, []string{
			r.Senses, fmt.Sprintf("%d of %d", r.Found, r.Stories), counted(r.Missed), counted(r.By), seconds(r.Decided), fmt.Sprint(r.Timed),
			clips, fmt.Sprintf("%s, %d before", seconds(r.FirstCut), r.Before), fmt.Sprintf("%.1f", r.Average),
		}
}

// nightResult is what ordinary nights were told as.
type nightResult struct {
	Stories int            `json:"ordinaryNights"`
	S1      map[string]int `json:"s1"`
	S2      map[string]int `json:"s2"`
	Lower   map[string]int `json:"lower"`
	Average float64        `json:"loadAverage"`
}

func (r *nightResult) row() (head, row []string) {
	return []string{"ordinary nights, all senses", "S1", "S2", "S3 and S4", "load average"},
		[]string{fmt.Sprint(r.Stories), counted(r.S1), counted(r.S2), counted(r.Lower), fmt.Sprintf("%.1f", r.Average)}
}

func counted(m map[string]int) string {
	if len(m) == 0 {
		return "0"
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

// decides says which lines of a story decide each kind of alarm; one without is
// decided by silence or a span of time.
func decides(kind string) []string {
	return map[string][]string{
		"cableTheft": {"breaks", "tampers", "sees person", "names person"}, "blindedFirst": {"breaks", "forces"}, "cabinetOpened": {"tampers", "forces"},
		"doorForced": {"forces"}, "doorRefused": {"refused", "forces"}, "motionArmed": {"sees person", "sees motion", "names person"}, "tailgating": {"names person"},
	}[kind]
}

// alarming are the incidents that security detectors open.
func alarming(kind string) bool {
	return decides(kind) != nil || slices.Contains([]string{
		"cutOff", "loitering", "doorAlarm", "doorHeld", "cameraTampered", "cameraLost", "openedArmed", "badgeAlone", "tailgating", "bayBlocked", "overstayed",
		"tokenTwoPlaces", "cardGuessing", "vandalism", "heat", "skimmer", "localAttack", "cuttingSound",
	}, kind)
}

// raidWire plays stories on the wire to a server and listens for the alarms.
func raidWire(ctx context.Context, l *lab, p raidPlan) (list []any, err error) {
	srv, err := l.startChargewatch(ctx, "", false, "--allow-net", "127.0.0.0/8", "--door-listen", "127.0.0.1:0", "--webrtc", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer srv.kill()
	if srv.api.token, err = l.mint(srv.data); err != nil {
		return nil, err
	}
	feed, err := followIncidents(ctx, srv)
	if err != nil {
		return nil, err
	}
	x := &raidRun{lab: l, srv: srv, feed: feed}
	kinds := slices.Concat(raid.Kinds(), raid.Others())
	for _, senses := range []string{"charger", "motion", "labels"} {
		r := &raidResult{Senses: senses, Missed: map[string]int{}, By: map[string]int{}}
		err = errors.Join(err, x.all(ctx, p.each, func(ctx context.Context, n int) error {
			kind := kinds[n%len(kinds)]
			if senses == "charger" && slices.Contains(raid.Others(), kind) {
				return nil // there is nothing that it could say
			}
			return x.raid(ctx, r, kind, p.seed+uint64(n), senses)
		}))
		r.Decided, r.Clip, r.FirstCut, r.Average = r.decided.latency(), r.clip.latency(), r.cut.latency(), loadAverage()[0]
		list = append(list, r)
	}
	night := &nightResult{S1: map[string]int{}, S2: map[string]int{}, Lower: map[string]int{}}
	err = errors.Join(err, x.all(ctx, p.nights, func(ctx context.Context, n int) error {
		return x.night(ctx, night, raid.Nights()[n%len(raid.Nights())], p.seed+1000+uint64(n))
	}))
	night.Average = loadAverage()[0]
	return append(list, night), err
}

type raidRun struct {
	lab  *lab
	srv  *server
	feed *incidentFeed
	mu   sync.Mutex // of results
}

// all does n things, a few at a time; those after the first begin a little later.
func (x *raidRun) all(ctx context.Context, n int, do func(context.Context, int) error) error {
	var work sync.WaitGroup
	places := make(chan struct{}, raidSites)
	errs := make([]error, n)
	for i := range n {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			work.Wait()
			return context.Cause(ctx)
		}
		work.Go(func() {
			defer func() { <-places }()
			errs[i] = do(ctx, i)
		})
		time.Sleep(2 * time.Second)
	}
	work.Wait()
	return errors.Join(errs...)
}

// story is a call of "sim raid" and what it said so far.
type story struct {
	cmd  *exec.Cmd
	site string
	said bytesOf
	over chan struct{} // closed when it ended
	mu   sync.Mutex
	list []stage.Line
	err  error
}

type bytesOf struct {
	mu sync.Mutex
	b  []byte
}

func (b *bytesOf) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b = append(b.b, p...)
	return len(p), nil
}

func (x *raidRun) begin(kind string, seed uint64, senses string) (*story, error) {
	s := &story{site: fmt.Sprintf("%s-%s-%d", senses, kind, seed), over: make(chan struct{})}
	s.cmd = exec.Command(x.lab.chargewatch, "sim", "raid", "--kind", kind, "--seed", fmt.Sprint(seed), "--site", senses+"-"+kind, "--senses", senses,
		"--api", x.srv.api.base, "--url", x.srv.target.ws, "--warm", raidWarm.String(), "--pause", raidPause.String())
	s.cmd.Env = append(os.Environ(), "CHARGEWATCH_TOKEN="+x.srv.api.token)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	s.cmd.Stderr = &s.said
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("play a story: %w", err)
	}
	go func() {
		defer close(s.over)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var l stage.Line
			if json.Unmarshal(lines.Bytes(), &l) == nil {
				s.mu.Lock()
				s.list = append(s.list, l)
				s.mu.Unlock()
			}
		}
		if err := s.cmd.Wait(); err != nil {
			s.err = fmt.Errorf("%s: %w: %s", s.site, err, s.said.b)
		}
	}()
	return s, nil
}

// stop ends a story; its site is healed and removed.
func (s *story) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGINT) // it may be over already
	<-s.over
	return s.err
}

// last finds the last line of those kinds up to a time; what a camera sees is "sees"
// and what.
func (s *story) last(until time.Time, kinds ...string) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range slices.Backward(s.list) {
		what := l.Do
		if what == stage.Sees || what == stage.Names {
			what += " " + l.What
		}
		if slices.Contains(kinds, what) && !l.At.After(until) {
			return l.At, true
		}
	}
	return time.Time{}, false
}

// alarm waits for the first call of a person at a site.
func (x *raidRun) alarm(ctx context.Context, s *story) (told, bool) {
	for {
		x.feed.mu.Lock()
		i := slices.IndexFunc(x.feed.list, func(in told) bool {
			return in.SiteID == s.site && (in.Severity == "S1" || in.Severity == "S2") && alarming(in.Kind)
		})
		var found told
		if i >= 0 {
			found = x.feed.list[i]
		}
		more := x.feed.more
		x.feed.mu.Unlock()
		if i >= 0 {
			return found, true
		}
		select {
		case <-more:
		case <-s.over:
			return found, false
		case <-ctx.Done():
			return found, false
		case <-time.After(500 * time.Millisecond):
			if _, over := s.last(time.Now(), stage.Over); over {
				return found, false
			}
		}
	}
}

// raid plays one and measures what became of it.
func (x *raidRun) raid(ctx context.Context, r *raidResult, kind string, seed uint64, senses string) error {
	s, err := x.begin(kind, seed, senses)
	if err != nil {
		return err
	}
	in, found := x.alarm(ctx, s)
	var clip time.Time
	playable := false
	if found && senses != "charger" {
		clip, playable = x.clip(ctx, in, seed)
	}
	// What was cut is known when it was done.
	for end := time.Now().Add(2 * time.Minute); found && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, ok := s.last(time.Now(), stage.Cut, stage.Over); ok {
			break
		}
	}
	if err := s.stop(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r.Stories++
	if !found {
		r.Missed[kind]++
		log.Printf("raid: %s of seed %d, %s: not found", kind, seed, senses)
		return nil
	}
	r.Found++
	r.By[in.Kind]++
	from := in.heard
	if at, ok := s.last(in.heard, decides(in.Kind)...); ok {
		from = at
		r.decided.add(in.heard.Sub(at))
	} else {
		r.Timed++
	}
	if senses != "charger" {
		if playable {
			r.Clips++
			r.clip.add(clip.Sub(from))
		} else {
			r.NoClip++
		}
	}
	after := time.Duration(0)
	if cut, ok := s.last(time.Now(), stage.Cut); ok && in.heard.After(cut) {
		after = in.heard.Sub(cut)
	} else {
		r.Before++
	}
	r.cut.add(after)
	log.Printf("raid: %s of seed %d, %s: %s %s, %.2f s after what decided, clip %.2f s, %.1f s after the cut",
		kind, seed, senses, in.Severity, in.Kind, in.heard.Sub(from).Seconds(), clip.Sub(from).Seconds(), after.Seconds())
	return nil
}

// clip waits until one of the incident's clips can be played.
func (x *raidRun) clip(ctx context.Context, in told, seed uint64) (time.Time, bool) {
	for end := time.Now().Add(clipFor); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		var detail struct {
			CameraClips []struct {
				CameraID string
				From, To time.Time
			}
		}
		if err := x.srv.api.do(ctx, "GET", "/api/v1/incidents/"+in.ID, nil, &detail); err != nil {
			log.Printf("raid: %v", err)
			return time.Time{}, false
		}
		for _, c := range detail.CameraClips {
			path := filepath.Join(x.lab.dir, fmt.Sprintf("raid-%d-%s.mp4", seed, c.CameraID))
			_, ok, err := fetchClip(ctx, x.srv.api, c.CameraID, c.From, c.To, path)
			if err != nil || !ok {
				continue
			}
			at := time.Now()
			codec, long, err := probe(ctx, path)
			_ = os.Remove(path)
			if err == nil && codec == "h264" && long > 0 {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// night plays an ordinary one and counts what was told of its site.
func (x *raidRun) night(ctx context.Context, r *nightResult, kind string, seed uint64) error {
	s, err := x.begin(kind, seed, "labels")
	if err != nil {
		return err
	}
	<-s.over
	if s.err != nil {
		return s.err
	}
	begun, _ := s.last(time.Now(), stage.Begins)
	over, ok := s.last(time.Now(), stage.Over)
	if !ok {
		return fmt.Errorf("%s did not come to its end", s.site)
	}
	worst := make(map[string]told) // by incident
	x.feed.mu.Lock()
	for _, in := range x.feed.list {
		if in.SiteID == s.site && alarming(in.Kind) && in.heard.After(begun) && !in.heard.After(over) {
			if old, seen := worst[in.ID]; !seen || in.Severity < old.Severity {
				worst[in.ID] = in
			}
		}
	}
	x.feed.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	r.Stories++
	for _, in := range worst {
		log.Printf("raid: night %s of seed %d: %s %s", kind, seed, in.Severity, in.Kind)
		into := r.Lower
		switch in.Severity {
		case "S1":
			into = r.S1
		case "S2":
			into = r.S2
		}
		into[cmp.Or(in.Kind, "unknown")]++
	}
	return nil
}
