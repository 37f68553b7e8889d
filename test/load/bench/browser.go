package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// cookie is a signed-in session as a browser keeps it.
type cookie struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

var readyLink = regexp.MustCompile(`ready: \S+/signin\?token=(\S+)`)

// signIn takes the one-time link that the server printed.
func (s *server) signIn(ctx context.Context) (cookie, error) {
	said, err := os.ReadFile(s.log.Name())
	if err != nil {
		return cookie{}, fmt.Errorf("read the server's log: %w", err)
	}
	m := readyLink.FindSubmatch(said)
	if m == nil {
		return cookie{}, errors.New("the server printed no one-time link")
	}
	post := func(path string, body any, c cookie) (*http.Response, error) {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api.base+"/api/v1"+path, bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", s.api.base)
		if c.Name != "" {
			req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
		resp, err := s.api.client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode >= 300 {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
			return nil, fmt.Errorf("POST %s: %s: %s", path, resp.Status, text)
		}
		return resp, nil
	}
	resp, err := post("/signin", map[string]string{"token": string(m[1])}, cookie{})
	if err != nil {
		return cookie{}, fmt.Errorf("sign in: %w", err)
	}
	if len(resp.Cookies()) == 0 {
		return cookie{}, errors.New("sign in: no cookie")
	}
	c := cookie{resp.Cookies()[0].Name, resp.Cookies()[0].Value}
	again, err := post("/me/password", map[string]string{"password": "three quiet words"}, c)
	if err != nil {
		return cookie{}, fmt.Errorf("set a password: %w", err)
	}
	for _, x := range again.Cookies() {
		c = cookie{x.Name, x.Value}
	}
	return c, nil
}

// browser is one measurement in a real browser, in a process of its own.
type browser struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	said bytes.Buffer
}

// browse starts a measurement; order is what measure.mjs is told.
func browse(ctx context.Context, order map[string]any) (*browser, error) {
	b, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("encode order: %w", err)
	}
	p := &browser{cmd: exec.CommandContext(ctx, "node", "test/load/browser/measure.mjs", string(b))}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.Stderr = &p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	p.out = bufio.NewScanner(out)
	p.out.Buffer(nil, 16<<20)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	return p, nil
}

// next returns what the measurement says next, by its only key.
func (p *browser) next() (string, json.RawMessage, error) {
	for p.out.Scan() {
		var line map[string]json.RawMessage
		if json.Unmarshal(p.out.Bytes(), &line) != nil {
			continue
		}
		for key, value := range line {
			return key, value, nil
		}
	}
	err := p.cmd.Wait()
	return "", nil, fmt.Errorf("the browser ended early: %v: %.2000s", err, p.said.String())
}

// result waits for the end; each sees what is said before.
func (p *browser) result(into any, each func(key string, value json.RawMessage)) error {
	for {
		key, value, err := p.next()
		if err != nil {
			return err
		}
		if key == "result" {
			err := json.Unmarshal(value, into)
			p.end()
			if err != nil {
				return fmt.Errorf("decode what was measured: %w", err)
			}
			return nil
		}
		if each != nil {
			each(key, value)
		}
	}
}

func (p *browser) end() {
	p.in.Close()
	if err := p.cmd.Wait(); err != nil && p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
	}
}

// unpinned lets server, generator and browser share all cores, as a browser
// has more processes than one core serves.
func (l *lab) unpinned() (restore func(), err error) {
	l.whole = true
	if l.serverCore == "" {
		return func() { l.whole = false }, nil
	}
	mask, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil, fmt.Errorf("find the cores: %w", err)
	}
	pin := func(cores string) error {
		if out, err := exec.Command("taskset", "-acp", cores, strconv.Itoa(os.Getpid())).CombinedOutput(); err != nil {
			return fmt.Errorf("move the generator: %w: %s", err, out)
		}
		return nil
	}
	if err := pin(string(bytes.TrimSpace(mask))); err != nil {
		return nil, err
	}
	server := l.serverCore
	l.serverCore = ""
	return func() {
		l.serverCore, l.whole = server, false
		_ = pin(l.ownCore) // the next mode says so in its figures
	}, nil
}

// childrenCPU is the processor time of a process and all below it, those that
// have ended included.
func childrenCPU(root int) time.Duration {
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
	var sum time.Duration
	var walk func(pid int)
	walk = func(pid int) {
		own, ended := processTimes(pid)
		sum += own + ended
		for _, child := range parents[pid] {
			walk(child)
		}
	}
	walk(root)
	return sum
}
