package onvif_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/onvif"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/outward"
	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
)

// client reaches loopback and, like any, no metadata service.
func client(t *testing.T) *onvif.Client {
	t.Helper()
	nets, exactly, err := outward.ParseAllow([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	g := outward.New(outward.Options{Allow: nets, Exactly: exactly})
	return onvif.New(onvif.Options{Dial: g.Dial, Check: func(_ context.Context, address string) error {
		u, err := url.Parse(address)
		if err != nil {
			return err
		}
		a, err := netip.ParseAddr(u.Hostname())
		if err != nil {
			return err
		}
		return g.Check(netip.AddrPortFrom(a, 554))
	}})
}

// device is a simulated camera called gate.
func device(t *testing.T, f simcam.Options, o simcam.DeviceOptions) (*simcam.Farm, *simcam.Device) {
	t.Helper()
	f.Listen, o.Listen = "127.0.0.1:0", "127.0.0.1:0"
	farm, err := simcam.New(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := farm.Add(simcam.Spec{Name: "gate", Scene: "quiet"}); err != nil {
		t.Fatal(err)
	}
	d, err := simcam.NewDevice(farm, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- farm.Run(ctx) }()
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
		farm.Close()
	})
	return farm, d
}

func TestADeviceSaysWhatItIsAndWhereItsStreamsAre(t *testing.T) {
	for name, o := range map[string]simcam.DeviceOptions{
		"a token in the message":                  {},
		"digest authentication of HTTP":           {Digest: true},
		"a clock that is three hours ahead":       {ClockOffset: 3 * time.Hour},
		"a router between, so that its hosts lie": {Advertise: "10.9.8.7:80"},
	} {
		t.Run(name, func(t *testing.T) {
			farm, d := device(t, simcam.Options{User: "viewer", Password: `se"cret&<`}, o)
			f, err := client(t).Probe(t.Context(), onvif.Device{URL: d.URL("gate"), Username: "viewer", Password: `se"cret&<`})
			if err != nil {
				t.Fatal(err)
			}
			if off := (f.ClockOffset - o.ClockOffset).Abs(); off > 2*time.Second {
				t.Errorf("its clock is %s off", f.ClockOffset)
			}
			if f.Vendor != "Chargewatch" || f.Serial != "gate" || !f.Events || len(f.Profiles) != 2 {
				t.Fatalf("%+v", f)
			}
			p := f.Profiles[1]
			if p.StreamURL != farm.URL("gate", simcam.SubStream) || p.Codec != "h264" || p.Width != 320 || p.Height != 180 || p.FPS != 5 || p.Refused != "" {
				t.Errorf("%+v", p)
			}
			if _, err := client(t).Probe(t.Context(), onvif.Device{URL: d.URL("gate"), Username: "viewer", Password: "guess"}); !errors.Is(err, onvif.ErrUnauthorized) {
				t.Errorf("with a wrong password: %v", err)
			}
		})
	}
}

// story collects what a camera reports.
type story struct{ scenes chan onvif.Sighting }

func follow(t *testing.T, d onvif.Device) (*onvif.Watch, *story) {
	t.Helper()
	s := &story{make(chan onvif.Sighting, 100)}
	w := onvif.NewWatch(onvif.WatchOptions{Client: client(t), Report: func(_ context.Context, id string, x onvif.Sighting) error {
		if id != "gate" {
			return fmt.Errorf("camera %q", id)
		}
		s.scenes <- x
		return nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	w.Apply([]onvif.Watched{{ID: "gate", Device: d}})
	return w, s
}

func (s *story) next(t *testing.T, what event.SceneKind, phase event.ScenePhase) onvif.Sighting {
	t.Helper()
	for {
		select {
		case x := <-s.scenes:
			if x.Source != "camera" {
				t.Errorf("source %q", x.Source)
			}
			if x.What == what && x.Phase == phase {
				return x
			}
		case <-t.Context().Done():
			t.Fatalf("no %s %s", what, phase)
		}
	}
}

// until waits for something that happens elsewhere.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for !is() {
		select {
		case <-t.Context().Done():
			t.Fatalf("never: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestWhatACameraSeesBecomesScenes(t *testing.T) {
	farm, d := device(t, simcam.Options{User: "viewer", Password: "secret"}, simcam.DeviceOptions{ClockOffset: -2 * time.Hour})
	w, s := follow(t, onvif.Device{URL: d.URL("gate"), Username: "viewer", Password: "secret"})
	until(t, "subscribed", func() bool { return d.Subscriptions() == 1 })
	if err := farm.SetFault("gate", simcam.Cover); err != nil {
		t.Fatal(err)
	}
	began := s.next(t, event.SceneCovered, event.SceneStarted)
	if age := time.Since(began.Since).Abs(); age > time.Minute {
		t.Errorf("it is said to have begun %s ago", age)
	}
	if err := farm.SetFault("gate", simcam.NoFault); err != nil {
		t.Fatal(err)
	}
	if ended := s.next(t, event.SceneCovered, event.SceneEnded); ended.ID != began.ID {
		t.Errorf("it began as %s and ended as %s", began.ID, ended.ID)
	}
	if err := farm.Perform("gate", "person"); err != nil {
		t.Fatal(err)
	}
	s.next(t, event.SceneLineCrossing, event.SceneSeen)
	motion := s.next(t, event.SceneMotion, event.SceneStarted)
	// The device restarts: it forgets us in the middle of it.
	d.Forget()
	if ended := s.next(t, event.SceneMotion, event.SceneEnded); ended.ID != motion.ID {
		t.Error("what nobody tells us of any more does not end")
	}
	until(t, "subscribed anew", func() bool { return d.Subscriptions() == 1 })
	if st, _ := w.Status("gate"); st.ClockOffset > -time.Hour {
		t.Errorf("%+v", st)
	}
	w.Apply(nil)
	until(t, "unsubscribed", func() bool { return d.Subscriptions() == 0 })
}

func TestACameraWithoutEventsIsLeftInPeace(t *testing.T) {
	_, d := device(t, simcam.Options{}, simcam.DeviceOptions{NoEvents: true})
	w, _ := follow(t, onvif.Device{URL: d.URL("gate")})
	until(t, "unsupported", func() bool { s, _ := w.Status("gate"); return s.State == onvif.Unsupported })
}

func TestAWrongPasswordIsNotTriedAgainAndAgain(t *testing.T) {
	_, d := device(t, simcam.Options{User: "viewer", Password: "secret"}, simcam.DeviceOptions{})
	w, _ := follow(t, onvif.Device{URL: d.URL("gate"), Username: "viewer", Password: "guess"})
	until(t, "unauthorized", func() bool { s, _ := w.Status("gate"); return s.State == onvif.Unauthorized })
}

func TestHostileDevicesAreCutOff(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><Envelope><Body><x>&b;</x></Body></Envelope>`
	soap := func(body string) string { return `<Envelope><Body>` + body + `</Body></Envelope>` }
	for name, answer := range map[string]http.HandlerFunc{
		"an XML bomb":          func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, bomb) },
		"an entity of its own": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, soap("<x>&b;</x>")) },
		"a deep document":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("<a>", 50_000)) },
		"many elements": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, soap(strings.Repeat("<a/>", 50_000)))
		},
		"a document cut off": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<Envelope><Body>") },
		"no XML":             func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
		"nothing":            func(http.ResponseWriter, *http.Request) {},
		"an answer without end": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		},
		"headers without end": func(w http.ResponseWriter, r *http.Request) {
			c, b, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = b.WriteString("HTTP/1.1 200 OK\r\n")
			for i := range 100_000 {
				if _, err := fmt.Fprintf(b, "X-%d: %s\r\n", i, strings.Repeat("x", 100)); err != nil {
					return
				}
			}
		},
		"a redirect to the metadata service": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(answer)
			defer s.Close()
			if f, err := client(t).Probe(t.Context(), onvif.Device{URL: s.URL}); err == nil {
				t.Errorf("taken as %+v", f)
			}
		})
	}
	for _, address := range []string{"http://169.254.169.254/", "http://10.0.0.1/", "rtsp://127.0.0.1/", "file:///etc/passwd", "http://a:b@127.0.0.1/", ""} {
		if _, err := client(t).Probe(t.Context(), onvif.Device{URL: address}); err == nil {
			t.Errorf("%s was asked", address)
		}
	}
}

func TestAStreamElsewhereIsRefused(t *testing.T) {
	for address, ok := range map[string]bool{
		"rtsp://127.0.0.1:554/live":                    true,
		"rtsp://user:pw@127.0.0.1:554/live":            true,
		"rtsp://169.254.169.254/latest":                false,
		"rtsp://10.1.1.1/live":                         false,
		"http://127.0.0.1/live":                        false,
		"rtsp:///live":                                 false,
		"rtsp://127.0.0.1/" + strings.Repeat("x", 600): false,
	} {
		var third string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			third = r.Host
			say := func(x string) { _, _ = io.WriteString(w, "<Envelope><Body>"+x+"</Body></Envelope>") }
			switch {
			case strings.Contains(string(b), "<GetCapabilities"):
				say(`<R><Capabilities><Media><XAddr>http://169.254.169.254/media</XAddr></Media></Capabilities></R>`)
			case strings.Contains(string(b), "<GetProfiles"):
				say(`<R><Profiles token="a"><Name>x</Name><VideoEncoderConfiguration/></Profiles></R>`)
			case strings.Contains(string(b), "<GetStreamUri"):
				say(`<R><MediaUri><Uri>` + address + `</Uri></MediaUri></R>`)
			default:
				w.WriteHeader(http.StatusBadRequest)
				say(`<Fault><Code><Value>x</Value></Code></Fault>`)
			}
		}))
		f, err := client(t).Probe(t.Context(), onvif.Device{URL: s.URL, Username: "viewer", Password: "secret"})
		s.Close()
		if err != nil || len(f.Profiles) != 1 {
			t.Fatalf("%s: %+v, %v", address, f, err)
		}
		p := f.Profiles[0]
		if (p.StreamURL != "") != ok || (p.Refused == "") != ok || strings.Contains(p.StreamURL, "user") {
			t.Errorf("%s: %+v", address, p)
		}
		if !strings.HasPrefix(third, "127.0.0.1") {
			t.Errorf("%s was asked", third)
		}
	}
}

func TestOnlyWhoAnswersFromItsOwnAddressIsFound(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		buf := make([]byte, 4096)
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil || !strings.Contains(string(buf[:n]), "NetworkVideoTransmitter") {
			return
		}
		for _, x := range []string{"http://10.0.0.9/onvif/device_service", "http://127.0.0.1:8000/onvif/device_service http://10.0.0.9/", "ftp://127.0.0.1/"} {
			_, _ = conn.WriteToUDPAddrPort([]byte(`<Envelope><Body><ProbeMatches><ProbeMatch><Scopes>onvif://www.onvif.org/name/Gate%20North onvif://www.onvif.org/hardware/X1</Scopes><XAddrs>`+
				x+`</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>`), from)
		}
		_, _ = conn.WriteToUDPAddrPort([]byte("<"), from)
	}()
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	list, err := client(t).Discover(t.Context(), onvif.DiscoverOptions{To: to, For: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0] != (onvif.Neighbour{URL: "http://127.0.0.1:8000/onvif/device_service", Name: "Gate North", Hardware: "X1"}) {
		t.Errorf("%+v", list)
	}
}
