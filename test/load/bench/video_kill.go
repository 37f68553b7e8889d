package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// endsResult is what is left of recordings whose server, or power, ended at once.
type endsResult struct {
	How     string `json:"how"`
	Cameras int    `json:"cameras"`
	Ends    int    `json:"ends"`
	// Lost is what was sent before an end and is not recorded, of each camera and
	// end.
	Lost    latency        `json:"lostMilliseconds"`
	Gaps    int            `json:"gapsInTheIndex"`
	Reasons map[string]int `json:"reasons"`
	// Wrong are gaps that are not where the pictures end and begin again.
	Wrong    int     `json:"gapsThatDoNotFit"`
	Indexed  int     `json:"picturesByTheIndex"`
	Whole    *whole  `json:"recorded"`
	Restart  float64 `json:"slowestRestartSeconds"` // until all cameras are live again
	Load     float64 `json:"loadAverage"`
	Segments int     `json:"files"`
}

func (r *endsResult) row() (head, row []string) {
	var reasons []string
	for why, n := range r.Reasons {
		reasons = append(reasons, fmt.Sprintf("%s %d", why, n))
	}
	slices.Sort(reasons)
	return []string{"how", "cameras", "ends", "lost p50 / p95 / p99 / max ms", "gaps in the index (of so many)", "reasons", "gaps that do not fit", "pictures by the index", "pictures in the files", "holes (= ends)", "unread cameras", "all live again after s", "load average"},
		[]string{r.How, fmt.Sprint(r.Cameras), fmt.Sprint(r.Ends), fmt.Sprintf("%.0f / %.0f / %.0f / %.0f", r.Lost.P50, r.Lost.P95, r.Lost.P99, r.Lost.Max),
			fmt.Sprintf("%d (%d)", r.Gaps, r.Cameras*r.Ends), strings.Join(reasons, ", "), fmt.Sprint(r.Wrong), fmt.Sprint(r.Indexed), fmt.Sprint(r.Whole.Pictures),
			fmt.Sprintf("%d (%d)", r.Whole.Holes, r.Cameras*r.Ends), fmt.Sprint(r.Whole.Unread), fmt.Sprintf("%.1f", r.Restart), fmt.Sprintf("%.1f", r.Load)}
}

// endCameras is the number of cameras that are recorded while the server ends.
const endCameras = 24

// videoKill ends the server with kill -9 while it records.
func videoKill(ctx context.Context, b *bench) error {
	data, err := os.MkdirTemp(b.lab.dir, "data-")
	if err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	return b.ends(ctx, "video-kill", "kill -9", data, min(b.video.kills, 10), func(s *server) (time.Time, error) {
		at := time.Now()
		s.kill()
		return at, nil
	})
}

// videoCut takes the power from the disk while it is recorded: a file system of its
// own is shut down without writing anything that it still holds, and mounted again.
// What the disk's own cache would lose is not part of it. It needs the right to
// mount.
func videoCut(ctx context.Context, b *bench) error {
	dir := cmp.Or(b.video.disk, b.lab.dir)
	image, mount := filepath.Join(dir, "disk.img"), filepath.Join(b.lab.dir, "disk")
	run := func(args ...string) error {
		if out, err := exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	if err := os.Mkdir(mount, 0o755); err != nil {
		return fmt.Errorf("make a place for the disk: %w", err)
	}
	defer os.Remove(image)
	for _, step := range [][]string{{"fallocate", "-l", "3G", image}, {"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, mount}} {
		if err := run(step...); err != nil {
			return err
		}
	}
	defer func() {
		if err := run("umount", mount); err != nil {
			log.Print(err)
		}
	}()
	data := filepath.Join(mount, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	return b.ends(ctx, "video-cut", "power cut", data, min(b.video.kills, 5), func(s *server) (time.Time, error) {
		at := time.Now()
		err := shutDown(mount)
		s.kill()
		return at, errors.Join(err, run("umount", mount), run("mount", "-o", "loop", image, mount))
	})
}

// shutDown is what a power cut does to a file system: nothing is written any more.
func shutDown(mount string) error {
	d, err := os.Open(mount)
	if err != nil {
		return fmt.Errorf("open the disk: %w", err)
	}
	defer d.Close()
	const shutdown, noLogFlush = 0x8004587d, 2 // FS_IOC_SHUTDOWN
	how := uint32(noLogFlush)
	if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, d.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); no != 0 {
		return fmt.Errorf("shut the file system down: %w", no)
	}
	return nil
}

// ends records, ends, and records again.
func (b *bench) ends(ctx context.Context, mode, how, data string, n int, end func(*server) (time.Time, error)) error {
	f, err := b.lab.film(ctx, min(endCameras, b.video.cameras))
	if f != nil && f.farm != nil {
		defer f.farm.kill()
	}
	if err != nil {
		return err
	}
	r := &endsResult{How: how, Cameras: f.n, Ends: n, Reasons: make(map[string]int)}
	began := time.Now()
	srv, err := b.lab.startSeeingIn(ctx, f, data, false, "--webrtc", "off")
	defer func() {
		if srv != nil {
			srv.kill()
		}
	}()
	if err == nil {
		err = f.sites(ctx, srv)
	}
	if err == nil {
		err = f.add(ctx, srv, "continuous")
	}
	if err != nil {
		return err
	}
	token := srv.api.token
	var at []time.Time
	for range n {
		if err := f.live(ctx, srv); err != nil {
			return err
		}
		time.Sleep(time.Duration(9000+rand.IntN(9000)) * time.Millisecond)
		t, err := end(srv)
		if err != nil {
			return err
		}
		at = append(at, t)
		log.Printf("%s: %d of %d", mode, len(at), n)
		time.Sleep(time.Second)
		if srv, err = b.lab.startSeeingIn(ctx, f, data, false, "--webrtc", "off"); err != nil {
			return fmt.Errorf("start again: %w", err)
		}
		srv.api.token = token
		again := time.Now()
		if err := f.live(ctx, srv); err != nil {
			return err
		}
		r.Restart = max(r.Restart, round(time.Since(again).Seconds(), 1))
	}
	time.Sleep(5 * time.Second)
	if l := loadAverage(); len(l) > 0 {
		r.Load = l[0]
	}
	var lost histogram
	for i := range f.n {
		if err := r.look(ctx, srv, i, began, at, &lost); err != nil {
			return err
		}
	}
	r.Lost = lost.latency()
	srv.stop()
	rec := recordedBy(srv)
	if r.Whole, err = f.check(rec); err != nil {
		return err
	}
	for i := range f.n {
		list, _ := rec.files(i)
		r.Segments += len(list)
	}
	b.report.add(mode, r)
	if r.Whole.Unread > 0 || r.Whole.Holes > f.n*n || r.Gaps != f.n*n || r.Wrong > 0 {
		return errors.New("what is recorded is not what it should be")
	}
	return ctx.Err()
}

// look compares what the index says of a camera with when it ended.
func (r *endsResult) look(ctx context.Context, srv *server, i int, began time.Time, at []time.Time, lost *histogram) error {
	type span struct {
		From, To time.Time
		Reason   string
	}
	var is struct{ Items, Gaps []span }
	q := url.Values{"from": {began.UTC().Format(time.RFC3339)}, "to": {time.Now().UTC().Format(time.RFC3339)}}
	if err := srv.api.do(ctx, http.MethodGet, "/api/v1/cameras/"+camID(i)+"/recordings?"+q.Encode(), nil, &is); err != nil {
		return err
	}
	for _, x := range is.Items {
		r.Indexed += int(x.To.Sub(x.From).Seconds()*videoRate + 0.5)
	}
	for _, t := range at {
		last := began
		for _, x := range is.Items {
			if x.From.Before(t) && x.To.After(last) && x.To.Before(t.Add(500*time.Millisecond)) {
				last = x.To
			}
		}
		lost.add(max(t.Sub(last), 0))
	}
	for _, g := range is.Gaps {
		r.Gaps++
		r.Reasons[g.Reason]++
		ends := slices.ContainsFunc(is.Items, func(x span) bool { return x.To.Equal(g.From) })
		begins := slices.ContainsFunc(is.Items, func(x span) bool { return x.From.Equal(g.To) })
		if !ends || !begins {
			r.Wrong++
		}
	}
	return nil
}
