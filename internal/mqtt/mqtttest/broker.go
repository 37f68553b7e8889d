// Package mqtttest runs a real broker, mosquitto, for tests.
package mqtttest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Options configures a Broker.
type Options struct {
	// User and Password are needed to come in; empty: everybody may.
	User, Password string
	// Certificate and Key make it speak TLS: files as PEM.
	Certificate, Key string
	// Rules are lines of its list of who may read and write what.
	Rules string
}

// Broker is mosquitto on a port of this machine.
type Broker struct {
	Address string

	t    *testing.T
	conf string
	path string
	kill func()
}

// Start runs a broker on a free port until the test ends.
func Start(t *testing.T, o Options) *Broker {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			t.Fatal("this test needs mosquitto: run scripts/need mosquitto")
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{t: t, path: path, Address: ln.Addr().String()}
	ln.Close()
	_, port, err := net.SplitHostPort(b.Address)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil { // mosquitto drops its rights
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous %v\npersistence false\n", port, o.User == "")
	if o.User != "" {
		file := filepath.Join(dir, "passwords")
		if out, err := exec.CommandContext(t.Context(), "mosquitto_passwd", "-c", "-b", file, o.User, o.Password).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		conf += "password_file " + b.readable(file) + "\n"
	}
	if o.Rules != "" {
		file := filepath.Join(dir, "rules")
		b.write(file, o.Rules)
		conf += "acl_file " + b.readable(file) + "\n"
	}
	if o.Certificate != "" {
		conf += "certfile " + b.readable(o.Certificate) + "\nkeyfile " + b.readable(o.Key) + "\n"
	}
	b.conf = filepath.Join(dir, "mosquitto.conf")
	b.write(b.conf, conf)
	t.Cleanup(b.Stop)
	b.Begin()
	return b
}

func (b *Broker) write(file, text string) {
	b.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *Broker) readable(file string) string {
	b.t.Helper()
	if err := os.Chmod(file, 0o644); err != nil {
		b.t.Fatal(err)
	}
	return file
}

// Begin starts it, again if it was stopped.
func (b *Broker) Begin() {
	b.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(b.path, "-c", b.conf)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }() // it is killed
	b.kill = func() { _ = cmd.Process.Kill(); <-gone }
	for {
		if c, err := net.Dial("tcp", b.Address); err == nil {
			c.Close()
			return
		}
		select {
		case <-gone:
			b.t.Fatalf("mosquitto ended: %s", out.String())
		case <-b.t.Context().Done():
			b.t.Fatal("mosquitto does not listen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop kills it.
func (b *Broker) Stop() {
	if b.kill != nil {
		b.kill()
		b.kill = nil
	}
}

// Kept asks it, by a client that is not ours, for a message that it keeps.
func (b *Broker) Kept(topic string, more ...string) (at, text string) {
	b.t.Helper()
	_, port, err := net.SplitHostPort(b.Address)
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := exec.CommandContext(b.t.Context(), "mosquitto_sub", append([]string{"-h", "127.0.0.1", "-p", port, "-q", "1", "-v", "-C", "1", "-W", "20", "-t", topic}, more...)...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("mosquitto_sub: %v: %s", err, out)
	}
	found, rest, _ := bytes.Cut(bytes.TrimRight(out, "\n"), []byte(" "))
	return string(found), string(rest)
}
