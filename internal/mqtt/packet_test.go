package mqtt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestNames(t *testing.T) {
	for filter, want := range map[string]bool{
		"a": true, "a/b": true, "a/+/b": true, "+/b": true, "a/#": true, "a//b": true, "zigbee2mqtt/Gate lock": true,
		"": false, "#": false, "+": false, "a+": false, "a/#/b": false, "a/b#": false, "$SYS/x": false, "a\x00b": false, "a\nb": false, "\xff": false, strings.Repeat("a", 301): false,
	} {
		if err := CheckFilter(filter); (err == nil) != want {
			t.Errorf("filter %q: %v", filter, err)
		}
		if err := CheckTopic(filter); (err == nil) != (want && !strings.ContainsAny(filter, "+#")) {
			t.Errorf("topic %q: %v", filter, err)
		}
	}
	for _, tc := range []struct {
		filter, topic string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a", "a/b", false}, {"a/b", "a", false}, {"a/+", "a/b", true}, {"a/+", "a/b/c", false},
		{"a/+/c", "a/b/c", true}, {"a/#", "a/b/c", true}, {"a/#", "a", true}, {"a/#", "ab", false}, {"+/c", "/c", true}, {"a/+", "a/", true},
	} {
		if got := matches(tc.filter, tc.topic); got != tc.want {
			t.Errorf("%q names %q: %v", tc.filter, tc.topic, got)
		}
	}
}

func TestURLs(t *testing.T) {
	for in, want := range map[string]Endpoint{
		"mqtt://b": {"b:1883", "b", false}, "mqtts://b/": {"b:8883", "b", true}, "mqtts://[::1]:99": {"[::1]:99", "::1", true},
		"http://b": {}, "mqtt://": {}, "mqtt://u:p@b": {}, "mqtt://b/topic": {}, "b:1883": {}, "mqtt://b?x": {},
	} {
		if got, err := ParseURL(in); got != want || (err == nil) != (want != Endpoint{}) {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
}

func TestPacketsThatAreNone(t *testing.T) {
	for name, raw := range map[string]string{
		"a length without an end":         "\x30\xff\xff\xff\xff\x01",
		"a receipt of a megabyte":         "\x40\x80\x80\x40",
		"a message with QoS 2":            "\x34\x05\x00\x01a\x00\x01",
		"a name that is longer than it":   "\x30\x03\x00\x09a",
		"a name for many":                 "\x30\x03\x00\x01#",
		"no name":                         "\x30\x02\x00\x00",
		"a name that is no text":          "\x30\x03\x00\x01\xff",
		"a receipt wanted without number": "\x32\x05\x00\x01a\x00\x00",
		"a receipt wanted and no number":  "\x32\x03\x00\x01a",
	} {
		head, body, cut, err := read(bufio.NewReader(strings.NewReader(raw)))
		if err == nil {
			_, _, err = heard(head, body, cut)
		}
		if !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(published(Message{Topic: "a/b", Payload: []byte("x"), Retain: true}, 7, false))
	f.Add([]byte("\x30\x03\x00\x01a"))
	f.Add(hello{user: "u", password: "p"}.packet())
	f.Fuzz(func(t *testing.T, raw []byte) {
		head, body, cut, err := read(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		if len(body) > maxRead {
			t.Fatalf("%d bytes were kept", len(body))
		}
		m, id, err := heard(head, body, cut)
		if err != nil || cut || id == 0 || CheckTopic(m.Topic) != nil {
			return
		}
		again := published(m, id, false)
		if again[0] != head&^8 || !bytes.HasSuffix(again, body) {
			t.Errorf("%q became %q", raw, again)
		}
	})
}

// A broker that says nothing more is left, and asked again after a pause.
func TestABrokerThatFallsSilentIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		c := New(Options{Broker: Broker{Address: "b:1883", Dial: func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			ours, theirs := net.Pipe()
			go func() {
				r := bufio.NewReader(theirs)
				if _, _, _, err := read(r); err != nil {
					return
				}
				if _, err := theirs.Write([]byte{connAck << 4, 2, 0, 0}); err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r) // until it is left
			}()
			return ours, nil
		}}})
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		synctest.Wait()
		if !c.State().Up {
			t.Error("it is not connected")
		}
		time.Sleep(keepAlive*3/2 + time.Millisecond)
		synctest.Wait()
		if s := c.State(); s.Up || s.Err == nil || dials.Load() != 1 {
			t.Errorf("after silence: %+v, %d dials", s, dials.Load())
		}
		time.Sleep(2 * retryFirst)
		synctest.Wait()
		if s := c.State(); !s.Up || dials.Load() != 2 {
			t.Errorf("after a pause: %+v, %d dials", s, dials.Load())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
