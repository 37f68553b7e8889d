package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// videoPlan says how the modes with cameras are run.
type videoPlan struct {
	cameras  int
	window   time.Duration // of steady recording that is read
	warm     time.Duration // before it
	mediamtx string        // binary; empty: made in scratch, none: without it
	kills    int
	viewers  int
	disk     string
}

// What every camera shows: 720p, 15 pictures a second, 1 Mbit/s, a key picture
// every 2 s.
const (
	videoRate  = 15
	videoGroup = 2 * videoRate
	videoSize  = "1280:720"
	videoBits  = "1000k"
)

// drawn are the scenes of the simulator that make the clip: somebody walks over
// the yard, then nobody does.
var drawn = []string{"yard-day-walks", "yard-day-bays-00"}

// filming is a run of simulated cameras that all show one clip.
type filming struct {
	n    int
	farm *server
	addr string // HOST:PORT of RTSP
	clip []int  // bytes of each picture as it lies in a file, 0 for key pictures
}

// film draws the clip and starts the cameras, in a process of their own.
func (l *lab) film(ctx context.Context, n int) (*filming, error) {
	clip := filepath.Join(l.dir, "clip.h264")
	if _, err := os.Stat(clip); err != nil {
		var list bytes.Buffer
		for _, name := range drawn {
			b, err := os.ReadFile(filepath.Join("internal/sim/camera/clips/main", name+".h264"))
			if err != nil {
				return nil, fmt.Errorf("read a scene (run from the root of the repository): %w", err)
			}
			list.Write(b)
		}
		// A little noise, as sensors have it: drawings alone would not fill the rate.
		cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-y", "-loglevel", "error", "-r", strconv.Itoa(videoRate), "-f", "h264", "-i", "pipe:0",
			"-vf", "scale="+videoSize+":flags=bicubic,noise=alls=6:allf=t", "-r", strconv.Itoa(videoRate), "-c:v", "libx264", "-preset", "veryfast",
			"-profile:v", "high", "-bf", "0", "-threads", "1", "-x264-params", fmt.Sprintf("keyint=%d:min-keyint=%d:scenecut=0:slices=1:nal-hrd=none", videoGroup, videoGroup),
			"-b:v", videoBits, "-maxrate", videoBits, "-bufsize", videoBits, "-f", "h264", clip)
		cmd.Stdin = &list
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("draw the clip: %w: %s", err, out)
		}
	}
	sizes, err := pictureSizes(clip)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	f := &filming{n: n, addr: fmt.Sprintf("127.0.0.1:%d", port), clip: sizes}
	f.farm, err = l.launch("cameras", l.chargewatch, "sim", "cameras", "--listen", f.addr, "--count", strconv.Itoa(n), "--file", clip)
	if err != nil {
		return nil, err
	}
	return f, f.farm.waitPort(ctx, port)
}

func (f *filming) url(i int) string { return fmt.Sprintf("rtsp://%s/%s/main", f.addr, camID(i)) }

func camID(i int) string { return fmt.Sprintf("cam%d", i+1) }

// pictureSizes reads how large each picture of a byte stream will be in a file: a
// length in front of the slice, parameter sets and hints left out. Those of key
// pictures differ by who writes them and are not told.
func pictureSizes(name string) ([]int, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the clip: %w", err)
	}
	var sizes []int
	for _, nalu := range bytes.Split(b, []byte{0, 0, 1}) {
		if nalu = bytes.TrimRight(nalu, "\x00"); len(nalu) == 0 {
			continue
		}
		switch nalu[0] & 0x1f {
		case 5:
			sizes = append(sizes, 0)
		case 1:
			sizes = append(sizes, 4+len(nalu))
		}
	}
	if len(sizes) < 2*videoGroup || len(sizes)%videoGroup != 0 {
		return nil, fmt.Errorf("the clip has %d pictures", len(sizes))
	}
	return sizes, nil
}

// startSeeing runs the product so that it may reach the cameras. Without eyes it
// finds no decoder: nothing looks at the pictures.
func (l *lab) startSeeing(ctx context.Context, f *filming, eyes bool, extra ...string) (*server, error) {
	return l.startSeeingIn(ctx, f, "", eyes, extra...)
}

// startSeeingIn does so with a data folder that is there already.
func (l *lab) startSeeingIn(ctx context.Context, f *filming, data string, eyes bool, extra ...string) (*server, error) {
	if !eyes {
		l.env = []string{"PATH=" + filepath.Join(l.dir, "nothing")}
		defer func() { l.env = nil }()
	}
	srv, err := l.startChargewatch(ctx, data, false, append([]string{"--allow-net", f.addr}, extra...)...)
	if err == nil {
		srv.api.token, err = l.mint(srv.data)
	}
	return srv, err
}

// sites adds a site for every ten cameras.
func (f *filming) sites(ctx context.Context, srv *server) error {
	for i := 0; i < f.n; i += 10 {
		body := map[string]any{"id": siteOf(i), "name": "Charging park " + siteOf(i), "timeZone": "Europe/Berlin"}
		if err := srv.api.do(ctx, http.MethodPost, "/api/v1/sites", body, nil); err != nil {
			return fmt.Errorf("create site: %w", err)
		}
	}
	return nil
}

func siteOf(camera int) string { return fmt.Sprintf("site-%d", camera/10+1) }

// add adds all cameras to the product.
func (f *filming) add(ctx context.Context, srv *server, recording string) error {
	for i := range f.n {
		body := map[string]any{"id": camID(i), "siteId": siteOf(i), "label": "Bay", "mainUrl": f.url(i), "recording": recording}
		if err := srv.api.do(ctx, http.MethodPost, "/api/v1/cameras", body, nil); err != nil {
			return fmt.Errorf("add camera: %w", err)
		}
	}
	return nil
}

// live waits until all cameras are.
func (f *filming) live(ctx context.Context, srv *server) error {
	for began := time.Now(); time.Since(began) < time.Minute; {
		n, err := camerasLive(ctx, srv)
		if err != nil {
			return err
		}
		if n == f.n {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return errors.New("not all cameras are live within a minute")
}

func camerasLive(ctx context.Context, srv *server) (n int, err error) {
	var r struct{ Items []struct{ State string } }
	if err := srv.api.do(ctx, http.MethodGet, "/api/v1/cameras?limit=1000", nil, &r); err != nil {
		return 0, err
	}
	for _, c := range r.Items {
		if c.State == "live" {
			n++
		}
	}
	return n, nil
}

// usage is what a group of processes uses.
type usage struct {
	Core float64 `json:"core"` // processor seconds a second, user and system
	RSS  int64   `json:"rssBytes"`
	PSS  int64   `json:"pssBytes"` // shared pages counted once
	N    int     `json:"processes"`
	// Load is the machine's load average while it was read: other work counts.
	Load float64 `json:"loadAverage"`
	For  float64 `json:"seconds"`
}

// used reads what processes and those below them use over a time; memory is the
// most that was seen.
func used(ctx context.Context, window time.Duration, roots ...int) (usage, error) {
	cpu := func() (sum time.Duration) {
		for _, pid := range roots {
			sum += childrenCPU(pid)
		}
		return sum
	}
	var u usage
	began, before := time.Now(), cpu()
	for end := began.Add(window); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return u, ctx.Err()
		case <-time.After(min(window/4, time.Until(end))):
		}
		rss, pss, n := treeMemory(roots)
		u.RSS, u.PSS, u.N = max(u.RSS, rss), max(u.PSS, pss), max(u.N, n)
	}
	u.For = time.Since(began).Seconds()
	u.Core = round((cpu()-before).Seconds()/u.For, 4)
	u.For = round(u.For, 1)
	if l := loadAverage(); len(l) > 0 {
		u.Load = l[0]
	}
	return u, nil
}

// treeMemory sums over processes and those below them.
func treeMemory(roots []int) (rss, pss int64, n int) {
	for _, pid := range below(roots) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // it has just ended
		}
		n++
		for line := range strings.Lines(string(b)) {
			name, rest, _ := strings.Cut(line, ":")
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			switch name {
			case "Rss":
				rss += kb * 1024
			case "Pss":
				pss += kb * 1024
			}
		}
	}
	return rss, pss, n
}

// below are processes with all those that they started.
func below(roots []int) []int {
	parents := make(map[int][]int)
	folders, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range folders {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		_, rest, _ := bytes.Cut(b, []byte(") "))
		if fields := bytes.Fields(rest); len(fields) > 2 {
			parent, _ := strconv.Atoi(string(fields[1]))
			parents[parent] = append(parents[parent], pid)
		}
	}
	list := slices.Clone(roots)
	for i := 0; i < len(list); i++ {
		list = append(list, parents[list[i]]...)
	}
	return list
}

// filmModes runs the modes that record many cameras.
func (b *bench) filmModes(ctx context.Context, has func(string) bool) error {
	modes := []struct {
		name string
		run  func(context.Context, *bench) error
	}{
		{"video-record", videoRecord}, {"video-motion", videoMotion}, {"video-journal", videoJournal}, {"video-kill", videoKill}, {"video-cut", videoCut}, {"video-viewers", videoViewers},
	}
	var failed error
	for _, m := range modes {
		if !has(m.name) || b.lab.chargewatch == "" {
			continue
		}
		b.report.Machine.Pinned = false
		restore, err := b.lab.unpinned()
		if err == nil {
			err = m.run(ctx, b)
			restore()
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	return failed
}
