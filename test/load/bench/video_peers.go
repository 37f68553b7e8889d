package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// recorder is what records all cameras, ours or a peer: its processes, how it is
// ended so that its files are whole, and where they lie, one list a camera.
type recorder struct {
	name  string
	pids  []int
	ready func(context.Context) error
	stop  func()
	files func(camera int) ([]string, error)
}

const (
	mediamtxModule  = "github.com/bluenviron/mediamtx"
	mediamtxVersion = "v1.13.0"
)

// mediamtx finds the peer's binary, or builds it from its module. Two files that
// its build fetches have nothing to do with recording and are written here: the
// number of the version and the player of its web page.
func (l *lab) mediamtx(ctx context.Context, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	bin := filepath.Join(l.dir, "mediamtx")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	src := filepath.Join(l.dir, "mediamtx-src")
	if err := os.MkdirAll(src, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for the peer: %w", err)
	}
	get := exec.CommandContext(ctx, "go", "mod", "download", "-json", mediamtxModule+"@"+mediamtxVersion)
	get.Dir = l.dir
	out, err := get.Output()
	if err != nil {
		return "", fmt.Errorf("get the peer's module: %w: %s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("get the peer's module: %w", err)
	}
	if err := os.CopyFS(src, os.DirFS(module.Dir)); err != nil {
		return "", fmt.Errorf("copy the peer's module: %w", err)
	}
	for name, text := range map[string]string{"internal/core/VERSION": mediamtxVersion, "internal/servers/hls/hls.min.js": ""} {
		path := filepath.Join(src, name)
		_ = os.Chmod(filepath.Dir(path), 0o755) // modules are read-only
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", fmt.Errorf("write what the peer's build fetches: %w", err)
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, ".")
	build.Dir = src
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the peer: %w: %s", err, out)
	}
	return bin, nil
}

// startMediaMTX records all cameras with the peer, as it does by default but for
// the length of its files.
func (l *lab) startMediaMTX(bin string, f *filming) (*recorder, error) {
	dir, err := os.MkdirTemp(l.dir, "mediamtx-data-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the peer: %w", err)
	}
	var c strings.Builder
	fmt.Fprintf(&c, "logLevel: warn\nrtsp: no\nrtmp: no\nhls: no\nwebrtc: no\nsrt: no\npathDefaults:\n  record: yes\n  recordPath: %s/%%path/%%Y-%%m-%%d_%%H-%%M-%%S-%%f\n"+
		"  recordFormat: fmp4\n  recordPartDuration: 1s\n  recordSegmentDuration: 60s\n  recordDeleteAfter: 0s\n  rtspTransport: tcp\npaths:\n", dir)
	for i := range f.n {
		fmt.Fprintf(&c, "  %s:\n    source: %s\n", camID(i), f.url(i))
	}
	config := filepath.Join(dir, "mediamtx.yml")
	if err := os.WriteFile(config, []byte(c.String()), 0o644); err != nil {
		return nil, fmt.Errorf("write the peer's configuration: %w", err)
	}
	srv, err := l.launch("mediamtx", bin, config)
	if err != nil {
		return nil, err
	}
	r := &recorder{name: "MediaMTX " + mediamtxVersion, pids: []int{srv.pid()}, stop: srv.stop}
	r.files = func(i int) ([]string, error) { return filepath.Glob(filepath.Join(dir, camID(i), "*.mp4")) }
	r.ready = func(ctx context.Context) error { return allWritten(ctx, f, r, srv.exited) }
	return r, nil
}

// startFFmpeg records all cameras with a process each.
func (l *lab) startFFmpeg(f *filming) (*recorder, error) {
	dir, err := os.MkdirTemp(l.dir, "ffmpeg-data-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the peer: %w", err)
	}
	var all []*server
	r := &recorder{name: fmt.Sprintf("ffmpeg -c copy, %d processes", f.n)}
	r.stop = func() {
		for _, s := range all {
			_ = s.cmd.Process.Signal(syscall.SIGINT) // its way to end a file
		}
		for _, s := range all {
			s.stop()
		}
	}
	r.files = func(i int) ([]string, error) { return filepath.Glob(filepath.Join(dir, camID(i), "*.mp4")) }
	for i := range f.n {
		own := filepath.Join(dir, camID(i))
		if err := os.Mkdir(own, 0o755); err != nil {
			return r, fmt.Errorf("make a folder for the peer: %w", err)
		}
		s, err := l.launch("ffmpeg-"+camID(i), "ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", f.url(i), "-c", "copy",
			"-f", "segment", "-segment_time", "60", "-segment_format", "mp4",
			"-segment_format_options", "movflags=+empty_moov+default_base_moof:frag_duration=1000000", filepath.Join(own, "%05d.mp4"))
		if err != nil {
			return r, err
		}
		all, r.pids = append(all, s), append(r.pids, s.pid())
	}
	r.ready = func(ctx context.Context) error { return allWritten(ctx, f, r, nil) }
	return r, nil
}

// ours records all cameras with the product.
func (l *lab) ours(ctx context.Context, f *filming, name, recording string, eyes bool) (*recorder, *server, error) {
	srv, err := l.startSeeing(ctx, f, eyes, "--webrtc", "off")
	if err == nil {
		err = f.sites(ctx, srv)
	}
	if err == nil {
		err = f.add(ctx, srv, recording)
	}
	if srv == nil {
		return nil, nil, err
	}
	r := recordedBy(srv)
	r.name = name
	r.ready = func(ctx context.Context) error {
		if err := f.live(ctx, srv); err != nil || recording == "event" {
			return err
		}
		return allWritten(ctx, f, r, srv.exited)
	}
	return r, srv, err
}

// recordedBy finds what the product recorded.
func recordedBy(srv *server) *recorder {
	r := &recorder{name: srv.name, pids: []int{srv.pid()}, stop: srv.stop}
	r.files = func(i int) ([]string, error) {
		return filepath.Glob(filepath.Join(srv.data, "video", camID(i), "main", "*", "*", "*.mp4"))
	}
	return r
}

// allWritten waits until something was written of each camera.
func allWritten(ctx context.Context, f *filming, r *recorder, exited <-chan struct{}) error {
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(200 * time.Millisecond) {
		n := 0
		for i := range f.n {
			list, err := r.files(i)
			if err != nil {
				return err
			}
			for _, name := range list {
				if info, err := os.Stat(name); err == nil && info.Size() > 100_000 {
					n++
					break
				}
			}
		}
		if n == f.n {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-exited:
			return errors.New(r.name + " ended; see its log")
		default:
		}
	}
	return errors.New(r.name + " does not record all cameras within two minutes")
}
