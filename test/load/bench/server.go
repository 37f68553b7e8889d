package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a central system under test, in a process of its own on a core of
// its own.
type server struct {
	name    string
	cmd     *exec.Cmd
	exited  chan struct{}
	target  target
	api     *api   // Chargewatch only
	control string // peer only
	data    string
	log     *os.File
	began   time.Time
}

// lab is where servers run.
type lab struct {
	dir                 string // scratch
	chargewatch, peer   string // binaries; empty: not available
	serverCore, ownCore string
	certificate, key    string
	whole               bool     // the server may use every core
	noAPI               bool     // only the OCPP port is looked at
	ocpp                int      // port of the next server of ours; 0: any
	env                 []string // of the next server, beside our own
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// launch starts a binary pinned to the server core with one processor for Go.
func (l *lab) launch(name, bin string, args ...string) (*server, error) {
	s := &server{name: name, exited: make(chan struct{})}
	argv := append([]string{bin}, args...)
	if l.serverCore != "" {
		argv = append([]string{"taskset", "-c", l.serverCore}, argv...)
	}
	log, err := os.Create(filepath.Join(l.dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	s.log = log
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if s.cmd.Env = os.Environ(); !l.whole {
		s.cmd.Env = append(s.cmd.Env, "GOMAXPROCS=1")
	}
	s.cmd.Env = append(s.cmd.Env, l.env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.began = time.Now()
	if err := s.cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { s.cmd.Wait(); close(s.exited) }()
	return s, nil
}

// startPeer runs the ocpp-go central system.
func (l *lab) startPeer(ctx context.Context, secure bool) (*server, error) {
	ocpp, err := freePort()
	if err != nil {
		return nil, err
	}
	control, err := freePort()
	if err != nil {
		return nil, err
	}
	args := []string{"-port", strconv.Itoa(ocpp), "-control", fmt.Sprintf("127.0.0.1:%d", control)}
	scheme := "ws"
	if secure {
		scheme = "wss"
		args = append(args, "-cert", l.certificate, "-key", l.key)
	}
	s, err := l.launch("ocpp-go", l.peer, args...)
	if err != nil {
		return nil, err
	}
	s.target = target{ws: fmt.Sprintf("%s://127.0.0.1:%d/ocpp", scheme, ocpp), sources: 1}
	if secure {
		s.target.tls = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	s.control = fmt.Sprintf("http://127.0.0.1:%d", control)
	return s, s.waitPort(ctx, ocpp)
}

// startChargewatch runs the product on a data folder; an empty folder name
// makes a fresh one.
func (l *lab) startChargewatch(ctx context.Context, data string, secure bool, extra ...string) (*server, error) {
	ocpp, err := freePort()
	if err != nil {
		return nil, err
	}
	if l.ocpp != 0 {
		ocpp = l.ocpp
	}
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	if data == "" {
		if data, err = os.MkdirTemp(l.dir, "data-"); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
	}
	args := []string{"serve", "--data", data, "--http", fmt.Sprintf("127.0.0.1:%d", web), "--ocpp", fmt.Sprintf("127.0.0.1:%d", ocpp), "--onboarding", "open"}
	webScheme, ocppScheme := "http", "ws"
	if secure {
		args = append(args, "--tls", filepath.Dir(l.certificate))
		webScheme, ocppScheme = "https", "wss"
	}
	s, err := l.launch("chargewatch", l.chargewatch, append(args, extra...)...)
	if err != nil {
		return nil, err
	}
	s.data = data
	s.target = target{ws: fmt.Sprintf("%s://127.0.0.1:%d/ocpp", ocppScheme, ocpp), sources: 1}
	if secure {
		s.target.tls = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	if err := s.waitPort(ctx, ocpp); err != nil {
		return nil, err
	}
	s.api = &api{base: fmt.Sprintf("%s://127.0.0.1:%d", webScheme, web), client: &http.Client{
		Timeout:   60 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 1100},
	}}
	if l.noAPI {
		return s, nil
	}
	if err := s.api.ready(ctx); err != nil {
		s.kill()
		return nil, err
	}
	return s, nil
}

// mint creates an API token with the product's own command.
func (l *lab) mint(data string) (string, error) {
	out, err := exec.Command(l.chargewatch, "token", "create", "--name", "bench", "--role", "admin", "--data", data).Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(e.Stderr))
		}
		return "", fmt.Errorf("create token: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (s *server) waitPort(ctx context.Context, port int) error {
	for range 3000 {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			c.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.exited:
			return fmt.Errorf("%s ended at once; see its log", s.name)
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.kill()
	return fmt.Errorf("%s does not listen", s.name)
}

// kill ends the server without asking.
func (s *server) kill() {
	s.cmd.Process.Kill()
	<-s.exited
	s.log.Close()
}

// stop asks first.
func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
		s.log.Close()
	case <-time.After(15 * time.Second):
		s.kill()
	}
}

// pid is the server's own process: taskset replaces itself with it.
func (s *server) pid() int { return s.cmd.Process.Pid }

// rss is the resident memory in bytes.
func (s *server) rss() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid()))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64)
			return kb * 1024
		}
	}
	return 0
}

// cpu is the processor time used so far.
func (s *server) cpu() time.Duration { return processCPU(s.pid()) }

func processCPU(pid int) time.Duration {
	own, _ := processTimes(pid)
	return own
}

// processTimes is the processor time of a process, and of its children that
// have ended.
func processTimes(pid int) (own, ended time.Duration) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 15 {
		return 0, 0
	}
	ticks := func(fields []string) (sum time.Duration) {
		for _, text := range fields {
			n, _ := strconv.ParseInt(text, 10, 64)
			sum += time.Duration(n) * 10 * time.Millisecond // USER_HZ is 100 on Linux
		}
		return sum
	}
	return ticks(f[11:13]), ticks(f[13:15])
}
