package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

// broker starts mosquitto on a free port and returns it; with a password file
// nobody comes in without.
func broker(t *testing.T, password string) string {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			t.Fatal("this test needs mosquitto: run scripts/need-mosquitto")
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conf := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous %v\npersistence false\n", port, password == "")
	if password != "" {
		file := filepath.Join(dir, "passwords")
		if out, err := exec.CommandContext(t.Context(), "mosquitto_passwd", "-c", "-b", file, "me", password).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := os.Chmod(file, 0o644); err != nil { // mosquitto drops its rights
			t.Fatal(err)
		}
		for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		conf += "password_file " + file + "\n"
	}
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(path, "-c", file)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }() // it is killed
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-gone })
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		select {
		case <-gone:
			t.Fatalf("mosquitto ended: %s", out.String())
		case <-t.Context().Done():
			t.Fatal("mosquitto does not listen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kept asks the broker, by a client that is not ours, for the message it keeps.
func kept(t *testing.T, address, topic string, more ...string) (at, text string) {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "mosquitto_sub", append([]string{"-h", "127.0.0.1", "-p", port, "-q", "1", "-v", "-C", "1", "-W", "20", "-t", topic}, more...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("mosquitto_sub: %v: %s", err, out)
	}
	at, text, _ = strings.Cut(string(out), " ")
	return at, text
}

func TestABrokerPassesOnWhatIsPublished(t *testing.T) {
	for name, tc := range map[string]struct{ version, password string }{
		"by MQTT 3.1.1": {"3.1.1", ""}, "by MQTT 5": {"5", ""}, "with a password by 3.1.1": {"3.1.1", "pw"}, "with a password by 5": {"5", "pw"},
	} {
		t.Run(name, func(t *testing.T) {
			address := broker(t, tc.password)
			d := newDesk(t)
			d.kinds = append(d.kinds, notify.MQTT())
			x := store.Channel{Type: "mqtt", Settings: map[string]any{"url": "mqtt://" + address, "topic": "net/faults", "version": tc.version, "retain": true}}
			var more []string
			if tc.password != "" {
				x.Settings["username"], x.Secrets = "me", store.Secrets{"password": tc.password}
				more = []string{"-u", "me", "-P", tc.password}
			}
			id := d.channel(x)
			d.routes(store.Route{Channels: []string{id}})
			d.start()
			d.tell(opened("i/1", "S1"))
			d.eventually("the receipt is never noted", func() bool { return d.states()[store.DeliverySent] == 1 })
			topic, text := kept(t, address, "net/faults/#", more...)
			var body struct {
				IdempotencyKey string
				Notice         struct{ Incident string }
			}
			if err := json.Unmarshal([]byte(text), &body); err != nil || topic != "net/faults/i_1" || body.IdempotencyKey != "i/1/opened@"+id || body.Notice.Incident != "i/1" {
				t.Errorf("%s %s %v", topic, text, err)
			}
		})
	}
}

func TestABrokerThatRefusesIsHeard(t *testing.T) {
	address := broker(t, "pw")
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.MQTT())
	for _, version := range []string{"3.1.1", "5"} {
		x, err := d.store.Channel(t.Context(), d.channel(store.Channel{Type: "mqtt", Settings: map[string]any{"url": "mqtt://" + address, "version": version}}))
		if err != nil {
			t.Fatal(err)
		}
		_, refused := errors.AsType[*notify.Refused](d.Test(t.Context(), *x))
		if !refused {
			t.Errorf("MQTT %s: it was not refused", version)
		}
	}
}
